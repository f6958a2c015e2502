"""Why, slice by slice: the distribution of reasons within each row of a breakdown.

Both margins of this table are on the page: how many gave a reason in each slice, and how often
each reason was given. So a cell is hidden with company in its row and in its column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedback.models import Reason
from insights.dashboard.breakdown import MAX_SLICES, Slice
from insights.dashboard.reasons import Counts, ReasonRow, reason_rows, together
from insights.disclosure import hidden_cells, hidden_rows
from insights.kpis import MIN_VERDICT

# Shares from which a cell is a step darker.
STEPS = (0, 10, 20, 35, 50)


@dataclass(frozen=True)
class WhyCell:
    """The share of a reason in its slice, in percent; None where it may not be shown."""

    reason: str
    n: int
    share: float | None
    hidden: bool

    @property
    def step(self) -> int:
        """How dark the cell is, 0 to 5."""
        return sum(self.share > limit for limit in STEPS) if self.share is not None else 0


@dataclass(frozen=True)
class WhyRow:
    """A slice, `n` answers of which gave a reason; hidden where that could point at somebody."""

    key: str
    label: str
    n: int
    hidden: bool
    cells: list[WhyCell]


@dataclass(frozen=True)
class WhyTable:
    reasons: list[ReasonRow]
    rows: list[WhyRow]
    left_out: bool


def why_table(slices: Sequence[Slice], counts: Counts) -> WhyTable | None:
    """Return the reasons of each slice; None if nobody gave one that may be shown."""
    rows = reason_rows(together(counts))
    shown = [reason for reason, row in rows.items() if row.n and not row.hidden]
    listed = [row for row in slices if row.inner in counts or not row.empty]
    totals = [sum(counts.get(row.inner, {}).values()) for row in listed]
    out = hidden_rows(totals, also=[at for at, row in enumerate(listed) if row.hidden])
    if not shown or len(out) == len(listed):
        return None
    hidden = _hidden(listed, counts, shown, out)
    return WhyTable(
        reasons=[rows[reason] for reason in shown],
        rows=[
            WhyRow(
                key=row.key,
                label=row.label,
                n=totals[at],
                hidden=at in out,
                cells=_cells(counts.get(row.inner, {}), shown, hidden[at]) if at not in out else [],
            )
            for at, row in enumerate(listed[:MAX_SLICES])
            if totals[at] or at in out
        ],
        left_out=any(row.n and row.hidden for row in rows.values()),
    )


def _hidden(
    slices: Sequence[Slice], counts: Counts, shown: Sequence[str], out: set[int]
) -> dict[int, set[str]]:
    """Return which reasons to hide in each slice that is shown.

    The slices that are not, taken together, are a row too, whose total follows; so are the
    reasons that are not shown a column.
    """
    visible = [at for at in range(len(slices)) if at not in out]
    groups = [[at] for at in visible] + ([sorted(out)] if out else [])
    columns = [[reason] for reason in shown]
    others = [reason for reason in Reason.values if reason not in shown]
    columns += [others] if others else []
    table = [
        [
            sum(
                counts.get(slices[at].inner, {}).get(reason, 0) for at in group for reason in column
            )
            for column in columns
        ]
        for group in groups
    ]
    hidden = hidden_cells(table)
    return {
        at: {reason for c, reason in enumerate(shown) if (r, c) in hidden}
        for r, at in enumerate(visible)
    }


def _cells(given: Mapping[str, int], shown: Sequence[str], hidden: set[str]) -> list[WhyCell]:
    n = sum(given.values())
    return [
        WhyCell(
            reason=str(Reason(reason).label),
            n=given.get(reason, 0),
            share=None if reason in hidden or n < MIN_VERDICT else 100 * given.get(reason, 0) / n,
            hidden=reason in hidden,
        )
        for reason in shown
    ]
