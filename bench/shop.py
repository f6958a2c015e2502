"""A shop with as many answers as wanted over the 365 days before today.

The n-th answer is the same in every shop: where it counts follows from n alone, so two shops of
different size have the same distribution, and new answers can be the very same ones in both.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from bench.databases import vacuum
from customers.models import Category, Channel, Customer, CustomerType, Product
from feedback import tallies
from feedback.models import Invitation, Reason, Response, Touchpoint, new_touchpoint_key
from feedback.services import Answer

DAYS = 365
CATEGORIES, PRODUCTS, TOUCHPOINTS, CUSTOMERS = 12, 200, 20, 10_000
CHANNELS = [Channel.EMAIL, Channel.WEB, Channel.SMS, Channel.PHONE]

# Multiples of n modulo a prime scatter evenly; a multiplier for each thing to choose.
PRIME = 2_147_483_647
MULTIPLIERS = {
    "touchpoint": 1_583_458_089,
    "product": 784_588_716,
    "customer": 950_706_376,
    "customer_type": 1_226_874_159,
    "reason": 2_082_061_899,
    "mood": 1_968_402_271,
    "temper": 1_176_455_583,
}


def choice(thing: str, count: int) -> str:
    """Return SQL that chooses a number from 0 to `count` - 1 for the n-th answer.

    The percent signs are double because the statement goes through placeholders.
    """
    return f"(n * {MULTIPLIERS[thing]} %% {PRIME} %% {count})"


def one_of(number: str, words: Iterable[str], otherwise: str = "") -> str:
    cases = " ".join(f"WHEN {index} THEN '{word}'" for index, word in enumerate(words))
    return f"CASE {number} {cases} ELSE '{otherwise}' END"


# Each touchpoint asks about products of its own; one answer in six gives a reason.
OWN_PRODUCTS = PRODUCTS // TOUCHPOINTS
PRODUCT = f"t.id + {TOUCHPOINTS} * {choice('product', OWN_PRODUCTS)}"
GRUMPINESS = f"({choice('mood', 6)} * {choice('temper', 3)})"
CHANNEL = one_of(f"t.id %% {len(CHANNELS)}", CHANNELS)
CUSTOMER_TYPE = one_of(choice("customer_type", 6), CustomerType.values)
REASON = one_of(choice("reason", 48), Reason.values)
VALUE = (
    f"CASE t.scale WHEN 'nps' THEN 10 - {GRUMPINESS} WHEN 'csat' THEN 5 - {GRUMPINESS} / 3 "
    f"WHEN 'ces' THEN 7 - {GRUMPINESS} / 2 ELSE CASE WHEN {GRUMPINESS} < 5 THEN 1 ELSE 0 END END"
)
NUMBERS = (
    "WITH RECURSIVE number(n) AS ("
    "SELECT CAST(%s AS bigint) UNION ALL SELECT n + 1 FROM number WHERE n < %s) "
)
PLACES = (
    f"FROM number JOIN {Touchpoint._meta.db_table} t "
    f"ON t.id = 1 + {choice('touchpoint', TOUCHPOINTS)} "
    f"JOIN {Product._meta.db_table} p ON p.id = {PRODUCT} "
)
ANSWERS = (
    f"INSERT INTO {Response._meta.db_table} (id, key, touchpoint_id, product_id, category_id, "
    "channel, customer_type, customer_id, scale, value, reason, comment, language, invitation_id, "
    f"answered_at, answered_on, imported) {NUMBERS}"
    f"SELECT n, 'answer-' || n, t.id, p.id, p.category_id, {CHANNEL}, {CUSTOMER_TYPE}, "
    f"1 + {choice('customer', CUSTOMERS)}, t.scale, {VALUE}, {REASON}, '', 'nl', "
    f"CASE WHEN n %% 10 = 0 THEN n END, %s, %s, %s {PLACES}"
)
# One answer in ten was asked for, and as many invitations stay silent.
INVITATIONS = (
    f"INSERT INTO {Invitation._meta.db_table} (id, touchpoint_id, product_id, category_id, "
    f"channel, customer_type, customer_id, invited_at, invited_on) {NUMBERS}"
    f"SELECT n, t.id, p.id, p.category_id, {CHANNEL}, {CUSTOMER_TYPE}, "
    f"1 + {choice('customer', CUSTOMERS)}, %s, %s {PLACES} WHERE n %% 5 = 0"
)


def build(answers: int, scales: Sequence[str]) -> None:
    """Fill the current, empty database: the shop, its answers until yesterday, their tallies."""
    _build_shop(scales)
    _trust_the_rows()
    for day, first, last in _days(answers):
        _add_day(day, first, last)
    _reset_sequences()
    connection.close()
    tallies.rebuild()
    vacuum()


def today() -> date:
    return timezone.localdate()


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(12)))


def again(numbers: Iterable[int], at: datetime | None = None) -> list[Answer]:
    """Return new answers like those with these numbers, given at a moment or when those were."""
    rows = Response.objects.filter(pk__in=list(numbers)).order_by("pk")
    return [
        Answer(
            key=uuid4().hex,
            scale=row.scale,
            value=row.value,
            answered_at=at or row.answered_at,
            touchpoint=row.touchpoint,
            customer=row.customer,
            product=row.product,
            category=row.category,
            channel=row.channel,
            customer_type=row.customer_type,
            reason=row.reason,
        )
        for row in rows.select_related("touchpoint", "customer", "product", "category")
    ]


def _build_shop(scales: Sequence[str]) -> None:
    now = timezone.now()
    Category.objects.bulk_create(
        Category(id=number, name=f"Category {number}") for number in range(1, CATEGORIES + 1)
    )
    Product.objects.bulk_create(
        Product(id=number, sku=f"P{number}", category_id=1 + number % CATEGORIES)
        for number in range(1, PRODUCTS + 1)
    )
    Touchpoint.objects.bulk_create(
        Touchpoint(
            id=number,
            key=new_touchpoint_key(scales[number % len(scales)]),
            name=f"Place {number}",
            scale=scales[number % len(scales)],
            created_at=now,
        )
        for number in range(1, TOUCHPOINTS + 1)
    )
    Customer.objects.bulk_create(
        (
            Customer(id=number, reference=f"C{number}", created_at=now)
            for number in range(1, CUSTOMERS + 1)
        ),
        batch_size=1_000,
    )


def _trust_the_rows() -> None:
    """Check no foreign keys in this session: the numbers are right, and it halves the time."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")


def _days(answers: int) -> Iterator[tuple[date, int, int]]:
    """Yield each day with the numbers of its first and last answer; every day gets as many."""
    for index in range(DAYS):
        first, last = index * answers // DAYS + 1, (index + 1) * answers // DAYS
        yield today() - timedelta(days=DAYS - index), first, last


def _add_day(day: date, first: int, last: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INVITATIONS, [first, last, noon(day), day])
        cursor.execute(ANSWERS, [first, last, noon(day), day, False])


def _reset_sequences() -> None:
    models = [Category, Product, Touchpoint, Customer, Invitation, Response]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
