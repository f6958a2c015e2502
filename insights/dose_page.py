"""The page about the dose: what is allowed and used, who is at a limit, and what was refused.

Aggregates only, and nothing about fewer than five customers. Counted afresh at most every five
minutes; the page says when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from django.core.cache import cache
from django.db.models import Count

from customers.audience import permitted
from customers.dose_policy import Asked, Ceiling, Limit, Policy
from customers.models import (
    Channel,
    Contact,
    ContactKind,
    CustomerType,
    Decision,
    DosePolicy,
    Involvement,
    PolicyDraft,
)
from customers.policies import current_policy, current_version
from feedback.tallies import local_day
from insights.fatigue import Curve, fatigue
from insights.kpis import MIN_SHOWN
from insights.periods import Period

PURPOSE = "email_marketing"
MONTH = timedelta(days=30)
CURVE_WEEKS = 13
FRESH_SECONDS = 300

TYPES = (
    *(CustomerType.REGULAR, CustomerType.OCCASIONAL, CustomerType.ONE_TIME),
    *(CustomerType.PROSPECT, CustomerType.LAPSED, CustomerType.CONTRACT),
)
LEVELS = (Involvement.HIGH, Involvement.MEDIUM, Involvement.LOW)
FACTS = (
    *("customer_id", "kind", "channel", "category_id", "involvement"),
    *("from_at", "to_at", "customer_type", "policy_id"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """Customers of one type who permit offers by e-mail."""

    customer_type: CustomerType
    n: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What one kind of customer may get, and what they got. `most` None is no limit.

    mean   contacts in the window, per customer who may be mailed
    full   how many of these `n` customers had as many as allowed; None under five customers
    more   the other limits of a ceiling
    """

    most: int | None
    n: int
    mean: float | None = None
    full: int | None = None
    more: Sequence[Limit] = ()

    @property
    def share_full(self) -> float | None:
        """In percent."""
        return None if self.full is None else 100 * self.full / self.n


@dataclass(frozen=True, slots=True)
class Refused:
    """How many requests had this outcome for this first reason; `code` is "" for what went."""

    outcome: str
    code: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class DosePage:
    """All of the page. Periods are the last 30 days, those of the curves the last 13 weeks.

    over        customers who got more than a ceiling allows, through this product
    unasked     contacts that came in with a file: nobody asked about them
    """

    version: DosePolicy | None
    counted_at: datetime
    columns: Sequence[Column]
    rows: Sequence[tuple[Involvement, Sequence[Cell]]]
    ceilings: Sequence[Cell]
    contacts: int
    contacted: int
    unasked: int
    over: int
    refused: Sequence[Refused]
    curves: Sequence[Curve]

    @property
    def mailable(self) -> int:
        return sum(one.n for one in self.columns)

    @property
    def asked(self) -> int:
        """How many requests there were, whatever came of them."""
        return sum(one.n for one in self.refused)

    @property
    def at_limit(self) -> int:
        """How many of those who may be mailed get nothing more now."""
        return sum(one.full or 0 for one in self.ceilings)

    @property
    def is_empty(self) -> bool:
        return self.contacts == 0 and self.asked == 0


def dose_page(now: datetime) -> DosePage:
    """Return the page, at most five minutes old: counting afresh takes seconds in a large shop.

    A new day or a new policy is seen at once.
    """
    version = current_version()
    key = f"dose_page:{local_day(now)}:{version.pk if version else 0}"
    page: DosePage | None = cache.get(key)
    if page is None:
        page = _count(now)
        cache.set(key, page, FRESH_SECONDS)
    return page


def draft() -> PolicyDraft | None:
    """Return the next policy while somebody works on it."""
    return PolicyDraft.objects.first()


def _count(now: datetime) -> DosePage:
    policy, version = current_policy(), current_version()
    exempt = policy.exempt if policy else frozenset()
    frame = _contacts(now, exempt)
    people = pd.Series(
        dict(
            permitted(now)
            .filter(purpose__key=PURPOSE, channel=Channel.EMAIL)
            .values_list("customer_id", "customer__customer_type")
        ),
        dtype="object",
    )
    columns = [
        Column(one, int((people == one.value).sum()))
        for one in TYPES
        if one != CustomerType.CONTRACT or (people == one.value).any()
    ]
    month = frame[frame["to_at"] > now - MONTH]
    today = local_day(now)
    weeks = Period(today - timedelta(weeks=CURVE_WEEKS), today)
    return DosePage(
        version=version,
        counted_at=now,
        columns=columns,
        rows=[
            (level, [_cell(policy, level, one, people, frame, now) for one in columns])
            for level in LEVELS
        ],
        ceilings=[_ceiling(policy, one, people, frame, now) for one in columns],
        contacts=len(month),
        contacted=month["customer_id"].nunique(),
        unasked=int(month["policy_id"].isna().sum()),
        over=_over(policy, frame, now) if policy else 0,
        curves=fatigue(weeks, exempt=exempt, now=now),
        refused=_refused(now),
    )


