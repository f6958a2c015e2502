"""Two records that are one person: the most restrictive wins, and what was stopped stays so."""

from datetime import timedelta

import pytest

from customers import merging
from customers.addresses import address_hash
from customers.consent import ALLOWING, STRICTNESS, Actor, State, check
from customers.letters import queue_letter
from customers.merging import (
    MOVES,
    REFUSALS,
    STAYS,
    Decision,
    MergeRefused,
    merge_customers,
    pointing_at_customers,
    preview,
    result_of,
)
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentEntry,
    ConsentState,
    Customer,
    CustomerMerge,
    DataRequest,
    Erasure,
    LetterKind,
    LinkAction,
    MailedLink,
    Purchase,
    PurposeKind,
    Suppression,
)
from customers.queries import may_process
from customers.verification import verify_ledger
from customers.withdrawals import Means, limit, object_to_marketing, pause, withdraw, withdraw_all
from insights.merges import ABOVE
from tests.makers import (
    NOW,
    a_purchase,
    make_customer,
    make_purpose,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose, published_at=NOW - 9 * DAY)
    return purpose


@pytest.fixture
def survey():
    purpose = make_purpose(key="survey", kind=PurposeKind.SURVEY)
    make_wording(purpose=purpose, published_at=NOW - 9 * DAY)
    return purpose


@pytest.fixture
def old():
    return make_customer(reference="OLD", email="old@example.org", name="N. Oor")


@pytest.fixture
def new():
    return make_customer(reference="NEW", email="new@example.org", name="Noor")


def says(customer: Customer, purpose, state: State = State.GIVEN, **given) -> ConsentEntry:
    facts = {"purpose": purpose, "state": state, "address": customer.email} | given
    return record(customer, **facts)


def merge(survivor: Customer, absorbed: Customer, now=LATER) -> CustomerMerge:
    for customer in (survivor, absorbed):
        customer.refresh_from_db()
    seal = preview(survivor, absorbed, above=ABOVE).seal
    decision = Decision(reason="Same person, she called.", colleague="7", seal=seal)
    done = merge_customers(
        survivor=survivor, absorbed=absorbed, decision=decision, above=ABOVE, now=now
    )
    for customer in (survivor, absorbed):
        customer.refresh_from_db()
    return done


def state_of(customer: Customer, purpose) -> str:
    found = ConsentState.objects.filter(customer=customer, purpose=purpose)
    return found.values_list("state", flat=True).first() or "none"


# -- The rule -------------------------------------------------------------------------------------

PAIRS = [(ours, theirs) for ours in State for theirs in State]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_merge_allows_nothing_that_one_side_did_not(ours, theirs):
    result = result_of(ours, theirs)
    if result in ALLOWING:
        assert ours in ALLOWING
        assert theirs in ALLOWING
    assert STRICTNESS.index(result) >= STRICTNESS.index(ours)
    # And it is something the ledger takes from the system.
    if result is not ours:
        check(ours, result, Actor.SYSTEM)


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (State.GIVEN, State.NONE, State.WITHDRAWN),
        (State.NONE, State.GIVEN, State.NONE),
        (State.GIVEN, State.GIVEN, State.GIVEN),
        (State.RENEWED, State.SOFT, State.RENEWED),
        (State.GIVEN, State.REFUSED, State.WITHDRAWN),
        (State.SOFT, State.EXPIRED, State.WITHDRAWN),
        (State.SOFT, State.STALE, State.WITHDRAWN),
        (State.GIVEN, State.STALE, State.STALE),
        (State.GIVEN, State.INVALIDATED, State.WITHDRAWN),
        (State.REFUSED, State.INVALIDATED, State.REFUSED),
        (State.PENDING, State.WITHDRAWN, State.WITHDRAWN),
        (State.NONE, State.WITHDRAWN, State.WITHDRAWN),
        (State.INVALIDATED, State.OBJECTED, State.OBJECTED),
        (State.OBJECTED, State.GIVEN, State.OBJECTED),
    ],
)
def test_the_most_restrictive_wins(ours, theirs, result):
    assert result_of(ours, theirs) is result


# -- The preview ----------------------------------------------------------------------------------


def test_the_preview_says_what_each_side_has_and_what_is_left(old, new, tips, survey):
    says(old, tips)
    says(old, survey)
    says(new, survey)
    shown = preview(new, old, above=ABOVE)
    rows = [(row.purpose, row.survivor, row.absorbed, row.result) for row in shown.rows]
    assert rows == [("survey", "given", "given", "given"), ("tips", "none", "given", "none")]
    assert CustomerMerge.objects.count() == 0
    assert merge(new, old).outcome == [
        {"purpose": one, "channel": "email", "survivor": ours, "absorbed": theirs, "result": left}
        for one, ours, theirs, left in rows
    ]


