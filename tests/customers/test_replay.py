"""A policy replayed on the past: what it would have blocked, and what weighs from then on."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.dosing import Code, Outcome, PastContact, Profile, Wanted, decide
from customers.quiet_hours import Range
from customers.replay import Sent, replay
from customers.starting_policy import starting_policy
from tests.makers import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVER = NOW - 1000 * DAY
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = starting_policy()


def sent(day: float, **given) -> Sent:
    """A mail so many days after NOW; its id is ten times the day unless one is given."""
    usual = {"id": round(day * 10), "channel": "email", "kind": "promotion", "category": 1}
    more = {"points": 1, "customer_type": "regular", "involvement": "medium"}
    return Sent(**usual | more | {"at": NOW + day * DAY} | given)


def limited(*limits: Limit, gap: timedelta | None = None, **given) -> Policy:
    return Policy(1, cells=[Cell()], ceilings=[Ceiling(limits=limits, gap=gap)], **given)


def blocked(policy: Policy, *contacts: Sent, since=EVER, zone=AMSTERDAM, **given) -> list[int]:
    found = replay(policy, contacts, since=since, zone=zone, **given)
    return [one.contact.id for one in found]


TWO_A_WEEK = limited(Limit(2, 7 * DAY))

# -- One by one -----------------------------------------------------------------------------------


def test_what_is_blocked_names_the_outcome_the_first_reason_and_its_rule():
    [found] = replay(
        TWO_A_WEEK, [sent(0), sent(1), sent(2)], since=EVER, zone=ZoneInfo("Europe/Amsterdam")
    )
    assert found.contact.id == 20
    assert (found.outcome, found.code) == (Outcome.DEFER, Code.CAP_REACHED)
    assert found.rule == "ceiling * · * · *"


@pytest.mark.parametrize(
    ("policy", "days", "expected"),
    [
        pytest.param(Policy(1, cells=[Cell()]), [0, 0, 0.1], [], id="no limit"),
        pytest.param(limited(Limit(0, DAY)), [0, 5], [0, 50], id="never"),
        pytest.param(TWO_A_WEEK, [0, 1, 6.9], [69], id="the third in a week"),
        pytest.param(TWO_A_WEEK, [0, 1, 7], [], id="a week later to the second"),
        pytest.param(TWO_A_WEEK, [0, 1, 2, 3, 7], [20, 30], id="what was blocked weighs no later"),
        pytest.param(limited(gap=10 * DAY), [0, 6, 12], [60], id="nor in a gap"),
    ],
)
def test_the_contacts_are_decided_on_in_the_order_in_which_they_were_sent(policy, days, expected):
    contacts = [sent(day) for day in days]
    assert blocked(policy, *contacts) == expected
    assert blocked(policy, *reversed(contacts)) == expected


def test_what_was_sent_before_weighs_as_it_was_and_is_not_decided_on():
    contacts = [sent(day) for day in (-3, -2, -1, 0, 3, 5)]
    # Three within a week before: more than allowed, and none of them is blocked.
    assert blocked(TWO_A_WEEK, *contacts, since=NOW) == [0, 30]
    assert blocked(TWO_A_WEEK, *contacts[3:], since=NOW) == [50]


def test_of_two_at_the_same_moment_the_later_one_sees_the_earlier():
    assert blocked(limited(gap=DAY), sent(0, id=8), sent(0, id=5)) == [8]


def test_type_involvement_category_and_points_are_those_on_the_contact():
    cells = [Cell(), Cell("low", "lapsed", limits=[Limit(1, 30 * DAY)])]
    policy = Policy(1, cells=cells)
    low = {"involvement": "low", "customer_type": "lapsed"}
    assert blocked(policy, sent(0, **low), sent(1, **low)) == [10]
    assert blocked(policy, sent(0, **low), sent(1, **low, category=2)) == []
    assert blocked(policy, sent(0, **low), sent(1, **low | {"customer_type": "regular"})) == []
    assert blocked(policy, sent(0, **low), sent(1, **low | {"involvement": "high"})) == []
    points = limited(Limit(3, 30 * DAY, "points"))
    assert blocked(points, sent(0, points=2), sent(1, points=2), sent(2, points=1)) == [10]


def test_contracts_follow_the_row_of_regular_customers():
    policy = Policy(1, cells=[Cell(), Cell(customer_type="regular", limits=[Limit(0, DAY)])])
    assert blocked(policy, sent(0, customer_type="contract"), sent(1)) == [0, 10]


def test_quiet_hours_are_those_on_the_clock_of_the_customer():
    # NOW is 13:00 in Amsterdam and 7:00 in New York.
    morning = Policy(1, cells=[Cell()], quiet={"email": [Range(1, 6 * 60, 8 * 60)]})
    assert blocked(morning, sent(0)) == []
    assert blocked(morning, sent(0), zone=ZoneInfo("America/New_York")) == [0]
    [found] = replay(morning, [sent(0)], since=EVER, zone=ZoneInfo("America/New_York"))
    assert (found.code, found.rule) == (Code.QUIET_HOURS, "quiet hours email")


def test_holidays_are_quiet_where_the_channel_has_quiet_hours():
    policy = Policy(1, cells=[Cell()], quiet={"email": []})
    today = frozenset({date(2026, 11, 24)})
    assert blocked(policy, sent(0), sent(1), holidays=today) == [0]
    assert blocked(policy, sent(0, channel="web"), holidays=today) == []


def test_kinds_that_are_exempt_pass_and_do_not_weigh():
    service = [sent(day, kind="service") for day in (0, 0.1, 0.2)]
    assert blocked(TWO_A_WEEK, *service, sent(1), sent(2)) == []
    assert blocked(replace(TWO_A_WEEK, exempt=frozenset()), *service, sent(1)) == [2, 10]


def test_without_a_known_zone_only_what_is_exempt_passes():
    contacts = [sent(0), sent(1, kind="service")]
    [found] = replay(TWO_A_WEEK, contacts, since=EVER, zone=None)
    assert (found.contact.id, found.outcome, found.code) == (0, Outcome.DENY, Code.INPUT_MISSING)


def test_a_stricter_policy_may_let_through_what_a_milder_one_blocks():
    contacts = [sent(0), sent(6), sent(10)]
    assert blocked(limited(gap=10 * DAY), *contacts) == [60]
    assert blocked(limited(gap=5 * DAY), *contacts) == [100]


# -- Whatever the past ----------------------------------------------------------------------------

histories = st.lists(
    st.builds(
        dict,
        hour=st.integers(0, 24 * 90),
        channel=st.sampled_from(["email", "sms"]),
        kind=st.sampled_from(["promotion", "information", "service", "ask_thumb", "ask_nps"]),
        category=st.sampled_from([1, 2, None]),
        points=st.integers(0, 3),
        customer_type=st.sampled_from(["contract", "regular", "one_time", "lapsed"]),
        involvement=st.sampled_from(["low", "medium", "high"]),
    ),
    max_size=25,
).map(
    lambda rows: [
        Sent(id=at, at=NOW + one.pop("hour") * HOUR, **one) for at, one in enumerate(rows)
    ]
)
limits = st.lists(
    st.builds(Limit, st.integers(0, 3), st.integers(1, 24 * 40).map(lambda n: n * HOUR)),
    max_size=2,
)
policies = st.one_of(
    st.just(START),
    st.builds(
        lambda cell, kind, ceiling, gap: Policy(
            1,
            cells=[Cell(limits=cell), Cell(kind=kind, limits=ceiling)],
            ceilings=[Ceiling(limits=ceiling, gap=gap), Ceiling("regular", limits=cell)],
        ),
        limits,
        st.sampled_from(["promotion", "ask_nps"]),
        limits,
        st.one_of(st.none(), st.just(3 * DAY)),
    ),
)


def as_past(one: Sent) -> PastContact:
    at = {"from_at": one.at, "to_at": one.at}
    return PastContact(one.id, one.channel, one.kind, one.category, "", one.points, **at)


@given(histories)
def test_a_policy_that_allows_everything_blocks_nothing(contacts):
    assert blocked(Policy(1, cells=[Cell()]), *contacts) == []


@given(policies, histories)
def test_it_decides_like_every_decision_with_all_that_was_let_through_before(policy, contacts):
    let_through, expected = [], []
    for one in sorted(contacts, key=lambda one: (one.at, one.id)):
        wanted = Wanted(
            one.channel, one.kind, "", one.category, one.involvement, one.points, one.at
        )
        verdict = decide(wanted, Profile(one.customer_type, AMSTERDAM), let_through, policy)
        if verdict.allows:
            let_through.append(as_past(one))
        else:
            expected.append((one.id, verdict.reasons[0].code, verdict.reasons[0].rule))
    found = replay(policy, contacts, since=EVER, zone=AMSTERDAM)
    assert [(one.contact.id, one.code, one.rule) for one in found] == expected


@given(policies, histories)
def test_without_what_was_blocked_nothing_else_changes(policy, contacts):
    gone = set(blocked(policy, *contacts))
    kept = [one for one in contacts if one.id not in gone]
    assert blocked(policy, *kept) == []


@given(histories, st.integers(1, 4), st.integers(1, 24 * 20))
def test_what_is_let_through_keeps_the_limit_in_every_window(contacts, most, hours):
    policy = limited(Limit(most, hours * HOUR))
    gone = set(blocked(policy, *contacts))
    kept = [one for one in contacts if one.id not in gone and one.kind != "service"]
    for end in kept:
        inside = [one for one in kept if end.at - hours * HOUR < one.at <= end.at]
        assert len(inside) <= most


@given(histories, st.integers(0, 3), st.integers(1, 24 * 20))
def test_a_higher_limit_never_blocks_sooner(contacts, most, hours):
    lower = replay(limited(Limit(most, hours * HOUR)), contacts, since=EVER, zone=AMSTERDAM)
    higher = replay(limited(Limit(most + 1, hours * HOUR)), contacts, since=EVER, zone=AMSTERDAM)
    if higher:
        assert lower[0].contact.at <= higher[0].contact.at


@given(policies, histories, st.integers(0, 24 * 90))
def test_nothing_from_before_the_period_is_blocked(policy, contacts, hours):
    since = NOW + hours * HOUR
    found = replay(policy, contacts, since=since, zone=AMSTERDAM)
    assert all(one.contact.at >= since for one in found)
