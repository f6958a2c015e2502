"""Everything the page about permission is made of, read once: a fixed number of queries."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone

from customers import permission_queries as queries
from customers.models import Purpose, Wording
from customers.permission_queries import Asked, Reach, Standing, Withdrawal, Yes
from insights.dashboard.selection import Selection
from insights.periods import Period, bounds, split

# A yes that is taken back this soon was none; only as old ones are counted.
SOON = timedelta(days=30)

# Longer stretches of time than this are drawn in months.
LONGEST_IN_WEEKS = 500
WEEK = timedelta(weeks=1)

# The first of these is the whole period; how many permissions run out, in days from now.
EXPIRY = (30, 60, 90)


class Line(NamedTuple):
    """What permission is asked and given for: a purpose on a channel."""

    purpose: int
    channel: str


@dataclass(frozen=True)
class Facts:
    """What happened and what stands, for a selection."""

    selection: Selection
    now: datetime
    purposes: dict[int, Purpose]
    wordings: list[Wording]
    stretches: list[Period]
    asked: list[Asked]
    cuts: list[datetime]
    yeses: list[Yes]
    withdrawals: list[Withdrawal]
    standing: list[Standing]
    reach: Reach

    @property
    def drawn(self) -> Period:
        """Both periods: the one compared with, and the chosen one."""
        return Period(self.stretches[0].start, self.selection.period.end)

    @cached_property
    def asked_by_line(self) -> dict[Line, list[Asked]]:
        """What was asked, for each purpose and channel."""
        found: dict[Line, list[Asked]] = defaultdict(list)
        for one in self.asked:
            found[Line(self.purpose_of[one.wording], one.channel)].append(one)
        return dict(found)

    def asked_in(self, period: Period) -> list[Asked]:
        return [one for one in self.asked if period.start <= one.on < period.end]

    def withdrawn_in(self, period: Period) -> list[Withdrawal]:
        start, end = bounds(period, zone())
        return [one for one in self.withdrawals if start <= one.at < end]

    @cached_property
    def purpose_of(self) -> dict[int, int]:
        """The purpose of each wording."""
        return {one.pk: one.purpose_id for one in self.wordings}

    def given(self, period: Period) -> int:
        """Return how many permissions were given or renewed in a period."""
        return sum(one.n for one in self._between(*bounds(period, zone())))

    def cohort(self, period: Period) -> Counter[int]:
        """Return how often customers said yes in a period and 30 days ago or earlier, by text."""
        start, end = bounds(period, zone())
        found: Counter[int] = Counter()
        for one in self._between(start, min(end, self.now - SOON)):
            if one.own:
                found[one.wording] += one.n
        return found

    def _between(self, start: datetime, end: datetime) -> list[Yes]:
        """Return what was said between two moments that are among the cuts."""
        return [one for one in self.yeses if start <= self.cuts[one.stretch] < end]

    def regretted(self, period: Period) -> Counter[int]:
        """Return how often a yes of a period was soon taken back, per wording."""
        start, end = bounds(period, zone())
        return Counter(
            one.wording
            for one in self.withdrawals
            if one.given_at
            and one.wording
            and start <= one.given_at < min(end, self.now - SOON)
            and one.at - one.given_at <= SOON
        )


def zone() -> ZoneInfo:
    return ZoneInfo(timezone.get_default_timezone_name())


def read(selection: Selection, purposes: Sequence[Purpose], now: datetime) -> Facts:
    """Read all that a selection needs; its filter is the key of a purpose."""
    wanted = selection.where.get("purpose")
    chosen = next((one.pk for one in purposes if one.key == wanted), None)
    period, compared = selection.period, selection.compared
    parts = stretches(compared, period)
    span = Period(parts[0].start, period.end)
    start, end = bounds(span, zone())
    cuts = _cuts([*parts, compared], now - SOON)
    in_use = {one.pk for one in purposes if one.archived_at is None}
    standing = queries.standing(now, EXPIRY, bounds(period, zone()), chosen)
    return Facts(
        selection=selection,
        now=now,
        purposes={one.pk: one for one in purposes},
        wordings=queries.wordings(),
        stretches=parts,
        asked=queries.asked(_lead_in(parts), period.end, chosen),
        cuts=cuts,
        yeses=queries.yeses(cuts, chosen),
        withdrawals=queries.withdrawals(start, end + SOON, chosen),
        standing=[one for one in standing if one.purpose in in_use],
        reach=queries.reach(now, chosen),
    )


def _cuts(parts: Sequence[Period], old: datetime) -> list[datetime]:
    """Return the moments at which a period begins or ends, and the one that parts old from new."""
    ends = {end for part in parts for end in bounds(part, zone())}
    return sorted({*ends, min(max(old, min(ends)), max(ends))})


def stretches(compared: Period, period: Period) -> list[Period]:
    """Cut both periods and what lies between them into weeks, or months if that is long.

    Weeks count back from the last day of a period, so that each period is made of whole ones if
    its length allows it; what is left stands first, shorter than a week.
    """
    if (period.end - compared.start).days > LONGEST_IN_WEEKS:
        before = split(compared.start, period.start, "month")
        return [*before, *split(period.start, period.end, "month")]
    return [*weeks_back(compared.start, period.start), *weeks_back(period.start, period.end)]


def weeks_back(start: date, end: date) -> list[Period]:
    found: list[Period] = []
    while start < end:
        first = max(end - WEEK, start)
        found.append(Period(first, end))
        end = first
    return found[::-1]


def in_months(parts: Sequence[Period]) -> bool:
    return max((part.end - part.start).days for part in parts) > WEEK.days


def together(parts: Sequence[Period]) -> int:
    """How many stretches are taken together for one point of a line."""
    return 3 if in_months(parts) else 4


def _lead_in(parts: Sequence[Period]) -> date:
    """Return from when on asks are read: the first points of a line need those before them."""
    return parts[0].start if in_months(parts) else parts[0].start - 3 * WEEK


def place_in(starts: Sequence[date], on: date) -> int:
    """Return the number of the stretch that a day is in, by the first days of all; below 0 before
    the first."""
    return bisect_right(starts, on) - 1


def totals(rows: Iterable[Asked]) -> tuple[int, int, int]:
    """Return how often was shown, ticked and confirmed."""
    found = list(rows)
    return (
        sum(one.shown for one in found),
        sum(one.ticked for one in found),
        sum(one.confirmed for one in found),
    )
