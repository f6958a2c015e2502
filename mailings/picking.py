"""What to show a customer: what goes with what they bought if they permit that, else the popular.

Counting is done at night over the purchases of all customers, as numbers of buyers; whose they were
is not kept. A customer's own purchases are looked at only with their permission.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from customers.models import Customer, Product, Purchase, Purpose
from customers.queries import may_process
from mailings.models import GoesWith
from mailings.picks import bought_again, neighbours, picks

PERSONALISATION = "personalisation"
LOOKED_BACK = timedelta(days=730)
# Enough to fill ten picks for who bought most of them.
POPULAR = 100
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A product to show, and the one of theirs it goes with; None for what is popular."""

    product: Product
    because: Product | None


@dataclass(frozen=True, slots=True)
class Picks:
    """What to show a customer, best first, and whether it was chosen for them."""

    shown: Sequence[Shown]
    is_personal: bool


# -- Counting -------------------------------------------------------------------------------------


def count_picks(now: datetime) -> int:
    """Count anew what goes with each product; return of how many."""
    days: dict[int, dict[int, set[date]]] = defaultdict(lambda: defaultdict(set))
    for customer, product, at in _purchases(now):
        days[customer][product].add(at)
    numbers = {
        customer: {product: len(on) for product, on in theirs.items()}
        for customer, theirs in days.items()
    }
    buyers: Counter[int] = Counter()
    for theirs in numbers.values():
        buyers.update(theirs.keys())
    pairs = ((customer, product) for customer, theirs in numbers.items() for product in theirs)
    goes_with, again = (neighbours(pairs) if numbers else {}), bought_again(numbers)
    rows = [
        GoesWith(
            product_id=product,
            others=[[other, round(weight, 6)] for other, weight in goes_with[product]],
            buyers=n,
            is_bought_again=product in again,
        )
        for product, n in buyers.items()
    ]
    with transaction.atomic():
        GoesWith.objects.all().delete()
        GoesWith.objects.bulk_create(rows, batch_size=AT_ONCE)
    return len(rows)


def _purchases(now: datetime) -> Iterator[tuple[int, int, date]]:
    """Yield (customer, product, day), but not of who asked us not to use their data."""
    rows = Purchase.objects.counting().filter(
        customer__restricted_at=None, purchased_at__gt=now - LOOKED_BACK, purchased_at__lte=now
    )
    facts = rows.values_list("customer_id", "product_id", "purchased_at")
    for customer, product, at in facts.iterator(10_000):
        yield customer, product, timezone.localdate(at)


# -- Picking --------------------------------------------------------------------------------------


def permits_personal(customer: Customer, channel: str, now: datetime) -> bool:
    """Say whether content may be chosen by what somebody bought; without the purpose, no."""
    try:
        return may_process(customer, PERSONALISATION, channel, now).allowed
    except Purpose.DoesNotExist:
        return False


def personal_picks(customer: Customer, now: datetime, most: int) -> Picks:
    """Return what goes with what a customer bought, filled up with what is popular.

    Ask permits_personal before. Who bought nothing gets what is popular.
    """
    history = _history(customer, now)
    known = GoesWith.objects.filter(product__in=history)
    chosen = picks(
        history,
        {one.product_id: one.others for one in known},
        again=frozenset(one.product_id for one in known if one.is_bought_again),
        popular=_popular(),
        most=most,
    )
    return _shown((one.product, one.because) for one in chosen)


def popular_picks(most: int) -> Picks:
    """Return what most customers bought: the same for everybody."""
    return _shown((pk, None) for pk in _popular()[:most])


def sample_picks(most: int) -> Picks:
    """Return what somebody would get who bought what most customers bought."""
    first = GoesWith.objects.order_by("-buyers", "pk").first()
    if first is None:
        return Picks([], is_personal=False)
    return _shown((other, first.product_id) for other, _weight in first.others[:most])


def _shown(chosen: Iterable[tuple[int, int | None]]) -> Picks:
    """Return ids as products; one that is gone since last night is left out."""
    pairs = list(chosen)
    wanted = {pk for pair in pairs for pk in pair if pk is not None}
    products = Product.objects.in_bulk(wanted)
    shown = [
        Shown(products[one], products.get(because) if because else None)
        for one, because in pairs
        if one in products
    ]
    return Picks(shown, is_personal=any(one.because for one in shown))


def _history(customer: Customer, now: datetime) -> dict[int, int]:
    rows = Purchase.objects.counting().filter(customer=customer, purchased_at__lte=now)
    days: dict[int, set[date]] = defaultdict(set)
    for product, at in rows.values_list("product_id", "purchased_at"):
        days[product].add(timezone.localdate(at))
    return {product: len(on) for product, on in days.items()}


def _popular() -> list[int]:
    rows = GoesWith.objects.order_by("-buyers", "pk")
    return list(rows.values_list("pk", flat=True)[:POPULAR])
