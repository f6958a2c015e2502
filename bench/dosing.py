"""The dose: a million customers with ten million contacts, chosen at once and one by one.

    python -m bench.dosing [--customers N] [--contacts-each N]

On PostgreSQL. The customers are those of bench.audience; their types and contacts are spread evenly
over a year. Also: what one decision takes, and ten thousand exact claims.
"""

import argparse
from datetime import datetime, timedelta

from django.db import connection, reset_queries
from django.utils import timezone

from bench import audience, databases
from bench.timing import milliseconds, print_table, seconds
from customers.contact_queries import may_contact
from customers.contacts import Request, claim_contacts
from customers.models import Contact, Customer
from customers.plans import Plan
from customers.reach import funnel

ASKED_ONE_BY_ONE = 2_000
CLAIMED = 10_000

TYPES = """
    UPDATE customers_customer SET customer_type =
        (ARRAY['regular', 'occasional', 'one_time', 'prospect', 'lapsed'])[id % 5 + 1]
"""
CATEGORIES = """
    INSERT INTO customers_category (name, name_folded, involvement, rated_how, rated_at, rated_by)
    SELECT 'Category ' || n, 'category ' || n, (ARRAY['low', 'medium', 'high'])[n % 3 + 1],
        'import', now(), ''
    FROM generate_series(1, 6) n
"""
CONTACTS = """
    INSERT INTO customers_contact (request_id, digest, customer_id, channel, kind, category_id,
        purpose_id, points, from_at, to_at, status, sent_at, reserved_at, policy_id, customer_type,
        involvement, source)
    SELECT c.id || ':' || n, repeat('0', 64), c.id, 'email',
        CASE WHEN (c.id + n) % 20 = 0 THEN 'ask_nps' ELSE 'promotion' END,
        g.id, p.id, 1, t.at, t.at, 'sent', t.at, t.at, NULL, c.customer_type, g.involvement,
        'mailing:' || n
    FROM customers_customer c
    CROSS JOIN generate_series(1, %s) n
    CROSS JOIN (SELECT id FROM customers_purpose WHERE key = 'email_marketing') p
    JOIN LATERAL (SELECT id, involvement FROM customers_category
        WHERE name = 'Category ' || ((c.id + n) %% 6 + 1)) g ON true
    CROSS JOIN LATERAL (SELECT %s - ((c.id * 7919 + n * 104729) %% 31536000)
        * interval '1 second' AS at) t
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--contacts-each", type=int, default=10)
    options = parser.parse_args()
    with databases.postgres("bench_dosing") as (database,), databases.using(database):
        # On a weekday at ten, so that nobody is asleep.
        now = _working_hour()
        audience.build(options.customers)
        with connection.cursor() as cursor:
            cursor.execute(TYPES)
            cursor.execute(CATEGORIES)
            cursor.execute(CONTACTS.replace("% 20", "%% 20"), [options.contacts_each, now])
        databases.vacuum()
        report(now)


def _working_hour() -> datetime:
    moment = timezone.localtime().replace(hour=10, minute=0, second=0, microsecond=0)
    while moment.weekday() > 3:
        moment += timedelta(days=1)
    return moment


def report(now: datetime) -> None:
    plan = Plan(channel="email", kind="promotion")
    found = []
    at_once = min(seconds(lambda: found.append(funnel(plan, now))) for _ in range(3))
    chosen = found[-1]
    some = list(Customer.objects.order_by("?")[:ASKED_ONE_BY_ONE])
    times, missed, allowed = [], 0, 0
    ids = set(chosen.ids)
    for one in some:
        judged = []
        times.append(seconds(lambda one=one, judged=judged: judged.append(_look(one, plan, now))))
        if judged[0].verdict.allows:
            allowed += 1
            missed += one.pk not in ids
    each = sum(times) / len(times)
    claims, claiming = _claim(chosen.ids[:CLAIMED], plan, now)
    total = chosen.total
    print(
        f"\n{total:,} customers, {Contact.objects.count():,} contacts; no permission "
        f"{chosen.no_permission:,} → left alone {chosen.left_alone:,} → over their dose "
        f"{chosen.over_dose:,} → quiet {chosen.quiet:,} → now {chosen.now:,}\n"
    )
    print_table(
        ["step", "result", "÷ at once"],
        [
            ["choose whom it may reach, at once", f"{at_once:.2f} s", "1.0×"],
            [
                f"ask one by one, {len(some):,} of them, for all",
                f"{each * total:,.0f} s",
                f"{each * total / at_once:,.0f}×",
            ],
            ["one decision, ms: median (quickest–slowest)", milliseconds(times), ""],
            ["queries of one decision", str(_queries(some[0], plan, now)), ""],
            [f"allowed one by one and not chosen, of {allowed:,} allowed", str(missed), ""],
            [f"{len(claims):,} exact claims", f"{claiming:.1f} s", ""],
            ["reserved of those", f"{sum(bool(one.contact) for one in claims):,}", ""],
        ],
    )


def _look(customer: Customer, plan: Plan, now: datetime):
    return may_contact(customer, plan, now)


def _claim(ids, plan: Plan, now: datetime):
    people = Customer.objects.in_bulk(list(ids))
    requests = [
        Request(request_id=f"spring:{pk}", customer=people[pk], plan=plan, source="mailing:1")
        for pk in ids
    ]
    claims = []
    spent = seconds(lambda: claims.extend(claim_contacts(requests=requests, now=now)))
    return claims, spent


def _queries(customer: Customer, plan: Plan, now: datetime) -> int:
    connection.force_debug_cursor = True
    reset_queries()
    may_contact(customer, plan, now)
    connection.force_debug_cursor = False
    return len(connection.queries)


if __name__ == "__main__":
    main()
