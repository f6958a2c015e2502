"""Replay a policy on the contacts of the past: `manage.py backtest_policy FILE --from … --to …`."""

import argparse
import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from customers.dose_documents import PolicyRefused
from customers.dose_policy import Policy
from customers.policies import sound_policy
from insights.backtest import MANY, Backtest, backtest
from insights.dose_outcomes import Share
from insights.periods import Period, PeriodError

# What argparse ends with when the command line itself is wrong.
WRONG_USE = 2


class Command(BaseCommand):
    """Reads only; the policy in force is not looked at."""

    help = "Say which contacts of a period a policy would not have let through."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a policy as JSON")
        parser.add_argument(
            "--from", dest="start", required=True, type=_day, help="first day, YYYY-MM-DD"
        )
        parser.add_argument(
            "--to", dest="end", required=True, type=_day, help="day after the last, YYYY-MM-DD"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        with translation.override("en"):
            try:
                period = Period(options["start"], options["end"])
                found = backtest(_policy(options["file"]), period, timezone.now())
            except PeriodError as error:
                raise CommandError(str(error), returncode=WRONG_USE) from None
            except PolicyRefused as error:
                raise CommandError(f"{options['file']}: {error}") from None
            if options["json"]:
                self.stdout.write(json.dumps(document(found), ensure_ascii=False))
            else:
                self._tell(found)

    def _tell(self, found: Backtest) -> None:
        write = self.stdout.write
        write(f"{found.period.start} up to {found.period.end}, policy {found.digest[:12]}")
        write(
            f"{found.blocked:,} of {found.sent:,} contacts would not have been sent then; "
            f"{found.deferred:,} of these could have gone later. "
            f"{found.exempt:,} are of a kind that no rule holds back."
        )
        write(
            f"Customers reached: {found.reached_before:,}, then {found.reached_after:,}. "
            f"With a contact less: {found.touched:,}. "
            f"With over {MANY} in 30 days: {found.many_before:,}, then {found.many_after:,}."
        )
        for rule, n in found.by_rule.items():
            write(f"  {n:>8,}  {rule}")
        for title, parts in (("type", found.by_customer_type), ("kind", found.by_kind)):
            for name, part in parts.items():
                write(f"  {title} {name}: {part.blocked:,} of {part.sent:,} blocked")
        write("Most messages in any 30 days: customers before, after")
        for label, before, after in found.messages:
            write(f"  {label:>3} {before:>8,} {after:>8,}")
        write("Within 7 days came with the contacts")
        for outcome, pair in found.came_with.items():
            write(f"  {outcome}: blocked {_told(pair.blocked)}; kept {_told(pair.kept)}")
        write(found.warning)
        write(found.left_out)


def document(found: Backtest) -> dict[str, Any]:
    """Return a backtest as plain values; shares in percent, None below 5 contacts."""
    return {
        "policy": found.digest,
        "from": found.period.start.isoformat(),
        "to": found.period.end.isoformat(),
        "contacts": {
            "sent": found.sent,
            "blocked": found.blocked,
            "deferred": found.deferred,
            "exempt": found.exempt,
        },
        "customers": {
            "touched": found.touched,
            "reached_before": found.reached_before,
            "reached_after": found.reached_after,
            "over_5_in_30_days_before": found.many_before,
            "over_5_in_30_days_after": found.many_after,
        },
        "by_rule": dict(found.by_rule),
        "by_customer_type": {key: asdict(one) for key, one in found.by_customer_type.items()},
        "by_kind": {key: asdict(one) for key, one in found.by_kind.items()},
        "messages": {
            "before": {label: before for label, before, _after in found.messages},
            "after": {label: after for label, _before, after in found.messages},
        },
        "with": {outcome: asdict(pair) for outcome, pair in found.came_with.items()},
        "left_out": found.left_out,
        "warning": found.warning,
    }


def _told(one: Share) -> str:
    if one.share is None:
        return f"n={one.n}, too few to say"
    return f"{one.share:.2f} % ({one.low:.2f} to {one.high:.2f}; {one.count} of n={one.n})"


def _policy(path: Path) -> Policy:
    """Read a policy; what cannot be read is refused with the way out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{path} cannot be read ({error}). Give a policy as a JSON file in UTF-8."
        ) from None
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(
            f"{path} is not JSON ({error}). Give a policy as customers/dose_documents.py writes it."
        ) from None
    return sound_policy(read, version=0)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a day. Write it as YYYY-MM-DD, for example 2026-11-24."
        ) from None
