"""A send list: reserved for who may get it, fetched with links, and told what became of it."""

import csv
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from customers.contacts import Request, claim_contact
from customers.models import ConsentState, Contact, ContactStatus, Customer, Purpose, Suppression
from customers.tokens import read_preferences, read_unsubscribe
from customers.withdrawals import Means, withdraw
from feedback.models import Invitation, Response
from mailings.audience import plan_of
from mailings.lists import (
    NotNow,
    cancel,
    columns,
    is_overdue,
    merge_fields,
    recipients,
    reserve_due,
    start_list,
)
from mailings.models import Mailing, MailingStatus
from mailings.segments import Segment
from tests.customers.test_contacts_api import awake_all_night
from tests.feedback.recount import check_counts
from tests.makers import known_purpose, make_permitted, make_touchpoint

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _awake():
    awake_all_night()


@pytest.fixture
def people() -> list[Customer]:
    return [make_permitted(reference=f"K{n}", email=f"k{n}@example.org") for n in range(5)]


def make_mailing(**given) -> Mailing:
    now = timezone.now()
    usual = {
        "name": "Winter",
        "kind": "promotion",
        "purpose": known_purpose("email_marketing"),
        "segment": Segment().document(),
        "planned_at": now + HOUR,
        "created_at": now,
        "created_by": User.objects.first(),
    }
    return Mailing.objects.create(**usual | given)


def made(**given) -> Mailing:
    """A list that is ready to be fetched."""
    mailing = make_mailing(**given)
    start_list(mailing_id=mailing.pk, now=timezone.now())
    assert reserve_due(timezone.now(), timezone.now) == 1
    mailing.refresh_from_db()
    return mailing


def on_it(mailing: Mailing) -> list[str]:
    found = recipients(mailing, timezone.now())
    return sorted(one.customer.reference for one in found)


def report(tmp_path, *rows: tuple[str, ...]) -> None:
    path = tmp_path / "report.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("contact", "outcome", "at"), *rows])
    call_command("import_reports", str(path), "--json")


def stop(customer: Customer, key: str = "email_marketing") -> None:
    withdraw(
        customer=customer,
        purpose=Purpose.objects.get(key=key),
        channel="email",
        means=Means(method="unsubscribe_page", place="mail"),
        now=timezone.now(),
    )


# -- Reserving ------------------------------------------------------------------------------------


def test_a_contact_is_reserved_with_everybody_until_a_day_after_the_plan(people):
    stop(people[0])
    mailing = made()
    assert mailing.status == MailingStatus.READY
    assert mailing.funnel == {
        "total": 5, "no_permission": 1, "left_alone": 0, "over_dose": 0, "quiet": 0,
        "unknown_zone": 0, "now": 4,
    }  # fmt: skip
    contacts = Contact.objects.filter(source=mailing.source)
    assert {one.status for one in contacts} == {ContactStatus.RESERVED}
    assert {one.from_at for one in contacts} == {mailing.planned_at}
    assert {one.to_at - one.from_at for one in contacts} == {timedelta(hours=24)}
    assert on_it(mailing) == ["K1", "K2", "K3", "K4"]


def test_two_lists_for_the_same_days_never_have_the_same_customer(people):
    first = made()
    second = made(name="Also winter")
    assert len(on_it(first)) == 5
    assert on_it(second) == []
    assert second.funnel["over_dose"] == 5


def test_a_list_that_was_broken_off_goes_on_and_reserves_nobody_twice(people):
    mailing = make_mailing()
    start_list(mailing_id=mailing.pk, now=timezone.now())
    # Its worker died after a while: nothing happens for two minutes, then another takes over.
    Mailing.objects.update(claimed_at=timezone.now())
    request = Request(
        request_id=f"mailing:{mailing.pk}:{people[0].pk}",
        customer=people[0],
        plan=plan_of(mailing),
        source=mailing.source,
    )
    claim_contact(request=request, now=timezone.now())
    assert reserve_due(timezone.now(), timezone.now) == 0
    later = timezone.now() + timedelta(minutes=3)
    assert reserve_due(later, lambda: later) == 1
    assert Contact.objects.filter(source=mailing.source).count() == 5


