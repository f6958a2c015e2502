"""One KPI through time: the chart, and the table with the same numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insights import charts, queries
from insights.dashboard.breakdown import hidden_rows
from insights.dashboard.figures import Block, answers
from insights.dashboard.selection import Selection
from insights.kpis import KPIS, MIN_SHOWN, MIN_VERDICT, Figure, Kpi, add, figure
from insights.periods import Period, enclosing, is_complete, previous
from insights.queries import FrozenNote, KpiRow
from insights.templatetags.numbers import day, headline, interval, month, number, percent


@dataclass(frozen=True)
class TrendRow:
    """A line of the table behind the trend: a day, week or month, and it with those before."""

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


@dataclass(frozen=True)
class Grain:
    """How fine the trend is: what one point is, and how many are taken together."""

    kind: str
    together: int
    title: str
    deck: str
    dots: str
    last: str
    columns: tuple[str, str]
    label: Callable[[Period], str]


def grain(period: Period) -> Grain:
    """Return days for up to five weeks, weeks for up to half a year, else months."""
    length = (period.end - period.start).days
    if length <= 35:
        return Grain(
            "day",
            7,
            _("%(kpi)s per day"),
            _("Line: seven days together. Band: its interval (95 %)."),
            _("Dots: single days."),
            _("last 7 days"),
            (_("Day"), _("Seven days together")),
            lambda p: date_format(p.start, "SHORT_DATE_FORMAT"),
        )
    if length <= 200:
        return Grain(
            "week",
            4,
            _("%(kpi)s per week"),
            _("Line: four weeks together. Band: its interval (95 %)."),
            _("Dots: single weeks."),
            _("last 4 weeks"),
            (_("Week"), _("Four weeks together")),
            lambda p: f"{day(p.start)} – {date_format(p.end - timedelta(1), 'SHORT_DATE_FORMAT')}",
        )
    return Grain(
        "month",
        3,
        _("%(kpi)s per month"),
        _("Line: three months together. Band: its interval (95 %)."),
        _("Dots: single months."),
        _("last 3 months"),
        (_("Month"), _("Three months together")),
        lambda p: date_format(p.start, "YEAR_MONTH_FORMAT"),
    )


def trend_panel(selection: Selection, block: Block) -> TrendPanel:
    """Return the chart and table for a selection; `block` is the period as a whole."""
    kpi, period = KPIS[selection.kpi], selection.period
    size = grain(period)
    start = enclosing(previous(period).start, size.kind).start
    rows = queries.kpi_rows(kpi.key, start, period.end, by=size.kind, where=selection.where)
    whole = [row for row in rows if _is_whole(row.period, size, selection.today)]
    rolling = dict(zip((row.period for row in whole), _rolling(kpi, whole, size), strict=True))
    chart = _chart(selection, block, size, whole, rolling)
    drawn = any(point.low is not None for point in chart.points)
    dots = size.dots if any(point.single is not None for point in chart.points) else ""
    return TrendPanel(
        title=_trend_title(block, size),
        deck=" ".join(filter(None, [size.deck, dots, _axis_note(chart)])) if drawn else "",
        figure=charts.trend_figure(chart) if drawn else None,
        caption=_caption(block, size, chart),
        columns=size.columns,
        rows=_trend_rows(rows, rolling, size, selection.today),
    )


def _is_whole(period: Period, size: Grain, today: date) -> bool:
    """Say whether a day, week or month is neither cut off nor still running."""
    return period == enclosing(period.start, size.kind) and is_complete(period, today)


def _rolling(kpi: Kpi, rows: Sequence[KpiRow], size: Grain) -> list[Figure | None]:
    """Return each row together with those before it: counts are added, scores never averaged."""
    return [
        figure(kpi, add(*(row.figure.counts for row in rows[end - size.together : end])))
        if end >= size.together
        else None
        for end in range(1, len(rows) + 1)
    ]


def _chart(
    selection: Selection,
    block: Block,
    size: Grain,
    rows: Sequence[KpiRow],
    rolling: Mapping[Period, Figure | None],
) -> charts.Trend:
    points = tuple(_point(block, size, row, rolling[row.period]) for row in rows)
    before, now = previous(selection.period), selection.period
    last = rolling[rows[-1].period] if rows else None
    return charts.Trend(
        unit=block.unit,
        sign="" if block.unit == "points" else percent(""),
        together=size.columns[1],
        points=points,
        before=charts.Stretch(before.start, before.end, block.ring, _("The period before")),
        now=_this_period(now, block),
        last=_last_words(last, size, block) if last else (),
        ticks=_ticks(before.start, now.end, size),
    )


def _this_period(period: Period, block: Block) -> charts.Stretch:
    value = block.figure.value if block.shown else None
    text = headline(value, block.unit) if value is not None else ""
    label = _("%(value)s this period") % {"value": text}
    return charts.Stretch(period.start, period.end, value, _("This period"), label, text)


def _point(block: Block, size: Grain, row: KpiRow, together: Figure | None) -> charts.Point:
    """Draw a value from 30 answers and an interval from 5, like everywhere else."""
    single = row.figure.value if row.figure.n >= MIN_VERDICT else None
    firm = together is not None and together.n >= MIN_VERDICT
    drawn = together if together is not None and together.n >= MIN_SHOWN else None
    return charts.Point(
        on=row.period.start + (row.period.end - row.period.start) / 2,
        label=size.label(row.period),
        single=single,
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
    """Name the months; for a trend per day the Mondays."""
    ticks = []
    at = enclosing(start, "week" if size.kind == "day" else "month")
    while at.start < end:
        if at.start >= start:
            text = day(at.start) if size.kind == "day" else month(at.start)
            ticks.append((at.start, text))
        at = enclosing(at.end, "week" if size.kind == "day" else "month")
    return tuple(ticks)


def _axis_note(trend: charts.Trend) -> str:
    """Say so where a share's axis does not start at 0."""
    y = charts.trend_axis(trend)
    if trend.unit == "points" or y.low <= 0:
        return ""
    return _("Axis from %(low)s to %(high)s.") % {
        "low": percent(number(y.low)),
        "high": percent(number(y.high)),
    }


def _trend_title(block: Block, size: Grain) -> str:
    if not block.comparable or block.shape == "flat":
        return size.title % {"kpi": block.label}
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


def _trend_rows(
    rows: Sequence[KpiRow],
    rolling: Mapping[Period, Figure | None],
    size: Grain,
    today: date,
) -> list[TrendRow]:
    hidden = hidden_rows([row.figure.n for row in rows])
    return [
        TrendRow(
            label=size.label(row.period),
            n=row.figure.n,
            single=row.figure if index not in hidden and row.figure.n else None,
            hidden=index in hidden,
            rolling=_at_least_shown(rolling.get(row.period)),
            running=row.period.end > today,
            part=row.period not in rolling,
            frozen=row.frozen,
        )
        for index, row in enumerate(rows)
    ]


def _at_least_shown(together: Figure | None) -> Figure | None:
    return together if together and together.n >= MIN_SHOWN else None
