"""What comes of a tick and of an empty box: for strangers, and for those whom the shop knows."""

from datetime import timedelta

import pytest
from django.core import mail

from customers import asking, withdrawals
from customers.addresses import address_hash
from customers.asking import Outcome
from customers.cells import CellError
from customers.confirming import confirm
from customers.consent import State
from customers.models import (
    AskTally,
    ConsentEntry,
    Customer,
    Letter,
    MailedLink,
    PurposeKind,
    Suppression,
    SuppressionReason,
)
from customers.queries import may_process
from customers.services import change_address
from tests.customers.opt_in import (
    ADDRESS,
    a_tick,
    mailed_token,
    second_text,
    send,
    states,
    text_of,
)
from tests.customers.test_after_a_merge import merged
from tests.makers import NOW, make_asked_purpose, make_consent_form, make_customer, record

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def form():
    return make_consent_form()


@pytest.fixture
def two(form):
    form.second = make_asked_purpose(kind=PurposeKind.PROFILING)
    form.save()
    return form


def verified(**given) -> Customer:
    return make_customer(**{"email": ADDRESS, "verified_hash": address_hash(ADDRESS)} | given)


def ask(form, now=NOW, address=ADDRESS, **given) -> None:
    asking.ask_to_confirm(tick=a_tick(form, now, **given), address=address)


def allowed(customer, purpose, now=NOW) -> bool:
    return may_process(customer, purpose.key, "email", now).allowed


def tally(wording) -> tuple[int, int, int, int]:
    row = AskTally.objects.get(wording=wording)
    return row.shown, row.ticked, row.left_empty, row.confirmed


# -- Strangers -----------------------------------------------------------------------------------


def test_a_tick_of_a_stranger_waits_for_the_mail(form):
    ask(form)
    noor = Customer.objects.get()
    entry = ConsentEntry.objects.get()
    assert noor.reference.startswith("web-")
    assert (noor.email, noor.language, noor.is_verified) == (ADDRESS, "nl", False)
    assert (entry.state, entry.actor, entry.method) == ("pending", "customer", "checkbox")
    assert (entry.place, entry.wording, entry.old_enough) == (
        f"form:{form.key}",
        text_of(form),
        True,
    )
    assert not allowed(noor, form.first)
    link = MailedLink.objects.get()
    assert (link.wordings, link.expires_at) == ([text_of(form).pk], NOW + 7 * DAY)
    assert tally(text_of(form)) == (0, 1, 0, 0)


def test_the_letter_has_the_exact_label_one_link_and_no_offers(form):
    ask(form)
    send(NOW)
    (letter,) = mail.outbox
    assert letter.to == [ADDRESS]
    assert text_of(form).label in letter.body
    assert letter.body.count("http") == 1
    assert "&" not in letter.body
    assert letter.from_email == "Lindehuis <post@example.org>"


def test_the_letter_is_in_the_language_of_the_page(form):
    make_customer(email=ADDRESS, language="nl")
    ask(form, wording=text_of(form, "en"))
    send(NOW)
    assert mail.outbox[0].subject == "Please confirm: may Lindehuis write to you?"
    assert text_of(form, "en").label in mail.outbox[0].body


def test_a_customer_with_the_address_is_found_whatever_the_case(form):
    noor = make_customer(email="Noor@Example.org")
    ask(form)
    assert states(noor) == ["pending"]
    assert Customer.objects.count() == 1


def test_an_erased_customer_is_not_found(form):
    make_customer(erased_at=NOW)
    ask(form)
    assert Customer.objects.filter(reference__startswith="web-").count() == 1


def test_a_hundred_ticks_for_one_address_cause_one_mail_and_one_entry(form):
    for second in range(100):
        ask(form, NOW + timedelta(seconds=second))
    assert Letter.objects.count() == 1
    assert states() == ["pending"]
    assert Customer.objects.count() == 1


def test_three_mails_in_all_until_one_is_used(form):
    for day in range(10):
        ask(form, NOW + day * DAY + timedelta(minutes=day))
    assert Letter.objects.count() == 3


