"""Every page in both languages, both themes and at 1440 and 360 pixels."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from insights import services
from tests.browser.looks import LOOKS, choices

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

SIGNED_OUT = {
    "login": "/accounts/login/",
    "password-reset": "/accounts/password/reset/",
    "password-reset-done": "/accounts/password/reset/done/",
    "signup-closed": "/accounts/signup/",
    "not-found-public": "/nope/",
}
SIGNED_IN = {
    "overview": "/",
    "overview-thumbs": "/?kpi=thumbs&slice=category",
    "overview-product": "/?kpi=thumbs&slice=product&channel=web",
    "overview-few": "/?kpi=nps&category=Cadeaukaarten&period=4w",
    "overview-none": "/?kpi=nps&category=Onderdelen&channel=phone",
    "overview-year": "/?kpi=nps&period=12m&slice=customer_type",
    "overview-wrong": "/?period=own&from=2026-02-02&to=2026-02-01&channel=pigeon",
    "overview-response-rate": "/?kpi=response_rate",
    "jobs": "/jobs/",
    "password-change": "/accounts/password/change/",
    "two-step": "/accounts/2fa/",
    "email": "/accounts/email/",
    "logout": "/accounts/logout/",
    "reauthenticate": "/accounts/reauthenticate/",
    "not-found": "/nope/",
}


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_pages_for_staff_are_accessible_and_keep_the_csp(
    open_page, session, answers, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in SIGNED_IN.items():
        watched.visit(path)
        assert watched.page.get_attribute("html", "lang") == language
        watched.check(f"{name}-{language}-{theme}-{width}")
    assert watched.problems == []


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_pages_before_signing_in_are_accessible_and_keep_the_csp(open_page, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme))
    pages = SIGNED_OUT | {"set-up": services.set_up_link().removeprefix(settings.BASE_URL)}
    for name, path in pages.items():
        watched.visit(path)
        watched.check(f"{name}-{language}-{theme}-{width}")
    watched.visit("/accounts/login/")
    watched.page.fill("#id_login", "nobody@example.org")
    watched.page.fill("#id_password", "wrong")
    watched.page.click("main .btn-primary")
    watched.check(f"login-wrong-{language}-{theme}-{width}")
    assert watched.problems == []


@pytest.mark.parametrize("width", [1440, 360])
def test_the_first_start_shows_what_to_do(open_page, session, width):
    watched = open_page(width=width, cookies=session)
    watched.visit("/")
    assert "start.py --demo" in watched.page.inner_text("main")
    watched.check(f"overview-empty-nl-light-{width}")
    assert watched.problems == []


def test_the_table_behind_the_chart_and_the_menu_open(open_page, session, answers):
    watched = open_page(width=360, cookies=session)
    watched.visit("/")
    watched.page.click("#trend summary")
    watched.check("overview-table-nl-light-360")
    watched.page.click(".ci-menu summary")
    watched.check("overview-menu-nl-light-360")
    assert watched.problems == []


def test_two_step_login_is_drawn_in_the_page(open_page, session, staff):
    watched = open_page(cookies=session)
    watched.visit("/accounts/2fa/totp/activate/")
    watched.page.fill("#id_password", "a long enough password")
    watched.page.click("main .btn-primary")
    watched.page.wait_for_selector(".ci-qr svg path")
    watched.check("two-step-activate-nl-light-1440")
    assert watched.problems == []


# -- What people do ------------------------------------------------------------------------------


def test_signing_in_by_keyboard_alone(open_page, staff):
    watched = open_page()
    watched.visit("/accounts/login/")
    keyboard = watched.page.keyboard
    watched.page.focus("#id_login")
    keyboard.type("kim@example.org")
    keyboard.press("Tab")
    keyboard.type("a long enough password")
    keyboard.press("Enter")
    watched.page.wait_for_url(watched.base + "/")
    keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.className") == "ci-skip"
    keyboard.press("Enter")
    assert watched.page.evaluate("document.activeElement.id") == "main"
    assert watched.problems == []


def test_the_theme_changes_at_once_and_the_chart_follows(open_page, session, answers):
    watched = open_page(cookies=session | {"theme": "light"})
    watched.visit("/?kpi=thumbs")
    watched.explore()
    line = (
        "() => document.querySelector('[data-chart]').data"
        ".find((trace) => trace.meta.role === 'line').line.color"
    )
    before = watched.page.evaluate(line)
    watched.page.click(".ci-rail button[value=dark]")
    watched.page.wait_for_function(f"({line})() !== '{before}'")
    assert watched.page.get_attribute("html", "data-bs-theme") == "dark"
    watched.page.reload()
    assert watched.page.get_attribute("html", "data-bs-theme") == "dark"
    watched.page.click(".ci-rail button[value=auto]")
    assert watched.page.get_attribute("html", "data-bs-theme") is None
    assert watched.problems == []


def test_a_chosen_filter_is_used_at_once_and_keeps_the_focus(open_page, session, answers):
    watched = open_page(cookies=session)
    watched.visit("/?kpi=thumbs")
    with watched.page.expect_navigation():
        watched.page.select_option("select[name=category]", "Laptops")
    assert "category=Laptops" in watched.page.url
    assert "channel=" not in watched.page.url
    assert watched.page.evaluate("document.activeElement.name") == "category"
    assert watched.problems == []


def test_the_chart_offers_no_way_to_send_data_out(open_page, session, answers):
    watched = open_page(cookies=session)
    watched.visit("/?kpi=thumbs")
    watched.explore()
    watched.page.hover("[data-chart]")
    assert watched.page.query_selector_all(".modebar-btn") == []
    assert watched.problems == []


def test_everything_works_without_scripts(open_page, session, answers):
    watched = open_page(cookies=session, java_script_enabled=False)
    page = watched.page
    page.goto(watched.base + "/?kpi=thumbs")
    page.select_option("select[name=category]", "Laptops")
    page.click("[data-apply]")
    assert "category=Laptops" in page.url
    page.click(".ci-rail button[value=dark]")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    page.click(".ci-rail button[value=en]")
    assert page.get_attribute("html", "lang") == "en"
    assert "category=Laptops" in page.url
    page.click("#trend summary")
    assert page.is_visible("#trend table")
    page.click(".ci-rail .ci-push button")
    assert "/accounts/login/" in page.url


def test_own_dates_are_typed_and_then_shown(open_page, session, answers):
    watched = open_page(cookies=session)
    watched.visit("/?kpi=thumbs")
    with watched.page.expect_navigation():
        watched.page.select_option("select[name=period]", "own")
    first = str(timezone.localdate() - timedelta(days=20))
    watched.page.fill("input[name=from]", first)
    with watched.page.expect_navigation():
        watched.page.click("[data-apply]")
    assert f"from={first}" in watched.page.url
    watched.settle()
    watched.check("overview-own-nl-light-1440")
    assert watched.problems == []
