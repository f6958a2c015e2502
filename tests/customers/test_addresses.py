"""Hashes of addresses stand beside them, whoever writes the address."""

import pytest
from django.core.management import call_command

from customers.addresses import address_hash, address_hashes, mailbox, masked
from customers.models import Customer
from customers.services import add_customers, ensure_customers, update_customers
from tests.makers import NOW, a_customer, make_customer


def test_spelling_in_capitals_is_the_same_address():
    assert address_hash("Noor@Example.org") == address_hash("noor@example.org")
    assert address_hash("noor@example.org") != address_hash("noor@example.com")
    assert address_hash("") == ""
    assert address_hashes("") == frozenset()


def test_a_hash_is_keyed(settings):
    plain = address_hash("noor@example.org")
    settings.ADDRESS_KEYS = ["another key", *settings.ADDRESS_KEYS]
    assert address_hash("noor@example.org") != plain
    assert address_hash("noor@example.org", 1) == plain
    assert address_hash("noor@example.org", 2) == ""
    assert address_hashes("noor@example.org") == {address_hash("noor@example.org"), plain}


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("anouk@example.org", "a…k@example.org"),
        ("a@example.org", "a…a@example.org"),
        ("élodie@exämple.org", "é…e@exämple.org"),
        ('"a@b"@example.org', '"…"@example.org'),
        ("", ""),
    ],
)
def test_an_address_is_masked_so_that_its_owner_knows_it(address, seen):
    assert masked(address) == seen


def by_save() -> Customer:
    return make_customer(email="noor@example.org")


def by_import() -> Customer:
    return add_customers([a_customer(email="noor@example.org")])[0]


def by_change() -> Customer:
    customer = make_customer(email="old@example.org")
    customer.email = "noor@example.org"
    update_customers([customer])
    return customer


@pytest.mark.django_db
@pytest.mark.parametrize("write", [by_save, by_import, by_change])
def test_whoever_writes_the_address_writes_its_hashes(write, settings):
    settings.ADDRESS_KEYS = ["a newer key", *settings.ADDRESS_KEYS]
    stored = Customer.objects.get(pk=write().pk)
    assert stored.address_hash == address_hash("noor@example.org")
    assert stored.older_hash == address_hash("noor@example.org", 1)


@pytest.mark.django_db
def test_without_an_address_there_is_no_hash():
    [customer] = ensure_customers({"K-7": NOW}).values()
    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.address_hash, stored.older_hash) == ("", "")


@pytest.mark.django_db
def test_an_address_is_verified_until_it_is_another():
    customer = make_customer(email="noor@example.org")
    assert not customer.is_verified
    customer.verified_hash = customer.address_hash
    assert customer.is_verified
    customer.email = "noor@other.example"
    assert not customer.is_verified
    customer.email = ""
    assert not customer.is_verified


@pytest.mark.django_db
def test_a_new_key_is_taken_into_use_by_a_command(settings, capsys):
    customers = [make_customer(email=f"k{number}@example.org") for number in range(3)]
    make_customer()
    before = customers[0].address_hash
    call_command("rehash_addresses")
    assert "0 customers" in capsys.readouterr().out
    settings.ADDRESS_KEYS = ["a newer key", *settings.ADDRESS_KEYS]
    call_command("rehash_addresses")
    assert "3 customers" in capsys.readouterr().out
    customers[0].refresh_from_db()
    assert (customers[0].address_hash, customers[0].older_hash) == (
        address_hash("k0@example.org"),
        before,
    )


@pytest.mark.parametrize(
    ("address", "box"),
    [
        ("Noor+shop@Example.org", "noor@example.org"),
        ("n.o.o.r+x@googlemail.com", "noor@gmail.com"),
        ("n.oor@example.org", "n.oor@example.org"),
        ("+tag@example.org", "+tag@example.org"),
        ("", ""),
    ],
)
def test_all_addresses_of_a_mailbox_are_written_in_one_way(address, box):
    assert mailbox(address) == box
