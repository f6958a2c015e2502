"""Sending from here: claimed under the customer's lock, handed over once, and told truthfully."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.dose_documents import document_of
from customers.letters import Sender
from customers.merging import Decision, preview
from customers.models import Contact, ContactStatus, Customer, Suppression
from customers.policies import current_policy, publish_policy
from customers.quiet_hours import Range
from feedback.models import Invitation
from feedback.services import add_responses
from insights.erasure import Order, erase
from insights.keeping import tidy
from insights.merges import ABOVE, merge
from mailings import sending
from mailings.asked import answered_before
from mailings.lists import NotNow
from mailings.models import Delivery, DeliveryStatus, Mailing, MailingStatus, MailText
from mailings.people import drop_old_deliveries
from mailings.sending import (
    FIRST_PAUSE,
    LONGEST_CLAIM,
    MOST_ATTEMPTS,
    MOST_ERRORS,
    Choices,
    any_due,
    cancel,
    pause,
    resume,
    schedule,
    send_due,
)
from tests.customers.test_contacts_api import awake_all_night
from tests.mailings.smtp import MailServer, started
from tests.mailings.test_lists import make_mailing, stop
from tests.makers import an_answer, an_invitation, make_permitted, make_touchpoint, stored

pytestmark = pytest.mark.django_db

SENDER = Sender("Lindehuis", "Lindehuis <post@lindehuis.example>")
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _awake():
    awake_all_night()


@pytest.fixture
def server(settings) -> MailServer:
    server = MailServer()
    controller = started(server)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    settings.EMAIL_TIMEOUT = 0.5
    yield server
    controller.stop()


@pytest.fixture
def people() -> list[Customer]:
    return [make_permitted(reference=f"K{n}", email=f"k{n}@example.org") for n in range(3)]


def make_message(**given) -> Mailing:
    mailing = make_mailing(means="here", **given)
    for language in ("nl", "en"):
        MailText.objects.create(
            mailing=mailing,
            language=language,
            subject="Winter at {{ shop }}",
            body="{{ greeting }}\n\nCold slows a battery.",
        )
    return mailing


def planned(**given) -> Mailing:
    mailing = make_message(**given)
    now = timezone.now()
    return schedule(mailing_id=mailing.pk, at=now, now=now)


def send(mailing: Mailing | None = None, later: timedelta = timedelta(0)) -> int:
    sent = send_due(SENDER, timezone.now() + later, lambda: timezone.now() + later)
    if mailing:
        mailing.refresh_from_db()
    return sent


def states() -> list[str]:
    return list(Delivery.objects.order_by("customer__reference").values_list("status", flat=True))


def contacts() -> list[str]:
    return sorted(Contact.objects.values_list("status", flat=True))


# -- The whole way --------------------------------------------------------------------------------


def test_everybody_who_permits_it_gets_one_mail_and_it_counts(server, people):
    stop(people[0])
    mailing = planned()
    assert any_due(timezone.now())
    assert send(mailing) == 2
    assert server.addresses == ["k1@example.org", "k2@example.org"]
    assert mailing.status == MailingStatus.DONE
    assert mailing.funnel["no_permission"] == 1
    assert contacts() == [ContactStatus.SENT, ContactStatus.SENT]
    assert not any_due(timezone.now())
    assert send(mailing) == 0
    assert len(server.took) == 2


def test_what_is_planned_for_later_waits(server, people):
    mailing = make_message()
    now = timezone.now()
    schedule(mailing_id=mailing.pk, at=now + timedelta(hours=2), now=now)
    assert not any_due(timezone.now())
    assert send() == 0
    assert send(mailing, later=timedelta(hours=2)) == 3
    with pytest.raises(NotNow) as error:
        schedule(mailing_id=mailing.pk, at=now, now=now)
    assert error.value.code == "started"


def test_who_took_it_back_after_the_planning_is_left_out_with_the_reason(server, people):
    mailing = planned()
    sending.plan_due(timezone.now(), timezone.now)
    stop(people[1])
    assert send(mailing) == 2
    assert states() == ["sent", "cancelled", "sent"]
    assert Delivery.objects.get(status="cancelled").code == "NO_PERMISSION"
    assert mailing.status == MailingStatus.DONE


def test_two_mailings_and_a_customer_at_the_edge_of_the_dose_make_one_mail(server):
    make_permitted(customer_type="one_time")
    for name in ("Winter", "Also winter"):
        planned(name=name)
    sending.plan_due(timezone.now(), timezone.now)
    assert Delivery.objects.count() == 2
    assert send() == 1
    assert sorted(states()) == ["cancelled", "sent"]
    assert Delivery.objects.get(status="cancelled").code == "CAP_REACHED"


def test_who_sleeps_is_waited_for_that_day(server, people):
    mailing = planned()
    sending.plan_due(timezone.now(), timezone.now)
    asleep_for_an_hour()
    assert send(mailing) == 0
    assert states() == ["queued"] * 3
    assert {one.code for one in Delivery.objects.all()} == {"QUIET_HOURS"}
    assert mailing.status == MailingStatus.SENDING
    assert send(mailing, later=timedelta(minutes=61)) == 3


def asleep_for_an_hour() -> None:
    now = timezone.localtime()
    start = now.hour * 60 + now.minute
    policy = replace(current_policy(), quiet={"email": [Range(now.weekday(), start, start + 60)]})
    publish_policy(
        document=document_of(policy), author="", note="", now=timezone.now(), after=policy.version
    )


def test_what_is_asked_under_it_counts_as_asked(server, people):
    touchpoint = make_touchpoint(scale="thumb")
    mailing = planned(touchpoint=touchpoint)
    send(mailing)
    assert Invitation.objects.filter(touchpoint=touchpoint).count() == 3
    assert mailing.campaign is not None


# -- The mail server ------------------------------------------------------------------------------


GONE = "SMTPServerDisconnected"


@pytest.mark.parametrize(
    ("where", "answer", "told"),
    [
        ("rcpt", "450 4.2.0 Greylisted", ("failed_temp", "reserved", "rcpt", "450")),
        ("rcpt", "550 5.7.1 No", ("failed", "failed", "rcpt", "550")),
        ("rcpt", "stall", ("failed_temp", "reserved", "rcpt", GONE)),
        ("rcpt", "hang up", ("failed_temp", "reserved", "rcpt", GONE)),
        ("data", "451 4.3.0 Later", ("failed_temp", "reserved", "answered", "451")),
        ("data", "554 5.6.0 No", ("failed", "failed", "answered", "554")),
        ("data", "stall", ("unknown", "sent", "body", GONE)),
        ("data", "hang up", ("unknown", "sent", "body", GONE)),
    ],
)
def test_each_answer_of_the_server_is_told_as_it_was(server, people, where, answer, told):
    setattr(server, f"at_{where}", lambda address: answer if address.startswith("k1@") else "")
    assert send(planned()) == 2
    assert server.addresses == ["k0@example.org", "k2@example.org"]
    one = Delivery.objects.get(customer=people[1])
    assert (one.status, one.contact.status, one.phase, one.code) == told
    assert not Suppression.objects.exists()


def test_an_address_that_does_not_exist_is_never_written_to_again(server, people):
    server.at_rcpt = lambda address: "550 5.1.1 No such user" if address.startswith("k1@") else ""
    assert send(planned()) == 2
    assert {one.reason for one in Suppression.objects.all()} == {"bounce"}
    assert sending.choose(planned(name="Next"), timezone.now()).no_permission == 1


def test_what_failed_for_now_is_tried_again_later_and_not_for_ever(server, people):
    server.at_rcpt = lambda address: "450 Later" if address.startswith("k1@") else ""
    mailing = planned()
    send(mailing)
    passed = timedelta(0)
    for n in range(1, MOST_ATTEMPTS):
        one = Delivery.objects.get(customer=people[1])
        assert (one.status, one.attempts) == ("failed_temp", n)
        passed += FIRST_PAUSE * 2 ** (n - 1)
        assert send(later=passed - 5 * SECOND) == 0
        assert send(mailing, later=passed + 5 * SECOND) == 0
        passed += 5 * SECOND
    one.refresh_from_db()
    assert (one.status, one.attempts) == ("failed", MOST_ATTEMPTS)
    assert mailing.status == MailingStatus.DONE
    # Each try had a contact of its own, and none of them weighs.
    assert contacts().count("sent") == 2
    assert contacts().count("failed") == 1


def test_a_second_try_that_works_is_one_mail_and_one_contact(server, people):
    server.at_rcpt = lambda address: "450 Later"
    mailing = planned()
    assert send(mailing) == 0
    server.at_rcpt = lambda address: ""
    assert send(mailing, later=FIRST_PAUSE + 5 * SECOND) == 3
    assert states() == ["sent"] * 3
    assert contacts() == ["released"] * 3 + ["sent"] * 3
    assert mailing.errors_in_row == 0


def test_between_two_tries_a_permission_that_is_taken_back_wins(server, people):
    server.at_rcpt = lambda address: "450 Later"
    mailing = planned()
    send(mailing)
    stop(people[1])
    server.at_rcpt = lambda address: ""
    assert send(mailing, later=FIRST_PAUSE + 5 * SECOND) == 2
    assert states() == ["sent", "cancelled", "sent"]
    assert "k1@example.org" not in server.addresses


def test_what_is_unknown_is_never_sent_again_and_weighs(server, people):
    server.at_data = lambda address: "stall"
    mailing = planned()
    assert send(mailing) == 0
    assert states() == ["unknown"] * 3
    server.at_data = lambda address: ""
    assert send(mailing, later=timedelta(hours=5)) == 0
    assert server.took == []
    assert contacts() == ["sent"] * 3
    assert mailing.status == MailingStatus.DONE


def test_what_a_worker_had_when_it_died_is_unknown(server, people, caplog):
    mailing = planned()
    sending.plan_due(timezone.now(), timezone.now)
    Mailing.objects.filter(pk=mailing.pk).update(status="sending")
    mailing.refresh_from_db()
    row = Delivery.objects.get(customer=people[0])
    assert sending._claim(row.pk, row.customer_id, mailing, timezone.now())
    assert send(later=LONGEST_CLAIM - 5 * SECOND) == 2
    assert states() == ["claimed", "sent", "sent"]
    assert any_due(timezone.now() + LONGEST_CLAIM)
    assert send(mailing, later=LONGEST_CLAIM + SECOND) == 0
    assert states() == ["unknown", "sent", "sent"]
    assert mailing.status == MailingStatus.DONE
    assert len(server.took) == 2


def test_nothing_is_claimed_while_the_server_does_not_answer(settings, people, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    mailing = planned()
    with caplog.at_level(logging.WARNING):
        assert send(mailing) == 0
    assert states() == ["queued"] * 3
    assert not Contact.objects.exists()
    assert mailing.errors_in_row == 1
    assert "mail_server_unreachable" in caplog.text
    assert any_due(timezone.now())


def test_too_many_errors_in_a_row_pause_the_mailing(server):
    for n in range(MOST_ERRORS + 5):
        make_permitted(email=f"p{n}@example.org")
    server.at_rcpt = lambda address: "451 Later"
    mailing = planned()
    assert send(mailing) == 0
    assert (mailing.status, mailing.paused_by) == (MailingStatus.PAUSED, "errors")
    assert states().count("failed_temp") == MOST_ERRORS
    assert not any_due(timezone.now())
    server.at_rcpt = lambda address: ""
    resume(mailing_id=mailing.pk)
    assert send(mailing, later=FIRST_PAUSE + SECOND) == MOST_ERRORS + 5


def test_an_address_that_no_mail_can_be_made_for_fails_and_the_others_go(server, people):
    make_permitted(reference="K1a", email="zo\u00eb@example.org")
    assert send(planned()) == 3
    assert states() == ["sent", "sent", "failed", "sent"]
    told = Delivery.objects.get(status="failed")
    assert (told.phase, told.contact.status) == ("", "failed")


# -- By hand --------------------------------------------------------------------------------------


def test_a_pause_holds_and_ends(server, people):
    mailing = planned()
    sending.plan_due(timezone.now(), timezone.now)
    pause(mailing_id=mailing.pk)
    assert send(mailing) == 0
    assert (mailing.status, mailing.paused_by) == (MailingStatus.PAUSED, "person")
    with pytest.raises(NotNow):
        pause(mailing_id=mailing.pk)
    resume(mailing_id=mailing.pk)
    assert send(mailing) == 3
    with pytest.raises(NotNow):
        resume(mailing_id=mailing.pk)


def test_what_is_cancelled_goes_to_nobody_and_gives_back_what_was_reserved(server, people):
    server.at_rcpt = lambda address: "450 Later" if address.startswith("k1@") else ""
    mailing = planned()
    send(mailing)
    cancel(mailing_id=mailing.pk, now=timezone.now())
    server.at_rcpt = lambda address: ""
    assert send(mailing, later=FIRST_PAUSE * 2) == 0
    assert mailing.status == MailingStatus.CANCELLED
    assert states() == ["sent", "cancelled", "sent"]
    assert contacts() == ["released", "sent", "sent"]
    with pytest.raises(NotNow):
        cancel(mailing_id=mailing.pk, now=timezone.now())


def test_what_is_cancelled_before_it_began_has_no_rows(server, people):
    mailing = planned()
    cancel(mailing_id=mailing.pk, now=timezone.now())
    assert send() == 0
    assert not Delivery.objects.exists()


def test_what_is_cancelled_while_its_rows_are_made_leaves_none_waiting(server, people):
    mailing = planned()

    def clock():
        # The first look at the clock comes after the first rows: just then somebody cancels.
        if Delivery.objects.exists():
            Mailing.objects.filter(pk=mailing.pk).update(
                status="cancelled", finished_at=timezone.now()
            )
        return timezone.now()

    assert sending.plan_due(timezone.now(), clock) == 0
    assert {one.code for one in Delivery.objects.all()} == {"cancelled"}
    assert send() == 0
    assert server.took == []


def test_a_message_that_says_nothing_is_not_planned(people):
    mailing = make_mailing(means="here")
    with pytest.raises(NotNow) as error:
        schedule(mailing_id=mailing.pk, at=timezone.now(), now=timezone.now())
    assert error.value.code == "unwritten"


def test_of_two_records_of_one_customer_one_gets_the_mail(server, people):
    mailing = planned()
    sending.plan_due(timezone.now(), timezone.now)
    survivor, absorbed, _ = people
    seal = preview(survivor, absorbed, above=ABOVE).seal
    merge(
        survivor=survivor,
        absorbed=absorbed,
        decision=Decision(seal=seal, reason="double", colleague="1"),
        now=timezone.now(),
    )
    send(mailing)
    assert server.addresses == ["k0@example.org", "k2@example.org"]
    assert sorted(states()) == ["cancelled", DeliveryStatus.SENT, DeliveryStatus.SENT]


# -- People ---------------------------------------------------------------------------------------


def test_who_is_erased_has_no_mails_any_more_sent_or_waiting(server, people):
    server.at_rcpt = lambda address: "450 Later" if address.startswith("k1@") else ""
    mailing = planned()
    send(mailing)
    for one in people[:2]:
        erase(customer=one, order=Order(reason="asked"), now=timezone.now())
    assert list(Delivery.objects.values_list("customer", flat=True)) == [people[2].pk]
    server.at_rcpt = lambda address: ""
    assert send(mailing, later=FIRST_PAUSE * 2) == 0
    assert mailing.status == MailingStatus.DONE


def test_what_was_left_out_is_kept_as_long_as_contacts(server, people, settings):
    stop(people[0])
    mailing = planned()
    Delivery.objects.create(mailing=mailing, customer=people[0], due_at=timezone.now())
    send()
    assert Delivery.objects.count() == 3
    later = timezone.now() + timedelta(days=settings.RETENTION_CONTACTS_DAYS)
    assert drop_old_deliveries(later - timedelta(hours=1)) == 0
    assert drop_old_deliveries(later + timedelta(hours=1)) == 1
    tidy(later + timedelta(hours=1))
    assert not Delivery.objects.exists()


# -- So many and no more --------------------------------------------------------------------------


def asked_before(touchpoint, invited: int, answered: int) -> None:
    """So many were asked by mail a month ago, and so many of them answered."""
    at = timezone.now() - timedelta(days=30)
    for n in range(invited):
        made = stored(an_invitation(touchpoint=touchpoint, channel="email", invited_at=at))
        if n < answered:
            add_responses(
                [an_answer(key=f"b{n}", touchpoint=touchpoint, invitation=made, answered_at=at)]
            )


def test_no_more_are_asked_than_a_precision_needs(server):
    touchpoint = make_touchpoint(scale="nps")
    asked_before(touchpoint, invited=40, answered=20)
    for n in range(30):
        make_permitted(email=f"p{n}@example.org")
    mailing = make_message(touchpoint=touchpoint)
    now = timezone.now()
    # Every second answers.
    assert answered_before("nps", now) == (20, 40)
    schedule(mailing_id=mailing.pk, at=now, now=now, choices=Choices(enough=12, most=24))
    assert send(mailing) == 24
    assert (mailing.funnel["not_drawn"], mailing.funnel["now"]) == (6, 24)


def test_it_stops_asking_when_enough_have_answered(server, people):
    touchpoint = make_touchpoint(scale="nps")
    mailing = make_message(touchpoint=touchpoint)
    now = timezone.now()
    schedule(mailing_id=mailing.pk, at=now, now=now, choices=Choices(enough=1))
    sending.plan_due(timezone.now(), timezone.now)
    mailing.refresh_from_db()
    add_responses(
        [an_answer(key="one", touchpoint=touchpoint, campaign=mailing.campaign, answered_at=now)]
    )
    assert send(mailing) == 0
    assert {one.code for one in Delivery.objects.all()} == {"enough"}
    assert mailing.status == MailingStatus.DONE
