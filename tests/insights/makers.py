"""Plain makers: answers and invitations of a fixed day, ready to be counted."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from customers.models import Category, Customer, Product
from feedback.models import Invitation, Response, Touchpoint, new_touchpoint_key
from feedback.services import Answer, add_responses, record_invitations

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 24, 12, tzinfo=AMSTERDAM)
TODAY = NOW.date()  # a Tuesday
TOMORROW = TODAY + timedelta(days=1)

_numbers = count(1)


def local(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """The moment of a wall clock in Amsterdam."""
    return datetime.combine(day, time(hour, minute), tzinfo=AMSTERDAM)


def give(
    scale: str, values: Sequence[int], on: date = TODAY, *, at: datetime | None = None, **given
) -> list[Response]:
    """Store answers, at noon of a day unless a moment is given."""
    return add_responses(
        Answer(
            key=f"answer-{next(_numbers)}",
            scale=scale,
            value=value,
            answered_at=at or local(on),
            **given,
        )
        for value in values
    )


def ask(number: int, on: date = TODAY, **given) -> list[Invitation]:
    """Store delivered invitations."""
    return record_invitations([Invitation(invited_at=local(on), **given) for _ in range(number)])


def answer(invitations: Sequence[Invitation], on: date = TODAY, value: int = 9) -> None:
    """Answer invitations, one answer each, in the category and channel of the ask."""
    add_responses(
        Answer(
            key=f"answer-{next(_numbers)}",
            scale="nps",
            value=value,
            answered_at=local(on),
            invitation=invitation,
            category=invitation.category,
            channel=invitation.channel,
        )
        for invitation in invitations
    )


def make_category(name: str = "") -> Category:
    return Category.objects.create(name=name or f"Category {next(_numbers)}")


def make_product(sku: str = "", **given) -> Product:
    return Product.objects.create(sku=sku or f"P{next(_numbers)}", **given)


def make_touchpoint(name: str = "", scale: str = "nps") -> Touchpoint:
    return Touchpoint.objects.create(
        key=new_touchpoint_key(scale),
        name=name or f"Touchpoint {next(_numbers)}",
        scale=scale,
        created_at=NOW,
    )


def make_customer(reference: str = "", **given) -> Customer:
    return Customer.objects.create(
        reference=reference or f"C{next(_numbers)}", **{"created_at": NOW, **given}
    )
