"""Counts in, numbers with intervals out: the one place where a KPI is calculated.

Every page, command, report and API takes its figures from here, so that the same answers give the
same number everywhere.

What is stored and added up are counts by outcome, never scores: scores do not add up. All figures
are 95 % ones, unweighted and unrounded; NPS in points from -100 to +100, shares in percent from 0
to 100. No answers give no figure (None), which is something else than a figure of 0.

Pure: standard library only, no Django, no clock, no I/O.
Sources: Rocks 2016, arXiv 1601.07235 (NPS); Wilson 1927 (a share); Newcombe 1998, method 10 (the
difference of two shares); Holm 1979 (many comparisons).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import erfc, hypot, sqrt
from types import MappingProxyType
from typing import Literal

from feedback.scales import SCALES, Band, Scale

# The 97.5 % point of the standard normal distribution: 95 % lies between -Z and +Z.
Z = 1.959964

# Below 5 answers nothing is shown, so that no figure tells what one person said.
MIN_SHOWN = 5

# Below 30 answers on either side there is no verdict on a change.
MIN_VERDICT = 30

# An invitation is no question, but it is tallied like one: 1 was answered, 0 was not.
_INVITED = Scale("invited", (Band("answered", 1, 1), Band("silent", 0, 0)))

_ANSWER_RULES = (
    "given on the local calendar days of the period; every answer counts once, with its latest "
    "value, also when one customer gave several; skipped questions and answers suspected to come "
    "from a machine are left out; unweighted."
)


class CountError(ValueError):
    """Counts from which no figure can be calculated."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI as declared: what it counts, on which scale, and the definition printed beside it.

    In points it is the share of positive outcomes minus the share of negative ones, in percent it
    is the share of positive ones. A change of formula or definition is a new version.
    """

    key: str
    scale: Scale
    unit: Literal["points", "percent"]
    version: int
    definition: str

    @property
    def measure(self) -> str:
        """The key under which the counts are tallied: a scale, or "invited"."""
        return self.scale.key

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome keys, the positive one first, the negative one last."""
        return self.scale.outcomes

    @property
    def positive(self) -> str:
        """The outcome that raises the figure."""
        return self.scale.positive

    @property
    def negative(self) -> str:
        """The opposite outcome; only NPS subtracts it."""
        return self.scale.negative

    def counts_from_values(self, tally: Mapping[int, int]) -> dict[str, int]:
        """Turn {answer value: how many} into {outcome: how many}, with every outcome present.

        Changes not yet folded into a tally may be negative here; their sum with it may not, which
        `figure` checks. Raises ScaleError for a value that is not on the scale.
        """
        counts = dict.fromkeys(self.outcomes, 0)
        for value, number in tally.items():
            counts[self.scale.outcome(value)] += number
        return counts


_DECLARED = (
    Kpi(
        key="nps",
        scale=SCALES["nps"],
        unit="points",
        version=1,
        definition=(
            "NPS v1: the percentage of promoters (9 and 10) minus the percentage of detractors "
            "(0 to 6) among all answers, passives (7 and 8) included, to the question from 0 to "
            f"10 how likely the customer is to recommend us, {_ANSWER_RULES}"
        ),
    ),
    Kpi(
        key="csat",
        scale=SCALES["csat"],
        unit="percent",
        version=1,
        definition=(
            "CSAT v1: the percentage of satisfied answers (4 and 5) among all answers to the "
            f"question from 1 to 5 how satisfied the customer is, {_ANSWER_RULES}"
        ),
    ),
    Kpi(
        key="ces",
        scale=SCALES["ces"],
        unit="percent",
        version=1,
        definition=(
            "CES v1: the percentage of easy answers (5, 6 and 7) among all answers to the "
            f"question from 1 to 7 how easy it was for the customer, {_ANSWER_RULES}"
        ),
    ),
    Kpi(
        key="thumbs",
        scale=SCALES["thumb"],
        unit="percent",
        version=1,
        definition=(
            f"Thumbs v1: the percentage of thumbs up among all thumbs, up and down, {_ANSWER_RULES}"
        ),
    ),
    Kpi(
        key="response_rate",
        scale=_INVITED,
        unit="percent",
        version=1,
        definition=(
            "Response rate v1: the percentage that was answered, on whatever day, among the "
            "delivered invitations made on the local calendar days of the period; every invitation "
            "counts once; invitations not sent, failed, cancelled or with an unknown delivery are "
            "left out, as are answers suspected to come from a machine; unweighted."
        ),
    ),
)

KPIS: Mapping[str, Kpi] = MappingProxyType({kpi.key: kpi for kpi in _DECLARED})


@dataclass(frozen=True, slots=True)
class Figure:
    """A KPI over some answers: how many, the value, and its 95 % interval.

    `value`, `low` and `high` are in the unit of the KPI, and None without answers.
    """

    n: int
    value: float | None
    low: float | None
    high: float | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """How much a KPI moved, the 95 % interval of that, and how surprising it is.

    `change`, `low` and `high` are in points (for shares: percentage points). `p` is the two-sided
    probability of a move at least this large by chance alone, not corrected for many comparisons.
    """

    change: float
    low: float
    high: float
    p: float


