"""The dose by brute force, on a clock of whole hours; written without a look at the engine.

A rule is a plain dictionary, a window is tried at every hour at which it could end, and the first
allowed hour is found by walking there. Slow and obvious; that is what it is for.
"""

from dataclasses import dataclass
from random import Random

# Hours: until when to look, which is longer with a wish for so many in 30 days; and after which
# nothing of the past begins any more.
HORIZON, WITH_A_WISH = 24 * 8, 24 * 32
END = 24


@dataclass
class World:
    """One case: whole hours everywhere, hour 0 is now; `quiet` are hours of the day."""

    kind: str
    channel: str
    category: int
    involvement: str
    customer_type: str
    points: int
    lease: int
    cells: list[dict]
    ceilings: list[dict]
    past: list[dict]
    quiet: set[int]
    wish: int | None
    promise: tuple[int, int] | None
    permitted: bool
    held_until: int | None
    tired_until: int | None
    paused_until: int | None

    def __post_init__(self) -> None:
        self.rules = in_force(self)
        self.loads: dict[tuple, int] = {}


def outcome(world: World) -> tuple[str, int | None]:
    """Return what comes of it, and the first allowed hour where waiting helps."""
    if not world.permitted:
        return "DENY", None
    if world.kind == "service":
        return "EXEMPT", None
    if open_at(world, 0):
        return "ALLOW", None
    for hour in range(1, HORIZON if world.wish is None else WITH_A_WISH):
        if open_at(world, hour):
            return "DEFER", hour
    return "DENY", None


def open_at(world: World, hour: int) -> bool:
    if hour % 24 in world.quiet:
        return False
    if world.held_until is not None and hour < world.held_until:
        return False
    if world.paused_until is not None and hour < world.paused_until:
        return False
    return all(room(world, rule, hour) for rule in world.rules)


def in_force(world: World) -> list[dict]:
    """The cell with the most fields filled in, every ceiling that fits, the wish, the promise."""
    facts = {
        "involvement": world.involvement,
        "customer_type": world.customer_type,
        "channel": world.channel,
        "kind": world.kind,
    }
    best, score = None, -1
    for cell in world.cells:
        wanted = {field: cell[field] for field in facts if cell[field]}
        if all(facts[field] == value for field, value in wanted.items()) and len(wanted) > score:
            best, score = cell, len(wanted)
    rules = [{**best, "tires": True}] if best else []
    for ceiling in world.ceilings:
        fits_type = ceiling["customer_type"] in ("", world.customer_type)
        fits_channel = ceiling["channel"] in ("", world.channel)
        if fits_type and fits_channel and (not ceiling["kinds"] or world.kind in ceiling["kinds"]):
            rules.append({**ceiling, "tires": True})
    if world.wish is not None:
        rules.append({"limits": [(world.wish, 720, False)], "tires": False})
    if world.promise:
        rules.append({"limits": [(*world.promise, False)], "tires": False, "purpose": True})
    return rules


def room(world: World, rule: dict, hour: int) -> bool:
    for usual, length, in_points in rule["limits"]:
        most, window = usual, length
        if rule["tires"] and world.tired_until is not None and hour < world.tired_until:
            if most == 1:
                window *= 2
            else:
                most //= 2
        for last in range(hour, hour + world.lease + window):
            if load(world, rule, window, last, in_points=in_points) > most:
                return False
            if last > END and all(contact["to"] <= last - window for contact in world.past):
                break  # Nothing of the past is in this window or in a later one.
    return True


def load(world: World, rule: dict, window: int, last: int, *, in_points: bool) -> int:
    """What weighs in the window of so many hours whose last hour this is, the new one included."""
    key = (id(rule), window, last, in_points)
    if key not in world.loads:
        total = world.points if in_points else 1
        for contact in world.past:
            inside = contact["from"] <= last and contact["to"] > last - window
            if inside and weighs(world, rule, contact):
                total += contact["points"] if in_points else 1
        world.loads[key] = total
    return world.loads[key]


