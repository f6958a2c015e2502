"""Importing uploaded files: from the upload to the last row.

    draft → (approval →) queued → running → done | stopped

The rows of ImportJob are the queue. A worker claims the next one with one conditional update,
shows life while it reads, and is taken over when it was silent for two minutes: every import may
run twice, because rows that are there already change nothing. What is uploaded is deleted when its
import ends; the rejected rows stay for 30 days, to be corrected.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet

from customers.bell import ring_after_commit
from customers.consent_importer import ConsentImporter
from customers.contact_importer import ContactImporter
from customers.csv_rows import CsvReader, RejectsWriter, UnreadableFile
from customers.importers import CustomerImporter, ProductImporter, PurchaseImporter
from customers.imports import Importer, Options, Result, run_import
from customers.invalidations import WAIT_ALONE
from customers.mapping import Mapping as FieldMapping
from feedback.importers import ResponseImporter
from insights.accounts import is_alone
from insights.models import ImportJob
from mailings.report_importer import ReportImporter

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Status = ImportJob.Status

IMPORTERS: Mapping[str, type[Importer]] = {
    ImportJob.Kind.CUSTOMERS: CustomerImporter,
    ImportJob.Kind.PRODUCTS: ProductImporter,
    ImportJob.Kind.PURCHASES: PurchaseImporter,
    ImportJob.Kind.RESPONSES: ResponseImporter,
    ImportJob.Kind.CONSENTS: ConsentImporter,
    ImportJob.Kind.CONTACTS: ContactImporter,
    ImportJob.Kind.REPORTS: ReportImporter,
}

# A running import says at most once a second how far it is.
PULSE = timedelta(seconds=1)

# A running import that was silent for two minutes has lost its worker; another one takes it over.
SILENCE = timedelta(minutes=2)

# An import is tried three times; what fails three times fails a fourth time too.
MOST_ATTEMPTS = 3

# An upload that nobody starts, or approves, is thrown away after seven days.
DRAFT_DAYS = timedelta(days=7)

# The column `file_name` holds 200 characters.
NAME_CHARS = 200


# Why an import ended before its file did; anything else in `error` is the name of an exception.
BY_HAND = "by hand"
SILENT = "silent"


class NotADraft(ValueError):
    """Somebody started or discarded the import meanwhile."""

    def __init__(self, job_id: int) -> None:
        super().__init__(
            f"Import {job_id} is no draft any more, so it cannot be changed. Upload the file again."
        )


class NotMapped(ValueError):
    """Nobody has said yet which column is what."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"Import {job_id} has no columns chosen. Choose them, then start it.")


class NotYours(ValueError):
    """Somebody who started an import of permissions cannot approve it, or not yet."""

    def __init__(self, job_id: int) -> None:
        super().__init__(
            f"Import {job_id} was started by the same person. Let a colleague who looks after "
            "permissions approve it; whoever is the only one can do so after 24 hours."
        )


class _ClaimLost(Exception):
    """The import was stopped, or taken over by another worker."""


@dataclass(frozen=True)
class Plan:
    """How somebody wants a file to be read."""

    mapping: FieldMapping
    time_zone: str
    create_missing: bool = False

    def document(self) -> dict[str, Any]:
        return {
            **asdict(self.mapping),
            "time_zone": self.time_zone,
            "create_missing": self.create_missing,
        }

    @classmethod
    def of(cls, job: ImportJob) -> "Plan":
        """Return the plan of a job; raises NotMapped while there is none."""
        stored = job.options
        if not stored:
            raise NotMapped(job.pk)
        mapping = FieldMapping(stored["fields"], stored["constants"], stored["recodes"])
        return cls(mapping, stored["time_zone"], stored["create_missing"])

    def importer(
        self,
        kind: str,
        *,
        now: datetime,
        dry_run: bool = False,
        by: str = "",
        clock: Clock | None = None,
    ) -> Importer:
        options = Options(
            zone=ZoneInfo(self.time_zone),
            now=now,
            create_missing=self.create_missing,
            dry_run=dry_run,
            by=by,
            clock=clock,
        )
        return IMPORTERS[kind](options, self.mapping)


