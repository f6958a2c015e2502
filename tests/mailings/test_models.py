"""What the database itself keeps true of mailings."""

import pytest

from feedback.models import Campaign
from mailings.models import Mailing
from tests.constraints import (
    Case,
    again,
    check_full_clean_refuses,
    check_the_database_refuses,
    check_valid_goes_in,
    rules_of,
)
from tests.makers import NOW, known_purpose

pytestmark = pytest.mark.django_db


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
