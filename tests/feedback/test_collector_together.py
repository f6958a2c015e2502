"""Fifty browsers at once, over real HTTP: whatever they race for, each key is one answer."""

import json
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from django.db import connection

from feedback import intake, tallies
from feedback.models import Exposure, Response, ResponseEdit, Touchpoint
from tests.feedback.posts import SITE, an_answer_body, an_edit_body, make_asking, new_key, send
from tests.feedback.recount import check_counts, check_folded
from tests.feedback.test_counting_together import address, together
from tests.webserver import HOST, complaints, serving

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MANY = 50
SECONDS = 60


@pytest.fixture(scope="module")
def port(django_db_setup, tmp_path_factory) -> Iterator[int]:
    """A web server on the database of these tests."""
    environment = {"DATABASE_URL": address(), "COLLECT_PER_ADDRESS": "1000000"}
    log = tmp_path_factory.mktemp("web") / "log"
    with serving(environment, log) as port:
        yield port
    assert complaints(log) == []


@pytest.fixture
def post_together(port):
    """Return how to post bodies at the same moment; it returns each status and what was said."""

    def post(touchpoint: Touchpoint, body: dict | None, to: str) -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, port, timeout=SECONDS)
        headers = {"Origin": SITE, "Content-Type": "text/plain"}
        sent = b"" if body is None else json.dumps(body)
        connection.request("POST", f"/collect/{touchpoint.key}/{to}", sent, headers)
        response = connection.getresponse()
        said = response.status, response.read()
        connection.close()
        return said

    def post_all(touchpoint: Touchpoint, bodies: list, to: str = "") -> list[tuple[int, bytes]]:
        return together(*[lambda body=body: post(touchpoint, body, to) for body in bodies])

    return post_all


def statuses(responses: list[tuple[int, bytes]]) -> Counter:
    return Counter(status for status, _ in responses)


def check_exact() -> None:
    check_counts()
    tallies.fold_all()
    check_folded()


def test_of_fifty_equal_answers_one_is_new_and_all_are_told_the_same(post_together):
    touchpoint = make_asking(thanks_nl="Dank je.")
    body = an_answer_body(comment="Alles goed.")
    responses = post_together(touchpoint, [body] * MANY)
    assert statuses(responses) == {201: 1, 200: MANY - 1}
    assert {json.loads(said)["thanks"] for _, said in responses} == {"Dank je."}
    assert len({said for _, said in responses}) == 1
    assert Response.objects.values_list("key", "value").get() == (body["key"], 9)
    assert statuses(post_together(touchpoint, [body | {"value": 3}])) == {422: 1}
    check_exact()


def test_of_two_answers_under_one_key_one_stands(post_together):
    touchpoint = make_asking()
    first = an_answer_body(value=0)
    second = first | {"value": 10}
    responses = post_together(touchpoint, [first, second] * (MANY // 2))
    assert statuses(responses) == {201: 1, 200: MANY // 2 - 1, 422: MANY // 2}
    taken = [status in (200, 201) for status, _ in responses]
    assert taken in ([True, False] * (MANY // 2), [False, True] * (MANY // 2))
    assert Response.objects.get().value == (0 if taken[0] else 10)
    check_exact()


def test_fifty_answers_are_fifty(post_together):
    touchpoint = make_asking()
    bodies = [an_answer_body(value=number % 11) for number in range(MANY)]
    assert statuses(post_together(touchpoint, bodies)) == {201: MANY}
    stored = dict(Response.objects.values_list("key", "value"))
    assert stored == {body["key"]: body["value"] for body in bodies}
    check_exact()


def test_of_fifty_equal_changes_one_is_made(post_together):
    touchpoint = make_asking()
    answer = an_answer_body(value=2)
    post_together(touchpoint, [answer])
    edit = an_edit_body(answer, value=8, reason="useful")
    responses = post_together(touchpoint, [edit] * MANY)
    assert statuses(responses) == {201: 1, 200: MANY - 1}
    assert len({said for _, said in responses}) == 1
    assert Response.objects.values_list("value", "reason").get() == (8, "useful")
    assert ResponseEdit.objects.values_list("value_before", "key").get() == (2, edit["key"])
    check_exact()


def test_of_fifty_different_changes_each_is_made_upon_the_one_before(post_together):
    touchpoint = make_asking()
    answer = an_answer_body(value=0)
    post_together(touchpoint, [answer])
    edits = [an_edit_body(answer, value=number % 11) for number in range(MANY)]
    assert statuses(post_together(touchpoint, edits)) == {201: MANY}
    made = list(ResponseEdit.objects.order_by("pk").values_list("key", "value_before"))
    assert {key for key, _ in made} == {edit["key"] for edit in edits}
    # Each found what the one before it had left.
    became = {edit["key"]: edit["value"] for edit in edits}
    found = [value for _, value in made] + [Response.objects.get().value]
    assert found == [0] + [became[key] for key, _ in made]
    check_exact()


def test_a_key_of_two_changes_is_that_of_the_first(post_together):
    touchpoint = make_asking()
    answers = [an_answer_body(value=0), an_answer_body(value=0)]
    post_together(touchpoint, answers)
    key = new_key()
    edits = [an_edit_body(answer, value=9) | {"key": key} for answer in answers]
    responses = post_together(touchpoint, edits * (MANY // 2))
    assert statuses(responses) == {201: 1, 200: MANY // 2 - 1, 422: MANY // 2}
    assert sorted(Response.objects.values_list("value", flat=True)) == [0, 9]
    assert ResponseEdit.objects.count() == 1
    check_exact()


def test_fifty_widgets_shown_are_counted_as_fifty(post_together):
    touchpoint = make_asking(counts_exposures=True)
    assert statuses(post_together(touchpoint, [None] * MANY, to="shown/")) == {204: MANY}
    assert Exposure.objects.values_list("kind", "n").get() == ("shown", MANY)


def test_who_cannot_get_a_turn_is_told_that_nothing_is_stored(monkeypatch):
    """On SQLite the threads of a process take turns, and none waits for ever."""
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setattr(intake, "LONGEST_WAIT", 0.05)
    touchpoint, body = make_asking(), an_answer_body()
    with intake._turn:
        response = send(touchpoint, body)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert not Response.objects.exists()
    assert send(touchpoint, body).status_code == 201
