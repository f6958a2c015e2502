"""What one dose policy says differently from another, thing by thing.

Pure: standard library only. Each change says whether customers get less or more by it. A cell that
comes is compared with the cells that held where it holds now, one that goes with those that follow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from customers.dose_policy import STANDS_FOR, Ceiling, Cell, Policy, every_ask
from customers.quiet_hours import Range, open_minutes

Rule = Cell | Ceiling
Told = int | timedelta | str | tuple[Range, ...] | None


class Effect(StrEnum):
    """What a change does to how much customers may get."""

    LESS = "less"
    MORE = "more"
    OTHER = "other"


class What(StrEnum):
    """What a change is about."""

    LIMIT = "limit"
    GAP = "gap"
    QUIET = "quiet"
    COUNTRY = "country"
    EXEMPT = "exempt"
    POINTS = "points"
    COUNTED = "counted"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` are None where nothing stood; for limits numbers, for
    gaps lengths of time, for quiet hours the ranges, else texts. `subject` is a channel or kind
    where there is no rule.
    """

    what: What
    effect: Effect
    before: Told
    after: Told
    rule: Rule | None = None
    window: timedelta | None = None
    unit: str = ""
    subject: str = ""


def changes(before: Policy, after: Policy) -> list[Change]:
    """Return all that differs: limits and gaps of rules first, then the rest."""
    return [
        *_of_cells(before, after),
        *_of_ceilings(before.ceilings, after.ceilings),
        *_of_quiet(before, after),
        *_of_points(before, after),
        *_of_texts(before, after),
    ]


def _of_cells(before: Policy, after: Policy) -> Iterator[Change]:
    old = {one.key: one for one in before.cells}
    new = {one.key: one for one in after.cells}
    for key in sorted(old.keys() | new.keys()):
        if key in old and key in new:
            yield from _of_limits(old[key], new[key], new[key])
        elif key in new:
            held = _elsewhere(new[key], after, before)
            yield from _of_pairs([(other, new[key]) for other in held], new[key])
        else:
            follow = _elsewhere(old[key], before, after)
            yield from _of_pairs([(old[key], other) for other in follow], old[key])


def _elsewhere(cell: Cell, mine: Policy, other: Policy) -> list[Cell | None]:
    """Return what holds in the other policy wherever this cell holds in its own."""
    found: list[Cell | None] = []
    for asked in every_ask(mine):
        if mine.cell_for(asked) == cell and (held := other.cell_for(asked)) not in found:
            found.append(held)
    return found


def _of_pairs(pairs: Sequence[tuple[Cell | None, Cell | None]], rule: Cell) -> Iterator[Change]:
    """Tell each difference once, however many other cells show it."""
    told: list[Change] = []
    for was, will in pairs:
        for one in (*_of_limits(was, will, rule), *_of_counting(was, will, rule)):
            if one not in told:
                told.append(one)
                yield one


def _of_counting(was: Cell | None, will: Cell | None, rule: Cell) -> Iterator[Change]:
    """Tell whether contacts count by themselves that counted with others, or the other way."""
    if was and will and _says(was) and _says(will):
        a, b = (sum((not one.channel, not one.kind)) for one in (was, will))
        if a != b:
            yield Change(What.APART, _effect(b > a), str(b > a), str(a > b), rule)


def _says(rule: Rule) -> bool:
    return bool(rule.limits or rule.gap)


def _of_ceilings(before: Sequence[Ceiling], after: Sequence[Ceiling]) -> Iterator[Change]:
    for customer_type, other in STANDS_FOR.items():
        # Ceilings of their own replace those that they had by following another type.
        if any(one.customer_type == customer_type for one in (*before, *after)):
            before, after = (_own(one, customer_type, other) for one in (before, after))
    old = {one.key: one for one in before}
    new = {one.key: one for one in after}
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key), new.get(key)
        if (rule := will or was) is not None:
            yield from _of_limits(was, will, rule)


def _own(ceilings: Sequence[Ceiling], customer_type: str, other: str) -> Sequence[Ceiling]:
    """Return ceilings with those of a type written out that follows another one."""
    if any(one.customer_type == customer_type for one in ceilings):
        return ceilings
    followed = [one for one in ceilings if one.customer_type == other]
    return [*ceilings, *(replace(one, customer_type=customer_type) for one in followed)]


def _of_limits(was: Rule | None, will: Rule | None, rule: Rule) -> Iterator[Change]:
    old, new = _limits(was), _limits(will)
    for window, unit in sorted(old.keys() | new.keys()):
        a, b = old.get((window, unit)), new.get((window, unit))
        if a != b:
            effect = _effect(b is not None and (a is None or b < a))
            yield Change(What.LIMIT, effect, a, b, rule, window, unit)
    first, second = was.gap if was else None, will.gap if will else None
    if first != second:
        longer = second is not None and (first is None or second > first)
        yield Change(What.GAP, _effect(longer), first, second, rule)
    per = tuple(one.per for one in (was, will) if isinstance(one, Cell) and _says(one))
    if len(per) == 2 and per[0] != per[1]:
        yield Change(What.COUNTED, _effect(per[1] == "all"), per[0], per[1], rule)


def _limits(rule: Rule | None) -> dict[tuple[timedelta, str], int]:
    """Return the lowest limit of each window and unit."""
    found: dict[tuple[timedelta, str], int] = {}
    for one in rule.limits if rule else ():
        key = (one.window, one.unit)
        found[key] = min(one.most, found.get(key, one.most))
    return found


def _effect(is_less: bool) -> Effect:
    return Effect.LESS if is_less else Effect.MORE


def _of_quiet(before: Policy, after: Policy) -> Iterator[Change]:
    """Tell the hours; less is sent where more minutes of a week are quiet."""
    for channel in sorted(before.quiet.keys() | after.quiet.keys()):
        old, new = (tuple(sorted(one.quiet.get(channel, ()))) for one in (before, after))
        if old != new:
            a, b = (open_minutes(one) for one in (old, new))
            effect = Effect.OTHER if a == b else _effect(b < a)
            yield Change(What.QUIET, effect, old, new, subject=channel)


def _of_points(before: Policy, after: Policy) -> Iterator[Change]:
    for kind in sorted(before.points.keys() | after.points.keys()):
        a, b = before.points.get(kind), after.points.get(kind)
        if a != b:
            yield Change(What.POINTS, _effect((b or 0) > (a or 0)), a, b, subject=kind)


def _of_texts(before: Policy, after: Policy) -> Iterator[Change]:
    if before.country != after.country:
        effect = _effect(not before.country) if not (before.country and after.country) else None
        yield Change(What.COUNTRY, effect or Effect.OTHER, before.country, after.country)
    for kind in sorted(before.exempt ^ after.exempt):
        was, will = (kind in one.exempt for one in (before, after))
        yield Change(What.EXEMPT, _effect(was and not will), str(was), str(will), subject=kind)
