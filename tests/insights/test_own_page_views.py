"""The own page: open for half an hour to who came with a mailed link, and closed to all others."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.consent import State
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentEntry,
    ConsentState,
    Customer,
    CustomerMerge,
    DataRequest,
    LinkAction,
    MailedLink,
    Purpose,
    Suppression,
)
from customers.tokens import own_page_pass
from feedback.models import Response
from feedback.services import add_responses
from insights.accounts import Role
from insights.requests import carry_out_own
from tests.makers import (
    NOW,
    a_purchase,
    an_answer,
    make_customer,
    make_purpose,
    make_touchpoint,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

PAGE = "/preferences/mine/"


@pytest.fixture
def noor() -> Customer:
    return make_customer(email="noor@example.org", name="Noor Voorbeeld", language="en")


@pytest.fixture
def link(noor) -> MailedLink:
    now = timezone.now()
    return MailedLink.objects.create(
        action=LinkAction.OPEN,
        customer=noor,
        address_hash=noor.address_hash,
        digest="d" * 64,
        asked_at=now,
        expires_at=now + timedelta(hours=24),
        spent_at=now,
    )


@pytest.fixture
def visitor(link) -> Client:
    """Noor, with the pass of a link that was used a moment ago."""
    browser = Client()
    browser.cookies["own_page"] = own_page_pass(link.pk)
    return browser


@pytest.fixture
def tips() -> Purpose:
    purpose = make_purpose(name_nl="Tips", name_en="Tips and offers")
    make_wording(purpose=purpose, details="In full.", data_types="Orders.")
    make_wording(purpose=purpose, language="en", label="Yes, mail me tips.", details="In full.")
    return purpose


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def press(visitor, **fields):
    return visitor.post(PAGE, {key: str(value) for key, value in fields.items()}, follow=True)


def state() -> str:
    return ConsentState.objects.get().state


# -- Who gets in -----------------------------------------------------------------------------------


def test_the_page_opens_to_the_pass_of_an_open_link(visitor):
    answer = visitor.get(PAGE)
    assert answer.status_code == 200
    assert "n…r@example.org" in text_of(answer)


@pytest.mark.parametrize(
    "given",
    [
        {"spent_at": None},
        {"spent_at": NOW - timedelta(days=300)},
        {"closed_at": NOW},
        {"address_hash": "b" * 64},
        {"action": LinkAction.CONFIRM},
    ],
    ids=["not used", "over", "closed", "another address", "for something else"],
)
@pytest.mark.parametrize("path", ["", "data/", "correct/", "erase/"])
def test_a_pass_whose_link_does_not_hold_opens_nothing(visitor, link, path, given):
    assert visitor.get(PAGE + path).status_code == 200
    MailedLink.objects.filter(pk=link.pk).update(**given)
    answer = visitor.get(PAGE + path)
    assert answer.status_code == 404
    assert 'name="email"' in text_of(answer)
    assert "n…r" not in text_of(answer)


@pytest.mark.parametrize("path", ["", "data/", "download/", "correct/", "erase/", "close/"])
@pytest.mark.parametrize("held", ["", "1", "1:forged", None])
def test_without_a_pass_of_ours_nothing_is_shown_or_changed(visitor, link, noor, tips, path, held):
    visitor.cookies["own_page"] = held if held is not None else own_page_pass(link.pk)[:-1]
    for answer in (visitor.get(PAGE + path), visitor.post(PAGE + path, {"do": "stop"})):
        assert answer.status_code == 404
        assert "noor" not in text_of(answer)
    assert not DataRequest.objects.exists()


def test_a_login_of_staff_opens_nothing(django_user_model):
    staff = Client()
    staff.force_login(django_user_model.objects.create_superuser("kim", "kim@example.org", "x"))
    assert staff.get(PAGE).status_code == 404


def test_a_forged_request_from_elsewhere_changes_nothing(visitor, noor, tips):
    record(noor, purpose=tips)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["own_page"] = visitor.cookies["own_page"].value
    for path in ("", "download/", "correct/", "erase/", "close/"):
        assert strict.post(PAGE + path, {"do": "stop"}).status_code == 403
    assert state() == State.GIVEN


def test_nothing_of_it_is_kept_by_browsers_or_found(visitor):
    for path in ("", "data/", "correct/", "erase/"):
        answer = visitor.get(PAGE + path)
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Referrer-Policy"] == "same-origin"


def test_opening_its_pages_changes_nothing(visitor, noor, tips):
    record(noor, purpose=tips)
    before = list(ConsentEntry.objects.values()), list(MailedLink.objects.values())
    for path in ("", "data/", "correct/", "erase/"):
        for method in (visitor.get, visitor.head):
            method(PAGE + path + "?do=stop&done=objected")
    assert (list(ConsentEntry.objects.values()), list(MailedLink.objects.values())) == before
    assert not DataRequest.objects.exists()


# -- On and off ------------------------------------------------------------------------------------


def test_switching_on_is_a_tick_of_the_text_shown_in_full(visitor, noor, tips):
    page = text_of(visitor.get(PAGE))
    wording = tips.wordings.get(language="en")
    assert "Yes, mail me tips." in page
    assert "In full." in page
    box = re.search(r'<input class="form-check-input"[^>]*>', page)[0]
    assert f'value="{wording.pk}"' in box
    assert not re.search(r"\b(checked|required|hidden)\b", box)
    answer = press(visitor, do="on", yes=wording.pk, channel="email")
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.grade, entry.method) == (State.GIVEN, "A", "preference_page")
    assert (entry.wording, entry.customer) == (wording, noor)
    assert text_of(answer).count("ci-saved") == 1


@pytest.mark.parametrize("ticked", ["", "0", "x", "987654"])
def test_an_empty_box_is_no_yes_and_no_refusal(visitor, tips, ticked):
    answer = press(visitor, do="on", yes=ticked, channel="email")
    assert "The box was empty" in text_of(answer)
    assert not ConsentEntry.objects.exists()


def test_a_text_that_was_replaced_meanwhile_is_shown_again(visitor, tips):
    old = tips.wordings.get(language="en")
    make_wording(purpose=tips, version=2, language="en", label="Yes, mail me more.")
    answer = press(visitor, do="on", yes=old.pk, channel="email")
    assert "The text has changed meanwhile" in text_of(answer)
    assert "Yes, mail me more." in text_of(answer)
    assert not ConsentEntry.objects.exists()


def test_a_channel_nobody_asks_on_is_refused(visitor, tips):
    answer = press(visitor, do="on", yes=tips.wordings.first().pk, channel="sms")
    assert "That did not work" in text_of(answer)
    assert not ConsentEntry.objects.exists()


def test_switching_off_and_stopping_everything_take_one_press_here_too(visitor, noor, tips):
    record(noor, purpose=tips)
    answer = press(visitor, do="off", purpose=tips.pk, channel="email")
    assert state() == State.WITHDRAWN
    assert "Off since today" in text_of(answer)
    assert ConsentEntry.objects.last().place == "own_page"
    press(visitor, do="on", yes=tips.wordings.first().pk, channel="email")
    assert "Everything is off." in text_of(press(visitor, do="stop"))
    assert state() == State.WITHDRAWN


def test_limit_and_pause_go_both_ways(visitor, noor):
    def wish() -> tuple[int | None, bool]:
        noor.refresh_from_db()
        return noor.monthly_limit, noor.paused_until is not None

    steps = {"pause": (None, True), "less": (1, False), "usual": (None, False)}
    for wanted, then in steps.items():
        answer = press(visitor, do=wanted)
        assert wish() == then
        assert f'value="{wanted}" aria-pressed="true"' in text_of(answer)


def test_an_objection_stops_all_marketing_and_the_address(visitor, noor, tips):
    survey = make_purpose(kind="survey")
    record(noor, purpose=tips)
    record(noor, purpose=survey)
    assert 'value="object"' in text_of(visitor.get(PAGE))
    answer = press(visitor, do="object")
    assert ConsentState.objects.get(purpose=tips).state == State.OBJECTED
    # Also where nobody was asked yet; a question is no marketing.
    assert ConsentState.objects.get(purpose__key="personalisation").state == State.OBJECTED
    assert ConsentState.objects.get(purpose=survey).state == State.GIVEN
    assert Suppression.objects.get().reason == "objection"
    assert 'value="object"' not in text_of(answer)
    press(visitor, do="on", yes=tips.wordings.first().pk, channel="email")
    assert ConsentState.objects.get(purpose=tips).state == State.GIVEN
    assert not Suppression.objects.exists()


# -- What is told ----------------------------------------------------------------------------------


def test_own_answers_are_shown_with_their_words_and_nobody_elses(visitor, noor):
    place = make_touchpoint(scale="thumb", question_en="Is your phone ready for winter?")
    add_responses(
        [
            an_answer(customer=noor, scale="thumb", value=1, touchpoint=place, comment="Yes <b>."),
            an_answer(customer=make_customer(), comment="Of somebody else."),
            an_answer(comment="Of nobody."),
        ]
    )
    text = text_of(visitor.get(PAGE))
    assert "Is your phone ready for winter?" in text
    assert "Yes &lt;b&gt;." in text
    assert "Of somebody else" not in text
    assert "Of nobody" not in text


def test_an_answer_is_erased_and_stays_counted(visitor, noor):
    mine, other = add_responses(
        [
            an_answer(customer=noor, comment="My words."),
            an_answer(customer=make_customer(), comment="Of somebody else."),
        ]
    )
    answer = press(visitor, do="erase_answer", answer=mine.pk)
    assert "no longer carries your name" in text_of(answer)
    mine.refresh_from_db()
    assert (mine.customer, mine.comment, mine.value) == (None, "", 9)
    for pk in (other.pk, "x", "987654"):
        assert "That did not work" in text_of(press(visitor, do="erase_answer", answer=pk))
    assert Response.objects.get(pk=other.pk).comment == "Of somebody else."


def test_who_looked_is_told_with_role_and_reason_and_no_name(visitor, noor):
    for kind, role, reason in (
        (AccessKind.PAGE, Role.CONSENT_ADMIN, "to check your permission"),
        (AccessKind.API, "", ""),
    ):
        AccessLog.objects.create(
            customer=noor, kind=kind, viewed_at=NOW, viewer="4711", role=role, reason=reason
        )
    AccessLog.objects.create(
        customer=make_customer(), kind=AccessKind.PAGE, viewed_at=NOW, viewer="1", role="Nobody"
    )
    text = text_of(visitor.get(PAGE))
    assert "Consent admin, to check your permission" in text
    assert "Another system, Asked by another system" in text
    assert "4711" not in text
    assert "Nobody, " not in text


def test_how_much_is_kept_is_counted_over_merged_records(visitor, noor, tips):
    old = make_customer()
    CustomerMerge.objects.create(
        survivor=noor, absorbed=old, reason="One.", merged_by="7", merged_at=NOW
    )
    for order in ("A", "A", "B"):
        stored(a_purchase(customer=old, order=order))
    record(noor, purpose=tips)
    record(noor, purpose=tips, state=State.WITHDRAWN, occurred_at=NOW + timedelta(seconds=1))
    add_responses([an_answer(customer=noor)])
    text = text_of(visitor.get(PAGE))
    assert "2 orders, 2 times yes or no, 1 reaction." in text


@pytest.mark.parametrize("n", [1, 3])
def test_the_page_takes_as_many_queries_for_three_of_everything(
    visitor, noor, n, django_assert_num_queries
):
    for _ in range(n):
        purpose = make_purpose()
        make_wording(purpose=purpose, language="en")
        record(noor, purpose=purpose)
        add_responses([an_answer(customer=noor, touchpoint=make_touchpoint(scale="nps"))])
        AccessLog.objects.create(
            customer=noor, kind=AccessKind.PAGE, viewed_at=NOW, viewer="1", role="marketer"
        )
        stored(a_purchase(customer=noor))
    with django_assert_num_queries(17):
        assert visitor.get(PAGE).status_code == 200


# -- Rights ----------------------------------------------------------------------------------------


def test_the_download_is_everything_as_json(visitor, noor, tips):
    record(noor, purpose=tips)
    answer = visitor.post(PAGE + "download/")
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    document = json.loads(answer.content)
    assert document["who"]["email"] == "noor@example.org"
    assert document["consents"][0]["state"] == "given"
    assert visitor.get(PAGE + "download/").status_code == 405


def test_the_same_can_be_read(visitor, noor):
    text = text_of(visitor.get(PAGE + "data/"))
    assert "noor@example.org" in text
    assert "Back to my page" in text


def test_a_correction_becomes_a_request_with_what_is_different(visitor, noor):
    form = {"name": "Noor V.", "email": "noor@example.org", "language": "nl"}
    answer = visitor.post(PAGE + "correct/", form, follow=True)
    assert "We have your correction" in text_of(answer)
    request = DataRequest.objects.get()
    assert (request.kind, request.source, request.customer) == ("rectification", "own_page", noor)
    assert request.corrections == {"name": "Noor V.", "language": "nl"}


def test_a_correction_of_nothing_is_none_and_one_of_nonsense_says_why(visitor, noor):
    same = {"name": "Noor Voorbeeld", "email": "noor@example.org", "language": "en"}
    assert "Nothing was different" in text_of(visitor.post(PAGE + "correct/", same, follow=True))
    wrong = visitor.post(PAGE + "correct/", same | {"email": "noor"})
    assert "invalid-feedback" in text_of(wrong)
    assert not DataRequest.objects.exists()


def test_restricting_is_asked_in_one_press_and_shown_as_asked(visitor, noor):
    answer = press(visitor, do="restrict")
    request = DataRequest.objects.get()
    assert (request.kind, request.source) == ("restriction", "own_page")
    assert "You have an answer by" in text_of(answer)
    press(visitor, do="restrict")
    assert DataRequest.objects.count() == 1


def test_a_restriction_is_lifted_only_at_the_customers_own_request(visitor, noor):
    press(visitor, do="restrict")
    assert carry_out_own(timezone.now()) == 1
    assert 'value="unrestrict"' in text_of(visitor.get(PAGE))
    answer = press(visitor, do="unrestrict")
    assert "holds again" in text_of(answer)
    assert carry_out_own(timezone.now()) == 1
    assert 'value="restrict"' in text_of(visitor.get(PAGE))


def test_a_correction_of_the_address_closes_the_page_when_it_is_carried_out(visitor, noor, tips):
    record(noor, purpose=tips)
    form = {"name": "Noor Voorbeeld", "email": "noor@example.net", "language": "en"}
    visitor.post(PAGE + "correct/", form)
    assert visitor.get(PAGE).status_code == 200
    assert carry_out_own(timezone.now()) == 1
    noor.refresh_from_db()
    assert noor.email == "noor@example.net"
    assert visitor.get(PAGE).status_code == 404


def test_erasing_says_what_goes_and_stays_and_begins_at_the_safe_choice(visitor):
    text = text_of(visitor.get(PAGE + "erase/"))
    assert "We erase your name" in text
    assert "invoices" in text
    focused = re.findall(r"<(\w+)[^>]*autofocus[^>]*>([^<]*)<", text)
    assert focused == [("a", "Back")]
    assert not DataRequest.objects.exists()


def test_erasing_is_taken_in_and_the_page_closes(visitor, noor, link):
    answer = visitor.post(PAGE + "erase/")
    assert "We erase your data" in text_of(answer)
    assert (DataRequest.objects.get().kind, DataRequest.objects.get().customer) == ("erasure", noor)
    assert answer.cookies["own_page"]["max-age"] == 0
    assert answer.cookies["own_page"]["path"] == "/preferences/"
    visitor.cookies["own_page"] = own_page_pass(link.pk)
    assert visitor.get(PAGE).status_code == 404


def test_closing_closes_also_who_kept_the_cookie(visitor, link):
    assert visitor.post(PAGE + "close/").status_code == 200
    visitor.cookies["own_page"] = own_page_pass(link.pk)
    assert visitor.get(PAGE).status_code == 404
    link.refresh_from_db()
    assert link.closed_at is not None


def test_the_language_of_the_link_stays_through_a_press(visitor):
    answer = press(visitor, do="pause", lang="nl")
    assert answer["Content-Language"] == "nl"
    assert visitor.get(PAGE)["Content-Language"] == "en"


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 40, "-1", "1\0", "1e3"])
def test_no_number_that_is_none_breaks_the_page(visitor, tips, odd):
    for fields in (
        {"do": "on", "yes": odd, "channel": "email"},
        {"do": "erase_answer", "answer": odd},
        {"do": "off", "purpose": odd, "channel": "email"},
    ):
        assert press(visitor, **fields).status_code == 200
