"""Numbers in, a Plotly figure out, in the style of the house.

A figure is built from one dict on one registered template, and validated. It carries no colours:
every trace, shape and annotation carries the name of its role, and static/js/chart.js gives the
roles their colours from the tokens of the page, so that a chart follows the theme.

Pure: standard library and plotly only, no Django, no clock, no I/O. Words come in translated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import ceil, floor
from typing import Any, Literal

import plotly.graph_objects as go
import plotly.io as pio

from insights.chart_events import Event, event_lines, event_texts

Unit = Literal["points", "percent"]

# Room on the right for the label of the line, which stands in for a legend.
MARGINS = {"l": 36, "r": 112, "t": 34, "b": 26}

# The drawing area on a phone is about this high; labels are kept apart for it.
DRAWING_HEIGHT = 200

pio.templates["insights"] = go.layout.Template(
    layout={
        "font": {"size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": MARGINS,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "xaxis": {
            "type": "date",
            "showgrid": False,
            "zeroline": False,
            "ticks": "outside",
            "ticklen": 4,
            "tickangle": 0,
            "fixedrange": True,
        },
        "yaxis": {
            "gridwidth": 1,
            "zeroline": True,
            "zerolinewidth": 1,
            "ticks": "",
            "fixedrange": True,
        },
    }
)


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of a scale with its ticks, and perhaps a value to compare with."""

    low: float
    high: float
    ticks: tuple[float, ...]
    reference: float | None = None


def axis(
    values: Iterable[float | None],
    unit: Unit,
    *,
    reference: float | None = None,
    padding: float = 0.0,
) -> Axis:
    """Return the axis that holds all values, with at most five round ticks.

    It may start above 0, because it is for dots and lines, never for bars. It never leaves the
    scale: -100 to 100 points, 0 to 100 percent.
    """
    least, most = (-100.0, 100.0) if unit == "points" else (0.0, 100.0)
    known = [value for value in [*values, reference] if value is not None]
    if not known:
        return Axis(least, most, (least, (least + most) / 2, most), reference)
    low, high = min(known), max(known)
    room = max((high - low) * padding, 1.0)
    low, high = max(least, low - room), min(most, high + room)
    step = next(
        size
        for size in (1, 2, 5, 10, 20, 25, 50)
        if size == 50 or floor(high / size) - ceil(low / size) < 5
    )
    ticks = range(ceil(low / step), floor(high / step) + 1)
    return Axis(low, high, tuple(float(tick * step) for tick in ticks), reference)


@dataclass(frozen=True, slots=True)
class Point:
    """One day, week or month: itself alone, and together with those just before it.

    `single`, `value`, `low` and `high` are None where too few people answered to draw them.
    """

    on: date
    label: str
    single: float | None
    value: float | None
    low: float | None
    high: float | None
    hover: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period as a whole: its days (half-open), its average, and what to print beside it."""

    start: date
    end: date
    value: float | None
    title: str
    label: str = ""
    short_label: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """Everything the trend shows; `last` are the lines printed at the end of the line.

    `sign` is the percent sign as the language writes it after a number, "" for points; `together`
    says what one point of the line is; `events` are days, in order, with what happened on them.
    """

    unit: Unit
    sign: str
    together: str
    points: tuple[Point, ...]
    before: Stretch
    now: Stretch
    last: tuple[str, ...]
    ticks: tuple[tuple[date, str], ...]
    events: tuple[Event, ...] = ()


def trend_axis(trend: Trend) -> Axis:
    """Return the y axis of a trend: what is drawn, not more."""
    drawn = [value for p in trend.points for value in (p.single, p.value, p.low, p.high)]
    return axis([*drawn, trend.before.value, trend.now.value], trend.unit, padding=0.06)


@lru_cache(maxsize=64)
def trend_figure(trend: Trend) -> dict[str, Any]:
    """Return the trend as a Plotly figure in plain dicts and lists; do not change the result.

    The key of the cache is the numbers themselves, so the same answers are drawn once.
    """
    y = trend_axis(trend)
    figure = go.Figure(
        {
            "data": [_band(trend.points), _singles(trend.points), _line(trend), _end(trend)],
            "layout": {
                "template": "insights",
                "xaxis": _x_axis(trend),
                "yaxis": {"range": [y.low, y.high], **_ticks(y, trend.sign)},
                "shapes": [_zone(trend.now), *_averages(trend), *event_lines(trend.events)],
                "annotations": [
                    *_titles(trend),
                    *event_texts(trend.events, trend.before.start, trend.now.end),
                    *_end_labels(trend, y),
                ],
            },
        }
    )
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain


def _segments(points: Sequence[Point]) -> list[list[Point]]:
    """Return the runs of points that have an interval; a band does not bridge a gap."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.low is not None and point.high is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _band(points: Sequence[Point]) -> dict[str, Any]:
    """One closed shape per run: along the upper limits and back along the lower ones."""
    x: list[str | None] = []
    y: list[float | None] = []
    for run in _segments(points):
        x += [*(_iso(p.on) for p in run), *(_iso(p.on) for p in reversed(run)), None]
        y += [*(p.high for p in run), *(p.low for p in reversed(run)), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"width": 0},
        "fill": "toself",
        "hoverinfo": "skip",
        "meta": {"role": "band"},
    }


