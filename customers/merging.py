"""Two records that are one person: the preview of what each side loses, and the merge.

The most restrictive of both holds for each purpose and channel, and unknown is a no: a permission
that only one side gave is lost. What was stopped stays stopped, for both addresses.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from customers.addresses import address_hash, address_hashes
from customers.consent import ALLOWING, Actor, Method, State, strictest
from customers.holds import move_holds
from customers.ledger import Act, record_consent
from customers.letters import WAITING
from customers.models import (
    AccessLog,
    ConsentState,
    Contact,
    Customer,
    CustomerMerge,
    DataRequest,
    Erasure,
    Letter,
    LetterState,
    MailedLink,
    Purchase,
    PurposeKind,
    Suppression,
    SuppressionReason,
)
from customers.suppressions import Stop, suppress

# Every table of this floor that points at a customer, and what becomes of its rows. A table that
# is in no list is one nobody thought about: nothing is merged then.
MOVES = frozenset(
    {
        "customers.Purchase",
        "customers.DataRequest",
        "customers.AccessLog",
        # What both got weighs on the one person they are; so does what either is left alone for.
        "customers.Contact",
        "customers.ContactHold",
    }
)
STAYS = frozenset(
    {
        # The chain of each record is its own, and so is what was made from it.
        "customers.ConsentEntry",
        # Beside the entry it rests on.
        "customers.Decision",
        "customers.ConsentState",
        # Closed here, so that nothing mailed to either address opens or raises anything.
        "customers.MailedLink",
        "customers.Letter",
        # Neither record was erased; earlier merges say what was merged into which.
        "customers.Erasure",
        "customers.CustomerMerge",
    }
)

# What the system may write over a permission; the rest becomes a withdrawal, which is as strict.
WRITTEN = frozenset({State.STALE, State.WITHDRAWN, State.OBJECTED})

# Why two records are not merged: a code, and its sentence.
REFUSALS = {
    "same": "Both are the same record. Choose another one to merge with it.",
    "erased": "One of them was erased. What was erased stays alone.",
    "erasing": "One of them is being erased. Wait until that is done.",
    "absorbed": "One of them was merged before. Choose the record it was merged into.",
    "unknown_table": "There are tables that a merge does not know: %(tables)s. Nothing was merged. "
    "Say in customers/merging.py, or where it is called, what becomes of their rows.",
    "changed": "What they permit changed since the preview. Look at it again.",
}


class MergeRefused(ValueError):
    """A merge that is not made; `code` is a key of REFUSALS."""

    def __init__(self, code: str, tables: Iterable[str] = ()) -> None:
        self.code = code
        super().__init__(REFUSALS[code] % {"tables": ", ".join(sorted(tables))})


@dataclass(frozen=True, slots=True)
class Row:
    """What each side permits for a purpose (by its key) on a channel, and what the survivor will.

    States are those of consent.State; where nothing was said they are "none".
    """

    purpose: str
    channel: str
    survivor: str
    absorbed: str
    result: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do. `seal` is equal for equal previews."""

    survivor: Customer
    absorbed: Customer
    rows: Sequence[Row]
    paused_until: datetime | None
    monthly_limit: int | None
    restricted_at: datetime | None
    purchases: int

    @property
    def seal(self) -> str:
        wishes = [str(self.paused_until), self.monthly_limit, str(self.restricted_at)]
        rows = [asdict(row) for row in self.rows]
        text = json.dumps([self.survivor.pk, self.absorbed.pk, rows, wishes], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


# -- Rules ----------------------------------------------------------------------------------------


def result_of(survivor: State, absorbed: State) -> State:
    """Return what the survivor stands at after the merge; never freer than it was before.

    Of two permissions the survivor's own stays: it was given on the address that stays.
    """
    strict = strictest([survivor, absorbed])
    if strict is survivor or {survivor, absorbed} <= ALLOWING:
        return survivor
    if strict in WRITTEN and (strict is not State.STALE or survivor in ALLOWING - {State.SOFT}):
        return strict
    return State.WITHDRAWN if survivor in ALLOWING else survivor


# -- The preview ----------------------------------------------------------------------------------


def preview(survivor: Customer, absorbed: Customer, *, above: Collection[str] = ()) -> Preview:
    """Return what merging would do; MergeRefused if it would not be done.

    `above` names the tables of other floors ("feedback.Response") the caller takes care of.
    """
    _check(survivor, absorbed, above)
    states = _states([survivor, absorbed])
    return Preview(
        survivor=survivor,
        absorbed=absorbed,
        rows=_rows(survivor, absorbed, states),
        paused_until=_latest(survivor.paused_until, absorbed.paused_until),
        monthly_limit=_lowest(survivor.monthly_limit, absorbed.monthly_limit),
        restricted_at=_earliest(survivor.restricted_at, absorbed.restricted_at),
        purchases=Purchase.objects.filter(customer=absorbed).count(),
    )


def pointing_at_customers() -> frozenset[str]:
    """Return the names of all tables with a foreign key to a customer."""
    return frozenset(
        relation.related_model._meta.label
        for relation in Customer._meta.related_objects
        if not isinstance(relation.related_model, str)
    )


def _check(survivor: Customer, absorbed: Customer, above: Collection[str]) -> None:
    if survivor.pk == absorbed.pk:
        raise MergeRefused("same")
    if survivor.erased_at or absorbed.erased_at:
        raise MergeRefused("erased")
    both = [survivor, absorbed]
    if Erasure.objects.filter(customer__in=both, done_at__isnull=True).exists():
        raise MergeRefused("erasing")
    if CustomerMerge.objects.filter(absorbed__in=both).exists():
        raise MergeRefused("absorbed")
    if unknown := pointing_at_customers() - MOVES - STAYS - frozenset(above):
        raise MergeRefused("unknown_table", unknown)


_Key = tuple[int, str]


def _states(both: Sequence[Customer]) -> dict[int, dict[_Key, ConsentState]]:
    """Return the states of both, as {customer id: {(purpose id, channel): state}}."""
    found: dict[int, dict[_Key, ConsentState]] = {customer.pk: {} for customer in both}
    rows = ConsentState.objects.filter(customer__in=both).select_related("purpose", "entry")
    for row in rows.order_by("purpose__key", "channel"):
        found[row.customer_id][row.purpose_id, row.channel] = row
    return found


def _rows(
    survivor: Customer, absorbed: Customer, states: dict[int, dict[_Key, ConsentState]]
) -> list[Row]:
    ours, theirs = states[survivor.pk], states[absorbed.pk]
    objects = _objects(theirs.values())
    rows = []
    for key, state in sorted((theirs | ours).items(), key=lambda item: _order(item[1])):
        mine, other = _state_of(ours.get(key)), _state_of(theirs.get(key))
        # An objection to one marketing purpose is one to all.
        felt = State.OBJECTED if objects and _is_marketing(state) else other
        rows.append(
            Row(state.purpose.key, state.channel, str(mine), str(other), str(result_of(mine, felt)))
        )
    return rows


def _order(state: ConsentState) -> tuple[str, str]:
    return state.purpose.key, state.channel


def _state_of(state: ConsentState | None) -> State:
    return State(state.state) if state else State.NONE


def _is_marketing(state: ConsentState) -> bool:
    return PurposeKind(state.purpose.kind).is_marketing


def _objects(states: Iterable[ConsentState]) -> bool:
    return any(state.state == State.OBJECTED and _is_marketing(state) for state in states)


# -- The merge ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Who decides on a merge (an id), why, and the seal of the preview they saw."""

    reason: str
    colleague: str
    seal: str


def merge_customers(
    *,
    survivor: Customer,
    absorbed: Customer,
    decision: Decision,
    above: Collection[str],
    now: datetime,
) -> CustomerMerge:
    """Merge one record into another and return what was done; MergeRefused if it may not be.

    `above` names the tables of other floors, whose rows the caller moves in the same transaction.
    """
    with transaction.atomic():
        pks = [survivor.pk, absorbed.pk]
        rows = Customer.objects.select_for_update().filter(pk__in=pks).order_by("pk")
        locked = {customer.pk: customer for customer in rows}
        survivor, absorbed = locked[survivor.pk], locked[absorbed.pk]
        plan = preview(survivor, absorbed, above=above)
        if plan.seal != decision.seal:
            raise MergeRefused("changed")
        _carry_suppressions(plan, now)
        _write_ledger(plan, now)
        _close_links(plan, now)
        move_holds(absorbed, survivor, now)
        for table in (Purchase, DataRequest, AccessLog, Contact):
            table._default_manager.filter(customer=absorbed).update(customer=survivor)
        merge = CustomerMerge.objects.create(
            survivor=survivor,
            absorbed=absorbed,
            reason=decision.reason,
            merged_by=decision.colleague,
            merged_at=now,
            outcome=[asdict(row) for row in plan.rows],
        )
        _store_people(plan)
    return merge


def _write_ledger(plan: Preview, now: datetime) -> None:
    """Write into both chains: what the survivor loses, and that the absorbed permits nothing."""
    states = _states([plan.survivor, plan.absorbed])
    ours, theirs = states[plan.survivor.pk], states[plan.absorbed.pk]
    results = {(row.purpose, row.channel): State(row.result) for row in plan.rows}
    for key, state in (theirs | ours).items():
        mine, other = ours.get(key), theirs.get(key)
        result = results[state.purpose.key, state.channel]
        act = Act(
            purpose=state.purpose,
            channel=state.channel,
            state=result,
            actor=Actor.SYSTEM,
            method=Method.MERGE,
            occurred_at=now,
            address=plan.survivor.email,
        )
        if result is not _state_of(mine):
            caused = replace(act, caused_by=other.entry if other else None)
            record_consent(customer=plan.survivor, act=caused, now=now)
        if _state_of(other) in ALLOWING | {State.PENDING}:
            ended = replace(
                act,
                state=State.WITHDRAWN,
                address=plan.absorbed.email,
                caused_by=mine.entry if mine else None,
            )
            record_consent(customer=plan.absorbed, act=ended, now=now)


def _carry_suppressions(plan: Preview, now: datetime) -> None:
    """Stop both addresses for what stopped either; a bounce is about one address alone."""
    both = (plan.survivor, plan.absorbed)
    hashes = [one for customer in both for one in address_hashes(customer.email)]
    rows = Suppression.objects.filter(~Q(reason=SuppressionReason.BOUNCE), address_hash__in=hashes)
    stops = {row.reason: row.everything for row in rows}
    if any(_objects(states.values()) for states in _states(both).values()):
        stops.setdefault(SuppressionReason.OBJECTION, False)
    for reason, everything in sorted(stops.items()):
        stop = Stop(reason=SuppressionReason(reason), everything=everything)
        suppress(hashes={address_hash(one.email) for one in both}, stop=stop, now=now)


def _close_links(plan: Preview, now: datetime) -> None:
    """Close whatever was mailed to either, and do not send what still waits with a link."""
    links = MailedLink.objects.filter(customer__in=[plan.survivor, plan.absorbed])
    links.filter(expires_at__gt=now).update(expires_at=now)
    links.filter(closed_at__isnull=True).update(closed_at=now)
    Letter.objects.filter(link__in=links, state__in=WAITING).update(
        state=LetterState.FAILED_PERM, finished_at=now, address=""
    )


def _store_people(plan: Preview) -> None:
    survivor, absorbed = plan.survivor, plan.absorbed
    survivor.paused_until = plan.paused_until
    survivor.monthly_limit = plan.monthly_limit
    survivor.restricted_at = plan.restricted_at
    survivor.save(update_fields=["paused_until", "monthly_limit", "restricted_at"])
    absorbed.email = absorbed.name = absorbed.verified_hash = ""
    absorbed.save(update_fields=["email", "name", "verified_hash", "address_hash", "older_hash"])


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def _lowest(one: int | None, other: int | None) -> int | None:
    return min(filter(None, (one, other)), default=None)
