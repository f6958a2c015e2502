"""A dose policy as one readable page: the matrix, the ceilings, and everything else it says."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.dose_policy import (
    STANDS_FOR,
    Asked,
    Ceiling,
    Cell,
    Limit,
    Policy,
    never_holds,
)
from customers.models import Channel, ContactKind, CustomerType, DosePolicy, Involvement
from customers.policies import policy_with
from insights.policy_words import limits_words, quiet_words, rule_words

TYPES = (
    *(CustomerType.REGULAR, CustomerType.OCCASIONAL, CustomerType.ONE_TIME),
    *(CustomerType.PROSPECT, CustomerType.LAPSED),
)
CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE)
LEVELS = (Involvement.HIGH, Involvement.MEDIUM, Involvement.LOW)


@dataclass(frozen=True, slots=True)
class Row:
    """What customers of a type may get: offers per level, and on the first table everything."""

    name: str
    cells: Sequence[Sequence[str]]
    ceiling: Sequence[str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Offers on one channel about one category; the first also has the ceilings of a person."""

    channel: str
    rows: Sequence[Row]
    has_ceilings: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Any other rule, in words."""

    name: str
    says: Sequence[str]
    per_category: bool


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """All that a policy says."""

    policy: Policy
    matrices: Sequence[Matrix]
    like_regular: bool
    cells: Sequence[Rule]
    ceilings: Sequence[Rule]
    quiet: Sequence[tuple[str, Sequence[str]]]
    points: Sequence[tuple[str, int]]
    exempt: Sequence[str]
    pointless: Sequence[tuple[str, str, str]]


def page_of(policy: Policy) -> PolicyPage:
    """Return a policy in words; every rule of it stands in one of the parts."""
    shown = {
        (level.value, one.value, channel.value, ContactKind.PROMOTION.value)
        for level in LEVELS
        for one in TYPES
        for channel in CHANNELS
    }
    people = {_person_ceiling(policy, one.value) for one in TYPES}
    return PolicyPage(
        policy=policy,
        matrices=[
            Matrix(
                str(channel.label),
                [_row(policy, one, channel) for one in TYPES],
                channel == Channel.EMAIL,
            )
            for channel in CHANNELS
        ],
        like_regular=not any(one.customer_type in STANDS_FOR for one in _rules(policy)),
        cells=[_rule(one) for one in sorted(policy.cells, key=_order) if one.key not in shown],
        ceilings=[
            _rule(one)
            for one in sorted(policy.ceilings, key=lambda one: one.key)
            if one.key not in people
        ],
        quiet=[
            (str(Channel(channel).label), quiet_words(ranges))
            for channel, ranges in sorted(policy.quiet.items())
        ],
        points=[(str(ContactKind(kind).label), n) for kind, n in policy.points.items()],
        exempt=[str(ContactKind(kind).label) for kind in sorted(policy.exempt)],
        pointless=[
            (rule_words(cell), limits_words(Cell(limits=[limit]))[0], rule_words(ceiling))
            for cell, limit, ceiling in never_holds(policy)
        ],
    )


def policy_of_version(version: DosePolicy) -> Policy:
    """Return the rules of a version."""
    return policy_with(version.pk, version.digest)


def _rules(policy: Policy) -> list[Cell | Ceiling]:
    return [*policy.cells, *policy.ceilings]


def _order(cell: Cell) -> tuple[str, str, str, str]:
    return cell.kind, cell.channel, cell.involvement, cell.customer_type


def _row(policy: Policy, customer_type: CustomerType, channel: Channel) -> Row:
    cells = []
    for level in LEVELS:
        asked = Asked(level.value, customer_type.value, channel.value, ContactKind.PROMOTION)
        cell = policy.cell_for(asked)
        cells.append(limits_words(cell) if cell else [])
    key = _person_ceiling(policy, customer_type.value)
    ceiling = next((one for one in policy.ceilings if one.key == key), Ceiling())
    return Row(str(customer_type.label), cells, limits_words(ceiling))


def _person_ceiling(policy: Policy, customer_type: str) -> tuple[str, str, str] | None:
    """Return the key of the first ceiling of offers to customers of a type alone."""
    mine = (
        one
        for one in policy.ceilings
        if one.customer_type == customer_type
        and not one.channel
        and (not one.kinds or ContactKind.PROMOTION in one.kinds)
    )
    return next((one.key for one in mine), None)


def _rule(rule: Cell | Ceiling) -> Rule:
    per_category = isinstance(rule, Cell) and rule.per == "category" and bool(_said(rule))
    return Rule(rule_words(rule), limits_words(rule), per_category)


def _said(rule: Cell | Ceiling) -> Sequence[Limit]:
    return rule.limits or ([Limit(1, rule.gap)] if rule.gap else [])
