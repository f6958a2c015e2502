"""After a thumb up a known customer may be offered an opt-in form: seldom, and written down."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.consent import Actor, State
from customers.models import ConsentEntry, Suppression
from feedback.models import Response
from feedback.places import Place, PlaceError, create_touchpoint
from tests.feedback.posts import an_answer_body, an_edit_body, make_asking, send
from tests.feedback.test_known_votes import KEY, noor, purpose, subject
from tests.makers import NOW, make_consent_form, make_purpose, make_wording, record

__all__ = ["noor", "purpose"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _here(settings):
    settings.SUBJECT_KEYS = [KEY]
    settings.BASE_URL = "https://insights.example"


@pytest.fixture
def form():
    tips = make_purpose(key="tips", channels=["email"])
    make_wording(purpose=tips, published_at=days_ago(800))
    return make_consent_form(key="tips-form", first=tips)


@pytest.fixture
def touchpoint(form):
    return make_asking(scale="thumb", offer=form)


def days_ago(days: float):
    return timezone.now() - timedelta(days=days)


def answer(touchpoint, value=1, **given) -> dict:
    body = an_answer_body(value=value, subject=subject()) | given
    response = send(touchpoint, body)
    assert response.status_code == 201
    return response.json()


def asks(customer) -> int:
    return ConsentEntry.objects.filter(customer=customer, state=State.SHOWN).count()


def test_a_thumb_up_of_a_known_customer_is_answered_with_the_form(noor, form, touchpoint):
    said = answer(touchpoint)
    assert said["offer"] == "https://insights.example/opt-in/tips-form/"
    shown = noor.consents.latest("pk")
    assert (shown.state, shown.actor, shown.purpose, shown.channel) == (
        State.SHOWN, Actor.CUSTOMER, form.first, "email",
    )  # fmt: skip
    assert (shown.method, shown.place) == ("widget_offer", f"touchpoint:{touchpoint.key}")


def test_the_link_speaks_the_language_of_the_answer(noor, touchpoint):
    assert answer(touchpoint, lang="en")["offer_text"] == "Choose what you hear from us"


def _thumb_down(customer, form, touchpoint):
    return {"value": 0}


def _nobody_in_particular(customer, form, touchpoint):
    return {"subject": ""}


def _expired_subject(customer, form, touchpoint):
    return {"subject": subject(life=timedelta(seconds=-1))}


def _nothing_to_offer(customer, form, touchpoint):
    type(touchpoint).objects.update(offer=None)


def _archived_form(customer, form, touchpoint):
    type(form).objects.update(archived_at=days_ago(1))


def _archived_purpose(customer, form, touchpoint):
    type(form.first).objects.filter(pk=form.first_id).update(archived_at=days_ago(1))


def _no_text_to_show(customer, form, touchpoint):
    type(form).objects.update(first=make_purpose(channels=["email"]))


def _paused(customer, form, touchpoint):
    type(customer).objects.update(paused_until=timezone.now() + timedelta(days=1))


def _asked_lately(customer, form, touchpoint):
    record(customer, purpose=form.first, state=State.SHOWN, occurred_at=days_ago(89))


def _asked_twice_this_year(customer, form, touchpoint):
    for days in (300, 100):
        record(customer, purpose=form.first, state=State.SHOWN, occurred_at=days_ago(days))


def _said(state):
    def said(customer, form, touchpoint):
        record(customer, purpose=form.first, state=state, occurred_at=days_ago(400))

    said.__name__ = f"said {state}"
    return said


NOT_NOW = [
    _thumb_down, _nobody_in_particular, _expired_subject, _nothing_to_offer, _archived_form,
    _archived_purpose, _no_text_to_show, _paused, _asked_lately, _asked_twice_this_year,
    *map(_said, [State.GIVEN, State.PENDING, State.REFUSED, State.WITHDRAWN, State.OBJECTED]),
]  # fmt: skip


@pytest.mark.parametrize("why", NOT_NOW, ids=lambda one: one.__name__)
def test_no_form_is_offered(noor, form, touchpoint, why):
    given = why(noor, form, touchpoint) or {}
    lines = noor.consents.count()
    said = answer(touchpoint, **given)
    assert not said.keys() & {"offer", "offer_text"}
    assert noor.consents.count() == lines
    assert Response.objects.count() == 1


def test_a_stopped_address_is_offered_nothing(noor, touchpoint):
    """It is not even known: no basis holds for it."""
    Suppression.objects.create(
        address_hash=noor.address_hash, reason="complaint", created_at=days_ago(1)
    )
    assert "offer" not in answer(touchpoint)


def test_it_is_offered_again_after_90_days_and_not_a_third_time_in_a_year(noor, form, touchpoint):
    assert "offer" in answer(touchpoint)
    assert "offer" not in answer(touchpoint)
    assert "offer" not in answer(make_asking(scale="thumb", offer=form))
    assert asks(noor) == 1


def test_an_ask_of_three_months_ago_may_be_repeated_once(noor, form, touchpoint):
    record(noor, purpose=form.first, state=State.SHOWN, occurred_at=days_ago(91))
    assert "offer" in answer(touchpoint)
    assert asks(noor) == 2
    assert "offer" not in answer(touchpoint)


def test_a_repetition_and_a_change_of_mind_bring_no_offer(noor, touchpoint):
    body = an_answer_body(value=0, subject=subject())
    send(touchpoint, body)
    assert "offer" not in send(touchpoint, body).json()
    assert "offer" not in send(touchpoint, an_edit_body(body, value=1)).json()
    assert asks(noor) == 0


def test_only_a_thumb_touchpoint_offers(form):
    with pytest.raises(PlaceError, match="A form is offered after a thumb up"):
        create_touchpoint(scale="nps", place=Place(name="Returns", offer=form), now=NOW)
    made = create_touchpoint(scale="thumb", place=Place(name="Returns", offer=form), now=NOW)
    assert made.offer == form


def test_without_an_offer_an_answer_costs_what_it_did(noor, form, django_assert_num_queries):
    plain = make_asking(scale="thumb")
    send(plain, an_answer_body(value=1, subject=subject()))
    with django_assert_num_queries(11):
        send(plain, an_answer_body(value=1, subject=subject()))
    offering = make_asking(scale="thumb", offer=form)
    with django_assert_num_queries(6):
        send(offering, an_answer_body(value=1))
