"""The links under mails of another tool: signed, for contacts of its own key alone."""

from urllib.parse import urlsplit

import pytest

from customers.api_keys import Scope
from customers.tokens import read_preferences, read_rating, read_unsubscribe
from feedback.models import Campaign, Response
from tests.customers.test_contacts_api import awake_all_night, call, make_key, permitting, reserve
from tests.makers import make_touchpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    awake_all_night()
    permitting("K1")
    return make_key(Scope.SEND)


def asked(key: str, **given):
    return call("contacts/links", {"requests": ["a"]} | given, key=key)


def token(link: str) -> str:
    return urlsplit(link).path.split("/")[-2]


def test_the_links_of_a_contact_are_those_of_its_customer(key, client):
    thumb = make_touchpoint(scale="thumb")
    reserve(key, "a")
    answer = asked(key, touchpoint=thumb.key, campaign="Spring")
    assert answer.status_code == 200
    [found] = answer.json()["links"]
    rating = read_rating(token(found["thumb_up"]))
    assert rating.touchpoint_id == thumb.pk
    assert rating.campaign_id == Campaign.objects.get(name="Spring").pk
    assert token(found["thumb_down"]) == token(found["thumb_up"])
    assert found["question"] is None
    customer = read_preferences(token(found["preferences"]))
    assert read_unsubscribe(token(found["unsubscribe"])).customer_id == customer
    assert client.post(urlsplit(found["thumb_up"]).path, {"v": "1"}).status_code == 200
    assert Response.objects.get().campaign.name == "Spring"


def test_a_score_has_one_link_and_no_question_has_none(key):
    reserve(key, "a")
    [found] = asked(key, touchpoint=make_touchpoint(scale="nps").key).json()["links"]
    assert (found["thumb_up"], bool(found["question"])) == (None, True)
    [found] = asked(key).json()["links"]
    assert (found["thumb_up"], found["question"]) == (None, None)


def test_of_another_key_nothing_is_told(key):
    reserve(key, "a")
    other = make_key(Scope.SEND)
    assert asked(other, requests=["a", "b"]).json() == {"links": [], "unknown": ["a", "b"]}


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"requests": []}, 422, "requests"),
        ({"requests": ["a"] * 1_001}, 422, "requests"),
        ({"touchpoint": "thumb-none"}, 404, "touchpoint"),
        ({"campaign": "a\x00b"}, 422, "campaign"),
        ({"unknown": 1}, 422, "unknown"),
    ],
)
def test_what_cannot_be_is_refused(key, given, status, field):
    answer = asked(key, **given)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_it_needs_the_scope_of_who_sends(key):
    assert asked(make_key(Scope.CHECK)).status_code == 403


@pytest.mark.parametrize("number", [1, 3])
def test_many_cost_as_many_queries_as_one(key, number, django_assert_num_queries):
    thumb = make_touchpoint(scale="thumb")
    for n in range(number):
        permitting(f"L{n}")
        reserve(key, f"r{n}", customer=f"L{n}")
    with django_assert_num_queries(3):
        answer = asked(key, touchpoint=thumb.key, requests=[f"r{n}" for n in range(number)])
    assert len(answer.json()["links"]) == number
