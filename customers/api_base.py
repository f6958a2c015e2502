"""What every call of the API shares: who asks, what is refused and how, and what keeps it shut.

A key in the header is all that counts; no cookie is read or set. The calls themselves stand in
`customers.api` and `customers.contacts_api`.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from math import ceil
from typing import Annotated, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import URLPattern
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field

from customers import queries, relays
from customers.api_keys import Scope, note_use, working_key
from customers.limits import Limiter
from customers.models import AccessKind, ApiKey, Customer
from customers.views_of_data import record_views

logger = logging.getLogger(__name__)

RETRY_BUSY = 5

api = NinjaAPI(
    title="Customer Insights",
    version="1",
    description="Permission: read, take back, and give with evidence. Contacts: ask whether "
    "somebody may be contacted, reserve, confirm. See docs/api.md.",
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


def refusals(*statuses: int) -> dict[int, Any]:
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
    log_refusal(request, "what was sent breaks a rule")
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


def log_refusal(request: HttpRequest, why: str, customer: Customer | None = None) -> None:
    """Write down that something was refused: ids and fixed words, nothing that was sent."""
    match, key = request.resolver_match, getattr(request, "auth", None)
    logger.warning(
        "Refused by the API: %s by key %d, customer %d: %s",
        match.url_name if match else "", key.pk if key else 0, customer.pk if customer else 0, why,
    )  # fmt: skip


# -- Who asks --------------------------------------------------------------------------------------


class Key(HttpBearer):
    """A key of an administrator that may do this.

    `most_bytes` is for the calls whose bodies may be larger than elsewhere.
    """

    def __init__(self, scope: Scope | None = None, *, most_bytes: int = 0) -> None:
        super().__init__()
        self._scope = scope
        self._most_bytes = most_bytes

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        now = timezone.now()
        key = working_key(token, now)
        if key is None:
            return None
        limiter: Limiter = request.limiter  # type: ignore[attr-defined]
        if wait := limiter.wait(key.pk, time.monotonic()):
            raise Refusal(
                429, "limit", "Too many calls. Try again later.", **{"Retry-After": f"{ceil(wait)}"}
            )
        if self._scope and self._scope not in key.scopes:
            request.auth = key  # type: ignore[attr-defined]
            log_refusal(request, f"the key lacks {self._scope}")
            raise Refusal(
                403, "scope", f"This key may not do this. It needs the scope {self._scope}."
            )
        note_use(key, timezone.localdate(now))
        if self._most_bytes:
            _take_in(request, self._most_bytes)
        return key


def _take_in(request: HttpRequest, most: int) -> None:
    """Read a body that may be larger than elsewhere, now that it is known whose it is."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise RequestDataTooBig
    # Django measures by DATA_UPLOAD_MAX_MEMORY_SIZE, for all addresses alike, what it reads itself.
    request._body = request.read()


def key_of(request: HttpRequest) -> ApiKey:
    found: ApiKey = request.auth  # type: ignore[attr-defined]
    return found


# -- About whom ------------------------------------------------------------------------------------


# No NUL: PostgreSQL cannot store one.
NO_NUL = r"^[^\x00]*$"
Reference = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
PurposeKey = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class Sent(Schema):
    """A body: a field that is not known is refused, because it was meant to say something."""

    model_config = ConfigDict(extra="forbid")


def nobody() -> Refusal:
    # The same for who never was and who was erased.
    return Refusal(404, "customer", "There is no customer with this reference.")


def customer_of(reference: str) -> Customer:
    """Return the customer with a reference, or the record they became."""
    found = {} if "\0" in reference else queries.people_by_reference([reference])
    customer = found.get(reference)
    if customer is None or customer.erased_at:
        raise nobody()
    return customer


def note_views(key: ApiKey, people: Iterable[Customer], scope: Scope, now: datetime) -> None:
    """Write down, for the customers to read, that another system was told about them."""
    record_views(
        customers=people,
        kind=AccessKind.API,
        viewer=relays.viewer_of(key),
        role=key.name[:40],
        reason=scope,
        now=now,
    )


# -- The addresses ---------------------------------------------------------------------------------

View = Callable[..., HttpResponse]


def open_addresses(patterns: Iterable[Any], limiter: Callable[[], Limiter]) -> None:
    """Open addresses to whoever has a key, so many calls a minute."""
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)  # noqa: S101  (the API nests no addresses)
        pattern.callback = _plain(pattern.callback, limiter)


def _plain(view: View, limiter: Callable[[], Limiter]) -> View:
    """Open a view to whoever has a key, and keep cookies and caches out of it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        request.limiter = limiter()  # type: ignore[attr-defined]
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
