"""What counting costs with 1 million and with 10 million answers, on PostgreSQL.

    python -m bench.counting [--small N] [--large N] [--rounds N] [--scale nps]

Both sizes are two databases in one server, measured in turn. The history of both ends yesterday,
and the new answers are alike in both.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import count
from typing import TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from bench import databases, shop
from bench.timing import Times, in_turn, milliseconds, print_table, ratio, seconds
from feedback import queries as feedback
from feedback import services as feedback_services
from feedback import tallies
from feedback.models import DayCube, Response, ResponseChange, Tally, TouchedSlice
from feedback.scales import SCALES
from feedback.services import Answer
from insights import services
from insights.kpis import KPIS
from insights.models import KpiSnapshot
from insights.queries import kpi_rows

Result = TypeVar("Result")

NEW = 10_000
RAW = (
    f"SELECT answered_on, value, COUNT(*) FROM {Response._meta.db_table} "
    "WHERE scale = %s AND answered_on >= %s AND answered_on < %s GROUP BY answered_on, value"
)


@dataclass
class Shop:
    """One database with its answers; each batch of new ones is taken from another part of it."""

    database: BaseDatabaseWrapper
    answers: int
    scale: str
    batches: Iterator[int] = field(default_factory=count)

    @property
    def start(self) -> date:
        return shop.today() - timedelta(days=shop.DAYS)


def main() -> None:
    options = parse()
    with databases.postgres("bench_small", "bench_large") as made:
        sizes = (options.small, options.large)
        shops = [Shop(made[index], sizes[index], options.scale) for index in range(2)]
        for each in shops:
            prepare(each)
        report(shops, measure(shops, options.rounds))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=9, help="besides one for warm-up")
    parser.add_argument("--scale", choices=list(SCALES), default="nps")
    return parser.parse_args()


def prepare(each: Shop) -> None:
    """Fill a database and bring its KPIs up to date, as they would be in use."""
    with databases.using(each.database):
        filled = seconds(lambda: shop.build(each.answers, [each.scale]))
        computed = seconds(lambda: services.compute_kpis(timezone.now()))
        databases.vacuum()
        sizes = {model.__name__: model.objects.count() for model in (DayCube, Tally, KpiSnapshot)}
    rows = ", ".join(f"{name} {n:,}" for name, n in sizes.items())
    print(f"{each.answers:,} answers: filled and counted in {filled:.0f} s, ", end="")
    print(f"all KPIs computed in {computed:.0f} s. Rows: {rows}.", flush=True)


# -- Measuring ---------------------------------------------------------------------------------


def measure(shops: Sequence[Shop], rounds: int) -> list[Times]:
    """Return the times of everything, per shop; raw reads come last, as they empty the caches."""
    times: list[Times] = [{} for _ in shops]
    for action in (take_in_today, take_in_late, trend, waiting, raw):
        for each in shops:
            within(each, databases.vacuum)
        found = in_turn(rounds, *(partial(within, each, partial(action, each)) for each in shops))
        for known, more in zip(times, found, strict=True):
            known.update(more)
    return times


def within(each: Shop, action: Callable[[], Result]) -> Result:
    with databases.using(each.database):
        return action()


def today(each: Shop) -> list[Answer]:
    """Return new answers as they come in: all on one day, which begins empty."""
    first = next(each.batches) * NEW
    numbers = (1 + number % each.answers for number in range(first, first + NEW))
    return shop.again(numbers, shop.noon(shop.today()))


def late(each: Shop) -> list[Answer]:
    """Return new answers that came late, as in an import: spread over the whole year."""
    first = 1 + next(each.batches)
    return shop.again(range(first, first + each.answers, each.answers // NEW))


def take_in_today(each: Shop) -> dict[str, float]:
    """Write new answers, fold them, and bring the KPIs they touch up to date."""
    answers = today(each)
    return {
        "write today": seconds(lambda: feedback_services.add_responses(answers)),
        "fold today": seconds(lambda: tallies.fold(limit=NEW)),
        "kpis today": seconds(lambda: services.compute_kpis(timezone.now())),
    }


def take_in_late(each: Shop) -> dict[str, float]:
    """Write late answers and fold them; they touch nearly every slice of every day."""
    answers = late(each)
    times = {
        "write late": seconds(lambda: feedback_services.add_responses(answers)),
        "fold late": seconds(lambda: tallies.fold(limit=NEW)),
    }
    TouchedSlice.objects.all().delete()
    return times


def trend(each: Shop) -> dict[str, float]:
    """Read the trend of a year by day, as pages do, and its SQL alone."""
    kpi = next(kpi for kpi in KPIS.values() if kpi.measure == each.scale)
    span = feedback.Span(each.scale, each.start, shop.today())
    return {
        "page": seconds(lambda: kpi_rows(kpi.key, each.start, shop.today(), by="day")),
        "sql": seconds(lambda: feedback.counts(span, by_day=True)),
    }


def waiting(each: Shop) -> dict[str, float]:
    """Read the same trend while 10,000 changes are not folded yet."""
    if not ResponseChange.objects.exists():
        feedback_services.add_responses(late(each))
    span = feedback.Span(each.scale, each.start, shop.today())
    return {"waiting": seconds(lambda: feedback.counts(span, by_day=True))}


def raw(each: Shop) -> dict[str, float]:
    """Count the same trend from the answers themselves."""

    def count_answers() -> None:
        with connection.cursor() as cursor:
            cursor.execute(RAW, [each.scale, each.start, shop.today()])
            cursor.fetchall()

    return {"raw": seconds(count_answers)}


# -- Telling -----------------------------------------------------------------------------------

ROWS = {
    "write today": ("write 10,000 new answers of today (anchor)", ""),
    "fold today": ("fold them", "≤ 1.1"),
    "kpis today": ("compute_kpis after the fold", ""),
    "write late": ("write 10,000 late answers, over the whole year", ""),
    "fold late": ("fold them", ""),
    "sql": ("trend of 365 days: its SQL", "≤ 1.2"),
    "page": ("the same with intervals, as kpi_rows gives it", "≤ 1.2"),
    "waiting": ("its SQL with 10,000 changes not folded", ""),
    "raw": ("its counts from the raw answers", ""),
}


def report(shops: Sequence[Shop], times: Sequence[Times]) -> None:
    small, large = times
    heads = ["median ms (quickest–slowest)", *(f"{each.answers:,}" for each in shops)]
    lines = [
        [
            text,
            milliseconds(small[step]),
            milliseconds(large[step]),
            ratio(large[step], small[step]),
            goal,
        ]
        for step, (text, goal) in ROWS.items()
    ]
    print()
    print_table([*heads, "ratio", "goal"], lines)
    print(f"\nWith {shops[-1].answers:,} answers:")
    print_table(
        ["ratio", "", "goal"],
        [
            ["raw answers ÷ SQL of the trend", ratio(large["raw"], large["sql"]), "≥ 100"],
            ["raw answers ÷ the same with intervals", ratio(large["raw"], large["page"]), ""],
            ["fold ÷ write, today", ratio(large["fold today"], large["write today"]), ""],
        ],
    )


if __name__ == "__main__":
    main()
