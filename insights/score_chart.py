"""How many gave each score, as a Plotly figure in the style of the house (see charts.py).

Pure: standard library and plotly only, no Django, no clock, no I/O. Words come in translated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from insights.charts import axis

# In the place of a share that could point at somebody.
NOT_SHOWN = "∗"

# Room below for the names of the groups.
MARGINS = {"l": 8, "r": 8, "t": 24, "b": 64}


@dataclass(frozen=True, slots=True)
class Bar:
    """One score: its share of the answers in percent, and in the period before.

    `share` is None where the score may not be shown, `was` also where there is nothing before.
    """

    label: str
    role: str
    share: float | None
    was: float | None
    text: str
    hover: str


@dataclass(frozen=True, slots=True)
class Group:
    """Scores that count as one outcome: from the index `first` to `last`, with words for it."""

    first: int
    last: int
    role: str
    label: str
    short_label: str


@lru_cache(maxsize=64)
def score_figure(bars: tuple[Bar, ...], groups: tuple[Group, ...]) -> dict[str, Any]:
    """Return the figure in plain dicts and lists; do not change the result.

    Bars start at 0. A short line over a bar is its share in the period before.
    """
    top = max([*_known(bar.share for bar in bars), *_known(bar.was for bar in bars), 1.0])
    figure = go.Figure(
        {
            "data": [_bars(bars), _before(bars), _numbers(bars)],
            "layout": {
                "template": "insights",
                "margin": MARGINS,
                "hovermode": "closest",
                "bargap": 0.14,
                "xaxis": {
                    "type": "linear",
                    "range": [-0.55, len(bars) - 0.45],
                    "tickvals": [*range(len(bars))],
                    "ticktext": [bar.label for bar in bars],
                    "ticks": "",
                },
                "yaxis": {
                    "range": [0, top * 1.12],
                    "showticklabels": False,
                    "tickvals": list(axis([0, top], "percent").ticks),
                },
                "shapes": [_rule(group) for group in groups],
                "annotations": [text for group in groups for text in _words(group)],
            },
        }
    )
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _bars(bars: tuple[Bar, ...]) -> dict[str, Any]:
    drawn = [(at, bar) for at, bar in enumerate(bars) if bar.share is not None]
    return {
        "type": "bar",
        "x": [at for at, _bar in drawn],
        "y": [bar.share for _at, bar in drawn],
        "customdata": [bar.hover for _at, bar in drawn],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"cornerradius": 2},
        "meta": {"role": "scores", "roles": [bar.role for _at, bar in drawn]},
    }


def _numbers(bars: tuple[Bar, ...]) -> dict[str, Any]:
    """Print each share above its bar and the line of before; a star where it is not shown."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [*range(len(bars))],
        "y": [max(bar.share or 0.0, bar.was or 0.0) for bar in bars],
        "text": [NOT_SHOWN if bar.share is None else bar.text for bar in bars],
        "textposition": "top center",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "meta": {"role": "numbers"},
    }


def _before(bars: tuple[Bar, ...]) -> dict[str, Any]:
    """Draw the period before as a short line, so that it does not compete with the bar."""
    x: list[float | None] = []
    y: list[float | None] = []
    for at, bar in enumerate(bars):
        if bar.was is not None:
            x += [at - 0.43, at + 0.43, None]
            y += [bar.was, bar.was, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"width": 1.5},
        "hoverinfo": "skip",
        "meta": {"role": "before"},
    }


def _rule(group: Group) -> dict[str, Any]:
    """Draw a line under the scores of a group."""
    return {
        "type": "line",
        "yref": "paper",
        "ysizemode": "pixel",
        "yanchor": 0,
        "x0": group.first - 0.43,
        "x1": group.last + 0.43,
        "y0": -24,
        "y1": -24,
        "line": {"width": 2},
        "name": group.role,
    }


def _words(group: Group) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "x": (group.first + group.last) / 2,
            "y": 0,
            "yref": "paper",
            "yshift": -42,
            "showarrow": False,
            "name": f"{name}-{group.role}",
        }
        for name, text in (("wide", group.label), ("narrow", group.short_label))
    ]
