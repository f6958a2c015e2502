"""The command: what it prints, and its exit code."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from customers import triggers
from customers.models import LedgerCheck, Wording
from tests.makers import record

pytestmark = pytest.mark.django_db


def run(*options: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("verify_ledger", *options, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def test_a_sound_ledger():
    record()
    assert run() == ("1 entries, each as it was written.\n", 0)
    said, code = run("--json")
    assert (json.loads(said), code) == (
        {"entries": 1, "verified": True, "finding": None, "row": None},
        0,
    )


def test_a_changed_ledger_ends_with_1_and_names_the_row():
    wording = record().wording
    triggers.remove(connection)
    Wording.objects.update(label="Ja, alles mag.")
    said, code = run("--json", "--install")
    assert json.loads(said) == {
        "entries": 0,
        "verified": False,
        "finding": "wording",
        "row": wording.pk,
    }
    assert code == 1
    assert run()[0] == f"A published text was changed (row {wording.pk}).\n"


def test_a_missing_trigger_is_told_and_put_back():
    record()
    triggers.remove(connection)
    said, code = run()
    assert (said.startswith("A trigger that protects the ledger is missing"), code) == (True, 1)
    assert run("--install") == ("1 entries, each as it was written.\n", 0)
    assert triggers.missing(connection) == []
    findings = LedgerCheck.objects.order_by("pk").values_list("finding", flat=True)
    assert list(findings) == ["trigger", ""]
