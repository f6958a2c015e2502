"""The gate: permission and dose decided inside the lock, reserved, confirmed, given back."""

import logging
from datetime import timedelta

import pytest

from customers.audience import permitted
from customers.consent import State
from customers.contact_queries import may_contact
from customers.contacts import (
    RequestConflict,
    claim_contact,
    claim_contacts,
)
from customers.dosing import Code, Outcome
from customers.holds import hold_contacts, release_hold
from customers.models import (
    Contact,
    ContactKind,
    ContactStatus,
    Decision,
    DosePolicy,
    LedgerCheck,
    Suppression,
)
from customers.outcomes import (
    Answered,
    confirm_contacts,
    expire_contacts,
    fail_contacts,
    release_contacts,
)
from customers.plans import PURPOSES, OutOfRange, Plan, UnknownWord
from customers.withdrawals import Means, withdraw
from tests.makers import (
    NOW,
    a_request,
    known_purpose,
    make_category,
    make_contact,
    make_customer,
    make_permitted,
    make_purpose,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEANS = Means(method="one_click_post")


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    return purpose


@pytest.fixture
def noor():
    return make_permitted()


def claim(customer, now=NOW, **given):
    return claim_contact(request=a_request(customer, **given), now=now)


def codes(claim) -> list[str]:
    return [str(one.code) for one in claim.judged.verdict.reasons]


def confirm(claim, now=NOW) -> Answered:
    request = claim.request
    answers = confirm_contacts(requests=[request.request_id], source=request.source, now=now)
    return answers[request.request_id]


def status(claim) -> str:
    return Contact.objects.get(pk=claim.contact.pk).status


# -- Permission first -----------------------------------------------------------------------------


def test_case_06_withdrawn_after_the_audience_was_built_is_denied_and_stored(tips):
    noor, karim = make_customer(email="noor@example.org"), make_customer(email="karim@example.org")
    for customer in (noor, karim):
        record(customer, purpose=tips, address=customer.email)
    audience = [state.customer for state in permitted(NOW).select_related("customer")]
    assert audience == [noor, karim]
    [withdrawn] = withdraw(customer=noor, purpose=tips, channel="email", means=MEANS, now=NOW)
    claims = [claim(customer, purpose="tips") for customer in audience]
    assert [bool(one.contact) for one in claims] == [False, True]
    stored = Decision.objects.get(customer=noor)
    assert (stored.allowed, stored.reason, stored.entry) == (False, "withdrawn", withdrawn)
    assert (stored.asker, stored.outcome, stored.code) == ("mailing:7", "DENY", "NO_PERMISSION")


def test_a_yes_names_the_line_it_rests_on_and_what_the_customer_was_then(noor):
    category = make_category(involvement="high", rated_at=NOW)
    found = claim(noor, category=category)
    entry = noor.permissions.get(purpose__key="email_marketing").entry
    stored = Decision.objects.get()
    assert (stored.allowed, stored.outcome, stored.entry) == (True, "ALLOW", entry)
    assert entry.state == State.GIVEN
    contact = Contact.objects.get()
    assert contact == found.contact
    assert (contact.status, contact.from_at, contact.to_at) == ("reserved", NOW, NOW + 6 * HOUR)
    assert (contact.customer_type, contact.involvement, contact.points) == ("regular", "high", 1)
    assert contact.policy == DosePolicy.objects.get(version=1)


def test_unknown_is_no_and_rests_on_nothing():
    found = claim(make_customer(email="noor@example.org"))
    assert (codes(found), found.contact) == (["NO_PERMISSION"], None)
    assert Decision.objects.get().entry is None
    assert not Contact.objects.exists()


def test_what_is_stored_is_read_afresh_not_as_the_caller_has_it(noor):
    stale = type(noor).objects.get(pk=noor.pk)
    noor.restricted_at = NOW
    noor.save()
    assert claim(stale).judged.answer.reason == "restricted"


def test_a_stopped_address_gets_nothing_whatever_it_permitted(noor):
    assert claim(noor, request_id="a").contact
    Suppression.objects.create(address_hash=noor.address_hash, reason="complaint", created_at=NOW)
    assert claim(noor, now=NOW + 5 * DAY).judged.answer.reason == "suppressed"


def test_with_a_broken_ledger_only_what_needs_no_permission_goes(noor):
    LedgerCheck.objects.create(checked_at=NOW, entries=1, finding="hash", row=1)
    known_purpose("service", kind="service")
    assert codes(claim(noor)) == ["LEDGER_UNSOUND"]
    service = claim(noor, kind="service")
    assert service.judged.verdict.outcome == Outcome.EXEMPT
    assert service.contact


def test_without_a_policy_marketing_stops_and_says_so(noor):
    DosePolicy.objects.get().rules.all().delete()
    DosePolicy.objects.all().delete()
    found = claim(noor)
    assert codes(found) == ["POLICY_INPUT_MISSING"]
    assert found.judged.verdict.reasons[0].detail == "policy"


def test_a_zone_nobody_knows_stops_marketing_and_none_at_all_is_that_of_the_shop(noor):
    noor.time_zone = "Mars/Base"
    noor.save()
    found = claim(noor)
    assert codes(found) == ["POLICY_INPUT_MISSING"]
    assert found.judged.verdict.reasons[0].detail == "time zone Mars/Base"
    noor.time_zone = ""
    noor.save()
    # 22:30 in Amsterdam.
    night = NOW.replace(hour=21, minute=30)
    assert codes(claim(noor, now=night)) == ["QUIET_HOURS"]


# -- Dose -----------------------------------------------------------------------------------------


def test_what_was_sent_and_what_is_reserved_count_together(noor):
    make_contact(noor, NOW - 3 * DAY)
    make_contact(noor, NOW - 2 * DAY)
    assert confirm(claim(noor)) == Answered.SENT
    found = claim(noor, now=NOW + DAY)
    [reason] = found.judged.verdict.reasons
    assert (reason.code, reason.used, reason.most) == (Code.CAP_REACHED, 3, 3)
    assert reason.rule.startswith("ceiling regular")
    assert len(reason.blocking) == 3
    assert Decision.objects.latest("pk").next_allowed_at == found.judged.verdict.next_allowed_at


def test_a_lease_that_ended_frees_its_place_though_nobody_cleaned_up(noor):
    claim(noor)
    assert codes(claim(noor, now=NOW + HOUR)) == ["CAP_REACHED"]
    assert claim(noor, now=NOW + 7 * HOUR).contact
    assert Contact.objects.filter(status="reserved").count() == 2


def test_what_was_given_back_or_failed_does_not_weigh(noor):
    for answer in (release_contacts, fail_contacts):
        found = claim(noor)
        answer(requests=[found.request.request_id], source="mailing:7", now=NOW)
    assert claim(noor).contact


def test_the_same_request_gets_the_same_answer_and_reserves_once(noor):
    first = claim(noor, request_id="once")
    again = claim(noor, request_id="once", now=NOW + HOUR)
    assert again.contact == first.contact
    assert again.judged is None
    assert Contact.objects.count() == Decision.objects.count() == 1


@pytest.mark.parametrize("other", [{"kind": "information"}, {"points": 3}, {"channel": "sms"}])
def test_the_same_request_for_something_else_is_a_conflict(noor, other):
    claim(noor, request_id="once")
    with pytest.raises(RequestConflict, match="'once' was used for another contact"):
        claim(noor, request_id="once", **other)
    with pytest.raises(RequestConflict):
        claim(make_permitted(), request_id="once")
    assert Contact.objects.count() == 1


def test_who_paused_is_let_be_until_the_day_and_may_then_be_reached(noor):
    noor.paused_until = NOW + 9 * DAY
    noor.save()
    found = claim(noor)
    assert codes(found) == ["PAUSED"]
    assert found.judged.verdict.next_allowed_at == NOW + 9 * DAY
    # A pause is of marketing; the question about an order may be asked.
    assert claim(noor, kind="ask_nps").contact


def test_what_the_text_promised_is_kept():
    purpose = make_purpose(key="monthly")
    make_wording(purpose=purpose, promised_messages=1, promised_days=30)
    noor = make_customer(email="noor@example.org", customer_type="regular")
    record(noor, purpose=purpose)
    make_contact(noor, NOW - 20 * DAY, purpose=purpose)
    [reason] = claim(noor, purpose="monthly").judged.verdict.reasons
    assert (reason.rule, reason.used, reason.most) == ("promise", 1, 1)
    assert reason.frees_at == NOW + 10 * DAY


def test_a_complaint_stops_until_it_is_lifted_and_an_unhappy_answer_halves(noor):
    hold = hold_contacts(customer=noor, reason="complaint", until=None, source="c:1", now=NOW)
    found = claim(noor)
    assert (codes(found), found.judged.verdict.outcome) == (["HELD"], Outcome.DENY)
    release_hold(hold=hold, released_by="colleague:7", now=NOW)
    hold_contacts(customer=noor, reason="unhappy", until=NOW + 30 * DAY, source="a:1", now=NOW)
    make_contact(noor, NOW - 30 * HOUR)
    # One in a day became one in two, and three in a week one.
    assert codes(claim(noor)) == ["CAP_REACHED", "CAP_REACHED"]


def test_holding_twice_for_the_same_lasts_until_the_later_end(noor):
    for days in (5, 9, 3):
        hold_contacts(customer=noor, reason="wish", until=NOW + days * DAY, source="c:1", now=NOW)
    assert noor.holds.get().until == NOW + 9 * DAY
    with pytest.raises(ValueError, match="Give an end to come"):
        hold_contacts(customer=noor, reason="wish", until=NOW, source="c:1", now=NOW)
    with pytest.raises(ValueError, match="Give an end"):
        hold_contacts(customer=noor, reason="unhappy", until=None, source="c:1", now=NOW)


# -- Life cycle -----------------------------------------------------------------------------------


def test_confirming_in_time_is_sent_and_again_it_stays_so(noor):
    found = claim(noor)
    assert confirm(found, NOW + HOUR) == Answered.SENT
    assert confirm(found, NOW + 9 * HOUR) == Answered.SENT
    contact = Contact.objects.get()
    assert contact.sent_at == contact.from_at == contact.to_at == NOW + HOUR


def test_confirming_too_late_is_said_and_counts(noor, caplog):
    found = claim(noor)
    expire_contacts(NOW + 7 * HOUR)
    assert status(found) == ContactStatus.EXPIRED
    with caplog.at_level(logging.WARNING):
        assert confirm(found, NOW + 8 * HOUR) == Answered.SENT_LATE
    assert f"Contact {found.contact.pk} of mailing:7 was sent after its lease" in caplog.text
    assert codes(claim(noor, now=NOW + 20 * HOUR)) == ["CAP_REACHED"]


def test_taking_permission_back_blocks_the_confirmation_of_an_open_lease(noor):
    found = claim(noor)
    purpose = known_purpose("email_marketing")
    withdraw(customer=noor, purpose=purpose, channel="email", means=MEANS, now=NOW)
    assert confirm(found) == Answered.NOT_PERMITTED
    assert status(found) == ContactStatus.RELEASED
    assert confirm(found) == Answered.NOT_PERMITTED


def test_what_was_given_back_cannot_be_sent_nor_what_was_sent_given_back(noor):
    found = claim(noor)
    request, now = [found.request.request_id], NOW
    assert release_contacts(requests=request, source="mailing:7", now=now) == {
        request[0]: Answered.RELEASED
    }
    assert confirm(found) == Answered.NOT_RESERVED
    other = claim(noor)
    confirm(other)
    request = [other.request.request_id]
    for undo in (release_contacts, fail_contacts):
        assert undo(requests=request, source="mailing:7", now=now)[request[0]] == Answered.WAS_SENT
    assert status(other) == ContactStatus.SENT


def test_nobody_touches_the_contacts_of_another_sender(noor):
    found = claim(noor)
    request = found.request.request_id
    for step in (confirm_contacts, release_contacts, fail_contacts):
        assert step(requests=[request], source="key:9", now=NOW) == {request: Answered.UNKNOWN}
    assert status(found) == ContactStatus.RESERVED


def test_running_out_touches_only_what_is_over(noor):
    over, open_ = claim(noor), claim(make_permitted(), now=NOW + 3 * HOUR)
    assert expire_contacts(NOW + 6 * HOUR) == 1
    assert (status(over), status(open_)) == ("expired", "reserved")
    assert expire_contacts(NOW + 6 * HOUR) == 0


# -- Many at once ---------------------------------------------------------------------------------


def test_many_are_claimed_in_batches_each_exactly_and_answered_in_order(noor, monkeypatch):
    monkeypatch.setattr("customers.contacts.BATCH", 2)
    people = [make_permitted() for _ in range(3)]
    make_contact(people[1], NOW - HOUR)
    asked = [a_request(one) for one in [people[2], people[1], noor, people[0], people[2]]]
    claims = claim_contacts(requests=asked, now=NOW)
    assert [one.request for one in claims] == asked
    assert [bool(one.contact) for one in claims] == [True, False, True, True, False]
    assert Contact.objects.filter(status="reserved").count() == 3


def test_one_customer_or_many_cost_the_same_queries(django_assert_num_queries):
    people = [make_permitted() for _ in range(4)]
    claim(people[0])  # The policy is read once, and then kept.
    for several in (people[1:2], people[2:]):
        asked = [a_request(one) for one in several]
        # The lock, four to decide, two to write, and both ends of the transaction.
        with django_assert_num_queries(9):
            claim_contacts(requests=asked, now=NOW)


def test_a_look_takes_five_queries_and_reserves_nothing(noor, django_assert_num_queries):
    may_contact(noor, Plan(channel="email", kind="promotion"), NOW)
    with django_assert_num_queries(5):
        judged = may_contact(noor, Plan(channel="email", kind="promotion"), NOW)
    assert judged.verdict.outcome == Outcome.ALLOW
    assert not Contact.objects.exists()
    assert not Decision.objects.exists()


# -- Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"channel": "pigeon"}, "channel 'pigeon' is not known. Use one of: ad, email"),
        ({"kind": "spam"}, "kind 'spam' is not known. Use one of: ad, ask_nps"),
    ],
)
def test_unknown_words_are_refused_with_those_that_are_known(noor, given, message):
    with pytest.raises(UnknownWord, match=message):
        a_request(noor, **given)


