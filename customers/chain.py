"""The chain that makes the consent ledger tamper-evident.

Each entry of a customer carries the hash of the entry before it and its own hash, taken over both
the hash before and the facts in a canonical form. Whoever changes, adds or removes an entry in the
middle breaks every hash after it. A removed tail, or a removed customer, breaks no hash: that shows
against the checkpoint that is signed every day over the last hash (the head) of every customer, as
long as a copy of the newest one is where nobody removed it too.

The canonical form is JSON with sorted keys and no white space, in UTF-8; times are in UTC with
microseconds, nothing is left out. It holds hashes of addresses, never an address.

Pure: standard library only, no Django, no clock, no I/O.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# Before the first entry of a customer.
START = "0" * 64

Fact = str | int | bool | datetime | None


def canonical(facts: Mapping[str, Fact]) -> bytes:
    """Return facts as bytes that are the same wherever and whenever they are written."""
    plain = {name: _plain(value) for name, value in facts.items()}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Fact) -> str | int | bool | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def link(before: str, facts: Mapping[str, Fact]) -> str:
    """Return the hash of an entry: of the hash before it and its own facts, as 64 hex digits."""
    return hashlib.sha256(before.encode() + b"\n" + canonical(facts)).hexdigest()


def digest(text: str) -> str:
    """Return the SHA-256 of a text that is no personal data, as 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Heads:
    """What a checkpoint says of the ledger at a moment: how many entries, and all heads in one."""

    entries: int
    customers: int
    root: str


def heads_of(lasts: Iterable[tuple[int, int, str]]) -> Heads:
    """Return what the ledger stands at, from each customer's id, number of entries and head.

    In ascending order of the id, so that the same ledger has the same root.
    """
    root, entries, customers = hashlib.sha256(), 0, 0
    for customer, length, head in lasts:
        root.update(f"{customer} {length} {head}\n".encode())
        entries += length
        customers += 1
    return Heads(entries, customers, root.hexdigest())


def sign(heads: Heads, at: datetime, key: str) -> str:
    """Return the signature of a checkpoint, HMAC-SHA256 as 64 hex digits."""
    facts: dict[str, Fact] = {
        "at": at,
        "customers": heads.customers,
        "entries": heads.entries,
        "root": heads.root,
    }
    return hmac.new(key.encode(), b"checkpoint.v1\n" + canonical(facts), hashlib.sha256).hexdigest()


def is_signed(heads: Heads, at: datetime, signature: str, keys: Sequence[str]) -> bool:
    """Say whether any of the keys made this signature."""
    made = [hmac.compare_digest(sign(heads, at, key), signature) for key in keys]
    return any(made)


def hash_address(address: str, key: str) -> str:
    """Return the keyed hash of an address, HMAC-SHA256 as 64 hex digits.

    Keyed, because there are few enough addresses to try them all on a plain hash.
    """
    return hmac.new(key.encode(), f"address.v1\n{address}".encode(), hashlib.sha256).hexdigest()
