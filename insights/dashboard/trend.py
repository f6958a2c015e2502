"""One KPI through time: the chart, and the table with the same numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from django.utils.translation import gettext as _

from insights import charts, queries
from insights.dashboard.figures import Block, Shown, answers
from insights.dashboard.grain import Grain, grain, is_whole, rolling
from insights.dashboard.selection import AGAINST, Selection
from insights.disclosure import shown_spans
from insights.kpis import (
    KPIS,
    MIN_SHOWN,
    MIN_VERDICT,
    Figure,
    Kpi,
    Turn,
    turning_point,
)
from insights.models import Annotation
from insights.periods import Period, enclosing
from insights.queries import FrozenNote, KpiRow
from insights.templatetags.numbers import (
    day,
    headline,
    interval,
    month,
    number,
    percent,
)

# Names of months that fit beside each other, and how many months they may lie apart.
MOST_TICKS = 12
MONTH_STEPS = (1, 2, 3, 6, 12)


@dataclass(frozen=True)
class TrendRow:
    """A line of the table behind the trend: a day, week or month, and it with those before."""

    period: Period
    label: str
    n: int
    single: Figure | None
    hidden: bool
    rolling: Figure | None
    running: bool
    part: bool
    frozen: FrozenNote | None


@dataclass(frozen=True)
class TrendPanel:
    title: str
    deck: str
    figure: dict[str, object] | None
    caption: str
    columns: tuple[str, str]
    rows: list[TrendRow]
    events: list[Annotation]


@dataclass(frozen=True)
class Unit:
    """A day, week or month: alone, and together with those before; None where not to be shown."""

    row: KpiRow
    whole: bool
    alone: Figure | None
    together: Figure | None


def trend_panel(selection: Selection, block: Block) -> TrendPanel:
    """Return the chart and table for a selection; `block` is the period as a whole."""
    kpi, period = KPIS[selection.kpi], selection.period
    drawn = Period(selection.compared.start, period.end)
    size = grain(drawn)
    start = enclosing(drawn.start, size.kind).start
    rows = queries.kpi_rows(kpi.key, start, period.end, by=size.kind, where=selection.where)
    units = _units(kpi, rows, size, selection, block)
    whole = [unit for unit in units if unit.whole]
    events = queries.annotations(start, period.end)
    chart = _chart(selection, block, size, whole, events)
    turn = turn_of(kpi, [unit.row.figure.counts for unit in whole], block)
    return TrendPanel(
        title=_trend_title(block, size, turn, whole),
        deck=" ".join(filter(None, _deck(size, chart))),
        figure=charts.trend_figure(chart) if _is_drawn(chart) else None,
        caption=_caption(block, size, chart),
        columns=size.columns,
        rows=[_trend_row(unit, size, selection.today) for unit in units],
        events=events,
    )


def _units(
    kpi: Kpi, rows: Sequence[KpiRow], size: Grain, selection: Selection, block: Block
) -> list[Unit]:
    whole = [row for row in rows if is_whole(row.period, size, selection.today)]
    line = rolling(kpi, [row.figure.counts for row in whole], size)
    if block.protecting:
        return [Unit(row, row in whole, None, None) for row in rows]
    sizes = [row.figure.n for row in rows]
    singles, windows = visible(
        sizes, len(whole), size.together, _cut(rows, selection.period, block)
    )
    return [
        Unit(
            row=row,
            # Only the last may be cut off or still running.
            whole=at < len(whole),
            alone=row.figure if single else None,
            together=line[at] if at < len(whole) and windows[at] else None,
        )
        for at, (row, single) in enumerate(zip(rows, singles, strict=True))
    ]


def visible(
    sizes: Sequence[int], whole: int, together: int, cut: tuple[int, int]
) -> tuple[list[bool], list[bool]]:
    """Say which single units and which windows that end with each whole one may be shown.

    `sizes` are the answers per unit, the first `whole` of which are neither cut off nor running;
    `cut` is the unit in which the period begins, and how many of its answers are in the period.
    The total of the period is on the page, then the line, then what is left of the single units.
    """
    at, inside = cut
    pieces = [*sizes[:at], sizes[at] - inside, inside, *sizes[at + 1 :]]
    begins = [*range(at + 1), *range(at + 2, len(pieces) + 1)]
    windows = [(begins[max(0, end - together)], begins[end]) for end in range(1, whole + 1)]
    singles = [*pairwise(begins)]
    shown = shown_spans(pieces, [(at + 1, len(pieces)), *windows[together - 1 :], *singles])
    line = [False] * min(together - 1, whole) + shown[1 : 1 + max(0, whole - together + 1)]
    return shown[len(shown) - len(singles) :], line


def _cut(rows: Sequence[KpiRow], period: Period, block: Block) -> tuple[int, int]:
    """Return in which row the period begins, and how many answers of that row are in it."""
    at = next(index for index, row in enumerate(rows) if row.period.end > period.start)
    inside = block.figure.n - sum(row.figure.n for row in rows[at + 1 :])
    # An answer may come in between the two readings.
    return at, min(max(inside, 0), rows[at].figure.n)


def turn_of(kpi: Kpi, counts: Sequence[Mapping[str, int]], block: Shown) -> Turn | None:
    """Return where the line turned, if the period as a whole moved the same way."""
    if not block.comparable or block.shape == "flat":
        return None
    turn = turning_point(kpi, counts)
    same = turn is not None and (turn.change.change > 0) == (block.shape == "up")
    return turn if same else None


def when_turned(size: Grain, turn: Turn, periods: Sequence[Period]) -> str:
    """Say when a line turned: "in the week of 5 October", or between which days."""
    return size.when(periods[turn.earliest], periods[turn.latest])


def _is_drawn(chart: charts.Trend) -> bool:
    return any(point.low is not None for point in chart.points)


def _deck(size: Grain, chart: charts.Trend) -> Iterator[str]:
    if _is_drawn(chart):
        yield size.deck
        if any(point.single is not None for point in chart.points):
            yield size.dots
        yield _axis_note(chart)


def _chart(
    selection: Selection,
    block: Block,
    size: Grain,
    units: Sequence[Unit],
    events: Sequence[Annotation],
) -> charts.Trend:
    points = tuple(_point(block, size, unit) for unit in units)
    before, now = selection.compared, selection.period
    last = units[-1].together if units else None
    return charts.Trend(
        unit=block.unit,
        sign="" if block.unit == "points" else percent(""),
        together=size.columns[1],
        points=points,
        before=charts.Stretch(
            before.start, before.end, block.ring, str(AGAINST[selection.against])
        ),
        now=_this_period(now, block),
        last=_last_words(last, size, block) if last else (),
        ticks=_ticks(before.start, now.end, size),
        events=tuple((event.on, f"{day(event.on)}: {event.text}") for event in events),
    )


def _this_period(period: Period, block: Block) -> charts.Stretch:
    value = block.figure.value if block.shown else None
    text = headline(value, block.unit) if value is not None else ""
    label = _("%(value)s this period") % {"value": text}
    return charts.Stretch(period.start, period.end, value, _("This period"), label, text)


def _point(block: Block, size: Grain, unit: Unit) -> charts.Point:
    """Draw a value from 30 answers and an interval from 5, like everywhere else."""
    alone, together, period = unit.alone, unit.together, unit.row.period
    firm = together is not None and together.n >= MIN_VERDICT
    drawn = together if together is not None and together.n >= MIN_SHOWN else None
    return charts.Point(
        on=period.start + (period.end - period.start) / 2,
        label=size.label(period),
        single=alone.value if alone and alone.n >= MIN_VERDICT else None,
        value=together.value if firm and together else None,
        low=drawn.low if drawn else None,
        high=drawn.high if drawn else None,
        hover=_hover(block, drawn) if firm and drawn else "",
    )


def _hover(block: Block, together: Figure) -> str:
    value = headline(together.value or 0.0, block.unit)
    limits = interval(together.low or 0.0, together.high or 0.0)
    return f"{value} ({limits}), {answers(block.kpi, together.n)}"


def _last_words(last: Figure, size: Grain, block: Block) -> tuple[str, ...]:
    if last.n < MIN_VERDICT or last.value is None:
        return ()
    return (
        headline(last.value, block.unit),
        interval(last.low or 0.0, last.high or 0.0),
        size.last,
    )


def _ticks(start: date, end: date, size: Grain) -> tuple[tuple[date, str], ...]:
    """Name the months, of many only some, with the year at each January; per day the Mondays."""
    kind = "week" if size.kind == "day" else "month"
    firsts = []
    at = enclosing(start, kind)
    while at.start < end:
        if at.start >= start:
            firsts.append(at.start)
        at = enclosing(at.end, kind)
    if kind == "week":
        return tuple((on, day(on)) for on in firsts)
    step = next((step for step in MONTH_STEPS if len(firsts) <= MOST_TICKS * step), MONTH_STEPS[-1])
    return tuple((on, _month(on)) for on in firsts if (on.month - 1) % step == 0)


def _month(on: date) -> str:
    return f"{month(on)} {on.year}" if on.month == 1 else month(on)


def _axis_note(trend: charts.Trend) -> str:
    """Say so where a share's axis does not start at 0."""
    y = charts.trend_axis(trend)
    if trend.unit == "points" or y.low <= 0:
        return ""
    return _("Axis from %(low)s to %(high)s.") % {
        "low": percent(number(y.low)),
        "high": percent(number(y.high)),
    }


