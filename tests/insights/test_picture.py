"""Pictures of charts: every part is drawn, where it should be, and says what Plotly says."""

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from insights.charts import Stretch, trend_figure
from insights.picture import MOST_TICKS, Frame, Size, draw
from insights.score_chart import Bar, Group, score_figure
from tests.insights.test_charts import MONDAY, make_point, make_trend

ROOT = Path(__file__).parents[2]
MIDDLE, END = MONDAY + timedelta(weeks=5), MONDAY + timedelta(weeks=10)
# Between the margins: a tenth of the width per week of a trend, and 200 pixels for the 22.4 points
# of its axis.
DESK = Size(34 + 200 + 26)
PHONE = Size(250, phone=True)
# Between the margins: five pixels per percent; 2.1 scores across, of which 0.55 before the first.
SCORES = Size(24 + 280 + 64)
ALL = (Group(0, 1, "grey", "All", "All"),)


def parsed(figure: dict, size: Size = DESK) -> ET.Element:
    return ET.fromstring(draw(figure, size))


def the_trend(size: Size = DESK, *points, **given) -> ET.Element:
    return parsed(trend_figure(make_trend(*points, **given)), size)


def make_bar(label: str, share: float | None = 20.0, **given) -> Bar:
    given = {
        "role": "grey",
        "was": None,
        "text": f"{share:.0f}" if share else "",
        "hover": "",
    } | given
    return Bar(label=label, share=share, **given)


def two_scores(size: Size = SCORES, **given) -> ET.Element:
    bars = (
        make_bar("0", 20.0, role="bad", was=30.0),
        make_bar("1", 50.0, role="good", **given),
    )
    groups = (
        Group(0, 0, "bad", "Detractor 20%", "20%"),
        Group(1, 1, "good", "Promoter 50%", "50%"),
    )
    return parsed(score_figure(bars, groups), size)


def drawn(picture: ET.Element, css: str) -> list[ET.Element]:
    return [one for one in picture.iter() if one.get("class") == css]


def corners(path: ET.Element) -> list[tuple[float, float]]:
    """The points of a path: across in thousandths of the width, down in pixels."""
    pairs = re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d"))
    return [(float(x), float(y)) for x, y in pairs]


def ends(line: ET.Element) -> list[tuple[str, float]]:
    return [(line.get(f"x{end}"), float(line.get(f"y{end}"))) for end in "12"]


def box(rect: ET.Element) -> tuple[str, str, float, float]:
    """From where and how wide in percent, from where and how high in pixels."""
    return rect.get("x"), rect.get("width"), float(rect.get("y")), float(rect.get("height"))


def words(picture: ET.Element) -> list[str]:
    return [one.text for one in picture.iter("text")]


def place(picture: ET.Element, said: str) -> tuple[str, float, float, str]:
    """Where a text is: a part of the width, pixels from there, pixels down, and its anchor."""
    [one] = [one for one in picture.iter("text") if one.text == said]
    return one.get("x"), float(one.get("dx", "0")), float(one.get("y")), one.get("text-anchor")


# -- A trend ---------------------------------------------------------------------------------------


def test_a_trend_is_drawn_with_all_its_parts():
    picture = the_trend(events=((MIDDLE, "A sale"),))
    counts = {
        css: len(drawn(picture, css))
        for css in ("zone", "band", "single", "l", "d halo", "s-average", "s-event")
    }
    assert counts == {
        "zone": 1,
        "band": 1,
        "single": 10,
        "l": 1,
        "d halo": 1,
        "s-average": 2,
        "s-event": 1,
    }
    assert words(picture) == [
        *("20", "25", "30", "35", "40"),
        "Jul",
        *("The period before", "This period", "A sale"),
        *("30", "20 to 40", "last 4 weeks", "31 this period"),
    ]


