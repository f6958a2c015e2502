"""The calls of the API about contacts: may we, reserve, confirm, give back; one or many.

Many are answered while they are worked on: a line of JSON for each row, in the order asked, a batch
at a time, each stored before its lines go out.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Router, Status

from customers import outcomes
from customers.api_base import (
    Key,
    Refusal,
    customer_of,
    key_of,
    log_refusal,
    nobody,
    note_views,
    refusals,
)
from customers.api_keys import Scope
from customers.contact_documents import (
    ContactRequest,
    ContactWanted,
    Decision,
    Dose,
    ManyRequested,
    ManyRequests,
    ManyWanted,
    OfRequest,
    RowError,
    Settled,
)
from customers.contact_rows import Fault, Told, check_rows, reserve_rows
from customers.contacts import BATCH, UnknownRequest
from customers.dose_state import dose_document
from customers.models import ApiKey
from customers.outcomes import Answered
from customers.relays import viewer_of

Json = dict[str, Any]
Settling = Callable[..., dict[str, Answered]]

# 10,000 rows of 1,600 bytes: every field in full, in ASCII, is half of that.
MOST_BYTES = 16 * 1024 * 1024
LINES = "application/x-ndjson"

# What cannot be done any more, and what that means for who sends.
DO_NOT_SEND = {
    Answered.NOT_PERMITTED: "Do not send: the customer does not permit it any more.",
    Answered.NOT_RESERVED: "Do not send: this contact was given back, or failed. To try again, "
    "reserve it under another request_id.",
    Answered.TOO_EARLY: "Do not send yet: this contact was reserved for later. Confirm it then, or "
    "release it and reserve another one for now.",
    Answered.WAS_SENT: "Too late: this contact was confirmed as sent, and it counts. Do not send "
    "it again.",
}

router = Router(tags=["contacts"])
check_key = Key(Scope.CHECK)
send_key = Key(Scope.SEND)
checks_key = Key(Scope.CHECK, most_bytes=MOST_BYTES)
sends_key = Key(Scope.SEND, most_bytes=MOST_BYTES)


def lines_of(*models: str) -> Json:
    """Return how the answer of a call with many rows is described: one of these on each line."""
    error = RowError.model_json_schema()
    one = {"anyOf": [*({"$ref": f"#/components/schemas/{name}"} for name in models), error]}
    told = "One JSON object on each line, a line for each row, in the order asked."
    content = {LINES: {"schema": {"type": "string", "description": told}, "itemSchema": one}}
    return {"responses": {200: {"content": content}}}


# -- One ------------------------------------------------------------------------------------------


@router.post(
    "/contacts/check",
    auth=check_key,
    response={200: Decision, **refusals(404)},
    url_name="contacts_check",
    summary="Whether a customer may be contacted, and if not why and from when on",
)
def check(request: HttpRequest, wanted: ContactWanted) -> Json:
    now = timezone.now()
    told = _told(request, check_rows([wanted.row()], now)[0])
    note_views(key_of(request), [told.customer], Scope.CHECK, now)
    return told.document


@router.post(
    "/contacts/reserve",
    auth=send_key,
    response={200: Decision, 201: Decision, **refusals(404, 409)},
    url_name="contacts_reserve",
    summary="The same, and reserve the contact if it may be",
)
def reserve(request: HttpRequest, wanted: ContactRequest) -> Status[Json]:
    now, key = timezone.now(), key_of(request)
    told = _told(request, reserve_rows([wanted.row()], viewer_of(key), now)[0])
    note_views(key, [told.customer], Scope.SEND, now)
    return Status(201 if told.is_new else 200, told.document)


@router.post(
    "/contacts/confirm",
    auth=send_key,
    response={200: Settled, **refusals(404, 409)},
    url_name="contacts_confirm",
    summary="Say that a contact goes out now, and hear whether it still may",
)
def confirm(request: HttpRequest, told: OfRequest) -> Json:
    return _settle(request, told.request_id, outcomes.confirm_contacts)


@router.post(
    "/contacts/release",
    auth=send_key,
    response={200: Settled, **refusals(404, 409)},
    url_name="contacts_release",
    summary="Give back a contact that will not happen",
)
def release(request: HttpRequest, told: OfRequest) -> Json:
    return _settle(request, told.request_id, outcomes.release_contacts)


@router.post(
    "/contacts/fail",
    auth=send_key,
    response={200: Settled, **refusals(404, 409)},
    url_name="contacts_fail",
    summary="Say that a contact cannot be delivered for good",
)
def fail(request: HttpRequest, told: OfRequest) -> Json:
    return _settle(request, told.request_id, outcomes.fail_contacts)


@router.get(
    "/customers/{path:reference}/dose",
    auth=check_key,
    response={200: Dose, **refusals(404)},
    url_name="dose",
    summary="Where a customer stands with the dose",
)
def dose(request: HttpRequest, reference: str) -> Json:
    now, customer = timezone.now(), customer_of(reference)
    document = dose_document(customer, now)
    note_views(key_of(request), [customer], Scope.CHECK, now)
    return document | {"customer": reference}


def _told(request: HttpRequest, answer: Told | Fault) -> Told:
    if isinstance(answer, Told):
        return answer
    if answer.error == "customer":
        raise nobody()
    log_refusal(request, f"a contact that cannot be asked for: {answer.error}")
    status = 409 if answer.error == "conflict" else 422
    raise Refusal(status, answer.error, answer.message, answer.field)


def _settle(request: HttpRequest, request_id: str, settle: Settling) -> Json:
    source = viewer_of(key_of(request))
    answer = settle(requests=[request_id], source=source, now=timezone.now())[request_id]
    if fault := _fault(request_id, answer):
        log_refusal(request, f"a contact that was {answer}")
        status = 404 if answer == Answered.UNKNOWN else 409
        raise Refusal(status, fault.error, fault.message, fault.field)
    return {"request_id": request_id, "answer": str(answer)}


def _fault(request_id: str, answer: Answered) -> Fault | None:
    if answer == Answered.UNKNOWN:
        return Fault("request", "request_id", f"Do not send: {UnknownRequest(request_id)}")
    message = DO_NOT_SEND.get(answer)
    return Fault(str(answer), "request_id", message) if message else None


# -- Many -----------------------------------------------------------------------------------------


@router.post(
    "/contacts/check/bulk",
    auth=checks_key,
    response={200: None, **refusals()},
    openapi_extra=lines_of("Decision"),
    url_name="contacts_check_bulk",
    summary="Ask about up to 10,000 contacts, each as if it were the only one",
)
def check_many(request: HttpRequest, wanted: ManyWanted) -> StreamingHttpResponse:
    key = key_of(request)

    def answer(batch: Sequence[ContactWanted]) -> list[Json]:
        now = timezone.now()
        answers = check_rows([one.row() for one in batch], now)
        return _decided(batch, answers, key, Scope.CHECK)

    return _streamed(wanted.contacts, answer)


@router.post(
    "/contacts/reserve/bulk",
    auth=sends_key,
    response={200: None, **refusals()},
    openapi_extra=lines_of("Decision"),
    url_name="contacts_reserve_bulk",
    summary="Reserve up to 10,000 contacts, each if it may be",
)
def reserve_many(request: HttpRequest, wanted: ManyRequested) -> StreamingHttpResponse:
    key = key_of(request)

    def answer(batch: Sequence[ContactRequest]) -> list[Json]:
        now = timezone.now()
        answers = reserve_rows([one.row() for one in batch], viewer_of(key), now)
        return _decided(batch, answers, key, Scope.SEND)

    return _streamed(wanted.contacts, answer)


@router.post(
    "/contacts/confirm/bulk",
    auth=sends_key,
    response={200: None, **refusals()},
    openapi_extra=lines_of("Settled"),
    url_name="contacts_confirm_bulk",
    summary="Say of up to 10,000 contacts that they go out now",
)
def confirm_many(request: HttpRequest, told: ManyRequests) -> StreamingHttpResponse:
    return _settle_many(request, told.requests, outcomes.confirm_contacts)


@router.post(
    "/contacts/release/bulk",
    auth=sends_key,
    response={200: None, **refusals()},
    openapi_extra=lines_of("Settled"),
    url_name="contacts_release_bulk",
    summary="Give back up to 10,000 contacts",
)
def release_many(request: HttpRequest, told: ManyRequests) -> StreamingHttpResponse:
    return _settle_many(request, told.requests, outcomes.release_contacts)


def _settle_many(
    request: HttpRequest, requests: Sequence[str], settle: Settling
) -> StreamingHttpResponse:
    source = viewer_of(key_of(request))

    def answer(batch: Sequence[str]) -> list[Json]:
        answers = settle(requests=batch, source=source, now=timezone.now())
        return [
            _refused(one, fault)
            if (fault := _fault(one, answers[one]))
            else {"request_id": one, "answer": str(answers[one])}
            for one in batch
        ]

    return _streamed(requests, answer)


def _decided(
    batch: Sequence[ContactWanted], answers: Sequence[Told | Fault], key: ApiKey, scope: Scope
) -> list[Json]:
    """Return a line for each row, and write down about whom they are."""
    told = {one.customer.pk: one.customer for one in answers if isinstance(one, Told)}
    note_views(key, told.values(), scope, timezone.now())
    return [
        _refused(row, one) if isinstance(one, Fault) else one.document
        for row, one in zip(batch, answers, strict=True)
    ]


def _refused(row: ContactWanted | str, fault: Fault) -> Json:
    """Return the line of a row that got nothing: of a contact, or of the id of its request."""
    return {
        "customer": None if isinstance(row, str) else row.customer,
        "request_id": row if isinstance(row, str) else getattr(row, "request_id", None),
        "error": fault.error,
        "field": fault.field,
        "message": fault.message,
    }


def _streamed(
    rows: Sequence[Any], answer: Callable[[Sequence[Any]], list[Json]]
) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(rows, answer), content_type=LINES)


def _lines(rows: Sequence[Any], answer: Callable[[Sequence[Any]], list[Json]]) -> Iterator[bytes]:
    """Work on a batch, and once it is stored yield its lines."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        try:
            told = answer(batch)
        except (OperationalError, InterfaceError):
            busy = Fault("busy", "", "Ask again with the same request_id.")
            told = [_refused(row, busy) for row in batch]
        yield "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in told).encode()
