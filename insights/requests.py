"""Requests of people about their own data: the inbox, doing what is asked, and refusing it.

What somebody asks on their own page, behind a link mailed to them, a job does at once. What a
colleague took in is done when the colleague presses the button.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.consent import Actor, Method
from customers.data_requests import (
    CORRECTABLE,
    LIFT,
    Asked,
    finish_request,
    lift_restriction,
    receive_request,
    rectify,
    restrict,
)
from customers.letters import queue_letter, spoken
from customers.models import (
    Customer,
    DataRequest,
    LetterKind,
    Purpose,
    PurposeKind,
    RequestKind,
    RequestSource,
    RequestState,
)
from customers.queries import people_by_reference
from customers.withdrawals import Means, object_to_marketing
from insights.erasure import Order, erase

logger = logging.getLogger(__name__)

# What a job does without a colleague; seeing one's data is done on the own page itself.
AT_ONCE = (
    RequestKind.RECTIFICATION,
    RequestKind.ERASURE,
    RequestKind.RESTRICTION,
    RequestKind.OBJECTION,
)

# How many of those that are answered the inbox shows.
MOST_FINISHED = 50


class NoCustomer(ValueError):
    """Nobody to ask something for; the text says which reference, and the way out."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request with the days that are left for it; below 0 it is overdue."""

    request: DataRequest
    days_left: int

    @property
    def days_late(self) -> int:
        return -self.days_left


def inbox(today: date) -> list[Waiting]:
    """Return the open requests, the longest overdue first."""
    rows = DataRequest.objects.filter(state=RequestState.OPEN).order_by("due_on", "pk")
    return [Waiting(row, (row.due_on - today).days) for row in rows]


def finished() -> list[DataRequest]:
    """Return the requests that were answered last, the newest first."""
    rows = DataRequest.objects.exclude(state=RequestState.OPEN)
    return list(rows.order_by("-finished_at", "-pk")[:MOST_FINISHED])


def lifts(request: DataRequest) -> bool:
    """Say whether a request is to lift a restriction."""
    return request.kind == RequestKind.RESTRICTION and request.corrections == LIFT


# -- Taking in ------------------------------------------------------------------------------------


def take_in(*, reference: str, asked: Asked, now: datetime) -> DataRequest:
    """Take in a request at a colleague's desk, and tell the customer; raises NoCustomer."""
    customer = people_by_reference([reference]).get(reference)
    if customer is None:
        raise NoCustomer(f"{reference!r} is not a known customer. Give the shop's own reference.")
    if customer.erased_at is not None:
        raise NoCustomer(f"The customer {reference!r} was erased: nothing is left to ask for.")
    with transaction.atomic():
        request = receive_request(customer=customer, asked=asked, now=now)
        if request.received_at == now and customer.email:
            with translation.override(spoken(customer.language)):
                due = date_format(request.due_on)
            values = {"kind": _kind(request), "due": due}
            queue_letter(kind=LetterKind.RECEIVED, customer=customer, now=now, values=values)
    return request


def _kind(request: DataRequest) -> str:
    return "lift" if lifts(request) else str(request.kind)


# -- Answering ------------------------------------------------------------------------------------


def carry_out(*, request: DataRequest, by: str, now: datetime) -> bool:
    """Do what is asked, close the request and write to the customer; False if it was closed.

    `by` is the id of a colleague, empty for the job.
    """
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=request.customer_id)
        request.refresh_from_db()
        if request.state != RequestState.OPEN:
            return False
        if request.kind == RequestKind.ERASURE:
            # It closes all requests of the customer, and writes the last letter.
            order = Order(reason=f"request {request.pk}", by=by)
            erase(customer=customer, order=order, now=now)
            return True
        # To the address that the customer has now: a new one is not confirmed yet.
        _tell(request, customer, RequestState.DONE, "", now)
        with translation.override(spoken(customer.language)):
            answer = _do(request, customer, by, now)
        return finish_request(
            request=request, state=RequestState.DONE, answer=answer, handled_by=by, now=now
        )


def refuse(*, request: DataRequest, reason: str, by: str, now: datetime) -> bool:
    """Refuse a request with a reason and tell the customer; False if it was closed."""
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=request.customer_id)
        refused = finish_request(
            request=request, state=RequestState.REFUSED, answer=reason, handled_by=by, now=now
        )
        if refused:
            _tell(request, customer, RequestState.REFUSED, reason, now)
    return refused


def _tell(
    request: DataRequest, customer: Customer, state: RequestState, answer: str, now: datetime
) -> None:
    if customer.email:
        values = {"kind": _kind(request), "state": str(state), "answer": answer}
        queue_letter(kind=LetterKind.ANSWERED, customer=customer, now=now, values=values)


def _do(request: DataRequest, customer: Customer, by: str, now: datetime) -> str:
    """Do what is asked and return, in the customer's language, what that was."""
    if request.kind == RequestKind.RECTIFICATION:
        changed = rectify(customer=customer, corrections=request.corrections, now=now)
        names = ", ".join(_label(name) for name in changed)
        return _("Corrected: %(fields)s.") % {"fields": names} if names else _("It was right.")
    if lifts(request):
        lift_restriction(customer=customer, now=now)
        return _("The data are used again.")
    if request.kind == RequestKind.RESTRICTION:
        restrict(customer=customer, now=now)
        return _("The data are kept, and nothing is done with them.")
    if request.kind == RequestKind.OBJECTION:
        _object(request, customer, by, now)
        return _("All marketing is stopped.")
    return _("The data were handed over.")


def _object(request: DataRequest, customer: Customer, by: str, now: datetime) -> None:
    """Object to all marketing on every channel, also where nobody was asked yet."""
    means = Means(
        method=Method.REQUEST,
        place=f"request {request.pk}",
        actor=Actor.ADMIN if by else Actor.CUSTOMER,
        actor_id=by,
        evidence=(request.text or f"request {request.pk}") if by else "",
    )
    for purpose in Purpose.objects.filter(archived_at__isnull=True).order_by("pk"):
        if PurposeKind(purpose.kind).is_marketing:
            for channel in purpose.channels:
                object_to_marketing(
                    customer=customer, purpose=purpose, channel=channel, means=means, now=now
                )


# -- By itself ------------------------------------------------------------------------------------


def any_due() -> bool:
    """Say whether somebody asked something on their own page that waits to be done."""
    return _own().exists()


def carry_out_own(now: datetime) -> int:
    """Do what people asked on their own pages, and return how much.

    One that fails keeps none of the others waiting; the first failure is raised at the end.
    """
    failures: list[Exception] = []
    done = 0
    for request in _own().order_by("received_at", "pk"):
        try:
            done += carry_out(request=request, by="", now=now)
        except Exception as error:
            logger.exception("data_request_failed request=%d", request.pk)
            failures.append(error)
    if failures:
        raise failures[0]
    return done


def _own() -> QuerySet[DataRequest]:
    return DataRequest.objects.filter(
        state=RequestState.OPEN, source=RequestSource.OWN_PAGE, kind__in=AT_ONCE
    )


# -- For the page ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Correction:
    """A field with what it says and what it should say."""

    label: str
    now: str
    new: str


def corrections(request: DataRequest) -> list[Correction]:
    """Return what is to be corrected, in words; none for a request of another kind."""
    if request.kind != RequestKind.RECTIFICATION:
        return []
    customer = request.customer
    return [
        Correction(_label(name), str(getattr(customer, name)), new)
        for name, new in request.corrections.items()
        if name in CORRECTABLE
    ]


def _label(name: str) -> str:
    field = Customer._meta.get_field(name)
    return str(getattr(field, "verbose_name", name))
