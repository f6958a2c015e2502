"""A count over the raw answers, written apart from the code that keeps the tallies.

`check_counts` is what must hold at any moment: tallies plus waiting changes are that count.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from feedback.models import DayCube, Invitation, Response, ResponseChange, Tally, TouchedSlice

PLACE = ("touchpoint_id", "product_id", "category_id", "channel", "customer_type")
CUBE = ("measure", "day", "value", *PLACE, "reason")
DIMENSIONS = {
    "touchpoint": 3,
    "product": 4,
    "category": 5,
    "channel": 6,
    "customer_type": 7,
    "reason": 8,
}


def raw_counts() -> Counter:
    """Count every answer and every invitation, each at its place in the cube."""
    counts = Counter()
    answered = set()
    columns = ("invitation_id", "scale", "answered_on", "value", *PLACE, "reason")
    for invitation, *key in Response.objects.values_list(*columns):
        counts[tuple(0 if cell is None else cell for cell in key)] += 1
        answered.add(invitation)
    for pk, day, *place in Invitation.objects.values_list("pk", "invited_on", *PLACE):
        key = ("invited", day, int(pk in answered), *place, "")
        counts[tuple(0 if cell is None else cell for cell in key)] += 1
    return counts


def along_dimensions(cube: Counter) -> Counter:
    """Sum a cube for the whole and for each dimension alone."""
    sums = Counter()
    for key, n in cube.items():
        measure, day, value = key[:3]
        sums["", "", measure, day, value] += n
        for dimension, column in DIMENSIONS.items():
            sums[dimension, str(key[column] or ""), measure, day, value] += n
    return sums


def kept(model: type[DayCube] | type[ResponseChange]) -> Counter:
    sums = Counter()
    for *key, n in model.objects.values_list(*CUBE, "n"):
        sums[tuple(key)] += n
    return sums


def kept_along_dimensions() -> Counter:
    columns = ("dimension", "key", "measure", "day", "value", "n")
    return Counter({tuple(key): n for *key, n in Tally.objects.values_list(*columns)})


def check_counts(folded: Counter | None = None) -> Counter:
    """Assert that nothing is lost and nothing counted twice; return the raw counts."""
    folded = kept_along_dimensions() if folded is None else folded
    raw = raw_counts()
    waiting = kept(ResponseChange)
    # Of two Counters the missing keys count as zero, and so do rows that went back to zero.
    assert added(kept(DayCube), waiting) == raw
    assert added(folded, along_dimensions(waiting)) == along_dimensions(raw)
    return raw


def check_folded() -> None:
    """Assert that the tallies alone are right, which they are once nothing waits."""
    assert not ResponseChange.objects.exists()
    check_counts()


def added(one: Counter, other: Counter) -> Counter:
    """Add up; the + of Counter would drop what is negative."""
    total = Counter(one)
    total.update(other)
    return total


def folded_slices(folded: Counter | None = None) -> dict[tuple, dict[int, int]]:
    """Return the folded counts per day of a slice: value to n, without zeros."""
    folded = kept_along_dimensions() if folded is None else folded
    slices = defaultdict(dict)
    for (dimension, key, measure, day, value), n in folded.items():
        if n:
            slices[dimension, key, measure, day][value] = n
    return slices


def touched_slices() -> Iterator[tuple]:
    return TouchedSlice.objects.values_list("dimension", "key", "measure", "day").iterator()
