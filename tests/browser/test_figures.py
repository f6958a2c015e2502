"""The pages of figures in a real browser: every look, by keyboard alone, and by dragging."""

import csv
import random
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from customers.models import Product
from feedback.models import Response
from feedback.services import Answer, add_responses
from insights.dashboard.tables import TABLES
from tests.browser.looks import LOOKS, choices
from tests.makers import make_touchpoint

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

# More stops than there are on a page: then the way leads nowhere.
STOPS = 150


@pytest.fixture
def figures(answers) -> None:
    """Half a year of thumbs and NPS, and beside them a CSAT whose answers say why."""
    rnd = random.Random(9)
    touchpoint = make_touchpoint(name="Na een telefoongesprek", scale="csat")
    products = list(Product.objects.select_related("category"))
    today = timezone.localdate()
    given = []
    for number in range(900):
        ago = 1 + number // 5
        [value] = rnd.choices([1, 2, 3, 4, 5], [4, 3, 2, 5, 6] if ago < 91 else [1, 1, 2, 6, 10])
        given.append(
            Answer(
                key=f"call {number}",
                scale="csat",
                value=value,
                answered_at=datetime.combine(
                    today - timedelta(days=ago), time(12), tzinfo=ZoneInfo("Europe/Amsterdam")
                ),
                touchpoint=touchpoint,
                product=rnd.choices(products, [12, 6, 4, 3, 1, 1])[0],
                channel="phone",
                customer_type=rnd.choice(["regular", "occasional"]),
                reason=rnd.choice(["", "too_often", "effort"] if value < 3 else ["", "useful"]),
            )
        )
    add_responses(given)


# -- How they look ------------------------------------------------------------------------------

