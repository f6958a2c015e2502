"""What somebody's own page tells them, over all apps: answers, who looked, counts, requests."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.consent import State
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentEntry,
    Customer,
    DataRequest,
    Purchase,
    Purpose,
    PurposeKind,
    RequestState,
)
from customers.queries import same_person
from feedback.models import Response
from feedback.questions import default_question
from feedback.scales import SCALES
from insights.accounts import Role

# The page tells the newest; the download has everything.
SHOWN = 50

YES_OR_NO = [State.GIVEN, State.RENEWED, State.REFUSED, State.WITHDRAWN, State.OBJECTED]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer somebody gave: `mood` is up, down or empty, for a thumb."""

    pk: int
    question: str
    scale: str
    value: int
    mood: str
    comment: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Viewed:
    """Somebody looked: when, in which role, and why."""

    at: datetime
    role: str
    reason: str


def told(customer: Customer, language: str, *, formal: bool) -> list[Told]:
    """Return what a customer answered, the newest first."""
    found = Response.objects.filter(customer__in=same_person(customer))
    rows = found.select_related("touchpoint").order_by("-answered_at", "-pk")[:SHOWN]
    return [_told(row, language, formal=formal) for row in rows]


def _told(row: Response, language: str, *, formal: bool) -> Told:
    if row.touchpoint:
        question = row.touchpoint.question(language, formal=formal)
    else:
        question = default_question(row.scale).said(language, formal=formal)
    up = SCALES[row.scale].outcome(row.value) == SCALES[row.scale].positive
    mood = ("up" if up else "down") if row.scale == "thumb" else ""
    return Told(row.pk, question, row.scale, row.value, mood, row.comment, row.answered_at)


def viewed(customer: Customer) -> list[Viewed]:
    """Return who of the organisation looked at a customer's data, the newest first."""
    rows = AccessLog.objects.filter(customer__in=same_person(customer)).order_by("-viewed_at")
    return [
        Viewed(row.viewed_at, _role(row.role), row.reason or str(AccessKind(row.kind).label))
        for row in rows[:SHOWN]
    ]


def _role(role: str) -> str:
    """Return a role in the reader's language; what another system calls itself stays."""
    return str(Role(role).label) if role in Role.values else role or _("Another system")


def counted(customer: Customer) -> str:
    """Return how much there is, in one sentence."""
    people = same_person(customer)
    # The lines of an order have one moment.
    orders = Purchase.objects.filter(customer__in=people).values("order", "purchased_at")
    entries = ConsentEntry.objects.filter(customer__in=people, state__in=YES_OR_NO)
    n = {
        "orders": orders.distinct().count(),
        "entries": entries.count(),
        "answers": Response.objects.filter(customer__in=people).count(),
    }
    parts = [
        ngettext("%(orders)d order", "%(orders)d orders", n["orders"]),
        ngettext("%(entries)d time yes or no", "%(entries)d times yes or no", n["entries"]),
        ngettext("%(answers)d reaction", "%(answers)d reactions", n["answers"]),
    ]
    return ", ".join(part % n for part in parts) + "."


def open_requests(customer: Customer) -> list[DataRequest]:
    """Return what a customer asked about their data and is not done yet."""
    asked = DataRequest.objects.filter(customer=customer, state=RequestState.OPEN)
    return list(asked.order_by("received_at", "pk"))


def what_to_object_to(customer: Customer) -> list[tuple[Purpose, str]]:
    """Return all marketing and its channels, also where nobody was asked yet.

    Nothing if there is none, or if all of it was objected to already.
    """
    live = Purpose.objects.filter(archived_at__isnull=True).order_by("pk")
    marketing = [
        (purpose, channel)
        for purpose in live
        if PurposeKind(purpose.kind).is_marketing
        for channel in purpose.channels
    ]
    objected = customer.permissions.filter(state=State.OBJECTED)
    done = set(objected.values_list("purpose_id", "channel"))
    return [] if {(one.pk, channel) for one, channel in marketing} <= done else marketing
