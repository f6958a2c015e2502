"""What a policy may be, which rules hold, and what the first one says."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from customers.dose_policy import (
    CHANNELS,
    CUSTOMER_TYPES,
    INVOLVEMENTS,
    KINDS,
    Asked,
    Ceiling,
    Cell,
    Limit,
    Policy,
    burden,
    every_ask,
    never_holds,
    problems,
)
from customers.models import Channel, ContactKind, CustomerType, Involvement
from customers.quiet_hours import Range
from customers.starting_policy import PARTS, quarter, starting_policy

DAY = timedelta(days=1)
START = starting_policy()
ALL = Cell()


def test_the_vocabulary_is_that_of_the_tables():
    assert set(KINDS) == set(ContactKind.values)
    assert set(CHANNELS) == set(Channel.values)
    assert set(CUSTOMER_TYPES) == set(CustomerType.values)
    assert set(INVOLVEMENTS) == set(Involvement.values)


def policy(*cells: Cell, **given) -> Policy:
    return Policy(version=1, cells=[ALL, *cells], **given)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param(
            policy(Cell(involvement="huge")),
            "cell huge · * · * · *: involvement 'huge' is not known; use one of low, medium, high",
            id="unknown involvement",
        ),
        pytest.param(
            policy(ceilings=[Ceiling(kinds=frozenset({"spam"}))]),
            "the policy: kind 'spam' is not known; use one of " + ", ".join(KINDS),
            id="unknown kind",
        ),
        pytest.param(
            policy(Cell("low", limits=[Limit(1, timedelta(0))])),
            "cell low · * · * · *: a window of 0:00:00 is not possible; "
            "give more than 0 and at most 3650 days",
            id="window of nothing",
        ),
        pytest.param(
            policy(Cell("low", limits=[Limit(-1, DAY)])),
            "cell low · * · * · *: a limit of -1 is not possible; "
            "0 means never, leave the limit out for none",
            id="negative limit",
        ),
        pytest.param(
            policy(ceilings=[Ceiling(gap=timedelta(0))]),
            "ceiling * · * · *: a gap of 0:00:00 is not possible; "
            "give more than 0 and at most 3650 days, or leave it out for none",
            id="gap of nothing",
        ),
        pytest.param(
            policy(Cell("low", limits=[Limit(1, DAY, "euros")])),
            "cell low · * · * · *: unit 'euros' is not known; use one of count, points",
            id="unknown unit",
        ),
        pytest.param(
            policy(quiet={"email": [Range(0, 0, 600), Range(0, 540, 700)]}),
            "quiet hours of email overlap on Mon 09:00 until Mon 10:00; "
            "let one end where the other begins",
            id="overlapping quiet hours",
        ),
        pytest.param(
            policy(quiet={"email": [Range(day, 0, 1440) for day in range(7)]}),
            "quiet hours of email leave no minute of the week open; leave some",
            id="always quiet",
        ),
        pytest.param(
            policy(quiet={"email": [Range(7, 0, 60)]}),
            "quiet hours of email: Range(weekday=7, start=0, end=60) is not possible; "
            "a range starts on a weekday (0 to 6) and ends within 24 hours",
            id="no such weekday",
        ),
        pytest.param(
            policy(quiet={"pigeon": []}),
            "quiet hours: channel 'pigeon' is not known; use one of email, sms, phone, web, ad",
            id="unknown channel",
        ),
        pytest.param(
            policy(points={"promotion": -1}),
            "points of promotion: -1 is not possible; give 0 or more",
            id="negative points",
        ),
        pytest.param(
            policy(Cell("low"), Cell("low")),
            "cell low · * · * · * stands there 2 times; keep one",
            id="twice the same",
        ),
        pytest.param(
            policy(Cell("low"), Cell(customer_type="lapsed")),
            "cell * · lapsed · * · * and cell low · * · * · * are equally specific for "
            "low · lapsed · email · promotion; "
            "add a cell for that combination, or make one of them wider",
            id="a tie",
        ),
        pytest.param(
            Policy(1, cells=[Cell(kind="promotion")]),
            "no cell says anything about low · contract · email · information; "
            "add one, if need be without limits",
            id="a gap in the policy",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(wrong, sentence):
    assert problems(wrong) == [sentence]


def test_the_starting_policy_is_sound_and_every_limit_of_it_can_matter():
    assert problems(START) == []
    assert never_holds(START) == []


@pytest.mark.parametrize("level", PARTS)
def test_each_kind_of_company_begins_with_a_sound_policy_no_larger_than_that_of_another(level):
    policy = starting_policy(level=level)
    assert problems(policy) == []
    assert never_holds(policy) == []
    for one, most in zip(policy.ceilings, START.ceilings, strict=True):
        assert [limit.most for limit in one.limits] <= [limit.most for limit in most.limits]
    for one, most in zip(policy.cells, START.cells, strict=True):
        assert [limit.most for limit in one.limits] <= [limit.most for limit in most.limits]


def test_where_buyers_care_less_one_person_hears_half_as_much():
    [month, week, day] = starting_policy(level="low").ceilings[0].limits
    assert (month.most, week.most, day.most) == (4, 1, 1)
    [month, week, day] = starting_policy(level="medium").ceilings[0].limits
    assert (month.most, week.most, day.most) == (6, 2, 1)


def test_a_tie_is_gone_with_a_cell_for_the_combination():
    assert problems(policy(Cell("low"), Cell("", "lapsed"), Cell("low", "lapsed"))) == []


def test_a_limit_under_a_lower_ceiling_is_told():
    cell = Cell("high", kind="promotion", limits=[Limit(5, 30 * DAY)])
    low = Ceiling(limits=[Limit(2, 30 * DAY)])
    assert never_holds(policy(cell, ceilings=[low])) == [(cell, cell.limits[0], low)]
    assert never_holds(policy(cell, ceilings=[Ceiling(limits=[Limit(5, 30 * DAY)])])) == []
    assert never_holds(policy(cell, ceilings=[Ceiling("lapsed", limits=low.limits)])) == []


def test_exactly_one_cell_holds_for_everything_whatever_the_order():
    shuffled = list(START.cells)
    Random(7).shuffle(shuffled)
    other = replace(START, cells=shuffled)
    asks = list(every_ask(START))
    assert len(asks) == 3 * 6 * 5 * 6
    for asked in asks:
        assert START.cell_for(asked) is not None
        assert START.cell_for(asked) == other.cell_for(asked)
        assert START.ceilings_for(asked) == other.ceilings_for(asked)


def test_a_contract_follows_regular_until_it_has_a_row_of_its_own():
    asked = Asked("high", "contract", "email", "promotion")
    assert START.cell_for(asked).limits == [Limit(8, 30 * DAY)]
    [ceiling] = [one for one in START.ceilings_for(asked) if one.customer_type]
    assert ceiling.customer_type == "regular"
    own = Cell("high", "contract", "email", "promotion", [Limit(1, DAY)])
    mine = Ceiling("contract", limits=[Limit(1, DAY)])
    with_own = replace(START, cells=[*START.cells, own], ceilings=[*START.ceilings, mine])
    assert with_own.cell_for(asked) == own
    assert [c for c in with_own.ceilings_for(asked) if c.customer_type] == [mine]


def most_emails(involvement: str, customer_type: str) -> int:
    cell = START.cell_for(Asked(involvement, customer_type, "email", "promotion"))
    return cell.limits[0].most


def test_more_involvement_and_better_customers_never_get_less():
    better = ("regular", "occasional", "one_time")
    for customer_type in better:
        row = [most_emails(one, customer_type) for one in ("high", "medium", "low")]
        assert row == sorted(row, reverse=True)
    for involvement in INVOLVEMENTS:
        column = [most_emails(involvement, one) for one in better]
        assert column == sorted(column, reverse=True)


@pytest.mark.parametrize(("emails", "texts"), [(8, 2), (4, 1), (3, 1), (2, 1), (1, 0), (0, 0)])
def test_a_quarter_is_rounded_down_but_not_to_nothing_where_two_mails_are_allowed(emails, texts):
    assert quarter(emails) == texts


def test_low_involvement_is_asked_for_a_thumb_and_nothing_more():
    for customer_type in CUSTOMER_TYPES:
        for kind in ("ask_nps", "ask_survey"):
            cell = START.cell_for(Asked("low", customer_type, "email", kind))
            assert [limit.most for limit in cell.limits] == [0]
        thumb = START.cell_for(Asked("low", customer_type, "web", "ask_thumb"))
        assert (thumb.gap, list(thumb.limits)) == (90 * DAY, [])


def test_every_question_field_and_permission_weighs():
    assert burden(2) == 2
    assert burden(2, questions=5) == 6
    assert burden(1, fields=2, permissions=1) == 4
    assert burden(0, questions=0) == 0
