"""Who may be contacted, for everybody at once: a funnel, and the claims that follow it.

Set-based and quick: it leaves out whoever is refused for certain and never somebody who is allowed.
What it cannot see in one pass (a reservation for later, half a dose after an unhappy answer) the
claim sees, which asks about each customer again under the lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from customers.audience import permitted
from customers.contact_queries import look
from customers.contacts import BATCH, Claim, Request, claim_contacts
from customers.dose_policy import Asked, Ceiling, Cell, Limit, Policy
from customers.dosing import MONTH
from customers.models import (
    ConsentState,
    Contact,
    ContactHold,
    Customer,
    CustomerMerge,
    CustomerType,
    HoldReason,
    Purpose,
    PurposeKind,
    Wording,
)
from customers.plans import ABOUT, Plan
from customers.policies import current_policy
from customers.queries import ledger_is_sound
from customers.quiet_hours import Quiet
from customers.wall_clocks import holidays_of, zone_named


class NoAudience(ValueError):
    """A plan for which nobody can be chosen at once."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many customers there are, how many fall out at each step, and who is left.

    Each is counted at the first step that stops them, in this order. `ids` are ascending.
    """

    total: int
    no_permission: int = 0
    left_alone: int = 0
    over_dose: int = 0
    quiet: int = 0
    unknown_zone: int = 0
    ids: Sequence[int] = field(default=(), repr=False)

    @property
    def now(self) -> int:
        return len(self.ids)


def reachable() -> QuerySet[Customer]:
    """Return everybody there is: who was not erased, nor merged into another record."""
    return Customer.objects.filter(erased_at=None).exclude(_absorbed())


def funnel(plan: Plan, now: datetime, among: QuerySet[Customer] | None = None) -> Funnel:
    """Choose whom a plan may reach; in a handful of queries however many customers there are.

    `among` are those of `reachable` it is meant for, None for all.

    NoAudience for a purpose without consent (service goes to one customer at a time) and for one
    that nobody set up.
    """
    purpose = _purpose(plan)
    at = max(plan.at or now, now)
    with _room_to_join():
        return _choose(purpose, plan, at, now, among)


def _choose(
    purpose: Purpose,
    plan: Plan,
    at: datetime,
    now: datetime,
    among: QuerySet[Customer] | None,
) -> Funnel:
    total = (reachable() if among is None else among).count()
    policy = current_policy()
    if policy is None or not ledger_is_sound():
        return Funnel(total, no_permission=total)
    left = _permitted(purpose, plan, at, among)
    steps = {"no_permission": total - len(left)}
    for name, stopped in (
        ("left_alone", _left_alone(purpose, now, at)),
        ("over_dose", _over_dose(plan, policy, now, at)),
    ):
        steps[name] = len(left.keys() & stopped)
        left = {pk: zone for pk, zone in left.items() if pk not in stopped}
    open_, quiet, unknown = _by_clock(left, plan, policy, at)
    return Funnel(total, quiet=quiet, unknown_zone=unknown, ids=sorted(open_), **steps)


@contextmanager
def _room_to_join() -> Iterator[None]:
    """Let PostgreSQL join a million customers in memory. Of its default of 4 MB it makes files,
    which takes half as long again.
    """
    if connection.vendor != "postgresql":
        # There a transaction would keep everybody from writing meanwhile.
        yield
        return
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        yield


def claim_audience(
    *, plan: Plan, ids: Sequence[int], campaign: str, source: str, now: datetime
) -> Iterator[Sequence[Claim]]:
    """Claim a contact with everybody that was chosen, batch by batch, each committed when given.

    `ids` are those of a funnel. The request ids are "campaign:customer", so that a campaign that is
    broken off goes on where it was and nobody is claimed twice.
    """
    for start in range(0, len(ids), BATCH):
        people = Customer.objects.in_bulk(ids[start : start + BATCH])
        requests = [
            Request(request_id=f"{campaign}:{pk}", customer=people[pk], plan=plan, source=source)
            for pk in sorted(people)
        ]
        yield claim_contacts(requests=requests, now=now)


def allowed_of(plan: Plan, ids: Sequence[int], now: datetime) -> list[int]:
    """Return who of a funnel may be contacted, each asked about exactly; nothing is reserved."""
    found: list[int] = []
    for start in range(0, len(ids), BATCH):
        people = Customer.objects.in_bulk(ids[start : start + BATCH])
        snapshot, _ = look(people, [plan], now)
        found += [pk for pk in sorted(people) if snapshot.judge(pk, plan).verdict.allows]
    return found


def _purpose(plan: Plan) -> Purpose:
    purpose = Purpose.objects.filter(key=plan.purpose_key).first()
    if purpose is None:
        raise NoAudience(f"There is no purpose {plan.purpose_key!r}. Make it, or choose another.")
    if not PurposeKind(purpose.kind).needs_consent:
        raise NoAudience(f"{purpose.key} goes to one customer at a time, not to an audience.")
    if purpose.kind not in ABOUT[plan.kind]:
        raise NoAudience(f"{purpose.key} does not permit {plan.kind}. Choose another purpose.")
    return purpose


def _absorbed() -> Exists:
    return Exists(CustomerMerge.objects.filter(absorbed=OuterRef("pk")))


def _permitted(
    purpose: Purpose, plan: Plan, at: datetime, among: QuerySet[Customer] | None
) -> dict[int, str]:
    """Return who permits it, with their time zones."""
    rows = permitted(at, heed_pauses=False, purpose=purpose).filter(channel=plan.channel)
    if among is not None:
        rows = rows.filter(customer__in=among)
    return dict(rows.values_list("customer_id", "customer__time_zone"))


def _left_alone(purpose: Purpose, now: datetime, at: datetime) -> set[int]:
    """Return who is on hold, and where it is marketing who paused."""
    holds = ContactHold.objects.in_force(now).exclude(reason=HoldReason.UNHAPPY)
    held = holds.filter(Q(until__isnull=True) | Q(until__gt=at))
    stopped = set(held.values_list("customer_id", flat=True))
    if PurposeKind(purpose.kind).is_marketing:
        paused = Customer.objects.filter(paused_until__gt=at)
        stopped |= set(paused.values_list("pk", flat=True))
    return stopped


# -- Dose -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bound:
    """A limit of the customers of one type, and which of their contacts weigh in it."""

    customer_type: str
    counted: Q
    limit: Limit
    weight: int

    @property
    def is_never(self) -> bool:
        return self.limit.most < self.weight


def _over_dose(plan: Plan, policy: Policy, now: datetime, at: datetime) -> set[int]:
    """Return who has had as much as some limit allows, in the window that ends at the moment.

    That window alone: whoever it stops is stopped, and whoever another one stops the claim finds.
    """
    if plan.kind in policy.exempt:
        return set()
    bounds = [one for name in CustomerType.values for one in _bounds(plan, policy, name)]
    never = Q(customer_type__in={one.customer_type for one in bounds if one.is_never})
    stopped = set(Customer.objects.filter(never).values_list("pk", flat=True))
    weighing = Contact.objects.counting(now).filter(from_at__lte=at).exclude(kind__in=policy.exempt)
    stopped |= set(_full(weighing, bounds, at).values_list("customer_id", flat=True))
    return stopped | _promise_kept(weighing, plan, at)


def _bounds(plan: Plan, policy: Policy, customer_type: str) -> Iterator[_Bound]:
    asked = Asked(plan.involved.level, customer_type, plan.channel, plan.kind)
    cell = policy.cell_for(asked)
    points = max(plan.points or 0, policy.points.get(plan.kind, 1))
    rules: list[Cell | Ceiling] = [*([cell] if cell else []), *policy.ceilings_for(asked)]
    for rule in rules:
        gap = [Limit(1, rule.gap)] if rule.gap else []
        for limit in [*gap, *rule.limits]:
            weight = points if limit.unit == "points" else 1
            yield _Bound(customer_type, _counted(rule, plan), limit, weight)


def _counted(rule: Cell | Ceiling, plan: Plan) -> Q:
    counted = Q(kind__in=rule.counted_kinds) if rule.counted_kinds else Q()
    if rule.channel:
        counted &= Q(channel=rule.channel)
    if isinstance(rule, Cell) and rule.per == "category":
        # Written out: a comparison with nothing is neither true nor false to a database.
        counted &= Q(category=plan.category) if plan.category else Q(category__isnull=True)
    return counted


def _full(
    weighing: QuerySet[Contact], bounds: Sequence[_Bound], at: datetime
) -> QuerySet[Contact, Any]:
    """Return the customers for whom some bound, or their own wish, is full: one pass for all."""
    sums = {"wish": _sum("count", Q(to_at__gt=at - MONTH))}
    names: dict[tuple[Q, timedelta, str], str] = {}
    over = Q(wish__gte=F("customer__monthly_limit"))
    for one in bounds:
        window, unit = one.limit.window, one.limit.unit
        name = names.setdefault((one.counted, window, unit), f"bound_{len(names)}")
        sums[name] = _sum(unit, one.counted & Q(to_at__gt=at - window))
        room = one.limit.most - one.weight
        over |= Q(customer__customer_type=one.customer_type, **{f"{name}__gt": room})
    longest = max([MONTH, *(one.limit.window for one in bounds)])
    grouped = weighing.filter(to_at__gt=at - longest).values(
        "customer_id", "customer__customer_type", "customer__monthly_limit"
    )
    return grouped.annotate(**sums).filter(over)


def _sum(unit: str, counted: Q) -> Coalesce:
    weight = F("points") if unit == "points" else Value(1)
    return Coalesce(Sum(weight, filter=counted), 0)


def _promise_kept(weighing: QuerySet[Contact], plan: Plan, at: datetime) -> set[int]:
    """Return who has had as many of a purpose as the text they agreed to promised."""
    mine = Q(purpose__key=plan.purpose_key)
    texts = Wording.objects.filter(mine, promised_messages__isnull=False)
    stopped: set[int] = set()
    promises = texts.values_list("promised_messages", "promised_days").distinct()
    for most, days in promises.order_by("promised_messages", "promised_days"):
        window = Q(to_at__gt=at - timedelta(days=days or 0))
        had = weighing.filter(mine, window).values("customer_id").annotate(n=Count("pk"))
        full = had.filter(n__gte=most or 0).values_list("customer_id", flat=True)
        states = ConsentState.objects.filter(mine, channel=plan.channel)
        promised = states.filter(
            entry__wording__promised_messages=most, entry__wording__promised_days=days
        )
        stopped |= set(full) & set(promised.values_list("customer_id", flat=True))
    return stopped


# -- The clock ------------------------------------------------------------------------------------


def _by_clock(
    left: Mapping[int, str], plan: Plan, policy: Policy, at: datetime
) -> tuple[list[int], int, int]:
    """Return who is not disturbed now, how many would be, and of how many the zone is unknown."""
    ranges = policy.quiet.get(plan.channel)
    days = holidays_of(policy.country, at.year) if ranges is not None else frozenset()
    quiet = Quiet(ranges or (), days)
    zones = {name: zone_named(name) for name in set(left.values())}
    unknown = {name for name, zone in zones.items() if zone is None}
    asleep = {name for name, zone in zones.items() if zone and quiet.why(at, zone)}
    open_ = [pk for pk, name in left.items() if name not in asleep | unknown]
    return (
        open_,
        sum(name in asleep for name in left.values()),
        sum(name in unknown for name in left.values()),
    )
