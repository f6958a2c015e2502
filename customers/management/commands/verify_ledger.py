"""Walk the whole consent ledger and name the first row that shows a change."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from customers import triggers
from customers.verification import FINDINGS, Verified, verify_ledger


class Command(BaseCommand):
    """The result is kept in LedgerCheck."""

    help = "Verify the consent ledger; exit code 1 if something was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--install", action="store_true", help="put missing triggers back, then verify"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        if options["install"]:
            triggers.install(connection)
        found = verify_ledger(timezone.now())
        self.stdout.write(json.dumps(document(found)) if options["json"] else sentence(found))
        if found.finding:
            raise SystemExit(1)


def document(found: Verified) -> dict[str, Any]:
    """Return what was found; `row` is the id in the table that the kind is about."""
    return {
        "entries": found.entries,
        "verified": found.finding is None,
        "finding": found.finding.kind if found.finding else None,
        "row": found.finding.row if found.finding else None,
    }


def sentence(found: Verified) -> str:
    if found.finding is None:
        return f"{found.entries:,} entries, each as it was written."
    row = f" (row {found.finding.row})" if found.finding.row else ""
    return f"{FINDINGS[found.finding.kind]}{row}."
