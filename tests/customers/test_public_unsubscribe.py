"""One-click unsubscribe: a mail program posts, a person presses one button, nothing else counts."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers import public_unsubscribe
from customers.consent import State
from customers.limits import Limiter
from customers.models import ConsentEntry, ConsentState, CustomerMerge, Purpose
from customers.tokens import (
    own_page_pass,
    preferences_token,
    unsubscribe_token,
)
from customers.unsubscribe import list_unsubscribe_headers, preferences_url
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BUTTON = {"by": "page", "lang": "nl"}


@pytest.fixture
def stranger() -> Client:
    """A client without a cookie that is refused wherever our token is asked for."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org", language="nl")


@pytest.fixture
def tips(noor) -> Purpose:
    purpose = make_purpose(name_nl="Tips en aanbiedingen", name_en="Tips and offers")
    make_wording(purpose=purpose)
    record(noor, purpose=purpose)
    return purpose


def address(customer, purpose) -> str:
    return f"/u/{unsubscribe_token(customer.pk, purpose.pk, 'email')}/"


def state() -> str:
    return ConsentState.objects.get().state


def test_a_mail_program_posts_and_it_is_done(stranger, noor, tips):
    answer = stranger.post(address(noor, tips), ONE_CLICK)
    assert (answer.status_code, answer.content) == (200, b"OK\n")
    assert answer["Content-Type"].startswith("text/plain")
    assert state() == State.WITHDRAWN
    entry = ConsentEntry.objects.last()
    assert (entry.method, entry.place, entry.actor) == ("one_click_post", "mail", "customer")
    assert answer.cookies == {}


def test_the_button_of_the_page_does_the_same_and_then_offers_less(stranger, noor, tips):
    answer = stranger.post(address(noor, tips), BUTTON)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert state() == State.WITHDRAWN
    assert ConsentEntry.objects.last().method == "unsubscribe_page"
    assert f"/preferences/{preferences_token(noor.pk)}/" in text
    assert 'value="less"' in text
    assert 'value="pause"' in text


def test_a_second_press_is_answered_alike_and_writes_nothing(stranger, noor, tips):
    first = stranger.post(address(noor, tips), ONE_CLICK)
    for _ in range(3):
        again = stranger.post(address(noor, tips), ONE_CLICK)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert ConsentEntry.objects.filter(state="withdrawn").count() == 1


def test_what_was_never_given_is_written_down_as_taken_back(stranger, noor):
    purpose = make_purpose()
    stranger.post(address(noor, purpose), ONE_CLICK)
    assert state() == State.WITHDRAWN


def test_all_records_with_the_address_lose_it(stranger, noor, tips):
    double = make_customer(email="NOOR@example.org")
    record(double, purpose=tips, address="noor@example.org")
    stranger.post(address(noor, tips), ONE_CLICK)
    assert set(ConsentState.objects.values_list("state", flat=True)) == {State.WITHDRAWN}


def test_the_link_of_a_record_that_was_merged_holds_for_the_one_that_remained(stranger, noor, tips):
    old = make_customer()
    CustomerMerge.objects.create(
        survivor=noor, absorbed=old, reason="One person.", merged_by="7", merged_at=NOW
    )
    stranger.post(address(old, tips), ONE_CLICK)
    assert ConsentState.objects.get(customer=noor).state == State.WITHDRAWN


@pytest.mark.parametrize("body", [ONE_CLICK, BUTTON, {}], ids=["mail program", "button", "empty"])
@pytest.mark.parametrize("kind", ["unknown", "forged", "truncated", "erased", "nonsense"])
def test_a_link_that_names_nobody_gets_the_same_answer(stranger, noor, tips, kind, body):
    known = stranger.post(address(noor, tips), body)
    token = unsubscribe_token(noor.pk, tips.pk, "email")
    if kind == "erased":
        make_customer(reference="X", erased_at=NOW, pk=987)
        token = unsubscribe_token(987, tips.pk, "email")
    if kind == "unknown":
        token = unsubscribe_token(986, tips.pk, "email")
    if kind == "forged":
        token = token.replace(f"{noor.pk}-", f"{noor.pk + 1}-", 1)
    if kind == "truncated":
        token = token[:-1]
    if kind == "nonsense":
        token = "mail-programs-cut-links"
    answer = stranger.post(f"/u/{token}/", body)
    assert answer.status_code == known.status_code == 200
    if "by" not in body:
        assert answer.content == known.content
        assert answer.headers == known.headers
    assert ConsentState.objects.exclude(state="withdrawn").count() == 0


