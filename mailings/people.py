"""What becomes of somebody's mails when records are merged, or a person is erased, and in time."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from customers.models import Customer
from mailings.models import WAITING, Delivery, DeliveryStatus

# Every table of this app that points at a customer.
OF_CUSTOMERS = frozenset({"mailings.Delivery"})


def move_deliveries(*, of: Customer, to: Customer, now: datetime) -> None:
    """Give the mails of a record to the one it was merged into; nobody gets one twice."""
    theirs = Delivery.objects.filter(customer=of)
    for one, other in ((of, to), (to, of)):
        got = Delivery.objects.filter(~Q(status=DeliveryStatus.CANCELLED), customer=other)
        twice = Delivery.objects.filter(
            customer=one, status__in=WAITING, mailing__in=got.values("mailing")
        )
        twice.update(status=DeliveryStatus.CANCELLED, code="merged", finished_at=now)
    theirs.update(customer=to)


def held_deliveries(ids: Collection[int]) -> dict[str, int]:
    """Return for each table how many rows are of these customers."""
    return {"mailings.delivery": Delivery.objects.filter(customer__in=list(ids)).count()}


def erase_deliveries(ids: Collection[int]) -> None:
    """Forget the mails of these customers, whether sent, left out or waiting."""
    Delivery.objects.filter(customer__in=list(ids)).delete()


def drop_old_deliveries(now: datetime) -> int:
    """Delete those without a contact as late as contacts go; return how many."""
    before = now - timedelta(days=settings.RETENTION_CONTACTS_DAYS)
    n, _tables = Delivery.objects.filter(contact=None, finished_at__lt=before).delete()
    return n
