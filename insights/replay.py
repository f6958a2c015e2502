"""Doing again what a restored backup does not know: erasures, restrictions, and who was stopped.

Read from the log of stops (customers/stop_log.py), before any job may send. Done twice it changes
nothing the second time; whatever the customer did later than a line stays.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import transaction

from customers.addresses import erased_references
from customers.consent import Actor, Method, State
from customers.ledger import Act, record_consent
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Purpose,
    Suppression,
    SuppressionReason,
)
from customers.stop_log import read
from customers.suppressions import Stop, suppress
from insights.erasure import Order, erase

Line = dict[str, object]
LINES_AT_ONCE = 500


@dataclass
class Replayed:
    """What was done again, and the numbers of the lines that could not be read."""

    erased: int = 0
    stopped: int = 0
    suppressed: int = 0
    restricted: int = 0
    known: int = 0
    damaged: list[int] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.erased + self.stopped + self.suppressed + self.restricted

    def document(self) -> dict[str, object]:
        return asdict(self)


def replay_stops(now: datetime) -> Replayed:
    """Apply what the log says and the database does not know, and return how much that was."""
    found = read()
    done = Replayed(damaged=found.damaged)
    stops = [line for line in found.lines if line["kind"] == "stop"]
    for lines in _in_batches(stops):
        _replay_stops(lines, done, now)
    # After the stops, as those need the address of whoever is erased next.
    for lines in _in_batches([line for line in found.lines if line["kind"] == "erased"]):
        _replay_erasures(lines, done, now)
    _replay_restrictions(found.lines, done)
    _replay_suppressions(found.lines, done, now)
    return done


def _in_batches(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    for start in range(0, len(lines), LINES_AT_ONCE):
        yield lines[start : start + LINES_AT_ONCE]


# -- Stops ----------------------------------------------------------------------------------------


def _replay_stops(lines: Collection[Line], done: Replayed, now: datetime) -> None:
    hashes = [str(line["entry"]) for line in lines]
    there = set(ConsentEntry.objects.filter(hash__in=hashes).values_list("hash", flat=True))
    missing = [line for line in lines if line["entry"] not in there]
    people = _people(missing)
    purposes = {one.key: one for one in Purpose.objects.all()} if missing else {}
    done.known += len(lines) - len(missing)
    for line in missing:
        customer, purpose = people.get(str(line["reference"])), purposes.get(str(line["purpose"]))
        if customer and purpose and _stop(customer, purpose, line, now):
            done.stopped += 1
        else:
            done.known += 1


def _stop(customer: Customer, purpose: Purpose, line: Line, now: datetime) -> bool:
    """Record a stop again; False where the database knows of something later, or as strict."""
    where = {"customer": customer, "purpose": purpose, "channel": str(line["channel"])}
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        if ConsentEntry.objects.filter(**where, recorded_at__gte=_at(line, "at")).exists():
            return False
        standing = ConsentState.objects.filter(**where).values_list("state", flat=True).first()
        objected = line["state"] == State.OBJECTED
        if standing == State.OBJECTED or (standing == State.WITHDRAWN and not objected):
            return False
        act = Act(
            purpose=purpose,
            channel=str(line["channel"]),
            # What staff declared invalid is as good as taken back.
            state=State.OBJECTED if objected else State.WITHDRAWN,
            actor=Actor.SYSTEM,
            method=Method.REPLAY,
            occurred_at=_at(line, "occurred_at"),
            address=customer.email,
        )
        record_consent(customer=customer, act=act, now=now)
    return True


# -- Erasures -------------------------------------------------------------------------------------


def _replay_erasures(lines: Collection[Line], done: Replayed, now: datetime) -> None:
    people = _people(lines)
    missing = {str(line["reference"]) for line in lines} - people.keys()
    if missing:
        people |= _by_all_references(missing)
    for line in lines:
        reference = str(line["reference"])
        customer = people.get(reference)
        if customer is None:
            # Came and went after the backup was made: an import must not bring them back.
            at = _at(line, "at")
            people[reference] = Customer.objects.create(
                reference=reference, created_at=at, erased_at=at
            )
            done.erased += 1
        elif customer.erased_at is not None:
            done.known += 1
        else:
            order = Order(reason="a backup was put back", told=False, replayed=True)
            people[reference] = erase(customer=customer, order=order, now=now).customer
            people[reference].refresh_from_db()
            done.erased += 1


# -- Restrictions ---------------------------------------------------------------------------------


def _replay_restrictions(lines: Iterable[Line], done: Replayed) -> None:
    """Restrict again who was restricted last; what was lifted after it stays lifted."""
    last = {
        str(line["reference"]): line
        for line in lines
        if line["kind"] in {"restricted", "unrestricted"}
    }
    restricted = [line for line in last.values() if line["kind"] == "restricted"]
    for some in _in_batches(restricted):
        people = _people(some)
        for line in some:
            customer = people.get(str(line["reference"]))
            changed = customer is not None and Customer.objects.filter(
                pk=customer.pk, erased_at__isnull=True, restricted_at__isnull=True
            ).update(restricted_at=_at(line, "at"))
            done.restricted += int(changed)
            done.known += int(not changed)


# -- Addresses ------------------------------------------------------------------------------------


def _replay_suppressions(lines: Iterable[Line], done: Replayed, now: datetime) -> None:
    """Stop again what was stopped last; what was lifted after it stays lifted."""
    last = {
        (str(line["address"]), str(line["reason"])): line
        for line in lines
        if line["kind"] in {"suppressed", "lifted"}
    }
    stopped = [line for line in last.values() if line["kind"] == "suppressed"]
    for some in _in_batches(stopped):
        hashes = [str(line["address"]) for line in some]
        there = set(
            Suppression.objects.filter(address_hash__in=hashes).values_list(
                "address_hash", "reason"
            )
        )
        for line in some:
            review_at = _at(line, "review_at") if line["review_at"] else None
            known = (line["address"], line["reason"]) in there
            if known or (review_at is not None and review_at <= now):
                done.known += 1
                continue
            stop = Stop(
                reason=SuppressionReason(str(line["reason"])),
                everything=bool(line["everything"]),
                review_at=review_at,
            )
            done.suppressed += suppress(
                hashes=[str(line["address"])], stop=stop, now=_at(line, "at")
            )


# -- Who it was -----------------------------------------------------------------------------------


def _people(lines: Collection[Line]) -> dict[str, Customer]:
    """Return who the lines are about, by the hash of the reference.

    The number of a customer only says where to look: it could be somebody else's by now.
    """
    wanted = {str(line["reference"]) for line in lines}
    erased = Customer.objects.filter(reference__in=wanted)
    found = {one.reference: one for one in erased}
    numbers = [number for line in lines if isinstance(number := line["customer"], int)]
    for customer in Customer.objects.filter(pk__in=numbers, erased_at__isnull=True):
        for one in wanted.intersection(erased_references(customer.reference)):
            found[one] = customer
    return found


def _by_all_references(wanted: Collection[str]) -> dict[str, Customer]:
    """Look through all customers for hashes of references; two or three seconds for a million."""
    rows = Customer.objects.filter(erased_at__isnull=True).values_list("pk", "reference")
    numbers = {
        one: pk
        for pk, reference in rows.iterator(chunk_size=10_000)
        for one in erased_references(reference)
        if one in wanted
    }
    people = Customer.objects.in_bulk(list(numbers.values()))
    return {one: people[pk] for one, pk in numbers.items()}


def _at(line: Line, name: str) -> datetime:
    return datetime.fromisoformat(str(line[name]))