def test_who_permits_already_keeps_that_and_gets_no_mail(form):
    noor = make_customer(email=ADDRESS)
    record(noor, purpose=form.first, wording=text_of(form))
    ask(form)
    assert states() == ["given"]
    assert allowed(noor, form.first)
    assert not Letter.objects.exists()


def test_another_record_of_the_same_address_may_be_the_one_that_permits(form):
    make_customer(email=ADDRESS)
    record(make_customer(email=ADDRESS), purpose=form.first, wording=text_of(form))
    ask(form)
    assert states() == ["given"]
    assert not Letter.objects.exists()


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCE, SuppressionReason.ERASURE])
def test_a_mailbox_that_is_gone_or_erased_gets_no_mail_and_no_record(form, reason):
    Suppression.objects.create(address_hash=address_hash(ADDRESS), reason=reason, created_at=NOW)
    ask(form)
    assert not Letter.objects.exists()
    assert not Customer.objects.exists()
    assert tally(text_of(form)) == (0, 1, 0, 0)


def test_who_objected_can_come_back_with_the_link_in_the_mail(form):
    noor = make_customer(email=ADDRESS)
    record(noor, purpose=form.first, state=State.OBJECTED)
    ask(form, NOW + HOUR)
    assert states() == ["objected"]
    assert confirm(token=mailed_token(NOW + HOUR), now=NOW + 2 * HOUR).texts
    assert states() == ["objected", "given"]
    assert allowed(noor, form.first, NOW + 3 * HOUR)


def test_a_yes_of_an_earlier_address_is_confirmed_on_the_new_one(form):
    noor = make_customer(email=ADDRESS)
    record(noor, purpose=form.first, wording=text_of(form))
    noor.email = "noor@example.com"
    noor.save()
    assert not allowed(noor, form.first)
    ask(form, NOW + HOUR, address=noor.email)
    assert states() == ["given"]
    assert confirm(token=mailed_token(NOW + HOUR), now=NOW + 2 * HOUR).texts
    noor.refresh_from_db()
    assert allowed(noor, form.first, NOW + 3 * HOUR)


def test_nothing_is_stored_of_an_empty_box_but_the_count(form):
    asking.leave_empty(tick=a_tick(form, NOW))
    assert tally(text_of(form)) == (0, 0, 1, 0)
    assert not Customer.objects.exists()


# -- The second question ---------------------------------------------------------------------------


def test_one_mail_waits_for_the_second_answer_and_has_both(two):
    ask(two, followed=True)
    assert send(NOW + timedelta(minutes=1)) == 0
    later = NOW + timedelta(minutes=2)
    tick = a_tick(two, later, wording=second_text(two))
    asking.ask_to_confirm_too(tick=tick, address=ADDRESS, asked_at=NOW)
    assert states() == ["pending", "pending"]
    token = mailed_token(later)
    assert text_of(two).label in mail.outbox[0].body
    assert second_text(two).label in mail.outbox[0].body
    assert len(confirm(token=token, now=later + HOUR).texts) == 2
    assert states() == ["pending", "pending", "given", "given"]


def test_the_mail_goes_without_the_second_answer_after_ten_minutes(two):
    ask(two, followed=True)
    assert send(NOW + timedelta(minutes=10)) == 1


def test_the_mail_goes_at_once_when_the_second_box_stays_empty(two):
    ask(two, followed=True)
    tick = a_tick(two, NOW + timedelta(minutes=1), wording=second_text(two))
    asking.leave_empty(tick=tick, address=ADDRESS, asked_at=NOW)
    assert send(NOW + timedelta(minutes=1)) == 1
    assert states() == ["pending"]
    assert second_text(two).label not in mail.outbox[0].body


def test_who_permits_the_first_already_gets_a_mail_about_the_second(two):
    record(make_customer(email=ADDRESS), purpose=two.first, wording=text_of(two))
    ask(two, followed=True)
    tick = a_tick(two, NOW, wording=second_text(two))
    asking.ask_to_confirm_too(tick=tick, address=ADDRESS, asked_at=NOW)
    assert states() == ["given", "pending"]
    assert send(NOW) == 1


