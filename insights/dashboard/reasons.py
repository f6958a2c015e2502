"""Why people answered as they did: how the answers that gave a reason are spread over the reasons.

A distribution, never a slice: each share is of all answers in the selection that gave a reason.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from feedback.models import HAPPY_REASONS, UNHAPPY_REASONS, Reason
from feedback.scales import Band, Scale
from insights import charts, queries
from insights.dashboard.figures import Block
from insights.dashboard.selection import Selection
from insights.disclosure import hidden_rows
from insights.kpis import KPIS, MIN_SHOWN, MIN_VERDICT, Figure, Kpi, figure
from insights.templatetags.numbers import number

# A reason is given or another one is: a share like the others, so that kpis.py calculates it.
SHARE = Kpi(
    key="reasons",
    scale=Scale("reason", (Band("this", 1, 1), Band("another", 0, 0))),
    unit="percent",
    version=1,
    definition=(
        "Reasons v1: the percentage that gave this reason among all answers that gave a reason, "
        "on the scale of the KPI and on the local calendar days of the period; every answer "
        "counts once, with its latest reason; answers without a reason are left out; unweighted."
    ),
)

# Answers per reason, per internal key of a slice.
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class ReasonRow:
    """How often one reason was given, of all that were."""

    key: str
    label: str
    figure: Figure
    hidden: bool

    @property
    def n(self) -> int:
        return self.figure.counts[SHARE.positive]

    @property
    def shown(self) -> bool:
        """Whether the share may stand alone; with fewer than 30 reasons only its interval may."""
        return not self.hidden and self.figure.n >= MIN_VERDICT


@dataclass(frozen=True)
class ReasonsPanel:
    """The reasons of a selection: `n` of its answers gave one."""

    title: str
    deck: str
    n: int
    hidden: bool
    groups: list[tuple[str, list[ReasonRow]]]
    axis: charts.Axis

    @property
    def drawn(self) -> bool:
        return self.n > 0 and not self.hidden

    @property
    def few(self) -> bool:
        return self.n < MIN_VERDICT


def counted(selection: Selection) -> Counts:
    """Return the reasons behind a KPI; invitations have none."""
    if not asks_why(selection):
        return {}
    return queries.reasons(selection.kpi, selection.period, selection.slice, selection.where)


def asks_why(selection: Selection) -> bool:
    """Say whether a KPI counts answers, which may have reasons and comments."""
    return KPIS[selection.kpi].measure != KPIS["response_rate"].measure


def reasons_panel(block: Block, counts: Counts) -> ReasonsPanel:
    """Return the panel for the reasons behind a headline figure."""
    given = together(counts)
    n = sum(given.values())
    rows = reason_rows(given)
    drawn = [row for row in rows.values() if not row.hidden]
    ends = [end for row in drawn for end in (row.figure.low, row.figure.high)]
    return ReasonsPanel(
        title=_title(given, rows),
        deck="" if block.empty or block.hidden else _deck(n, block.figure.n),
        n=n,
        hidden=block.hidden or 0 < n < MIN_SHOWN,
        groups=[
            (_("Unhappy, because"), _in_order(rows, UNHAPPY_REASONS)),
            (_("Happy, because"), _in_order(rows, HAPPY_REASONS)),
        ],
        # Bars start at 0.
        axis=charts.axis([0.0, *ends], "percent"),
    )


def together(counts: Counts) -> Counter[str]:
    given: Counter[str] = Counter()
    for reasons in counts.values():
        given.update(reasons)
    return given


def reason_rows(given: Mapping[str, int]) -> dict[str, ReasonRow]:
    n = sum(given.values())
    sizes = [given.get(reason, 0) for reason in Reason.values]
    hidden = hidden_rows(sizes)
    return {
        reason: ReasonRow(
            key=reason,
            label=str(Reason(reason).label),
            figure=figure(SHARE, {"this": size, "another": n - size}),
            hidden=index in hidden,
        )
        for index, (reason, size) in enumerate(zip(Reason.values, sizes, strict=True))
    }


def _in_order(rows: Mapping[str, ReasonRow], group: tuple[Reason, ...]) -> list[ReasonRow]:
    """Return the most given first, and last the hidden ones, whose order would tell something."""
    own = [rows[reason] for reason in group]
    return sorted(own, key=lambda row: (row.hidden, 0 if row.hidden else -row.n))


def _deck(n: int, answers: int) -> str:
    of = {"n": number(n), "answers": number(answers), "few": number(MIN_SHOWN)}
    if 0 < n < MIN_SHOWN:
        return _("Fewer than %(few)s of %(answers)s answers gave a reason.") % of
    return _("%(n)s of %(answers)s answers gave a reason.") % of


def _title(given: Mapping[str, int], rows: Mapping[str, ReasonRow]) -> str:
    """Name the most given reason if it is so by more than chance, else ask the question.

    The first is tested against the second alone, two-sided: that is enough to call it the first
    of all (Hung and Fithian 2019, arXiv 1610.03944).
    """
    ranked = sorted(rows, key=lambda reason: -given.get(reason, 0))
    first, second = rows[ranked[0]], rows[ranked[1]]
    duel = figure(SHARE, {"this": first.n, "another": second.n})
    if first.shown and duel.low is not None and duel.low > 50:
        return _("Most said: %(reason)s") % {"reason": first.label.lower()}
    return _("Why")
