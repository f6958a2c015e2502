"""What a customer raises on their own page: a yes to the text they read, and no limit any more.

Only for who came with a link mailed to the address on file; see own_links.
"""

from datetime import datetime

from django.db import transaction

from customers.consent import Actor, Grade, Method, State
from customers.ledger import Act, record_consent
from customers.models import ConsentEntry, ConsentState, Customer, Purpose, Wording

PLACE = "own_page"


class OtherText(ValueError):
    """A yes to a text that is not the one in use."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(
            f"Text {wording.pk} is not in use any more. Show the present one, and ask again."
        )


def say_yes(*, customer: Customer, wording: Wording, channel: str, now: datetime) -> ConsentEntry:
    """Record a yes to the text a customer ticked; a yes that stands is renewed.

    OtherText for a text that was replaced meanwhile; Forbidden and Unproven as record_consent.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        if wording.version != _current_version(wording.purpose, now):
            raise OtherText(wording)
        states = ConsentState.objects.filter(
            customer=locked, purpose=wording.purpose, channel=channel
        )
        before = states.values_list("state", flat=True).first() or State.NONE
        stands = before in {State.GIVEN, State.RENEWED}
        act = Act(
            purpose=wording.purpose,
            channel=channel,
            state=State.RENEWED if stands else State.GIVEN,
            actor=Actor.CUSTOMER,
            method=Method.PREFERENCE_PAGE,
            place=PLACE,
            wording=wording,
            # The link came back from this address a moment ago.
            grade=Grade.A,
            occurred_at=now,
            address=locked.email,
            old_enough=_said_of_age(locked),
        )
        return record_consent(customer=locked, act=act, now=now)


def lift_wishes(*, customer: Customer, limit: bool = True, pause: bool = True) -> None:
    """Take back a customer's own limit, their pause, or both; what was promised still holds."""
    fields: dict[str, None] = {}
    if limit:
        fields["monthly_limit"] = None
    if pause:
        fields["paused_until"] = None
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        Customer.objects.filter(pk=locked.pk).update(**fields)


def _current_version(purpose: Purpose, now: datetime) -> int | None:
    return purpose.wordings.published(now).values_list("version", flat=True).first()


def _said_of_age(customer: Customer) -> bool | None:
    """Return what the customer last said of their age: a no is not forgotten here."""
    said = ConsentEntry.objects.filter(customer=customer, old_enough__isnull=False)
    return said.order_by("-pk").values_list("old_enough", flat=True).first()
