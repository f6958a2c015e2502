"""What ends by itself gets its line in the ledger, and nothing else does."""

from datetime import timedelta

import pytest

from customers.audience import permitted
from customers.consent import Actor, Forbidden, Grade, Sale, State
from customers.contact_queries import may_contact
from customers.dosing import Outcome
from customers.endings import end, record_endings
from customers.ledger import record_consent
from customers.models import ConsentEntry, ConsentState
from customers.plans import Plan
from customers.queries import may_process
from customers.verification import verify_ledger
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips", valid_days=365)
    make_wording(purpose=purpose)
    return purpose


def states() -> list[str]:
    return list(ConsentEntry.objects.order_by("pk").values_list("state", flat=True))


def test_what_ran_out_is_expired_once(tips):
    noor = make_customer(email="noor@example.org")
    given = record(noor, purpose=tips)
    assert record_endings(NOW + YEAR - timedelta(seconds=1)) == 0
    assert record_endings(NOW + YEAR) == 1
    assert record_endings(NOW + YEAR) == 0
    ended = ConsentEntry.objects.latest("pk")
    assert (ended.state, ended.actor, ended.caused_by) == (State.EXPIRED, Actor.SYSTEM, given)
    assert ended.valid_until is None
    assert verify_ledger(NOW + YEAR).finding is None


def test_what_is_for_something_else_is_stale_and_a_new_word_changes_nothing(tips):
    noor = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    scope = tips.wordings.get().scope_hash
    make_wording(purpose=tips, version=2, change="editorial", scope_hash=scope)
    assert record_endings(NOW) == 0
    make_wording(purpose=tips, version=3, published_at=NOW + timedelta(days=1))
    assert record_endings(NOW) == 0
    assert record_endings(NOW + timedelta(days=1)) == 1
    assert states() == [State.GIVEN, State.STALE]
    assert may_process(noor, "tips", "email", NOW + timedelta(days=2)).reason == "stale"


def test_a_sale_runs_out_and_is_never_stale(tips):
    sale = {"state": State.SOFT, "actor": Actor.IMPORT, "grade": Grade.C, "evidence": "sale"}
    record(purpose=tips, sale=Sale(True, True, True, True, True), **sale)
    make_wording(purpose=tips, version=2)
    assert record_endings(NOW) == 0
    assert record_endings(NOW + YEAR) == 1
    assert states() == [State.SOFT, State.EXPIRED]


def test_what_was_taken_back_has_ended_already(tips):
    record(make_customer(email="noor@example.org"), purpose=tips)
    record(ConsentEntry.objects.get().customer, purpose=tips, state=State.WITHDRAWN)
    assert record_endings(NOW + YEAR) == 0


def test_what_was_given_again_meanwhile_stands(tips):
    """Between the look and the lock somebody may have said yes once more."""
    noor = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    again = NOW + timedelta(days=364)
    looked = ConsentState.objects.select_related("customer", "purpose", "entry").get()
    record(noor, purpose=tips, state=State.RENEWED, occurred_at=again)
    assert not end(looked, NOW + YEAR)
    assert may_process(noor, "tips", "email", NOW + YEAR).allowed


def test_many_end_in_batches(tips, monkeypatch):
    monkeypatch.setattr("customers.endings.BATCH", 2)
    other = make_purpose(valid_days=365)
    make_wording(purpose=other)
    for number in range(3):
        customer = make_customer(email=f"k{number}@example.org")
        for purpose in (tips, other):
            record(customer, purpose=purpose, address=customer.email)
    assert record_endings(NOW + YEAR) == 6
    assert set(ConsentState.objects.values_list("state", flat=True)) == {State.EXPIRED}


def test_case_21_what_ran_out_is_out_of_every_audience_and_nobody_is_mailed_to_renew(tips):
    """Renewal can only be asked before, inside a mail that was still permitted."""
    noor = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    before, after = NOW + YEAR - timedelta(days=1), NOW + YEAR
    assert [state.customer for state in permitted(before)] == [noor]
    assert may_process(noor, "tips", "email", before).allowed
    for ended in (False, True):
        # Whether or not the job has been by.
        assert not permitted(after).exists()
        renewal = Plan(channel="email", kind="promotion", purpose="tips")
        judged = may_contact(noor, renewal, after)
        assert (judged.verdict.outcome, judged.answer.reason) == (Outcome.DENY, "expired")
        assert record_endings(after) == (0 if ended else 1)
    act = an_act(purpose=tips, state=State.RENEWED, occurred_at=after)
    with pytest.raises(Forbidden):
        record_consent(customer=noor, act=act, now=after)
