"""A mailing while workers and the mail server are killed at random: nobody gets it twice, nobody
after taking it back, and every row ends in what is true of it.

RECIPIENTS=3000 runs it in the size of a real mailing.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from customers.models import Contact, Customer, Decision
from insights.supervisor import die_with_parent
from mailings import sending
from mailings.models import UNDER_WAY, Delivery, DeliveryStatus, Mailing, MailingStatus
from tests.customers import test_ledger_together
from tests.customers.test_contacts_api import awake_all_night
from tests.mailings.test_lists import stop
from tests.mailings.test_sending import SENDER, planned
from tests.makers import make_permitted
from tests.webserver import HOST, free_port

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RECIPIENTS = int(os.environ.get("RECIPIENTS", "400"))
KILLS = 20
WITHDRAWALS = 20
SECONDS = 120


def work() -> None:
    """Do what a worker does, over and over."""
    while True:
        sending.send_due(SENDER, timezone.now(), timezone.now)
        time.sleep(0.1)


class Forked:
    """A process of its own, which shares no connection with anybody."""

    def __init__(self, life: Callable[[], None]) -> None:
        connections.close_all()
        self.pid = os.fork()
        if not self.pid:
            try:
                die_with_parent()
                life()
            finally:
                os._exit(1)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        os.waitpid(self.pid, 0)


Process = Forked | subprocess.Popen


def kill(process: Process) -> None:
    process.kill()
    process.wait()


_emptied_afterwards = test_ledger_together._emptied_afterwards


@pytest.fixture(autouse=True)
def _nothing_left(_emptied_afterwards):
    """The ledger goes last; what points into it goes before."""
    yield
    Decision.objects.all().delete()


@pytest.fixture
def lives(settings, tmp_path) -> dict[str, Callable[[], Process]]:
    """What begins the lives that are lived side by side: two workers and the mail server."""
    port = free_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = HOST, port, 2
    log = tmp_path / "took.txt"
    log.touch()
    server = [sys.executable, str(Path(__file__).with_name("mail_server.py")), str(log), str(port)]
    return {
        "one": lambda: Forked(work),
        "two": lambda: Forked(work),
        "server": lambda: subprocess.Popen(server, preexec_fn=die_with_parent),  # noqa: PLW1509
    }


def test_nobody_gets_it_twice_nor_after_taking_it_back_and_every_row_is_true(lives, tmp_path):
    awake_all_night()
    people = [make_permitted(email=f"k{n}@example.org") for n in range(RECIPIENTS)]
    mailing = planned()
    random = Random(RECIPIENTS)
    running = {name: begin() for name, begin in lives.items()}
    taken_back = {}
    try:
        begun()
        for n in range(KILLS):
            time.sleep(random.uniform(0.1, 0.4))
            # Every second time the last of them, before everybody has it.
            who = people[-1 - n]
            stop(who)
            taken_back[who.pk] = timezone.now()
            name = random.choice(list(lives))
            kill(running[name])
            running[name] = lives[name]()
        finish(mailing)
    finally:
        for process in running.values():
            kill(process)
    check(mailing, people, taken_back, tmp_path / "took.txt")


def begun() -> None:
    deadline = time.monotonic() + SECONDS
    while not Delivery.objects.filter(status=DeliveryStatus.SENT).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def finish(mailing: Mailing) -> None:
    """Let the pauses and the patience of the rows be over, until nothing is under way."""
    deadline = time.monotonic() + SECONDS + RECIPIENTS / 20
    while Mailing.objects.get(pk=mailing.pk).status != MailingStatus.DONE:
        assert time.monotonic() < deadline, Counter(Delivery.objects.values_list("status"))
        waiting = Delivery.objects.filter(mailing=mailing, status=DeliveryStatus.FAILED_TEMP)
        waiting.update(due_at=timezone.now())
        # What a living worker has takes no ten seconds.
        old = timezone.now() - timedelta(seconds=10)
        lost = Delivery.objects.filter(status=DeliveryStatus.CLAIMED, claimed_at__lt=old)
        lost.update(claimed_at=F("claimed_at") - sending.LONGEST_CLAIM)
        time.sleep(0.5)


def check(
    mailing: Mailing, people: list[Customer], taken_back: dict[int, object], log: Path
) -> None:
    took = Counter(log.read_text().split())
    assert [address for address, n in took.items() if n > 1] == []
    rows = {one.customer.email: one for one in Delivery.objects.select_related("customer")}
    assert set(rows) == {one.email for one in people}
    states = Counter(one.status for one in rows.values())
    print(f"{RECIPIENTS} recipients, {KILLS} kills: {dict(states)}, {sum(took.values())} took")
    assert not any(states[one] for one in UNDER_WAY)
    for address, row in rows.items():
        if row.status == DeliveryStatus.SENT:
            assert took[address] == 1
        elif row.status != DeliveryStatus.UNKNOWN:
            assert address not in took
        if row.customer_id in taken_back and address in took:
            assert row.claimed_at < taken_back[row.customer_id]
    # What a kill leaves unknown is at most what was under way: one mail for each worker.
    assert states[DeliveryStatus.UNKNOWN] <= 2 * KILLS
    assert states[DeliveryStatus.CANCELLED] >= 1
    # Whatever became of them, nobody has two contacts that weigh.
    weighing = Contact.objects.filter(status__in=["sent", "sent_late", "reserved"])
    assert max(Counter(weighing.values_list("customer", flat=True)).values()) == 1
    assert weighing.count() == states[DeliveryStatus.SENT] + states[DeliveryStatus.UNKNOWN]
    assert Mailing.objects.get(pk=mailing.pk).errors_in_row < sending.MOST_ERRORS
