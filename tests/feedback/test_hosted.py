"""The hosted question: it opens without counting, and the button counts."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from customers.limits import Limiter
from customers.models import Channel
from feedback import public
from feedback.models import Exposure, Response, ResponseEdit
from feedback.places import name_campaign
from insights.wsgi import application
from tests.feedback.recount import check_counts
from tests.makers import NOW, make_touchpoint

pytestmark = pytest.mark.django_db


def address(touchpoint) -> str:
    return reverse("hosted", args=[touchpoint.key])


def key_in(response) -> str:
    return re.search(r'name="key" value="([^"]+)"', response.content.decode())[1]


def exposures() -> dict[tuple[str, int], int]:
    return {(row.kind, row.campaign_id): row.n for row in Exposure.objects.all()}


@pytest.fixture
def thumb():
    return make_touchpoint(scale="thumb", labels="good", question_nl="Wat vond je hiervan?")


def test_opening_counts_no_answer_and_pressing_the_button_does(client, thumb):
    page = client.get(address(thumb) + "?lang=nl&v=1")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Wat vond je hiervan?" in text
    assert text.index("is-chosen") < text.index("Niet goed")
    assert not Response.objects.exists()
    given = client.post(address(thumb), {"key": key_in(page), "v": "1", "lang": "nl", "mail": "1"})
    assert given.status_code == 200
    answer = Response.objects.get()
    assert (answer.value, answer.channel, answer.language) == (1, Channel.EMAIL, "nl")
    assert exposures() == {("opened", 0): 1, ("confirmed", 0): 1}
    check_counts()


@pytest.mark.parametrize("value", ["0", "1"])
def test_a_link_preselects_and_nothing_else(client, thumb, value):
    chosen = client.get(address(thumb) + f"?v={value}").content.decode()
    assert f'is-chosen" name="v" value="{value}"' in chosen
    assert chosen.count("is-chosen") == 1


@pytest.mark.parametrize("value", ["", "2", "-1", "x", "1.0", "９"])
def test_a_value_off_the_scale_preselects_and_counts_nothing(client, thumb, value):
    page = client.get(address(thumb), {"v": value})
    assert page.status_code == 200
    assert b"is-chosen" not in page.content
    assert exposures() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_prefetch_or_a_change_of_language_is_no_opening(client, thumb, headers):
    assert client.get(address(thumb) + "?v=1", headers=headers).status_code == 200
    assert exposures() == {}
    client.get(address(thumb) + "?v=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert exposures() == {("opened", 0): 1}


def test_the_same_press_twice_is_one_answer(client, thumb):
    press = {"key": str(uuid4()), "v": "0"}
    first, second = client.post(address(thumb), press), client.post(address(thumb), press)
    assert (first.status_code, second.status_code) == (200, 200)
    assert Response.objects.count() == 1
    assert not ResponseEdit.objects.exists()


def test_going_back_and_pressing_the_other_button_changes_the_answer(client, thumb):
    press = {"key": str(uuid4())}
    client.post(address(thumb), press | {"v": "1", "reason": "", "comment": ""})
    client.post(address(thumb), press | {"v": "1", "reason": "fun", "comment": "Leuk!"})
    client.post(address(thumb), press | {"v": "0"})
    answer = Response.objects.get()
    assert (answer.value, answer.reason, answer.comment) == (0, "", "Leuk!")
    check_counts()


def test_the_reason_is_one_press_and_keeps_a_comment_that_was_being_written(client, thumb):
    press = {"key": str(uuid4()), "v": "0", "lang": "nl"}
    client.post(address(thumb), press)
    # A form sends the reason that was stored first, then the one of the button.
    page = client.post(
        address(thumb), press | {"reason": ["", "too_often"], "comment": "Elke dag\r\npost."}
    )
    answer = Response.objects.get()
    assert (answer.reason, answer.comment) == ("too_often", "Elke dag\npost.")
    assert 'aria-pressed="true"' in page.content.decode()
    client.post(address(thumb), press | {"reason": ["too_often", ""], "comment": ""})
    answer.refresh_from_db()
    assert (answer.reason, answer.comment) == ("", "")
    check_counts()


def test_changing_shows_the_question_again_and_stores_nothing(client, thumb):
    press = {"key": str(uuid4()), "v": "1"}
    client.post(address(thumb), press)
    page = client.post(address(thumb), press | {"change": "1"})
    assert key_in(page) == press["key"]
    assert 'is-chosen" name="v" value="1"' in page.content.decode()
    assert not ResponseEdit.objects.exists()


def test_after_a_day_the_answer_stands_and_a_comment_still_goes_in(client, thumb):
    press = {"key": str(uuid4()), "v": "1"}
    client.post(address(thumb), press)
    given = timezone.now() - timedelta(hours=24, seconds=1)
    Response.objects.update(answered_at=given)
    assert client.post(address(thumb), press | {"v": "0"}).status_code == 409
    assert client.post(address(thumb), press | {"comment": "Toch fijn."}).status_code == 200
    answer = Response.objects.get()
    assert (answer.value, answer.comment) == (1, "Toch fijn.")


def test_a_campaign_that_exists_is_kept_and_anything_else_is_ignored(client, thumb):
    november = name_campaign(name="November", now=NOW)[0]
    for number, name in enumerate([november.key, "nope", "", "x" * 5_000, "\0", "' OR 1=1"]):
        page = client.get(address(thumb), {"v": "1", "c": name})
        assert page.status_code == 200
        press = {"key": str(uuid4()), "v": "1", "c": name, "mail": "1"}
        assert client.post(address(thumb), press).status_code == 200
        assert Response.objects.count() == number + 1
    assert Response.objects.filter(campaign=november).count() == 1
    assert exposures() == {
        ("opened", november.pk): 1,
        ("confirmed", november.pk): 1,
        ("opened", 0): 5,
        ("confirmed", 0): 5,
    }


def test_a_form_on_another_site_cannot_answer_for_its_visitors(client, thumb):
    press = {"key": str(uuid4()), "v": "1"}
    for site in ("cross-site", "same-site"):
        refused = client.post(address(thumb), press, headers={"Sec-Fetch-Site": site})
        assert refused.status_code == 403
    assert not Response.objects.exists()
    own = client.post(address(thumb), press, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status_code == 200
    assert Response.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"v": ""}, "Choose an answer first."),
        ({"v": "11"}, "Choose an answer first."),
        ({"v": "9", "comment": "x" * 2_001}, "too long"),
        ({"v": "9", "comment": "\0"}, "cannot be stored"),
        ({"v": "9", "reason": "boring"}, "That did not work."),
        ({"v": "9", "key": "no uuid"}, "That did not work."),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_cannot_be_stored_is_asked_again(client, fields, said):
    touchpoint = make_touchpoint(scale="nps")
    press = {"key": str(uuid4()), "lang": "en"} | fields
    page = client.post(address(touchpoint), press)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Response.objects.exists()
    again = client.post(address(touchpoint), {"key": key_in(page), "v": "9"})
    assert again.status_code == 200
    assert Response.objects.count() == 1


def test_a_comment_of_the_greatest_length_counts_a_line_break_as_one(client, thumb):
    comment = "x" * 1_999 + "\r\n"
    press = {"key": str(uuid4()), "v": "1", "comment": "y" + comment[1:-2] + "\r\nz"}
    page = client.post(address(thumb), press)
    assert page.status_code == 422
    press["comment"] = "x" * 1_998 + "\r\nz"
    assert client.post(address(thumb), press).status_code == 200
    assert len(Response.objects.get().comment) == 2_000


def test_an_unknown_question_is_a_polite_page(client):
    for key in ("thumb-000000000000", "nope"):
        page = client.get(f"/v/{key}/?lang=en")
        assert page.status_code == 404
        assert "This question is no longer here" in page.content.decode()


def test_too_many_answers_wait(client, thumb, monkeypatch):
    monkeypatch.setattr(public, "per_address", Limiter(2))
    presses = [
        client.post(address(thumb), {"key": str(uuid4()), "v": "1"}).status_code for _ in range(3)
    ]
    assert presses == [200, 200, 429]
    assert Response.objects.count() == 2


@pytest.mark.parametrize("scale", ["thumb", "nps", "csat", "ces"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_speaks_the_language_of_the_link_and_of_nothing_else(client, scale, language):
    touchpoint = make_touchpoint(scale=scale)
    client.cookies["django_language"] = "en" if language == "nl" else "nl"
    page = client.get(address(touchpoint) + f"?lang={language}")
    assert f'<html lang="{language}">' in page.content.decode()
    assert touchpoint.question(language) in page.content.decode()
    assert page.headers["Content-Language"] == language


def test_the_page_is_discreet_and_sets_no_cookie(client, admin_client, thumb):
    for one in (client, admin_client):
        before = dict(one.cookies)
        for page in (
            one.get(address(thumb) + "?v=1"),
            one.post(address(thumb), {"key": str(uuid4()), "v": "1"}),
            one.get("/v/nope/"),
        ):
            assert page.headers["Referrer-Policy"] == "no-referrer"
            assert page.headers["X-Robots-Tag"] == "noindex"
            assert "Cookie" not in page.headers.get("Vary", "")
            assert b"<script" not in page.content
        assert dict(one.cookies) == before


def test_going_back_finds_the_same_form_and_an_answer_is_not_kept(client, thumb):
    """A fetched-again form would have a new key, and the other button a second answer."""
    asked = client.get(address(thumb))
    given = client.post(address(thumb), {"key": str(uuid4()), "v": "1"})
    assert asked.headers["Cache-Control"] == "private, no-cache"
    assert given.headers["Cache-Control"] == "no-store"


def test_scanners_that_open_links_keep_no_answer_out(client, thumb, monkeypatch):
    monkeypatch.setattr(public, "seen_per_address", Limiter(2))
    for _ in range(4):
        assert client.get(address(thumb) + "?v=1").status_code == 200
    assert exposures() == {("opened", 0): 2}
    assert client.post(address(thumb), {"key": str(uuid4()), "v": "1"}).status_code == 200


def test_a_head_request_opens_nothing(client, thumb):
    assert client.head(address(thumb) + "?v=1").status_code == 200
    assert exposures() == {}
    assert client.options(address(thumb)).status_code == 405
    assert client.put(address(thumb)).status_code == 405


@pytest.mark.parametrize("answers", [1, 3])
def test_opening_costs_the_same_whatever_was_answered(
    client, thumb, django_assert_num_queries, answers
):
    for _ in range(answers):
        client.post(address(thumb), {"key": str(uuid4()), "v": "1"})
    with django_assert_num_queries(3):
        client.get(address(thumb) + "?v=1")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("charset", ["hex", "idna", "rot13", "zlib", "utf-7", "undefined", "x"])
def test_a_charset_that_is_none_breaks_no_page(thumb, charset):
    """Through the door of the web server: Django fails on these before any middleware."""
    statuses = []
    for method, query, media in (
        ("GET", "v=1&c=+2AA-", "text/plain"),
        ("POST", "", "application/x-www-form-urlencoded"),
        ("POST", "", "multipart/form-data; boundary=x"),
    ):
        body = f"key={uuid4()}&v=1".encode()
        environ = {
            **RequestFactory().generic(method, address(thumb), body).environ,
            "QUERY_STRING": query,
            "CONTENT_TYPE": f"{media}; charset={charset}",
            "HTTP_HOST": "localhost",
        }
        response = application(environ, lambda status, _headers: statuses.append(status))
        assert b"".join(response)
        response.close()
    assert [status[:3] for status in statuses] == ["200", "200", "422"]
