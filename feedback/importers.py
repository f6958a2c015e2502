"""Answers that were given elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar

from customers import cells
from customers import queries as customers
from customers.importers import erased, known_categories, known_customers, unknown
from customers.imports import Fields, Importer, Outcome, Refused
from customers.lifecycle import Clocks
from customers.models import Category, Channel, Customer, Product
from customers.services import ensure_products
from feedback import queries, services
from feedback.models import Reason, Response, ScaleKey, Touchpoint
from feedback.places import Place, create_touchpoint
from feedback.scales import SCALES
from feedback.services import Answer
from feedback.tallies import local_day

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """An answer as the file has it; "" where it says nothing."""

    scale: str
    value: int
    answered_at: datetime
    touchpoint: str
    customer: str
    product: str
    category: str
    channel: str
    reason: str
    comment: str
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows of a batch point to, by the keys that they use."""

    touchpoints: dict[str, Touchpoint]
    customers: dict[str, Customer]
    products: dict[str, Product]
    categories: dict[str, Category]


class ResponseImporter(Importer):
    """Answers with their own moment; imported answers never replace each other.

    The customer type is that of the day of the answer, from the purchases before it.
    """

    kind = "responses"
    fields = (
        "value",
        "answered_at",
        "scale",
        "touchpoint",
        "customer",
        "product",
        "category",
        "channel",
        "reason",
        "comment",
        "key",
    )
    required = ("value", "answered_at", "scale")

    def parse(self, fields: Fields) -> ResponseRow:
        scale = fields.need("scale", partial(cells.choice, allowed=ScaleKey.values))
        value = fields.need("value", SCALES[scale].parse)
        at = fields.need("answered_at", partial(cells.moment, zone=self.options.zone))
        if at > self.options.now:
            raise Refused("answered_at", "an answer cannot lie in the future; correct it")
        facts = {
            "touchpoint": fields.text("touchpoint", 100),
            "customer": fields.text("customer", 100),
            "product": fields.text("product", 100),
            "category": fields.text("category", 100),
            "channel": fields.get("channel", partial(cells.choice, allowed=Channel.values)) or "",
            "reason": fields.get("reason", partial(cells.choice, allowed=Reason.values)) or "",
            "comment": fields.text("comment", 10_000),
        }
        key = fields.text("key", 64) or self.own_key(
            (scale, str(value), at.isoformat(), *facts.values())
        )
        return ResponseRow(scale=scale, value=value, answered_at=at, key=key, **facts)

    def store(self, records: Sequence[ResponseRow]) -> list[Outcome | Refused]:
        known = self._known(records)
        answers = [self._answer(row, known) for row in records]
        stored = queries.answers_by_key(
            _place(answer) for answer in answers if not isinstance(answer, Refused)
        )
        new: dict[tuple[int | None, str], Answer] = {}
        outcomes = [self._outcome(answer, stored, new) for answer in answers]
        services.add_responses(self._with_types(list(new.values())), self.options.present())
        return outcomes

    def _outcome(
        self,
        answer: Answer | Refused,
        stored: Mapping[tuple[int | None, str], Response],
        new: dict[tuple[int | None, str], Answer],
    ) -> Outcome | Refused:
        if isinstance(answer, Refused):
            return answer
        place = _place(answer)
        before = stored.get(place) or new.get(place)
        if before is None:
            new[place] = answer
            return Outcome.CREATED
        if services.is_same(before, answer):
            return Outcome.UNCHANGED
        return Refused(
            "key",
            f"{cells.shown(answer.key)} is the key of another answer, and imported answers never "
            "replace each other; give this one a key of its own",
        )

    def _answer(self, row: ResponseRow, known: Known) -> Answer | Refused:
        try:
            return Answer(
                key=row.key,
                scale=row.scale,
                value=row.value,
                answered_at=row.answered_at,
                touchpoint=self._touchpoint(row, known),
                customer=self._customer(row, known),
                product=_found(known.products, "product", row.product),
                category=_found(known.categories, "category", row.category),
                channel=row.channel,
                reason=row.reason,
                comment=row.comment,
                imported=True,
            )
        except Refused as refused:
            return refused

    def _touchpoint(self, row: ResponseRow, known: Known) -> Touchpoint | None:
        if not row.touchpoint:
            return None
        touchpoint = known.touchpoints.get(row.touchpoint)
        if touchpoint is None and self._may_make(row.touchpoint):
            touchpoint = create_touchpoint(
                scale=row.scale, place=Place(name=row.touchpoint), now=self.options.now
            )
            known.touchpoints[row.touchpoint] = touchpoint
        if touchpoint is None:
            raise Refused(
                "touchpoint",
                f"{cells.shown(row.touchpoint)} is not a known touchpoint; correct it, or make one "
                "for the whole file with --set touchpoint=NAME --create-missing",
            )
        if touchpoint.scale != row.scale:
            raise Refused(
                "scale",
                f"the touchpoint {cells.shown(touchpoint.name)} asks {touchpoint.scale} and this "
                f"answer is {row.scale}; correct one of them",
            )
        return touchpoint

    def _may_make(self, name: str) -> bool:
        """One touchpoint may be made, the one that was named for the whole file."""
        return self.options.create_missing and self.mapping.constants.get("touchpoint") == name

    def _customer(self, row: ResponseRow, known: Known) -> Customer | None:
        customer = _found(known.customers, "customer", row.customer, fold=False)
        if customer is not None and customer.erased_at is not None:
            raise erased("customer", row.customer)
        return customer

    def _known(self, records: Sequence[ResponseRow]) -> Known:
        categories = known_categories((row.category for row in records), self.options)
        return Known(
            touchpoints=queries.touchpoints_by_name(row.touchpoint for row in records),
            customers=known_customers(
                ((row.customer, row.answered_at) for row in records if row.customer), self.options
            ),
            products=self._products(records, categories),
            categories=categories,
        )

    def _products(
        self, records: Sequence[ResponseRow], categories: Mapping[str, Category]
    ) -> dict[str, Product]:
        if not self.options.create_missing:
            return customers.products_by_code(row.product for row in records)
        return ensure_products(
            Product(sku=row.product, category=categories.get(cells.folded(row.category)))
            for row in records
            if row.product
        )

    def _with_types(self, answers: Sequence[Answer]) -> list[Answer]:
        """Give each answer the type that its customer had on the day."""
        moments = {
            (answer.customer.pk, local_day(answer.answered_at))
            for answer in answers
            if answer.customer
        }
        types = customers.types_on(moments, self._clocks)
        return [
            replace(
                answer,
                customer_type=types[answer.customer.pk, local_day(answer.answered_at)],
            )
            if answer.customer
            else answer
            for answer in answers
        ]

    @cached_property
    def _clocks(self) -> Clocks:
        return customers.clocks(local_day(self.options.now))


def _place(answer: Answer) -> tuple[int | None, str]:
    """Return where an answer is unique: its touchpoint and key."""
    return (answer.touchpoint.pk if answer.touchpoint else None, answer.key)


def _found(known: Mapping[str, Row], field: str, key: str, *, fold: bool = True) -> Row | None:
    """Return what a row points to, None where it points to nothing."""
    if not key:
        return None
    found = known.get(cells.folded(key) if fold else key)
    if found is None:
        raise unknown(field, key, field)
    return found