class Verdict(StrEnum):
    """What may be said about a change."""

    UP = "up"
    DOWN = "down"
    NO_CHANGE = "no_change"  # none that can be demonstrated: absence of proof, no proof of absence
    TOO_FEW = "too_few"


def add(*parts: Mapping[str, int]) -> dict[str, int]:
    """Add counts by outcome, of days or slices: the only way to combine figures."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def figure(kpi: Kpi, counts: Mapping[str, int]) -> Figure:
    """Return the KPI for counts by outcome; an outcome not mentioned counts 0.

    NPS has the adjusted Wald interval, printed around the unadjusted value; a share has Wilson's.
    Raises CountError for a negative count or an outcome the KPI does not have.
    """
    complete = _complete(kpi, counts)
    n = sum(complete.values())
    if n == 0:
        return Figure(n=0, value=None, low=None, high=None, counts=complete)
    positive, negative = complete[kpi.positive], complete[kpi.negative]
    if kpi.unit == "points":
        centre, error = _adjusted_nps(positive, negative, n)
        value = 100 * (positive - negative) / n
        low, high = max(-1.0, centre - Z * error), min(1.0, centre + Z * error)
    else:
        value = 100 * positive / n
        low, high = _wilson(positive, n)
    return Figure(n=n, value=value, low=100 * low, high=100 * high, counts=complete)


def change(kpi: Kpi, before: Figure, after: Figure) -> Change | None:
    """Return how the KPI moved between two figures of different answers; None if one has none.

    NPS is tested with the adjusted Wald z, a share with the pooled two-proportion z and Newcombe's
    interval. The change itself is the plain difference of the two values.
    """
    if before.value is None or after.value is None:
        return None
    low, high, z = _difference(kpi, before, after)
    return Change(
        change=after.value - before.value,
        low=100 * low,
        high=100 * high,
        p=erfc(abs(z) / sqrt(2)),
    )


def holm(ps: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Say for each p-value whether it stands among all m of them (Holm's step-down method).

    The smallest must be at most alpha / m, the next at most alpha / (m - 1), and so on; the first
    that is not ends it. So the chance of even one false alarm stays below alpha.
    """
    stands = [False] * len(ps)
    smallest_first = sorted(range(len(ps)), key=ps.__getitem__)
    for passed, index in enumerate(smallest_first):
        if ps[index] > alpha / (len(ps) - passed):
            break
        stands[index] = True
    return stands


def verdicts(rows: Sequence[tuple[Figure, Figure, Change | None]]) -> list[Verdict]:
    """Return one verdict per (before, after, change), for rows that are shown together.

    Only rows with MIN_VERDICT answers on both sides are compared, and only they count in Holm's
    correction. Up or down needs both: the corrected test passes and the interval excludes 0.
    """
    result = [Verdict.TOO_FEW] * len(rows)
    compared = [
        (index, moved)
        for index, (before, after, moved) in enumerate(rows)
        if moved is not None and min(before.n, after.n) >= MIN_VERDICT
    ]
    passes = holm([moved.p for _, moved in compared])
    for (index, moved), passed in zip(compared, passes, strict=True):
        result[index] = _verdict(moved, passed)
    return result


# Where a step may lie, 95 %: the cuts whose z² is at most so much below the best one's. It is the
# 95 % point of the law P(x) = (1 - exp(-x / 2))² (Hansen 2000, Econometrica 68, table 1).
STEP_LIMIT = 7.35


@dataclass(frozen=True, slots=True)
class Turn:
    """The largest step in a line of counts: `at` is the index of the first part after it.

    With 95 % confidence that first part is one of those from `earliest` to `latest`.
    """

    at: int
    earliest: int
    latest: int
    before: Figure
    after: Figure
    change: Change


def turning_point(kpi: Kpi, parts: Sequence[Mapping[str, int]]) -> Turn | None:
    """Return where consecutive counts by outcome took their largest step, if it is no chance.

    Every cut with MIN_VERDICT answers on both sides is tested. The least likely one stands if its
    p is at most 0.05 divided by the number of cuts (Bonferroni) and its interval excludes 0. A
    slow slide has no step, and then this is where one step describes it best.
    """
    whole = add(*parts)
    passed: dict[str, int] = {}
    cuts = []
    for at, part in enumerate(parts[:-1], start=1):
        passed = add(passed, part)
        rest = {outcome: number - passed.get(outcome, 0) for outcome, number in whole.items()}
        before, after = figure(kpi, passed), figure(kpi, rest)
        if min(before.n, after.n) >= MIN_VERDICT:
            cuts.append((_difference(kpi, before, after)[2] ** 2, at, before, after))
    if not cuts:
        return None
    best, at, before, after = max(cuts, key=lambda cut: cut[0])
    moved = change(kpi, before, after)
    if moved is None or _verdict(moved, moved.p <= 0.05 / len(cuts)) is Verdict.NO_CHANGE:
        return None
    possible = [cut[1] for cut in cuts if cut[0] >= best - STEP_LIMIT]
    return Turn(at, min(possible), max(possible), before, after, moved)


