"""What a mail provider tells afterwards: arrived, bounced, complained, unsubscribed.

A bounce for good and a complaint stop the address; a complaint and an unsubscription take the
permission back. Told again, nothing changes.
"""

import logging
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from customers.addresses import address_hashes
from customers.consent import Method
from customers.models import Customer, SuppressionReason
from customers.suppressions import Stop, suppress
from customers.withdrawals import Means, stands, withdraw
from mailings.models import Delivery, DeliveryStatus

logger = logging.getLogger(__name__)


class Event(StrEnum):
    """What is told of a mail."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


def record_event(*, event: Event, key: str, recipient: str, now: datetime) -> bool:
    """Record what is told of the mail with this key; return whether it is one of ours.

    Of a mail that is not, a bounce and a complaint stop the recipient's address all the same.
    """
    delivery = _delivery(key)
    address = delivery.customer.email if delivery else recipient
    with transaction.atomic():
        if delivery:
            Customer.objects.select_for_update().get(pk=delivery.customer_id)
            _settle(delivery, event, now)
            if event in {Event.COMPLAINED, Event.UNSUBSCRIBED}:
                _withdraw(delivery, event, now)
        stops = {
            Event.BOUNCED: Stop(reason=SuppressionReason.BOUNCE, everything=True),
            Event.COMPLAINED: Stop(reason=SuppressionReason.COMPLAINT),
        }
        if address and event in stops:
            suppress(hashes=list(address_hashes(address)), stop=stops[event], now=now)
    return delivery is not None


def _delivery(key: str) -> Delivery | None:
    try:
        wanted = UUID(key)
    except ValueError:
        return None
    known = Delivery.objects.select_related("customer", "mailing__purpose")
    return known.filter(key=wanted).first()


def _settle(delivery: Delivery, event: Event, now: datetime) -> None:
    """A mail that came back did not arrive, and one of which anything is told was sent."""
    row = Delivery.objects.filter(pk=delivery.pk)
    if event is Event.BOUNCED:
        bounced = row.filter(status__in=[DeliveryStatus.SENT, DeliveryStatus.UNKNOWN])
        bounced.update(status=DeliveryStatus.FAILED, code="bounced", finished_at=now)
    else:
        row.filter(status=DeliveryStatus.UNKNOWN).update(status=DeliveryStatus.SENT)


def _withdraw(delivery: Delivery, event: Event, now: datetime) -> None:
    who, purpose = delivery.customer, delivery.mailing.purpose
    if stands(customer=who, purpose=purpose, channel="email"):
        means = Means(method=Method.API, place=f"mailing:{delivery.mailing_id}")
        withdraw(customer=who, purpose=purpose, channel="email", means=means, now=now)
        logger.info("mail_event event=%s delivery=%d", event, delivery.pk)
