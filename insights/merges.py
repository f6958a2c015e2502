"""Merging two customers across the floors: permission, purchases and answers in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers import merging
from customers.models import Customer, CustomerMerge
from feedback.models import Response
from feedback.services import OF_CUSTOMERS, move_answers
from mailings.people import OF_CUSTOMERS as OF_MAILINGS
from mailings.people import move_deliveries

# What the floors above customers take care of. A table in no list stops every merge.
ABOVE = OF_CUSTOMERS | OF_MAILINGS


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge does to permissions, and how much moves with it."""

    plan: merging.Preview
    answers: int


def preview(survivor: Customer, absorbed: Customer) -> MergePreview:
    """Return what merging would do; merging.MergeRefused if it would not be done."""
    plan = merging.preview(survivor, absorbed, above=ABOVE)
    return MergePreview(plan, Response.objects.filter(customer=absorbed).count())


def merge(
    *, survivor: Customer, absorbed: Customer, decision: merging.Decision, now: datetime
) -> CustomerMerge:
    """Merge one record into another; merging.MergeRefused if it may not be."""
    with transaction.atomic():
        done = merging.merge_customers(
            survivor=survivor, absorbed=absorbed, decision=decision, above=ABOVE, now=now
        )
        move_answers(of=absorbed, to=survivor)
        move_deliveries(of=absorbed, to=survivor, now=now)
    return done
