"""What strangers and careless colleagues may try: each is refused, and nothing is lost or told."""

import io
import logging
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from customers import imports
from customers.csv_rows import BLANK_LINES, CsvReader, UnreadableFile
from customers.importers import CustomerImporter
from customers.imports import Options, run_import
from customers.mapping import Mapping
from customers.models import Customer
from insights import accounts, services
from insights.accounts import Role
from insights.logs import PrivateFormatter
from insights.models import ImportJob
from tests.insights.test_admin import PASSWORD, make_colleague

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def marketer(db) -> Client:
    browser = Client()
    browser.force_login(make_colleague("noor@example.org", Role.MARKETER))
    return browser


# -- Uploads --------------------------------------------------------------------------------------


@pytest.fixture
def kept(settings, tmp_path):
    """Where uploads would be kept while they come in."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path


@pytest.mark.django_db
def test_no_file_is_kept_of_somebody_who_is_not_signed_in(kept) -> None:
    assert "file" not in _files_taken_in(Client())
    assert not ImportJob.objects.exists()


def test_a_marketer_uploads(marketer: Client, kept) -> None:
    assert "file" in _files_taken_in(marketer)
    assert ImportJob.objects.count() == 1


def _files_taken_in(browser: Client):
    file = SimpleUploadedFile("a.csv", b"reference\nC1\n")
    seen = browser.post("/imports/", {"kind": "customers", "file": file})
    return seen.wsgi_request.FILES


def test_the_limit_is_for_all_files_of_a_request_together(marketer, kept, settings) -> None:
    settings.IMPORT_UPLOAD_MAX_BYTES = 1_000
    files = {f"file{number}": SimpleUploadedFile("a.csv", b"x" * 600) for number in range(5)}
    seen = marketer.post("/imports/", {"kind": "customers", **files})
    assert len(seen.wsgi_request.FILES) == 1


# -- Files that were made to do harm --------------------------------------------------------------


def test_a_file_of_blank_lines_is_given_up_soon() -> None:
    reader = CsvReader(io.BytesIO(b"reference\nC1\n" + b"\n" * (BLANK_LINES + 1) + b"C2\n"))
    rows = iter(reader)
    assert next(rows).cells == {"reference": "C1"}
    with pytest.raises(UnreadableFile, match="more than 10,000 blank lines stand together"):
        next(rows)


def test_blank_lines_here_and_there_are_skipped() -> None:
    text = b"reference\n" + (b"C1\n" + b"\n" * 9_000) * 3
    assert len(list(CsvReader(io.BytesIO(text)))) == 3


@pytest.mark.django_db
def test_long_rows_end_a_batch_early(monkeypatch) -> None:
    monkeypatch.setattr(imports, "BATCH_CHARS", 100)
    text = "reference,name\n" + "".join(f"C{number},{'x' * 60}\n" for number in range(7))
    importer = CustomerImporter(
        Options(zone=ZoneInfo("Europe/Amsterdam"), now=NOW),
        Mapping({"reference": "reference", "name": "name"}),
    )
    told: list[int] = []
    rejects = type("None", (), {"write": lambda *_: None})()
    run_import(
        CsvReader(io.BytesIO(text.encode())),
        importer,
        rejects,
        progress=lambda result: told.append(result.read),
    )
    assert told == [2, 4, 6, 7]
    assert Customer.objects.count() == 7


# -- Signing in -----------------------------------------------------------------------------------


def test_nobody_changes_their_own_address(marketer: Client) -> None:
    taken = {"email": "admin@example.org", "action_add": ""}
    assert marketer.post("/accounts/email/", taken).status_code == 405


@pytest.mark.django_db
def test_an_address_that_is_no_colleagues_gets_no_mail() -> None:
    Client().post("/accounts/password/reset/", {"email": "stranger@example.com"})
    assert mail.outbox == []


def test_a_reset_link_leads_to_our_address_whatever_the_host_says(marketer, settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client().post(
        "/accounts/password/reset/", {"email": "noor@example.org"}, headers={"host": "evil.test"}
    )
    [message] = mail.outbox
    assert f"{settings.BASE_URL}/accounts/password/reset/key/" in message.body
    assert "evil.test/accounts" not in message.body


def test_a_renamed_demo_login_stays_closed_in_production(db, settings) -> None:
    user = make_colleague(f"marketer{accounts.DEMO_DOMAIN}", Role.MARKETER)
    user.email = "noor@example.org"
    backend = accounts.AuthenticationBackend()
    assert backend.user_can_authenticate(user) is True
    settings.PRODUCTION = True
    assert backend.user_can_authenticate(user) is False


def test_failures_at_one_account_from_elsewhere_do_not_keep_a_colleague_out(marketer) -> None:
    for _ in range(7):
        Client(REMOTE_ADDR="10.0.0.1").post(
            "/accounts/login/", {"login": "noor@example.org", "password": "wrong"}
        )
    theirs = Client(REMOTE_ADDR="10.0.0.2")
    done = theirs.post("/accounts/login/", {"login": "noor@example.org", "password": PASSWORD})
    assert done.status_code == 302


@pytest.mark.django_db
def test_a_page_to_go_back_to_is_an_address_and_not_the_name_of_a_view() -> None:
    done = Client().post("/language/", {"language": "en", "next": "no such view"})
    assert (done.status_code, done.headers["location"]) == (302, "no%20such%20view")


# -- Logs and logins that must not get out --------------------------------------------------------


@pytest.mark.django_db
def test_the_token_of_the_set_up_link_is_not_logged() -> None:
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, PrivateFormatter)
    )
    text = io.StringIO()
    stream = console.setStream(text)
    path = "/setup/" + services.set_up_link().rsplit("/", 2)[-2] + "/"
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    console.setStream(stream)
    assert "setup/<str:token>/" in text.getvalue()
    assert path not in text.getvalue()


@pytest.mark.django_db
def test_the_demo_is_not_served_to_other_machines(capsys) -> None:
    make_colleague(f"admin{accounts.DEMO_DOMAIN}", Role.ADMINISTRATOR)
    with pytest.raises(SystemExit, match=r"Anybody who reaches 0\.0\.0\.0 could sign in"):
        call_command("serve", host="0.0.0.0", port=8000)


@pytest.mark.django_db
def test_production_does_not_start_without_its_static_files(settings, tmp_path) -> None:
    settings.PRODUCTION, settings.STATIC_ROOT = True, tmp_path
    with pytest.raises(SystemExit, match="static files have not been collected"):
        call_command("serve", port=8000)
