"""The overview: what may be shown of few answers, the verdicts, the titles, the trend."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from customers.models import Category, Product
from feedback.models import Invitation
from feedback.services import Answer, add_responses, record_invitations
from insights.dashboard import overview, satisfaction
from insights.dashboard.breakdown import MAX_SLICES
from insights.dashboard.grain import grain
from insights.dashboard.selection import PRESETS, Selection, preset
from insights.forms import FilterForm
from insights.kpis import KPIS, figure
from insights.periods import COMPARISONS, Period
from insights.templatetags.numbers import count, duration, exact, exact_span, headline, signed, span

TODAY = date(2026, 11, 24)  # a Tuesday
ZONE = ZoneInfo("Europe/Amsterdam")
_keys = iter(range(10**9))


def give(scale: str, values: list[int], on: date = TODAY, **slices) -> None:
    """Store answers of one day."""
    at = datetime.combine(on, time(12), tzinfo=ZONE)
    add_responses(
        Answer(key=f"t{next(_keys)}", scale=scale, value=value, answered_at=at, **slices)
        for value in values
    )


def choose(**given) -> Selection:
    given = {
        "period": preset("13w", TODAY),
        "preset": "13w",
        "where": {},
        "names": {},
        "kpi": "nps",
        "slice": "category",
        "today": TODAY,
    } | given
    return Selection(**given)


def the_block(**given):
    with translation.override("en"):
        return overview(choose(**given)).block


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


# -- Small counts ------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("n", "state"),
    [
        (0, {"empty": True, "hidden": False, "few": False, "drawn": False, "shown": False}),
        (1, {"empty": False, "hidden": True, "few": False, "drawn": False, "shown": False}),
        (4, {"empty": False, "hidden": True, "few": False, "drawn": False, "shown": False}),
        (5, {"empty": False, "hidden": False, "few": True, "drawn": True, "shown": False}),
        (29, {"empty": False, "hidden": False, "few": True, "drawn": True, "shown": False}),
        (30, {"empty": False, "hidden": False, "few": False, "drawn": True, "shown": True}),
    ],
)
def test_what_is_shown_depends_on_how_many_answered(n, state):
    give("nps", [9] * n)
    block = the_block()
    assert {name: getattr(block, name) for name in state} == state
    assert block.figure.n == n


@pytest.mark.django_db
def test_a_hidden_figure_leaves_no_trace_on_the_ruler():
    give("nps", [9, 9, 9])
    block = the_block()
    assert (block.axis.low, block.axis.high) == (-100, 100)
    assert block.ring is None


@pytest.mark.django_db
def test_few_answers_before_give_no_ring_no_change_and_no_verdict():
    give("nps", [9] * 60)
    give("nps", [2] * 29, on=TODAY - timedelta(weeks=14))
    block = the_block()
    assert (block.shown, block.ring, block.comparable, block.tone) == (True, None, False, "")


@pytest.mark.django_db
def test_a_fall_is_red_only_with_a_verdict():
    give("thumb", [1] * 60 + [0] * 40)
    give("thumb", [1] * 90 + [0] * 10, on=TODAY - timedelta(weeks=14))
    block = the_block(kpi="thumbs")
    assert (block.shape, block.mood, block.tone) == ("down", "bad", "-down")
    assert round(block.change.change) == -30
    assert block.ring == 90


# -- The title ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "before", "title"),
    [
        pytest.param(([], []), ([], []), "No answers yet", id="nothing ever"),
        pytest.param(
            ([9] * 4, []),
            ([], []),
            "Answers are coming in. Figures appear from 5.",
            id="four answers",
        ),
        pytest.param(
            ([9] * 5, []), ([], []), "Too few answers to say anything yet", id="five answers"
        ),
        pytest.param(
            ([9] * 29, []), ([], []), "Too few answers to say anything yet", id="29 answers"
        ),
        pytest.param(
            ([9] * 40, []), ([], []), "NPS 100. Nothing to compare with yet.", id="first period"
        ),
        pytest.param(
            ([9] * 40, []),
            ([9] * 40, []),
            "NPS 100. No demonstrable change.",
            id="no change",
        ),
        pytest.param(
            ([9] * 60 + [3] * 60, []),
            ([9] * 110 + [3] * 10, []),
            "NPS 0, was 83. Down, and not by chance.",
            id="one fell",
        ),
        pytest.param(
            ([9] * 110 + [3] * 10, []),
            ([9] * 60 + [3] * 60, []),
            "NPS 83, was 0. Up, and not by chance.",
            id="one rose",
        ),
        pytest.param(
            ([9] * 60 + [3] * 60, [1] * 60 + [0] * 60),
            ([9] * 110 + [3] * 10, [1] * 110 + [0] * 10),
            "Down, and not by chance: NPS and thumbs up.",
            id="two fell",
        ),
        pytest.param(
            ([9] * 60 + [3] * 60, [1] * 110 + [0] * 10),
            ([9] * 110 + [3] * 10, [1] * 60 + [0] * 60),
            "Down: NPS. Up: thumbs up. Neither is chance.",
            id="one fell and one rose",
        ),
    ],
)
def test_the_title_says_what_is_the_case(now, before, title):
    for (nps, thumbs), on in ((now, TODAY), (before, TODAY - timedelta(weeks=14))):
        give("nps", nps, on=on)
        give("thumb", thumbs, on=on)
    assert overview(choose()).title == title


@pytest.mark.django_db
def test_the_title_in_dutch():
    give("nps", [9] * 60 + [3] * 60)
    give("nps", [9] * 110 + [3] * 10, on=TODAY - timedelta(weeks=14))
    with translation.override("nl"):
        assert overview(choose()).title == "NPS 0, was 83. Gedaald, en niet door toeval."


@pytest.mark.django_db
def test_scales_nobody_ever_answered_on_are_left_out():
    give("nps", [9])
    assert [b.kpi for b in overview(choose()).blocks] == ["nps", "thumbs", "response_rate"]
    give("csat", [5], on=date(2020, 1, 1))
    assert [b.kpi for b in overview(choose()).blocks][:2] == ["nps", "csat"]


@pytest.mark.django_db
def test_without_a_choice_the_first_kpi_with_answers_is_shown():
    give("thumb", [1])
    assert overview(choose(kpi="")).block.kpi == "thumbs"


# -- The breakdown -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_breakdown_hides_a_small_slice_and_its_complement():
    a, b, c = (Category.objects.create(name=name) for name in "ABC")
    give("nps", [9] * 50, category=a)
    give("nps", [9] * 40, category=b)
    give("nps", [9] * 3, category=c)
    rows = satisfaction(choose()).breakdown.rows
    assert [(row.label, row.hidden, row.protecting) for row in rows] == [
        ("A", False, False),
        ("B", True, True),
        ("C", True, False),
    ]


@pytest.mark.django_db
def test_answers_without_a_category_are_a_row_of_their_own():
    give("nps", [9] * 30)
    (row,) = satisfaction(choose()).breakdown.rows
    assert (row.label, row.link) == ("Not known", "")


@pytest.mark.django_db
def test_one_slice_that_moved_is_the_title_of_the_breakdown():
    a, b = (Category.objects.create(name=name) for name in "AB")
    before = TODAY - timedelta(weeks=14)
    give("thumb", [1] * 50 + [0] * 50, category=a)
    give("thumb", [1] * 95 + [0] * 5, category=a, on=before)
    give("thumb", [1] * 80 + [0] * 20, category=b)
    give("thumb", [1] * 80 + [0] * 20, category=b, on=before)
    table = satisfaction(choose(kpi="thumbs")).breakdown
    assert table.title == "By category: only A moved more than chance allows"
    assert table.compared == 2


@pytest.mark.django_db
def test_a_long_breakdown_says_how_much_it_left_out():
    products = Product.objects.bulk_create(Product(sku=f"P{n}") for n in range(MAX_SLICES + 3))
    for product in products:
        give("nps", [9] * 5, product=product)
    table = satisfaction(choose(slice="product")).breakdown
    assert (len(table.rows), table.more) == (MAX_SLICES, 3)


# -- The trend ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (1, "day"),
        (28, "day"),
        (70, "day"),
        (71, "week"),
        (182, "week"),
        (500, "week"),
        (501, "month"),
    ],
)
def test_longer_periods_have_coarser_points(days, kind):
    assert grain(Period(TODAY, TODAY + timedelta(days=days))).kind == kind


@pytest.mark.django_db
def test_four_weeks_together_are_added_and_never_averaged():
    """One week of 98 answers at 0 and one of 2 promoters: 2 together, not the mean of 50."""
    monday = date(2026, 11, 16)
    give("nps", [10] * 2, on=monday)
    give("nps", [9] * 39 + [8] * 20 + [2] * 39, on=monday - timedelta(weeks=1))
    row = next(r for r in overview(choose()).trend.rows if r.label.startswith("16 Nov"))
    assert row.rolling.n == 100
    assert row.rolling.value == pytest.approx(2)


@pytest.mark.django_db
def test_the_unfinished_week_is_in_the_table_and_not_in_the_chart():
    give("nps", [9] * 60, on=TODAY)
    give("nps", [9] * 60, on=TODAY - timedelta(weeks=1))
    trend = overview(choose()).trend
    assert trend.rows[-1].running
    assert trend.rows[-1].rolling is None
    line = next(t for t in trend.figure["data"] if t["meta"]["role"] == "line")
    assert line["x"][-1] == "2026-11-19"  # the middle of the last whole week
    assert line["y"][-1] == 100


@pytest.mark.django_db
def test_today_is_not_drawn_in_a_trend_per_day():
    give("nps", [9] * 60, on=TODAY)
    give("nps", [9] * 60, on=TODAY - timedelta(days=1))
    trend = overview(choose(period=preset("4w", TODAY))).trend
    line = next(t for t in trend.figure["data"] if t["meta"]["role"] == "line")
    assert line["x"][-1] == "2026-11-23"
    assert trend.rows[-1].running


@pytest.mark.django_db
def test_a_week_under_thirty_has_no_dot_and_under_five_together_no_band():
    give("nps", [9] * 29, on=date(2026, 11, 16))
    give("nps", [9] * 4, on=date(2026, 9, 7))
    give("nps", [9] * 3, on=date(2026, 10, 12))  # else the 4 would be what is left of the total
    figure = overview(choose()).trend.figure
    dots, band = (
        next(t for t in figure["data"] if t["meta"]["role"] == role) for role in ("single", "band")
    )
    assert dots["x"] == []
    assert [x for x in band["x"] if x] == ["2026-11-19", "2026-11-19"]


@pytest.mark.django_db
def test_where_nothing_can_be_drawn_there_is_no_chart():
    give("nps", [9] * 3)
    assert overview(choose()).trend.figure is None


# -- Response rate, filters, ways out ----------------------------------------------------------


@pytest.mark.django_db
def test_a_response_rate_counts_who_was_asked():
    at = datetime.combine(TODAY, time(9), tzinfo=ZONE)
    asked = record_invitations([Invitation(invited_at=at) for _ in range(40)])
    for invitation in asked[:10]:
        give("nps", [9], invitation=invitation)
    block = the_block(kpi="response_rate")
    assert (block.figure.n, block.figure.value) == (40, 25)
    assert block.answers == "40 asked"


@pytest.mark.django_db
def test_an_empty_selection_shows_which_filter_to_drop():
    a = Category.objects.create(name="A")
    give("nps", [9] * 18, category=a, channel="web")
    page = overview(
        choose(
            where={"category": "A", "channel": "phone"},
            names={"category": "A", "channel": "Phone"},
        )
    )
    assert page.title == "No answers for these filters"
    assert [(way.name, way.n) for way in page.ways] == [("Phone", 18)]
    assert "channel" not in page.ways[0].link


def test_presets_end_with_today_or_with_the_last_day_of_the_month():
    periods = {key: preset(key, TODAY) for key in PRESETS}
    tomorrow = TODAY + timedelta(days=1)
    assert periods == {
        "4w": Period(date(2026, 10, 28), tomorrow),
        "13w": Period(date(2026, 8, 26), tomorrow),
        "month": Period(date(2026, 11, 1), tomorrow),
        "last_month": Period(date(2026, 10, 1), date(2026, 11, 1)),
        "quarter": Period(date(2026, 10, 1), tomorrow),
        "12m": Period(date(2025, 12, 1), tomorrow),
    }


def test_a_link_keeps_the_other_choices():
    selection = choose(where={"channel": "web"}, kpi="thumbs")
    assert selection.link(slice="product") == "?period=13w&channel=web&kpi=thumbs&slice=product"
    assert selection.link(channel=None) == "?period=13w&kpi=thumbs&slice=category"


CHOICES = {"channel": [("web", "Web page")]}


def read(**data) -> FilterForm:
    return FilterForm(data, choices=CHOICES, today=TODAY)


def test_own_dates_include_the_last_day():
    form = read(**{"period": "own", "from": "2026-02-01", "to": "2026-02-28"})
    assert form.selection().period == Period(date(2026, 2, 1), date(2026, 3, 1))


def test_dates_alone_are_own_dates():
    form = read(**{"from": "2026-02-01", "to": "2026-02-28"})
    assert (form.own_dates, form.selection().preset) == (True, "own")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"from": "2026-03-01", "to": "2026-02-28"}, id="backwards"),
        pytest.param({"from": "0001-01-01", "to": "2026-02-28"}, id="long ago"),
        pytest.param({"from": "2026-01-01", "to": "9999-12-31"}, id="the last day there is"),
        pytest.param({"from": "2001-01-01", "to": "2026-01-01"}, id="longer than ten years"),
        pytest.param({"from": "yesterday", "to": "2026-01-01"}, id="no date"),
        pytest.param({"channel": "pigeon"}, id="no such channel"),
        pytest.param({"kpi": "happiness"}, id="no such KPI"),
        pytest.param({"slice": "shoe size"}, id="no such slice"),
        pytest.param({"period": "forever"}, id="no such period"),
    ],
)
def test_a_choice_that_makes_no_sense_is_said_and_left_out(data):
    form = read(**data)
    assert form.errors
    selection = form.selection()
    assert selection.period == preset("13w", TODAY)
    assert selection.where == {}


@pytest.mark.django_db
def test_an_unknown_product_is_said_and_left_out():
    many = [(f"P{n}", f"P{n}") for n in range(60)]
    form = FilterForm({"product": "nope"}, choices={"product": many}, today=TODAY)
    assert "“nope” is not known here" in str(form.errors)
    assert form.selection().where == {}


# -- Words and numbers -------------------------------------------------------------------------


@pytest.mark.parametrize("kpi", KPIS.values(), ids=str)
def test_the_printed_definition_is_the_one_of_the_kpi_in_both_languages(kpi):
    english = render_to_string("insights/_definition.html", {"kpi": kpi.key}).strip()
    assert english == kpi.definition
    with translation.override("nl"):
        dutch = render_to_string("insights/_definition.html", {"kpi": kpi.key}).strip()
    assert dutch.startswith(
        ("NPS v1: het", "CSAT v1: het", "CES v1: het", "Duimen v1: het", "Respons v1: het")
    )
    assert not {"the", "answers", "unweighted"} & set(dutch.split())


@pytest.mark.parametrize(
    ("text", "english", "dutch"),
    [
        (lambda: count(12430), "12\N{NO-BREAK SPACE}430", "12.430"),
        (lambda: exact(63.24, "percent"), "63.2\N{NO-BREAK SPACE}%", "63,2%"),
        (lambda: headline(63.5, "percent"), "64\N{NO-BREAK SPACE}%", "64%"),
        (lambda: headline(-4.4, "points"), "−4", "−4"),
        (lambda: headline(-0.4, "points"), "0", "0"),
        (lambda: signed(9.1, "points"), "+9", "+9"),
        (lambda: signed(-8.5, "points"), "−9", "−9"),
        (lambda: signed(0.04, "percent"), "0.0", "0,0"),
        (lambda: signed(-2.53, "percent"), "−2.5", "−2,5"),
        (
            lambda: span(
                figure(KPIS["nps"], {"promoters": 600, "passives": 250, "detractors": 150})
            ),
            "40 to 49",
            "40 tot 49",
        ),
        (
            lambda: exact_span(figure(KPIS["thumbs"], {"up": 45, "down": 5}), "percent"),
            "78.6 to 95.7",
            "78,6 tot 95,7",
        ),
        (lambda: duration(850), "850 ms", "850 ms"),
        (lambda: duration(12_430), "12.4 s", "12,4 s"),
    ],
)
def test_numbers_follow_the_language(text, english, dutch):
    assert text() == english
    with translation.override("nl"):
        assert text() == dutch


# -- What a walk through the pages found ----------------------------------------------------------


@pytest.mark.parametrize("today", [date(2026, 11, 24), date(2026, 1, 31), date(2024, 2, 29)])
def test_a_year_and_the_year_before_it_do_not_overlap_and_leave_no_year_out(today):
    period = preset("12m", today)
    assert period.end - period.start <= timedelta(days=366)
    compared = COMPARISONS["year"](period)
    assert period.start - timedelta(days=366) <= compared.start < compared.end <= period.start


@pytest.mark.django_db
def test_the_title_says_of_whom_it_speaks():
    give("nps", [9] * 40, channel="web")
    chosen = choose(where={"channel": "web"}, names={"channel": "Web page"})
    assert overview(chosen).title == "Web page: NPS 100. Nothing to compare with yet."


@pytest.mark.django_db
def test_hidden_rows_stand_last_by_name_and_do_not_tell_which_is_smaller():
    sizes = {"Beds": 4, "Candles": 60, "Apples": 7, "Doors": 50}
    for name, size in sizes.items():
        give("nps", [9] * size, category=Category.objects.create(name=name))
    rows = satisfaction(choose(kpi="nps")).breakdown.rows
    assert [(row.label, row.hidden) for row in rows] == [
        ("Candles", False),
        ("Doors", False),
        ("Apples", True),
        ("Beds", True),
    ]
