"""What a decision on a contact says, in words: each reason, and each value in it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers import lifecycle
from customers.dosing import Code, Reason, Scope
from customers.involvement import Involved
from customers.models import Category, Channel, ContactKind, HoldReason

# Of lifecycle.REASONS.
TYPE_REASONS: Mapping[str, Any] = {
    "contract": gettext_lazy("has a running contract"),
    "not_bought": gettext_lazy("has not bought yet"),
    "last_bought": gettext_lazy("last bought %(since)d days ago"),
    "lapsed": gettext_lazy("last bought %(since)d days ago; 80 %% return within %(within)d"),
    "lapsed_own": gettext_lazy(
        "last bought %(since)d days ago; usually buys every %(usual)d days, lapsed after %(within)d"
    ),
    "lapsed_assumed": gettext_lazy(
        "last bought %(since)d days ago; lapsed after %(within)d, "
        "assumed because too few returns are known"
    ),
    "bought_once": gettext_lazy("bought once, on %(on)s"),
    "bought_in_year": gettext_lazy("bought on %(days)d days in the last year"),
    "bought_in_window": gettext_lazy("bought on %(days)d days in the last %(window)d days"),
    "bought_twice": gettext_lazy("bought twice"),
    "bought_on_days": gettext_lazy("bought on %(days)d days"),
}

# Of involvement.BECAUSE.
INVOLVED: Mapping[str, Any] = {
    "rated": gettext_lazy("%(source)s was rated so"),
    "parent": gettext_lazy("not rated itself; %(source)s, of which it is part, was rated so"),
    "unrated": gettext_lazy("%(source)s is not rated, and then it counts as low"),
    "no_category": gettext_lazy("about no category, and then it counts as medium"),
}


def type_words(reason: lifecycle.Reason) -> str:
    """Return why somebody is of a type, in the reader's language."""
    values = {
        name: date_format(one, "j F Y") if isinstance(one, date) else one
        for name, one in reason.values.items()
    }
    return str(TYPE_REASONS[reason.code] % values)


def involved_words(involved: Involved) -> str:
    """Return where a level of involvement comes from, in the reader's language."""
    return str(INVOLVED[involved.because] % {"source": involved.source})


def reason_words(reason: Reason, categories: Mapping[int, Category]) -> str:
    """Return one reason against a contact as a sentence; permission has its own in consent.py."""
    held = reason.code == Code.HELD
    values = {
        "what": HoldReason(reason.detail).label if held else reason.detail,
        "on": moment_words(reason.frees_at) if reason.frees_at else "",
        "used": reason.used,
        "most": reason.most,
        "window": window_words(reason.window),
        "scope": scope_words(reason.scope, categories),
    }
    return str(SENTENCES[_sentence(reason)] % values)


SENTENCES: Mapping[str, Any] = {
    "no_policy": gettext_lazy("No dose policy is published, and without one nothing is sent."),
    "unknown": gettext_lazy("The %(what)s does not exist. Correct it at the customer."),
    "ledger": gettext_lazy(
        "The ledger of permissions was found damaged. Nothing goes until it is sound."
    ),
    "held": gettext_lazy("Left alone until somebody lifts it: %(what)s."),
    "held_until": gettext_lazy("Left alone until %(on)s: %(what)s."),
    "paused": gettext_lazy("Paused until %(on)s at the customer’s own wish."),
    "quiet": gettext_lazy("Quiet hours on this channel where the customer lives, until %(on)s."),
    "holiday": gettext_lazy("A holiday where the customer lives, until %(on)s."),
    "never": gettext_lazy("Never: the rule allows 0 of these (%(scope)s)."),
    "gap": gettext_lazy("The last one was less than %(window)s ago (%(scope)s)."),
    "wish": gettext_lazy("Had %(used)s of the %(most)s in %(window)s that the customer wants."),
    "promise": gettext_lazy("Had %(used)s of the %(most)s in %(window)s that were promised."),
    "points": gettext_lazy("Had %(used)s of %(most)s points in %(window)s (%(scope)s)."),
    "count": gettext_lazy("Had %(used)s of %(most)s in %(window)s (%(scope)s)."),
}

_BY_CODE: Mapping[str, str] = {
    Code.INPUT_MISSING: "unknown",
    Code.LEDGER: "ledger",
    Code.PAUSED: "paused",
    Code.QUIET_HOURS: "quiet",
    Code.HOLIDAY: "holiday",
    Code.GAP: "gap",
}
_BY_RULE = {"own wish": "wish", "promise": "promise"}


def _sentence(reason: Reason) -> str:
    """Return which of the sentences says it."""
    if reason.code == Code.INPUT_MISSING and reason.detail == "policy":
        return "no_policy"
    if reason.code == Code.HELD:
        return "held_until" if reason.frees_at else "held"
    if reason.code == Code.NEVER and reason.most == 0:
        return "never"
    of_limit = _BY_RULE.get(reason.rule, reason.unit)
    return _BY_CODE.get(reason.code, of_limit)


def scope_words(scope: Scope, categories: Mapping[int, Category]) -> str:
    """Return what is counted together: "promotion · e-mail · phone cases"."""
    parts = [kind_words(one) for one in scope.kinds]
    kinds = ", ".join(parts) or _("everything")
    channel = str(Channel(scope.channel).label) if scope.channel else _("all channels")
    about = categories.get(scope.category or 0)
    return " · ".join([kinds, channel, *([about.name] if about else [])])


def kind_words(kind: str) -> str:
    """Return a kind as it stands inside a sentence: "promotion", and "NPS question" as it is."""
    label = str(ContactKind(kind).label)
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def window_words(window: timedelta | None) -> str:
    """Return a length of time: "30 days", "36 hours"."""
    if window is None:
        return ""
    if window % timedelta(days=1):
        hours = window // timedelta(hours=1)
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", window.days) % {"n": window.days}


def moment_words(moment: datetime) -> str:
    """Return a moment on the shop's clock: "2 June 2026, 09:00"."""
    return date_format(timezone.localtime(moment), "j F Y, H:i")
