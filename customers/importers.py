"""The kinds of rows about customers: who they are, what is sold, what was bought."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar

from django.db.models import Model

from customers import cells, queries, services
from customers.categories import BY_IMPORT, BY_PROPOSAL, set_level
from customers.imports import Fields, Importer, Options, Outcome, Refused
from customers.mapping import Mapping as FieldMapping
from customers.models import Category, Customer, Involvement, Product
from customers.services import NewPurchase

Row = TypeVar("Row", bound=Model)

# What the columns of models.Purchase hold.
LARGEST_QUANTITY = 2**31 - 1
LARGEST_PRICE = Decimal(10**10)
PRICE_DECIMALS = 4

# nl, en-GB: a language and perhaps a region (BCP 47), as far as mails need it.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?")


def unknown(field: str, key: str, what: str) -> Refused:
    """Return the refusal of a row that points to something that is not there."""
    return Refused(
        field,
        f"{cells.shown(key)} is not a known {what}; correct it, or import with --create-missing",
    )


def erased(field: str, reference: str) -> Refused:
    """Return the refusal of a row about somebody who was erased."""
    return Refused(
        field,
        f"the customer {cells.shown(reference)} was erased, and an import does not bring anybody "
        "back; leave the row out",
    )


def merged(field: str, reference: str, survivor: str) -> Refused:
    """Return the refusal of a row that would fill a record again that was merged."""
    return Refused(
        field,
        f"the customer {cells.shown(reference)} was merged into {cells.shown(survivor)}; give the "
        "row that reference, or leave it out",
    )


def erased_address(address: str) -> Refused:
    """Return the refusal of a row that would bring back the address of somebody erased."""
    return Refused(
        "email",
        f"the address {cells.shown(address)} belonged to somebody who was erased, and an import "
        "does not bring anybody back; leave the row out",
    )


def language(cell: str) -> str:
    """A language code such as nl or en-GB, in lower case."""
    if not _LANGUAGE.fullmatch(cell):
        raise cells.CellError(f"{cells.shown(cell)} is not a language code; write nl, en or en-GB")
    return cell.lower()


def quantity(cell: str) -> int:
    """How many were bought; below 0 for a return."""
    number = cells.integer(cell)
    if number == 0:
        raise cells.CellError("'0' pieces are no purchase and no return; leave the row out")
    if abs(number) > LARGEST_QUANTITY:
        raise cells.CellError(
            f"{cells.shown(cell)} is too large, at most {LARGEST_QUANTITY:,} fit; correct it"
        )
    return number


def price(cell: str) -> Decimal:
    """The price of one, with at most four decimals."""
    number = cells.decimal(cell)
    if abs(number) >= LARGEST_PRICE:
        raise cells.CellError(
            f"{cells.shown(cell)} is too large, it must stay below {LARGEST_PRICE:,}; correct it"
        )
    if number != round(number, PRICE_DECIMALS):
        raise cells.CellError(f"{cells.shown(cell)} has more than four decimals; round it")
    return number


# -- Customers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer with what the row says of them; empty cells are left out."""

    reference: str
    facts: dict[str, Any]


class CustomerImporter(Importer):
    kind = "customers"
    fields = ("reference", "email", "name", "language", "time_zone", "created_at")
    required = ("reference",)

    def parse(self, fields: Fields) -> CustomerRow:
        moment = partial(cells.moment, zone=self.options.zone)
        facts = {
            "email": fields.get("email", cells.email),
            "name": fields.text("name", 200),
            "language": fields.get("language", language),
            "time_zone": fields.get("time_zone", cells.time_zone),
            "created_at": fields.get("created_at", moment),
        }
        return CustomerRow(
            reference=fields.need("reference", partial(cells.text, max_length=100)),
            facts={name: value for name, value in facts.items() if value},
        )

    def store(self, records: Sequence[CustomerRow]) -> list[Outcome | Refused]:
        batch = Batch(queries.customers_by_reference(row.reference for row in records))
        gone = queries.erased_addresses(
            row.facts["email"] for row in records if "email" in row.facts
        )
        became = queries.survivors(one.pk for one in batch.known.values())
        outcomes = [
            self._refusal(row, batch, gone, became) or self._take_in(row, batch) for row in records
        ]
        services.add_customers(batch.new.values())
        services.update_customers(batch.changed.values())
        return outcomes

    def _take_in(self, row: CustomerRow, batch: "Batch[Customer]") -> Outcome | Refused:
        known = batch.known.get(row.reference)
        if known is None:
            facts = {"created_at": self.options.now, **row.facts}
            return batch.add(row.reference, Customer(reference=row.reference, **facts))
        return batch.change(row.reference, row.facts)

    def _refusal(
        self,
        row: CustomerRow,
        batch: "Batch[Customer]",
        gone: set[str],
        became: Mapping[int, Customer],
    ) -> Refused | None:
        known = batch.known.get(row.reference)
        if known is not None and known.erased_at is not None:
            return erased("reference", row.reference)
        if known is not None and known.pk in became:
            return merged("reference", row.reference, became[known.pk].reference)
        address = row.facts.get("email", "")
        # Another record that has the address already keeps it: nobody comes back by that.
        if address in gone and not (known and cells.folded(known.email) == cells.folded(address)):
            return erased_address(address)
        return None


