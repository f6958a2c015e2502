"""From a file to its rows in a real browser: upload, columns, preview, progress, result."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers import triggers
from customers.models import ConsentEntry, ConsentState, Evidence, Wording
from feedback.models import Response
from insights.models import ImportJob
from insights.tasks import due_jobs
from tests.browser.looks import FEW_LOOKS, LOOKS, choices
from tests.insights.uploads import run
from tests.makers import known_purpose, make_customer, make_wording

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

START = datetime(2017, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def votes(tmp_path) -> Path:
    """1,240 thumbs of a chat bot: up is 1 and down is -1, and now and then somebody typed."""
    path = tmp_path / "duimpjes-2017.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["created_at", "reply_id", "user", "score", "app"])
        for number in range(1_240):
            at = (START + timedelta(hours=7 * number)).isoformat()
            score = "goed" if number % 150 == 3 else "-1" if number % 4 == 0 else "1"
            app = "RUMORS_LINE_BOT" if number % 9 else "DEVELOPMENT_BACKEND"
            writer.writerow([at, f"AV8U7-fJyCdS-nWh{number % 90}", f"b912{number:x}", score, app])
    return path


@pytest.fixture
def earlier() -> None:
    """Two imports of other days, so that the list is one."""
    customers = "".join(f"K{number},Klant {number}\n" for number in range(40))
    run(f"reference,name\n{customers}")
    run('reference,name\nK1,Klant 1\n,Zonder nummer\nK2,"nooit gesloten\n')
    ImportJob.objects.update(created_at=timezone.now() - timedelta(days=3))


def send(watched, path: Path, kind: str = "responses") -> None:
    watched.visit("/imports/")
    watched.page.select_option("#id_kind", kind)
    watched.page.set_input_files("#id_file", path)
    watched.page.click("#submit-id-upload")
    watched.page.wait_for_url("**/imports/*/")
    watched.settle()


def choose(watched) -> None:
    page = watched.page
    page.select_option("#id_constant_scale", "thumb")
    page.fill("#id_constant_touchpoint", "Chatbot")
    page.check("#id_create_missing")
    page.select_option("#id_recode-0-field", "value")
    page.fill("#id_recode-0-old", "-1")
    page.fill("#id_recode-0-new", "0")
    page.click("main .btn-primary")
    page.wait_for_url("**/preview/")
    watched.settle()


def do_due_work() -> None:
    for job in due_jobs("imports", timezone.now()):
        job.apply(throw=True)


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_the_whole_way_of_a_file(open_page, session, votes, earlier, language, theme, width):  # noqa: PLR0917
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    shot = f"{language}-{theme}-{width}"

    watched.visit("/imports/")
    not_csv = votes.parent / "klanten.xlsx"
    not_csv.write_bytes(b"PK\x03\x04 not a CSV")
    page.select_option("#id_kind", "customers")
    page.set_input_files("#id_file", not_csv)
    page.click("#submit-id-upload")
    watched.settle()
    watched.check(f"import-wrong-file-{shot}")

    send(watched, votes)
    assert page.input_value("#id_column_value") == "3"
    watched.check(f"import-columns-{shot}")
    page.click("main .btn-primary")
    watched.settle()
    assert page.query_selector(".ci-errors a[href='#id_column_scale']")
    watched.check(f"import-columns-wrong-{shot}")

    choose(watched)
    watched.check(f"import-preview-{shot}")
    page.click("main form .btn-primary")
    page.wait_for_selector("progress")
    watched.check(f"import-queued-{shot}")

    job = ImportJob.objects.order_by("-pk")[:1]
    running = {"read": 520, "created": 517, "updated": 0, "unchanged": 0, "rejected": 3}
    ImportJob.objects.filter(pk__in=job).update(status="running", percent=42, result=running)
    page.wait_for_selector("progress[value='42']")
    watched.check(f"import-running-{shot}")
    ImportJob.objects.filter(pk__in=job).update(percent=43)
    page.wait_for_selector("progress[value='43']")
    ImportJob.objects.filter(pk__in=job).update(status="queued", result=None)
    do_due_work()
    page.wait_for_selector("a[href$='/rejects/']")
    watched.check(f"import-result-{shot}")
    assert Response.objects.count() == 1_231
    with page.expect_download() as download:
        page.click("a[href$='/rejects/']")
    assert download.value.suggested_filename == "duimpjes-2017-rejects.csv"
    assert len(download.value.path().read_text().splitlines()) == 10

    watched.visit("/imports/")
    assert page.locator(".ci-imports tbody tr").count() == 3
    watched.check(f"imports-after-{shot}")
    page.click(".ci-imports tbody tr:nth-child(2) a")
    watched.settle()
    watched.check(f"import-stopped-{shot}")
    assert watched.problems == []


@pytest.mark.parametrize("width", [1440, 360])
def test_the_first_visit(open_page, session, width):
    watched = open_page(width=width, cookies=session)
    watched.visit("/imports/")
    watched.check(f"imports-empty-nl-light-{width}")
    assert watched.problems == []


def test_everything_works_without_scripts(open_page, session, votes):
    watched = open_page(cookies=session, java_script_enabled=False)
    page = watched.page
    page.goto(watched.base + "/imports/")
    page.select_option("#id_kind", "responses")
    page.set_input_files("#id_file", votes)
    page.click("#submit-id-upload")
    page.select_option("#id_constant_scale", "thumb")
    page.click("main .btn-primary")
    page.click("main form .btn-primary")
    assert page.get_attribute("progress", "value") == "0"
    do_due_work()
    page.click("[data-reload] a")
    assert page.query_selector("progress") is None
    assert Response.objects.filter(value=1).count() == 921


def test_a_wide_file_stays_inside_the_page(open_page, session, tmp_path):
    path = tmp_path / "breed.csv"
    path.write_text(",".join(f"kolom {n}" for n in range(60)) + "\n" + ",".join(["waarde"] * 60))
    for width in (1440, 360):
        watched = open_page(width=width, cookies=session)
        send(watched, path, "customers")
        watched.check(f"import-wide-nl-light-{width}")
        assert watched.problems == []


def test_stopping_by_keyboard(open_page, session, votes):
    watched = open_page(cookies=session)
    send(watched, votes)
    choose(watched)
    watched.page.focus("main form .btn-primary")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_selector("progress")
    watched.page.focus(".btn-danger")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_selector("[role=alert]")
    watched.check("import-stopped-by-hand-nl-light-1440")
    assert ImportJob.objects.get().status == "stopped"
    assert watched.problems == []


@pytest.fixture
def ledger(transactional_db) -> Iterator[None]:
    """The ledger, emptied afterwards: its triggers would refuse the next test's clean start."""
    yield
    triggers.remove(connection)
    for rows in (ConsentState, Evidence, ConsentEntry, Wording):
        rows.objects.all()._raw_delete("default")
    triggers.install(connection)


