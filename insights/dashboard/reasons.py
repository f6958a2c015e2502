"""Why people answered as they did: how the answers that gave a reason are spread over the reasons.

A distribution, never a slice: each share is of all answers in the selection that gave a reason.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from feedback.models import HAPPY_REASONS, UNHAPPY_REASONS, Reason
from feedback.scales import Band, Scale
from insights import charts, queries
from insights.dashboard.breakdown import hidden_rows
from insights.dashboard.figures import Block, joined
from insights.dashboard.selection import Selection
from insights.kpis import KPIS, MIN_SHOWN, MIN_VERDICT, Figure, Kpi, figure
from insights.templatetags.numbers import headline, number

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
    given = _together(counts)
    n = sum(given.values())
    rows = _rows(given)
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


def most_given(counts: Counts) -> dict[str, str]:
    """Say per slice which reason was given most, where nobody can be recognised by it.

    Besides the rule of 5 in a slice, what is left of a reason after subtracting the slices where
    it is printed must not be fewer than 5 answers either.
    """
    slices = list(counts)
    small = hidden_rows([sum(counts[key].values()) for key in slices])
    rows = _rows(_together(counts))
    tops = {key: _tops(counts[key], rows) for index, key in enumerate(slices) if index not in small}
    for reason, row in rows.items():
        printed = sorted(
            (key for key, top in tops.items() if reason in top),
            key=lambda key: counts[key][reason],
        )
        rest = row.n - sum(counts[key][reason] for key in printed)
        while printed and 0 < rest < MIN_SHOWN:
            key = printed.pop(0)
            rest += counts[key][reason]
            del tops[key]
    return {key: _sentence(counts[key], top) for key, top in tops.items() if top}


def _together(counts: Counts) -> Counter[str]:
    given: Counter[str] = Counter()
    for reasons in counts.values():
        given.update(reasons)
    return given


def _rows(given: Mapping[str, int]) -> dict[str, ReasonRow]:
    n = sum(given.values())
    sizes = [given.get(reason, 0) for reason in Reason.values]
    hidden = hidden_rows(sizes)
    return {
        reason: ReasonRow(
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


def _tops(reasons: Mapping[str, int], rows: Mapping[str, ReasonRow]) -> list[str]:
    """Return the most given reasons of a slice, several if they tie; none if that may not show."""
    hidden = hidden_rows([*reasons.values()])
    most = max(reasons.values())
    tops = [(index, reason) for index, (reason, n) in enumerate(reasons.items()) if n == most]
    if any(index in hidden or rows[reason].hidden for index, reason in tops):
        return []
    return [reason for _index, reason in tops]


def _sentence(reasons: Mapping[str, int], tops: list[str]) -> str:
    """Return "Too often, 41 % of 112"; under 30 only the words."""
    in_order = sorted(tops, key=Reason.values.index)
    names = capfirst(joined([str(Reason(top).label).lower() for top in in_order]))
    n = sum(reasons.values())
    if n < MIN_VERDICT:
        return names
    given = reasons[tops[0]]
    share = figure(SHARE, {"this": given, "another": n - given})
    text = (
        _("%(reason)s, %(share)s of %(n)s")
        if len(tops) == 1
        else _("%(reasons)s, each %(share)s of %(n)s")
    )
    return text % {
        "reason": names,
        "reasons": names,
        "share": headline(share.value or 0.0, "percent"),
        "n": number(n),
    }
