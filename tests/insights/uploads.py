"""Uploaded files for tests, from the words in them to a job that waits."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.mapping import Mapping
from insights import importing
from insights.importing import IMPORTERS, Plan
from insights.models import ImportJob
from tests.makers import NOW


class Ticking:
    """A clock that is two seconds further each time it is read."""

    def __init__(self, start=NOW, then=lambda: None) -> None:
        self.now = start
        self.then = then

    def __call__(self):
        self.now += timedelta(seconds=2)
        self.then()
        return self.now


def make_uploader() -> User:
    return User.objects.get_or_create(username="noor", first_name="Noor Demo")[0]


def make_draft(content: str | bytes, kind: str = "customers", name: str = "f.csv") -> ImportJob:
    data = content if isinstance(content, bytes) else content.encode()
    return importing.create_import(
        kind=kind, upload=SimpleUploadedFile(name, data), user=make_uploader(), now=NOW
    )


def plan_of(job: ImportJob, **given) -> Plan:
    """A plan for a file whose columns are named after the fields."""
    with job.file.open("rb") as file:
        headers = file.readline().decode().strip().split(",")
    fields = {name: name for name in IMPORTERS[job.kind].fields if name in headers}
    constants, recodes = given.pop("constants", {}), given.pop("recodes", {})
    mapping = Mapping(fields, constants, recodes)
    return Plan(mapping, **{"time_zone": "Europe/Amsterdam"} | given)


def make_queued(content: str | bytes, kind: str = "customers", **given) -> ImportJob:
    job = make_draft(content, kind)
    importing.save_plan(job.pk, plan_of(job, **given))
    importing.queue_import(job.pk)
    job.refresh_from_db()
    return job


def run(content: str | bytes, kind: str = "customers", **given) -> ImportJob:
    """Import a file from its upload to its end."""
    make_queued(content, kind, **given)
    job = importing.claim_import(NOW)
    importing.run_import_job(job, Ticking())
    job.refresh_from_db()
    return job
