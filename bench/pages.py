"""What the pages of figures cost with ten times as many answers: queries and server time.

    python -m bench.pages [--small N] [--rounds N] [--sqlite]

The pages are asked for in turn from two databases with the same shop, signed in, through Django's
test client: everything a worker does, without the network.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import databases, shop
from bench.timing import Times, in_turn, milliseconds, print_table, ratio, seconds
from feedback.scales import SCALES
from insights import services

PAGES = {
    "overview": "/",
    "last 12 months": "/?period=12m",
    "one channel": "/?period=12m&channel=email",
    "satisfaction": "/satisfaction/?period=12m",
    "satisfaction, by product": "/satisfaction/?period=12m&slice=product",
    "jobs": "/jobs/",
}


@dataclass
class Site:
    """One database with its answers, and somebody who is signed in there."""

    database: BaseDatabaseWrapper
    answers: int
    client: Client


def main() -> None:
    options = parse()
    make = databases.sqlite if options.sqlite else databases.postgres
    with make("bench_pages_small", "bench_pages_large") as made:
        sites = [
            prepare(database, answers)
            for database, answers in zip(made, (options.small, 10 * options.small), strict=True)
        ]
        queries = [{page: count_queries(site, page) for page in PAGES} for site in sites]
        times = in_turn(options.rounds, *(partial(visit, site) for site in sites))
        report(sites, queries, times)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9, help="besides one for warm-up")
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    return parser.parse_args()


def prepare(database: BaseDatabaseWrapper, answers: int) -> Site:
    settings.ALLOWED_HOSTS = ["testserver"]
    with databases.using(database):
        shop.build(answers, list(SCALES))
        services.compute_kpis(timezone.now())
        databases.vacuum()
        client = Client()
        client.force_login(User.objects.create_superuser("bench", "bench@localhost", "bench"))
    print(f"{answers:,} answers are there.", flush=True)
    return Site(database, answers, client)


def get(site: Site, page: str) -> None:
    """Ask for a page; the connection stays open, as it does between requests."""
    response = site.client.get(PAGES[page])
    assert response.status_code == 200, f"{PAGES[page]}: {response.status_code}"


def count_queries(site: Site, page: str) -> int:
    with databases.using(site.database):
        with CaptureQueriesContext(connection) as captured:
            get(site, page)
        return len(captured)


def visit(site: Site) -> dict[str, float]:
    with databases.using(site.database):
        return {page: seconds(partial(get, site, page)) for page in PAGES}


def report(
    sites: Sequence[Site], queries: Sequence[dict[str, int]], times: Sequence[Times]
) -> None:
    sizes = [f"{site.answers:,}" for site in sites]
    rows = [
        [
            page,
            *(str(counted[page]) for counted in queries),
            *(milliseconds(timed[page]) for timed in times),
            ratio(times[1][page], times[0][page]),
        ]
        for page in PAGES
    ]
    heads = [f"queries at {size}" for size in sizes] + [f"ms at {size}" for size in sizes]
    print()
    print_table(["page", *heads, "ratio"], rows)


if __name__ == "__main__":
    main()
