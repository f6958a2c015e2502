"""How many customers are of which type on a day, or why one is."""

import argparse
import json
from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.models import Customer, CustomerType
from customers.queries import labelled_customer, labelled_customers


class Command(BaseCommand):
    """Computes the types afresh; the stored ones follow the nightly job."""

    help = "Label customers as of the start of a local day, from the purchases before it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", type=day, help="YYYY-MM-DD; without it today")
        parser.add_argument("--customer", metavar="REFERENCE", help="one customer, and why")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        at = options["at"] or timezone.localdate()
        reference = options["customer"]
        document: dict[str, Any] = {"at": at.isoformat()} | (
            one(reference, at) if reference else everybody(at)
        )
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        elif reference:
            self.stdout.write(f"{reference} is {document['type']}: {document['reason']}")
        else:
            for name, n in document["counts"].items():
                self.stdout.write(f"{name:<12}{n:>10,}")


def one(reference: str, at: date) -> dict[str, Any]:
    try:
        labelled = labelled_customer(reference, at)
    except Customer.DoesNotExist:
        raise CommandError(
            f"{reference!r} is not a known customer. Give the shop's own reference."
        ) from None
    return {
        "customer": reference,
        "type": labelled.type,
        "reason": labelled.reason.sentence(at),
    }


def everybody(at: date) -> dict[str, Any]:
    counts = Counter(labelled.type for batch in labelled_customers(at) for _, labelled in batch)
    return {"counts": {name: counts[name] for name in CustomerType.values}}


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a day. Write it as YYYY-MM-DD, for example 2026-11-24."
        ) from None
