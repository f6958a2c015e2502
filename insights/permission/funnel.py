"""The funnel: how often was asked, ticked, confirmed, and what of it is in force."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from insights.disclosure import is_small
from insights.kpis import MIN_VERDICT
from insights.permission.facts import Facts, totals
from insights.permission.rates import Rate
from insights.templatetags.numbers import number, percent

# A tick that nobody confirms ends after so many days; see customers.letters.
CONFIRMED_WITHIN = 7


@dataclass(frozen=True)
class Step:
    """One bar: how many, which part of all that were asked, and what fell off after it."""

    key: str
    label: str
    n: int
    share: float
    hidden: bool
    firm: bool
    note: str

    @property
    def words(self) -> str:
        if self.hidden:
            return ""
        if not self.firm or self.key == "asked":
            return number(self.n)
        return f"{number(self.n)} · {percent(number(self.share, 1))}"


@dataclass(frozen=True)
class FunnelPanel:
    title: str
    steps: list[Step]
    drawn: bool
    hidden: bool


def funnel_panel(facts: Facts, opt_in: Rate) -> FunnelPanel:
    """Return the four steps; one is hidden where it is small, or so little fell off before it."""
    asked, ticked, confirmed = totals(facts.asked_in(facts.selection.period))
    counts = {
        "asked": asked,
        "ticked": ticked,
        "confirmed": confirmed,
        "in_force": sum(one.n for one in facts.standing if one.on_form),
    }
    labels = {
        "asked": _("Asked"),
        "ticked": _("Ticked"),
        "confirmed": _("Confirmed"),
        "in_force": _("In force today"),
    }
    steps: list[Step] = []
    last = 0
    for key, n in counts.items():
        hidden = is_small(n) or (bool(steps) and is_small(abs(last - n)))
        steps.append(
            Step(
                key=key,
                label=labels[key],
                n=n,
                share=min(100.0, 100 * n / asked) if asked else 0.0,
                hidden=hidden,
                firm=asked >= MIN_VERDICT,
                note="",
            )
        )
        last = last if hidden else n
    return FunnelPanel(
        title=_title(opt_in),
        steps=_with_notes(steps),
        drawn=asked > 0 and not is_small(asked),
        hidden=is_small(asked),
    )


def _with_notes(steps: list[Step]) -> list[Step]:
    noted = []
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        fell = step.n - after.n if after else 0
        known = after and not step.hidden and not after.hidden and fell > 0
        noted.append(replace(step, note=_fell_off(step.key, fell) if known else ""))
    return noted


def _fell_off(key: str, n: int) -> str:
    if key == "asked":
        return ngettext(
            "%(n)s left the box empty or went on: no answer is no",
            "%(n)s left the box empty or went on: no answer is no",
            n,
        ) % {"n": number(n)}
    if key == "ticked":
        return ngettext(
            "%(n)s has not confirmed; after %(days)s days the address is erased",
            "%(n)s have not confirmed; after %(days)s days the address is erased",
            n,
        ) % {"n": number(n), "days": CONFIRMED_WITHIN}
    return ngettext(
        "%(n)s no longer holds: withdrawn, run out, or said again elsewhere",
        "%(n)s no longer hold: withdrawn, run out, or said again elsewhere",
        n,
    ) % {"n": number(n)}


def _title(opt_in: Rate) -> str:
    if not opt_in.shown or opt_in.figure.value is None:
        return _("From asking to permission")
    left = 100 - opt_in.figure.value
    return _("%(share)s leaves the box empty, and that costs them nothing") % {
        "share": percent(number(left))
    }
