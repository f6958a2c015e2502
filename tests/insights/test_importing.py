"""The way of an uploaded file: who may have it, what is kept, and what happens when it breaks."""

import csv
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection

from customers.models import Customer, Product, Purchase
from feedback.models import Response
from insights import import_words, importing
from insights import settings as project
from insights.import_columns import NAMES, guess_columns
from insights.importing import IMPORTERS, NotADraft, NotMapped, Plan
from insights.models import ImportJob
from insights.tasks import due_jobs, run_imports, sweep
from tests.insights.uploads import Ticking, make_draft, make_queued, make_uploader, plan_of, run
from tests.makers import NOW

pytestmark = pytest.mark.django_db

Status = ImportJob.Status
CUSTOMERS = "reference,name\nK1,Ada\nK2,Bob\n"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def files(media: Path) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


def counts(job: ImportJob) -> tuple[int, ...]:
    return tuple(job.result[k] for k in ("read", "created", "updated", "unchanged", "rejected"))


# -- What an upload becomes -----------------------------------------------------------------------


def test_every_kind_has_an_importer_with_names_and_words_for_its_fields():
    kinds = set(ImportJob.Kind.values)
    assert set(IMPORTERS) == set(NAMES) == set(import_words.TEXTS) == kinds
    assert set(import_words.CONSTANTS) == kinds
    for kind, importer in IMPORTERS.items():
        assert importer.kind == kind
        assert set(importer.fields) == set(NAMES[kind]) == set(import_words.TEXTS[kind])
        assert set(import_words.CONSTANTS[kind]) <= set(importer.fields)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "/etc/passwd", "..\\..\\boot.ini", "a\0b"]
)
def test_the_name_of_the_sender_is_shown_and_never_a_path(media, name):
    job = make_draft(CUSTOMERS, name=name)
    assert not {"/", "\0"} & set(job.file_name)
    assert Path(job.file.path).parent == media / "imports"
    assert Path(job.file.name).suffix == ".upload"


def test_a_long_name_is_shortened():
    job = make_draft(CUSTOMERS, name="n" * 250 + ".csv")
    assert len(job.file_name) == 200


def test_uploads_lie_in_the_private_directory_and_no_address_leads_there():
    assert project.MEDIA_ROOT.is_relative_to(project.VAR_DIR)
    assert not hasattr(project, "MEDIA_URL")


def test_a_plan_is_kept_as_it_was_made():
    job = make_draft(CUSTOMERS)
    plan = plan_of(job, create_missing=True, recodes={"name": {"-": ""}})
    importing.save_plan(job.pk, plan)
    job.refresh_from_db()
    assert Plan.of(job) == plan


def test_an_import_without_a_plan_does_not_start():
    job = make_draft(CUSTOMERS)
    with pytest.raises(NotMapped, match="no columns chosen"):
        importing.queue_import(job.pk)


def test_starting_twice_starts_once():
    job = make_queued(CUSTOMERS)
    importing.queue_import(job.pk)
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_what_has_started_is_not_changed():
    job = make_queued(CUSTOMERS)
    with pytest.raises(NotADraft, match="no draft any more"):
        importing.save_plan(job.pk, plan_of(job))


def test_what_is_not_there_does_not_start():
    with pytest.raises(NotADraft):
        importing.queue_import(404)


def test_a_draft_is_thrown_away_with_its_file(media):
    job = make_draft(CUSTOMERS)
    assert importing.discard_import(job.pk) is True
    assert importing.discard_import(job.pk) is False
    assert (ImportJob.objects.count(), files(media)) == (0, [])


def test_what_has_started_is_not_thrown_away(media):
    job = make_queued(CUSTOMERS)
    assert importing.discard_import(job.pk) is False
    assert len(files(media)) == 1


# -- Whose turn it is -----------------------------------------------------------------------------


def test_a_claim_shows_life_and_counts_as_an_attempt():
    make_queued(CUSTOMERS)
    job = importing.claim_import(NOW)
    assert (job.status, job.attempts, job.percent) == (Status.RUNNING, 1, 0)
    assert job.claimed_at == job.heartbeat_at == NOW


