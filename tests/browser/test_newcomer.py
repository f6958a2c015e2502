"""What the widget is for, from the first click to the dashboard, as somebody new would do it."""

import pytest
from django.utils import timezone

from feedback.models import Response, Touchpoint
from feedback.services import Answer, add_responses
from tests.browser.hosts import site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

DUTCH_NAV = "Contactpunten"


def make_touchpoint_by_form(page, name: str, ready: str, origin: str) -> Touchpoint:
    page.click(f".ci-rail >> text={DUTCH_NAV}")
    page.click("main a[href$='/touchpoints/new/'] >> nth=0")
    page.select_option("#id_ready", ready)
    page.fill("#id_name", name)
    page.fill("#id_origins", origin)
    page.click("main form .btn-primary")
    page.wait_for_url("**/touchpoints/*-*/")
    return Touchpoint.objects.get(name=name)


def text_of(page, selector: str) -> str:
    return page.locator(selector).first.evaluate("node => node.value ?? node.textContent")


def test_a_page_and_a_newsletter_bring_thumbs_reasons_and_comments_to_the_dashboard(
    open_page, session, settings, live_server
):
    settings.BASE_URL = live_server.url
    watched = open_page(cookies=session)
    visitor = open_page()
    page = watched.page
    with site() as shop:
        watched.visit("/")
        on_page = make_touchpoint_by_form(page, "Retourpagina", "page", shop.url + "/retour")
        assert on_page.origins == [shop.url]
        snippet = text_of(page, "#snippet-page")
        assert "<customer-feedback" in snippet

        answer_in_the_widget(visitor.page, shop.put("/retour", snippet))

        in_mail = make_touchpoint_by_form(page, "Nieuwsbrief november", "email", "")
        letter = text_of(page, "#newsletter-html")
        answer_in_the_mail(visitor.page, shop.put("/brief", letter))

    for touchpoint, value, reason, comment in (
        (on_page, 0, "effort", "Het formulier is te lang."),
        (in_mail, 1, "useful", "Goede tips."),
    ):
        stored = Response.objects.get(touchpoint=touchpoint)
        assert (stored.value, stored.reason, stored.comment) == (value, reason, comment)
        assert stored.customer is None
        watched.visit(f"/touchpoints/{touchpoint.key}/")
        assert comment in page.inner_text("#figures")

    # Figures and reasons appear from five answers: more people answer on the page.
    add_responses(
        Answer(
            key=f"visitor {number}",
            scale="thumb",
            value=number % 2,
            answered_at=timezone.now(),
            touchpoint=on_page,
            channel="web",
            reason=("effort", "useful")[number % 2],
        )
        for number in range(12)
    )
    watched.visit("/?kpi=thumbs")
    comments, reasons = page.inner_text("#comments"), page.inner_text("#reasons")
    assert "Het formulier is te lang." in comments
    assert "Goede tips." in comments
    assert "Te veel moeite" in reasons
    assert "Nuttig" in reasons
    assert watched.problems == []


def answer_in_the_widget(page, address: str) -> None:
    page.goto(address)
    widget = page.locator("customer-feedback")
    widget.locator("input[value='0']").click()
    widget.get_by_text("Genoteerd, dank je.").wait_for()
    widget.get_by_role("button", name="Te veel moeite").click()
    widget.locator("textarea").fill("Het formulier is te lang.")
    with page.expect_response("**/collect/**"):
        widget.get_by_role("button", name="Verstuur").click()
    widget.get_by_role("button", name="Wijzig").wait_for()


def answer_in_the_mail(page, address: str) -> None:
    page.goto(address)
    page.click("text=Goed >> nth=0")
    assert Response.objects.count() == 1
    page.click(".is-chosen")
    page.click("text=Nuttig")
    page.fill("textarea", "Goede tips.")
    page.click(".btn-primary")
    page.wait_for_selector("text=Je opmerking is bewaard.")
