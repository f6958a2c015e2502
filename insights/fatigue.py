"""How many contacts somebody had in 30 days, and what goes together with it; never an effect.

The unit is a contact. x is how many the customer had in the 30 days up to and including it; y is
whether an opt-out or an unhappy answer came within 7 days and before the next contact. Contacts of
kinds that do not count in the dose are left out.

Active people receive more, buy more and say more, so these curves show no cause. Only randomised
arms do. Source of the warning: Lewis, Rao & Reiley 2011.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Contact
from insights.dose_outcomes import (
    MONTH,
    NOT_INDEPENDENT,
    OPT_OUTS,
    THUMBS_DOWN,
    WITHIN,
    Share,
    events,
    followed,
    in_a_month,
    share,
)
from insights.periods import Period, bounds

# From here on the numbers of contacts are taken together.
MOST = 8

TITLES: Mapping[str, Any] = {
    OPT_OUTS: _("Goes together with: contacts in 30 days and opt-outs"),
    THUMBS_DOWN: _("Goes together with: contacts in 30 days and unhappy answers"),
}
WARNING = _(
    "This is what goes together, not what one does to the other: active people receive more, buy "
    "more and say more."
)


@dataclass(frozen=True, slots=True)
class Row:
    """Contacts of which each was the `x`-th in 30 days; the last row is that number or more."""

    x: int
    share: Share

    @property
    def label(self) -> str:
        return f"{self.x}+" if self.x == MOST else str(self.x)

    @property
    def n(self) -> int:
        return self.share.n


@dataclass(frozen=True, slots=True)
class Curve:
    """One row for each number of contacts from 1 to MOST, empty ones too."""

    outcome: str
    rows: Sequence[Row]

    @property
    def title(self) -> str:
        return str(TITLES[self.outcome])

    @property
    def warning(self) -> str:
        return str(WARNING)

    @property
    def how(self) -> str:
        return str(NOT_INDEPENDENT)

    @property
    def drawn(self) -> bool:
        return any(row.share.shown for row in self.rows)


def fatigue(period: Period, *, exempt: Collection[str], now: datetime) -> list[Curve]:
    """Return both curves over the contacts of a period that are at least 7 days old by `now`.

    `exempt` are the kinds that do not count, as the policy in force has them. Four queries.
    """
    start, end = bounds(period, ZoneInfo(timezone.get_default_timezone_name()))
    old_enough = now - WITHIN
    moments = {one: events(one, start, end + WITHIN) for one in TITLES}
    n: Counter[int] = Counter()
    came: dict[str, Counter[int]] = {one: Counter() for one in TITLES}
    for customer, times in _contacts(start - MONTH, end + WITHIN, exempt):
        xs = {
            at: min(x, MOST)
            for at, x in enumerate(in_a_month(times))
            if start <= times[at] < end and times[at] <= old_enough
        }
        n.update(xs.values())
        for outcome, counts in came.items():
            mine = moments[outcome].get(customer, ())
            counts.update(xs[at] for at in followed(times, mine) if at in xs)
    return [
        Curve(one, [Row(x, share(came[one][x], n[x])) for x in range(1, MOST + 1)])
        for one in TITLES
    ]


def _contacts(
    start: datetime, end: datetime, exempt: Collection[str]
) -> Iterator[tuple[int, list[datetime]]]:
    """Yield each customer with the moments of their contacts in order, one customer at a time."""
    rows = (
        Contact.objects.sent_between(start, end)
        .exclude(kind__in=exempt)
        .order_by("customer_id", "to_at", "pk")
        .values_list("customer_id", "to_at")
        .iterator(chunk_size=10_000)
    )
    for customer, group in groupby(rows, key=itemgetter(0)):
        yield customer, [moment for _customer, moment in group]