# -- By people ------------------------------------------------------------------------------------


def check_upload(upload: "File[bytes]") -> None:
    """Raise UnreadableFile for a file that has no readable line of column names."""
    upload.seek(0)
    CsvReader(cast(BinaryIO, upload.file))
    upload.seek(0)


def create_import(*, kind: str, upload: "File[bytes]", user: User, now: datetime) -> ImportJob:
    """Store an upload as a draft, under a name of ours: the sender's is shown and never a path."""
    job = ImportJob(kind=kind, file_name=_shown(upload.name), created_by=user, created_at=now)
    job.file.save(f"{uuid4().hex}.upload", upload, save=False)
    try:
        job.save(force_insert=True)
    except Exception:
        # Without a row nobody would ever delete it.
        job.file.delete(save=False)
        raise
    return job


def _shown(name: str | None) -> str:
    """Return the name of a file as a page can show it."""
    printable = "".join(char for char in name or "" if char.isprintable())
    return printable if len(printable) <= NAME_CHARS else f"{printable[: NAME_CHARS - 1]}…"


def save_plan(job_id: int, plan: Plan) -> None:
    """Remember how a draft is to be read; raises NotADraft."""
    changed = _drafts().filter(pk=job_id).update(options=plan.document())
    if not changed:
        raise NotADraft(job_id)


def queue_import(job_id: int) -> None:
    """Let the workers have a draft; raises NotADraft or NotMapped. A second time does nothing."""
    with transaction.atomic():
        ready = _drafts().filter(pk=job_id).exclude(options={})
        if not ready.update(status=Status.QUEUED):
            _refuse_to_queue(job_id)
        ring_after_commit("imports")


def ask_approval(job_id: int, *, user: User, now: datetime) -> None:
    """Let a second person look at a draft before it goes in; raises NotADraft or NotMapped.

    A second time does nothing: whoever started it stays the first.
    """
    ready = _drafts().filter(pk=job_id).exclude(options={})
    if not ready.update(status=Status.APPROVAL, started_by=user, started_at=now):
        _refuse_to_queue(job_id)


def approve_import(job_id: int, *, user: User, now: datetime) -> None:
    """Let the workers have an import that somebody else started; raises NotADraft or NotYours."""
    with transaction.atomic():
        job = ImportJob.objects.filter(pk=job_id, status=Status.APPROVAL).first()
        if job is None:
            raise NotADraft(job_id)
        if not may_approve(job, user, now):
            raise NotYours(job_id)
        waiting = ImportJob.objects.filter(pk=job_id, status=Status.APPROVAL)
        waiting.update(status=Status.QUEUED, approved_by=user)
        ring_after_commit("imports")


def may_approve(job: ImportJob, user: User, now: datetime) -> bool:
    """Say whether this colleague is the second pair of eyes, or alone and a day later."""
    if job.started_by_id != user.pk:
        return True
    since = alone_from(job)
    return since is not None and since <= now


def alone_from(job: ImportJob) -> datetime | None:
    """Return from when who started an import may approve it too; None where others can."""
    if job.started_by is None or job.started_at is None or not is_alone(job.started_by):
        return None
    return job.started_at + WAIT_ALONE


def _refuse_to_queue(job_id: int) -> None:
    job = ImportJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NotADraft(job_id)
    if job.status == Status.DRAFT:
        raise NotMapped(job_id)


def stop_import(job_id: int, now: datetime) -> bool:
    """End an import that waits or runs; the rows that are in stay. False if it had ended."""
    waiting = ImportJob.objects.filter(pk=job_id, status__in=[Status.QUEUED, Status.RUNNING])
    return _end(waiting, Status.STOPPED, now, error=BY_HAND)


