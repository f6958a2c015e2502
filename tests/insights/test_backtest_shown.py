"""A backtest on a page and on the command line: what both say, and what is refused."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.utils import timezone, translation

from customers.dose_documents import digest_of, document_of
from tests.insights.test_backtest import LATER, ONE_A_WEEK, found, mailed, on, opts_out

pytestmark = pytest.mark.django_db

PAGE = Template('{% include "insights/_backtest.html" %}')


# -- On a page ------------------------------------------------------------------------------------


def printed(result) -> str:
    with translation.override("en"):
        return " ".join(PAGE.render(Context({"backtest": result})).split())


def test_the_page_says_what_it_is_not():
    for _ in range(6):
        opts_out(mailed(2, 4), on(5))
    page = printed(found())
    assert "6 of 12 contacts would not have been sent" in page
    assert "It is not what would have happened without them." in page
    assert "Customers reached: 6 as it was, 6 by this policy." in page
    assert page.count("<svg") == 2
    assert "style=" not in page


def test_small_numbers_of_people_and_shares_are_not_on_the_page():
    for _ in range(3):
        opts_out(mailed(2, 4), on(5))
    page = printed(found())
    assert "Customers reached: fewer than 5 as it was, fewer than 5 by this policy." in page
    assert '<td class="num">not shown</td>' in page
    assert "100.0 %" not in page


def test_without_contacts_the_page_says_so():
    assert "No contacts in this period" in printed(found())


# -- The command ----------------------------------------------------------------------------------


@pytest.fixture
def draft(tmp_path):
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(document_of(ONE_A_WEEK)), encoding="utf-8")
    return path


def told(*arguments: object) -> str:
    out = StringIO()
    call_command("backtest_policy", *map(str, arguments), stdout=out)
    return out.getvalue()


DAYS = ("--from", "2026-11-01", "--to", "2026-12-01")


def test_the_command_prints_one_document(draft, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    for _ in range(5):
        opts_out(mailed(2, 4), on(5))
    with translation.override("nl"):
        document = json.loads(told(draft, *DAYS, "--json"))
    counts = document["with"]["opt_outs"]["blocked"]
    assert (document["policy"], document["from"], document["to"]) == (
        digest_of(ONE_A_WEEK), "2026-11-01", "2026-12-01",
    )  # fmt: skip
    assert document["contacts"] == {"sent": 10, "blocked": 5, "deferred": 5, "exempt": 0}
    assert document["customers"] == {
        "touched": 5,
        "reached_before": 5,
        "reached_after": 5,
        "over_5_in_30_days_before": 0,
        "over_5_in_30_days_after": 0,
    }
    assert document["by_rule"] == {"ceiling * · * · *": 5}
    assert document["by_customer_type"] == {"regular": {"sent": 10, "blocked": 5}}
    assert document["by_kind"] == {"promotion": {"sent": 10, "blocked": 5}}
    assert document["messages"] == {
        "before": {"0": 0, "1": 0, "2": 5},
        "after": {"0": 0, "1": 5, "2": 0},
    }
    assert list(document["with"]) == ["thumbs_down", "opt_outs", "purchases"]
    assert (counts["n"], counts["count"], counts["share"]) == (5, 5, 100)
    assert document["with"]["opt_outs"]["kept"]["count"] == 0
    assert document["warning"] == (
        "This shows what came with the contacts that would not have been sent. "
        "It is not what would have happened without them."
    )


def test_the_command_tells_people_too(draft, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    mailed(2, 4)
    text = told(draft, *DAYS)
    assert (
        "1 of 2 contacts would not have been sent then; 1 of these could have gone later." in text
    )
    assert "opt_outs: blocked n=1, too few to say; kept n=1, too few to say" in text
    assert "It is not what would have happened without them." in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", r"the policy: \[\] is not an object; give one"),
        ('{"cells": [{"channel": "fax"}], "ceilings": []}', "channel 'fax' is not known; use one"),
        (
            '{"cells": [{}], "ceilings": [], "country": "XX"}',
            "country 'XX' has no holidays that are known",
        ),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_the_way_out(tmp_path, text, message):
    path = tmp_path / "draft.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=message) as refused:
        told(path, *DAYS)
    assert refused.value.returncode == 1


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as refused:
        told(tmp_path / "none.json", *DAYS)
    assert refused.value.returncode == 1


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (("--from", "2026-11-01", "--to", "2026-11-01"), "holds no day"),
        (("--from", "2026-11-01", "--to", "tomorrow"), "'tomorrow' is not a day"),
        (("--from", "2026-11-01"), "required: --to"),
    ],
)
def test_a_wrong_command_line_is_wrong_use(draft, days, message):
    with pytest.raises(CommandError, match=message) as refused:
        told(draft, *days)
    # From a shell what argparse refuses ends with 2 as well; call_command gives it no number.
    assert refused.value.returncode == (2 if "holds" in message else 1)
