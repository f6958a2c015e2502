"""Asking for permission on a form, and what comes of it.

A tick of a stranger waits for the link in a mail: anybody can type any address. A tick of somebody
whom the shop knows, at an address that was confirmed before, is a yes at once. An empty box costs
nothing, and a stranger's is not remembered but for the count.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from customers import askable, cells, consent
from customers.addresses import address_hash
from customers.bell import ring_after_commit
from customers.cells import CellError
from customers.consent import ALLOWING, Actor, Forbidden, Grade, Method, State, may_ask
from customers.ledger import Act, record_consent
from customers.letters import may_write, queue_letter
from customers.models import (
    AskTally,
    ConsentForm,
    ConsentState,
    Customer,
    Letter,
    LetterKind,
    LetterState,
    LinkAction,
    MailedLink,
    Wording,
)
from customers.queries import people_by_reference, survivors

CONFIRM_WITHIN = timedelta(days=7)
# The mail waits so long for the answer to a second question, so that one mail has both.
PATIENCE = timedelta(minutes=10)
# A page that is loaded again within the hour is the same visit, and the same ask.
VISIT = timedelta(hours=1)
# How the references of customers begin whom we know from a form alone.
FROM_A_FORM = "web-"

# A yes over which `pending` would say less than is known, and a no that only a yes lifts: the
# ledger keeps what it has until the link is used.
KEPT = [*ALLOWING, State.OBJECTED]


class Outcome(StrEnum):
    """What came of a tick of somebody known."""

    GIVEN = "given"
    # A mail is on its way, or was.
    PENDING = "pending"
    # Said no elsewhere while the page was open, or there is nothing to ask.
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A box that somebody ticked: on which form, beside which text, when.

    `followed` says that another question comes; `old_enough` that the text named an age.
    """

    form: ConsentForm
    wording: Wording
    now: datetime
    followed: bool = False

    @property
    def old_enough(self) -> bool | None:
        return True if self.wording.purpose.minimum_age else None

    def act(self, state: State, address: str, *, grade: Grade = Grade.D) -> Act:
        return Act(
            purpose=self.wording.purpose,
            channel=self.form.channel,
            state=state,
            actor=Actor.CUSTOMER,
            method=Method.CHECKBOX,
            place=place_of(self.form),
            wording=self.wording,
            occurred_at=self.now,
            address=address,
            grade=grade,
            old_enough=self.old_enough,
        )


def place_of(form: ConsentForm) -> str:
    """Return what the ledger calls a form."""
    return f"form:{form.key}"


def typed_address(text: str) -> str:
    """Return the address that somebody typed, in one way of writing; CellError if it is none.

    A domain can be written in many alphabets and arrive at one mailbox, so it is brought into one
    form: nobody gets more mail than is allowed because their name has many spellings.
    """
    local, _, domain = cells.email(text.strip()).rpartition("@")
    try:
        plain = domain.encode("idna").decode("ascii").lower()
        readable = plain.encode("ascii").decode("idna")
        validate_email(f"{local}@{plain}")
    except (UnicodeError, ValidationError) as error:
        raise CellError(f"{cells.shown(text)} is not an address that mail can go to") from error
    return cells.email(f"{local}@{readable}")


# -- Somebody who typed an address -----------------------------------------------------------------


def ask_to_confirm(*, tick: Tick, address: str) -> None:
    """Take a tick of a stranger: mail the address a link, if it can and may be mailed.

    The caller learns nothing, for nothing about an address may be told to who typed it.
    """
    with transaction.atomic():
        people = _at(address)
        permitted = askable.is_permitted(people, tick.wording, tick.form.channel, tick.now)
        _mail_link(tick, people, address, needed=not permitted)
        count(tick.form, tick.wording, tick.now, "ticked")


def ask_to_confirm_too(*, tick: Tick, address: str, asked_at: datetime) -> None:
    """Take the tick of the second question: into the mail that waits for it, or one of its own."""
    with transaction.atomic():
        people = _at(address)
        held = _held(people, tick.form, asked_at, tick.now)
        permitted = askable.is_permitted(people, tick.wording, tick.form.channel, tick.now)
        if held is None:
            _mail_link(tick, people, address, needed=not permitted)
        elif not permitted:
            _add(tick, held)
        _release(held, tick.now)
        count(tick.form, tick.wording, tick.now, "ticked")


