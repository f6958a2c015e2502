"""Everything that is known of one customer, as one document (GDPR art. 15 and 20)."""

from argparse import ArgumentParser
from html import unescape
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import strip_tags

from customers.models import AccessKind, Customer
from customers.queries import customers_by_reference
from customers.views_of_data import record_views
from insights.person import as_json, person_document


class Command(BaseCommand):
    """Written down as a view of the data, like every other: the customer may know."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="REF", help="the shop's own reference")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        customer, now = known_customer(options["reference"]), timezone.now()
        document = person_document(customer, now)
        if customer.erased_at is None:
            record_views(
                customers=[customer],
                kind=AccessKind.EXPORT,
                viewer="command",
                role="Administrator",
                now=now,
            )
        if options["json"]:
            self.stdout.write(as_json(document))
        else:
            self.stdout.write(as_text(document))


def known_customer(reference: str) -> Customer:
    """Return the customer, also an erased one; CommandError for one that nobody knows."""
    found = customers_by_reference([reference]).get(reference)
    if found is None:
        raise CommandError(f"{reference!r} is not a known customer. Give the shop's own reference.")
    return found


def as_text(document: dict[str, object]) -> str:
    """Return what the page says, line by line."""
    page = render_to_string("insights/_person_document.html", {"document": document})
    lines = (" ".join(line.split()) for line in unescape(strip_tags(page)).splitlines())
    return "\n".join(line for line in lines if line)
