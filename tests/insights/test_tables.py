"""Tables as files: what the page shows, no more and no less, and no name is ever a formula."""

import csv
import io
import re
from datetime import timedelta
from itertools import product

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from insights.accounts import Role
from insights.dashboard.reasons import SHARE
from insights.dashboard.tables import TABLES
from insights.kpis import KPIS
from insights.periods import previous, year_before
from tests.insights.makers import ask, give
from tests.makers import make_category, make_product, make_touchpoint

FORMULAS = ["=1+1", "+31 6", "-2+3|cmd", "@SUM(A1)", "\t=1+1", "＝1+1"]


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def cells_of(response, kind: str) -> list[list[object]]:
    """Return the rows of a file; in a CSV file every cell is text."""
    assert response.status_code == 200
    if kind == "csv":
        text = response.content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))
    [sheet] = load_workbook(io.BytesIO(response.content)).worksheets
    return [["" if cell is None else cell for cell in row] for row in sheet.values]


def download(staff: Client, name: str, query: str = "", kind: str = "csv") -> list[list[object]]:
    return cells_of(staff.get(f"/tables/{name}.{kind}?{query}"), kind)


def body(rows: list[list[object]]) -> list[dict[str, object]]:
    """Return the rows above the empty one, by the names of their columns."""
    head, *lines = rows
    above = lines[: next(at for at, line in enumerate(lines) if not any(line))]
    return [dict(zip(head, line, strict=True)) for line in above]


def foot(rows: list[list[object]]) -> list[tuple[object, ...]]:
    """Return what stands under the empty row: what the numbers are."""
    under = next(at for at, line in enumerate(rows) if not any(line))
    return [tuple(line[:2]) for line in rows[under + 1 :]]


def table(staff: Client, name: str, query: str = "") -> list[dict[str, object]]:
    return body(download(staff, name, query))


def page(staff: Client, path: str, query: str = ""):
    return staff.get(f"{path}?{query}").context["page"]


def text(*values: object) -> list[str]:
    """Return values as a CSV file has them: unrounded, and nothing for what is not known."""
    return ["" if value is None else str(value) for value in values]


def give_much(scale: str, happy: int, unhappy: int, days_ago: int = 1, **given) -> None:
    top, low = {"nps": (9, 3), "thumb": (1, 0), "csat": (5, 1), "ces": (7, 2)}[scale]
    on = timezone.localdate() - timedelta(days=days_ago)
    give(scale, [top] * happy + [low] * unhappy, on=on, **given)


@pytest.fixture
def shop() -> None:
    """Three categories of which one fell, one is small and one is few; with reasons."""
    phones, mats, cards, parts = (
        make_category(name=name) for name in ("Phones", "Mats", "Cards", "Parts")
    )
    for scale in ("nps", "thumb"):
        for days_ago in (3, 10, 17, 24, 31):
            give_much(scale, 20, 30, days_ago, category=phones, reason="too_often", channel="web")
            give_much(scale, 30, 10, days_ago, category=mats, reason="fun", channel="email")
        for days_ago in (92, 99, 106, 113):
            give_much(scale, 45, 5, days_ago, category=phones, channel="web")
            give_much(scale, 30, 10, days_ago, category=mats, channel="email")
        give_much(scale, 12, 2, 5, category=cards, reason="easy", channel="web")
        give_much(scale, 2, 1, 6, category=parts, reason="effort", channel="web")
        give_much(scale, 3, 0, 40, channel="web")
    give(
        "nps",
        [7, 8] * 10 + [5] * 3 + [6] * 9,
        on=timezone.localdate() - timedelta(days=4),
        category=phones,
    )
    ask(60, on=timezone.localdate() - timedelta(days=4), category=phones)


# -- The same as on the page ---------------------------------------------------------------------

QUERIES = [
    "kpi=nps",
    "kpi=thumbs&period=4w",
    "kpi=nps&period=12m&against=year&slice=channel",
    "kpi=nps&category=Phones&slice=channel",
    "kpi=response_rate",
    "kpi=csat",
]


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_every_table_of_both_pages_has_its_two_files(staff):
    linked = set()
    for path in ("/", "/satisfaction/"):
        html = staff.get(f"{path}?kpi=nps&against=year&slice=channel").content.decode()
        for link in re.findall(r'href="(/tables/[^"]+)" download', html):
            address = link.replace("&amp;", "&")
            _start, name, kind = re.split(r"[/.]", address.split("?")[0].removeprefix("/"))
            linked.add((name, kind))
            assert address.endswith("against=year&kpi=nps&slice=channel")
            assert cells_of(staff.get(address), kind)
    shown = {"trend", "scores", "breakdown", "reasons", "why", "lines"}
    assert linked >= {(name, kind) for name in shown for kind in ("csv", "xlsx")}
    assert {name for name, _kind in linked} <= {*TABLES}


