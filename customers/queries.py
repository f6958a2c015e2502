"""Reading who the customers are and what they bought."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from customers import consent
from customers.addresses import address_hashes
from customers.cells import folded
from customers.consent import Answer, Grade, Person, State, Terms, Use, soft_opt_in
from customers.lifecycle import Clocks, Labelled, classify, pool_clocks
from customers.models import (
    Category,
    ConsentEntry,
    ConsentState,
    Customer,
    Product,
    Purchase,
    Purpose,
    PurposeKind,
    Suppression,
    Wording,
)

# Customers looked at together: a query's worth, whatever their number.
CUSTOMER_BATCH = 2_000


# -- By the keys that people use ------------------------------------------------------------------


def customers_by_reference(references: Iterable[str]) -> dict[str, Customer]:
    """Return the customers with these references, the erased ones included."""
    found = Customer.objects.filter(reference__in=set(references))
    return {customer.reference: customer for customer in found}


def products_by_code(codes: Iterable[str]) -> dict[str, Product]:
    """Return the products with these codes, in whatever case, with their categories."""
    wanted = {folded(code) for code in codes}
    found = Product.objects.filter(sku_folded__in=wanted).select_related("category")
    return {product.sku_folded: product for product in found}


def categories_by_name(names: Iterable[str]) -> dict[str, Category]:
    """Return the categories with these names, in whatever case."""
    found = Category.objects.filter(name_folded__in={folded(name) for name in names})
    return {category.name_folded: category for category in found}


# -- Permission -----------------------------------------------------------------------------------


def may_process(customer: Customer, purpose: str, channel: str, now: datetime) -> Answer:
    """Say whether a customer may be reached for a purpose, in two queries; unknown means no.

    Purpose.DoesNotExist for a key nobody set up.
    """
    addresses = address_hashes(customer.email)
    terms = (
        Purpose.objects.annotate(
            scope=Subquery(_current_wording(now).values("scope_hash")[:1]),
            suppressed=Exists(Suppression.objects.filter(address_hash__in=addresses)),
            unreachable=Exists(
                Suppression.objects.filter(address_hash__in=addresses, everything=True)
            ),
        )
        .filter(key=purpose)
        .get()
    )
    state = (
        ConsentState.objects.filter(customer=customer, purpose=terms, channel=channel)
        .select_related("entry__wording")
        .first()
    )
    return consent.may_process(
        [_as_entry(state.entry, purpose)] if state else [],
        Terms(
            key=purpose,
            scope=terms.scope or "",
            minimum_grade=Grade(terms.minimum_grade),
            minimum_age=terms.minimum_age,
            archived=terms.archived_at is not None,
            needs_consent=PurposeKind(terms.kind).needs_consent,
            is_marketing=PurposeKind(terms.kind).is_marketing,
        ),
        Person(
            restricted=customer.restricted_at is not None,
            erased=customer.erased_at is not None,
            suppressed=terms.suppressed,
            unreachable=terms.unreachable,
            paused_until=customer.paused_until,
        ),
        Use(
            channel=channel,
            addresses=addresses,
            now=now,
            soft_allowed=soft_opt_in(channel, settings.ORGANISATION_KIND, timezone.localdate(now)),
        ),
    )


def _current_wording(now: datetime) -> QuerySet[Wording]:
    """Return the wordings of the purpose of an outer query, the newest version first."""
    # Texts below zero came in with an import; what they say was asked elsewhere.
    published = Wording.objects.filter(
        purpose=OuterRef("pk"), version__gte=1, published_at__lte=now
    )
    return published.order_by("-version")


def _as_entry(row: ConsentEntry, purpose: str) -> consent.Entry:
    return consent.Entry(
        seq=row.pk,
        occurred_at=row.occurred_at,
        purpose=purpose,
        channel=row.channel,
        state=State(row.state),
        address=row.address_hash,
        scope=row.wording.scope_hash if row.wording else "",
        grade=Grade(row.grade),
        valid_until=row.valid_until,
        old_enough=row.old_enough,
    )


# -- Customer types -------------------------------------------------------------------------------


@dataclass(slots=True)
class History:
    """What a customer's type depends on: purchase days, and contracts as (bought on, until)."""

    days: list[date] = field(default_factory=list)
    contracts: list[tuple[date, date]] = field(default_factory=list)

    def label(self, pooled: Clocks, at: date) -> Labelled:
        """Return the type as of the start of day `at`."""
        running = [until for bought_on, until in self.contracts if bought_on < at]
        return classify(self.days, max(running, default=None), pooled, at)


