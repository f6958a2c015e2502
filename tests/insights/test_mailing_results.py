"""What came of a mailing, and whether personal content pays: counted, with intervals, compared."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.addresses import address_hashes
from customers.models import Contact, Customer
from customers.suppressions import Stop, suppress
from feedback.models import Response
from feedback.places import name_campaign
from feedback.rating_links import link_of
from insights.accounts import Role
from insights.mailing_results import results
from mailings.models import Delivery, Mailing
from tests.customers.test_contacts_api import awake_all_night
from tests.insights.readers import sign_in, text
from tests.mailings.test_lists import stop
from tests.mailings.test_sending import make_message
from tests.makers import (
    a_purchase,
    make_contact,
    make_permitted,
    make_product,
    make_touchpoint,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def mailing() -> Mailing:
    """One that was sent ten days ago, with a thumb under it."""
    awake_all_night()
    made = make_message(touchpoint=make_touchpoint(scale="thumb"))
    made.campaign, _ = name_campaign(name=made.name, now=timezone.now())
    made.status, made.finished_at = "done", timezone.now()
    made.save()
    return made


def got(mailing: Mailing, group: str = "", ago: int = 10) -> Customer:
    person = make_permitted()
    at = timezone.now() - ago * DAY
    contact = make_contact(person, at, source=mailing.source)
    Delivery.objects.create(
        mailing=mailing, customer=person, contact=contact, group=group, status="sent",
        due_at=at, finished_at=at, attempts=1,
    )  # fmt: skip
    return person


def answer(mailing: Mailing, person: Customer, value: int, reason: str = "") -> None:
    """Press the button behind the link under their mail."""
    contact = Contact.objects.get(customer=person, source=mailing.source)
    link = link_of(contact.pk, mailing.touchpoint_id, mailing.campaign_id)
    path = link.url.partition("8000")[2]
    client = Client(enforce_csrf_checks=False)
    assert client.post(path, {"v": value}).status_code == 200
    if reason:
        assert client.post(path, {"v": value, "reason": reason}).status_code == 200


def counted(mailing: Mailing) -> dict[str, tuple[int | None, int]]:
    return {one.label: (one.share.count, one.share.n) for one in results(mailing).lines}


def test_nothing_came_of_what_was_not_sent(mailing):
    assert results(mailing) is None


def test_each_outcome_is_counted_of_the_mails_or_of_the_answers(mailing):
    people = [got(mailing) for _ in range(8)]
    for n, one in enumerate(people[:6]):
        answer(mailing, one, value=n % 2, reason="too_personal" if n == 0 else "")
    stop(people[0])
    suppress(
        hashes=list(address_hashes(people[1].email)),
        stop=Stop(reason="complaint"),
        now=timezone.now(),
    )
    product = make_product()
    now = timezone.now()
    for one, at in (
        (people[2], now - 2 * DAY),
        (people[2], now - DAY),
        (people[3], now - 11 * DAY),
    ):
        stored(a_purchase(customer=one, product=product, purchased_at=at))
    # Taken back ten days after the mail is none of its business.
    assert counted(mailing) == {
        "Duim omhoog, van de antwoorden": (3, 6),
        "“Te persoonlijk”, van de antwoorden": (1, 6),
        "Trok de toestemming binnen 7 dagen in, van de mails": (0, 8),
        "Klaagde, van de mails": (1, 8),
        "Kocht iets binnen 30 dagen, van de mails": (1, 8),
    }


def test_who_takes_it_back_within_a_week_counts(mailing):
    people = [got(mailing, ago=2) for _ in range(5)]
    stop(people[0])
    label = "Trok de toestemming binnen 7 dagen in, van de mails"
    assert counted(mailing)[label] == (1, 5)


def test_of_a_few_people_nothing_is_told(mailing):
    people = [got(mailing) for _ in range(4)]
    answer(mailing, people[0], 0, reason="too_personal")
    found = results(mailing)
    assert all(not line.share.shown for line in found.lines)
    assert found.reasons == []


def test_the_groups_are_compared_with_intervals_and_a_verdict(mailing):
    for n in range(80):
        one = got(mailing, group="personal" if n < 40 else "generic")
        # Everybody with picks is content, hardly anybody without.
        answer(mailing, one, value=int(n < 40 or n % 10 == 0))
        if n % 4 == 0:
            at = timezone.now() - DAY
            stored(a_purchase(customer=one, product=make_product(), purchased_at=at))
    found = {row.label: row for row in results(mailing).compared}
    ups = found["Duim omhoog, van de antwoorden"]
    assert (ups.personal.count, ups.personal.n) == (40, 40)
    assert (ups.generic.count, ups.generic.n) == (4, 40)
    assert ups.verdict == "hoger met persoonlijke inhoud"
    bought = found["Kocht iets binnen 30 dagen, van de mails"]
    assert (bought.personal.count, bought.generic.count) == (10, 10)
    assert bought.verdict == "geen verschil dat aan te tonen is"
    # Nobody was in no group by chance.
    assert results(mailing).sent == 80


def test_too_few_are_no_verdict_and_without_groups_nothing_is_compared(mailing):
    for n in range(10):
        got(mailing, group="personal" if n < 5 else "generic")
    assert {row.verdict for row in results(mailing).compared} == {"te weinig om iets te zeggen"}
    Delivery.objects.update(group="")
    assert results(mailing).compared == []


def test_the_page_shows_the_guess_beside_the_answers(mailing, client):
    Mailing.objects.filter(pk=mailing.pk).update(guess=70)
    for n in range(30):
        answer(mailing, got(mailing), value=int(n < 18))
    marketer = sign_in(client, Role.MARKETER)
    shown = text(marketer.get(f"/mailings/{mailing.pk}/"))
    assert "Your guess was 70 %." in shown
    assert "Thumbs up, of the answers 18 60" in shown
    assert "Does personal content pay?" not in shown
    assert Response.objects.count() == 30
