"""Versions of the dose policy: published once, in turn, and only when they are sound."""

import pytest
from django.utils import translation

from customers.dose_documents import PolicyRefused, digest_of, document_of, policy_of
from customers.models import DosePolicy, PolicyDraft
from customers.policies import (
    StaleDraft,
    current_policy,
    drop_draft,
    publish_policy,
    save_draft,
    versions,
)
from customers.starting_policy import starting_policy
from tests.makers import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def changed(**given) -> dict:
    """The starting policy with a lower ceiling for regular customers."""
    document = document_of(starting_policy())
    for row in document["ceilings"]:
        if row["customer_type"] == "regular":
            row["limits"] = [{"most": 6, "hours": 720, "unit": "count"}]
    return document | given


def in_force() -> tuple[int, str]:
    """The number of the policy in force, and what it says."""
    policy = current_policy()
    return policy.version, digest_of(policy)


START = digest_of(starting_policy())


def publish(document, after=1):
    return publish_policy(document=document, author="Noor", note="Less.", now=NOW, after=after)


def test_a_new_shop_starts_with_the_policy_of_the_reference():
    assert in_force() == (1, START)
    assert DosePolicy.objects.get().digest == START


def test_what_is_published_is_in_force_and_the_one_before_stays():
    version = publish(changed())
    assert (version.version, version.author, version.note) == (2, "Noor", "Less.")
    assert in_force() == (2, digest_of(policy_of(changed(), 2)))
    assert [one.version for one in versions()] == [2, 1]
    # Going back is one more version.
    back = publish(document_of(starting_policy()), after=2)
    assert in_force() == (back.version, START) == (3, START)


def test_publishing_takes_the_draft_away_and_a_stale_one_is_refused():
    save_draft(document=changed(), note="", editor="Noor", now=NOW)
    publish(changed())
    assert not PolicyDraft.objects.exists()
    with pytest.raises(StaleDraft, match="Version 2 was published meanwhile"):
        publish(document_of(starting_policy()), after=1)
    assert len(versions()) == 2


def test_what_changes_nothing_is_no_version():
    with pytest.raises(PolicyRefused, match="it says the same as version 1"):
        publish(document_of(starting_policy()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"country": "XX"}, "country 'XX' has no holidays that are known"),
        ({"cells": []}, "no cell says anything about"),
        ({"celling": []}, "'celling' is not known; use version, note"),
        ({"cells": "none"}, "cells: 'none' is not a list"),
        ({"points": {"ad": -1}}, "points of ad: -1 is not possible"),
        (
            {"ceilings": [{"limits": [{"most": 1, "hours": 0}]}]},
            r"ceiling \* · \* · \*: a window of 0:00:00 is not possible",
        ),
        (
            {"ceilings": [{"limits": [{"most": -1, "hours": 24}]}]},
            "0 means never, leave the limit out for none",
        ),
        ({"ceilings": [{"gap_hours": 24 * 400}]}, "looks back further than contacts are kept"),
        (
            {"quiet": {"email": [{"weekday": 0, "from": "9", "until": "10:00"}]}},
            "'9' is not a time",
        ),
        (
            {
                "quiet": {
                    "email": [
                        {"weekday": 0, "from": "20:00", "until": "08:00"},
                        {"weekday": 1, "from": "07:00", "until": "09:00"},
                    ]
                }
            },
            "quiet hours of email overlap on Tue 07:00 until Tue 08:00",
        ),
    ],
    ids=lambda one: None if isinstance(one, dict) else one[:30],
)
def test_what_is_not_sound_is_refused_with_the_rule_and_the_way_out(given, message):
    for keep in (save_draft, publish_policy):
        document = changed(**given)
        more = {"editor": "Noor"} if keep is save_draft else {"author": "Noor", "after": 1}
        with pytest.raises(PolicyRefused, match=message):
            keep(document=document, note="", now=NOW, **more)
    assert in_force() == (1, START)
    assert not PolicyDraft.objects.exists()


def test_there_is_one_draft_and_the_newest_saving_wins():
    save_draft(document=changed(), note="a", editor="Noor", now=NOW)
    save_draft(document=changed(country=""), note="b", editor="Koen", now=NOW)
    draft = PolicyDraft.objects.get()
    assert (draft.edited_by, draft.note, draft.document["country"]) == ("Koen", "b", "")
    drop_draft()
    assert not PolicyDraft.objects.exists()


def test_a_document_says_the_same_whatever_the_order_of_its_rules():
    document = changed()
    turned = document | {"cells": document["cells"][::-1], "ceilings": document["ceilings"][::-1]}
    assert digest_of(policy_of(document, 1)) == digest_of(policy_of(turned, 9))
    assert document_of(policy_of(turned, 2)) == document
