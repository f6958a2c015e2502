"""For everybody at once: the same answer as one by one, and never one too few."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection

from customers.contact_queries import may_contact
from customers.dosing import Outcome
from customers.holds import hold_contacts
from customers.models import Contact, ContactStatus, Customer, DosePolicy, LedgerCheck
from customers.plans import Plan
from customers.reach import NoAudience, allowed_of, claim_audience, funnel
from tests.makers import (
    NOW,
    make_category,
    make_contact,
    make_customer,
    make_permitted,
    make_purpose,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIPS = Plan(channel="email", kind="promotion")


def test_each_customer_is_counted_at_the_first_step_that_stops_them():
    make_customer(email="never@example.org")
    make_customer(reference="erased-1", erased_at=NOW)
    paused = make_permitted(paused_until=NOW + DAY)
    make_contact(paused, NOW - HOUR)
    held = make_permitted()
    hold_contacts(customer=held, reason="complaint", until=None, source="c:1", now=NOW)
    make_contact(make_permitted(), NOW - HOUR)
    # It is 04:00 in Los Angeles.
    make_permitted(time_zone="America/Los_Angeles")
    make_permitted(time_zone="Mars/Base")
    free = [make_permitted().pk, make_permitted().pk]
    found = funnel(TIPS, NOW)
    steps = (found.no_permission, found.left_alone, found.over_dose, found.quiet)
    assert (found.total, *steps, found.unknown_zone, found.now) == (8, 1, 2, 1, 1, 1, 2)
    assert found.ids == free


@pytest.mark.parametrize("kind", ["promotion", "ask_nps", "ask_thumb", "ask_survey"])
@pytest.mark.parametrize("level", ["low", "high"])
def test_nobody_who_is_allowed_is_missed_and_few_who_are_not_are_taken(kind, level):
    """Without reservations to come and half doses both are equal."""
    random = Random(f"{kind} {level}")
    categories = [make_category(involvement=level, rated_at=NOW) for _ in range(2)]
    for _ in range(30):
        _a_history(random, categories)
    plan = Plan(channel="email", kind=kind, category=categories[0])
    allowed = [
        one.pk
        for one in Customer.objects.order_by("pk")
        if may_contact(one, plan, NOW).verdict.outcome == Outcome.ALLOW
    ]
    assert funnel(plan, NOW).ids == allowed
    assert bool(allowed) == (level == "high" or kind in {"promotion", "ask_thumb"})


def _a_history(random: Random, categories: list) -> None:
    wish = random.choice([None, None, 2])
    kinds = ["promotion", "information", "ask_nps", "ask_thumb", "ask_survey", "service"]
    types = ["regular", "occasional", "one_time", "lapsed", "contract", "prospect"]
    person = make_permitted(customer_type=random.choice(types), monthly_limit=wish)
    for _ in range(random.randint(0, 4)):
        kind = random.choice(kinds)
        make_contact(
            person,
            NOW - random.randint(1, 60 * 24) * HOUR,
            kind=kind,
            points=random.randint(1, 4),
            channel=random.choice(["email", "email", "sms"]),
            category=random.choice([*categories, None]),
        )


def test_what_a_text_promised_is_counted_too():
    tips = make_purpose(key="monthly")
    make_wording(purpose=tips, promised_messages=1, promised_days=30)
    full, free = make_customer(email="a@example.org"), make_customer(email="b@example.org")
    for one in (full, free):
        record(one, purpose=tips, address=one.email)
    make_contact(full, NOW - 20 * DAY, purpose=tips)
    found = funnel(Plan(channel="email", kind="promotion", purpose="monthly"), NOW)
    assert (found.over_dose, found.ids) == (1, [free.pk])


def test_a_reservation_for_later_is_left_to_the_claim():
    noor = make_permitted()
    make_contact(
        noor, status=ContactStatus.RESERVED, sent_at=None, from_at=NOW + HOUR, to_at=NOW + 7 * HOUR
    )
    assert funnel(TIPS, NOW).ids == [noor.pk]
    [[claim]] = claim_audience(
        plan=TIPS, ids=funnel(TIPS, NOW).ids, campaign="spring", source="mailing:9", now=NOW
    )
    assert claim.contact is None


def test_a_campaign_that_broke_off_goes_on_and_claims_nobody_twice(monkeypatch):
    monkeypatch.setattr("customers.reach.BATCH", 2)
    people = [make_permitted() for _ in range(5)]
    batches = claim_audience(
        plan=TIPS, ids=funnel(TIPS, NOW).ids, campaign="spring", source="mailing:9", now=NOW
    )
    assert len(next(batches)) == 2
    batches.close()
    for _ in claim_audience(
        plan=TIPS, ids=funnel(TIPS, NOW).ids, campaign="spring", source="mailing:9", now=NOW
    ):
        pass
    requests = Contact.objects.order_by("pk").values_list("request_id", flat=True)
    assert list(requests) == [f"spring:{one.pk}" for one in people]


def test_everybody_costs_as_many_queries_as_one(django_assert_num_queries):
    funnel(TIPS, NOW)  # The policy is read once, and then kept.
    # PostgreSQL is told to join in memory.
    queries = 10 if connection.vendor == "postgresql" else 9
    for several in (1, 3):
        for _ in range(several):
            make_contact(make_permitted(), NOW - 40 * DAY)
        with django_assert_num_queries(queries):
            funnel(TIPS, NOW)


@pytest.mark.parametrize("broken", ["ledger", "policy"])
def test_it_fails_closed(broken):
    make_permitted()
    if broken == "ledger":
        LedgerCheck.objects.create(checked_at=NOW, entries=1, finding="hash", row=1)
    else:
        DosePolicy.objects.get().rules.all().delete()
        DosePolicy.objects.all().delete()
    found = funnel(TIPS, NOW)
    assert (found.total, found.no_permission, found.now) == (1, 1, 0)


def test_an_invoice_has_no_audience_and_neither_has_a_purpose_nobody_knows():
    with pytest.raises(NoAudience, match="service goes to one customer at a time"):
        funnel(Plan(channel="email", kind="service"), NOW)
    with pytest.raises(NoAudience, match="satisfaction_survey does not permit promotion"):
        funnel(Plan(channel="email", kind="promotion", purpose="satisfaction_survey"), NOW)
    with pytest.raises(NoAudience, match="There is no purpose 'tipps'"):
        funnel(Plan(channel="email", kind="promotion", purpose="tipps"), NOW)


def test_counts_add_up():
    random = Random(4)
    for _ in range(20):
        _a_history(random, [None])
    found = funnel(TIPS, NOW)
    steps = Counter(
        a=found.no_permission, b=found.left_alone, c=found.over_dose, d=found.quiet, e=found.now
    )
    assert steps.total() == found.total == 20


def test_who_is_left_after_each_was_asked_about_has_half_a_dose_too():
    unhappy, free = make_permitted(), make_permitted()
    until = NOW + 20 * DAY
    hold_contacts(customer=unhappy, reason="unhappy", until=until, source="answer:1", now=NOW)
    # One in a day becomes one in two.
    make_contact(unhappy, NOW - 36 * HOUR)
    ids = funnel(TIPS, NOW).ids
    assert ids == [unhappy.pk, free.pk]
    assert allowed_of(TIPS, ids, NOW) == [free.pk]
