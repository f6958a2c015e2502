"""The policy a new shop starts with. Starting points chosen for this product, not science.

Pure: standard library only. Promotion by e-mail: so many per category in 30 days, by involvement
and customer type; beside them the ceilings of one person over everything. A text message or a call
weighs on people more: a quarter of the e-mails, rounded down, at least one where two or more
e-mails are allowed. Where buyers mostly care less about what they buy, one person hears less over
everything, and about no category more than that.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.quiet_hours import Range

DAY = timedelta(days=1)
MONTH = 30 * DAY

TYPES = ("regular", "occasional", "one_time", "prospect", "lapsed")

# Promotional e-mails about one category in 30 days.
EMAILS: Mapping[str, Mapping[str, int]] = {
    "high": {"regular": 8, "occasional": 6, "one_time": 4, "prospect": 4, "lapsed": 2},
    "medium": {"regular": 4, "occasional": 3, "one_time": 2, "prospect": 2, "lapsed": 1},
    "low": {"regular": 2, "occasional": 2, "one_time": 1, "prospect": 1, "lapsed": 1},
}

# Of everything together, for one person: in 30 days and in 7; and one a day.
CEILINGS: Mapping[str, tuple[int, int]] = {
    "regular": (8, 3),
    "occasional": (6, 2),
    "one_time": (4, 1),
    "prospect": (4, 1),
    "lapsed": (2, 1),
}

# The part of these ceilings to begin with where buyers mostly care so much, rounded down.
PARTS: Mapping[str, float] = {"high": 1, "medium": 0.75, "low": 0.5}

# Days between two thumbs that are asked for.
THUMB_GAPS: Mapping[str, int] = {"high": 7, "medium": 30, "low": 90}

# Advertisements about one category, as grants of days, in 30 days.
ADS: Mapping[str, int] = {"high": 4, "medium": 2, "low": 1}

TOUCHES = frozenset({"promotion", "information", "ask_nps", "ask_survey", "ad"})
QUESTIONS = frozenset({"ask_nps", "ask_survey"})
ASKING = frozenset({"ask_thumb", "ask_nps", "ask_survey"})

# Thumbs in 30 days, about whatever; and points for all that is asked in 30 days.
THUMBS = 4
ASKING_POINTS = 10

# The points of a survey of five questions: 2 for the first with its comment, 1 for each other.
FIVE_QUESTIONS = 6

NIGHT = [Range(day, 22 * 60, (24 + 7) * 60) for day in range(7)]
# On the phone also evenings, and from Saturday until Monday morning.
EVENING = [Range(day, 20 * 60, (24 + 9) * 60) for day in range(4)]
WEEKEND = [
    Range(4, 20 * 60, 24 * 60),
    Range(5, 0, 24 * 60),
    Range(6, 0, 24 * 60),
    Range(0, 0, 9 * 60),
]


def starting_policy(version: int = 1, level: str = "high") -> Policy:
    """Return the policy that a new shop starts with.

    `level` is how much its buyers mostly care about what they buy: "high", "medium" or "low".
    """
    ceilings = {one: _part(most, PARTS[level]) for one, most in CEILINGS.items()}
    return Policy(
        version=version,
        cells=[Cell(), *_promotion(ceilings), *_questions(), *_ads()],
        ceilings=[*_ceilings(ceilings), *_of_questions()],
        quiet={"email": NIGHT, "sms": [*EVENING, *WEEKEND], "phone": [*EVENING, *WEEKEND]},
        country="NL",
    )


def quarter(emails: int) -> int:
    """Return how many text messages or calls stand for so many e-mails."""
    return max(emails // 4, 1 if emails >= 2 else 0)


def _part(most: tuple[int, int], part: float) -> tuple[int, int]:
    month, week = most
    return max(1, int(month * part)), max(1, int(week * part))


def _promotion(ceilings: Mapping[str, tuple[int, int]]) -> Iterator[Cell]:
    for involvement, row in EMAILS.items():
        for customer_type, emails in row.items():
            most = min(emails, ceilings[customer_type][0])
            key = (involvement, customer_type)
            yield Cell(*key, "email", "promotion", [Limit(most, MONTH)])
            for channel in ("sms", "phone"):
                yield Cell(*key, channel, "promotion", [Limit(quarter(most), MONTH)], DAY)


def _questions() -> Iterator[Cell]:
    for involvement, days in THUMB_GAPS.items():
        yield Cell(involvement, kind="ask_thumb", gap=days * DAY)
    # Who hardly cares about a product is asked for no more than a thumb.
    yield Cell("low", kind="ask_nps", limits=[Limit(0, MONTH)])
    yield Cell("low", kind="ask_survey", limits=[Limit(0, MONTH)])
    for involvement in ("medium", "high"):
        for customer_type in TYPES:
            days = 90 if customer_type == "regular" else 180
            limits = [Limit(1, days * DAY)]
            yield Cell(involvement, customer_type, kind="ask_nps", limits=limits, per="all")
    short = [Limit(FIVE_QUESTIONS, 180 * DAY, "points")]
    yield Cell("medium", kind="ask_survey", limits=short, per="all")
    yield Cell("high", kind="ask_survey", limits=[Limit(1, 180 * DAY)], per="all")


def _ads() -> Iterator[Cell]:
    for involvement, most in ADS.items():
        yield Cell(involvement, channel="ad", kind="ad", limits=[Limit(most, MONTH)])


def _ceilings(ceilings: Mapping[str, tuple[int, int]]) -> Iterator[Ceiling]:
    for customer_type, (month, week) in ceilings.items():
        limits = [Limit(month, MONTH), Limit(week, 7 * DAY), Limit(1, DAY)]
        yield Ceiling(customer_type, kinds=TOUCHES, limits=limits)


def _of_questions() -> Iterator[Ceiling]:
    yield Ceiling(kinds=QUESTIONS, gap=30 * DAY)
    yield Ceiling(kinds=frozenset({"ask_thumb"}), limits=[Limit(THUMBS, MONTH)])
    yield Ceiling(kinds=ASKING, limits=[Limit(ASKING_POINTS, MONTH, "points")])
