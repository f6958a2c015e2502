"""Leaving the demo, seen in a browser: the page that explains, and the one that waits."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User

from insights.database_file import FIRST, OWN
from insights.own_shop import SUPERVISED
from tests.browser.looks import FEW_LOOKS, choices

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@dataclass
class Demo:
    """A demo shop with an administrator who is signed in."""

    cookies: dict[str, str]
    settings: object


@pytest.fixture
def demo(staff: User, session, settings, tmp_path, monkeypatch) -> Demo:
    monkeypatch.setenv(SUPERVISED, "1")
    staff.email = "admin@demo.example"
    staff.save()
    settings.VAR_DIR = tmp_path
    settings.DATABASE_FILE = tmp_path / FIRST
    return Demo(session, settings)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_the_pages_look_right_and_the_last_one_goes_on_by_itself(
    open_page, demo, language, theme, width
):
    look = f"{language}-{theme}-{width}"
    watched = open_page(width=width, cookies=demo.cookies | choices(language, theme))
    page = watched.page
    watched.visit("/own-shop/")
    watched.check(f"own-shop-{look}")
    page.click("main form .btn-primary")
    page.wait_for_selector("[data-waiting]:visible")
    assert page.locator("[data-go]").is_hidden()
    watched.check(f"own-shop-opening-{look}")

    # Between the two shops nobody answers; then there is one in which nobody can sign in yet.
    page.route("**/own-shop/open/", lambda route: route.abort())
    page.wait_for_timeout(1500)
    User.objects.all().delete()
    demo.settings.DATABASE_FILE = demo.settings.VAR_DIR / OWN
    page.unroute("**/own-shop/open/")
    page.wait_for_url("**/setup/*/", timeout=90_000)
    assert page.locator("main form").is_visible()
    assert [problem for problem in watched.problems if "ERR_FAILED" not in problem] == []


def test_without_scripts_there_is_a_button_to_go_on(open_page, demo):
    watched = open_page(cookies=demo.cookies, java_script_enabled=False)
    watched.visit("/own-shop/")
    watched.page.click("main form .btn-primary")
    link = watched.page.locator("[data-go] a")
    assert link.is_visible()
    assert link.get_attribute("href").startswith("/setup/")


def test_elsewhere_the_page_says_the_commands(open_page, session):
    watched = open_page(width=360, cookies=session)
    watched.visit("/own-shop/")
    watched.check("own-shop-elsewhere")
    assert watched.problems == []
