"""Writing what was done over years into an empty ledger, by the same rules, many lines at once.

For a shop that is made up, such as the demo: real history comes in through an import, with its
evidence. Lines are written in the order they happened, as if the server had been there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from django.db import transaction

from customers.chain import START
from customers.consent import State, is_repetition, takes_over
from customers.ledger import Act, check_act, compose, stop_addresses
from customers.models import ConsentEntry, ConsentState, Customer, Evidence
from customers.services import insert_new


class NotEmpty(ValueError):
    """There is a ledger already: history cannot be put before it."""

    def __init__(self) -> None:
        super().__init__(
            "The ledger has entries already, and nothing is ever put in before them. Use an "
            "empty database."
        )


@dataclass(frozen=True, slots=True)
class Done:
    """What a customer did; recorded at the moment it occurred."""

    customer: Customer
    act: Act


def record_history(deeds: Iterable[Done]) -> int:
    """Write all deeds, the oldest first, and where each customer then stands; return how many.

    Raises what `record_consent` would for the first that may not be written; then nothing is.
    """
    with transaction.atomic():
        if ConsentEntry.objects.exists():
            raise NotEmpty
        entries, states, evidence = _compose(sorted(deeds, key=lambda one: one.act.occurred_at))
        insert_new(entries)
        for one, entry in evidence:
            one.entry = entry
        insert_new([one for one, _entry in evidence])
        for entry in entries:
            if entry.state == State.OBJECTED:
                stop_addresses({entry.address_hash}, entry.occurred_at)
        insert_new(
            ConsentState(
                customer_id=entry.customer_id,
                purpose_id=entry.purpose_id,
                channel=entry.channel,
                state=entry.state,
                entry=entry,
                valid_until=entry.valid_until,
            )
            for entry in sorted(states, key=attrgetter("pk"))
        )
    return len(entries)


def _compose(
    deeds: Iterable[Done],
) -> tuple[list[ConsentEntry], list[ConsentEntry], list[tuple[Evidence, ConsentEntry]]]:
    """Return the lines in order, the one that counts for each purpose, and the evidence."""
    heads: dict[int, str] = {}
    standing: dict[tuple[int, int, str], ConsentEntry] = {}
    entries: list[ConsentEntry] = []
    evidence: list[tuple[Evidence, ConsentEntry]] = []
    for done in deeds:
        customer, act = done.customer, done.act
        key = (customer.pk, act.purpose.pk, act.channel)
        before = State(standing[key].state) if key in standing else State.NONE
        if key in standing and is_repetition(before, act.state):
            continue
        check_act(customer, before, act, act.occurred_at)
        head = heads.get(customer.pk, START)
        entry, proof = compose(customer, act, head, act.occurred_at)
        heads[customer.pk] = entry.hash
        entries.append(entry)
        if proof:
            evidence.append((proof, entry))
        if key not in standing or takes_over(standing[key], entry):
            standing[key] = entry
    return entries, list(standing.values()), evidence
