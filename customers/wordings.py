"""What a wording says and does, in hashes: pure, so that any program can make them again.

The text hash covers every word that was shown, and what was promised. The scope hash covers what
is done with a yes, not how it is said: it is equal in all languages, and only a material change
makes a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from customers.chain import Fact, canonical, digest


@dataclass(frozen=True, slots=True)
class Texts:
    """Everything a customer reads before the tick, in one language."""

    label: str
    helper: str
    details: str
    controller: str
    data_types: str
    recipients: str
    retention: str
    way_out: str


def text_hash(facts: Mapping[str, Fact]) -> str:
    """Return the hash of a wording as it was published: all of it but its number."""
    return digest(canonical(facts).decode())


def scope_hash(purpose: str, kind: str, generation: int) -> str:
    """Return the hash of what is done; `generation` counts the material changes."""
    return digest(canonical({"purpose": purpose, "kind": kind, "generation": generation}).decode())
