"""Erasing a person everywhere: a plan table by table, each app's own service, and the proof.

The plan counts what holds something of the person; the proof is the same count afterwards, and all
of it zero. docs/privacy.md says what happens in each table.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from customers import erasure as of_customers
from customers.models import Customer, Erasure
from customers.queries import same_person
from feedback.queries import held_answers
from feedback.services import erase_answers
from insights import reject_files
from mailings.people import erase_deliveries, held_deliveries

# What stands in a reason where it named the person.
GONE = "…"
# A name of one or two letters is in too many words to be taken out of them.
SHORTEST_NAME = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Why somebody is erased, by whom (the id of a colleague), and whether they are told."""

    reason: str
    by: str = ""
    told: bool = True
    replayed: bool = False


class NotErased(RuntimeError):
    """Something is still there; nothing was changed."""

    def __init__(self, proof: dict[str, int]) -> None:
        left = ", ".join(f"{table} ({n})" for table, n in proof.items() if n)
        super().__init__(
            f"Something of the customer is still there after the erasure: {left}. Nothing was "
            "changed; see docs/privacy.md, and try again."
        )


def plan(customer: Customer) -> dict[str, int]:
    """Return for each table, and the files of imports, how much holds something of the person."""
    ids = same_person(customer)
    return _counted(ids, of_customers.identifiers_of(ids))


def erase(*, customer: Customer, order: Order, now: datetime) -> Erasure:
    """Erase a person and return the proof; who is erased already is not erased twice.

    Under the lock of all their records, in one transaction. Raises NotErased.
    """
    with transaction.atomic():
        ids = same_person(customer)
        people = list(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        names = of_customers.identifiers_of(ids)
        before = _counted(ids, names)
        done = Erasure.objects.filter(customer=customer, done_at__isnull=False).last()
        if done and not any(before.values()):
            return done
        reason = without(order.reason, [*names, *(one.name for one in people)])
        # Answers first: what is taken back and told needs no answer, and locks no other row.
        for one in people:
            erase_answers(one)
        erase_deliveries(ids)
        of_customers.erase_customer(ids=ids, told=order.told, handled_by=order.by, now=now)
        _log_entries(ids).delete()
        reject_files.forget(names)
        proof = _counted(ids, names)
        if any(proof.values()):
            raise NotErased(proof)
        return Erasure.objects.create(
            customer=customer,
            reason=reason[:200],
            plan=before,
            proof=proof,
            requested_at=now,
            done_at=now,
            replayed=order.replayed,
        )


def without(text: str, names: Iterable[str]) -> str:
    """Return a text without the names in it, in whatever case, nor the parts of them."""
    parts = {part for name in names for part in [name, *name.split()]}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_NAME:
            text = re.sub(re.escape(part), GONE, text, flags=re.IGNORECASE)
    return text


def _counted(ids: Collection[int], names: Collection[str]) -> dict[str, int]:
    return {
        **of_customers.held(ids),
        **held_answers(ids),
        **held_deliveries(ids),
        "admin.logentry": _log_entries(ids).count(),
        "rows that imports refused": reject_files.mentions(names),
    }


def _log_entries(ids: Collection[int]) -> QuerySet[LogEntry]:
    """Lines of the administration about a customer: they would hold the reference."""
    kind = ContentType.objects.get_for_model(Customer)
    return LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in ids])
