"""A dose policy: cells for a product and a customer, and ceilings for the person, in plain values.

Pure: standard library only. *Cells* (involvement × customer type × channel × kind) limit a kind of
contact; of the cells that match exactly one holds, the most specific. *Ceilings* limit everything
a person gets; all that match hold. Both must allow a contact, so a cell never raises a ceiling.
No number means no limit; 0 means never.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

from customers.lifecycle import RANK
from customers.quiet_hours import WEEK, Range, open_minutes, overlap

KINDS = ("promotion", "information", "service", "ask_thumb", "ask_nps", "ask_survey", "ad")
CHANNELS = ("email", "sms", "phone", "web", "ad")
INVOLVEMENTS = ("low", "medium", "high")
CUSTOMER_TYPES = tuple(RANK)

# What a contact weighs where points are counted: one for something to read, more for what asks.
# Source of the values: a starting point chosen for this product, not science.
POINTS: Mapping[str, int] = {
    "promotion": 1,
    "information": 1,
    "service": 0,
    "ask_thumb": 1,
    "ask_nps": 2,
    "ask_survey": 2,
    "ad": 1,
}

# Whom nothing says "contract" of: they follow the row of regular customers.
STANDS_FOR = {"contract": "regular"}

MOST_DAYS = 3650
LONGEST = timedelta(days=MOST_DAYS)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in any `window`, counted in contacts, or in points with `unit` "points".

    `most` 0 is never; without a limit there is no Limit.
    """

    most: int
    window: timedelta
    unit: str = "count"


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides which rules hold: the contact's kind and channel, and for whom it is."""

    involvement: str
    customer_type: str
    channel: str
    kind: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The limits of one kind of contact; an empty field stands for every value.

    What is left open counts together: a cell without a channel counts contacts on every channel.
    `per` "category" counts those about the same category, "all" those about whatever.
    """

    involvement: str = ""
    customer_type: str = ""
    channel: str = ""
    kind: str = ""
    limits: Sequence[Limit] = ()
    gap: timedelta | None = None
    per: str = "category"

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.involvement, self.customer_type, self.channel, self.kind

    @property
    def name(self) -> str:
        return "cell " + " · ".join(one or "*" for one in self.key)

    def matches(self, asked: Asked) -> bool:
        have = (asked.involvement, asked.customer_type, asked.channel, asked.kind)
        return all(not mine or mine == one for mine, one in zip(self.key, have, strict=True))

    @property
    def specificity(self) -> int:
        """How many fields are given; where two cells match, the one with more holds."""
        return sum(bool(one) for one in self.key)

    @property
    def counted_kinds(self) -> tuple[str, ...]:
        """The kinds that weigh in it; () for all."""
        return (self.kind,) if self.kind else ()

    def counts(self, channel: str, kind: str) -> bool:
        """Say whether a contact of this kind on this channel weighs in it."""
        return self.channel in {"", channel} and self.kind in {"", kind}


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The limits of everything a person gets of these kinds; empty fields stand for every value."""

    customer_type: str = ""
    channel: str = ""
    kinds: frozenset[str] = frozenset()
    limits: Sequence[Limit] = ()
    gap: timedelta | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.customer_type, self.channel, ",".join(sorted(self.kinds))

    @property
    def name(self) -> str:
        return "ceiling " + " · ".join(one or "*" for one in self.key)

    def matches(self, asked: Asked) -> bool:
        return (
            self.customer_type in {"", asked.customer_type}
            and self.channel in {"", asked.channel}
            and (not self.kinds or asked.kind in self.kinds)
        )

    @property
    def counted_kinds(self) -> tuple[str, ...]:
        """The kinds that weigh in it; () for all."""
        return tuple(sorted(self.kinds))

    def counts(self, channel: str, kind: str) -> bool:
        """Say whether a contact of this kind on this channel weighs in it."""
        return self.channel in {"", channel} and (not self.kinds or kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. Times are local to the customer; `country` names the holidays.

    exempt    kinds that no rule holds back and that do not count; permission they need as well
    points    what a contact of each kind weighs
    """

    version: int
    cells: Sequence[Cell] = ()
    ceilings: Sequence[Ceiling] = ()
    quiet: Mapping[str, Sequence[Range]] = field(default_factory=dict, hash=False)
    country: str = ""
    exempt: frozenset[str] = frozenset({"service"})
    points: Mapping[str, int] = field(default_factory=lambda: dict(POINTS), hash=False)
    # Which cell was found for what: many thousands of customers ask about the same few.
    _found: dict[Asked, Cell | None] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    @property
    def longest_window(self) -> timedelta:
        """How far back the rules look, gaps included."""
        return _longest(_rules(self))

    def looks_back(self, channel: str, kind: str) -> timedelta:
        """How far back the rules look that may hold for this kind on this channel."""
        cells = [
            one for one in self.cells if one.channel in {"", channel} and one.kind in {"", kind}
        ]
        ceilings = [
            one
            for one in self.ceilings
            if one.channel in {"", channel} and (not one.kinds or kind in one.kinds)
        ]
        return _longest([*cells, *ceilings])

    def cell_for(self, asked: Asked) -> Cell | None:
        """Return the one cell that holds; where none is given for contracts, that of regular."""
        if asked not in self._found:
            self._found[asked] = self._cell_for(asked)
        return self._found[asked]

    def _cell_for(self, asked: Asked) -> Cell | None:
        other = STANDS_FOR.get(asked.customer_type)
        own = self._best(asked)
        if other is None or (own and own.customer_type):
            return own
        return self._best(_as_type(asked, other)) or own

    def ceilings_for(self, asked: Asked) -> list[Ceiling]:
        """Return all ceilings that hold."""
        mine = asked.customer_type
        own = any(one.customer_type == mine for one in self.ceilings)
        as_type = mine if own else STANDS_FOR.get(mine, mine)
        found = [one for one in self.ceilings if one.matches(_as_type(asked, as_type))]
        return sorted(found, key=lambda one: one.key)

    def _best(self, asked: Asked) -> Cell | None:
        matching = [one for one in self.cells if one.matches(asked)]
        return max(matching, key=lambda one: (one.specificity, one.key), default=None)


def _longest(rules: Iterable[Cell | Ceiling]) -> timedelta:
    windows = [
        window
        for rule in rules
        for window in (*(one.window for one in rule.limits), rule.gap)
        if window
    ]
    return max(windows, default=timedelta(0))


def _as_type(asked: Asked, customer_type: str) -> Asked:
    return Asked(asked.involvement, customer_type, asked.channel, asked.kind)


def burden(base: int, *, questions: int = 1, fields: int = 0, permissions: int = 0) -> int:
    """Return what a request weighs: each question after the first, each profile field that is
    asked for and each permission adds one point to the `base` of its kind.
    """
    return base + max(questions - 1, 0) + fields + permissions


# -- What a policy may not be ---------------------------------------------------------------------


def problems(policy: Policy) -> list[str]:
    """Return what is wrong with a policy, with the rule and the way out; [] for a sound one."""
    return [
        *_unknown(policy),
        *_wrong_numbers(policy),
        *_wrong_quiet(policy),
        *_doubles(policy),
        *_ties(policy),
        *_gaps(policy),
    ]


def never_holds(policy: Policy) -> list[tuple[Cell, Limit, Ceiling]]:
    """Return the limits of cells that a ceiling makes pointless, each with that ceiling.

    The ceiling lets through less in a window that is at least as long, whatever the cell says.
    """
    found = []
    for cell in policy.cells:
        for limit in cell.limits:
            over = next((one for one in policy.ceilings if _is_under(cell, limit, one)), None)
            if over:
                found.append((cell, limit, over))
    return found


def _is_under(cell: Cell, limit: Limit, ceiling: Ceiling) -> bool:
    covers = (
        ceiling.customer_type in {"", cell.customer_type}
        and ceiling.channel in {"", cell.channel}
        and (not ceiling.kinds or cell.kind in ceiling.kinds)
    )
    return covers and any(
        one.unit == limit.unit and one.window >= limit.window and one.most < limit.most
        for one in ceiling.limits
    )


def _rules(policy: Policy) -> Iterator[Cell | Ceiling]:
    yield from policy.cells
    yield from policy.ceilings


def _unknown(policy: Policy) -> Iterator[str]:
    known: Mapping[str, Sequence[str]] = {
        "involvement": INVOLVEMENTS,
        "customer_type": CUSTOMER_TYPES,
        "channel": CHANNELS,
        "kind": KINDS,
        "per": ("category", "all"),
    }
    for rule in _rules(policy):
        for name, values in known.items():
            value = getattr(rule, name, "")
            if value and value not in values:
                yield _not_one_of(rule.name, name, value, values)
    kinds = {kind for one in policy.ceilings for kind in one.kinds} | policy.exempt
    for kind in sorted(kinds - set(KINDS)):
        yield _not_one_of("the policy", "kind", kind, KINDS)
    for channel in sorted(set(policy.quiet) - set(CHANNELS)):
        yield _not_one_of("quiet hours", "channel", channel, CHANNELS)


def _not_one_of(where: str, name: str, value: str, values: Iterable[str]) -> str:
    return f"{where}: {name} {value!r} is not known; use one of {', '.join(values)}"


def _wrong_numbers(policy: Policy) -> Iterator[str]:
    for rule in _rules(policy):
        for limit in rule.limits:
            if limit.window <= timedelta(0) or limit.window > LONGEST:
                yield (
                    f"{rule.name}: a window of {limit.window} is not possible; "
                    f"give more than 0 and at most {MOST_DAYS} days"
                )
            if limit.most < 0:
                yield (
                    f"{rule.name}: a limit of {limit.most} is not possible; "
                    "0 means never, leave the limit out for none"
                )
            if limit.unit not in {"count", "points"}:
                yield _not_one_of(rule.name, "unit", limit.unit, ("count", "points"))
        if rule.gap is not None and not timedelta(0) < rule.gap <= LONGEST:
            yield (
                f"{rule.name}: a gap of {rule.gap} is not possible; "
                f"give more than 0 and at most {MOST_DAYS} days, or leave it out for none"
            )
    for kind, points in policy.points.items():
        if points < 0:
            yield f"points of {kind}: {points} is not possible; give 0 or more"


def _wrong_quiet(policy: Policy) -> Iterator[str]:
    for channel, ranges in policy.quiet.items():
        if bad := [one for one in ranges if not _is_range(one)]:
            yield (
                f"quiet hours of {channel}: {bad[0]} is not possible; "
                "a range starts on a weekday (0 to 6) and ends within 24 hours"
            )
        elif found := overlap(ranges):
            yield (
                f"quiet hours of {channel} overlap on {clock(found[0])} until {clock(found[1])}; "
                "let one end where the other begins"
            )
        elif open_minutes(ranges) == 0:
            yield f"quiet hours of {channel} leave no minute of the week open; leave some"


def _is_range(one: Range) -> bool:
    return (
        0 <= one.weekday <= 6 and 0 <= one.start < 1440 and one.start < one.end <= one.start + 1440
    )


def clock(minute: int) -> str:
    """Return a minute of the week in words: "Mon 09:00"."""
    day, rest = divmod(minute % WEEK, 1440)
    return (
        f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day]} {rest // 60:02}:{rest % 60:02}"
    )


def _doubles(policy: Policy) -> Iterator[str]:
    names = Counter(rule.name for rule in _rules(policy))
    for name, times in names.items():
        if times > 1:
            yield f"{name} stands there {times} times; keep one"


def every_ask(policy: Policy) -> Iterator[Asked]:
    """Yield everything that can be asked of the rules: kinds that are exempt are not."""
    kinds = [kind for kind in KINDS if kind not in policy.exempt]
    for values in product(INVOLVEMENTS, CUSTOMER_TYPES, CHANNELS, kinds):
        yield Asked(*values)


def _ties(policy: Policy) -> Iterator[str]:
    seen = set()
    for asked in every_ask(policy):
        matching = [one for one in policy.cells if one.matches(asked)]
        most = max((one.specificity for one in matching), default=0)
        best = [one for one in matching if one.specificity == most]
        pair = tuple(sorted({one.name for one in best}))
        if len(pair) > 1 and pair not in seen:
            seen.add(pair)
            yield (
                f"{pair[0]} and {pair[1]} are equally specific for "
                f"{asked.involvement} · {asked.customer_type} · {asked.channel} · {asked.kind}; "
                "add a cell for that combination, or make one of them wider"
            )


def _gaps(policy: Policy) -> Iterator[str]:
    missing = next((one for one in every_ask(policy) if policy.cell_for(one) is None), None)
    if missing:
        yield (
            f"no cell says anything about {missing.involvement} · {missing.customer_type} · "
            f"{missing.channel} · {missing.kind}; add one, if need be without limits"
        )
