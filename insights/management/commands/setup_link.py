"""Print the one-time link with which the first administrator is made."""

from typing import Any

from django.core.management.base import BaseCommand

from insights.services import set_up_link


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, **_: Any) -> None:
        link = set_up_link()
        if link:
            self.stdout.write(f"Make the first administrator here (works once):\n  {link}")
        else:
            self.stdout.write("There is an administrator already: sign in, or ask a colleague.")
