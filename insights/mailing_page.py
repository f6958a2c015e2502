"""What the pages of mailings show: the steps of an audience, and what came of a send list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from customers.contact_queries import may_contact
from customers.models import Contact, ContactStatus, Customer
from feedback.models import Exposure, ExposureKind, Response
from insights.customer_dose import Answer, answer_words
from insights.dashboard.figures import KPI_SHORT, Shown
from insights.dose_words import outcome_words
from insights.kpis import KPIS, MIN_SHOWN, figure
from insights.mailing_results import Results, results
from insights.touchpoint_figures import KPI_OF
from mailings.audience import choose, members, plan_of
from mailings.lists import is_overdue
from mailings.models import Mailing, MailingStatus

NOT_SENT = (MailingStatus.DRAFT, MailingStatus.RESERVING, MailingStatus.SCHEDULED)

STEPS: Mapping[str, Any] = {
    "no_permission": _("No permission"),
    "left_alone": _("Left alone or paused"),
    "over_dose": _("Over their dose"),
    "quiet": _("Quiet hours or a holiday"),
    "unknown_zone": _("Time zone not known"),
    "not_drawn": _("Not drawn: so many answers are enough"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One mailing in the list of all."""

    mailing: Mailing
    counts: Mapping[str, int]
    overdue: bool


@dataclass(frozen=True, slots=True)
class Audience:
    """How many customers there are, who falls out at which step, and how many are left."""

    total: int
    steps: Sequence[tuple[str, int]]
    now: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered under a mailing, and how often a link was opened and not confirmed."""

    shown: Shown
    opened: int

    @property
    def short(self) -> str:
        return str(KPI_SHORT[self.shown.kpi])


@dataclass(frozen=True, slots=True)
class Page:
    """One mailing as its page shows it."""

    mailing: Mailing
    audience: Audience
    refused: Sequence[tuple[str, int]]
    counts: Mapping[str, int]
    answers: Answers | None
    results: Results | None
    overdue: bool


def mailing_rows(now: datetime) -> list[Row]:
    """Return all mailings, the last planned first; in two queries."""
    mailings = list(Mailing.objects.select_related("category").order_by("-planned_at", "-pk"))
    counts = _counts([one.source for one in mailings])
    return [Row(one, counts.get(one.source, {}), is_overdue(one, now)) for one in mailings]


def mailing_page(mailing: Mailing, now: datetime) -> Page:
    """Count for a draft whom it may reach; for what was started show what was counted then."""
    if mailing.status == MailingStatus.DRAFT:
        chosen = choose(mailing, now)
        funnel = {name: getattr(chosen, name, 0) for name in STEPS}
        audience = _audience({**funnel, "total": chosen.total, "now": chosen.now})
    else:
        audience = _audience(mailing.funnel)
    return Page(
        mailing=mailing,
        audience=audience,
        refused=[(outcome_words("", code), n) for code, n in sorted(mailing.refused.items())],
        counts=_counts([mailing.source]).get(mailing.source, {}),
        answers=_answers(mailing),
        results=results(mailing) if mailing.status not in NOT_SENT else None,
        overdue=is_overdue(mailing, now),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """Whether one customer gets a mailing, and why (not); `answer` is None for who is not known.

    `is_meant` says whether they are among those it is for.
    """

    reference: str
    answer: Answer | None = None
    is_meant: bool = False


def look_at(mailing: Mailing, customer: Customer, now: datetime) -> Look:
    """Ask about one customer as the list does; nothing is reserved."""
    judged = may_contact(customer, plan_of(mailing), now)
    return Look(
        customer.reference,
        answer_words(judged, mailing.name),
        members(mailing.audience, now).filter(pk=customer.pk).exists(),
    )


def _audience(funnel: Mapping[str, int]) -> Audience:
    steps = [(str(words), funnel.get(name, 0)) for name, words in STEPS.items()]
    return Audience(
        total=funnel.get("total", 0),
        steps=[(words, n) for words, n in steps if n],
        now=funnel.get("now", 0),
    )


def _counts(sources: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many contacts of each source are in each state; what went late is sent too."""
    found: dict[str, dict[str, int]] = {}
    rows = Contact.objects.filter(source__in=sources).values_list("source", "status")
    for source, status, n in rows.annotate(n=Count("pk")).order_by():
        name = ContactStatus.SENT if status == ContactStatus.SENT_LATE else status
        mine = found.setdefault(source, {"all": 0})
        mine[str(name)] = mine.get(str(name), 0) + n
        mine["all"] += n
    return found


def _answers(mailing: Mailing) -> Answers | None:
    touchpoint, campaign = mailing.touchpoint, mailing.campaign
    if touchpoint is None or campaign is None:
        return None
    rows = Response.objects.filter(campaign=campaign).values_list("value")
    kpi = KPIS[KPI_OF[touchpoint.scale]]
    found = figure(kpi, kpi.counts_from_values(dict(rows.annotate(n=Count("pk")).order_by())))
    seen = Exposure.objects.filter(campaign_id=campaign.pk)
    opened = seen.filter(kind=ExposureKind.OPENED).aggregate(n=Sum("n"))["n"] or 0
    confirmed = seen.filter(kind=ExposureKind.CONFIRMED).aggregate(n=Sum("n"))["n"] or 0
    return Answers(
        Shown(kpi.key, found, None, None, None, None, hidden=0 < found.n < MIN_SHOWN),
        max(opened - confirmed, 0),
    )
