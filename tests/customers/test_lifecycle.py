"""Customer types: the order of the rules, every boundary, and what never changes the answer."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.lifecycle import (
    DOWNGRADE_AFTER,
    RANK,
    REASONS,
    Clocks,
    Reason,
    classify,
    percentile,
    pool_clocks,
    settle,
)

AT = date(2026, 6, 1)
CLOCKS = Clocks(interval=30, p80=95, p80_first=120)


def ago(*days: int) -> list[date]:
    """Purchase days, given as days before AT."""
    return sorted(AT - timedelta(days=n) for n in days)


def every(gap: int, *, gaps: int, last: int) -> list[date]:
    """Purchase days `gap` days apart, the last one `last` days before AT."""
    return ago(*(last + gap * n for n in range(gaps + 1)))


def type_of(days: Sequence[date], clocks: Clocks = CLOCKS, until: date | None = None) -> str:
    return classify(days, until, clocks, AT).type


SLOW = Clocks(interval=100, p80=1000, p80_first=1000)  # W = 400 days


@pytest.mark.parametrize(
    ("days", "until", "clocks", "expected"),
    [
        pytest.param([], None, CLOCKS, "prospect", id="nothing bought"),
        pytest.param(ago(0, -5), None, CLOCKS, "prospect", id="today and later do not count"),
        pytest.param(ago(1), None, CLOCKS, "one_time", id="bought yesterday"),
        pytest.param(ago(120), None, CLOCKS, "one_time", id="once, exactly P80 of first gaps"),
        pytest.param(ago(121), None, CLOCKS, "lapsed", id="once, one day past it"),
        pytest.param(ago(100, 95), None, CLOCKS, "occasional", id="twice, exactly P80"),
        pytest.param(ago(100, 96), None, CLOCKS, "lapsed", id="twice, one day past P80"),
        pytest.param(ago(400, 30, 20), None, CLOCKS, "occasional", id="third day too long ago"),
        pytest.param(ago(365, 30, 20), None, CLOCKS, "regular", id="third day 365 days ago"),
        pytest.param(ago(366, 30, 20), None, CLOCKS, "occasional", id="third day 366 days ago"),
        pytest.param(ago(400, 30, 20), None, SLOW, "regular", id="window of 4 intervals"),
        pytest.param(ago(401, 30, 20), None, SLOW, "occasional", id="just outside 4 intervals"),
        pytest.param(ago(20, 20, 20), None, CLOCKS, "one_time", id="one day thrice is one day"),
        pytest.param([], AT, CLOCKS, "contract", id="contract to the end of this day"),
        pytest.param([], ago(1)[0], CLOCKS, "prospect", id="contract ended yesterday"),
        pytest.param(ago(900), AT, CLOCKS, "contract", id="contract beats lapsed"),
        pytest.param(ago(900, 800, 700), None, CLOCKS, "lapsed", id="lapsed beats the rest"),
    ],
)
def test_first_matching_rule_gives_the_type(
    days: list[date], until: date | None, clocks: Clocks, expected: str
) -> None:
    assert classify(days, until, clocks, AT).type == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param(every(30, gaps=3, last=95), "regular", id="3 own gaps: P80"),
        pytest.param(every(30, gaps=3, last=96), "lapsed", id="3 own gaps: past P80"),
        pytest.param(every(30, gaps=4, last=60), "regular", id="4 own gaps: 2 x own median"),
        pytest.param(every(30, gaps=4, last=61), "lapsed", id="4 own gaps: past it"),
        pytest.param(every(2, gaps=4, last=47), "regular", id="kept at 0.5 x P80 = 47.5"),
        pytest.param(every(2, gaps=4, last=48), "lapsed", id="past 0.5 x P80"),
        pytest.param(every(120, gaps=4, last=190), "occasional", id="kept at 2 x P80 = 190"),
        pytest.param(every(120, gaps=4, last=191), "lapsed", id="past 2 x P80"),
    ],
)
def test_own_rhythm_decides_from_four_gaps_on(days: list[date], expected: str) -> None:
    assert type_of(days) == expected


@pytest.mark.parametrize(
    ("days", "until", "clocks", "reason"),
    [
        pytest.param([], AT, CLOCKS, Reason("contract", {"until": AT}), id="contract"),
        pytest.param([], None, CLOCKS, Reason("not_bought"), id="prospect"),
        pytest.param(
            ago(141, 140), None, CLOCKS, Reason("lapsed", {"since": 140, "within": 95}), id="lapsed"
        ),
        pytest.param(
            ago(140),
            None,
            CLOCKS,
            Reason("lapsed", {"since": 140, "within": 120}),
            id="lapsed after one purchase",
        ),
        pytest.param(
            ago(96, 95),
            None,
            Clocks(30, 94.6, 94.6),
            Reason("lapsed", {"since": 95, "within": 94}),
            id="a fraction of a day is rounded down",
        ),
        pytest.param(
            every(30, gaps=4, last=61),
            None,
            CLOCKS,
            Reason("lapsed_own", {"since": 61, "within": 60, "usual": 30}),
            id="lapsed by own rhythm",
        ),
        pytest.param(
            ago(500, 400),
            None,
            pool_clocks([], AT),
            Reason("lapsed_assumed", {"since": 400, "within": 365}),
            id="nobody measured 365",
        ),
        pytest.param(
            ago(29), None, CLOCKS, Reason("bought_once", {"on": date(2026, 5, 3)}), id="one_time"
        ),
        pytest.param(
            ago(400, 50, 40, 30),
            None,
            CLOCKS,
            Reason("bought_in_year", {"days": 3}),
            id="regular in a year",
        ),
        pytest.param(
            ago(399, 30, 20),
            None,
            SLOW,
            Reason("bought_in_window", {"days": 3, "window": 400}),
            id="regular in a longer window",
        ),
        pytest.param(ago(40, 30), None, CLOCKS, Reason("bought_twice"), id="twice"),
        pytest.param(
            ago(700, 600, 500, 80),
            None,
            CLOCKS,
            Reason("bought_on_days", {"days": 4}),
            id="occasional",
        ),
    ],
)
def test_the_reason_says_what_was_found(
    days: list[date], until: date | None, clocks: Clocks, reason: Reason
) -> None:
    found = classify(days, until, clocks, AT).reason
    assert found == reason
    assert REASONS[found.code] % found.values  # every placeholder is filled


def customers_with_gap(gap: int, count: int) -> list[list[date]]:
    return [every(gap, gaps=1, last=1)] * count


def test_49_gaps_are_too_few_and_50_are_enough() -> None:
    assert pool_clocks(customers_with_gap(7, 49), AT) == Clocks(90, 365, 365, False, False)
    assert pool_clocks(customers_with_gap(7, 50), AT) == Clocks(7, 7, 7)


def test_each_pool_is_judged_by_itself() -> None:
    """50 gaps of one customer measure I and P80, but are one first-to-second gap."""
    assert pool_clocks([every(7, gaps=50, last=1)], AT) == Clocks(7, 7, 365, True, False)


def test_first_gaps_are_only_those_between_first_and_second_day() -> None:
    """Second day after 10 days, third after 40: all gaps 10 and 40, first gaps 10."""
    clocks = pool_clocks([ago(51, 41, 1)] * 50, AT)
    assert clocks == Clocks(interval=25, p80=40, p80_first=10)


def test_a_purchase_on_the_day_itself_makes_no_gap() -> None:
    assert pool_clocks([ago(7, 0)] * 50, AT) == pool_clocks([], AT)


def test_customers_are_read_one_at_a_time() -> None:
    assert pool_clocks((days for days in customers_with_gap(3, 60)), AT) == Clocks(3, 3, 3)


def test_a_percentile_between_values_is_exact() -> None:
    """(n - 1) * 0.8 is not exact in floating point; the position here is 2 4/5."""
    assert percentile(Counter([0, 10, 20, 30, 40]), 80) == 32
    assert percentile(Counter([10, 20, 30, 40]), 80) == 34
    assert percentile(Counter([5]), 80) == 5


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=200), st.integers(0, 100))
def test_percentile_equals_numpy(gaps: list[int], percent: int) -> None:
    expected = numpy.percentile(gaps, percent, method="linear")
    assert percentile(Counter(gaps), percent) == pytest.approx(expected, rel=1e-12)


histories = st.lists(st.integers(-30, 1500), max_size=12)
all_clocks = st.builds(
    Clocks, st.floats(1, 400), st.floats(1, 800), st.floats(1, 800), st.booleans(), st.booleans()
)


@given(histories, st.none() | st.integers(-100, 100), all_clocks)
def test_everybody_has_exactly_one_known_type(
    days: list[int], until: int | None, clocks: Clocks
) -> None:
    contract_until = None if until is None else AT + timedelta(days=until)
    found = classify(ago(*days), contract_until, clocks, AT)
    assert found.type in RANK
    assert REASONS[found.reason.code] % found.reason.values


@given(histories, all_clocks, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(
    days: list[int], clocks: Clocks, chance: random.Random
) -> None:
    shuffled = ago(*days) * 2
    chance.shuffle(shuffled)
    assert classify(shuffled, None, clocks, AT) == classify(ago(*days), None, clocks, AT)


@given(histories, all_clocks, st.integers(-3000, 3000))
def test_shifting_all_days_changes_no_type(days: list[int], clocks: Clocks, shift: int) -> None:
    move = timedelta(days=shift)
    moved = classify([day + move for day in ago(*days)], None, clocks, AT + move)
    assert moved.type == type_of(ago(*days), clocks)


@given(st.lists(histories, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_customers_does_not_matter(
    customers: list[list[int]], chance: random.Random
) -> None:
    pools = [ago(*days) for days in customers]
    before = pool_clocks(pools, AT)
    chance.shuffle(pools)
    assert pool_clocks(pools, AT) == before


TODAY = AT
LONG_AGO = TODAY - DOWNGRADE_AFTER


def test_rank_is_the_order_for_ceilings() -> None:
    ranked = sorted(RANK, key=RANK.__getitem__, reverse=True)
    assert ranked == ["contract", "regular", "occasional", "one_time", "prospect", "lapsed"]


@pytest.mark.parametrize(
    ("stored", "computed", "lower_since", "expected"),
    [
        pytest.param("one_time", "regular", None, ("regular", None), id="up at once"),
        pytest.param("regular", "regular", LONG_AGO, ("regular", None), id="no longer lower"),
        pytest.param("regular", "lapsed", None, ("regular", TODAY), id="first lower day"),
        pytest.param(
            "regular",
            "lapsed",
            TODAY - timedelta(days=6),
            ("regular", TODAY - timedelta(days=6)),
            id="six days lower",
        ),
        pytest.param("regular", "lapsed", LONG_AGO, ("lapsed", None), id="seven days lower"),
        pytest.param("lapsed", "one_time", None, ("one_time", None), id="back from lapsed"),
        pytest.param("prospect", "lapsed", None, ("lapsed", None), id="prospect down at once"),
        pytest.param("prospect", "one_time", None, ("one_time", None), id="prospect up at once"),
        pytest.param("one_time", "prospect", None, ("one_time", TODAY), id="to prospect waits"),
    ],
)
def test_settle(
    stored: str, computed: str, lower_since: date | None, expected: tuple[str, date | None]
) -> None:
    assert settle(stored, computed, lower_since, TODAY) == expected


def test_the_clock_keeps_running_when_another_lower_type_is_computed() -> None:
    stored, since = "contract", None
    for night in range(7):
        computed = "occasional" if night < 3 else "lapsed"
        stored, since = settle(stored, computed, since, TODAY + timedelta(days=night))
        assert (stored, since) == ("contract", TODAY)
    assert settle(stored, "one_time", since, TODAY + timedelta(days=7)) == ("one_time", None)


@given(st.sampled_from(list(RANK)), st.sampled_from(list(RANK)), st.integers(0, 20))
def test_settling_twice_on_one_day_is_settling_once(
    stored: str, computed: str, days_lower: int
) -> None:
    once = settle(stored, computed, TODAY - timedelta(days=days_lower), TODAY)
    assert settle(once[0], computed, once[1], TODAY) == once
