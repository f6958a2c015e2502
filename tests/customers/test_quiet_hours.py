"""Quiet hours on the customer's own wall, on both days on which a clock changes too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.quiet_hours import WEEK, Quiet, Range, open_minutes, overlap, stretches

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHTS = tuple(Range(day, 22 * 60, 31 * 60) for day in range(7))


def local(text: str, fold: int = 0) -> datetime:
    """A moment on a clock in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM, fold=fold)


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-11-24 21:59", ""),
        ("2026-11-24 22:00", "hours"),
        ("2026-11-25 06:59", "hours"),
        ("2026-11-25 07:00", ""),
        ("2026-11-23 06:59", "hours"),
        ("2026-12-25 12:00", "holiday"),
    ],
)
def test_a_night_belongs_to_the_day_it_starts_on_and_passes_midnight_and_the_week(at, why):
    quiet = Quiet(NIGHTS, frozenset({date(2026, 12, 25)}))
    assert quiet.why(local(at), AMSTERDAM) == why


def test_it_opens_when_the_night_ends_and_after_the_holiday_and_its_night():
    quiet = Quiet(NIGHTS, frozenset({date(2026, 12, 25), date(2026, 12, 26)}))
    assert quiet.opens_at(local("2026-11-24 23:00"), AMSTERDAM) == local("2026-11-25 07:00")
    assert quiet.opens_at(local("2026-12-24 23:00"), AMSTERDAM) == local("2026-12-27 07:00")
    open_now = local("2026-11-24 12:00")
    assert quiet.opens_at(open_now, AMSTERDAM) == open_now


def test_the_same_moment_is_quiet_in_one_zone_and_open_in_another():
    at = local("2026-11-24 23:00")
    quiet = Quiet(NIGHTS)
    assert quiet.why(at, AMSTERDAM) == "hours"
    assert quiet.why(at, ZoneInfo("America/New_York")) == ""


def test_an_hour_that_comes_twice_is_quiet_twice():
    quiet = Quiet([Range(6, 120, 180)])
    first, second = local("2026-10-25 02:30"), local("2026-10-25 02:30", fold=1)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    assert [quiet.why(one, AMSTERDAM) for one in (first, second)] == ["hours", "hours"]
    assert quiet.opens_at(first, AMSTERDAM) == local("2026-10-25 03:00")


def test_quiet_that_ends_in_the_hour_that_never_comes_ends_when_the_clock_jumps():
    quiet = Quiet([Range(6, 0, 150)])
    opens = quiet.opens_at(local("2026-03-29 01:59"), AMSTERDAM)
    assert opens == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert opens.astimezone(AMSTERDAM) == local("2026-03-29 03:00")


def test_a_week_without_an_open_minute_never_opens():
    quiet = Quiet([Range(day, 0, 1440) for day in range(7)])
    assert quiet.opens_at(local("2026-11-24 12:00"), AMSTERDAM) is None


def test_all_day_on_weekends_and_evenings_on_weekdays_leave_monday_morning_open():
    ranges = [Range(5, 0, 1440), Range(6, 0, 1440)]
    ranges += [Range(day, 21 * 60, 33 * 60) for day in range(5)]
    assert overlap(ranges) == (5 * 1440, 5 * 1440 + 9 * 60)
    ranges[-1] = Range(4, 21 * 60, 24 * 60)
    assert overlap(ranges) is None
    assert stretches(ranges)[0] == (21 * 60, 33 * 60)
    assert not Quiet(ranges).why(local("2026-11-23 08:00"), AMSTERDAM)


ranges = st.builds(
    lambda day, start, length: Range(day, start, start + length),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
zones = st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC"])
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(st.lists(ranges, max_size=4), moments, zones)
def test_it_opens_at_the_first_minute_that_is_not_quiet(some, at, zone):
    quiet, place = Quiet(some), ZoneInfo(zone)
    opens = quiet.opens_at(at, place)
    minutes = (at + timedelta(minutes=n) for n in range(8 * 24 * 60))
    assert opens == next((one for one in minutes if not quiet.why(one, place)), None)


@given(st.lists(ranges, max_size=5))
def test_overlaps_are_found_by_counting_minutes(some):
    minutes = [m for one in some for a, b in one.minutes for m in range(a, b)]
    assert (overlap(some) is not None) == (len(minutes) != len(set(minutes)))
    if overlap(some) is None:
        assert open_minutes(some) == WEEK - len(minutes)
