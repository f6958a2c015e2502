"""May this customer be reached now: what a decision names, and the invariants it keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.dose_policy import KINDS, Ceiling, Cell, Limit, Policy
from customers.dosing import (
    Code,
    Hold,
    Outcome,
    PastContact,
    Profile,
    Wanted,
    bounds,
    decide,
    halved,
)
from customers.quiet_hours import Range
from customers.starting_policy import starting_policy
from customers.windows import Touch, fullest
from tests.makers import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = starting_policy()
PROMOTION = Wanted("email", "promotion", "email_marketing", 1, "low", 1, NOW)
NOOR = Profile("regular", AMSTERDAM)


def past(hours_ago: float, **given) -> PastContact:
    at = NOW - hours_ago * HOUR
    usual = {"id": round(hours_ago), "channel": "email", "kind": "promotion", "category": 1}
    more = {"purpose": "email_marketing", "points": 1, "from_at": at, "to_at": at}
    return PastContact(**usual | more | given)


def codes(verdict) -> list[str]:
    return [str(one.code) for one in verdict.reasons]


# -- One by one -----------------------------------------------------------------------------------


def test_nothing_in_the_way_is_a_yes_that_names_what_agreed():
    verdict = decide(PROMOTION, NOOR, [], START)
    assert (verdict.outcome, codes(verdict), verdict.next_allowed_at) == (Outcome.ALLOW, [], None)
    assert verdict.passed[0] == "cell low · regular · email · promotion"
    assert "ceiling regular · * · ad,ask_nps,ask_survey,information,promotion" in verdict.passed


def test_a_no_names_the_rule_the_window_what_is_used_what_blocks_and_the_date():
    verdict = decide(PROMOTION, NOOR, [past(480, id=4), past(288, id=9)], START)
    [reason] = verdict.reasons
    assert verdict.outcome == Outcome.DEFER
    assert (reason.code, reason.rule) == (
        Code.CAP_REACHED,
        "cell low · regular · email · promotion",
    )
    assert (reason.most, reason.used, reason.window) == (2, 2, 30 * DAY)
    assert reason.blocking == [4, 9]
    assert reason.scope.category == 1
    assert verdict.next_allowed_at == reason.frees_at == NOW - 480 * HOUR + 30 * DAY


def test_without_permission_nothing_else_matters_not_even_that_a_kind_is_exempt():
    refused = replace(NOOR, refusal="withdrawn")
    for kind in ("promotion", "service"):
        verdict = decide(replace(PROMOTION, kind=kind), refused, [], START)
        assert (verdict.outcome, codes(verdict)) == (Outcome.DENY, ["NO_PERMISSION"])
        assert verdict.reasons[0].detail == "withdrawn"
        assert verdict.next_allowed_at is None


def test_service_is_exempt_and_does_not_count():
    full = [past(n, kind="service") for n in range(1, 9)]
    service = replace(PROMOTION, kind="service", at=datetime(2026, 11, 25, 2, tzinfo=UTC))
    assert decide(service, NOOR, full, START).outcome == Outcome.EXEMPT
    assert decide(PROMOTION, NOOR, full, START).outcome == Outcome.ALLOW


def test_what_is_not_known_is_a_no():
    verdict = decide(PROMOTION, replace(NOOR, missing="time zone Mars/Base"), [], START)
    assert (verdict.outcome, codes(verdict)) == (Outcome.DENY, ["POLICY_INPUT_MISSING"])
    assert verdict.reasons[0].detail == "time zone Mars/Base"


def test_a_hold_stops_until_its_end_and_without_one_for_good():
    held = replace(NOOR, holds=[Hold("complaint", NOW + 5 * DAY)])
    verdict = decide(PROMOTION, held, [], START)
    assert (codes(verdict), verdict.reasons[0].detail) == (["HELD"], "complaint")
    assert (verdict.outcome, verdict.next_allowed_at) == (Outcome.DEFER, NOW + 5 * DAY)
    for_good = replace(NOOR, holds=[Hold("complaint", None)])
    assert decide(PROMOTION, for_good, [], START).outcome == Outcome.DENY


def test_a_pause_is_the_customers_own_wish_and_ends():
    verdict = decide(PROMOTION, replace(NOOR, paused_until=NOW + DAY), [], START)
    assert (codes(verdict), verdict.next_allowed_at) == (["PAUSED"], NOW + DAY)


def test_an_unhappy_answer_halves_what_is_allowed_until_it_is_over():
    three = [past(24 * n, category=n) for n in (9, 12, 15)]
    high = replace(PROMOTION, involvement="high", category=9)
    assert decide(high, NOOR, three, START).allows
    unhappy = replace(NOOR, holds=[Hold("unhappy", NOW + 10 * DAY, halves=True)])
    # 8 in 30 days become 4, 3 in 7 days 1; the one in a day becomes one in two.
    assert decide(high, unhappy, three, START).allows
    four = [*three, past(24 * 10, category=7)]
    verdict = decide(high, unhappy, four, START)
    [reason] = verdict.reasons
    assert (reason.most, reason.used) == (4, 4)
    # Room again when the hold ends, before anything leaves the window.
    assert verdict.next_allowed_at == NOW + 10 * DAY


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (Limit(8, DAY), Limit(4, DAY)),
        (Limit(3, DAY), Limit(1, DAY)),
        (Limit(1, DAY), Limit(1, 2 * DAY)),
        (Limit(0, DAY), Limit(0, DAY)),
    ],
)
def test_half_of_one_is_one_in_twice_the_time(limit, expected):
    assert halved(limit) == expected


def test_a_wish_and_a_promise_only_lower():
    # The promise is about the purpose that was agreed to, the wish about everything.
    other = past(40 * 24 - 300, purpose="other", category=8, kind="information")
    wish = decide(PROMOTION, replace(NOOR, monthly_limit=1), [other], START)
    assert [one.rule for one in wish.reasons] == ["own wish"]
    promised = replace(NOOR, promise=Limit(1, 30 * DAY))
    assert decide(PROMOTION, promised, [other], START).allows
    about = decide(PROMOTION, promised, [past(200, category=5)], START)
    assert [one.rule for one in about.reasons] == ["promise"]
    generous = replace(NOOR, monthly_limit=90, promise=Limit(90, DAY))
    full = decide(PROMOTION, generous, [past(480), past(288)], START)
    assert [one.rule for one in full.reasons] == ["cell low · regular · email · promotion"]


def test_a_gap_between_questions_covers_scores_and_surveys_together():
    nps = Wanted("email", "ask_nps", "satisfaction_survey", None, "medium", 2, NOW)
    asked = past(24 * 20, kind="ask_survey", category=None, purpose="satisfaction_survey", points=2)
    verdict = decide(nps, NOOR, [asked], START)
    assert codes(verdict) == ["GAP"]
    assert verdict.next_allowed_at == NOW + 10 * DAY


def test_never_has_no_date():
    nps = Wanted("email", "ask_nps", "satisfaction_survey", 1, "low", 2, NOW)
    verdict = decide(nps, NOOR, [], START)
    assert (verdict.outcome, codes(verdict)) == (Outcome.DENY, ["NEVER"])
    assert (verdict.reasons[0].most, verdict.next_allowed_at) == (0, None)


def test_quiet_hours_and_holidays_are_those_of_the_customers_clock():
    night = replace(PROMOTION, at=datetime(2026, 11, 24, 22, tzinfo=UTC))
    verdict = decide(night, NOOR, [], START)
    assert codes(verdict) == ["QUIET_HOURS"]
    assert verdict.next_allowed_at == datetime(2026, 11, 25, 6, tzinfo=UTC)
    new_york = replace(NOOR, zone=ZoneInfo("America/New_York"))
    assert decide(night, new_york, [], START).allows
    christmas = replace(PROMOTION, at=datetime(2026, 12, 25, 12, tzinfo=UTC))
    holidays = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
    verdict = decide(christmas, NOOR, [], START, holidays)
    assert codes(verdict) == ["HOLIDAY"]
    assert verdict.next_allowed_at == datetime(2026, 12, 27, 6, tzinfo=UTC)


def test_a_channel_without_quiet_hours_knows_no_holidays_either():
    web = Wanted("web", "ask_thumb", "satisfaction_survey", 1, "low", 1, NOW)
    assert decide(web, NOOR, [], START, frozenset({NOW.date()})).allows


def test_every_reason_is_named_at_once_and_the_date_is_after_all_of_them():
    busy = [past(2), past(290)]
    held = replace(NOOR, holds=[Hold("complaint", NOW + DAY)])
    verdict = decide(PROMOTION, held, busy, START)
    assert codes(verdict) == ["HELD", "CAP_REACHED", "CAP_REACHED"]
    assert verdict.next_allowed_at == NOW - 290 * HOUR + 30 * DAY


def test_what_was_reserved_for_later_this_week_counts_today():
    friday = past(-72, to_at=NOW + 96 * HOUR)
    yesterday, before = past(30, category=2), past(50, category=3)
    verdict = decide(PROMOTION, NOOR, [friday, yesterday, before], START)
    assert [(one.most, one.used) for one in verdict.reasons] == [(3, 3)]


# -- Whatever happens -----------------------------------------------------------------------------

moments = st.integers(-24 * 40, 24 * 3).map(lambda hours: NOW + hours * HOUR)
contacts = st.builds(
    lambda at, lease, channel, kind, category, points: (at, lease, channel, kind, category, points),
    moments,
    st.integers(0, 24),
    st.sampled_from(["email", "sms", "web"]),
    st.sampled_from(["promotion", "information", "service", "ask_thumb", "ask_nps"]),
    st.sampled_from([1, 2, None]),
    st.integers(0, 3),
)
histories = st.lists(contacts, max_size=10).map(
    lambda rows: [
        PastContact(n, channel, kind, category, "email_marketing", points, at, at + lease * HOUR)
        for n, (at, lease, channel, kind, category, points) in enumerate(rows)
    ]
)
asks = st.builds(
    Wanted,
    st.sampled_from(["email", "sms", "web"]),
    st.sampled_from(["promotion", "information", "ask_thumb", "ask_nps"]),
    st.just("email_marketing"),
    st.sampled_from([1, 2, None]),
    st.sampled_from(["low", "medium", "high"]),
    st.integers(0, 3),
    moments,
    st.integers(0, 12).map(lambda hours: hours * HOUR),
)
holds = st.builds(
    Hold, st.just("unhappy"), st.one_of(st.none(), moments), halves=st.booleans()
).filter(lambda hold: not (hold.halves and hold.until is None))
profiles = st.builds(
    Profile,
    st.sampled_from(["contract", "regular", "occasional", "one_time", "prospect", "lapsed"]),
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"]).map(ZoneInfo),
    st.sampled_from(["", "", "", "withdrawn"]),
    paused_until=st.one_of(st.none(), moments),
    monthly_limit=st.one_of(st.none(), st.integers(1, 4)),
    promise=st.one_of(st.none(), st.just(Limit(2, 30 * DAY))),
    holds=st.lists(holds, max_size=2),
)
HOLIDAYS = frozenset({date(2026, 11, 25), date(2026, 11, 1)})


def ask(wanted, profile, history, policy=START):
    return decide(wanted, profile, history, policy, HOLIDAYS)


@given(asks, profiles, histories)
def test_1_2_5_a_yes_leaves_every_window_of_every_rule_within_its_limit(wanted, profile, history):
    if not ask(wanted, profile, history).allows:
        return
    for bound in bounds(wanted, profile, history, START):
        limit = bound.at(wanted.at)
        new = Touch(99, wanted.at, wanted.at + wanted.lease, bound.weight)
        together = [*bound.touches, new]
        assert fullest(bound.touches, new, limit.window).used + new.weight <= limit.most
        # And no window that ends anywhere near holds more than it did or than it may.
        for end in {one.from_at for one in together} | {one.to_at for one in together}:
            inside = [
                one for one in together if one.from_at <= end and one.to_at > end - limit.window
            ]
            if new in inside:
                assert sum(one.weight for one in inside) <= limit.most


@given(asks, profiles, histories)
def test_3_no_yes_without_permission(wanted, profile, history):
    verdict = ask(wanted, replace(profile, refusal="none"), history)
    assert (verdict.outcome, codes(verdict)) == (Outcome.DENY, ["NO_PERMISSION"])


@given(asks, profiles, histories)
def test_4_no_yes_in_quiet_time(wanted, profile, history):
    if ask(wanted, profile, history).allows and wanted.channel == "email":
        local = wanted.at.astimezone(profile.zone)
        assert 7 <= local.hour < 22
        assert local.date() not in HOLIDAYS


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"])
def test_4_nor_on_the_days_on_which_a_clock_changes(day, zone):
    place = ZoneInfo(zone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    for quarter in range(4 * 24 * 3):
        wanted = replace(PROMOTION, at=start + quarter * timedelta(minutes=15))
        verdict = decide(wanted, replace(NOOR, zone=place), [], START)
        assert verdict.allows == (7 <= wanted.at.astimezone(place).hour < 22)


@given(asks, profiles, histories)
def test_8_the_same_again_is_the_same(wanted, profile, history):
    assert ask(wanted, profile, history) == ask(wanted, profile, list(reversed(history)))


@given(asks, profiles, histories)
def test_9_a_no_names_a_reason_and_what_is_used_can_be_recounted(wanted, profile, history):
    verdict = ask(wanted, profile, history)
    assert bool(verdict.reasons) == (not verdict.allows)
    known = {one.id: one for one in history}
    for reason in verdict.reasons:
        if reason.used is not None:
            blocking = [known[pk] for pk in reason.blocking]
            points = reason.unit == "points"
            assert reason.used == sum(one.points if points else 1 for one in blocking)
            assert reason.used + (wanted.points if points else 1) > reason.most


@given(asks, profiles, histories)
def test_10_the_date_is_tight(wanted, profile, history):
    when = ask(wanted, profile, history).next_allowed_at
    if when is None:
        return
    assert when > wanted.at
    assert ask(replace(wanted, at=when), profile, history).allows
    assert not ask(replace(wanted, at=when - timedelta(seconds=1)), profile, history).allows


@given(asks, profiles, histories)
def test_10_and_no_earlier_hour_would_do(wanted, profile, history):
    verdict = ask(wanted, profile, history)
    last = verdict.next_allowed_at or wanted.at + 8 * DAY
    if verdict.allows:
        return
    for hours in range(min(24 * 8, int((last - wanted.at) / HOUR))):
        assert not ask(replace(wanted, at=wanted.at + hours * HOUR), profile, history).allows


@given(asks, profiles, histories, st.data())
def test_13_letting_one_go_never_turns_a_yes_into_a_no(wanted, profile, history, data):
    if history and ask(wanted, profile, history).allows:
        gone = data.draw(st.sampled_from(history))
        assert ask(wanted, profile, [one for one in history if one is not gone]).allows


def raised(policy: Policy, by: int) -> Policy:
    def more(limits):
        return [replace(one, most=one.most + by) for one in limits]

    return replace(
        policy,
        cells=[replace(one, limits=more(one.limits), gap=None) for one in policy.cells],
        ceilings=[replace(one, limits=more(one.limits), gap=None) for one in policy.ceilings],
    )


@given(asks, profiles, histories, st.integers(0, 4))
def test_18_more_room_never_turns_a_yes_into_a_no(wanted, profile, history, by):
    if ask(wanted, profile, history).allows:
        assert ask(wanted, profile, history, raised(START, by)).allows


@given(asks, profiles, histories, st.integers(0, 400))
def test_21_rolling_windows_do_not_care_when_it_is(wanted, profile, history, days):
    # Without quiet hours, which do care.
    policy = replace(START, quiet={})

    def later(at):
        return at and at + days * DAY + timedelta(minutes=days)

    shifted = [replace(one, from_at=later(one.from_at), to_at=later(one.to_at)) for one in history]
    other = replace(
        profile,
        paused_until=later(profile.paused_until),
        holds=[replace(one, until=later(one.until)) for one in profile.holds],
    )
    here = decide(wanted, profile, history, policy)
    there = decide(replace(wanted, at=later(wanted.at)), other, shifted, policy)
    assert there.outcome == here.outcome
    assert there.next_allowed_at == later(here.next_allowed_at)


@given(asks, profiles, histories)
def test_21_another_zone_changes_quiet_hours_and_nothing_else(wanted, profile, history):
    policy = replace(START, quiet={})
    elsewhere = replace(profile, zone=ZoneInfo("Pacific/Auckland"))
    assert decide(wanted, profile, history, policy) == decide(wanted, elsewhere, history, policy)


@given(asks, profiles, histories, histories)
def test_22_two_histories_together_never_allow_more_than_one(wanted, profile, one, other):
    renumbered = [replace(contact, id=contact.id + 100) for contact in other]
    if ask(wanted, profile, one + renumbered).allows:
        assert ask(wanted, profile, one).allows


@given(asks, profiles, histories, st.integers(0, 1000))
def test_23_the_order_of_the_rules_does_not_matter(wanted, profile, history, seed):
    cells, ceilings = list(START.cells), list(START.ceilings)
    random = Random(seed)
    random.shuffle(cells)
    random.shuffle(ceilings)
    other = replace(START, cells=cells, ceilings=ceilings)
    assert ask(wanted, profile, history, other) == ask(wanted, profile, history)


@given(asks, profiles, histories, st.integers(0, 3))
def test_a_cell_never_raises_a_ceiling(wanted, profile, history, most):
    low = replace(START, ceilings=[Ceiling(limits=[Limit(most, 30 * DAY)])])
    free = replace(low, cells=[Cell()])
    if decide(wanted, profile, history, low).allows:
        assert decide(wanted, profile, history, free).allows
    counting = [one for one in history if one.kind != "service"]
    at_once = [
        one for one in counting if wanted.at - 30 * DAY < one.to_at and one.from_at <= wanted.at
    ]
    if len(at_once) >= most:
        assert not decide(wanted, profile, history, free).allows


def test_overlapping_ranges_of_quiet_hours_are_quiet_all_the_same():
    policy = replace(START, quiet={"email": [Range(1, 0, 900), Range(1, 600, 1000)]})
    verdict = decide(PROMOTION, NOOR, [], policy)
    assert verdict.next_allowed_at == datetime(2026, 11, 24, 15, 40, tzinfo=UTC)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "service"])
@pytest.mark.parametrize("channel", ["email", "web"])
def test_what_is_further_back_than_the_rules_look_does_not_matter(channel, kind):
    back = 2 * max(START.looks_back(channel, kind), timedelta(days=30))
    wanted = replace(PROMOTION, channel=channel, kind=kind)
    unhappy = replace(NOOR, holds=[Hold("unhappy", NOW + DAY, halves=True)])
    for involvement in ("medium", "high"):
        wanted = replace(wanted, involvement=involvement)
        older = [past(0, id=n, kind=one, channel=channel) for n, one in enumerate(KINDS)]
        older = [replace(one, from_at=NOW - back, to_at=NOW - back) for one in older]
        assert decide(wanted, unhappy, older, START) == decide(wanted, unhappy, [], START)
