"""Writing who the customers are and what they bought."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeVar

from django.db import connection, transaction
from django.db.models import Model

from customers import queries
from customers.addresses import address_hashes
from customers.cells import folded
from customers.lifecycle import Labelled, settle
from customers.models import (
    Category,
    Customer,
    Product,
    Purchase,
    Suppression,
    SuppressionReason,
)
from customers.suppressions import Stop, suppress

# What stops one address and says nothing of the next: it is not there, or it was of somebody else,
# who was erased. Nobody gets such a stop onto an address by saying that it is theirs.
OF_ONE_ADDRESS = frozenset({SuppressionReason.BOUNCE, SuppressionReason.ERASURE})

ROWS_PER_INSERT = 1_000
ROWS_PER_UPDATE = 500

Row = TypeVar("Row", bound=Model)


def insert_rows(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], ending: str = ""
) -> list[tuple[Any, ...]]:
    """Insert plain rows; returns what the ending of the statement asks for.

    For many rows at once, which through model instances take several times as long. The caller
    knows that their values are what the fields take.
    """
    names = ", ".join(map(connection.ops.quote_name, columns))
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_INSERT):
            source, parameters = _source(table, columns, rows[start : start + ROWS_PER_INSERT])
            cursor.execute(f"INSERT INTO {table} ({names}) {source} {ending}", parameters)
            found += cursor.fetchall() if ending else ()
    return found


def _source(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[str, list[Any]]:
    """Return the part of the statement that holds the rows, with its parameters.

    Many rows go to PostgreSQL as one JSON text: looking for thousands of placeholders takes its
    driver longer than the insert.
    """
    if connection.vendor == "postgresql" and len(rows) > 1:
        names = ", ".join(map(connection.ops.quote_name, columns))
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        return (
            f"SELECT {names} FROM json_populate_recordset(NULL::{table}, %s)",  # noqa: S608
            [json.dumps(records, default=str)],
        )
    adapters = _adapters()
    one = f"({', '.join(['%s'] * len(columns))})"
    return f"VALUES {', '.join([one] * len(rows))}", [
        adapters[type(value)](value) if type(value) in adapters else value
        for row in rows
        for value in row
    ]


def _adapters() -> dict[type, Callable[[Any], Any]]:
    """Return what makes a value of a type one that the database takes; others are taken as is."""
    adapt = connection.ops
    return {
        datetime: adapt.adapt_datetimefield_value,
        date: adapt.adapt_datefield_value,
        Decimal: partial(adapt.adapt_decimalfield_value, max_digits=14, decimal_places=4),
    }


def insert_new(rows: Iterable[Row]) -> list[Row]:
    """Store new rows and give them their ids, like bulk_create in a fraction of the time.

    For models whose fields are stored as they are.
    """
    new = list(rows)
    if not new:
        return new
    meta = new[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    values = [[getattr(row, field.attname) for field in fields] for row in new]
    columns = [str(field.column) for field in fields]
    with transaction.atomic():
        ids = insert_rows(meta.db_table, columns, values, f"RETURNING {meta.pk.column}")
    for row, (pk,) in zip(new, ids, strict=True):
        row.pk, row._state.adding, row._state.db = pk, False, connection.alias
    return new


def add_categories(categories: Iterable[Category]) -> list[Category]:
    """Store new categories; returns them with their ids."""
    return Category.objects.bulk_create(categories, batch_size=ROWS_PER_INSERT)


def add_products(products: Iterable[Product]) -> list[Product]:
    """Store new products; returns them with their ids."""
    return Product.objects.bulk_create(products, batch_size=ROWS_PER_INSERT)


def add_customers(customers: Iterable[Customer]) -> list[Customer]:
    """Store new customers; returns them with their ids."""
    new = list(customers)
    for customer in new:
        customer.keep_hashes()
    return insert_new(new)


class NewPurchase(NamedTuple):
    """A line of an order to be stored; the fields are columns of models.Purchase."""

    customer_id: int
    product_id: int
    purchased_at: datetime
    quantity: int
    price: Decimal | None
    order: str
    contract_until: date | None
    key: str


def add_purchases(purchases: Sequence[NewPurchase]) -> set[str]:
    """Store the purchases whose keys are new, and return these keys.

    The statement says which keys were new whoever else is importing.
    """
    ending = "ON CONFLICT (key) DO NOTHING RETURNING key"
    new = insert_rows(Purchase._meta.db_table, NewPurchase._fields, purchases, ending)
    return {key for (key,) in new}


def update_customers(customers: Iterable[Customer]) -> None:
    """Store what an import may change of customers."""
    changed = list(customers)
    for customer in changed:
        customer.keep_hashes()
    Customer.objects.bulk_update(
        changed,
        ["email", "address_hash", "older_hash", "name", "language", "time_zone", "created_at"],
        batch_size=ROWS_PER_UPDATE,
    )


def change_address(*, customer: Customer, email: str, now: datetime) -> bool:
    """Give a customer another address and return whether it is another one.

    What was permitted stays with the old address, and the new one is not confirmed. What stops
    the old address stops the new one too.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        before = locked.email
        if before == email:
            return False
        locked.email = email
        locked.keep_hashes()
        # Of the same address in other letters, the confirmation holds.
        locked.verified_hash = locked.verified_hash if locked.is_verified else ""
        locked.save(update_fields=["email", "address_hash", "older_hash", "verified_hash"])
        for row in Suppression.objects.filter(address_hash__in=address_hashes(before)):
            stop = Stop(
                reason=SuppressionReason(row.reason),
                everything=row.everything,
                review_at=row.review_at,
            )
            if row.reason not in OF_ONE_ADDRESS:
                suppress(hashes=address_hashes(email), stop=stop, now=now)
    customer.refresh_from_db()
    return True