def test_drafts_and_imports_that_ended_are_not_claimed():
    make_draft(CUSTOMERS)
    run(CUSTOMERS)
    assert importing.claim_import(NOW + timedelta(days=1)) is None


def test_the_oldest_upload_goes_first_and_one_runs_at_a_time():
    first, second = make_queued(CUSTOMERS), make_queued(CUSTOMERS)
    claimed = importing.claim_import(NOW)
    assert claimed.pk == first.pk
    assert importing.claim_import(NOW) is None
    importing.run_import_job(claimed, Ticking())
    assert importing.claim_import(NOW).pk == second.pk


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_workers_one_gets_the_import():
    make_queued(CUSTOMERS)
    together = threading.Barrier(6)
    claimed = []

    def claim() -> None:
        together.wait()
        claimed.append(importing.claim_import(NOW))
        connection.close()

    workers = [threading.Thread(target=claim) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(claimed) == 6
    assert sum(job is not None for job in claimed) == 1
    assert ImportJob.objects.get().attempts == 1


@pytest.mark.parametrize(
    ("silent", "taken"),
    [(importing.SILENCE, False), (importing.SILENCE + SECOND, True)],
    ids=["two minutes", "longer"],
)
def test_a_worker_that_was_silent_for_longer_than_two_minutes_is_replaced(silent, taken):
    make_queued(CUSTOMERS)
    importing.claim_import(NOW)
    job = importing.claim_import(NOW + silent)
    assert (job is not None) is taken
    assert ImportJob.objects.get().attempts == (2 if taken else 1)


def test_a_silent_import_goes_before_those_that_wait():
    waiting = make_queued(CUSTOMERS)
    silent = make_queued(CUSTOMERS)
    ImportJob.objects.filter(pk=silent.pk).update(
        status=Status.RUNNING, attempts=1, heartbeat_at=NOW - timedelta(minutes=3)
    )
    assert importing.claim_import(NOW).pk == silent.pk
    assert ImportJob.objects.get(pk=waiting.pk).status == Status.QUEUED


def test_a_worker_that_comes_back_to_life_leaves_the_import_to_its_successor(media):
    make_queued("reference,name\nK1,Ada\n,Nobody\n")
    late = importing.claim_import(NOW)
    successor = importing.claim_import(NOW + timedelta(minutes=3))
    importing.run_import_job(late, Ticking(NOW + timedelta(minutes=3)))
    job = ImportJob.objects.get()
    assert (job.status, job.attempts, job.result) == (Status.RUNNING, 2, None)
    assert [name for name in files(media) if "rejects" in name] == []
    importing.run_import_job(successor, Ticking(NOW + timedelta(minutes=3)))
    job.refresh_from_db()
    assert (job.status, counts(job)) == (Status.DONE, (2, 0, 0, 1, 1))
    assert files(media) == [f"{job.pk}-2-rejects.csv"]


def test_the_third_silence_is_the_last(media):
    make_queued(CUSTOMERS)
    now = NOW
    for _ in range(importing.MOST_ATTEMPTS):
        assert importing.claim_import(now) is not None
        now += importing.SILENCE + SECOND
    assert importing.claim_import(now) is None
    job = ImportJob.objects.get()
    assert (job.status, job.error, job.attempts) == (Status.STOPPED, importing.SILENT, 3)
    assert (job.finished_at, files(media)) == (now, [])


# -- Reading --------------------------------------------------------------------------------------


def test_the_rows_go_in_and_the_upload_is_deleted(media):
    job = run(CUSTOMERS)
    assert list(Customer.objects.order_by("pk").values_list("reference", "name")) == [
        ("K1", "Ada"),
        ("K2", "Bob"),
    ]
    assert (job.status, job.percent, job.error) == (Status.DONE, 100, "")
    assert counts(job) == (2, 2, 0, 0, 0)
    assert job.finished_at > NOW
    assert (job.file.name, job.rejects.name, files(media)) == ("", "", [])


def test_the_same_file_again_changes_nothing():
    run(CUSTOMERS)
    assert counts(run(CUSTOMERS)) == (2, 0, 0, 2, 0)


def test_every_kind_goes_in():
    run(CUSTOMERS)
    run("sku,name,category\nP1,Mug,Kitchen\n", "products", create_missing=True)
    run("customer,product,purchased_at\nK1,p1,2026-05-01 12:00\n", "purchases")
    run(
        "value,answered_at\n1,2026-05-02\n-1,2026-05-03\n",
        "responses",
        constants={"scale": "thumb", "touchpoint": "Chat"},
        recodes={"value": {"-1": "0"}},
        create_missing=True,
    )
    assert [Product.objects.get().sku, Purchase.objects.get().product.sku] == ["P1", "P1"]
    answers = Response.objects.order_by("value").values_list("value", "touchpoint__name")
    assert list(answers) == [(0, "Chat"), (1, "Chat")]


def test_times_are_read_in_the_zone_of_the_file():
    run("reference,created_at\nK1,2026-01-01 12:00\n", time_zone="Asia/Tokyo")
    assert Customer.objects.get().created_at.isoformat() == "2026-01-01T03:00:00+00:00"


def test_rejected_rows_can_be_corrected_and_no_spreadsheet_runs_them(media):
    job = run('reference,name,email\nK1,Ada,ada@\n,"=HYPERLINK(""http://x"")",-100\nK3,Cy,\n')
    assert counts(job) == (3, 1, 0, 0, 2)
    with job.rejects.open("r") as file:
        header, first, second = csv.reader(file)
    assert header == ["line", "field", "reason", "reference", "name", "email"]
    assert (first[:2], first[3:]) == (["2", "email"], ["K1", "Ada", "ada@"])
    assert "not an e-mail address" in first[2]
    assert second[3:] == ["", '\'=HYPERLINK("http://x")', "-100"]
    assert files(media) == [f"{job.pk}-1-rejects.csv"]


def test_a_file_that_breaks_in_the_middle_keeps_its_good_rows(media):
    job = run('reference,name\nK1,Ada\nK2,"never closed\n')
    assert (job.status, job.error) == (Status.STOPPED, "")
    assert job.result["stopped_at_line"] == 3
    assert job.percent < 100
    assert "a quote opens a cell" in job.result["stopped_because"]
    assert list(Customer.objects.values_list("reference", flat=True)) == ["K1"]
    assert files(media) == []


def test_a_header_that_broke_after_the_upload_stops_the_import():
    job = make_queued(CUSTOMERS)
    Path(job.file.path).write_bytes(b"\0\0\0")
    importing.run_import_job(importing.claim_import(NOW), Ticking())
    job.refresh_from_db()
    assert (job.status, job.result["stopped_at_line"]) == (Status.STOPPED, 1)


def test_it_says_how_far_it_is():
    """Three batches of a file that is fetched in blocks of 64 KiB."""
    make_queued("reference,name\n" + "".join(f"K{n},{'x' * 60}\n" for n in range(3_000)))
    seen = []
    watching = Ticking(
        then=lambda: seen.append(ImportJob.objects.values_list("percent", "result").get())
    )
    importing.run_import_job(importing.claim_import(NOW), watching)
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents)
    assert 0 < percents[-1] <= 99
    assert {result["read"] for _, result in seen if result} == {1_000, 2_000, 3_000}
    assert ImportJob.objects.get().percent == 100


