"""What was kept long enough goes at night, and nothing a day sooner."""

import os
from datetime import timedelta

import pytest
from django.utils import translation

from customers.consent import State
from customers.data_requests import Asked, finish_request, receive_request
from customers.letters import may_write, queue_letter
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentState,
    DataRequest,
    Decision,
    Letter,
    LetterKind,
    LetterState,
    LinkAction,
    MailedLink,
    RequestKind,
    RequestSource,
    RequestState,
    Suppression,
    SuppressionReason,
)
from customers.verification import verify_ledger
from customers.views_of_data import record_views
from feedback.models import Response
from feedback.queries import Span, counts
from feedback.services import submit_response
from insights.keeping import tidy
from insights.retention import days
from insights.tasks import NIGHTLY
from tests.makers import (
    NOW,
    TODAY,
    a_purchase,
    an_answer,
    make_customer,
    make_purpose,
    record,
    stored,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _places(settings, tmp_path):
    settings.VAR_DIR, settings.STOP_LOG = tmp_path, tmp_path / "stops.jsonl"
    for name in ("COMMENTS", "ACCESS_LOG", "DECISIONS", "LETTERS", "REQUESTS", "REJECTS"):
        setattr(settings, f"RETENTION_{name}_DAYS", 10)


AGES = pytest.mark.parametrize(("age", "gone"), [(10, 0), (11, 1)])


def old(age: int):
    return NOW - timedelta(days=age)


@AGES
def test_comments_go_and_no_count_changes(age, gone):
    submit_response(an_answer(comment="a word", answered_at=old(age)))
    span = Span("nps", TODAY - timedelta(days=30), TODAY + timedelta(days=1))
    before = counts(span)
    assert tidy(NOW)["comments"] == gone
    assert Response.objects.filter(comment="").count() == gone
    assert counts(span) == before


@AGES
def test_the_access_log_goes(age, gone):
    record_views(
        customers=[make_customer()], kind=AccessKind.PAGE, viewer="1", role="", now=old(age)
    )
    assert tidy(NOW)["access_log"] == gone
    assert AccessLog.objects.count() == 1 - gone


@AGES
def test_decisions_go(age, gone):
    Decision.objects.create(
        customer=make_customer(), purpose=make_purpose(), channel="email", allowed=False,
        reason="none", outcome="DENY", asker="mailing 1", decided_at=old(age),
    )  # fmt: skip
    assert tidy(NOW)["decisions"] == gone


@AGES
def test_letters_and_their_links_go(age, gone):
    person = make_customer(email="noor@example.org")
    link = a_link(person, expires_at=old(age))
    queue_letter(kind=LetterKind.OPEN, customer=person, now=old(age), link=link)
    Letter.objects.update(state=LetterState.SENT, address="", finished_at=old(age))
    done = tidy(NOW)
    assert (done["letters"], done["links"]) == (gone, gone)


def test_a_letter_that_waits_stays_however_long():
    queue_letter(kind=LetterKind.OPEN, customer=make_customer(email="n@example.org"), now=old(99))
    tidy(NOW)
    assert Letter.objects.count() == 1


@AGES
def test_requests_go_after_their_answer_and_open_ones_never(age, gone):
    asked = Asked(kind=RequestKind.ACCESS, source=RequestSource.STAFF)
    request = receive_request(customer=make_customer(), asked=asked, now=old(99))
    receive_request(customer=make_customer(), asked=asked, now=old(99))
    finish_request(
        request=request, state=RequestState.DONE, answer="", handled_by="1", now=old(age)
    )
    assert tidy(NOW)["requests"] == gone
    assert DataRequest.objects.count() == 2 - gone


@AGES
def test_files_of_refused_rows_go(age, gone, settings):
    folder = settings.VAR_DIR / "rejects"
    folder.mkdir()
    (folder / "a.csv").write_text("line,field,reason\n")
    moment = (old(age) - timedelta(seconds=gone)).timestamp()
    os.utime(folder / "a.csv", (moment, moment))
    assert tidy(NOW)["reject_files"] == gone


def test_the_hash_of_an_erased_address_goes_when_its_time_has_come_and_an_objection_stays():
    facts = {"created_at": old(99), "review_at": NOW}
    for reason in (SuppressionReason.ERASURE, SuppressionReason.OBJECTION):
        Suppression.objects.create(address_hash="a" * 64, reason=reason, **facts)
    later = Suppression.objects.create(
        address_hash="b" * 64, reason=SuppressionReason.ERASURE, created_at=old(1),
        review_at=NOW + timedelta(days=1),
    )  # fmt: skip
    assert tidy(NOW)["stops"] == 1
    left = set(Suppression.objects.values_list("reason", "address_hash"))
    assert left == {("objection", "a" * 64), ("erasure", later.address_hash)}


def a_link(customer, **given) -> MailedLink:
    facts = {
        "action": LinkAction.CONFIRM,
        "customer": customer,
        "address_hash": customer.address_hash,
        "asked_at": customer.created_at,
        "expires_at": old(1),
    }
    return MailedLink.objects.create(**facts | given)


def test_an_address_that_was_never_confirmed_is_forgotten_and_the_ledger_says_so():
    person = make_customer(email="typo@example.org", created_at=old(8))
    record(person, purpose=make_purpose(), state=State.PENDING, address=person.email)
    a_link(person)
    assert tidy(NOW)["unconfirmed_addresses"] == 1
    person.refresh_from_db()
    assert (person.email, person.address_hash) == ("", "")
    assert ConsentState.objects.get().state == State.EXPIRED
    assert MailedLink.objects.count() == 0
    assert verify_ledger(NOW).finding is None
    assert tidy(NOW)["unconfirmed_addresses"] == 0


@pytest.mark.parametrize(
    "why", ["bought", "link waits", "link used", "known before", "said yes", "asked something"]
)
def test_an_address_that_something_else_speaks_for_stays(why):
    person = make_customer(email="noor@example.org", created_at=old(8))
    link = {
        "link waits": {"expires_at": NOW + timedelta(days=1)},
        "link used": {"digest": "a" * 64, "spent_at": old(2)},
        "known before": {"asked_at": old(2)},
    }
    a_link(person, **link.get(why, {}))
    if why == "bought":
        stored(a_purchase(customer=person))
    if why == "said yes":
        record(person, purpose=make_purpose(), address=person.email)
    if why == "asked something":
        asked = Asked(kind=RequestKind.ACCESS, source=RequestSource.STAFF)
        receive_request(customer=person, asked=asked, now=NOW)
    assert tidy(NOW)["unconfirmed_addresses"] == 0


def test_it_runs_every_night_and_says_how_much(caplog):
    assert "retention" in NIGHTLY
    with caplog.at_level("INFO"):
        tidy(NOW)
        assert "retention" not in caplog.text
        submit_response(an_answer(comment="a word", answered_at=old(11)))
        tidy(NOW)
    assert "comments=1" in caplog.text


@pytest.mark.parametrize(("n", "said"), [(730, "2 years"), (365, "1 year"), (90, "90 days")])
def test_days_are_said_in_years_where_they_are_that(n, said):
    with translation.override("en"):
        assert days(n) == said


def test_forgetting_an_address_does_not_forget_how_many_letters_it_had():
    person = make_customer(email="typo@example.org", created_at=old(8))
    link = a_link(person)
    letter = queue_letter(kind="confirm", customer=person, now=old(8), link=link)
    assert tidy(NOW)["unconfirmed_addresses"] == 1
    letter.refresh_from_db()
    assert (letter.address, letter.state, letter.link) == ("", "failed_perm", None)
    assert not may_write(kind="confirm", address="typo@example.org", now=NOW, most=1)
