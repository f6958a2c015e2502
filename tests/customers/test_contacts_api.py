"""Contacts through the API: decided, reserved, confirmed, given back, one or many at once."""

import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from customers import api, contact_documents, contact_rows, contacts_api
from customers.api_keys import Scope, issue_key
from customers.contacts_api import MOST_BYTES
from customers.erasure import erase_customer
from customers.holds import hold_contacts
from customers.limits import Limiter
from customers.models import AccessLog, ApiKey, Contact, Decision, Suppression
from customers.outcomes import expire_contacts
from customers.policies import publish_policy, stored_document
from customers.withdrawals import Means, withdraw
from tests.customers.test_after_a_merge import merged
from tests.customers.test_api import call, days_ago
from tests.makers import (
    LONG_AGO,
    known_policy,
    known_purpose,
    make_category,
    make_contact,
    make_customer,
    make_touchpoint,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEANS = Means(method="one_click_post")
TEXT = (Path(__file__).parents[2] / "docs/api.md").read_text()


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(api, "per_key", Limiter(100_000))


@pytest.fixture(autouse=True)
def _waking(db):
    """The starting policy without its nights and holidays, for this is about the present."""
    awake_all_night()


def awake_all_night() -> None:
    document = stored_document(known_policy()) | {"quiet": {}, "country": ""}
    publish_policy(document=document, author="", note="", now=timezone.now(), after=1)


def permitting(reference: str, **given):
    """A regular customer who said yes to tips by mail and to questions, some days ago."""
    person = make_customer(
        reference=reference,
        email=f"{reference.lower()}@example.org",
        customer_type="regular",
        **given,
    )
    for name in ("email_marketing", "satisfaction_survey"):
        purpose = known_purpose(name)
        if not purpose.wordings.exists():
            make_wording(purpose=purpose, published_at=LONG_AGO)
        wording = purpose.wordings.latest("version")
        record(
            person, purpose=purpose, address=person.email, wording=wording, occurred_at=days_ago(9)
        )
    return person


@pytest.fixture
def noor():
    return permitting("K1")


def make_key(*scopes: Scope) -> str:
    wanted = scopes or (Scope.CHECK, Scope.SEND)
    return issue_key(name="Mailer", scopes=wanted, days=90, made_by="1", now=timezone.now()).secret


@pytest.fixture
def key(db) -> str:
    return make_key()


def wanted(customer="K1", **given) -> dict:
    return {"customer": customer, "channel": "email", "kind": "promotion"} | given


def asked(request_id="a", customer="K1", **given) -> dict:
    return {"request_id": request_id} | wanted(customer, **given)


def reserve(key: str, *given, **more):
    return call("contacts/reserve", asked(*given, **more), key=key)


def settle(key: str, what: str, request_id="a"):
    return call(f"contacts/{what}", {"request_id": request_id}, key=key)


def lines(path: str, body: object, key: str) -> list[dict]:
    response = call(f"contacts/{path}/bulk", body, key=key)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.getvalue().decode().splitlines()]


def status(request_id="a") -> str:
    return Contact.objects.get(request_id=request_id).status


# -- Asking ---------------------------------------------------------------------------------------


def test_a_check_decides_and_stores_nothing(noor, key):
    told = call("contacts/check", wanted(), key=key)
    assert told.status_code == 200
    found = told.json()
    assert (found["customer"], found["outcome"], found["reservation"]) == ("K1", "ALLOW", None)
    assert (found["reasons"], found["policy_version"]) == ([], 2)
    assert found["permission"]["allowed"] is True
    assert not Contact.objects.exists()
    assert not Decision.objects.exists()


def test_a_check_names_what_stands_in_the_way_and_the_moment_it_ends(noor, key):
    before = make_contact(noor, timezone.now() - HOUR)
    found = call("contacts/check", wanted(), key=key).json()
    assert found["outcome"] == "DEFER"
    assert [one["blocking"] for one in found["reasons"]] == [[before.pk]]
    assert found["next_allowed_at"] == found["reasons"][0]["frees_at"]
    assert found["next_allowed_at"] == (before.sent_at + DAY).isoformat().replace("+00:00", "Z")


