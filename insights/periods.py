"""Days, weeks, months, quarters and years, as ranges of local calendar days.

A period is half-open: its first day is in it, its end day is not. So periods that follow each
other neither overlap nor leave a gap. Weeks start on Monday (ISO 8601); quarters in January,
April, July and October.

A period knows days, not instants. Only `bounds` turns it into instants, and only there does the
time zone matter: the day on which the clock goes forward has 23 hours, the one on which it goes
back 25.

Pure: standard library only, no Django, no clock (today is an argument), no I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from types import MappingProxyType
from zoneinfo import ZoneInfo

KINDS = ("day", "week", "month", "quarter", "year")

# Reports lie within these days. A year outside them is a typing error, and refusing it here keeps
# every calculation below inside what `date` can hold.
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(3000, 1, 1)

# 27 years of days: more than anybody reads, few enough to compute at once.
MAX_PERIODS = 10_000

_ONE_DAY = timedelta(days=1)
_FIFTY_TWO_WEEKS = timedelta(weeks=52)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class PeriodError(ValueError):
    """A range of days that cannot be reported on."""


@dataclass(frozen=True, slots=True)
class Period:
    """The local calendar days from `start` up to, but not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        _check_day(self.start)
        _check_day(self.end)
        if self.start >= self.end:
            raise PeriodError(
                f"The period from {self.start} to {self.end} holds no day: the end is the first "
                "day after the period. Choose an end later than the start."
            )


def enclosing(day: date, kind: str) -> Period:
    """Return the whole calendar period of this kind that contains `day`."""
    _check_day(day)
    if kind == "day":
        return Period(day, day + _ONE_DAY)
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(weeks=1))
    if kind not in _MONTHS:
        raise PeriodError(f"{kind!r} is no kind of period. Choose one of {', '.join(KINDS)}.")
    months = _MONTHS[kind]
    first = (day.month - 1) // months * months  # counted from 0, January
    return Period(_first_of_month(day.year, first), _first_of_month(day.year, first + months))


def split(start: date, end: date, by: str) -> list[Period]:
    """Cut the days from `start` up to `end` into consecutive calendar periods.

    The first and last are clipped to the range. Every period is listed, whether or not anything
    happened in it: an empty week is a fact too.
    """
    whole = Period(start, end)
    periods: list[Period] = []
    while start < whole.end:
        if len(periods) == MAX_PERIODS:
            raise PeriodError(
                f"The range from {whole.start} to {whole.end} by {by} has more than {MAX_PERIODS} "
                "periods. Choose a shorter range or a longer kind of period."
            )
        stop = min(enclosing(start, by).end, whole.end)
        periods.append(Period(start, stop))
        start = stop
    return periods


def previous(period: Period) -> Period:
    """Return the period to compare with: the one just before.

    For exactly one calendar day, week, month, quarter or year that is the calendar period before
    it (March with February, whatever their lengths). For any other range it is as many days.
    """
    for kind in KINDS:
        if period == enclosing(period.start, kind):
            return enclosing(period.start - _ONE_DAY, kind)
    return Period(period.start - (period.end - period.start), period.start)


def year_before(period: Period) -> Period:
    """Return the same stretch of the year before, or of more years if it is longer than one.

    Whole months keep their names (March with March); any other range lies 52 weeks earlier, so
    that it has the same days of the week. The two never overlap: no answer is on both sides.
    """
    if period.start.day == period.end.day == 1:
        first, last = (12 * day.year + day.month - 1 for day in (period.start, period.end))
        earlier = 12 * ceil((last - first) / 12)
        return Period(_first_of_month(0, first - earlier), _first_of_month(0, last - earlier))
    shift = ceil((period.end - period.start) / _FIFTY_TWO_WEEKS) * _FIFTY_TWO_WEEKS
    return Period(period.start - shift, period.end - shift)


# What a period may be compared with.
COMPARISONS: Mapping[str, Callable[[Period], Period]] = MappingProxyType(
    {"previous": previous, "year": year_before}
)


def bounds(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the period as half-open UTC instants: local midnight to local midnight.

    In Amsterdam July starts at 22:00 UTC on 30 June, so an answer at 00:30 local time on 1 July
    counts in July. Where the clock skips midnight, the day starts with its first instant.
    """
    return _midnight(period.start, zone), _midnight(period.end, zone)


def is_complete(period: Period, today: date) -> bool:
    """Say whether the period is over. `today` is the local day; it is itself still running."""
    return period.end <= today


def _check_day(day: date) -> None:
    # A datetime passes for a date in Python, and its day is often the UTC one: the wrong day.
    if isinstance(day, datetime):
        raise PeriodError(
            f"{day} is a moment, and a period is made of whole local days. "
            "Take its local date first."
        )
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PeriodError(
            f"{day} is outside the calendar from {FIRST_DAY} to {LAST_DAY}. Check the year."
        )


def _first_of_month(year: int, month: int) -> date:
    """Return the first day of a month counted from 0; 12 is January of the next year."""
    return date(year + month // 12, month % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
