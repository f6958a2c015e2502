"""What one policy says differently from another, and whether customers get less or more by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.policy_changes import What, changes
from customers.quiet_hours import Range
from customers.starting_policy import starting_policy

DAY = timedelta(days=1)
START = starting_policy()


def with_cell(**given):
    """The starting policy with another cell for regular customers and unimportant products."""
    key = ("low", "regular", "email", "promotion")
    cells = [replace(one, **given) if one.key == key else one for one in START.cells]
    return replace(START, cells=cells)


def told(after, before=START) -> list[tuple]:
    return [
        (str(one.what), str(one.effect), one.before, one.after) for one in changes(before, after)
    ]


def test_equal_policies_differ_in_nothing_whatever_their_order():
    turned = replace(START, version=2, cells=START.cells[::-1], ceilings=START.ceilings[::-1])
    assert changes(START, turned) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"limits": [Limit(1, 30 * DAY)]}, [("limit", "less", 2, 1)]),
        ({"limits": [Limit(3, 30 * DAY)]}, [("limit", "more", 2, 3)]),
        ({"limits": [Limit(0, 30 * DAY)]}, [("limit", "less", 2, 0)]),
        ({"limits": []}, [("limit", "more", 2, None)]),
        (
            {"limits": [Limit(2, 7 * DAY), Limit(2, 30 * DAY)]},
            [("limit", "less", None, 2)],
        ),
        ({"gap": 2 * DAY}, [("gap", "less", None, 2 * DAY)]),
        ({"per": "all"}, [("counted", "less", "category", "all")]),
    ],
)
def test_each_change_of_a_rule_is_told_with_what_it_does(given, expected):
    assert told(with_cell(**given)) == expected
    # And the way back does the opposite.
    turned = {"less": "more", "more": "less"}
    back = [(what, turned[effect], after, before) for what, effect, before, after in expected]
    assert told(START, with_cell(**given)) == back


def test_a_rule_that_comes_or_goes_is_told_by_its_limits():
    more = replace(START, cells=[*START.cells, Cell(kind="ad", channel="web", gap=DAY)])
    [change] = changes(START, more)
    assert (change.what, change.before, change.after) == (What.GAP, None, DAY)
    assert change.rule.key == ("", "", "web", "ad")


def test_quiet_hours_country_points_and_exempt_kinds_are_told():
    after = replace(
        START,
        quiet={**START.quiet, "email": [Range(0, 0, 60)]},
        country="",
        points={**START.points, "ad": 2},
        exempt=frozenset({"service", "ask_thumb"}),
    )
    assert told(after) == [
        ("quiet", "more", tuple(START.quiet["email"]), (Range(0, 0, 60),)),
        ("points", "less", 1, 2),
        ("country", "more", "NL", ""),
        ("exempt", "more", "False", "True"),
    ]
    assert told(replace(START, country="BE")) == [("country", "other", "NL", "BE")]
    assert told(START, replace(START, country="")) == [("country", "less", "", "NL")]


NARROW = Policy(1, cells=[Cell(), Cell(kind="ask_nps", limits=[Limit(1, 90 * DAY)], per="all")])


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (None, [("limit", "more", 1, None)]),
        (0, [("limit", "less", 1, 0)]),
        (1, []),
        (3, [("limit", "more", 1, 3)]),
    ],
    ids=["no limit", "never", "the same", "more"],
)
def test_an_exception_is_compared_with_the_wider_rule_that_held_before(most, expected):
    limits = [] if most is None else [Limit(most, 90 * DAY)]
    exception = Cell("high", kind="ask_nps", limits=limits, per="all")
    wider = replace(NARROW, cells=[*NARROW.cells, exception])
    assert told(wider, NARROW) == expected
    turned = {"less": "more", "more": "less"}
    back = [(what, turned[effect], after, before) for what, effect, before, after in expected]
    assert told(NARROW, wider) == back


def test_what_counts_by_itself_from_now_on_is_told_although_its_number_is_the_same():
    apart = Cell(channel="email", kind="ask_nps", limits=[Limit(1, 90 * DAY)], per="all")
    after = replace(NARROW, cells=[*NARROW.cells, apart])
    assert told(after, NARROW) == [("apart", "more", "False", "True")]
    assert told(NARROW, after) == [("apart", "less", "True", "False")]


def test_ceilings_of_contracts_are_compared_with_those_of_regular_customers_they_followed():
    def allowing(most: int) -> Ceiling:
        regular = next(one for one in START.ceilings if one.customer_type == "regular")
        return replace(regular, customer_type="contract", limits=[Limit(most, 30 * DAY)])

    after = replace(START, ceilings=[*START.ceilings, allowing(20)])
    assert told(after) == [
        ("limit", "more", 1, None),
        ("limit", "more", 3, None),
        ("limit", "more", 8, 20),
    ]


def test_quiet_hours_that_only_move_are_told_as_neither_less_nor_more():
    moved = tuple(Range(day, 8 * 60, 17 * 60) for day in range(7))
    after = replace(START, quiet={**START.quiet, "email": moved})
    assert told(after) == [("quiet", "other", tuple(START.quiet["email"]), moved)]
