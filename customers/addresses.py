"""Addresses as the ledger knows them: keyed hashes, whose keys are not in the database."""

import unicodedata

from django.conf import settings

from customers.cells import folded
from customers.chain import hash_address

# How a name of a domain begins that is written in ASCII and is not (RFC 5890).
ACE = "xn--"


def same_form(address: str) -> str:
    """Return an address as all ways to write it have in common: é in one sign or in two,
    bücher.example or xn--bcher-kva.example, in capitals or not.
    """
    if address.isascii() and ACE not in address.lower():
        return folded(address)
    local, at, domain = address.rpartition("@")
    labels = unicodedata.normalize("NFKC", domain).lower().split(".")
    plain = ".".join(_decoded(label) for label in labels)
    return unicodedata.normalize("NFC", folded(local)) + at + unicodedata.normalize("NFC", plain)


def _decoded(label: str) -> str:
    if not label.startswith(ACE):
        return label
    try:
        return label.removeprefix(ACE).encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def address_hash(address: str, key: int = 0) -> str:
    """Return the hash of an address under one key, the newest first; empty without either."""
    keys = settings.ADDRESS_KEYS[key : key + 1]
    return hash_address(same_form(address), keys[0]) if address and keys else ""


def address_hashes(address: str) -> frozenset[str]:
    """Return the keyed hashes of an address, one for each key; none for no address."""
    if not address:
        return frozenset()
    return frozenset(hash_address(same_form(address), key) for key in settings.ADDRESS_KEYS)


# Of these a mailbox can be written with dots anywhere in it.
DOTLESS = frozenset({"gmail.com", "googlemail.com"})


def mailbox(address: str) -> str:
    """Return one way to write all addresses that arrive in the same mailbox, as far as is known.

    noor+shop@example.org is noor@example.org. Only to limit how much mail goes there: who permits
    what is bound to the address as it was written.
    """
    local, at, domain = same_form(address).rpartition("@")
    name = local.partition("+")[0] or local
    if domain in DOTLESS:
        name, domain = name.replace(".", "") or name, "gmail.com"
    return name + at + domain


def masked(address: str) -> str:
    """Return an address as its owner knows it and a stranger does not: a…a@example.org."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…{name[-1:]}@{domain}" if name else ""


# What stands in the place of the reference of somebody who was erased begins so.
ERASED = "erased-"


def erased_references(reference: str) -> list[str]:
    """Return what may stand in the place of a reference, one for each key, the newest first.

    It names nobody, and still lets an import see that this reference was erased. A reference that
    is such a stand-in already is its own.
    """
    if reference.startswith(ERASED):
        return [reference]
    text = f"reference.v1 {reference}"
    return [f"{ERASED}{hash_address(text, key)}" for key in settings.ADDRESS_KEYS]
