"""Pages with little or nothing to show, and pages after something went wrong, in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from insights.accounts import Role
from insights.models import Annotation
from tests.browser.looks import FEW_LOOKS, choices
from tests.insights.test_views import give, make_user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PLOTLY = "**/vendor/plotly-*.js"
FAILED = "[data-failed]"


def a_day_ago(days: int) -> str:
    return str(timezone.localdate() - timedelta(days=days))


def states() -> dict[str, str]:
    """The addresses of pages of figures with little or nothing on them."""
    long_ago = f"period=own&from={a_day_ago(400)}&to={a_day_ago(390)}"
    return {
        "few-drawn": "/?kpi=thumbs&category=Cadeaukaarten&period=12m",
        "few-scores": "/satisfaction/?kpi=nps&category=Cadeaukaarten&period=12m",
        "few-boxed": f"/?kpi=thumbs&period=own&from={a_day_ago(1)}&to={a_day_ago(1)}",
        "hidden": "/?kpi=nps&category=Onderdelen",
        "filters-leave-nothing": "/?kpi=nps&category=Onderdelen&channel=phone",
        "period-without": f"/?kpi=nps&{long_ago}",
        "response-rate": "/?kpi=response_rate",
    }


@contextmanager
def without_annotations() -> Iterator[None]:
    """Take one table away, so that the pages of figures fail as with a broken database."""
    table = connection.ops.quote_name(Annotation._meta.db_table)
    away = connection.ops.quote_name("out_of_reach")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {away}")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {away} RENAME TO {table}")


def cookie_of(role: str) -> dict[str, str]:
    client = Client()
    client.force_login(make_user("noor@example.org", role))
    return {"sessionid": client.cookies["sessionid"].value}


def unexpected(watched) -> list[str]:
    """What went wrong besides the error that the page is about."""
    return [one for one in watched.problems if "Failed to load resource" not in one]


# -- How they look -------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_few_and_none_look_right(open_page, session, answers, language, theme, width):
    give("thumb", [1] * 8)
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in states().items():
        watched.visit(path)
        watched.check(f"state-{name}-{language}-{theme}-{width}")
    assert watched.problems == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_the_first_day_and_a_page_for_others_look_right(
    open_page, staff, language, theme, width, groups
):
    watched = open_page(width=width, cookies=choices(language, theme) | cookie_of(Role.MARKETER))
    shot = f"{language}-{theme}-{width}"
    watched.visit("/")
    watched.check(f"state-empty-{shot}")
    for number in range(3):
        name = f"a-rather-long-name-{number}@administrators.example.org"
        make_user(name, Role.ADMINISTRATOR, is_superuser=True)
    watched.visit("/settings/")
    assert watched.page.locator(".ci-ask li").count() == 4
    watched.check(f"state-403-{shot}")
    watched.visit("/nope/")
    watched.check(f"state-404-{shot}")
    assert unexpected(watched) == []


@pytest.fixture
def groups() -> None:
    """The tests before this one may have emptied the database, the roles too."""
    from django.contrib.auth.models import Group

    for role in Role:
        Group.objects.get_or_create(name=role)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_errors_look_right(open_page, session, settings, language, theme, width):
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    # Without a request there is no cookie to read the theme from: the reader's system decides.
    watched = open_page(width=width, color_scheme=theme, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    with without_annotations():
        watched.visit("/")
        watched.check(f"state-500-{shot}")
        assert page.locator("h1").count() == 1
        assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", page.inner_text(".ci-lead b"))
        failed = page.url
    page.click("main .btn-primary")
    watched.settle()
    assert page.url == failed
    assert page.is_visible(".ci-rail" if width > 1000 else ".ci-topbar")

    watched.visit("/comments.csv?period=own&from=nonsense")
    watched.check(f"state-400-{shot}")
    page.evaluate(
        """() => {
            const form = document.createElement("form");
            Object.assign(form, { method: "post", action: "/language/" });
            document.body.append(form);
            form.submit();
        }"""
    )
    page.wait_for_url("**/language/")
    watched.check(f"state-403-csrf-{shot}")

    page.context.clear_cookies(name="sessionid")
    for _ in range(2):
        watched.visit("/accounts/password/reset/")
        page.fill("#id_email", "nobody@example.org")
        page.click("main [type=submit]")
        watched.settle()
    watched.check(f"state-429-{shot}")
    assert page.locator(".ci-alone").count() == 1
    assert unexpected(watched) == []


# -- The place of a chart --------------------------------------------------------------------------

CHARTS = ("#trend", "#scores")
# What a text says and where: its middle, from the corner of its chart.
TEXTS = """
    ([plot, texts]) => {
        const corner = document.querySelector(plot).getBoundingClientRect();
        return [...document.querySelectorAll(`${plot} ${texts}`)]
            .filter((one) => one.checkVisibility() && one.textContent.trim())
            .map((one) => [one.textContent, one.getBoundingClientRect()])
            .map(([text, box]) => [
                text, box.x + box.width / 2 - corner.x, box.y + box.height / 2 - corner.y,
            ]);
    }
