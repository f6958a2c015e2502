"""Sending from here: a row for each mail, claimed, committed, and only then handed over.

The rows are the queue. Under the lock of the customer permission is asked about, the dose decided
and the contact reserved, and only then the mail is on its way; what was on its way when a worker
died is `unknown` and never sent again by itself.
"""

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from customers.addresses import address_hashes
from customers.bell import ring_after_commit
from customers.contacts import Claim, Request, claim_contact
from customers.dosing import Outcome
from customers.letters import Sender
from customers.models import ConsentEntry, Customer, SuppressionReason
from customers.outcomes import fail_contacts, release_contacts, report_sent
from customers.suppressions import Stop, suppress
from feedback.models import Response
from mailings import lists
from mailings.asked import invite
from mailings.audience import choose, plan_of
from mailings.compose import MOST_PICKS, NO_PICKS, Composer
from mailings.lists import NotNow, begin, locked_draft, steps_of
from mailings.models import (
    UNDER_WAY,
    WAITING,
    Delivery,
    DeliveryStatus,
    Group,
    Mailing,
    MailingStatus,
    Means,
    PausedBy,
)
from mailings.picking import Picks, permits_personal, personal_picks, popular_picks
from mailings.transport import Fate, Handed, Transport, Unreachable
from mailings.turns import free, ours, still_ours, take

logger = logging.getLogger(__name__)

# Five tries within an hour and a quarter: after 5 minutes, doubled each time. A contact is reserved
# for six.
MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(minutes=5)
# Claimed and not finished after this long: the worker that had it is gone.
LONGEST_CLAIM = timedelta(seconds=90)
# Permission was asked about so long ago at most when the mail goes out.
FRESH = timedelta(seconds=30)
# Who may be contacted later the same day is tried again then; later than this they are left out.
WORTH_WAITING = timedelta(hours=24)
# So many errors in a row pause a mailing: something is wrong with the server or the mail.
MOST_ERRORS = 20

# Rows of a mailing are made and fetched so many at a time; then the next mailing has its turn.
MADE_AT_ONCE = 2_000
BATCH = 100
# A run ends after this long, so that letters and answers never wait for a mailing.
LONGEST_RUN = timedelta(seconds=30)

Clock = Callable[[], datetime]


