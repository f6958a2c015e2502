"""Tampering shows: whatever a superuser changes past the triggers, the verification names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from customers import ledger as ledger_module
from customers import triggers
from customers.consent import State
from customers.models import (
    ConsentEntry,
    ConsentState,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Wording,
)
from customers.verification import (
    FINDINGS,
    Finding,
    LedgerChanged,
    make_checkpoint,
    verify_ledger,
)
from customers.wordings import text_hash
from tests.makers import NOW, make_customer, make_purpose, record

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@contextmanager
def superuser() -> Iterator[None]:
    """Somebody who may switch the triggers off, and does."""
    triggers.remove(connection)
    yield
    triggers.install(connection)


@pytest.fixture
def ledger() -> list[ConsentEntry]:
    """Three customers; the first said yes and took it back."""
    purpose = make_purpose()
    noor = make_customer(email="noor@example.org")
    return [
        record(noor, purpose=purpose),
        record(purpose=purpose),
        record(noor, purpose=purpose, state=State.WITHDRAWN, evidence="by telephone"),
        record(purpose=purpose),
    ]


def test_an_untouched_ledger_verifies(ledger):
    found = verify_ledger(LATER)
    assert (found.entries, found.finding) == (4, None)
    check = LedgerCheck.objects.get()
    assert (check.checked_at, check.entries, check.finding, check.row) == (LATER, 4, "", None)


def test_an_empty_ledger_verifies():
    assert verify_ledger(NOW).finding is None


def changed(**facts):
    return lambda row: ConsentEntry.objects.filter(pk=row.pk).update(**facts)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(changed(state="refused"), id="another state"),
        pytest.param(changed(occurred_at=LATER), id="another moment"),
        pytest.param(changed(recorded_at=NOW - timedelta(days=1)), id="another clock"),
        pytest.param(changed(address_hash="f" * 64), id="another address"),
        pytest.param(changed(valid_until=LATER), id="another end"),
        pytest.param(changed(grade="A"), id="another proof"),
        pytest.param(changed(place="checkout"), id="another place"),
        pytest.param(changed(actor_id="7"), id="another colleague"),
        pytest.param(changed(evidence_hash="f" * 64), id="other evidence"),
        pytest.param(changed(hash="f" * 64), id="another hash"),
    ],
)
def test_a_changed_entry_is_named(ledger, change):
    """Case 5: the first bad number."""
    with superuser():
        change(ledger[2])
    assert verify_ledger(LATER).finding == Finding("entry", ledger[2].pk)
    check = LedgerCheck.objects.get()
    assert (check.finding, check.row) == ("entry", ledger[2].pk)


def test_the_first_of_several_is_named(ledger):
    with superuser():
        for row in ledger:
            ConsentEntry.objects.filter(pk=row.pk).update(method="paper")
    assert verify_ledger(LATER).finding == Finding("entry", ledger[0].pk)


def test_an_entry_removed_from_the_middle_is_named(ledger):
    with superuser():
        ConsentEntry.objects.filter(pk=ledger[0].pk)._raw_delete("default")
    assert verify_ledger(LATER).finding == Finding("gap", ledger[2].pk)
    put_back(ledger[0])


def put_back(entry: ConsentEntry) -> None:
    """The state still points at the entry, which the database checks at the end."""
    entry.save(force_insert=True)


@pytest.mark.parametrize("change", ["older entry", "other state", "gone", "of nobody"])
def test_a_state_that_the_ledger_does_not_say_is_found(ledger, change):
    states = ConsentState.objects.filter(customer=ledger[0].customer)
    if change == "older entry":
        states.update(entry=ledger[0], state="given", valid_until=ledger[0].valid_until)
    elif change == "other state":
        states.update(state="given")
    elif change == "gone":
        states.delete()
    else:
        states.update(customer=make_customer())
    assert verify_ledger(LATER).finding.kind == "state"


def test_a_changed_text_is_named(ledger):
    wording = ledger[0].wording
    with superuser():
        Wording.objects.filter(pk=wording.pk).update(label="Ja, alles mag.")
    assert verify_ledger(LATER).finding == Finding("wording", wording.pk)


def test_a_text_changed_together_with_its_hash_shows_in_the_entries(ledger):
    with superuser():
        for row in Wording.objects.all():
            row.scope_hash = "f" * 64
            Wording.objects.filter(pk=row.pk).update(
                scope_hash=row.scope_hash, text_hash=text_hash(row.facts)
            )
    assert verify_ledger(LATER).finding == Finding("entry", ledger[0].pk)


def test_changed_evidence_is_named_and_erased_evidence_is_not(ledger):
    Evidence.objects.update(text="by mail")
    assert verify_ledger(LATER).finding == Finding("evidence", ledger[2].pk)
    Evidence.objects.all().delete()
    assert verify_ledger(LATER).finding is None


def test_a_missing_trigger_is_a_finding(ledger):
    triggers.remove(connection)
    assert verify_ledger(LATER).finding == Finding("trigger")
    triggers.install(connection)


# -- What a chain cannot show: tails and whole customers ------------------------------------------


def test_a_checkpoint_counts_what_was_recorded_a_little_before_it(ledger):
    checkpoint = make_checkpoint(LATER)
    assert (checkpoint.entries, checkpoint.customers) == (4, 3)
    assert checkpoint.until == LATER - timedelta(minutes=15)
    assert make_checkpoint(NOW + timedelta(minutes=14)).entries == 0


@pytest.mark.parametrize(
    "gone", [[2], [1], [0, 2]], ids=["a tail", "a customer", "the one with two"]
)
def test_what_a_checkpoint_saw_and_is_gone_is_found(ledger, gone):
    """Also by somebody who makes everything else fit again."""
    checkpoint = make_checkpoint(LATER)
    rows = [ledger[index].pk for index in gone]
    with superuser():
        ConsentState.objects.all().delete()
        Evidence.objects.filter(entry__in=rows).delete()
        ConsentEntry.objects.filter(pk__in=rows)._raw_delete("default")
    for entry in ConsentEntry.objects.order_by("pk"):
        ledger_module._project(entry)
    assert verify_ledger(LATER).finding == Finding("tail", checkpoint.pk)
    with pytest.raises(LedgerChanged, match=f"row {checkpoint.pk}"):
        make_checkpoint(LATER + timedelta(days=1))
    assert LedgerCheckpoint.objects.count() == 1


def test_a_line_that_pretends_to_be_old_is_found(ledger):
    checkpoint = make_checkpoint(LATER)
    record()
    assert verify_ledger(LATER).finding == Finding("tail", checkpoint.pk)


def test_new_lines_after_a_checkpoint_are_no_finding(ledger):
    make_checkpoint(NOW + timedelta(minutes=14))
    assert verify_ledger(LATER).finding is None
    assert make_checkpoint(LATER).entries == 4


@pytest.mark.parametrize("facts", [{"entries": 3}, {"root": "f" * 64}, {"signature": "f" * 64}])
def test_a_changed_checkpoint_is_found(ledger, facts):
    checkpoint = make_checkpoint(LATER)
    LedgerCheckpoint.objects.update(**facts)
    assert verify_ledger(LATER).finding == Finding("checkpoint", checkpoint.pk)


def test_an_old_key_still_verifies(ledger, settings):
    make_checkpoint(LATER)
    settings.LEDGER_KEYS = ["new", *settings.LEDGER_KEYS]
    assert verify_ledger(LATER).finding is None
    settings.LEDGER_KEYS = ["new"]
    assert verify_ledger(LATER).finding.kind == "checkpoint"


def test_every_finding_has_words():
    kinds = {"trigger", "wording", "entry", "gap", "state", "evidence", "checkpoint", "tail"}
    assert kinds == {*FINDINGS}
