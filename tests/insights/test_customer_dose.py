"""May we contact this customer now? The page says yes, later or no, and all of why."""

from datetime import timedelta

import pytest
from django.utils import translation

from customers.holds import hold_contacts
from customers.models import Contact, ContactStatus
from insights.customer_dose import dose_of
from tests.makers import (
    NOW,
    a_purchase,
    make_category,
    make_contact,
    make_customer,
    make_permitted,
    make_product,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def said(customer) -> dict:
    with translation.override("en"):
        dose = dose_of(customer, NOW)
    return {one.name: one for one in dose.answers}


def test_a_customer_who_may_be_contacted_gets_a_yes_without_reasons():
    answers = said(make_permitted())
    assert {one.answer for one in answers.values()} == {"yes"}
    assert all(one.reasons == [] and one.since == "" for one in answers.values())


def test_a_later_says_from_when_on_and_every_reason():
    noor = make_permitted()
    make_contact(noor, NOW - 2 * DAY, kind="ask_nps")
    make_contact(noor, NOW - DAY / 2)
    answers = said(noor)
    tips, question = answers["Tips and offers"], answers["A question for a score"]
    assert (tips.answer, tips.since) == ("later", "25 November 2026, 07:00")
    assert len(tips.reasons) == 1
    assert tips.reasons[0].startswith("Had 1 of 1 in 1 day")
    assert question.answer == "later"
    assert len(question.reasons) == 3
    assert any(one.startswith("The last one was less than 30 days ago") for one in question.reasons)


def test_a_no_is_said_in_the_words_of_the_ledger():
    answers = said(make_customer(email="noor@example.org"))
    assert {one.answer for one in answers.values()} == {"no"}
    assert answers["Tips and offers"].reasons == ["Never said yes."]


def test_a_complaint_stops_everything_until_it_is_lifted():
    noor = make_permitted()
    hold_contacts(customer=noor, reason="complaint", until=None, source="c:1", now=NOW)
    answers = said(noor)
    assert {one.answer for one in answers.values()} == {"no"}
    assert answers["A survey"].reasons == ["Left alone until somebody lifts it: Complaint."]


def test_it_says_of_what_type_somebody_is_and_why():
    noor = make_permitted(customer_type="one_time")
    stored(a_purchase(customer=noor, product=make_product(), purchased_at=NOW - 200 * DAY))
    with translation.override("en"):
        dose = dose_of(noor, NOW)
    assert (dose.type_name, dose.because) == ("One-time", "bought once, on 8 May 2026")


@pytest.mark.parametrize("number", [1, 3])
def test_contacts_that_count_are_listed_in_as_many_queries(number, django_assert_num_queries):
    noor = make_permitted()
    dose_of(noor, NOW)
    for n in range(number):
        make_contact(noor, NOW - n * DAY, category=make_category())
    make_contact(noor, NOW - 31 * DAY)
    released = {"status": ContactStatus.RELEASED, "sent_at": None}
    make_contact(noor, NOW, to_at=NOW + DAY, **released)
    with django_assert_num_queries(7):
        dose = dose_of(noor, NOW)
    assert dose.n == len(dose.contacts) == number
    assert Contact.objects.count() == number + 2
