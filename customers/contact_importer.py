"""Contacts that other systems had with customers, so that the dose knows of them too.

What is imported was sent, and weighs like whatever else was sent. It is only ever added.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial

from django.utils import timezone

from customers import cells, queries
from customers.contacts import SentContact, add_sent_contacts
from customers.csv_rows import with_formula
from customers.dose_policy import POINTS
from customers.importers import erased, known_categories, known_customers, unknown
from customers.imports import Fields, Importer, Outcome, Refused
from customers.involvement import involvement_of
from customers.lifecycle import Clocks
from customers.models import Category, Channel, ContactKind, Customer
from customers.plans import line_of
from customers.policies import current_policy


@dataclass(frozen=True, slots=True)
class ContactRow:
    customer: str
    channel: str
    kind: str
    sent_at: datetime
    category: str
    key: str


class ContactImporter(Importer):
    """Contacts that are alike are contacts, not duplicates; the same file again adds nothing."""

    kind = "contacts"
    fields = ("customer", "channel", "kind", "sent_at", "category")
    required = ("customer", "channel", "kind", "sent_at")

    def parse(self, fields: Fields) -> ContactRow:
        # As it stands in the file of an audience, which may come back.
        customer = with_formula(fields.need("customer", partial(cells.text, max_length=100)))
        channel = fields.need("channel", partial(cells.choice, allowed=Channel.values))
        kind = fields.need("kind", partial(cells.choice, allowed=ContactKind.values))
        sent_at = fields.need("sent_at", partial(cells.moment, zone=self.options.zone))
        category = fields.text("category", 100)
        if sent_at > self.options.present():
            raise Refused(
                "sent_at",
                f"{sent_at:%Y-%m-%d %H:%M} UTC is still to come, and an import holds what was "
                "sent; correct the moment, or reserve the contact through the API",
            )
        facts = (customer, channel, kind, sent_at.isoformat(), cells.folded(category))
        return ContactRow(customer, channel, kind, sent_at, category, self.own_key(facts))

    def store(self, records: Sequence[ContactRow]) -> list[Outcome | Refused]:
        people = known_customers(((row.customer, row.sent_at) for row in records), self.options)
        categories = known_categories((row.category for row in records), self.options)
        checked = [self._checked(row, people, categories) for row in records]
        good = [row for row in checked if not isinstance(row, Refused)]
        added = add_sent_contacts(self._made(good), self.options.present())
        return [
            row
            if isinstance(row, Refused)
            else (Outcome.CREATED if _request(row[0]) in added else Outcome.UNCHANGED)
            for row in checked
        ]

    def _checked(
        self, row: ContactRow, people: dict[str, Customer], categories: dict[str, Category]
    ) -> tuple[ContactRow, Customer, Category | None] | Refused:
        customer = people.get(row.customer)
        category = categories.get(cells.folded(row.category)) if row.category else None
        if customer is None:
            return unknown("customer", row.customer, "customer")
        if customer.erased_at is not None:
            return erased("customer", row.customer)
        if row.category and category is None:
            return unknown("category", row.category, "category")
        return row, customer, category

    def _made(
        self, rows: Collection[tuple[ContactRow, Customer, Category | None]]
    ) -> list[SentContact]:
        """Give each contact the type that its customer had on the day, and what it weighs."""
        days = {(customer.pk, _day(row.sent_at)) for row, customer, _ in rows}
        types = queries.types_on(days, self._clocks)
        return [
            SentContact(
                request_id=_request(row),
                customer_id=customer.pk,
                channel=row.channel,
                kind=row.kind,
                category_id=category.pk if category else None,
                points=self._points[row.kind],
                sent_at=row.sent_at,
                customer_type=types[customer.pk, _day(row.sent_at)],
                involvement=involvement_of(line_of(category)).level,
                source="import",
            )
            for row, customer, category in rows
        ]

    @cached_property
    def _points(self) -> dict[str, int]:
        policy = current_policy()
        return {**POINTS, **(policy.points if policy else {})}

    @cached_property
    def _clocks(self) -> Clocks:
        return queries.clocks(_day(self.options.now))


def _request(row: ContactRow) -> str:
    return f"import:{row.key}"


def _day(moment: datetime) -> date:
    return timezone.localdate(moment, timezone.get_default_timezone())
