"""Taking in answers and invitations: each is written together with the change that counts it."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from customers import holds
from customers.involvement import involvement_of
from customers.models import Category, Customer, Product
from customers.plans import line_of
from customers.services import insert_new, insert_rows
from feedback import tallies
from feedback.models import (
    Campaign,
    Exposure,
    Invitation,
    Response,
    ResponseEdit,
    TouchedSlice,
    Touchpoint,
)
from feedback.scales import SCALES


class KeyReused(ValueError):
    """The same key came with another answer."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The key {key!r} already belongs to another answer at this touchpoint. "
            "A retry must repeat the first answer; a new answer needs a key of its own."
        )


class InvitationAnswered(ValueError):
    """The invitation has an answer under another key."""

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(
            f"Invitation {invitation.pk} has been answered already, and one invitation takes one "
            "answer. Change that answer instead, or send this one without the invitation."
        )


@dataclass(frozen=True)
class Answer:
    """One answer as it comes in; the customer type is copied from the customer if not given."""

    key: str
    scale: str
    value: int
    answered_at: datetime
    touchpoint: Touchpoint | None = None
    customer: Customer | None = None
    product: Product | None = None
    category: Category | None = None
    channel: str = ""
    customer_type: str = ""
    reason: str = ""
    comment: str = ""
    language: str = ""
    invitation: Invitation | None = None
    imported: bool = False
    campaign: Campaign | None = None
    # Given by the collector, of the body as it came: what a code stands for may change meanwhile.
    body_hash: str = ""


# What makes two answers under one key the same answer.
SAME = ("scale", "value", "customer_id", "product_id", "reason", "comment", "invitation_id")


def submit_response(answer: Answer) -> tuple[Response, bool]:
    """Store one answer and return it with True, or the same earlier answer with False.

    Raises ScaleError for a value off the scale, KeyReused for another answer under a known key
    and InvitationAnswered for a second answer to one invitation. When this returns, the answer
    is in the caller's transaction or committed.
    """
    response = _build(answer)
    # A savepoint would be two statements more, and nothing here fails and then goes on.
    with transaction.atomic(savepoint=False):
        if response.customer_id and _lowers_the_dose(response):
            # Before the answer that points at it.
            holds.lock_customers({response.customer_id})
        if _insert(response):
            _count_new([response])
            hold_unhappy([response], response.answered_at)
            return response, True
    known = Response.objects.filter(touchpoint=answer.touchpoint, key=answer.key).first()
    if known is None and answer.invitation:
        raise InvitationAnswered(answer.invitation)
    if known is None or not _same(known, response):
        raise KeyReused(answer.key)
    return known, False


def _insert(response: Response) -> bool:
    """Store an answer, unless its key or its invitation is taken; say whether it was stored.

    Not by `save`, which answers a taken key with an error and takes three times as long.
    """
    fields = [field for field in Response._meta.concrete_fields if not field.primary_key]
    stored = insert_rows(
        Response._meta.db_table,
        [str(field.column) for field in fields],
        [[getattr(response, field.attname) for field in fields]],
        "ON CONFLICT DO NOTHING RETURNING id",
    )
    if stored:
        ((response.pk,),) = stored
        response._state.adding, response._state.db = False, connection.alias
    return bool(stored)


def is_same(stored: Response | Answer, answer: Answer) -> bool:
    """Say whether an answer repeats one under the same key, as it was before any edit."""
    return _same(stored if isinstance(stored, Response) else _build(stored), _build(answer))


def _same(one: Response, other: Response) -> bool:
    return one.body_hash == other.body_hash


def add_responses(answers: Iterable[Answer], now: datetime | None = None) -> list[Response]:
    """Store many new answers in one transaction; their keys must be new.

    With `now` unhappy ones of the last 30 days lower the dose of their customers.
    """
    responses = [_build(answer) for answer in answers]
    with transaction.atomic():
        if now:
            unhappy = [one for one in responses if _lowers_the_dose(one)]
            holds.lock_customers({one.customer_id for one in unhappy if one.customer_id})
        Response.objects.bulk_create(responses, batch_size=1_000)
        _count_new(responses)
        if now:
            hold_unhappy(responses, now)
    return responses