def clocks(at: date) -> Clocks:
    """Measure how fast customers come back, from all purchase days before `at`."""
    return pool_clocks((days for _, days in _days_per_customer(at)), at)


def histories(at: date, ids: Iterable[int]) -> Mapping[int, History]:
    """Return the purchase days before `at` and the contracts of these customers.

    A customer without any has an empty history.
    """
    chosen = Q(customer_id__in=list(ids))
    found: dict[int, History] = defaultdict(History)
    for customer_id, days in _days_per_customer(at, chosen):
        found[customer_id].days = days
    # A contract may be free of charge, but not returned.
    contracts = Purchase.objects.filter(chosen, contract_until__isnull=False, quantity__gt=0)
    for purchase in contracts.only("customer_id", "purchased_at", "contract_until"):
        if purchase.contract_until:
            bought_on = timezone.localdate(purchase.purchased_at, timezone.get_default_timezone())
            found[purchase.customer_id].contracts.append((bought_on, purchase.contract_until))
    return found


def labelled_customers(at: date) -> Iterator[list[tuple[Customer, Labelled]]]:
    """Yield all customers who are not erased with their type as of the start of day `at`.

    In batches, so that memory does not grow with their number.
    """
    pooled, last = clocks(at), 0
    while batch := list(
        Customer.objects.filter(pk__gt=last, erased_at__isnull=True).order_by("pk")[:CUSTOMER_BATCH]
    ):
        last = batch[-1].pk
        known = histories(at, [customer.pk for customer in batch])
        yield [(customer, known[customer.pk].label(pooled, at)) for customer in batch]


def labelled_customer(reference: str, at: date) -> Labelled:
    """Return one customer's type with its reason; raises Customer.DoesNotExist."""
    customer = Customer.objects.get(reference=reference, erased_at__isnull=True)
    return histories(at, [customer.pk])[customer.pk].label(clocks(at), at)


def types_on(moments: Collection[tuple[int, date]], pooled: Clocks) -> dict[tuple[int, date], str]:
    """Return the types that customers had on past days, as {(customer id, day): type}.

    Recency and frequency are those of the day. The clocks are given, as they are measured over
    all customers and so only once for many questions.
    """
    if not moments:
        return {}
    newest = max(day for _, day in moments)
    known = histories(newest, {customer_id for customer_id, _ in moments})
    return {(pk, day): known[pk].label(pooled, day).type for pk, day in moments}


def _days_per_customer(at: date, *chosen: Q) -> Iterator[tuple[int, list[date]]]:
    """Yield (customer id, local purchase days before `at` in order), one customer at a time."""
    # The lines of an order have one moment: told apart by the database, few are left to turn into
    # local days here.
    rows = (
        Purchase.objects.counting()
        .filter(*chosen, purchased_at__lt=_midnight(at))
        .order_by("customer_id", "purchased_at")
        .values_list("customer_id", "purchased_at")
        .distinct()
        .iterator(chunk_size=10_000)
    )
    zone = timezone.get_default_timezone()
    for customer_id, group in groupby(rows, key=itemgetter(0)):
        days = (timezone.localdate(moment, zone) for _, moment in group)
        yield customer_id, [day for day, _ in groupby(days)]


def _midnight(day: date) -> datetime:
    """Return the start of a local day of the organisation."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
