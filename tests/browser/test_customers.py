"""Consent records in a real browser: found, a no written down, and a merge looked at first."""

import pytest
from django.utils import timezone

from customers import triggers
from customers.consent import State
from customers.models import (
    AccessLog,
    ConsentEntry,
    ConsentForm,
    ConsentState,
    CustomerMerge,
    Evidence,
    Invalidation,
)
from tests.browser.looks import choices
from tests.makers import make_customer, make_purpose, make_wording, record

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

# The two ends: the narrowest and the widest, each in one language and theme.
ENDS = [
    pytest.param("nl", "dark", 360, id="nl-dark-360"),
    pytest.param("en", "light", 1440, id="en-light-1440"),
]


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db):
    """What a test committed has to go before the next one, and the triggers would refuse that."""
    from django.db import connection

    yield
    triggers.remove(connection)
    for model in (ConsentState, Evidence, Invalidation, CustomerMerge, ConsentForm):
        model._default_manager.all().delete()
    ConsentEntry.objects.all()._raw_delete("default")
    for table in triggers.TABLES[1:]:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    triggers.install(connection)


@pytest.fixture
def two_records():
    now = timezone.now()
    tips = make_purpose(key="tips", name_nl="Tips", name_en="Tips and offers")
    make_wording(purpose=tips, published_at=now)
    content = make_purpose(key="content", name_nl="Op maat", name_en="Tailored", kind="profiling")
    make_wording(
        purpose=content, label="Ja, kies tips die passen bij wat ik koop.", published_at=now
    )
    ConsentForm.objects.create(key="order", name="Bestelling klaar", first=tips, created_at=now)
    fenna = make_customer(reference="C-10482", email="fenna@example.org", name="Fenna Voorbeeld")
    address = "een.heel.lang.adres.van.fenna@winkel.example.org"
    same = make_customer(reference="C-20771", email=address, name="F. Voorbeeld")
    when = {"occurred_at": now, "place": "form:order"}
    record(fenna, purpose=tips, address=fenna.email, grade="A", **when)
    record(fenna, purpose=content, address=fenna.email, **when)
    record(same, purpose=tips, address=address, state=State.OBJECTED, occurred_at=now)
    return fenna, same


def write_down_a_no(watched, shot: str) -> None:
    page = watched.page
    # Nothing filled in: said at each field, and nothing written.
    page.click(".ci-relay button")
    watched.settle()
    assert page.locator(".ci-relay .invalid-feedback").count() >= 3
    watched.check(f"customer-wrong-{shot}")
    page.select_option("#id_what", "tips:email")
    page.check("input[name=state][value=withdrawn]")
    page.fill("#id_reason", "Te veel mails.")
    page.fill("#id_evidence", "Gesprek 4711")
    page.click(".ci-relay button")
    page.wait_for_url("**/customers/C-10482/")
    watched.settle()
    assert page.locator(".ci-toast").count() == 1
    newest = page.locator(".ci-events > li").first.inner_text()
    assert "Te veel mails. (Gesprek 4711)" in newest
    assert "Fenna Voorbeeld" in newest
    assert ConsentEntry.objects.latest("pk").state == "withdrawn"


@pytest.mark.parametrize(("language", "theme", "width"), ENDS)
def test_from_a_search_to_a_withdrawal_and_the_preview_of_a_merge(
    open_page, session, two_records, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit("/customers/")
    watched.check()
    page.fill("#id_term", "FENNA@example.org")
    page.click("main form [type=submit]")
    watched.settle()
    watched.check(f"customers-{shot}")
    # Neither a name nor an address ever stands in the address bar.
    assert page.url == watched.base + "/customers/"
    page.click(".ci-found a")
    page.wait_for_url("**/customers/C-10482/")
    watched.settle()
    page.locator(".ci-events summary").first.click()
    watched.check(f"customer-{shot}")

    write_down_a_no(watched, shot)

    page.click(".ci-head__acts a[href$='/merge/']")
    page.wait_for_url("**/merge/")
    page.fill("#id_other", "C-20771")
    page.click("main form [type=submit]")
    watched.settle()
    rows = page.locator(".ci-merge tbody tr")
    assert rows.count() == 2
    assert page.locator(".ci-lossy").count() == 1
    watched.check(f"merge-{shot}")
    assert not CustomerMerge.objects.exists()
    kinds = AccessLog.objects.values_list("customer__reference", "kind")
    assert {("C-10482", "search"), ("C-10482", "page"), ("C-20771", "page")} <= set(kinds)

    watched.visit("/permission/invalidations/")
    watched.check(f"invalidations-{shot}")
    page.select_option("#id_form", index=1)
    page.fill("#id_reason", "Het vakje stond al aan.")
    page.click("main form [type=submit]")
    page.wait_for_url("**/permission/invalidations/*/")
    watched.settle()
    watched.check(f"invalidation-{shot}")
    assert watched.problems == []
