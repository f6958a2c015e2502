"""The switches of the preference pages: where a customer stands, in words they can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.addresses import address_hashes
from customers.consent import ALLOWING, State
from customers.lowering import LESS, is_paused
from customers.models import Customer, PurposeKind, Wording
from customers.queries import Standing, standings

# What keeps a yes from being used for a while, and leaves it a yes.
STILL_ON = frozenset({"given", "soft", "paused", "restricted"})


@dataclass(frozen=True, slots=True)
class Row:
    """One switch: a purpose on a channel.

    `can_lower` says whether there is something to take back; `read` is the text of a yes that
    stands, `offer` the text of today; `saved` marks what was changed a moment ago.
    """

    purpose_id: int
    channel: str
    label: str
    told: str
    since: str
    on: bool
    can_lower: bool
    saved: bool
    read: Wording | None
    offer: Wording | None

    @property
    def key(self) -> str:
        return f"{self.purpose_id}-{self.channel}"


@dataclass(frozen=True, slots=True)
class Wish:
    """One answer to "rather less?"."""

    value: str
    label: str
    chosen: bool


def preference_rows(
    customer: Customer, language: str, now: datetime, saved_since: datetime | None = None
) -> list[Row]:
    """Return a row for all a customer can say yes or no to, in four queries.

    What was never published and never answered is left out.
    """
    texts: dict[int, Wording] = {}
    for text in Wording.objects.published(now).filter(language=language):
        texts.setdefault(text.purpose_id, text)
    hashes = address_hashes(customer.email)
    return [
        _row(one, texts.get(one.purpose.pk), language, now, saved_since, hashes)
        for one in standings([customer], now)[customer.pk]
        if PurposeKind(one.purpose.kind).needs_consent and (one.entry or one.purpose.pk in texts)
    ]


def wishes(customer: Customer, rows: Sequence[Row], now: datetime) -> list[Wish]:
    """Return how often a customer wants to hear from us, of three, and what holds now."""
    texts = [row.read for row in rows if row.on and row.read and row.read.promised_messages]
    most = max(texts, key=_per_month, default=None)
    until = customer.paused_until if is_paused(customer, now) else None
    limit = customer.monthly_limit
    usual = promise(most) if most else _("As often as you agreed to")
    told = [Wish("usual", usual, not limit and not until)]
    # Who was promised no more than that has it already.
    if limit or most is None or _per_month(most) > LESS:
        told.append(Wish("less", monthly(limit or LESS), bool(limit)))
    pause = _("Paused until %(day)s") % {"day": day(until)} if until else _("3 months' pause")
    return [*told, Wish("pause", pause, bool(until))]


def promise(wording: Wording) -> str:
    """Return how often a text promises to write at most; empty if it promises nothing."""
    messages, days = wording.promised_messages, wording.promised_days
    if messages is None or days is None:
        return ""
    if days in range(28, 32):
        return monthly(messages)
    if days == 7:
        text = ngettext("At most once a week", "At most %(n)d times a week", messages)
    else:
        text = ngettext(
            "At most once in %(days)d days", "At most %(n)d times in %(days)d days", messages
        )
    return text % {"n": messages, "days": days}


def monthly(messages: int) -> str:
    text = ngettext("At most once a month", "At most %(n)d times a month", messages)
    return text % {"n": messages}


def day(moment: datetime) -> str:
    """Return a local day in words."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


def moment_in_words(moment: datetime, now: datetime) -> str:
    """Return a local day, and of today the time."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localtime(now).date():
        return _("today %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    return day(moment)


def _per_month(wording: Wording) -> float:
    return 30 * (wording.promised_messages or 0) / (wording.promised_days or 30)


def _row(
    one: Standing,
    today: Wording | None,
    language: str,
    now: datetime,
    saved_since: datetime | None,
    hashes: frozenset[str],
) -> Row:
    """Return a row; `today` is the text that is published now, None before the first."""
    entry, state = one.entry, one.state
    here = entry is not None and entry.address_hash in hashes
    on = state in ALLOWING and one.answer.reason in STILL_ON
    read = entry.wording if entry and on else None
    text = read or today
    since = _since(one, on, now, here=here)
    # A yes that does not hold for the present address, and could again.
    asleep = state in ALLOWING and one.answer.reason in {"suppressed", "other_address"}
    return Row(
        purpose_id=one.purpose.pk,
        channel=one.channel,
        label=_label(one, language),
        told=(promise(text) or text.helper).rstrip(".") + "." if text else "",
        since=since,
        on=on,
        can_lower=on or state is State.PENDING or asleep,
        saved=bool(entry and saved_since and entry.occurred_at >= saved_since),
        read=read,
        offer=None if on or one.purpose.archived_at else today,
    )


CHANNELS = {
    "email": gettext_lazy("by e-mail"),
    "web": gettext_lazy("on a web page"),
    "phone": gettext_lazy("by phone"),
    "sms": gettext_lazy("by text message"),
    "ad": gettext_lazy("in advertisements"),
}


def _label(one: Standing, language: str) -> str:
    """Return the name of a purpose, with the channel where that says something."""
    name = one.purpose.name_in(language)
    if one.purpose.kind == PurposeKind.PROFILING and len(one.purpose.channels) == 1:
        return name
    return f"{name} {CHANNELS[one.channel]}"


def _since(one: Standing, on: bool, now: datetime, *, here: bool) -> str:
    entry, state = one.entry, one.state
    if entry is None or state in {State.NONE, State.SHOWN}:
        return _("Never switched on")
    when = moment_in_words(entry.occurred_at, now)
    if on and one.answer.reason == "restricted":
        return _("Yes since %(when)s; at your request we do nothing with it now") % {"when": when}
    if on:
        bought = _("On since %(when)s, because you bought something")
        return (bought if state is State.SOFT else _("Yes since %(when)s")) % {"when": when}
    reasons = {
        "pending": _("Asked on %(when)s, and not confirmed by you yet"),
        "refused": _("You said no on %(when)s"),
        "expired": _("Off: your yes was valid until %(end)s"),
        "stale": _("Off: we now do something else than you said yes to"),
        "other_address": _("Off: you said yes with another address"),
        "suppressed": _("Off: nothing may be sent to this address"),
        "invalidated": _("Off since %(when)s: we had not asked you properly"),
        "archived": _("Off: we do not do this any more"),
    }
    said = one.answer.reason if state in ALLOWING else str(state)
    if said == "suppressed" and not here:
        # Whoever says that an address is theirs does not learn whether it is stopped.
        said = "other_address"
    end = day(entry.valid_until) if entry.valid_until else when
    return reasons.get(said, _("Off since %(when)s")) % {"when": when, "end": end}
