"""The keys of the document about a person (insights/person.py) in words people read."""

from datetime import datetime

from django import template
from django.apps import apps
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from customers.models import (
    AccessKind,
    Channel,
    LetterKind,
    LetterState,
    RequestKind,
    RequestState,
    SuppressionReason,
)
from feedback.models import Reason, ScaleKey

register = template.Library()

STATES = {
    "none": _("Nothing known"),
    "shown": _("Was asked, did not answer"),
    "pending": _("Ticked, not confirmed yet"),
    "given": _("Said yes"),
    "renewed": _("Said yes again"),
    "soft": _("Bought something, and did not use the way out"),
    "refused": _("Said no"),
    "expired": _("Ran out"),
    "stale": _("Ran out, because something else is done"),
    "withdrawn": _("Took it back"),
    "invalidated": _("Declared invalid"),
    "objected": _("Objected"),
}

CAUSES = {
    "customer": _("by the customer"),
    "admin": _("by a colleague, at the customer’s request"),
    "system": _("by itself"),
    "import": _("from a file"),
}

METHODS = {
    "checkbox": _("ticked a box"),
    "one_click_post": _("pressed Unsubscribe in a mail program"),
    "preference_page": _("on the own page"),
    "reply_stop": _("replied STOP"),
    "phone_note": _("by phone"),
    "paper_scan": _("on paper"),
    "api": _("through another system"),
    "import": _("from a file"),
    "expiry": _("was not confirmed in time"),
    "ran_out": _("ran out"),
    "new_text": _("something else is done since"),
    "erasure": _("everything was erased"),
    "replay": _("again, after a backup was put back"),
    "request": _("with a request about data"),
    "confirm_link": _("with the link in the mail"),
    "not_confirmed": _("was not confirmed in time"),
    "unsubscribe_page": _("with the unsubscribe link in a mail"),
    "invalidation": _("was asked in a wrong way"),
    "merge": _("two records of you became one"),
    "sale": _("with a purchase"),
    "mail": _("by e-mail"),
    "paper": _("by letter"),
    "till": _("at the till"),
}

PROOFS = {
    "A": _("A: confirmed by a link in a mail"),
    "B": _("B: ticked, on an address that was confirmed"),
    "C": _("C: documented in a file"),
    "D": _("D: said, without proof"),
}

SOURCES = {
    "own_form": _("a form that you filled in yourself"),
    "import": _("a file"),
    "shop": _("the shop"),
    "record": _("Name and address"),
    "purchases": _("Purchases"),
    "consents": _("What you said yes or no to"),
}

KINDS = {
    "states": STATES,
    "causes": CAUSES,
    "methods": METHODS,
    "proofs": PROOFS,
    "sources": SOURCES,
    "channels": dict(Channel.choices),
    "views": dict(AccessKind.choices),
    "letters": dict(LetterKind.choices),
    "letter_states": dict(LetterState.choices),
    "requests": dict(RequestKind.choices),
    "request_states": dict(RequestState.choices),
    "suppressions": dict(SuppressionReason.choices),
    "reasons": dict(Reason.choices),
    "scales": dict(ScaleKey.choices),
}


@register.filter
def said(key: str, kind: str) -> str:
    """Return a key in words; one that nobody described stays as it is."""
    return str(KINDS[kind].get(key, key))


@register.filter
def table_name(label: str) -> str:
    """Return a table of an erasure in words; what is no table is in words already."""
    if label == "rows that imports refused":
        return str(_("rows that imports refused"))
    return str(apps.get_model(label)._meta.verbose_name_plural)


@register.filter
def moment(text: str | None) -> datetime | None:
    """Return a moment of the document, for the filters that print dates."""
    return parse_datetime(text) if text else None
