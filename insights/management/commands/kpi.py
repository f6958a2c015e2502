"""Print a KPI as one JSON document: `manage.py kpi nps --by month --json`."""

import argparse
import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone, translation

from feedback.queries import SLICES, UnknownKey
from insights.kpis import KPIS
from insights.periods import COMPARISONS, KINDS, PeriodError
from insights.queries import kpi_document

# What argparse ends with when the command line itself is wrong.
WRONG_USE = 2


class Command(BaseCommand):
    """For staff on the machine: it does not suppress small counts."""

    help = "Print a KPI per period and slice, with n and interval."
    # The checks import every page, which takes longer than the answer.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kpi", choices=list(KPIS))
        parser.add_argument("--from", dest="start", type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="end", type=_day, help="day after the last, YYYY-MM-DD")
        parser.add_argument("--by", choices=KINDS)
        parser.add_argument("--slice", dest="dimension", choices=SLICES)
        parser.add_argument(
            "--where", action="extend", nargs="+", type=_filter, default=[], metavar="KEY=VALUE"
        )
        parser.add_argument(
            "--compare", choices=list(COMPARISONS), help="the period just before, or a year before"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        where = _once_each(options["where"])
        with translation.override("en"):
            try:
                document = kpi_document(
                    options["kpi"],
                    start=options["start"],
                    end=options["end"],
                    today=timezone.localdate(),
                    by=options["by"],
                    dimension=options["dimension"],
                    where=where,
                    compare=options["compare"],
                )
            except PeriodError as error:
                raise CommandError(str(error), returncode=WRONG_USE) from None
            except UnknownKey as error:
                raise CommandError(str(error)) from None
            except DatabaseError as error:
                reason = " ".join(str(error).split())
                raise CommandError(
                    f"The database cannot be read ({reason}). Check DATABASE_URL, or prepare it "
                    "with: python3 start.py setup"
                ) from None
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        else:
            self._print_table(document)

    def _print_table(self, document: dict[str, Any]) -> None:
        self.stdout.write(str(document["definition"]))
        for row in document["rows"]:
            name = "" if row["slice"] is None else f"  {row['slice'] or '(none)'}"
            figure = "no answers"
            if row["n"]:
                figure = f"{row['value']:.1f} ({row['low']:.1f} to {row['high']:.1f})"
            self.stdout.write(f"{row['start']}  {figure}  n={row['n']}{name}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a day. Write it as YYYY-MM-DD, for example 2026-11-24."
        ) from None


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in SLICES:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a filter. Write KEY=VALUE with KEY one of {', '.join(SLICES)}."
        )
    return name, value


def _once_each(filters: list[tuple[str, str]]) -> dict[str, str]:
    where = dict(filters)
    if len(where) < len(filters):
        names = [name for name, _ in filters]
        twice = next(name for name in names if names.count(name) > 1)
        raise CommandError(
            f"--where names {twice} twice, and an answer has one {twice.replace('_', ' ')}. "
            f"Name it once, or use --slice {twice} to see them all.",
            returncode=WRONG_USE,
        )
    return where
