"""Fill an empty database with the demo shop: two years of it that end yesterday, and logins."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from insights.accounts import DEMO_DOMAIN
from insights.demo import PASSWORD
from insights.demo.progress import Progress
from insights.demo.shop import LOGINS, DemoRefused, Loaded, load_demo


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        progress = Progress(self.stderr if options["json"] else self.stdout)
        try:
            loaded = load_demo(today=timezone.localdate(), progress=progress)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        except DatabaseError as error:
            raise CommandError(
                f"The database refused ({' '.join(str(error).split())}), so nothing was stored. "
                "If its tables are missing: python3 manage.py migrate"
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(loaded)))
        else:
            self.report(loaded)

    def report(self, loaded: Loaded) -> None:
        self.stdout.write(
            f"The demo shop has {loaded.customers:,} customers, {loaded.purchases:,} purchases, "
            f"{loaded.invitations:,} invitations, {loaded.answers:,} answers, "
            f"{loaded.consents:,} entries about what they permit and {loaded.contacts:,} contacts. "
            f"Sign in with the password {PASSWORD} as:"
        )
        for account, _name, role in LOGINS:
            self.stdout.write(f"  {account}{DEMO_DOMAIN} ({role.value})")
