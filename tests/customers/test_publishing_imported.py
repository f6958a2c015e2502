"""Texts that others once asked: kept as proof beside ours, and never in their place."""

from datetime import timedelta

import pytest

from customers.models import Change, Wording
from customers.publishing import (
    Edition,
    NotEditorial,
    Promise,
    Unfit,
    publish,
    record_imported_text,
)
from customers.verification import verify_ledger
from customers.wordings import Texts
from tests.makers import NOW, make_purpose

pytestmark = pytest.mark.django_db

TEXT = "I would like to receive the newsletter of Lindehuis."


def edition(change: str = Change.EDITORIAL, times: int = 2) -> Edition:
    def texts(label: str, helper: str) -> Texts:
        return Texts(label, helper, "", "Lindehuis", "", "", "", "Afmelden / Stop.")

    return Edition(
        texts={
            "nl": texts("Ja, Lindehuis mag mij mailen.", f"Hooguit {times} keer per maand."),
            "en": texts("Yes, Lindehuis may mail me.", f"At most {times} times a month."),
        },
        promise=Promise(times, 30),
        change=change,
        approved_by="7",
    )


def imported(purpose, text: str = TEXT) -> Wording:
    return record_imported_text(
        purpose=purpose, text=text, first_given_at=NOW - timedelta(days=900), approved_by="7"
    )


def test_it_stands_below_ours_and_counts_for_what_is_done_now():
    purpose = make_purpose()
    ours = publish(purpose=purpose, edition=edition(), now=NOW)
    first, second = imported(purpose), imported(purpose, "Please mail me the newsletter.")
    assert (first.version, second.version) == (-1, -2)
    assert first.scope_hash == ours[0].scope_hash
    assert first.controller == "Lindehuis"
    assert purpose.wordings.order_by("-version").first().version == 1


def test_the_next_text_of_ours_follows_ours_and_not_an_imported_one():
    purpose = make_purpose()
    publish(purpose=purpose, edition=edition(), now=NOW)
    imported(purpose)
    with pytest.raises(NotEditorial):
        publish(purpose=purpose, edition=edition(times=4), now=NOW)
    again = publish(purpose=purpose, edition=edition(), now=NOW)
    assert {row.version for row in again} == {2}
    assert len(set(purpose.wordings.values_list("scope_hash", flat=True))) == 1
    changed = publish(purpose=purpose, edition=edition(Change.MATERIAL), now=NOW)
    assert {row.version for row in changed} == {3}
    assert imported(purpose, "Mail me, please, now and then.").scope_hash == changed[0].scope_hash


def test_a_purpose_that_says_nothing_of_what_it_does_takes_none():
    with pytest.raises(Wording.DoesNotExist):
        imported(make_purpose())


def test_a_text_that_asks_for_two_things_is_not_kept():
    purpose = make_purpose()
    publish(purpose=purpose, edition=edition(), now=NOW)
    with pytest.raises(Unfit, match="“partners” belongs to another purpose"):
        imported(purpose, "Mail me, and give my address to your partners.")
    assert not Wording.objects.filter(version__lt=0).exists()


def test_texts_of_both_kinds_verify():
    purpose = make_purpose()
    publish(purpose=purpose, edition=edition(), now=NOW)
    imported(purpose)
    assert verify_ledger(NOW).finding is None
