"""May this customer be reached now, and if not: why, and from when on?

Pure: standard library only; `now` is an argument. What a decision looks at, in this order:
permission, a kind that is exempt, holds (a complaint, a wish for quiet), quiet hours, gaps, limits
of the one cell that holds, of all ceilings, of the customer's own wish and of what was promised.
Every reason against is named, with what frees it. Fails closed: what is not known is a no.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from customers.dose_policy import Asked, Ceiling, Cell, Limit, Policy
from customers.quiet_hours import Quiet
from customers.windows import Touch, earliest, fits, fullest, moved

# The wish of a customer for at most so many messages is about this long.
MONTH = timedelta(days=30)

# Searching for the first moment at which everything allows it ends after so many rounds.
MOST_ROUNDS = 100


class Outcome(StrEnum):
    """What comes of a request: now, later, no, or not a matter of dose."""

    ALLOW = "ALLOW"
    DEFER = "DEFER"
    DENY = "DENY"
    EXEMPT = "EXEMPT"


class Code(StrEnum):
    """Why not."""

    NO_PERMISSION = "NO_PERMISSION"
    INPUT_MISSING = "POLICY_INPUT_MISSING"
    LEDGER = "LEDGER_UNSOUND"
    HELD = "HELD"
    PAUSED = "PAUSED"
    QUIET_HOURS = "QUIET_HOURS"
    HOLIDAY = "HOLIDAY"
    GAP = "GAP"
    CAP_REACHED = "CAP_REACHED"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class PastContact:
    """A contact that counts: sent, or reserved and not over. Type and involvement as they were."""

    id: int
    channel: str
    kind: str
    category: int | None
    purpose: str
    points: int
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """The contact that is asked for: usable from a moment on, for as long as its lease runs."""

    channel: str
    kind: str
    purpose: str
    category: int | None
    involvement: str
    points: int
    at: datetime
    lease: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why somebody is left alone for a while. `halves` lowers the dose; else it is a full stop."""

    reason: str
    until: datetime | None
    halves: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of the customer. `refusal` is why permission is missing, "" when it is there.

    `missing` names what the rules need and nobody knows; then nothing is allowed.
    `promise` is how often the text said that they agreed to.
    """

    customer_type: str
    zone: ZoneInfo
    refusal: str = ""
    missing: str = ""
    paused_until: datetime | None = None
    monthly_limit: int | None = None
    promise: Limit | None = None
    holds: Sequence[Hold] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted together; an empty field is everything."""

    channel: str = ""
    kinds: Sequence[str] = ()
    category: int | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way. `frees_at` is None where waiting does not help.

    rule      what says so: the name of a cell or ceiling, "own wish", "promise"
    detail    why permission is missing, why somebody is held, what is not known
    used      what weighs in the fullest window, of at most `most`
    blocking  ids of the contacts in it
    """

    code: Code
    rule: str = ""
    detail: str = ""
    scope: Scope = Scope()
    window: timedelta | None = None
    unit: str = "count"
    most: int | None = None
    used: int | None = None
    blocking: Sequence[int] = ()
    frees_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, with every reason against it, and the rules that were asked and agreed."""

    outcome: Outcome
    reasons: Sequence[Reason] = ()
    passed: Sequence[str] = ()
    next_allowed_at: datetime | None = None

    @property
    def allows(self) -> bool:
        return self.outcome in {Outcome.ALLOW, Outcome.EXEMPT}


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit that holds for what is wanted, with the contacts that weigh in it.

    Until `tired_until` it is lower, see halved().
    """

    rule: str
    scope: Scope
    limit: Limit
    touches: Sequence[Touch]
    weight: int
    is_gap: bool = False
    tired_until: datetime | None = None

    def at(self, moment: datetime) -> Limit:
        """Return the limit in force at a moment."""
        tired = self.tired_until is not None and moment < self.tired_until
        return halved(self.limit) if tired else self.limit

    def allows(self, new: Touch) -> bool:
        limit = self.at(new.from_at)
        return fits(self.touches, new, limit.window, limit.most)

    def frees_at(self, new: Touch) -> datetime | None:
        """Return the first moment from that of `new` on at which this limit allows it."""
        limit = self.at(new.from_at)
        found = earliest(self.touches, new, limit.window, limit.most)
        tired = self.tired_until
        if limit == self.limit or tired is None or (found and found < tired):
            return found
        return earliest(self.touches, moved(new, tired), self.limit.window, self.limit.most)

    def reason(self, new: Touch) -> Reason:
        limit = self.at(new.from_at)
        full = fullest(self.touches, new, limit.window)
        never = Code.NEVER if limit.most < new.weight else Code.CAP_REACHED
        return Reason(
            code=Code.GAP if self.is_gap else never,
            rule=self.rule,
            scope=self.scope,
            window=limit.window,
            unit=limit.unit,
            most=limit.most,
            used=full.used,
            blocking=full.blocking,
            frees_at=self.frees_at(new),
        )


def decide(
    wanted: Wanted,
    profile: Profile,
    contacts: Iterable[PastContact],
    policy: Policy,
    holidays: frozenset[date] = frozenset(),
) -> Verdict:
    """Return whether a contact may begin at `wanted.at`, and if not every reason why.

    `contacts` are those that count: sent, or reserved and not over by then. Reasons without a date
    make it a DENY; with dates it is a DEFER to the first moment at which, if nothing else happens,
    everything allows it.
    """
    if profile.refusal:
        return Verdict(Outcome.DENY, [Reason(Code.NO_PERMISSION, detail=profile.refusal)])
    if wanted.kind in policy.exempt:
        return Verdict(Outcome.EXEMPT)
    if profile.missing:
        return Verdict(Outcome.DENY, [Reason(Code.INPUT_MISSING, detail=profile.missing)])
    quiet = Quiet(policy.quiet.get(wanted.channel, ()), holidays)
    if wanted.channel not in policy.quiet:
        quiet = Quiet()
    asked = _Asked(wanted, profile, quiet, bounds(wanted, profile, list(contacts), policy))
    failing = asked.failing(wanted.at)
    reasons, passed = asked.reasons(failing), asked.passed(failing)
    if not reasons:
        return Verdict(Outcome.ALLOW, passed=passed)
    when = asked.next_allowed() if all(one.frees_at for one in reasons) else None
    outcome = Outcome.DEFER if when else Outcome.DENY
    return Verdict(outcome, reasons, passed, when)


def halved(limit: Limit) -> Limit:
    """Return the dose of somebody who was unhappy: half as many, or as many in twice the time.

    One in a window becomes one in two: half of one, rounded down, would be never.
    """
    if limit.most == 1:
        return replace(limit, window=2 * limit.window)
    return replace(limit, most=limit.most // 2)


@dataclass(frozen=True, slots=True)
class _Asked:
    wanted: Wanted
    profile: Profile
    quiet: Quiet
    bounds: Sequence[Bound]

    def reasons(self, failing: Sequence[Bound]) -> list[Reason]:
        at = self.wanted.at
        return [
            *(Reason(Code.HELD, detail=one.reason, frees_at=one.until) for one in self._stops(at)),
            *self._pause(at),
            *self._quiet(at),
            *(one.reason(self._new(one, at)) for one in failing),
        ]

    def passed(self, failing: Sequence[Bound]) -> list[str]:
        against = {one.rule for one in failing}
        return list(dict.fromkeys(one.rule for one in self.bounds if one.rule not in against))

    def next_allowed(self) -> datetime | None:
        """Return the first moment at which nothing stands in the way.

        What frees a rule is a moment before which nothing is possible; the latest of those, then
        out of the quiet, is where to look again.
        """
        at = self.wanted.at
        for _ in range(MOST_ROUNDS):
            later = self._later(at)
            if later is None or later == at:
                return later
            at = later
        return None

    def _later(self, at: datetime) -> datetime | None:
        moments: list[datetime | None] = [at, *(one.until for one in self._stops(at))]
        moments += [one.frees_at for one in self._pause(at)]
        moments += [one.frees_at(self._new(one, at)) for one in self.failing(at)]
        known = [one for one in moments if one is not None]
        if len(known) < len(moments):
            return None
        return self.quiet.opens_at(max(known), self.profile.zone)

    def _stops(self, at: datetime) -> list[Hold]:
        holds = self.profile.holds
        return [one for one in holds if not one.halves and (one.until is None or at < one.until)]

    def _pause(self, at: datetime) -> list[Reason]:
        until = self.profile.paused_until
        return (
            [Reason(Code.PAUSED, rule="own wish", frees_at=until)] if until and at < until else []
        )

    def _quiet(self, at: datetime) -> list[Reason]:
        why = self.quiet.why(at, self.profile.zone)
        if not why:
            return []
        code = Code.HOLIDAY if why == "holiday" else Code.QUIET_HOURS
        opens = self.quiet.opens_at(at, self.profile.zone)
        return [Reason(code, rule=f"quiet hours {self.wanted.channel}", frees_at=opens)]

    def failing(self, at: datetime) -> list[Bound]:
        return [one for one in self.bounds if not one.allows(self._new(one, at))]

    def _new(self, bound: Bound, at: datetime) -> Touch:
        return Touch(0, at, at + self.wanted.lease, bound.weight)


# -- Which limits hold ----------------------------------------------------------------------------


def bounds(
    wanted: Wanted, profile: Profile, contacts: Sequence[PastContact], policy: Policy
) -> list[Bound]:
    """Return every limit that holds, those of the one cell first."""
    asked = Asked(wanted.involvement, profile.customer_type, wanted.channel, wanted.kind)
    counting = [one for one in contacts if one.kind not in policy.exempt]
    tired = max((one.until for one in profile.holds if one.halves and one.until), default=None)
    found: list[Bound] = []
    for rule in _rules(policy, asked):
        category = wanted.category if isinstance(rule, Cell) and rule.per == "category" else None
        together = [one for one in counting if _weighs(rule, one, wanted)]
        scope = Scope(rule.channel, rule.counted_kinds, category)
        for limit, is_gap in _limits(rule):
            bound = _bound(rule.name, scope, limit, together, wanted)
            found.append(replace(bound, is_gap=is_gap, tired_until=tired))
    return found + _personal(wanted, profile, counting)


def _rules(policy: Policy, asked: Asked) -> list[Cell | Ceiling]:
    cell = policy.cell_for(asked)
    return [*([cell] if cell else []), *policy.ceilings_for(asked)]


def _limits(rule: Cell | Ceiling) -> list[tuple[Limit, bool]]:
    """Return the limits of a rule; a gap is one contact in so long a window."""
    gap = [(Limit(1, rule.gap), True)] if rule.gap else []
    return [*gap, *((one, False) for one in rule.limits)]


def _weighs(rule: Cell | Ceiling, contact: PastContact, wanted: Wanted) -> bool:
    if isinstance(rule, Cell) and rule.per == "category" and contact.category != wanted.category:
        return False
    return rule.counts(contact.channel, contact.kind)


def _personal(wanted: Wanted, profile: Profile, counting: Sequence[PastContact]) -> list[Bound]:
    """Return what the customer wished and what was promised; they only ever lower."""
    found = []
    if profile.monthly_limit is not None:
        limit = Limit(profile.monthly_limit, MONTH)
        found.append(_bound("own wish", Scope(), limit, counting, wanted))
    if profile.promise:
        about = [one for one in counting if one.purpose == wanted.purpose]
        scope = Scope(purpose=wanted.purpose)
        found.append(_bound("promise", scope, profile.promise, about, wanted))
    return found


def _bound(
    rule: str, scope: Scope, limit: Limit, contacts: Sequence[PastContact], wanted: Wanted
) -> Bound:
    points = limit.unit == "points"
    touches = [
        Touch(one.id, one.from_at, one.to_at, one.points if points else 1) for one in contacts
    ]
    return Bound(rule, scope, limit, touches, wanted.points if points else 1)
