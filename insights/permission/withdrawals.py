"""Given and taken back, week by week, and how soon people think again."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from insights.disclosure import hidden_rows, is_small
from insights.kpis import MIN_VERDICT
from insights.periods import Period, bounds
from insights.permission.facts import Facts, in_months, zone
from insights.permission.rates import REGRET, Rate, rate, share
from insights.templatetags.numbers import days, number

# How soon: up to and including so many whole days.
SOONER = (
    (1, gettext_lazy("on the same or the next day")),
    (7, gettext_lazy("within a week")),
    (30, gettext_lazy("within 30 days")),
    (90, gettext_lazy("within 90 days")),
    (365, gettext_lazy("within a year")),
    (10**6, gettext_lazy("later")),
)


@dataclass(frozen=True)
class Bar:
    """What was given and taken back in a week or month; None where it may not be shown."""

    period: Period
    label: str
    given: int | None
    withdrawn: int | None
    chosen: bool
    part: bool


@dataclass(frozen=True)
class Sooner:
    """How many thought again this soon; None where it may not be shown.

    `key` says it in days: "2-7".
    """

    key: str
    label: str
    n: int | None


@dataclass(frozen=True)
class WithdrawalsPanel:
    """`given` and `withdrawn` are of the chosen period; `median_days` needs 30 withdrawals."""

    title: str
    deck: str
    bars: list[Bar]
    given: int | None
    withdrawn: int | None
    zone: float
    thought_again: int
    median_days: float | None
    sooner: list[Sooner]

    @property
    def drawn(self) -> bool:
        return any(bar.given or bar.withdrawn for bar in self.bars)

    @property
    def regret_words(self) -> str:
        """Say how long it took, with how many it is said of."""
        n = self.thought_again
        if is_small(n):
            return _("Fewer than 5 took back what they gave themselves: not shown.")
        if self.median_days is None:
            return ngettext(
                "%(n)s took back what they gave themselves: too few to say how soon.",
                "%(n)s took back what they gave themselves: too few to say how soon.",
                n,
            ) % {"n": number(n)}
        return ngettext(
            "Half of the %(n)s who took back what they gave did so within %(days)s day.",
            "Half of the %(n)s who took back what they gave did so within %(days)s days.",
            int(self.median_days),
        ) % {"n": number(n), "days": number(self.median_days)}


def regret_rate(facts: Facts) -> Rate:
    """Return how many of those who said yes took it back within 30 days."""
    before, now = (
        share(
            REGRET,
            facts.regretted(period).total(),
            facts.cohort(period).total(),
        )
        for period in (facts.selection.compared, facts.selection.period)
    )
    return rate(REGRET, before, now)


def withdrawals_panel(facts: Facts, regret: Rate) -> WithdrawalsPanel:
    period = facts.selection.period
    withdrawn = _per_stretch(facts)
    given = [facts.given(part) for part in facts.stretches]
    chosen = [part.start >= period.start for part in facts.stretches]
    hidden = (_hidden(given, chosen), _hidden(withdrawn, chosen))
    bars = [
        Bar(
            period=part,
            label=days(part),
            given=None if at in hidden[0] else given[at],
            withdrawn=None if at in hidden[1] else withdrawn[at],
            chosen=chosen[at],
            part=_is_part(part, facts.stretches),
        )
        for at, part in enumerate(facts.stretches)
    ]
    whole = tuple(
        sum(n for n, inside in zip(counts, chosen, strict=True) if inside)
        for counts in (given, withdrawn)
    )
    taken = [
        (one.at - one.given_at) // timedelta(days=1)
        for one in facts.withdrawn_in(period)
        if one.given_at
    ]
    return WithdrawalsPanel(
        title=_title(regret, months=in_months(facts.stretches)),
        deck=_("Permissions given or renewed above the line, withdrawn or objected to below. "
               "Counted, not estimated."),
        bars=bars,
        given=None if is_small(whole[0]) else whole[0],
        withdrawn=None if is_small(whole[1]) else whole[1],
        zone=chosen.index(True) / len(chosen),
        thought_again=len(taken),
        median_days=median(taken) if len(taken) >= MIN_VERDICT else None,
        sooner=_sooner(taken),
    )  # fmt: skip


def _per_stretch(facts: Facts) -> list[int]:
    starts = [bounds(part, zone())[0] for part in facts.stretches]
    end = bounds(facts.selection.period, zone())[1]
    found = Counter(bisect_right(starts, one.at) - 1 for one in facts.withdrawals if one.at < end)
    return [found[at] for at in range(len(starts))]


def _hidden(counts: Sequence[int], chosen: Sequence[bool]) -> set[int]:
    """Return which stretches are hidden: those of the period add up to a total on the page."""
    first = chosen.index(True)
    before, inside = hidden_rows(counts[:first]), hidden_rows(counts[first:])
    return before | {first + at for at in inside}


def _is_part(part: Period, parts: Sequence[Period]) -> bool:
    usual = 28 if in_months(parts) else 7
    return (part.end - part.start).days < usual


def _sooner(taken: Sequence[int]) -> list[Sooner]:
    if not taken or is_small(len(taken)):
        return []
    limits = [limit for limit, _label in SOONER]
    found = Counter(bisect_right([limit + 1 for limit in limits], one) for one in taken)
    counts = [found[at] for at in range(len(SOONER))]
    hidden = hidden_rows(counts)
    return [
        Sooner(_key(at), str(label), None if at in hidden else counts[at])
        for at, (_limit, label) in enumerate(SOONER)
    ]


def _key(at: int) -> str:
    first = SOONER[at - 1][0] + 1 if at else 0
    return f"{first}-{SOONER[at][0]}" if at < len(SOONER) - 1 else f"{first}-"


def _title(regret: Rate, *, months: bool) -> str:
    if regret.shown and regret.went_up:
        return _("More take it back within 30 days, and not by chance")
    if regret.shown and regret.went_down:
        return _("Fewer take it back within 30 days, and not by chance")
    return _("Given and taken back per month") if months else _("Given and taken back per week")
