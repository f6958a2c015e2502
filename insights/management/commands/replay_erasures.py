"""Do again what a restored backup does not know: what was erased, taken back and stopped."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from insights.replay import Replayed, replay_stops


class Command(BaseCommand):
    """Runs at every start, before any job may send; a second time changes nothing."""

    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        done = replay_stops(timezone.now())
        for number in done.damaged:
            self.stderr.write(
                f"Line {number} of the log of stops (STOP_LOG) is damaged and was left out. The "
                "others were applied. If you have a copy of the file, put it back and run this "
                "again."
            )
        if options["json"]:
            self.stdout.write(json.dumps(done.document()))
        elif done.changed:
            self.stdout.write(sentence(done))


def sentence(done: Replayed) -> str:
    return (
        "The database was older than the log of stops, so it was done again: "
        f"{done.erased} erased, {done.stopped} taken back, {done.suppressed} addresses stopped, "
        f"{done.restricted} restricted."
    )
