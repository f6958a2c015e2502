"""Links that open the own page: how long they hold, and what a race of two presses comes to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from customers.models import CustomerMerge, LinkAction, MailedLink
from customers.own_links import (
    close_own_page,
    customer_of,
    mail_link_to,
    open_own_page,
    opened,
)
from customers.tokens import secret_digest
from tests.customers.test_ledger_together import _emptied_afterwards  # noqa: F401
from tests.makers import NOW, make_customer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

TOKEN = "token"


@pytest.fixture
def noor():
    return make_customer(email="noor@example.org")


@pytest.fixture
def link(noor) -> MailedLink:
    return MailedLink.objects.create(
        action=LinkAction.OPEN,
        customer=noor,
        address_hash=noor.address_hash,
        digest=secret_digest(TOKEN),
        asked_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )


def test_a_link_works_until_its_hour_and_not_at_it(link):
    late = NOW + timedelta(hours=24)
    assert open_own_page(token=TOKEN, now=late) is None
    assert open_own_page(token=TOKEN, now=late - timedelta(seconds=1)) == link


def test_of_two_presses_at_once_one_opens_the_page(link):
    def press(_) -> bool:
        try:
            return open_own_page(token=TOKEN, now=NOW) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]


def test_the_page_is_open_for_half_an_hour(link):
    open_own_page(token=TOKEN, now=NOW)
    assert opened(link.pk, NOW + timedelta(minutes=29)) == link
    assert opened(link.pk, NOW + timedelta(minutes=30)) is None


def test_the_page_is_closed_before_it_is_opened_and_after_it_was_closed(link):
    assert opened(link.pk, NOW) is None
    open_own_page(token=TOKEN, now=NOW)
    close_own_page(link=link, now=NOW)
    assert opened(link.pk, NOW) is None


def test_another_address_closes_the_page(link, noor):
    open_own_page(token=TOKEN, now=NOW)
    noor.refresh_from_db()
    noor.email = "sam@example.org"
    noor.save()
    assert opened(link.pk, NOW) is None
    assert not noor.is_verified


def test_a_link_under_the_key_of_before_still_works(link, noor, settings):
    settings.ADDRESS_KEYS = ["a new key", *settings.ADDRESS_KEYS]
    assert open_own_page(token=TOKEN, now=NOW) == link
    noor.refresh_from_db()
    assert noor.is_verified


def test_nobody_without_an_address_is_mailed(noor):
    make_customer()
    assert mail_link_to(address="", now=NOW) is False
    assert mail_link_to(address="nobody@example.org", now=NOW) is False


def test_of_two_records_with_an_address_the_older_gets_the_link(noor):
    make_customer(email="noor@example.org")
    assert mail_link_to(address="NOOR@example.org", now=NOW) is True
    assert MailedLink.objects.get().customer == noor


def test_of_two_records_the_one_whose_address_it_was_shown_to_be_gets_the_link(noor):
    shown = make_customer(email="noor@example.org", verified_hash=noor.address_hash)
    assert mail_link_to(address="noor@example.org", now=NOW) is True
    assert MailedLink.objects.get().customer == shown


def test_a_link_follows_who_was_merged_to_who_remained(noor):
    first, second = make_customer(), make_customer()
    for absorbed, survivor in ((first, second), (second, noor)):
        CustomerMerge.objects.create(
            survivor=survivor, absorbed=absorbed, reason="One.", merged_by="7", merged_at=NOW
        )
    assert customer_of(first.pk) == noor
    assert customer_of(987_654) is None