# What each page has on it besides its headline figures and its trend.
PAGES = {
    "moved": "/?kpi=csat",
    "year": "/?kpi=nps&period=12m&against=year&slice=channel",
    "scores": "/satisfaction/?kpi=csat&slice=category",
    "products": "/satisfaction/?kpi=thumbs&slice=product",
    "blurred": "/satisfaction/?kpi=nps&category=Laptops&slice=customer_type&against=year",
    "month": "/satisfaction/?kpi=csat&period=4w&slice=touchpoint&customer_type=regular",
    "nobody-asked": "/satisfaction/?kpi=response_rate",
}


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_the_pages_of_figures_are_accessible_and_keep_the_csp(
    open_page, session, figures, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in PAGES.items():
        watched.visit(path)
        if name == "scores":
            watched.check(f"figures-{name}-{language}-{theme}-{width}")
        for panel in ("#trend", "#scores"):
            if watched.page.query_selector(f"{panel} [data-chart]"):
                watched.explore(panel)
        for summary in watched.page.query_selector_all(".ci-under summary"):
            summary.click()
        watched.check(f"figures-{name}-open-{language}-{theme}-{width}")
    assert watched.problems == []


# -- By keyboard alone --------------------------------------------------------------------------


# The ring is around what has the focus, or around the label that it is in.
OUTLINES = """[document.activeElement, document.activeElement.parentElement]
  .map((element) => getComputedStyle(element).outlineStyle)"""


def tab_to(page, selector: str) -> None:
    """Press Tab until something is reached, which then has to be seen to have the focus."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate(OUTLINES) != ["none", "none"], selector
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


def query_of(page) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}


def test_by_keyboard_from_the_filters_to_a_row_and_to_the_table_of_the_trend(
    open_page, session, figures
):
    watched = open_page(cookies=session)
    page = watched.page
    watched.visit("/satisfaction/?kpi=csat&slice=category")
    tab_to(page, "select[name=period]")
    with page.expect_navigation():
        page.keyboard.press("ArrowUp")
    watched.settle()
    assert query_of(page) == {
        "period": "4w",
        "against": "previous",
        "kpi": "csat",
        "slice": "category",
    }
    # The focus stayed where it was, so the way goes on from there.
    tab_to(page, "#breakdown tbody th a")
    name = page.evaluate("document.activeElement.textContent")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    watched.settle()
    assert query_of(page)["category"] == name
    tab_to(page, "#trend summary")
    assert not page.is_visible("#trend table")
    page.keyboard.press("Enter")
    assert page.is_visible("#trend table")
    tab_to(page, "#trend .ci-scroll")
    assert watched.problems == []


def test_by_keyboard_from_what_moved_to_who_it_was(open_page, session, figures):
    watched = open_page(cookies=session)
    page = watched.page
    watched.visit("/?kpi=csat")
    tab_to(page, "#moved a")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    watched.settle()
    assert urlsplit(page.url).path == "/satisfaction/"
    chosen = query_of(page)
    assert chosen["kpi"] == "csat"
    assert {*chosen} > {"period", "kpi", "slice"}
    assert chosen["slice"] not in {*chosen}
    tab_to(page, "#breakdown nav a:not([aria-current])")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert query_of(page)["slice"] != chosen["slice"]
    assert watched.problems == []


# -- By dragging --------------------------------------------------------------------------------


def place_of(page, day: date) -> tuple[float, float]:
    """Return where a day is in the drawing of the trend, in pixels of the page."""
    area = page.locator("#trend .nsewdrag").bounding_box()
    axis = "document.querySelector('#trend [data-chart]')._fullLayout.xaxis"
    x = page.evaluate(f"day => {axis}.d2p(day)", day.isoformat())
    return area["x"] + x, area["y"] + area["height"] / 2


def drag(page, first: date, last: date) -> None:
    page.mouse.move(*place_of(page, first))
    page.mouse.down()
    for step in (1, 2, 3):
        page.mouse.move(*place_of(page, first + (last - first) * step / 3))
    page.mouse.up()


@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_dragged_over_becomes_the_period(open_page, session, figures, backwards):
    watched = open_page(cookies=session | choices("en", "light"))
    page = watched.page
    watched.visit("/satisfaction/?kpi=csat&slice=product&channel=phone&against=year")
    watched.explore()
    today = timezone.localdate()
    ends = [today - timedelta(days=60), today - timedelta(days=20)]
    with page.expect_navigation():
        drag(page, *(reversed(ends) if backwards else ends))
    watched.settle()
    chosen = query_of(page)
    first, last = (date.fromisoformat(chosen.pop(name)) for name in ("from", "to"))
    assert chosen == {
        "period": "own",
        "kpi": "csat",
        "slice": "product",
        "channel": "phone",
        "against": "year",
    }
    # A day is some pixels wide, so the hand may be a day beside.
    beside = [abs((day - wanted).days) for day, wanted in zip((first, last), ends, strict=True)]
    assert max(beside) <= 1
    assert page.input_value("input[name=from]") == first.isoformat()
    assert page.input_value("input[name=to]") == last.isoformat()
    n = Response.objects.filter(scale="csat", answered_on__gte=first, answered_on__lte=last).count()
    assert n > 100
    assert f"{n} answers" in page.inner_text(".ci-filters__count")
    watched.explore()
    watched.check("figures-dragged-en-light-1440")
    page.go_back()
    watched.settle()
    assert "from" not in query_of(page)
    assert watched.problems == []


def test_a_finger_scrolls_and_chooses_no_period(open_page, session, figures):
    watched = open_page(width=360, cookies=session, has_touch=True, is_mobile=True)
    page = watched.page
    watched.visit("/satisfaction/?kpi=csat")
    assert not page.is_visible("[data-zoom-hint]")
    page.locator("#trend .ci-plot").tap()
    page.wait_for_selector("#trend .main-svg")
    before = page.url
    today = timezone.localdate()
    drag(page, today - timedelta(days=60), today - timedelta(days=20))
    page.wait_for_timeout(300)
    assert page.url == before
    assert watched.problems == []


# -- Theme and files ----------------------------------------------------------------------------


def test_both_charts_follow_the_theme(open_page, session, figures):
    watched = open_page(cookies=session | {"theme": "light"})
    page = watched.page
    watched.visit("/satisfaction/?kpi=csat")
    for panel in ("#trend", "#scores"):
        watched.explore(panel)
    colours = """() => [["trend", "line", "line"], ["scores", "scores", "marker"]].map(
      ([panel, role, part]) => document.querySelector(`#${panel} [data-chart]`).data
        .find((trace) => trace.meta.role === role)[part].color.toString())"""
    light = page.evaluate(colours)
    page.click(".ci-rail button[value=dark]")
    page.wait_for_function(
        f"light => ({colours})().every((one, at) => one !== light[at])", arg=light
    )
    page.click(".ci-rail button[value=light]")
    page.wait_for_function(
        f"light => ({colours})().every((one, at) => one === light[at])", arg=light
    )
    assert watched.problems == []


def test_every_table_is_a_click_away_as_a_file(open_page, session, figures, tmp_path):
    watched = open_page(cookies=session, accept_downloads=True)
    page = watched.page
    names = set()
    for path in ("/?kpi=csat", "/satisfaction/?kpi=csat"):
        watched.visit(path)
        for link in page.query_selector_all(".ci-tablefiles a"):
            with page.expect_download() as download:
                link.click()
            name = download.value.suggested_filename
            download.value.save_as(tmp_path / name)
            table = name.split("-")[0]
            assert _rows(tmp_path / name) > (2 if table == "kpis" else 8)
            names.add((table, name.rpartition(".")[2]))
    assert names == {(table, kind) for table in TABLES for kind in ("csv", "xlsx")}
    assert watched.problems == []


def _rows(path) -> int:
    if path.suffix == ".xlsx":
        return load_workbook(path).worksheets[0].max_row
    with path.open(encoding="utf-8-sig", newline="") as file:
        return len(list(csv.reader(file)))
