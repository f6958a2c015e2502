"""What one policy says differently from another, and whether customers get less or more by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.dose_policy import Cell, Limit
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
        ("quiet", "more", 7 * 9 * 60, 60),
        ("points", "less", 1, 2),
        ("country", "more", "NL", ""),
        ("exempt", "more", "False", "True"),
    ]
    assert told(replace(START, country="BE")) == [("country", "other", "NL", "BE")]
    assert told(START, replace(START, country="")) == [("country", "less", "", "NL")]