def test_it_shows_life_at_most_once_a_second(django_assert_num_queries):
    make_queued("reference\n" + "".join(f"K{n}\n" for n in range(2_500)))
    job = importing.claim_import(NOW)
    importing.run_import_job(job, lambda: NOW)
    job.refresh_from_db()
    assert (job.heartbeat_at, job.status) == (NOW, Status.DONE)


def test_an_unexpected_error_is_tried_three_times_and_then_told(media):
    """A file that a worker does not find, because its disk is another one."""
    job = make_queued(CUSTOMERS)
    Path(job.file.path).unlink()
    for attempt in (1, 2, 3):
        with pytest.raises(FileNotFoundError):
            importing.run_import_job(importing.claim_import(NOW), Ticking())
        job.refresh_from_db()
        waits = Status.QUEUED if attempt < 3 else Status.STOPPED
        assert (job.status, job.attempts, job.error) == (waits, attempt, "FileNotFoundError")
    assert importing.claim_import(NOW) is None


def test_somebody_stops_it_and_the_rows_that_are_in_stay(media):
    make_queued("reference,name\n,Nobody\n" + "".join(f"K{n},Ada\n" for n in range(3_000)))
    job = importing.claim_import(NOW)
    reads = iter(range(100))

    def stop_during_the_third_batch() -> None:
        if next(reads) == 4:
            assert importing.stop_import(job.pk, NOW) is True

    importing.run_import_job(job, Ticking(then=stop_during_the_third_batch))
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.STOPPED, importing.BY_HAND)
    assert Customer.objects.count() == 2_999
    assert counts(job) == (2_000, 1_999, 0, 0, 1)
    assert files(media) == [f"{job.pk}-1-rejects.csv"]
    assert importing.stop_import(job.pk, NOW) is False


