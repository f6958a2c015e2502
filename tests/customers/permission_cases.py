"""Rows of the ledger and its neighbours that keep each rule of the database, or break it."""

from customers.chain import START
from customers.consent import Actor, Grade, State
from customers.models import (
    ConsentEntry,
    ConsentState,
    Decision,
    Evidence,
    LedgerCheckpoint,
    Suppression,
    SuppressionReason,
    Wording,
)
from tests.constraints import Case, again
from tests.makers import (
    NOW,
    a_purpose,
    a_wording,
    make_customer,
    make_purpose,
    make_wording,
    stored,
)

HASH = "a" * 64


def an_entry(**given) -> ConsentEntry:
    """A bare line, past the service that chains it: a yes unless told otherwise."""
    wording = make_wording()
    usual = {
        "purpose": wording.purpose,
        "wording": wording,
        "channel": "email",
        "state": State.GIVEN,
        "occurred_at": NOW,
        "recorded_at": NOW,
        "valid_until": NOW,
        "address_hash": HASH,
        "actor": Actor.CUSTOMER,
        "method": "checkbox",
        "grade": Grade.B,
        "previous_hash": START,
        "hash": HASH,
    }
    if "customer" not in given:
        given["customer"] = make_customer()
    return ConsentEntry(**usual | given)


def imported(**given) -> Wording:
    return a_wording(**{"version": -1, "change": "editorial", "details": "Ja, mail mij."} | given)


def a_soft(**given) -> ConsentEntry:
    sale = {"state": State.SOFT, "actor": Actor.IMPORT, "evidence_hash": HASH, "grade": Grade.C}
    return an_entry(**sale | given)


def relayed(**given) -> ConsentEntry:
    facts = {"state": State.WITHDRAWN, "actor": Actor.ADMIN, "actor_id": "7"}
    return an_entry(**facts | {"evidence_hash": HASH} | given)


def a_state(**given) -> ConsentState:
    if "entry" not in given:
        given["entry"] = stored(an_entry())
    entry = given["entry"]
    usual = {"customer": entry.customer, "purpose": entry.purpose, "channel": "email"}
    return ConsentState(**usual | {"state": entry.state} | given)


def a_suppression(**given) -> Suppression:
    usual = {"address_hash": HASH, "reason": SuppressionReason.OBJECTION, "created_at": NOW}
    return Suppression(**usual | given)


def a_checkpoint(**given) -> LedgerCheckpoint:
    usual = {"made_at": NOW, "until": NOW, "entries": 0, "customers": 0, "root": HASH}
    return LedgerCheckpoint(**usual | {"signature": HASH} | given)


def evidence(text: str = "He called.") -> Evidence:
    return Evidence(entry=stored(an_entry()), text=text, salt="s")


def twice_followed() -> ConsentEntry:
    first = stored(an_entry())
    return an_entry(customer=first.customer, hash="b" * 64)


def second_state() -> ConsentState:
    first = stored(a_state())
    return a_state(entry=first.entry)


def second_wording() -> object:
    purpose = make_purpose()
    return again(lambda: a_wording(purpose=purpose))


def again_evidence() -> Evidence:
    first = stored(evidence())
    return Evidence(entry=first.entry, text="Again.", salt="s")


def a_decision(**given) -> Decision:
    usual = {"purpose": make_purpose(), "channel": "email", "allowed": False, "reason": "none"}
    more = {"customer": make_customer(), "asker": "mailing:7", "decided_at": NOW, "outcome": "DENY"}
    return Decision(**usual | more | given)


