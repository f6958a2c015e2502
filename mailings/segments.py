"""Whom a mailing is for, before permission and dose have a say: what somebody chose in a form.

Pure: standard library only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class LastAnswer(StrEnum):
    """What the last answer on a scale was, in the days that are looked back at."""

    THUMB_UP = "thumb_up"
    THUMB_DOWN = "thumb_down"
    PROMOTER = "promoter"
    DETRACTOR = "detractor"


# The scale each is given on, and the values it stands for.
ANSWERS: Mapping[LastAnswer, tuple[str, tuple[int, ...]]] = {
    LastAnswer.THUMB_UP: ("thumb", (1,)),
    LastAnswer.THUMB_DOWN: ("thumb", (0,)),
    LastAnswer.PROMOTER: ("nps", (9, 10)),
    LastAnswer.DETRACTOR: ("nps", tuple(range(7))),
}
BOUGHT_DAYS = 365
ANSWERED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Segment:
    """Customers of some types, who bought in a category within a year, who read a language, and
    whose last answer in 90 days was this one. What is empty is not asked; what is given is all
    asked together.

    `bought` is the id of a category, 0 for any; what is part of it counts too.
    """

    customer_types: tuple[str, ...] = ()
    bought: int = 0
    language: str = ""
    last_answer: str = ""

    @property
    def is_everybody(self) -> bool:
        return self == Segment()

    def document(self) -> dict[str, Any]:
        """Return what is stored with a mailing."""
        return {**asdict(self), "customer_types": list(self.customer_types)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Segment":
        """Return the segment of a stored document."""
        given = dict(document)
        return cls(**{**given, "customer_types": tuple(given.get("customer_types", ()))})
