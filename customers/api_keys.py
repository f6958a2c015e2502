"""Keys of other systems: made by an administrator, shown once, and stored as a hash alone."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from customers.models import ApiKey

# 256 bits; the first letters say whose key it is to whoever finds it in the wrong place.
PREFIX = "ci_"
_SECRET = re.compile(r"ci_[A-Za-z0-9_-]{43}")
HINT_LENGTH = 8


class Scope(StrEnum):
    """What a key may do."""

    READ = "consent:read"
    WITHDRAW = "consent:withdraw"
    GIVE = "consent:give"
    CHECK = "contacts:check"
    # Reserve, confirm, give back.
    SEND = "contacts:send"
    # What to show a customer on a page of the shop.
    PICKS = "picks:read"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key with its secret, which nobody can show again."""

    key: ApiKey
    secret: str


def issue_key(
    *, name: str, scopes: Iterable[Scope], days: int, made_by: str, now: datetime
) -> Issued:
    """Make a key that works for so many days; `made_by` is the id of a colleague."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        digest=_digest(secret),
        hint=secret[:HINT_LENGTH],
        scopes=sorted(scopes),
        created_at=now,
        created_by=made_by,
        expires_at=now + timedelta(days=days),
    )
    return Issued(key, secret)


def revoke_key(*, pk: int, now: datetime) -> ApiKey:
    """End a key at once; one that has ended stays as it is. Raises ApiKey.DoesNotExist."""
    ApiKey.objects.filter(pk=pk, revoked_at=None).update(revoked_at=now)
    return ApiKey.objects.get(pk=pk)


def working_key(secret: str, now: datetime) -> ApiKey | None:
    """Return the key with this secret, None if there is none, or it expired or was revoked."""
    if not _SECRET.fullmatch(secret):
        return None
    found = ApiKey.objects.filter(digest=_digest(secret), revoked_at=None, expires_at__gt=now)
    return found.first()


def note_use(key: ApiKey, today: date) -> None:
    """Remember that a key was used on a day: the first time that day."""
    if key.used_on != today:
        ApiKey.objects.filter(pk=key.pk).update(used_on=today)


def api_keys(now: datetime) -> list[tuple[ApiKey, bool]]:
    """Return all keys with whether they work, those that do first and the newest first."""
    rows = ApiKey.objects.order_by("-created_at", "-pk")
    told = [(key, key.revoked_at is None and key.expires_at > now) for key in rows]
    return sorted(told, key=lambda row: not row[1])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
