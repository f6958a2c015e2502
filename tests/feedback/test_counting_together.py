"""Counting while everybody works at once, and while folders are killed, on both databases."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Barrier, Event, Lock
from urllib.parse import quote

import pytest
from django.db import connection, connections, transaction

from feedback import queries, tallies
from feedback.models import Invitation, Response, ResponseChange, Tally
from feedback.scales import SCALES
from feedback.services import (
    Answer,
    InvitationAnswered,
    add_responses,
    edit_response,
    erase_answers,
    record_invitations,
    submit_response,
)
from tests.feedback.recount import check_counts, check_folded
from tests.makers import (
    NOW,
    an_answer,
    make_category,
    make_customer,
    make_product,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ROOT = Path(__file__).parents[2]
EVER = (date(2020, 1, 1), date(2030, 1, 1))
# Evening in Amsterdam and morning in Auckland, so a move of the time zone moves each of them.
EVENING = datetime(2026, 6, 30, 20, tzinfo=UTC)


def together(*jobs: Callable[[], object]) -> list:
    """Run jobs at the same time, each on a connection of its own; return what they return."""
    begin = Barrier(len(jobs))

    def run(job):
        try:
            begin.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(run, job) for job in jobs]
        return [each.result() for each in running]


@dataclass
class Promises:
    """What writers were told: which keys are stored, with which value."""

    values: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    new: int = 0
    lock: Lock = field(default_factory=Lock)

    def begin(self) -> None:
        with self.lock:
            self.begun += 1

    def acknowledge(self, answer: Answer, *, created: bool) -> None:
        with self.lock:
            self.values[answer.key] = answer.value
            self.new += created

    def correct(self, key: str, value: int) -> None:
        with self.lock:
            self.values[key] = value


@dataclass
class Writer:
    """Submits, edits and repeats its own answers, and races the others for shared ones."""

    seed: int
    places: list[dict]
    invitations: list[Invitation]
    promises: Promises
    scale: str = "nps"

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.sent: dict[int, Answer] = {}

    def work(self, steps: int) -> None:
        for step in range(steps):
            does = self.random.choice(["new", "new", "asked", "shared", "edit", "repeat"])
            if does == "edit" and self.sent:
                self.edit()
            elif does == "repeat" and self.sent:
                self.repeat()
            elif does == "shared":
                number = self.random.randrange(15)
                self.submit(self.answer(f"shared {number}", value=number % 11))
            else:
                asked = self.invitations.pop() if does == "asked" and self.invitations else None
                answer = self.answer(f"{self.seed}, {step}", invitation=asked)
                self.sent[self.submit(answer)] = answer

    def answer(self, key: str, **given) -> Answer:
        place = self.random.choice(self.places)
        facts = {"value": self.random.choice(SCALES[self.scale].values), "answered_at": EVENING}
        if key.startswith("shared"):
            place = self.places[0]
        return an_answer(key=key, scale=self.scale, **place | facts | given)

    def submit(self, answer: Answer) -> int:
        self.promises.begin()
        response, created = submit_response(answer)
        self.promises.acknowledge(answer, created=created)
        return response.pk

    def edit(self) -> None:
        pk = self.random.choice(list(self.sent))
        value = self.random.choice(SCALES[self.scale].values)
        edit_response(response_id=pk, value=value, now=NOW)
        self.promises.correct(self.sent[pk].key, value)

    def repeat(self) -> None:
        pk = self.random.choice(list(self.sent))
        response, created = submit_response(self.sent[pk])
        assert (response.pk, created) == (pk, False)


def fold_until(over: Event, seed: int) -> int:
    random = Random(seed)
    folds = 0
    while not over.is_set():
        folds += tallies.fold(random.randint(1, 9)) > 0
        time.sleep(0.002)
    return folds


def read_until(over: Event, promises: Promises) -> int:
    """Every single reading shows all answers acknowledged before it, and none twice."""
    reads = 0
    slices = [None, "product", "channel"]
    while not over.is_set() or not reads:
        told = promises.new
        span = queries.Span("nps", *EVER)
        found = queries.counts(span, dimension=slices[reads % 3], by_day=True)
        assert told <= sum(count.n for count in found) <= promises.begun
        reads += 1
        time.sleep(0.001)
    return reads


def some_places() -> list[dict]:
    return [
        {"touchpoint": make_touchpoint(), "product": make_product(category=make_category())},
        {"channel": "web", "reason": "fun"},
        {"customer": make_customer(customer_type="regular"), "channel": "email"},
    ]


def ask(number: int) -> list[Invitation]:
    return record_invitations([Invitation(invited_at=EVENING) for _ in range(number)])


def let_them_work(jobs: Callable[[Event, Promises], list[Callable]], steps: int = 40) -> Promises:
    """Let three writers work beside other jobs until the writers are done."""
    promises, places, over = Promises(), some_places(), Event()
    writers = [Writer(seed, places, ask(10), promises) for seed in range(3)]
    waiting = iter([False, False, True])

    def write(writer: Writer) -> None:
        try:
            writer.work(steps)
        finally:
            with promises.lock:
                if next(waiting):
                    over.set()

    writing = [lambda writer=writer: write(writer) for writer in writers]
    together(*writing, *jobs(over, promises))
    return promises


def check_promises(promises: Promises) -> None:
    """Nothing lost, nothing double, nothing that was never promised."""
    stored = dict(Response.objects.values_list("key", "value"))
    assert stored == promises.values
    assert Response.objects.count() == len(promises.values)
    check_counts()
    tallies.fold_all()
    check_folded()


def test_writers_folders_a_reader_and_rebuilds_at_once():
    def rebuild(over: Event) -> None:
        while not over.is_set():
            tallies.rebuild()
            time.sleep(0.05)

    promises = let_them_work(
        lambda over, promises: [
            lambda: fold_until(over, seed=10),
            lambda: fold_until(over, seed=11),
            lambda: read_until(over, promises),
            lambda: rebuild(over),
        ]
    )
    check_promises(promises)


def test_writers_and_folders_while_the_time_zone_moves(settings, monkeypatch):
    """Everything of before moves, edited and answered meanwhile or not."""
    monkeypatch.setattr(tallies, "MOVE_BATCH", 5)
    old = add_responses([an_answer(key=f"old {n}", answered_at=EVENING) for n in range(60)])
    open_invitations = ask(60)
    tallies.fold_all()
    settings.TIME_ZONE = "Pacific/Auckland"

    def edit_the_old() -> None:
        for response in old:
            edit_response(response_id=response.pk, value=response.pk % 9, now=NOW)

    def answer_the_old() -> None:
        for invitation in open_invitations[::2]:
            submit_response(an_answer(scale="thumb", value=1, invitation=invitation))

    together(
        tallies.follow_time_zone,
        edit_the_old,
        answer_the_old,
        lambda: [tallies.fold(7) for _ in range(20)],
    )
    check_counts()
    tallies.fold_all()
    check_folded()
    assert set(Invitation.objects.values_list("invited_on", flat=True)) == {date(2026, 7, 1)}
    moved = Response.objects.filter(key__startswith="old")
    assert set(moved.values_list("answered_on", flat=True)) == {date(2026, 7, 1)}


@pytest.mark.postgres
@pytest.mark.parametrize("busy", ["with an edit", "with an answer to an invitation"])
def test_a_move_of_the_time_zone_waits_for_who_is_busy_with_the_same_row(settings, busy):
    """And is exact without the rebuild that follows it, which is cut off here."""
    (old,) = add_responses([an_answer(value=1, answered_at=EVENING)])
    (invitation,) = ask(1)
    tallies.fold_all()
    settings.TIME_ZONE = "Pacific/Auckland"
    written, moved = Event(), Event()

    class CutOff(Exception):
        pass

    def before_the_rebuild(execute, sql, parameters, many, context):
        if sql.startswith("LOCK TABLE"):
            raise CutOff
        return execute(sql, parameters, many, context)

    def work() -> None:
        with transaction.atomic():
            if busy == "with an edit":
                edit_response(response_id=old.pk, value=9, now=NOW)
            else:
                submit_response(an_answer(invitation=invitation))
            written.set()
            wait_for(lambda: moved.is_set() or somebody_waits_for_a_lock())

    def move() -> None:
        assert written.wait(10)
        with connection.execute_wrapper(before_the_rebuild), pytest.raises(CutOff):
            tallies.follow_time_zone()
        moved.set()

    together(work, move)
    check_counts()
    tallies.follow_time_zone()
    check_folded()


def test_of_equal_answers_at_once_one_is_new():
    answer = an_answer(touchpoint=make_touchpoint())
    results = together(*[lambda: submit_response(answer)] * 6)
    assert sorted(created for _, created in results) == [False] * 5 + [True]
    assert len({response.pk for response, _ in results}) == 1
    check_counts()


def test_of_answers_to_one_invitation_at_once_one_is_taken():
    (invitation,) = ask(1)

    def answer(number: int) -> bool:
        try:
            submit_response(an_answer(key=f"key {number}", invitation=invitation))
        except InvitationAnswered:
            return False
        return True

    taken = together(*[lambda number=number: answer(number) for number in range(6)])
    assert sorted(taken) == [False] * 5 + [True]
    check_counts()


def test_edits_of_one_answer_at_once_leave_one_count():
    response, _ = submit_response(an_answer(value=0))
    together(
        *[
            lambda value=value: edit_response(response_id=response.pk, value=value, now=NOW)
            for value in range(1, 9)
        ]
    )
    check_counts()
    tallies.fold_all()
    check_folded()


def test_an_erasure_beside_an_edit_keeps_the_new_value_and_no_comment():
    customer = make_customer()
    response, _ = submit_response(an_answer(value=0, comment="Mine.", customer=customer))
    together(
        lambda: erase_answers(customer),
        lambda: edit_response(response_id=response.pk, value=7, now=NOW),
    )
    response.refresh_from_db()
    assert (response.value, response.comment, response.customer) == (7, "", None)
    check_counts()


@pytest.mark.postgres
def test_the_version_changes_when_the_older_of_two_changes_commits_last():
    """Ids are given in the order of writing, not of committing."""
    written, go_on = Event(), Event()

    def slow() -> None:
        with transaction.atomic():
            submit_response(an_answer())
            written.set()
            assert go_on.wait(10)

    def quick() -> queries.Version:
        assert written.wait(10)
        submit_response(an_answer())
        version = queries.version()
        go_on.set()
        return version

    _, between = together(slow, quick)
    assert queries.version() != between


# -- Folders that are killed --------------------------------------------------------------------

FOLDERS = """
import os
import django
django.setup()
from feedback import tallies
while input() == "another":
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        while True:
            print("folding", flush=True)
            tallies.fold(limit=600)
            print("folded", flush=True)
    _, status = os.wait()
    print("killed" if os.WTERMSIG(status) == 9 else status, flush=True)
