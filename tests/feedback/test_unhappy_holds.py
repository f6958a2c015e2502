"""Who is unhappy is contacted less for a while, unless they change their mind; and what an answer
keeps of its category."""

from datetime import timedelta

import pytest

from customers.categories import set_level
from customers.models import ContactHold
from feedback.models import Response
from feedback.services import add_responses, edit_response, hold_unhappy, submit_response
from tests.makers import (
    NOW,
    an_answer,
    make_category,
    make_customer,
    make_product,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)


def submit(**given) -> Response:
    response, created = submit_response(an_answer(**given))
    assert created
    return response


@pytest.mark.parametrize(
    ("scale", "value", "held"),
    [
        ("thumb", 0, True),
        ("thumb", 1, False),
        ("nps", 6, True),
        ("nps", 7, False),
        ("csat", 2, True),
        ("csat", 3, False),
    ],
)
def test_an_unhappy_answer_of_a_known_customer_lowers_their_dose_for_thirty_days(
    scale, value, held
):
    noor = make_customer()
    touchpoint = make_touchpoint(scale=scale)
    response = submit(customer=noor, touchpoint=touchpoint, scale=scale, value=value)
    assert ContactHold.objects.exists() == held
    if held:
        hold = noor.holds.get()
        assert (hold.reason, hold.source) == ("unhappy", f"answer:{response.pk}")
        assert (hold.created_at, hold.until) == (NOW, NOW + MONTH)
        assert hold.halves


def test_somebody_who_is_not_known_is_nobody_to_leave_alone():
    submit(scale="nps", value=0, touchpoint=make_touchpoint(scale="nps"))
    assert not ContactHold.objects.exists()


def test_a_change_of_mind_lifts_it_and_one_the_other_way_sets_it():
    noor = make_customer()
    touchpoint = make_touchpoint(scale="nps")
    response = submit(customer=noor, touchpoint=touchpoint, scale="nps", value=2)
    edit_response(response_id=response.pk, value=9, now=NOW + timedelta(hours=1))
    hold = noor.holds.get()
    assert (hold.released_at, hold.released_by) == (NOW + timedelta(hours=1), "answer changed")
    edit_response(response_id=response.pk, value=3, now=NOW + timedelta(hours=2))
    assert [one.released_at is None for one in noor.holds.order_by("pk")] == [False, True]
    # Another reason or comment is no other mood.
    edit_response(response_id=response.pk, comment="Still.", now=NOW)
    assert noor.holds.count() == 2


def test_the_same_answer_again_holds_once():
    noor = make_customer()
    given = {"customer": noor, "touchpoint": make_touchpoint(scale="nps"), "scale": "nps"}
    answer = an_answer(value=1, **given)
    submit_response(answer)
    submit_response(answer)
    assert noor.holds.count() == 1


def test_of_what_is_imported_only_the_last_thirty_days_lower_the_dose():
    noor = make_customer()
    touchpoint = make_touchpoint(scale="nps")
    given = {"customer": noor, "touchpoint": touchpoint, "scale": "nps", "value": 1}
    days = (0, 29, 30, 300)
    answers = [an_answer(answered_at=NOW - timedelta(days=n), **given) for n in days]
    add_responses(answers, NOW)
    assert sorted(one.until for one in noor.holds.all()) == [
        NOW + timedelta(days=1),
        NOW + MONTH,
    ]
    # Known already.
    assert hold_unhappy(Response.objects.all(), NOW) == 2
    assert noor.holds.count() == 2


def test_history_without_a_moment_lowers_nothing():
    add_responses([an_answer(customer=make_customer(), touchpoint=None, scale="nps", value=1)])
    assert not ContactHold.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_a_batch_costs_as_many_queries(number, django_assert_num_queries):
    touchpoint = make_touchpoint(scale="nps")
    answers = [
        an_answer(customer=make_customer(), touchpoint=touchpoint, scale="nps", value=1)
        for _ in range(number)
    ]
    with django_assert_num_queries(9):
        add_responses(answers, NOW)
    assert ContactHold.objects.count() == number


def test_an_answer_keeps_how_much_buyers_cared_then():
    parent = make_category(involvement="high", rated_at=NOW)
    cases = make_category(parent=parent)
    product = make_product(category=cases)
    about = submit(product=product, touchpoint=None, scale="thumb", value=1)
    unrated = submit(category=make_category(), touchpoint=None, scale="thumb", value=1)
    nothing = submit(touchpoint=None, scale="thumb", value=1)
    levels = [one.involvement for one in (about, unrated, nothing)]
    assert levels == ["high", "low", ""]
    set_level(category=parent, level="low", how="import", now=NOW)
    about.refresh_from_db()
    assert about.involvement == "high"
