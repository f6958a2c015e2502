"""What the pages of figures show: from a selection to everything that stands on them.

Everything a page needs is worked out here once, so that templates only place it. The formulas
are those of kpis.py; the numbers come from queries.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from insights import queries
from insights.dashboard.breakdown import Breakdown, Slice, breakdown_table, slices_of
from insights.dashboard.comments import CommentsPanel, comments_panel
from insights.dashboard.distribution import DistributionPanel, distribution_panel
from insights.dashboard.figures import (
    ALWAYS_SHOWN,
    KPI_SHORT,
    Block,
    block_of,
    is_guarded,
    rows_of,
    title,
)
from insights.dashboard.moved import MovedPanel, moved_panel, slices_by_kind
from insights.dashboard.multiples import Lines, MultiplesPanel, lines_of, multiples_panel
from insights.dashboard.reasons import ReasonsPanel, asks_why, counted, reasons_panel
from insights.dashboard.selection import OWN_DATES, Selection
from insights.dashboard.trend import TrendPanel, trend_panel
from insights.dashboard.why import WhyTable, why_table
from insights.kpis import KPIS
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
class Page:
    """What both pages have: the selection, the figure it is about, and ways out of emptiness."""

    title: str
    selection: Selection
    kpis: list[tuple[str, str, bool]]
    block: Block
    counted_at: datetime | None
    any_answers: bool
    ways: list[Way]
    elsewhere: Elsewhere | None
    trend: TrendPanel
    reasons: ReasonsPanel | None
    comments: CommentsPanel | None


@dataclass(frozen=True)
class Overview(Page):
    blocks: list[Block]
    moved: MovedPanel
    multiples: MultiplesPanel | None


@dataclass(frozen=True)
class Satisfaction(Page):
    distribution: DistributionPanel | None
    breakdown: Breakdown
    why: WhyTable | None


def overview(selection: Selection) -> Overview:
    """Return the whole overview for a selection."""
    measured = queries.measured_kpis()
    selection = replace(selection, kpi=selection.kpi or _first(measured))
    blocks = [block_of(key, selection) for key in _keys(measured, selection)]
    block = next(block for block in blocks if block.current)
    slices = slices_by_kind(selection) if block.shown else {}
    lines = _lines(selection, slices)
    return Overview(
        **_page(selection, measured, block),
        title=title(blocks, selection, any_answers=bool(measured)),
        reasons=_reasons(selection, block),
        blocks=blocks,
        moved=moved_panel(selection, block, slices, lines),
        multiples=next(
            (multiples_panel(block, line, slices[kind]) for kind, line in lines.items()), None
        ),
    )


def satisfaction(selection: Selection) -> Satisfaction:
    """Return the whole page about one KPI for a selection."""
    measured = queries.measured_kpis()
    selection = replace(selection, kpi=selection.kpi or _first(measured))
    block = block_of(selection.kpi, selection)
    slices = slices_of(selection) if block.drawn else []
    reasons = counted(selection)
    return Satisfaction(
        **_page(selection, measured, block),
        title=title([block], selection, any_answers=bool(measured)),
        reasons=reasons_panel(block, reasons) if asks_why(selection) else None,
        distribution=distribution_panel(selection, block),
        breakdown=breakdown_table(selection, block, slices),
        why=why_table(slices, reasons),
    )


def _page(selection: Selection, measured: Sequence[str], block: Block) -> dict[str, Any]:
    return {
        "selection": selection,
        "kpis": [
            (str(KPI_SHORT[key]), selection.link(kpi=key), key == selection.kpi)
            for key in _keys(measured, selection)
        ],
        "block": block,
        "counted_at": queries.counted_at(),
        "any_answers": bool(measured),
        "ways": _ways_out(selection) if block.empty and selection.where else [],
        "elsewhere": _elsewhere(selection) if block.empty and not selection.where else None,
        "trend": trend_panel(selection, block),
        "comments": comments_panel(selection, block) if asks_why(selection) else None,
    }


def _reasons(selection: Selection, block: Block) -> ReasonsPanel | None:
    return reasons_panel(block, counted(selection)) if asks_why(selection) else None


def _lines(selection: Selection, slices: Mapping[str, Sequence[Slice]]) -> dict[str, Lines]:
    """Count the categories through time; within one category who the customers are."""
    kind = next((name for name in ("category", "customer_type", "channel") if name in slices), "")
    return {kind: lines_of(replace(selection, slice=kind))} if kind else {}


def with_kpi(selection: Selection) -> Selection:
    """Return the selection with a KPI: the chosen one, else the first that has answers."""
    return replace(selection, kpi=selection.kpi or _first(queries.measured_kpis()))


def readable(selection: Selection) -> Selection | None:
    """Return the selection with its KPI if what people wrote may be read one by one.

    It may not where fewer than 5 people answered, and an invitation is no answer.
    """
    selection = with_kpi(selection)
    if not asks_why(selection):
        return None
    n = rows_of(selection, selection.kpi, compare=False)[0].figure.n
    return selection if n and not is_guarded(selection, selection.kpi, n) else None


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
        wider = replace(selection, where=rest)
        n = rows_of(wider, selection.kpi, compare=False)[0].figure.n
        if not is_guarded(wider, selection.kpi, n):
            ways.append(Way(selection.names[name], selection.link(**{name: None}), n))
    return sorted((way for way in ways if way.n), key=lambda way: -way.n)
