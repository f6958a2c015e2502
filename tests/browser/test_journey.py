"""One customer, from the first tick to being forgotten, on a phone, in both languages."""

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.utils import timezone

from customers.consent import State
from customers.models import ConsentEntry, ConsentState, Customer, Erasure, Purchase, Suppression
from customers.queries import may_process
from customers.tokens import preferences_token
from customers.verification import verify_ledger
from insights.tasks import carry_out_requests, send_letters
from tests.browser.test_opt_in import unexpected
from tests.customers.opt_in import ADDRESS, empty
from tests.makers import make_consent_form

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db) -> Iterator[None]:
    yield
    empty()


def mailed_path() -> str:
    """Send what waits, and return the path of the link in the newest letter."""
    send_letters.apply()
    return re.search(r"https?://[^/]+(/\S+/)", mail.outbox[-1].body)[1]


@pytest.mark.parametrize(("language", "theme"), [("nl", "light"), ("en", "dark")])
def test_from_a_tick_over_the_mail_and_the_own_page_to_erasure(
    open_page, language, theme, settings
):
    settings.LANGUAGE_CODE = language
    form = make_consent_form()
    purpose = form.first
    watched = open_page(width=360, color_scheme=theme)
    page = watched.page

    def press(button: str, name: str) -> None:
        with page.expect_navigation():
            page.click(button)
        watched.settle()
        watched.check(f"journey-{name}-{language}-360")

    def may() -> bool:
        return may_process(Customer.objects.get(), purpose.key, "email", timezone.now()).allowed

    watched.visit(f"/opt-in/{form.key}/?lang={language}")
    page.check("#tick")
    page.fill("#email", ADDRESS)
    press(".btn-primary", "asked")
    assert not may()
    watched.visit(mailed_path())
    watched.check(f"journey-confirm-{language}-360")
    press(".btn-primary", "confirmed")
    assert may()

    noor = Customer.objects.get()
    watched.visit(f"/preferences/{preferences_token(noor.pk)}/?lang={language}")
    press("[role=switch]", "switched-off")
    assert not may()
    press("[value=mail]", "link-asked")
    watched.visit(f"{mailed_path()}?lang={language}")
    press(".btn-primary", "own-page")
    page.click(".ci-read summary >> nth=-1")
    page.check("input[name=yes]")
    press(".ci-offer button", "switched-on")
    assert may()
    assert page.locator("html").get_attribute("lang") == language

    press("a.btn-danger", "erase")
    press(".btn-danger", "erase-asked")
    carry_out_requests.apply()
    send_letters.apply()
    noor.refresh_from_db()
    assert (noor.email, noor.erased_at is not None) == ("", True)
    assert not may()
    assert set(ConsentState.objects.values_list("state", flat=True)) == {State.WITHDRAWN}
    assert ConsentEntry.objects.count() == 5  # asked, confirmed, off, on, and off for good
    assert not any(Erasure.objects.get().proof.values())
    assert Suppression.objects.get().reason == "erasure"
    assert Purchase.objects.count() == 0
    assert mail.outbox[-1].to == [ADDRESS]
    assert len(mail.outbox) == 3
    assert verify_ledger(timezone.now()).finding is None
    assert unexpected(watched) == []