@pytest.mark.parametrize("given", [{"status": "ready"}, {"planned_at": timezone.now() - HOUR}])
def test_only_a_draft_that_is_still_to_come_is_started(people, given):
    mailing = make_mailing(**given)
    with pytest.raises(NotNow):
        start_list(mailing_id=mailing.pk, now=timezone.now())
    assert not Contact.objects.exists()


def test_cancelling_gives_back_what_was_reserved(people):
    mailing = made()
    cancel(mailing_id=mailing.pk, now=timezone.now())
    assert set(Contact.objects.values_list("status", flat=True)) == {ContactStatus.RELEASED}
    assert len(on_it(made(name="Another"))) == 5
    with pytest.raises(NotNow):
        cancel(mailing_id=mailing.pk, now=timezone.now())


def test_cancelled_while_it_is_being_made_nothing_stays_reserved(people):
    mailing = make_mailing()
    start_list(mailing_id=mailing.pk, now=timezone.now())
    moments = iter([timezone.now()] * 2)

    def clock():
        # Somebody cancels between the batch that was reserved and the next sign of life.
        try:
            return next(moments)
        except StopIteration:
            Mailing.objects.filter(status="reserving").update(status="cancelled")
            return timezone.now()

    assert reserve_due(timezone.now(), clock) == 0
    assert not Contact.objects.filter(status=ContactStatus.RESERVED).exists()


# -- The file -------------------------------------------------------------------------------------


def test_every_row_has_the_links_of_its_customer(people):
    thumb = make_touchpoint(scale="thumb", name="Under mails")
    mailing = made(touchpoint=thumb)
    contact = next(recipients(mailing, timezone.now()))
    fields = merge_fields(mailing, contact)
    assert list(fields) == columns(mailing)
    assert fields["contact"] == contact.request_id
    assert fields["email"] == contact.customer.email
    assert fields["thumb_up"] == fields["thumb_down"].replace("?v=0", "?v=1")
    assert read_preferences(fields["preferences"].split("/")[-2]) == contact.customer_id
    asked = read_unsubscribe(fields["unsubscribe"].split("/")[-2])
    assert (asked.customer_id, asked.purpose_id) == (contact.customer_id, mailing.purpose_id)


@pytest.mark.parametrize(
    ("scale", "links"), [("", []), ("thumb", ["thumb_up", "thumb_down"]), ("nps", ["question"])]
)
def test_the_columns_follow_the_question(people, scale, links):
    mailing = made(touchpoint=make_touchpoint(scale=scale) if scale else None)
    usual = ["contact", "email", "name", "language", *links, "preferences", "unsubscribe"]
    assert columns(mailing) == usual
    assert list(merge_fields(mailing, next(recipients(mailing, timezone.now())))) == usual


def test_who_takes_it_back_meanwhile_is_left_out_of_the_file(people):
    mailing = made()
    stop(people[2])
    assert on_it(mailing) == ["K0", "K1", "K3", "K4"]


# -- The report -----------------------------------------------------------------------------------


def test_a_report_says_what_became_of_each(people, tmp_path):
    mailing = made(touchpoint=make_touchpoint(scale="thumb"))
    [k0, k1, k2, k3, k4] = [f"mailing:{mailing.pk}:{one.pk}" for one in people]
    rows = [(k0, "sent", ""), (k1, "bounced", ""), (k2, "unsubscribed", ""), (k3, "complained", "")]
    report(tmp_path, *rows)
    status = dict(Contact.objects.values_list("request_id", "status"))
    assert status == {k0: "sent", k1: "failed", k2: "sent", k3: "sent", k4: "reserved"}
    withdrawn = ConsentState.objects.filter(state="withdrawn", purpose=mailing.purpose)
    assert sorted(withdrawn.values_list("customer__reference", flat=True)) == ["K2", "K3"]
    stops = dict(Suppression.objects.values_list("reason", "everything"))
    assert stops == {"bounce": True, "complaint": False}
    assert Invitation.objects.count() == 3
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.READY
    report(tmp_path, (k4, "not_sent", ""))
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.DONE
    check_counts()


