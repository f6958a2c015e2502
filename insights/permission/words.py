"""How purposes, states, proofs and ways are called on the page about permission."""

from types import MappingProxyType

from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from customers.models import Channel, Purpose

# What an entry did, as a tag; the keys are those of customers.consent.State.
STATES = MappingProxyType(
    {
        "none": pgettext_lazy("state of permission", "none"),
        "shown": pgettext_lazy("state of permission", "shown"),
        "pending": pgettext_lazy("state of permission", "not confirmed yet"),
        "given": pgettext_lazy("state of permission", "given"),
        "renewed": pgettext_lazy("state of permission", "renewed"),
        "soft": pgettext_lazy("state of permission", "after a purchase"),
        "refused": pgettext_lazy("state of permission", "refused"),
        "expired": pgettext_lazy("state of permission", "expired"),
        "stale": pgettext_lazy("state of permission", "no longer fits"),
        "withdrawn": pgettext_lazy("state of permission", "withdrawn"),
        "invalidated": pgettext_lazy("state of permission", "declared invalid"),
        "objected": pgettext_lazy("state of permission", "objected"),
    }
)
GOOD, BAD = frozenset({"given", "renewed"}), frozenset({"withdrawn", "objected"})

GRADES = MappingProxyType(
    {
        "A": gettext_lazy("Own act, text as shown, address confirmed"),
        "B": gettext_lazy("Own act, text as shown, address known"),
        "C": gettext_lazy("Documented import, or a purchase with a way out"),
        "D": gettext_lazy("Only said to be so"),
    }
)

# How somebody acted, by what the ledger stores; another way is printed as it is stored.
METHODS = MappingProxyType(
    {
        "checkbox": gettext_lazy("tick on a form"),
        "one_click_post": gettext_lazy("button of the mail program"),
        "preference_page": gettext_lazy("preference page"),
        "confirm_link": gettext_lazy("link in a mail"),
        "not_confirmed": gettext_lazy("never confirmed"),
        "unsubscribe_page": gettext_lazy("link in a mail"),
        "invalidation": gettext_lazy("declared invalid"),
        "merge": gettext_lazy("two records became one"),
        "erasure": gettext_lazy("everything was erased"),
        "reply_stop": gettext_lazy("reply STOP"),
        "phone_note": gettext_lazy("by phone"),
        "paper_scan": gettext_lazy("on paper"),
        "api": gettext_lazy("another system"),
        "import": gettext_lazy("import"),
        "expiry": gettext_lazy("ran out"),
        "ran_out": gettext_lazy("ran out"),
        "new_text": gettext_lazy("a new text"),
        "replay": gettext_lazy("a backup was put back"),
        "request": gettext_lazy("request about data"),
        "mail": gettext_lazy("by e-mail"),
        "paper": gettext_lazy("on paper"),
        "till": gettext_lazy("at the till"),
        "sale": gettext_lazy("purchase"),
    }
)


def purpose_name(purpose: Purpose) -> str:
    """Return the name of a purpose in the language of the reader."""
    dutch = (get_language() or "nl").startswith("nl")
    return purpose.name_nl if dutch else purpose.name_en


def channel_name(channel: str) -> str:
    return str(Channel(channel).label)


def method_name(method: str) -> str:
    return str(METHODS.get(method, method.replace("_", " ")))