def _singles(points: Sequence[Point]) -> dict[str, Any]:
    drawn = [point for point in points if point.single is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_iso(point.on) for point in drawn],
        "y": [point.single for point in drawn],
        "marker": {"size": 4.5, "opacity": 0.5},
        "hoverinfo": "skip",
        "meta": {"role": "single"},
    }


def _line(trend: Trend) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [_iso(point.on) for point in trend.points],
        "y": [point.value for point in trend.points],
        "customdata": [[point.label, point.hover] for point in trend.points],
        "hovertemplate": "%{customdata[0]}: %{customdata[1]}<extra></extra>",
        "line": {"width": 2, "shape": "linear"},
        "connectgaps": False,
        "meta": {"role": "line"},
    }


def _last(trend: Trend) -> Point | None:
    point = trend.points[-1] if trend.points else None
    return point if point and point.value is not None else None


def _end(trend: Trend) -> dict[str, Any]:
    point = _last(trend)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_iso(point.on)] if point else [],
        "y": [point.value] if point else [],
        "marker": {"size": 9, "line": {"width": 2}},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "meta": {"role": "end"},
    }


def _x_axis(trend: Trend) -> dict[str, Any]:
    return {
        "range": [_iso(trend.before.start), _iso(trend.now.end)],
        "tickvals": [_iso(on) for on, _ in trend.ticks],
        "ticktext": [text for _, text in trend.ticks],
        "unifiedhovertitle": {"text": trend.together},
    }


def _ticks(y: Axis, sign: str) -> dict[str, Any]:
    texts = [f"{tick:.0f}{sign}".replace("-", "−") for tick in y.ticks]
    return {"tickvals": list(y.ticks), "ticktext": texts}


def _zone(now: Stretch) -> dict[str, Any]:
    return {
        "type": "rect",
        "layer": "below",
        "yref": "paper",
        "x0": _iso(now.start),
        "x1": _iso(now.end),
        "y0": 0,
        "y1": 1.1,
        "line": {"width": 0},
        "name": "zone",
    }


def _averages(trend: Trend) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "x0": _iso(stretch.start),
            "x1": _iso(stretch.end),
            "y0": stretch.value,
            "y1": stretch.value,
            "line": {"width": 1.25, "dash": "dash"},
            "name": "average",
        }
        for stretch in (trend.before, trend.now)
        if stretch.value is not None
    ]


def _titles(trend: Trend) -> list[dict[str, Any]]:
    """Name both periods on top of their part of the drawing."""
    return [
        {
            "text": stretch.title,
            "x": _iso(stretch.start),
            "xanchor": "left",
            "xshift": 4,
            "y": 1.1,
            "yref": "paper",
            "yanchor": "top",
            "showarrow": False,
            "name": name,
        }
        for stretch, name in ((trend.before, "muted"), (trend.now, "strong"))
    ]


def _end_labels(trend: Trend, y: Axis) -> list[dict[str, Any]]:
    """Print the last value beside the end of the line, and the average of the period near it."""
    labels: list[dict[str, Any]] = []
    point = _last(trend)
    if point:
        names = ["end", "muted", "wide"]
        shifts = [0, -16, -31]
        labels = [
            _beside(trend.now.end, point.value, text, name, shift)
            for text, name, shift in zip(trend.last, names, shifts, strict=False)
        ]
    if trend.now.value is not None:
        shift = _clear_of(point.value if point else None, trend.now.value, y)
        labels += [
            _beside(trend.now.end, trend.now.value, trend.now.label, "wide", shift),
            _beside(trend.now.end, trend.now.value, trend.now.short_label, "narrow", shift),
        ]
    return labels


def _clear_of(last: float | None, average: float, y: Axis) -> int:
    """Return by how many pixels the label of the average must move not to cover the others."""
    if last is None:
        return 0
    apart = (average - last) / (y.high - y.low) * DRAWING_HEIGHT
    return ceil(max(0, 20 - apart)) if apart >= 0 else floor(min(0, -50 - apart))


def _beside(on: date, y: float | None, text: str, name: str, shift: int) -> dict[str, Any]:
    return {
        "x": _iso(on),
        "xanchor": "left",
        "xshift": 10,
        "y": y,
        "yshift": shift,
        "align": "left",
        "text": text,
        "showarrow": False,
        "name": name,
    }


def _iso(on: date) -> str:
    return on.isoformat()
