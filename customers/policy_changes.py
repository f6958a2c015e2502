"""What one dose policy says differently from another, thing by thing.

Pure: standard library only. Each change says whether customers get less or more by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from customers.dose_policy import Ceiling, Cell, Policy
from customers.quiet_hours import WEEK, open_minutes

Rule = Cell | Ceiling


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


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` are None where nothing stood; for limits numbers, for
    gaps lengths of time, else texts. `subject` is a channel or kind where there is no rule.
    """

    what: What
    effect: Effect
    before: int | timedelta | str | None
    after: int | timedelta | str | None
    rule: Rule | None = None
    window: timedelta | None = None
    unit: str = ""
    subject: str = ""


def changes(before: Policy, after: Policy) -> list[Change]:
    """Return all that differs: limits and gaps of rules first, then the rest."""
    return [
        *_of_rules(before.cells, after.cells),
        *_of_rules(before.ceilings, after.ceilings),
        *_of_quiet(before, after),
        *_of_points(before, after),
        *_of_texts(before, after),
    ]


def _of_rules(before: Sequence[Rule], after: Sequence[Rule]) -> Iterator[Change]:
    old: dict[tuple[str, ...], Rule] = {one.key: one for one in before}
    new: dict[tuple[str, ...], Rule] = {one.key: one for one in after}
    for key in sorted(old.keys() | new.keys()):
        was, will = old.get(key), new.get(key)
        rule = will or was
        if rule is not None:
            yield from _of_limits(was, will, rule)


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
    per = tuple(one.per for one in (was, will) if isinstance(one, Cell))
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
    """Compare how many minutes of a week are quiet on each channel."""
    for channel in sorted(before.quiet.keys() | after.quiet.keys()):
        old, new = before.quiet.get(channel, ()), after.quiet.get(channel, ())
        if sorted(old) != sorted(new):
            a, b = (WEEK - open_minutes(one) for one in (old, new))
            effect = Effect.OTHER if a == b else _effect(b > a)
            yield Change(What.QUIET, effect, a, b, subject=channel)


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
