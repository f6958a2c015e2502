"""What moved: the slices of every kind whose change is not chance, the surest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import gettext as _

from insights.dashboard.breakdown import Slice, slices_of
from insights.dashboard.figures import Block
from insights.dashboard.multiples import Lines
from insights.dashboard.selection import SLICE_LABELS, Selection
from insights.dashboard.trend import turn_of, when_turned
from insights.kpis import KPIS, verdicts
from insights.templatetags.numbers import headline, number

# Products are too many to read; a category leads to them.
LOOKED_AT = ("category", "customer_type", "channel", "touchpoint")

# How a slice that moved is cut again: first by who the customers are.
INSIDE = ("customer_type", "category", "channel", "touchpoint", "product")

# More than these is a list nobody reads.
MOST = 5


@dataclass(frozen=True)
class Finding:
    """One slice that moved: "Smartphones: NPS 14, was 32", when it did, and where to look."""

    kind: str
    row: Slice
    title: str
    text: str
    link: str


@dataclass(frozen=True)
class MovedPanel:
    findings: list[Finding]
    more: int
    compared: int


def slices_by_kind(selection: Selection) -> dict[str, list[Slice]]:
    """Return the slices of each kind that is not filtered by."""
    return {
        kind: slices_of(replace(selection, slice=kind))
        for kind in LOOKED_AT
        if kind not in selection.where
    }


def moved_panel(
    selection: Selection,
    block: Block,
    slices: Mapping[str, Sequence[Slice]],
    lines: Mapping[str, Lines],
) -> MovedPanel:
    """Return what moved in a selection, judged together (Holm); `lines` tell since when."""
    compared = [
        (kind, row) for kind, rows in slices.items() for row in rows if row.comparable and row.key
    ]
    judged = verdicts([(row.before, row.figure, row.change) for _kind, row in compared])  # type: ignore[misc]
    moved = [
        (kind, replace(row, verdict=verdict))
        for (kind, row), verdict in zip(compared, judged, strict=True)
    ]
    moved = sorted(
        ((kind, row) for kind, row in moved if row.shape != "flat"),
        key=lambda pair: (pair[1].change.p, -abs(pair[1].change.change)),  # type: ignore[union-attr]
    )
    return MovedPanel(
        findings=[
            _finding(selection, block, row, kind, lines.get(kind)) for kind, row in moved[:MOST]
        ],
        more=max(0, len(moved) - MOST),
        compared=len(compared),
    )


def _finding(
    selection: Selection, block: Block, row: Slice, kind: str, lines: Lines | None
) -> Finding:
    title = _("%(name)s: %(kpi)s %(now)s, was %(before)s") % {
        "name": row.label,
        "kpi": block.label,
        "now": headline(row.figure.value or 0.0, row.unit),
        "before": headline(row.ring or 0.0, row.unit),
    }
    of = {"n": number(row.figure.n), "all": number(block.figure.n)}
    words = [_since(lines, row) if lines else "", _("%(n)s of %(all)s answers.") % of]
    return Finding(
        kind=str(SLICE_LABELS[kind]),
        row=row,
        title=title,
        text=" ".join(filter(None, words)),
        link=reverse("satisfaction") + _inside(selection, kind, row),
    )


def _inside(selection: Selection, kind: str, row: Slice) -> str:
    """Lead into the slice, cut by what is not chosen yet."""
    rest = [name for name in INSIDE if name not in {kind, *selection.where}]
    return selection.link(**{kind: row.key, "slice": (rest or [kind])[0]})


def _since(lines: Lines, row: Slice) -> str:
    """Say when the slice took its largest step, if it took one."""
    turn = turn_of(KPIS[row.kpi], lines.counts.get(row.inner, []), row)
    if turn is None:
        return ""
    words = _("Fell %(when)s.") if row.shape == "down" else _("Rose %(when)s.")
    return words % {"when": when_turned(lines.size, turn, lines.periods)}
