"""A dose policy in words: its rules, its limits, its quiet hours, and what changes in it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.decision_words import kind_words, window_words
from customers.dose_policy import Ceiling, Cell, Limit
from customers.models import Channel, ContactKind, CustomerType, Involvement
from customers.policy_changes import Change, Effect, What
from customers.quiet_hours import Range

WEEKDAYS = (
    *(gettext_lazy("Mon"), gettext_lazy("Tue"), gettext_lazy("Wed"), gettext_lazy("Thu")),
    *(gettext_lazy("Fri"), gettext_lazy("Sat"), gettext_lazy("Sun")),
)
LEVELS: Mapping[str, Any] = {
    Involvement.HIGH: gettext_lazy("high involvement"),
    Involvement.MEDIUM: gettext_lazy("medium involvement"),
    Involvement.LOW: gettext_lazy("low involvement"),
}
EFFECTS: Mapping[str, Any] = {
    Effect.LESS: gettext_lazy("customers get less"),
    Effect.MORE: gettext_lazy("customers may get more"),
    Effect.OTHER: gettext_lazy("something else"),
}


def rule_words(rule: Cell | Ceiling) -> str:
    """Return for whom and what a rule is: "Regular, low involvement, promotion, E-mail"."""
    kinds = sorted(rule.kinds) if isinstance(rule, Ceiling) else [rule.kind] if rule.kind else []
    parts = [
        str(CustomerType(rule.customer_type).label) if rule.customer_type else "",
        str(LEVELS[rule.involvement]) if isinstance(rule, Cell) and rule.involvement else "",
        " + ".join(kind_words(one) for one in kinds),
        str(Channel(rule.channel).label) if rule.channel else "",
    ]
    return ", ".join(one for one in parts if one) or _("everything else")


def limit_words(limit: Limit) -> str:
    """Return a limit in words: "at most 2 in 30 days", "never"."""
    values = {"most": limit.most, "window": window_words(limit.window)}
    if limit.most == 0:
        return _("never")
    if limit.unit == "points":
        return _("at most %(most)s points in %(window)s") % values
    return _("at most %(most)s in %(window)s") % values


def gap_words(gap: timedelta) -> str:
    return _("at least %(window)s apart") % {"window": window_words(gap)}


def limits_words(rule: Cell | Ceiling) -> list[str]:
    """Return all that a rule says; a rule without anything says that there is no limit."""
    if any(one.most == 0 for one in rule.limits):
        return [_("never")]
    in_order = sorted(rule.limits, key=lambda one: (one.unit, one.window))
    said = [limit_words(one) for one in in_order]
    if rule.gap:
        said.append(gap_words(rule.gap))
    return said or [_("no limit")]


def quiet_words(ranges: Sequence[Range]) -> list[str]:
    """Return quiet hours with the days that have the same: "Mon, Tue 22:00 – 07:00"."""
    days: dict[tuple[int, int], list[int]] = {}
    for one in sorted(ranges):
        days.setdefault((one.start, one.end), []).append(one.weekday)
    return [
        f"{', '.join(str(WEEKDAYS[day]) for day in on)} {_clock(start)} – {_clock(end)}"
        for (start, end), on in days.items()
    ]


def _clock(minute: int) -> str:
    return "24:00" if minute == 24 * 60 else f"{minute // 60 % 24:02}:{minute % 60:02}"


def change_words(change: Change) -> str:
    """Return one difference as a sentence."""
    if change.rule is not None:
        return f"{rule_words(change.rule)}: {_of_rule(change)}"
    return _of_policy(change)


def _of_rule(change: Change) -> str:
    if change.what == What.GAP:
        values = {"before": _apart(change.before), "after": _apart(change.after)}
        return _("%(before)s → %(after)s between two") % values
    if change.what == What.COUNTED:
        per = {"category": _("counted per category"), "all": _("counted over all categories")}
        return f"{per[str(change.before)]} → {per[str(change.after)]}"
    if change.what == What.APART:
        if change.after == "True":
            return _("counts by itself from now on")
        return _("counts together with other contacts from now on")
    values = {
        "before": _most(change.before),
        "after": _most(change.after),
        "window": window_words(change.window),
    }
    if change.unit == "points":
        return _("%(before)s → %(after)s points in %(window)s") % values
    return _("%(before)s → %(after)s in %(window)s") % values


def _most(value: object) -> str:
    return _("no limit") if value is None else _("never") if value == 0 else str(value)


def _apart(value: object) -> str:
    return window_words(value) if isinstance(value, timedelta) else _("no time")


def _of_policy(change: Change) -> str:
    match change.what:
        case What.QUIET:
            values = {
                "channel": Channel(change.subject).label,
                "before": _hours(change.before),
                "after": _hours(change.after),
            }
            return _("Quiet on the channel %(channel)s: %(before)s → %(after)s") % values
        case What.POINTS:
            kind = ContactKind(change.subject).label
            values = {"kind": kind, "before": change.before, "after": change.after}
            return _("Points of %(kind)s: %(before)s → %(after)s") % values
        case What.COUNTRY:
            values = {name: getattr(change, name) or _("none") for name in ("before", "after")}
            return _("Holidays of the country: %(before)s → %(after)s") % values
    kind = ContactKind(change.subject).label
    if change.after == "True":
        return _("%(kind)s: no rule holds it back any more") % {"kind": kind}
    return _("%(kind)s: the rules hold for it from now on") % {"kind": kind}


def _hours(ranges: object) -> str:
    said = quiet_words(ranges) if isinstance(ranges, tuple) else []
    return "; ".join(said) or _("never")
