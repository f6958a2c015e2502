"""How the answers are spread over the scores: the chart, and the table with the same numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from feedback.scales import Band
from insights import queries
from insights.dashboard.comments import OUTCOMES
from insights.dashboard.figures import Block, joined
from insights.dashboard.reasons import SHARE
from insights.dashboard.selection import Selection
from insights.disclosure import hidden_rows, is_small
from insights.kpis import KPIS, MIN_VERDICT, Kpi, Verdict, change, figure, verdicts
from insights.score_chart import Bar, Group, score_figure
from insights.templatetags.numbers import exact, headline, number, percent

# Outcomes inside a sentence: "fewer promoters".
MANY = {
    "promoters": gettext_lazy("promoters"),
    "passives": gettext_lazy("passives"),
    "detractors": gettext_lazy("detractors"),
    "satisfied": gettext_lazy("satisfied answers"),
    "neutral": gettext_lazy("neutral answers"),
    "dissatisfied": gettext_lazy("dissatisfied answers"),
    "easy": gettext_lazy("“easy” answers"),
    "hard": gettext_lazy("“not easy” answers"),
}

# The colours of outcomes, from the happiest to the unhappiest.
ROLES = ("good", "grey", "bad")


@dataclass(frozen=True)
class Score:
    """One score: how many gave it, its share now and in the period before, in percent.

    `share` is None where the score may not be shown, `was` also without enough answers before.
    """

    value: int
    outcome: str
    role: str
    n: int
    share: float | None
    was: float | None

    @property
    def hidden(self) -> bool:
        return self.share is None


@dataclass(frozen=True)
class Outcome:
    """All scores that count as one thing: "Detractor 21 %, was 17 %"."""

    band: Band
    label: str
    role: str
    share: float
    was: float | None
    verdict: Verdict


@dataclass(frozen=True)
class DistributionPanel:
    """The spread of the answers behind a headline figure.

    `blurred`: an outcome has fewer than 5 answers, and how many would follow from the figure.
    """

    title: str
    blurred: bool
    figure: dict[str, object] | None
    caption: str
    scores: list[Score]
    outcomes: list[Outcome]

    @property
    def hidden(self) -> bool:
        """Whether a score is not shown."""
        return any(score.hidden for score in self.scores)


def distribution_panel(selection: Selection, block: Block) -> DistributionPanel | None:
    """Return the spread for a selection; None for a scale of two answers, whose share says all."""
    kpi = KPIS[selection.kpi]
    if len(kpi.outcomes) < 3:
        return None
    if not block.shown:
        return DistributionPanel(_plain(block), False, None, "", [], [])
    now, before = (
        queries.score_counts(kpi.key, period, selection.where)
        for period in (selection.period, selection.compared)
    )
    blurred = any(is_small(n) for n in kpi.counts_from_values(now).values())
    if blurred:
        return DistributionPanel(_plain(block), True, None, "", [], [])
    if sum(before.values()) < MIN_VERDICT:
        before = {}
    outcomes = _outcomes(kpi, now, before)
    scores = [score for one in outcomes for score in _scores(one, now, before)]
    scores.sort(key=lambda score: score.value)
    return DistributionPanel(
        title=_title(block, outcomes),
        blurred=False,
        figure=score_figure(
            tuple(_bar(score) for score in scores),
            tuple(_group(outcome, kpi) for outcome in outcomes),
        ),
        caption=_caption(block, outcomes),
        scores=scores,
        outcomes=outcomes,
    )


def _outcomes(kpi: Kpi, now: Mapping[int, int], before: Mapping[int, int]) -> list[Outcome]:
    """Return the outcomes with their shares, judged together (Holm)."""
    counts, earlier = (kpi.counts_from_values(values) for values in (now, before))
    rows = []
    for outcome in kpi.outcomes:
        then, here = (
            figure(SHARE, {"this": part[outcome], "another": sum(part.values()) - part[outcome]})
            for part in (earlier, counts)
        )
        rows.append((then, here, change(SHARE, then, here)))
    # An outcome of fewer than 5 before would follow from the share, so then there is no ring.
    was = None if any(is_small(n) for n in earlier.values()) else rows
    return [
        Outcome(
            band=band,
            label=str(OUTCOMES[band.outcome]),
            role=role,
            share=here.value or 0.0,
            was=then.value if was else None,
            verdict=verdict,
        )
        for band, role, (then, here, _moved), verdict in zip(
            kpi.scale.bands, ROLES, rows, verdicts(rows), strict=True
        )
    ]


def _scores(outcome: Outcome, now: Mapping[int, int], before: Mapping[int, int]) -> list[Score]:
    """Return the scores of an outcome, whose total is known from the outcome itself."""
    values = range(outcome.band.lowest, outcome.band.highest + 1)
    sizes = [now.get(value, 0) for value in values]
    earlier = [before.get(value, 0) for value in values]
    hidden, hidden_before = hidden_rows(sizes), hidden_rows(earlier)
    n, m = sum(now.values()), sum(before.values())
    return [
        Score(
            value=value,
            outcome=outcome.label,
            role=outcome.role,
            n=size,
            share=None if at in hidden else 100 * size / n,
            was=100 * then / m if outcome.was is not None and at not in hidden_before else None,
        )
        for at, (value, size, then) in enumerate(zip(values, sizes, earlier, strict=True))
    ]


def _bar(score: Score) -> Bar:
    share = score.share
    text = "" if share is None else _short(share)
    return Bar(
        label=str(score.value),
        role=score.role,
        share=share,
        was=score.was,
        text=text,
        hover="" if share is None else _hover(score, share),
    )


def _short(share: float) -> str:
    return f"<{number(1)}" if 0 < share < 1 else number(share)


def _hover(score: Score, share: float) -> str:
    words = _("%(score)s: %(share)s, %(n)s answers") % {
        "score": score.value,
        "share": exact(share, "percent"),
        "n": number(score.n),
    }
    if score.was is None:
        return words
    return words + _(", was %(share)s") % {"share": exact(score.was, "percent")}


def _group(outcome: Outcome, kpi: Kpi) -> Group:
    lowest = kpi.scale.lowest
    share = headline(outcome.share, "percent")
    words = _("%(outcome)s %(share)s") % {"outcome": outcome.label, "share": share}
    was = (
        ""
        if outcome.was is None
        else _(", was %(share)s") % {"share": headline(outcome.was, "percent")}
    )
    return Group(
        first=outcome.band.lowest - lowest,
        last=outcome.band.highest - lowest,
        role=outcome.role,
        label=words + (was if outcome.band.highest - outcome.band.lowest > 2 else ""),
        short_label=share,
    )


def _plain(block: Block) -> str:
    return _("%(kpi)s: answers per score") % {"kpi": block.label}


def _title(block: Block, outcomes: Sequence[Outcome]) -> str:
    """Say which outcomes grew or shrank by more than chance."""
    more, fewer = (
        joined([str(MANY[one.band.outcome]) for one in outcomes if one.verdict == verdict])
        for verdict in (Verdict.UP, Verdict.DOWN)
    )
    if more and fewer:
        return _("Fewer %(fewer)s, more %(more)s") % {"fewer": fewer, "more": more}
    if more:
        return _("More %(more)s") % {"more": more}
    if fewer:
        return _("Fewer %(fewer)s") % {"fewer": fewer}
    return _plain(block)


def _caption(block: Block, outcomes: Sequence[Outcome]) -> str:
    shares = [f"{outcome.label} {percent(number(outcome.share))}" for outcome in outcomes]
    return f"{_plain(block)}: {joined(shares)}."
