"""What people ask about their data: taken in, done at once or at a desk, refused with a reason."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.addresses import address_hashes
from customers.consent import State
from customers.data_requests import LIFT, Asked, NotCorrectable, receive_request, rectify
from customers.letters import Sender, send_due
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentState,
    DataRequest,
    Erasure,
    Letter,
    LetterKind,
    PurposeKind,
    RequestKind,
    RequestSource,
    RequestState,
    Suppression,
    SuppressionReason,
)
from customers.queries import may_process
from customers.services import change_address
from insights import requests as domain
from insights.accounts import Role
from insights.tasks import due_jobs
from tests.insights.test_admin import make_colleague
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

PAGE = "/permission/requests/"
SENDER = Sender(name="Lindehuis", header="Lindehuis <post@lindehuis.example>")


@pytest.fixture
def noor():
    return make_customer(
        reference="noor-1", email="noor@example.org", name="Noor", language="en",
        verified_hash=next(iter(address_hashes("noor@example.org"))),
    )  # fmt: skip


@pytest.fixture
def kim() -> User:
    return make_colleague("kim@example.org", Role.CONSENT_ADMIN)


@pytest.fixture
def browser(kim: User, client: Client) -> Client:
    client.cookies["django_language"] = "en"
    client.force_login(kim)
    return client


def ask(customer, kind, source=RequestSource.OWN_PAGE, now=NOW, **given) -> DataRequest:
    return receive_request(
        customer=customer, asked=Asked(kind=kind, source=source, **given), now=now
    )


def letters() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("kind", flat=True))


# -- On the own page: at once ---------------------------------------------------------------------


def test_an_erasure_asked_on_the_own_page_is_done_at_once(noor):
    ask(noor, RequestKind.ERASURE)
    assert [job.name for job in due_jobs("requests", NOW)] == ["data_requests"]
    assert domain.carry_out_own(NOW) == 1
    noor.refresh_from_db()
    assert (noor.email, noor.erased_at) == ("", NOW)
    assert DataRequest.objects.get().state == RequestState.DONE
    assert letters() == [LetterKind.ERASED]
    assert due_jobs("requests", NOW) == []


def test_a_correction_says_which_fields_and_not_what_they_were(noor):
    ask(noor, RequestKind.RECTIFICATION, corrections={"name": "Noor B.", "email": "n@example.org"})
    domain.carry_out_own(NOW)
    noor.refresh_from_db()
    assert (noor.name, noor.email) == ("Noor B.", "n@example.org")
    done = DataRequest.objects.get()
    assert (done.answer, done.corrections) == ("Corrected: name, e-mail.", {})
    # To the address that is known to be theirs: the new one is not confirmed.
    assert Letter.objects.get().address == "noor@example.org"


def test_a_restriction_stops_everything_until_the_customer_lifts_it(noor):
    record(noor, purpose=make_purpose(key="tips"), address=noor.email)
    ask(noor, RequestKind.RESTRICTION)
    domain.carry_out_own(NOW)
    noor.refresh_from_db()
    assert may_process(noor, "tips", "email", NOW).reason == "restricted"
    ask(noor, RequestKind.RESTRICTION, corrections=LIFT)
    domain.carry_out_own(NOW)
    noor.refresh_from_db()
    assert may_process(noor, "tips", "email", NOW).allowed


def test_an_objection_stops_all_marketing_and_its_profiling_on_every_channel(noor):
    tips = make_purpose(key="tips", channels=["email", "sms"])
    personal = make_purpose(key="personal", kind=PurposeKind.PROFILING)
    survey = make_purpose(key="survey", kind=PurposeKind.SURVEY)
    record(noor, purpose=tips, address=noor.email)
    record(noor, purpose=survey, address=noor.email)
    ask(noor, RequestKind.OBJECTION)
    domain.carry_out_own(NOW)
    states = ConsentState.objects.filter(customer=noor)
    mine = states.filter(purpose__in=[tips, personal], state=State.OBJECTED)
    objected = set(mine.values_list("purpose", "channel"))
    assert objected == {(tips.pk, "email"), (tips.pk, "sms"), (personal.pk, "email")}
    kinds = set(states.filter(state=State.OBJECTED).values_list("purpose__kind", flat=True))
    assert kinds.isdisjoint({PurposeKind.SURVEY, PurposeKind.SERVICE})
    assert states.get(purpose=survey).state == State.GIVEN
    assert Suppression.objects.get().reason == SuppressionReason.OBJECTION


def test_one_that_fails_keeps_none_of_the_others_waiting(noor, caplog):
    other = make_customer(email="other@example.org")
    ask(noor, RequestKind.RECTIFICATION, corrections={"reference": "x"})
    ask(other, RequestKind.RESTRICTION)
    with pytest.raises(NotCorrectable):
        domain.carry_out_own(NOW)
    other.refresh_from_db()
    assert other.restricted_at == NOW
    assert "data_request_failed" in caplog.text
    assert DataRequest.objects.get(customer=noor).state == RequestState.OPEN


def test_what_a_colleague_took_in_waits_for_the_button(noor):
    ask(noor, RequestKind.ERASURE, source=RequestSource.STAFF)
    assert due_jobs("requests", NOW) == []


# -- Another address ------------------------------------------------------------------------------


def test_case_17_a_changed_address_is_not_mailable_until_it_is_confirmed_and_stops_follow(noor):
    tips = make_purpose(key="tips")
    record(noor, purpose=tips, address=noor.email)
    Suppression.objects.create(
        address_hash=noor.address_hash, reason=SuppressionReason.COMPLAINT, created_at=NOW
    )
    assert change_address(customer=noor, email="new@example.org", now=NOW)
    assert not noor.is_verified
    stopped = set(Suppression.objects.values_list("address_hash", flat=True))
    assert stopped == address_hashes("noor@example.org") | address_hashes("new@example.org")
    assert may_process(noor, "tips", "email", NOW).reason == "suppressed"
    Suppression.objects.all().delete()
    assert may_process(noor, "tips", "email", NOW).reason == "other_address"


def test_the_same_address_in_other_letters_is_still_confirmed(noor):
    assert change_address(customer=noor, email="Noor@Example.org", now=NOW)
    assert noor.is_verified


def test_a_bounce_stays_with_the_old_address(noor):
    Suppression.objects.create(
        address_hash=noor.address_hash, reason=SuppressionReason.BOUNCE, created_at=NOW
    )
    change_address(customer=noor, email="new@example.org", now=NOW)
    assert Suppression.objects.count() == 1


def test_what_is_no_address_is_refused_and_nothing_changes(noor):
    with pytest.raises(ValidationError):
        rectify(customer=noor, corrections={"name": "N", "email": "no address"}, now=NOW)
    noor.refresh_from_db()
    assert (noor.name, noor.email) == ("Noor", "noor@example.org")


# -- The inbox ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.MARKETER, None])
def test_only_who_looks_after_consent_sees_requests(client, noor, role):
    asked = ask(noor, RequestKind.ACCESS)
    client.force_login(make_colleague("mo@example.org", role) if role else User.objects.create())
    for name in ("request", "request_document", "request_file"):
        assert client.get(reverse(name, args=[asked.pk])).status_code == 403
    for name in ("request_done", "request_refused"):
        assert client.post(reverse(name, args=[asked.pk])).status_code == 403
    assert client.get(PAGE).status_code == 403
    assert AccessLog.objects.count() == 0


@pytest.mark.parametrize("role", [Role.CONSENT_ADMIN, Role.ADMINISTRATOR])
def test_who_looks_after_consent_sees_them(client, noor, role):
    asked = ask(noor, RequestKind.ACCESS)
    client.force_login(make_colleague("mo@example.org", role))
    assert client.get(PAGE).status_code == 200
    assert client.get(reverse("request", args=[asked.pk])).status_code == 200


@pytest.mark.parametrize("times", [1, 3])
def test_the_inbox_takes_as_many_queries_for_three_as_for_one(
    browser, noor, times, django_assert_num_queries
):
    for number in range(times):
        ask(make_customer(), RequestKind.ACCESS, text=str(number))
        domain.refuse(request=ask(make_customer(), RequestKind.ACCESS), reason="x", by="1", now=NOW)
    with django_assert_num_queries(8):
        assert browser.get(PAGE).status_code == 200


def test_the_longest_overdue_comes_first_and_no_name_is_in_the_list(browser, noor):
    now = timezone.now()
    ask(noor, RequestKind.ACCESS, now=now - timedelta(days=1), text="the second")
    late = ask(make_customer(), RequestKind.ERASURE, now=now - timedelta(days=60))
    page = browser.get(PAGE)
    assert page.context["waiting"][0].request == late
    text = page.content.decode()
    assert "days too late" in text
    assert "days left" in text
    for secret in ("noor", "Noor", "the second"):
        assert secret not in text
    assert AccessLog.objects.count() == 0


def test_a_request_is_taken_in_by_reference_and_the_customer_hears_of_it(browser, noor, kim):
    page = browser.post(
        PAGE, {"reference": "noor-1", "kind": "access", "text": "called, knows her last order"}
    )
    asked = DataRequest.objects.get()
    assert page["Location"] == reverse("request", args=[asked.pk])
    assert (asked.source, asked.handled_by) == (RequestSource.STAFF, str(kim.pk))
    send_due(SENDER, timezone.now())
    (letter,) = mail.outbox
    assert letter.subject == "Lindehuis: we received your request"
    assert "You asked to see your data." in letter.body


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"reference": "nobody"}, "There is no customer with this reference."),
        ({"text": ""}, "This field is required."),
        ({"kind": "rectification"}, "Fill in what is to be corrected"),
        ({"name": "Noor B."}, "goes with “Correct my data”"),
        ({"kind": "rectification", "email": "x"}, "Enter a valid email address."),
    ],
)
def test_what_cannot_be_taken_in_is_said_in_the_form(browser, noor, given, says):
    page = browser.post(PAGE, {"reference": "noor-1", "kind": "access", "text": "called"} | given)
    assert says in page.content.decode()
    assert DataRequest.objects.count() == 0


def test_looking_at_a_request_is_written_down(browser, noor, kim):
    asked = ask(noor, RequestKind.ACCESS)
    page = browser.get(reverse("request", args=[asked.pk]))
    assert "noor@example.org" in page.content.decode()
    seen = AccessLog.objects.get()
    assert (seen.customer, seen.kind, seen.viewer) == (noor, AccessKind.PAGE, str(kim.pk))
    assert seen.reason == f"request {asked.pk}"


def test_the_data_are_read_and_taken_along_and_both_are_written_down(browser, noor):
    asked = ask(noor, RequestKind.ACCESS)
    read = browser.get(reverse("request_document", args=[asked.pk]))
    assert "noor@example.org" in read.content.decode()
    file = browser.get(reverse("request_file", args=[asked.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="data-{asked.pk}.json"'
    assert json.loads(file.content)["who"]["reference"] == "noor-1"
    kinds = set(AccessLog.objects.values_list("kind", flat=True))
    assert kinds == {AccessKind.EXPORT}


def test_the_button_erases_and_the_page_shows_the_proof(browser, noor):
    make_wording(purpose=(tips := make_purpose()))
    record(noor, purpose=tips, address=noor.email)
    asked = ask(noor, RequestKind.ERASURE, source=RequestSource.STAFF)
    before = browser.get(reverse("request", args=[asked.pk])).content.decode()
    assert "Erase everything" in before
    assert "States of permission" in before
    browser.post(reverse("request_done", args=[asked.pk]))
    after = browser.get(reverse("request", args=[asked.pk])).content.decode()
    assert "Proof of the erasure" in after
    assert "noor" not in after.lower()
    assert Erasure.objects.get().reason == f"request {asked.pk}"
    assert AccessLog.objects.count() == 0


def test_an_objection_at_a_desk_is_relayed_with_its_reason(browser, noor, kim):
    tips = make_purpose()
    asked = ask(noor, RequestKind.OBJECTION, source=RequestSource.STAFF, text="wrote a letter")
    browser.post(reverse("request_done", args=[asked.pk]))
    entry = noor.consents.get(purpose=tips)
    assert (entry.state, entry.actor, entry.actor_id) == ("objected", "admin", str(kim.pk))
    assert entry.evidence.text == "wrote a letter"
    assert AccessLog.objects.get().kind == AccessKind.CHANGE


def test_a_refusal_needs_a_reason_that_the_customer_reads(browser, noor):
    asked = ask(noor, RequestKind.ACCESS, source=RequestSource.STAFF)
    page = browser.post(reverse("request_refused", args=[asked.pk]), {"reason": ""})
    assert "This field is required." in page.content.decode()
    browser.post(
        reverse("request_refused", args=[asked.pk]), {"reason": "We cannot tell it is you."}
    )
    asked.refresh_from_db()
    assert (asked.state, asked.answer) == (RequestState.REFUSED, "We cannot tell it is you.")
    send_due(SENDER, timezone.now())
    assert "We cannot tell it is you." in mail.outbox[0].body


def test_of_two_who_answer_one_does(browser, noor):
    asked = ask(noor, RequestKind.RESTRICTION, source=RequestSource.STAFF)
    browser.post(reverse("request_done", args=[asked.pk]))
    page = browser.post(
        reverse("request_refused", args=[asked.pk]), {"reason": "too late"}, follow=True
    )
    assert "Somebody answered this request already." in page.content.decode()
    assert DataRequest.objects.get().state == RequestState.DONE
    assert letters() == [LetterKind.ANSWERED]


@pytest.mark.parametrize("kind", [*RequestKind.values, "lift"])
def test_every_kind_has_a_page_and_letters_in_both_languages(browser, kind):
    for language in ("en", "nl"):
        person = make_customer(
            reference=f"{language}-{kind}", email=f"{language}@example.org", language=language
        )
        given = {"name": "New"} if kind == RequestKind.RECTIFICATION else {}
        browser.post(PAGE, {"reference": person.reference, "kind": kind, "text": "asked"} | given)
        asked = DataRequest.objects.get(customer=person)
        assert browser.get(reverse("request", args=[asked.pk])).status_code == 200
        assert browser.post(reverse("request_done", args=[asked.pk])).status_code == 302
        assert browser.get(reverse("request", args=[asked.pk])).status_code == 200
    # An erasure takes back what was not sent yet, and says one last thing.
    expected = 2 if kind == RequestKind.ERASURE else 4
    assert send_due(SENDER, timezone.now()) == expected
    assert all("{" not in one.body and "%" not in one.body for one in mail.outbox)


# -- The register ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*Role.values])
def test_the_register_says_what_is_done_for_each_purpose(client, role):
    tips = make_purpose(name_en="Tips by mail", kind=PurposeKind.MARKETING, minimum_age=18)
    make_wording(purpose=tips, language="en", data_types="e-mail", recipients="Mailhuis")
    make_purpose(name_en="Old thing", archived_at=NOW)
    client.cookies["django_language"] = "en"
    client.force_login(make_colleague("mo@example.org", role))
    text = client.get("/permission/register/").content.decode()
    for said in ("Tips by mail", "Mailhuis", "Customers of 18 and older", "Old thing", "2 years"):
        assert said in text


def test_the_register_is_for_colleagues_with_a_role(client):
    client.force_login(User.objects.create())
    assert client.get("/permission/register/").status_code == 403


@pytest.mark.parametrize("times", [1, 3])
def test_the_register_takes_as_many_queries_for_three_purposes_as_for_one(
    browser, times, django_assert_num_queries
):
    for _ in range(times):
        make_wording(purpose=make_purpose())
    with django_assert_num_queries(8):
        browser.get("/permission/register/")
