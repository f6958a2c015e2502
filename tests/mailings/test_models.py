"""What the database itself keeps true of mailings."""

from uuid import UUID, uuid4

import pytest

from customers.models import Contact, Customer
from feedback.models import Campaign
from mailings.models import Delivery, Mailing, MailPicture, MailText
from tests.constraints import (
    Case,
    again,
    check_full_clean_refuses,
    check_the_database_refuses,
    check_valid_goes_in,
    rules_of,
)
from tests.makers import NOW, known_purpose, make_contact, make_customer

pytestmark = pytest.mark.django_db

KEY = UUID(int=7)


def a_mailing(**given) -> Mailing:
    usual = {
        "name": "Winter",
        "kind": "promotion",
        "purpose": known_purpose("email_marketing"),
        "planned_at": NOW,
        "created_at": NOW,
    }
    return Mailing(**usual | given)


def of_a_campaign(name: str) -> Mailing:
    campaign, _ = Campaign.objects.get_or_create(key="a", name="Spring", created_at=NOW)
    return a_mailing(name=name, campaign=campaign)


def second_of_one_campaign() -> Mailing:
    of_a_campaign("Winter").save()
    return of_a_campaign("Spring")


def the_mailing() -> Mailing:
    found = Mailing.objects.filter(name="Winter").first()
    if found is None:
        found = a_mailing()
        found.save()
    return found


def a_text(**given) -> MailText:
    usual = {"mailing": the_mailing(), "language": "nl", "subject": "Winter", "body": "Dag"}
    return MailText(**usual | given)


def a_picture(**given) -> MailPicture:
    usual = {"name": "a.png", "content_type": "image/png", "width": 1, "height": 1, "data": b"x"}
    return MailPicture(**usual | {"mailing": the_mailing()} | given)


def a_delivery(**given) -> Delivery:
    usual = {"mailing": the_mailing(), "key": KEY, "due_at": NOW}
    return Delivery(**usual | {"customer": the_customer()} | given)


def the_customer() -> Customer:
    return Customer.objects.filter(reference="K1").first() or make_customer(reference="K1")


def left_out() -> Delivery:
    return a_delivery(status="cancelled", finished_at=NOW)


def with_a_contact(**given) -> Delivery:
    customer = the_customer()
    contact = Contact.objects.first() or make_contact(customer=customer)
    return a_delivery(contact=contact, status="sent", finished_at=NOW, **given)


def second_with_that_contact() -> Delivery:
    with_a_contact().save()
    return with_a_contact(key=uuid4())


def second_under_way() -> Delivery:
    a_delivery().save()
    return a_delivery(key=uuid4())


CASES = [
    Case("mailing.name", a_mailing, lambda: again(a_mailing)),
    Case("mailing.campaign", lambda: of_a_campaign("Winter"), second_of_one_campaign),
    Case("mailing_name_not_empty", a_mailing, lambda: a_mailing(name="")),
    Case(
        "mailing_status_known",
        lambda: a_mailing(status="ready"),
        lambda: a_mailing(status="lost"),
    ),
    Case(
        "mailing_kind_for_many",
        lambda: a_mailing(kind="ask_nps"),
        lambda: a_mailing(kind="service"),
    ),
]
CASES += [
    Case(
        "mailing_status_of_its_means",
        lambda: a_mailing(means="here", status="sending"),
        lambda: a_mailing(means="list", status="sending"),
    ),
    Case(
        "mailing_paused_by_somebody",
        lambda: a_mailing(means="here", status="paused", paused_by="errors"),
        lambda: a_mailing(means="here", status="paused"),
    ),
    Case("mailing_asks_somebody", lambda: a_mailing(most=1), lambda: a_mailing(enough=0)),
    Case("mailing_guess_of_hundred", lambda: a_mailing(guess=100), lambda: a_mailing(guess=101)),
    Case(
        "mailing_generic_of_hundred",
        lambda: a_mailing(generic_percent=0),
        lambda: a_mailing(generic_percent=101),
    ),
    Case("delivery_group_known", a_delivery, lambda: a_delivery(group="third")),
    Case("mailtext_once", a_text, lambda: again(a_text)),
    Case("mailtext_says_something", a_text, lambda: a_text(body="")),
    Case("mailpicture_once", a_picture, lambda: again(a_picture)),
    Case("mailpicture_typed", a_picture, lambda: a_picture(content_type="image/svg+xml")),
    Case("delivery.key", left_out, lambda: again(left_out)),
    Case("delivery.contact", with_a_contact, second_with_that_contact),
    Case("delivery_once_under_way", a_delivery, second_under_way),
    Case("delivery_with_a_contact", with_a_contact, lambda: a_delivery(status="claimed")),
    Case("delivery_finished_or_not", a_delivery, lambda: a_delivery(finished_at=NOW)),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def test_every_rule_has_a_case():
    assert {case.rule for case in CASES} == rules_of("mailings")


@each_case
def test_what_is_valid_goes_in(case):
    check_valid_goes_in(case)


@each_case
def test_full_clean_refuses_what_is_not(case):
    check_full_clean_refuses(case)


@each_case
def test_the_database_refuses_what_is_not(case):
    check_the_database_refuses(case)
