"""Which contacts of the past a policy would not have let through.

Pure: standard library only. The contacts of one customer are decided on again in the order in which
they were sent, by the rules of dosing.py, against those that were let through before: what is
blocked weighs no later. Customer type, involvement, category and points are those that stand on the
contact, as they were. It was sent, so permission counts as given. Wishes, promises and holds of
today say nothing about the past and are left out; quiet hours are those of the customer's zone.

A stricter policy does not block everything that a milder one blocks: what it keeps out early leaves
room for something later.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from customers.dose_policy import Asked, Policy
from customers.dosing import Code, Outcome, PastContact, Profile, Verdict, Wanted, decide


@dataclass(frozen=True, slots=True)
class Sent:
    """A contact that was sent, with what stood on it then."""

    id: int
    at: datetime
    channel: str
    kind: str
    category: int | None
    points: int
    customer_type: str
    involvement: str

    @property
    def asked(self) -> Asked:
        return Asked(self.involvement, self.customer_type, self.channel, self.kind)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A contact that the policy would not have let through, with the first reason against it.

    `rule` is the name of a cell, a ceiling or the quiet hours; "" where none is at work.
    """

    contact: Sent
    outcome: Outcome
    code: Code
    rule: str


class Replay:
    """A policy that is replayed on one customer after another."""

    def __init__(self, policy: Policy, holidays: frozenset[date] = frozenset()) -> None:
        self._policy = policy
        self._holidays = holidays
        self._back = policy.longest_window
        # Looking the rules up anew for every contact takes most of the time.
        self._rules: dict[Asked, Policy] = {}

    def blocked(
        self, contacts: Iterable[Sent], *, since: datetime, zone: ZoneInfo | None
    ) -> list[Blocked]:
        """Return which of one customer's contacts would have been blocked, the earliest first.

        Those before `since` are not decided on and weigh as they were. Without a known zone nothing
        is let through but what is exempt, as in every decision.
        """
        found: list[Blocked] = []
        before: deque[PastContact] = deque()
        for one in sorted(contacts, key=lambda one: (one.at, one.id)):
            # What no window reaches any more costs time and changes nothing.
            while before and before[0].to_at <= one.at - self._back:
                before.popleft()
            verdict = self._decide(one, before, zone) if one.at >= since else None
            if verdict is None or verdict.allows:
                before.append(_past(one))
            else:
                first = verdict.reasons[0]
                found.append(Blocked(one, verdict.outcome, first.code, first.rule))
        return found

    def _decide(self, one: Sent, before: Iterable[PastContact], zone: ZoneInfo | None) -> Verdict:
        asked = one.asked
        if asked not in self._rules:
            self._rules[asked] = _narrowed(self._policy, asked)
        rules = self._rules[asked]
        return decide(_wanted(one), _profile(one, zone), before, rules, self._holidays)


def replay(
    policy: Policy,
    contacts: Iterable[Sent],
    *,
    since: datetime,
    zone: ZoneInfo | None,
    holidays: frozenset[date] = frozenset(),
) -> list[Blocked]:
    """Return which contacts of one customer a policy would have blocked; see Replay.blocked."""
    return Replay(policy, holidays).blocked(contacts, since=since, zone=zone)


def _narrowed(policy: Policy, asked: Asked) -> Policy:
    """Return a policy of only the rules that hold: the same answer, with fewer to look through."""
    cell = policy.cell_for(asked)
    return replace(policy, cells=[cell] if cell else [], ceilings=policy.ceilings_for(asked))


def _wanted(one: Sent) -> Wanted:
    return Wanted(
        channel=one.channel,
        kind=one.kind,
        purpose="",
        category=one.category,
        involvement=one.involvement,
        points=one.points,
        at=one.at,
    )


def _profile(one: Sent, zone: ZoneInfo | None) -> Profile:
    return Profile(
        customer_type=one.customer_type,
        zone=zone or ZoneInfo("UTC"),
        missing="" if zone else "time zone",
    )


def _past(one: Sent) -> PastContact:
    return PastContact(
        id=one.id,
        channel=one.channel,
        kind=one.kind,
        category=one.category,
        purpose="",
        points=one.points,
        from_at=one.at,
        to_at=one.at,
    )
