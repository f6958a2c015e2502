"""Small multiples: one KPI through time for each category, all on one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from insights import charts, queries
from insights.dashboard.breakdown import Slice, moved_title
from insights.dashboard.figures import Block
from insights.dashboard.grain import Grain, grain, is_whole, rolling
from insights.dashboard.selection import Selection
from insights.kpis import KPIS, MIN_SHOWN, MIN_VERDICT, Figure
from insights.periods import Period, enclosing
from insights.templatetags.numbers import number, percent

# Four rows of three: what the eye compares at once.
MOST = 12


@dataclass(frozen=True)
class Lines:
    """The counts of each slice in whole days, weeks or months, per internal key."""

    size: Grain
    drawn: Period
    now: Period
    periods: list[Period]
    counts: Mapping[str, Sequence[Mapping[str, int]]]


@dataclass(frozen=True)
class Multiple:
    """One small line; `points` are (place from 0 to 1, figure), None where there are too few."""

    row: Slice
    points: list[tuple[float, Figure | None]]

    @property
    def last(self) -> Figure | None:
        return _firm(self.points[-1][1]) if self.points else None


@dataclass(frozen=True)
class MultiplesPanel:
    """The lines, and a table of every n-th of their points, which share no answers.

    `columns` name the last day, week or month of each, `stretches` are all days taken together.
    """

    title: str
    deck: str
    axis: charts.Axis
    zone: float
    multiples: list[Multiple]
    columns: list[str]
    stretches: list[Period]
    table: list[tuple[Slice, list[Figure | None]]]
    more: int


def lines_of(selection: Selection) -> Lines:
    """Count the slices of a selection from the period it is compared with up to its own end."""
    drawn = Period(selection.compared.start, selection.period.end)
    size = grain(drawn)
    periods, counts = queries.lines(
        selection.kpi,
        enclosing(drawn.start, size.kind).start,
        drawn.end,
        by=size.kind,
        dimension=selection.slice,
        where=selection.where,
    )
    whole = [period for period in periods if is_whole(period, size, selection.today)]
    counted = {key: line[: len(whole)] for key, line in counts.items()}
    return Lines(size, drawn, selection.period, whole, counted)


def multiples_panel(block: Block, lines: Lines, slices: Sequence[Slice]) -> MultiplesPanel | None:
    """Return a line for each slice with enough answers to draw one; None if there are not two."""
    shown = [row for row in slices if row.shown and row.key and row.inner in lines.counts]
    if len(shown) < 2 or len(lines.periods) < lines.size.together:
        return None
    multiples = [
        Multiple(row, _points(block, lines, lines.counts[row.inner])) for row in shown[:MOST]
    ]
    figures = [figure for one in multiples for _x, figure in one.points if figure]
    axis = charts.axis(
        [end for figure in figures for end in (figure.low, figure.high)], block.unit, padding=0.04
    )
    together = lines.size.together
    every = range(len(lines.periods) - 1, together - 2, -together)[::-1]
    return MultiplesPanel(
        title=moved_title(block.label, slices),
        deck=_deck(lines.size.columns[1], axis, block),
        axis=replace(axis, ticks=(axis.ticks[0], axis.ticks[len(axis.ticks) // 2], axis.ticks[-1])),
        zone=_place(lines.now.start, lines.drawn),
        multiples=multiples,
        columns=[lines.size.label(lines.periods[at]) for at in every],
        stretches=[
            Period(lines.periods[at - together + 1].start, lines.periods[at].end) for at in every
        ],
        table=[(one.row, [_firm(one.points[at][1]) for at in every]) for one in multiples],
        more=max(0, len(shown) - MOST),
    )


def _points(
    block: Block, lines: Lines, counts: Sequence[Mapping[str, int]]
) -> list[tuple[float, Figure | None]]:
    """Place each unit together with those before it; fewer than 5 answers are not drawn."""
    return [
        (
            _place(period.start + (period.end - period.start) / 2, lines.drawn),
            together if together and together.n >= MIN_SHOWN else None,
        )
        for period, together in zip(
            lines.periods, rolling(KPIS[block.kpi], counts, lines.size), strict=True
        )
    ]


def _place(on: date, drawn: Period) -> float:
    return (on - drawn.start) / (drawn.end - drawn.start)


def _firm(figure: Figure | None) -> Figure | None:
    """Return a figure whose value may be printed."""
    return figure if figure and figure.n >= MIN_VERDICT else None


def _deck(together: str, axis: charts.Axis, block: Block) -> str:
    sign = "" if block.unit == "points" else percent("")
    return _("%(together)s, all on one scale from %(low)s to %(high)s.") % {
        "together": together,
        "low": number(axis.low) + sign,
        "high": number(axis.high) + sign,
    }
