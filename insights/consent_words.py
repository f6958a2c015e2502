"""What the ledger says, in the words of the reader: reasons, states, ways, and whole sentences.

The rules and services speak English in codes; each code has its translatable sentence here, with
the same placeholders. A test keeps both lists equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from customers.consent import ALLOWING, Actor, Answer, State
from customers.models import AccessKind, ConsentEntry, Purpose

# Of consent.REASONS.
REASONS: Mapping[str, Any] = {
    "given": _("Said yes on %(on)s."),
    "soft": _("Bought something on %(on)s and was offered the way out."),
    "erased": _("The customer was erased."),
    "restricted": _("At the customer’s request nothing is done with the data."),
    "suppressed": _("This address must not be written to."),
    "paused": _("Paused until %(on)s at the customer’s request."),
    "service": _("Part of an order: needs no permission."),
    "none": _("Never said yes."),
    "shown": _("Was asked and has not answered."),
    "pending": _("Has not confirmed yet, asked on %(on)s."),
    "refused": _("Said no on %(on)s."),
    "expired": _("The permission expired on %(on)s."),
    "stale": _("The yes was to something else: what is done changed on %(on)s."),
    "withdrawn": _("Taken back on %(on)s. Only the customer can change this."),
    "invalidated": _("Declared invalid on %(on)s. Only the customer can change this."),
    "objected": _("Objected on %(on)s. Only the customer can change this."),
    "archived": _("This purpose is no longer in use."),
    "other_address": _("The yes was given on another address."),
    "weak_proof": _("The proof (%(grade)s) is weaker than this purpose asks (%(minimum)s)."),
    "too_young": _("Said to be younger than %(age)d."),
    "no_soft": _("Having bought something is no permission for this channel."),
}

STATES: Mapping[State, Any] = {
    State.NONE: _("nothing said"),
    State.SHOWN: _("asked, no answer"),
    State.PENDING: _("not confirmed yet"),
    State.GIVEN: _("yes"),
    State.RENEWED: _("yes, renewed"),
    State.SOFT: _("bought before"),
    State.REFUSED: _("no"),
    State.EXPIRED: _("expired"),
    State.STALE: _("out of date"),
    State.WITHDRAWN: _("taken back"),
    State.INVALIDATED: _("declared invalid"),
    State.OBJECTED: _("objected"),
}

# Of merging.REFUSALS.
MERGE_REFUSALS: Mapping[str, Any] = {
    "same": _("That is this record itself. Choose another one."),
    "erased": _("One of the two was erased. What was erased stays alone."),
    "erasing": _("One of the two is being erased. Wait until that is done."),
    "absorbed": _("One of the two was merged before. Choose the record it became."),
    "unknown_table": _(
        "The database has tables that a merge does not know, so nothing was merged. Tell your "
        "administrator."
    ),
    "changed": _("What they permit changed meanwhile. Look at it again, and then merge."),
}

# How something came in: of relaying.WAYS_IN.
WAYS_IN: Mapping[str, Any] = {
    "phone_note": _("By telephone"),
    "paper": _("By letter"),
    "mail": _("By e-mail"),
    "till": _("At the till"),
}

# Methods of entries; what is not here is shown as it is stored.
METHODS: Mapping[str, Any] = {
    **WAYS_IN,
    "checkbox": _("With a tick"),
    "confirm_link": _("With the link in the mail"),
    "not_confirmed": _("The link was not used within a week"),
    "one_click_post": _("With the unsubscribe button of the mail program"),
    "unsubscribe_page": _("With the unsubscribe link in a mail"),
    "preference_page": _("On the own page"),
    "reply_stop": _("By answering STOP"),
    "api": _("Through another system"),
    "import": _("From a file"),
    "sale": _("With a sale"),
    "merge": _("By the merging of two records"),
    "invalidation": _("With a faulty batch"),
    "ran_out": _("Its time was over"),
    "new_text": _("With a new text"),
    "erasure": _("When everything was erased"),
    "replay": _("Again, after a backup was put back"),
    "request": _("With a request about data"),
}

# Places that are no form and no file.
PLACES: Mapping[str, Any] = {"own_page": _("the own page"), "preferences": _("the own page")}

# Of AccessKind, as colleagues read it; the customer reads the words of the model.
VIEWS: Mapping[str, Any] = {
    AccessKind.PAGE: _("looked at the record"),
    AccessKind.SEARCH: _("found it in a search"),
    AccessKind.EXPORT: _("made a copy of the data"),
    AccessKind.CHANGE: _("changed something"),
    AccessKind.API: _("asked about it from another system"),
}

# Who acted is in the key; "%(who)s" is the customer, "%(colleague)s" who relayed it.
_SENTENCES: Mapping[tuple[State, Actor], Any] = {
    (State.NONE, Actor.IMPORT): _("Taken over from a file, without proof of a yes."),
    (State.SHOWN, Actor.CUSTOMER): _("%(who)s saw the question and left it open."),
    (State.PENDING, Actor.CUSTOMER): _(
        "%(who)s ticked “%(text)s” and was mailed a link to confirm it."
    ),
    (State.GIVEN, Actor.CUSTOMER): _("%(who)s ticked “%(text)s”."),
    (State.GIVEN, Actor.IMPORT): _("Taken over from a file: %(who)s said yes to “%(text)s”."),
    (State.RENEWED, Actor.CUSTOMER): _("%(who)s said yes again to “%(text)s”."),
    (State.SOFT, Actor.IMPORT): _("%(who)s bought something and was offered the way out."),
    (State.REFUSED, Actor.CUSTOMER): _("%(who)s said no."),
    (State.REFUSED, Actor.IMPORT): _("Taken over from a file: %(who)s said no."),
    (State.EXPIRED, Actor.SYSTEM): _("The permission of %(who)s ran out."),
    (State.STALE, Actor.SYSTEM): _(
        "What is done changed, so what %(who)s said yes to no longer counts."
    ),
    (State.WITHDRAWN, Actor.CUSTOMER): _("%(who)s took it back."),
    (State.WITHDRAWN, Actor.ADMIN): _("%(who)s took it back; %(colleague)s wrote it down."),
    (State.WITHDRAWN, Actor.SYSTEM): _("Taken back for %(who)s after a sign from the mail."),
    (State.WITHDRAWN, Actor.IMPORT): _("Taken over from a file: %(who)s took it back."),
    (State.OBJECTED, Actor.CUSTOMER): _("%(who)s objected."),
    (State.OBJECTED, Actor.ADMIN): _("%(who)s objected; %(colleague)s wrote it down."),
    (State.OBJECTED, Actor.SYSTEM): _("Taken as an objection of %(who)s, after a sign."),
    (State.OBJECTED, Actor.IMPORT): _("Taken over from a file: %(who)s objected."),
    (State.INVALIDATED, Actor.ADMIN): _(
        "Declared invalid with a faulty batch, approved by %(colleague)s."
    ),
}
_ON_A_PLACE: Mapping[State, Any] = {
    State.GIVEN: _("%(who)s ticked “%(text)s” on %(place)s."),
    State.PENDING: _("%(who)s ticked “%(text)s” on %(place)s and was mailed a link to confirm it."),
}
_MERGED: Mapping[State, Any] = {
    State.WITHDRAWN: _(
        "No longer permitted: two records of %(who)s became one, and only one of them said yes."
    ),
    State.OBJECTED: _("Two records of %(who)s became one, and the other one had objected."),
    State.STALE: _("Two records of %(who)s became one, and the yes of the other was out of date."),
}
_NOT_CONFIRMED = _("%(who)s did not confirm in time.")
_NEVER_PERMITTED = _("%(who)s asked to be left alone.")
_NEVER_PERMITTED_RELAYED = _("%(who)s asked to be left alone; %(colleague)s wrote it down.")
_CONFIRMED = _("Confirmed by the link in the mail.")


@dataclass(frozen=True, slots=True)
class Told:
    """What a sentence about an entry names besides it: all in words, empty if there is none.

    `before` is what stood when the entry was written.
    """

    who: str
    colleague: str
    place: str
    before: State


def reason(answer: Answer) -> str:
    """Return why (not), as a sentence in the language of the reader."""
    values = {
        name: date_format(value) if isinstance(value, date) else value
        for name, value in answer.values.items()
    }
    return str(REASONS[answer.reason] % values)


def sentence(entry: ConsentEntry, told: Told) -> str:
    """Return what happened, as one sentence or two in the language of the reader."""
    values = {
        "who": told.who,
        "colleague": told.colleague,
        "place": told.place,
        "text": entry.wording.label if entry.wording else "–",
    }
    said = str(_chosen(entry, told) % values)
    confirmed = entry.state == State.GIVEN and entry.grade == "A"
    return f"{said} {_CONFIRMED}" if confirmed else said


def _chosen(entry: ConsentEntry, told: Told) -> Any:
    state, actor = State(entry.state), Actor(entry.actor)
    if entry.method == "merge" and state in _MERGED:
        return _MERGED[state]
    if actor is Actor.CUSTOMER and told.place and state in _ON_A_PLACE:
        return _ON_A_PLACE[state]
    if state is State.EXPIRED and told.before is State.PENDING:
        return _NOT_CONFIRMED
    if state is State.WITHDRAWN and told.before not in ALLOWING | {State.PENDING}:
        if actor is Actor.CUSTOMER:
            return _NEVER_PERMITTED
        if actor is Actor.ADMIN:
            return _NEVER_PERMITTED_RELAYED
    return _SENTENCES.get((state, actor), STATES[state])


def way(entry: ConsentEntry) -> str:
    """Return how it came about, in a few words."""
    return str(METHODS.get(entry.method, entry.method))


def purpose_name(purpose: Purpose) -> str:
    dutch = (get_language() or "").startswith("nl")
    return purpose.name_nl if dutch else purpose.name_en
