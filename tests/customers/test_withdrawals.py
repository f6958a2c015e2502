"""Taking back and lowering, by whoever holds the mail: never raises, never fails."""

from datetime import timedelta

import pytest

from customers.consent import Actor, State
from customers.ledger import record_consent
from customers.models import ConsentEntry, ConsentState, Suppression
from customers.queries import may_process
from customers.withdrawals import (
    PAUSE,
    Means,
    limit,
    object_to_marketing,
    pause,
    withdraw,
    withdraw_all,
)
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

MEANS = Means(method="one_click_post", place="mail")


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    return purpose


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org")


def take_back(customer, purpose, now=NOW):
    return withdraw(customer=customer, purpose=purpose, channel="email", means=MEANS, now=now)


def stands(customer) -> dict[str, str]:
    rows = ConsentState.objects.filter(customer=customer)
    return dict(rows.values_list("purpose__key", "state"))


def test_it_is_taken_back_at_once_and_repeating_it_is_harmless(noor, tips):
    record(noor, purpose=tips)
    [entry] = take_back(noor, tips)
    assert (entry.state, entry.method, entry.place) == (State.WITHDRAWN, "one_click_post", "mail")
    assert not may_process(noor, "tips", "email", NOW).allowed
    assert take_back(noor, tips, NOW + timedelta(days=1)) == [entry]
    assert ConsentEntry.objects.count() == 2


def test_who_never_said_yes_can_say_no_and_a_file_cannot_undo_it(noor, tips):
    [entry] = take_back(noor, tips)
    assert entry.state == State.WITHDRAWN
    assert stands(noor) == {"tips": State.WITHDRAWN}


def test_an_objection_is_not_weakened(noor, tips):
    record(noor, purpose=tips, state=State.OBJECTED)
    assert take_back(noor, tips) == []
    assert stands(noor) == {"tips": State.OBJECTED}


def test_a_record_with_the_same_address_loses_the_same(noor, tips):
    twin = make_customer(email="Noor@Example.org")
    other = make_customer(email="karim@example.org")
    for customer in (noor, twin, other):
        record(customer, purpose=tips, address=customer.email)
    assert len(take_back(noor, tips)) == 2
    assert not may_process(twin, "tips", "email", NOW).allowed
    assert may_process(other, "tips", "email", NOW).allowed


def test_a_record_with_the_same_address_that_permits_nothing_gets_no_line(noor, tips):
    twin = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    take_back(noor, tips)
    assert stands(twin) == {}


def test_what_waits_for_its_confirmation_is_taken_back_too(noor, tips):
    record(noor, purpose=tips, state=State.PENDING)
    take_back(noor, tips)
    assert stands(noor) == {"tips": State.WITHDRAWN}


def test_without_an_address_only_the_customer_is_meant(tips):
    one, other = make_customer(), make_customer()
    assert len(take_back(one, tips)) == 1
    assert stands(other) == {}


def test_everything_is_taken_back_in_one_go(noor, tips):
    news = make_purpose(key="news")
    refused = make_purpose(key="refused")
    record(noor, purpose=tips)
    record(noor, purpose=news, state=State.PENDING)
    record(noor, purpose=refused, state=State.REFUSED)
    taken = withdraw_all(customer=noor, means=MEANS, now=NOW)
    assert len(taken) == 2
    assert stands(noor) == {
        "tips": State.WITHDRAWN,
        "news": State.WITHDRAWN,
        "refused": State.REFUSED,
    }
    assert withdraw_all(customer=noor, means=MEANS, now=NOW) == []


def test_an_objection_stops_the_address(noor, tips):
    record(noor, purpose=tips)
    entry = object_to_marketing(customer=noor, purpose=tips, channel="email", means=MEANS, now=NOW)
    assert entry.state == State.OBJECTED
    assert Suppression.objects.get().address_hash == noor.address_hash


def test_who_relays_says_why(noor, tips):
    record(noor, purpose=tips)
    means = Means(method="phone_note", actor=Actor.ADMIN, actor_id="7", evidence="She called.")
    [entry] = withdraw(customer=noor, purpose=tips, channel="email", means=means, now=NOW)
    assert (entry.actor, entry.actor_id, entry.evidence.text) == ("admin", "7", "She called.")


def test_a_pause_stops_marketing_alone_and_ends(noor, tips):
    invoices = make_purpose(key="invoices", kind="service")
    survey = make_purpose(key="survey", kind="survey")
    make_wording(purpose=survey)
    for purpose in (tips, survey):
        record(noor, purpose=purpose)
    until = pause(customer=noor, now=NOW)
    noor.refresh_from_db()
    assert until == NOW + PAUSE
    assert may_process(noor, "tips", "email", NOW).reason == "paused"
    assert may_process(noor, "survey", "email", NOW).allowed
    assert may_process(noor, invoices.key, "email", NOW).allowed
    assert may_process(noor, "tips", "email", until).allowed


def test_a_pause_is_never_made_shorter(noor):
    longer = NOW + timedelta(days=365)
    noor.paused_until = longer
    noor.save()
    assert pause(customer=noor, now=NOW) == longer


def test_a_limit_is_never_made_higher(noor):
    assert limit(customer=noor, messages=2) == 2
    assert limit(customer=noor, messages=1) == 1
    assert limit(customer=noor, messages=4) == 1


def test_an_act_of_the_customer_later_opens_it_again(noor, tips):
    record(noor, purpose=tips)
    take_back(noor, tips)
    later = NOW + timedelta(days=1)
    act = an_act(purpose=tips, occurred_at=later)
    record_consent(customer=noor, act=act, now=later)
    assert may_process(noor, "tips", "email", later).allowed


def test_after_an_objection_a_yes_to_one_thing_brings_back_nothing_of_another_record():
    tips, offers = make_purpose(key="tips"), make_purpose(key="offers")
    noor = make_customer(email="noor@example.org")
    twin = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    record(twin, purpose=tips)
    record(twin, purpose=offers)
    means = Means(method="preference_page")
    later = NOW + timedelta(hours=1)
    object_to_marketing(customer=noor, purpose=tips, channel="email", means=means, now=later)
    assert {one.state for one in ConsentState.objects.filter(customer=twin)} == {"withdrawn"}
    record(noor, purpose=tips, occurred_at=later + timedelta(hours=1))
    assert may_process(noor, "tips", "email", later + timedelta(hours=2)).allowed
    for purpose in ("tips", "offers"):
        assert not may_process(twin, purpose, "email", later + timedelta(hours=2)).allowed