def leave_empty(*, tick: Tick, address: str = "", asked_at: datetime | None = None) -> None:
    """Count a box that a stranger left empty; a mail that waited for the answer goes."""
    with transaction.atomic():
        if asked_at is not None:
            _release(_held(_at(address), tick.form, asked_at, tick.now), tick.now)
        count(tick.form, tick.wording, tick.now, "left_empty")


# -- Somebody known --------------------------------------------------------------------------------


def known_customer(reference: str) -> Customer | None:
    """Return who can be asked by this reference: not erased, and with an address."""
    found = {} if "\0" in reference else people_by_reference([reference])
    customer = found.get(reference)
    return customer if customer and customer.email else None


def offer(*, customer: Customer, tick: Tick) -> bool:
    """Say whether a known customer may be shown the tick now; note the first time that it is."""
    with transaction.atomic():
        customer = _locked(customer)
        told = askable.told(customer, tick.wording.purpose, tick.form.channel)
        past = [
            one
            for one in told
            if one.state is not State.SHOWN or tick.now - one.occurred_at >= VISIT
        ]
        if (
            not customer.email
            or customer.restricted_at
            or not askable.can_be_mailed(customer.email)
            or not may_ask(past, tick.wording.purpose.key, tick.form.channel, tick.now)
        ):
            return False
        if not told:
            record_consent(
                customer=customer, act=tick.act(State.SHOWN, customer.email), now=tick.now
            )
    return True


def take_tick(*, customer: Customer, tick: Tick, asked_at: datetime) -> Outcome:
    """Take a tick of a known customer: a yes at a confirmed address, else a mail with a link.

    `asked_at` is when the page was made: who said no elsewhere since then meant that.
    """
    with transaction.atomic():
        customer = _locked(customer)
        if not customer.email or not askable.can_be_mailed(customer.email):
            return Outcome.NOTHING
        standing = askable.standing(customer, tick.wording.purpose, tick.form.channel)
        if askable.is_permitted([customer], tick.wording, tick.form.channel, tick.now):
            # Pressed twice, or answered elsewhere meanwhile.
            return Outcome.GIVEN
        if standing is not None and _said_no(standing, asked_at):
            return Outcome.NOTHING
        count(tick.form, tick.wording, tick.now, "ticked")
        if customer.is_verified:
            # A yes that stands and does not hold, as it ran out or is for another address.
            stands = standing is not None and standing.state in {State.GIVEN, State.RENEWED}
            state = State.RENEWED if stands else State.GIVEN
            act = tick.act(state, customer.email, grade=Grade.B)
            record_consent(customer=customer, act=act, now=tick.now)
            count(tick.form, tick.wording, tick.now, "confirmed")
            return Outcome.GIVEN
        held = _held([customer], tick.form, asked_at, tick.now)
        if held is None:
            _mail_link(tick, [customer], customer.email)
        else:
            _add(tick, held)
        _release(held, tick.now)
    return Outcome.PENDING


def leave_known(*, customer: Customer, tick: Tick, asked_at: datetime) -> None:
    """Note that a known customer left the box empty: they are not asked again for 90 days."""
    with transaction.atomic():
        customer = _locked(customer)
        _release(_held([customer], tick.form, asked_at, tick.now), tick.now)
        standing = askable.standing(customer, tick.wording.purpose, tick.form.channel)
        # Pressed twice is said once, and who answered elsewhere meanwhile said more.
        fresh = standing is None or standing.entry.recorded_at <= asked_at
        if fresh and customer.erased_at is None:
            _record_if_taken(customer, tick.act(State.REFUSED, customer.email), tick.now)
        count(tick.form, tick.wording, tick.now, "left_empty")


def _said_no(standing: ConsentState, since: datetime) -> bool:
    """Say whether a no was recorded after a page was made."""
    noes = (State.WITHDRAWN, State.OBJECTED, State.INVALIDATED)
    return standing.state in noes and standing.entry.recorded_at >= since


# -- The mail --------------------------------------------------------------------------------------


def _mail_link(
    tick: Tick, people: Sequence[Customer], address: str, *, needed: bool = True
) -> None:
    """Record that a confirmation is waited for and queue the mail with its link.

    Neither where it is not needed, or the address cannot be mailed or had enough mail: who types
    the address of somebody else a hundred times causes one mail and one entry. The work is done
    all the same and then undone, or the time it takes would tell what is known of an address.
    """
    can_be_mailed = askable.can_be_mailed(address)
    had_enough = not may_write(kind=LetterKind.CONFIRM, address=address, now=tick.now)
    with transaction.atomic():
        _write(tick, people[0] if people else _newcomer(address, tick))
        transaction.set_rollback(not needed or not can_be_mailed or had_enough)