def _verdict(moved: Change, passed: bool) -> Verdict:
    if passed and moved.low > 0:
        return Verdict.UP
    if passed and moved.high < 0:
        return Verdict.DOWN
    return Verdict.NO_CHANGE


def _complete(kpi: Kpi, counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of every outcome, in the order of the KPI."""
    for outcome, number in counts.items():
        if outcome not in kpi.outcomes:
            raise CountError(
                f"{kpi.key} has no outcome {outcome!r}. Use {', '.join(kpi.outcomes)}."
            )
        if number < 0:
            raise CountError(
                f"{number} {outcome} for {kpi.key}: a count cannot be below 0. "
                "Rebuild the tallies from the answers."
            )
    return {outcome: counts.get(outcome, 0) for outcome in kpi.outcomes}


def _adjusted_nps(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """Return the adjusted NPS and its standard error, both on the scale from -1 to +1.

    Three pseudo-answers (0.75 promoter, 1.5 passive, 0.75 detractor) are added, which keeps the
    interval honest for few answers and the error above 0 when all answers are the same:

        N = n + 3    P = (promoters + 0.75) / N    D = (detractors + 0.75) / N
        c = P - D    error = sqrt((P + D - c²) / N)

    Source: Rocks 2016, arXiv 1601.07235.
    """
    adjusted_n = n + 3
    share_promoters = (promoters + 0.75) / adjusted_n
    share_detractors = (detractors + 0.75) / adjusted_n
    centre = share_promoters - share_detractors
    variance = share_promoters + share_detractors - centre**2
    return centre, sqrt(variance / adjusted_n)


def _wilson(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's interval for a share, on the scale from 0 to 1.

        centre = (p + z²/2n) / (1 + z²/n)
        half   = z * sqrt(p(1 - p)/n + z²/4n²) / (1 + z²/n)

    Source: Wilson 1927. It holds the share itself and never leaves 0..1.
    """
    share = successes / n
    shrink = 1 + Z**2 / n
    centre = (share + Z**2 / (2 * n)) / shrink
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / shrink
    # With none or all, a limit is 0 or 1 by algebra; rounding would put it a hair beside.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def _difference(kpi: Kpi, before: Figure, after: Figure) -> tuple[float, float, float]:
    """Return the interval of a change on the scale from -1 to +1, and how many errors z it is."""
    test = _nps_change if kpi.unit == "points" else _share_change
    return test(kpi, before, after)


def _nps_change(kpi: Kpi, before: Figure, after: Figure) -> tuple[float, float, float]:
    """Return the interval of a difference of NPS, on the scale from -2 to +2, and its z.

    d = c2 - c1    error = sqrt(error1² + error2²)    z = d / error    interval = d ± Z * error

    c and its error are the adjusted ones. Two groups may have the same NPS and very different
    answers, so the errors are not pooled.
    """
    centre_before, error_before = _adjusted_nps(
        before.counts[kpi.positive], before.counts[kpi.negative], before.n
    )
    centre_after, error_after = _adjusted_nps(
        after.counts[kpi.positive], after.counts[kpi.negative], after.n
    )
    difference = centre_after - centre_before
    error = hypot(error_before, error_after)
    # Two scores from -1 to +1 cannot lie more than 2 apart.
    low, high = max(-2.0, difference - Z * error), min(2.0, difference + Z * error)
    return low, high, difference / error


def _share_change(kpi: Kpi, before: Figure, after: Figure) -> tuple[float, float, float]:
    """Return the interval of a difference of shares, on the scale from -1 to +1, and its z.

    The test pools both groups, as if nothing had changed:

        p = (x1 + x2) / (n1 + n2)    z = (p2 - p1) / sqrt(p(1 - p)(1/n1 + 1/n2))

    Newcombe's interval joins the Wilson limits l and u of the two shares:

        low  = p2 - p1 - sqrt((p2 - l2)² + (u1 - p1)²)
        high = p2 - p1 + sqrt((u2 - p2)² + (p1 - l1)²)

    Source: Newcombe 1998, method 10.
    """
    x1, n1 = before.counts[kpi.positive], before.n
    x2, n2 = after.counts[kpi.positive], after.n
    p1, p2 = x1 / n1, x2 / n2
    (l1, u1), (l2, u2) = _wilson(x1, n1), _wilson(x2, n2)
    difference = p2 - p1
    low = difference - hypot(p2 - l2, u1 - p1)
    high = difference + hypot(u2 - p2, p1 - l1)

    pooled = (x1 + x2) / (n1 + n2)
    error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    # Everybody said the same on both sides: no spread, and no difference either.
    z = difference / error if error > 0 else 0.0
    return low, high, z
