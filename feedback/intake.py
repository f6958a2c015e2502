"""Taking in what widgets and hosted questions send: new answers, changes of mind, exposures."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from django.db import IntegrityError, OperationalError, connection, transaction

from customers.consent import Method
from customers.models import (
    Category,
    Channel,
    ConsentForm,
    Contact,
    Customer,
    Product,
    Purpose,
)
from customers.offers import offer_form
from customers.queries import may_process, people_by_reference, products_by_code
from feedback import tallies
from feedback.collect import Edit, NewAnswer
from feedback.models import (
    Campaign,
    Exposure,
    ExposureKind,
    Invitation,
    Response,
    ResponseEdit,
    Touchpoint,
)
from feedback.services import (
    Answer,
    KeyReused,
    edit_response,
    lock_customer_of,
    record_invitations,
    submit_response,
)

# Without a yes to this, an answer is nobody's, whoever the shop says it comes from.
BASIS = "satisfaction_survey"

# A score can be taken back for a day; a reason and a comment can be added or changed later too.
TIME_TO_CHANGE = timedelta(hours=24)


class UnknownAnswer(LookupError):
    """There is no answer under the key that an edit names."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"There is no answer under the key {key!r} at this touchpoint. "
            "Send the key of the first answer, after that answer was confirmed."
        )


