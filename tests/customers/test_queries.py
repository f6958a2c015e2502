"""Customer types over stored purchases: what counts, as of when, and why."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from customers import queries, services
from customers.lifecycle import FALLBACK_P80, Clocks
from customers.mapping import row_key
from customers.models import Customer, CustomerType, Product
from customers.services import NewPurchase

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def make_customer(reference: str = "C1", **given: Any) -> Customer:
    return Customer.objects.create(**{"reference": reference, "created_at": NOW, **given})


def buy(customer: Customer, *moments: datetime, **given: Any) -> None:
    product, _ = Product.objects.get_or_create(sku="P1")
    facts = {"quantity": 1, "price": Decimal("5"), "order": "", "contract_until": None, **given}
    services.add_purchases(
        [
            NewPurchase(
                customer_id=customer.pk,
                product_id=product.pk,
                purchased_at=at,
                key=row_key([str(customer.pk), str(at), str(facts)], 0),
                **facts,
            )
            for at in moments
        ]
    )


def on(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def kind(reference: str, at: date = TODAY) -> str:
    return queries.labelled_customer(reference, at).type


def days_ago(days: int) -> datetime:
    return on(TODAY - timedelta(days=days))


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        pytest.param({}, True, id="a purchase"),
        pytest.param({"price": None}, True, id="a price that is not known"),
        pytest.param({"quantity": -1}, False, id="a return"),
        pytest.param({"price": Decimal(0)}, False, id="a price of nothing"),
        pytest.param({"price": Decimal("-3")}, False, id="a price below nothing"),
    ],
)
def test_what_makes_a_purchase_day(given: dict[str, Any], counts: bool) -> None:
    buy(make_customer(), days_ago(10), **given)
    assert kind("C1") == ("one_time" if counts else "prospect")


def test_two_purchases_on_one_local_day_are_one_purchase_day() -> None:
    # 22:30 and 23:30 UTC on 2 June are 00:30 and 01:30 on 3 June in Amsterdam.
    customer = make_customer()
    buy(customer, datetime(2026, 6, 2, 22, 30, tzinfo=UTC), on(date(2026, 6, 3)))
    assert queries.histories(TODAY, [customer.pk])[customer.pk].days == [date(2026, 6, 3)]


def test_only_what_came_before_the_start_of_the_day_counts() -> None:
    buy(make_customer(), on(date(2026, 5, 3)))
    assert kind("C1", date(2026, 5, 3)) == "prospect"
    assert kind("C1", date(2026, 5, 4)) == "one_time"


def test_a_contract_counts_from_its_purchase_to_its_last_day() -> None:
    customer = make_customer()
    buy(customer, on(date(2026, 1, 5)), price=Decimal(0), contract_until=date(2026, 6, 30))
    assert kind("C1", date(2026, 1, 5)) == "prospect"
    assert kind("C1", date(2026, 1, 6)) == "contract"
    assert kind("C1", date(2026, 6, 30)) == "contract"
    assert kind("C1", date(2026, 7, 1)) == "prospect"


def test_a_returned_contract_is_none() -> None:
    buy(make_customer(), days_ago(9), quantity=-1, contract_until=TODAY + timedelta(days=90))
    assert kind("C1") == "prospect"


def test_clocks_are_pooled_over_all_customers() -> None:
    for number in range(30):
        buy(make_customer(f"C{number}"), days_ago(60), days_ago(40), days_ago(20))
    measured = queries.clocks(TODAY)
    assert (measured.interval, measured.p80) == (20.0, 20.0)
    # 30 first gaps are fewer than 50, so this clock is the fallback.
    assert measured.p80_first == FALLBACK_P80
    assert measured == Clocks(20.0, 20.0, FALLBACK_P80, True, False)


def test_all_customers_but_the_erased_are_labelled_in_batches(monkeypatch) -> None:
    monkeypatch.setattr(queries, "CUSTOMER_BATCH", 2)
    for number in range(5):
        customer = make_customer(f"C{number}")
        buy(customer, *[days_ago(10 * times) for times in range(1, number + 1)])
    make_customer("gone", erased_at=NOW)
    labelled = [pair for batch in queries.labelled_customers(TODAY) for pair in batch]
    assert {customer.reference: label.type for customer, label in labelled} == {
        "C0": "prospect",
        "C1": "one_time",
        "C2": "occasional",
        "C3": "regular",
        "C4": "regular",
    }


def test_types_on_past_days_are_those_of_the_day() -> None:
    customer = make_customer()
    buy(customer, on(date(2026, 1, 10)), on(date(2026, 3, 1)), on(date(2026, 5, 1)))
    moments = {(customer.pk, date(2026, month, 2)) for month in (1, 2, 4, 6)}
    assert queries.types_on(moments, queries.clocks(TODAY)) == {
        (customer.pk, date(2026, 1, 2)): "prospect",
        (customer.pk, date(2026, 2, 2)): "one_time",
        (customer.pk, date(2026, 4, 2)): "occasional",
        (customer.pk, date(2026, 6, 2)): "regular",
    }


def test_nobody_asks_for_no_types(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert queries.types_on(set(), Clocks(90, 365, 365)) == {}


@pytest.mark.parametrize("customers", [1, 3])
def test_labelling_takes_the_same_queries_for_one_customer_and_for_three(
    customers: int, django_assert_num_queries
) -> None:
    for number in range(customers):
        buy(make_customer(f"C{number}"), days_ago(10))
    # The clocks; one batch with its days and its contracts; and a look for a next batch.
    with django_assert_num_queries(5):
        assert sum(len(batch) for batch in queries.labelled_customers(TODAY)) == customers


# -- The stored label -----------------------------------------------------------------------------


def test_the_stored_label_rises_at_once_and_falls_after_seven_days() -> None:
    customer = make_customer()
    buy(customer, days_ago(10))
    assert services.label_customers(TODAY) == 1
    customer.refresh_from_db()
    assert customer.customer_type == "one_time"

    # Lapsed after 365 days, as too few returns are known to say otherwise.
    first = TODAY + timedelta(days=356)
    for later in range(7):
        services.label_customers(first + timedelta(days=later))
        customer.refresh_from_db()
        assert customer.customer_type == "one_time"
        assert customer.lower_type_since == first
    services.label_customers(first + timedelta(days=7))
    customer.refresh_from_db()
    assert (customer.customer_type, customer.lower_type_since) == ("lapsed", None)


def test_labelling_twice_changes_nothing_the_second_time() -> None:
    buy(make_customer(), days_ago(10))
    assert services.label_customers(TODAY) == 1
    assert services.label_customers(TODAY) == 0


# -- The command ----------------------------------------------------------------------------------


def document(**options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("customer_types", json=True, stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_counts_all_six_types() -> None:
    make_customer("C0")
    buy(make_customer("C1"), days_ago(10))
    assert document(at=TODAY) == {
        "at": "2026-11-24",
        "counts": {
            "contract": 0,
            "regular": 0,
            "occasional": 0,
            "one_time": 1,
            "prospect": 1,
            "lapsed": 0,
        },
    }
    assert list(document(at=TODAY)["counts"]) == CustomerType.values


def test_the_command_explains_one_customer() -> None:
    buy(make_customer("C1"), on(date(2026, 5, 3)))
    assert document(at=TODAY, customer="C1") == {
        "at": "2026-11-24",
        "customer": "C1",
        "type": "one_time",
        "reason": "bought once, on 3 May",
    }
    assert document(at=date(2027, 1, 2), customer="C1")["reason"] == "bought once, on 3 May 2026"


def test_a_customer_nobody_knows_is_named() -> None:
    with pytest.raises(CommandError, match="'C9' is not a known customer"):
        document(at=TODAY, customer="C9")


def test_an_erased_customer_has_no_type() -> None:
    make_customer("gone", erased_at=NOW)
    with pytest.raises(CommandError, match="'gone' is not a known customer"):
        document(at=TODAY, customer="gone")
