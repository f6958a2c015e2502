"""The ledger while everybody writes at once, on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Barrier

import pytest
from django.db import connection, connections

from customers import consent, triggers
from customers.chain import START
from customers.consent import Actor, Forbidden, State
from customers.ledger import record_consent
from customers.models import ConsentEntry, ConsentState
from customers.own_choices import say_yes
from customers.verification import verify_ledger
from customers.withdrawals import Means, withdraw
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db) -> Iterator[None]:
    """What a test committed has to go before the next one, and the triggers would refuse that."""
    yield
    triggers.remove(connection)
    ConsentState.objects.all().delete()
    ConsentEntry.objects.all()._raw_delete("default")
    for table in triggers.TABLES[1:]:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    triggers.install(connection)


def together(*jobs: Callable[[], object]) -> None:
    """Run jobs at the same time, each on a connection of its own."""
    begin = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        try:
            begin.wait()
            job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for running in [pool.submit(run, job) for job in jobs]:
            running.result()


def check_projection() -> None:
    """What is stored as the state is what the entries say, read afresh."""
    for state in ConsentState.objects.select_related("entry"):
        entries = [
            consent.Entry(row.pk, row.occurred_at, "p", row.channel, State(row.state))
            for row in ConsentEntry.objects.filter(
                customer=state.customer_id, purpose=state.purpose_id, channel=state.channel
            )
        ]
        last = consent.current(entries, "p", state.channel)
        assert (state.entry_id, state.state) == (last.seq, last.state)


def test_case_07_five_withdrawals_and_a_yes_at_once_end_with_what_was_written_last():
    """And replaying the ledger gives the same projection."""
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    make_wording(purpose=purpose)

    def act(state: State, second: int) -> Callable[[], object]:
        moment = NOW + timedelta(seconds=second)
        given = an_act(purpose=purpose, state=state, occurred_at=moment)
        return lambda: record_consent(customer=noor, act=given, now=moment)

    together(*[act(State.WITHDRAWN, second) for second in range(5)], act(State.GIVEN, 9))
    last = ConsentEntry.objects.order_by("-pk").first()
    assert ConsentState.objects.get().entry == last
    assert ConsentEntry.objects.filter(state="withdrawn").count() <= 2
    assert verify_ledger(NOW).finding is None
    check_projection()


def test_eight_writers_keep_every_chain_whole():
    """Each does what comes to mind for three customers, two purposes and two channels."""
    customers = [make_customer(email="noor@example.org") for _ in range(3)]
    purposes = [make_purpose(channels=["email", "sms"]) for _ in range(2)]
    wordings = {purpose.pk: make_wording(purpose=purpose) for purpose in purposes}

    def writer(seed: int) -> Callable[[], None]:
        random = Random(seed)

        def write() -> None:
            for step in range(15):
                purpose = random.choice(purposes)
                moment = NOW + timedelta(seconds=100 * seed + step)
                act = an_act(
                    purpose=purpose,
                    wording=wordings[purpose.pk],
                    channel=random.choice(["email", "sms"]),
                    state=random.choice([State.GIVEN, State.WITHDRAWN, State.OBJECTED]),
                    actor=Actor.CUSTOMER,
                    grade="B",
                    occurred_at=moment,
                )
                try:
                    record_consent(customer=random.choice(customers), act=act, now=moment)
                except Forbidden:
                    continue

        return write

    together(*map(writer, range(8)))
    assert ConsentEntry.objects.filter(previous_hash=START).count() == 3
    found = verify_ledger(NOW)
    assert (found.entries, found.finding) == (ConsentEntry.objects.count(), None)
    assert found.entries > 30
    check_projection()


def test_case_07_the_links_of_five_mails_against_one_tick_on_the_own_page():
    """Through the services behind the links: the highest number wins, and no chain breaks."""
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    wording = make_wording(purpose=purpose)

    def press(second: int) -> Callable[[], object]:
        moment = NOW + timedelta(seconds=second)
        means = Means(method="one_click_post", place="mail")
        return lambda: withdraw(
            customer=noor, purpose=purpose, channel="email", means=means, now=moment
        )

    def tick() -> object:
        moment = NOW + timedelta(seconds=9)
        return say_yes(customer=noor, wording=wording, channel="email", now=moment)

    together(*[press(second) for second in range(5)], tick)
    last = ConsentEntry.objects.order_by("-pk").first()
    assert ConsentState.objects.get().entry == last
    assert ConsentEntry.objects.filter(state="given").count() == 1
    assert verify_ledger(NOW).finding is None
    check_projection()


def test_two_tabs_that_give_and_take_back_at_the_same_moment_end_with_a_no():
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    wording = make_wording(purpose=purpose)
    means = Means(method="preference_page", place="preferences")
    say_yes(customer=noor, wording=wording, channel="email", now=NOW)
    moment = NOW + timedelta(minutes=1)
    together(
        lambda: withdraw(customer=noor, purpose=purpose, channel="email", means=means, now=moment),
        lambda: say_yes(customer=noor, wording=wording, channel="email", now=moment),
    )
    assert ConsentState.objects.get().state == State.WITHDRAWN
    check_projection()
