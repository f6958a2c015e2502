"""Links that open somebody's own page: mailed to the address on file, and working once.

A link in a mailing can only lower, because whoever was forwarded it has it too. Whatever raises,
shows or erases asks for a link that only the reader of the address on file has.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from customers.addresses import address_hash, address_hashes, mailbox
from customers.bell import ring_after_commit
from customers.letters import MOST_UNUSED, NO_LINK_YET, may_write, queue_letter
from customers.models import (
    Customer,
    Letter,
    LetterKind,
    LinkAction,
    MailedLink,
    Suppression,
)
from customers.queries import survivor
from customers.tokens import secret_digest

# From the mail to the press of the button, and from there until the page closes.
LINK_LIFE = timedelta(hours=24)
OPEN_FOR = timedelta(minutes=30)

# The cookie that says which link opened the page, and where alone it is sent.
PASS_COOKIE = "own_page"  # noqa: S105  (a name)
PASS_PATH = "/preferences/"  # noqa: S105  (an address)


def customer_of(pk: int) -> Customer | None:
    """Return the customer a signed link names; after a merge the one that remained."""
    customer = Customer.objects.filter(pk=pk).first()
    return survivor(customer) if customer else None


def mail_own_link(*, customer: Customer, now: datetime, most: int | None = MOST_UNUSED) -> bool:
    """Mail a customer a link to their own page; False where no letter may go there now.

    For `most` see may_write.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        if locked.erased_at or not locked.email:
            return False
        bounced = Suppression.objects.filter(
            address_hash__in=address_hashes(locked.email), everything=True
        )
        allowed = may_write(kind=LetterKind.OPEN, address=locked.email, now=now, most=most)
        if bounced.exists() or not allowed:
            return False
        link = MailedLink.objects.create(
            action=LinkAction.OPEN,
            customer=locked,
            address_hash=address_hash(locked.email),
            asked_at=now,
            expires_at=now + LINK_LIFE,
        )
        queue_letter(kind=LetterKind.OPEN, customer=locked, now=now, link=link)
    return True


def ask_for_link(*, address: str, now: datetime) -> None:
    """Note that somebody asked for a link to this address; `mail_asked_links` sees whose it is.

    Known or not, the same is written: the time an answer takes must not tell a stranger.
    """
    Letter.objects.create(
        kind=LetterKind.OPEN,
        address=address,
        address_hash=address_hash(mailbox(address)),
        language=settings.LANGUAGE_CODE,
        queued_at=now,
        due_at=now,
    )
    ring_after_commit("letters")


def mail_asked_links(now: datetime) -> int:
    """Queue the links that were asked for, where somebody has the address; return how many.

    What was typed is forgotten either way.
    """
    queued = 0
    for asked in Letter.objects.filter(NO_LINK_YET).order_by("pk"):
        with transaction.atomic():
            # Of two workers the one that takes it away goes on.
            if Letter.objects.filter(NO_LINK_YET, pk=asked.pk).delete()[0]:
                queued += mail_link_to(address=asked.address, now=now)
    return queued


def mail_link_to(*, address: str, now: datetime) -> bool:
    """Mail a link to whoever has this address; False, to be kept from strangers, if nobody may."""
    # Of two records with one address the one whose it was shown to be: a correction on somebody
    # else's page puts an address on a record that is not theirs. Then the older.
    known = Customer.objects.with_address(address)
    customer = min(known, key=lambda one: (not one.is_verified, one.pk), default=None)
    return customer is not None and mail_own_link(customer=customer, now=now)


def open_own_page(*, token: str, now: datetime) -> MailedLink | None:
    """Use a mailed link up and return it; None if it is not ours, old, used or to another address.

    That it came back shows that the address is theirs.
    """
    found = MailedLink.objects.filter(digest=secret_digest(token), action=LinkAction.OPEN).first()
    if found is None:
        return None
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=found.customer_id)
        link = MailedLink.objects.select_for_update().get(pk=found.pk)
        if link.spent_at or link.expires_at <= now or not _belongs(link, customer):
            return None
        link.spent_at = now
        link.save(update_fields=["spent_at"])
        Customer.objects.filter(pk=customer.pk).update(verified_hash=link.address_hash)
    return link


def opened(link_id: int, now: datetime) -> MailedLink | None:
    """Return the link that holds the own page open, with its customer; None if it is closed."""
    link = (
        MailedLink.objects.filter(
            pk=link_id,
            action=LinkAction.OPEN,
            spent_at__gt=now - OPEN_FOR,
            closed_at__isnull=True,
        )
        .select_related("customer")
        .first()
    )
    return link if link and _belongs(link, link.customer) else None


def close_own_page(*, link: MailedLink, now: datetime) -> None:
    """Close the own page before its time is over."""
    MailedLink.objects.filter(pk=link.pk, closed_at__isnull=True).update(closed_at=now)


def _belongs(link: MailedLink, customer: Customer) -> bool:
    """Say whether the address the link went to is the customer's still."""
    return not customer.erased_at and link.address_hash in address_hashes(customer.email)
