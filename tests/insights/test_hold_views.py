"""A colleague leaves a customer alone, and lifts that, on the customer's page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from customers.contact_queries import may_contact
from customers.erasure import erase_customer
from customers.holds import hold_contacts
from customers.models import AccessLog, ContactHold
from customers.plans import Plan
from insights.accounts import Role
from tests.insights.readers import sign_in, text
from tests.makers import make_permitted

pytestmark = pytest.mark.django_db

TIPS = Plan(channel="email", kind="promotion")


@pytest.fixture
def staff(client) -> Client:
    return sign_in(client, Role.CONSENT_ADMIN)


@pytest.fixture
def karim():
    return make_permitted(reference="K/7", name="Karim Voorbeeld")


def held(staff, **given):
    return staff.post("/customers/K/7/hold/", {"reason": "complaint", "until": ""} | given)


def codes(customer) -> list[str]:
    return [one.code for one in may_contact(customer, TIPS, timezone.now()).verdict.reasons]


def test_a_complaint_stops_everything_until_it_is_lifted_and_both_are_written_down(staff, karim):
    assert held(staff).status_code == 302
    page = text(staff.get("/customers/K/7/"))
    assert "Complaint since" in page
    assert (
        "until somebody lifts it, written down by Noor (Consent admin). Only service messages."
        in page
    )
    assert "HELD" in codes(karim)
    hold = karim.holds.get()
    colleague = f"colleague:{User.objects.get().pk}"
    assert (hold.reason, hold.until, hold.source) == ("complaint", None, colleague)
    staff.post(f"/customers/K/7/hold/{hold.pk}/lift/")
    hold.refresh_from_db()
    assert (hold.released_by, hold.released_at is None) == (colleague, False)
    assert "HELD" not in codes(karim)
    kinds = AccessLog.objects.filter(customer=karim).values_list("kind", flat=True)
    assert list(kinds).count("change") == 2


def test_a_wish_for_quiet_ends_on_its_day(staff, karim):
    day = timezone.localdate() + timedelta(days=9)
    held(staff, reason="wish", until=day.isoformat())
    hold = karim.holds.get()
    assert (hold.reason, timezone.localdate(hold.until)) == ("wish", day)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"until": "2020-01-01"}, "That day is over."),
        ({"until": "9999-12-31"}, "That is more than ten years ahead."),
        ({"until": "soon"}, "Enter a valid date."),
        ({"reason": "unhappy"}, "Select a valid choice."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_is_held(staff, karim, given, message):
    assert message in text(
        staff.post("/customers/K/7/hold/", {"reason": "wish", "until": ""} | given, follow=True)
    )
    assert not ContactHold.objects.exists()


def test_a_hold_of_somebody_else_is_not_found_there(staff, karim):
    other = make_permitted(reference="K-8")
    now = timezone.now()
    hold = hold_contacts(customer=other, reason="wish", until=None, source="c:1", now=now)
    assert staff.post(f"/customers/K/7/hold/{hold.pk}/lift/").status_code == 404
    hold.refresh_from_db()
    assert hold.released_at is None


def test_a_marketer_may_neither_hold_nor_lift(client, karim):
    marketer = sign_in(client, Role.MARKETER)
    now = timezone.now()
    hold = hold_contacts(customer=karim, reason="wish", until=None, source="c:1", now=now)
    assert held(marketer).status_code == 403
    assert marketer.post(f"/customers/K/7/hold/{hold.pk}/lift/").status_code == 403
    assert karim.holds.count() == 1


def test_looking_changes_nothing(staff, karim):
    assert staff.get("/customers/K/7/hold/").status_code in {404, 405}
    assert not ContactHold.objects.exists()


def test_each_hold_says_in_words_where_it_comes_from(staff, karim):
    now = timezone.now()
    held(staff)
    until = now + timedelta(days=30)
    given = {"customer": karim, "until": until, "now": now}
    hold_contacts(reason="unhappy", source="answer:7", **given)
    hold_contacts(reason="wish", source="colleague:999999", **given)
    hold_contacts(reason="wish", source="crm:12", **given)
    page = text(staff.get("/customers/K/7/"))
    assert "until somebody lifts it, written down by Noor (Consent admin). Only" in page
    assert "from an answer of theirs. Half the dose." in page
    assert "written down by a colleague who is no longer here. Only" in page
    assert "from another system. Only" in page
    assert "colleague:" not in page


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_takes_as_many_queries_however_many_holds(
    staff, karim, number, django_assert_num_queries
):
    now = timezone.now()
    for n in range(number):
        user = User.objects.create_user(f"kim{n}", first_name=f"Kim{n}")
        source = f"colleague:{user.pk}"
        hold_contacts(customer=karim, reason="wish", until=None, source=source, now=now)
    staff.get("/customers/K/7/")  # The policy is read once, and then kept.
    with django_assert_num_queries(33):
        page = text(staff.get("/customers/K/7/"))
    assert page.count("written down by Kim") == number


def test_nobody_writes_a_hold_down_about_an_erased_customer(staff, karim):
    erase_customer(ids=[karim.pk], told=False, handled_by="1", now=timezone.now())
    karim.refresh_from_db()
    where = f"/customers/{karim.reference}/hold/"
    page = text(staff.post(where, {"reason": "wish", "until": ""}, follow=True))
    assert "This customer was erased." in page
    assert not ContactHold.objects.exists()