def _write(tick: Tick, customer: Customer) -> None:
    _note_pending(customer, tick)
    link = MailedLink.objects.create(
        action=LinkAction.CONFIRM,
        customer=customer,
        address_hash=address_hash(customer.email),
        form=tick.form,
        channel=tick.form.channel,
        wordings=[tick.wording.pk],
        asked_at=tick.now,
        old_enough=tick.old_enough,
        expires_at=tick.now + CONFIRM_WITHIN,
    )
    letter = queue_letter(
        kind=LetterKind.CONFIRM,
        customer=customer,
        now=tick.now,
        link=link,
        values={"labels": tick.wording.label},
    )
    # In the language of the page they came from, whatever a file said of them.
    letter.language = tick.wording.language
    letter.due_at = tick.now + PATIENCE if tick.followed else tick.now
    letter.save(update_fields=["language", "due_at"])


def _note_pending(customer: Customer, tick: Tick) -> None:
    standing = askable.standing(customer, tick.wording.purpose, tick.form.channel)
    if standing is None or standing.state not in KEPT:
        record_consent(customer=customer, act=tick.act(State.PENDING, customer.email), now=tick.now)


def _held(
    people: Sequence[Customer], form: ConsentForm, asked_at: datetime, now: datetime
) -> Letter | None:
    """Return the mail that waits for the answer to a second question."""
    waiting = Letter.objects.filter(
        customer__in=people,
        kind=LetterKind.CONFIRM,
        state=LetterState.QUEUED,
        due_at__gt=now,
        link__form=form,
        link__asked_at=asked_at,
    )
    return waiting.select_related("link", "customer").first()


def _add(tick: Tick, held: Letter) -> None:
    assert held.link  # noqa: S101  (as _held asked for it)
    assert held.customer  # noqa: S101  (as _held asked for it)
    _note_pending(held.customer, tick)
    held.link.wordings = [*held.link.wordings, tick.wording.pk]
    held.link.save(update_fields=["wordings"])
    held.values = {"labels": f"{held.values['labels']}\n{tick.wording.label}"}
    held.save(update_fields=["values"])


def _release(held: Letter | None, now: datetime) -> None:
    if held is not None:
        held.due_at = now
        held.save(update_fields=["due_at"])
        ring_after_commit("letters")


# -- Counts ----------------------------------------------------------------------------------------


def count(form: ConsentForm, wording: Wording, at: datetime, what: str) -> None:
    """Count one for a form, a text and the local day; nothing about the visitor is kept."""
    on = timezone.localdate(at, timezone.get_default_timezone())
    row, _ = AskTally.objects.get_or_create(form=form, wording=wording, on=on)
    AskTally.objects.filter(pk=row.pk).update(**{what: F(what) + 1})


# -- Customers -------------------------------------------------------------------------------------


def _at(address: str) -> list[Customer]:
    """Lock and return who has an address, in the order of their ids; nobody else may be added."""
    if connection.vendor == "postgresql":
        # There may be no row yet to lock. Elsewhere one transaction writes at a time.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s)", [int(address_hash(address)[:15], 16)]
            )
    found = Customer.objects.with_address(address)
    return list(found.select_for_update().order_by("pk"))


def _locked(customer: Customer) -> Customer:
    """Lock and return a customer, or the record that theirs was merged into meanwhile."""
    pk = survivors([customer.pk]).get(customer.pk, customer).pk
    return Customer.objects.select_for_update().get(pk=pk)


def _newcomer(address: str, tick: Tick) -> Customer:
    return Customer.objects.create(
        reference=FROM_A_FORM + secrets.token_hex(8),
        email=address,
        language=tick.wording.language,
        created_at=tick.now,
    )


def _record_if_taken(customer: Customer, act: Act, now: datetime) -> None:
    """Write what the ledger takes; a no that is stronger stays as it is."""
    state = askable.standing(customer, act.purpose, act.channel)
    try:
        consent.check(State(state.state) if state else State.NONE, act.state, act.actor)
    except Forbidden:
        return
    record_consent(customer=customer, act=act, now=now)
