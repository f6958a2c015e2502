"""What one press on the preference pages lowers; whoever has the link of a mail may press it."""

from dataclasses import dataclass
from datetime import datetime

from customers import withdrawals
from customers.models import Customer, Purpose, PurposeKind
from customers.withdrawals import Means

LESS = 1  # message a month, for who wants less


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for: `off` for a purpose and a channel, `stop`, `less`, `pause`, `usual`;
    `generic` is nothing personal any more, on any channel.
    """

    do: str
    purpose: int = 0
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """What a press came to: what was saved, or `refused` where it would have raised something.

    Rows of the ledger since `saved_since` are marked as saved.
    """

    saved: str = ""
    saved_since: datetime | None = None
    refused: bool = False
    mailed: bool = False


def lower(*, customer: Customer, wanted: Wanted, means: Means, now: datetime) -> Press | None:
    """Take back, limit or pause; None for what is no lowering, and nothing is changed then."""
    if wanted.do == "off":
        return _switch_off(customer, wanted, means, now)
    if wanted.do == "stop":
        withdrawals.withdraw_all(customer=customer, means=means, now=now)
        return Press("stop", now)
    if wanted.do == "generic":
        _nothing_personal(customer, means, now)
        return Press("off", now)
    if wanted.do == "less":
        withdrawals.limit(customer=customer, messages=customer.monthly_limit or LESS)
    elif wanted.do == "pause":
        withdrawals.pause(customer=customer, now=now)
    elif wanted.do != "usual" or wishes_less(customer, now):
        return None
    return Press("wish")


def wishes_less(customer: Customer, now: datetime) -> bool:
    """Say whether a customer asked for less than they agreed to."""
    return bool(customer.monthly_limit) or is_paused(customer, now)


def is_paused(customer: Customer, now: datetime) -> bool:
    return customer.paused_until is not None and customer.paused_until > now


def _switch_off(customer: Customer, wanted: Wanted, means: Means, now: datetime) -> Press | None:
    purpose = Purpose.objects.filter(pk=wanted.purpose).first()
    if purpose is None or wanted.channel not in _channels(customer, purpose):
        return None
    withdrawals.withdraw(
        customer=customer, purpose=purpose, channel=wanted.channel, means=means, now=now
    )
    return Press("off", now)


def _nothing_personal(customer: Customer, means: Means, now: datetime) -> None:
    standing = customer.permissions.filter(
        purpose__kind=PurposeKind.PROFILING, state__in=withdrawals.STANDING
    )
    for one in standing.select_related("purpose").order_by("pk"):
        withdrawals.withdraw(
            customer=customer, purpose=one.purpose, channel=one.channel, means=means, now=now
        )


def _channels(customer: Customer, purpose: Purpose) -> set[str]:
    answered = customer.permissions.filter(purpose=purpose).values_list("channel", flat=True)
    return {*purpose.channels, *answered}
