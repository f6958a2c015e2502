"""Periods: the calendar on one side, instants on the other."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.periods import (
    FIRST_DAY,
    KINDS,
    LAST_DAY,
    MAX_PERIODS,
    Period,
    PeriodError,
    bounds,
    enclosing,
    is_complete,
    previous,
    split,
    year_before,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# Zones that differ in what can go wrong: half hours, a day line, a clock that skips midnight.
ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "Europe/Amsterdam", "Asia/Kolkata", "Pacific/Auckland", "Africa/Cairo")
]

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))
kinds = st.sampled_from(KINDS)
zones = st.sampled_from(ZONES)


def period(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


def lines(periods: list[Period]) -> list[str]:
    return [f"{one.start} {one.end}" for one in periods]


def hours(one: Period, zone: ZoneInfo) -> float:
    start, end = bounds(one, zone)
    return (end - start) / timedelta(hours=1)


# A period


@pytest.mark.parametrize(
    ("start", "end"), [("2026-06-02", "2026-06-01"), ("2026-06-01", "2026-06-01")]
)
def test_a_period_without_a_day_is_refused(start, end):
    with pytest.raises(PeriodError) as refused:
        period(start, end)

    assert str(refused.value) == (
        f"The period from {start} to {end} holds no day: the end is the first day after the "
        "period. Choose an end later than the start."
    )


def test_a_period_error_is_a_value_error():
    assert issubclass(PeriodError, ValueError)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date.min, date(2026, 1, 1)),
        (date(2026, 1, 1), date.max),
        (FIRST_DAY - timedelta(days=1), date(2026, 1, 1)),
        (date(2026, 1, 1), LAST_DAY + timedelta(days=1)),
    ],
)
def test_a_day_outside_the_calendar_is_refused(start, end):
    with pytest.raises(PeriodError, match="Check the year"):
        Period(start, end)


def test_the_whole_calendar_is_a_period():
    assert Period(FIRST_DAY, LAST_DAY).end == LAST_DAY


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("day", [date.min, FIRST_DAY - timedelta(days=1), LAST_DAY, date.max])
def test_the_edges_of_the_calendar_give_a_period_error(kind, day):
    with pytest.raises(PeriodError):
        enclosing(day, kind)


def test_a_moment_is_not_a_day():
    # 22:30 UTC on 30 June is 1 July in Amsterdam: taking its date would count it in June.
    moment = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)

    with pytest.raises(PeriodError, match="whole local days"):
        Period(moment, moment + timedelta(days=1))
    with pytest.raises(PeriodError, match="whole local days"):
        enclosing(moment, "month")


# The calendar period around a day


@pytest.mark.parametrize(
    ("day", "kind", "start", "end"),
    [
        ("2026-06-15", "day", "2026-06-15", "2026-06-16"),
        ("2026-12-31", "day", "2026-12-31", "2027-01-01"),
        ("2026-06-15", "week", "2026-06-15", "2026-06-22"),
        ("2026-06-21", "week", "2026-06-15", "2026-06-22"),
        ("2026-06-14", "week", "2026-06-08", "2026-06-15"),
        ("2024-12-31", "week", "2024-12-30", "2025-01-06"),
        ("2027-01-03", "week", "2026-12-28", "2027-01-04"),
        ("2026-02-28", "month", "2026-02-01", "2026-03-01"),
        ("2024-02-29", "month", "2024-02-01", "2024-03-01"),
        ("2026-12-01", "month", "2026-12-01", "2027-01-01"),
        ("2026-01-31", "month", "2026-01-01", "2026-02-01"),
        ("2026-01-01", "quarter", "2026-01-01", "2026-04-01"),
        ("2026-03-31", "quarter", "2026-01-01", "2026-04-01"),
        ("2026-04-01", "quarter", "2026-04-01", "2026-07-01"),
        ("2026-09-30", "quarter", "2026-07-01", "2026-10-01"),
        ("2026-12-31", "quarter", "2026-10-01", "2027-01-01"),
        ("2026-06-15", "year", "2026-01-01", "2027-01-01"),
        ("2026-12-31", "year", "2026-01-01", "2027-01-01"),
    ],
)
def test_the_calendar_period_around_a_day(day, kind, start, end):
    assert enclosing(date.fromisoformat(day), kind) == period(start, end)


@given(days, kinds)
def test_a_day_lies_in_its_own_period_and_all_days_of_it_agree(day, kind):
    around = enclosing(day, kind)

    assert around.start <= day < around.end
    assert enclosing(around.start, kind) == around
    assert enclosing(around.end - timedelta(days=1), kind) == around
    assert enclosing(around.end, kind).start == around.end


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(PeriodError) as refused:
        enclosing(date(2026, 6, 15), "fortnight")

    assert str(refused.value) == (
        "'fortnight' is no kind of period. Choose one of day, week, month, quarter, year."
    )
    with pytest.raises(PeriodError):
        split(date(2026, 6, 15), date(2026, 6, 16), "fortnight")


# Splitting a range


@pytest.mark.parametrize(
    ("start", "end", "by", "expected"),
    [
        pytest.param(
            "2026-06-29",
            "2026-07-02",
            "day",
            ["2026-06-29 2026-06-30", "2026-06-30 2026-07-01", "2026-07-01 2026-07-02"],
            id="days",
        ),
        pytest.param(
            "2024-12-25",
            "2025-01-08",
            "week",
            ["2024-12-25 2024-12-30", "2024-12-30 2025-01-06", "2025-01-06 2025-01-08"],
            id="weeks over a year end, clipped on both sides",
        ),
        pytest.param(
            "2026-12-21",
            "2027-01-11",
            "week",
            ["2026-12-21 2026-12-28", "2026-12-28 2027-01-04", "2027-01-04 2027-01-11"],
            id="whole weeks over a year end (week 53)",
        ),
        pytest.param(
            "2026-01-15",
            "2026-03-02",
            "month",
            ["2026-01-15 2026-02-01", "2026-02-01 2026-03-01", "2026-03-01 2026-03-02"],
            id="months",
        ),
        pytest.param(
            "2026-02-10",
            "2026-07-01",
            "quarter",
            ["2026-02-10 2026-04-01", "2026-04-01 2026-07-01"],
            id="quarters",
        ),
        pytest.param(
            "2025-12-31",
            "2027-01-01",
            "year",
            ["2025-12-31 2026-01-01", "2026-01-01 2027-01-01"],
            id="years",
        ),
        pytest.param(
            "2026-06-10", "2026-06-20", "month", ["2026-06-10 2026-06-20"], id="inside one month"
        ),
    ],
)
def test_a_range_splits_into_clipped_calendar_periods(start, end, by, expected):
    assert lines(split(date.fromisoformat(start), date.fromisoformat(end), by)) == expected


@settings(max_examples=60, deadline=None)
@given(days, st.integers(1, 800), kinds)
def test_the_parts_of_a_range_follow_each_other_and_fill_it(start, length, kind):
    end = start + timedelta(days=length)
    parts = split(start, end, kind)

    assert (parts[0].start, parts[-1].end) == (start, end)
    assert all(one.end == following.start for one, following in pairwise(parts))
    assert all(part == enclosing(part.start, kind) for part in parts[1:-1])
    assert all(
        enclosing(part.start, kind) == enclosing(part.end - timedelta(days=1), kind)
        for part in parts
    )


@pytest.mark.parametrize("by", KINDS)
def test_an_empty_range_is_refused(by):
    with pytest.raises(PeriodError, match="holds no day"):
        split(date(2026, 6, 1), date(2026, 6, 1), by)


def test_as_many_periods_as_allowed_are_given():
    start = date(2000, 1, 1)

    assert len(split(start, start + timedelta(days=MAX_PERIODS), "day")) == MAX_PERIODS


def test_one_period_too_many_is_refused_with_a_way_out():
    start = date(2000, 1, 1)

    with pytest.raises(PeriodError) as refused:
        split(start, start + timedelta(days=MAX_PERIODS + 1), "day")

    assert str(refused.value) == (
        "The range from 2000-01-01 to 2027-05-20 by day has more than 10000 periods. "
        "Choose a shorter range or a longer kind of period."
    )


# The period before


@pytest.mark.parametrize(
    ("now", "before"),
    [
        pytest.param("2026-03-01 2026-03-02", "2026-02-28 2026-03-01", id="day"),
        pytest.param("2025-01-06 2025-01-13", "2024-12-30 2025-01-06", id="week over the year end"),
        pytest.param("2026-03-01 2026-04-01", "2026-02-01 2026-03-01", id="31 days after 28"),
        pytest.param("2026-01-01 2026-02-01", "2025-12-01 2026-01-01", id="January"),
        pytest.param("2026-02-01 2026-03-01", "2026-01-01 2026-02-01", id="28 days are a month"),
        pytest.param("2026-01-01 2026-04-01", "2025-10-01 2026-01-01", id="first quarter"),
        pytest.param("2026-07-01 2026-10-01", "2026-04-01 2026-07-01", id="92 days after 91"),
        pytest.param("2025-01-01 2026-01-01", "2024-01-01 2025-01-01", id="after a leap year"),
        pytest.param("2026-06-02 2026-06-09", "2026-05-26 2026-06-02", id="7 days from a Tuesday"),
        pytest.param("2026-06-01 2026-06-15", "2026-05-18 2026-06-01", id="a month so far"),
        pytest.param("2026-02-02 2026-03-02", "2026-01-05 2026-02-02", id="28 days, no month"),
        pytest.param("2026-01-01 2026-07-01", "2025-07-04 2026-01-01", id="half a year is no kind"),
    ],
)
def test_the_period_before(now, before):
    assert lines([previous(period(*now.split()))]) == [before]


@given(days, st.integers(1, 800))
def test_the_period_before_ends_where_this_one_starts(start, length):
    one = Period(start, start + timedelta(days=length))
    before = previous(one)

    assert before.end == one.start
    if all(one != enclosing(start, kind) for kind in KINDS):
        assert before.end - before.start == timedelta(days=length)


@given(days, kinds)
def test_the_period_before_a_calendar_period_is_of_the_same_kind(day, kind):
    one = enclosing(day, kind)

    assert previous(one) == enclosing(one.start - timedelta(days=1), kind)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        pytest.param("2026-03-01 2026-04-01", "2025-03-01 2025-04-01", id="March with March"),
        pytest.param("2024-02-01 2024-03-01", "2023-02-01 2023-03-01", id="out of a leap year"),
        pytest.param("2026-11-23 2026-11-30", "2025-11-24 2025-12-01", id="Monday with Monday"),
        pytest.param("2026-08-26 2026-11-25", "2025-08-27 2025-11-26", id="thirteen weeks"),
        pytest.param("2025-11-01 2026-11-25", "2023-11-04 2024-11-27", id="over a year: two back"),
        pytest.param("2025-01-01 2026-06-01", "2023-01-01 2024-06-01", id="17 months: two years"),
    ],
)
def test_the_same_stretch_of_a_year_before(now, before):
    assert lines([year_before(period(*now.split()))]) == [before]


@given(days, st.integers(1, 2000))
def test_a_year_before_is_as_long_and_shares_no_day(start, length):
    one = Period(start, start + timedelta(days=length))
    before = year_before(one)

    assert before.end <= one.start
    if not one.start.day == one.end.day == 1:
        assert before.end - before.start == one.end - one.start
        assert before.start.weekday() == one.start.weekday()


# Instants


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        *[("2026-03-28", 24), ("2026-03-29", 23), ("2026-03-30", 24)],
        *[("2026-10-24", 24), ("2026-10-25", 25), ("2026-10-26", 24)],
    ],
)
def test_days_have_their_real_hours_when_the_clock_changes(day, expected):
    assert hours(enclosing(date.fromisoformat(day), "day"), AMSTERDAM) == expected


def test_the_bounds_of_the_day_the_clock_goes_forward():
    assert bounds(period("2026-03-29", "2026-03-30"), AMSTERDAM) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    )


def test_the_bounds_of_the_day_the_clock_goes_back():
    assert bounds(period("2026-10-25", "2026-10-26"), AMSTERDAM) == (
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    )


def test_months_with_a_clock_change_are_an_hour_short_or_long():
    assert hours(period("2026-03-01", "2026-04-01"), AMSTERDAM) == 31 * 24 - 1
    assert hours(period("2026-10-01", "2026-11-01"), AMSTERDAM) == 31 * 24 + 1


def test_half_past_midnight_on_1_july_belongs_to_july():
    moment = datetime(2026, 7, 1, 0, 30, tzinfo=AMSTERDAM)
    june, july = split(date(2026, 6, 1), date(2026, 8, 1), "month")

    assert moment.astimezone(UTC) == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    start, end = bounds(july, AMSTERDAM)
    assert start <= moment < end
    start, end = bounds(june, AMSTERDAM)
    assert not start <= moment < end


def test_a_day_without_midnight_starts_with_its_first_instant():
    # In Cairo the clock went from 23:59 on 25 April 2024 straight to 01:00 on the 26th.
    start, end = bounds(period("2024-04-26", "2024-04-27"), ZoneInfo("Africa/Cairo"))

    assert start == datetime(2024, 4, 25, 22, tzinfo=UTC)
    assert end - start == timedelta(hours=23)


def test_bounds_are_given_in_utc():
    assert all(
        moment.tzinfo is UTC for moment in bounds(period("2026-06-01", "2026-06-02"), AMSTERDAM)
    )


@settings(max_examples=60, deadline=None)
@given(days, st.integers(1, 400), zones)
def test_the_instants_of_consecutive_periods_meet_and_match_the_local_day(start, length, zone):
    one = Period(start, start + timedelta(days=length))
    first, last = bounds(one, zone)

    assert bounds(previous(one), zone)[1] == first
    assert first.astimezone(zone).date() == one.start
    assert (last - timedelta(microseconds=1)).astimezone(zone).date() == one.end - timedelta(days=1)


# Over or not


@pytest.mark.parametrize(
    ("today", "complete"),
    [("2026-06-15", False), ("2026-06-30", False), ("2026-07-01", True), ("2026-08-01", True)],
)
def test_a_period_is_complete_once_its_last_day_is_over(today, complete):
    june = period("2026-06-01", "2026-07-01")

    assert is_complete(june, date.fromisoformat(today)) is complete
