"""The tables of the pages as rows for a file: the same numbers, and as little of small ones.

Keys and columns are English and stay as they are, so that a spreadsheet can rely on them. Values
are unrounded. What a page does not show is an empty cell, and `note` says why.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from django.conf import settings

from insights.dashboard import overview, satisfaction
from insights.dashboard.figures import Shown
from insights.dashboard.reasons import SHARE
from insights.dashboard.selection import Selection
from insights.exports import Row
from insights.kpis import KPIS, MIN_VERDICT, Figure
from insights.periods import Period

HIDDEN, FEW = "hidden", "too_few"


def table_rows(name: str, selection: Selection) -> Iterator[Row]:
    """Return the header, the rows and the definition of one table; raises KeyError for no table."""
    rows = TABLES[name](selection)
    yield from rows
    yield from _definition(name, selection)


def _definition(name: str, selection: Selection) -> Iterator[Row]:
    """Say below the numbers what they are: a figure never travels without its definition."""
    kpi = KPIS[selection.kpi]
    yield []
    yield ["kpi", kpi.key if name != "kpis" else " ".join(KPIS)]
    yield ["from", selection.period.start.isoformat()]
    yield ["up_to_and_including", selection.last_day.isoformat()]
    yield ["against", selection.against]
    for dimension, key in selection.where.items():
        yield [dimension, key]
    yield ["time_zone", settings.TIME_ZONE]
    for one in KPIS.values() if name == "kpis" else [kpi]:
        yield ["definition", one.definition]
    if name in {"reasons", "why"}:
        yield ["definition", SHARE.definition]


# -- One table each -------------------------------------------------------------------------------

FIGURE = ("n", "value", "low", "high")
CHANGE = ("before", "change", "verdict", "note")


def _kpis(selection: Selection) -> Iterator[Row]:
    yield ["kpi", *FIGURE, *CHANGE]
    for block in overview(selection).blocks:
        yield [block.kpi, *_shown(block)]


def _breakdown(selection: Selection) -> Iterator[Row]:
    yield [selection.slice, *FIGURE, *CHANGE]
    for row in satisfaction(selection).breakdown.rows:
        yield [row.key, *_shown(row)]


def _shown(row: Shown) -> Row:
    """Return a figure and its change as far as the page shows them.

    What was before stands there as the page prints it: unrounded, or with the interval of the
    change, it would tell how many answered then, which is shown nowhere.
    """
    if row.hidden:
        return [""] * (len(FIGURE) + len(CHANGE) - 1) + [HIDDEN]
    known = _figure(row.figure)
    if not row.comparable or row.change is None or row.ring is None:
        return [*known, "", "", "", FEW if row.few else ""]
    printed = (round(row.ring, 1), round(row.change.change, 1))
    return [*known, *printed, str(row.verdict or ""), ""]


def _figure(figure: Figure | None) -> Row:
    """Return n, value and interval; from 5 to 29 answers there is no value, only the interval."""
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return [0 if figure else "", "", "", ""]
    firm = figure.n >= MIN_VERDICT
    return [figure.n, figure.value if firm else "", figure.low, figure.high]


def _trend(selection: Selection) -> Iterator[Row]:
    together = ("together_value", "together_low", "together_high")
    yield ["start", "end", *FIGURE, *together, "note"]
    for row in satisfaction(selection).trend.rows:
        alone = ["", "", "", ""] if row.hidden else [row.n, *_figure(row.single)[1:]]
        note = HIDDEN if row.hidden else "running" if row.running else "part" if row.part else ""
        days = [row.period.start.isoformat(), row.period.end.isoformat()]
        yield [*days, *alone, *_figure(row.rolling)[1:], note]


def _scores(selection: Selection) -> Iterator[Row]:
    yield ["score", "outcome", "n", "share", "share_before", "note"]
    panel = satisfaction(selection).distribution
    for score in panel.scores if panel else ():
        share: Row = ["", ""] if score.share is None else [score.n, score.share]
        was = "" if score.was is None else score.was
        outcome = KPIS[selection.kpi].scale.outcome(score.value)
        yield [score.value, outcome, *share, was, HIDDEN if score.hidden else ""]


def _reasons(selection: Selection) -> Iterator[Row]:
    yield ["reason", *FIGURE, "note"]
    panel = satisfaction(selection).reasons
    groups = panel.groups if panel and panel.drawn else []
    for row in [row for _name, rows in groups for row in rows]:
        if row.hidden:
            yield [row.key, "", "", "", "", HIDDEN]
        else:
            yield [row.key, row.n, *_figure(row.figure)[1:], ""]


def _why(selection: Selection) -> Iterator[Row]:
    table = satisfaction(selection).why
    reasons = [reason.key for reason in table.reasons] if table else []
    yield [selection.slice, "n", *reasons, "note"]
    for row in table.rows if table else ():
        if row.hidden:
            yield [row.key, "", *[""] * len(reasons), HIDDEN]
        else:
            shares = ["" if cell.share is None else cell.share for cell in row.cells]
            yield [row.key, row.n, *shares, FEW if row.n < MIN_VERDICT else ""]


def _lines(selection: Selection) -> Iterator[Row]:
    panel = overview(selection).multiples
    yield ["slice", *(map(_stretch, panel.stretches) if panel else ())]
    for row, figures in panel.table if panel else ():
        yield [row.key, *("" if one is None or one.value is None else one.value for one in figures)]


def _stretch(period: Period) -> str:
    """Return the first and the last day of the answers that one point of a line is of."""
    return f"{period.start}/{period.end - timedelta(days=1)}"


TABLES: Mapping[str, Callable[[Selection], Iterable[Row]]] = MappingProxyType(
    {
        "kpis": _kpis,
        "trend": _trend,
        "scores": _scores,
        "breakdown": _breakdown,
        "reasons": _reasons,
        "why": _why,
        "lines": _lines,
    }
)