# -- Products -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product with what the row says of it, "" where it says nothing."""

    sku: str
    name: str
    category: str
    involvement: str


class ProductImporter(Importer):
    """Products, and with them how involved buyers are with the category."""

    kind = "products"
    fields = ("sku", "name", "category", "involvement")
    required = ("sku",)

    def __init__(self, options: Options, mapping: FieldMapping) -> None:
        super().__init__(options, mapping)
        # What the file has said so far of each category, by its id.
        self._said: dict[int, str] = {}

    def parse(self, fields: Fields) -> ProductRow:
        levels = partial(cells.choice, allowed=Involvement.values)
        return ProductRow(
            sku=fields.need("sku", partial(cells.text, max_length=100)),
            name=fields.text("name", 200),
            category=fields.text("category", 100),
            involvement=fields.get("involvement", levels) or "",
        )

    def store(self, records: Sequence[ProductRow]) -> list[Outcome | Refused]:
        batch = Batch(queries.products_by_code(row.sku for row in records))
        categories = known_categories((row.category for row in records), self.options)
        outcomes = [self._take_in(row, batch, categories) for row in records]
        services.add_products(batch.new.values())
        services.update_products(batch.changed.values())
        return outcomes

    def _take_in(
        self, row: ProductRow, batch: "Batch[Product]", categories: dict[str, Category]
    ) -> Outcome | Refused:
        code = cells.folded(row.sku)
        known = batch.known.get(code)
        category = categories.get(cells.folded(row.category)) if row.category else None
        if row.category and category is None:
            return unknown("category", row.category, "category")
        home = category or (known.category if known else None)
        try:
            rated = self._rate(home, row.involvement)
        except Refused as refused:
            return refused
        if known is None:
            return batch.add(code, Product(sku=row.sku, name=row.name, category=category))
        facts = {"name": row.name, "category": category}
        outcome = batch.change(code, {name: value for name, value in facts.items() if value})
        return Outcome.UPDATED if rated else outcome

    def _rate(self, category: Category | None, involvement: str) -> bool:
        """Take over the involvement of a category; return whether it is another than before."""
        if not involvement:
            return False
        if category is None:
            raise Refused(
                "involvement",
                f"{involvement} belongs to a category, and this product has none; fill in category",
            )
        said = self._said.setdefault(category.pk, involvement)
        if said != involvement:
            raise Refused(
                "involvement",
                f"{involvement} contradicts a row before it, which rated the category "
                f"{cells.shown(category.name)} as {said}; make them equal",
            )
        # A file that says what was only a proposal makes it more than that.
        if category.involvement == involvement and category.rated_how != BY_PROPOSAL:
            return False
        set_level(category=category, level=involvement, how=BY_IMPORT, now=self.options.now)
        return True


# -- Purchases ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    customer: str
    sku: str
    purchased_at: datetime
    quantity: int
    price: Decimal | None
    order: str
    contract_until: date | None
    product_name: str
    category: str
    key: str


