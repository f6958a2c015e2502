"""What becomes of a reserved contact: sent, given back, failed, or run out.

Asked again, each gives the same answer. Whoever reserved sees only its own.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import transaction

from customers.contact_queries import look
from customers.contacts import BATCH, SAME_TIME, locked
from customers.models import Contact, ContactStatus, Customer
from customers.plans import ABOUT, Plan

logger = logging.getLogger(__name__)

SENT = (ContactStatus.SENT, ContactStatus.SENT_LATE)


class Answered(StrEnum):
    """What came of confirming or giving back."""

    SENT = "sent"
    SENT_LATE = "sent_late"
    RELEASED = "released"
    FAILED = "failed"
    # Do not send: permission was taken back since.
    NOT_PERMITTED = "not_permitted"
    # Do not send: it was given back, or failed.
    NOT_RESERVED = "not_reserved"
    # Do not send yet: it was reserved for later.
    TOO_EARLY = "too_early"
    # Too late to give back: it was sent.
    WAS_SENT = "was_sent"
    UNKNOWN = "unknown"


def confirm_contacts(*, requests: Sequence[str], source: str, now: datetime) -> dict[str, Answered]:
    """Say that contacts go out now, and hear whether they still may.

    Permission is asked about again: where it was taken back the contact is given back and must not
    go. After its lease a contact is counted as sent too late, and the log says whose it was. Asked
    again the answer is the same. `source` sees only its own.
    """
    return _each(requests, source, now, _confirming)


def report_sent(*, sent: Mapping[str, datetime], source: str, now: datetime) -> dict[str, Answered]:
    """Say when contacts went out, by request, as a mail tool tells afterwards.

    What was sent was sent: nothing is asked any more, and it counts at its own moment, too late
    where its lease was over or it had been given back.
    """
    return _each(list(sent), source, now, lambda *_: partial(_report, sent=sent))


def release_contacts(*, requests: Sequence[str], source: str, now: datetime) -> dict[str, Answered]:
    """Give back contacts that will not happen, so that they no longer weigh."""
    return _each(requests, source, now, lambda *_: partial(_give_up, status=ContactStatus.RELEASED))


def fail_contacts(*, requests: Sequence[str], source: str, now: datetime) -> dict[str, Answered]:
    """Say that contacts could not be delivered for good, so that they no longer weigh."""
    return _each(requests, source, now, lambda *_: partial(_give_up, status=ContactStatus.FAILED))


def expire_contacts(now: datetime) -> int:
    """Mark what was never confirmed as run out; return how much. It did not weigh any more."""
    over = Contact.objects.filter(status=ContactStatus.RESERVED, to_at__lte=now)
    return over.update(status=ContactStatus.EXPIRED)


# Changes a contact and says what came.
Step = Callable[[Contact], Answered]
# Takes contacts, their locked customers by id, and now; returns the step for each of them.
Prepare = Callable[[Sequence[Contact], dict[int, Customer], datetime], Step]


def _each(
    requests: Sequence[str], source: str, now: datetime, prepare: Prepare
) -> dict[str, Answered]:
    answers = dict.fromkeys(requests, Answered.UNKNOWN)
    ids = list(answers)
    for start in range(0, len(ids), BATCH):
        answers |= _together(ids[start : start + BATCH], source, now, prepare)
    return answers


def _together(
    requests: Sequence[str], source: str, now: datetime, prepare: Prepare
) -> dict[str, Answered]:
    with transaction.atomic():
        mine = Contact.objects.filter(request_id__in=requests, source=source)
        customers = locked(set(mine.values_list("customer_id", flat=True)))
        contacts = list(mine.filter(customer__in=customers).select_related("purpose", "category"))
        step = prepare(contacts, customers, now)
        before = {one.pk: one.status for one in contacts}
        answers = {one.request_id: step(one) for one in contacts}
        _store([one for one in contacts if one.status != before[one.pk]])
        return answers


def _store(changed: Iterable[Contact]) -> None:
    """Store what became of contacts: one statement for all that became the same."""
    alike: dict[tuple[str, datetime | None], list[Contact]] = defaultdict(list)
    for one in changed:
        alike[one.status, one.sent_at].append(one)
    for (status, sent_at), contacts in alike.items():
        when = {"sent_at": sent_at, "from_at": sent_at, "to_at": sent_at} if sent_at else {}
        rows = Contact.objects.filter(pk__in=[one.pk for one in contacts])
        rows.update(status=status, **when)


def _permitted(
    contacts: Iterable[Contact], customers: dict[int, Customer], now: datetime
) -> set[int]:
    """Return the ids of those whose customer permits them still."""
    plans = {
        one.pk: (one.customer_id, _plan_of(one))
        for one in contacts
        if one.purpose and one.purpose.kind in ABOUT[one.kind]
    }
    if not plans:
        return set()
    snapshot, _ = look(customers, [plan for _, plan in plans.values()], now)
    return {pk for pk, (customer, plan) in plans.items() if snapshot.permits(customer, plan)}


def _plan_of(contact: Contact) -> Plan:
    purpose = contact.purpose.key if contact.purpose else ""
    return Plan(channel=contact.channel, kind=contact.kind, purpose=purpose)


def _confirming(contacts: Sequence[Contact], customers: dict[int, Customer], now: datetime) -> Step:
    allowed = _permitted(contacts, customers, now)
    return lambda contact: _confirm(contact, contact.pk in allowed, now)


def _confirm(contact: Contact, is_permitted: bool, now: datetime) -> Answered:
    status = ContactStatus(contact.status)
    if status in SENT:
        return Answered(status)
    if status in {ContactStatus.RELEASED, ContactStatus.FAILED}:
        return Answered.NOT_RESERVED if is_permitted else Answered.NOT_PERMITTED
    if now < contact.from_at - SAME_TIME:
        # Before its time nothing was decided: not the dose, and not whether anybody sleeps.
        return Answered.TOO_EARLY
    in_time = contact.is_leased(now)
    if not is_permitted:
        contact.status = ContactStatus.RELEASED if in_time else ContactStatus.EXPIRED
        return Answered.NOT_PERMITTED
    contact.status = ContactStatus.SENT if in_time else ContactStatus.SENT_LATE
    contact.sent_at = contact.from_at = contact.to_at = now
    if not in_time:
        logger.warning("Contact %d of %s was sent after its lease", contact.pk, contact.source)
    return Answered(contact.status)


def _report(contact: Contact, sent: Mapping[str, datetime]) -> Answered:
    if contact.status in SENT:
        return Answered(contact.status)
    at = sent[contact.request_id]
    in_time = contact.status == ContactStatus.RESERVED and at < contact.to_at
    contact.status = ContactStatus.SENT if in_time else ContactStatus.SENT_LATE
    contact.sent_at = contact.from_at = contact.to_at = at
    return Answered(contact.status)


def _give_up(contact: Contact, status: ContactStatus) -> Answered:
    """Release or fail what was not sent, whether its lease ran out meanwhile or not; the first of
    the two stands.
    """
    if contact.status in SENT:
        return Answered.WAS_SENT
    if contact.status in {ContactStatus.RESERVED, ContactStatus.EXPIRED}:
        contact.status = status
    return Answered(contact.status)
