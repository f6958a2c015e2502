"""What a colleague writes down for a customer: only ever a no, with how and why."""

import logging

import pytest

from customers.consent import Actor, Forbidden, State
from customers.ledger import Unproven, record_consent
from customers.models import ConsentEntry, ConsentState, Evidence
from customers.queries import may_process
from customers.relaying import NoEvidence, Relayed, relay
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

FIT = {"channel": "email", "method": "phone_note", "colleague": "7", "evidence": "Called at noon."}


def relayed(**given) -> Relayed:
    return Relayed(**FIT | {"state": State.WITHDRAWN} | given)


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org")


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    return purpose


def test_a_withdrawal_that_was_phoned_in_counts_at_once(noor, tips):
    record(noor, purpose=tips)
    assert may_process(noor, "tips", "email", NOW).allowed
    (entry,) = relay(customer=noor, relayed=relayed(purpose=tips), now=NOW)
    assert (entry.state, entry.actor, entry.actor_id) == ("withdrawn", "admin", "7")
    assert (entry.method, entry.evidence.text) == ("phone_note", "Called at noon.")
    assert not may_process(noor, "tips", "email", NOW).allowed


def test_an_objection_that_came_by_letter_stops_the_address_too(noor, tips):
    record(noor, purpose=tips)
    given = relayed(purpose=tips, state=State.OBJECTED, method="paper")
    (entry,) = relay(customer=noor, relayed=given, now=NOW)
    assert (entry.state, entry.method) == ("objected", "paper")
    assert may_process(noor, "tips", "email", NOW).reason == "suppressed"


def test_who_never_said_yes_can_say_no_too(noor, tips):
    relay(customer=noor, relayed=relayed(purpose=tips), now=NOW)
    assert ConsentState.objects.get().state == "withdrawn"


def test_an_erased_customer_can_still_say_no(tips):
    gone = make_customer(erased_at=NOW)
    given = relayed(purpose=tips, state=State.OBJECTED)
    (entry,) = relay(customer=gone, relayed=given, now=NOW)
    assert entry.state == "objected"


@pytest.mark.parametrize(
    "given", [{"evidence": ""}, {"evidence": "  \n "}, {"method": ""}, {"method": "checkbox"}]
)
def test_nothing_is_relayed_without_evidence_and_a_way_it_came(noor, tips, given):
    record(noor, purpose=tips)
    with pytest.raises(NoEvidence, match="Write down how and when"):
        relay(customer=noor, relayed=relayed(purpose=tips, **given), now=NOW)
    assert may_process(noor, "tips", "email", NOW).allowed


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.WITHDRAWN, State.OBJECTED}]
)
@pytest.mark.parametrize("before", [None, State.WITHDRAWN, State.OBJECTED])
def test_nothing_else_is_relayed_and_the_attempt_is_logged(noor, tips, state, before, caplog):
    if before:
        record(noor, purpose=tips, state=before)
    with caplog.at_level(logging.WARNING), pytest.raises(Forbidden):
        relay(customer=noor, relayed=relayed(purpose=tips, state=state), now=NOW)
    assert f"Refused at the desk: customer {noor.pk}" in caplog.text
    assert "noor@example.org" not in caplog.text
    assert ConsentEntry.objects.count() == (1 if before else 0)


def test_case_13_an_admin_creates_no_yes_without_evidence_and_none_after_a_withdrawal(
    noor, tips, caplog
):
    """Nor with any proof: whatever the admin says, the yes is not theirs to give."""
    before = (None, State.WITHDRAWN, State.OBJECTED, State.REFUSED)
    for state in before:
        customer = make_customer(email="noor@example.org")
        if state:
            record(customer, purpose=tips, state=state)
        for yes in (State.GIVEN, State.RENEWED, State.SOFT, State.PENDING):
            for evidence in ("", "She said yes on the phone, call 4711."):
                act = an_act(
                    purpose=tips,
                    state=yes,
                    actor=Actor.ADMIN,
                    actor_id="7",
                    evidence=evidence,
                    wording=tips.wordings.get(),
                )
                with caplog.at_level(logging.WARNING), pytest.raises(Forbidden):
                    record_consent(customer=customer, act=act, now=NOW)
                assert f"customer {customer.pk}, purpose tips" in caplog.text
                caplog.clear()
        assert not may_process(customer, "tips", "email", NOW).allowed
    # An import may bring a yes, and not without evidence.
    with pytest.raises(Unproven, match="evidence in each row"):
        record(noor, purpose=tips, actor=Actor.IMPORT, grade="C")
    assert not ConsentEntry.objects.filter(state="given").exists()
    assert not Evidence.objects.exists()