def test_an_objection_to_one_marketing_purpose_takes_the_others_with_it(old, new, tips, survey):
    content = make_purpose(key="content", kind=PurposeKind.PROFILING)
    make_wording(purpose=content)
    says(old, tips, State.OBJECTED)
    for purpose in (content, survey):
        says(new, purpose)
        says(old, purpose) if purpose is survey else None
    results = {row.purpose: row.result for row in preview(new, old, above=ABOVE).rows}
    assert results == {"content": "objected", "survey": "given", "tips": "objected"}
    merge(new, old)
    assert {row: state_of(new, p) for row, p in (("content", content), ("tips", tips))} == {
        "content": "objected",
        "tips": "objected",
    }
    assert state_of(new, survey) == "given"


# -- What is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("objector_survives", [True, False])
def test_case_16_who_objected_on_one_record_is_mailed_on_neither_address_until_a_fresh_act(
    old, new, tips, objector_survives
):
    says(old, tips, State.OBJECTED)
    says(new, tips)
    assert may_process(new, "tips", "email", NOW).allowed
    survivor, absorbed = (old, new) if objector_survives else (new, old)
    addresses = [survivor.email, absorbed.email]
    merge(survivor, absorbed)
    assert not may_process(absorbed, "tips", "email", LATER).allowed
    for address in addresses:
        Customer.objects.filter(pk=survivor.pk).update(
            email=address, address_hash=address_hash(address), verified_hash=address_hash(address)
        )
        survivor.refresh_from_db()
        answer = may_process(survivor, "tips", "email", LATER)
        assert (answer.allowed, answer.reason) == (False, "suppressed")
    assert Suppression.objects.filter(reason="objection").count() == 2
    # Even without the stop on the addresses the objection stands in the ledger.
    Suppression.objects.all().delete()
    assert may_process(survivor, "tips", "email", LATER).reason == "objected"
    # An import cannot turn it, and the customer can.
    fresh = LATER + DAY
    says(survivor, tips, occurred_at=fresh)
    assert may_process(survivor, "tips", "email", fresh).allowed


def test_a_yes_that_only_one_side_gave_is_lost_and_says_by_what(old, new, tips):
    given = says(old, tips)
    merge(old, new)
    entry = ConsentEntry.objects.get(customer=old, state="withdrawn")
    assert (entry.actor, entry.method, entry.caused_by) == ("system", "merge", None)
    assert may_process(old, "tips", "email", LATER).reason == "withdrawn"
    assert ConsentEntry.objects.filter(pk=given.pk).exists()
    assert verify_ledger(LATER).finding is None


def test_the_entry_points_at_what_the_other_side_said(old, new, tips):
    says(new, tips)
    taken_back = says(old, tips, State.WITHDRAWN)
    merge(new, old)
    assert ConsentEntry.objects.get(customer=new, state="withdrawn").caused_by == taken_back


def test_nothing_more_can_be_done_with_the_absorbed_record(old, new, tips, survey):
    for customer in (old, new):
        says(customer, tips)
    says(old, survey, State.PENDING)
    merge(new, old)
    assert (old.email, old.name, old.address_hash, old.verified_hash) == ("", "", "", "")
    assert [state_of(old, purpose) for purpose in (tips, survey)] == ["withdrawn", "withdrawn"]
    assert may_process(new, "tips", "email", LATER).allowed
    # Not even if a file brings the address back.
    Customer.objects.filter(pk=old.pk).update(email="old@example.org")
    old.refresh_from_db()
    assert not may_process(old, "tips", "email", LATER).allowed


def test_what_stops_one_address_stops_the_other_but_a_bounce(old, new):
    for reason, address, everything in [
        ("complaint", old.email, False),
        ("erasure", new.email, True),
        ("bounce", old.email, True),
    ]:
        Suppression.objects.create(
            address_hash=address_hash(address), reason=reason, everything=everything, created_at=NOW
        )
    emails = {address_hash(old.email): "old", address_hash(new.email): "new"}
    merge(new, old)
    rows = {
        (emails[row.address_hash], row.reason, row.everything) for row in Suppression.objects.all()
    }
    assert rows == {
        ("old", "complaint", False),
        ("new", "complaint", False),
        ("old", "erasure", True),
        ("new", "erasure", True),
        ("old", "bounce", True),
    }


def test_the_wishes_of_both_hold(old, new):
    soon, late = NOW + 9 * DAY, NOW + 90 * DAY
    Customer.objects.filter(pk=old.pk).update(paused_until=late, restricted_at=NOW)
    Customer.objects.filter(pk=new.pk).update(paused_until=soon, monthly_limit=2)
    merge(new, old)
    assert (new.paused_until, new.monthly_limit, new.restricted_at) == (late, 2, NOW)


def test_the_lower_limit_holds(old, new):
    Customer.objects.filter(pk=old.pk).update(monthly_limit=1)
    Customer.objects.filter(pk=new.pk).update(monthly_limit=4)
    merge(new, old)
    assert (new.monthly_limit, new.paused_until, new.restricted_at) == (1, None, None)


def test_purchases_requests_and_views_go_along(old, new):
    stored(a_purchase(customer=old))
    DataRequest.objects.create(
        customer=old, kind="access", source="staff", received_at=NOW, due_on=NOW.date()
    )
    AccessLog.objects.create(customer=old, kind=AccessKind.PAGE, viewed_at=NOW, viewer="7")
    merge(new, old)
    for table in (Purchase, DataRequest, AccessLog):
        assert table._default_manager.get().customer == new


