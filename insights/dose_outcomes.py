"""What came after contacts: unhappy answers, opt-outs and purchases, never as their effect.

Each of them belongs to the customer's latest contact before it, if that was at most 7 days before;
so nothing is counted twice. A share is that of the contacts after which at least one came, with
Wilson's interval from kpis.py.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.consent import Actor, State
from customers.models import ConsentEntry, CustomerMerge, Purchase
from feedback.models import Response
from feedback.scales import SCALES, Band, Scale
from insights.disclosure import is_small
from insights.kpis import MIN_VERDICT, Kpi, figure

WITHIN = timedelta(days=7)
MONTH = timedelta(days=30)

THUMBS_DOWN, OPT_OUTS, PURCHASES = OUTCOMES = ("thumbs_down", "opt_outs", "purchases")

LABELS: Mapping[str, Any] = {
    THUMBS_DOWN: _("Unhappy answers"),
    OPT_OUTS: _("Opt-outs"),
    PURCHASES: _("Purchases"),
}

NOT_INDEPENDENT = _(
    "An event counts for the customer’s latest contact before it, within 7 days; contacts that are "
    "less than 7 days old, and kinds that do not count in the dose, are left out. Contacts of one "
    "customer are not independent of each other, so the intervals are narrower than they should be."
)

CAME = Kpi(
    key="came_with",
    scale=Scale("came", (Band("came", 1, 1), Band("stayed_out", 0, 0))),
    unit="percent",
    version=1,
    definition=(
        "Came with v1: the percentage of contacts after which the same customer did it within 7 "
        "days and before the next contact, among the contacts that are at least 7 days old; kinds "
        "that do not count in the dose are left out; unweighted; contacts of one customer are not "
        "independent of each other, so the interval is narrower than it should be; no effect."
    ),
)

# Customer ids with the moments of one kind of event, in order.
Moments = Mapping[int, Sequence[datetime]]


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n` contacts, in percent with its 95 % interval.

    `count` is None below 5 contacts, and so are the others, which are None without contacts too.
    """

    n: int
    count: int | None
    share: float | None
    low: float | None
    high: float | None

    @property
    def shown(self) -> bool:
        """Whether there is an interval to show."""
        return self.share is not None

    @property
    def firm(self) -> bool:
        """Whether the share itself is printed; from 5 to 29 contacts only its interval is."""
        return self.n >= MIN_VERDICT

    @property
    def is_few(self) -> bool:
        return is_small(self.n)


def share(count: int, n: int) -> Share:
    """Return `count` of `n` as it may be shown."""
    if is_small(n):
        return Share(n, None, None, None, None)
    found = figure(CAME, {CAME.positive: count, CAME.negative: n - count})
    return Share(n, count, found.value, found.low, found.high)


def followed(contacts: Sequence[datetime], events: Iterable[datetime]) -> set[int]:
    """Return the numbers of the contacts, which are in order, that at least one event belongs to.

    An event belongs to the latest contact before it, and to none if that was over 7 days before.
    """
    found = set()
    for moment in events:
        at = bisect_left(contacts, moment) - 1
        if at >= 0 and moment - contacts[at] <= WITHIN:
            found.add(at)
    return found


def in_a_month(times: Sequence[datetime]) -> list[int]:
    """Return for each moment, in order, how many lie in the 30 days up to and including it."""
    found = []
    first = 0
    for at, moment in enumerate(times):
        while times[first] <= moment - MONTH:
            first += 1
        found.append(at - first + 1)
    return found


# -- Reading --------------------------------------------------------------------------------------


def events(
    outcome: str, start: datetime, end: datetime, customers: Collection[int] | None = None
) -> Moments:
    """Return when it happened from `start` up to `end`, per customer, in one or two queries.

    Of these customers, or of all.
    """
    read = {THUMBS_DOWN: _unhappy, OPT_OUTS: _opt_outs, PURCHASES: _purchases}[outcome]
    found: dict[int, list[datetime]] = defaultdict(list)
    for customer, moment in read(start, end, customers):
        found[customer].append(moment)
    return {customer: sorted(moments) for customer, moments in found.items()}


Rows = Iterable[tuple[int, datetime]]


def _unhappy(start: datetime, end: datetime, customers: Collection[int] | None) -> Rows:
    rows = Response.objects.filter(
        unhappy(), customer__isnull=False, answered_at__gte=start, answered_at__lt=end
    )
    return _of(rows, customers).values_list("customer_id", "answered_at")


def unhappy() -> Q:
    """Return what an unhappy answer is: in the lowest band of its scale, as in every figure."""
    found = Q(pk__in=[])
    for scale in SCALES.values():
        lowest = scale.bands[-1]
        found |= Q(scale=scale.key, value__gte=lowest.lowest, value__lte=lowest.highest)
    return found


def _opt_outs(start: datetime, end: datetime, customers: Collection[int] | None) -> Rows:
    """What the customer took back or objected to, whoever wrote it down; not what the system did.

    The ledger is never rewritten: what a merged record said belongs to the one it became.
    """
    became = _merged()
    if customers is not None:
        wanted = set(customers)
        customers = wanted | {old for old, new in became.items() if new in wanted}
    rows = ConsentEntry.objects.filter(
        ~Q(actor=Actor.SYSTEM),
        state__in=(State.WITHDRAWN, State.OBJECTED),
        occurred_at__gte=start,
        occurred_at__lt=end,
    )
    for customer, moment in _of(rows, customers).values_list("customer_id", "occurred_at"):
        yield became.get(customer, customer), moment


def _merged() -> dict[int, int]:
    """Return which record each merged one became in the end."""
    steps = dict(CustomerMerge.objects.values_list("absorbed_id", "survivor_id"))
    became = {}
    for absorbed in steps:
        end = absorbed
        while end in steps:
            end = steps[end]
        became[absorbed] = end
    return became


def _purchases(start: datetime, end: datetime, customers: Collection[int] | None) -> Rows:
    rows = Purchase.objects.counting().filter(purchased_at__gte=start, purchased_at__lt=end)
    return _of(rows, customers).values_list("customer_id", "purchased_at")


def _of(rows: QuerySet[Any], customers: Collection[int] | None) -> QuerySet[Any]:
    return rows if customers is None else rows.filter(customer__in=customers)
