"""What a wording says and does, in hashes: pure, so that any program can make them again.

The text hash covers every word that was shown. The scope hash covers what is done with a yes, not
how it is said: it is equal in all languages, and only a material change makes a new one.
"""

from dataclasses import astuple, dataclass

from customers.chain import canonical, digest


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


def text_hash(language: str, texts: Texts) -> str:
    """Return the hash of what was shown in a language, as 64 hex digits."""
    return digest("\n".join(_one_line(text) for text in (language, *astuple(texts))))


def scope_hash(purpose: str, kind: str, generation: int) -> str:
    """Return the hash of what is done; `generation` counts the material changes."""
    return digest(canonical({"purpose": purpose, "kind": kind, "generation": generation}).decode())


def _one_line(text: str) -> str:
    # A line break within a text is not one between two.
    return text.replace("\\", "\\\\").replace("\n", "\\n")
