"""Purposes, their texts and opt-in forms in a real browser: two presses from a draft to a text."""

from collections.abc import Iterator

import pytest
from django.db import connection

from customers import triggers
from customers.forms_asked import Asking, add_form
from customers.models import ConsentForm, Purpose, Wording
from customers.publishing import publish
from tests.browser.looks import FEW_LOOKS, choices
from tests.customers.test_publishing import an_edition
from tests.makers import NOW, known_purpose

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]
PAGE = "/permission/purposes/email_marketing/"


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db) -> Iterator[None]:
    """What was published has to go before the next test, and the triggers would refuse that."""
    yield
    triggers.remove(connection)
    ConsentForm.objects.all().delete()
    Wording.objects.all()._raw_delete("default")
    triggers.install(connection)


@pytest.fixture(autouse=True)
def tips(transactional_db) -> Purpose:
    names = {"name_nl": "Tips en aanbiedingen", "name_en": "Tips and offers"}
    return known_purpose("email_marketing", **names)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_looks_right(open_page, session, tips, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit("/permission/forms/")
    watched.check(f"forms-empty-{shot}")
    watched.visit("/permission/purposes/new/")
    page.click("main form .btn-primary")
    watched.settle()
    assert page.locator(".ci-errors li").count() == 4
    watched.check(f"purpose-wrong-{shot}")

    publish(purpose=tips, edition=an_edition(), now=NOW)
    form = add_form(
        asking=Asking(name="Na een bestelling", first=tips, origins=["https://www.shop.example"]),
        now=NOW,
    )
    watched.visit(PAGE)
    page.click("#draft summary")
    page.fill("#id_nl_label", "Mis niets en ontvang persoonlijke tips")
    page.fill("#id_promised_messages", "4")
    page.click("button[name=preview]")
    page.wait_for_url("**/preview/#draft")
    assert page.locator(".ci-verdicts__no").count() == 7
    assert page.locator("main form .btn-primary").count() == 0
    watched.check(f"preview-wrong-{shot}")
    page.click(".ci-verdicts__no a >> nth=0")
    watched.settle()
    assert page.evaluate("location.hash") == "#id_nl_label"
    watched.check(f"purpose-{shot}")
    for path, name in (
        ("/permission/purposes/", "purposes"),
        ("/permission/forms/", "forms"),
        (f"/permission/forms/{form.key}/", "form"),
        (f"/permission/forms/{form.key}/edit/", "form-edit"),
    ):
        watched.visit(path)
        watched.check(f"{name}-{shot}")
    assert watched.problems == []


def test_from_the_ready_made_text_to_a_form_with_two_presses_each(open_page, session):
    watched = open_page(cookies=choices("en", "light") | session)
    page = watched.page
    watched.visit(PAGE)
    page.click("button[name=preview]")
    page.wait_for_url("**/preview/#draft")
    boxes = page.locator(".ci-preview input")
    assert [boxes.nth(at).is_checked() for at in range(boxes.count())] == [False, False]
    assert min(boxes.nth(0).bounding_box()[side] for side in ("width", "height")) >= 24
    watched.check()
    page.click("main form .btn-primary")
    page.wait_for_url(f"**{PAGE}**")
    assert Wording.objects.count() == 2

    watched.visit("/permission/forms/")
    page.click("main .btn-primary")
    page.fill("#id_name", "After an order")
    page.select_option("#id_first", label="Tips and offers")
    page.click("main form .btn-primary")
    page.wait_for_url("**/permission/forms/ask-*/")
    made = ConsentForm.objects.get()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-copy='#form-address']")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"/opt-in/{made.key}/?lang=en")
    assert watched.problems == []


def test_it_works_without_scripts(open_page, session):
    watched = open_page(cookies=choices("nl", "light") | session, java_script_enabled=False)
    page = watched.page
    page.goto(watched.base + PAGE)
    page.click("button[name=preview]")
    page.click("main form .btn-primary")
    assert Wording.objects.count() == 2
