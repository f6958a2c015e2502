"""May this customer be reached, now that it comes to it? Asked inside the lock, and written down.

An audience is built hours before the last message leaves. Whoever says no in between is found
here: withdrawing takes the same lock, so after it no claim says yes.
"""

from datetime import datetime

from django.db import transaction

from customers.models import Customer, Decision, Purpose
from customers.queries import may_process


def claim_permission(
    *, customer: Customer, purpose: Purpose, channel: str, asker: str, now: datetime
) -> Decision:
    """Decide whether a customer may be reached for a purpose now; store and return the decision.

    `asker` is the id of what wants to reach them ("mailing:7"). Purpose.DoesNotExist for a purpose
    that was never stored.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        answer = may_process(locked, purpose.key, channel, now)
        return Decision.objects.create(
            customer=locked,
            purpose=purpose,
            channel=channel,
            allowed=answer.allowed,
            reason=answer.reason,
            entry_id=answer.entry.seq if answer.entry else None,
            asker=asker,
            decided_at=now,
        )
