"""What was asked and permitted, as counts."""

from datetime import date, timedelta

import pytest

from customers import permission_queries as queries
from customers.consent import Actor, Grade, State
from customers.models import LedgerCheck, Suppression
from customers.permission_queries import Asked, Reach, Standing, Yes
from tests.insights.permission_history import (
    ask,
    at,
    make_customers,
    make_form,
    make_text,
    make_tips,
    say,
)
from tests.makers import make_customer

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 1)
NOW = at(date(2026, 11, 24))


@pytest.fixture
def tips():
    purpose = make_tips()
    make_text(purpose)
    return purpose


@pytest.fixture
def noor():
    return make_customers(1)[0]


def day(number: int) -> date:
    return DAY + timedelta(days=number)


# -- Asked ----------------------------------------------------------------------------------------


def test_asks_are_added_up_per_day_text_and_channel(tips, django_assert_num_queries):
    text = tips.wordings.get()
    for key in ("shop", "till"):
        ask(make_form(tips, key), text, DAY, 10, 4, confirmed=3)
    ask(make_form(tips, "texts", channel="sms"), text, DAY, 5, 1)
    with django_assert_num_queries(1):
        found = queries.asked(DAY, day(1))
    assert sorted(found, key=lambda one: one.channel) == [
        Asked(DAY, text.pk, "email", 20, 8, 6),
        Asked(DAY, text.pk, "sms", 5, 1, 1),
    ]
    assert queries.asked(day(1), day(9)) == []
    assert queries.asked(DAY, day(1), make_tips("other").pk) == []


# -- Given and taken back -------------------------------------------------------------------------


def test_a_yes_counts_in_the_stretch_it_was_given_in(tips, noor):
    text = tips.wordings.get()
    say(noor, tips, State.GIVEN, DAY)
    say(noor, tips, State.RENEWED, day(7))
    cuts = [at(day(n), 0) for n in (0, 7, 14)]
    assert sorted(queries.yeses(cuts), key=lambda one: one.stretch) == [
        Yes(0, text.pk, True, 1),
        Yes(1, text.pk, False, 1),
    ]
    assert queries.yeses(cuts[1:])[0].stretch == 0
    assert queries.yeses(cuts, make_tips("other").pk) == []


@pytest.mark.parametrize("parts", [1, 2, 3, 26, 27])
def test_every_moment_falls_into_one_stretch(tips, parts):
    for n, customer in enumerate(make_customers(parts)):
        say(customer, tips, State.GIVEN, day(n - parts))
    cuts = [at(day(n - parts), 0) for n in range(parts + 1)]
    assert sorted(one.stretch for one in queries.yeses(cuts)) == list(range(parts))


def test_a_withdrawal_knows_the_yes_it_ended(tips, noor, django_assert_num_queries):
    say(noor, tips, State.GIVEN, DAY)
    say(noor, tips, State.RENEWED, day(2))
    say(noor, tips, State.WITHDRAWN, day(5))
    with django_assert_num_queries(1):
        [found] = queries.withdrawals(at(DAY, 0), NOW)
    assert (found.at, found.given_at, found.wording) == (
        at(day(5)),
        at(DAY),
        tips.wordings.get().pk,
    )


def test_what_ended_no_permission_is_no_withdrawal(tips, noor):
    say(noor, tips, State.WITHDRAWN, DAY)
    assert queries.withdrawals(at(DAY, 0), NOW) == []
    say(noor, tips, State.GIVEN, day(1))
    say(noor, tips, State.WITHDRAWN, day(2))
    say(noor, tips, State.OBJECTED, day(3))
    assert [one.at for one in queries.withdrawals(at(DAY, 0), NOW)] == [at(day(2))]


def test_who_came_with_an_import_has_no_second_thoughts(tips, noor):
    say(
        noor, tips, State.GIVEN, DAY, actor=Actor.IMPORT, grade=Grade.C, evidence="row 1",
        method="import",
    )  # fmt: skip
    say(noor, tips, State.OBJECTED, day(1))
    [found] = queries.withdrawals(at(DAY, 0), NOW)
    assert (found.given_at, found.wording) == (None, None)
    assert not queries.yeses([at(DAY, 0), at(day(1), 0)])[0].own


