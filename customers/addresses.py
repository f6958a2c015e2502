"""Addresses as the ledger knows them: keyed hashes, whose keys are not in the database."""

from django.conf import settings

from customers.cells import folded
from customers.chain import hash_address


def address_hash(address: str) -> str:
    """Return the keyed hash of an address under the newest key; empty for no address."""
    return hash_address(folded(address), settings.ADDRESS_KEYS[0]) if address else ""


def address_hashes(address: str) -> frozenset[str]:
    """Return the keyed hashes of an address, one for each key; none for no address."""
    if not address:
        return frozenset()
    return frozenset(hash_address(folded(address), key) for key in settings.ADDRESS_KEYS)