class PurchaseImporter(Importer):
    """Lines of orders. Lines that are alike are lines, not duplicates.

    The name and category of a product are used where it is new; a product that is known keeps its
    own, because descriptions differ from line to line.
    """

    kind = "purchases"
    fields = (
        "customer",
        "product",
        "purchased_at",
        "quantity",
        "price",
        "order",
        "name",
        "category",
        "contract_until",
    )
    required = ("customer", "product", "purchased_at")

    def parse(self, fields: Fields) -> PurchaseRow:
        customer = fields.get("customer", partial(cells.text, max_length=100))
        if customer is None:
            raise Refused(
                "customer",
                "the row has no customer, and a purchase belongs to one; fill in the customer, or "
                "leave the row out",
            )
        sku = fields.need("product", partial(cells.text, max_length=100))
        at = fields.need("purchased_at", partial(cells.moment, zone=self.options.zone))
        pieces = fields.get("quantity", quantity)
        amount = fields.get("price", price)
        order = fields.text("order", 100)
        until = fields.get("contract_until", cells.day)
        pieces = 1 if pieces is None else pieces
        return PurchaseRow(
            customer=customer,
            sku=sku,
            purchased_at=at,
            quantity=pieces,
            price=amount,
            order=order,
            contract_until=until,
            product_name=fields.text("name", 200),
            category=fields.text("category", 100),
            key=self.own_key(
                (
                    customer,
                    cells.folded(sku),
                    at.isoformat(),
                    str(pieces),
                    "" if amount is None else f"{amount:.{PRICE_DECIMALS}f}",
                    order,
                    until.isoformat() if until else "",
                )
            ),
        )

    def store(self, records: Sequence[PurchaseRow]) -> list[Outcome | Refused]:
        customers = known_customers(
            ((row.customer, row.purchased_at) for row in records), self.options
        )
        products = self._products(records)
        made = [self._make(row, customers, products) for row in records]
        added = services.add_purchases([row for row in made if not isinstance(row, Refused)])
        return [
            row
            if isinstance(row, Refused)
            else Outcome.CREATED
            if row.key in added
            else Outcome.UNCHANGED
            for row in made
        ]

    def _make(
        self, row: PurchaseRow, customers: dict[str, Customer], products: dict[str, Product]
    ) -> NewPurchase | Refused:
        customer, product = customers.get(row.customer), products.get(cells.folded(row.sku))
        if customer is None:
            return unknown("customer", row.customer, "customer")
        if customer.erased_at is not None:
            return erased("customer", row.customer)
        if product is None:
            return unknown("product", row.sku, "product")
        return NewPurchase(
            customer.pk,
            product.pk,
            row.purchased_at,
            row.quantity,
            row.price,
            row.order,
            row.contract_until,
            row.key,
        )

    def _products(self, records: Sequence[PurchaseRow]) -> dict[str, Product]:
        known = queries.products_by_code(row.sku for row in records)
        if not self.options.create_missing:
            return known
        missing = [row for row in records if cells.folded(row.sku) not in known]
        categories = services.ensure_categories(row.category for row in missing if row.category)
        return known | services.ensure_products(
            Product(
                sku=row.sku,
                name=row.product_name,
                category=categories.get(cells.folded(row.category)),
            )
            for row in missing
        )


# -- For all of them ------------------------------------------------------------------------------


class Batch(Generic[Row]):
    """The rows of one model that a batch is about: those known by key, the new, the changed."""

    def __init__(self, known: dict[str, Row]) -> None:
        self.known = known
        self.new: dict[str, Row] = {}
        self.changed: dict[str, Row] = {}

    def add(self, key: str, row: Row) -> Outcome:
        self.known[key] = self.new[key] = row
        return Outcome.CREATED

    def change(self, key: str, facts: Mapping[str, object]) -> Outcome:
        row = self.known[key]
        if all(getattr(row, name) == value for name, value in facts.items()):
            return Outcome.UNCHANGED
        for name, value in facts.items():
            setattr(row, name, value)
        if key not in self.new:
            self.changed[key] = row
        return Outcome.UPDATED


def known_customers(seen: Iterable[tuple[str, datetime]], options: Options) -> dict[str, Customer]:
    """Return the customers with these references, made if they may be; `seen` says since when.

    What is about a record that was merged is about the one it became.
    """
    since: dict[str, datetime] = {}
    for reference, at in seen:
        since[reference] = min(at, since.get(reference, at))
    if options.create_missing:
        return queries.as_they_are_now(services.ensure_customers(since))
    return queries.people_by_reference(since)


def known_categories(names: Iterable[str], options: Options) -> dict[str, Category]:
    """Return the categories with these names by folded name, made if they may be."""
    wanted = [name for name in names if name]
    if options.create_missing:
        return services.ensure_categories(wanted)
    return queries.categories_by_name(wanted)
