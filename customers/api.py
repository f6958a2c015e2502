"""The API for other systems: may we, they took it back, they said yes, and with which words.

A key in the header is all that counts; no cookie is read or set. References stand in addresses,
which is why they are the shop's own numbers; many at once travel in the body.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Schema, Status
from pydantic import AfterValidator, AwareDatetime, Field

from customers import contacts_api, queries, relays
from customers.api_base import (
    NO_NUL,
    Key,
    PurposeKey,
    Reference,
    Refusal,
    Sent,
    api,
    customer_of,
    key_of,
    log_refusal,
    nobody,
    note_views,
    open_addresses,
    refusals,
)
from customers.api_keys import Scope
from customers.consent import Forbidden, Grade, State
from customers.ledger import Erased, Unproven
from customers.limits import Limiter
from customers.models import Channel, Customer, Purpose, Wording
from customers.queries import Standing

# Calls a minute for each key: enough to ask before every message of a small shop, and more go
# into one question.
per_key = Limiter(600)
MOST_AT_ONCE = 500
# Older than any permission that still holds.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LARGEST_ID = 2**63 - 1


# -- What is sent ----------------------------------------------------------------------------------


def _in_time(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= timezone.now():
        raise ValueError("It must be a moment from 2000 until now")
    return moment


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("It must not be empty")
    return text


def _of_nobody(text: str) -> str:
    if "@" in text:
        raise ValueError("It stays in the ledger for ever, so it names no address; evidence may")
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_in_time)]
Words = AfterValidator(_not_blank)
Nobody = AfterValidator(_of_nobody)
Line = Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL), Words, Nobody]
Place = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL), Words, Nobody]
Proof = Annotated[str, Field(min_length=1, max_length=2_000, pattern=NO_NUL), Words]


class Asked(Sent):
    references: Annotated[list[Reference], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Withdrawal(Sent):
    purpose: PurposeKey
    channel: Channel
    occurred_at: Moment | None = Field(None, description="When the customer told you.")
    evidence: Proof | None = Field(None, description="What they said, and to whom.")


class ShownText(Sent):
    text: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
    language: Annotated[str, Field(pattern="^[a-z]{2}$")]


class GivenYes(Sent):
    purpose: PurposeKey
    channel: Channel
    occurred_at: Moment = Field(description="When the customer ticked the box.")
    method: Line = Field(description="How, for example “checkbox”.")
    source: Place = Field(description="Where, for example “app, screen after the order”.")
    wording: Annotated[int, Field(ge=1, le=LARGEST_ID)] | ShownText = Field(
        description="The id of the text that was shown, or the text itself, word for word."
    )
    evidence: Proof = Field(description="What proves it: a number or file on your side.")


# -- What is answered ------------------------------------------------------------------------------


class Permission(Schema):
    """Where a customer stands with a purpose on a channel. `allowed` is the answer."""

    purpose: str
    channel: str
    state: State
    allowed: bool
    reason: str = Field(description="Why (not), as a code; `sentence` says the same in words.")
    sentence: str
    since: datetime | None
    valid_until: datetime | None
    grade: Grade | None = Field(description="How well it is proven, A the best.")

    @classmethod
    def of(cls, standing: Standing) -> "Permission":
        entry = standing.entry
        return cls(
            purpose=standing.purpose.key,
            channel=standing.channel,
            state=standing.state,
            allowed=standing.answer.allowed,
            reason=standing.answer.reason,
            sentence=standing.answer.sentence,
            since=entry.occurred_at if entry else None,
            valid_until=entry.valid_until if entry else None,
            grade=Grade(entry.grade) if entry else None,
        )


class Consent(Schema):
    reference: str
    permissions: list[Permission]


class Many(Schema):
    customers: list[Consent]
    unknown: list[str] = Field(description="References of nobody, and of who was erased.")


class Text(Schema):
    """The exact text to show beside the empty box, and below it."""

    id: int
    language: str
    version: int
    label: str
    helper: str
    details: str
    controller: str
    data_types: str
    recipients: str
    retention: str
    way_out: str
    published_at: datetime


class Asking(Schema):
    purpose: str
    name_nl: str
    name_en: str
    kind: str
    channels: list[str]
    valid_days: int
    minimum_age: int
    wordings: list[Text]


# -- The calls -------------------------------------------------------------------------------------


@api.get(
    "/purposes",
    auth=Key(),
    response={200: list[Asking], **refusals()},
    url_name="purposes",
    summary="What customers can permit, with the texts of today",
)
def purposes(request: HttpRequest) -> list[Asking]:  # noqa: ARG001  (no field may begin with _)
    return [
        Asking(
            purpose=one.key,
            name_nl=one.name_nl,
            name_en=one.name_en,
            kind=one.kind,
            channels=one.channels,
            valid_days=one.valid_days,
            minimum_age=one.minimum_age,
            wordings=[Text.from_orm(text) for text in texts],
        )
        for one, texts in queries.current_wordings(timezone.now()).items()
    ]


@api.get(
    "/customers/{path:reference}/consent",
    auth=Key(Scope.READ),
    response={200: Consent, **refusals(404)},
    url_name="consent",
    summary="Where a customer stands with everything",
)
def consent(request: HttpRequest, reference: str) -> Consent:
    return _told(request, {reference: customer_of(reference)}, Scope.READ)[0]


@api.post(
    "/consent",
    auth=Key(Scope.READ),
    response={200: Many, **refusals()},
    url_name="consent_of_many",
    summary="The same for up to 500 customers at once",
)
def consent_of_many(request: HttpRequest, asked: Asked) -> Many:
    wanted = list(dict.fromkeys(asked.references))
    found = queries.people_by_reference(wanted)
    known = {one: found[one] for one in wanted if one in found and not found[one].erased_at}
    told = _told(request, known, Scope.READ)
    seen = {one.reference for one in told}
    return Many(customers=told, unknown=[one for one in wanted if one not in seen])


@api.post(
    "/customers/{path:reference}/consent/withdraw",
    auth=Key(Scope.WITHDRAW),
    response={200: Permission, **refusals(404)},
    url_name="consent_withdraw",
    summary="Take back a permission; repeating it changes nothing",
)
def withdraw(request: HttpRequest, reference: str, told: Withdrawal) -> Permission:
    customer = customer_of(reference)
    no = relays.TakenBack(
        purpose=_purpose(request, told.purpose, customer),
        channel=told.channel,
        occurred_at=told.occurred_at,
        evidence=told.evidence or "",
    )
    relays.relay_withdrawal(customer=customer, no=no, key=key_of(request), now=timezone.now())
    return _stands(request, customer, told, Scope.WITHDRAW)


@api.post(
    "/customers/{path:reference}/consent/give",
    auth=Key(Scope.GIVE),
    response={200: Permission, 201: Permission, **refusals(404, 409)},
    url_name="consent_give",
    summary="Record a yes that was given in front of you, with its evidence",
)
def give(request: HttpRequest, reference: str, told: GivenYes) -> Status[Permission]:
    customer = customer_of(reference)
    purpose = _purpose(request, told.purpose, customer)
    if customer.reference != reference:
        log_refusal(request, "a yes for a record that was merged", customer)
        raise Refusal(
            409,
            "ledger",
            "This record was merged into another one, which has an address of its own. Only the "
            "customer can say yes there.",
        )
    if not customer.email:
        raise _unproven(
            request, customer, "This customer has no e-mail address, to which a yes is bound.", ""
        )
    wording = _wording(purpose, told.wording, told.occurred_at)
    if wording is None:
        raise _unproven(
            request,
            customer,
            f"No text of {purpose.key} that was published by then is this one. Send the id of the "
            "text that was shown, or its exact words; /api/v1/purposes has those of today.",
            "wording",
        )
    yes = relays.Yes(
        purpose=purpose,
        channel=told.channel,
        occurred_at=told.occurred_at,
        method=told.method,
        source=told.source,
        wording=wording,
        evidence=told.evidence,
    )
    try:
        _entry, new = relays.relay_yes(
            customer=customer, yes=yes, key=key_of(request), now=timezone.now()
        )
    except Erased:
        raise nobody() from None
    except Forbidden as error:
        log_refusal(request, f"{error.before} cannot become given", customer)
        raise Refusal(409, "ledger", str(error)) from None
    except relays.InTheWay as error:
        log_refusal(request, "a no stands in the way of a yes", customer)
        message = f"Nothing was recorded: {error}. Only the customer can say yes."
        raise Refusal(409, "ledger", message) from None
    except Unproven as error:
        raise _unproven(request, customer, str(error), "") from None
    return Status(201 if new else 200, _stands(request, customer, told, Scope.GIVE))


def _unproven(request: HttpRequest, customer: Customer, message: str, field: str) -> Refusal:
    log_refusal(request, "a yes without proof", customer)
    return Refusal(422, "unproven", message, field)


def _purpose(request: HttpRequest, key: str, customer: Customer) -> Purpose:
    found = Purpose.objects.filter(key=key).first()
    if found is None:
        log_refusal(request, "no such purpose", customer)
        raise Refusal(
            422,
            "rule",
            f"There is no purpose {key!r}. Take one from /api/v1/purposes.",
            "purpose",
        )
    return found


def _wording(purpose: Purpose, told: int | ShownText, at: datetime) -> Wording | None:
    """Return the text that was shown; the newest of those with the same words."""
    if isinstance(told, int):
        return purpose.wordings.filter(pk=told, published_at__lte=at).first()
    rows = purpose.wordings.filter(language=told.language, published_at__lte=at)
    said = " ".join(told.text.split())
    return next(
        (
            row
            for row in rows.order_by("-version")
            if said in (" ".join(row.label.split()), " ".join(f"{row.label} {row.helper}".split()))
        ),
        None,
    )


def _told(request: HttpRequest, customers: Mapping[str, Customer], scope: Scope) -> list[Consent]:
    """Return where customers stand, by the references they were asked by; write down who asked."""
    now, key = timezone.now(), key_of(request)
    # Two references may have become one person.
    people = list({one.pk: one for one in customers.values()}.values())
    found = queries.standings(people, now)
    note_views(key, people, scope, now)
    return [
        Consent(
            reference=reference,
            permissions=[Permission.of(standing) for standing in found[one.pk]],
        )
        for reference, one in customers.items()
    ]


def _stands(
    request: HttpRequest, customer: Customer, told: Withdrawal | GivenYes, scope: Scope
) -> Permission:
    [consent] = _told(request, {customer.reference: customer}, scope)
    return next(
        one
        for one in consent.permissions
        if (one.purpose, one.channel) == (told.purpose, told.channel)
    )


# -- The addresses ---------------------------------------------------------------------------------

api.add_router("", contacts_api.router)


@cache
def addresses() -> Any:
    """Return what insights.urls puts under /api/v1/, once every app has added its calls."""
    found = api.urls
    open_addresses(found[0], lambda: per_key)
    return found
