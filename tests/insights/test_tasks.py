"""What runs when: the order of jobs, their nights, and that once is as good as five times."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from customers.models import Customer, CustomerType
from feedback import tallies
from feedback.models import DayCube, ResponseChange, Tally, TouchedSlice
from feedback.services import edit_response
from insights.models import JobRun, KpiSnapshot, NightlyRun
from insights.tasks import NIGHTLY, due_jobs, failed_jobs, succeeds, sweep
from tests.insights.makers import (
    NOW,
    TODAY,
    answer,
    ask,
    give,
    local,
    make_category,
    make_customer,
)

EACH_NIGHT = [
    "customer_types",
    "unconfirmed",
    "verify_ledger",
    "permission_endings",
    "contact_endings",
    "count_picks",
    "freeze_periods",
    "retention",
]


def names(kind: str, now: datetime = NOW) -> list[str]:
    return [job.name for job in due_jobs(kind, now)]


def poison() -> TouchedSlice:
    """A row that compute_kpis trips over: of a measure that nobody knows."""
    return TouchedSlice.objects.create(dimension="", key="", measure="mood", day=TODAY)


# -- What is due -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_answers_are_folded_before_their_kpis_are_computed():
    assert names("answers") == ["fold", "compute_kpis"]


@pytest.mark.django_db
def test_everything_is_counted_before_periods_are_frozen():
    assert names("") == ["fold", "compute_kpis", *EACH_NIGHT]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(local(TODAY, 0, 0), [], id="midnight"),
        pytest.param(local(TODAY, 2, 59), [], id="before three"),
        pytest.param(local(TODAY, 3, 0), EACH_NIGHT, id="three o'clock"),
        pytest.param(local(TODAY, 23, 59), EACH_NIGHT, id="late, as the machine slept"),
        pytest.param(datetime(2026, 11, 24, 1, 59, tzinfo=UTC), [], id="02:59 in Amsterdam"),
        pytest.param(datetime(2026, 11, 24, 2, 0, tzinfo=UTC), EACH_NIGHT, id="03:00 in Amsterdam"),
        pytest.param(
            datetime(2026, 3, 29, 1, 0, tzinfo=UTC), EACH_NIGHT, id="the night that has no 02:30"
        ),
        pytest.param(
            datetime(2026, 10, 25, 1, 59, tzinfo=UTC), [], id="the second 02:59 of a night"
        ),
    ],
)
def test_the_night_starts_at_three_on_the_clock_of_the_shop(now, due):
    assert names("nightly", now) == due


@pytest.mark.django_db
def test_a_nightly_job_runs_once_a_day():
    ran = []
    for hour in range(48):
        now = local(TODAY, 0) + timedelta(hours=hour)
        for job in due_jobs("nightly", now):
            assert succeeds(job, now)
            ran.append((job.name, now))
    assert ran == [
        (name, local(day, 3)) for day in (TODAY, TODAY + timedelta(1)) for name in EACH_NIGHT
    ]
    assert NightlyRun.objects.count() == 2 * len(EACH_NIGHT)


@pytest.mark.django_db
def test_nights_the_machine_slept_through_are_made_up_for_once():
    failed_jobs("nightly", local(TODAY, 3))
    back = local(TODAY + timedelta(days=4), 10, 30)
    assert names("nightly", back) == EACH_NIGHT
    failed_jobs("nightly", back)
    assert names("nightly", back + timedelta(minutes=1)) == []
    assert set(NightlyRun.objects.values_list("on", flat=True)) == {
        TODAY,
        TODAY + timedelta(days=4),
    }


@pytest.mark.django_db
def test_a_job_that_was_due_before_midnight_leaves_the_next_night_due():
    """It may end after midnight; that does not make it the one of the next day."""
    late = local(TODAY, 23, 59)
    assert succeeds(NIGHTLY["freeze_periods"], late)
    assert NightlyRun.objects.get().on == TODAY
    assert names("nightly", local(TODAY + timedelta(days=1), 3)) == EACH_NIGHT


@pytest.mark.django_db
def test_two_sweeps_in_the_same_night_note_one_run():
    for _ in range(2):
        assert succeeds(NIGHTLY["freeze_periods"], NOW)
    assert NightlyRun.objects.count() == 1


def test_nightly_jobs_are_known_by_the_names_of_their_tasks():
    assert {name: job.name for name, job in NIGHTLY.items()} == {name: name for name in EACH_NIGHT}


# -- Failures ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_neighbours_of_a_failing_job_run():
    poison()
    give("nps", [9])
    # Freezing computes first, so it fails with it.
    assert failed_jobs("", NOW) == ["compute_kpis", "freeze_periods"]
    assert not ResponseChange.objects.exists()
    assert {run.name: run.succeeded for run in JobRun.objects.all()} == {
        "fold": True,
        "compute_kpis": False,
        "customer_types": True,
        "unconfirmed": True,
        "verify_ledger": True,
        "permission_endings": True,
        "contact_endings": True,
        "count_picks": True,
        "freeze_periods": False,
        "retention": True,
    }


@pytest.mark.django_db
def test_a_nightly_job_that_failed_is_still_due():
    row = poison()
    failed_jobs("", NOW)
    assert names("nightly") == ["freeze_periods"]
    row.delete()
    assert failed_jobs("", NOW) == []
    assert names("nightly") == []


@pytest.mark.django_db
def test_a_sweep_with_a_failing_job_fails_and_names_it():
    poison()
    result = sweep.apply(args=("answers",))
    assert result.failed()
    assert str(result.result) == "failed: compute_kpis"
    run = JobRun.objects.get(name="sweep")
    assert (run.succeeded, run.error) == (False, "RuntimeError")


@pytest.mark.django_db
def test_a_sweep_for_answers_leaves_the_night_alone():
    give("nps", [9])
    assert sweep.apply(args=("answers",)).successful()
    assert set(JobRun.objects.values_list("name", flat=True)) == {"fold", "compute_kpis", "sweep"}
    assert KpiSnapshot.objects.filter(dimension="").count() == 3


# -- Once, twice, shuffled -----------------------------------------------------------


def fill() -> None:
    """Some months of a small shop up to today, as jobs read the clock; the last answer waits."""
    today = timezone.localdate()
    category = make_category("A")
    buyer = make_customer(created_at=local(date(2026, 3, 3)), customer_type=CustomerType.REGULAR)
    for days_ago in (0, 1, 3, 30, 120):
        on = today - timedelta(days=days_ago)
        give("nps", [9, 8, 3], on=on, category=category, channel="web", customer=buyer)
        answer(ask(3, on=on, category=category)[:1])
    tallies.fold_all()
    [changed] = give("nps", [9], on=today)
    edit_response(response_id=changed.pk, value=2, now=NOW)


def state() -> dict[str, list]:
    """All that the jobs keep, without the moments at which they looked."""
    snapshots = KpiSnapshot.objects.order_by("kpi", "period", "start_on", "dimension", "key")
    return {
        "snapshots": [
            (str(row), row.counts, row.n, bool(row.frozen_at), row.corrected_counts)
            for row in snapshots
        ],
        "tallies": sorted(
            Tally.objects.exclude(n=0).values_list(
                "dimension", "key", "measure", "day", "value", "n"
            )
        ),
        "cube": sorted(DayCube.objects.exclude(n=0).values_list("measure", "day", "value", "n")),
        "waiting": [ResponseChange.objects.count(), TouchedSlice.objects.count()],
        "customers": list(
            Customer.objects.order_by("pk").values_list("customer_type", "lower_type_since")
        ),
    }


@pytest.mark.django_db
def test_every_job_twice_is_as_good_as_once():
    fill()
    assert failed_jobs("", NOW) == []
    once = state()
    assert once["waiting"] == [0, 0]
    NightlyRun.objects.all().delete()
    assert failed_jobs("", NOW) == []
    assert state() == once


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_jobs_that_come_twice_and_shuffled_end_in_the_same_state(seed):
    fill()
    with transaction.atomic():
        assert failed_jobs("", NOW) == []
        in_order = state()
        transaction.set_rollback(True)

    jobs = due_jobs("", NOW)
    for job in random.Random(seed).sample(jobs * 3, k=3 * len(jobs)):
        assert succeeds(job, NOW)
    # What came before the fold found nothing to do; the next sweep does it.
    assert failed_jobs("answers", NOW) == []
    assert state() == in_order
