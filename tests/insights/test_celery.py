"""How jobs are run: the settings of the design, what rings when, and what is noted of each run."""

import pytest
from celery.schedules import schedule

from insights.celery import app
from insights.models import JobRun
from insights.tasks import compute_kpis, sweep

# Each of these was measured to lose or repeat work when it is set otherwise.
SETTINGS = {
    "task_ignore_result": True,
    "result_backend": None,
    "task_acks_late": True,
    "task_reject_on_worker_lost": False,
    "task_publish_retry": False,
    "task_time_limit": 120,
    "task_serializer": "json",
    "accept_content": ["json"],
    "event_serializer": "json",
    "worker_prefetch_multiplier": 1,
    "worker_soft_shutdown_timeout": 20,
    "worker_enable_soft_shutdown_on_idle": True,
    "broker_transport_options": {
        "visibility_timeout": 300,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    },
    "enable_utc": True,
    "timezone": "UTC",
}

OURS = {"sweep", "fold", "compute_kpis", "freeze_periods", "customer_types"}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_setting_of_the_design(name):
    found = app.conf[name]
    assert (list(found) if isinstance(SETTINGS[name], list) else found) == SETTINGS[name]


def test_beat_only_rings_the_sweeper():
    rung = {
        (entry["task"], entry.get("args", ()), schedule(entry["schedule"]).seconds)
        for entry in app.conf.beat_schedule.values()
    }
    assert rung == {("sweep", ("answers",), 10.0), ("sweep", (), 60.0)}


def test_every_job_has_a_name_of_its_own_and_none_waits_for_another():
    app.loader.import_default_modules()
    tasks = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(tasks) >= OURS
    # Retries with a countdown, and results, would keep state in the broker.
    assert {name for name, task in tasks.items() if not task.ignore_result} == set()
    assert {name for name, task in tasks.items() if not task.acks_late} == set()


def test_messages_carry_names_and_nothing_else():
    """Whatever rings passes one word; a customer or an answer never goes through the broker."""
    assert sweep.run.__code__.co_varnames[: sweep.run.__code__.co_argcount] == ("kind",)


# -- What is noted of a run -------------------------------------------------------------------


@pytest.mark.django_db
def test_a_run_that_succeeds_is_noted():
    compute_kpis.apply()
    run = JobRun.objects.get(name="compute_kpis")
    assert (run.succeeded, run.error, run.runs, run.failures) == (True, "", 1, 0)
    assert run.started_at <= run.finished_at
    assert run.milliseconds == pytest.approx(
        (run.finished_at - run.started_at).total_seconds() * 1000, abs=1
    )


@pytest.mark.django_db
def test_a_run_that_fails_is_noted_with_the_kind_of_error_and_no_more():
    """An error's text may hold an address or an answer; its name does not."""

    @app.task(name="always fails", shared=False)
    def fails() -> None:
        raise ValueError("jan@example.org said 3")

    try:
        fails.apply()
        fails.apply()
    finally:
        del app.tasks["always fails"]
    run = JobRun.objects.get(name="always fails")
    assert (run.succeeded, run.error, run.runs, run.failures) == (False, "ValueError", 2, 2)


@pytest.mark.django_db
def test_a_job_that_recovers_keeps_the_number_of_its_failures():
    answers = iter([ZeroDivisionError(), None])

    @app.task(name="fails once", shared=False)
    def fails_once() -> None:
        error = next(answers)
        if error:
            raise error

    try:
        fails_once.apply()
        fails_once.apply()
    finally:
        del app.tasks["fails once"]
    run = JobRun.objects.get(name="fails once")
    assert (run.succeeded, run.error, run.runs, run.failures) == (True, "", 2, 1)
