"""Counting who was asked under a mail, and how many of those answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Count

from customers.models import Channel, Contact
from feedback.models import Invitation
from feedback.services import record_invitations
from mailings.lists import link_of
from mailings.models import Mailing

# Asked in this time, and not so lately that answers still come.
LOOKED_BACK = timedelta(days=365)
STILL_COMING = timedelta(days=7)
# A rate of fewer says little.
LEAST = 30


def answered_before(scale: str, now: datetime) -> tuple[int, int] | None:
    """Return (answered, invited) of the questions by mail on a scale in a year; None of too few."""
    asked = Invitation.objects.filter(
        touchpoint__scale=scale,
        channel=Channel.EMAIL,
        invited_at__gt=now - LOOKED_BACK,
        invited_at__lte=now - STILL_COMING,
    ).aggregate(invited=Count("pk"), answered=Count("response"))
    answered, invited = asked["answered"], asked["invited"]
    return (answered, invited) if invited >= LEAST and answered else None


def invite(mailing: Mailing, contacts: Sequence[Contact], sent: Mapping[str, datetime]) -> None:
    """Count who was asked, for the response rate; who answered already brought theirs along."""
    touchpoint = mailing.touchpoint
    if touchpoint is None:
        return
    record_invitations(
        [
            Invitation(
                key=link_of(mailing, one).key,
                customer=one.customer if one.customer.erased_at is None else None,
                touchpoint=touchpoint,
                product=touchpoint.product,
                category=one.category or touchpoint.category,
                channel="email",
                customer_type=one.customer_type,
                invited_at=sent[one.request_id],
            )
            for one in contacts
        ]
    )
