"""What runs when: every job looks for rows that wait, so it may come late, twice or never."""

import logging
from collections.abc import Callable
from datetime import datetime, time

from celery import Task, shared_task
from django.utils import timezone

from customers import invalidations, letters, own_links
from customers.tasks import (
    expire_contacts,
    expire_unconfirmed,
    label_customers,
    record_endings,
    verify_ledger,
)
from feedback.tasks import fold
from insights import importing, keeping, requests, services
from insights.models import NightlyRun
from insights.organisation import mail_sender
from mailings import lists, picking, sending
from mailings.tasks import reserve_lists

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


@shared_task(name="imports", time_limit=3600)
def run_imports() -> None:
    """Read the uploaded file whose turn it is; the bell rings again when there is another."""
    importing.tidy_imports(timezone.now())
    job = importing.claim_import(timezone.now())
    if job is not None:
        importing.run_import_job(job, timezone.now)


@shared_task(name="letters", time_limit=600)
def send_letters() -> None:
    """Send the letters about permission and data that wait."""
    own_links.mail_asked_links(timezone.now())
    letters.send_due(mail_sender(), timezone.now())


@shared_task(name="send_mailings", time_limit=600)
def send_mailings() -> None:
    """Send what waits of the mailings that go from here, for half a minute at most."""
    sending.send_due(mail_sender(), timezone.now(), timezone.now)


@shared_task(name="data_requests", time_limit=600)
def carry_out_requests() -> None:
    """Do what people asked about their data on their own pages."""
    requests.carry_out_own(timezone.now())


@shared_task(name="retention", time_limit=3600)
def retention() -> None:
    """Delete what was kept long enough."""
    keeping.tidy(timezone.now())


@shared_task(name="invalidate", time_limit=3600)
def invalidate() -> None:
    """Carry out the faulty batches that were approved."""
    invalidations.carry_out_due(timezone.now())


@shared_task(name="count_picks", time_limit=3600)
def count_picks() -> None:
    """Count anew what goes with what customers bought."""
    picking.count_picks(timezone.now())


NIGHTLY: dict[str, Task] = {
    "customer_types": label_customers,
    "unconfirmed": expire_unconfirmed,
    "verify_ledger": verify_ledger,
    "permission_endings": record_endings,
    "contact_endings": expire_contacts,
    "count_picks": count_picks,
    "freeze_periods": freeze_periods,
    "retention": retention,
}


@shared_task(name="sweep", time_limit=3600)
def sweep(kind: str = "") -> None:
    """Do all work of a kind that is due; without a kind, everything."""
    failed = failed_jobs(kind, timezone.now())
    if failed:
        raise RuntimeError(f"failed: {', '.join(failed)}")


def failed_jobs(kind: str, now: datetime) -> list[str]:
    """Run what is due one by one; return the names of the jobs that failed."""
    return [job.name for job in due_jobs(kind, now) if not succeeds(job, now)]


def due_jobs(kind: str, now: datetime) -> list[Task]:
    """Return the jobs that look for rows of this kind, in the order they must run."""
    jobs: dict[str, Callable[[], list[Task]]] = {
        "answers": lambda: [fold, compute_kpis],
        "requests": lambda: [carry_out_requests] if requests.any_due() else [],
        "letters": lambda: [send_letters] if letters.any_due(now) else [],
        "invalidations": lambda: [invalidate] if invalidations.any_due() else [],
        "mailings": lambda: _due_mailings(now),
        "nightly": lambda: _due_tonight(now),
        # Last, because one may take minutes: the jobs before it never wait for it.
        "imports": lambda: _due_imports(now),
    }
    if kind:
        return jobs[kind]()
    return [job for due in jobs.values() for job in due()]


def succeeds(job: Task, now: datetime) -> bool:
    """Run one job here; the neighbours of a failing job still get their turn.

    A nightly job is done for the day it was due on, also when it ends after midnight.
    """
    result = job.apply()
    if result.failed():
        logger.error("job_failed name=%s error=%s", job.name, type(result.result).__name__)
        return False
    if job.name in NIGHTLY:
        NightlyRun.objects.get_or_create(
            job=job.name, on=_local(now).date(), defaults={"done_at": timezone.now()}
        )
    return True


def _due_mailings(now: datetime) -> list[Task]:
    jobs = ((reserve_lists, lists.any_due(now)), (send_mailings, sending.any_due(now)))
    return [job for job, is_due in jobs if is_due]


def _due_tonight(now: datetime) -> list[Task]:
    """Return the nightly jobs not done since three o'clock, also when the machine slept then."""
    local = _local(now)
    if local.time() < NIGHT:
        return []
    done = set(NightlyRun.objects.filter(on=local.date()).values_list("job", flat=True))
    return [job for name, job in NIGHTLY.items() if name not in done]


def _due_imports(now: datetime) -> list[Task]:
    return [run_imports] if importing.any_due(now) else []


def _local(now: datetime) -> datetime:
    return timezone.localtime(now, timezone.get_default_timezone())
