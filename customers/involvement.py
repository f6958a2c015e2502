"""How much a purchase matters to the one who buys: a manager's rating, as a level.

Pure: standard library only. Three questions from 1 to 7; their mean is put on a scale from 0 to 100
(1 is 0, 7 is 100). Below 35 is low, up to and with 65 medium, above it high. One number per
category is a simplification: involvement belongs to a person and a product.
Source: the questions follow Zaichkowsky's Personal Involvement Inventory in its shortest form; the
bounds are starting points chosen for this product, not science.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LOW_BELOW = 35
HIGH_ABOVE = 65

LEAST, MOST = 1, 7


@dataclass(frozen=True, slots=True)
class Rating:
    """Answers from 1 to 7: how important the choice is to the buyer, how bad a wrong one is, how
    much buyers enjoy or care about the product. ValueError outside of that.
    """

    importance: int
    risk: int
    interest: int

    def __post_init__(self) -> None:
        for name in ("importance", "risk", "interest"):
            value = getattr(self, name)
            if not LEAST <= value <= MOST:
                raise ValueError(f"{name} is {value}; rate from {LEAST} to {MOST}")

    @property
    def score(self) -> float:
        """From 0 to 100."""
        mean = (self.importance + self.risk + self.interest) / 3
        return (mean - LEAST) / (MOST - LEAST) * 100

    @property
    def level(self) -> str:
        if self.score < LOW_BELOW:
            return "low"
        return "high" if self.score > HIGH_ABOVE else "medium"


@dataclass(frozen=True, slots=True)
class Involved:
    """The level that holds for a category, and why: a key of BECAUSE, and the category it is from.

    `source` is "" where no category is.
    """

    level: str
    because: str
    source: str = ""


# Why a level holds. What nobody rated counts as low: it never blocks, and never gets much.
BECAUSE = {
    "rated": "the rating of {source}",
    "parent": "not rated itself; the rating of {source}, which it is part of",
    "unrated": "{source} is not rated, so it counts as low",
    "no_category": "about no category, so it counts as medium",
}


def involvement_of(line: Iterable[tuple[str, str]]) -> Involved:
    """Return the level for a category, given as (name, own level or "") up to the highest parent.

    An empty line is a contact about no category: a newsletter about the whole shop.
    """
    steps = list(line)
    if not steps:
        return Involved("medium", "no_category")
    for name, level in steps:
        if level:
            return Involved(level, "rated" if name == steps[0][0] else "parent", name)
    return Involved("low", "unrated", steps[0][0])
