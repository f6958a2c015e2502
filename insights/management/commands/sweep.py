"""Do all due work once, without a broker or a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from insights.tasks import failed_jobs


class Command(BaseCommand):
    """What the minute's sweep does, in this process."""

    help = "Do all due work once."
    # The checks import every page, and no job needs one.
    requires_system_checks = ()

    def handle(self, **_: Any) -> None:
        failed = failed_jobs("", timezone.now())
        if failed:
            raise CommandError(f"These jobs failed: {', '.join(failed)}. The log says why.")
