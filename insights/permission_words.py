"""What the pages about permission say: the rules of customers are pure and speak English only.

Each sentence takes the values that the rule gives; a test keeps both sets equal.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers.forms_asked import FormError
from customers.gate import Fault
from customers.publishing import NotEditorial, Promise
from customers.purposes import PurposeError
from customers.wordings import Texts

# As customers.gate.FAULTS.
FAULTS: Mapping[str, Any] = {
    "unknown_language": _(
        "There is no gate for texts in %(language)s. Publish them in Dutch and English."
    ),
    "missing_language": _(
        "There is no text in %(language)s. Every text is published in both languages, so that "
        "nobody agrees to what they cannot read."
    ),
    "empty": _("“%(field)s” is empty in %(language)s. Fill it in: it is read before the tick."),
    "too_long": _(
        "“%(text)s” has %(words)d words. At most %(most)d are read before ticking: say who sends "
        "what, by which channel, and move the rest to the line below."
    ),
    "no_yes": _(
        "“%(text)s” does not begin with %(yes)s. Begin with it: a tick then says what it means."
    ),
    "no_sender": _("Neither “%(text)s” nor the line below it names %(sender)s. Name who asks."),
    "negation": _(
        "“%(text)s” says “%(word)s”. A box that says no gets ticked by mistake: say what happens "
        "instead."
    ),
    "pressure": _(
        "“%(word)s” pushes (%(field)s). A permission given under pressure is none: leave it out."
    ),
    "bundled": _(
        "“%(word)s” belongs to another purpose. One tick, one purpose: ask for it with a tick of "
        "its own, one step later."
    ),
    "silent": _(
        "“%(text)s” says nothing of what this purpose does (%(kind)s). A text counts for what it "
        "says: name the purpose that it asks for."
    ),
    "no_frequency": _(
        "Neither “%(text)s” nor the line below it says how often. Name the %(promised)d messages "
        "that are promised: that is what is kept."
    ),
    "pre_ticked": _("The box is ticked beforehand. A permission is an act: leave it empty."),
    "required": _("The box is required. Nobody may have to agree to go on: let both go on."),
    "hidden": _("The box is hidden. Nobody agrees to what they do not see: show it."),
    "unequal": _(
        "The buttons are not equal (%(yes)s and %(no)s). Yes and no have the same size, colour and "
        "place."
    ),
    "too_many": _(
        "%(purposes)d purposes on one screen. At most %(most)d: ask for the others later."
    ),
}

# The fields of a text, with what the gate calls the one who asks.
FIELDS: Mapping[str, Any] = {
    "label": _("text beside the box"),
    "helper": _("line below it"),
    "details": _("details"),
    "controller": _("who asks"),
    "sender": _("who asks"),
    "data_types": _("data used"),
    "recipients": _("who receives them"),
    "retention": _("how long they are kept"),
    "way_out": _("how to take it back"),
    "refuse": _("text of the no"),
}

PURPOSE_ERRORS: Mapping[str, Any] = {
    "no_name": _("The name is empty. Name it in both languages."),
    "channels": _("Choose at least one channel."),
    "grade": _("Choose A, B or C."),
    "key_taken": _(
        "There is a purpose “%(key)s” already, perhaps an archived one. Choose another key."
    ),
    "kind_fixed": _(
        "A text of this purpose was published, and nobody agreed to another kind. Make another "
        "purpose."
    ),
    "has_draft": _("There is a draft, and this kind asks nothing. Drop the draft first."),
    "channel_in_use": _(
        "The form “%(form)s” asks it on a channel that you took away. Change or archive that form "
        "first."
    ),
    "in_use": _("The form “%(form)s” asks it. Change or archive that form first."),
}

FORM_ERRORS: Mapping[str, Any] = {
    "no_name": _("The name is empty. Say how colleagues call this form."),
    "origin": _(
        "“%(origin)s” is not the address of a site. Write each one in full, as "
        "https://www.shop.example, without a star, name or password."
    ),
    "same_kind": _("Both questions are of one kind. Ask for another kind of permission second."),
    "not_asked": _(
        "“%(purpose)s” has no published text in both languages, or is archived. Publish one, or "
        "choose another."
    ),
    "channel": _("“%(purpose)s” is not asked on this channel. Choose another channel or purpose."),
    "no_sender": _(
        "The text of “%(purpose)s” does not name who asks, so it can only be the second question."
    ),
}


def language_name(language: str) -> str:
    return gettext(str(dict(settings.LANGUAGES).get(language, language)))


def fault_text(fault: Fault) -> str:
    """Return what the gate found, in the language of the reader."""
    values: dict[str, object] = dict(fault.values)
    if "field" in values:
        values["field"] = FIELDS[str(values["field"])]
    if "language" in values:
        values["language"] = language_name(str(values["language"]))
    return str(FAULTS[fault.code]) % values


def field_of(fault: Fault, texts: Texts) -> str:
    """Return which field of the texts a fault is about."""
    values = dict(fault.values)
    if "field" in values:
        name = str(values["field"])
        return "controller" if name == "sender" else name
    if fault.code == "bundled" and str(values["word"]) not in texts.label.lower():
        return "helper"
    return "helper" if fault.code == "no_frequency" else "label"


def promise_text(promise: Promise) -> str:
    """Return "at most 2 messages in 30 days"."""
    messages = ngettext("at most %(n)d message", "at most %(n)d messages", promise.messages) % {
        "n": promise.messages
    }
    days = ngettext("in %(n)d day", "in %(n)d days", promise.days) % {"n": promise.days}
    return f"{messages} {days}"


def not_editorial_text(refused: NotEditorial) -> str:
    """Return why a change is more than one of words, in the language of the reader."""
    way_out = gettext("Choose “What is done”, or leave it as it was.")
    if isinstance(refused.before, Promise):
        values = {"before": promise_text(refused.before)}
        if isinstance(refused.after, Promise):
            values["after"] = promise_text(refused.after)
            said = gettext("Customers agreed to %(before)s, and %(after)s is more.") % values
        else:
            said = gettext("Customers agreed to %(before)s, and now nothing is promised.") % values
    else:
        said = gettext(
            "Customers agreed to “%(before)s” (%(field)s), and it would be “%(after)s”."
        ) % {
            "before": refused.before,
            "field": FIELDS[refused.field],
            "after": refused.after,
        }
    return f"{said} {way_out}"


def purpose_error_text(error: PurposeError) -> str:
    return str(PURPOSE_ERRORS[error.code]) % error.values


def form_error_text(error: FormError) -> str:
    return str(FORM_ERRORS[error.code]) % error.values
