"""The exact rolling rule, against looking at every window there is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.windows import Touch, earliest, fits, fullest, moved
from tests.makers import NOW

HOUR = timedelta(hours=1)


def touch(start: int, end: int | None = None, *, id: int = 0, weight: int = 1) -> Touch:
    """A touch from an hour to an hour, counted from NOW."""
    return Touch(id, NOW + start * HOUR, NOW + (start if end is None else end) * HOUR, weight)


@pytest.mark.parametrize(
    ("others", "allowed"),
    [
        pytest.param([], True, id="nobody"),
        pytest.param([-1], True, id="one of two"),
        pytest.param([-1, -2], False, id="two of two, behind"),
        pytest.param([-1, -24], True, id="exactly one window ago is outside"),
        pytest.param([1, 2], False, id="two of two, planned"),
        pytest.param([-12, 11], False, id="one behind and one planned in one window"),
        pytest.param([-12, 12], True, id="one behind and one planned, a whole window apart"),
    ],
)
def test_at_most_two_in_any_day_behind_ahead_and_around(others, allowed):
    assert fits([touch(hour) for hour in others], touch(0), 24 * HOUR, 2) is allowed


def test_a_reservation_counts_where_it_hurts_most():
    reserved = touch(-30, -20)
    assert not fits([reserved], touch(0), 24 * HOUR, 1)
    assert fits([reserved], touch(4), 24 * HOUR, 1)
    # And a new one with a lease may be used at its end.
    assert not fits([touch(30)], touch(0, 10), 24 * HOUR, 1)
    assert fits([touch(34)], touch(0, 10), 24 * HOUR, 1)


def test_the_fullest_window_names_what_lies_in_it_in_order():
    others = [touch(-1, id=7), touch(-3, id=5, weight=2), touch(-30, id=3)]
    found = fullest(others, touch(0), 24 * HOUR)
    assert (found.used, found.blocking) == (3, [5, 7])


def test_it_frees_when_something_leaves_the_window():
    others = [touch(-20), touch(-10)]
    assert earliest(others, touch(0), 24 * HOUR, 2) == NOW + 4 * HOUR
    assert earliest(others, touch(0), 24 * HOUR, 1) == NOW + 14 * HOUR
    assert earliest(others, touch(0), 24 * HOUR, 0) is None


spans = st.tuples(st.integers(-40, 40), st.integers(0, 6), st.integers(0, 3)).map(
    lambda one: touch(one[0], one[0] + one[1], weight=one[2])
)
histories = st.lists(spans, max_size=8)
windows = st.integers(1, 30)


def by_hand(touches, new, window: int) -> int:
    """The heaviest window of so many hours that the new touch may lie in, trying them all."""
    at = [(round((one.from_at - NOW) / HOUR), round((one.to_at - NOW) / HOUR)) for one in touches]
    start, end = round((new.from_at - NOW) / HOUR), round((new.to_at - NOW) / HOUR)
    return max(
        sum(
            touches[i].weight
            for i, (a, b) in enumerate(at)
            if any(last - window < when <= last for when in range(a, b + 1))
        )
        for last in range(start, end + window)
    )


@given(histories, spans, windows)
def test_the_fullest_window_is_the_one_that_trying_all_finds(touches, new, window):
    assert fullest(touches, new, window * HOUR).used == by_hand(touches, new, window)


@given(histories, spans, windows, st.integers(0, 8))
def test_the_earliest_moment_is_tight(touches, new, window, most):
    found = earliest(touches, new, window * HOUR, most)
    later = (moved(new, new.from_at + n * HOUR) for n in range(120))
    first = next((one for one in later if fits(touches, one, window * HOUR, most)), None)
    assert found == (first.from_at if first else None)
    if found and found > new.from_at:
        just_before = moved(new, found - timedelta(microseconds=1))
        assert not fits(touches, just_before, window * HOUR, most)


@given(histories, spans, windows, st.integers(-100_000, 100_000))
def test_shifting_all_times_changes_nothing(touches, new, window, minutes):
    by = timedelta(minutes=minutes)
    shifted = [moved(one, one.from_at + by) for one in touches]
    there = fullest(shifted, moved(new, new.from_at + by), window * HOUR)
    assert there == fullest(touches, new, window * HOUR)


@given(histories, spans, windows)
def test_what_is_gone_or_let_go_never_makes_it_fuller(touches, new, window):
    before = fullest(touches, new, window * HOUR).used
    for i in range(len(touches)):
        rest = touches[:i] + touches[i + 1 :]
        assert fullest(rest, new, window * HOUR).used <= before
