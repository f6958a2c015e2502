"""The engine and the brute-force oracle agree on a hundred thousand random cases."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.dosing import Hold, PastContact, Profile, Wanted, decide
from customers.quiet_hours import Range
from tests.customers.dose_oracle import World, outcome, random_world

CASES = 100_000
ZERO = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(n: int) -> datetime:
    return ZERO + n * HOUR


def limits(rule: dict) -> list[Limit]:
    return [
        Limit(most, window * HOUR, "points" if points else "count")
        for most, window, points in rule["limits"]
    ]


def quiet(world: World) -> list[Range]:
    """Each quiet hour of the day as a range of its own, on every day of the week."""
    return [Range(day, hour * 60, hour * 60 + 60) for day in range(7) for hour in world.quiet]


def policy(world: World) -> Policy:
    ranges = quiet(world)
    return Policy(
        version=1,
        cells=[Cell(*one["key"], limits=limits(one), per=one["per"]) for one in world.cells],
        ceilings=[
            Ceiling(one["customer_type"], one["channel"], frozenset(one["kinds"]), limits(one))
            for one in world.ceilings
        ],
        quiet={"email": ranges, "sms": ranges} if ranges else {},
    )


def profile(world: World) -> Profile:
    holds = []
    if world.held_until is not None:
        holds.append(Hold("complaint", hours(world.held_until)))
    if world.tired_until is not None:
        holds.append(Hold("unhappy", hours(world.tired_until), halves=True))
    paused = world.paused_until
    return Profile(
        customer_type=world.customer_type,
        zone=ZoneInfo("UTC"),
        refusal="" if world.permitted else "none",
        paused_until=None if paused is None else hours(paused),
        monthly_limit=world.wish,
        promise=Limit(world.promise[0], world.promise[1] * HOUR) if world.promise else None,
        holds=holds,
    )


def engine(world: World) -> tuple[str, int | None]:
    wanted = Wanted(
        channel=world.channel,
        kind=world.kind,
        purpose="asked",
        category=world.category,
        involvement=world.involvement,
        points=world.points,
        at=ZERO,
        lease=world.lease * HOUR,
    )
    past = [
        PastContact(
            id=i,
            channel=one["channel"],
            kind=one["kind"],
            category=one["category"],
            purpose=one["purpose"],
            points=one["points"],
            from_at=hours(one["from"]),
            to_at=hours(one["to"]),
        )
        for i, one in enumerate(world.past)
    ]
    verdict = decide(wanted, profile(world), past, policy(world))
    when = verdict.next_allowed_at
    return str(verdict.outcome), None if when is None else round((when - ZERO) / HOUR)


def test_engine_and_oracle_agree_on_a_hundred_thousand_random_cases():
    random = Random(20261124)
    seen = Counter()
    for case in range(CASES):
        world = random_world(random)
        expected = outcome(world)
        assert engine(world) == expected, f"case {case}: {world}"
        seen[expected[0]] += 1
    # Every outcome is there in numbers, so that agreeing says something.
    assert min(seen[one] for one in ("ALLOW", "DEFER", "DENY", "EXEMPT")) > CASES // 100