# -- Planning -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen before a mailing goes.

    `guess` is how many thumbs up of a hundred are expected. Of a hundred who permit personal
    content `generic_percent` get what everybody gets; None leaves it as it was. `most` is to how
    many it goes at most, by chance, and after `enough` answers it goes to nobody else.
    """

    guess: int | None = None
    generic_percent: int | None = None
    enough: int | None = None
    most: int | None = None


def schedule(
    *, mailing_id: int, at: datetime, now: datetime, choices: Choices | None = None
) -> Mailing:
    """Plan a draft for a moment, or for now; NotNow for one that was started, or says nothing."""
    chosen = choices or Choices()
    with transaction.atomic():
        mailing = locked_draft(mailing_id, Means.HERE)
        if not mailing.texts.exists():
            raise NotNow("unwritten", f"{mailing.name} says nothing yet. Write it first.")
        mailing.planned_at = max(at, now)
        mailing.guess, mailing.enough, mailing.most = chosen.guess, chosen.enough, chosen.most
        if chosen.generic_percent is not None:
            mailing.generic_percent = chosen.generic_percent
        begin(mailing, MailingStatus.SCHEDULED, now)
    return mailing


def any_due(now: datetime) -> bool:
    """Say whether something waits to be planned, sent, or given up."""
    return (
        free(_scheduled(now), now).exists()
        or _lost(now).exists()
        or _sending().filter(Exists(_due(now).filter(mailing=OuterRef("pk")))).exists()
        or _spent().exists()
    )


def plan_due(now: datetime, clock: Clock) -> int:
    """Make the rows of mailings whose moment has come; return how many are being sent since."""
    done = 0
    while (mailing := take(_scheduled(now), now)) is not None:
        done += _plan(mailing, clock)
    return done


def _scheduled(now: datetime) -> QuerySet[Mailing]:
    return Mailing.objects.filter(status=MailingStatus.SCHEDULED, planned_at__lte=now)


def _plan(mailing: Mailing, clock: Clock) -> bool:
    """Make a row for everybody it may reach. Made again after a broken-off try, none is double."""
    chosen = choose(mailing, clock())
    drawn = _drawn(mailing, chosen.ids)
    for start in range(0, len(drawn), MADE_AT_ONCE):
        ids, due_at = drawn[start : start + MADE_AT_ONCE], clock()
        rows = [Delivery(mailing=mailing, customer_id=pk, due_at=due_at) for pk in ids]
        with transaction.atomic():
            # Whoever took over waits, so that nobody makes rows while they are sent.
            if ours(mailing).select_for_update().first() is None:
                break
            Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        if not still_ours(mailing, clock()):
            break
    funnel = {**steps_of(chosen), "not_drawn": len(chosen.ids) - len(drawn), "now": len(drawn)}
    made = ours(mailing).update(status=MailingStatus.SENDING, funnel=funnel)
    if not made and Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.CANCELLED).exists():
        # Cancelled while rows were made.
        _drop_waiting(mailing, "cancelled", clock())
    return bool(made)


def _drawn(mailing: Mailing, ids: Sequence[int]) -> Sequence[int]:
    """Draw as many as are to be asked, by chance; everybody where nobody said how many."""
    if mailing.most is None or mailing.most >= len(ids):
        return ids
    return sorted(sorted(ids, key=lambda pk: _chance(mailing, pk, "drawn"))[: mailing.most])


def _chance(mailing: Mailing, customer_id: int, what: str) -> int:
    """Return a number by chance that is the same however often it is asked."""
    drawn = hashlib.sha256(f"{what} {mailing.pk} {customer_id}".encode()).digest()
    return int.from_bytes(drawn[:8])


# -- Sending --------------------------------------------------------------------------------------


def send_due(sender: Sender, now: datetime, clock: Clock) -> int:
    """Send what waits, mailing by mailing in turns; return how many the mail server took.

    Ends after half a minute and rings for the rest.
    """
    give_up_lost(now)
    plan_due(now, clock)
    until = now + LONGEST_RUN
    runs = [_Run(one, sender, clock, until) for one in _sending()]
    transport, busy, is_reached = Transport(), runs, True
    try:
        while busy and clock() < until:
            busy = [run for run in busy if run.turn(transport)]
    except Unreachable as error:
        is_reached = False
        logger.warning("mail_server_unreachable error=%s", error)
        for run in busy:
            _count_error(run.mailing)
    finally:
        transport.close()
    _finish_spent(clock())
    # A server that does not answer is asked again by the next sweep.
    if is_reached and any_due(clock()):
        ring_after_commit("mailings")
    return sum(run.sent for run in runs)


def _sending() -> QuerySet[Mailing]:
    sending = Mailing.objects.filter(status=MailingStatus.SENDING).order_by("pk")
    return sending.select_related("purpose", "category", "touchpoint", "campaign")


def _due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(status__in=WAITING, due_at__lte=now)


class _Run:
    """What one worker sends of one mailing."""

    def __init__(self, mailing: Mailing, sender: Sender, clock: Clock, until: datetime) -> None:
        self.mailing = mailing
        self.sent = 0
        self._composer = Composer(mailing, sender)
        self._wants_picks = self._composer.wants_picks
        self._clock = clock
        self._until = until
        self._had_errors = mailing.errors_in_row > 0

    def turn(self, transport: Transport) -> bool:
        """Send the next batch; return whether there may be more."""
        if _has_enough(self.mailing):
            _stop_asking(self.mailing, self._clock())
            return False
        due = _due(self._clock()).filter(mailing=self.mailing).order_by("due_at", "pk")
        batch = list(due.values_list("pk", "customer_id")[:BATCH])
        # Workers beside us read the same rows: in another order they seldom want the same one.
        random.shuffle(batch)
        for pk, customer in batch:
            if self._clock() >= self._until:
                return False
            transport.open()
            claimed = _claim(pk, customer, self.mailing, self._clock())
            if claimed:
                self._hand_over(claimed, transport)
        return (
            bool(batch)
            and Mailing.objects.filter(pk=self.mailing.pk, status=MailingStatus.SENDING).exists()
        )

    def _hand_over(self, claimed: "_Claimed", transport: Transport) -> None:
        handed = self._handed(claimed, transport)
        record(claimed.delivery, handed, self._clock())
        if handed.fate is Fate.SENT:
            self.sent += 1
            if self._had_errors:
                Mailing.objects.filter(pk=self.mailing.pk).update(errors_in_row=0)
                self._had_errors = False
        else:
            self._had_errors = True
            _count_error(self.mailing)

    def _handed(self, claimed: "_Claimed", transport: Transport) -> Handed:
        delivery = claimed.delivery
        try:
            picks = self._picks(delivery) if self._wants_picks else NO_PICKS
            message = self._composer.message(delivery, claimed.entry, picks)
        except ValueError as error:
            return Handed(Fate.FAILED, code=type(error).__name__)
        if self._clock() - claimed.at > FRESH:
            return Handed(Fate.FAILED_TEMP, code="stale")
        return transport.send(message)

    def _picks(self, delivery: Delivery) -> Picks:
        """Choose products, for who permits that by what they bought; some of them by chance not."""
        now = self._clock()
        # Of the try before, when they may have permitted something else.
        delivery.group = ""
        if not permits_personal(delivery.customer, "email", now):
            return popular_picks(MOST_PICKS)
        delivery.group = group_of(self.mailing, delivery.customer_id)
        if delivery.group == Group.GENERIC:
            return popular_picks(MOST_PICKS)
        return personal_picks(delivery.customer, now, MOST_PICKS)


def group_of(mailing: Mailing, customer_id: int) -> Group:
    """Return the group of a customer: by chance, and the same however often it is asked."""
    share = _chance(mailing, customer_id, "group") % 100
    return Group.GENERIC if share < mailing.generic_percent else Group.PERSONAL


def _has_enough(mailing: Mailing) -> bool:
    """Say whether as many answered as were wanted."""
    if mailing.enough is None or mailing.campaign_id is None:
        return False
    return Response.objects.filter(campaign=mailing.campaign_id).count() >= mailing.enough


def _stop_asking(mailing: Mailing, now: datetime) -> None:
    _drop_waiting(mailing, "enough", now)
    logger.info("mailing_has_enough mailing=%d answers=%d", mailing.pk, mailing.enough)


def _count_error(mailing: Mailing) -> None:
    """Count an error, and pause after too many in a row."""
    mine = Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.SENDING)
    mine.update(errors_in_row=F("errors_in_row") + 1)
    paused = mine.filter(errors_in_row__gte=MOST_ERRORS).update(
        status=MailingStatus.PAUSED, paused_by=PausedBy.ERRORS
    )
    if paused:
        logger.error("mailing_paused mailing=%d errors=%d", mailing.pk, MOST_ERRORS)


# -- Claiming -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row that is on its way since a moment, and what permits it."""

    delivery: Delivery
    entry: ConsentEntry
    at: datetime