def test_the_page_names_what_stops_in_words_and_no_address(stranger, noor, tips):
    text = stranger.get(address(noor, tips)).content.decode()
    assert "Tips en aanbiedingen" in text
    assert "noor" not in text
    assert text.count("<button") == 1
    assert "Tips and offers" in stranger.get(address(noor, tips) + "?lang=en").content.decode()


def test_a_forged_link_shows_the_same_page_in_general_words(stranger, noor, tips):
    known = stranger.get(address(noor, tips) + "?lang=en")
    forged = stranger.get("/u/1-1-email:forged/?lang=en")
    assert (known.status_code, forged.status_code) == (200, 200)
    assert known.content.decode().replace(
        "Stop “Tips and offers”?", "Stop these messages?"
    ) == forged.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("method", ["get", "head"])
def test_case_09_a_scanner_that_opens_the_unsubscribe_link_changes_nothing(
    stranger, noor, tips, method
):
    before = list(ConsentEntry.objects.values())
    for query in ("", "?lang=en", "?List-Unsubscribe=One-Click", "?by=page"):
        assert getattr(stranger, method)(address(noor, tips) + query).status_code == 200
    assert list(ConsentEntry.objects.values()) == before
    assert state() == State.GIVEN


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=utf-16"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"", ""),
        (b"&".join(b"a=%d" % n for n in range(1100)), "application/x-www-form-urlencoded"),
        (b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
    ids=["form", "charset", "multipart", "bytes", "empty", "many", "big", "json"],
)
def test_whatever_the_body_holds_it_takes_effect(stranger, noor, tips, body, kind):
    answer = stranger.generic("POST", address(noor, tips), body, content_type=kind)
    assert (answer.status_code, answer.content) == (200, b"OK\n")
    assert state() == State.WITHDRAWN


def test_over_the_limit_the_answer_is_the_same_and_a_yes_is_still_taken_back(
    stranger, noor, tips, monkeypatch
):
    monkeypatch.setattr(public_unsubscribe, "per_link", Limiter(1))
    for _ in range(3):
        assert stranger.post(address(noor, tips), ONE_CLICK).status_code == 200
    assert state() == State.WITHDRAWN
    record(noor, purpose=tips, occurred_at=timezone.now() + timedelta(seconds=1))
    assert state() == State.GIVEN
    assert stranger.post(address(noor, tips), ONE_CLICK).status_code == 200
    assert state() == State.WITHDRAWN


def test_the_limit_is_sixty_a_minute_or_more():
    limiter = Limiter(60)
    assert [limiter.wait("link", 0) for _ in range(60)] == [0.0] * 60


@pytest.mark.parametrize(
    "other",
    [preferences_token, own_page_pass],
    ids=["preferences", "pass"],
)
def test_a_token_for_something_else_takes_nothing_back(stranger, noor, tips, other):
    assert stranger.post(f"/u/{other(noor.pk)}/", ONE_CLICK).status_code == 200
    assert state() == State.GIVEN


def test_the_page_stays_out_of_caches_search_engines_and_logs_of_others(stranger, noor, tips):
    answer = stranger.get(address(noor, tips))
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "Cookie" not in answer.get("Vary", "")


def test_a_mailing_carries_the_headers_of_rfc_8058(stranger, noor, tips, settings):
    settings.BASE_URL = "https://voorkeuren.lindehuis.example"
    headers = list_unsubscribe_headers(noor, tips, "email")
    url = headers["List-Unsubscribe"].strip("<>")
    assert headers == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert url.startswith("https://voorkeuren.lindehuis.example/u/")
    assert "noor" not in url
    assert stranger.post(url.removeprefix(settings.BASE_URL), ONE_CLICK).status_code == 200
    assert state() == State.WITHDRAWN
    lower = preferences_url(noor).removeprefix(settings.BASE_URL)
    assert stranger.get(lower).status_code == 200
