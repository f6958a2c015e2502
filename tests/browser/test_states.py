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

WAITS = "[data-loading] .ci-skel"
LATE = "[data-loading] .ci-empty"
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
        make_user(f"a-rather-long-name-{number}@administrators.example.org", Role.ADMINISTRATOR)
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


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_place_of_a_chart_waits_in_its_own_height(open_page, session, answers, motion):
    watched = open_page(cookies=session, reduced_motion=motion)
    page, held = watched.page, []
    # Playwright marks the function it is given, and cannot mark the one of a list.
    page.route(PLOTLY, lambda route: held.append(route))  # noqa: PLW0108
    page.goto(watched.base + "/satisfaction/?kpi=nps", wait_until="commit")
    page.wait_for_selector(WAITS)
    page.wait_for_function("document.styleSheets.length > 4")
    assert page.locator(WAITS).evaluate_all("all => all.map((one) => one.checkVisibility())") == [
        True,
        True,
    ]
    breathing = page.locator(WAITS).first.evaluate("one => getComputedStyle(one).animationName")
    assert breathing == {"reduce": "none", "no-preference": "ci-breathe"}[motion]
    assert not page.locator(LATE).first.is_visible()
    page.evaluate("document.fonts.ready.then(() => null)")
    before = page.locator("#trend").bounding_box(), page.locator("#scores").bounding_box()
    page.screenshot(path=shots("state-loading-nl-light-1440"), full_page=True)
    held[0].continue_()
    page.wait_for_selector("#trend .main-svg")
    page.wait_for_selector("#scores .main-svg")
    page.wait_for_selector("#trend [data-loading]", state="hidden")
    page.wait_for_selector("#scores [data-loading]", state="hidden")
    after = page.locator("#trend").bounding_box(), page.locator("#scores").bounding_box()
    assert before == after
    watched.check()
    assert watched.problems == []


def shots(name: str) -> str:
    from tests.browser.conftest import SHOTS

    SHOTS.mkdir(exist_ok=True)
    return str(SHOTS / f"{name}.png")


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_without_plotly_each_chart_says_where_the_numbers_are(
    open_page, session, answers, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    page.route(PLOTLY, lambda route: route.abort())
    page.goto(watched.base + "/satisfaction/?kpi=nps")
    page.wait_for_selector(FAILED)
    assert page.locator(FAILED).evaluate_all("all => all.map((one) => one.checkVisibility())") == [
        True,
        True,
    ]
    assert page.locator(f"{WAITS}:visible").count() == 0
    assert page.locator("[data-zoom-hint]").is_hidden()
    page.click("#trend summary")
    assert page.is_visible("#trend table")
    watched.check(f"state-failed-{language}-{theme}-{width}")
    # It is said aloud in the console, and nothing else is wrong.
    assert {one.partition(": ")[2] for one in unexpected(watched)} == {
        "script error Plotly was not loaded"
    }

    page.unroute(PLOTLY)
    page.click("#trend [data-failed] .btn")
    page.wait_for_selector("#trend .main-svg")
    assert page.locator(f"{FAILED}:visible").count() == 0


def test_a_theme_chosen_after_the_failure_changes_nothing_about_it(open_page, session, answers):
    watched = open_page(cookies=session | {"theme": "light"})
    page = watched.page
    page.route(PLOTLY, lambda route: route.abort())
    page.goto(watched.base + "/?kpi=nps")
    page.wait_for_selector(FAILED)
    seen = len(watched.problems)
    page.click(".ci-rail button[value=dark]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    assert page.is_visible(FAILED)
    assert len(watched.problems) == seen


def test_when_even_our_script_is_lost_the_waiting_ends_in_words(open_page, session, answers):
    watched = open_page(cookies=session)
    page = watched.page
    page.route("**/js/chart.js", lambda route: route.abort())
    page.goto(watched.base + "/?kpi=nps")
    assert not page.locator(LATE).is_visible()
    page.evaluate(
        "document.getAnimations().filter((one) => one.animationName === 'ci-late')"
        ".forEach((one) => one.finish())"
    )
    assert page.locator(LATE).is_visible()
    watched.check("state-late-nl-light-1440")
    assert unexpected(watched) == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_without_scripts_the_tables_are_there(open_page, session, answers, language, theme, width):
    watched = open_page(
        width=width, cookies=choices(language, theme) | session, java_script_enabled=False
    )
    page = watched.page
    page.goto(watched.base + "/satisfaction/?kpi=nps")
    for panel in ("#trend", "#scores"):
        assert page.locator(f"{panel} noscript .ci-empty").is_visible()
        assert page.locator(f"{panel} {WAITS}").is_hidden()
        page.click(f"{panel} summary")
        assert page.is_visible(f"{panel} table")
    page.screenshot(path=shots(f"state-no-scripts-{language}-{theme}-{width}"), full_page=True)
    assert watched.problems == []


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
