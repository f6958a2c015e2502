"""Everybody at once is everybody one by one."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from customers.addresses import address_hash
from customers.audience import permitted
from customers.consent import Actor, Forbidden, Grade, Sale, State
from customers.ledger import Unproven
from customers.models import (
    ConsentState,
    Customer,
    Purpose,
    PurposeKind,
    Suppression,
    SuppressionReason,
)
from customers.queries import may_process
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


def allowed_one_by_one(now=NOW) -> set[int]:
    return {
        state.pk
        for state in ConsentState.objects.select_related("customer", "purpose")
        if may_process(state.customer, state.purpose.key, state.channel, now).allowed
    }


def allowed_at_once(now=NOW) -> set[int]:
    return set(permitted(now).values_list("pk", flat=True))


def purposes() -> list[Purpose]:
    """Three purposes that differ in what they ask, each with a text of a year ago."""
    made = [
        make_purpose(channels=["email", "phone"]),
        make_purpose(kind=PurposeKind.PROFILING, minimum_grade=Grade.B),
        make_purpose(kind=PurposeKind.SURVEY, valid_days=30),
    ]
    for purpose in made:
        make_wording(purpose=purpose, published_at=NOW - YEAR)
    return made


def live(rng: Random, customer: Customer, purpose: Purpose) -> None:
    """Let a customer do something about a purpose, some of which the ledger refuses."""
    at = NOW - timedelta(days=rng.randrange(1, 300))
    given = {"purpose": purpose, "occurred_at": at, "address": customer.email}
    deeds = [
        {},
        {},
        {"old_enough": rng.choice([True, False, None])},
        {"grade": Grade.A},
        {"state": State.PENDING},
        {"state": State.REFUSED},
        {
            "state": State.GIVEN, "actor": Actor.IMPORT, "grade": Grade.C,
            "evidence": "list", "method": "import",
        },
        {
            "state": State.SOFT, "actor": Actor.IMPORT, "grade": Grade.C, "evidence": "sale",
            "sale": Sale(True, True, True, True, True),
            "channel": rng.choice(["email", "phone"]),
        },
    ]  # fmt: skip
    endings = [{"state": State.WITHDRAWN}, {"state": State.OBJECTED}]
    for deed in [rng.choice(deeds), *rng.choices([None, *endings], weights=[6, 1, 1])]:
        if deed is not None:
            try:
                record(customer, **given | deed)
            except (Forbidden, Unproven):
                continue


def happen(rng: Random, customer: Customer) -> None:
    """Let something happen to a customer that is not in the ledger."""
    changes = [
        {}, {}, {},
        {"email": f"other{customer.pk}@example.org"},
        {"email": ""},
        {"email": customer.email.upper()},
        {"restricted_at": NOW},
        {"erased_at": NOW, "email": "", "name": ""},
        {"paused_until": NOW + timedelta(days=rng.choice([-1, 0, 1]))},
    ]  # fmt: skip
    for name, value in rng.choice(changes).items():
        setattr(customer, name, value)
    customer.save()
    if customer.email and rng.random() < 0.1:
        Suppression.objects.get_or_create(
            address_hash=address_hash(customer.email),
            reason=rng.choice(list(SuppressionReason)),
            defaults={"created_at": NOW},
        )


@pytest.mark.parametrize("seed", range(3))
def test_at_once_is_one_by_one(seed):
    rng = Random(seed)
    made = purposes()
    for number in range(120):
        customer = make_customer(email=f"k{number}@example.org")
        for purpose in made:
            live(rng, customer, purpose)
        happen(rng, customer)
    # One purpose changed what it does, another only its words; one went out of use.
    make_wording(purpose=made[0], version=2, scope_hash=made[0].wordings.get().scope_hash)
    if seed == 1:
        make_wording(purpose=made[1], version=2)
    if seed == 2:
        Purpose.objects.filter(pk=made[2].pk).update(archived_at=NOW)
    expected = allowed_one_by_one()
    assert 10 < len(expected) < ConsentState.objects.count() - 100
    assert allowed_at_once() == expected
    later = NOW + timedelta(days=500)
    assert allowed_at_once(later) == allowed_one_by_one(later)


@pytest.mark.parametrize("kind", ["company", "charity"])
def test_a_sale_counts_by_phone_for_a_charity_alone(kind):
    purpose = purposes()[0]
    sale = {"state": State.SOFT, "actor": Actor.IMPORT, "grade": Grade.C, "evidence": "sale"}
    with override_settings(ORGANISATION_KIND="charity"):
        for channel in ("email", "phone"):
            record(
                purpose=purpose, channel=channel, sale=Sale(True, True, True, True, True), **sale
            )
    with override_settings(ORGANISATION_KIND=kind):
        assert allowed_at_once() == allowed_one_by_one()
        assert len(allowed_at_once()) == (2 if kind == "charity" else 1)


def test_it_is_one_query_whatever_their_number():
    made = purposes()
    for number in range(3):
        customer = make_customer(email=f"k{number}@example.org")
        for purpose in made:
            record(customer, purpose=purpose, address=customer.email)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert len(list(permitted(NOW))) == 9
    assert len(captured) == 1


def test_a_key_that_came_in_newly_keeps_what_was_permitted(settings):
    """The ledger has the hash under the older key, for ever."""
    purpose = purposes()[0]
    customer = make_customer(email="noor@example.org")
    record(customer, purpose=purpose)
    assert len(allowed_at_once()) == 1
    settings.ADDRESS_KEYS = ["a new key", *settings.ADDRESS_KEYS]
    customer.save()
    assert customer.address_hash == address_hash("noor@example.org")
    assert len(allowed_at_once()) == 1
    settings.ADDRESS_KEYS = ["a new key"]
    customer.save()
    assert allowed_at_once() == allowed_one_by_one() == set()
