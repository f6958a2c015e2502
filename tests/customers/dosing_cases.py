"""Rows of the dose and its neighbours that keep each rule of the database, or break it."""

from datetime import timedelta

from customers.models import (
    Contact,
    ContactHold,
    ContactStatus,
    DosePolicy,
    DoseRule,
    PolicyDraft,
)
from tests.constraints import Case, again
from tests.makers import NOW, a_category, make_category, make_customer, stored

LATER = NOW + timedelta(hours=6)


def a_policy(**given) -> DosePolicy:
    return DosePolicy(
        **{"version": 70, "published_at": NOW, "digest": "d" * 64, "settings": {"country": "NL"}}
        | given
    )


def a_cell(**given) -> DoseRule:
    policy = given.pop("policy", None) or stored(a_policy())
    return DoseRule(**{"policy": policy, "is_ceiling": False, "per": "category"} | given)


def a_ceiling(**given) -> DoseRule:
    return a_cell(**{"is_ceiling": True, "per": ""} | given)


def second_cell() -> DoseRule:
    policy = stored(a_policy())
    return again(lambda: a_cell(policy=policy, channel="email"))


def a_contact(**given) -> Contact:
    usual = {
        "request_id": "mailing:7:1",
        "digest": "d" * 64,
        "channel": "email",
        "kind": "promotion",
        "points": 1,
        "from_at": NOW,
        "to_at": LATER,
        "reserved_at": NOW,
        "status": ContactStatus.RESERVED,
        "customer_type": "regular",
        "involvement": "low",
        "source": "mailing:7",
    }
    if "customer" not in given:
        given["customer"] = make_customer()
    return Contact(**usual | given)


def sent(**given) -> Contact:
    return a_contact(**{"status": ContactStatus.SENT, "sent_at": NOW, "to_at": NOW} | given)


def a_hold(**given) -> ContactHold:
    usual = {"reason": "complaint", "created_at": NOW, "source": "colleague:7"}
    if "customer" not in given:
        given["customer"] = make_customer()
    return ContactHold(**usual | given)


def second_hold(**given) -> ContactHold:
    customer = make_customer()
    a_hold(customer=customer, **given).save()
    return a_hold(customer=customer)


def rated(importance: int, risk: int | None, interest: int | None, **given):
    scores = {"importance": importance, "risk": risk, "interest": interest}
    return a_category(**scores, **given)


def its_own_parent():
    category = make_category()
    category.parent = category
    category._state.adding = True
    return category


CASES = [
    Case("category_rated_on_all_three", lambda: rated(1, 7, 4), lambda: rated(1, 7, None)),
    Case("category_rated_on_all_three", lambda: rated(7, 7, 7), lambda: rated(8, 7, 4)),
    Case(
        "category_not_its_own_parent",
        lambda: a_category(parent=make_category()),
        its_own_parent,
    ),
    Case("dosepolicy_numbered", a_policy, lambda: a_policy(version=0)),
    Case("dosepolicy_sealed", a_policy, lambda: a_policy(digest="")),
    Case("dosepolicy.version", a_policy, lambda: again(a_policy)),
    Case("doserule_one_for_each", a_cell, second_cell),
    Case(
        "doserule_involvement_known",
        lambda: a_cell(involvement="high"),
        lambda: a_cell(involvement="huge"),
    ),
    Case(
        "doserule_type_known",
        lambda: a_cell(customer_type="lapsed"),
        lambda: a_cell(customer_type="rich"),
    ),
    Case("doserule_channel_known", lambda: a_cell(channel="sms"), lambda: a_cell(channel="fax")),
    Case(
        "doserule_cell_of_one_kind",
        lambda: a_ceiling(kinds="ad,promotion"),
        lambda: a_cell(kinds="ad,promotion"),
    ),
    Case("doserule_ceiling_of_a_person", a_ceiling, lambda: a_ceiling(involvement="low")),
    Case("doserule_gap_of_an_hour", lambda: a_cell(gap_hours=1), lambda: a_cell(gap_hours=0)),
    Case(
        "policydraft_only_one",
        lambda: PolicyDraft(document={"cells": []}, edited_by="N", edited_at=NOW),
        lambda: PolicyDraft(id=2, document={"cells": []}, edited_by="N", edited_at=NOW),
    ),
    Case(
        "contact.request_id",
        a_contact,
        lambda: again(lambda: a_contact(customer=make_customer())),
    ),
    Case("contact_channel_known", a_contact, lambda: a_contact(channel="pigeon")),
    Case("contact_kind_known", a_contact, lambda: a_contact(kind="spam")),
    Case("contact_status_known", a_contact, lambda: a_contact(status="lost")),
    Case("contact_type_known", a_contact, lambda: a_contact(customer_type="rich")),
    Case("contact_involvement_known", a_contact, lambda: a_contact(involvement="")),
    Case("contact_of_a_request", a_contact, lambda: a_contact(request_id="")),
    Case("contact_of_a_source", a_contact, lambda: a_contact(source="")),
    Case("contact_in_order", a_contact, lambda: a_contact(from_at=LATER, to_at=NOW)),
    Case("contact_sent_at_a_moment", sent, lambda: sent(sent_at=None)),
    Case("contact_sent_at_a_moment", sent, lambda: sent(to_at=LATER)),
    Case("contact_not_sent_has_no_moment", a_contact, lambda: a_contact(sent_at=NOW)),
    Case("contacthold_reason_known", a_hold, lambda: a_hold(reason="mood")),
    Case(
        "contacthold_unhappy_ends",
        lambda: a_hold(reason="unhappy", until=LATER),
        lambda: a_hold(reason="unhappy"),
    ),
    Case("contacthold_lasts", lambda: a_hold(until=LATER), lambda: a_hold(until=NOW)),
    Case("contacthold_of_a_source", a_hold, lambda: a_hold(source="")),
    Case(
        "contacthold_one_for_each_source",
        lambda: second_hold(released_at=NOW),
        second_hold,
    ),
]
