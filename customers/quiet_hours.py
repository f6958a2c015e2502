"""Quiet hours: when nobody is disturbed, on the clock on their own wall.

Pure: standard library only. A range belongs to the weekday it starts on and may go on past
midnight. Holidays are quiet from midnight to midnight. An hour that a clock lives through twice is
quiet both times; a minute that no clock shows is never reached.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes
WEEK = 7 * DAY  # minutes
QUARTER = timedelta(minutes=15)

# Nothing is quiet for longer: the longest row of holidays and weekends is a good week.
LOOK_AHEAD = 60  # days


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Quiet from a minute of a weekday (Monday 0) until another minute, past 1,440 the next day."""

    weekday: int
    start: int
    end: int

    @property
    def minutes(self) -> Iterator[tuple[int, int]]:
        """The same as half-open stretches of minutes of the week, Monday 00:00 being 0."""
        first = self.weekday * DAY + self.start
        last = self.weekday * DAY + self.end
        yield first, min(last, WEEK)
        if last > WEEK:
            yield 0, last - WEEK


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nobody is disturbed: ranges of every week, and days."""

    ranges: Sequence[Range] = ()
    holidays: frozenset[date] = field(default=frozenset())

    def why(self, at: datetime, zone: ZoneInfo) -> str:
        """Return "holiday" or "hours" for a quiet moment, "" for an open one."""
        local = at.astimezone(zone)
        if local.date() in self.holidays:
            return "holiday"
        minute = local.weekday() * DAY + local.hour * 60 + local.minute
        return "hours" if any(a <= minute < b for a, b in stretches(self.ranges)) else ""

    def opens_at(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first open moment from `at` on (UTC), None if none comes."""
        if not self.why(at, zone):
            return at
        moments = (one for one in self._turns(at, zone) if one > at and not self.why(one, zone))
        return next(moments, None)

    def _turns(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield, in order, every moment at which something quiet may end."""
        ends = {0} | {end % DAY for one in self.ranges for _, end in one.minutes}
        first = at.astimezone(zone).date()
        for day in (first + timedelta(days=ahead) for ahead in range(LOOK_AHEAD)):
            yield from sorted(_moments(day, ends, zone))


def stretches(ranges: Iterable[Range]) -> list[tuple[int, int]]:
    """Return the quiet stretches of a week in order, in minutes."""
    return sorted(stretch for one in ranges for stretch in one.minutes)


def overlap(ranges: Iterable[Range]) -> tuple[int, int] | None:
    """Return the first stretch of the week that two ranges both have, None if there is none."""
    for (_, end), (start, other_end) in pairwise(stretches(ranges)):
        if start < end:
            return start, min(end, other_end)
    return None


def open_minutes(ranges: Iterable[Range]) -> int:
    """Return how many minutes of a week are not quiet; the ranges do not overlap."""
    return WEEK - sum(end - start for start, end in stretches(ranges))


def _moments(day: date, minutes: Iterable[int], zone: ZoneInfo) -> set[datetime]:
    """Return when a local day's clock shows these minutes, and any moment at which it may jump."""
    found = {
        datetime.combine(day, time(minute // 60, minute % 60, fold=fold), zone).astimezone(UTC)
        for minute in minutes
        for fold in (0, 1)
    }
    start, end = (
        datetime.combine(one, time(), zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    if end - start != timedelta(days=1):
        # Clocks jump on a quarter of an hour, in every zone.
        found |= {start + n * QUARTER for n in range((end - start) // QUARTER)}
    return found