class TooLate(ValueError):
    """The score stands: it was given too long ago to change it."""

    def __init__(self) -> None:
        super().__init__(
            "A score can be changed for 24 hours, and this one is older. It stands; "
            "a reason or a comment can still be added."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How an answer came: in a widget, on the hosted page, or there from a mail."""

    in_widget: bool = False
    from_mail: bool = False
    # Of the page, for an answer that does not say its own.
    language: str = ""
    campaign: Campaign | None = None
    # The mail that asked, by its link.
    contact: Contact | None = None

    @property
    def channel(self) -> Channel:
        return Channel.EMAIL if self.from_mail else Channel.WEB


IN_A_WIDGET = Visit(in_widget=True)


def collect_answer(
    *,
    touchpoint: Touchpoint,
    message: NewAnswer,
    reference: str = "",
    visit: Visit = IN_A_WIDGET,
    now: datetime,
) -> tuple[Response, bool]:
    """Store an answer given at a touchpoint: with True, or the same earlier one with False.

    Raises KeyReused. The answer is committed when this returns. A product that is not known
    leaves the answer without one; without a product it is about that of the touchpoint. It is
    tied to the customer with `reference`, whom the shop vouched for, if they permit that.
    """
    product, category = _about(touchpoint, message.product)
    answer = Answer(
        key=message.key,
        scale=touchpoint.scale,
        value=message.value,
        answered_at=now,
        touchpoint=touchpoint,
        product=product,
        category=category,
        channel=visit.channel,
        reason=message.reason,
        comment=message.comment,
        language=message.lang or visit.language,
        campaign=visit.campaign,
        body_hash=message.body_hash,
    )
    with _one_transaction():
        if reference:
            answer = replace(answer, customer=_permitting(reference, visit.channel, now))
        if visit.contact:
            answer = _as_asked(answer, visit.contact, now)
        if _is_key_of_an_edit(touchpoint, message.key):
            raise KeyReused(message.key)
        response, created = submit_response(answer)
        if created and visit.in_widget and touchpoint.counts_exposures:
            count_exposure(touchpoint, ExposureKind.ANSWERED, now)
    return response, created


def offered(*, touchpoint: Touchpoint, response: Response, now: datetime) -> ConsentForm | None:
    """Return the form to offer to who just gave a thumb up, and write down that it is offered.

    Only to a customer we know: without one, nobody could keep count of how often they were asked.
    """
    if not (touchpoint.offer_id and response.customer_id and response.value):
        return None
    customer, form = response.customer, touchpoint.offer
    assert customer is not None and form is not None  # noqa: S101, PT018  (their ids are there)
    with _one_transaction():
        offers = offer_form(
            customer=customer,
            form=form,
            method=Method.WIDGET_OFFER,
            place=f"touchpoint:{touchpoint.key}",
            now=now,
        )
    return form if offers else None


# SQLite has one writer at a time. Threads of one process take turns here: left to the database,
# each would sleep and look again, for up to a tenth of a second at a time.
_turn = Lock()
LONGEST_WAIT = 20.0


@contextmanager
def _one_transaction() -> Iterator[None]:
    """Commit everything in the block together, before the block ends."""
    if connection.vendor != "sqlite":
        with transaction.atomic(durable=True):
            yield
        return
    if not _turn.acquire(timeout=LONGEST_WAIT):
        raise OperationalError("database is locked")
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        _turn.release()


def _as_asked(answer: Answer, contact: Contact, now: datetime) -> Answer:
    """Tie an answer to the mail that asked: what it was about, whom, and the one invitation of it.

    The link proves that the mail was delivered, whatever its sender reported so far. Whose answer
    it is stays out of it unless they permit that.
    """
    customer = _if_permitted(contact.customer_id, Channel.EMAIL, now)
    asked = Invitation(
        key=answer.key,
        customer=customer,
        touchpoint=answer.touchpoint,
        product=answer.product,
        category=contact.category or answer.category,
        channel=Channel.EMAIL,
        customer_type=contact.customer_type,
        invited_at=contact.sent_at or now,
    )
    record_invitations([asked])
    invitation = Invitation.objects.get(key=answer.key)
    if customer is None and invitation.customer_id:
        # It says whom we asked; from now on it would also say whose answer this is.
        invitation.customer = None
        invitation.save(update_fields=["customer"])
    return replace(
        answer,
        customer=customer,
        category=asked.category,
        customer_type=contact.customer_type,
        invitation=invitation,
    )


def _permitting(reference: str, channel: Channel, now: datetime) -> Customer | None:
    """Return the customer with a reference if their answer may be theirs; None for anonymous."""
    if "\0" in reference:
        # PostgreSQL refuses even to look for it.
        return None
    found = people_by_reference([reference]).get(reference)
    return _if_permitted(found.pk if found else 0, channel, now)


def _if_permitted(customer_id: int, channel: Channel, now: datetime) -> Customer | None:
    """Return the customer if their answer may be theirs; None leaves it anonymous.

    Locked, so that an erasure or a withdrawal comes before it or after it, and never between.
    """
    rows = Customer.objects.select_for_update().filter(pk=customer_id, erased_at=None)
    customer = rows.first()
    try:
        allowed = customer is not None and may_process(customer, BASIS, channel, now).allowed
    except Purpose.DoesNotExist:
        return None
    return customer if allowed else None


def _is_key_of_an_edit(touchpoint: Touchpoint, key: str) -> bool:
    table = ResponseEdit._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE touchpoint_id = %s AND key = %s",  # noqa: S608
            [touchpoint.pk, key],
        )
        return cursor.fetchone() is not None


def _about(touchpoint: Touchpoint, code: str) -> tuple[Product | None, Category | None]:
    """Return the product and category that an answer is about."""
    product = touchpoint.product
    if code:
        product = next(iter(products_by_code([code]).values()), None)
    category = product.category if product else None
    return product, category or touchpoint.category


def collect_edit(*, touchpoint: Touchpoint, edit: Edit, now: datetime) -> tuple[Response, bool]:
    """Change an answer given at a touchpoint: with True, or with False if it was done before.

    Raises UnknownAnswer, TooLate for a score after 24 hours, and KeyReused. Imported answers
    are changed where they come from. The change is committed when this returns.
    """
    with _one_transaction():
        mine = Response.objects.filter(touchpoint=touchpoint, key=edit.edits, imported=False)
        if edit.value is not None:
            lock_customer_of(mine)
        response = mine.select_for_update(of=("self",), no_key=True).first()
        if response is None:
            raise UnknownAnswer(edit.edits)
        if _already_made(touchpoint, response, edit):
            return response, False
        if edit.value is not None and now - response.answered_at > TIME_TO_CHANGE:
            raise TooLate
        _remember_edit(touchpoint, response, edit, now)
        changed = edit_response(
            response_id=response.pk,
            value=edit.value,
            reason=edit.reason,
            comment=edit.comment,
            now=now,
        )
    return changed, True


def _already_made(touchpoint: Touchpoint, response: Response, edit: Edit) -> bool:
    """Say whether this very edit was made; its key may not stand for anything else."""
    known = ResponseEdit.objects.filter(touchpoint=touchpoint, key=edit.key).first()
    if known is None:
        if Response.objects.filter(touchpoint=touchpoint, key=edit.key).exists():
            raise KeyReused(edit.key)
        return False
    if (known.response_id, known.body_hash) != (response.pk, edit.body_hash):
        raise KeyReused(edit.key)
    return True


def _remember_edit(
    touchpoint: Touchpoint, response: Response, edit: Edit, now: datetime
) -> ResponseEdit:
    try:
        with transaction.atomic():
            return ResponseEdit.objects.create(
                response=response,
                touchpoint=touchpoint,
                key=edit.key,
                body_hash=edit.body_hash,
                edited_at=now,
                value_before=response.value,
                reason_before=response.reason,
            )
    except IntegrityError:
        # At this moment the key was used for another answer's edit.
        raise KeyReused(edit.key) from None


def put_answer(
    *, touchpoint: Touchpoint, message: NewAnswer, said: Container[str], visit: Visit, now: datetime
) -> Response:
    """Make the answer under a key what a page without scripts says it is now.

    The first time it is stored, later it is changed: that page has one form with one key, and
    whoever goes back and presses the other button means the other one. `said` names the fields
    that the form had. Raises KeyReused for a key that stands for something else, and TooLate.
    """
    try:
        response, created = collect_answer(
            touchpoint=touchpoint, message=message, visit=visit, now=now
        )
    except KeyReused:
        created = False
    if not created:
        # Also when it says again what it said first: it may have said something else since.
        return _changed_answer(touchpoint, message, said, now)
    if visit.from_mail:
        count_exposure(touchpoint, ExposureKind.CONFIRMED, now, visit.campaign)
    return response


def _changed_answer(
    touchpoint: Touchpoint, message: NewAnswer, said: Container[str], now: datetime
) -> Response:
    stored = Response.objects.filter(touchpoint=touchpoint, key=message.key, imported=False).first()
    if stored is None:
        raise KeyReused(message.key)
    edit = Edit(
        key=str(uuid4()),
        edits=message.key,
        body_hash="",
        reason=message.reason if "reason" in said else None,
        comment=message.comment if "comment" in said else None,
    )
    if message.value != stored.value:
        # The reason was one for the other answer.
        edit = replace(edit, value=message.value, reason=edit.reason or "")
    elif edit.reason in (None, stored.reason) and edit.comment in (None, stored.comment):
        return stored
    return collect_edit(touchpoint=touchpoint, edit=edit, now=now)[0]


def count_exposure(
    touchpoint: Touchpoint, kind: ExposureKind, now: datetime, campaign: Campaign | None = None
) -> None:
    """Count one for a touchpoint and day. Nothing about the visitor is known here or kept."""
    table = Exposure._meta.db_table
    columns = "touchpoint_id, day, kind, campaign_id"
    day = tallies.local_day(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}, n) VALUES (%s, %s, %s, %s, 1) "  # noqa: S608
            f"ON CONFLICT ({columns}) DO UPDATE SET n = {table}.n + 1",
            [touchpoint.pk, day, kind, campaign.pk if campaign else 0],
        )
