"""Verifying a consent ledger: walking a million entries, beside hashing as many in a bare loop.

    python -m bench.ledger [--entries N] [--sqlite]

Each customer has four entries: yes, no, yes again on e-mail, and a no on another channel.
"""

import argparse
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count

from django.db import transaction
from django.utils import timezone

from bench import databases
from bench.timing import print_table, seconds
from customers.chain import START, link
from customers.consent import Actor, Grade, State
from customers.ledger import facts_of, shown
from customers.models import ConsentEntry, ConsentState, Customer, Purpose, Wording
from customers.queries import may_process
from customers.services import insert_rows
from customers.verification import verify_ledger
from tests.makers import a_wording, stored

PER_CUSTOMER = 4
ACTS = (
    ("email", State.GIVEN),
    ("email", State.WITHDRAWN),
    ("email", State.GIVEN),
    ("web", State.WITHDRAWN),
)
AT_ONCE = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    options = parser.parse_args()
    make = databases.sqlite if options.sqlite else databases.postgres
    with make("bench_ledger") as (database,), databases.using(database):
        build(options.entries // PER_CUSTOMER)
        databases.vacuum()
        report(options.entries)


def build(customers: int) -> None:
    now = timezone.now() - timedelta(days=1)
    purpose = Purpose.objects.create(
        key="tips", name_nl="tips", name_en="tips", kind="marketing", channels=["email", "web"]
    )
    wording = stored(a_wording(purpose=purpose, published_at=now - timedelta(days=30)))
    with transaction.atomic():
        insert_rows(
            "customers_customer",
            [
                "reference",
                "email",
                "name",
                "language",
                "time_zone",
                "created_at",
                "customer_type",
                "address_hash",
                "older_hash",
                "verified_hash",
            ],
            [
                (f"K{n}", f"k{n}@demo.example", "", "", "", now, "prospect", f"{n:064}", "", "")
                for n in range(customers)
            ],
        )
    entries: list[ConsentEntry] = []
    numbers = count(1)
    for pk in Customer.objects.order_by("pk").values_list("pk", flat=True).iterator():
        entries += chained(pk, purpose, wording, numbers)
        if len(entries) >= AT_ONCE:
            store(entries)
            entries = []
    store(entries)


def chained(
    customer: int, purpose: Purpose, wording: Wording, numbers: Iterator[int]
) -> list[ConsentEntry]:
    before, made = START, []
    for number, (channel, state) in enumerate(ACTS):
        at = wording.published_at + timedelta(days=1, seconds=number)
        yes = state is State.GIVEN
        entry = ConsentEntry(
            pk=next(numbers),
            customer_id=customer,
            purpose=purpose,
            channel=channel,
            state=state,
            occurred_at=at,
            recorded_at=at,
            address_hash=f"{customer:064}",
            actor=Actor.CUSTOMER,
            method="checkbox",
            wording=wording if yes else None,
            grade=Grade.B if yes else Grade.D,
            valid_until=at + timedelta(days=730) if yes else None,
            previous_hash=before,
        )
        entry.hash = link(before, facts_of(entry, shown(entry.wording)))
        before = entry.hash
        made.append(entry)
    return made


def store(entries: list[ConsentEntry]) -> None:
    ConsentEntry.objects.bulk_create(entries)
    lasts = {(entry.customer_id, entry.channel): entry for entry in entries}
    ConsentState.objects.bulk_create(
        ConsentState(
            customer_id=entry.customer_id,
            purpose_id=entry.purpose_id,
            channel=entry.channel,
            state=entry.state,
            entry=entry,
            valid_until=entry.valid_until,
        )
        for entry in lasts.values()
    )


def hash_as_many(entries: int) -> None:
    text = b"x" * 600
    for _ in range(entries):
        hashlib.sha256(text).hexdigest()


def report(entries: int) -> None:
    found = []
    walked = seconds(lambda: found.append(verify_ledger(timezone.now())))
    assert found[0].finding is None, found[0].finding
    assert found[0].entries == entries // PER_CUSTOMER * PER_CUSTOMER
    customer = Customer.objects.latest("pk")
    asked = min(
        seconds(partial(may_process, customer, "tips", "email", timezone.now())) for _ in range(50)
    )
    bare = seconds(partial(hash_as_many, entries))
    print_table(
        ["step", "s", "÷ bare hashing", "goal"],
        [
            [f"hash {entries:,} texts of 600 bytes", f"{bare:.1f}", "1.00×", ""],
            [
                f"verify_ledger, {entries:,} entries",
                f"{walked:.1f}",
                f"{walked / bare:.0f}×",
                "60 s",
            ],
            ["may_process of one customer", f"{asked:.4f}", "", ""],
        ],
    )


if __name__ == "__main__":
    main()
