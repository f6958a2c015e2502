"""What other systems send and get about contacts: the shapes of the API, with examples."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

from customers.api_base import NO_NUL, PurposeKey, Reference, Sent
from customers.contact_rows import Row
from customers.contacts import LONGEST_REQUEST
from customers.dosing import Code, Outcome
from customers.models import Channel, ContactKind, ContactStatus, HoldReason
from customers.outcomes import Answered
from customers.plans import LONGEST_LEASE, MOST_POINTS

MOST_ROWS = 10_000


def _words(values: list[str]) -> Any:
    # Not checked here but where a plan is made: a wrong word spoils one row and not all of them.
    return Field(max_length=40, pattern=NO_NUL, json_schema_extra={"enum": list(values)})


# -- What is sent ---------------------------------------------------------------------------------

RequestId = Annotated[str, Field(min_length=1, max_length=LONGEST_REQUEST, pattern=NO_NUL)]
CategoryName = Annotated[str, Field(max_length=100, pattern=NO_NUL)]

WANTED = {"customer": "K123", "channel": "email", "kind": "promotion", "category": "Phone cases"}
REQUESTED = {"request_id": "spring:K123:1", **WANTED, "lease_seconds": 3600}


def _example(*examples: dict[str, Any]) -> dict[str, Any]:
    return {"examples": list(examples)}


class ContactWanted(Sent):
    """A contact somebody wants to have with a customer."""

    model_config = ConfigDict(json_schema_extra=_example(WANTED))

    customer: Reference
    channel: Annotated[str, _words(Channel.values)]
    kind: Annotated[str, _words(ContactKind.values)]
    category: CategoryName | None = Field(None, description="What it is about, by name.")
    purpose: PurposeKey | None = Field(None, description="Without it the kind decides.")
    points: Annotated[int, Field(ge=0, le=MOST_POINTS)] | None = Field(
        None, description="What it weighs; without it what the policy says."
    )
    at: AwareDatetime | None = Field(None, description="From when on; without it now.")

    def row(self) -> Row:
        return Row(
            customer=self.customer,
            channel=self.channel,
            kind=self.kind,
            category=self.category or "",
            purpose=self.purpose or "",
            points=self.points,
            at=self.at,
        )


class ContactRequest(ContactWanted):
    """The same with an id of your own: asked again with it, the answer is the same."""

    model_config = ConfigDict(json_schema_extra=_example(REQUESTED))

    request_id: RequestId
    lease_seconds: Annotated[int, Field(ge=1, le=LONGEST_LEASE // timedelta(seconds=1))] | None = (
        Field(None, description="How long you need; without it what is usual on the channel.")
    )

    def row(self) -> Row:
        lease = None if self.lease_seconds is None else timedelta(seconds=self.lease_seconds)
        return replace(super().row(), request_id=self.request_id, lease=lease)


class OfRequest(Sent):
    model_config = ConfigDict(json_schema_extra=_example({"request_id": "spring:K123:1"}))

    request_id: RequestId


class ManyWanted(Sent):
    model_config = ConfigDict(json_schema_extra=_example({"contacts": [WANTED]}))

    contacts: Annotated[list[ContactWanted], Field(min_length=1, max_length=MOST_ROWS)]


class ManyRequested(Sent):
    model_config = ConfigDict(json_schema_extra=_example({"contacts": [REQUESTED]}))

    contacts: Annotated[list[ContactRequest], Field(min_length=1, max_length=MOST_ROWS)]


class ManyRequests(Sent):
    model_config = ConfigDict(json_schema_extra=_example({"requests": ["spring:K123:1"]}))

    requests: Annotated[list[RequestId], Field(min_length=1, max_length=MOST_ROWS)]


# -- What is answered -----------------------------------------------------------------------------

# Written already, and the same in a line of many as in the answer to one.
When = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


RESERVED = {
    "request_id": "spring:K123:1",
    "status": "reserved",
    "from_at": "2026-11-24T12:00:00Z",
    "to_at": "2026-11-24T13:00:00Z",
    "sent_at": None,
}
FULL = {
    "code": "CAP_REACHED",
    "rule": "cell low · regular · email · promotion",
    "detail": "",
    "scope": {
        "channel": "email",
        "kinds": ["promotion"],
        "category": "Phone cases",
        "purpose": None,
    },
    "window": "P30D",
    "unit": "count",
    "max": 2,
    "used": 2,
    "blocking": [4711, 4912],
    "frees_at": "2026-12-02T12:00:00Z",
    "sentence": "Had 2 of 2 in 30 days (promotion · E-mail · Phone cases).",
}
LATER = {
    "customer": "K123",
    "channel": "email",
    "kind": "promotion",
    "category": "Phone cases",
    "purpose": "email_marketing",
    "points": 1,
    "outcome": "DEFER",
    "reservation": None,
    "reasons": [FULL],
    "passed": [],
    "next_allowed_at": "2026-12-02T12:00:00Z",
    "customer_type": {"value": "regular", "because": "bought on 5 days in the last year"},
    "involvement": {"value": "low", "because": "Phone cases was rated so"},
    "permission": {
        "allowed": True,
        "reason": "given",
        "sentence": "gave permission on 2026-03-02",
    },
    "policy_version": 1,
    "evaluated_at": "2026-11-24T12:00:00Z",
}
NOW_RESERVED = LATER | {
    "outcome": "ALLOW",
    "reservation": RESERVED,
    "reasons": [],
    "passed": [FULL["rule"]],
    "next_allowed_at": None,
}
COUNTING = {
    "id": 4711,
    "kind": "promotion",
    "channel": "email",
    "category": "Phone cases",
    "from_at": "2026-11-02T12:00:00Z",
    "to_at": "2026-11-02T12:00:00Z",
    "status": "sent",
}
HELD = {"reason": "complaint", "since": "2026-11-20T09:00:00Z", "until": None}


class Reservation(Schema):
    """A contact that is kept free for you from one moment until another."""

    request_id: str
    status: ContactStatus
    from_at: When
    to_at: When = Field(description="The end of the lease; once sent the moment of sending.")
    sent_at: When | None


class ReasonScope(Schema):
    """What a rule is about; null stands for everything."""

    channel: str | None
    kinds: list[str]
    category: str | None
    purpose: str | None


class Because(Schema):
    value: str
    because: str


class Why(Schema):
    """A reason against a contact."""

    code: Code
    rule: str
    detail: str
    scope: ReasonScope
    window: str | None = Field(description="As ISO 8601 writes a length of time: P30D.")
    unit: str
    max: int | None
    used: int | None
    blocking: list[int] = Field(description="Ids of contacts with this customer that count.")
    frees_at: When | None
    sentence: str


class Permitted(Schema):
    allowed: bool
    reason: str
    sentence: str


class Decision(Schema):
    """Whether a contact may be. Only `reservation` lets you go on, once you confirmed it."""

    model_config = ConfigDict(json_schema_extra=_example(NOW_RESERVED, LATER))

    customer: str = Field(description="The reference you asked by.")
    channel: str
    kind: str
    category: str | None
    purpose: str | None
    points: int
    outcome: Outcome
    reservation: Reservation | None
    reasons: list[Why]
    passed: list[str] = Field(description="The rules that let it through.")
    next_allowed_at: When | None
    customer_type: Because
    involvement: Because
    permission: Permitted | None = Field(
        description="Null for a request that was made before: confirming asks again."
    )
    policy_version: int | None
    evaluated_at: When


class Settled(Schema):
    """What became of a contact."""

    model_config = ConfigDict(
        json_schema_extra=_example({"request_id": "spring:K123:1", "answer": "sent"})
    )

    request_id: str
    answer: Answered


class RowError(Schema):
    """A row of many that got no answer, and the way out."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            {
                "customer": "K124",
                "request_id": "spring:K124:1",
                "error": "customer",
                "field": "customer",
                "message": "There is no customer with this reference.",
            }
        )
    )

    customer: str | None
    request_id: str | None
    error: str
    field: str
    message: str


class ContactCounting(Schema):
    """A contact that weighs in the dose."""

    id: int
    kind: str
    channel: str
    category: str | None
    from_at: When
    to_at: When
    status: ContactStatus


class Held(Schema):
    """Why a customer is contacted less, or not at all; without `until` until it is lifted."""

    reason: HoldReason
    since: When
    until: When | None


class Dose(Schema):
    """Where a customer stands."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            {"customer": "K123", "decisions": [LATER], "contacts": [COUNTING], "holds": [HELD]}
        )
    )

    customer: str
    decisions: list[Decision] = Field(description="By e-mail, about no category, now.")
    contacts: list[ContactCounting] = Field(description="Those of the last 30 days that count.")
    holds: list[Held]
