"""The send list: contacts reserved for a mail tool of the shop's own, and what its report says.

A worker reserves, batch by batch, each committed; broken off it goes on where it was. Who took back
a permission since is left out of the list, whenever it is fetched.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from customers.audience import permitted
from customers.bell import ring_after_commit
from customers.models import Contact, ContactStatus
from customers.outcomes import release_contacts
from customers.reach import Funnel, claim_audience
from customers.unsubscribe import preferences_url, unsubscribe_url
from feedback import rating_links
from feedback.places import name_campaign
from feedback.rating_links import Link
from mailings.audience import choose, plan_of
from mailings.models import Mailing, MailingStatus, Means
from mailings.turns import free, ours, still_ours, take

# A list that was not reported back by then is flagged.
TIME_TO_REPORT = timedelta(hours=48)
GONE = (MailingStatus.DONE, MailingStatus.CANCELLED)


class NotNow(ValueError):
    """What was asked of a mailing cannot be done as it stands; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


# -- Reserving ------------------------------------------------------------------------------------


def start_list(*, mailing_id: int, now: datetime) -> Mailing:
    """Have contacts reserved for a draft; NotNow for one that was started, or is planned too late.

    What is asked under it gets a campaign of its own.
    """
    with transaction.atomic():
        mailing = locked_draft(mailing_id, Means.LIST)
        if mailing.planned_at <= now:
            raise NotNow(
                "planned", f"{mailing.planned_at:%Y-%m-%d %H:%M} UTC is over. Plan it later."
            )
        begin(mailing, MailingStatus.RESERVING, now)
    return mailing


def locked_draft(mailing_id: int, means: Means) -> Mailing:
    """Return a draft under its lock; NotNow for what was started before."""
    mailing = Mailing.objects.select_for_update(of=("self",)).get(pk=mailing_id, means=means)
    if mailing.status != MailingStatus.DRAFT:
        raise NotNow("started", f"{mailing.name} was started before.")
    return mailing


def begin(mailing: Mailing, status: MailingStatus, now: datetime) -> None:
    """Start a draft: what is asked under it gets a campaign of its own."""
    if mailing.touchpoint_id:
        mailing.campaign, _new = name_campaign(name=mailing.name, now=now)
    mailing.status = status
    mailing.save()
    ring_after_commit("mailings")


def any_due(now: datetime) -> bool:
    """Say whether a list waits for a worker."""
    return free(_waiting(), now).exists()


def reserve_due(now: datetime, clock: Callable[[], datetime]) -> int:
    """Reserve for the lists that wait, one after another; return how many are ready since."""
    done = 0
    while (mailing := take(_waiting(), now)) is not None:
        done += _reserve(mailing, clock)
    return done


def _waiting() -> QuerySet[Mailing]:
    return Mailing.objects.filter(status=MailingStatus.RESERVING)


def _reserve(mailing: Mailing, clock: Callable[[], datetime]) -> bool:
    chosen = choose(mailing, clock())
    if not mailing.funnel:
        # Broken off and begun again it would count its own contacts among those over their dose.
        mailing.funnel = steps_of(chosen)
        mailing.save(update_fields=["funnel"])
    refused: Counter[str] = Counter(mailing.refused)
    for claims in claim_audience(
        plan=plan_of(mailing),
        ids=chosen.ids,
        campaign=mailing.source,
        source=mailing.source,
        now=clock(),
    ):
        refused.update(
            one.judged.verdict.reasons[0].code
            for one in claims
            if one.judged and one.judged.verdict.reasons
        )
        if not still_ours(mailing, clock()):
            break
    done = ours(mailing).update(status=MailingStatus.READY, ready_at=clock(), refused=dict(refused))
    if not done and Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.CANCELLED).exists():
        # Cancelled while a batch was under way.
        _give_back(mailing, clock())
    return bool(done)


def steps_of(chosen: Funnel) -> dict[str, int]:
    """Return what is kept of a choice: how many fell out at each step."""
    steps = asdict(chosen)
    return {**{name: n for name, n in steps.items() if name != "ids"}, "now": chosen.now}


# -- The file -------------------------------------------------------------------------------------


def columns(mailing: Mailing) -> list[str]:
    """Return the merge fields of a list, in order."""
    asks = {"": [], "thumb": ["thumb_up", "thumb_down"]}
    scale = mailing.touchpoint.scale if mailing.touchpoint else ""
    question = asks.get(scale, ["question"])
    return ["contact", "email", "name", "language", *question, "preferences", "unsubscribe"]


def recipients(mailing: Mailing, now: datetime) -> Iterator[Contact]:
    """Yield the contacts of a list, but for those of who took their permission back since."""
    allowed = permitted(now, purpose=mailing.purpose).filter(channel="email")
    contacts = _contacts(mailing).filter(
        status=ContactStatus.RESERVED, customer__in=allowed.values("customer")
    )
    return contacts.select_related("customer").order_by("pk").iterator(2_000)


def merge_fields(mailing: Mailing, contact: Contact) -> Mapping[str, str]:
    """Return who gets a mail, and the links that belong in it, by merge field."""
    customer = contact.customer
    return {
        "contact": contact.request_id,
        "email": customer.email,
        "name": customer.name,
        "language": customer.language,
        **_question(mailing, contact),
        "preferences": preferences_url(customer),
        "unsubscribe": unsubscribe_url(customer, mailing.purpose, "email"),
    }


def _question(mailing: Mailing, contact: Contact) -> Mapping[str, str]:
    if mailing.touchpoint is None:
        return {}
    return rating_links.merge_fields(link_of(mailing, contact), mailing.touchpoint)


def link_of(mailing: Mailing, contact: Contact) -> Link:
    """Return the link under the mail of one contact, in a mailing that asks something."""
    return rating_links.link_of(contact.pk, mailing.touchpoint_id or 0, mailing.campaign_id or 0)


def _contacts(mailing: Mailing) -> QuerySet[Contact]:
    return Contact.objects.filter(source=mailing.source)


# -- What becomes of it ---------------------------------------------------------------------------


def cancel(*, mailing_id: int, now: datetime) -> Mailing:
    """Give back every contact that was not sent; NotNow for a mailing that is over."""
    with transaction.atomic():
        mailing = Mailing.objects.select_for_update(of=("self",)).get(pk=mailing_id)
        if mailing.status in GONE:
            raise NotNow("over", f"{mailing.name} is over already.")
        mailing.status, mailing.paused_by = MailingStatus.CANCELLED, ""
        mailing.finished_at = now
        mailing.save(update_fields=["status", "paused_by", "finished_at"])
    if mailing.means == Means.LIST:
        _give_back(mailing, now)
    return mailing


def _give_back(mailing: Mailing, now: datetime) -> None:
    waiting = _contacts(mailing).filter(status=ContactStatus.RESERVED)
    requests = list(waiting.values_list("request_id", flat=True))
    release_contacts(requests=requests, source=mailing.source, now=now)


def finish_reported(mailing: Mailing, now: datetime) -> None:
    """Call a list sent once nothing of it waits any more."""
    if not _contacts(mailing).filter(status=ContactStatus.RESERVED).exists():
        ready = Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.READY)
        ready.update(status=MailingStatus.DONE, finished_at=now)


def is_overdue(mailing: Mailing, now: datetime) -> bool:
    """Say whether a list that should have been sent was never reported back."""
    late = mailing.planned_at + TIME_TO_REPORT < now
    return late and mailing.status == MailingStatus.READY and mailing.reported_at is None