def same(told: str, cell: object) -> bool:
    """Say whether a cell is the same in both files; a workbook keeps 16 digits of a number."""
    return told == cell if isinstance(cell, str) else float(told) == pytest.approx(cell, rel=1e-14)


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_a_workbook_holds_what_the_csv_file_holds(staff):
    numbers = 0
    for name, query in product(TABLES, QUERIES[:3]):
        in_csv, in_workbook = (download(staff, name, query, kind) for kind in ("csv", "xlsx"))
        width = max(map(len, in_csv))
        for line, cells in zip(in_csv, in_workbook, strict=True):
            padded = [*line, *[""] * (width - len(line))]
            assert [pair for pair in zip(padded, cells, strict=True) if not same(*pair)] == []
            numbers += sum(not isinstance(cell, str) for cell in cells)
    assert numbers > 100


def figure_cells(shown) -> list[str]:
    """Return what a file may hold of a figure and its change, by the rules of the page.

    Of the period before no more than is printed: how many answered then would follow.
    """
    if shown.hidden:
        return [*text(*[None] * 7), "hidden"]
    figure, moved = shown.figure, shown.change
    if shown.empty:
        return text(0, *[None] * 7)
    cells = [figure.n, figure.value if shown.shown else None, figure.low, figure.high]
    if not shown.comparable:
        return [*text(*cells, *[None] * 3), "too_few" if shown.few else ""]
    printed = [round(shown.ring, 1), round(moved.change, 1)]
    return [*text(*cells, *printed, shown.verdict), ""]


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_headline_figures_are_those_of_the_page(staff):
    notes = set()
    for query in QUERIES:
        lines = [[*line.values()] for line in table(staff, "kpis", query)]
        blocks = page(staff, "/", query).blocks
        assert lines == [[block.kpi, *figure_cells(block)] for block in blocks], query
        notes |= {line[7] or line[1] for line in lines}
    assert {"down", "0", "60"} <= notes


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_breakdown_is_that_of_the_page(staff):
    notes = set()
    for query in QUERIES:
        lines = [[*line.values()] for line in table(staff, "breakdown", query)]
        rows = page(staff, "/satisfaction/", query).breakdown.rows
        assert lines == [[row.key, *figure_cells(row)] for row in rows], query
        notes |= {line[-1] or line[-2] for line in lines}
    assert {"down", "hidden", "no_change"} <= notes


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_trend_is_that_of_the_page(staff):
    seen = set()
    for query in QUERIES:
        rows = page(staff, "/satisfaction/", query).trend.rows
        for row, line in zip(rows, table(staff, "trend", query), strict=True):
            days = [line["start"], line["end"]]
            assert days == [row.period.start.isoformat(), row.period.end.isoformat()]
            alone = [line[name] for name in ("n", "value", "low", "high")]
            single, rolling = row.single, row.rolling
            if row.hidden:
                assert alone == ["", "", "", ""]
            elif single is None:
                assert alone == ["0", "", "", ""]
            else:
                firm = single.value if single.n >= 30 else None
                assert alone == text(single.n, firm, single.low, single.high)
            together = [line[f"together_{name}"] for name in ("value", "low", "high")]
            firm = rolling.value if rolling and rolling.n >= 30 else None
            limits = (rolling.low, rolling.high) if rolling else (None, None)
            assert together == text(firm, *limits)
            state = "running" if row.running else "part" if row.part else ""
            assert line["note"] == ("hidden" if row.hidden else state)
            seen |= {line["note"], "together" if rolling else "", "alone" if single else ""}
    assert seen == {"hidden", "running", "", "together", "alone"}


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_distribution_is_that_of_the_page(staff):
    notes = []
    for query in QUERIES:
        panel = page(staff, "/satisfaction/", query).distribution
        lines = table(staff, "scores", query)
        scores = panel.scores if panel else []
        assert [int(line["score"]) for line in lines] == [score.value for score in scores], query
        for score, line in zip(scores, lines, strict=True):
            shown = [None, None] if score.hidden else [score.n, score.share]
            assert [line["n"], line["share"]] == text(*shown), query
            assert line["share_before"] == text(score.was)[0], query
            assert line["note"] == ("hidden" if score.hidden else ""), query
            assert line["outcome"] == KPIS["nps"].scale.outcome(score.value), query
            notes.append(line["note"])
    assert (len(notes), {*notes}) == (33, {"hidden", ""})


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_reasons_are_those_of_the_page(staff):
    notes = set()
    for query in QUERIES:
        panel = page(staff, "/satisfaction/", query).reasons
        rows = [row for _name, group in panel.groups for row in group] if panel else []
        lines = table(staff, "reasons", query)
        if panel is None or not panel.drawn:
            assert lines == [], query
            continue
        for row, line in zip(rows, lines, strict=True):
            figure = row.figure
            cells = [row.n, figure.value if row.shown else None, figure.low, figure.high]
            expected = [None] * 4 if row.hidden else cells
            assert [line[name] for name in ("n", "value", "low", "high")] == text(*expected)
            assert [line["reason"], line["note"]] == [row.key, "hidden" if row.hidden else ""]
            notes.add(line["note"])
    assert notes == {"hidden", ""}


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_why_is_that_of_the_page(staff):
    told = set()
    for query in QUERIES:
        shown = page(staff, "/satisfaction/", query).why
        lines = table(staff, "why", query)
        assert len(lines) == (len(shown.rows) if shown else 0), query
        for row, line in zip(shown.rows if shown else [], lines, strict=True):
            key, n, *shares, note = line.values()
            assert (key, n) == (row.key, *text(None if row.hidden else row.n)), query
            blank = [None] * len(shown.reasons)
            assert shares == text(*(blank if row.hidden else [cell.share for cell in row.cells]))
            assert note == ("hidden" if row.hidden else "too_few" if row.n < 30 else "")
            told |= {note, *("share" for share in shares if share)}
    assert told >= {"hidden", "share", ""}


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_lines_are_those_of_the_page(staff):
    told = 0
    for query in QUERIES:
        panel = page(staff, "/", query).multiples
        rows = download(staff, "lines", query)
        if panel is None:
            assert rows[0] == ["slice"], query
            continue
        assert rows[0][1:] == [
            f"{days.start}/{days.end - timedelta(days=1)}" for days in panel.stretches
        ]
        assert len(panel.stretches) == len(panel.columns)
        for (row, figures), line in zip(panel.table, body(rows), strict=True):
            values = [one.value if one else None for one in figures]
            assert [*line.values()] == [row.key, *text(*values)], query
            told += sum(value is not None for value in values)
    assert told > 5


