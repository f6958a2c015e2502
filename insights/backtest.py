"""A draft policy replayed on the contacts of the past: what it would have let through.

Customers are read in batches, so that memory does not grow with their number. Kinds that the policy
exempts pass and do not count. The fullest 30 days of a customer are those that end with a contact
of the period; contacts from before it weigh in them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dose_documents import PolicyRefused, digest_of
from customers.dose_policy import Policy
from customers.dosing import Outcome
from customers.models import Contact
from customers.replay import Blocked, Replay, Sent
from customers.wall_clocks import countries_with_holidays, holidays_of, zone_named
from insights.disclosure import hidden_rows
from insights.dose_outcomes import (
    LABELS,
    MONTH,
    NOT_INDEPENDENT,
    OUTCOMES,
    WITHIN,
    Moments,
    Share,
    events,
    followed,
    in_a_month,
    share,
)
from insights.periods import Period, bounds

# How many customers are replayed at once.
BATCH = 1_000

# More messages than this in 30 days are counted by themselves.
MANY = 5
# From here on the numbers of messages are counted together.
MOST_TOLD = 8

WARNING = _(
    "This shows what came with the contacts that would not have been sent. "
    "It is not what would have happened without them."
)
LEFT_OUT = _(
    "Permission counts as given, because the contacts were sent. Wishes, promises and holds are "
    "those of today, so they are not applied to the past."
)


@dataclass(frozen=True, slots=True)
class Part:
    """Of some contacts: how many were sent, and how many of those would have been blocked."""

    sent: int
    blocked: int


@dataclass(frozen=True, slots=True)
class Pair:
    """What came with the contacts that would have been blocked, and with those that stay."""

    blocked: Share
    kept: Share


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a policy would have made of a period.

    sent             all contacts of the period; `exempt` are those that no rule holds back
    blocked          those not let through at that moment; `deferred` could have gone later
    by_rule          how many each rule blocked first, the most first
    reached_before   customers with a contact that counts; `reached_after` with one that stays
    touched          customers with a contact that would have been blocked
    messages_before  {the most in any 30 days: how many of the customers reached}, the same after
    came_with        by the keys of dose_outcomes.OUTCOMES
    """

    digest: str
    period: Period
    sent: int
    exempt: int
    blocked: int
    deferred: int
    by_rule: Mapping[str, int]
    by_customer_type: Mapping[str, Part]
    by_kind: Mapping[str, Part]
    touched: int
    reached_before: int
    reached_after: int
    messages_before: Mapping[int, int]
    messages_after: Mapping[int, int]
    came_with: Mapping[str, Pair]

    @property
    def warning(self) -> str:
        return str(WARNING)

    @property
    def left_out(self) -> str:
        return str(LEFT_OUT)

    @property
    def many_before(self) -> int:
        """How many customers had more than MANY in any 30 days."""
        return _more_than_many(self.messages_before)

    @property
    def many_after(self) -> int:
        return _more_than_many(self.messages_after)

    @property
    def messages(self) -> list[tuple[str, int, int]]:
        """The distribution as rows: the most in any 30 days, customers before and after."""
        before, after = (_told(one) for one in (self.messages_before, self.messages_after))
        last = max([*before, *after], default=-1)
        return [
            (f"{n}+" if n == MOST_TOLD else str(n), before[n], after[n]) for n in range(last + 1)
        ]

    @property
    def shown_messages(self) -> list[tuple[str, int | None, int | None]]:
        """The same rows for a page; None where a number would point at somebody."""
        labels, before, after = zip(*self.messages, strict=True) if self.messages else ((), (), ())
        rows = zip(labels, _shown(before), _shown(after), strict=True)
        return list(rows)

    @property
    def outcomes(self) -> list[tuple[str, Pair]]:
        """What came with the contacts, each with its name."""
        return [(str(LABELS[key]), pair) for key, pair in self.came_with.items()]

    @property
    def how(self) -> str:
        return str(NOT_INDEPENDENT)


def _shown(sizes: Sequence[int]) -> list[int | None]:
    hidden = hidden_rows(sizes)
    return [None if at in hidden else n for at, n in enumerate(sizes)]


def _more_than_many(messages: Mapping[int, int]) -> int:
    return sum(customers for n, customers in messages.items() if n > MANY)


