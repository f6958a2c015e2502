"""Where a customer stands with the dose, as one document for other systems.

    {"customer", "decisions": […], "contacts": […], "holds": […]}

`decisions` are those on e-mail about no category (see decisions.py); `contacts` those of the last
30 days that count, and `holds` why somebody is left alone now.
"""

from datetime import datetime

from customers.contact_queries import look
from customers.decisions import Json, decision_documents, iso
from customers.dosing import MONTH
from customers.models import Channel, Contact, ContactHold, ContactKind, Customer
from customers.plans import Plan

KINDS = (
    ContactKind.PROMOTION,
    ContactKind.INFORMATION,
    ContactKind.ASK_NPS,
    ContactKind.ASK_SURVEY,
    ContactKind.ASK_THUMB,
)


def dose_document(customer: Customer, now: datetime) -> Json:
    """Return what one customer may get by e-mail now, what they had, and what stops it."""
    plans = [Plan(channel=Channel.EMAIL, kind=kind) for kind in KINDS]
    snapshot, _ = look({customer.pk: customer}, plans, now)
    judged = [snapshot.judge(customer.pk, plan) for plan in plans]
    contacts = Contact.objects.counting(now).filter(customer=customer, to_at__gt=now - MONTH)
    holds = ContactHold.objects.in_force(now).filter(customer=customer)
    return {
        "customer": customer.reference,
        "decisions": decision_documents(judged, now),
        "contacts": [
            _contact(one) for one in contacts.select_related("category").order_by("-from_at", "-pk")
        ],
        "holds": [
            {"reason": one.reason, "since": iso(one.created_at), "until": iso(one.until)}
            for one in holds.order_by("pk")
        ],
    }


def _contact(contact: Contact) -> Json:
    return {
        "id": contact.pk,
        "kind": contact.kind,
        "channel": contact.channel,
        "category": contact.category.name if contact.category else None,
        "from_at": iso(contact.from_at),
        "to_at": iso(contact.to_at),
        "status": contact.status,
    }
