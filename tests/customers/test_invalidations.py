"""A faulty batch of permissions: who may declare it invalid, when, and what becomes of each."""

from datetime import timedelta

import pytest

from customers import invalidations
from customers.consent import Actor, State
from customers.invalidations import (
    Batch,
    NeedsAnother,
    NothingInForce,
    TooEarly,
    approve,
    carry_out,
    carry_out_due,
    drop,
    hits,
    in_force,
    propose,
)
from customers.models import ConsentEntry, ConsentState, Invalidation
from customers.queries import may_process
from customers.verification import verify_ledger
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips", channels=["email", "sms"])
    make_wording(purpose=purpose, published_at=NOW - 9 * DAY)
    return purpose


@pytest.fixture
def text(tips):
    return tips.wordings.get()


def said_yes(purpose, **given):
    customer = make_customer(email=f"someone{ConsentEntry.objects.count()}@example.org")
    facts = {"purpose": purpose, "address": customer.email} | given
    record(customer, **facts)
    return customer


def proposed(batch: Batch, **given) -> Invalidation:
    facts = {"reason": "The box was ticked.", "colleague": "7", "now": NOW} | given
    return propose(batch=batch, **facts)


def approved(batch: Batch) -> Invalidation:
    row = proposed(batch)
    assert approve(pk=row.pk, colleague="8", alone=False, now=NOW)
    row.refresh_from_db()
    return row


# -- Which permissions ----------------------------------------------------------------------------


def test_a_batch_is_a_text_a_place_or_both_in_a_stretch_of_time(tips, text):
    make_wording(purpose=tips, version=2, published_at=NOW - DAY)
    new = tips.wordings.get(version=2)
    at_till = said_yes(tips, wording=text, place="till", occurred_at=NOW - 2 * HOUR)
    on_form = said_yes(tips, wording=text, place="order", occurred_at=NOW - HOUR)
    newer = said_yes(tips, wording=new, place="order", occurred_at=NOW)

    def hit(**given) -> set[int]:
        return {state.customer_id for state in in_force(Batch(**given))}

    assert hit(wording=text) == {at_till.pk, on_form.pk}
    assert hit(place="order") == {on_form.pk, newer.pk}
    assert hit(wording=text, place="order") == {on_form.pk}
    assert hit(place="order", since=NOW) == {newer.pk}
    # Half-open: the end is not in it.
    assert hit(place="order", since=NOW - HOUR, until=NOW) == {on_form.pk}
    assert hit() == set()


def test_only_what_still_counts_is_hit(tips, text):
    said_yes(tips, wording=text)
    record(said_yes(tips, wording=text), purpose=tips, state=State.WITHDRAWN, address="")
    said_yes(tips, state=State.REFUSED, wording=text)
    assert [
        (hit.purpose_id, hit.channel, hit.permissions) for hit in hits(Batch(wording=text))
    ] == [(tips.pk, "email", 1)]


def test_a_batch_without_a_permission_is_not_proposed(tips, text):
    with pytest.raises(NothingInForce, match="nothing to declare invalid"):
        proposed(Batch(wording=text))
    assert not Invalidation.objects.exists()


# -- Two pairs of eyes ----------------------------------------------------------------------------


def test_a_second_person_approves(tips, text):
    said_yes(tips, wording=text)
    row = proposed(Batch(wording=text))
    with pytest.raises(NeedsAnother):
        approve(pk=row.pk, colleague="7", alone=False, now=NOW + 9 * DAY)
    assert approve(pk=row.pk, colleague="8", alone=False, now=NOW)
    row.refresh_from_db()
    assert (row.entries, row.proposed_by, row.approved_by, row.approved_at) == (1, "7", "8", NOW)


def test_who_is_alone_approves_a_day_later(tips, text):
    said_yes(tips, wording=text)
    row = proposed(Batch(wording=text))
    with pytest.raises(TooEarly) as early:
        approve(pk=row.pk, colleague="7", alone=True, now=NOW + DAY - timedelta(seconds=1))
    assert early.value.earliest == NOW + DAY
    assert approve(pk=row.pk, colleague="7", alone=True, now=NOW + DAY)


