"""What goes with what somebody bought: by hand, and properties that always hold."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailings.picks import Pick, bought_again, neighbours, picks

VACUUM, BAGS, MAT, LAMP = 1, 2, 3, 4


def pairs(*baskets: set[int]) -> list[tuple[int, int]]:
    return [(customer, one) for customer, basket in enumerate(baskets) for one in basket]


SHOP = pairs(*[{VACUUM, BAGS}] * 8, *[{MAT}] * 8, *[{MAT, LAMP}] * 4, {VACUUM, MAT})


def test_the_weight_is_that_of_the_formula():
    # 9 bought a vacuum cleaner, 8 of them bags, as 8 of all 21 did.
    expected = 8 / (9 + 5) * log((8 + 5) / (9 * 8 / 21 + 5))
    found = dict(neighbours(SHOP)[VACUUM])
    assert found[BAGS] == pytest.approx(expected)
    assert MAT not in found


def test_who_bought_a_vacuum_cleaner_is_shown_its_bags_and_why():
    shown = picks({VACUUM: 1}, neighbours(SHOP), again=frozenset(), popular=[MAT])
    assert shown[0] == Pick(BAGS, because=VACUUM)
    assert Pick(MAT, None) in shown
    assert VACUUM not in {one.product for one in shown}


@pytest.mark.parametrize(
    ("history", "again", "is_shown"),
    [
        ({VACUUM: 1, BAGS: 1}, frozenset(), False),
        ({VACUUM: 1, BAGS: 1}, frozenset({BAGS}), True),
        ({VACUUM: 1, BAGS: 2}, frozenset(), True),
    ],
)
def test_what_was_bought_once_and_is_needed_once_is_not_shown(history, again, is_shown):
    shown = picks(history, neighbours(SHOP), again=again, popular=[])
    assert (BAGS in {one.product for one in shown}) is is_shown


def test_a_pair_that_few_share_weighs_little():
    rare = pairs({LAMP, MAT}, *[{VACUUM}] * 98)
    often = pairs(*[{LAMP, MAT}] * 30, *[{VACUUM}] * 68)
    assert dict(neighbours(rare)[LAMP])[MAT] < 0.2 * dict(neighbours(often)[LAMP])[MAT]


def test_products_that_one_in_five_buyers_buy_again():
    days = {n: {BAGS: 2 if n < 2 else 1, VACUUM: 2 if n < 1 else 1} for n in range(10)}
    assert bought_again(days) == {BAGS}
    assert bought_again({}) == frozenset()


def test_who_bought_nothing_is_shown_what_is_popular():
    shown = picks({}, neighbours(SHOP), again=frozenset(), popular=[MAT, BAGS], most=1)
    assert shown == [Pick(MAT, None)]


def test_nothing_bought_by_anybody_has_no_neighbours():
    assert neighbours([]) == {}


bought = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 8)), max_size=60)


@given(bought)
def test_a_product_never_goes_with_itself_and_no_weight_is_below_zero(rows):
    for product, found in neighbours(rows).items():
        assert product not in dict(found)
        assert all(weight > 0 for _, weight in found)
        assert sorted((weight for _, weight in found), reverse=True) == [w for _, w in found]


@given(bought, st.dictionaries(st.integers(1, 8), st.integers(1, 3)), st.sets(st.integers(1, 8)))
def test_picks_are_distinct_few_enough_and_each_says_why(rows, history, again):
    shown = picks(history, neighbours(rows), again=frozenset(again), popular=range(1, 9), most=5)
    assert len({one.product for one in shown}) == len(shown) <= 5
    for one in shown:
        assert one.because is None or one.because in history
        assert history.get(one.product) != 1 or one.product in again


@given(bought)
def test_the_order_and_repetitions_of_rows_do_not_matter(rows):
    assert neighbours(rows) == neighbours([*reversed(rows), *rows])
