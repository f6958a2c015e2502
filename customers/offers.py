"""Offering an opt-in form to a customer who did not ask for it: seldom, and written down."""

from datetime import datetime

from django.db import transaction

from customers import consent
from customers.consent import Actor, State
from customers.ledger import Act, record_consent
from customers.models import ConsentEntry, ConsentForm, Customer
from customers.queries import may_process

# Where a form may be offered unasked: nobody asked yet, or it was shown and left. Whoever gave any
# other answer, or whose yes ran out, knows where to find it; showing it again would also write
# over what they said.
OPEN = frozenset({State.NONE, State.SHOWN})


def offer_form(
    *, customer: Customer, form: ConsentForm, method: str, place: str, now: datetime
) -> bool:
    """Write down that a form is offered to a customer and return True, if the asks allow it."""
    if form.archived_at is not None or not form.first.wordings.published(now).exists():
        return False
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        # Not to who was erased or is restricted, paused or stopped: those come first as reasons.
        answer = may_process(locked, form.first.key, form.channel, now)
        if answer.reason not in OPEN or not _may_ask(locked, form, now):
            return False
        act = Act(
            purpose=form.first,
            channel=form.channel,
            state=State.SHOWN,
            actor=Actor.CUSTOMER,
            method=method,
            place=place,
            occurred_at=now,
            address=locked.email,
        )
        record_consent(customer=locked, act=act, now=now)
    return True


def _may_ask(customer: Customer, form: ConsentForm, now: datetime) -> bool:
    key = form.first.key
    rows = ConsentEntry.objects.filter(customer=customer, purpose=form.first, channel=form.channel)
    entries = [
        consent.Entry(row.pk, row.occurred_at, key, row.channel, State(row.state)) for row in rows
    ]
    return consent.may_ask(entries, key, form.channel, now)
