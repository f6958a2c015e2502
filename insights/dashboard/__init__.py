"""What the overview shows: from a selection to headline figures, a trend and a breakdown.

Everything a page needs is worked out here once, so that templates only place it. The formulas
are those of kpis.py; the numbers come from queries.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from insights import queries
from insights.dashboard.breakdown import Breakdown, breakdown_table
from insights.dashboard.comments import CommentsPanel, comments_panel
from insights.dashboard.figures import ALWAYS_SHOWN, Block, block_of, rows_of, title
from insights.dashboard.reasons import (
    ReasonsPanel,
    asks_why,
    counted,
    most_given,
    reasons_panel,
)
from insights.dashboard.selection import OWN_DATES, Selection
from insights.dashboard.trend import TrendPanel, trend_panel
from insights.kpis import KPIS, MIN_SHOWN
from insights.periods import Period


@dataclass(frozen=True)
class Way:
    """A way out of an empty page: drop this filter, and so many answers are left."""

    name: str
    link: str
    n: int


@dataclass(frozen=True)
class Elsewhere:
    """Where the answers are, when there are none in the chosen period."""

    last: date
    link: str


@dataclass(frozen=True)
class Overview:
    title: str
    selection: Selection
    blocks: list[Block]
    block: Block
    trend: TrendPanel
    breakdown: Breakdown
    reasons: ReasonsPanel | None
    comments: CommentsPanel | None
    counted_at: datetime | None
    any_answers: bool
    ways: list[Way]
    elsewhere: Elsewhere | None


def overview(selection: Selection) -> Overview:
    """Return the whole page for a selection."""
    measured = queries.measured_kpis()
    selection = replace(selection, kpi=selection.kpi or _first(measured))
    blocks = [block_of(key, selection) for key in _keys(measured, selection)]
    block = next(block for block in blocks if block.current)
    reasons, answered = counted(selection), asks_why(selection)
    return Overview(
        title=title(blocks, any_answers=bool(measured), filtered=bool(selection.where)),
        selection=selection,
        blocks=blocks,
        block=block,
        trend=trend_panel(selection, block),
        breakdown=breakdown_table(selection, block, most_given(reasons)),
        reasons=reasons_panel(block, reasons) if answered else None,
        comments=comments_panel(selection, block) if answered else None,
        counted_at=queries.counted_at(),
        any_answers=bool(measured),
        ways=_ways_out(selection) if block.empty and selection.where else [],
        elsewhere=_elsewhere(selection) if block.empty and not selection.where else None,
    )


def readable(selection: Selection) -> Selection | None:
    """Return the selection with its KPI if what people wrote may be read one by one.

    It may not where fewer than 5 people answered, and an invitation is no answer.
    """
    selection = replace(selection, kpi=selection.kpi or _first(queries.measured_kpis()))
    if not asks_why(selection):
        return None
    row = rows_of(selection, selection.kpi, compare=False)[0]
    return selection if row.figure.n >= MIN_SHOWN else None


def _first(measured: Sequence[str]) -> str:
    return next(iter(measured), "nps")


def _keys(measured: Sequence[str], selection: Selection) -> list[str]:
    wanted = {*ALWAYS_SHOWN, *measured, selection.kpi}
    return [key for key in KPIS if key in wanted]


def _elsewhere(selection: Selection) -> Elsewhere | None:
    last = queries.last_day(selection.kpi)
    if last is None or selection.period.start <= last < selection.period.end:
        return None
    period = Period(last - timedelta(weeks=13) + timedelta(days=1), last + timedelta(days=1))
    return Elsewhere(last, replace(selection, preset=OWN_DATES, period=period).link())


def _ways_out(selection: Selection) -> list[Way]:
    """Count what each filter takes away, the most helpful first."""
    ways = []
    for name in selection.where:
        rest = {key: value for key, value in selection.where.items() if key != name}
        row = rows_of(replace(selection, where=rest), selection.kpi, compare=False)[0]
        ways.append(Way(selection.names[name], selection.link(**{name: None}), row.figure.n))
    return sorted((way for way in ways if way.n), key=lambda way: -way.n)