def hold_unhappy(responses: Iterable[Response], now: datetime) -> int:
    """Lower the dose of customers who were unhappy in the last 30 days; return how many answers."""
    return holds.hold_unhappy(
        (
            holds.Unhappy(one.customer_id, one.answered_at, _source(one))
            for one in responses
            if one.customer_id and _lowers_the_dose(one)
        ),
        now,
    )


def _lowers_the_dose(response: Response) -> bool:
    """Say whether an answer is an unhappy one of a customer we know."""
    scale = SCALES[response.scale]
    return bool(response.customer_id) and scale.outcome(response.value) == scale.negative


def _source(response: Response) -> str:
    return f"answer:{response.pk}"


def add_history(invitations: Sequence[Invitation], answers: Iterable[Answer]) -> list[Response]:
    """Store many new invitations with the answers to them, and answers that nobody was asked for.

    For what is long past and what nobody else can see yet: an invitation counts once, as it
    ended, and not first as silent and then as answered.
    """
    for invitation in invitations:
        invitation.invited_on = tallies.local_day(invitation.invited_at)
    with transaction.atomic():
        insert_new(invitations)
        responses = insert_new(_build(answer) for answer in answers)
        answered = {response.invitation_id for response in responses}
        keys = [
            *(tallies.invitation_key(one, answered=one.pk in answered) for one in invitations),
            *(tallies.response_key(response) for response in responses),
        ]
        tallies.write_changes((key, +1) for key in keys)
    return responses


def add_exposures(exposures: Iterable[Exposure]) -> list[Exposure]:
    """Store counts of days that had none yet."""
    return insert_new(exposures)


def edit_response(
    *,
    response_id: int,
    value: int | None = None,
    reason: str | None = None,
    comment: str | None = None,
    now: datetime,
) -> Response:
    """Change what is given of an answer; the old count goes and the new one comes.

    Whoever changes the value has taken the lock of the customer before (lock_customer_of): how
    they feel about it lowers their dose, or lifts that.
    """
    with transaction.atomic():
        response = Response.objects.select_for_update().get(pk=response_id)
        before, was_unhappy = tallies.response_key(response), _lowers_the_dose(response)
        if value is not None:
            SCALES[response.scale].check(value)
            response.value = value
        if reason is not None:
            response.reason = reason
        if comment is not None:
            response.comment = comment
        response.save(update_fields=["value", "reason", "comment"])
        after = tallies.response_key(response)
        if after != before:
            tallies.write_changes([(before, -1), (after, +1)])
        _follow_mood(response, was_unhappy, now)
    return response


def lock_customer_of(responses: QuerySet[Response]) -> None:
    """Take the lock of the customer of an answer, where there is one, before that of the answer."""
    known = list(responses.exclude(customer=None).values_list("customer_id", flat=True))
    if known:
        holds.lock_customers(set(known))


def _follow_mood(response: Response, was_unhappy: bool, now: datetime) -> None:
    """Lower the dose where an answer became an unhappy one, and lift that where it no longer is."""
    is_unhappy = _lowers_the_dose(response)
    if is_unhappy and not was_unhappy:
        hold_unhappy([response], now)
    if was_unhappy and not is_unhappy and response.customer_id:
        holds.lift_holds(
            customer_id=response.customer_id,
            source=_source(response),
            released_by="answer changed",
            now=now,
        )


def erase_answers(customer: Customer) -> int:
    """Make a customer's answers anonymous and return how many; the counts stay as they are."""
    with transaction.atomic():
        rows = Response.objects.select_for_update().filter(customer=customer).order_by("pk")
        responses = _forget(rows)
        Invitation.objects.filter(customer=customer).update(customer=None)
    return len(responses)


def erase_answer(*, response_id: int, customers: Iterable[int]) -> bool:
    """Make one answer of these customers anonymous; False if it is none of theirs."""
    with transaction.atomic():
        theirs = Response.objects.filter(pk=response_id, customer__in=list(customers))
        responses = _forget(theirs.select_for_update())
        asked = [one.invitation_id for one in responses if one.invitation_id]
        Invitation.objects.filter(pk__in=asked).update(customer=None)
    return bool(responses)


def _forget(rows: Iterable[Response]) -> list[Response]:
    """Take from answers who gave them and every word of theirs."""
    responses = list(rows)
    for response in responses:
        response.customer = None
        response.comment = ""
        response.language = ""
        response.key = uuid4().hex
        response.body_hash = ""
    Response.objects.bulk_update(
        responses, ["customer", "comment", "language", "key", "body_hash"], batch_size=500
    )
    ResponseEdit.objects.filter(response__in=responses).delete()
    return responses