def test_an_import_that_waits_can_be_stopped(media):
    job = make_queued(CUSTOMERS)
    assert importing.stop_import(job.pk, NOW) is True
    assert importing.claim_import(NOW) is None
    assert files(media) == []


# -- What is left -------------------------------------------------------------------------------


def test_an_upload_that_was_to_be_deleted_is_deleted_later(media):
    """The worker died between the end of the import and the deletion of the file."""
    job = make_draft(CUSTOMERS)
    ImportJob.objects.update(status=Status.DONE)
    assert importing.any_due(NOW) is True
    importing.tidy_imports(NOW)
    job.refresh_from_db()
    assert (job.file.name, files(media), importing.any_due(NOW)) == ("", [], False)


@pytest.mark.parametrize(
    ("age", "gone"), [(importing.DRAFT_DAYS, False), (importing.DRAFT_DAYS + SECOND, True)]
)
def test_a_draft_that_nobody_starts_is_forgotten_after_seven_days(media, age, gone):
    make_draft(CUSTOMERS)
    assert importing.any_due(NOW + age) is gone
    importing.tidy_imports(NOW + age)
    assert (ImportJob.objects.count() == 0) is gone
    assert (files(media) == []) is gone


@pytest.mark.parametrize(
    ("age", "gone"), [(timedelta(days=30), False), (timedelta(days=30) + SECOND, True)]
)
def test_rejected_rows_are_kept_for_thirty_days(media, age, gone):
    job = make_queued("reference,email\nC1,nobody\n")
    importing.run_import_job(importing.claim_import(NOW), lambda: NOW)
    importing.tidy_imports(NOW + age)
    job.refresh_from_db()
    assert (job.rejects.name == "") is gone
    assert (files(media) == []) is gone
    assert (job.status, job.result["rejected"]) == (Status.DONE, 1)


def test_a_file_whose_row_was_refused_is_not_left_behind(media):
    upload = SimpleUploadedFile("f.csv", CUSTOMERS.encode())
    with pytest.raises(IntegrityError):
        importing.create_import(kind="customers", upload=upload, user=make_uploader(), now=None)
    assert files(media) == []


# -- The job --------------------------------------------------------------------------------------


def test_the_sweep_reads_what_waits_and_nothing_else():
    assert due_jobs("imports", NOW) == []
    make_queued(CUSTOMERS)
    assert due_jobs("imports", NOW) == [run_imports]
    sweep("imports")
    assert ImportJob.objects.get().status == Status.DONE
    assert due_jobs("imports", NOW) == []


def test_imports_come_after_everything_else_in_the_sweep_of_the_minute():
    make_queued(CUSTOMERS)
    assert due_jobs("", NOW)[-1] == run_imports


# -- Guessing columns -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "headers", "found"),
    [
        pytest.param(
            "purchases",
            "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country",
            "order product name quantity purchased_at price customer -",
            id="the sales of a gift shop",
        ),
        pytest.param(
            "responses",
            "created_at reply_id user score app",
            "answered_at - - value -",
            id="the thumbs of a chat bot",
        ),
        pytest.param(
            "customers",
            "Klantnummer E-mailadres Naam Taal",
            "reference email name language",
            id="Dutch",
        ),
        pytest.param("products", "sku id name", "sku - name", id="its own name first"),
    ],
)
def test_columns_are_guessed_by_their_names(kind, headers, found):
    names = headers.split()
    guess = {
        place: name for name, place in guess_columns(kind, IMPORTERS[kind].fields, names).items()
    }
    assert [guess.get(place, "-") for place in range(len(names))] == found.split()
