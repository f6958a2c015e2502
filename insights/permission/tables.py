"""The tables of the page about permission as rows for a file, with no more than the page shows.

Keys and columns are English and stay as they are. Values are unrounded, but for what was before
and the change, which are as printed. What is not shown is an empty cell, and `note` says why.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.conf import settings

from insights.exports import Row
from insights.kpis import MIN_VERDICT, Figure
from insights.permission.rates import OPT_IN, PROOF, REGRET, TIME_TO_REGRET, Rate

if TYPE_CHECKING:
    from insights.permission import PermissionPage

HIDDEN, FEW = "hidden", "too_few"
FIGURE = ("n", "value", "low", "high")
CHANGE = ("before", "change", "verdict", "note")


def _kpis(page: "PermissionPage") -> Iterator[Row]:
    yield ["kpi", *FIGURE, *CHANGE]
    for row in (page.opt_in, page.regret):
        yield [row.kpi, *_rate(row)]


def _funnel(page: "PermissionPage") -> Iterator[Row]:
    yield ["step", "n", "share", "note"]
    for step in page.funnel.steps:
        if step.hidden:
            yield [step.key, "", "", HIDDEN]
        else:
            yield [step.key, step.n, step.share if step.firm else "", "" if step.firm else FEW]


def _weeks(page: "PermissionPage") -> Iterator[Row]:
    yield ["start", "end", "given", "withdrawn", "note"]
    for bar in page.withdrawals.bars:
        note = HIDDEN if bar.given is None or bar.withdrawn is None else "part" if bar.part else ""
        days = [bar.period.start.isoformat(), bar.period.end.isoformat()]
        yield [*days, _known(bar.given), _known(bar.withdrawn), note]


def _regret(page: "PermissionPage") -> Iterator[Row]:
    yield ["days", "n", "note"]
    for row in page.withdrawals.sooner:
        yield [row.key, _known(row.n), HIDDEN if row.n is None else ""]
    median = page.withdrawals.median_days
    yield ["median", "" if median is None else median, FEW if median is None else ""]


def _purposes(page: "PermissionPage") -> Iterator[Row]:
    yield ["purpose", "channel", "in_force", *FIGURE, *CHANGE]
    for one in page.lines.lines:
        yield [one.key, one.line.channel, _known(one.in_force), *_rate(one.row)]


def _lines(page: "PermissionPage") -> Iterator[Row]:
    """Every n-th point of the lines: those share nobody's answers."""
    ends = page.lines.every
    yield ["purpose", "channel", *(f"up_to_{_last(page, at)}" for at in ends)]
    for one in page.lines.lines:
        values = [one.at(at) for at in ends]
        cells = ["" if figure is None else figure.value or 0.0 for figure in values]
        yield [one.key, one.line.channel, *cells]


def _last(page: "PermissionPage", at: int) -> str:
    return (page.lines.periods[at].end - timedelta(days=1)).isoformat()


def _texts(page: "PermissionPage") -> Iterator[Row]:
    columns = [f"{which}_{name}" for which in ("yes", "withdrawn") for name in FIGURE]
    days = ("first_shown", "last_shown")
    yield ["purpose", "version", "language", "text", *days, *columns, "still_yes", "verdict"]
    for one in page.texts.texts:
        wording = one.wording
        yield [
            one.purpose,
            wording.version,
            wording.language,
            wording.label,
            one.shown_on.start.isoformat(),
            (one.shown_on.end - timedelta(days=1)).isoformat(),
            *_figure(one.yes),
            *_figure(one.regret),
            "" if one.still_yes is None else one.still_yes,
            str(one.verdict or ""),
        ]


def _proof(page: "PermissionPage") -> Iterator[Row]:
    yield ["grade", "n", "note"]
    for one in page.proof.grades:
        yield [one.grade, _known(one.n), HIDDEN if one.n is None else ""]
    unproven = page.proof.unproven
    yield ["none", _known(unproven), HIDDEN if unproven is None else ""]


def _expiring(page: "PermissionPage") -> Iterator[Row]:
    yield ["purpose", "channel", "days_0_30", "days_31_60", "days_61_90", "note"]
    for row in page.expiring.rows:
        note = HIDDEN if None in row.counts else ""
        yield [row.key, row.channel, *map(_known, row.counts), note]


def _known(n: int | None) -> int | str:
    return "" if n is None else n


def _figure(row: Rate) -> Row:
    """Return n, value and interval; from 5 to 29 there is no value, only the interval."""
    if row.hidden:
        return ["", "", "", ""]
    figure: Figure = row.figure
    if figure.value is None or figure.low is None or figure.high is None:
        return [0, "", "", ""]
    value = figure.value if figure.n >= MIN_VERDICT else ""
    return [figure.n, value, figure.low, figure.high]


def _rate(row: Rate) -> Row:
    known = _figure(row)
    if row.hidden:
        return [*known, "", "", "", HIDDEN]
    if not row.comparable or row.change is None or row.ring is None:
        return [*known, "", "", "", FEW if row.few else ""]
    printed = (round(row.ring, 1), round(row.change.change, 1))
    return [*known, *printed, str(row.verdict or ""), ""]


DEFINITIONS = {
    "kpis": (OPT_IN.definition, REGRET.definition),
    "funnel": (OPT_IN.definition,),
    "purposes": (OPT_IN.definition,),
    "lines": (OPT_IN.definition,),
    "texts": (OPT_IN.definition, REGRET.definition),
    "regret": (TIME_TO_REGRET,),
    "proof": (PROOF,),
}

Table = Callable[["PermissionPage"], Iterator[Row]]


def _with_definition(name: str, rows: Table) -> Table:
    """Say below the numbers what they are: a figure never travels without its definition."""

    def table(page: "PermissionPage") -> Iterator[Row]:
        selection = page.selection
        yield from rows(page)
        yield []
        yield ["from", selection.period.start.isoformat()]
        yield ["up_to_and_including", selection.last_day.isoformat()]
        yield ["against", selection.against]
        for dimension, key in selection.where.items():
            yield [dimension, key]
        yield ["time_zone", settings.TIME_ZONE]
        for text in DEFINITIONS.get(name, ()):
            yield ["definition", text]

    return table


TABLES: Mapping[str, Table] = MappingProxyType(
    {
        name: _with_definition(name, rows)
        for name, rows in {
            "kpis": _kpis,
            "funnel": _funnel,
            "weeks": _weeks,
            "regret": _regret,
            "purposes": _purposes,
            "lines": _lines,
            "texts": _texts,
            "proof": _proof,
            "expiring": _expiring,
        }.items()
    }
)
