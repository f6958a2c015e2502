"""Importing permissions on the pages: who may, what is counted before, and the second person."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from customers.models import AccessLog, ConsentEntry, ConsentState, Customer, Purpose
from insights import import_preview, importing
from insights.accounts import Role
from insights.importing import NotADraft, NotYours
from insights.models import ImportJob
from tests.insights.test_import_views import make_colleague, signed_in, text, upload
from tests.insights.uploads import Ticking, make_draft, plan_of
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

TEXT = "Ja, Lindehuis mag mij de nieuwsbrief mailen."
HEAD = "customer,purpose,channel,given_at,method,source,wording,state\n"
PROVEN = f"K{{n}},tips,email,2026-03-02,checkbox,old webshop,{TEXT.replace(',', '')},\n"
NO = "K1,tips,email,,,,,afgemeld\n"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def tips() -> Purpose:
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    for n in range(1, 4):
        make_customer(reference=f"K{n}", email=f"k{n}@example.org")
    return purpose


@pytest.fixture
def admin() -> Client:
    return signed_in(Role.CONSENT_ADMIN)


def known(reference: str) -> Customer:
    return Customer.objects.get(reference=reference)


def rows(*numbers: int) -> str:
    return "".join(PROVEN.format(n=n) for n in numbers)


def draft(content: str) -> ImportJob:
    job = make_draft(HEAD + content, "consents")
    importing.save_plan(job.pk, plan_of(job))
    return job


def start(client: Client, job: ImportJob) -> str:
    return text(client.post(reverse("import_preview", args=[job.pk]), follow=True))


def work() -> None:
    job = importing.claim_import(NOW)
    if job:
        importing.run_import_job(job, Ticking())


def status(job: ImportJob) -> str:
    job.refresh_from_db()
    return job.status


# -- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.CONSENT_ADMIN], {}, True, id="consent admin"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.MARKETER], {}, False, id="marketer"),
        pytest.param([], {}, False, id="no role"),
    ],
)
def test_who_looks_after_permissions_imports_them(tips, roles, given, may):
    job = draft(rows(1))
    client = signed_in(*roles, **given)
    for name in ("import", "import_preview", "import_progress"):
        code = client.get(reverse(name, args=[job.pk])).status_code
        assert code in ({200, 302} if may else {403}), name
    for name in ("import", "import_preview", "import_approve", "import_stop", "import_discard"):
        code = client.post(reverse(name, args=[job.pk])).status_code
        assert code in ({200, 302} if may else {403}), name


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.MARKETER, {"customers", "products", "purchases", "responses", "contacts", "reports"}),
        (Role.CONSENT_ADMIN, {"consents"}),
        (
            Role.ADMINISTRATOR,
            {"customers", "products", "purchases", "responses", "consents", "contacts", "reports"},
        ),
    ],
)
def test_everybody_is_offered_and_shown_the_kinds_they_may_import(role, kinds):
    for kind in ImportJob.Kind.values:
        make_draft("a,b\n", kind, name=f"{kind}.csv")
    client = signed_in(role)
    page = client.get(reverse("imports")).content.decode()
    assert {kind for kind in ImportJob.Kind.values if f'<option value="{kind}"' in page} == kinds
    assert {kind for kind in ImportJob.Kind.values if f"{kind}.csv" in page} == kinds
    for kind in ImportJob.Kind.values:
        sent = upload(client, b"customer,purpose\nK1,tips\n", kind)
        assert (sent.status_code == 302) is (kind in kinds), kind


# -- Before anything is written -------------------------------------------------------------------


def test_columns_are_guessed_and_purposes_are_chosen(tips, admin):
    sent = upload(admin, b"Klantnummer,Datum,Tekst,Status\nK1,2026-03-02,Ja,x\n", "consents")
    page = admin.get(sent.url).content.decode()
    assert '<option value="tips"' in page
    assert '<option value="service"' not in page.split("constant_purpose")[1].split("</select>")[0]
    for field, place in (("customer", 0), ("given_at", 1), ("wording", 2), ("state", 3)):
        chosen = page.split(f'name="column_{field}"')[1].split("</select>")[0]
        assert f'<option value="{place}" selected' in chosen, field


def test_the_preview_counts_permissions_in_words_and_writes_nothing(tips, admin):
    record(purpose=tips, customer=None, state="withdrawn", address="k3@example.org")
    job = draft(rows(1, 2) + "K2,tips,email,,,,,\nK9,tips,email,,,,,\n" + NO.replace("K1", "K3"))
    page = text(admin.get(reverse("import_preview", args=[job.pk])))
    assert "2 of the 5 rows would count as permission" in page
    assert "Permission 2 proven: can be reached" in page
    assert "Bought something 0" in page
    assert "Said no 1 counts at once" in page
    assert "Somebody else has to approve this import" in page
    assert f"Exact text Purpose Rows {TEXT.replace(',', '')} tips 2" in page
    assert ConsentEntry.objects.count() == 1


def test_whose_permissions_were_seen_is_written_down(tips, admin):
    job = draft(rows(1, 2) + "K9,tips,email,,,,,\n,tips,email,,,,,\n")
    admin.get(reverse("import_preview", args=[job.pk]))
    start(admin, job)
    seen = AccessLog.objects.order_by("pk").values_list("customer__reference", "kind", "role")
    assert [*seen] == [("K1", "search", "Consent admin"), ("K2", "search", "Consent admin")] * 2
    viewer = User.objects.get(username=Role.CONSENT_ADMIN)
    assert set(AccessLog.objects.values_list("viewer", flat=True)) == {str(viewer.pk)}


def test_the_preview_says_what_is_without_proof_and_what_stands(tips, admin):
    record(customer=known("K1"), purpose=tips, state="withdrawn", address="k1@example.org")
    job = draft(rows(1) + "K2,tips,email,,,,,\n")
    page = text(admin.get(reverse("import_preview", args=[job.pk])))
    assert "0 of the 2 rows would count as permission" in page
    assert "Without proof 1 stay as they are; not even asked by mail" in page
    assert "Said no before 1 the file says yes; the no stands" in page
    assert "without date, method, source, exact text 1" in page
    assert "the customer took this back on 2026-11-24; a file cannot undo that" in page
    shown = page.split("Goes in")[1].split("would be rejected")[0]
    assert "Yes" not in shown
    assert "Somebody else has to approve" not in page


# -- Two pairs of eyes ----------------------------------------------------------------------------


def test_who_starts_cannot_approve_and_a_second_person_can(tips, admin):
    second = signed_in(Role.ADMINISTRATOR)
    job = draft(rows(1, 2))
    page = start(admin, job)
    assert status(job) == "approval"
    assert "Somebody else has a look first" in page
    assert "Approve and import" not in page
    assert "You started this import. Somebody else has to approve it." in text(
        admin.post(reverse("import_approve", args=[job.pk]), follow=True)
    )
    work()
    assert (status(job), ConsentEntry.objects.count()) == ("approval", 0)
    page = text(second.get(reverse("import", args=[job.pk])))
    assert "Does this look right?" in page
    assert "Started by consent_admin@example.org" in page
    second.post(reverse("import_approve", args=[job.pk]))
    assert status(job) == "queued"
    work()
    assert status(job) == "done"
    starter, approver = User.objects.order_by("pk")[:2]
    assert (job.started_by, job.approved_by) == (starter, approver)
    assert set(ConsentEntry.objects.values_list("actor_id", flat=True)) == {str(starter.pk)}
    page = text(second.get(reverse("import", args=[job.pk])))
    assert "2 permissions went in" in page
    assert "Permissions count from now on" in page


def test_a_demo_login_approves_nothing_in_production(tips, settings):
    job = draft(rows(1))
    user = make_colleague(Role.CONSENT_ADMIN)
    demo = make_colleague(Role.ADMINISTRATOR)
    User.objects.filter(pk=demo.pk).update(email="admin@demo.example")
    importing.ask_approval(job.pk, user=user, now=NOW)
    job.refresh_from_db()
    assert importing.alone_from(job) is None
    settings.PRODUCTION = True
    assert importing.alone_from(job) == NOW + timedelta(hours=24)


def test_the_only_one_sleeps_on_it(tips):
    job = draft(rows(1))
    user = make_colleague(Role.CONSENT_ADMIN)
    make_colleague(Role.MARKETER)
    make_colleague(Role.ADMINISTRATOR, is_active=False)
    importing.ask_approval(job.pk, user=user, now=NOW)
    job.refresh_from_db()
    assert importing.alone_from(job) == NOW + timedelta(hours=24)
    with pytest.raises(NotYours, match="24 hours"):
        importing.approve_import(job.pk, user=user, now=NOW + timedelta(hours=23, minutes=59))
    assert status(job) == "approval"
    importing.approve_import(job.pk, user=user, now=NOW + timedelta(hours=24))
    assert status(job) == "queued"
    with pytest.raises(NotADraft):
        importing.approve_import(job.pk, user=user, now=NOW + timedelta(hours=25))


def test_where_others_can_nobody_approves_their_own_however_late(tips):
    job = draft(rows(1))
    user = make_colleague(Role.CONSENT_ADMIN)
    make_colleague(Role.ADMINISTRATOR)
    importing.ask_approval(job.pk, user=user, now=NOW)
    with pytest.raises(NotYours):
        importing.approve_import(job.pk, user=user, now=NOW + timedelta(days=3))


def test_the_only_one_reads_from_when_they_may(tips, admin):
    job = draft(rows(1))
    assert "Nobody else here looks after permissions" in start(admin, job)
    ImportJob.objects.update(started_at=NOW - timedelta(days=400))
    page = text(admin.get(reverse("import", args=[job.pk])))
    assert "Does this look right?" in page
    assert "The import waits for its turn" in text(
        admin.post(reverse("import_approve", args=[job.pk]), follow=True)
    )


def test_a_file_of_noes_starts_at_once(tips, admin):
    record(customer=known("K1"), purpose=tips, address="k1@example.org")
    job = draft(NO + "K2,tips,email,,,,,\n")
    assert "The import waits for its turn" in start(admin, job)
    work()
    assert status(job) == "done"
    assert ConsentState.objects.get().state == "withdrawn"
    page = text(admin.get(reverse("import", args=[job.pk])))
    assert "0 permissions went in" in page
    assert "Said no 1" in page
    assert "without date, method, source, exact text 1" in page


def test_a_file_that_was_not_seen_to_its_end_is_approved_by_somebody(tips, admin, monkeypatch):
    monkeypatch.setattr(import_preview, "TRIED_PERMISSIONS", 2)
    job = draft(NO * 3)
    assert "of the first 2 rows" in start(admin, job)
    assert status(job) == "approval"


def test_what_waits_for_approval_is_no_longer_changed_and_can_be_thrown_away(tips, admin, media):
    job = draft(rows(1))
    start(admin, job)
    with pytest.raises(NotADraft):
        importing.save_plan(job.pk, plan_of(job))
    job.refresh_from_db()
    starter = job.started_by
    importing.ask_approval(job.pk, user=make_colleague(), now=NOW)
    job.refresh_from_db()
    assert job.started_by == starter
    assert "was thrown away" in text(
        admin.post(reverse("import_discard", args=[job.pk]), follow=True)
    )
    assert not ImportJob.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_what_nobody_approves_is_forgotten_after_a_week(tips, admin):
    job = draft(rows(1))
    start(admin, job)
    importing.tidy_imports(NOW + timedelta(days=7))
    assert ImportJob.objects.exists()
    importing.tidy_imports(NOW + timedelta(days=7, seconds=1))
    assert not ImportJob.objects.exists()