"""
BOXES = """
    () => [...document.querySelectorAll(".ci-plot, .ci-panel")]
        .map((one) => one.getBoundingClientRect())
        .map((box) => [box.x, box.y + scrollY, box.width, box.height])
"""


def explore_by_hand(watched, panel: str, width: int) -> None:
    if width > 1000:
        watched.explore(panel)
        watched.page.mouse.move(0, 0)
    else:
        watched.page.tap(f"{panel} .ci-plot")
        watched.page.wait_for_selector(f"{panel} .main-svg")


def picture_in(page, panel: str):
    return page.locator(f"{panel} .ci-picture:visible")


@pytest.mark.parametrize("width", [1920, 1440, 1024, 360])
def test_plotly_comes_with_the_pointer_and_draws_what_the_picture_shows(
    open_page, session, answers, width
):
    watched = open_page(width=width, cookies=session, has_touch=width < 1000)
    page, loaded = watched.page, []
    page.on("request", lambda request: loaded.append(request.url))
    watched.visit("/satisfaction/?kpi=nps")
    page.wait_for_load_state("networkidle")
    assert [url for url in loaded if "plotly" in url] == []
    before = page.evaluate(BOXES)
    for panel in CHARTS:
        assert picture_in(page, panel).count() == 1
        plot = f"{panel} .ci-plot"
        drawn = page.evaluate(TEXTS, [plot, ".ci-picture text"])
        explore_by_hand(watched, panel, width)
        assert picture_in(page, panel).count() == 0
        assert_alike(drawn, page.evaluate(TEXTS, [plot, ".main-svg text"]))
    assert page.evaluate(BOXES) == before
    assert len([url for url in loaded if "plotly" in url]) == 1
    watched.check(f"state-explored-nl-light-{width}")
    assert watched.problems == []


def assert_alike(one: list, other: list) -> None:
    assert len(one) > 10
    for left, right in zip(sorted(one), sorted(other), strict=True):
        # The letters, and where they stand to a pixel or two.
        assert left[0] == right[0]
        assert left[1:] == pytest.approx(right[1:], abs=2), left[0]


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_without_plotly_the_picture_stays_and_a_line_says_what_is_missing(
    open_page, session, answers, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    page.route(PLOTLY, lambda route: route.abort())
    watched.visit("/satisfaction/?kpi=nps")
    assert page.locator(f"{FAILED}:visible").count() == 0
    for panel in CHARTS:
        page.hover(f"{panel} .ci-plot")
        page.wait_for_selector(f"{panel} {FAILED}")
        assert picture_in(page, panel).count() == 1
        assert page.is_hidden(f"{panel} [data-chart]")
    assert page.locator("[data-zoom-hint]").is_hidden()
    page.click("#trend summary")
    assert page.is_visible("#trend table")
    watched.check(f"state-failed-{language}-{theme}-{width}")
    # It is said aloud in the console, and nothing else is wrong.
    assert {one.partition(": ")[2] for one in unexpected(watched)} == {
        "script error Plotly was not loaded"
    }

    page.unroute(PLOTLY)
    with page.expect_navigation():
        page.click(f"#trend {FAILED} a")
    assert page.url == watched.base + "/satisfaction/?kpi=nps"
    watched.settle()
    assert page.locator(f"{FAILED}:visible").count() == 0
    watched.explore()
    assert page.locator(f"{FAILED}:visible").count() == 0


def test_a_theme_chosen_after_the_failure_changes_nothing_about_it(open_page, session, answers):
    watched = open_page(cookies=session | {"theme": "light"})
    page = watched.page
    page.route(PLOTLY, lambda route: route.abort())
    watched.visit("/?kpi=nps")
    page.hover("#trend .ci-plot")
    page.wait_for_selector(FAILED)
    seen = len(watched.problems)
    page.click(".ci-rail button[value=dark]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    assert page.is_visible(FAILED)
    assert picture_in(page, "#trend").count() == 1
    assert len(watched.problems) == seen


def test_the_picture_follows_the_theme_at_once(open_page, session, answers):
    watched = open_page(cookies=session | {"theme": "light"})
    watched.visit("/?kpi=nps")
    line = picture_in(watched.page, "#trend").locator(".l").first
    colour = "line => getComputedStyle(line).stroke"
    light = line.evaluate(colour)
    watched.page.click(".ci-rail button[value=dark]")
    assert line.evaluate(colour) != light
    assert watched.page.locator(".main-svg").count() == 0
    assert watched.problems == []


def test_when_even_our_script_is_lost_the_picture_is_there(open_page, session, answers):
    watched = open_page(cookies=session)
    page = watched.page
    page.route("**/js/chart.js", lambda route: route.abort())
    watched.visit("/?kpi=nps")
    page.hover("#trend .ci-plot")
    assert picture_in(page, "#trend").count() == 1
    assert page.locator(f"{FAILED}:visible").count() == 0
    watched.check()
    assert unexpected(watched) == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_without_scripts_the_pictures_and_tables_are_there(
    open_page, session, answers, language, theme, width
):
    watched = open_page(
        width=width, cookies=choices(language, theme) | session, java_script_enabled=False
    )
    page = watched.page
    page.goto(watched.base + "/satisfaction/?kpi=nps")
    for panel in CHARTS:
        assert picture_in(page, panel).bounding_box()["height"] > 200
        page.click(f"{panel} summary")
        assert page.is_visible(f"{panel} table")
    assert page.locator("[data-zoom-hint]").is_hidden()
    assert page.locator(f"{FAILED}:visible").count() == 0
    page.screenshot(path=shots(f"state-no-scripts-{language}-{theme}-{width}"), full_page=True)
    assert watched.problems == []


def shots(name: str) -> str:
    from tests.browser.conftest import SHOTS

    SHOTS.mkdir(exist_ok=True)
    return str(SHOTS / f"{name}.png")


# -- Offline -------------------------------------------------------------------------------------

BANNER = "[data-offline]"


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_offline_is_said_and_a_filter_waits(open_page, session, answers, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    watched.visit("/?kpi=nps")
    assert page.is_hidden(BANNER)
    page.context.set_offline(True)
    page.wait_for_selector(BANNER)
    watched.check(f"state-offline-{language}-{theme}-{width}")
    page.evaluate("scrollTo(0, 900)")
    assert page.locator(BANNER).bounding_box()["y"] < 100

    page.select_option("select[name=category]", "Laptops")
    assert "category" not in page.url
    with page.expect_navigation():
        page.context.set_offline(False)
    assert "category=Laptops" in page.url
    watched.settle()
    assert page.is_hidden(BANNER)
    assert unexpected(watched) == []


def test_offline_a_link_to_other_filters_waits_and_a_form_keeps_what_was_typed(
    open_page, session, answers
):
    watched = open_page(cookies=session)
    page = watched.page
    watched.visit("/?kpi=nps&category=Laptops")
    page.context.set_offline(True)
    page.wait_for_selector(BANNER)
    page.click(".ci-filters .btn-quiet")
    assert "category=Laptops" in page.url
    with page.expect_navigation():
        page.context.set_offline(False)
    assert "category=" not in page.url

    watched.visit("/settings/")
    page.fill("#id_name", "Zonneschijn")
    page.context.set_offline(True)
    page.wait_for_selector(BANNER)
    page.click("main form .btn-primary")
    page.click(".ci-rail button[value=dark]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    page.context.set_offline(False)
    page.wait_for_selector(BANNER, state="hidden")
    assert page.input_value("#id_name") == "Zonneschijn"
    assert page.locator(".ci-toast").count() == 0
    page.click("main form .btn-primary")
    page.wait_for_selector(".ci-toast")
    assert unexpected(watched) == []


def test_a_machine_without_a_network_that_serves_itself_is_not_cut_off(open_page, session):
    watched = open_page(cookies=session)
    page = watched.page
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })"
    )
    with page.expect_response("**/healthz"):
        page.goto(watched.base + "/jobs/")
    with page.expect_response("**/healthz"):
        page.evaluate("dispatchEvent(new Event('offline'))")
    page.wait_for_timeout(200)
    assert page.is_hidden(BANNER)
    assert watched.problems == []
