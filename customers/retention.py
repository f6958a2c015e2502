"""Deleting what was kept long enough; the settings say how long that is."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.consent import ALLOWING, Actor, Method, State
from customers.ledger import Act, record_consent
from customers.letters import WAITING
from customers.models import (
    AccessLog,
    ConsentState,
    Contact,
    ContactHold,
    Customer,
    DataRequest,
    Decision,
    Letter,
    LetterState,
    LinkAction,
    MailedLink,
    Purchase,
    RequestState,
    Suppression,
    SuppressionReason,
)
from customers.suppressions import lift

# A record that came in by a form was made with the ask itself.
SAME_MOMENT = timedelta(minutes=1)


def tidy(now: datetime) -> dict[str, int]:
    """Delete what is older than allowed, and return how much of what; safe to run twice."""
    return {
        "access_log": _gone(AccessLog.objects.filter(viewed_at__lt=_ago(now, "ACCESS_LOG"))),
        "contacts": _gone(Contact.objects.filter(to_at__lt=_ago(now, "CONTACTS"))),
        "decisions": _gone(Decision.objects.filter(decided_at__lt=_ago(now, "DECISIONS"))),
        "holds": _gone(_old_holds(now)),
        # Letters before their links: those go along with a letter's link, and not the other way.
        "letters": _gone(Letter.objects.filter(finished_at__lt=_ago(now, "LETTERS"))),
        "links": _gone(_old_links(now)),
        "requests": _gone(_old_requests(now)),
        "stops": _lift_reviewed(now),
        "unconfirmed_addresses": _forget_unconfirmed(now),
    }


def _ago(now: datetime, what: str) -> datetime:
    days: int = getattr(settings, f"RETENTION_{what}_DAYS")
    return now - timedelta(days=days)


def _gone(rows: QuerySet) -> int:  # type: ignore[type-arg]
    """Delete rows and return how many, without what went along."""
    n, by_table = rows.delete()
    return by_table.get(rows.model._meta.label, 0) if n else 0


def _old_links(now: datetime) -> QuerySet[MailedLink]:
    waiting = Letter.objects.filter(link=OuterRef("pk"))
    return MailedLink.objects.filter(~Exists(waiting), expires_at__lt=_ago(now, "LETTERS"))


def _old_holds(now: datetime) -> QuerySet[ContactHold]:
    """Holds that ended, or were lifted, as long ago as contacts are kept."""
    ago = _ago(now, "CONTACTS")
    return ContactHold.objects.filter(Q(until__lt=ago) | Q(released_at__lt=ago))


def _old_requests(now: datetime) -> QuerySet[DataRequest]:
    return DataRequest.objects.exclude(state=RequestState.OPEN).filter(
        finished_at__lt=_ago(now, "REQUESTS")
    )


def _lift_reviewed(now: datetime) -> int:
    """Let go of the hashes of erased addresses whose time has come."""
    due = Suppression.objects.filter(reason=SuppressionReason.ERASURE, review_at__lte=now)
    hashes = list(due.values_list("address_hash", flat=True))
    return lift(hashes=hashes, reasons=[SuppressionReason.ERASURE], now=now)


def _forget_unconfirmed(now: datetime) -> int:
    """Forget addresses that were typed into a form and never confirmed; nobody owns them to us."""
    people = list(_unconfirmed(now).order_by("pk"))
    for customer in people:
        with transaction.atomic():
            Customer.objects.select_for_update().get(pk=customer.pk)
            _expire(customer, now)
            letters = Letter.objects.filter(customer=customer)
            letters.filter(state__in=WAITING).update(
                state=LetterState.FAILED_PERM, finished_at=now, address=""
            )
            # That there were letters is kept for a while, or typing the address again would begin
            # to count anew.
            letters.update(link=None)
            MailedLink.objects.filter(customer=customer).delete()
            Customer.objects.filter(pk=customer.pk).update(
                email="", name="", address_hash="", older_hash=""
            )
    return len(people)


def _unconfirmed(now: datetime) -> QuerySet[Customer]:
    """Customers made by a form, whose links ended unused, and of whom nothing else is known.

    One that waits, was used, or any purchase or permission keeps them.
    """
    mine = {"customer": OuterRef("pk")}
    asked = MailedLink.objects.filter(**mine, action=LinkAction.CONFIRM)
    made_by_it = asked.filter(asked_at__lte=OuterRef("created_at") + SAME_MOMENT)
    links = MailedLink.objects.filter(**mine)
    alive = links.filter(expires_at__gt=now) | links.filter(spent_at__isnull=False)
    allowed = ConsentState.objects.filter(**mine, state__in=[*ALLOWING])
    return Customer.objects.filter(
        Exists(made_by_it),
        ~Exists(alive),
        ~Exists(allowed),
        ~Exists(Purchase.objects.filter(**mine)),
        ~Exists(DataRequest.objects.filter(**mine)),
        verified_hash="",
    ).exclude(email="")


def _expire(customer: Customer, now: datetime) -> None:
    """Say in the ledger that what waited for a confirmation ended without one."""
    waiting = ConsentState.objects.filter(customer=customer, state=State.PENDING)
    for state in waiting.select_related("purpose").order_by("pk"):
        act = Act(
            purpose=state.purpose,
            channel=state.channel,
            state=State.EXPIRED,
            actor=Actor.SYSTEM,
            method=Method.NOT_CONFIRMED,
            occurred_at=now,
            address=customer.email,
        )
        record_consent(customer=customer, act=act, now=now)