def test_links_that_were_mailed_to_either_open_nothing_any_more(old, new):
    letters = []
    for customer in (old, new):
        link = MailedLink.objects.create(
            action=LinkAction.OPEN,
            customer=customer,
            address_hash=address_hash(customer.email),
            asked_at=NOW,
            expires_at=NOW + DAY,
        )
        letters.append(queue_letter(kind=LetterKind.OPEN, customer=customer, link=link, now=NOW))
    plain = queue_letter(kind=LetterKind.RECEIVED, customer=new, now=NOW)
    merge(new, old)
    assert set(MailedLink.objects.values_list("expires_at", "closed_at")) == {(LATER, LATER)}
    for letter in letters:
        letter.refresh_from_db()
        assert (letter.state, letter.address) == ("failed_perm", "")
    plain.refresh_from_db()
    assert (plain.state, plain.address) == ("queued", "new@example.org")


# -- What comes to the absorbed record later ------------------------------------------------------


def test_who_takes_it_back_on_the_absorbed_record_takes_it_back_on_the_survivor(old, new, tips):
    for customer in (old, new):
        says(customer, tips)
    merge(new, old)
    means = Means(method="one_click_post")
    withdraw(customer=old, purpose=tips, channel="email", means=means, now=LATER)
    assert may_process(new, "tips", "email", LATER).reason == "withdrawn"


@pytest.mark.parametrize("lower", ["all", "objection"])
def test_everything_that_lowers_follows_the_merge_through_a_chain(old, new, tips, lower):
    last = make_customer(email="last@example.org")
    for customer in (old, new, last):
        says(customer, tips)
    merge(new, old)
    merge(last, new)
    means = Means(method="preference_page")
    if lower == "all":
        withdraw_all(customer=old, means=means, now=LATER)
    else:
        object_to_marketing(customer=old, purpose=tips, channel="email", means=means, now=LATER)
    assert not may_process(last, "tips", "email", LATER).allowed
    until = pause(customer=old, now=LATER)
    assert limit(customer=old, messages=1) == 1
    last.refresh_from_db()
    assert (last.paused_until, last.monthly_limit) == (until, 1)


# -- Refused --------------------------------------------------------------------------------------


def refusal(survivor: Customer, absorbed: Customer, **given) -> str:
    decision = Decision(reason="Same.", colleague="7", seal="")
    with pytest.raises(MergeRefused) as by_preview:
        preview(survivor, absorbed, **{"above": ABOVE} | given)
    with pytest.raises(MergeRefused) as refused:
        merge_customers(
            survivor=survivor,
            absorbed=absorbed,
            decision=decision,
            now=LATER,
            **{"above": ABOVE} | given,
        )
    assert by_preview.value.code == refused.value.code
    assert str(refused.value)
    return refused.value.code


def test_a_record_is_not_merged_with_itself(old):
    assert refusal(old, old) == "same"


def test_what_was_erased_stays_alone(old):
    gone = make_customer(erased_at=NOW)
    assert {refusal(old, gone), refusal(gone, old)} == {"erased"}


def test_what_is_being_erased_is_waited_for(old, new):
    Erasure.objects.create(customer=old, reason="Asked.", requested_at=NOW)
    assert {refusal(old, new), refusal(new, old)} == {"erasing"}


def test_what_was_merged_is_not_merged_again(old, new):
    merge(new, old)
    third = make_customer()
    assert {refusal(third, old), refusal(old, third)} == {"absorbed"}


def test_a_table_that_nobody_thought_of_stops_the_merge(old, new):
    assert refusal(old, new, above=["feedback.Response"]) == "unknown_table"
    with pytest.raises(MergeRefused, match=r"feedback\.Invitation, feedback\.Response"):
        preview(old, new)


def test_every_table_that_points_at_a_customer_is_in_one_list():
    lists = (MOVES, STAYS, ABOVE)
    assert pointing_at_customers() == MOVES | STAYS | ABOVE
    assert sum(map(len, lists)) == len(MOVES | STAYS | ABOVE)


def test_who_decided_on_another_preview_looks_again(old, new, tips):
    seal = preview(new, old, above=ABOVE).seal
    says(new, tips)
    decision = Decision(reason="Same.", colleague="7", seal=seal)
    with pytest.raises(MergeRefused) as refused:
        merge_customers(survivor=new, absorbed=old, decision=decision, above=ABOVE, now=LATER)
    assert refused.value.code == "changed"
    assert may_process(new, "tips", "email", LATER).allowed


def test_every_refusal_has_a_sentence():
    assert set(REFUSALS) == {"same", "erased", "erasing", "absorbed", "unknown_table", "changed"}
    assert (
        merging.MergeRefused("unknown_table", ["b.B", "a.A"])
        .args[0]
        .startswith("There are tables that a merge does not know: a.A, b.B.")
    )