def weighs(world: World, rule: dict, contact: dict) -> bool:
    if contact["kind"] == "service":
        return False
    if rule.get("purpose"):
        return contact["purpose"] == "asked"
    if rule.get("channel") and contact["channel"] != rule["channel"]:
        return False
    if rule.get("kind") and contact["kind"] != rule["kind"]:
        return False
    if rule.get("kinds") and contact["kind"] not in rule["kinds"]:
        return False
    return not (rule.get("per") == "category" and contact["category"] != world.category)


KINDS = ["promotion", "ask_thumb", "service"]
CHANNELS = ["email", "sms"]
TYPES = ["regular", "lapsed"]
LEVELS = ["low", "high"]


def random_world(random: Random) -> World:
    """A case near the edge: short windows, small limits, a few contacts on both sides of now."""

    def limits() -> list[tuple[int, int, bool]]:
        count = random.choice([0, 1, 1, 1, 2])
        return [
            (random.randint(0, 4), random.randint(1, 30), random.random() < 0.2)
            for _ in range(count)
        ]

    def maybe(values: list[str]) -> str:
        return random.choice(["", *values])

    cells = [cell("", "", "", "", "category", limits())]
    # Of one shape only, so that no two can be equally specific.
    filled = random.choice([(1, 0, 0, 0), (1, 1, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1), (0, 1, 0, 1)])
    for _ in range(random.randint(0, 3)):
        pools = (LEVELS, TYPES, CHANNELS, KINDS[:2])
        values = [random.choice(pool) if on else "" for pool, on in zip(pools, filled, strict=True)]
        new = cell(*values, random.choice(["category", "all"]), limits())
        if new["key"] not in [one["key"] for one in cells]:
            cells.append(new)
    ceilings = {}
    for _ in range(random.randint(0, 3)):
        customer_type, channel = maybe(TYPES), maybe(CHANNELS)
        kinds = random.choice([(), ("promotion",), ("ask_thumb", "promotion")])
        ceilings[customer_type, channel, kinds] = {
            "customer_type": customer_type,
            "channel": channel,
            "kinds": kinds,
            "limits": limits(),
        }
    past = []
    for _ in range(random.choice([0, 1, 2, 3, 5, 8])):
        start = random.randint(-40, 12)
        past.append(
            {
                "from": start,
                "to": start + random.choice([0, 0, 0, 1, 5]),
                "kind": random.choice([*KINDS, "promotion", "promotion"]),
                "channel": random.choice(CHANNELS),
                "category": random.randint(1, 2),
                "purpose": random.choice(["asked", "other"]),
                "points": random.randint(0, 3),
            }
        )

    def often_none(value: int, share: float = 0.15) -> int | None:
        return value if random.random() < share else None

    return World(
        kind=random.choice([*KINDS[:2]] * 8 + ["service"]),
        channel=random.choice(CHANNELS),
        category=random.randint(1, 2),
        involvement=random.choice(LEVELS),
        customer_type=random.choice(TYPES),
        points=random.randint(0, 3),
        lease=random.choice([0, 0, 1, 6]),
        cells=cells,
        ceilings=list(ceilings.values()),
        past=past,
        quiet={hour % 24 for hour in range(22, 22 + random.choice([0, 0, 3, 9]))},
        wish=often_none(random.randint(1, 3)),
        promise=(random.randint(1, 3), random.randint(1, 48)) if random.random() < 0.15 else None,
        permitted=random.random() < 0.95,
        held_until=often_none(random.randint(-5, 40)),
        tired_until=often_none(random.randint(-5, 40), 0.3),
        paused_until=often_none(random.randint(-5, 40)),
    )


def cell(
    involvement: str, customer_type: str, channel: str, kind: str, per: str, limits: list
) -> dict:
    return {
        "key": (involvement, customer_type, channel, kind),
        "involvement": involvement,
        "customer_type": customer_type,
        "channel": channel,
        "kind": kind,
        "per": per,
        "limits": limits,
    }