def test_a_gap_makes_two_bands_and_two_lines_and_none_is_closed_over_it():
    points = [make_point(week, None if week == 4 else 30.0) for week in range(10)]
    picture = the_trend(DESK, *points)
    bands, lines = drawn(picture, "band"), drawn(picture, "l")
    assert [len(corners(one)) for one in bands] == [8, 10]
    assert all(one.get("d").endswith("Z") for one in bands)
    assert [len(corners(one)) for one in lines] == [4, 5]
    assert not any(one.get("d").endswith("Z") for one in lines)
    assert len(drawn(picture, "single")) == 9


def test_values_land_where_they_should():
    """The axis goes from 18.8 to 41.2, so 30 lies in the middle of its height."""
    picture = the_trend(events=((MIDDLE, "A sale"),))
    [zone], [line], [end] = (drawn(picture, css) for css in ("zone", "l", "d halo"))
    assert corners(line)[:2] == [(0.0, 134.0), (100.0, 134.0)]
    assert (end.get("cx"), end.get("cy"), end.get("r")) == ("90.00%", "134.0", "4.5")
    # 40 and 20 lie 10 of 22.4 points from the middle, which is 89.3 pixels.
    [band] = drawn(picture, "band")
    assert (corners(band)[0], corners(band)[-1]) == ((0.0, 44.7), (0.0, 223.3))
    # A period is as wide as its days, and rises above the axis for its name.
    assert box(zone) == ("50.00%", "50.00%", 14, 220)
    before, now = drawn(picture, "s-average")
    assert ends(before) == [("0.00%", 178.6), ("50.00%", 178.6)]
    assert ends(now) == [("50.00%", 125.1), ("100.00%", 125.1)]
    [event] = drawn(picture, "s-event")
    assert ends(event) == [("50.00%", 234.0), ("50.00%", 34.0)]


def test_texts_stand_where_plotly_puts_them():
    events = ((MONDAY + timedelta(days=6), "A sale"), (END - timedelta(days=6), "A fair"))
    picture = the_trend(events=events)
    assert place(picture, "The period before") == ("0.00%", 4 + 2, 14 + 14, "start")
    assert place(picture, "This period") == ("50.00%", 4 + 2, 14 + 14, "start")
    # At the right of the drawing the words end at their line: six of seventy days are 8.57 %.
    assert place(picture, "A sale") == ("8.57%", 4 + 2, 34 + 14, "start")
    assert place(picture, "A fair") == ("91.43%", -4 - 2, 34 + 14, "end")
    assert place(picture, "20 to 40") == ("100.00%", 10 + 2, 134 + 16 + 4, "start")
    assert place(picture, "20") == ("0.00%", -6, 223.3 + 4, "end")
    # The first of July is the thirtieth of seventy days.
    assert place(picture, "Jul") == ("42.86%", 0, 234 + 19, "middle")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_lies_before_the_period_is_cut_off_at_the_axis(size):
    """A week begins on Monday, and the period may begin in the middle of it."""
    before = Stretch(MONDAY + timedelta(days=3), MIDDLE, 25.0, "The period before")
    picture = the_trend(size, before=before)
    # Three of 67 days are 4.48 %. What is stretched ends at the edge of its own box.
    for css in ("band", "l"):
        [inside] = picture.findall(f"svg/*[@class='{css}']/..")
        assert corners(inside[0])[0][0] == -44.8
        assert (inside.get("x"), inside.get("width")) == (None, "100%")
    # A dot is there or not.
    dots = [one.get("cx") for one in drawn(picture, "single")]
    assert len(dots) == 9
    assert dots[0] == "5.97%"


@pytest.mark.parametrize(
    ("size", "height"),
    [pytest.param(DESK, 200, id="desk"), pytest.param(PHONE, 190, id="phone")],
)
def test_only_lines_and_bands_are_stretched(size, height):
    for picture in (the_trend(size, events=((MIDDLE, "A sale"),)), two_scores(size)):
        boxes = picture.findall("svg")
        stretched = [one for inside in boxes for one in inside]
        assert stretched == list(picture.iter("path"))
        assert {inside.get("preserveAspectRatio") for inside in boxes} == {"none"}
    # Between the margins, one to one in height.
    for inside in the_trend(size).findall("svg"):
        assert (inside.get("y"), inside.get("height")) == ("34", str(height))
        assert inside.get("viewBox") == f"0 34 1000 {height}"


