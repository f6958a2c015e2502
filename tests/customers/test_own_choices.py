"""What the own page raises: a yes to the text in use, by the person, on the address just shown."""

from datetime import timedelta

import pytest

from customers.consent import State
from customers.ledger import Erased, Unproven
from customers.models import ConsentEntry, ConsentState, Suppression
from customers.own_choices import OtherText, lift_wishes, say_yes
from customers.queries import may_process
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org")


@pytest.fixture
def tips():
    return make_purpose()


def yes(noor, wording, now=LATER, channel="email") -> ConsentEntry:
    return say_yes(customer=noor, wording=wording, channel=channel, now=now)


def test_a_tick_is_a_yes_of_the_best_grade_with_its_text(noor, tips):
    wording = make_wording(purpose=tips)
    entry = yes(noor, wording)
    assert (entry.state, entry.grade, entry.method) == (State.GIVEN, "A", "preference_page")
    assert entry.wording == wording
    assert may_process(noor, tips.key, "email", LATER).allowed


@pytest.mark.parametrize("before", [State.WITHDRAWN, State.REFUSED, State.OBJECTED, State.PENDING])
def test_who_said_no_says_yes_again(noor, tips, before):
    wording = make_wording(purpose=tips)
    record(noor, purpose=tips, state=before)
    assert yes(noor, wording).state == State.GIVEN
    assert may_process(noor, tips.key, "email", LATER).allowed
    assert not Suppression.objects.exists()


def test_a_yes_that_stands_is_renewed_with_the_new_text(noor, tips):
    record(noor, purpose=tips)
    newer = make_wording(purpose=tips, version=2)
    entry = yes(noor, newer)
    assert (entry.state, entry.wording) == (State.RENEWED, newer)
    assert may_process(noor, tips.key, "email", LATER).allowed


def test_a_text_that_was_replaced_meanwhile_is_not_agreed_to(noor, tips):
    old = make_wording(purpose=tips)
    make_wording(purpose=tips, version=2, published_at=LATER)
    with pytest.raises(OtherText, match="Show the present one"):
        yes(noor, old)
    assert not ConsentEntry.objects.exists()
    assert yes(noor, old, now=LATER - timedelta(seconds=1)).state == State.GIVEN


def test_a_channel_on_which_it_is_not_asked_is_refused(noor, tips):
    with pytest.raises(Unproven, match="not asked by sms"):
        yes(noor, make_wording(purpose=tips), channel="sms")


def test_who_said_to_be_too_young_is_not_older_here(noor, tips):
    record(noor, purpose=make_purpose(), state=State.REFUSED, old_enough=False)
    with pytest.raises(Unproven, match="16 and older"):
        yes(noor, make_wording(purpose=tips))


def test_nobody_who_was_erased_is_won_back(tips):
    erased = make_customer(erased_at=NOW)
    with pytest.raises(Erased):
        yes(erased, make_wording(purpose=tips))


def test_limit_and_pause_are_lifted_together_or_alone(noor):
    def wish() -> tuple[int | None, object]:
        noor.refresh_from_db()
        return noor.monthly_limit, noor.paused_until

    noor.monthly_limit, noor.paused_until = 1, LATER
    noor.save()
    lift_wishes(customer=noor, limit=False)
    assert wish() == (1, None)
    noor.paused_until = LATER
    noor.save()
    lift_wishes(customer=noor)
    assert wish() == (None, None)
    assert not ConsentState.objects.exists()