def _trend_title(block: Block, size: Grain, turn: Turn | None, units: Sequence[Unit]) -> str:
    if not block.comparable or block.shape == "flat":
        return size.title % {"kpi": block.label}
    if turn is not None:
        return _turned(block, turn, when_turned(size, turn, [unit.row.period for unit in units]))
    sentence = (
        _("%(kpi)s fell from %(before)s to %(now)s, and not by chance")
        if block.shape == "down"
        else _("%(kpi)s rose from %(before)s to %(now)s, and not by chance")
    )
    return sentence % {
        "kpi": block.label,
        "before": headline(block.ring or 0.0, block.unit),
        "now": headline(block.figure.value or 0.0, block.unit),
    }


def _turned(block: Block, turn: Turn, when: str) -> str:
    sentence = (
        _("%(kpi)s fell %(when)s, from %(before)s to %(after)s")
        if block.shape == "down"
        else _("%(kpi)s rose %(when)s, from %(before)s to %(after)s")
    )
    return sentence % {
        "kpi": block.label,
        "when": when,
        "before": headline(turn.before.value or 0.0, block.unit),
        "after": headline(turn.after.value or 0.0, block.unit),
    }


def _caption(block: Block, size: Grain, trend: charts.Trend) -> str:
    """Say in words what the chart shows, for who cannot see it."""
    last = trend.points[-1] if trend.points else None
    if last is None or last.value is None:
        return size.title % {"kpi": block.label}
    return _("%(title)s. %(together)s, %(label)s: %(hover)s.") % {
        "title": size.title % {"kpi": block.label},
        "together": size.columns[1],
        "label": last.label,
        "hover": last.hover,
    }


def _trend_row(unit: Unit, size: Grain, today: date) -> TrendRow:
    row, alone = unit.row, unit.alone
    return TrendRow(
        period=row.period,
        label=size.label(row.period),
        n=row.figure.n,
        single=alone if alone and alone.n else None,
        hidden=alone is None,
        rolling=unit.together if unit.together and unit.together.n else None,
        running=row.period.end > today,
        part=not unit.whole,
        frozen=row.frozen,
    )