def drop_old_comments(now: datetime) -> int:
    """Empty the comments that were kept long enough and return how many; no count changes."""
    limit = now - timedelta(days=settings.RETENTION_COMMENTS_DAYS)
    old = Response.objects.filter(answered_at__lt=limit).exclude(comment="")
    return old.update(comment="")


# Every table of this floor that points at a customer.
OF_CUSTOMERS = frozenset({"feedback.Response", "feedback.Invitation"})


def move_answers(*, of: Customer, to: Customer) -> tuple[int, int]:
    """Give a customer's answers and invitations to another record of the same person.

    Returns how many of each; the counts stay as they are, because they are about nobody.
    """
    with transaction.atomic():
        answers = Response.objects.filter(customer=of).update(customer=to)
        invitations = Invitation.objects.filter(customer=of).update(customer=to)
    return answers, invitations


def record_invitations(invitations: Sequence[Invitation]) -> list[Invitation]:
    """Store delivered invitations, each still silent; their local day is filled in here.

    One whose link is known is there already: an answer that came before the report of sending
    brought it along. Only what was new is returned.
    """
    keys = {invitation.key for invitation in invitations} - {""}
    with transaction.atomic():
        rows = Invitation.objects.filter(key__in=keys) if keys else Invitation.objects.none()
        known = set(rows.values_list("key", flat=True))
        new = [one for one in invitations if one.key not in known]
        for invitation in new:
            invitation.invited_on = tallies.local_day(invitation.invited_at)
        stored = Invitation.objects.bulk_create(new, batch_size=1_000)
        tallies.write_changes(
            (tallies.invitation_key(invitation, answered=False), +1) for invitation in stored
        )
    return stored


def _build(answer: Answer) -> Response:
    SCALES[answer.scale].check(answer.value)
    category = answer.category
    if category is None and answer.product is not None:
        category = answer.product.category
    customer_type = answer.customer_type
    if not customer_type and answer.customer is not None:
        customer_type = answer.customer.customer_type
    response = Response(
        key=answer.key,
        involvement=involvement_of(line_of(category)).level if category else "",
        scale=answer.scale,
        value=answer.value,
        answered_at=answer.answered_at,
        answered_on=tallies.local_day(answer.answered_at),
        touchpoint=answer.touchpoint,
        customer=answer.customer,
        product=answer.product,
        category=category,
        channel=answer.channel,
        customer_type=customer_type,
        reason=answer.reason,
        comment=answer.comment,
        language=answer.language,
        invitation=answer.invitation,
        imported=answer.imported,
        campaign=answer.campaign,
    )
    response.body_hash = answer.body_hash or _body_hash(response)
    return response


def _body_hash(response: Response) -> str:
    """Return 64 bits of a hash: compared under one key only, so that is plenty."""
    body = json.dumps([getattr(response, field) for field in SAME])
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _count_new(responses: Sequence[Response]) -> None:
    steps = [(tallies.response_key(response), +1) for response in responses]
    for invitation in _locked_invitations(responses):
        steps.append((tallies.invitation_key(invitation, answered=False), -1))
        steps.append((tallies.invitation_key(invitation, answered=True), +1))
    tallies.write_changes(steps)


def _locked_invitations(responses: Sequence[Response]) -> list[Invitation]:
    """Return the invitations answered here as they are stored: their day may be moving."""
    answered = [response.invitation_id for response in responses if response.invitation_id]
    if not answered:
        return []
    rows = Invitation.objects.select_for_update(no_key=True).order_by("pk")
    return list(rows.filter(pk__in=answered))


def take_touched(limit: int) -> list[tuple[str, str, str, date]]:
    """Take the oldest touched slices as (dimension, key, measure, day), inside a transaction.

    They are gone when the caller's transaction commits, and back if it does not.
    """
    table = TouchedSlice._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT %s) "  # noqa: S608
            "RETURNING dimension, key, measure, day",
            [limit],
        )
        rows = cursor.fetchall()
    return [
        (dimension, key, measure, tallies.as_date(day)) for dimension, key, measure, day in rows
    ]
