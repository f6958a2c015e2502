"""An import of permissions while customers take theirs back, on both databases."""

from collections.abc import Iterator

import pytest
from django.db import connection

from customers import triggers
from customers.consent import Actor
from customers.models import ConsentEntry, ConsentState, Evidence, Wording
from customers.verification import verify_ledger
from customers.withdrawals import Means, withdraw
from tests.customers.test_consent_importer import HEAD, PROVEN, import_text
from tests.customers.test_ledger_together import together
from tests.makers import NOW, make_customer, make_purpose, make_wording

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db) -> Iterator[None]:
    yield
    triggers.remove(connection)
    for rows in (ConsentState, Evidence, ConsentEntry, Wording):
        rows.objects.all()._raw_delete("default")
    triggers.install(connection)


def test_who_takes_it_back_during_an_import_has_taken_it_back():
    tips = make_purpose(key="tips")
    make_wording(purpose=tips)
    people = [make_customer(reference=f"K{n}", email=f"k{n}@example.org") for n in range(60)]
    rows = HEAD + "".join(PROVEN.replace("K1,", f"{one.reference},") for one in reversed(people))

    def take_back(start: int) -> None:
        for one in people[start::3]:
            withdraw(
                customer=one, purpose=tips, channel="email", now=NOW,
                means=Means(method="one_click_post", actor=Actor.CUSTOMER),
            )  # fmt: skip

    together(
        lambda: import_text(rows),
        lambda: import_text(rows),
        lambda: take_back(0),
        lambda: take_back(1),
    )
    states = ConsentState.objects.order_by("customer_id").values_list("state", flat=True)
    assert [*states] == ["withdrawn", "withdrawn", "given"] * 20
    assert ConsentEntry.objects.filter(state="given").values("customer").distinct().count() >= 20
    assert verify_ledger(NOW).finding is None
