"""`may_contact`: the decision on one customer, as other people read it."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from customers.contact_queries import may_contact
from customers.decision_words import SENTENCES
from customers.decisions import decision_documents, iso_duration
from customers.dosing import Code
from customers.holds import hold_contacts
from customers.models import Contact, Decision
from customers.plans import Plan
from tests.makers import (
    NOW,
    a_purchase,
    make_category,
    make_contact,
    make_permitted,
    make_product,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# Neither at night nor on a holiday, and before the permission ends.
LATER = "2027-11-23T12:00:00+01:00"


def told(*arguments: str) -> dict:
    out = StringIO()
    call_command("may_contact", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_yes_says_of_what_type_somebody_is_and_what_agreed():
    noor = make_permitted(reference="K-7", customer_type="one_time")
    make_category(name="Phones", involvement="high", rated_at=NOW)
    stored(a_purchase(customer=noor, product=make_product(), purchased_at=NOW - 200 * DAY))
    found = told(
        "K-7", "--channel", "email", "--kind", "promotion", "--category", "phones", "--at", LATER
    )
    assert found["outcome"] == "ALLOW"
    assert found["reasons"] == []
    assert found["customer_type"] == {"value": "one_time", "because": "bought once, on 8 May 2026"}
    assert found["involvement"] == {"value": "high", "because": "Phones was rated so"}
    assert found["passed"][0] == "cell high · one_time · email · promotion"
    assert (found["policy_version"], found["purpose"]) == (1, "email_marketing")
    assert not Contact.objects.exists()
    assert not Decision.objects.exists()


def test_a_no_names_rule_scope_window_used_allowed_what_blocks_and_the_date():
    noor = make_permitted()
    cases = make_category(name="Phone cases", involvement="low", rated_at=NOW)
    blocking = [make_contact(noor, NOW - n * DAY, category=cases).pk for n in (22, 14)]
    plan = Plan(channel="email", kind="promotion", category=cases)
    [found] = decision_documents([may_contact(noor, plan, NOW)], NOW)
    assert (found["outcome"], found["next_allowed_at"]) == ("DEFER", "2026-12-02T12:00:00Z")
    assert found["reasons"] == [
        {
            "code": "CAP_REACHED",
            "rule": "cell low · regular · email · promotion",
            "detail": "",
            "scope": {
                "channel": "email",
                "kinds": ["promotion"],
                "category": "Phone cases",
                "purpose": None,
            },
            "window": "P30D",
            "unit": "count",
            "max": 2,
            "used": 2,
            "blocking": blocking,
            "frees_at": "2026-12-02T12:00:00Z",
            "sentence": "Had 2 of 2 in 30 days (promotion · E-mail · Phone cases).",
        }
    ]


def test_without_permission_the_sentence_is_that_of_the_ledger():
    make_permitted(reference="K-7")
    found = told("K-7", "--channel", "sms", "--kind", "promotion")
    assert found["outcome"] == "DENY"
    assert found["permission"]["allowed"] is False
    assert found["reasons"][0]["code"] == "NO_PERMISSION"
    assert found["reasons"][0]["sentence"] == found["permission"]["sentence"]


def test_the_sentences_are_english_whatever_the_reader_speaks():
    noor = make_permitted()
    hold_contacts(customer=noor, reason="complaint", until=None, source="c:1", now=NOW)
    plan = Plan(channel="email", kind="promotion")
    with translation.override("nl"):
        [found] = decision_documents([may_contact(noor, plan, NOW)], NOW)
    sentence = "Left alone until somebody lifts it: Complaint."
    assert found["reasons"][0]["sentence"] == sentence


def test_the_command_tells_people_too():
    make_permitted(reference="K-7")
    out = StringIO()
    call_command("may_contact", "K-7", "--channel=sms", "--kind=promotion", stdout=out)
    assert out.getvalue().startswith("K-7: DENY\n  NO_PERMISSION: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["K-8", "--kind=promotion"], "'K-8' is not a known customer"),
        (["K-7", "--kind=promotion", "--category=Boats"], "category 'Boats' is not known"),
        (["K-7", "--kind=promotion", "--purpose=tipps"], "purpose 'tipps' is not known"),
        (["K-7", "--kind=promotion", "--at=tomorrow"], "'tomorrow' is not a moment"),
        (["K-7", "--kind=promotion", "--at=0001-01-01"], "0001-01-01.* is over"),
        (["K-7", "--kind=promotion", "--at=9999-12-31T23:59+00:00"], "further away than 366"),
        (
            ["K-7", "--kind=promotion", "--purpose=service"],
            "does not permit promotion. Use one of: email_marketing",
        ),
        (["K-7", "--kind=spam"], "invalid choice: 'spam'"),
    ],
)
def test_what_is_not_known_is_refused_with_the_way_out(arguments, message):
    make_permitted(reference="K-7")
    with pytest.raises(CommandError, match=message):
        call_command("may_contact", *arguments, "--channel=email")


def test_each_code_has_a_sentence_of_its_own_kind():
    assert {"paused", "quiet", "holiday", "held", "gap", "ledger", "unknown"} <= set(SENTENCES)
    assert len(Code) == 10


def test_lengths_of_time_are_written_as_iso_8601_does():
    assert iso_duration(30 * DAY) == "P30D"
    assert iso_duration(timedelta(hours=36)) == "PT36H"
    assert iso_duration(None) is None