def discard_import(job_id: int) -> bool:
    """Throw away what has not begun, with its file; False if it had."""
    unbegun = _unbegun().filter(pk=job_id)
    job = unbegun.first()
    if job is None or not unbegun.delete()[0]:
        return False
    job.file.delete(save=False)
    return True


def _drafts() -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(status=Status.DRAFT)


def _unbegun() -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(status__in=[Status.DRAFT, Status.APPROVAL])


# -- By a worker ----------------------------------------------------------------------------------


def any_due(now: datetime) -> bool:
    """Say whether a worker has anything to do here."""
    return any(jobs.exists() for jobs in (_due(now), _leftovers(), _forgotten(now), _stale(now)))


def claim_import(now: datetime) -> ImportJob | None:
    """Take the import whose turn it is, or None; only one worker gets it.

    One import runs at a time, so that a worker stays free for the answers that come in: those
    that lost their worker first, then the others in the order of their upload.
    """
    for job in _silent(now).filter(attempts__gte=MOST_ATTEMPTS):
        _end(_mine(job), Status.STOPPED, now, error=SILENT)
    turn = _due(now).order_by("pk").first()
    if turn is None:
        return None
    # The same condition again: of two workers that found this row, the second changes nothing.
    claimed = (
        _due(now)
        .filter(pk=turn.pk, status=turn.status, attempts=turn.attempts)
        .update(
            status=Status.RUNNING,
            claimed_at=now,
            heartbeat_at=now,
            attempts=F("attempts") + 1,
            percent=0,
            result=None,
            rejects="",
        )
    )
    return ImportJob.objects.get(pk=turn.pk) if claimed else None


def run_import_job(job: ImportJob, clock: Clock) -> None:
    """Read the file of a claimed job to its end, or to where it breaks; good rows stay.

    An unexpected error puts the job back into the queue, or ends it at the third attempt, and is
    raised again. A job that was stopped or taken over meanwhile is left alone.
    """
    try:
        result = _read(job, clock)
    except _ClaimLost:
        logger.info("import_claim_lost id=%s attempt=%s", job.pk, job.attempts)
        _drop_rejects(ImportJob.objects.get(pk=job.pk), [job.attempts])
        return
    except Exception as error:
        _release(job, type(error).__name__, clock())
        raise
    broken = result.stopped_at_line is not None
    _end(
        _mine(job),
        Status.STOPPED if broken else Status.DONE,
        clock(),
        result=result.document(),
        rejects=_rejects_name(job.pk, job.attempts) if result.rejected else "",
        **({} if broken else {"percent": 100}),
    )
    logger.info("import_ended id=%s read=%s rejected=%s", job.pk, result.read, result.rejected)


def tidy_imports(now: datetime) -> None:
    """Delete the uploads of ended imports, drafts that nobody started, and old rejected rows."""
    for job in _leftovers():
        _delete_upload(job)
    for job in _forgotten(now):
        discard_import(job.pk)
    for job in _stale(now):
        job.rejects.delete(save=False)
        ImportJob.objects.filter(pk=job.pk).update(rejects="")


def _read(job: ImportJob, clock: Clock) -> Result:
    by = str(job.started_by_id or job.created_by_id or "")
    importer = Plan.of(job).importer(job.kind, now=clock(), by=by, clock=clock)
    rejects_file = job.rejects.storage.path(_rejects_name(job.pk, job.attempts))
    try:
        with (
            CsvReader(job.file.path) as reader,
            RejectsWriter(rejects_file, reader.headers) as rejects,
        ):
            pulse = _Pulse(job, reader, clock)
            return run_import(reader, importer, rejects, progress=pulse.beat)
    except UnreadableFile as error:
        return Result(stopped_at_line=error.line, stopped_because=error.reason)


