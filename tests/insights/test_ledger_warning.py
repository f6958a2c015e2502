"""What colleagues see while the consent ledger does not verify."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from customers import queries, triggers
from customers.models import ConsentEntry, LedgerCheck
from customers.verification import FINDINGS, verify_ledger
from insights import ledger_words
from insights.accounts import Role
from tests.insights.test_views import make_user
from tests.makers import NOW, record

pytestmark = pytest.mark.django_db

BANNER = "data-ledger-warning"


def change_in_sql(entry: ConsentEntry) -> None:
    """What a superuser of the database can do: take the triggers off, change, put them back."""
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_consententry SET state = 'withdrawn' WHERE id = %s", [entry.pk]
        )
    triggers.install(connection)


@pytest.fixture
def admin(client):
    client.force_login(make_user("kim@example.org", Role.ADMINISTRATOR, is_staff=True))
    client.cookies["django_language"] = "en"
    return client


def test_every_finding_has_its_words():
    assert ledger_words.FINDINGS.keys() == FINDINGS.keys()
    assert {key: str(words) for key, words in ledger_words.FINDINGS.items()}.keys() == {*FINDINGS}
    assert ledger_words.WAYS_OUT.keys() <= FINDINGS.keys()


def test_case_05_an_entry_changed_in_sql_is_found_named_and_blocks_mailings(admin):
    entries = [record() for _ in range(3)]
    verify_ledger(NOW)
    assert queries.ledger_is_sound()
    assert BANNER not in admin.get("/").content.decode()

    change_in_sql(entries[1])
    found = verify_ledger(NOW + timedelta(days=1))

    assert (found.finding.kind, found.finding.row) == ("entry", entries[1].pk)
    assert not queries.ledger_is_sound()
    for name in ("overview", "settings", "satisfaction", "permission"):
        page = admin.get(reverse(name)).content.decode()
        assert BANNER in page
        assert f"An entry was changed (row {entries[1].pk}). Found on 25 November 2026" in page
        assert "New mailings are blocked" in page
    assert "New mailings are blocked" in admin.get(reverse("admin:index")).content.decode()


def test_a_page_that_does_not_exist_says_it_too(admin):
    LedgerCheck.objects.create(checked_at=NOW, entries=1, finding="gap", row=1)
    assert BANNER in admin.get("/nowhere/").content.decode()


def test_a_stranger_reads_nothing_of_it(client):
    LedgerCheck.objects.create(checked_at=NOW, entries=1, finding="gap", row=1)
    assert "ledger" not in client.get(reverse("account_login")).content.decode()


def test_it_is_over_once_the_ledger_verifies_again(admin):
    for day, finding in enumerate(("", "gap", "gap", "")):
        LedgerCheck.objects.create(checked_at=NOW + timedelta(days=day), entries=1, finding=finding)
    assert queries.ledger_is_sound()
    assert BANNER not in admin.get("/").content.decode()


def test_it_says_since_when_not_when_last(django_assert_num_queries):
    for day, finding in enumerate(("tail", "", "gap", "gap")):
        LedgerCheck.objects.create(
            checked_at=NOW + timedelta(days=day), entries=1, finding=finding, row=7
        )
    with django_assert_num_queries(2):
        alarm = queries.ledger_alarm()
    assert (alarm.finding, alarm.row, alarm.since) == ("gap", 7, NOW + timedelta(days=2))


def test_nothing_is_wrong_before_the_first_verification(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert queries.ledger_alarm() is None
    assert queries.ledger_is_sound()


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_warning_says_what_is_wrong_and_what_to_do(finding):
    LedgerCheck.objects.create(checked_at=timezone.now(), entries=1, finding=finding)
    warning = ledger_words.ledger_warning()
    assert warning is not None
    assert str(ledger_words.FINDINGS[finding]) in warning.found
    assert "verify_ledger" in warning.way_out
