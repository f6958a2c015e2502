"""The Celery application: what rings when, and a record of how each job went.

Work waits as rows in the database; a message only says "look now". So every message may be
lost or come twice, and none carries more than the name of what to look at.
"""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import task_failure, task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "insights.settings")

app = Celery("insights")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "count answers": {"task": "sweep", "schedule": 10.0, "args": ("answers",)},
    "everything due": {"task": "sweep", "schedule": 60.0},
}

_started: dict[str, float] = {}


@task_prerun.connect
def note_start(task_id: str, **_: Any) -> None:
    _started[task_id] = time.monotonic()


@task_failure.connect
def note_failure(task_id: str, exception: BaseException, sender: Any, **_: Any) -> None:
    from insights.services import record_job  # noqa: PLC0415  (apps are not loaded yet above)

    elapsed = time.monotonic() - _started.get(task_id, time.monotonic())
    record_job(name=sender.name, seconds=elapsed, error=type(exception).__name__)


@task_postrun.connect
def note_end(task_id: str, task: Any, state: str | None, **_: Any) -> None:
    from insights.services import record_job  # noqa: PLC0415

    elapsed = time.monotonic() - _started.pop(task_id, time.monotonic())
    if state == "SUCCESS":
        record_job(name=task.name, seconds=elapsed, error="")
