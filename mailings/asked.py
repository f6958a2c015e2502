"""Counting who was asked under a mail, for the response rate."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from customers.models import Contact
from feedback.models import Invitation
from feedback.services import record_invitations
from mailings.lists import link_of
from mailings.models import Mailing


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
