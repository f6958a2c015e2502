"""The links under a mail of ours: opening counts nothing, pressing counts once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from customers.erasure import erase_customer
from customers.models import ConsentState, Contact, Purpose
from customers.tokens import Rating, rating_token, unsubscribe_token
from customers.withdrawals import Means, withdraw
from feedback.models import Exposure, Invitation, Response
from feedback.places import name_campaign
from tests.feedback.recount import check_counts
from tests.makers import (
    known_purpose,
    make_category,
    make_contact,
    make_permitted,
    make_touchpoint,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    return make_permitted(reference="K-7", email="noor@example.org", language="nl")


@pytest.fixture
def contact(noor):
    phones = make_category(name="Phones", involvement="high", rated_at=timezone.now())
    return make_contact(customer=noor, category=phones, at=timezone.now())


@pytest.fixture
def thumb():
    return make_touchpoint(scale="thumb", name="Under mails")


def address(contact, touchpoint, campaign=0) -> str:
    return f"/r/{rating_token(Rating(contact.pk, touchpoint.pk, campaign))}/"


def press(client, where, value="1", **more):
    return client.post(where, {"v": value, **more})


def test_opening_a_link_changes_nothing_and_pressing_counts(client, contact, thumb):
    campaign, _ = name_campaign(name="Winter", now=timezone.now())
    where = address(contact, thumb, campaign.pk)
    for method in (client.get, client.head, client.options):
        method(where + "?v=1")
    assert not Response.objects.exists()
    assert not Invitation.objects.exists()
    assert press(client, where).status_code == 200
    answer = Response.objects.get()
    assert (answer.value, answer.channel, answer.campaign) == (1, "email", campaign)
    assert answer.category == contact.category
    assert answer.customer_type == contact.customer_type
    counts = dict(Exposure.objects.values_list("kind", "n"))
    assert counts == {"opened": 1, "confirmed": 1}
    check_counts()


def test_one_link_has_one_answer_and_the_last_press_is_it(client, contact, thumb):
    where = address(contact, thumb)
    for value in ("1", "1", "0", "1", "0"):
        assert press(client, where, value).status_code == 200
    assert Response.objects.get().value == 0
    assert Invitation.objects.count() == 1
    check_counts()


def test_the_answer_is_theirs_if_they_permit_that_and_else_nobodys(client, contact, thumb, noor):
    press(client, address(contact, thumb))
    assert Response.objects.get().customer == noor
    other = make_contact(
        request_id="second", customer=make_permitted(reference="K-8"), at=timezone.now()
    )
    survey = Purpose.objects.get(key="satisfaction_survey")
    withdraw(
        customer=other.customer,
        purpose=survey,
        channel="email",
        means=Means(method="unsubscribe_page", place="mail"),
        now=timezone.now(),
    )
    press(client, address(other, thumb))
    answer = Response.objects.exclude(customer=noor).get()
    assert (answer.customer, answer.invitation.customer) == (None, None)
    check_counts()


def test_a_reason_and_a_comment_come_after_the_vote(client, contact, thumb):
    where = address(contact, thumb)
    press(client, where, "0")
    press(client, where, "0", reason="too_often", comment="Elke dag is veel")
    answer = Response.objects.get()
    assert (answer.value, answer.reason, answer.comment) == (0, "too_often", "Elke dag is veel")
    assert "Elke dag is veel" in press(client, where, "0").content.decode()


def test_the_page_says_nothing_about_the_customer(client, contact, thumb):
    page = client.get(address(contact, thumb) + "?v=0")
    text = page.content.decode()
    for said in ("noor", "K-7", "Phones"):
        assert said not in text
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "private, no-cache"
    assert not page.cookies


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_not_ours_gets_a_polite_page(client, contact, thumb, method):
    good = address(contact, thumb)
    unsubscribe = unsubscribe_token(contact.customer_id, 1, "email")
    for bad in (
        "/r/x/",
        good[:-3] + "x/",
        f"/r/{unsubscribe}/",
        "/r/1-1-0:é/",
        f"{good[:3]}9{good[3:]}",
    ):
        page = getattr(client, method)(bad, {"v": "1"})
        assert page.status_code == 404
        assert "werkt niet meer" in page.content.decode()
    assert not Response.objects.exists()


def test_a_link_of_more_than_ninety_days_ago_has_expired(client, contact, thumb):
    long_ago = timezone.now() - timedelta(days=91)
    Contact.objects.update(from_at=long_ago, to_at=long_ago, sent_at=long_ago)
    assert press(client, address(contact, thumb)).status_code == 410
    assert not Response.objects.exists()


def test_after_an_erasure_the_link_is_nobodys(client, contact, thumb, noor):
    erase_customer(ids=[noor.pk], told=False, handled_by="1", now=timezone.now())
    assert press(client, address(contact, thumb)).status_code == 404


def test_a_press_from_another_site_is_not_stored(client, contact, thumb):
    where = address(contact, thumb)
    assert (
        client.post(where, {"v": "1"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    ("reason", "offered"), [("too_often", "less"), ("too_personal", "generic"), ("effort", "")]
)
def test_an_unhappy_reason_offers_what_lowers(client, contact, thumb, reason, offered):
    where = address(contact, thumb)
    press(client, where, "0")
    page = press(client, where, "0", reason=reason).content.decode()
    assert ('name="do"' in page) is bool(offered)
    if offered:
        assert f'name="do" value="{offered}"' in page


def test_one_press_means_less_and_never_more(client, contact, thumb, noor):
    where = address(contact, thumb)
    assert "hooguit één bericht per maand" in client.post(where, {"do": "less"}).content.decode()
    noor.refresh_from_db()
    assert noor.monthly_limit == 1
    for wanted in ("usual", "stop", "pause", "off", "more"):
        client.post(where, {"do": wanted})
    noor.refresh_from_db()
    assert (noor.monthly_limit, noor.paused_until) == (1, None)
    assert not ConsentState.objects.filter(customer=noor, state="withdrawn").exists()


def test_one_press_takes_back_what_is_personal_and_nothing_else(client, contact, thumb, noor):
    personal = known_purpose("personalisation")
    record(noor, purpose=personal, address=noor.email, wording=make_wording(purpose=personal))
    client.post(address(contact, thumb), {"do": "generic"})
    withdrawn = ConsentState.objects.filter(customer=noor, state="withdrawn")
    assert [one.purpose for one in withdrawn] == [personal]


def test_another_site_cannot_press_it(client, contact, thumb, noor):
    where = address(contact, thumb)
    client.post(where, {"do": "less"}, headers={"Sec-Fetch-Site": "cross-site"})
    noor.refresh_from_db()
    assert noor.monthly_limit is None


def test_the_hosted_question_of_a_newsletter_lowers_nothing(client, thumb):
    page = client.post(f"/v/{thumb.key}/", {"do": "less", "v": "0", "key": str(uuid4())})
    assert page.status_code == 200
    assert 'name="do"' not in page.content.decode()


def test_without_words_of_its_own_the_question_is_about_the_mail(client, contact, thumb):
    page = client.get(address(contact, thumb) + "?v=1").content.decode()
    assert "Had je iets aan deze mail?" in page
    own = make_touchpoint(scale="thumb", question_nl="Wat vond je van de tips?")
    page = client.get(address(contact, own) + "?v=1").content.decode()
    assert "Wat vond je van de tips?" in page
