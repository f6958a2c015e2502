"""Erase one customer everywhere, and print the proof (GDPR art. 17)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from insights.erasure import NotErased, Order, erase
from insights.management.commands.export_customer import known_customer


class Command(BaseCommand):
    """A second time changes nothing, and prints the same proof."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="REF", help="the shop's own reference")
        parser.add_argument("--reason", required=True, help="why; names are taken out of it")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        reason = options["reason"].strip()
        if not reason:
            raise CommandError(
                "--reason is empty. Say why, for example: asked by phone.", returncode=2
            )
        customer = known_customer(options["reference"])
        try:
            done = erase(customer=customer, order=Order(reason=reason), now=timezone.now())
        except NotErased as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            document = {
                "erased": done.customer_id,
                "at": done.requested_at.isoformat(),
                "reason": done.reason,
                "plan": done.plan,
                "proof": done.proof,
            }
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        for table, before in done.plan.items():
            self.stdout.write(f"{table:<28}{before:>8,} → {done.proof[table]}")