@pytest.mark.parametrize("kind", ContactKind.values)
@pytest.mark.parametrize("purpose", ["email_marketing", "satisfaction_survey", "service"])
def test_a_contact_is_never_permitted_by_a_purpose_about_something_else(noor, kind, purpose):
    known_purpose("service")
    if purpose == PURPOSES[kind]:
        assert claim_contact(request=a_request(noor, kind=kind, purpose=purpose), now=NOW)
        return
    with pytest.raises(OutOfRange, match=f"does not permit {kind}"):
        claim_contact(request=a_request(noor, kind=kind, purpose=purpose), now=NOW)
    assert not Contact.objects.exists()
    assert not Decision.objects.exists()


def test_an_unknown_purpose_is_refused_with_those_that_are_known(noor):
    with pytest.raises(UnknownWord, match=r"purpose 'tipps' is not known.*email_marketing"):
        claim(noor, purpose="tipps")


@pytest.mark.parametrize(
    "given",
    [
        {"points": -1},
        {"points": 101},
        {"lease": timedelta(0)},
        {"lease": timedelta(days=8)},
        {"request_id": ""},
        {"request_id": "x" * 201},
        {"at": NOW - HOUR},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(noor, given):
    with pytest.raises(OutOfRange):
        claim(noor, **given)
    assert not Contact.objects.exists()


# -- What senders try -----------------------------------------------------------------------------


def test_what_was_reserved_for_later_is_not_confirmed_before(noor):
    later = NOW + timedelta(days=10)
    claim_contact(request=a_request(noor, request_id="e:3", at=later), now=NOW)
    assert confirm_contacts(requests=["e:3"], source="mailing:7", now=NOW) == {"e:3": "too_early"}
    assert Contact.objects.get().status == ContactStatus.RESERVED
    soon = later - timedelta(minutes=4)
    assert confirm_contacts(requests=["e:3"], source="mailing:7", now=soon) == {"e:3": "sent"}


def test_a_moment_just_over_is_now_and_its_lease_begins_then(noor):
    past = NOW - timedelta(minutes=4)
    for number, wanted in ((1, True), (2, False)):
        request = a_request(
            noor, request_id=f"p:{number}", at=past, lease=timedelta(seconds=1), kind="promotion"
        )
        contact = claim_contact(request=request, now=NOW).contact
        assert bool(contact) is wanted
    assert Contact.objects.get().to_at == NOW + timedelta(seconds=1)


@pytest.mark.parametrize("cleaned", [True, False])
@pytest.mark.parametrize(
    ("give_up", "said"), [(release_contacts, "released"), (fail_contacts, "failed")]
)
def test_what_was_given_up_after_its_lease_is_never_confirmed(noor, cleaned, give_up, said):
    claim_contact(request=a_request(noor, request_id="r"), now=NOW)
    over = NOW + timedelta(hours=7)
    if cleaned:
        expire_contacts(over)
    given = {"requests": ["r"], "source": "mailing:7", "now": over}
    assert give_up(**given) == {"r": said}
    assert confirm_contacts(**given) == {"r": "not_reserved"}
    for again in (release_contacts, fail_contacts):
        assert again(**given) == {"r": said}


def test_a_sender_cannot_make_a_question_lighter_than_the_policy_does(noor):
    usual = claim_contact(request=a_request(noor, kind="ask_nps"), now=NOW).judged.points
    assert usual >= 1
    light = may_contact(noor, Plan(channel="email", kind="ask_nps", points=0), NOW)
    heavy = may_contact(noor, Plan(channel="email", kind="ask_nps", points=9), NOW)
    assert (light.points, heavy.points) == (usual, 9)
