"""The keys of the document about a person (insights/person.py) in words people read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.apps import apps
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from customers.models import (
    AccessKind,
    Channel,
    ContactKind,
    ContactStatus,
    HoldReason,
    LetterKind,
    LetterState,
    RequestKind,
    RequestState,
    SuppressionReason,
)
from feedback.models import Reason, ScaleKey
from insights import consent_words

register = template.Library()

SOURCES = {
    "own_form": _("a form that you filled in yourself"),
    "import": _("a file"),
    "shop": _("the shop"),
    "record": _("Name and address"),
    "purchases": _("Purchases"),
    "consents": _("What you said yes or no to"),
}

KINDS: Mapping[str, Mapping[Any, Any]] = {
    "states": consent_words.STATES,
    "causes": consent_words.ACTORS,
    "methods": consent_words.METHODS,
    "proofs": consent_words.GRADES,
    "sources": SOURCES,
    "channels": dict(Channel.choices),
    "contact_kinds": dict(ContactKind.choices),
    "contact_states": dict(ContactStatus.choices),
    "hold_reasons": dict(HoldReason.choices),
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
