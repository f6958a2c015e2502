"""Whose answer it is: a customer's only if the shop vouches for them and they permit it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.consent import State
from customers.models import Channel, Purpose
from customers.subjects import sign_subject
from customers.withdrawals import Means, withdraw
from feedback.intake import BASIS
from feedback.models import Response
from feedback.services import erase_answers
from tests.feedback.posts import an_answer_body, an_edit_body, make_asking, send
from tests.feedback.recount import check_counts
from tests.feedback.test_public import NEW
from tests.makers import make_customer, make_wording, record

pytestmark = pytest.mark.django_db

KEY = "shared with the shop"


@pytest.fixture(autouse=True)
def _key(settings):
    settings.SUBJECT_KEYS = [KEY]


@pytest.fixture
def purpose():
    found = Purpose.objects.get(key=BASIS)
    make_wording(purpose=found, published_at=timezone.now() - timedelta(days=9))
    return found


@pytest.fixture
def noor(purpose):
    """A regular buyer who permits that we keep what she thinks."""
    customer = make_customer(reference="K123", email="noor@example.org", customer_type="regular")
    permit(customer, purpose)
    return customer


def permit(customer, purpose):
    given_at = timezone.now() - timedelta(days=1)
    record(customer, purpose=purpose, channel="web", address=customer.email, occurred_at=given_at)


def subject(reference="K123", key=KEY, life=timedelta(hours=1)):
    return sign_subject(reference, key=key, expires_at=timezone.now() + life)


def answered(token, **given):
    """The answer that is stored of one who comes with these signed words."""
    response = send(make_asking(), an_answer_body(subject=token, **given))
    assert response.status_code == 201
    return Response.objects.latest("pk"), response.json()


def test_the_answer_of_a_customer_who_permits_it_is_theirs(noor):
    stored, said = answered(subject())
    assert (stored.customer, stored.customer_type) == (noor, "regular")
    assert said["subject"] == "valid"
    check_counts()


def test_the_customer_type_is_that_of_the_moment(noor):
    stored, _ = answered(subject())
    type(noor).objects.update(customer_type="lapsed")
    stored.refresh_from_db()
    assert stored.customer_type == "regular"


def _never_asked(customer, purpose):
    return subject(make_customer(reference="K9", email="x@example.org").reference)


def _took_it_back(customer, purpose):
    means = Means(method="preference_page")
    withdraw(customer=customer, purpose=purpose, channel="web", means=means, now=timezone.now())
    return subject()


def _restricted(customer, purpose):
    type(customer).objects.update(restricted_at=timezone.now())
    return subject()


def _erased(customer, purpose):
    type(customer).objects.update(erased_at=timezone.now(), email="", name="")
    return subject()


def _other_address(customer, purpose):
    customer.email = "other@example.org"
    customer.save()
    return subject()


def _unknown_number(customer, purpose):
    return subject("K-nobody")


def _number_that_cannot_be_stored(customer, purpose):
    return subject("K1\0")


def _expired(customer, purpose):
    return subject(life=timedelta(seconds=-1))


def _forged(customer, purpose):
    return subject(key="of a stranger")


def _no_such_purpose(customer, purpose):
    Purpose.objects.filter(pk=purpose.pk).update(key="renamed")
    return subject()


REASONS = [
    _never_asked, _took_it_back, _restricted, _erased, _other_address, _unknown_number,
    _number_that_cannot_be_stored, _expired, _forged, _no_such_purpose,
]  # fmt: skip


@pytest.mark.parametrize("without", REASONS, ids=lambda one: one.__name__)
def test_without_a_basis_it_is_counted_and_nobodys(noor, purpose, without):
    stored, said = answered(without(noor, purpose))
    assert (stored.customer, stored.customer_type) == (None, "")
    # Nobody who reads the reply learns what the customer permits.
    assert set(said) == {"key", "thanks", "subject"}
    check_counts()


def test_permission_on_another_channel_is_none(purpose):
    customer = make_customer(reference="K123", email="noor@example.org")
    given_at = timezone.now() - timedelta(days=1)
    record(customer, purpose=purpose, channel="email", occurred_at=given_at)
    assert answered(subject())[0].customer is None


def test_a_retry_is_the_same_answer_whatever_was_taken_back_meanwhile(noor, purpose):
    touchpoint, body = make_asking(), an_answer_body(subject=subject())
    assert send(touchpoint, body).status_code == 201
    _took_it_back(noor, purpose)
    assert send(touchpoint, body).status_code == 200
    assert Response.objects.get().customer == noor


def test_a_known_answer_is_changed_like_any_other(noor):
    touchpoint, body = make_asking(), an_answer_body(subject=subject())
    send(touchpoint, body)
    assert send(touchpoint, an_edit_body(body, value=3)).status_code == 201
    stored = Response.objects.get()
    assert (stored.customer, stored.value) == (noor, 3)
    check_counts()


def test_erasing_the_customer_makes_the_answer_anonymous(noor):
    answered(subject())
    assert erase_answers(noor) == 1
    assert Response.objects.get().customer is None


def test_known_costs_five_statements_more_and_unknown_none(noor, django_assert_num_queries):
    touchpoint = make_asking()
    for _ in range(3):
        with django_assert_num_queries(NEW + 5):
            send(touchpoint, an_answer_body(subject=subject()))
    with django_assert_num_queries(NEW):
        send(touchpoint, an_answer_body(subject="forged"))
    with django_assert_num_queries(NEW):
        send(touchpoint, an_answer_body())


def test_a_no_after_the_answer_stays_a_no(noor, purpose):
    """What is tied to a customer never raises anything in the ledger."""
    _took_it_back(noor, purpose)
    answered(subject())
    assert noor.permissions.get(purpose=purpose, channel=Channel.WEB).state == State.WITHDRAWN
