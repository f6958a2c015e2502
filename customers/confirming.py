"""Confirming with the link in a mail, and what happens to what nobody confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers import askable
from customers.addresses import address_hash, address_hashes
from customers.asking import CONFIRM_WITHIN, FROM_A_FORM, KEPT, count, place_of
from customers.consent import ALLOWING, Actor, Grade, Method, State
from customers.ledger import Act, record_consent
from customers.models import (
    ConsentEntry,
    ConsentForm,
    ConsentState,
    Customer,
    LinkAction,
    MailedLink,
    Wording,
)
from customers.tokens import secret_digest


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a mailed link confirms; nothing if it does not work (any more)."""

    texts: Sequence[Wording] = ()
    # Where to begin again, if that is known.
    form: ConsentForm | None = None
    customer: Customer | None = None


def look_at_link(token: str, now: datetime) -> Confirmation:
    """Return what the button behind a mailed link would confirm; nothing changes."""
    link = _link(token)
    if link is None:
        return Confirmation()
    return Confirmation(_confirmable(link, link.customer, now), link.form, link.customer)


def confirm(*, token: str, now: datetime) -> Confirmation:
    """Use a mailed link, once: what was ticked is permitted, and the address shown to be theirs."""
    link = _link(token)
    if link is None:
        return Confirmation()
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=link.customer_id)
        link = _link(token)
        texts = _confirmable(link, customer, now) if link else []
        if not link or not link.form or not texts:
            return Confirmation(form=link.form if link else None)
        link.spent_at = now
        link.save(update_fields=["spent_at"])
        Customer.objects.filter(pk=customer.pk).update(verified_hash=address_hash(customer.email))
        for wording in sorted(texts, key=lambda text: text.pk):
            record_consent(customer=customer, act=_yes(link, customer, wording, now), now=now)
            # On the day it was asked, or a share of yesterday could exceed the whole.
            count(link.form, wording, link.asked_at, "confirmed")
    return Confirmation(texts, link.form, customer)


def _link(token: str) -> MailedLink | None:
    links = MailedLink.objects.select_related("form__first", "customer")
    return links.filter(digest=secret_digest(token), action=LinkAction.CONFIRM).first()


def _confirmable(link: MailedLink, customer: Customer, now: datetime) -> list[Wording]:
    """Return the texts that a link still confirms."""
    if (
        link.spent_at
        or link.expires_at <= now
        or customer.erased_at
        # A link does not outlive a change of address.
        or link.address_hash not in address_hashes(customer.email)
        or not askable.can_be_mailed(customer.email)
    ):
        return []
    found = Wording.objects.filter(pk__in=link.wordings).select_related("purpose")
    in_order = sorted(found, key=lambda text: link.wordings.index(text.pk))
    return [text for text in in_order if _still_meant(link, customer, text, now)]


def _still_meant(link: MailedLink, customer: Customer, text: Wording, now: datetime) -> bool:
    """Say whether what was ticked is still what is done, and was not taken back meanwhile."""
    today = askable.current_texts(text.purpose, now).values()
    if not askable.may_be_asked(text.purpose, link.channel) or text.scope_hash not in {
        one.scope_hash for one in today
    }:
        return False
    state = askable.standing(customer, text.purpose, link.channel)
    if state is None:
        return False
    if state.state != State.PENDING:
        return state.state in KEPT and state.entry.recorded_at < link.asked_at
    meanwhile = ConsentEntry.objects.filter(
        customer=customer,
        purpose=text.purpose,
        channel=link.channel,
        recorded_at__gte=link.asked_at,
        pk__gt=_pending_of(link, customer, text),
    )
    return not meanwhile.exclude(state=State.PENDING).exists()


def _pending_of(link: MailedLink, customer: Customer, text: Wording) -> int:
    """Return the id of the entry that was written when a link was asked for."""
    asked = ConsentEntry.objects.filter(
        customer=customer,
        purpose=text.purpose,
        channel=link.channel,
        state=State.PENDING,
        recorded_at__gte=link.asked_at,
    )
    return asked.order_by("pk").values_list("pk", flat=True).first() or 0


def _yes(link: MailedLink, customer: Customer, wording: Wording, now: datetime) -> Act:
    assert link.form  # noqa: S101  (as confirm asked for it)
    standing = askable.standing(customer, wording.purpose, link.channel)
    # A yes that stands on another address, or has run out, is renewed.
    renewed = standing is not None and standing.state in {State.GIVEN, State.RENEWED}
    return Act(
        purpose=wording.purpose,
        channel=link.channel,
        state=State.RENEWED if renewed else State.GIVEN,
        actor=Actor.CUSTOMER,
        method=Method.CONFIRM_LINK,
        place=place_of(link.form),
        wording=wording,
        occurred_at=now,
        address=customer.email,
        grade=Grade.A,
        old_enough=link.old_enough,
    )


# -- What was never confirmed ----------------------------------------------------------------------


def expire_unconfirmed(now: datetime) -> int:
    """End what was not confirmed within a week, and forget the addresses; return how many ended."""
    ended = 0
    old = ConsentState.objects.filter(
        state=State.PENDING, entry__recorded_at__lte=now - CONFIRM_WITHIN
    )
    for pk in old.order_by("customer_id", "pk").values_list("pk", flat=True):
        ended += _expire(pk, now)
    for customer in _never_confirmed(now):
        _forget_address(customer, now)
    return ended


def _expire(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        state = ConsentState.objects.select_related("customer", "purpose").get(pk=pk)
        customer = Customer.objects.select_for_update().get(pk=state.customer_id)
        state = ConsentState.objects.select_related("entry", "purpose").get(pk=pk)
        # Confirmed, taken back or asked again since we looked.
        if state.state != State.PENDING or state.entry.recorded_at > now - CONFIRM_WITHIN:
            return False
        act = Act(
            purpose=state.purpose,
            channel=state.channel,
            state=State.EXPIRED,
            actor=Actor.SYSTEM,
            method=Method.NOT_CONFIRMED,
            place=state.entry.place,
            occurred_at=now,
            address=customer.email,
            caused_by=state.entry,
        )
        record_consent(customer=customer, act=act, now=now)
        return True


def _never_confirmed(now: datetime) -> Sequence[Customer]:
    """Return customers of whom we have nothing but an address that somebody typed in a form."""
    typed = Customer.objects.filter(
        reference__startswith=FROM_A_FORM, verified_hash="", created_at__lte=now - CONFIRM_WITHIN
    )
    used = typed.exclude(email="").filter(purchases=None)
    return list(used.exclude(permissions__state__in=[*ALLOWING, State.PENDING]).order_by("pk"))


def _forget_address(customer: Customer, now: datetime) -> None:
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        asked = MailedLink.objects.filter(customer=locked, expires_at__gt=now, spent_at=None)
        if locked.is_verified or asked.exists():
            return
        locked.email = locked.name = ""
        locked.save(update_fields=["email", "name", "address_hash", "older_hash"])
