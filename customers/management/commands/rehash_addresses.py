"""Hash the addresses of all customers again, after a new key came first in ADDRESS_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from customers.services import rehash_addresses


class Command(BaseCommand):
    help = __doc__

    def handle(self, **_options: Any) -> None:
        changed = rehash_addresses()
        self.stdout.write(f"{changed:,} customers have new hashes of their addresses.")