def _claim(pk: int, customer_id: int, mailing: Mailing, now: datetime) -> _Claimed | None:
    """Reserve the contact of a row and put it on its way; None where it does not go now.

    The customer's row is locked first, as for everything that concerns a person.
    """
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=customer_id)
        row = _due(now).filter(pk=pk, customer=customer, mailing__status=MailingStatus.SENDING)
        delivery = row.select_for_update(of=("self",)).first()
        if delivery is None:
            return None
        if delivery.contact_id:
            # Of the try before; this one is decided on anew.
            release_contacts(requests=[_request_id(delivery)], source=mailing.source, now=now)
        delivery.attempts += 1
        request = Request(
            request_id=_request_id(delivery),
            customer=customer,
            plan=replace(plan_of(mailing), at=None, lease=None),
            source=mailing.source,
        )
        claim = claim_contact(request=request, now=now)
        if claim.contact is None or claim.judged is None or claim.judged.entry is None:
            _leave_out(delivery, claim, mailing, now)
            return None
        delivery.customer, delivery.contact = customer, claim.contact
        delivery.status, delivery.claimed_at = DeliveryStatus.CLAIMED, now
        delivery.save(update_fields=["status", "claimed_at", "attempts", "contact"])
    return _Claimed(delivery, claim.judged.entry, now)


def _request_id(delivery: Delivery) -> str:
    """Return the request of a try: each is decided on anew, and none twice."""
    return f"mailing:{delivery.mailing_id}:{delivery.pk}:{delivery.attempts}"


def _leave_out(delivery: Delivery, claim: Claim, mailing: Mailing, now: datetime) -> None:
    """Leave somebody out, or wait until they may be contacted if that is the same day."""
    verdict = claim.judged.verdict if claim.judged else None
    reasons = verdict.reasons if verdict else ()
    delivery.code = str(reasons[0].code) if reasons else "customer"
    later = verdict.next_allowed_at if verdict and verdict.outcome is Outcome.DEFER else None
    if later and now < later <= mailing.planned_at + WORTH_WAITING:
        delivery.due_at = later
    else:
        delivery.status, delivery.finished_at = DeliveryStatus.CANCELLED, now
    delivery.save(update_fields=["status", "code", "due_at", "finished_at"])


# -- What became of it ----------------------------------------------------------------------------


