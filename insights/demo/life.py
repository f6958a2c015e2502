"""Two years of life in the demo shop: its customers and what they bought.

Told from a seed alone. Every draw is about days before `today` and never about the calendar, so
the shop of tomorrow is the shop of today one day later, with the same story in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from itertools import accumulate
from random import Random

from customers.queries import History
from insights.demo.story import (
    CONTRACT_DAYS,
    CONTRACT_RHYTHM,
    DAYS,
    DEPARTMENTS,
    FIRST_NAMES,
    LANGUAGES,
    LAST_NAMES,
    PROSPECT_RHYTHM,
    RHYTHMS,
    SLIDING,
    Department,
    Rhythm,
    Ware,
)

# Which part of those who come back came before the two years began; how evenly others come (1 is
# as many every day). Which part of the orders is sent back, is a phone with a case, has something
# small with it, is two of the same.
KNOWN_BEFORE = 0.7
GROWTH = 0.85
RETURNED, RETURN_DAYS = 0.03, 8
WITH_A_CASE, WITH_SOMETHING = 0.3, 0.35
TWO_OF_IT = 0.12
# Nobody needs a new phone or laptop every month.
AGAIN_AFTER = timedelta(days=200)
SHARES = list(accumulate(department.share for department in DEPARTMENTS))
WARES = {department.name: department.wares for department in DEPARTMENTS}
PHONES, CASES = WARES[SLIDING], WARES["Telefoonhoesjes"]
SMALL_THINGS = [ware for part in DEPARTMENTS if part.involvement == "low" for ware in part.wares]


@dataclass(frozen=True)
class Calendar:
    """The two years that end yesterday, in the organisation's time zone."""

    today: date
    zone: tzinfo

    @cached_property
    def first_day(self) -> date:
        return self.today - timedelta(days=DAYS)

    def day(self, number: int) -> date:
        """Return the day with this number, from 0; DAYS is today."""
        return self.first_day + timedelta(days=number)

    def moment(self, day: date, rng: Random, first_hour: int = 8) -> datetime:
        """Return some moment of the day, before ten in the evening: most shop after dinner."""
        hour = int(rng.triangular(first_hour, 22, 20))
        return datetime.combine(day, time(hour, rng.randrange(60)), tzinfo=self.zone)


@dataclass(frozen=True)
class Line:
    """One line of an order; a negative quantity is a return."""

    ware: Ware
    at: datetime
    quantity: int = 1
    contract_until: date | None = None


@dataclass(frozen=True)
class Order:
    """What somebody ordered in one go; the first line is what we ask about."""

    at: datetime
    lines: tuple[Line, ...]

    @property
    def ware(self) -> Ware:
        return self.lines[0].ware


@dataclass(frozen=True)
class Person:
    """A customer with all orders of these years, in order.

    Who was a customer before them (`old`) bought earlier too, which nobody wrote down.
    """

    reference: str
    name: str
    language: str
    since: datetime
    rhythm: Rhythm
    orders: tuple[Order, ...]
    old: bool = False

    @cached_property
    def history(self) -> History:
        """What the customer type depends on."""
        first_lines = [order.lines[0] for order in self.orders]
        return History(
            days=[order.at.date() for order in self.orders],
            contracts=[
                (line.at.date(), line.contract_until) for line in first_lines if line.contract_until
            ],
        )


def people(seed: int, calendar: Calendar, one_in: int = 1) -> list[Person]:
    """Return the customers with what they bought, the oldest customer first.

    Of a smaller shop one in so many of each kind.
    """
    rng = Random(f"{seed} purchases")  # noqa: S311  (a story, no secret)
    found = [
        *(
            _buyer(rng, calendar, rhythm)
            for rhythm in RHYTHMS
            for _ in range(rhythm.customers // one_in)
        ),
        *(_subscriber(rng, calendar) for _ in range(CONTRACT_RHYTHM.customers // one_in)),
        *(_prospect(rng, calendar) for _ in range(PROSPECT_RHYTHM.customers // one_in)),
    ]
    found.sort(key=lambda person: person.since)
    return [replace(person, reference=f"D{n:05}") for n, person in enumerate(found, start=1)]


def _person(rng: Random, since: datetime, rhythm: Rhythm, orders: tuple[Order, ...]) -> Person:
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    return Person("", name, rng.choice(LANGUAGES), since, rhythm, orders)


def _prospect(rng: Random, calendar: Calendar) -> Person:
    since = calendar.moment(calendar.day(rng.randrange(DAYS)), rng)
    return _person(rng, since, PROSPECT_RHYTHM, ())


def _buyer(rng: Random, calendar: Calendar, rhythm: Rhythm) -> Person:
    old = bool(rhythm.returns) and rng.random() < KNOWN_BEFORE
    orders: list[Order] = []
    for number in _days(rng, rhythm, old):
        at = calendar.moment(calendar.day(number), rng)
        orders.append(_order(rng, at, _department(rng, at, orders), calendar))
    since = orders[0].at - timedelta(minutes=5)
    if old:
        since -= timedelta(days=(since.date() - calendar.first_day).days + rng.randrange(1, 1500))
    return replace(_person(rng, since, rhythm, tuple(orders)), old=old)


def _subscriber(rng: Random, calendar: Calendar) -> Person:
    """Somebody whose first order is a phone with a subscription."""
    person = _buyer(rng, calendar, CONTRACT_RHYTHM)
    at = person.orders[0].at
    until = at.date() + timedelta(days=CONTRACT_DAYS)
    signed = Order(at, (Line(rng.choice(PHONES), at, contract_until=until),))
    return replace(person, orders=(signed, *person.orders[1:]))


def _days(rng: Random, rhythm: Rhythm, old: bool) -> Iterator[int]:
    """Yield the numbers of the days on which somebody orders, at least one.

    The first order of an old customer falls within the first usual gap or so; new ones come a
    little faster every day.
    """
    number = rng.randrange(round(1.5 * rhythm.gap)) if old else int(DAYS * rng.random() ** GROWTH)
    while number < DAYS:
        yield number
        if rng.random() >= rhythm.returns:
            return
        number += max(1, round(rng.gammavariate(3, rhythm.gap / 3)))


def _department(rng: Random, at: datetime, before: list[Order]) -> Department:
    """Return where somebody orders, something else where a new one is not needed yet."""
    first, second = rng.choices(DEPARTMENTS, cum_weights=SHARES, k=2)
    if first.involvement != "high":
        return first
    had = any(
        order.ware in first.wares and at - order.at < AGAIN_AFTER for order in reversed(before)
    )
    return second if had else first


def _order(rng: Random, at: datetime, department: Department, calendar: Calendar) -> Order:
    several = department.involvement != "high" and rng.random() < TWO_OF_IT
    lines = [Line(rng.choice(department.wares), at, quantity=2 if several else 1)]
    if department.name == SLIDING and rng.random() < WITH_A_CASE:
        lines.append(Line(rng.choice(CASES), at))
    elif department.involvement != "low" and rng.random() < WITH_SOMETHING:
        lines.append(Line(rng.choice(SMALL_THINGS), at))
    back_at = at + timedelta(days=RETURN_DAYS)
    if rng.random() < RETURNED and back_at.date() < calendar.today:
        lines.append(replace(lines[0], at=back_at, quantity=-lines[0].quantity))
    return Order(at, tuple(lines))
