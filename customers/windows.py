"""The exact rolling rule: at most so much in any window of a given length.

Pure: standard library only. A *touch* is one contact on the line of time. One that was sent has a
moment; one that is reserved may still happen anywhere between two moments, and is taken at its
worst. Windows are half-open, (t - W, t], and counted in UTC seconds: a day here has 24 hours, also
where the clock changes.

A window that ends at t can hold the touch i when it may begin by then (from_i ≤ t) and may not be
over before it (to_i > t - W). The weight in such a window changes for the worse only where a touch
begins, so the fullest window that also holds the new touch ends at the beginning of the new one or
of one that follows. Looking to one side only would break the rule as soon as something is planned
ahead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact: its id, between which moments it happens, and what it weighs (0 or more)."""

    id: int
    from_at: datetime
    to_at: datetime
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Fullest:
    """The fullest window that a new touch would lie in: what weighs in it, without the new one."""

    used: int
    blocking: Sequence[int]


def fullest(touches: Iterable[Touch], new: Touch, window: timedelta) -> Fullest:
    """Return the fullest window of this length around a new touch; the first of equals."""
    near = [
        one
        for one in touches
        if one.from_at < new.to_at + window and one.to_at > new.from_at - window
    ]
    ends = [new.from_at, *sorted({one.from_at for one in near if one.from_at > new.from_at})]
    loads = [
        [one for one in near if one.from_at <= end and one.to_at > end - window] for end in ends
    ]
    worst = max(loads, key=lambda load: sum(one.weight for one in load))
    in_order = sorted(worst, key=lambda one: (one.from_at, one.id))
    return Fullest(sum(one.weight for one in worst), [one.id for one in in_order])


def fits(touches: Iterable[Touch], new: Touch, window: timedelta, most: int) -> bool:
    """Say whether every window holds at most `most`, the new touch included."""
    return fullest(touches, new, window).used + new.weight <= most


def earliest(touches: Sequence[Touch], new: Touch, window: timedelta, most: int) -> datetime | None:
    """Return the first moment, not before its own, at which the new touch fits; None for never.

    Waiting helps only when something leaves a window, one window after it ended: no moment in
    between is worth a look.
    """
    if new.weight > most:
        return None
    leaving = sorted({one.to_at + window for one in touches})
    for moment in (new.from_at, *(one for one in leaving if one > new.from_at)):
        if fits(touches, moved(new, moment), window, most):
            return moment
    return None


def moved(touch: Touch, to: datetime) -> Touch:
    """Return the same touch, as long as before, from another moment on."""
    return Touch(touch.id, to, to + (touch.to_at - touch.from_at), touch.weight)