def test_case_02_only_the_first_of_two_is_ticked(two):
    """One yes, and no to the other."""
    noor = verified()
    for wording in (text_of(two), second_text(two)):
        assert asking.offer(customer=noor, tick=a_tick(two, NOW, wording=wording))
    later = NOW + timedelta(minutes=1)
    given = asking.take_tick(customer=noor, tick=a_tick(two, later), asked_at=NOW)
    assert given is Outcome.GIVEN
    second = a_tick(two, later, wording=second_text(two))
    asking.leave_known(customer=noor, tick=second, asked_at=NOW)
    assert states().count("given") == 1
    assert allowed(noor, two.first, later)
    assert not allowed(noor, two.second, later)


# -- Known customers -------------------------------------------------------------------------------


def test_a_tick_at_a_confirmed_address_is_a_yes_at_once(form):
    noor = verified()
    assert asking.offer(customer=noor, tick=a_tick(form, NOW))
    later = NOW + timedelta(minutes=1)
    outcome = asking.take_tick(customer=noor, tick=a_tick(form, later), asked_at=NOW)
    assert outcome is Outcome.GIVEN
    entry = ConsentEntry.objects.get(state="given")
    assert (entry.grade, entry.method, entry.wording) == ("B", "checkbox", text_of(form))
    assert tally(text_of(form)) == (0, 1, 0, 1)
    assert not Letter.objects.exists()
    # The button again: the same, once.
    again = asking.take_tick(customer=noor, tick=a_tick(form, later + HOUR), asked_at=NOW)
    assert again is Outcome.GIVEN
    assert states() == ["shown", "given"]
    assert tally(text_of(form)) == (0, 1, 0, 1)


def test_a_tick_at_an_unconfirmed_address_waits_for_the_mail(form):
    noor = make_customer(email=ADDRESS)
    assert asking.offer(customer=noor, tick=a_tick(form, NOW))
    outcome = asking.take_tick(customer=noor, tick=a_tick(form, NOW), asked_at=NOW)
    assert outcome is Outcome.PENDING
    assert states() == ["shown", "pending"]
    assert Letter.objects.count() == 1


def test_a_customer_who_left_the_box_empty_is_asked_again_after_90_days(form):
    noor = verified()
    assert asking.offer(customer=noor, tick=a_tick(form, NOW))
    # The page is loaded again.
    assert asking.offer(customer=noor, tick=a_tick(form, NOW + timedelta(minutes=1)))
    for second in (120, 121):
        tick = a_tick(form, NOW + timedelta(seconds=second))
        asking.leave_known(customer=noor, tick=tick, asked_at=NOW)
    assert states() == ["shown", "refused"]
    assert not asking.offer(customer=noor, tick=a_tick(form, NOW + 89 * DAY))
    assert asking.offer(customer=noor, tick=a_tick(form, NOW + 91 * DAY))


@pytest.mark.parametrize("state", [State.GIVEN, State.WITHDRAWN, State.OBJECTED, State.PENDING])
def test_who_said_something_else_is_not_asked(form, state):
    noor = verified()
    record(noor, purpose=form.first, state=state)
    assert not asking.offer(customer=noor, tick=a_tick(form, NOW + 200 * DAY))


def test_who_asked_to_do_nothing_with_their_data_is_not_asked(form):
    assert not asking.offer(customer=verified(restricted_at=NOW), tick=a_tick(form, NOW))


def test_a_no_in_another_tab_beats_a_tick_on_a_page_that_was_open(form):
    noor = verified()
    assert asking.offer(customer=noor, tick=a_tick(form, NOW))
    withdrawals.withdraw(
        customer=noor,
        purpose=form.first,
        channel="email",
        means=withdrawals.Means(method="preference_page"),
        now=NOW + timedelta(minutes=1),
    )
    tick = a_tick(form, NOW + timedelta(minutes=2))
    assert asking.take_tick(customer=noor, tick=tick, asked_at=NOW) is Outcome.NOTHING
    assert states() == ["shown", "withdrawn"]


def test_an_erased_customer_and_one_without_address_are_not_known(form):
    make_customer(reference="K-erased", erased_at=NOW)
    make_customer(reference="K-bare")
    assert asking.known_customer("K-erased") is None
    assert asking.known_customer("K-bare") is None


