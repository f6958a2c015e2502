"""Do all due work once, without a broker or a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from insights.tasks import due_jobs, succeeds


class Command(BaseCommand):
    """What the minute's sweep does, in this process."""

    help = "Do all due work once."

    def handle(self, **_: Any) -> None:
        failed = [job.name for job in due_jobs("") if not succeeds(job)]
        if failed:
            raise CommandError(f"These jobs failed: {', '.join(failed)}. The log says why.")
