"""The ledger: what goes in, what is refused, and that the database lets nothing out."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import Error, IntegrityError, connection, transaction

from customers import triggers
from customers.addresses import address_hash
from customers.chain import START
from customers.consent import Actor, Forbidden, Grade, Sale, State
from customers.ledger import (
    Erased,
    Unproven,
    facts_of,
    record_consent,
    shown,
)
from customers.models import (
    ConsentEntry,
    ConsentState,
    Evidence,
    Suppression,
    SuppressionReason,
    Wording,
)
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db


# -- What goes in ---------------------------------------------------------------------------------


def test_a_tick_becomes_a_line_and_a_state():
    noor = make_customer(email="noor@example.org")
    purpose = make_purpose(valid_days=365)
    wording = make_wording(purpose=purpose)
    entry = record(noor, purpose=purpose, wording=wording, place="checkout", old_enough=True)
    entry.refresh_from_db()
    assert (entry.customer, entry.purpose, entry.channel) == (noor, purpose, "email")
    assert (entry.state, entry.actor, entry.method) == ("given", "customer", "checkbox")
    assert (entry.place, entry.wording, entry.grade) == ("checkout", wording, "B")
    assert (entry.occurred_at, entry.recorded_at) == (NOW, NOW)
    assert entry.valid_until == NOW + timedelta(days=365)
    assert entry.address_hash == address_hash("noor@example.org")
    state = ConsentState.objects.get()
    assert (state.customer, state.purpose, state.channel) == (noor, purpose, "email")
    assert (state.state, state.entry, state.valid_until) == ("given", entry, entry.valid_until)


def test_no_address_stands_in_the_ledger():
    entry = record(address="Noor@Example.org")
    assert entry.address_hash == address_hash("noor@example.org")
    assert "noor" not in repr(facts_of(entry, shown(entry.wording))).lower()


def test_each_line_follows_the_one_before_it():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    first = record(noor, purpose=purpose)
    second = record(noor, purpose=purpose, state=State.WITHDRAWN)
    other = record(purpose=purpose)
    assert first.previous_hash == other.previous_hash == START
    assert second.previous_hash == first.hash


def test_two_purposes_and_channels_are_apart():
    """Case 2: only the first is ticked."""
    noor = make_customer(email="noor@example.org")
    tips, profile = make_purpose(channels=["email", "sms"]), make_purpose()
    record(noor, purpose=tips)
    record(noor, purpose=tips, channel="sms", state=State.WITHDRAWN)
    states = ConsentState.objects.values_list("purpose", "channel", "state")
    assert sorted(states) == [(tips.pk, "email", "given"), (tips.pk, "sms", "withdrawn")]
    assert not ConsentState.objects.filter(purpose=profile).exists()


def test_a_no_said_twice_is_one_no():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose)
    once = record(noor, purpose=purpose, state=State.WITHDRAWN)
    assert record(noor, purpose=purpose, state=State.WITHDRAWN) == once
    assert ConsentEntry.objects.count() == 2


def test_at_the_same_moment_the_stricter_counts_and_both_are_kept():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose, state=State.WITHDRAWN)
    record(noor, purpose=purpose)
    assert ConsentEntry.objects.count() == 2
    assert ConsentState.objects.get().state == "withdrawn"
    record(noor, purpose=purpose, occurred_at=NOW + timedelta(seconds=1))
    assert ConsentState.objects.get().state == "given"


def test_evidence_is_kept_apart():
    entry = record(
        state=State.WITHDRAWN,
        actor=Actor.ADMIN,
        actor_id="7",
        evidence="Called on Monday, said stop.",
    )
    kept = Evidence.objects.get()
    assert (kept.entry, kept.text) == (entry, "Called on Monday, said stop.")
    assert entry.evidence_hash
    assert "Monday" not in repr(facts_of(entry, shown(entry.wording)))


# -- What is refused ------------------------------------------------------------------------------


def test_nobody_but_the_customer_turns_a_no_into_a_yes(caplog):
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose, state=State.WITHDRAWN)
    for actor in (Actor.ADMIN, Actor.IMPORT, Actor.SYSTEM):
        with caplog.at_level(logging.WARNING), pytest.raises(Forbidden):
            record(noor, purpose=purpose, actor=actor, actor_id="7", evidence="so they said")
        assert f"customer {noor.pk}" in caplog.text
        assert "withdrawn to given" in caplog.text
        caplog.clear()
    assert ConsentEntry.objects.count() == 1
    later = NOW + timedelta(days=1)
    record(noor, purpose=purpose, occurred_at=later)
    assert ConsentState.objects.get().state == "given"


def test_a_form_that_anybody_can_fill_in_does_not_turn_an_objection_into_something_pending():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose, state=State.OBJECTED)
    with pytest.raises(Forbidden):
        record(noor, purpose=purpose, state=State.PENDING)
    assert ConsentState.objects.get().state == "objected"


def test_an_erased_customer_is_stopped_and_never_won_back():
    gone, purpose = make_customer(erased_at=NOW), make_purpose()
    for state in (State.GIVEN, State.PENDING):
        with pytest.raises(Erased):
            record(gone, purpose=purpose, state=state)
    record(gone, purpose=purpose, state=State.WITHDRAWN)
    assert ConsentState.objects.get().state == "withdrawn"


SALE = Sale(True, True, True, True, True)
BY_IMPORT = {"actor": Actor.IMPORT, "grade": Grade.C, "evidence": "line 7 of the till's file"}
SOLD = BY_IMPORT | {"state": State.SOFT, "sale": SALE}

# What makes a yes one that is not recorded, and a word of the reason.
UNPROVEN = {
    "too young": ({"old_enough": False}, "16 and older"),
    "in the future": ({"occurred_at": NOW + timedelta(days=1)}, "in the future"),
    "on another channel": ({"channel": "phone"}, "not asked by phone, only by email"),
    "on another address": ({"address": "mila@example.org"}, "another address"),
    "without an address": ({"address": ""}, "another address"),
    "without a text": ({"wording": None}, "none was not published"),
    "an import without evidence": (BY_IMPORT | {"evidence": ""}, "needs evidence"),
    "an import that claims better proof": (BY_IMPORT | {"grade": Grade.A}, "grade C"),
    "a sale without its facts": (SOLD | {"sale": None}, "all five facts"),
    "half a sale": (SOLD | {"sale": replace(SALE, informed=False)}, "all five facts"),
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_a_yes_that_is_not_proven_is_not_recorded(case):
    given, reason = UNPROVEN[case]
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    make_wording(purpose=purpose)
    act = an_act(purpose=purpose, **given)
    with pytest.raises(Unproven, match=reason):
        record_consent(customer=noor, act=act, now=NOW)
    assert not ConsentEntry.objects.exists()
    for usual in ({}, BY_IMPORT, SOLD):
        record(purpose=purpose, **usual)
    assert ConsentEntry.objects.count() == 3


def test_a_no_needs_no_proof():
    purpose = make_purpose()
    record(purpose=purpose, old_enough=False, channel="phone", state=State.REFUSED)
    record(purpose=purpose, channel="phone", address="mila@example.org", state=State.WITHDRAWN)
    assert ConsentEntry.objects.count() == 2


def test_an_archived_purpose_takes_no_yes_and_every_no():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose(archived_at=NOW)
    with pytest.raises(Unproven, match="archived"):
        record(noor, purpose=purpose)
    record(noor, purpose=purpose, state=State.WITHDRAWN)


def test_a_yes_needs_a_text_of_its_purpose_that_was_published():
    purpose = make_purpose()
    second = timedelta(seconds=1)
    later = make_wording(purpose=purpose, published_at=NOW + second)
    for wording in (make_wording(), later):
        with pytest.raises(Unproven, match="Publish the text first"):
            record(purpose=purpose, wording=wording)
    record(purpose=purpose, wording=later, occurred_at=NOW + second)
    assert ConsentEntry.objects.count() == 1


def test_a_permission_lasts_from_when_it_was_given():
    purpose = make_purpose(valid_days=730)
    long_ago = NOW - timedelta(days=700)
    make_wording(purpose=purpose, published_at=long_ago)
    entry = record(purpose=purpose, occurred_at=long_ago, **BY_IMPORT)
    assert entry.valid_until == NOW + timedelta(days=30)


# -- Objections stop an address -------------------------------------------------------------------


def stopped() -> set[str]:
    return set(Suppression.objects.values_list("address_hash", flat=True))


def test_an_objection_stops_the_address_and_a_fresh_yes_lifts_it():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose, address="old@example.org", state=State.OBJECTED)
    assert stopped() == {address_hash("old@example.org"), address_hash("noor@example.org")}
    record(noor, purpose=purpose, occurred_at=NOW + timedelta(days=1))
    assert stopped() == {address_hash("old@example.org")}


def test_an_objection_that_is_repeated_stops_the_new_address_too():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    record(noor, purpose=purpose, state=State.OBJECTED)
    noor.email = "new@example.org"
    noor.save()
    record(noor, purpose=purpose, address="new@example.org", state=State.OBJECTED)
    assert address_hash("new@example.org") in stopped()
    assert ConsentEntry.objects.count() == 1


def test_an_objection_to_marketing_is_one_to_all_of_it_and_to_its_profiling():
    noor = make_customer(email="noor@example.org")
    tips, profile, survey = (
        make_purpose(kind=kind) for kind in ("marketing", "profiling", "survey")
    )
    for purpose in (tips, profile, survey):
        record(noor, purpose=purpose)
    entry = record(noor, purpose=tips, state=State.OBJECTED)
    states = dict(ConsentState.objects.values_list("purpose", "state"))
    assert states == {tips.pk: "objected", profile.pk: "objected", survey.pk: "given"}
    assert ConsentEntry.objects.get(purpose=profile, state="objected").caused_by == entry


def test_a_yes_to_something_else_does_not_lift_an_objection():
    noor = make_customer(email="noor@example.org")
    tips, survey = make_purpose(), make_purpose(kind="survey")
    record(noor, purpose=tips, state=State.OBJECTED)
    record(noor, purpose=survey, occurred_at=NOW + timedelta(days=1))
    assert stopped() == {address_hash("noor@example.org")}


def test_a_yes_does_not_lift_what_it_is_not_about():
    for reason in (SuppressionReason.ERASURE, SuppressionReason.BOUNCE):
        Suppression.objects.create(
            address_hash=address_hash("noor@example.org"), reason=reason, created_at=NOW
        )
    record()
    assert Suppression.objects.count() == 2


# -- The database refuses -------------------------------------------------------------------------

CHANGES = {
    "save": lambda row: row.save(),
    "update": lambda row: type(row).objects.filter(pk=row.pk).update(id=row.pk),
    "delete": lambda row: row.delete(),
    "delete all": lambda row: type(row).objects.all()._raw_delete("default"),
    "bulk_update": lambda row: type(row).objects.bulk_update([row], [row._meta.fields[1].name]),
    "raw UPDATE": lambda row: raw(f"UPDATE {row._meta.db_table} SET id = id"),
    "raw DELETE": lambda row: raw(f"DELETE FROM {row._meta.db_table}"),
}


def raw(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", [ConsentEntry, Wording])
def test_case_04_no_row_of_the_ledger_or_of_a_wording_is_changed_or_removed(table, change):
    """Case 4: through the ORM and in SQL."""
    entry = record()
    row = entry if table is ConsentEntry else entry.wording
    before = list(table.objects.values())
    # A protected foreign key may be the first to refuse.
    refused = "never changed or removed|protected foreign keys"
    with pytest.raises(Error, match=refused), transaction.atomic():
        CHANGES[change](row)
    assert list(table.objects.values()) == before


@pytest.mark.parametrize("table", [ConsentEntry, Wording])
def test_case_04_no_row_is_replaced_by_another_of_its_number(table):
    entry = record()
    row = entry if table is ConsentEntry else entry.wording
    columns = ", ".join(field.column for field in table._meta.fields)
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    name = table._meta.db_table
    statement = f"{verb} INTO {name} ({columns}) SELECT {columns} FROM {name} WHERE id = {row.pk}"
    with pytest.raises(IntegrityError), transaction.atomic():
        raw(statement)
    assert table.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_case_04_the_ledger_is_not_emptied_as_a_whole():
    record()
    raw("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(Error, match="never changed or removed"), transaction.atomic():
        raw("TRUNCATE customers_consententry CASCADE")
    assert ConsentEntry.objects.count() == 1


def test_all_triggers_stand_after_all_migrations():
    assert triggers.missing(connection) == []
    assert triggers.check_triggers(databases=["default"]) == []


def test_a_missing_trigger_is_an_error_of_the_system_check():
    names = [name for table in triggers.TABLES for name in triggers._expected(connection, table)]
    triggers.remove(connection)
    assert triggers.missing(connection) == names
    found = triggers.check_triggers(databases=["default"])
    assert [error.id for error in found] == ["customers.E001"] * len(names)
    assert names[0] in found[0].msg
    triggers.install(connection)
    assert triggers.missing(connection) == []


def test_two_writers_cannot_follow_the_same_entry():
    noor = make_customer(email="noor@example.org")
    entry = record(noor)
    again = ConsentEntry(**{f.attname: getattr(entry, f.attname) for f in entry._meta.fields[1:]})
    again.hash = "f" * 64
    with pytest.raises(ValidationError):
        again.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)


def test_a_trigger_of_the_same_name_that_does_nothing_is_missing():
    if connection.vendor == "postgresql":
        raw(
            "CREATE OR REPLACE FUNCTION customers_wording_refuse() RETURNS trigger AS "
            "$$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        expected = ["customers_wording_no_change", "customers_wording_no_truncate"]
    else:
        raw("DROP TRIGGER customers_wording_no_update")
        raw(
            "CREATE TRIGGER customers_wording_no_update BEFORE UPDATE ON customers_wording "
            "WHEN 0 BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
        expected = ["customers_wording_no_update"]
    assert triggers.missing(connection) == expected
    triggers.install(connection)
    assert triggers.missing(connection) == []
