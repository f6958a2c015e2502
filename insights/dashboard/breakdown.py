"""One KPI by category, product, channel, customer type or touchpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from insights import charts
from insights.dashboard.figures import Block, Shown, rows_of
from insights.dashboard.selection import SLICE_LABELS, SLICES, Selection
from insights.disclosure import hidden_rows
from insights.queries import KpiRow
from insights.templatetags.numbers import number

BY = {
    "category": gettext_lazy("By category"),
    "product": gettext_lazy("By product"),
    "channel": gettext_lazy("By channel"),
    "customer_type": gettext_lazy("By customer type"),
    "touchpoint": gettext_lazy("By touchpoint"),
}

# A table longer than this is not read; the rest is counted below it.
MAX_SLICES = 50


@dataclass(frozen=True)
class Slice(Shown):
    """A row of the breakdown; `key` is the public one, `inner` the one counts are kept under."""

    key: str
    inner: str
    label: str
    link: str


@dataclass(frozen=True)
class Breakdown:
    title: str
    dimension: str
    tabs: list[tuple[str, str, bool]]
    rows: list[Slice]
    more: int
    compared: int
    drawn: bool
    axis: charts.Axis


def slices_of(selection: Selection) -> list[Slice]:
    """Return the slices of a selection: most answers first, and last the hidden ones, by name.

    In the order of their answers those would tell which is the smaller.
    """
    rows = rows_of(selection, selection.kpi, dimension=selection.slice)
    hidden = hidden_rows([row.figure.n for row in rows])
    slices = [_slice(row, selection, index in hidden) for index, row in enumerate(rows)]
    return sorted(
        slices, key=lambda row: (1, 0, row.label) if row.hidden else (0, -row.figure.n, "")
    )


def _slice(row: KpiRow, selection: Selection, hidden: bool) -> Slice:
    key = row.slice or ""
    return Slice(
        kpi=selection.kpi,
        figure=row.figure,
        before=row.before,
        change=row.change,
        verdict=row.verdict,
        frozen=row.frozen,
        hidden=hidden,
        key=key,
        inner=row.key or "",
        label=row.label or str(pgettext("slice", "Not known")),
        link=selection.link(**{selection.slice: key}) if key else "",
    )


def breakdown_table(selection: Selection, block: Block, slices: Sequence[Slice]) -> Breakdown:
    """Return the table of the slices of a selection; `block` is the whole."""
    compared = [row for row in slices if row.comparable]
    drawn = [row for row in slices[:MAX_SLICES] if row.drawn]
    firm = [row for row in drawn if row.shown] or drawn
    ends = [end for row in firm for end in (row.figure.low, row.figure.high, row.ring)]
    return Breakdown(
        title=moved_title(str(BY[selection.slice]), slices),
        dimension=str(SLICE_LABELS[selection.slice]),
        tabs=[
            (str(SLICE_LABELS[name]), selection.link(slice=name), name == selection.slice)
            for name in SLICES
        ],
        rows=list(slices[:MAX_SLICES]),
        more=max(0, len(slices) - MAX_SLICES),
        compared=len(compared),
        drawn=bool(drawn),
        axis=charts.axis(
            ends,
            block.unit,
            reference=block.figure.value if block.shown else None,
            padding=0.04,
        ),
    )


def moved_title(what: str, slices: Sequence[Slice]) -> str:
    """Say which of the slices moved: "By category, only phones moved more than chance allows"."""
    compared = [row for row in slices if row.comparable]
    moved = [row for row in compared if row.shape != "flat"]
    if not compared:
        return what
    if not moved:
        return _("%(what)s: no demonstrable change") % {"what": what}
    if len(moved) == 1 and len(compared) > 1:
        return _("%(what)s: only %(name)s moved more than chance allows") % {
            "what": what,
            "name": moved[0].label,
        }
    return _("%(what)s: %(moved)s of %(all)s moved more than chance allows") % {
        "what": what,
        "moved": number(len(moved)),
        "all": number(len(compared)),
    }