# -- Addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" noor@example.org ", "noor@example.org"),
        ("noor@EXAMPLE.org", "noor@example.org"),
        ("Noor+tips@example.org", "Noor+tips@example.org"),
        ("noor@ｅｘａｍｐｌｅ.org", "noor@example.org"),
        ("noor@müller.example", "noor@müller.example"),
        ("noor@mu\u0308ller.example", "noor@müller.example"),
        ("noor@xn--mller-kva.example", "noor@müller.example"),
        ("o'brien@example.org", "o'brien@example.org"),
    ],
)
def test_an_address_has_one_way_of_writing(typed, kept):
    assert asking.typed_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "noor",
        "noor@",
        "@example.org",
        "noor@example",
        "noor@example..org",
        "noor@@example.org",
        "noor @example.org",
        "noor@example.org\nBcc: a@example.org",
        "noor@example.org\x00",
        "noor,kim@example.org",
        "<noor@example.org>",
        "noor@example.org;kim@example.org",
        "nöör@example.org",
        "ｎｏｏｒ@example.org",
        "noor@exa mple.org",
        "noor@-example.org",
        "noor@xn--\u00fc.example",
        "noor@" + "a" * 64 + ".org",
        "n" * 250 + "@example.org",
        "noor\u202e@example.org",
    ],
)
def test_what_cannot_be_mailed_is_refused(typed):
    with pytest.raises(CellError):
        asking.typed_address(typed)


def test_the_bell_rings_for_a_mail_alone(form, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rung:
        ask(form)
    assert len(rung) == 1
    with django_capture_on_commit_callbacks() as rung:
        ask(form)
    assert rung == []


# -- A yes that no longer holds, and records that were merged while a page was open ----------------


def tick_known(customer, form, now) -> Outcome:
    return asking.take_tick(customer=customer, tick=a_tick(form, now), asked_at=now)


def test_a_tick_beside_a_yes_that_ran_out_and_was_not_written_down_yet_is_a_yes(form):
    noor = verified()
    record(noor, purpose=form.first, wording=text_of(form), occurred_at=NOW)
    late = NOW + timedelta(days=form.first.valid_days + 1)
    assert not allowed(noor, form.first, late)
    assert tick_known(noor, form, late) is Outcome.GIVEN
    assert states(noor) == ["given", "renewed"]
    assert allowed(noor, form.first, late)


def test_a_tick_beside_a_yes_on_another_address_waits_for_the_mail(form):
    noor = verified()
    record(noor, purpose=form.first, wording=text_of(form))
    change_address(customer=noor, email="new@example.org", now=NOW + HOUR)
    assert tick_known(noor, form, NOW + HOUR) is Outcome.PENDING
    assert not allowed(noor, form.first, NOW + HOUR)
    confirm(token=mailed_token(NOW + HOUR), now=NOW + 2 * HOUR)
    noor.refresh_from_db()
    assert allowed(noor, form.first, NOW + 2 * HOUR)


@pytest.mark.parametrize("ticked", [True, False])
def test_what_is_answered_on_a_page_from_before_a_merge_is_about_the_survivor(form, ticked):
    old = make_customer(email="old@example.org", verified_hash=address_hash("old@example.org"))
    noor = verified()
    merged(noor, old)
    later = NOW + 2 * HOUR
    if ticked:
        assert tick_known(old, form, later) is Outcome.GIVEN
    else:
        asking.leave_known(customer=old, tick=a_tick(form, later), asked_at=later)
    assert states(noor) == ["given" if ticked else "refused"]
    assert states(old) == []


def test_who_has_no_address_any_more_cannot_say_yes(form):
    noor = verified()
    Customer.objects.filter(pk=noor.pk).update(email="")
    assert tick_known(noor, form, NOW) is Outcome.NOTHING


def test_one_mailbox_gets_one_mail_whatever_stands_behind_its_plus(form):
    for tag in ("", "+a", "+b", "+c"):
        ask(form, address=f"noor{tag}@example.org")
    assert Letter.objects.count() == 1