@pytest.fixture
def permissions(ledger, tmp_path) -> Path:
    """Thirty customers of an old shop: most with proof, some without, and one who said no."""
    make_wording(purpose=known_purpose("email_marketing"))
    path = tmp_path / "toestemmingen.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["klantnummer", "datum", "hoe", "bron", "tekst", "status"])
        for number in range(30):
            make_customer(reference=f"K{number}", email=f"k{number}@example.org")
            text = "Ja, ik ontvang graag de nieuwsbrief van Lindehuis." if number % 4 else ""
            said = "afgemeld" if number == 7 else "subscribed"
            writer.writerow([f"K{number}", "2026-03-02", "vinkje", "bestelpagina", text, said])
    return path


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_a_second_person_approves_permissions(
    open_page, session, permissions, language, theme, width
):
    starter = open_page(width=width, cookies=choices(language, theme) | session)
    shot = f"{language}-{theme}-{width}"
    send(starter, permissions, "consents")
    starter.page.select_option("#id_constant_purpose", "email_marketing")
    starter.page.select_option("#id_constant_channel", "email")
    starter.check(f"import-permissions-columns-{shot}")
    starter.page.click("main .btn-primary")
    starter.page.wait_for_url("**/preview/")
    starter.check(f"import-permissions-preview-{shot}")
    second = Client()
    second.force_login(User.objects.create_superuser("second", "second@example.org"))
    starter.page.click("main form .btn-primary")
    starter.page.wait_for_url("**/imports/*/")
    starter.check(f"import-permissions-approval-{shot}")
    assert starter.page.locator("main .btn-primary").count() == 0

    approver = open_page(
        width=width,
        cookies=choices(language, theme) | {"sessionid": second.cookies["sessionid"].value},
    )
    approver.page.goto(starter.page.url)
    approver.settle()
    approver.check(f"import-permissions-second-{shot}")
    approver.page.click("main form .btn-primary")
    approver.page.wait_for_selector("progress")
    do_due_work()
    approver.visit("/imports/")
    approver.page.click(".ci-imports tbody a")
    approver.settle()
    approver.check(f"import-permissions-result-{shot}")
    states = ConsentState.objects.order_by("state").values_list("state", flat=True)
    assert [*states] == ["given"] * 21 + ["withdrawn"]
    assert starter.problems == approver.problems == []
