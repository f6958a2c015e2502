"""A mailing while workers and the mail server are killed at random: nobody gets it twice, nobody
after taking it back, and every row ends in what is true of it.

RECIPIENTS=3000 runs it in the size of a real mailing.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.db.models import F
from django.utils import timezone

from customers.models import Contact, Customer, Decision
from insights.supervisor import die_with_parent
from mailings import sending
from mailings.models import UNDER_WAY, Delivery, DeliveryStatus, Mailing, MailingStatus
from tests.customers import test_ledger_together
from tests.customers.test_contacts_api import awake_all_night
from tests.feedback.test_counting_together import address
from tests.mailings.test_lists import stop
from tests.mailings.test_sending import planned
from tests.makers import make_permitted
from tests.webserver import HOST, free_port

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RECIPIENTS = int(os.environ.get("RECIPIENTS", "400"))
KILLS = 20
WITHDRAWALS = 20
SECONDS = 120


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


_emptied_afterwards = test_ledger_together._emptied_afterwards


@pytest.fixture(autouse=True)
def _nothing_left(_emptied_afterwards):
    """The ledger goes last; what points into it goes before."""
    yield
    Decision.objects.all().delete()


@pytest.fixture
def lives(tmp_path) -> dict[str, Callable[[], subprocess.Popen]]:
    """What begins the lives that are lived side by side: two workers and the mail server."""
    port = str(free_port())
    log = tmp_path / "took.txt"
    log.touch()
    known = {"DATABASE_URL": address(), "EMAIL_URL": f"smtp://{HOST}:{port}"}

    def begin(program: str, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(program)), *arguments],
            env={**os.environ, **known},
            preexec_fn=die_with_parent,  # noqa: PLW1509  (nothing is imported in the child)
        )

    return {
        "one": lambda: begin("mail_worker.py"),
        "two": lambda: begin("mail_worker.py"),
        "server": lambda: begin("mail_server.py", str(log), port),
    }


def test_nobody_gets_it_twice_nor_after_taking_it_back_and_every_row_is_true(lives, tmp_path):
    awake_all_night()
    people = [make_permitted(email=f"k{n}@example.org") for n in range(RECIPIENTS)]
    mailing = planned()
    random = Random(RECIPIENTS)
    running = {name: begin() for name, begin in lives.items()}
    taken_back = {}
    try:
        begun(mailing)
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


def begun(mailing: Mailing) -> None:
    deadline = time.monotonic() + SECONDS
    while not Delivery.objects.filter(status=DeliveryStatus.SENT).exists():
        mailing.refresh_from_db()
        states = Counter(Delivery.objects.values_list("status", "code", "phase"))
        assert time.monotonic() < deadline, (mailing.status, mailing.funnel, states)
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
    for mailbox, row in rows.items():
        if row.status == DeliveryStatus.SENT:
            assert took[mailbox] == 1
        elif row.status != DeliveryStatus.UNKNOWN:
            assert mailbox not in took
        if row.customer_id in taken_back and mailbox in took:
            assert row.claimed_at < taken_back[row.customer_id]
    # What a kill leaves unknown is at most what was under way: one mail for each worker.
    assert states[DeliveryStatus.UNKNOWN] <= 2 * KILLS
    assert states[DeliveryStatus.CANCELLED] >= 1
    # Whatever became of them, nobody has two contacts that weigh.
    weighing = Contact.objects.filter(status__in=["sent", "sent_late", "reserved"])
    assert max(Counter(weighing.values_list("customer", flat=True)).values()) == 1
    assert weighing.count() == states[DeliveryStatus.SENT] + states[DeliveryStatus.UNKNOWN]
    assert Mailing.objects.get(pk=mailing.pk).errors_in_row < sending.MOST_ERRORS
