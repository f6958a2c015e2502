"""May we? Asked of the database: what is stored, in how many queries."""

from datetime import timedelta

import pytest

from customers.addresses import address_hash
from customers.consent import Actor, Grade, Sale, State
from customers.models import Purpose, Suppression, SuppressionReason
from customers.queries import may_process
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org")


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips", valid_days=365, channels=["email", "phone"])
    make_wording(purpose=purpose)
    return purpose


def ask(customer, channel="email", at=NOW):
    return may_process(customer, "tips", channel, at)


def test_unknown_is_no(noor, tips):
    assert (ask(noor).allowed, ask(noor).reason) == (False, "none")


def test_a_yes_is_a_yes_on_its_channel_and_for_its_purpose(noor, tips):
    other = make_purpose(key="other")
    record(noor, purpose=tips)
    assert ask(noor).allowed
    assert not ask(noor, channel="sms").allowed
    assert not may_process(noor, other.key, "email", NOW).allowed


def test_a_purpose_that_nobody_set_up_is_an_error(noor):
    with pytest.raises(Purpose.DoesNotExist):
        ask(noor)


def test_it_ends_when_it_runs_out(noor, tips):
    """Case 21."""
    record(noor, purpose=tips)
    last = NOW + timedelta(days=365)
    assert ask(noor, at=last - timedelta(seconds=1)).allowed
    assert ask(noor, at=last).reason == "expired"


def test_a_new_address_has_no_permission(noor, tips):
    """Case 17: whoever changed it."""
    record(noor, purpose=tips)
    noor.email = "noor@other.example"
    noor.save()
    assert ask(noor).reason == "other_address"
    noor.email = "NOOR@example.org"
    assert ask(noor).allowed
    noor.email = ""
    assert ask(noor).reason == "other_address"


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_stopped_address_is_never_used(noor, tips, reason):
    record(noor, purpose=tips)
    Suppression.objects.create(address_hash=address_hash(noor.email), reason=reason, created_at=NOW)
    assert ask(noor).reason == "suppressed"


def test_the_objection_of_one_customer_stops_the_address_for_all(noor, tips):
    twin = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    record(twin, purpose=tips, state=State.OBJECTED)
    assert ask(noor).reason == "suppressed"


def test_what_the_wording_changes_counts_from_its_publication(noor, tips):
    """Case 20: a material change makes earlier permissions stale, an editorial one does not."""
    record(noor, purpose=tips)
    first = tips.wordings.get()
    make_wording(purpose=tips, version=2, change="editorial", scope_hash=first.scope_hash)
    assert ask(noor).allowed
    tomorrow = NOW + timedelta(days=1)
    make_wording(purpose=tips, version=3, published_at=tomorrow)
    assert ask(noor).allowed
    assert ask(noor, at=tomorrow).reason == "stale"


def test_archived_restricted_and_erased_are_no(noor, tips):
    record(noor, purpose=tips)
    noor.restricted_at = NOW
    assert ask(noor).reason == "restricted"
    noor.restricted_at, noor.erased_at = None, NOW
    assert ask(noor).reason == "erased"
    noor.erased_at = None
    Purpose.objects.update(archived_at=NOW)
    assert ask(noor).reason == "archived"


def test_a_purpose_may_ask_for_better_proof(noor, tips):
    record(noor, purpose=tips, grade=Grade.B)
    Purpose.objects.update(minimum_grade=Grade.A)
    assert ask(noor).reason == "weak_proof"


def test_a_sale_permits_mail_and_since_july_no_call(noor, tips, settings):
    """Case 22."""
    settings.ORGANISATION_KIND = "charity"
    for channel in ("email", "phone"):
        record(
            noor, purpose=tips, channel=channel, state=State.SOFT, actor=Actor.IMPORT,
            evidence="order 1", grade=Grade.C, sale=Sale(True, True, True, True, True),
        )  # fmt: skip
    assert ask(noor, channel="phone").allowed
    settings.ORGANISATION_KIND = "company"
    assert ask(noor).reason == "soft"
    assert ask(noor).allowed
    assert ask(noor, channel="phone").reason == "no_soft"


def test_an_old_key_is_still_recognised(noor, tips, settings):
    record(noor, purpose=tips)
    settings.ADDRESS_KEYS = ["new", *settings.ADDRESS_KEYS]
    assert ask(noor).allowed
    settings.ADDRESS_KEYS = ["new"]
    assert ask(noor).reason == "other_address"


def test_it_takes_two_queries(noor, tips, django_assert_num_queries):
    record(noor, purpose=tips)
    with django_assert_num_queries(2):
        assert ask(noor).allowed
