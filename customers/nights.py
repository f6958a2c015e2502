"""Quiet hours as people say them: a night of every day, and perhaps all weekend.

Pure: standard library only.
"""

from collections.abc import Sequence
from datetime import time

from customers.quiet_hours import DAY, Range


def ranges_of_night(start: time | None, end: time | None, weekends: bool) -> list[Range]:
    """Return the ranges of a night on each day, and with `weekends` from Friday night on."""
    if start is None or end is None:
        return [Range(5, 0, DAY), Range(6, 0, DAY)] if weekends else []
    first, last = (one.hour * 60 + one.minute for one in (start, end))
    if not weekends:
        later = last if last > first else last + DAY
        return [Range(day, first, later) for day in range(7)]
    weekend = [Range(5, 0, DAY), Range(6, 0, DAY)]
    if last > first:
        return [*(Range(day, first, last) for day in range(5)), *weekend]
    nights = [Range(day, first, last + DAY) for day in range(4)]
    morning = [Range(0, 0, last)] if last else []
    return [*nights, Range(4, first, DAY), *weekend, *morning]


def night_of(ranges: Sequence[Range]) -> tuple[time | None, time | None, bool] | None:
    """Return the night and whether weekends are quiet; None for ranges of another shape."""
    if not ranges:
        return None, None, False
    wanted = sorted(ranges)
    mondays = [(_time(one.start), _time(one.end % DAY)) for one in wanted if not one.weekday]
    for weekends in (False, True):
        for start, end in (*mondays, (None, None)):
            if sorted(ranges_of_night(start, end, weekends)) == wanted:
                return start, end, weekends
    return None


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)
