"""Small multiples: which slices get a line, what each point is of, and the table beside them."""

import re
from datetime import date, timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from insights.dashboard import overview
from insights.dashboard.multiples import MOST, MultiplesPanel
from insights.dashboard.selection import Selection, preset
from insights.kpis import KPIS, figure
from insights.periods import Period, previous, year_before
from tests.insights.makers import TODAY, ask, give
from tests.makers import make_category

# The Mondays of the 13 weeks of the period and of the 13 before, but for the week that runs.
MONDAYS = [date(2026, 6, 1) + timedelta(weeks=week) for week in range(25)]


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def choose(**given) -> Selection:
    facts = {"period": preset("13w", TODAY), "preset": "13w", "where": {}, "names": {}}
    return Selection(**facts | {"kpi": "thumbs", "slice": "category", "today": TODAY} | given)


def panel_of(**given) -> MultiplesPanel | None:
    return overview(choose(**given)).multiples


def thumbs(up: int, down: int, on: date = TODAY, **given) -> None:
    give("thumb", [1] * up + [0] * down, on, **given)


def weekly(up: int, down: int, days: list[date] = MONDAYS, **given) -> None:
    for day in days:
        thumbs(up, down, on=day, **given)


def names(panel: MultiplesPanel) -> list[str]:
    return [one.row.label for one in panel.multiples]


def line_of(panel: MultiplesPanel, label: str):
    return next(one for one in panel.multiples if one.row.label == label)


def printed(panel: MultiplesPanel, selection: Selection | None = None) -> str:
    page = {"selection": selection or choose()}
    html = render_to_string("insights/_multiples.html", {"lines": panel, "page": page})
    return " ".join(html.split()).replace("\N{NO-BREAK SPACE}", " ")


# -- Which get a line ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("categories", [0, 1, 2, 3])
def test_there_are_lines_from_two_slices_on(categories):
    weekly(10, 5)
    for number in range(categories):
        weekly(10, 5 + number, category=make_category(name=f"C{number}"))
    panel = panel_of()
    most_answers_first = [f"C{number}" for number in range(categories)][::-1]
    assert (names(panel) if panel else []) == (most_answers_first if categories > 1 else [])


@pytest.mark.django_db
def test_without_answers_there_are_no_lines():
    assert panel_of() is None


@pytest.mark.django_db
@pytest.mark.parametrize(("n", "drawn"), [(29, False), (30, True)])
def test_a_slice_gets_a_line_from_thirty_answers_in_the_period(n, drawn):
    for name in ("Phones", "Mats"):
        weekly(10, 5, category=make_category(name=name))
    thumbs(n, 0, category=make_category(name="Cards"))
    assert ("Cards" in names(panel_of())) is drawn


@pytest.mark.django_db
def test_a_slice_that_is_hidden_for_another_one_gets_no_line():
    for number in range(3):
        weekly(10, 5 + number, category=make_category(name=f"C{number}"))
    assert names(panel_of()) == ["C2", "C1", "C0"]
    thumbs(3, 0, category=make_category(name="Parts"))
    assert names(panel_of()) == ["C2", "C1"]


@pytest.mark.django_db
def test_twelve_are_drawn_and_the_others_counted():
    for number in range(MOST + 2):
        weekly(2, 2 + number, category=make_category(name=f"C{number:02}"))
    panel = panel_of()
    assert (len(panel.multiples), len(panel.table), panel.more) == (MOST, MOST, 2)
    assert names(panel)[0] == "C13"
    assert "2 more with fewer answers are not drawn." in printed(panel)
    with translation.override("nl"):
        assert "Nog 2 met minder antwoorden zijn niet getekend." in printed(panel)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("where", "labels"),
    [
        pytest.param({}, ["Phones", "Mats"], id="categories"),
        pytest.param({"channel": "web"}, ["Phones", "Mats"], id="categories of a channel"),
        pytest.param({"category": "Phones"}, ["Regular", "Occasional"], id="who in a category"),
        pytest.param(
            {"category": "Phones", "customer_type": "regular"},
            ["Web page", "E-mail"],
            id="how in a category and a type",
        ),
        pytest.param(
            {"category": "Phones", "customer_type": "regular", "channel": "web"},
            None,
            id="nothing left",
        ),
    ],
)
def test_the_lines_are_of_the_first_kind_that_is_not_chosen(where, labels):
    for name, most in (("Phones", 4), ("Mats", 2)):
        category = make_category(name=name)
        for kind, more in (("regular", 1), ("occasional", 0)):
            for channel, happy in (("web", most + more + 1), ("email", most + more)):
                weekly(happy, 2, category=category, customer_type=kind, channel=channel)
    panel = panel_of(where=where, names=where)
    assert (panel and names(panel)) == labels


