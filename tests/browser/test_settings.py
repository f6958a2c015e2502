"""The settings and the checklist in a real browser, and what customers then see."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from feedback.models import Touchpoint
from insights import organisation, services
from insights.accounts import Role
from insights.organisation import profile
from tests.browser.looks import FEW_LOOKS, choices
from tests.makers import make_touchpoint
from tests.pictures import png

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

# What a hurried administrator might send at once.
WRONG = {"#id_name": "Zon\u202e", "#id_accent": "#f2b705", "#id_sender_email": "zon"}


def choose(**given) -> None:
    facts = {"name": "", "accent": "", "formal": None, "sender_name": "", "sender_email": ""}
    organisation.change_organisation(**facts | given)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_looks_right(open_page, session, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    for path, name in (("/settings/", "settings"), ("/settings/start/", "start")):
        watched.visit(path)
        watched.check(f"{name}-empty-{shot}")

    watched.visit("/settings/")
    for field, text in WRONG.items():
        page.fill(field, text)
    page.set_input_files(
        "#id_logo", {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}
    )
    page.click("main .btn-primary")
    watched.settle()
    assert page.locator(".ci-errors li").count() == 4
    watched.check(f"settings-wrong-{shot}")

    choose(name="Warenhuis De Zonneschijn", accent="#8f6400", formal=True)
    organisation.set_logo(data=png(240, 80))
    for path, name in (("/settings/", "settings"), ("/settings/start/", "start")):
        watched.visit(path)
        watched.check(f"{name}-{shot}")
    assert watched.problems == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_customers_see_the_logo_and_read_u(open_page, language, theme, width):
    choose(name="Warenhuis De Zonneschijn", formal=True)
    organisation.set_logo(data=png(240, 80))
    watched = open_page(width=width, color_scheme=theme)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit(f"/v/{make_touchpoint(scale='thumb').key}/?lang={language}&v=1")
    watched.check(f"hosted-formal-{shot}")
    assert ("Heeft deze pagina u geholpen?" in page.inner_text("main")) is (language == "nl")
    assert page.get_attribute("header img", "alt") == "Warenhuis De Zonneschijn"
    # The picture is there, and keeps its proportions in the room it has.
    assert page.evaluate("document.querySelector('.ci-logo').naturalWidth") == 240
    box = page.locator(".ci-logo").bounding_box()
    assert box["height"] <= 48
    watched.visit("/accounts/login/")
    watched.check(f"login-logo-{shot}")
    assert watched.problems == []


def test_the_first_administrator_is_led_from_the_link_to_a_touchpoint_in_their_colour(
    open_page, settings
):
    # The tests before this one emptied the database, the roles too.
    Group.objects.get_or_create(name=Role.ADMINISTRATOR)
    watched = open_page(cookies=choices("en", "light"))
    page = watched.page
    watched.visit(services.set_up_link().removeprefix(settings.BASE_URL))
    page.fill("#id_name", "Kim")
    page.fill("#id_email", "kim@example.org")
    page.fill("#id_password", "a long enough password")
    page.click("main [type=submit]")
    page.wait_for_url("**/settings/start/")
    assert page.locator(".ci-step--done").count() == 1

    page.click("[data-step=accent] a")
    page.wait_for_url("**/settings/#id_accent")
    page.fill("#id_name", "Zon")
    page.fill("#id_accent", "#8f6400")
    page.check("input[name=formal][value=yes]")
    page.set_input_files("#id_logo", {"name": "zon.png", "mimeType": "image/png", "buffer": png()})
    page.click("main .btn-primary")
    watched.settle()
    assert page.locator(".ci-toast").count() == 1
    assert page.inner_text(".ci-brand small >> nth=0") == "Zon"
    page.click("#time-zone .btn")
    watched.settle()
    assert (profile().formal, profile().has_logo) == (True, True)

    watched.visit("/settings/start/")
    done = page.locator(".ci-step--done").evaluate_all("all => all.map((one) => one.dataset.step)")
    assert done == ["administrator", "name", "logo", "accent", "formal", "time_zone"]
    page.click("[data-step=thumb] a")
    page.click("main .btn-primary")
    page.wait_for_url("**/new/")
    page.select_option("#id_ready", "email")
    page.fill("#id_name", "Newsletter")
    page.click("main form .btn-primary")
    page.wait_for_url("**/touchpoints/thumb-*/")
    made = Touchpoint.objects.get()
    assert (made.accent, made.question_nl) == ("#8f6400", "Wat vond u van deze e-mail?")

    Client().post(f"/v/{made.key}/", {"key": "0b8e5ee4-41fd-4f7e-a0a5-2d6d4d9f9f0b", "v": "1"})
    watched.visit("/settings/start/")
    assert page.locator("[data-step=thumb].ci-step--done").count() == 1
    assert watched.problems == []