def rehash_addresses() -> int:
    """Bring the hashes of all addresses in line with ADDRESS_KEYS; return how many changed.

    Run it when a new key came first. Until then customers are not found by their address, and what
    they permit under the newer key does not count.
    """
    changed, last = 0, 0
    while batch := list(
        Customer.objects.filter(pk__gt=last).exclude(email="").order_by("pk")[:ROWS_PER_UPDATE]
    ):
        last = batch[-1].pk
        before = [(one.address_hash, one.older_hash) for one in batch]
        for customer in batch:
            customer.keep_hashes()
        moved = [
            customer
            for customer, hashes in zip(batch, before, strict=True)
            if (customer.address_hash, customer.older_hash) != hashes
        ]
        Customer.objects.bulk_update(moved, ["address_hash", "older_hash"])
        changed += len(moved)
    return changed


def update_products(products: Iterable[Product]) -> None:
    """Store what an import may change of products."""
    Product.objects.bulk_update(list(products), ["name", "category"], batch_size=ROWS_PER_UPDATE)


def ensure_categories(names: Iterable[str]) -> dict[str, Category]:
    """Return the categories with these names by folded name, made where they were missing."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(folded(name), name)
    known = queries.categories_by_name(wanted.values())
    new = [Category(name=name) for key, name in wanted.items() if key not in known]
    return known | {category.name_folded: category for category in add_categories(new)}


def ensure_customers(since: Mapping[str, datetime]) -> dict[str, Customer]:
    """Return the customers with these references, made where they were missing.

    `since` says since when each of them is a customer, for the new ones.
    """
    known = queries.customers_by_reference(since)
    new = [
        Customer(reference=reference, created_at=at)
        for reference, at in since.items()
        if reference not in known
    ]
    return known | {customer.reference: customer for customer in add_customers(new)}


def ensure_products(wanted: Iterable[Product]) -> dict[str, Product]:
    """Return the products with these codes by folded code, made where they were missing.

    Of two with one code the first is made; one that is stored already stays as it is.
    """
    first: dict[str, Product] = {}
    for product in wanted:
        first.setdefault(folded(product.sku), product)
    known = queries.products_by_code(first)
    new = [product for code, product in first.items() if code not in known]
    return known | {product.sku_folded: product for product in add_products(new)}


def label_customers(today: date) -> int:
    """Bring every customer's stored type up to date; return how many changed.

    Upgrades at once, downgrades after seven days (lifecycle.settle). Run nightly; running it twice
    on one day changes nothing the second time.
    """
    changed = 0
    for batch in queries.labelled_customers(today):
        with transaction.atomic():
            changed += _store_labels(batch, today)
    return changed


def _store_labels(batch: Sequence[tuple[Customer, Labelled]], today: date) -> int:
    moved = []
    for customer, labelled in batch:
        before = (customer.customer_type, customer.lower_type_since)
        after = settle(before[0], labelled.type, before[1], today)
        if after != before:
            customer.customer_type, customer.lower_type_since = after
            moved.append(customer)
    Customer.objects.bulk_update(
        moved, ["customer_type", "lower_type_since"], batch_size=ROWS_PER_UPDATE
    )
    return len(moved)
