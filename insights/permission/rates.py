"""Shares about permission: what they count, and what may be said of them.

They are calculated by kpis.py like every other share: Wilson's interval, the pooled test with
Newcombe's interval for a change, and Holm's correction where several stand together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import ngettext

from feedback.scales import Band, Scale
from insights import charts
from insights.dashboard.figures import Shown
from insights.disclosure import is_small
from insights.kpis import Figure, Kpi, Verdict, change, figure, verdicts
from insights.templatetags.numbers import number

OPT_IN = Kpi(
    key="opt_in",
    scale=Scale("asked", (Band("ticked", 1, 1), Band("left", 0, 0))),
    unit="percent",
    version=1,
    definition=(
        "Opt-in rate v1: the percentage of which the box was ticked among all times that a text "
        "was shown on an opt-in form on the local calendar days of the period; counted without "
        "knowing who, so that somebody who saw it twice counts twice; a tick that still waits for "
        "its confirmation counts, the day is that of showing; unweighted."
    ),
)

REGRET = Kpi(
    key="withdrawn_30",
    scale=Scale("kept", (Band("withdrawn", 1, 1), Band("kept", 0, 0))),
    unit="percent",
    version=1,
    definition=(
        "Withdrawn within 30 days v1: the percentage that was taken back, by withdrawing or "
        "objecting, at most 30 days after it was given, among the permissions that customers gave "
        "themselves on the local calendar days of the period and that are at least 30 days old; "
        "each purpose and channel counts by itself; imports and purchases are left out; "
        "unweighted."
    ),
)

PROOF = (
    "Complete proof v1: the percentage with proof of grade A or B among the permissions that are "
    "in force now; counted, not estimated; each purpose and channel counts by itself."
)

TIME_TO_REGRET = (
    "Time to regret v1: the median number of whole days between giving a permission and taking it "
    "back, among the permissions that customers gave themselves and took back on the local "
    "calendar days of the period."
)

# What is better when there is less of it.
LOWER_IS_BETTER = frozenset({REGRET.key})
KPIS: Mapping[str, Kpi] = {kpi.key: kpi for kpi in (OPT_IN, REGRET)}

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Rate(Shown):
    """A share about permission as it may be shown."""

    @property
    def unit(self) -> charts.Unit:
        return KPIS[self.kpi].unit

    @property
    def mood(self) -> str:
        if self.kpi in LOWER_IS_BETTER:
            return {"up": "bad", "down": "good"}.get(self.shape, "flat")
        return {"up": "good", "down": "bad"}.get(self.shape, "flat")

    @property
    def tone(self) -> str:
        """The ending of the drawing's classes: teal is better, vermilion worse."""
        return {"good": "-up", "bad": "-down"}.get(self.mood, "") if self.comparable else ""

    @property
    def answers(self) -> str:
        n = self.figure.n
        if self.kpi == OPT_IN.key:
            return ngettext("%(n)s time asked", "%(n)s times asked", n) % {"n": number(n)}
        return ngettext(
            "%(n)s permission of 30 days and older", "%(n)s permissions of 30 days and older", n
        ) % {"n": number(n)}

    @property
    def went_up(self) -> bool:
        return self.comparable and self.verdict == Verdict.UP

    @property
    def went_down(self) -> bool:
        return self.comparable and self.verdict == Verdict.DOWN


def share(kpi: Kpi, positive: int, n: int) -> Figure:
    """Return `positive` of `n`; a tick may be counted before the showing it belongs to."""
    return figure(kpi, {kpi.positive: positive, kpi.negative: max(n - positive, 0)})


def rates(kpi: Kpi, pairs: Sequence[tuple[Figure, Figure]]) -> list[Rate]:
    """Return shares that stand together, each as (before, now), with one verdict each."""
    rows = [(before, now, change(kpi, before, now)) for before, now in pairs]
    return [
        Rate(kpi.key, now, before, moved, verdict, None, hidden=is_small(now.n))
        for (before, now, moved), verdict in zip(rows, verdicts(rows), strict=True)
    ]


def rate(kpi: Kpi, before: Figure, now: Figure) -> Rate:
    return rates(kpi, [(before, now)])[0]