# -- Hidden there, hidden here ----------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.usefixtures("shop")
def test_a_hidden_row_keeps_its_numbers_in_a_file_too(staff, kind):
    """Parts has 3 answers and the ones of no category are 3, so both are out of sight."""
    lines = body(download(staff, "breakdown", "kpi=thumbs", kind))
    by_key = {line["thumbs" if "thumbs" in line else "category"]: line for line in lines}
    assert [by_key[key]["note"] for key in ("Parts", "")] == ["hidden", "hidden"]
    assert {cell for key in ("Parts", "") for cell in [*by_key[key].values()][1:-1]} == {""}
    assert by_key["Cards"]["note"] == "too_few"
    assert [by_key["Cards"][name] for name in ("value", "before", "change", "verdict")] == [""] * 4
    assert str(by_key["Cards"]["n"]) == "14"
    assert by_key["Cards"]["low"] != ""


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_of_a_filter_that_is_hidden_in_its_table_no_file_tells_anything(staff):
    """The same files hold numbers for a filter that is not hidden."""
    for name in TABLES:
        chosen = "" if name == "lines" else "&category=Phones&slice=channel"
        told = [[*line.values()][1:] for line in table(staff, name, f"kpi=nps{chosen}")]
        assert any(re.search(r"[1-9]", cell) for line in told for cell in line), name
        for line in table(staff, name, "kpi=nps&category=Parts&slice=channel"):
            told = {cell for key, cell in line.items() if key not in {"start", "end", "kpi"}}
            assert told <= {"", "0", "hidden", "running"}, name
            assert line.get("kpi") != "nps" or line["note"] == "hidden"


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLES)
def test_without_answers_a_file_has_its_head_and_its_definition(staff, name):
    rows = download(staff, name, "kpi=nps")
    assert rows[0]
    assert ("definition", KPIS["nps"].definition) in foot(rows)
    assert {cell for line in body(rows) for cell in [*line.values()][2:]} <= {"", "0", "running"}


# -- What the numbers are ----------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_under_the_numbers_stands_what_they_are(staff):
    today = timezone.localdate()
    first = today - timedelta(days=9)
    query = f"kpi=nps&period=own&from={first}&to={today}&against=year&channel=web&category=Phones"
    assert foot(download(staff, "why", query)) == [
        ("kpi", "nps"),
        ("from", first.isoformat()),
        ("up_to_and_including", today.isoformat()),
        ("against", "year"),
        ("category", "Phones"),
        ("channel", "web"),
        ("time_zone", settings.TIME_ZONE),
        ("definition", KPIS["nps"].definition),
        ("definition", SHARE.definition),
    ]
    under = foot(download(staff, "kpis", query))
    assert under[0] == ("kpi", " ".join(KPIS))
    assert under[-len(KPIS) :] == [("definition", kpi.definition) for kpi in KPIS.values()]


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_a_file_does_not_depend_on_the_language_of_who_fetches_it(staff):
    for name in TABLES:
        staff.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        english = download(staff, name, "kpi=nps")
        staff.cookies[settings.LANGUAGE_COOKIE_NAME] = "nl"
        assert download(staff, name, "kpi=nps") == english
        assert len(body(english)) > 1