def test_a_phone_has_the_short_words_and_no_words_of_events():
    events = ((MIDDLE, "A sale"),)
    desk, phone = words(the_trend(events=events)), words(the_trend(PHONE, events=events))
    assert {"A sale", "last 4 weeks", "31 this period"} < set(desk)
    assert "31" not in desk
    assert "31" in phone
    assert {"A sale", "last 4 weeks", "31 this period"}.isdisjoint(phone)
    assert len(drawn(the_trend(PHONE, events=events), "s-event")) == 1


@pytest.mark.parametrize(
    ("months", "shown"),
    [
        pytest.param(5, [1, 2, 3, 4, 5], id="five fit"),
        pytest.param(6, [1, 2, 3, 4, 5, 6], id="six fit"),
        pytest.param(7, [1, 3, 5, 7], id="of seven each second"),
        pytest.param(12, [1, 3, 5, 7, 9, 11], id="of twelve each second"),
    ],
)
def test_a_phone_thins_out_the_names_of_months(months, shown):
    ticks = tuple((MONDAY + timedelta(days=5 * n), f"month {n}") for n in range(1, months + 1))
    named = [text for text in words(the_trend(PHONE, ticks=ticks)) if text.startswith("month")]
    assert named == [f"month {n}" for n in shown]
    named = [text for text in words(the_trend(ticks=ticks)) if text.startswith("month")]
    assert len(named) == months


@pytest.mark.parametrize(
    "sunday",
    [
        pytest.param(date(2026, 3, 29), id="to summer time"),
        pytest.param(date(2026, 10, 25), id="to winter time"),
        pytest.param(date(2028, 2, 29), id="leap day"),
    ],
)
def test_days_lie_evenly_spaced(sunday):
    days = [sunday + timedelta(days=n) for n in range(-5, 6)]
    layout = {
        "margin": {"t": 0, "b": 0},
        "xaxis": {"range": [days[0].isoformat(), days[-1].isoformat()]},
        "yaxis": {"range": [0, 1]},
    }
    frame = Frame({"layout": layout}, Size(100))
    assert [frame.x(on.isoformat()) for on in days] == pytest.approx([n * 10 for n in range(11)])


# -- Scores ----------------------------------------------------------------------------------------


def test_scores_are_drawn_with_all_their_parts():
    picture = two_scores()
    classes = ("bar-bad", "bar-good", "before", "s-bad", "s-good")
    assert [len(drawn(picture, css)) for css in classes] == [1, 1, 1, 1, 1]
    assert words(picture) == ["0", "1", "20", "50", "Detractor 20%", "Promoter 50%"]


def test_scores_land_where_they_should():
    """The axis goes to 56, twelve percent above the highest bar."""
    picture = two_scores()
    [low], [high] = drawn(picture, "bar-bad"), drawn(picture, "bar-good")
    # A bar is 0.86 of 2.1 scores wide; the first begins at 0.12, the second at 1.12.
    assert box(low) == ("5.71%", "40.95%", 204, 100)
    assert box(high) == ("53.33%", "40.95%", 54, 250)
    [before] = drawn(picture, "before")
    assert corners(before) == [(57.1, 154.0), (466.7, 154.0)]
    [rule] = drawn(picture, "s-good")
    assert ends(rule) == [("53.33%", 328.0), ("94.29%", 328.0)]
    assert place(picture, "Promoter 50%") == ("73.81%", 0, 304 + 42 - 4, "middle")
    assert place(picture, "1") == ("73.81%", 0, 304 + 14, "middle")
    # A number stands on what is highest: the bar or the line of before.
    assert place(picture, "50") == ("73.81%", 0, 54 - 3, "middle")
    assert place(picture, "20") == ("26.19%", 0, 154 - 3, "middle")


