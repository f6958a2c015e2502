"""Signed words from the shop's own server about who stands before the widget.

A subject is `<reference>.<expires>.<signature>`: the customer's reference in base64url without
padding, the second since 1970 until which it may be used, and the HMAC-SHA256 in hex of
`subject.v1.<reference>.<expires>` under a key that only the shop's server and we have. The shop
makes it while it makes the page; it lives for a day at most. A reference is the shop's own
number, never an address: whatever holds an "@" is refused.

Pure: standard library only, no Django, no clock, no I/O.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_LIFE = timedelta(days=1)
_SUBJECT = re.compile(r"([A-Za-z0-9_-]{1,400})\.([0-9]{1,12})\.([0-9a-f]{64})")


class SubjectState(StrEnum):
    """What is the matter with a subject."""

    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a subject says; the reference is empty unless it is valid."""

    state: SubjectState
    reference: str = ""


def sign_subject(reference: str, *, key: str, expires_at: datetime) -> str:
    """Return the subject of a customer, as the shop's server makes it."""
    encoded = base64.urlsafe_b64encode(reference.encode()).decode().rstrip("=")
    return f"{encoded}.{expires_at.timestamp():.0f}." + _signature(
        encoded, f"{expires_at.timestamp():.0f}", key
    )


def read_subject(token: str, *, keys: Sequence[str], now: datetime) -> Subject:
    """Return what a subject says; any of the keys may have signed it."""
    found = _SUBJECT.fullmatch(token)
    if not found:
        return Subject(SubjectState.INVALID)
    encoded, expires, signature = found.groups()
    signed = [hmac.compare_digest(_signature(encoded, expires, key), signature) for key in keys]
    reference = _decoded(encoded)
    if not any(signed) or not reference or "@" in reference:
        return Subject(SubjectState.INVALID)
    left = int(expires) - now.timestamp()
    if left <= 0:
        return Subject(SubjectState.EXPIRED)
    if left > LONGEST_LIFE.total_seconds():
        return Subject(SubjectState.INVALID)
    return Subject(SubjectState.VALID, reference)


def _signature(encoded: str, expires: str, key: str) -> str:
    message = f"subject.v1.{encoded}.{expires}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def _decoded(encoded: str) -> str:
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
