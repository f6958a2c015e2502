"""Forgetting a customer: what is held of them, and emptying it.

The lines of the ledger stay, as proof (GDPR art. 17(3)(b) and (e)): they name a number and a keyed
hash of the address. So does the stop of that address, until it is looked at again.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from customers.addresses import ERASED, address_hashes, erased_references
from customers.consent import Actor, Method, State
from customers.ledger import Act, record_consent
from customers.letters import queue_letter
from customers.models import (
    AccessLog,
    ConsentState,
    Contact,
    ContactHold,
    Customer,
    CustomerMerge,
    CustomerType,
    DataRequest,
    Decision,
    Evidence,
    Letter,
    LetterKind,
    MailedLink,
    Purchase,
    RequestState,
    Suppression,
    SuppressionReason,
)
from customers.stop_log import Line, log_after_commit
from customers.suppressions import Stop, suppress
from customers.withdrawals import STANDING

# What stands where a text of or about the customer stood that cannot be empty.
EMPTIED = "erased"

# Tables that point to a customer and stay as they are, and why.
KEPT = {
    "customers.consententry": "the ledger: a number and keyed hashes, as proof",
    "customers.erasure": "the proof of the erasure itself; its reason names nobody",
}


def held(ids: Collection[int]) -> dict[str, int]:
    """Return for each table how many rows hold something of these customers."""
    theirs = {"customer__in": list(ids)}
    return {
        "customers.customer": _named(ids).count(),
        "customers.purchase": Purchase.objects.filter(**theirs).count(),
        "customers.consentstate": _standing(ids).count(),
        "customers.evidence": Evidence.objects.filter(entry__customer__in=list(ids)).count(),
        "customers.mailedlink": MailedLink.objects.filter(**theirs).count(),
        "customers.letter": Letter.objects.filter(**theirs).count(),
        "customers.contact": Contact.objects.filter(**theirs).count(),
        "customers.contacthold": ContactHold.objects.filter(**theirs).count(),
        "customers.decision": Decision.objects.filter(**theirs).count(),
        "customers.accesslog": AccessLog.objects.filter(**theirs).count(),
        "customers.datarequest": _told(ids).count(),
        "customers.customermerge": _merges(ids).exclude(reason=EMPTIED).count(),
    }


def identifiers_of(ids: Iterable[int]) -> list[str]:
    """Return what files may know these customers by: references and addresses."""
    rows = Customer.objects.filter(pk__in=list(ids)).values_list("reference", "email")
    found = {text for row in rows for text in row if text and not text.startswith(ERASED)}
    return sorted(found)


def erase_customer(*, ids: Collection[int], told: bool, handled_by: str, now: datetime) -> None:
    """Forget the records of one person, in one transaction; a second time changes nothing.

    With `told` a last letter says so: it is queued before the address is forgotten, and the
    address goes with it. Requests that were open are done with this.
    """
    with transaction.atomic():
        people = list(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        _withdraw(ids, now)
        for one in people:
            _stop(one, now)
            _log(one, now)
        if told:
            _tell(people, now)
        _delete(ids)
        _empty_requests(ids, handled_by, now)
        _merges(ids).update(reason=EMPTIED)
        for one in people:
            _empty(one, now)


# -- The steps ------------------------------------------------------------------------------------


def _withdraw(ids: Collection[int], now: datetime) -> None:
    """Take back what stands, so that the ledger itself says that it ended here."""
    for state in _standing(ids).select_related("customer", "purpose").order_by("customer_id", "pk"):
        act = Act(
            purpose=state.purpose,
            channel=state.channel,
            state=State.WITHDRAWN,
            actor=Actor.SYSTEM,
            method=Method.ERASURE,
            occurred_at=now,
            address=state.customer.email,
        )
        record_consent(customer=state.customer, act=act, now=now)


def _stop(customer: Customer, now: datetime) -> None:
    review_at = now + timedelta(days=settings.RETENTION_STOPS_DAYS)
    stop = Stop(reason=SuppressionReason.ERASURE, review_at=review_at)
    suppress(hashes=address_hashes(customer.email), stop=stop, now=now)


def _log(customer: Customer, now: datetime) -> None:
    if customer.erased_at is None:
        reference = erased_references(customer.reference)[0]
        line: Line = {"kind": "erased", "at": now.isoformat(), "customer": customer.pk}
        log_after_commit([{**line, "reference": reference}])


def _tell(people: Iterable[Customer], now: datetime) -> None:
    """Queue one last letter to each address, which is gone with it as soon as it is sent."""
    addresses = {one.email: one for one in people if one.email}
    for address, one in addresses.items():
        unreachable = Suppression.objects.filter(
            address_hash__in=address_hashes(address), everything=True
        )
        if not unreachable.exists():
            letter = queue_letter(kind=LetterKind.ERASED, customer=one, now=now)
            Letter.objects.filter(pk=letter.pk).update(customer=None)


def _delete(ids: Collection[int]) -> None:
    theirs = {"customer__in": list(ids)}
    Evidence.objects.filter(entry__customer__in=list(ids)).delete()
    Letter.objects.filter(**theirs).delete()
    MailedLink.objects.filter(**theirs).delete()
    AccessLog.objects.filter(**theirs).delete()
    Decision.objects.filter(**theirs).delete()
    Contact.objects.filter(**theirs).delete()
    ContactHold.objects.filter(**theirs).delete()
    Purchase.objects.filter(**theirs).delete()


def _empty_requests(ids: Collection[int], handled_by: str, now: datetime) -> None:
    requests = DataRequest.objects.filter(customer__in=list(ids))
    requests.filter(state=RequestState.OPEN).update(
        state=RequestState.DONE, finished_at=now, handled_by=handled_by
    )
    requests.update(text="", corrections={}, answer=EMPTIED)


def _empty(customer: Customer, now: datetime) -> None:
    Customer.objects.filter(pk=customer.pk).update(
        reference=erased_references(customer.reference)[0],
        email="",
        name="",
        language="",
        time_zone="",
        address_hash="",
        older_hash="",
        verified_hash="",
        restricted_at=None,
        paused_until=None,
        monthly_limit=None,
        customer_type=CustomerType.PROSPECT,
        lower_type_since=None,
        erased_at=customer.erased_at or now,
    )


# -- What is held ---------------------------------------------------------------------------------


def _named(ids: Collection[int]) -> QuerySet[Customer]:
    """Customers whose row still says something of them."""
    empty = Q(
        reference__startswith=ERASED,
        email="",
        name="",
        language="",
        time_zone="",
        address_hash="",
        older_hash="",
        verified_hash="",
        customer_type=CustomerType.PROSPECT,
    ) & Q(
        erased_at__isnull=False,
        restricted_at__isnull=True,
        paused_until__isnull=True,
        monthly_limit__isnull=True,
        lower_type_since__isnull=True,
    )
    return Customer.objects.filter(pk__in=list(ids)).exclude(empty)


def _standing(ids: Collection[int]) -> QuerySet[ConsentState]:
    return ConsentState.objects.filter(customer__in=list(ids), state__in=STANDING)


def _told(ids: Collection[int]) -> QuerySet[DataRequest]:
    """Requests that still say something, or wait for something."""
    emptied = Q(text="", corrections={}, answer=EMPTIED) & ~Q(state=RequestState.OPEN)
    return DataRequest.objects.filter(customer__in=list(ids)).exclude(emptied)


def _merges(ids: Collection[int]) -> QuerySet[CustomerMerge]:
    return CustomerMerge.objects.filter(Q(survivor__in=list(ids)) | Q(absorbed__in=list(ids)))
