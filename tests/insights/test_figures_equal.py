"""Every figure on the two pages of figures is the one of the command `kpi` for the same choice.

A walk over presets, own dates, filters, both comparisons and all KPIs: what a page prints and what
it draws is compared, unrounded where the page has it so, with the documents of the command.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from io import StringIO
from urllib.parse import parse_qsl

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from feedback import tallies
from feedback.models import Invitation, Response
from feedback.services import add_responses, record_invitations
from insights.accounts import Role
from insights.kpis import KPIS
from insights.periods import COMPARISONS, Period, enclosing
from tests.insights.makers import local
from tests.makers import an_answer, make_category, make_product, make_touchpoint

# -- A shop of two years -------------------------------------------------------------------------

# name, weight, share of happy answers in the last 13 weeks and before
CATEGORIES = [
    ("Phones", 20, 0.50, 0.80),
    ("Laptops", 12, 0.85, 0.70),
    ("Mats", 8, 0.80, 0.80),
    ("Cards", 1, 0.80, 0.80),
    ("Parts", 0.12, 0.80, 0.80),
]
VALUES = {  # happy, neutral, unhappy
    "nps": ([9, 10], [7, 8], [0, 2, 3, 4, 5, 6]),
    "thumb": ([1], [0, 1], [0]),
    "csat": ([4, 5], [3], [1, 2]),
    "ces": ([5, 6, 7], [4], [1, 2, 3]),
}
ANSWERS = 4_000


def days_ago(rnd: random.Random) -> int:
    """Most answers are of the last half year, and a quarter is older."""
    return int(183 * rnd.random() if rnd.random() < 0.75 else 183 + 577 * rnd.random())


@pytest.fixture
def shop() -> None:
    """Some thousand answers and invitations, half of them folded into the tallies."""
    rnd = random.Random(20)
    products = {
        name: [make_product(sku=f"{name} {n}", category=category) for n in range(2)]
        for name, *_rest in CATEGORIES
        for category in [make_category(name=name)]
    }
    touchpoints = {
        scale: [make_touchpoint(name=f"{scale} {where}", scale=scale) for where in ("mail", "site")]
        for scale in VALUES
    }
    today = timezone.localdate()

    def given() -> Iterator[object]:
        for _ in range(ANSWERS):
            [(name, _weight, now, before)] = rnd.choices(
                CATEGORIES, [w for _n, w, *_ in CATEGORIES]
            )
            ago = days_ago(rnd)
            [kind] = rnd.choices(
                [0, 1, 2], [(happy := now if ago < 91 else before), 0.1, max(0.9 - happy, 0.05)]
            )
            [scale] = rnd.choices([*VALUES], [4, 3, 2, 2])
            yield an_answer(
                scale=scale,
                value=rnd.choice(VALUES[scale][kind]),
                answered_at=local(today - timedelta(days=ago)),
                product=rnd.choice(products[name]) if rnd.random() < 0.9 else None,
                touchpoint=rnd.choice(touchpoints[scale]),
                channel=rnd.choice(["email", "web", "web"]) if rnd.random() < 0.95 else "",
                customer_type=rnd.choice(["regular", "occasional", "one_time"]),
                reason=rnd.choice(["", "", "fun", "too_often"]),
            )

    add_responses(given())
    asked = record_invitations(
        [
            Invitation(
                invited_at=local(today - timedelta(days=days_ago(rnd))),
                category=rnd.choice(products[name]).category,
                channel=rnd.choice(["email", "web"]),
            )
            for name in rnd.choices(["Phones", "Laptops", "Mats"], [3, 2, 1], k=900)
        ]
    )
    add_responses(
        an_answer(
            value=9, answered_at=local(today), invitation=invitation, category=invitation.category
        )
        for invitation in asked
        if rnd.random() < (0.3 if invitation.category.name == "Phones" else 0.5)
    )
    tallies.fold(limit=ANSWERS // 2)


def own(first: int, last: int) -> str:
    """Own dates, in days ago."""
    today = timezone.localdate()
    return f"period=own&from={today - timedelta(days=first)}&to={today - timedelta(days=last)}"


def queries() -> list[str]:
    return [
        "",
        "kpi=thumbs&period=4w&slice=channel",
        "kpi=csat&period=month&slice=product",
        "kpi=nps&period=last_month&slice=customer_type",
        "kpi=ces&period=quarter&slice=touchpoint",
        "kpi=nps&period=12m&against=year&slice=category",
        "kpi=thumbs&period=13w&against=year&slice=product",
        "kpi=response_rate&period=13w&slice=category",
        "kpi=response_rate&period=12m&channel=web&slice=category",
        f"kpi=nps&{own(100, 33)}&slice=touchpoint",
        f"kpi=thumbs&{own(20, 1)}&slice=customer_type",
        f"kpi=csat&{own(3, 0)}&slice=channel",
        f"kpi=csat&{own(330, 0)}&against=year&slice=category",
        "kpi=nps&category=Phones&slice=customer_type",
        "kpi=thumbs&category=Laptops&slice=product",
        "kpi=thumbs&channel=web&slice=category",
        "kpi=nps&customer_type=regular&category=Phones&slice=product",
        "kpi=ces&product=Laptops 1&period=12m&slice=channel",
        "kpi=csat&touchpoint=csat site&period=12m&slice=category",
        "kpi=nps&category=Cards&period=12m&slice=channel",
        "kpi=nps&category=Parts&period=4w",
    ]


SLICES = ("category", "product", "channel", "customer_type", "touchpoint")
TOGETHER = {"day": 7, "week": 4, "month": 3}


class Choice:
    """What an address asks for, read by the test itself, and the command asked the same."""

    def __init__(self, query: str, period: Period, language: str) -> None:
        given = dict(parse_qsl(query))
        self.language = language
        self.kpi = given.get("kpi", "nps")
        self.slice = given.get("slice", "category")
        self.against = given.get("against", "previous")
        self.where = {name: given[name] for name in SLICES if name in given}
        self.now = period
        self.before = COMPARISONS[self.against](period)
        drawn = (period.end - self.before.start).days
        self.grain = "day" if drawn <= 70 else "week" if drawn <= 500 else "month"
        self.unit = KPIS[self.kpi].unit

    def rows(self, start: date, end: date, *options: str, kpi: str = "", **where) -> list[dict]:
        filters = [f"{name}={key}" for name, key in (self.where | where).items()]
        said = StringIO()
        call_command(
            "kpi",
            kpi or self.kpi,
            f"--from={start}",
            f"--to={end}",
            *(["--where", *filters] if filters else []),
            *options,
            "--json",
            stdout=said,
        )
        return json.loads(said.getvalue())["rows"]

    def compared(self, *options: str, **given) -> list[dict]:
        return self.rows(
            self.now.start, self.now.end, f"--compare={self.against}", *options, **given
        )

    def one(self, start: date, end: date, **where) -> dict:
        [row] = self.rows(start, end, **where)
        return row


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    return client


def visit(staff: Client, path: str, query: str, language: str = "en") -> tuple[object, "Node"]:
    """Return what a page knows, and what it prints."""
    staff.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    response = staff.get(f"{path}?{query}")
    assert response.status_code == 200
    page = response.context["page"]
    assert not response.context["form"].errors, query
    return page, parsed(response.content.decode())


def walk(staff: Client, path: str) -> Iterator[tuple]:
    """Visit a page with every selection, the first ones in Dutch too."""
    for at, query in enumerate(queries()):
        for language in ("en", "nl") if at < 5 else ("en",):
            page, html = visit(staff, path, query, language)
            yield query, Choice(query, page.selection.period, language), page, html


# -- How a number is printed, and where to find it -------------------------------------------------


def printed(value: float, digits: int, language: str) -> str:
    """12 430.5 in English, 12.430,5 in Dutch; halves away from zero, and a real minus."""
    exact = abs(Decimal(repr(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    marks = {",": "\N{NO-BREAK SPACE}", ".": "."} if language == "en" else {",": ".", ".": ","}
    text = "".join(marks.get(letter, letter) for letter in f"{exact:,}")
    return f"−{text}" if value < 0 and exact else text


def with_sign(text: str, unit: str, language: str) -> str:
    if unit == "points":
        return text
    return f"{text}\N{NO-BREAK SPACE}%" if language == "en" else f"{text}%"


def exactly(value: float, unit: str, language: str) -> str:
    digits = 0 if unit == "points" else 1
    return with_sign(printed(value, digits, language), unit, language)


def interval(row: dict, digits: int, language: str) -> str:
    low, high = (printed(row[end], digits, language) for end in ("low", "high"))
    return f"{low} {'to' if language == 'en' else 'tot'} {high}"


def moved_by(change: float, unit: str, language: str) -> str:
    text = printed(change, 0 if unit == "points" else 1, language)
    return text if text.startswith("−") or not text.strip("0.,") else f"+{text}"


class Node:
    """A piece of a page: enough of a tree to find a table by its id and read its cells."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.parts: list[Node | str] = []

    def all(self, tag: str = "", css: str = "") -> list["Node"]:
        found = []
        for part in self.parts:
            if isinstance(part, Node):
                fits = tag in {"", part.tag} and css in {"", *part.css}
                found += [part] * fits + part.all(tag, css)
        return found

    def id(self, name: str) -> "Node | None":
        return next((n for n in self.all() if n.attributes.get("id") == name), None)

    @property
    def css(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    @property
    def text(self) -> str:
        """What is read, without the words for screen readers only."""
        if "ci-sr" in self.css:
            return ""
        words = "".join(part if isinstance(part, str) else part.text for part in self.parts)
        return words.strip(" \n")


VOID = {"input", "meta", "link", "br", "img", "hr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.open[-1].parts.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while len(self.open) > 1 and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def parsed(html: str) -> Node:
    reader = _Reader()
    reader.feed(html)
    return reader.open[0]


def table(html: Node, panel: str) -> list[list[str]]:
    """Return the texts of all body rows in a panel."""
    section = html.id(panel)
    return [
        [cell.text for cell in row.parts if isinstance(cell, Node)]
        for body in (section.all("tbody") if section else [])
        for row in body.all("tr")
    ]


def drawn(html: Node, name: str) -> dict | None:
    """Return the figure that a page hands to its script."""
    script = html.id(name)
    return json.loads("".join(script.parts)) if script else None


def trace(figure: dict, role: str) -> dict:
    [found] = [trace for trace in figure["data"] if trace["meta"]["role"] == role]
    return found


def figure_of(figure) -> dict[str, object]:
    """Return a figure as a document has it."""
    return {name: getattr(figure, name) for name in ("n", "value", "low", "high")} | {
        "counts": dict(figure.counts)
    }


def as_figure(row: dict) -> dict[str, object]:
    return {name: row[name] for name in ("n", "value", "low", "high", "counts")}


def judged(shown) -> tuple:
    """Return the change and the verdict of what is shown."""
    moved = shown.change
    return (moved.change, moved.low, moved.high, moved.p, str(shown.verdict))


def as_judged(row: dict) -> tuple:
    names = ("change", "change_low", "change_high", "p", "verdict")
    return tuple(row[name] for name in names)


# -- The headline figures ----------------------------------------------------------------------


def compare_block(block, choice: Choice) -> dict:
    """Compare a headline figure with its document, and return that."""
    [row] = choice.compared(kpi=block.kpi)
    assert figure_of(block.figure) == as_figure(row)
    assert block.hidden or row["n"] not in range(1, 5)
    assert block.shown is (not block.hidden and row["n"] >= 30)
    if block.comparable:
        assert judged(block) == as_judged(row)
        assert block.ring == pytest.approx(row["value"] - row["change"], abs=1e-9)
    return row


def compare_printed(block, row: dict, box: Node, language: str) -> None:
    """Compare what a block prints: the figure, its interval and count, and the change."""
    figure, beside = box.all("span", "ci-fig")[0], box.all("div", "ci-kpi__range")[0]
    changes = [delta.text for delta in box.all("span", "ci-kpi__delta")]
    if not block.shown:
        assert (figure.text, changes) == ("–", [])
        limits = [printed(row[end], 0, language) for end in ("low", "high") if block.few]
        assert [limit for limit in limits if limit in beside.text] == limits
        assert bool(beside.text) is block.few
        return
    sign = "" if block.unit == "points" else "%"
    assert figure.text == printed(row["value"], 0, language) + sign
    asked = block.kpi == "response_rate"
    many = {"en": ["answers", "asked"], "nl": ["antwoorden", "gevraagd"]}[language][asked]
    n = printed(row["n"], 0, language)
    assert beside.text == f"{interval(row, 0, language)} · {n} {many}"
    change = [moved_by(row["change"], block.unit, language)] if block.comparable else []
    assert changes == change


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_every_headline_figure_is_that_of_the_command_and_printed_so(staff):
    seen = Counter()
    for query, choice, page, html in walk(staff, "/"):
        [strip] = html.all("section", "ci-kpis")
        assert [block.current for block in page.blocks].count(True) == 1, query
        for block, box in zip(page.blocks, strip.all("div", "ci-kpi"), strict=True):
            row = compare_block(block, choice)
            compare_printed(block, row, box, choice.language)
            seen[block.kpi] += block.comparable
            seen[block.shape if block.shown else "few" if block.few else "none"] += 1
    assert all(seen[kpi] for kpi in KPIS)
    assert {"up", "down", "flat", "few", "none"} <= {*seen}


# -- The trend -----------------------------------------------------------------------------------


def unit_rows(choice: Choice) -> list[dict]:
    start = enclosing(choice.before.start, choice.grain).start
    return choice.rows(start, choice.now.end, f"--by={choice.grain}")


def is_whole(row: dict, grain: str) -> bool:
    start, end = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
    return enclosing(start, grain) == Period(start, end) and end <= timezone.localdate()


def windows(choice: Choice, rows: list[dict], **where) -> list[dict | None]:
    """Return what the command says of each whole unit together with those before it."""
    size = TOGETHER[choice.grain]
    whole = [row for row in rows if is_whole(row, choice.grain)]
    return [
        choice.one(
            date.fromisoformat(whole[at - size + 1]["start"]),
            date.fromisoformat(row["end"]),
            **where,
        )
        if at >= size - 1
        else None
        for at, row in enumerate(whole)
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_every_row_of_the_trend_and_all_that_is_drawn_is_that_of_the_command(staff):
    found = Counter()
    for query, choice, page, html in walk(staff, "/"):
        units = unit_rows(choice)
        together = windows(choice, units)
        shown = page.trend.rows
        assert [row.period.start.isoformat() for row in shown] == [row["start"] for row in units]
        assert [row.period.end.isoformat() for row in shown] == [row["end"] for row in units]
        cells = table(html, "trend")
        for at, (row, unit, printed_row) in enumerate(zip(shown, units, cells, strict=True)):
            window = together[at] if at < len(together) else None
            _compare_unit(row, unit, window, printed_row, choice)
            found[choice.grain, "hidden" if row.hidden else "shown"] += 1
            found[choice.grain, "window" if row.rolling else "no window"] += 1
        _compare_drawing(query, choice, page, html, together)
    for grain in TOGETHER:
        assert found[grain, "shown"] > 20
        assert found[grain, "window"] > 20


def _compare_unit(row, unit: dict, window: dict | None, cells: list[str], choice: Choice) -> None:
    assert row.hidden or row.n == unit["n"]
    assert row.single is None or figure_of(row.single) == as_figure(unit)
    assert row.rolling is None or figure_of(row.rolling) == as_figure(window)
    digits = 0 if choice.unit == "points" else 1
    n, value, span, window_value, window_span = cells[1:6]
    if not row.hidden:
        assert n == printed(unit["n"], 0, choice.language)
    alone, together = unit if row.single else None, window if row.rolling else None
    for found, text, limits in ((alone, value, span), (together, window_value, window_span)):
        firm = found is not None and found["n"] >= 30
        assert text == (exactly(found["value"], choice.unit, choice.language) if firm else "–")
        assert limits == (interval(found, digits, choice.language) if found else "")


def _compare_drawing(
    query: str, choice: Choice, page, html: Node, together: list[dict | None]
) -> None:
    figure = drawn(html, "trend-data")
    pairs = list(zip(page.trend.rows, together, strict=False))
    of_windows = [(_middle(row), window) for row, window in pairs if row.rolling]
    banded = [(x, window) for x, window in of_windows if window["n"] >= 5]
    assert (figure is not None) is bool(banded), query
    if figure is None:
        return
    values = {x: window["value"] for x, window in of_windows if window["n"] >= 30}
    line = trace(figure, "line")
    assert line["x"] == [_middle(row) for row, _window in pairs], query
    assert line["y"] == [values.get(x) for x in line["x"]], query
    band = trace(figure, "band")
    points = [(x, y) for x, y in zip(band["x"], band["y"], strict=True) if x]
    limits = [(x, window[end]) for x, window in banded for end in ("low", "high")]
    assert sorted(points) == sorted(limits), query
    dots = trace(figure, "single")
    alone = [(_middle(row), row.single) for row, _window in pairs if row.single]
    singles = [(x, one.value) for x, one in alone if one.n >= 30]
    assert [*zip(dots["x"], dots["y"], strict=True)] == singles, query
    assert trace(figure, "end")["y"] == [y for y in line["y"][-1:] if y is not None], query
    averages = [shape["y0"] for shape in figure["layout"]["shapes"] if shape["name"] == "average"]
    known = [page.block.ring, page.block.figure.value if page.block.shown else None]
    assert averages == [value for value in known if value is not None], query
    for (_label, hover), (_row, window), y in zip(
        line["customdata"], pairs, line["y"], strict=True
    ):
        if y is not None:
            value = printed(window["value"], 0, choice.language)
            value = with_sign(value, choice.unit, choice.language)
            n = printed(window["n"], 0, choice.language)
            assert hover.startswith(f"{value} ({interval(window, 0, choice.language)}), {n} "), (
                query
            )


def _middle(row) -> str:
    return (row.period.start + (row.period.end - row.period.start) // 2).isoformat()


# -- The breakdown -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_every_row_of_the_breakdown_is_that_of_the_command_and_printed_so(staff):
    states = Counter()
    for query, choice, page, html in walk(staff, "/satisfaction/"):
        compare_block(page.block, choice)
        rows = {row["slice"]: row for row in choice.compared(f"--slice={choice.slice}")}
        shown = page.breakdown.rows
        cells = table(html, "breakdown")
        assert len(cells) == len(shown), query
        if not page.block.drawn:
            assert shown == [], query
            continue
        assert {row.key for row in shown} == {*rows}, query
        ns = [row.figure.n for row in shown if not row.hidden]
        assert ns == sorted(ns, reverse=True), query
        for row, printed_row in zip(shown, cells, strict=True):
            expected = rows[row.key]
            states[_compare_slice(row, printed_row, expected, choice)] += 1
    assert {"hidden", "few", "shown", "up", "down", "flat"} <= {*states}


def _compare_slice(row, cells: list[str], expected: dict, choice: Choice) -> str:
    """Compare a row with its document; return which of its states it was in."""
    language = choice.language
    assert row.hidden or expected["n"] not in range(1, 5)
    if row.hidden or row.empty:
        assert len(cells) == 2
        assert printed(expected["n"], 0, language) not in cells[1] or not row.hidden
        return "hidden" if row.hidden else "empty"
    digits = 0 if choice.unit == "points" else 1
    assert figure_of(row.figure) == as_figure(expected)
    _name, n, value, _drawing, span, against = cells
    assert n == printed(expected["n"], 0, language)
    assert span == interval(expected, digits, language)
    assert value == (exactly(expected["value"], choice.unit, language) if row.shown else "–")
    if not row.comparable:
        return "shown" if row.shown else "few"
    assert judged(row) == as_judged(expected)
    assert against == moved_by(expected["change"], choice.unit, language)
    return row.shape


# -- The distribution ------------------------------------------------------------------------------

LOOKUPS = {
    "category": "category__name",
    "product": "product__sku",
    "channel": "channel",
    "customer_type": "customer_type",
    "touchpoint": "touchpoint__name",
}


def given_scores(choice: Choice, period: Period) -> Counter:
    """Count the answers themselves."""
    return Counter(
        Response.objects.filter(
            scale=KPIS[choice.kpi].measure,
            answered_on__gte=period.start,
            answered_on__lt=period.end,
            **{LOOKUPS[name]: key for name, key in choice.where.items()},
        ).values_list("value", flat=True)
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_distribution_is_that_of_the_command_and_of_the_answers(staff):
    seen = Counter()
    for query, choice, page, html in walk(staff, "/satisfaction/"):
        panel = page.distribution
        if panel is None:
            assert len(KPIS[choice.kpi].outcomes) == 2, query
            continue
        if panel.figure is None:
            seen["blurred" if panel.blurred else "too few"] += 1
            continue
        now, before = (choice.one(p.start, p.end) for p in (choice.now, choice.before))
        for outcome in panel.outcomes:
            key = outcome.band.outcome
            assert outcome.share == 100 * now["counts"][key] / now["n"], query
            if outcome.was is not None:
                assert outcome.was == 100 * before["counts"][key] / before["n"], query
                seen["was"] += 1
        values, earlier = (given_scores(choice, p) for p in (choice.now, choice.before))
        assert sum(values.values()) == now["n"], query
        bars = trace(drawn(html, "scores-data"), "scores")
        shares = dict(zip(bars["x"], bars["y"], strict=True))
        for score, cells in zip(panel.scores, table(html, "scores"), strict=True):
            assert score.n == values[score.value], query
            if score.hidden:
                assert len(cells) == 4
                assert score.value - panel.scores[0].value not in shares, query
            else:
                assert score.share == 100 * values[score.value] / now["n"], query
                assert shares[score.value - panel.scores[0].value] == score.share, query
                assert cells[2:4] == [
                    printed(score.n, 0, choice.language),
                    exactly(score.share, "percent", choice.language),
                ]
            if score.was is not None:
                assert score.was == 100 * earlier[score.value] / before["n"], query
                assert cells[-1] == exactly(score.was, "percent", choice.language), query
            seen["hidden" if score.hidden else "shown"] += 1
    assert seen["was"] > 5
    assert seen["shown"] > 5 * seen["hidden"]


# -- Small multiples ---------------------------------------------------------------------------


def counts_of_windows(choice: Choice, kind: str, key: str) -> list[Counter | None]:
    """Add up what the command counts in each whole unit of a slice and in those before it."""
    start = enclosing(choice.before.start, choice.grain).start
    filters = {kind: key}
    rows = choice.rows(start, choice.now.end, f"--by={choice.grain}", **filters)
    units = [Counter(row["counts"]) for row in rows if is_whole(row, choice.grain)]
    size = TOGETHER[choice.grain]
    return [
        sum(units[at - size + 1 : at + 1], Counter()) if at >= size - 1 else None
        for at in range(len(units))
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_every_small_line_is_that_of_the_command(staff):
    firm = few = panels = 0
    for query, choice, page, html in walk(staff, "/"):
        panel = page.multiples
        if panel is None:
            continue
        panels += 1
        kind = next(k for k in ("category", "customer_type", "channel") if k not in choice.where)
        whole = [row.period for row in page.trend.rows if not row.part and not row.running]
        size = TOGETHER[choice.grain]
        ends = range(len(whole) - 1, size - 2, -size)[::-1]
        for one, (row, figures), cells in zip(
            panel.multiples, panel.table, table(html, "lines"), strict=True
        ):
            assert one.row is row
            counted = counts_of_windows(choice, kind, row.key)
            for (_x, point), counts in zip(one.points, counted, strict=True):
                n = counts.total() if counts else 0
                assert (point and +Counter(point.counts)) == (counts if n >= 5 else None), query
            for at, figure, text in zip(ends, figures, cells[1:], strict=True):
                days = whole[at - size + 1].start, whole[at].end
                window = choice.one(*days, **{kind: row.key})
                if window["n"] >= 30:
                    firm += 1
                    assert figure_of(figure) == as_figure(window), query
                    assert text == exactly(window["value"], choice.unit, choice.language), query
                else:
                    few += 1
                    assert (figure, text) == (None, "–"), query
    assert panels > 8
    assert firm > 50
    assert few


# -- What moved ------------------------------------------------------------------------------------


def stands_by_holm(ps: list[float]) -> set[int]:
    """Return which of the p-values stand: the smallest against 0.05 / m, and so on."""
    ranked = sorted(range(len(ps)), key=lambda at: ps[at])
    stands = set()
    for passed, at in enumerate(ranked):
        if ps[at] > 0.05 / (len(ps) - passed):
            break
        stands.add(at)
    return stands


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_what_moved_is_what_the_command_says_of_all_slices_together(staff):
    listed = 0
    for query, choice, page, html in walk(staff, "/"):
        if not page.block.shown:
            assert page.moved.findings == [], query
            continue
        candidates = [
            (kind, row)
            for kind in ("category", "customer_type", "channel", "touchpoint")
            if kind not in choice.where
            for row in choice.compared(f"--slice={kind}")
            if row["slice"] and row["verdict"] != "too_few"
        ]
        # In this shop no slice of 30 answers is hidden for the sake of another one.
        assert page.moved.compared == len(candidates), query
        stands = stands_by_holm([row["p"] for _kind, row in candidates])
        moved = sorted(
            (
                (row["p"], kind, row)
                for at, (kind, row) in enumerate(candidates)
                if at in stands and (row["change_low"] > 0 or row["change_high"] < 0)
            ),
            key=lambda one: one[0],
        )
        findings = page.moved.findings
        assert [one.row.key for one in findings] == [row["slice"] for *_p, row in moved[:5]], query
        assert page.moved.more == max(0, len(moved) - 5)
        lines = html.id("moved").all("li")
        language = choice.language
        of = {"en": "of", "nl": "van de"}[language]
        whole = printed(page.block.figure.n, 0, language)
        for finding, (_p, _kind, row), line in zip(findings, moved, lines, strict=False):
            assert figure_of(finding.row.figure) == as_figure(row), query
            before = round(row["value"] - row["change"], 9)
            now, was = (
                with_sign(printed(value, 0, language), choice.unit, language)
                for value in (row["value"], before)
            )
            assert f"{now}, was {was}" in line.text, query
            assert f"{printed(row['n'], 0, language)} {of} {whole} " in line.text, query
            listed += 1
    assert listed > 8
