"""A policy replayed on stored contacts: what is counted, and what came with it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from customers.consent import Actor, State
from customers.dose_documents import PolicyRefused, digest_of
from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.dosing import Code
from customers.models import ContactStatus, Customer, CustomerMerge
from customers.starting_policy import starting_policy
from insights import backtest as module
from insights.backtest import Part, backtest
from insights.dose_outcomes import OUTCOMES, THUMBS_DOWN, followed, share
from insights.kpis import KPIS, figure
from insights.periods import Period
from tests.insights.makers import NOW, give, local
from tests.makers import (
    a_purchase,
    make_asked_purpose,
    make_contact,
    make_customer,
    make_purpose,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
LATER = NOW + 60 * DAY
ONE_A_WEEK = Policy(1, cells=[Cell()], ceilings=[Ceiling(limits=[Limit(1, 7 * DAY)])])


def on(day: int, hour: int = 12, month: int = 11):
    return local(date(2026, month, day), hour)


def regular(**given):
    return make_customer(**{"customer_type": "regular"} | given)


def mailed(*days: int, customer=None, **given):
    """A customer who was mailed at noon on these days of November."""
    customer = customer or regular()
    for day in days:
        make_contact(customer, on(day), **given)
    return customer


def found(policy: Policy = ONE_A_WEEK, period: Period = NOVEMBER, now=LATER):
    return backtest(policy, period, now)


def opts_out(customer, at, **given):
    given = {"state": State.WITHDRAWN, "address": "noor@example.org"} | given
    return record(customer, occurred_at=at, **given)


FILLERS = 5


def came(outcome: str, now=LATER) -> tuple[int, int, int, int]:
    """How many of the blocked contacts it came with, and of the others: (came, n, came, n).

    Shares of fewer than five are not told, so five customers are added with whom nothing came.
    """
    if not Customer.objects.filter(reference__startswith="filler").exists():
        for number in range(FILLERS):
            mailed(2, 4, customer=regular(reference=f"filler-{number}"))
    pair = found(now=now).came_with[outcome]
    return (
        pair.blocked.count,
        pair.blocked.n - FILLERS,
        pair.kept.count,
        pair.kept.n - FILLERS,
    )


# -- The contacts ---------------------------------------------------------------------------------


def test_what_is_blocked_is_counted_by_rule_type_and_kind():
    mailed(2, 4, 6, 20)
    mailed(2, 4, customer=regular(customer_type="lapsed"), kind="ask_nps")
    result = found()
    assert (result.sent, result.blocked, result.exempt) == (6, 3, 0)
    assert result.by_rule == {"ceiling * · * · *": 3}
    assert result.by_customer_type == {"lapsed": Part(2, 1), "regular": Part(4, 2)}
    assert result.by_kind == {"ask_nps": Part(2, 1), "promotion": Part(4, 2)}
    assert (result.touched, result.reached_before, result.reached_after) == (2, 2, 2)
    assert result.digest == digest_of(ONE_A_WEEK)


def test_a_period_is_of_local_days_the_last_one_left_out():
    customer = regular()
    for moment in (on(1, 0), on(30, 23), on(31, 23, 10), on(1, 0, 12)):
        make_contact(customer, moment)
    assert found().sent == 2


def test_contacts_from_before_weigh_and_are_not_counted():
    customer = regular()
    make_contact(customer, on(28, month=10))
    mailed(2, customer=customer)
    assert (found().sent, found().blocked) == (1, 1)


@pytest.mark.parametrize(
    ("status", "weighs"),
    [("sent", True), ("sent_late", True), ("failed", False), ("released", False)],
)
def test_only_what_was_sent_is_replayed(status, weighs):
    moment = {} if weighs else {"sent_at": None}
    customer = regular()
    make_contact(customer, on(2), status=ContactStatus(status), **moment)
    mailed(3, customer=customer)
    result = found()
    assert (result.sent, result.blocked) == ((2, 1) if weighs else (1, 0))


def test_the_type_is_that_on_the_contact_not_that_of_today():
    customer = mailed(2, 3)
    customer.customer_type = "lapsed"
    customer.save()
    assert found().by_customer_type == {"regular": Part(2, 1)}


def test_quiet_hours_and_unknown_zones_are_those_of_the_customer():
    night = Policy(1, cells=[Cell()], quiet=starting_policy().quiet)
    for zone in ("", "America/New_York", "Mars/Olympus"):
        make_contact(regular(time_zone=zone), on(3, 8))
    assert found(night).by_rule == {str(Code.INPUT_MISSING): 1, "quiet hours email": 1}


def test_holidays_of_every_year_of_the_period_count():
    policy = Policy(1, cells=[Cell()], quiet={"email": []}, country="NL")
    for day in (date(2025, 12, 25), date(2026, 1, 1), date(2026, 12, 25), date(2026, 3, 3)):
        make_contact(regular(), local(day))
    result = found(policy, Period(date(2025, 1, 1), date(2027, 1, 1)))
    assert (result.sent, result.by_rule) == (4, {"quiet hours email": 3})


def test_a_country_whose_holidays_are_not_known_is_refused():
    with pytest.raises(PolicyRefused, match="the holidays of 'XX' are not known; use a code"):
        found(replace(ONE_A_WEEK, country="XX"))


def test_exempt_kinds_pass_and_are_counted_apart():
    customer = mailed(2, 3, 4, kind="service")
    mailed(5, customer=customer)
    result = found()
    assert (result.sent, result.exempt, result.blocked) == (4, 3, 0)
    assert result.messages_before == {1: 1}


def test_whoever_got_only_what_is_exempt_is_no_customer_reached():
    mailed(2, 3, kind="service")
    result = found()
    assert (result.reached_before, result.reached_after, result.messages) == (0, 0, [])


def test_customers_come_in_batches_and_the_counts_are_the_same(monkeypatch):
    for _ in range(5):
        mailed(2, 3, 20)
    whole = found()
    for size in (1, 2, 5):
        monkeypatch.setattr(module, "BATCH", size)
        assert found() == whole
    assert (whole.sent, whole.blocked, whole.touched) == (15, 5, 5)


# -- Messages -------------------------------------------------------------------------------------


def test_the_most_in_thirty_days_before_and_after():
    mailed(2, 3, 4, 5, 6, 7)
    mailed(2, 20)
    result = found()
    assert (result.messages_before, result.messages_after) == ({2: 1, 6: 1}, {1: 1, 2: 1})
    assert (result.many_before, result.many_after) == (1, 0)
    assert result.messages == [
        ("0", 0, 0), ("1", 0, 1), ("2", 1, 1), ("3", 0, 0), ("4", 0, 0), ("5", 0, 0), ("6", 1, 0),
    ]  # fmt: skip


def test_thirty_days_that_end_in_the_period_hold_what_was_sent_before_it():
    customer = regular()
    for day in (2, 20, 25):
        make_contact(customer, on(day, month=10))
    mailed(10, customer=customer)
    # Thirty days before 10 November is 11 October.
    assert found(Policy(1, cells=[Cell()])).messages_before == {3: 1}


def test_eight_and_more_are_told_together():
    mailed(*range(1, 13))
    mailed(*range(1, 9))
    result = found(Policy(1, cells=[Cell()]))
    assert result.messages[-1] == ("8+", 2, 2)
    assert result.many_after == 2


def test_whom_a_policy_reaches_no_more_has_none():
    mailed(2)
    never = replace(ONE_A_WEEK, ceilings=[Ceiling(limits=[Limit(0, DAY)])])
    result = found(never)
    assert (result.reached_before, result.reached_after) == (1, 0)
    assert result.messages_after == {0: 1}


def test_what_could_have_gone_later_is_told_apart():
    mailed(2, 4, kind="ask_nps")
    mailed(2, 4)
    never = Cell(kind="promotion", limits=[Limit(0, DAY)])
    result = found(replace(ONE_A_WEEK, cells=[Cell(), never]))
    assert (result.blocked, result.deferred) == (3, 1)


# -- What came with them --------------------------------------------------------------------------


def test_an_event_belongs_to_the_latest_contact_before_it_alone():
    customer = mailed(2, 4, 20)
    opts_out(customer, on(5))
    assert came("opt_outs") == (1, 1, 0, 2)
    opts_out(customer, on(3), purpose=make_purpose())
    assert came("opt_outs") == (1, 1, 1, 2)


@pytest.mark.parametrize(("after", "counts"), [(timedelta(0), 0), (HOUR, 1), (7 * DAY, 1)])
def test_it_comes_after_the_contact_within_seven_days(after, counts):
    opts_out(mailed(2), on(2) + after)
    assert came("opt_outs") == (0, 0, counts, 1)


def test_after_more_than_seven_days_it_belongs_to_none():
    opts_out(mailed(2), on(2) + 7 * DAY + timedelta(seconds=1))
    assert came("opt_outs") == (0, 0, 0, 1)


def test_what_follows_a_contact_after_the_period_belongs_to_that_one():
    customer = mailed(29)
    make_contact(customer, on(1, 12, month=12))
    opts_out(customer, on(2, month=12))
    assert came("opt_outs") == (0, 0, 0, 1)


def test_messages_of_service_do_not_take_over_what_came_after():
    customer = mailed(2)
    mailed(3, customer=customer, kind="service")
    opts_out(customer, on(4))
    assert came("opt_outs") == (0, 0, 1, 1)


def test_a_contact_counts_once_however_much_came_after_it():
    customer = mailed(2)
    for hour in (13, 14):
        stored(a_purchase(customer=customer, purchased_at=on(3, hour)))
    assert came("purchases") == (0, 0, 1, 1)


def test_returns_and_samples_are_no_purchases():
    customer = mailed(2)
    stored(a_purchase(customer=customer, purchased_at=on(3), quantity=-1))
    stored(a_purchase(customer=customer, purchased_at=on(3), price=0))
    assert came("purchases") == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("scale", "value", "unhappy"),
    [
        ("thumb", 0, 1), ("thumb", 1, 0), ("nps", 6, 1), ("nps", 7, 0),
        ("csat", 2, 1), ("csat", 3, 0), ("ces", 3, 1), ("ces", 4, 0),
    ],
)  # fmt: skip
def test_an_answer_is_unhappy_in_the_lowest_band_of_its_scale(scale, value, unhappy):
    give(scale, [value], at=on(3), customer=mailed(2))
    assert came(THUMBS_DOWN) == (0, 0, unhappy, 1)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"state": State.WITHDRAWN}, 1),
        ({"state": State.OBJECTED}, 1),
        ({"state": State.WITHDRAWN, "actor": Actor.ADMIN, "actor_id": "7", "evidence": "rang"}, 1),
        ({"state": State.STALE, "actor": Actor.SYSTEM}, 0),
        ({"state": State.RENEWED}, 0),
    ],
)
def test_an_opt_out_is_what_the_customer_took_back_or_objected_to(given, counts):
    customer = mailed(2, customer=regular(email="noor@example.org"))
    purpose = make_asked_purpose()
    opts_out(customer, on(1), state=State.GIVEN, purpose=purpose)
    opts_out(customer, on(3), purpose=purpose, **given)
    assert came("opt_outs") == (0, 0, counts, 1)


def test_an_opt_out_of_a_merged_record_belongs_to_the_one_it_became():
    old, middle, customer = regular(), regular(), mailed(2)
    opts_out(old, on(3))
    for absorbed, survivor in ((old, middle), (middle, customer)):
        stored(
            CustomerMerge(
                survivor=survivor, absorbed=absorbed, reason="twice", merged_by="7", merged_at=NOW
            )
        )
    assert came("opt_outs") == (0, 0, 1, 1)


def test_what_others_did_belongs_to_nobody_else():
    mailed(2)
    opts_out(mailed(25), on(3))
    assert came("opt_outs") == (0, 0, 0, 2)


def test_a_contact_whose_week_is_not_over_is_left_out():
    mailed(2, 17, 18)
    # At noon of the 24th, seven days after the 17th.
    assert came("opt_outs", now=on(24)) == (0, 0, 0, 2)


def test_shares_are_those_of_every_other_page_and_hidden_below_five():
    shown = share(3, 40)
    same = figure(KPIS["thumbs"], {"up": 3, "down": 37})
    assert (shown.count, shown.share, shown.low, shown.high) == (
        3, same.value, same.low, same.high,
    )  # fmt: skip
    assert share(1, 4).count is share(1, 4).share is share(1, 4).low is None
    assert (share(0, 0).n, share(0, 0).share) == (0, None)
    assert share(0, 5).share == 0


def test_from_five_contacts_on_shares_are_told():
    for _ in range(5):
        customer = mailed(2, 4)
        opts_out(customer, on(5))
    mailed(2, 4)
    pair = found().came_with["opt_outs"]
    assert (pair.blocked.n, pair.blocked.count) == (6, 5)
    assert (pair.kept.n, pair.kept.count, pair.kept.share) == (6, 0, 0)
    assert tuple(found().came_with) == OUTCOMES


def test_followed_gives_each_event_to_one_contact():
    times = [NOW, NOW + DAY, NOW + DAY, NOW + 20 * DAY]
    assert followed(times, [NOW + HOUR, NOW + 2 * DAY, NOW + 19 * DAY, NOW - DAY]) == {0, 2}
    assert followed([], [NOW]) == set()


@pytest.mark.parametrize("customers", [1, 3])
def test_the_number_of_queries_does_not_grow(customers, django_assert_num_queries):
    for _ in range(customers):
        give("thumb", [0], at=on(5), customer=mailed(2, 4))
    with django_assert_num_queries(6):
        assert found().sent == 2 * customers