def test_the_same_report_again_changes_nothing(people, tmp_path, capsys):
    mailing = made(touchpoint=make_touchpoint(scale="thumb"))
    rows = [
        (f"mailing:{mailing.pk}:{person.pk}", outcome, "")
        for person, outcome in zip(
            people, ("sent", "bounced", "unsubscribed", "complained", "not_sent"), strict=True
        )
    ]
    report(tmp_path, *rows)
    assert '"updated": 5' in capsys.readouterr().out
    before = list(Contact.objects.order_by("pk").values())
    report(tmp_path, *rows)
    assert '"unchanged": 5' in capsys.readouterr().out
    assert list(Contact.objects.order_by("pk").values()) == before
    assert Invitation.objects.count() == 3


def test_a_vote_before_the_report_is_one_invitation(people, tmp_path, client):
    mailing = made(touchpoint=make_touchpoint(scale="thumb"))
    contact = next(recipients(mailing, timezone.now()))
    link = merge_fields(mailing, contact)["thumb_down"]
    path = "/r/" + link.split("/r/")[1].split("?")[0]
    assert client.post(path, {"v": "0"}).status_code == 200
    report(tmp_path, (contact.request_id, "sent", ""))
    assert Invitation.objects.count() == Response.objects.count() == 1
    assert Response.objects.get().campaign == Mailing.objects.get().campaign
    check_counts()


def test_who_does_not_permit_it_is_not_known_by_the_answer_after_the_report(
    people, tmp_path, client
):
    stop(people[0], "satisfaction_survey")
    mailing = made(touchpoint=make_touchpoint(scale="thumb"))
    contact = Contact.objects.get(customer=people[0])
    report(tmp_path, (contact.request_id, "sent", ""))
    link = merge_fields(mailing, contact)["thumb_up"]
    client.post("/r/" + link.split("/r/")[1].split("?")[0], {"v": "1"})
    answer = Response.objects.get()
    assert (answer.customer, answer.invitation.customer) == (None, None)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("mailing:9:9", "sent", ""), "is on no send list"),
        (("", "sent", ""), "contact is empty"),
        (("{contact}", "opened", ""), "opened"),
        (("{contact}", "sent", "2031-01-01"), "is still to come"),
        (("{contact}", "sent", "2020-01-01"), "is before the list was made"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_the_reason(people, tmp_path, row, said):
    made()
    contact = Contact.objects.first().request_id
    rejects = tmp_path / "rejects.csv"
    path = tmp_path / "report.csv"
    with path.open("w", newline="") as file:
        rows = [[cell.format(contact=contact) for cell in row]]
        csv.writer(file).writerows([("contact", "outcome", "at"), *rows])
    call_command("import_reports", str(path), "--json", "--rejects", str(rejects))
    assert said in rejects.read_text()
    assert set(Contact.objects.values_list("status", flat=True)) == {"reserved"}


def test_what_was_sent_after_it_was_given_back_counts_as_sent_too_late(people, tmp_path):
    mailing = made()
    contact = Contact.objects.first()
    cancel(mailing_id=mailing.pk, now=timezone.now())
    report(tmp_path, (contact.request_id, "sent", ""))
    contact.refresh_from_db()
    assert contact.status == ContactStatus.SENT_LATE


def test_a_list_that_is_not_reported_back_is_flagged(people, tmp_path):
    mailing = made()
    soon, late = (timezone.now() + timedelta(hours=n) for n in (25, 50))
    assert (is_overdue(mailing, soon), is_overdue(mailing, late)) == (False, True)
    report(tmp_path, (Contact.objects.first().request_id, "sent", ""))
    mailing.refresh_from_db()
    assert not is_overdue(mailing, late)
