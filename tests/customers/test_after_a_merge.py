"""A record that was merged is still known elsewhere by its old reference: all of it is followed."""

from datetime import timedelta

import pytest

from customers import asking
from customers.consent import State
from customers.data_requests import Asked
from customers.importers import CustomerImporter, PurchaseImporter
from customers.merging import Decision, merge_customers, preview
from customers.models import (
    ConsentState,
    Customer,
    Purchase,
    RequestKind,
    RequestSource,
)
from customers.queries import people_by_reference, survivors
from insights.merges import ABOVE
from insights.requests import carry_out, take_in
from tests.customers.test_consent_importer import import_text as import_consents
from tests.customers.test_importers import import_text
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    return purpose


def merged(survivor: Customer, absorbed: Customer) -> None:
    seal = preview(survivor, absorbed, above=ABOVE).seal
    decision = Decision(reason="the same address", colleague="1", seal=seal)
    merge_customers(survivor=survivor, absorbed=absorbed, decision=decision, above=ABOVE, now=LATER)


@pytest.fixture
def both(tips):
    """A survivor who said yes on both records, and the record that became theirs."""
    survivor = make_customer(reference="K100", email="anna@example.org")
    absorbed = make_customer(reference="K200", email="a.jansen@example.org")
    for one in (survivor, absorbed):
        record(customer=one, purpose=tips, state=State.GIVEN, address=one.email)
    merged(survivor, absorbed)
    return survivor, absorbed


def state_of(customer: Customer) -> str:
    return ConsentState.objects.get(customer=customer).state


def test_a_chain_of_merges_is_followed_to_its_end(both):
    survivor, absorbed = both
    last = make_customer(reference="K300", email="anna@example.net")
    merged(last, survivor)
    assert survivors([absorbed.pk, survivor.pk, last.pk]) == {absorbed.pk: last, survivor.pk: last}
    assert people_by_reference(["K200", "K300"]) == {"K200": last, "K300": last}


def test_a_no_in_a_file_about_the_old_reference_is_a_no(both):
    survivor, _ = both
    assert state_of(survivor) == "given"
    import_consents("customer,purpose,channel,state\nK200,tips,email,withdrawn\n")
    assert state_of(survivor) == "withdrawn"


def test_a_yes_in_a_file_about_the_old_reference_is_refused(both, tips):
    survivor, _ = both
    ConsentState.objects.filter(customer=survivor).delete()
    found, _ = import_consents(
        "customer,purpose,channel,state,given_at,method,source,wording\n"
        "K200,tips,email,given,2026-11-20,checkbox,shop,Yes the shop may mail me tips\n"
    )
    assert found.rejected == 1
    assert not ConsentState.objects.filter(customer=survivor).exists()


def test_an_import_puts_no_address_back_on_the_old_record(both):
    _, absorbed = both
    found, _ = import_text(
        CustomerImporter, "reference,email,name\nK200,a.jansen@example.org,Anna\n"
    )
    assert found.rejected == 1
    absorbed.refresh_from_db()
    assert (absorbed.email, absorbed.name) == ("", "")


def test_what_is_bought_under_the_old_reference_belongs_to_the_survivor(both):
    survivor, _ = both
    text = "customer,product,purchased_at\nK200,P1,2026-11-20\n"
    import_text(PurchaseImporter, text, create_missing=True)
    assert Purchase.objects.get().customer == survivor


def test_a_restriction_asked_by_the_old_reference_holds_for_the_survivor(both):
    survivor, _ = both
    asked = Asked(kind=RequestKind.RESTRICTION, source=RequestSource.STAFF, text="by phone")
    carry_out(request=take_in(reference="K200", asked=asked, now=LATER), by="1", now=LATER)
    survivor.refresh_from_db()
    assert survivor.restricted_at == LATER


def test_who_the_shop_knows_by_the_old_reference_is_asked_as_the_survivor(both):
    survivor, _ = both
    assert asking.known_customer("K200") == survivor
    assert asking.known_customer("K200\0") is None
