"""What runs when: every job looks for rows that wait, so it may come late, twice or never."""

import logging
from collections.abc import Callable
from datetime import time

from celery import Task, shared_task
from django.utils import timezone

from customers.tasks import label_customers
from feedback.tasks import fold
from insights import services
from insights.models import NightlyRun

logger = logging.getLogger(__name__)

# The night starts when the day before has surely ended everywhere in the shop.
NIGHT = time(3, 0)


@shared_task(name="compute_kpis", time_limit=3600)
def compute_kpis() -> None:
    """Bring the KPIs of touched slices up to date."""
    services.compute_kpis(timezone.now())


@shared_task(name="freeze_periods", time_limit=3600)
def freeze_periods() -> None:
    """Freeze the KPIs of closed periods."""
    services.freeze_periods(timezone.now())


NIGHTLY: dict[str, Task] = {"customer_types": label_customers, "freeze_periods": freeze_periods}


@shared_task(name="sweep", time_limit=3600)
def sweep(kind: str = "") -> None:
    """Do all work of a kind that is due; without a kind, everything."""
    failed = [job.name for job in due_jobs(kind) if not succeeds(job)]
    if failed:
        raise RuntimeError(f"failed: {', '.join(failed)}")


def due_jobs(kind: str) -> list[Task]:
    """Return the jobs that look for rows of this kind, in the order they must run."""
    jobs: dict[str, Callable[[], list[Task]]] = {
        "answers": lambda: [fold, compute_kpis],
        "nightly": _due_tonight,
    }
    if kind:
        return jobs[kind]()
    return [job for due in jobs.values() for job in due()]


def succeeds(job: Task) -> bool:
    """Run one job here and now; the neighbours of a failing job still get their turn."""
    result = job.apply()
    if result.failed():
        logger.error("job_failed name=%s error=%s", job.name, type(result.result).__name__)
        return False
    if job.name in NIGHTLY:
        NightlyRun.objects.get_or_create(
            job=job.name, on=timezone.localdate(), defaults={"done_at": timezone.now()}
        )
    return True


def _due_tonight() -> list[Task]:
    """Return the nightly jobs not done since three o'clock, also when the machine slept then."""
    now = timezone.localtime()
    if now.time() < NIGHT:
        return []
    done = set(NightlyRun.objects.filter(on=now.date()).values_list("job", flat=True))
    return [job for name, job in NIGHTLY.items() if name not in done]
