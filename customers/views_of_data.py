"""Who of the organisation looked at somebody's data: written down, for them to read."""

from collections.abc import Iterable
from datetime import datetime

from customers.models import AccessKind, AccessLog, Customer
from customers.services import insert_new


def record_views(
    *,
    customers: Iterable[Customer],
    kind: AccessKind,
    viewer: str,
    role: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Write down that a colleague or another system saw these customers.

    `viewer` is an id, never a name; `role` the word customers will read.
    """
    insert_new(
        AccessLog(
            customer=customer, kind=kind, viewed_at=now, viewer=viewer, role=role, reason=reason
        )
        for customer in customers
    )