def _contacts(now: datetime, exempt: frozenset[str]) -> pd.DataFrame:
    """Return what counts of the last 60 days: the windows of the last 30 reach so far back."""
    rows = Contact.objects.counting(now).filter(to_at__gt=now - 2 * MONTH, from_at__lte=now)
    found = list(rows.exclude(kind__in=exempt).values_list(*FACTS))
    frame = pd.DataFrame.from_records(found, columns=list(FACTS))
    for name in ("from_at", "to_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _cell(
    policy: Policy | None,
    level: Involvement,
    column: Column,
    people: pd.Series,
    frame: pd.DataFrame,
    now: datetime,
) -> Cell:
    """Offers by e-mail about one category: the fullest category of each customer counts."""
    asked = Asked(level.value, column.customer_type.value, Channel.EMAIL, ContactKind.PROMOTION)
    cell = policy.cell_for(asked) if policy else None
    limit = _main(cell.limits) if cell else None
    if limit is None:
        return Cell(None, column.n)
    offers = frame[
        (frame["kind"] == ContactKind.PROMOTION)
        & (frame["channel"] == Channel.EMAIL)
        & (frame["involvement"] == level.value)
        & (frame["to_at"] > now - limit.window)
    ]
    about = offers.groupby(["customer_id", "category_id"], dropna=False).size()
    used = about.groupby("customer_id").max()
    return _used(limit, [], used >= limit.most, used, _of(people, column))


def _ceiling(
    policy: Policy | None,
    column: Column,
    people: pd.Series,
    frame: pd.DataFrame,
    now: datetime,
) -> Cell:
    """Everything together: whoever is at one of the limits is at their limit."""
    ceiling = _person_ceiling(policy, column.customer_type.value)
    limit = _main(ceiling.limits) if ceiling else None
    if ceiling is None or limit is None:
        return Cell(None, column.n)
    counted = frame[frame["kind"].isin(ceiling.kinds)] if ceiling.kinds else frame
    sizes = {
        one: counted[counted["to_at"] > now - one.window].groupby("customer_id").size()
        for one in ceiling.limits
    }
    full = pd.concat([size >= one.most for one, size in sizes.items()], axis=1).fillna(False)
    more = sorted((one for one in ceiling.limits if one != limit), key=lambda one: -one.window)
    return _used(limit, more, full.any(axis=1), sizes[limit], _of(people, column))


def _person_ceiling(policy: Policy | None, customer_type: str) -> Ceiling | None:
    """Return the ceiling of offers to customers of a type that counts contacts."""
    if policy is None:
        return None
    asked = Asked(Involvement.MEDIUM, customer_type, Channel.EMAIL, ContactKind.PROMOTION)
    found = policy.ceilings_for(asked)
    return next((one for one in found if any(x.unit == "count" for x in one.limits)), None)


def _main(limits: Sequence[Limit]) -> Limit | None:
    """Return the limit that the table shows: that of the longest window."""
    counting = [one for one in limits if one.unit == "count"]
    return max(counting, key=lambda one: one.window, default=None)


def _of(people: pd.Series, column: Column) -> pd.Index:
    return people[people == column.customer_type.value].index


def _used(
    limit: Limit, more: Sequence[Limit], full: pd.Series, used: pd.Series, whose: pd.Index
) -> Cell:
    n = len(whose)
    if n < MIN_SHOWN:
        return Cell(limit.most, n, more=more)
    at_limit = full.reindex(whose, fill_value=limit.most == 0)
    return Cell(
        most=limit.most,
        n=n,
        mean=float(used.reindex(whose, fill_value=0).mean()),
        full=int(at_limit.sum()),
        more=more,
    )


def _over(policy: Policy, frame: pd.DataFrame, now: datetime) -> int:
    """Return how many customers got more than a ceiling of their type, as it was, allows.

    Of N + 1 contacts in order the last begins one window after the first ended, or there was one
    too many; looked at where the last went through the policy, in the last 30 days.
    """
    over: set[int] = set()
    for customer_type in CustomerType.values:
        ceiling = _person_ceiling(policy, customer_type)
        if ceiling is None:
            continue
        counted = frame[frame["kind"].isin(ceiling.kinds)] if ceiling.kinds else frame
        in_order = counted.sort_values(["customer_id", "from_at"])
        earlier = in_order.groupby("customer_id")["to_at"]
        mine = (
            (in_order["customer_type"] == customer_type)
            & in_order["policy_id"].notna()
            & (in_order["from_at"] > now - MONTH)
        )
        for limit in ceiling.limits:
            too_soon = in_order["from_at"] - earlier.shift(limit.most) < limit.window
            over |= set(in_order.loc[mine & too_soon, "customer_id"])
    return len(over)


def _refused(now: datetime) -> list[Refused]:
    """Return what came of the requests of the last 30 days: what went first, then the most."""
    rows = Decision.objects.filter(decided_at__gt=now - MONTH, decided_at__lte=now)
    grouped = rows.values_list("outcome", "code").annotate(n=Count("pk"))
    found = sorted(grouped, key=lambda one: (one[1] != "", -one[2], one[1]))
    asked = sum(n for *_rest, n in found)
    return [Refused(outcome, code, n, 100 * n / asked) for outcome, code, n in found]