CASES = [
    Case("decision_channel_known", a_decision, lambda: a_decision(channel="pigeon")),
    Case("decision_reason_known", a_decision, lambda: a_decision(reason="mood")),
    Case(
        "decision_outcome_fits",
        lambda: a_decision(allowed=True, outcome="EXEMPT"),
        lambda: a_decision(allowed=True, outcome="DEFER"),
    ),
    Case("decision_of_an_asker", a_decision, lambda: a_decision(asker="")),
    Case("purpose.key", a_purpose, lambda: again(lambda: a_purpose(key="tips"))),
    Case("purpose_key_not_empty", a_purpose, lambda: a_purpose(key="")),
    Case("purpose_kind_known", a_purpose, lambda: a_purpose(kind="spam")),
    Case("purpose_grade_known", a_purpose, lambda: a_purpose(minimum_grade="E")),
    Case(
        "purpose_valid_for_a_while",
        lambda: a_purpose(valid_days=1),
        lambda: a_purpose(valid_days=0),
    ),
    Case(
        "purpose_valid_for_a_while",
        lambda: a_purpose(valid_days=3650),
        lambda: a_purpose(valid_days=3651),
    ),
    Case("wording_one_per_language", a_wording, second_wording),
    Case("wording_change_known", a_wording, lambda: a_wording(change="small")),
    Case("wording_numbered", a_wording, lambda: a_wording(version=0)),
    Case("wording_numbered", imported, lambda: imported(change="material")),
    Case("wording_numbered", imported, lambda: imported(details="")),
    Case("wording_complete", a_wording, lambda: a_wording(label="")),
    Case("wording_complete", a_wording, lambda: a_wording(helper="")),
    Case("wording_complete", a_wording, lambda: a_wording(way_out="")),
    Case("wording_complete", a_wording, lambda: a_wording(controller="")),
    Case("wording_complete", a_wording, lambda: a_wording(approved_by="")),
    Case(
        "wording_promise_complete",
        lambda: a_wording(promised_messages=2, promised_days=30),
        lambda: a_wording(promised_messages=2),
    ),
    Case(
        "wording_promise_complete",
        a_wording,
        lambda: a_wording(promised_messages=0, promised_days=30),
    ),
    Case("consententry.hash", an_entry, lambda: again(an_entry)),
    Case("consententry_one_chain", an_entry, twice_followed),
    Case("consententry_state_known", relayed, lambda: relayed(state="maybe")),
    Case("consententry_actor_known", relayed, lambda: relayed(actor="robot")),
    Case("consententry_grade_known", relayed, lambda: relayed(grade="E")),
    Case("consententry_channel_known", an_entry, lambda: an_entry(channel="pigeon")),
    Case("consententry_yes_is_proven", an_entry, lambda: an_entry(wording=None)),
    Case("consententry_yes_is_proven", an_entry, lambda: an_entry(grade=Grade.D)),
    Case("consententry_yes_is_proven", an_entry, lambda: an_entry(valid_until=None)),
    Case("consententry_yes_is_proven", an_entry, lambda: an_entry(address_hash="")),
    Case(
        "consententry_yes_is_proven",
        lambda: an_entry(actor=Actor.IMPORT, grade=Grade.C, evidence_hash=HASH),
        lambda: an_entry(actor=Actor.IMPORT, grade=Grade.C),
    ),
    Case(
        "consententry_yes_is_proven",
        an_entry,
        lambda: an_entry(actor=Actor.IMPORT, grade=Grade.A, evidence_hash=HASH),
    ),
    Case(
        "consententry_yes_is_proven",
        an_entry,
        lambda: an_entry(actor=Actor.ADMIN, actor_id="7", evidence_hash=HASH),
    ),
    Case(
        "consententry_yes_is_proven",
        lambda: an_entry(state=State.RENEWED),
        lambda: an_entry(state=State.RENEWED, actor=Actor.SYSTEM),
    ),
    Case("consententry_soft_is_a_sale", a_soft, lambda: a_soft(evidence_hash="")),
    Case("consententry_soft_is_a_sale", a_soft, lambda: a_soft(actor=Actor.CUSTOMER)),
    Case("consententry_soft_is_a_sale", a_soft, lambda: a_soft(channel="sms")),
    Case("consententry_soft_is_a_sale", a_soft, lambda: a_soft(address_hash="")),
    Case("consententry_admin_says_why", relayed, lambda: relayed(evidence_hash="")),
    Case("consententry_admin_says_why", relayed, lambda: relayed(actor_id="")),
    Case("evidence.entry", evidence, again_evidence),
    Case("evidence_says_something", evidence, lambda: evidence("")),
    Case("consentstate_one", a_state, second_state),
    Case("consentstate_state_known", a_state, lambda: a_state(state="maybe")),
    Case("suppression_one_per_reason", a_suppression, lambda: again(a_suppression)),
    Case("suppression_reason_known", a_suppression, lambda: a_suppression(reason="mood")),
    Case("suppression_of_an_address", a_suppression, lambda: a_suppression(address_hash="")),
    Case("ledgercheckpoint.made_at", a_checkpoint, lambda: again(a_checkpoint)),
]