def test_a_withdrawal_of_one_purpose_ends_no_other(tips, noor):
    other = make_tips("other")
    make_text(other)
    say(noor, tips, State.GIVEN, DAY)
    say(noor, other, State.WITHDRAWN, day(1))
    assert queries.withdrawals(at(DAY, 0), NOW) == []


# -- In force -------------------------------------------------------------------------------------


def standing() -> list[Standing]:
    """What ends within 30 or 60 days, and what was given on a form in the first ten days."""
    return queries.standing(NOW, (30, 60), (at(DAY, 0), at(day(10), 0)))


def test_what_is_in_force_is_told_apart_by_proof_end_and_form(tips, django_assert_num_queries):
    a, b, old, gone, erased = make_customers(5)
    say(a, tips, State.GIVEN, DAY)
    say(b, tips, State.GIVEN, day(11), grade=Grade.B)
    say(old, tips, State.GIVEN, NOW.date() - timedelta(days=690), wording=_old(tips))
    say(gone, tips, State.GIVEN, DAY)
    say(gone, tips, State.WITHDRAWN, day(1))
    say(erased, tips, State.GIVEN, DAY)
    type(erased).objects.filter(pk=erased.pk).update(erased_at=NOW, email="", name="")
    with django_assert_num_queries(1):
        found = standing()
    assert sorted(found, key=str) == sorted(
        [
            Standing(tips.pk, "email", "A", None, True, 1),
            Standing(tips.pk, "email", "B", None, False, 1),
            Standing(tips.pk, "email", "A", 1, False, 1),
        ],
        key=str,
    )


def _old(purpose):
    return make_text(purpose, 7, published_at=at(date(2023, 1, 1)))


def test_what_ran_out_is_not_in_force(tips, noor):
    say(noor, tips, State.GIVEN, NOW.date() - timedelta(days=731), wording=_old(tips))
    assert standing() == []


def test_who_may_be_mailed_and_who_has_no_proof(tips, django_assert_num_queries):
    yes, stopped, paused, _unknown = make_customers(4)
    make_customer(reference="no address")
    for customer in (yes, stopped, paused):
        say(customer, tips, State.GIVEN, DAY)
    Suppression.objects.create(
        address_hash=stopped.address_hash, reason="bounce", created_at=NOW, everything=True
    )
    type(paused).objects.filter(pk=paused.pk).update(paused_until=NOW + timedelta(days=1))
    with django_assert_num_queries(2):
        found = queries.reach(NOW)
    assert found == Reach(mailable=1, customers=5, unproven=1)


def test_a_yes_to_two_purposes_is_one_customer(tips, noor):
    for purpose in (tips, make_tips("more")):
        if not purpose.wordings.exists():
            make_text(purpose)
        say(noor, purpose, State.GIVEN, DAY)
    assert queries.reach(NOW).mailable == 1
    assert queries.reach(NOW, tips.pk).mailable == 1


# -- The ledger -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "since"),
    [
        pytest.param(("", "", ""), 0, id="never broken"),
        pytest.param(("", "gap", ""), 2, id="mended"),
        pytest.param(("", "gap"), None, id="broken"),
    ],
)
def test_how_long_the_ledger_is_unbroken(findings, since):
    for number, finding in enumerate(findings):
        LedgerCheck.objects.create(checked_at=at(day(number)), entries=number, finding=finding)
    health = queries.ledger_health()
    assert (health.entries, health.finding) == (len(findings) - 1, findings[-1])
    assert health.unbroken_since == (None if since is None else at(day(since)))


def test_a_ledger_that_was_never_verified():
    assert queries.ledger_health() is None


def test_the_version_is_new_after_whatever_the_page_shows(tips, noor):
    seen = [queries.version()]
    ask(make_form(tips), tips.wordings.get(), DAY, 1, 0)
    seen.append(queries.version())
    say(noor, tips, State.GIVEN, DAY)
    seen.append(queries.version())
    LedgerCheck.objects.create(checked_at=NOW, entries=1)
    seen.append(queries.version())
    assert len({*seen}) == 4
