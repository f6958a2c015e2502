"""Colleagues who approve, carry out and merge at the same moment, on both databases."""

from datetime import timedelta

import pytest

from customers.invalidations import Batch, approve, carry_out, propose
from customers.merging import Decision, MergeRefused, merge_customers, preview
from customers.models import ConsentEntry, ConsentState, CustomerMerge, Evidence, Invalidation
from customers.verification import verify_ledger
from customers.withdrawals import Means, withdraw
from insights.merges import ABOVE
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
    together,
)
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LATER = NOW + timedelta(hours=1)


def said_yes(*addresses: str):
    purpose = make_purpose()
    make_wording(purpose=purpose)
    people = [make_customer(email=address) for address in addresses]
    for customer in people:
        record(customer, purpose=purpose, address=customer.email, place="till")
    return purpose, people


@pytest.fixture(autouse=True)
def _no_batches_left(_emptied_afterwards):  # noqa: F811
    """Goes before the ledger does: what points into it."""
    yield
    Evidence.objects.all().delete()
    Invalidation.objects.all().delete()
    CustomerMerge.objects.all().delete()


def test_two_people_approve_at_once_and_it_is_approved_and_carried_out_once():
    said_yes("noor@example.org", "koen@example.org")
    row = propose(batch=Batch(place="till"), reason="Ticked.", colleague="7", now=NOW)
    done: list[bool] = []

    def approving(colleague: str):
        return lambda: done.append(approve(pk=row.pk, colleague=colleague, alone=False, now=LATER))

    together(*map(approving, "89"))
    assert sorted(done) == [False, True]
    row.refresh_from_db()
    together(*[lambda: carry_out(row, LATER)] * 3)
    assert ConsentEntry.objects.filter(state="invalidated").count() == 2
    row.refresh_from_db()
    assert row.entries == 2
    assert verify_ledger(LATER).finding is None


def test_a_withdrawal_during_a_merge_ends_as_a_no_on_both():
    purpose, (noor, same) = said_yes("noor@example.org", "n.oor@example.org")
    seal = preview(noor, same, above=ABOVE).seal
    decision = Decision(reason="Same.", colleague="7", seal=seal)
    refused: list[str] = []

    def merging(survivor, absorbed):
        def run() -> None:
            try:
                merge_customers(
                    survivor=survivor,
                    absorbed=absorbed,
                    decision=decision,
                    above=ABOVE,
                    now=LATER,
                )
            except MergeRefused as error:
                refused.append(error.code)

        return run

    means = Means(method="one_click_post")
    together(
        merging(noor, same),
        merging(noor, same),
        lambda: withdraw(customer=same, purpose=purpose, channel="email", means=means, now=LATER),
    )
    # Whatever came first, nothing may be sent to the one who took it back.
    if CustomerMerge.objects.exists():
        assert set(ConsentState.objects.values_list("state", flat=True)) == {"withdrawn"}
    else:
        assert refused == ["changed", "changed"]
        assert ConsentState.objects.get(customer=same).state == "withdrawn"
    assert verify_ledger(LATER).finding is None