def record(delivery: Delivery, handed: Handed, now: datetime) -> None:
    """Write down what became of a mail that was on its way, once.

    What was given up as unknown meanwhile and was sent after all is sent; else it stays unknown.
    """
    fate = handed.fate
    if fate is Fate.FAILED_TEMP and delivery.attempts >= MOST_ATTEMPTS:
        fate = Fate.FAILED
    known = [DeliveryStatus.CLAIMED]
    if fate is Fate.SENT:
        known.append(DeliveryStatus.UNKNOWN)
    waits = fate is Fate.FAILED_TEMP
    pause = FIRST_PAUSE * 2 ** (delivery.attempts - 1)
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=delivery.customer_id)
        row = Delivery.objects.filter(pk=delivery.pk, status__in=known, attempts=delivery.attempts)
        if not row.update(
            status=fate.value,
            group=delivery.group,
            phase=handed.phase,
            code=handed.code,
            due_at=now + pause if waits else delivery.due_at,
            finished_at=None if waits else now,
        ):
            return
        request, source = _request_id(delivery), f"mailing:{delivery.mailing_id}"
        if fate is Fate.FAILED:
            fail_contacts(requests=[request], source=source, now=now)
        elif not waits:
            # Unknown weighs like sent: nobody gets more because we are not sure.
            report_sent(sent={request: now}, source=source, now=now)
        if fate is Fate.SENT:
            _ask(delivery, now)
        if handed.no_such_address:
            stop = Stop(reason=SuppressionReason.BOUNCE, everything=True)
            suppress(hashes=list(address_hashes(customer.email)), stop=stop, now=now)


def _ask(delivery: Delivery, now: datetime) -> None:
    """Count who was asked, for the response rate."""
    mailing, contact = delivery.mailing, delivery.contact
    if mailing.touchpoint and contact:
        invite(mailing, [contact], {contact.request_id: now})


def give_up_lost(now: datetime) -> int:
    """Call unknown what a worker had and never finished; return how many."""
    lost = list(_lost(now).select_related("contact", "mailing__touchpoint", "customer"))
    for delivery in lost:
        record(delivery, Handed(Fate.UNKNOWN, code="lost"), now)
    return len(lost)


def _lost(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        status=DeliveryStatus.CLAIMED, claimed_at__lte=now - LONGEST_CLAIM
    )


def _spent() -> QuerySet[Mailing]:
    """Return what is being sent and has nothing left to send."""
    under_way = Delivery.objects.filter(mailing=OuterRef("pk"), status__in=UNDER_WAY)
    return Mailing.objects.filter(~Exists(under_way), status=MailingStatus.SENDING)


def _finish_spent(now: datetime) -> None:
    _spent().update(status=MailingStatus.DONE, finished_at=now)


# -- By hand --------------------------------------------------------------------------------------


def pause(*, mailing_id: int) -> None:
    """Send nothing more of a mailing for the time being; NotNow if it is not being sent."""
    mine = Mailing.objects.filter(pk=mailing_id, status=MailingStatus.SENDING)
    if not mine.update(status=MailingStatus.PAUSED, paused_by=PausedBy.PERSON):
        raise NotNow("not_sending", f"Mailing {mailing_id} is not being sent.")


def resume(*, mailing_id: int) -> None:
    """Go on with a mailing that was paused; NotNow if it was not."""
    mine = Mailing.objects.filter(pk=mailing_id, status=MailingStatus.PAUSED)
    with transaction.atomic():
        if not mine.update(status=MailingStatus.SENDING, paused_by="", errors_in_row=0):
            raise NotNow("not_paused", f"Mailing {mailing_id} is not paused.")
        ring_after_commit("mailings")


def cancel(*, mailing_id: int, now: datetime) -> Mailing:
    """End a mailing: what waits does not go, and what was reserved for it is given back.

    What is on its way ends as it ends. NotNow for a mailing that is over.
    """
    mailing = lists.cancel(mailing_id=mailing_id, now=now)
    _drop_waiting(mailing, "cancelled", now)
    return mailing


def _drop_waiting(mailing: Mailing, code: str, now: datetime) -> None:
    """Send nothing that waits, and give back what was reserved for it."""
    waiting = Delivery.objects.filter(mailing=mailing, status__in=WAITING)
    reserved = [_request_id(one) for one in waiting.filter(contact__isnull=False)]
    waiting.update(status=DeliveryStatus.CANCELLED, code=code, finished_at=now)
    release_contacts(requests=reserved, source=mailing.source, now=now)