class _Pulse:
    """Writes down that a job lives and how far it is, and notices when it lost its claim."""

    def __init__(self, job: ImportJob, reader: CsvReader, clock: Clock) -> None:
        self._job = job
        self._reader = reader
        self._clock = clock
        self._last = clock()

    def beat(self, result: Result) -> None:
        now = self._clock()
        if now - self._last < PULSE:
            return
        self._last = now
        # The rejects are named before the end, so that they are there when somebody stops it.
        rejects = _rejects_name(self._job.pk, self._job.attempts) if result.rejected else ""
        alive = _mine(self._job).update(
            heartbeat_at=now, percent=self._percent(), result=result.document(), rejects=rejects
        )
        if not alive:
            raise _ClaimLost

    def _percent(self) -> int:
        """Return how much of the file was fetched; 100 is kept for the end."""
        size = self._reader.size or 1
        return min(99, self._reader.bytes_read * 100 // size)


def _rejects_name(job_id: int, attempt: int) -> str:
    """Return where an attempt writes its rejects: two attempts never write into one file."""
    return f"imports/{job_id}-{attempt}-rejects.csv"


def _release(job: ImportJob, error: str, now: datetime) -> None:
    """Put a job that failed back into the queue, or end it when it was tried often enough."""
    if job.attempts >= MOST_ATTEMPTS:
        _end(_mine(job), Status.STOPPED, now, error=error)
    else:
        _mine(job).update(status=Status.QUEUED, error=error)


def _end(jobs: QuerySet[ImportJob], status: str, now: datetime, **facts: Any) -> bool:
    """End the job that is still as `jobs` describes it; False if it is not."""
    job = jobs.first()
    if job is None or not jobs.update(
        **{"error": "", **facts, "status": status, "finished_at": now}
    ):
        return False
    job.refresh_from_db()
    _delete_upload(job)
    _drop_rejects(job, range(1, job.attempts + 1))
    # The next one in the queue may begin.
    ring_after_commit("imports")
    return True


def _delete_upload(job: ImportJob) -> None:
    """Delete the file first: when that is interrupted, the row still says what is left to do."""
    job.file.delete(save=False)
    ImportJob.objects.filter(pk=job.pk).update(file="")


def _drop_rejects(job: ImportJob, attempts: Iterable[int]) -> None:
    """Delete the rejects that these attempts wrote, but for those that the job shows."""
    for attempt in attempts:
        name = _rejects_name(job.pk, attempt)
        if name != job.rejects.name:
            job.rejects.storage.delete(name)


# -- Which imports --------------------------------------------------------------------------------


def _mine(job: ImportJob) -> QuerySet[ImportJob]:
    """The job as this worker claimed it: another claim counts one attempt more."""
    return ImportJob.objects.filter(pk=job.pk, status=Status.RUNNING, attempts=job.attempts)


def _silent(now: datetime) -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - SILENCE)


def _due(now: datetime) -> QuerySet[ImportJob]:
    """The imports that may be claimed: silent ones, and waiting ones while none runs."""
    running = Exists(ImportJob.objects.filter(status=Status.RUNNING))
    silent = Q(status=Status.RUNNING, heartbeat_at__lt=now - SILENCE)
    return ImportJob.objects.filter(silent | (Q(status=Status.QUEUED) & ~running))


def _leftovers() -> QuerySet[ImportJob]:
    """Imports that have ended and still have their upload."""
    return ImportJob.objects.filter(status__in=[Status.DONE, Status.STOPPED]).exclude(file="")


def _forgotten(now: datetime) -> QuerySet[ImportJob]:
    return _unbegun().filter(created_at__lt=now - DRAFT_DAYS)


def _stale(now: datetime) -> QuerySet[ImportJob]:
    """Imports whose rejected rows were kept long enough: they hold personal data."""
    limit = now - timedelta(days=settings.RETENTION_REJECTS_DAYS)
    return ImportJob.objects.filter(finished_at__lt=limit).exclude(rejects="")
