"""Why, slice by slice: a distribution in each row, from which nobody can be picked out."""

import random

import pytest
from django.utils import translation

from feedback.models import Reason
from insights.dashboard import satisfaction
from insights.dashboard.breakdown import Slice
from insights.dashboard.selection import Selection, preset
from insights.dashboard.why import why_table
from insights.kpis import KPIS, figure
from tests.insights.makers import TODAY, give
from tests.insights.test_disclosure import followers
from tests.makers import make_category


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def a_slice(key: str, n: int, *, hidden: bool = False) -> Slice:
    return Slice(
        kpi="nps",
        figure=figure(KPIS["nps"], {"promoters": n}),
        before=None,
        change=None,
        verdict=None,
        frozen=None,
        hidden=hidden,
        key=key,
        inner=key,
        label=key,
        link="",
    )


def table_of(counts: dict[str, dict[str, int]], hidden: str = ""):
    slices = [a_slice(key, 500, hidden=key in hidden) for key in counts]
    return why_table(slices, counts)


def cells(table) -> dict[str, dict[str, str]]:
    """Return what each row shows: a share, "–" under 30 or "hidden"."""
    return {
        row.key: {
            cell.reason: "hidden"
            if cell.hidden
            else "–"
            if cell.share is None
            else f"{cell.share:.0f}"
            for cell in row.cells
        }
        for row in table.rows
    }


def test_each_row_is_a_distribution_of_its_own():
    table = table_of({"a": {"too_often": 24, "fun": 16}, "b": {"too_often": 10, "fun": 30}})
    assert [(row.key, row.n) for row in table.rows] == [("a", 40), ("b", 40)]
    assert cells(table) == {
        "a": {"Too often": "60", "Fun": "40"},
        "b": {"Too often": "25", "Fun": "75"},
    }
    assert [cell.step for cell in table.rows[0].cells] == [5, 4]


def test_under_thirty_reasons_a_row_has_no_shares():
    table = table_of({"a": {"fun": 20, "easy": 9}, "b": {"fun": 40, "easy": 40}})
    assert cells(table)["a"] == {"Fun": "–", "Easy": "–"}


def test_a_small_cell_is_hidden_with_one_in_its_row_and_one_in_its_column():
    table = table_of(
        {
            "a": {"too_often": 3, "fun": 40, "easy": 50},
            "b": {"too_often": 20, "fun": 40, "easy": 50},
            "c": {"too_often": 30, "fun": 45, "easy": 50},
        }
    )
    found = cells(table)
    assert found["a"] == {"Too often": "hidden", "Fun": "hidden", "Easy": "54"}
    assert found["b"] == {"Too often": "hidden", "Fun": "hidden", "Easy": "45"}
    assert "hidden" not in found["c"].values()


def test_a_row_with_few_reasons_is_hidden_and_so_is_the_next():
    table = table_of({"a": {"fun": 60}, "b": {"fun": 50}, "c": {"fun": 4}})
    assert [(row.key, row.hidden, row.cells == []) for row in table.rows] == [
        ("a", False, False),
        ("b", True, True),
        ("c", True, True),
    ]


def test_a_row_that_the_breakdown_hides_is_hidden_here_too():
    table = table_of({"a": {"fun": 60}, "b": {"fun": 50}, "c": {"fun": 40}}, hidden="ab")
    assert [row.key for row in table.rows if row.hidden] == ["a", "b"]


def test_a_reason_given_too_rarely_has_no_column():
    table = table_of({"a": {"fun": 60, "effort": 3, "useful": 9}, "b": {"fun": 50}})
    assert [reason.key for reason in table.reasons] == ["fun"]
    assert table.left_out


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"a": {"fun": 3}}, id="few"),
        pytest.param({"a": {"fun": 2}, "b": {"fun": 2}}, id="few in every row"),
    ],
)
def test_there_is_no_table_where_nothing_may_be_shown(counts):
    assert table_of(counts) is None


def test_no_hidden_cell_follows_from_the_table_the_panel_and_the_totals():
    """As an attacker would: all that is shown, both margins, and what is left of each."""
    rnd = random.Random(11)
    some = 0
    for _ in range(400):
        counts = {
            key: {
                reason: rnd.choice([0, 1, 2, 3, 6, 20, 40])
                for reason in rnd.sample(Reason.values, rnd.randint(2, 6))
            }
            for key in "abcde"[: rnd.randint(1, 5)]
        }
        table = table_of(counts)
        if table is None:
            continue
        shown_rows = [row for row in table.rows if not row.hidden]
        reasons = [reason.key for reason in table.reasons]
        rest = [key for key in counts if key not in {row.key for row in shown_rows}]
        others = [reason for reason in Reason.values if reason not in reasons]
        groups = [[row.key] for row in shown_rows] + ([rest] if rest else [])
        columns = [[reason] for reason in reasons] + ([others] if others else [])
        merged = [
            [sum(counts[key].get(r, 0) for key in group for r in column) for column in columns]
            for group in groups
        ]
        hidden = {
            (at, c)
            for at, row in enumerate(shown_rows)
            for c, cell in enumerate(row.cells)
            if cell.hidden
        }
        for at, row in enumerate(merged[: len(shown_rows)]):
            for c, n in enumerate(row[: len(reasons)]):
                assert not 0 < n < 5 or (at, c) in hidden
        # What the merged row and column hold is unknown to the reader, unless it follows.
        unknown = hidden | {(len(shown_rows), c) for c in range(len(columns)) if rest}
        unknown |= {(at, len(reasons)) for at in range(len(groups)) if others}
        for at, c in followers(merged, unknown) if unknown else []:
            assert not 0 < merged[at][c] < 5, (counts, at, c)
        some += bool(hidden)
    assert some > 100


@pytest.mark.django_db
def test_the_page_has_the_distribution_of_each_category():
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    for category, reasons in (
        (phones, {"too_often": 40, "fun": 20}),
        (mats, {"easy": 30, "fun": 20}),
    ):
        for reason, n in reasons.items():
            give("nps", [9] * n, reason=reason, category=category)
    selection = Selection(
        period=preset("13w", TODAY),
        preset="13w",
        where={},
        names={},
        kpi="nps",
        slice="category",
        today=TODAY,
    )
    assert cells(satisfaction(selection).why) == {
        "Phones": {"Too often": "67", "Fun": "33", "Easy": "0"},
        "Mats": {"Too often": "0", "Fun": "40", "Easy": "60"},
    }
