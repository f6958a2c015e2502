"""Addresses as the ledger knows them: keyed hashes, whose keys are not in the database."""

from django.conf import settings

from customers.cells import folded
from customers.chain import hash_address


def address_hash(address: str, key: int = 0) -> str:
    """Return the hash of an address under one key, the newest first; empty without either."""
    keys = settings.ADDRESS_KEYS[key : key + 1]
    return hash_address(folded(address), keys[0]) if address and keys else ""


def address_hashes(address: str) -> frozenset[str]:
    """Return the keyed hashes of an address, one for each key; none for no address."""
    if not address:
        return frozenset()
    return frozenset(hash_address(folded(address), key) for key in settings.ADDRESS_KEYS)


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
