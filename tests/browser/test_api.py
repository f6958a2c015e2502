"""API keys in a real browser, and the form that the widget offers to a customer we know."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.consent import State
from customers.models import ConsentEntry
from customers.subjects import sign_subject
from feedback.models import Response
from tests.browser.looks import FEW_LOOKS, choices
from tests.browser.test_widget import NOW, ask, element, host, other
from tests.customers.test_ledger_together import _emptied_afterwards
from tests.makers import (
    known_purpose,
    make_consent_form,
    make_customer,
    make_purpose,
    make_wording,
    record,
)

__all__ = ["_emptied_afterwards", "ask", "host", "other"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_a_key_is_made_copied_and_revoked(open_page, session, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit("/settings/api-keys/")
    watched.check(f"api-keys-empty-{shot}")
    page.click("[name=make]")
    watched.settle()
    assert page.locator("#api-key").count() == 0
    page.fill("#id_name", "Klantenservice & winkel-app")
    page.check("[value='consent:read']")
    page.check("[value='consent:give']")
    page.click("[name=make]")
    secret = page.locator("#api-key").inner_text()
    assert secret.startswith("ci_")
    watched.check(f"api-keys-{shot}")
    watched.visit("/settings/api-keys/")
    assert secret not in page.content()
    page.click("main table .btn-danger")
    watched.settle()
    assert page.locator("main table .btn-danger").count() == 0
    watched.check(f"api-keys-revoked-{shot}")
    assert watched.problems == []


OFFERED = {"nl": "Kies wat je van ons hoort", "en": "Choose what you hear from us"}


@pytest.fixture
def known(settings) -> str:
    """The signed words of the shop for a customer who permits that we keep her opinion."""
    settings.SUBJECT_KEYS = ["shared with the shop"]
    now = timezone.now()
    purpose = known_purpose("satisfaction_survey", kind="survey", channels=["email", "web"])
    make_wording(purpose=purpose, published_at=now - timedelta(days=9))
    noor = make_customer(reference="K1", email="noor@example.org")
    record(noor, purpose=purpose, channel="web", occurred_at=now - timedelta(days=1))
    return sign_subject("K1", key="shared with the shop", expires_at=now + timedelta(hours=1))


@pytest.mark.parametrize(("lang", "scheme"), [("nl", "light"), ("en", "dark")])
def test_after_a_thumb_up_a_known_customer_sees_one_quiet_link(host, ask, known, lang, scheme):
    tips = make_purpose(key="tips")
    make_wording(purpose=tips, published_at=NOW - timedelta(days=800))
    touchpoint = ask("thumb", offer=make_consent_form(key="tips-form", first=tips))
    page = host(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    page.open(element(touchpoint, f'subject="{known}"'), lang=lang)
    page.answer(touchpoint, 1)
    link = page.widget(touchpoint).get_by_role("status").get_by_role("link")
    link.wait_for()
    assert link.get_attribute("href").endswith("/opt-in/tips-form/")
    assert link.inner_text() in OFFERED.values()
    assert page.faults() == []
    # A reason leaves it there, a thumb down takes it away.
    page.widget(touchpoint).locator("button[value=useful]").click()
    page.widget(touchpoint).locator("button[value=useful][aria-pressed=true]").wait_for()
    assert link.count() == 1
    page.widget(touchpoint).get_by_role("button").last.click()
    page.widget(touchpoint).locator("input[value='0']").click()
    page.widget(touchpoint).locator("button[value=too_often]").wait_for()
    assert link.count() == 0
    assert page.problems == page.warnings == []
    assert Response.objects.get().customer.reference == "K1"
    assert ConsentEntry.objects.filter(state=State.SHOWN).count() == 1


def test_a_visitor_nobody_knows_sees_no_link(host, ask, known):
    tips = make_purpose(key="tips")
    make_wording(purpose=tips, published_at=NOW - timedelta(days=800))
    touchpoint = ask("thumb", offer=make_consent_form(key="tips-form", first=tips))
    page = host()
    page.open(element(touchpoint))
    page.answer(touchpoint, 1)
    page.says(touchpoint, "Genoteerd, dank je.")
    assert page.widget(touchpoint).locator(".card a").count() == 0
    assert ConsentEntry.objects.filter(state=State.SHOWN).count() == 0