# -- The points ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_four_weeks_are_added_and_never_averaged():
    """A week of 96 answers at 50 % and three of 4 at 100 %: 55.6 % together, not the mean."""
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    for at, monday in enumerate(MONDAYS[-4:]):
        thumbs(*((48, 48) if at == 0 else (4, 0)), on=monday, category=phones)
    weekly(8, 2, category=mats)
    last = line_of(panel_of(), "Phones").last
    assert last == figure(KPIS["thumbs"], {"up": 60, "down": 48})
    assert round(last.value, 1) == 55.6


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("n", "drawn", "firm"),
    [(0, False, False), (4, False, False), (5, True, False), (29, True, False), (30, True, True)],
)
def test_a_point_is_drawn_from_five_answers_and_has_a_value_from_thirty(n, drawn, firm):
    """In the last four whole weeks; today has enough to be looked at, and is not over."""
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    thumbs(40, 0, category=phones)
    thumbs(n, 0, on=MONDAYS[-1], category=phones)
    weekly(8, 2, category=mats)
    panel = panel_of()
    one = line_of(panel, "Phones")
    assert [point is not None for _x, point in one.points] == [False] * 25 + [drawn]
    assert (one.last is not None) is firm
    [cells] = [figures for row, figures in panel.table if row.label == "Phones"]
    assert [cell is not None for cell in cells] == [False] * 5 + [firm]
    assert ('<td class="num">100.0 %</td>' in printed(panel)) is firm


@pytest.mark.django_db
def test_a_week_that_runs_or_is_cut_off_is_no_point():
    for name in ("Phones", "Mats"):
        weekly(10, 5, category=make_category(name=name))
    # The first one is the week of 25 May, in which the period before begins.
    assert {len(one.points) for one in panel_of().multiples} == {1 + len(MONDAYS)}
    own = Period(date(2026, 10, 1), date(2026, 11, 20))
    panel = panel_of(period=own, preset="own")
    # Drawn from Thursday 13 August on: the first whole week is that of the 10th, the last ends on
    # 15 November.
    assert {len(one.points) for one in panel.multiples} == {14}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "points"), [pytest.param(1, None, id="two days"), pytest.param(4, 7, id="eight days")]
)
def test_there_are_no_lines_before_there_is_a_point(days, points):
    """Per day seven are taken together, and today is not over."""
    for name in ("Phones", "Mats"):
        weekly(
            20,
            20,
            [TODAY, *(TODAY - timedelta(days=n) for n in range(10))],
            category=make_category(name=name),
        )
    panel = panel_of(period=Period(TODAY - timedelta(days=days - 1), TODAY + timedelta(days=1)))
    assert (panel and len(panel.multiples[0].points)) == points


@pytest.mark.django_db
def test_the_points_lie_in_order_and_the_period_begins_where_it_does():
    for name in ("Phones", "Mats"):
        weekly(10, 5, category=make_category(name=name))
    panel = panel_of()
    places = [x for x, _point in panel.multiples[0].points]
    assert places == sorted(places)
    assert 0 <= places[3] < panel.zone == 0.5 < places[-1] < 1


# -- The table beside them ----------------------------------------------------------------------