def test_the_customer_can_see_who_asked_and_who_reserved(noor, key):
    call("contacts/check", wanted(), key=key)
    reserve(key)
    call("customers/K1/dose", key=key)
    seen = AccessLog.objects.order_by("pk")
    pk = ApiKey.objects.get().pk
    assert {(one.customer, one.viewer, one.role) for one in seen} == {(noor, f"key:{pk}", "Mailer")}
    assert [one.reason for one in seen] == ["contacts:check", "contacts:send", "contacts:check"]


def test_the_dose_tells_decisions_contacts_that_count_and_holds(noor, key):
    now = timezone.now()
    phones = make_category(name="Phones")
    old = make_contact(noor, now - 31 * DAY)
    sent = make_contact(noor, now - 10 * DAY, category=phones)
    released = make_contact(noor, now - DAY, status="released", sent_at=None)
    reserve(key, "a")
    hold_contacts(customer=noor, reason="complaint", until=None, source="c:1", now=now)
    told = call("customers/K1/dose", key=key)
    assert told.status_code == 200
    found = told.json()
    kinds = ["promotion", "information", "ask_nps", "ask_survey", "ask_thumb"]
    assert [one["kind"] for one in found["decisions"]] == kinds
    assert {one["outcome"] for one in found["decisions"]} == {"DENY"}
    assert {one["code"] for one in found["decisions"][0]["reasons"]} >= {"HELD"}
    counting = [(one["id"], one["category"], one["status"]) for one in found["contacts"]]
    reserved = Contact.objects.get(request_id="a")
    assert counting == [(reserved.pk, None, "reserved"), (sent.pk, "Phones", "sent")]
    assert not {old.pk, released.pk} & {one["id"] for one in found["contacts"]}
    assert [(one["reason"], one["until"]) for one in found["holds"]] == [("complaint", None)]


def test_the_dose_takes_the_same_queries_with_one_contact_and_three(
    noor, key, django_assert_num_queries
):
    now, phones = timezone.now(), make_category(name="Phones")
    make_contact(noor, now - 3 * DAY, category=phones)
    call("customers/K1/dose", key=key)
    # The key; the customer; the decision with its purchases; contacts; holds; who asked.
    with django_assert_num_queries(14):
        call("customers/K1/dose", key=key)
    for days in (5, 7):
        make_contact(noor, now - days * DAY, category=make_category(name=f"C{days}"))
    with django_assert_num_queries(14):
        told = call("customers/K1/dose", key=key)
    assert len(told.json()["contacts"]) == 3


# -- Reserving ------------------------------------------------------------------------------------


def test_what_may_be_is_reserved_for_as_long_as_was_asked(noor, key):
    told = reserve(key, lease_seconds=600)
    assert told.status_code == 201
    contact = Contact.objects.get()
    assert (contact.request_id, contact.source) == ("a", f"key:{ApiKey.objects.get().pk}")
    assert contact.to_at - contact.from_at == timedelta(minutes=10)
    found = told.json()
    assert (found["outcome"], found["reservation"]["status"]) == ("ALLOW", "reserved")
    assert found["reservation"]["request_id"] == "a"
    assert Decision.objects.get().asker == contact.source


def test_what_may_not_be_now_or_at_all_is_told_with_why(noor, key):
    assert reserve(key).status_code == 201
    later = reserve(key, "b")
    assert (later.status_code, later.json()["outcome"]) == (200, "DEFER")
    assert later.json()["reservation"] is None
    assert later.json()["next_allowed_at"] > later.json()["evaluated_at"]
    never = reserve(key, "c", channel="sms")
    assert (never.status_code, never.json()["outcome"]) == (200, "DENY")
    assert never.json()["reasons"][0]["code"] == "NO_PERMISSION"
    assert Contact.objects.count() == 1