def test_scores_without_groups_have_no_rules_and_no_names():
    picture = parsed(score_figure((make_bar("0"), make_bar("1", 50.0)), ()), SCORES)
    assert len(drawn(picture, "bar-grey")) == 2
    assert words(picture) == ["0", "1", "20", "50"]


def test_a_score_that_may_not_be_shown_has_no_bar():
    picture = parsed(score_figure((make_bar("0", None), make_bar("1", 50.0)), ALL), SCORES)
    assert len(drawn(picture, "bar-grey")) == 1
    assert words(picture) == ["0", "1", "∗", "50", "All"]


def test_a_phone_has_all_scores_and_the_short_names_of_groups():
    bars = tuple(make_bar(str(score)) for score in range(11))
    groups = (Group(0, 10, "grey", "All of them 100%", "100%"),)
    picture = parsed(score_figure(bars, groups), PHONE)
    assert words(picture) == [*map(str, range(11)), *["20"] * 11, "100%"]


# -- What both pictures and Plotly have in common --------------------------------------------------


@pytest.mark.parametrize(
    "said",
    ["<1", "a & b <b>", "20% off", "&lt;b&gt;", "&amp;amp;", "a \"quoted\" 'text'", "%{x}"],
)
@pytest.mark.parametrize("where", ["event", "bar"])
def test_a_text_is_escaped_exactly_once(said, where):
    if where == "event":
        markup = draw(trend_figure(make_trend(events=((MIDDLE, said),))), DESK)
    else:
        markup = draw(score_figure((make_bar("0", 20.0, text=said),), ALL), DESK)
    [shown] = [
        text for text in re.findall(r"<text[^>]*>(.*?)</text>", markup) if unescape(text) == said
    ]
    assert "<" not in shown
    assert said in words(ET.fromstring(markup))


PICTURES = {
    "trend": lambda size: (trend_figure(make_trend(events=((MIDDLE, "A sale"),))), size),
    "scores": lambda size: (
        score_figure(
            tuple(make_bar(role, role=role, was=10.0) for role in ("bad", "grey", "good")),
            tuple(
                Group(at, at, role, f"Long {role}", role)
                for at, role in enumerate(("bad", "grey", "good"))
            ),
        ),
        size,
    ),
}


@pytest.mark.parametrize("shape", PICTURES)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_picture_says_what_plotly_says(shape, size):
    figure, size = PICTURES[shape](size)
    layout = figure["layout"]
    left_out = ("wide", "event") if size.phone else ("narrow",)
    said = [
        *layout["xaxis"]["ticktext"],
        *layout["yaxis"].get("ticktext", []),
        *(text for trace in figure["data"] for text in trace.get("text", [])),
        *(text["text"] for text in layout["annotations"] if not text["name"].startswith(left_out)),
    ]
    assert sorted(words(parsed(figure, size))) == sorted(said)


def test_the_script_leaves_out_the_same_on_a_phone():
    script = (ROOT / "static/js/chart.js").read_text()
    assert f"const MOST_TICKS = {MOST_TICKS};" in script
    assert 'PHONE.matches ? ["wide", "event"] : ["narrow"]' in script


@pytest.mark.parametrize("shape", PICTURES)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_class_has_a_rule(shape, size):
    sheets = "".join(
        (ROOT / f"static/css/{name}.css").read_text() for name in ("components", "figures")
    )
    picture = parsed(*PICTURES[shape](size))
    classes = {name for one in picture.iter() for name in (one.get("class") or "").split()}
    # What is muted looks like text without a role.
    for css in classes - {"t-muted"}:
        assert re.search(rf"\.{css}\b", sheets), css


@pytest.mark.parametrize("shape", PICTURES)
def test_readers_do_not_hear_the_picture_twice_and_nothing_in_it_is_inline(shape):
    markup = draw(*PICTURES[shape](DESK))
    assert parsed(*PICTURES[shape](DESK)).get("aria-hidden") == "true"
    assert not re.search(r"style=|<style|<script| on\w+=|\bid=", markup)
