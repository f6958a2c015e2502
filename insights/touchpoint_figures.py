"""What the touchpoint pages show of the answers: figures, response rate, links in mails.

The formulas are those of kpis.py and the rules of what may be shown those of the dashboard.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from feedback import queries as feedback
from feedback.models import Campaign, Exposure, ExposureKind, Touchpoint
from feedback.scales import SCALES
from insights import queries
from insights.dashboard.comments import Comment, as_comment
from insights.dashboard.figures import KPI_SHORT, Block, Shown, block_of
from insights.dashboard.selection import OWN_DATES, SLICES, Selection
from insights.disclosure import hidden_rows
from insights.kpis import KPIS, MIN_SHOWN, Figure, figure
from insights.periods import Period

DAYS = timedelta(days=30)

# Answers listed one by one, to see that a snippet works.
LATEST = 5

# The KPI that the answers on a scale make.
KPI_OF = {kpi.measure: kpi.key for kpi in KPIS.values()}

OUTCOMES = {
    "up": _("Thumbs up"),
    "down": _("Thumbs down"),
    "promoters": _("Promoters (9 and 10)"),
    "passives": _("Passives (7 and 8)"),
    "detractors": _("Detractors (0 to 6)"),
    "satisfied": _("Satisfied (4 and 5)"),
    "neutral": _("Neutral"),
    "dissatisfied": _("Dissatisfied (1 and 2)"),
    "easy": _("Easy (5 to 7)"),
    "hard": _("Hard (1 to 3)"),
}


KNOWN = _("Known customers")
ANONYMOUS = _("Anonymous")
IMPORTED = _("Imported from a file")


def last_days(today: date) -> Period:
    """Return the last 30 days, today included."""
    tomorrow = today + timedelta(days=1)
    return Period(tomorrow - DAYS, tomorrow)


# -- The list --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A touchpoint with its figure of the last 30 days."""

    touchpoint: Touchpoint
    shown: Shown

    @property
    def short(self) -> str:
        return str(KPI_SHORT[self.shown.kpi])


def touchpoint_list(today: date) -> list[Listed]:
    """Return all touchpoints by name; a tiny figure is hidden, and what would give it away."""
    touchpoints = list(Touchpoint.objects.order_by("name"))
    found: dict[str, Shown] = {}
    for scale in sorted({touchpoint.scale for touchpoint in touchpoints}):
        found |= _figures(KPI_OF[scale], last_days(today))
    return [
        Listed(one, found.get(str(one.pk)) or _shown(KPI_OF[one.scale], figure_of(one.scale)))
        for one in touchpoints
    ]


def _figures(kpi: str, period: Period) -> dict[str, Shown]:
    rows = queries.kpi_rows(kpi, period.start, period.end, dimension="touchpoint")
    hidden = hidden_rows([row.figure.n for row in rows])
    return {
        row.key or "": _shown(kpi, row.figure, hidden=place in hidden)
        for place, row in enumerate(rows)
    }


def figure_of(scale: str) -> Figure:
    """Return the figure of a scale without any answer."""
    return figure(KPIS[KPI_OF[scale]], {})


def _shown(kpi: str, found: Figure, *, hidden: bool = False) -> Shown:
    return Shown(kpi, found, None, None, None, None, hidden=hidden)


# -- One touchpoint --------------------------------------------------------------------------------


class RateState(StrEnum):
    """Whether the response rate is measured, and if not, why."""

    OFF = "off"
    NEVER_SHOWN = "never_shown"
    OLD_SNIPPET = "old_snippet"
    MEASURED = "measured"


@dataclass(frozen=True)
class Rate:
    """How many of those who were shown the question answered it."""

    state: RateState
    shown: Shown

    @property
    def answered(self) -> int:
        return self.shown.figure.counts["answered"]


@dataclass(frozen=True)
class Mailed:
    """What came of the links of one sending; `name` is empty for links without one."""

    name: str
    key: str
    opened: int
    confirmed: int
    hidden: bool

    @property
    def unconfirmed(self) -> int:
        """How often a link was opened and no answer followed: a person, or a mail scanner."""
        return max(0, self.opened - self.confirmed)


@dataclass(frozen=True)
class OfSender:
    """The figure of the answers of one kind of sender."""

    label: str
    shown: Shown


@dataclass(frozen=True)
class Figures:
    period: Period
    block: Block
    outcomes: list[tuple[str, int]]
    senders: list[OfSender]
    link: str
    rate: Rate
    mailed: list[Mailed]


