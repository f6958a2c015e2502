"""Letters about somebody's own permission and data: queued with what they are about, then sent.

The row is the queue. A letter is claimed, the claim committed, and only then handed over; what was
claimed and never finished is `unknown` and not sent again. The token of a link is made while it is
sent, so nobody but the reader of the mail ever has it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation

from customers.addresses import address_hash, address_hashes, mailbox
from customers.bell import ring_after_commit
from customers.models import Customer, Letter, LetterKind, LetterState, LinkAction, MailedLink
from customers.tokens import new_secret, secret_digest

logger = logging.getLogger(__name__)

WAITING = (LetterState.QUEUED, LetterState.FAILED_TEMP)
# Five tries within some two and a half hours: 5 minutes, doubled each time.
MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(minutes=5)
# Claimed and not finished after this long: the process that had it is gone.
LONGEST_CLAIM = timedelta(seconds=90)

# Nobody can fill a stranger's mailbox from a form: one letter of a kind a day to a mailbox, and
# three in ninety days of which no link is used.
DAY = timedelta(days=1)
MOST_UNUSED = 3
REMEMBERED = timedelta(days=90)

# Somebody asked for a link to an address, and whose it is was not looked up yet.
NO_LINK_YET = Q(kind=LetterKind.OPEN, state=LetterState.QUEUED, customer=None, link=None)

# Where each link of a letter leads.
PATHS = {LinkAction.CONFIRM: "/confirm/{token}/", LinkAction.OPEN: "/preferences/{token}/"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who letters come from: the name customers know, the From header, and how it addresses them.

    `formal` says "u" in Dutch.
    """

    name: str
    header: str
    formal: bool = False


def queue_letter(
    *,
    kind: LetterKind,
    customer: Customer,
    now: datetime,
    link: MailedLink | None = None,
    values: Mapping[str, str | int] | None = None,
) -> Letter:
    """Queue a letter to the customer's present address, in their language; rings after commit."""
    letter = Letter.objects.create(
        kind=kind,
        customer=customer,
        address=customer.email,
        address_hash=address_hash(mailbox(customer.email)),
        language=spoken(customer.language),
        link=link,
        values=dict(values or {}),
        queued_at=now,
        due_at=now,
    )
    ring_after_commit("letters")
    return letter


def may_write(
    *, kind: LetterKind, address: str, now: datetime, most: int | None = MOST_UNUSED
) -> bool:
    """Say whether an address may get another letter with a link of this kind now.

    `most` is None for who has a link of ours already: a stranger cannot use up their letters.
    """
    unused = Letter.objects.filter(
        ~NO_LINK_YET,
        kind=kind,
        address_hash__in=address_hashes(mailbox(address)),
        link__spent_at__isnull=True,
        queued_at__gt=now - REMEMBERED,
    )
    if unused.filter(queued_at__gt=now - DAY).exists():
        return False
    return most is None or unused.count() < most


def spoken(language: str) -> str:
    """Return the language we write in to somebody whose language is this."""
    short = language[:2].lower()
    return short if short in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


# -- Sending --------------------------------------------------------------------------------------


def send_due(sender: Sender, now: datetime) -> int:
    """Send the letters that wait, one at a time; return how many the mail server took."""
    _give_up_lost(now)
    sent = 0
    while (letter := _claim(now)) is not None:
        sent += _send(letter, sender, now)
    return sent


def any_due(now: datetime) -> bool:
    """Say whether a letter waits to be sent, or was lost on its way."""
    lost = Letter.objects.filter(state=LetterState.CLAIMED, claimed_at__lte=now - LONGEST_CLAIM)
    return Letter.objects.filter(state__in=WAITING, due_at__lte=now).exists() or lost.exists()


def _claim(now: datetime) -> Letter | None:
    """Take the next letter; another worker that took it first leaves us the one after."""
    while True:
        waiting = Letter.objects.filter(~NO_LINK_YET, state__in=WAITING, due_at__lte=now)
        in_turn = waiting.order_by("due_at", "pk")
        letter = in_turn.select_related("link", "customer").first()
        if letter is None:
            return None
        taken = Letter.objects.filter(pk=letter.pk, state=letter.state).update(
            state=LetterState.CLAIMED, claimed_at=now, attempts=letter.attempts + 1
        )
        if taken:
            letter.attempts += 1
            return letter


def _send(letter: Letter, sender: Sender, now: datetime) -> bool:
    try:
        _message(letter, sender).send()
    except (SMTPException, OSError) as error:
        _failed(letter, error, now)
        return False
    except ValueError as error:
        # An address or a name that no mail can be made of: the letters behind it go on.
        _finish(letter, LetterState.FAILED_PERM, now)
        logger.warning("letter_not_made letter=%d error=%s", letter.pk, type(error).__name__)
        return False
    _finish(letter, LetterState.SENT, now)
    return True


def _message(letter: Letter, sender: Sender) -> EmailMessage:
    given = {
        "organisation": sender.name,
        "link": _fresh_link(letter.link, letter.language) if letter.link else "",
        "values": letter.values,
        "letter": letter,
    }
    language = letter.language
    with translation.override("nl-formal" if sender.formal and language == "nl" else language):
        subject = render_to_string(f"customers/letters/{letter.kind}_subject.txt", given)
        body = render_to_string(f"customers/letters/{letter.kind}.txt", given)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        from_email=sender.header,
        to=[letter.address],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _fresh_link(link: MailedLink, language: str) -> str:
    """Make the token of a link, store its digest, and return the address to be mailed.

    The page behind it speaks the language of the letter, whatever the token turns out to be worth.
    """
    token = new_secret()
    link.digest = secret_digest(token)
    link.save(update_fields=["digest"])
    path = PATHS[LinkAction(link.action)].format(token=token)
    return f"{settings.BASE_URL}{path}?lang={language}"


def _failed(letter: Letter, error: Exception, now: datetime) -> None:
    refused = isinstance(error, SMTPResponseException) and error.smtp_code >= 500
    if refused or letter.attempts >= MOST_ATTEMPTS:
        _finish(letter, LetterState.FAILED_PERM, now)
    else:
        pause = FIRST_PAUSE * 2 ** (letter.attempts - 1)
        Letter.objects.filter(pk=letter.pk).update(
            state=LetterState.FAILED_TEMP, due_at=now + pause
        )
    logger.warning(
        "letter_not_sent letter=%d attempt=%d error=%s",
        letter.pk, letter.attempts, type(error).__name__,
    )  # fmt: skip


def _finish(letter: Letter, state: LetterState, now: datetime) -> None:
    Letter.objects.filter(pk=letter.pk).update(state=state, finished_at=now, address="")


def _give_up_lost(now: datetime) -> None:
    lost = Letter.objects.filter(state=LetterState.CLAIMED, claimed_at__lte=now - LONGEST_CLAIM)
    with transaction.atomic():
        lost.update(state=LetterState.UNKNOWN, finished_at=now, address="")
