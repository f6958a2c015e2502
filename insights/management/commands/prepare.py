"""Make the database ready: tables, and the demo shop where there is nothing yet.

One command, as each start of Django costs most of a second. Running it again is harmless.
"""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError

from insights import own_shop
from insights.demo.shop import contents


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="start with an empty shop")

    def handle(self, *, no_demo: bool, **_: Any) -> None:
        os.umask(0o077)
        self.migrate()
        if settings.PRODUCTION:
            call_command("collectstatic", interactive=False, verbosity=0)
        if no_demo and own_shop.offered():
            self.leave_the_demo()
            return
        if get_user_model().objects.exists():
            # It may be a backup that was put back: nothing may be sent before this.
            call_command("replay_erasures", stdout=self.stdout, stderr=self.stderr)
            return
        # No demo logins in production, so no demo shop either.
        if no_demo or settings.PRODUCTION or own_shop.is_open() or contents():
            call_command("setup_link", stdout=self.stdout)
        else:
            self.stdout.write("Filling the demo shop …")
            call_command("load_demo", stdout=self.stdout)

    def leave_the_demo(self) -> None:
        self.stdout.write(f"The demo shop stays in {settings.DATABASE_FILE}. Making yours …")
        try:
            self.stdout.write(own_shop.open_own_shop())
        except own_shop.NotOpened as reason:
            raise SystemExit(f"Your own shop could not be made ({reason}).") from None

    def migrate(self) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise SystemExit(
                f"The database cannot be used ({reason}). Check DATABASE_URL, and that there is "
                "room on the disk."
            ) from None