@pytest.mark.django_db
@pytest.mark.parametrize(("against", "before"), [("previous", previous), ("year", year_before)])
def test_a_file_compares_with_what_the_page_compares_with(staff, against, before):
    give_much("thumb", 40, 10)
    period = page(staff, "/", "kpi=thumbs&period=4w").selection.period
    days_ago = (timezone.localdate() - before(period).start).days
    give_much("thumb", 20, 30, days_ago)
    lines = table(staff, "kpis", f"kpi=thumbs&period=4w&against={against}")
    [line] = [line for line in lines if line["kpi"] == "thumbs"]
    assert (line["before"], line["value"], line["verdict"]) == ("40.0", "80.0", "up")
    other = {"previous": "year", "year": "previous"}[against]
    lines = table(staff, "kpis", f"kpi=thumbs&period=4w&against={other}")
    [line] = [line for line in lines if line["kpi"] == "thumbs"]
    assert (line["before"], line["value"], line["verdict"]) == ("", "80.0", "")


# -- No name is a formula ----------------------------------------------------------------------


@pytest.fixture
def formulas() -> None:
    """Slices of every kind that are named like a formula."""
    for formula in FORMULAS:
        slices = {
            "category": make_category(name=formula),
            "product": make_product(sku=formula),
            "touchpoint": make_touchpoint(name=formula),
            "reason": "fun",
        }
        for days_ago in (1, 8, 15, 22, 29):
            give_much("nps", 20, 20, days_ago, **slices)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.usefixtures("formulas")
def test_a_name_is_never_a_formula(staff, kind):
    for name in ("breakdown", "why"):
        for dimension in ("category", "product", "touchpoint"):
            rows = body(download(staff, name, f"kpi=nps&slice={dimension}", kind))
            _assert_harmless([str(row[dimension]) for row in rows])
    _assert_harmless([str(row["slice"]) for row in body(download(staff, "lines", "kpi=nps", kind))])


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.usefixtures("formulas")
def test_a_filter_under_the_numbers_is_never_a_formula(staff, kind):
    names = []
    for formula in FORMULAS:
        chosen = {"kpi": "nps", "category": formula, "touchpoint": formula}
        under = foot(cells_of(staff.get(f"/tables/trend.{kind}", chosen), kind))
        names += [str(cell) for key, cell in under if key == "category"]
        assert [cell for key, cell in under if key == "touchpoint"] == names[-1:]
    _assert_harmless(names)


def _assert_harmless(names: list[str]) -> None:
    """Each formula is there, and begins with an apostrophe."""
    assert sorted(name.replace("'", "") for name in names) == sorted(FORMULAS)
    assert [name for name in names if not name.startswith("'")] == []


# -- Who gets it -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_only_who_is_signed_in_gets_a_file(staff):
    for name, kind in product(TABLES, ("csv", "xlsx")):
        address = f"/tables/{name}.{kind}?kpi=nps&period=4w"
        response = staff.get(address)
        under = dict(foot(cells_of(response, kind)))
        days = f"{under['from']}-{under['up_to_and_including']}"
        assert response["Content-Disposition"] == f'attachment; filename="{name}-{days}.{kind}"'
        assert response["Cache-Control"] == "no-store"
        stranger = Client().get(address)
        assert (stranger.status_code, stranger.content) == (302, b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["nope.csv", "trend.pdf", "trend.html", "TREND.csv", "selection.csv", "_trend.csv"]
)
def test_there_is_no_other_file(staff, path):
    assert staff.get("/tables/trend.csv").status_code == 200
    assert staff.get(f"/tables/{path}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "query", ["kpi=nope", "channel=pigeon", "category=nope", "from=2026-02-02&to=2026-02-01"]
)
def test_a_filter_that_makes_no_sense_gives_no_file(staff, kind, query):
    make_category(name="Mats")
    assert staff.get(f"/tables/breakdown.{kind}?kpi=nps").status_code == 200
    assert staff.get(f"/tables/breakdown.{kind}?{query}").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLES)
def test_a_file_takes_as_many_queries_with_one_slice_as_with_three(staff, name):
    taken = []
    for more in (1, 2):
        for _ in range(more):
            slices = {"category": make_category(), "product": make_product(), "reason": "fun"}
            for days_ago in (1, 22, 100):
                give_much("nps", 30, 10, days_ago, channel="web", **slices)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert download(staff, name, "kpi=nps")
        taken.append(len(queries))
    assert taken[0] == taken[1]
