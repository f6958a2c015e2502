"""Tokens in links: those that only lower are signed, those that raise or show are stored.

A signed token names a customer by a number and can be used for ever, by whoever has the mail: all
it does is take back or lower. A stored one works once; the database has its SHA-256 alone.
"""

import hashlib
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

_UNSUBSCRIBE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([a-z]{1,10})")
_NUMBER = re.compile(r"[0-9]{1,18}")
_RATING = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """What an unsubscribe link takes back."""

    customer_id: int
    purpose_id: int
    channel: str


def unsubscribe_token(customer_id: int, purpose_id: int, channel: str) -> str:
    """Return the token of /u/<token>/ for one purpose and channel of a customer."""
    return _signer("unsubscribe").sign(f"{customer_id}-{purpose_id}-{channel}")


def read_unsubscribe(token: str) -> Unsubscribe | None:
    """Return what a token takes back, None for one we did not sign for this."""
    found = _UNSUBSCRIBE.fullmatch(_unsigned("unsubscribe", token))
    if not found:
        return None
    customer, purpose, channel = found.groups()
    return Unsubscribe(int(customer), int(purpose), channel)


def preferences_token(customer_id: int) -> str:
    """Return the token of /preferences/<token>/, with which things can only be lowered."""
    return _signer("preferences").sign(str(customer_id))


def read_preferences(token: str) -> int | None:
    """Return the id of the customer, None for a token we did not sign for this."""
    text = _unsigned("preferences", token)
    return int(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Rating:
    """What a link under a mail asks about: a contact, the touchpoint that asks, and the campaign.

    Ids, `campaign_id` 0 for none. It can answer that one question, and nothing else.
    """

    contact_id: int
    touchpoint_id: int
    campaign_id: int = 0


def rating_token(rating: Rating) -> str:
    """Return the token of /r/<token>/: the same for the same question under the same mail."""
    said = f"{rating.contact_id}-{rating.touchpoint_id}-{rating.campaign_id}"
    return _signer("rating").sign(said)


def read_rating(token: str) -> Rating | None:
    """Return what a token asks about, None for one we did not sign for this."""
    found = _RATING.fullmatch(_unsigned("rating", token))
    return Rating(*map(int, found.groups())) if found else None


def rating_key(token: str) -> str:
    """Return the key of the answer to a link, always the same one.

    A hash of the signature: nobody comes from the answer to the contact without our keys.
    """
    return str(UUID(bytes=hashlib.sha256(token.encode()).digest()[:16]))


def own_page_pass(link_id: int) -> str:
    """Return what the cookie of the own page holds: which mailed link opened it."""
    return _signer("own_page").sign(str(link_id))


def read_own_page_pass(token: str) -> int | None:
    """Return the id of the mailed link, None for a pass we did not sign."""
    text = _unsigned("own_page", token)
    return int(text) if _NUMBER.fullmatch(text) else None


# A page may be read, left and come back to for a day: nobody is hurried (WCAG 2.2.1).
LONGEST_VISIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Where somebody is in a form; it travels in the form, so that no cookie is needed.

    `customer` is set where the shop said who it is, else `address` is what they typed. `at` is
    when the page was made, in ISO 8601.
    """

    step: str
    form: int
    at: str
    customer: int = 0
    address: str = ""
    # The id of the text of the question that was answered one step before.
    first: int = 0

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


def asked_token(asked: Asked) -> str:
    """Return the hidden field of a form that says where somebody is in it."""
    return _signer("asked").sign_object(asdict(asked))


def read_asked(token: str, now: datetime) -> Asked | None:
    """Return where somebody is in a form, None for what we did not sign, or a day ago."""
    try:
        asked = Asked(**_signer("asked").unsign_object(token))
    except BadSignature:
        return None
    return asked if timedelta() <= now - asked.moment <= LONGEST_VISIT else None


def new_secret() -> str:
    """Return a token that works once: 256 bits, to be mailed and never stored."""
    return secrets.token_urlsafe(32)


def secret_digest(token: str) -> str:
    """Return what is stored of a token that works once, as 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _unsigned(purpose: str, token: str) -> str:
    try:
        return _signer(purpose).unsign(token)
    except BadSignature:
        return ""


def _signer(purpose: str) -> Signer:
    """Return the signer of one purpose: a token for one thing is worth nothing for another."""
    first, *older = settings.LINK_KEYS
    return Signer(key=first, fallback_keys=[*older], salt=f"{purpose}.v1")
