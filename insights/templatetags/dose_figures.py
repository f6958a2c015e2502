"""Drawings and words about the dose: a curve of what goes together, messages before and after."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from customers.decision_words import window_words
from customers.models import ContactKind, CustomerType
from insights.backtest import Backtest
from insights.disclosure import is_small
from insights.dose_page import Refused
from insights.dose_words import outcome_words
from insights.fatigue import Curve, Row
from insights.picture import Size, draw
from insights.templatetags.numbers import count, number, percent

register = template.Library()

# In pixels, the same at a desk and on a phone; the style sheet has it too.
HEIGHT = 230
MARGIN = {"t": 14, "b": 26}

# Round tops of an axis that starts at 0, in percent.
TOPS = (0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0)


@register.filter
def kind_name(kind: str) -> str:
    return str(ContactKind(kind).label)


@register.filter
def type_name(customer_type: str) -> str:
    return str(CustomerType(customer_type).label)


@register.filter
def people(n: int | None) -> str:
    """Return a number of customers; one that would point at somebody is not told."""
    if n is None:
        return _("not shown")
    return _("fewer than 5") if is_small(n) else count(n)


@register.simple_tag
def fatigue_picture(curve: Curve) -> SafeString:
    """Draw a dot with its interval for each number of contacts; of few contacts the interval."""
    rows = [row for row in curve.rows if row.share.shown]
    top = _top(rows)
    dots = [row for row in rows if row.share.firm]
    figure = {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row.x for row in dots],
                "y": [row.share.share for row in dots],
                "marker": {"size": 9},
                "meta": {"role": "end"},
            }
        ],
        "layout": _layout([(row.x, row.label) for row in curve.rows], _ticks(top), top)
        | {"shapes": [_interval(row, top) for row in rows]},
    }
    return _drawn(figure)


@register.simple_tag
def messages_picture(found: Backtest) -> SafeString:
    """Draw how many customers had so many messages: two bars each, before and after."""
    rows = found.shown_messages
    top = max([1, *(n for _label, *pair in rows for n in pair if n is not None)]) * 1.1
    figure = {
        "data": [_bars(rows, 1, -0.2, "before"), _bars(rows, 2, 0.2, "after")],
        "layout": _layout([(at, row[0]) for at, row in enumerate(rows)], _whole_ticks(top), top)
        | {"bargap": 0.62},
    }
    return _drawn(figure)


def _drawn(figure: dict[str, Any]) -> SafeString:
    desk, phone = (draw(figure, Size(HEIGHT, phone=phone)) for phone in (False, True))
    return mark_safe(f"{desk}{phone}")  # noqa: S308  (every text is escaped where it is drawn)


def _layout(
    names: list[tuple[int, str]], ticks: list[tuple[float, str]], top: float
) -> dict[str, Any]:
    places = [at for at, _name in names] or [0]
    return {
        "margin": MARGIN,
        "xaxis": {
            "range": [places[0] - 0.5, places[-1] + 0.5],
            "tickvals": [at for at, _name in names],
            "ticktext": [name for _at, name in names],
        },
        "yaxis": {
            "range": [0, top],
            "tickvals": [value for value, _text in ticks],
            "ticktext": [text for _value, text in ticks],
        },
    }


def _top(rows: Iterable[Row]) -> float:
    """Return the top of the axis: that of the certain intervals, else a few would squeeze all."""
    highs = [(row.share.firm, row.share.high or 0.0) for row in rows]
    firm = [high for is_firm, high in highs if is_firm] or [high for _few, high in highs]
    most = max(firm, default=0.0)
    return next((top for top in TOPS if top >= most), TOPS[-1])


def _ticks(top: float) -> list[tuple[float, str]]:
    digits = 2 if top < 1 else 1 if top < 4 else 0
    return [(value, percent(number(value, digits))) for value in (0.0, top / 2, top)]


def _whole_ticks(top: float) -> list[tuple[float, str]]:
    """Return 0 and at most four round numbers of customers."""
    step = next(
        factor * 10**power
        for power in itertools.count()
        for factor in (1, 2, 5)
        if factor * 10**power * 4 >= top
    )
    return [(float(n), count(n)) for n in range(0, int(top) + 1, step)]


def _interval(row: Row, top: float) -> dict[str, Any]:
    return {
        "type": "line",
        "layer": "below",
        "x0": row.x,
        "x1": row.x,
        "y0": min(row.share.low or 0.0, top),
        "y1": min(row.share.high or 0.0, top),
        "name": "interval" if row.share.firm else "few",
    }


def _bars(
    rows: list[tuple[str, int | None, int | None]], which: int, shift: float, role: str
) -> dict[str, Any]:
    drawn = [(at + shift, row[which]) for at, row in enumerate(rows) if row[which]]
    return {
        "type": "bar",
        "x": [at for at, _n in drawn],
        "y": [n for _at, n in drawn],
        "meta": {"role": "messages", "roles": [role] * len(drawn)},
    }


@register.filter
def window_name(window: timedelta) -> str:
    return window_words(window)


@register.filter
def outcome_name(refused: Refused) -> str:
    """Return what came of requests, in words."""
    return outcome_words(refused.outcome, refused.code)


PIP, PIP_STEP = 10, 13
MOST_PIPS = 12


@register.inclusion_tag("insights/_pips.html")
def pips(mean: float, most: int) -> dict[str, Any]:
    """Draw one box for each contact that is allowed, filled as far as they are used on average."""
    boxes = []
    for place in range(min(most, MOST_PIPS)):
        filled = min(max(mean - place, 0), 1)
        boxes.append({"x": place * PIP_STEP, "filled": round(filled * PIP, 1)})
    return {"boxes": boxes, "width": max(len(boxes) * PIP_STEP, 1), "size": PIP}
