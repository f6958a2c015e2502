"""Drawings of the page about permission: bars per week, a funnel, proof, intervals in a table."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from insights.charts import Axis
from insights.dashboard.figures import Shown
from insights.permission.funnel import Step
from insights.permission.standing import ProofPanel
from insights.permission.withdrawals import Bar, WithdrawalsPanel
from insights.templatetags.numbers import month, number, percent
from insights.templatetags.rulers import _dot as dot
from insights.templatetags.rulers import _line as line
from insights.templatetags.rulers import _scale as scale
from insights.templatetags.rulers import _svg as svg
from insights.templatetags.rulers import _text as text

register = template.Library()


@register.simple_tag
def funnel_bar(step: Step) -> SafeString:
    """Draw how much of all is left: as wide as its place, whatever that is."""
    css = "b" if step.key == "in_force" else "b-soft"
    width = 0.0 if step.hidden else step.share
    return mark_safe(  # noqa: S308  (numbers)
        '<svg class="ci-chart pm-bar" viewBox="0 0 100 26" preserveAspectRatio="none" '
        'aria-hidden="true"><rect width="100" height="26" class="b-well"/>'
        f'<rect width="{width:.2f}" height="26" class="{css}"/></svg>'
    )


# A part of the bar that is narrower, in percent, has no room for its name on a phone.
LABELLED = 16


@register.simple_tag
def proof_bar(panel: ProofPanel) -> SafeString:
    """Draw the grades side by side; a grade that is hidden leaves its place empty."""
    css = {"A": "b", "B": "b-soft", "C": "b-heat", "D": "b-down"}
    parts, x = ['<rect width="100%" height="30" class="b-well"/>'], 0.0
    for one in panel.bar:
        width = max(one.share, 0.4)
        parts.append(
            f'<rect x="{x:.2f}%" width="{width:.2f}%" height="30" class="{css[one.grade]}"/>'
        )
        if one.share >= LABELLED:
            label = f"{one.grade} {percent(number(one.share))}"
            parts.append(f'<text x="{x:.2f}%" y="19" dx="8" class="on-{css[one.grade]}">{label}')
            parts.append("</text>")
        x += one.share
    return mark_safe(  # noqa: S308  (numbers)
        '<svg class="ci-chart pm-bar pm-bar--proof" aria-hidden="true">' + "".join(parts) + "</svg>"
    )


# -- Bars per week --------------------------------------------------------------------------------

HEIGHT, TOP, FOOT, LEFT = 236, 6, 26, 38
# As wide as the short name of a month.
NAME = 30


@register.simple_tag
def weeks_chart(panel: WithdrawalsPanel) -> SafeString:
    """Draw what was given above a line and what was taken back below it, for a desk and a phone."""
    wide, narrow = _weeks(panel, 556, 8), _weeks(panel, 342, 4)
    return mark_safe(  # noqa: S308  (drawn below)
        f'<div class="pm-wide">{wide}</div><div class="pm-narrow">{narrow}</div>'
    )


def _weeks(panel: WithdrawalsPanel, width: int, most_names: int) -> SafeString:
    up = max((bar.given or 0 for bar in panel.bars), default=0)
    down = max((bar.withdrawn or 0 for bar in panel.bars), default=0)
    step = _step(max(up, down, 1))
    # A quarter at most lies below the line, more only if more was taken back.
    high, low = _ceil(up, step), _ceil(down, step)
    place = scale(Axis(-float(low), float(max(high, step)), ()), HEIGHT - FOOT, TOP)
    across = scale(Axis(0.0, float(len(panel.bars)), ()), LEFT, width)
    zero = place(0)
    left = across(panel.zone * len(panel.bars))
    parts = [
        f'<rect x="{left:.1f}" width="{width - left:.1f}" height="{HEIGHT - FOOT}" class="zone"/>'
    ]
    for value in range(-low, max(high, step) + 1, step):
        y = place(value)
        parts.append(line(LEFT, y, width, y, "g0" if value == 0 else "g"))
        parts.append(text(LEFT - 6, y + 4, number(abs(value)), "end"))
    gap = 1.5 if len(panel.bars) < 60 else 0.5
    for at, bar in enumerate(panel.bars):
        x, size = across(at) + gap, max(across(at + 1) - across(at) - 2 * gap, 1)
        parts += _bar(x, size, zero, place, bar)
    parts += _names(panel, across, most_names)
    return svg(width, HEIGHT, parts)


def _bar(x: float, size: float, zero: float, place: object, bar: Bar) -> list[str]:
    parts = []
    for value, css in ((bar.given, "b-soft"), (-(bar.withdrawn or 0), "b-down-soft")):
        if value:
            y = place(value)  # type: ignore[operator]
            parts.append(
                f'<rect x="{x:.1f}" y="{min(y, zero):.1f}" width="{size:.1f}" '
                f'height="{abs(zero - y):.1f}" rx="1.5" class="{css}"/>'
            )
    return parts


def _names(panel: WithdrawalsPanel, across: object, most: int) -> list[str]:
    """Name the months below the first bar of each, of many only some."""
    firsts = [
        (at, bar.period.start)
        for at, bar in enumerate(panel.bars)
        if not at or panel.bars[at - 1].period.start.month != bar.period.start.month
    ]
    # A month of which only the end is drawn leaves its name no room.
    if len(firsts) > 1 and across(firsts[1][0]) - across(0) < NAME:  # type: ignore[operator]
        del firsts[0]
    step = -(-len(firsts) // most)
    parts = []
    for at, on in firsts[::step]:
        x = across(at)  # type: ignore[operator]
        parts.append(line(x, HEIGHT - FOOT, x, HEIGHT - FOOT + 4, "g0"))
        parts.append(text(x, HEIGHT - 6, month(on), "start"))
    return parts


def _step(most: int) -> int:
    """Return a round step that gives at most about four lines."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor * 4 >= most:
                return size * factor
        size *= 10


def _ceil(value: int, step: int) -> int:
    return -(-value // step) * step


# -- Intervals in a table -------------------------------------------------------------------------

RULER_HEIGHT = 40


@register.simple_tag
def share_ruler(row: Shown, axis: Axis, width: int, *, grey: bool = False) -> SafeString:
    """Draw a share with its interval on the axis in the head of the table."""
    place, y = scale(axis, 6, width - 6), RULER_HEIGHT / 2
    parts = [
        line(place(tick), 0, place(tick), RULER_HEIGHT, "g0" if tick == 0 else "g")
        for tick in axis.ticks
    ]
    low, high, tone = row.figure.low, row.figure.high, "-grey" if grey else ""
    if row.drawn and low is not None and high is not None:
        parts.append(line(place(low), y, place(high), y, f"iv{tone}" if row.shown else "iv-few"))
    if row.shown and row.figure.value is not None:
        parts.append(dot(place(row.figure.value), y, 4.5, f"d{tone} halo"))
    return svg(width, RULER_HEIGHT, parts)


@register.simple_tag
def share_ruler_axis(axis: Axis, width: int) -> SafeString:
    """Draw the axis that the rows share."""
    place = scale(axis, 6, width - 6)
    parts = []
    for tick in axis.ticks:
        x = place(tick)
        anchor = "start" if x < 14 else "end" if x > width - 16 else "middle"
        x += {"start": -6, "middle": 0, "end": 6}[anchor]
        parts.append(text(x, 12, percent(number(tick)), anchor))
    return svg(width, 16, parts)