def test_approved_once_dropped_once_and_never_both(tips, text):
    said_yes(tips, wording=text)
    row = proposed(Batch(wording=text))
    assert approve(pk=row.pk, colleague="8", alone=False, now=NOW)
    assert not approve(pk=row.pk, colleague="9", alone=False, now=NOW + HOUR)
    assert not drop(pk=row.pk, now=NOW)
    row.refresh_from_db()
    assert (row.approved_by, row.dropped_at) == ("8", None)
    other = proposed(Batch(wording=text))
    assert drop(pk=other.pk, now=NOW)
    assert not drop(pk=other.pk, now=NOW)
    assert not approve(pk=other.pk, colleague="8", alone=False, now=NOW)


# -- Carried out ----------------------------------------------------------------------------------


def test_each_permission_ends_with_who_approved_it_and_why(tips, text, monkeypatch):
    monkeypatch.setattr(invalidations, "BATCH", 2)
    people = [said_yes(tips, wording=text) for _ in range(5)]
    record(people[0], purpose=tips, channel="sms", wording=text, address=people[0].email)
    row = approved(Batch(wording=text))
    assert invalidations.any_due()
    assert carry_out_due(NOW + HOUR) == 6
    assert not invalidations.any_due()
    row.refresh_from_db()
    assert (row.done_at, row.entries) == (NOW + HOUR, 6)
    for person in people:
        assert may_process(person, "tips", "email", NOW + HOUR).reason == "invalidated"
    ended = ConsentEntry.objects.filter(state="invalidated").select_related("caused_by", "evidence")
    for entry in ended:
        assert (entry.actor, entry.actor_id) == (Actor.ADMIN, "8")
        assert (entry.caused_by.state, entry.caused_by.customer_id) == ("given", entry.customer_id)
        assert entry.evidence.text == "The box was ticked."
    assert ConsentEntry.objects.filter(state="given").count() == 6
    assert verify_ledger(NOW + HOUR).finding is None


def test_what_is_not_approved_or_was_dropped_is_not_carried_out(tips, text):
    said_yes(tips, wording=text)
    proposed(Batch(wording=text))
    drop(pk=proposed(Batch(wording=text)).pk, now=NOW)
    assert not invalidations.any_due()
    assert carry_out_due(NOW) == 0
    assert ConsentState.objects.get().state == "given"


def test_what_was_taken_back_meanwhile_or_given_on_another_text_stays(tips, text):
    gone, renewed, still = (said_yes(tips, wording=text) for _ in range(3))
    row = approved(Batch(wording=text))
    record(gone, purpose=tips, state=State.WITHDRAWN, address=gone.email)
    make_wording(purpose=tips, version=2, scope_hash=text.scope_hash, published_at=NOW)
    new = tips.wordings.get(version=2)
    facts = {"wording": new, "address": renewed.email, "occurred_at": NOW + HOUR}
    record(renewed, purpose=tips, state=State.RENEWED, **facts)
    assert carry_out(row, NOW + 2 * HOUR) == 1
    states = dict(ConsentState.objects.values_list("customer", "state"))
    assert states == {gone.pk: "withdrawn", renewed.pk: "renewed", still.pk: "invalidated"}


def test_stopped_half_way_it_goes_on_and_twice_it_ends_each_once(tips, text):
    for _ in range(3):
        said_yes(tips, wording=text)
    row = approved(Batch(wording=text))
    first = ConsentState.objects.order_by("pk").first()
    assert invalidations._end(row, [first.customer_id], NOW) == 1
    assert carry_out(row, NOW) == 2
    assert carry_out(row, NOW + DAY) == 0
    row.refresh_from_db()
    assert (row.done_at, row.entries) == (NOW, 3)
    assert ConsentEntry.objects.filter(state="invalidated").count() == 3


def test_an_invalid_permission_comes_back_by_the_customer_alone(tips, text):
    noor = said_yes(tips, wording=text)
    carry_out(approved(Batch(wording=text)), NOW)
    later = NOW + HOUR
    record(noor, purpose=tips, wording=text, address=noor.email, occurred_at=later)
    assert may_process(noor, "tips", "email", later).allowed