"""


class Folders:
    """Processes that fold this database, one at a time, and are killed one after the other."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.pid = 0

    def begin(self) -> None:
        """Return when another one is about to fold."""
        self.process.stdin.write("another\n")
        self.process.stdin.flush()
        self.pid = int(self.process.stdout.readline())
        assert self.process.stdout.readline() == "folding\n"

    def kill(self) -> bool:
        """Kill it and return whether that was during a fold."""
        os.kill(self.pid, signal.SIGKILL)
        said = ["folding\n"]
        while said[-1] != "killed\n":
            said.append(self.process.stdout.readline())
            assert said[-1] in ("folding\n", "folded\n", "killed\n")
        return said[-2] == "folding\n"


@pytest.fixture
def folders():
    environment = {**os.environ, "DATABASE_URL": address(), "PYTHONPATH": str(ROOT)}
    environment["DJANGO_SETTINGS_MODULE"] = "insights.settings"
    with subprocess.Popen(
        [sys.executable, "-c", FOLDERS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        each = Folders(process)
        yield each
        process.kill()
        if each.pid:
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)


def address() -> str:
    """Return the DATABASE_URL of the database of this test."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    user = ":".join(quote(part, safe="") for part in (known["USER"], known["PASSWORD"]) if part)
    host = quote(known["HOST"], safe="") + (f":{known['PORT']}" if known["PORT"] else "")
    return f"postgres://{user}@{host}/{known['NAME']}"


def give_many(number: int, first: int) -> None:
    """Store answers that fall in many places, so that folding them takes a while."""
    add_responses(
        an_answer(
            key=f"many {n}",
            value=n % 11,
            answered_at=NOW - timedelta(days=n % 365),
            channel=["email", "web", "phone", "sms", ""][n % 5],
            reason=["fun", "effort", "easy", ""][n % 4],
        )
        for n in range(first, first + number)
    )


def test_folders_killed_in_the_middle_lose_nothing_and_count_nothing_twice(folders):
    random = Random(20261124)
    in_the_middle = 0
    for turn in range(5):
        give_many(600, first=turn * 600)
        folders.begin()
        time.sleep(random.uniform(0, 0.01))
        in_the_middle += folders.kill()
        check_counts()
    assert in_the_middle
    tallies.fold_all()
    check_folded()


@pytest.mark.postgres
def test_a_folder_killed_between_deleting_changes_and_adding_them_up(folders):
    """It waits for a tally that is locked here: the changes are deleted, the sums not written."""
    add_responses([an_answer()])
    tallies.fold_all()
    add_responses([an_answer()])
    with transaction.atomic():
        assert len(Tally.objects.select_for_update()) == 7
        folders.begin()
        wait_for(somebody_waits_for_a_lock)
        assert folders.kill()
    check_counts()
    assert ResponseChange.objects.count() == 1
    tallies.fold_all()
    check_folded()


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
