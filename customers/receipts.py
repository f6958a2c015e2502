"""Consent receipts: what the ledger says of one act, under the field names of ISO/IEC TS 27560.

The names are those of the first edition, ISO/IEC TS 27560:2023 (August 2023), as the public
mapping of the W3C Data Privacy Vocabularies group lists them ("Consent Records and Receipts as per
ISO/IEC TS 27560:2023 using DPV"). A receipt has a header, what is processed, the parties, and the
event. Beside a yes there is also a receipt of each no, so `event_state` is a state of consent.py.

Pure: standard library only; facts in, a document of plain JSON values out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from customers.consent import Actor, State

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
# Of the GDPR and of the ePrivacy rules as the Netherlands made them law.
JURISDICTION = "EU, NL"

RIGHTS = (
    "access",
    "rectification",
    "erasure",
    "restriction",
    "portability",
    "objection",
    "withdrawal",
    "complaint to the supervisory authority",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What was read before the tick: the wording, word for word."""

    version: int
    language: str
    label: str
    helper: str
    details: str
    controller: str
    data_types: str
    recipients: str
    retention: str
    way_out: str
    published_at: datetime
    text_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One line of the ledger; `principal` is how the organisation knows the person."""

    record: str
    principal: str
    purpose: str
    purpose_kind: str
    channel: str
    state: State
    actor: Actor
    method: str
    place: str
    grade: str
    occurred_at: datetime
    recorded_at: datetime
    valid_until: datetime | None


def receipt(
    act: Act, notice: Notice | None, *, controller: str, now: datetime
) -> dict[str, object]:
    """Return the receipt of an act; `controller` stands in where no text was shown."""
    named = notice.controller if notice else controller
    return {
        "schema_version": SCHEMA_VERSION,
        "receipt_id": act.record,
        "issued_at": utc(now),
        "record_id": act.record,
        "pii_principal_id": act.principal,
        "pii_processing": {
            "privacy_notice": _notice(notice),
            "language": notice.language if notice else "",
            "purposes": [
                {
                    "purpose": act.purpose,
                    "purpose_type": act.purpose_kind,
                    "lawful_basis": basis_of(act.state),
                    "pii_information": [
                        {"pii_type": one, "pii_optional": True}
                        for one in _listed(notice.data_types if notice else "")
                    ],
                    "pii_controllers": ["controller"],
                    "collection_method": " ".join(filter(None, [act.method, act.place])),
                    "processing_method": act.channel,
                    "storage_locations": [named],
                    "retention_period": notice.retention if notice else "",
                    "recipient_third_parties": _listed(notice.recipients if notice else ""),
                    "withdrawal_method": notice.way_out if notice else "",
                    "jurisdiction": JURISDICTION,
                    "privacy_rights": list(RIGHTS),
                }
            ],
        },
        "party_identification": [
            {"party_id": "controller", "party_name": named, "party_role": "PII controller"}
        ],
        "event": {
            "event_time": utc(act.occurred_at),
            "recorded_time": utc(act.recorded_at),
            "validity_duration": duration(act.occurred_at, act.valid_until),
            "valid_until": utc(act.valid_until) if act.valid_until else None,
            "entity_id": _entity(act),
            "event_type": type_of(act.state),
            "event_state": str(act.state),
            "proof_grade": act.grade,
        },
    }


def basis_of(state: State) -> str:
    """Return what makes the processing lawful after such an act; empty if nothing does."""
    if state is State.SOFT:
        return "soft opt-in: ePrivacy Directive art. 13(2), Telecommunicatiewet art. 11.7"
    if state in {State.GIVEN, State.RENEWED}:
        return "consent: GDPR art. 6(1)(a), Telecommunicatiewet art. 11.7"
    return ""


def type_of(state: State) -> str:
    """Return how the person expressed it: in a deed of their own, by a sale, or not at all."""
    if state is State.SOFT:
        return "implied"
    own = {State.GIVEN, State.RENEWED, State.REFUSED, State.WITHDRAWN, State.OBJECTED}
    return "explicit" if state in {*own, State.PENDING} else "none"


def duration(start: datetime, end: datetime | None) -> str | None:
    """Return a stretch of time as ISO 8601 writes it, in days; None without an end."""
    return f"P{(end - start).days}D" if end else None


def utc(at: datetime) -> str:
    """Return a moment in UTC as ISO 8601 writes it."""
    return at.astimezone(UTC).isoformat()


def _notice(notice: Notice | None) -> dict[str, object] | None:
    if notice is None:
        return None
    return {
        "version": notice.version,
        "published_at": utc(notice.published_at),
        "label": notice.label,
        "helper": notice.helper,
        "details": notice.details,
        "sha256": notice.text_hash,
    }


def _entity(act: Act) -> str:
    return act.principal if act.actor is Actor.CUSTOMER else str(act.actor)


def _listed(text: str) -> list[str]:
    """Return what a text lists with commas, one by one."""
    return [one.strip() for one in text.split(",") if one.strip()]
