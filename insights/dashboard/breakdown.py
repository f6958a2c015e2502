"""One KPI by category, product, channel, customer type or touchpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from insights import charts
from insights.dashboard.figures import Block, Shown, rows_of
from insights.dashboard.selection import SLICE_LABELS, SLICES, Selection
from insights.kpis import MIN_SHOWN
from insights.queries import KpiRow
from insights.templatetags.numbers import number

# A table longer than this is not read; the rest is counted below it.
MAX_SLICES = 50


@dataclass(frozen=True)
class Slice(Shown):
    """A row of the breakdown; `complement` is hidden only to protect another row.

    `why` is the reason given most, "" where it may not be shown.
    """

    key: str
    label: str
    link: str
    complement: bool
    why: str


@dataclass(frozen=True)
class Breakdown:
    title: str
    dimension: str
    tabs: list[tuple[str, str, bool]]
    rows: list[Slice]
    more: int
    compared: int
    drawn: bool
    says_why: bool
    axis: charts.Axis


def _slices(selection: Selection, whys: Mapping[str, str]) -> list[Slice]:
    rows = sorted(
        rows_of(selection, selection.kpi, dimension=selection.slice),
        key=lambda row: -row.figure.n,
    )
    hidden = hidden_rows([row.figure.n for row in rows])
    return [_slice(row, selection, index in hidden, whys) for index, row in enumerate(rows)]


def hidden_rows(sizes: Sequence[int]) -> set[int]:
    """Return which of the rows that add up to a known total must not be shown.

    Rows under 5 are hidden. One hidden row would follow by subtracting the others from the
    total, and so would the sum of two tiny ones; so the next smallest row goes along until at
    least two rows and five answers are out of sight.
    """
    by_size = sorted((n, index) for index, n in enumerate(sizes) if n)
    hidden = {index for n, index in by_size if n < MIN_SHOWN}
    for _n, index in by_size:
        if not hidden or (len(hidden) > 1 and sum(sizes[i] for i in hidden) >= MIN_SHOWN):
            break
        hidden.add(index)
    return hidden


def _slice(row: KpiRow, selection: Selection, hidden: bool, whys: Mapping[str, str]) -> Slice:
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
        label=row.label or str(pgettext("slice", "Not known")),
        link=selection.link(**{selection.slice: key}) if key else "",
        complement=hidden and row.figure.n >= MIN_SHOWN,
        why="" if hidden else whys.get(row.key or "", ""),
    )


def breakdown_table(selection: Selection, block: Block, whys: Mapping[str, str]) -> Breakdown:
    """Return the table for the slice and KPI of a selection.

    `block` is the whole; `whys` has the reason given most, by internal key of the slice.
    """
    slices = _slices(selection, whys)
    compared = [row for row in slices if row.comparable]
    drawn = [row for row in slices[:MAX_SLICES] if row.drawn]
    firm = [row for row in drawn if row.shown] or drawn
    ends = [end for row in firm for end in (row.figure.low, row.figure.high, row.ring)]
    return Breakdown(
        title=_breakdown_title(selection, compared),
        dimension=str(SLICE_LABELS[selection.slice]),
        tabs=[
            (str(SLICE_LABELS[name]), selection.link(slice=name), name == selection.slice)
            for name in SLICES
        ],
        rows=list(slices[:MAX_SLICES]),
        more=max(0, len(slices) - MAX_SLICES),
        compared=len(compared),
        drawn=bool(drawn),
        says_why=any(row.why for row in slices[:MAX_SLICES]),
        axis=charts.axis(
            ends,
            block.unit,
            reference=block.figure.value if block.shown else None,
            padding=0.04,
        ),
    )


def _breakdown_title(selection: Selection, compared: Sequence[Slice]) -> str:
    by = {
        "category": _("By category"),
        "product": _("By product"),
        "channel": _("By channel"),
        "customer_type": _("By customer type"),
        "touchpoint": _("By touchpoint"),
    }[selection.slice]
    moved = [row for row in compared if row.shape != "flat"]
    if not compared:
        return by
    if not moved:
        return _("%(by)s: no demonstrable change") % {"by": by}
    if len(moved) == 1 and len(compared) > 1:
        return _("%(by)s, only %(name)s moved more than chance allows") % {
            "by": by,
            "name": moved[0].label,
        }
    return _("%(by)s, %(moved)s of %(all)s moved more than chance allows") % {
        "by": by,
        "moved": number(len(moved)),
        "all": number(len(compared)),
    }