@pytest.mark.django_db
def test_the_columns_of_the_table_share_no_answers():
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    for week, monday in enumerate(MONDAYS):
        thumbs(8 + week, 5, on=monday, category=phones)
        thumbs(9, 3, on=monday, category=mats)
    panel = panel_of()
    assert [days.end for days in panel.stretches[:-1]] == [
        days.start for days in panel.stretches[1:]
    ]
    assert panel.stretches[-1] == Period(date(2026, 10, 26), date(2026, 11, 23))
    assert panel.columns[-1] == "16 Nov – 22 Nov 2026"
    for row, figures in panel.table:
        given = [8 + week + 5 if row.label == "Phones" else 12 for week in range(len(MONDAYS))]
        weeks = [given[at : at + 4] for at in range(1, 25, 4)]
        assert [one.n for one in figures] == [sum(four) for four in weeks]


# -- Words, scale and colour --------------------------------------------------------------------


@pytest.mark.django_db
def test_all_lines_have_one_scale_that_holds_them_all_and_the_deck_names_it():
    for name, up, down in (("Phones", 50, 50), ("Mats", 90, 10)):
        weekly(up, down, category=make_category(name=name))
    panel = panel_of()
    limits = [
        end
        for one in panel.multiples
        for _x, point in one.points
        if point
        for end in (point.low, point.high)
    ]
    assert panel.axis.low <= min(limits) < max(limits) <= panel.axis.high
    assert len(panel.axis.ticks) == 3
    low, high = (f"{round(end)}" for end in (panel.axis.low, panel.axis.high))
    deck = f"Four weeks together, all on one scale from {low} % to {high} %."
    assert panel.deck.replace("\N{NO-BREAK SPACE}", " ") == deck
    with translation.override("nl"):
        assert panel_of().deck == f"Vier weken samen, alle op één schaal van {low}% tot {high}%."


@pytest.mark.django_db
def test_the_title_says_which_one_moved_and_only_that_one_has_a_colour():
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    for monday in MONDAYS:
        fell = monday >= date(2026, 8, 31)
        thumbs(*((5, 5) if fell else (9, 1)), on=monday, category=phones)
        thumbs(8, 2, on=monday, category=mats)
    panel = panel_of()
    assert panel.title == "Thumbs up: only Phones moved more than chance allows"
    assert [(one.row.label, one.row.tone) for one in panel.multiples] == [
        ("Phones", "-down"),
        ("Mats", ""),
    ]
    html = printed(panel)
    assert re.findall(r'class="(l[^"]*|band[^"]*)"', html) == ["band-down", "l-down", "band", "l"]
    with translation.override("nl"):
        title = "Duimen omhoog: alleen Phones veranderde, en niet door toeval"
        assert panel_of().title == title


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("against", "before"), [("previous", previous), ("year", year_before)], ids=str
)
def test_the_lines_begin_with_the_period_that_is_compared_with(against, before):
    first = before(preset("13w", TODAY)).start
    for name in ("Phones", "Mats"):
        category = make_category(name=name)
        thumbs(10, 50, category=category)
        thumbs(50, 10, on=first + timedelta(weeks=5), category=category)
    panel = panel_of(against=against)
    assert panel.title == "Thumbs up: 2 of 2 moved more than chance allows"
    assert panel.zone == pytest.approx(0.5 if against == "previous" else 52 / 65)
    assert sum(point is not None for _x, point in panel.multiples[0].points) == 4


@pytest.mark.django_db
def test_a_name_leads_to_the_slice_and_a_response_rate_has_lines_too():
    for name, number in (("Phones & more", 40), ("Mats", 30)):
        category = make_category(name=name)
        for monday in MONDAYS[-6:]:
            ask(number, on=monday, category=category)
    panel = panel_of(kpi="response_rate")
    assert names(panel) == ["Phones & more", "Mats"]
    link = "/satisfaction/?period=13w&amp;kpi=response_rate&amp;slice=category&amp;category="
    assert f'href="{link}Phones+%26+more"' in printed(panel)
