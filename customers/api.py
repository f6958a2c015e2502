"""The API for other systems: may we, they took it back, they said yes, and with which words.

A key in the header is all that counts; no cookie is read or set. References stand in addresses,
which is why they are the shop's own numbers; many at once travel in the body.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from math import ceil
from typing import Annotated, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import URLPattern
from django.utils import timezone
from ninja import NinjaAPI, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from customers import queries, relays
from customers.api_keys import Scope, note_use, working_key
from customers.consent import Forbidden, Grade, State
from customers.ledger import Erased, Unproven
from customers.limits import Limiter
from customers.models import AccessKind, ApiKey, Channel, Customer, Purpose, Wording
from customers.queries import Standing
from customers.views_of_data import record_views

logger = logging.getLogger(__name__)

# Calls a minute for each key: enough to ask before every message of a small shop, and more go
# into one question.
per_key = Limiter(600)
MOST_AT_ONCE = 500
RETRY_BUSY = 5
# Older than any permission that still holds.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LARGEST_ID = 2**63 - 1

api = NinjaAPI(
    title="Customer Insights",
    version="1",
    description="Permission: read, take back, and give with evidence. See docs/api.md.",
    urls_namespace="api",
    # Its page loads scripts from elsewhere, which our Content-Security-Policy refuses.
    docs_url=None,
)


# -- What is refused -------------------------------------------------------------------------------


class Refusal(Exception):
    """A call that is not answered, and what it gets instead."""

    def __init__(
        self, status: int, error: str, message: str, field: str = "", **headers: str
    ) -> None:
        super().__init__(message)
        self.response = JsonResponse(
            {"error": error, "field": field, "message": message}, status=status, headers=headers
        )


class Error(Schema):
    error: str
    field: str = Field(description="The field it is about, or empty.")
    message: str = Field(description="What is wrong and the way out, for developers.")


def _refusals(*statuses: int) -> dict[int, Any]:
    """Return what every operation may answer, and those of its own."""
    return dict.fromkeys([400, 401, 403, 405, 413, 422, 429, 503, *statuses], Error)


@api.exception_handler(Refusal)
def _refused(_request: HttpRequest, error: Refusal) -> HttpResponse:
    return error.response


@api.exception_handler(AuthenticationError)
def _no_key(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    # The same for a key that never was, one that expired and one that was revoked.
    return Refusal(
        401,
        "key",
        "This key does not work. Send “Authorization: Bearer ci_…” with a key that an "
        "administrator made, and that has not expired or been revoked.",
        **{"WWW-Authenticate": "Bearer"},
    ).response


@api.exception_handler(ValidationError)
def _rule_broken(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    # As a path in the body: after where it was found, and the name it has in the code.
    field = ".".join(str(part) for part in first["loc"][2:])
    _log(request, "what was sent breaks a rule")
    return Refusal(422, "rule", f"{first['msg']}. See docs/api.md.", field).response


@api.exception_handler(HttpError)
def _unreadable(_request: HttpRequest, _error: HttpError) -> HttpResponse:
    return Refusal(400, "malformed", "The body is not a JSON object.").response


@api.exception_handler(UnreadablePostError)
def _broken_off(_request: HttpRequest, _error: UnreadablePostError) -> HttpResponse:
    return Refusal(400, "malformed", "The body broke off. Send it again.").response


@api.exception_handler(RequestDataTooBig)
def _too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return Refusal(413, "too_large", "The body is too large. Send it in parts.").response


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _busy(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return Refusal(
        503, "busy", "Nothing is stored yet. Try again.", **{"Retry-After": str(RETRY_BUSY)}
    ).response


def _log(request: HttpRequest, why: str, customer: Customer | None = None) -> None:
    """Write down that something was refused: ids and fixed words, nothing that was sent."""
    match, key = request.resolver_match, getattr(request, "auth", None)
    logger.warning(
        "Refused by the API: %s by key %d, customer %d: %s",
        match.url_name if match else "", key.pk if key else 0, customer.pk if customer else 0, why,
    )  # fmt: skip


# -- Who asks --------------------------------------------------------------------------------------


class Key(HttpBearer):
    """A key of an administrator that may do this."""

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self._scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        now = timezone.now()
        key = working_key(token, now)
        if key is None:
            return None
        if wait := per_key.wait(key.pk, time.monotonic()):
            raise Refusal(
                429, "limit", "Too many calls. Try again later.", **{"Retry-After": f"{ceil(wait)}"}
            )
        if self._scope and self._scope not in key.scopes:
            request.auth = key  # type: ignore[attr-defined]
            _log(request, f"the key lacks {self._scope}")
            raise Refusal(
                403, "scope", f"This key may not do this. It needs the scope {self._scope}."
            )
        note_use(key, timezone.localdate(now))
        return key


def _key(request: HttpRequest) -> ApiKey:
    found: ApiKey = request.auth  # type: ignore[attr-defined]
    return found


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


# No NUL: PostgreSQL cannot store one.
NO_NUL = r"^[^\x00]*$"
Reference = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
PurposeKey = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[AwareDatetime, AfterValidator(_in_time)]
Words = AfterValidator(_not_blank)
Nobody = AfterValidator(_of_nobody)
Line = Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL), Words, Nobody]
Place = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL), Words, Nobody]
Proof = Annotated[str, Field(min_length=1, max_length=2_000, pattern=NO_NUL), Words]


class Sent(Schema):
    """A body: a field that is not known is refused, because it was meant to say something."""

    model_config = ConfigDict(extra="forbid")


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
    response={200: list[Asking], **_refusals()},
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
    response={200: Consent, **_refusals(404)},
    url_name="consent",
    summary="Where a customer stands with everything",
)
def consent(request: HttpRequest, reference: str) -> Consent:
    return _told(request, {reference: _customer(reference)}, Scope.READ)[0]


@api.post(
    "/consent",
    auth=Key(Scope.READ),
    response={200: Many, **_refusals()},
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
    response={200: Permission, **_refusals(404)},
    url_name="consent_withdraw",
    summary="Take back a permission; repeating it changes nothing",
)
def withdraw(request: HttpRequest, reference: str, told: Withdrawal) -> Permission:
    customer = _customer(reference)
    no = relays.TakenBack(
        purpose=_purpose(request, told.purpose, customer),
        channel=told.channel,
        occurred_at=told.occurred_at,
        evidence=told.evidence or "",
    )
    relays.relay_withdrawal(customer=customer, no=no, key=_key(request), now=timezone.now())
    return _stands(request, customer, told, Scope.WITHDRAW)


@api.post(
    "/customers/{path:reference}/consent/give",
    auth=Key(Scope.GIVE),
    response={200: Permission, 201: Permission, **_refusals(404, 409)},
    url_name="consent_give",
    summary="Record a yes that was given in front of you, with its evidence",
)
def give(request: HttpRequest, reference: str, told: GivenYes) -> Status[Permission]:
    customer = _customer(reference)
    purpose = _purpose(request, told.purpose, customer)
    if customer.reference != reference:
        _log(request, "a yes for a record that was merged", customer)
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
            customer=customer, yes=yes, key=_key(request), now=timezone.now()
        )
    except Erased:
        raise _nobody() from None
    except Forbidden as error:
        _log(request, f"{error.before} cannot become given", customer)
        raise Refusal(409, "ledger", str(error)) from None
    except relays.InTheWay as error:
        _log(request, "a no stands in the way of a yes", customer)
        message = f"Nothing was recorded: {error}. Only the customer can say yes."
        raise Refusal(409, "ledger", message) from None
    except Unproven as error:
        raise _unproven(request, customer, str(error), "") from None
    return Status(201 if new else 200, _stands(request, customer, told, Scope.GIVE))


def _unproven(request: HttpRequest, customer: Customer, message: str, field: str) -> Refusal:
    _log(request, "a yes without proof", customer)
    return Refusal(422, "unproven", message, field)


def _nobody() -> Refusal:
    # The same for who never was and who was erased.
    return Refusal(404, "customer", "There is no customer with this reference.")


def _customer(reference: str) -> Customer:
    found = {} if "\0" in reference else queries.people_by_reference([reference])
    customer = found.get(reference)
    if customer is None or customer.erased_at:
        raise _nobody()
    return customer


def _purpose(request: HttpRequest, key: str, customer: Customer) -> Purpose:
    found = Purpose.objects.filter(key=key).first()
    if found is None:
        _log(request, "no such purpose", customer)
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
    now, key = timezone.now(), _key(request)
    # Two references may have become one person.
    people = list({one.pk: one for one in customers.values()}.values())
    found = queries.standings(people, now)
    record_views(
        customers=people,
        kind=AccessKind.API,
        viewer=relays.viewer_of(key),
        role=key.name[:40],
        reason=scope,
        now=now,
    )
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

View = Callable[..., HttpResponse]


def _plain(view: View) -> View:
    """Open a view to whoever has a key, and keep cookies and caches out of it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        try:
            response = view(request, *args, **given)
        except Http404:
            response = Refusal(404, "address", "Nothing is here. See docs/api.md.").response
        if response.status_code == 405:
            allowed = response["Allow"]
            response = Refusal(405, "method", f"Use {allowed}.", Allow=allowed).response
        response["Cache-Control"] = "no-store"
        # Of our own, or the language cookie of a colleague would decide it.
        response["Content-Language"] = "en"
        return response

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return login_not_required(wrapped)


def _open(patterns: Iterable[Any]) -> None:
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)  # noqa: S101  (the API has no routers inside)
        pattern.callback = _plain(pattern.callback)


# What insights.urls puts under /api/v1/.
urls = api.urls
_open(urls[0])
