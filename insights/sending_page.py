"""What the page of a mailing shows that is sent from here: what is missing, and how far it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.audience import permitted
from customers.letters import Sender, spoken
from insights.dose_words import outcome_words
from insights.mail_alignment import Alignment, alignment
from insights.organisation import mail_folder
from insights.precision import answers_needed, invitations_needed
from insights.templatetags.numbers import number
from mailings.asked import answered_before
from mailings.audience import members
from mailings.compose import Composer, Mail, languages_needed
from mailings.message import MessageRefused
from mailings.models import UNDER_WAY, Delivery, DeliveryStatus, Mailing

LEFT_OUT: Mapping[str, Any] = {
    "cancelled": gettext_lazy("The mailing was cancelled"),
    "merged": gettext_lazy("Their other record got it"),
    "customer": gettext_lazy("Not to be reached"),
    "enough": gettext_lazy("Enough had answered"),
}
MARGINS = (3, 5, 10)
NEEDED: Mapping[str, Any] = {
    "nl": gettext_lazy("%(n)s of those who may get it read Dutch, and there is no Dutch text."),
    "en": gettext_lazy("%(n)s of those who may get it read English, and there is no English text."),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How many mails are in each state, why people were left out, and how quick it goes."""

    total: int
    sent: int
    waiting: int
    failed: int
    unknown: int
    left_out: Sequence[tuple[str, int]]
    a_minute: int

    @property
    def percent(self) -> int:
        return 100 * (self.total - self.waiting) // self.total if self.total else 0

    @property
    def text(self) -> str:
        given = {"sent": number(self.sent), "total": number(self.total)}
        said = _("%(sent)s of %(total)s sent") % given
        if self.a_minute:
            said += ", " + _("%(n)s in the last minute") % {"n": number(self.a_minute)}
        return said


def progress(mailing: Mailing, now: datetime) -> Progress:
    """Count the mails of a mailing, in two queries."""
    rows = Delivery.objects.filter(mailing=mailing)
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for status, code, n in rows.values_list("status", "code").annotate(n=Count("pk")).order_by():
        counts[status] += n
        if status == DeliveryStatus.CANCELLED:
            left_out[_why(code)] += n
    minute = now - timedelta(minutes=1)
    return Progress(
        total=sum(counts.values()),
        sent=counts[DeliveryStatus.SENT],
        waiting=sum(counts[one] for one in UNDER_WAY),
        failed=counts[DeliveryStatus.FAILED],
        unknown=counts[DeliveryStatus.UNKNOWN],
        left_out=left_out.most_common(),
        a_minute=rows.filter(status=DeliveryStatus.SENT, finished_at__gt=minute).count(),
    )


def _why(code: str) -> str:
    return str(LEFT_OUT[code]) if code in LEFT_OUT else outcome_words("", code)


@dataclass(frozen=True, slots=True)
class Precision:
    """What a precision of ± `margin` points needs: answers, and mails if that can be known."""

    margin: int
    answers: int
    mails: int | None


def precisions(scale: str, now: datetime) -> list[Precision]:
    """Return what some precisions need, the finest first."""
    before = answered_before(scale, now)
    return [_precision(scale, margin, before) for margin in MARGINS]


def precision(scale: str, margin: int, now: datetime) -> Precision:
    """Return what a precision needs, by who answered within a year."""
    return _precision(scale, margin, answered_before(scale, now))


def _precision(scale: str, margin: int, before: tuple[int, int] | None) -> Precision:
    answers = answers_needed(scale, margin)
    return Precision(margin, answers, invitations_needed(answers, *before) if before else None)


# -- Before it goes -------------------------------------------------------------------------------


def sample(composer: Composer, language: str) -> Mail | None:
    """Return how the mail reads; None where there is no text that can be sent."""
    if language not in composer.languages:
        return None
    try:
        return composer.sample(language)
    except MessageRefused:
        return None


def missing(mailing: Mailing, composer: Composer, now: datetime) -> list[str]:
    """Return what has to be seen to before a draft can be sent, each in a sentence."""
    found = []
    if not composer.languages:
        found.append(_("Write the message first."))
    if any(sample(composer, language) is None for language in composer.languages):
        found.append(_("The text can no longer be sent: a picture in it is gone. Change it."))
    if composer.languages:
        counts = _spoken_by(mailing, now)
        found += [
            str(NEEDED[language]) % {"n": number(counts[language])}
            for language in languages_needed(mailing, counts)
        ]
    if not sender_alignment(composer.sender).records and not mail_folder():
        found.append(_("Nobody chose the address that mails come from. An administrator can."))
    return found


def sender_alignment(sender: Sender) -> Alignment:
    """Return what can be said of the address mails come from."""
    return alignment(parseaddr(sender.header)[1], settings.EMAIL_HOST_USER or "")


def _spoken_by(mailing: Mailing, now: datetime) -> dict[str, int]:
    """Count in which language we write to those who permit it, in one query."""
    allowed = permitted(now, purpose=mailing.purpose).filter(channel="email")
    people = members(mailing.audience, now).filter(pk__in=allowed.values("customer"))
    counts: Counter[str] = Counter()
    for language, n in people.values_list("language").annotate(n=Count("pk")).order_by():
        counts[spoken(language)] += n
    return counts
