"""A real worker at a real broker: the clock rings, and counts and KPIs follow by themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from insights.supervisor import die_with_parent
from tests.installations import BASE_DIR, install, manage, run

pytestmark = pytest.mark.broker

WITHIN_SECONDS = 60

# The second one is a retry, which changes nothing.
ANSWER = """
from django.utils import timezone
from feedback.models import ResponseChange
from feedback.services import Answer, submit_response
answer = Answer(key={key!r}, scale="nps", value=9, answered_at=timezone.now())
print(submit_response(answer)[1], submit_response(answer)[1], {after})
"""
# A beat is a clock and nothing more: this is what it sends, every ten seconds and every minute.
BEAT = """
from insights.celery import app
entry = app.conf.beat_schedule[{entry!r}]
app.send_task(entry["task"], args=entry.get("args", ()))
"""
# Changes that wait for the fold, slices that wait for their KPIs, and the answers counted.
LOOK = """
import json
from django.db.models import Sum
from feedback.models import TouchedSlice
from insights.models import KpiSnapshot
from insights.queries import job_overview
found = job_overview()
wholes = KpiSnapshot.objects.filter(kpi="nps", period="day", dimension="")
answers = wholes.aggregate(n=Sum("n"))["n"]
print(json.dumps({
    "counts": [found.waiting_changes, TouchedSlice.objects.count(), answers],
    "jobs": {run.name: run.succeeded for run in found.runs},
}))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> dict[str, str]:
    environment = install(tmp_path_factory.mktemp("worker") / "var", "worker_test")
    return {**environment, "REDIS_URL": os.environ["REDIS_URL"]}


@contextmanager
def working(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """A worker as `serve` starts it, until the block ends."""
    root = "ignore:You're running the worker with superuser"
    command = [sys.executable, "-W", root, "-m", "celery", "--quiet", "--app=insights.celery"]
    options = ["--concurrency=1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*command, "worker", "--loglevel=WARNING", *options],
            cwd=BASE_DIR,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (one thread)
        )
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(WITHIN_SECONDS)


def look_until_counted(environment: dict[str, str], answers: int) -> dict[str, object]:
    """Look until so many answers are counted, or for long enough; return the last look."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        found = json.loads(run(environment, LOOK))
        if found["counts"] == [0, 0, answers] or time.monotonic() > deadline:
            return found


def test_an_answer_is_counted_when_the_clock_rings(shop, tmp_path):
    log = tmp_path / "log"
    with working(shop, log) as worker:
        assert run(shop, ANSWER.format(key="first", after="''")) == "True False \n"
        run(shop, BEAT.format(entry="count answers"))
        found = look_until_counted(shop, 1)
        assert found["counts"] == [0, 0, 1], log.read_text()
        assert found["jobs"].items() >= {"sweep": True, "fold": True, "compute_kpis": True}.items()
    assert worker.returncode == 0
    assert "Traceback" not in log.read_text()


def test_without_a_broker_an_answer_is_taken_and_found_by_the_next_message(shop, tmp_path):
    nowhere = {**shop, "REDIS_URL": f"redis+socket://{tmp_path}/nobody.sock"}
    code = ANSWER.format(key="second", after="ResponseChange.objects.count()")
    taken = manage(nowhere, "shell", "--no-imports", "-c", code)
    # Nobody is rung for an answer, so nobody is missed.
    assert (taken.returncode, taken.stdout, taken.stderr) == (0, "True False 1\n", "")

    log = tmp_path / "log"
    run(shop, BEAT.format(entry="everything due"))
    with working(shop, log):
        found = look_until_counted(shop, 2)
        assert found["counts"] == [0, 0, 2], log.read_text()
        assert set(found["jobs"].values()) == {True}