def test_the_same_request_again_gets_the_same_reservation_and_no_second(noor, key):
    first, again = reserve(key), reserve(key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["reservation"] == first.json()["reservation"]
    assert again.json()["outcome"] == "ALLOW"
    assert again.json()["permission"] is None
    assert again.json()["evaluated_at"] == first.json()["evaluated_at"]
    assert (Contact.objects.count(), Decision.objects.count()) == (1, 1)


@pytest.mark.parametrize("what", ["confirm", "release", "fail"])
def test_the_same_request_later_gets_the_reservation_as_it_stands_then(noor, key, what):
    reserve(key)
    answer = settle(key, what).json()["answer"]
    again = reserve(key)
    assert (again.status_code, again.json()["reservation"]["status"]) == (200, answer)


def test_a_reservation_whose_lease_ended_is_told_as_expired_cleaned_up_or_not(noor, key):
    reserve(key)
    past = timezone.now() - HOUR
    Contact.objects.update(from_at=past - HOUR, to_at=past)
    assert reserve(key).json()["reservation"]["status"] == "expired"
    expire_contacts(timezone.now())
    assert reserve(key).json()["reservation"]["status"] == "expired"


def test_a_replay_of_what_was_exempt_says_so_still(noor, key):
    known_purpose("service", kind="service")
    told = [reserve(key, kind="service").json()["outcome"] for _ in range(2)]
    assert told == ["EXEMPT", "EXEMPT"]


def test_a_request_for_a_moment_is_known_still_when_it_is_over(noor, key):
    at = timezone.now() + HOUR
    body = asked(at=at.isoformat())
    assert call("contacts/reserve", body, key=key).status_code == 201
    late = asked(at=(at - 2 * HOUR).isoformat())
    # As if two hours had passed: the same request, whose moment is over.
    contact = Contact.objects.get()
    plan = contact_rows.Plan(channel="email", kind="promotion", at=at - 2 * HOUR)
    contact.digest = contact_rows.Request(
        request_id="a", customer=noor, plan=plan, source=contact.source
    ).digest
    contact.save()
    again = call("contacts/reserve", late, key=key)
    assert (again.status_code, again.json()["reservation"]["status"]) == (200, "reserved")
    other = call("contacts/reserve", late | {"kind": "information"}, key=key)
    assert other.status_code == 409
    new = call("contacts/reserve", late | {"request_id": "b"}, key=key)
    assert (new.status_code, new.json()["field"]) == (422, "at")


OTHERS = {
    "another customer": {"customer": "K2"},
    "another kind": {"kind": "information"},
    "another weight": {"points": 3},
    "another lease": {"lease_seconds": 60},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_same_request_for_something_else_is_a_conflict(noor, key, other):
    permitting("K2")
    reserve(key)
    refused = reserve(key, **other)
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert refused.json()["field"] == "request_id"
    assert "'a' was used for another contact" in refused.json()["message"]
    assert Contact.objects.get().customer == noor


def test_the_record_that_another_became_has_one_dose(noor, key):
    old = permitting("K9")
    merged(noor, old)
    told = reserve(key, "a", "K9")
    assert (told.status_code, told.json()["customer"]) == (201, "K9")
    assert Contact.objects.get().customer == noor
    assert reserve(key, "b", "K1").json()["outcome"] == "DEFER"
    assert call("customers/K9/dose", key=key).json()["customer"] == "K9"


def test_a_request_of_a_record_that_was_merged_since_is_the_same_request(noor, key):
    old = permitting("K9")
    first = reserve(key, "a", "K9")
    merged(noor, old)
    again = reserve(key, "a", "K9")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["reservation"] == first.json()["reservation"]
    assert reserve(key, "a", "K1", kind="information").status_code == 409
    assert Contact.objects.get().customer == noor


# -- Confirming and giving back -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "answer"), [("confirm", "sent"), ("release", "released"), ("fail", "failed")]
)
def test_what_became_of_a_contact_is_stored_once_however_often_it_is_told(noor, key, what, answer):
    reserve(key)
    for _ in range(2):
        told = settle(key, what)
        assert told.status_code == 200
        assert told.json() == {"request_id": "a", "answer": answer}
    assert status() == answer


def test_what_was_confirmed_too_late_is_counted_and_said(noor, key):
    reserve(key)
    past = timezone.now() - HOUR
    Contact.objects.update(from_at=past - HOUR, to_at=past)
    told = settle(key, "confirm")
    assert (told.status_code, told.json()["answer"]) == (200, "sent_late")


def test_taken_back_between_reserving_and_confirming_it_is_not_sent_and_given_back(noor, key):
    reserve(key)
    withdraw(
        customer=noor, purpose=known_purpose("email_marketing"), channel="email", means=MEANS,
        now=timezone.now(),
    )  # fmt: skip
    for _ in range(2):
        refused = settle(key, "confirm")
        assert (refused.status_code, refused.json()["error"]) == (409, "not_permitted")
        assert refused.json()["message"].startswith("Do not send: ")
    assert status() == "released"


@pytest.mark.parametrize("before", ["release", "fail"])
def test_what_was_given_back_must_not_be_sent(noor, key, before):
    reserve(key)
    settle(key, before)
    refused = settle(key, "confirm")
    assert (refused.status_code, refused.json()["error"]) == (409, "not_reserved")
    assert refused.json()["message"].startswith("Do not send: ")


@pytest.mark.parametrize("after", ["release", "fail"])
def test_what_was_sent_cannot_be_given_back(noor, key, after):
    reserve(key)
    settle(key, "confirm")
    refused = settle(key, after)
    assert (refused.status_code, refused.json()["error"]) == (409, "was_sent")
    assert "Do not send" in refused.json()["message"]
    assert status() == "sent"


@pytest.mark.parametrize("what", ["confirm", "release", "fail"])
def test_a_request_of_nobody_and_that_of_another_key_are_the_same_stranger(noor, key, what):
    reserve(key)
    other = make_key()
    for secret, request_id in ((key, "b"), (other, "a")):
        refused = settle(secret, what, request_id)
        assert (refused.status_code, refused.json()["error"]) == (404, "request")
    assert status() == "reserved"
    assert reserve(other).status_code == 409


# -- Who may --------------------------------------------------------------------------------------

CALLS = {
    "contacts/check": (wanted(), Scope.CHECK),
    "contacts/check/bulk": ({"contacts": [wanted()]}, Scope.CHECK),
    "customers/K1/dose": (None, Scope.CHECK),
    "contacts/reserve": (asked("b"), Scope.SEND),
    "contacts/reserve/bulk": ({"contacts": [asked("b")]}, Scope.SEND),
    **{f"contacts/{one}": ({"request_id": "a"}, Scope.SEND) for one in ("confirm", "release")},
    "contacts/fail": ({"request_id": "a"}, Scope.SEND),
    "contacts/confirm/bulk": ({"requests": ["a"]}, Scope.SEND),
    "contacts/release/bulk": ({"requests": ["a"]}, Scope.SEND),
}


@pytest.mark.parametrize(("path", "body", "scope"), [(one, *CALLS[one]) for one in CALLS])
def test_a_key_may_what_its_scope_says_and_nothing_else(noor, key, path, body, scope):
    reserve(key)
    AccessLog.objects.all().delete()
    refused = call(path, body, key=make_key(*[one for one in Scope if one != scope]))
    assert (refused.status_code, refused.json()["error"]) == (403, "scope")
    assert scope in refused.json()["message"]
    assert (status(), Contact.objects.count()) == ("reserved", 1)
    assert not AccessLog.objects.exists()
    assert call(path, body).status_code == 401
    allowed = call(path, body, key=key)
    assert allowed.status_code == 200
    assert allowed.getvalue()


def test_whoever_was_erased_is_nobody(noor, key):
    reserve(key, "a")
    erase_customer(ids=[noor.pk], told=False, handled_by="1", now=timezone.now())
    for told in (
        call("contacts/check", wanted(), key=key),
        call("contacts/check", wanted("K-nobody"), key=key),
        reserve(key, "b"),
        call("customers/K1/dose", key=key),
        call("customers/K-nobody/dose", key=key),
    ):
        assert (told.status_code, told.json()["error"]) == (404, "customer")
    refused = settle(key, "confirm")
    assert (refused.status_code, refused.json()["error"]) == (404, "request")
    assert refused.json()["message"].startswith("Do not send: ")
    [line] = lines("check", {"contacts": [wanted()]}, key)
    assert (line["error"], line["customer"]) == ("customer", "K1")


# -- What is sent that should not be --------------------------------------------------------------

WRONG = {
    "no such channel": ({"channel": "fax"}, "channel"),
    "no such kind": ({"kind": "spam"}, "kind"),
    "no such category": ({"category": "Boats"}, "category"),
    "no such purpose": ({"purpose": "tipps"}, "purpose"),
    "an offer as if it belonged to an order": ({"purpose": "service"}, "purpose"),
    "an offer to who permits questions": ({"purpose": "satisfaction_survey"}, "purpose"),
    "an invoice that needs a yes": ({"kind": "service", "purpose": "email_marketing"}, "purpose"),
    "too heavy": ({"points": 101}, "points"),
    "lighter than nothing": ({"points": -1}, "points"),
    "over": ({"at": "2020-01-01T12:00:00Z"}, "at"),
    "far away": ({"at": "9999-12-31T23:59:59Z"}, "at"),
    "no time zone": ({"at": "2026-01-01T12:00:00"}, "at"),
    "a field nobody knows": ({"mode": "reserve"}, "mode"),
    "a NUL": ({"category": "a\0b"}, "category"),
    "no customer": ({"customer": ""}, "customer"),
}
WRONG_REQUESTS = {
    "no lease": ({"lease_seconds": 0}, "lease_seconds"),
    "a lease of a year": ({"lease_seconds": 31_536_000}, "lease_seconds"),
    "no id": ({"request_id": ""}, "request_id"),
    "a long id": ({"request_id": "x" * 201}, "request_id"),
}


@pytest.mark.parametrize(("change", "field"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_with_the_field_it_is_about(noor, key, caplog, change, field):
    for path, body in (("check", wanted()), ("reserve", asked())):
        with caplog.at_level(logging.WARNING, "customers"):
            refused = call(f"contacts/{path}", body | change, key=key)
        assert (refused.status_code, refused.json()["error"]) == (422, "rule")
        assert refused.json()["field"] == field
        assert refused.json()["message"]
        assert f"Refused by the API: contacts_{path} by key" in caplog.text
        assert call(f"contacts/{path}", body, key=key).status_code in (200, 201)


@pytest.mark.parametrize(("change", "field"), WRONG_REQUESTS.values(), ids=WRONG_REQUESTS)
def test_a_request_that_cannot_be_is_refused(noor, key, change, field):
    refused = call("contacts/reserve", asked() | change, key=key)
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert not Contact.objects.exists()


def test_words_that_are_not_known_are_answered_with_those_that_are(noor, key):
    make_category(name="Phones")
    refused = call("contacts/check", wanted(category="Boats"), key=key).json()
    assert refused["message"] == "category 'Boats' is not known. Use one of: Phones."


# -- Many at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_many_are_answered_in_the_order_asked_whatever_that_of_the_customers(key, number):
    people = [permitting(f"K{n}") for n in range(1, number + 1)][::-1]
    body = {"contacts": [asked(f"r{one.reference}", one.reference) for one in people]}
    told = lines("reserve", body, key)
    assert [one["customer"] for one in told] == [one.reference for one in people]
    assert [one["reservation"]["status"] for one in told] == ["reserved"] * number
    again = lines("reserve", body, key)
    assert [one["reservation"] for one in again] == [one["reservation"] for one in told]
    requests = [one["request_id"] for one in body["contacts"]]
    sent = lines("confirm", {"requests": requests}, key)
    assert sent == [{"request_id": one, "answer": "sent"} for one in requests]
    assert Contact.objects.filter(status="sent").count() == number
    assert AccessLog.objects.count() == 2 * number


def test_one_and_three_take_the_same_queries(key, django_assert_num_queries):
    for n in range(1, 5):
        permitting(f"K{n}")
    lines("reserve", {"contacts": [asked("warm", "K4")]}, key)
    with django_assert_num_queries(18):
        lines("reserve", {"contacts": [asked("r1", "K1")]}, key)
    with django_assert_num_queries(18):
        told = lines("reserve", {"contacts": [asked(f"s{n}", f"K{n}") for n in (1, 2, 3)]}, key)
    assert [one["outcome"] for one in told] == ["DEFER", "ALLOW", "ALLOW"]
    with django_assert_num_queries(13):
        lines("check", {"contacts": [wanted()]}, key)
    with django_assert_num_queries(13):
        lines("check", {"contacts": [wanted(f"K{n}") for n in (1, 2, 3)]}, key)


def test_a_row_that_is_wrong_gets_its_line_and_stops_no_other(noor, key):
    permitting("K2")
    rows = [
        asked("r1", "K-nobody"),
        asked("r2", "K2"),
        asked("r3", category="Boats"),
        asked("r4", channel="fax"),
        asked("r5", at="2020-01-01T12:00:00Z"),
        asked("r6"),
        asked("r6", kind="information"),
        asked("r6"),
        asked("r7"),
    ]
    told = lines("reserve", {"contacts": rows}, key)
    assert [one.get("error") for one in told] == [
        "customer", None, "rule", "rule", "rule", None, "conflict", None, None,
    ]  # fmt: skip
    assert [one["field"] for one in told if "error" in one] == [
        "customer", "category", "channel", "at", "request_id",
    ]  # fmt: skip
    assert list(told[0]) == ["customer", "request_id", "error", "field", "message"]
    assert (told[0]["customer"], told[0]["request_id"]) == ("K-nobody", "r1")
    assert told[7]["reservation"] == told[5]["reservation"]
    assert told[8]["outcome"] == "DEFER"
    assert set(Contact.objects.values_list("request_id", flat=True)) == {"r2", "r6"}
    checked = lines(
        "check", {"contacts": [wanted("K-nobody"), wanted("K2", kind="information")]}, key
    )
    assert [one.get("error") for one in checked] == ["customer", None]
    assert checked[0]["request_id"] is None
    assert checked[1]["outcome"] == "DEFER"


def test_many_that_are_all_wrong_are_told_so(key):
    told = lines("check", {"contacts": [wanted("K-1"), wanted("K-2")]}, key)
    assert [(one["customer"], one["error"]) for one in told] == [
        ("K-1", "customer"), ("K-2", "customer"),
    ]  # fmt: skip


def test_requests_that_cannot_be_settled_get_their_lines(noor, key):
    permitting("K2")
    lines("reserve", {"contacts": [asked("r1"), asked("r2", "K2")]}, key)
    Suppression.objects.create(
        address_hash=noor.address_hash, reason="complaint", created_at=days_ago(0)
    )
    told = lines("confirm", {"requests": ["r2", "r1", "r9", "r2"]}, key)
    assert [one.get("answer", one.get("error")) for one in told] == [
        "sent", "not_permitted", "request", "sent",
    ]  # fmt: skip
    assert list(told[1]) == ["customer", "request_id", "error", "field", "message"]
    assert told[1]["message"].startswith("Do not send: ")
    released = lines("release", {"requests": ["r1", "r2"]}, key)
    assert [one.get("answer", one.get("error")) for one in released] == ["released", "was_sent"]


def test_each_batch_is_stored_before_its_lines_are_sent(key, monkeypatch):
    monkeypatch.setattr(contacts_api, "BATCH", 2)
    for n in range(1, 6):
        permitting(f"K{n}")
    body = {"contacts": [asked(f"r{n}", f"K{n}") for n in range(1, 6)]}
    response = call("contacts/reserve/bulk", body, key=key)
    stored = []
    for chunk in response.streaming_content:
        stored.append((chunk.count(b"\n"), Contact.objects.count()))
    assert stored == [(2, 2), (2, 4), (1, 5)]


def test_a_batch_that_finds_the_database_busy_is_told_to_come_again(noor, key, monkeypatch):
    monkeypatch.setattr(contacts_api, "BATCH", 1)
    body = {"contacts": [asked("r1"), asked("r2", "K-nobody")]}
    response = call("contacts/reserve/bulk", body, key=key)

    def busy(execute, sql, *more):
        raise OperationalError("database is locked")

    chunks = iter(response.streaming_content)
    with connection.execute_wrapper(busy):
        line = json.loads(next(chunks))
    assert (line["request_id"], line["error"]) == ("r1", "busy")
    assert json.loads(next(chunks))["error"] == "customer"
    assert lines("reserve", body, key)[0]["outcome"] == "ALLOW"


def test_a_body_of_another_shape_is_refused_whole_with_the_place(noor, key):
    for row, field in [
        (asked("r2", points="many"), "contacts.1.points"),
        (wanted(), "contacts.1.request_id"),
        (asked("r2", mode="x"), "contacts.1.mode"),
        ("K1", "contacts.1"),
    ]:
        refused = call("contacts/reserve/bulk", {"contacts": [asked("r1"), row]}, key=key)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert not Contact.objects.exists()


MANY = {
    "check": lambda number: {"contacts": [wanted("K-nobody")] * number},
    "reserve": lambda number: {"contacts": [asked("r", "K-nobody")] * number},
    "confirm": lambda number: {"requests": ["r"] * number},
    "release": lambda number: {"requests": ["r"] * number},
}


@pytest.mark.parametrize("path", MANY)
def test_ten_thousand_rows_are_taken_and_not_one_more(key, path):
    assert len(lines(path, MANY[path](10_000), key)) == 10_000
    for number in (0, 10_001):
        refused = call(f"contacts/{path}/bulk", MANY[path](number), key=key)
        assert (refused.status_code, refused.json()["error"]) == (422, "rule")
        assert refused.json()["field"] in ("contacts", "requests")


def test_long_bodies_are_taken_where_many_rows_travel_and_nowhere_else(noor, key):
    filler = " " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    many = json.dumps({"contacts": [asked()]}) + filler
    assert call("contacts/reserve/bulk", many, key=key).status_code == 200
    for path, body in (("reserve", asked()), ("check", wanted())):
        refused = call(f"contacts/{path}", json.dumps(body) + filler, key=key)
        assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    refused = call("contacts/reserve/bulk", "x" * (MOST_BYTES + 1), key=key)
    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    # Nobody's body is read before it is known whose it is.
    assert call("contacts/reserve/bulk", "x" * (MOST_BYTES + 1)).status_code == 401


# -- As it is told --------------------------------------------------------------------------------


def test_no_log_holds_anything_of_a_customer_or_what_was_sent(noor, key, caplog):
    with caplog.at_level(logging.DEBUG):
        reserve(key, "canary-1")
        reserve(key, "canary-1", kind="information")
        reserve(key, "canary-2", category="canary")
        settle(key, "confirm", "canary-3")
        lines("reserve", {"contacts": [asked("canary-4", "canary-K")]}, key)
    ours = "\n".join(
        one.getMessage() for one in caplog.records if one.name.startswith(("customers", "insights"))
    )
    assert "Refused" in ours
    for trace in ("canary", "k1@example.org", "K1"):
        assert trace not in ours


def test_the_new_shapes_have_examples_that_are_what_they_say():
    schemas = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]
    for name in (
        "ContactWanted", "ContactRequest", "OfRequest", "ManyWanted", "ManyRequested",
        "ManyRequests", "Decision", "Settled", "Dose",
    ):  # fmt: skip
        assert schemas[name]["examples"], name
    for name in ("ContactRequest", "ManyRequests", "Decision", "Settled", "Dose"):
        for example in schemas[name]["examples"]:
            shape = getattr(contact_documents, name)
            assert shape.model_validate(example).model_dump(mode="json", exclude_unset=True)


def test_the_examples_of_the_docs_are_answered_with_what_they_promise(key):
    make_category(name="Laptops", involvement="high", rated_at=LONG_AGO)
    for reference in ("K123", "K124", "K125", "K126", "K127"):
        permitting(reference)
    for n in (126, 127):
        reserve(key, f"spring:K{n}:1", f"K{n}")
    examples = re.findall(
        r"```sh\n(.*?)```", TEXT.split("## Contacts")[1].split("\n## ")[0], re.DOTALL
    )
    assert len(examples) == 11
    make_touchpoint(scale="thumb", key="thumb-1a2b3c4d")
    for example in examples:
        path = re.search(r"/api/v1/(\S+)", example)[1].rstrip('"\\')
        body = re.search(r"-d '(.*?)'", example, re.DOTALL)
        response = call(path, json.loads(body[1]) if body else None, key=key)
        assert response.status_code == (201 if path == "contacts/reserve" else 200)
        assert b'"error"' not in response.getvalue()
    assert dict(Contact.objects.values_list("request_id", "status")) == {
        "spring:K123:1": "sent",
        "spring:K124:1": "sent",
        "spring:K125:1": "released",
        "spring:K126:1": "released",
        "spring:K127:1": "failed",
    }