def figures(touchpoint: Touchpoint, today: date) -> Figures:
    """Return what is known of a touchpoint over the last 30 days."""
    kpi = KPI_OF[touchpoint.scale]
    selection = Selection(
        period=last_days(today),
        preset=OWN_DATES,
        where={"touchpoint": touchpoint.name},
        names={"touchpoint": touchpoint.name},
        kpi=kpi,
        slice=SLICES[0],
        today=today,
    )
    link = reverse("overview") + selection.link()
    block = replace(block_of(kpi, selection), link=link, current=False)
    seen = _exposures(touchpoint, selection.period)
    return Figures(
        period=selection.period,
        block=block,
        # Of few answers the counts would say what the hidden figure is.
        outcomes=[(str(OUTCOMES[key]), n) for key, n in block.figure.counts.items()]
        if block.shown
        else [],
        senders=_senders(touchpoint, selection.period, block.figure) if block.drawn else [],
        link=link,
        rate=_rate(touchpoint, seen),
        mailed=_mailed(seen),
    )


def _senders(touchpoint: Touchpoint, period: Period, whole: Figure) -> list[OfSender]:
    """Return the figures of known customers, of others, and of imported answers if there are any.

    They add up to the whole, so a tiny one is hidden together with another.
    """
    scale, kpi = SCALES[touchpoint.scale], KPI_OF[touchpoint.scale]
    known, imported = Counter[str](), Counter[str]()
    for row in feedback.counts_of_senders(touchpoint, period.start, period.end):
        (imported if row.imported else known)[scale.outcome(row.value)] += row.n
    found = [(KNOWN, known), (ANONYMOUS, Counter(whole.counts) - known - imported)]
    if imported:
        found.append((IMPORTED, imported))
    hidden = hidden_rows([counts.total() for _label, counts in found])
    return [
        OfSender(str(label), _shown(kpi, figure(KPIS[kpi], counts), hidden=at in hidden))
        for at, (label, counts) in enumerate(found)
    ]


def latest_answers(touchpoint: Touchpoint) -> list[Comment]:
    """Return the last few anonymous answers, however few there are (docs/decisions/0008)."""
    return [as_comment(response) for response in feedback.latest_at(touchpoint, LATEST)]


# How often each kind of thing happened, by campaign.
Seen = dict[int, dict[str, int]]


def _exposures(touchpoint: Touchpoint, period: Period) -> Seen:
    rows = (
        Exposure.objects.filter(touchpoint=touchpoint, day__gte=period.start, day__lt=period.end)
        .values_list("campaign_id", "kind")
        .annotate(total=Sum("n"))
    )
    seen: Seen = defaultdict(lambda: defaultdict(int))
    for campaign, kind, total in rows:
        seen[campaign][kind] = total
    return seen


def _rate(touchpoint: Touchpoint, seen: Seen) -> Rate:
    shown = sum(kinds[ExposureKind.SHOWN] for kinds in seen.values())
    answered = sum(kinds[ExposureKind.ANSWERED] for kinds in seen.values())
    kpi = KPIS["response_rate"]
    if not touchpoint.counts_exposures:
        state = RateState.OFF
    elif answered > shown:
        state = RateState.OLD_SNIPPET
    elif not shown:
        state = RateState.NEVER_SHOWN
    else:
        state = RateState.MEASURED
    counts = {"answered": answered, "silent": shown - answered}
    found = figure(kpi, counts if state == RateState.MEASURED else {})
    return Rate(state, _shown(kpi.key, found, hidden=0 < found.n < MIN_SHOWN))


def _mailed(seen: Seen) -> list[Mailed]:
    """Return the sendings with opened links, the newest first and links without a name last."""
    mails = {
        campaign: kinds
        for campaign, kinds in seen.items()
        if kinds[ExposureKind.OPENED] or kinds[ExposureKind.CONFIRMED]
    }
    names = Campaign.objects.in_bulk([campaign for campaign in mails if campaign])
    order = sorted(mails, reverse=True)
    opened = [mails[campaign][ExposureKind.OPENED] for campaign in order]
    confirmed = [mails[campaign][ExposureKind.CONFIRMED] for campaign in order]
    hidden = _hidden_mails(opened, confirmed)
    return [
        Mailed(
            name=names[campaign].name if campaign in names else "",
            key=names[campaign].key if campaign in names else "",
            opened=opened[place],
            confirmed=confirmed[place],
            hidden=place in hidden,
        )
        for place, campaign in enumerate(order)
    ]


def _hidden_mails(opened: Sequence[int], confirmed: Sequence[int]) -> set[int]:
    """Return which sendings must not be shown: of few openings, or with few answers."""
    few = {place for place, n in enumerate(opened) if 0 < n < MIN_SHOWN}
    return few | hidden_rows(confirmed)
