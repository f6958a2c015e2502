"""Charts: what is drawn, in which role, and that nothing but numbers and roles goes in."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from insights.charts import Point, Stretch, Trend, axis, trend_figure

ROOT = Path(__file__).parents[2]
MONDAY = date(2026, 6, 1)


def make_point(week: int, value: float | None = 30.0, **given) -> Point:
    given = {
        "on": MONDAY + timedelta(weeks=week),
        "label": f"week {week}",
        "single": value,
        "value": value,
        "low": None if value is None else value - 10,
        "high": None if value is None else value + 10,
        "hover": "",
    } | given
    return Point(**given)


def make_trend(*points: Point, **given) -> Trend:
    middle, end = MONDAY + timedelta(weeks=5), MONDAY + timedelta(weeks=10)
    given = {
        "unit": "points",
        "sign": "",
        "together": "Four weeks together",
        "points": points or tuple(make_point(week) for week in range(10)),
        "before": Stretch(MONDAY, middle, 25.0, "The period before"),
        "now": Stretch(middle, end, 31.0, "This period", "31 this period", "31"),
        "last": ("30", "20 to 40", "last 4 weeks"),
        "ticks": ((date(2026, 7, 1), "Jul"),),
    } | given
    return Trend(**given)


def trace(trend: Trend, role: str) -> dict:
    return next(t for t in trend_figure(trend)["data"] if t["meta"]["role"] == role)


def named(trend: Trend, kind: str, name: str) -> list[dict]:
    return [item for item in trend_figure(trend)["layout"][kind] if item["name"] == name]


@pytest.mark.parametrize(
    ("values", "unit", "low", "high"),
    [
        pytest.param([], "points", -100, 100, id="no values: the whole scale"),
        pytest.param([None], "percent", 0, 100, id="nothing known: the whole scale"),
        pytest.param([98, 99.9], "percent", 97, 100, id="never above the scale"),
        pytest.param([-99.8, -90], "points", -100, -89, id="never below the scale"),
        pytest.param([50, 50], "percent", 49, 51, id="one value still has room"),
    ],
)
def test_an_axis_holds_its_values_and_stays_on_the_scale(values, unit, low, high):
    result = axis(values, unit)
    assert (round(result.low), round(result.high)) == (low, high)


@pytest.mark.parametrize("span", [1, 3, 7, 18, 42, 90, 150, 199])
def test_an_axis_has_a_few_round_ticks_inside_it(span):
    result = axis([-100.0, -100.0 + span], "points")
    assert 1 <= len(result.ticks) <= 5
    assert all(result.low <= tick <= result.high for tick in result.ticks)


def test_the_band_goes_along_the_upper_limits_and_back_along_the_lower_ones():
    band = trace(make_trend(make_point(0, 10.0), make_point(1, 20.0)), "band")
    assert band["y"] == [20.0, 30.0, 10.0, 0.0, None]
    assert band["x"] == ["2026-06-01", "2026-06-08", "2026-06-08", "2026-06-01", None]


def test_a_week_without_enough_answers_leaves_a_gap():
    trend = make_trend(make_point(0), make_point(1, None), make_point(2))
    assert trace(trend, "line")["y"] == [30.0, None, 30.0]
    assert trace(trend, "line")["connectgaps"] is False
    assert trace(trend, "band")["y"].count(None) == 2
    assert trace(trend, "single")["x"] == ["2026-06-01", "2026-06-15"]


def test_the_end_is_marked_and_labelled():
    trend = make_trend()
    assert trace(trend, "end")["y"] == [30.0]
    assert [label["text"] for label in named(trend, "annotations", "end")] == ["30"]


def test_a_line_that_ends_in_a_gap_has_no_end():
    trend = make_trend(make_point(0), make_point(1, None), last=())
    assert trace(trend, "end")["y"] == []
    assert named(trend, "annotations", "end") == []


def test_both_averages_are_drawn_where_they_are_known():
    before = Stretch(MONDAY, MONDAY + timedelta(weeks=5), None, "The period before")
    assert [line["y0"] for line in named(make_trend(), "shapes", "average")] == [25.0, 31.0]
    assert [line["y0"] for line in named(make_trend(before=before), "shapes", "average")] == [31.0]


def test_the_label_of_the_average_does_not_cover_the_one_of_the_line():
    close = Stretch(MONDAY, MONDAY + timedelta(weeks=10), 30.1, "This period", "30 now", "30")
    label = named(make_trend(now=close), "annotations", "narrow")[0]
    assert label["yshift"] >= 15


def test_a_figure_names_roles_and_no_colours():
    figure = trend_figure(make_trend())
    assert {t["meta"]["role"] for t in figure["data"]} == {"band", "single", "line", "end"}
    text = json.dumps(figure).replace("rgba(0,0,0,0)", "")
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|\"(?:fill)?color\"", text)


def test_every_role_has_a_colour_in_the_script():
    script = (ROOT / "static/js/chart.js").read_text()
    figure = trend_figure(make_trend())
    names = {item["name"] for kind in ("shapes", "annotations") for item in figure["layout"][kind]}
    for role in names | {t["meta"]["role"] for t in figure["data"]}:
        assert re.search(rf"^  {role}: \(\) =>", script, re.M), role


def test_a_figure_is_plain_json_without_encoded_arrays():
    text = json.dumps(trend_figure(make_trend()))
    assert "bdata" not in text
    assert "<b>" not in text


def test_the_same_numbers_are_drawn_once():
    assert trend_figure(make_trend()) is trend_figure(make_trend())


def test_the_vendored_script_is_the_one_plotly_expects():
    version = get_plotlyjs_version()
    script = ROOT / f"static/vendor/plotly-basic-{version}.min.js"
    assert f"v{version}" in script.read_text()[:300]
    page = (ROOT / "templates/insights/_plot.html").read_text()
    assert f"vendor/plotly-basic-{version}.min.js" in page