def _told(messages: Mapping[int, int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for n, customers in messages.items():
        found[min(n, MOST_TOLD)] += customers
    return found


def backtest(policy: Policy, period: Period, now: datetime) -> Backtest:
    """Replay a policy on the local days of a period; PolicyRefused for an unknown country.

    What came with contacts is counted for those whose 7 days are over by `now`.
    """
    start, end = bounds(period, ZoneInfo(timezone.get_default_timezone_name()))
    replay = Replay(policy, _holidays(policy.country, period))
    total = _Total(policy, replay, start, end, now - WITHIN)
    for people in _batches(start, end):
        total.add(
            _contacts(people, start - max(policy.longest_window, MONTH), end + WITHIN), people
        )
    return total.result(period)


def _holidays(country: str, period: Period) -> frozenset[date]:
    if country and country not in countries_with_holidays():
        raise PolicyRefused(
            [f"country: the holidays of {country!r} are not known; use a code like NL, or leave it"]
        )
    # A customer's own clock may stand in the year before or after.
    years = range(period.start.year, period.end.year + 1)
    return frozenset().union(*(holidays_of(country, year) for year in years))


# -- Reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Person:
    """A customer's contacts in order, and their time zone."""

    id: int
    zone: ZoneInfo | None
    contacts: Sequence[Sent]


def _batches(start: datetime, end: datetime) -> Iterator[list[int]]:
    """Yield the ids of the customers with a contact from `start` up to `end`."""
    rows = Contact.objects.sent_between(start, end)
    after, size = 0, BATCH
    while size == BATCH:
        page = rows.filter(customer__gt=after).order_by("customer_id")
        found = list(page.values_list("customer_id", flat=True).distinct()[:BATCH])
        size = len(found)
        if found:
            after = found[-1]
            yield found


def _contacts(people: Sequence[int], start: datetime, end: datetime) -> Iterator[_Person]:
    rows = (
        Contact.objects.sent_between(start, end)
        .filter(customer__in=people)
        .order_by("customer_id", "to_at", "pk")
        .values_list(
            "customer_id",
            "customer__time_zone",
            "pk",
            "to_at",
            "channel",
            "kind",
            "category_id",
            "points",
            "customer_type",
            "involvement",
        )
    )
    for (pk, zone), group in groupby(rows, key=lambda row: row[:2]):
        yield _Person(pk, zone_named(zone), [Sent(*row[2:]) for row in group])


# -- Counting -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Total:
    """The counts while they grow."""

    policy: Policy
    replay: Replay
    start: datetime
    end: datetime
    old_enough: datetime
    n: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    types: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    before: Counter[int] = field(default_factory=Counter)
    after: Counter[int] = field(default_factory=Counter)
    came: Counter[tuple[str, bool]] = field(default_factory=Counter)
    aged: Counter[bool] = field(default_factory=Counter)

    def add(self, people: Iterable[_Person], ids: Sequence[int]) -> None:
        """Count a batch of customers."""
        moments = {one: events(one, self.start, self.end + WITHIN, ids) for one in OUTCOMES}
        for person in people:
            past = [one for one in person.contacts if one.at < self.end]
            blocked = self.replay.blocked(past, since=self.start, zone=person.zone)
            gone = {one.contact.id for one in blocked}
            self._contacts([one for one in past if one.at >= self.start], blocked, gone)
            counting = [one for one in person.contacts if one.kind not in self.policy.exempt]
            self._messages([one for one in counting if one.at < self.end], gone)
            self._came_with(person.id, counting, gone, moments)

    def _contacts(
        self, contacts: Sequence[Sent], blocked: Sequence[Blocked], gone: set[int]
    ) -> None:
        for one in contacts:
            for counts in (self.n, self.types[one.customer_type], self.kinds[one.kind]):
                counts["sent"] += 1
                counts["blocked"] += one.id in gone
            self.n["exempt"] += one.kind in self.policy.exempt
        self.n["touched"] += bool(blocked)
        self.n["deferred"] += sum(one.outcome == Outcome.DEFER for one in blocked)
        self.rules.update(one.rule or one.code for one in blocked)

    def _messages(self, counting: Sequence[Sent], gone: set[int]) -> None:
        """Note the most in any 30 days, before and after."""
        most = most_in_a_month([one.at for one in counting], self.start)
        if most:
            kept = [one.at for one in counting if one.id not in gone]
            self.before[most] += 1
            self.after[most_in_a_month(kept, self.start)] += 1

    def _came_with(
        self,
        customer: int,
        counting: Sequence[Sent],
        gone: set[int],
        moments: Mapping[str, Moments],
    ) -> None:
        asked = {
            at: one.id in gone
            for at, one in enumerate(counting)
            if self.start <= one.at < self.end and one.at <= self.old_enough
        }
        self.aged.update(asked.values())
        times = [one.at for one in counting]
        for outcome in OUTCOMES:
            for at in followed(times, moments[outcome].get(customer, ())):
                if at in asked:
                    self.came[outcome, asked[at]] += 1

    def result(self, period: Period) -> Backtest:
        reached = self.before.total()
        return Backtest(
            digest=digest_of(self.policy),
            period=period,
            sent=self.n["sent"],
            exempt=self.n["exempt"],
            blocked=self.n["blocked"],
            deferred=self.n["deferred"],
            by_rule=dict(sorted(self.rules.items(), key=lambda one: (-one[1], one[0]))),
            by_customer_type=_parts(self.types),
            by_kind=_parts(self.kinds),
            touched=self.n["touched"],
            reached_before=reached,
            reached_after=reached - self.after[0],
            messages_before=dict(sorted(self.before.items())),
            messages_after=dict(sorted(self.after.items())),
            came_with={
                one: Pair(self._share(one, True), self._share(one, False)) for one in OUTCOMES
            },
        )

    def _share(self, outcome: str, blocked: bool) -> Share:
        return share(self.came[outcome, blocked], self.aged[blocked])


def most_in_a_month(times: Sequence[datetime], since: datetime) -> int:
    """Return the most in any 30 days that end with one of these, in order, from `since` on."""
    pairs = zip(times, in_a_month(times), strict=True)
    return max((n for moment, n in pairs if moment >= since), default=0)


def _parts(found: Mapping[str, Counter[str]]) -> dict[str, Part]:
    return {key: Part(one["sent"], one["blocked"]) for key, one in sorted(found.items())}
