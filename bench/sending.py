"""Mails a second of one worker, every claim included, and its memory for few and many recipients.

    python -m bench.sending [--mails N]

On PostgreSQL, into an SMTP server on the same machine that throws away what it takes. A mailing to
1,000 customers beside one to 100,000; of each so many mails are sent, by a process of its own.
"""

import argparse
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection

from django.conf import settings
from django.db import connections
from django.utils import timezone

from bench import audience, databases
from bench.timing import print_table
from customers.letters import Sender
from customers.models import Customer, Purpose
from mailings import sending
from mailings.models import Delivery, Mailing, MailText
from mailings.segments import Segment
from tests.customers.test_contacts_api import awake_all_night
from tests.webserver import HOST, free_port

SENDER = Sender("Bench", "Bench <bench@bench.example>")
FEW, MANY = 1_000, 100_000
BODY = "{{ greeting }}\n\nCold *slows* a battery.\n\n[See how](https://bench.example/)\n" * 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=1_000)
    options = parser.parse_args()
    with (
        databases.postgres("bench_sending") as (database,),
        databases.using(database),
        _sink(),
    ):
        # Six in ten said yes, and some have no address any more.
        audience.build(MANY * 2)
        Customer.objects.update(customer_type="regular")
        Customer.objects.filter(pk__lte=FEW * 2).update(customer_type="lapsed")
        # Whenever this is run.
        awake_all_night()
        databases.vacuum()
        report(options.mails)


@contextmanager
def _sink() -> Iterator[None]:
    """Run an SMTP server that throws everything away."""
    port = free_port()
    address = f"{HOST}:{port}"
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", address]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = HOST, port
    with subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Sink"]) as server:
        time.sleep(2)
        yield
        server.terminate()


def report(mails: int) -> None:
    few = _measured("lapsed", FEW, mails)
    many = _measured("regular", MANY, mails)
    print_table(
        ["recipients", "rows made, s", "mails/s", "peak memory, MB", "÷ few"],
        [
            [
                f"{one['rows']:,}",
                f"{one['planned']:.1f}",
                f"{one['rate']:.0f}",
                f"{one['memory']:.0f}",
                f"{one['memory'] / few['memory']:.2f}×",
            ]
            for one in (few, many)
        ],
    )


def _measured(customer_type: str, most: int, mails: int) -> dict[str, float]:
    here, there = multiprocessing.Pipe()
    connections["default"].close()
    worker = multiprocessing.get_context("fork").Process(
        target=_work, args=(there, customer_type, min(most, mails))
    )
    worker.start()
    found = here.recv()
    worker.join()
    return found


def _work(out: Connection, customer_type: str, mails: int) -> None:
    now = timezone.now()
    mailing = Mailing.objects.create(
        means="here",
        name=customer_type,
        kind="promotion",
        purpose=Purpose.objects.get(key="email_marketing"),
        segment=Segment(customer_types=(customer_type,)).document(),
        planned_at=now,
        created_at=now,
    )
    for language, _name in settings.LANGUAGES:
        MailText.objects.create(mailing=mailing, language=language, subject="Winter", body=BODY)
    sending.schedule(mailing_id=mailing.pk, at=now, now=now)
    start = time.perf_counter()
    sending.plan_due(timezone.now(), timezone.now)
    planned = time.perf_counter() - start
    rows = Delivery.objects.filter(mailing=mailing).count()
    late = Delivery.objects.filter(mailing=mailing).order_by("pk")[mails:].values("pk")
    Delivery.objects.filter(pk__in=late).update(due_at=now + timedelta(days=1))
    start = time.perf_counter()
    sent = 0
    while sent < min(mails, rows):
        sent += sending.send_due(SENDER, timezone.now(), timezone.now)
    rate = sent / (time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.send({"rows": rows, "planned": planned, "rate": rate, "memory": memory})
    connections["default"].close()


if __name__ == "__main__":
    main()
