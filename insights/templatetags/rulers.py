"""The signature glyph: a dot with its interval, drawn on the server as SVG.

Dot = the figure, line = 95 % interval, ring = the period before, dashed = all answers. From 5 to
29 answers only the interval is drawn. The drawing repeats what stands beside it in words, so it
is hidden from screen readers.
"""

from collections.abc import Callable
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from insights.charts import Axis
from insights.dashboard.breakdown import Slice
from insights.dashboard.figures import Block
from insights.dashboard.multiples import Multiple, MultiplesPanel
from insights.dashboard.reasons import ReasonRow
from insights.kpis import MIN_SHOWN, MIN_VERDICT, Figure
from insights.picture import Size, draw
from insights.templatetags.numbers import exact, number, percent

register = template.Library()

Place = Callable[[float], float]


def _scale(axis: Axis, left: float, right: float) -> Place:
    width = (right - left) / (axis.high - axis.low)
    return lambda value: left + (min(max(value, axis.low), axis.high) - axis.low) * width


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _dot(x: float, y: float, radius: float, css: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{css}"/>'


def _text(x: float, y: float, words: str, anchor: str = "middle", css: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">'
        f"{conditional_escape(words)}</text>"
    )


def _svg(width: int, height: int, parts: list[str], css: str = "") -> SafeString:
    return mark_safe(  # noqa: S308  (numbers, and text that is escaped above)
        f'<svg class="ci-chart {css}" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


@register.simple_tag
def ruler(block: Block) -> SafeString:
    """Draw the ruler under a headline figure."""
    place, y = _scale(block.axis, 5, 163), 9.0
    parts = [_line(1, y, 167, y, "g0")]
    low, high = block.figure.low, block.figure.high
    if low is None or high is None or not block.drawn:
        return _svg(168, 26, parts, "ci-kpi__ruler")
    line = f"iv{block.tone}" if block.shown else "iv-few"
    parts.append(_line(place(low), y, place(high), y, line))
    parts += [_line(place(end), y - 4, place(end), y + 4, line) for end in (low, high)]
    if block.ring is not None:
        x = place(block.ring)
        was = _("was %(value)s") % {"value": exact(block.ring, block.unit)}
        parts.append(_dot(x, y, 3.5, "ring"))
        parts.append(_text(min(max(x, 24), 144), 24.5, was))
    if block.shown and block.figure.value is not None:
        parts.append(_dot(place(block.figure.value), y, 4.5, f"d{block.tone} halo"))
    return _svg(168, 26, parts, "ci-kpi__ruler")


ROW_WIDTH, ROW_HEIGHT = 328, 36


@register.simple_tag
def interval_row(row: Slice, axis: Axis) -> SafeString:
    """Draw one row of a table on the axis in its head."""
    place, y = _scale(axis, 6, ROW_WIDTH - 6), ROW_HEIGHT / 2
    parts = [
        _line(place(tick), 0, place(tick), ROW_HEIGHT, "g0" if tick == 0 else "g")
        for tick in axis.ticks
    ]
    if axis.reference is not None:
        x = place(axis.reference)
        parts.append(_line(x, 0, x, ROW_HEIGHT, "ref"))
    low, high = row.figure.low, row.figure.high
    if low is not None and high is not None:
        css = f"iv{row.tone}" if row.shown else "iv-few"
        parts.append(_line(place(low), y, place(high), y, css))
    if row.ring is not None:
        parts.append(_dot(place(row.ring), y, 3.25, "ring"))
    if row.shown and row.figure.value is not None:
        parts.append(_dot(place(row.figure.value), y, 4.5, f"d{row.tone} halo"))
    return _svg(ROW_WIDTH, ROW_HEIGHT, parts)


@register.simple_tag
def interval_axis(axis: Axis, unit: str) -> SafeString:
    """Draw the shared axis in the head of the table."""
    place = _scale(axis, 6, ROW_WIDTH - 6)
    parts = []
    for tick in axis.ticks:
        x = place(tick)
        anchor = "start" if x < 14 else "end" if x > ROW_WIDTH - 16 else "middle"
        x += {"start": -6, "middle": 0, "end": 6}[anchor]
        text = number(tick) if unit == "points" else percent(number(tick))
        parts.append(_text(x, 12, text, anchor))
    return _svg(ROW_WIDTH, 16, parts)


SHARE_WIDTH, SHARE_HEIGHT = 140, 30


@register.simple_tag
def share_bar(row: ReasonRow, axis: Axis) -> SafeString:
    """Draw a share as a bar from 0 with its interval; with few answers the interval alone."""
    place, y = _scale(axis, 1, SHARE_WIDTH - 6), SHARE_HEIGHT / 2
    parts = [_line(place(0), 0, place(0), SHARE_HEIGHT, "g0")]
    low, high = row.figure.low, row.figure.high
    if low is None or high is None or row.figure.value is None:
        return _svg(SHARE_WIDTH, SHARE_HEIGHT, parts)
    if row.shown:
        width = place(row.figure.value) - place(0)
        parts.append(
            f'<rect x="{place(0):.1f}" y="{y - 6:.1f}" width="{width:.1f}" height="12" rx="2" '
            'class="d-soft"/>'
        )
    parts.append(_line(place(low), y, place(high), y, "iv" if row.shown else "iv-few"))
    return _svg(SHARE_WIDTH, SHARE_HEIGHT, parts)


@register.simple_tag
def share_axis(axis: Axis) -> SafeString:
    """Draw the two ends of the axis above the bars."""
    place = _scale(axis, 1, SHARE_WIDTH - 6)
    last = axis.ticks[-1]
    return _svg(
        SHARE_WIDTH,
        16,
        [
            _text(0, 12, percent(number(0)), "start"),
            _text(min(place(last) + 6, SHARE_WIDTH), 12, percent(number(last)), "end"),
        ],
    )


# In pixels, at a desk and on a phone; the style sheet has the same.
PICTURE_HEIGHTS = {"trend": (318, 250), "scores": (300, 250)}


@register.simple_tag
def picture(figure: dict[str, Any], shape: str) -> SafeString:
    """Draw a figure as it is before somebody explores it, twice: for a desk and for a phone."""
    high, low = PICTURE_HEIGHTS[shape]
    desk = draw(figure, Size(high))
    phone = draw(figure, Size(low, phone=True))
    return mark_safe(f"{desk}{phone}")  # noqa: S308  (every text is escaped where it is drawn)


MINI_WIDTH, MINI_HEIGHT, MINI_LEFT = 200, 84, 30


@register.simple_tag
def mini_trend(one: Multiple, panel: MultiplesPanel) -> SafeString:
    """Draw one small multiple: the line, its band, the chosen period, and where it ends."""
    across = _scale(Axis(0, 1, ()), MINI_LEFT, MINI_WIDTH - 6)
    up = _scale(panel.axis, MINI_HEIGHT - 6, 6)
    x = across(panel.zone)
    width = MINI_WIDTH - x
    parts = [f'<rect x="{x:.1f}" width="{width:.1f}" height="{MINI_HEIGHT}" class="zone"/>']
    for tick in panel.axis.ticks:
        y = up(tick)
        parts.append(_line(MINI_LEFT, y, MINI_WIDTH, y, "g0" if tick == 0 else "g"))
        parts.append(_text(MINI_LEFT - 5, y + 4, number(tick), "end"))
    tone = one.row.tone
    for run in _runs(one.points, MIN_SHOWN):
        above = [(across(place), up(figure.high or 0.0)) for place, figure in run]
        below = [(across(place), up(figure.low or 0.0)) for place, figure in run]
        parts.append(_path([*above, *below[::-1]], f"band{tone}", closed=True))
    for run in _runs(one.points, MIN_VERDICT):
        parts.append(_path([(across(p), up(f.value or 0.0)) for p, f in run], f"l{tone}"))
    if one.last and one.last.value is not None:
        end = across(one.points[-1][0])
        parts.append(_dot(end, up(one.last.value), 3.5, f"d{tone} halo"))
    return _svg(MINI_WIDTH, MINI_HEIGHT, parts)


def _runs(
    points: list[tuple[float, Figure | None]], least: int
) -> list[list[tuple[float, Figure]]]:
    """Return the stretches without a gap of points with at least so many answers."""
    runs: list[list[tuple[float, Figure]]] = [[]]
    for place, figure in points:
        if figure is not None and figure.n >= least:
            runs[-1].append((place, figure))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(points: list[tuple[float, float]], css: str, *, closed: bool = False) -> str:
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{line}{"Z" if closed else ""}" class="{css}"/>'
