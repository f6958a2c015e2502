"""May we contact this customer now, and if not: why, and from when on?"""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.contact_queries import may_contact
from customers.contacts import check_time
from customers.decisions import decision_documents
from customers.models import Channel, ContactKind
from customers.plans import OutOfRange, Plan, UnknownWord, category_named
from customers.queries import people_by_reference


class Command(BaseCommand):
    """Decides like a claim does, and reserves nothing."""

    help = "Say whether a customer may be contacted, with every reason against it and the date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="REF", help="the shop's own reference")
        parser.add_argument("--channel", required=True, choices=Channel.values)
        parser.add_argument("--kind", required=True, choices=ContactKind.values)
        parser.add_argument("--category", default="", metavar="NAME")
        parser.add_argument("--purpose", default="", metavar="KEY", help="else the kind decides")
        parser.add_argument("--at", metavar="ISO", help="a moment; without it now")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        customer = people_by_reference([options["reference"]]).get(options["reference"])
        if customer is None or customer.erased_at:
            raise CommandError(
                f"{options['reference']!r} is not a known customer. Give the shop's own reference."
            )
        try:
            plan = Plan(
                channel=options["channel"],
                kind=options["kind"],
                category=category_named(options["category"]),
                purpose=options["purpose"],
                at=_moment(options["at"]),
            )
            check_time(plan, now)
            [document] = decision_documents([may_contact(customer, plan, now)], now)
        except (UnknownWord, OutOfRange) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        else:
            self._tell(document)

    def _tell(self, document: dict[str, Any]) -> None:
        self.stdout.write(f"{document['customer']}: {document['outcome']}")
        for reason in document["reasons"]:
            self.stdout.write(f"  {reason['code']}: {reason['sentence']}")
        if document["next_allowed_at"]:
            self.stdout.write(f"  Possible from {document['next_allowed_at']}.")
        for name in ("customer_type", "involvement"):
            said = document[name]
            self.stdout.write(f"  {name}: {said['value']} ({said['because']})")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is not a moment. Write it like 2026-11-24T09:00:00+01:00."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())
