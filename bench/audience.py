"""Who may be reached: a million customers and three purposes in one query, beside a bare count.

    python -m bench.audience [--customers N]

On PostgreSQL. Every customer has a line for each purpose: 60 % said yes, 25 % no, the rest took it
back; one in fifty has no address any more, one in a hundred is suppressed.
"""

import argparse
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench import databases
from bench.timing import print_table, seconds
from customers.audience import permitted
from customers.models import ConsentState, Customer, Purpose
from customers.queries import may_process
from customers.services import add_customers
from tests.makers import a_wording, stored

PURPOSES = ("email_marketing", "personalisation", "satisfaction_survey")
ASKED_ONE_BY_ONE = 1_000

ENTRIES = """
    INSERT INTO customers_consententry (customer_id, purpose_id, channel, state, occurred_at,
        recorded_at, address_hash, actor, actor_id, method, place, wording_id, evidence_hash, grade,
        valid_until, previous_hash, hash)
    SELECT c.id, w.purpose_id, 'email',
        CASE WHEN c.id % 20 < 12 THEN 'given' WHEN c.id % 20 < 17 THEN 'refused'
             ELSE 'withdrawn' END,
        now() - interval '30 days', now() - interval '30 days',
        c.address_hash,
        'customer', '', 'checkbox', '', w.id, '', 'B', now() + interval '700 days',
        w.id::text, md5(c.id || '-' || w.id)
    FROM customers_customer c CROSS JOIN customers_wording w
"""
STATES = """
    INSERT INTO customers_consentstate (customer_id, purpose_id, channel, state, entry_id,
        valid_until)
    SELECT customer_id, purpose_id, channel, state, id, valid_until FROM customers_consententry
"""
SUPPRESSIONS = """
    INSERT INTO customers_suppression (address_hash, everything, reason, created_at)
    SELECT address_hash, false, 'complaint', now() FROM customers_customer WHERE id % 100 = 1
"""


MOVED = """
    UPDATE customers_customer SET email = '', address_hash = '' WHERE id % 50 = 0
"""
AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    options = parser.parse_args()
    with databases.postgres("bench_audience") as (database,), databases.using(database):
        build(options.customers)
        databases.vacuum()
        report(options.customers)


def build(customers: int) -> None:
    published = timezone.now() - timedelta(days=60)
    for purpose in Purpose.objects.filter(key__in=PURPOSES):
        stored(a_wording(purpose=purpose, published_at=published))
    now = timezone.now()
    for first in range(0, customers, AT_ONCE):
        add_customers(
            Customer(reference=f"K{n}", email=f"k{n}@demo.example", created_at=now)
            for n in range(first, min(first + AT_ONCE, customers))
        )
    with connection.cursor() as cursor:
        for statement in (ENTRIES, STATES, SUPPRESSIONS, MOVED):
            cursor.execute(statement)


def report(customers: int) -> None:
    now = timezone.now()
    states = ConsentState.objects.count()
    bare = seconds(lambda: ConsentState.objects.filter(state="given").count())
    found = []
    at_once = seconds(lambda: found.append(permitted(now).count()))
    some = list(
        ConsentState.objects.select_related("customer", "purpose").order_by("?")[:ASKED_ONE_BY_ONE]
    )
    allowed = set(
        permitted(now).filter(pk__in=[row.pk for row in some]).values_list("pk", flat=True)
    )

    def ask() -> set[int]:
        return {
            row.pk
            for row in some
            if may_process(row.customer, row.purpose.key, "email", now).allowed
        }

    asked = seconds(ask)
    assert ask() == allowed
    print_table(
        ["step", "s", "÷ bare count"],
        [
            [f"count the yeses of {states:,} states", f"{bare:.2f}", "1.0×"],
            [
                f"who may be reached: {found[0]:,} of {customers:,} customers × {len(PURPOSES)}",
                f"{at_once:.2f}",
                f"{at_once / bare:.1f}×",
            ],
            [
                f"may_process one by one, {ASKED_ONE_BY_ONE:,} of them, for all",
                f"{asked * states / ASKED_ONE_BY_ONE:.0f}",
                f"{asked * states / ASKED_ONE_BY_ONE / bare:.0f}×",
            ],
        ],
    )


if __name__ == "__main__":
    main()
