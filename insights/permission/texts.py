"""The texts beside the box, version by version: how many say yes, and how many still do later.

Versions are not given out at random, so nothing here is a test of one against the other. Only two
that were shown on the same days are compared at all, and what differs goes together with the text.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.translation import gettext as _

from customers.models import Wording
from customers.permission_queries import Asked
from insights import charts
from insights.consent_words import purpose_name
from insights.disclosure import hidden_rows, is_small
from insights.kpis import MIN_VERDICT, Figure, Verdict, change, verdicts
from insights.periods import Period
from insights.permission.facts import Facts, totals
from insights.permission.rates import OPT_IN, REGRET, Rate, rate, share
from insights.templatetags.numbers import days, signed

NOTHING = share(OPT_IN, 0, 0)


@dataclass(frozen=True)
class Text:
    """One version of a text in one language, as shown in both periods."""

    wording: Wording
    purpose: str
    newest: bool
    shown_on: Period
    yes: Rate
    regret: Rate
    compare: str
    verdict: Verdict | None

    @property
    def still_yes(self) -> float | None:
        """Of all who were asked, the share that said yes and had not taken it back in 30 days."""
        yes, regret = self.yes, self.regret
        if not yes.shown or not regret.shown:
            return None
        return (yes.figure.value or 0.0) * (100 - (regret.figure.value or 0.0)) / 100

    @property
    def shape(self) -> str:
        return {Verdict.UP: "up", Verdict.DOWN: "down"}.get(self.verdict or Verdict.TOO_FEW, "flat")

    @property
    def mood(self) -> str:
        return {"up": "good", "down": "bad"}.get(self.shape, "flat")


@dataclass(frozen=True)
class TextsPanel:
    title: str
    deck: str
    texts: list[Text]
    yes_axis: charts.Axis
    regret_axis: charts.Axis
    compared: int


def texts_panel(facts: Facts) -> TextsPanel:
    """Return every text that was shown in the two periods, beside its other versions."""
    asked: dict[int, list[Asked]] = defaultdict(list)
    for row in facts.asked:
        if row.on >= facts.drawn.start:
            asked[row.wording].append(row)
    rows = [one for one in facts.wordings if totals(asked[one.pk])[0]]
    order = list(facts.purposes)
    rows.sort(key=lambda one: (order.index(one.purpose_id), one.language == "en", -one.version))
    hidden = hidden_rows([totals(asked[one.pk])[0] for one in rows])
    cohort, regretted = facts.cohort(facts.drawn), facts.regretted(facts.drawn)
    texts = [
        _text(facts, one, asked[one.pk], cohort[one.pk], regretted[one.pk], hidden=at in hidden)
        for at, one in enumerate(rows)
    ]
    texts, compared = _compared(texts)
    return TextsPanel(
        title=_title(texts),
        deck=_(
            "Each text with its box, %(days)s. The size, colour and place of yes and no are the "
            "same in all. Nobody chose at random who read which: what differs goes together with "
            "the text, and need not come from it."
        )
        % {"days": days(facts.drawn)},
        texts=texts,
        yes_axis=_axis([text.yes for text in texts]),
        regret_axis=_axis([text.regret for text in texts]),
        compared=compared,
    )


def _text(
    facts: Facts,
    wording: Wording,
    rows: Sequence[Asked],
    cohort: int,
    regretted: int,
    *,
    hidden: bool,
) -> Text:
    shown, ticked, _confirmed = totals(rows)
    shown_on = [row.on for row in rows if row.shown]
    yes = rate(OPT_IN, NOTHING, share(OPT_IN, ticked, shown))

    regret = rate(REGRET, share(REGRET, 0, 0), share(REGRET, regretted, cohort))
    newest = not any(
        other.version > wording.version
        for other in facts.wordings
        if other.purpose_id == wording.purpose_id and other.language == wording.language
    )
    return Text(
        wording=wording,
        purpose=purpose_name(facts.purposes[wording.purpose_id]),
        newest=newest,
        shown_on=Period(min(shown_on), max(shown_on) + timedelta(days=1)),
        yes=replace(yes, hidden=yes.hidden or hidden),
        regret=replace(regret, hidden=is_small(cohort)),
        compare="",
        verdict=None,
    )


def _compared(texts: Sequence[Text]) -> tuple[list[Text], int]:
    """Compare each text with the version before it, if both were shown on the same days.

    Only answers of those days would be fair, and whole days are what is known: so both have to
    share most of their days.
    """
    pairs = [(text, _before(text, texts)) for text in texts]
    rows = [
        (other.yes.figure, text.yes.figure, change(OPT_IN, other.yes.figure, text.yes.figure))
        for text, other in pairs
        if other and _fair(text, other)
    ]
    judged = iter(zip(rows, verdicts(rows), strict=True))
    found = []
    for text, other in pairs:
        if other is None:
            found.append(replace(text, compare=_("No: there is no other version in these days")))
        elif not _fair(text, other):
            found.append(replace(text, compare=_unfair(text, other)))
        else:
            (was, now, moved), verdict = next(judged)
            words = _words(other, was, now, moved.change if moved else None, verdict)
            firm = verdict is not Verdict.TOO_FEW
            found.append(replace(text, compare=words, verdict=verdict if firm else None))
    return found, len(rows)


def _before(text: Text, texts: Sequence[Text]) -> Text | None:
    """Return the next older version that was shown, or for the oldest the next newer one."""
    same = [
        one
        for one in texts
        if one.wording.purpose_id == text.wording.purpose_id
        and one.wording.language == text.wording.language
        and one is not text
    ]
    older = [one for one in same if one.wording.version < text.wording.version]
    if older:
        return max(older, key=lambda one: one.wording.version)
    return min(same, key=lambda one: one.wording.version, default=None)


def _fair(text: Text, other: Text) -> bool:
    """Say whether two texts were shown on mostly the same days, and may both be seen."""
    if text.yes.hidden or other.yes.hidden or text.wording.version < other.wording.version:
        return False
    start = max(text.shown_on.start, other.shown_on.start)
    end = min(text.shown_on.end, other.shown_on.end)
    shortest = min(_length(text.shown_on), _length(other.shown_on))
    return (end - start).days * 2 > shortest


def _length(period: Period) -> int:
    return (period.end - period.start).days


def _unfair(text: Text, other: Text) -> str:
    if text.yes.hidden or other.yes.hidden:
        return _("No: too few to say")
    if text.wording.version < other.wording.version and _fair(other, text):
        return _("See version %(version)s") % {"version": other.wording.version}
    return _("No: shown in another season than version %(version)s") % {
        "version": other.wording.version
    }


def _words(other: Text, was: Figure, now: Figure, moved: float | None, verdict: Verdict) -> str:
    if verdict is Verdict.TOO_FEW or moved is None or min(was.n, now.n) < MIN_VERDICT:
        return _("No: too few to say")
    values = {"change": signed(moved, "percent"), "version": other.wording.version}
    if verdict is Verdict.UP:
        return _("%(change)s against version %(version)s, and not by chance") % values
    if verdict is Verdict.DOWN:
        return _("%(change)s against version %(version)s, and not by chance") % values
    return _("%(change)s against version %(version)s: no demonstrable change") % values


def _axis(rows: Sequence[Rate]) -> charts.Axis:
    ends = [end for row in rows if row.drawn for end in (row.figure.low, row.figure.high)]
    return charts.axis(ends, "percent", padding=0.04)


def _title(texts: Sequence[Text]) -> str:
    moved = [text for text in texts if text.verdict in {Verdict.UP, Verdict.DOWN}]
    if not moved:
        return _("The texts beside the box")
    one = moved[0]
    sentence = (
        _("%(purpose)s: more yes goes together with version %(version)s")
        if one.verdict is Verdict.UP
        else _("%(purpose)s: less yes goes together with version %(version)s")
    )
    return sentence % {"purpose": one.purpose, "version": one.wording.version}
