"""The four scales customers answer on, and what each answer counts as.

| scale | question                            | answers                                      |
|-------|-------------------------------------|----------------------------------------------|
| thumb | What did you think of this?         | 1 up, 0 down                                 |
| nps   | How likely are you to recommend us? | 9-10 promoters, 7-8 passives, 0-6 detractors |
| csat  | How satisfied are you?              | 4-5 satisfied, 3 neutral, 1-2 dissatisfied   |
| ces   | How easy was it? (7 is the easiest) | 5-7 easy, 4 neutral, 1-3 hard                |

An answer is a whole number on its scale or it is refused when it comes in; nothing is rounded,
guessed or dropped later, inside a calculation.

Pure: standard library only, no Django, no clock, no I/O.
Sources: Reichheld 2003 (NPS, "The One Number You Need to Grow"); "top two box" for CSAT; Dixon et
al. 2010 (CES, here with the CES 2.0 direction: a high answer means little effort).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

# Digits only: "6.5" has no place on any scale, and accepting "9.0" would mean deciding which
# decimals count as none. The length is bounded because int() itself fails on thousands of digits.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")

# An error message quotes the value; a cell or request body may hold pages of text.
_LONGEST_QUOTE = 40


class ScaleError(ValueError):
    """An answer that its scale does not know."""


@dataclass(frozen=True, slots=True)
class Band:
    """The answers from `lowest` to `highest`, both included, that count as one outcome."""

    outcome: str
    lowest: int
    highest: int


@dataclass(frozen=True)
class Scale:
    """A range of whole numbers, cut into bands listed from the happiest to the unhappiest.

    What follows from the bands is worked out once: a page asks for it thousands of times.
    """

    key: str
    bands: tuple[Band, ...]

    @cached_property
    def lowest(self) -> int:
        """The smallest allowed answer."""
        return min(band.lowest for band in self.bands)

    @cached_property
    def highest(self) -> int:
        """The largest allowed answer."""
        return max(band.highest for band in self.bands)

    @cached_property
    def values(self) -> range:
        """All allowed answers, from the smallest to the largest."""
        return range(self.lowest, self.highest + 1)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome keys, from the happiest to the unhappiest."""
        return tuple(band.outcome for band in self.bands)

    @property
    def positive(self) -> str:
        """The outcome of a happy answer."""
        return self.bands[0].outcome

    @property
    def negative(self) -> str:
        """The outcome of an unhappy answer."""
        return self.bands[-1].outcome

    def check(self, value: object) -> int:
        """Return `value` if it is an answer on this scale, else raise ScaleError.

        Only a Python int will do: 6.5, 7.0, "7" and True are refused, as are 11 and -1 on NPS.
        """
        # True is an int to Python, but a ticked box is not an answer.
        if not isinstance(value, int) or isinstance(value, bool) or value not in self.values:
            raise self._refusal(value, "Send one of these as a number, or send no answer.")
        return value

    def parse(self, text: str) -> int:
        """Return the answer written in a text field such as a CSV cell, else raise ScaleError.

        Accepts an integer literal: ASCII digits with an optional sign and surrounding blanks
        ("9", " 9 ", "+9"). Refuses everything else, "9.0", "6.5", "nine" and "" among them.
        """
        digits = text.strip()
        if not _WHOLE_NUMBER.fullmatch(digits):
            raise self._refusal(text, "Write one of these in digits, without decimals.")
        return self.check(int(digits))

    def outcome(self, value: int) -> str:
        """Return what an answer counts as, for example "promoters" for a 9 on NPS.

        Raises ScaleError for a value that is not on the scale.
        """
        return self._outcome_of[self.check(value)]

    @cached_property
    def _outcome_of(self) -> Mapping[int, str]:
        return {
            value: band.outcome
            for band in self.bands
            for value in range(band.lowest, band.highest + 1)
        }

    def _refusal(self, value: object, way_out: str) -> ScaleError:
        quote = repr(value)
        if len(quote) > _LONGEST_QUOTE:
            quote = quote[:_LONGEST_QUOTE] + "…"
        return ScaleError(
            f"{quote} is not an answer on the scale {self.key}: "
            f"it takes whole numbers from {self.lowest} to {self.highest}. {way_out}"
        )


_DECLARED = (
    Scale(
        "thumb",
        (
            Band("up", 1, 1),
            Band("down", 0, 0),
        ),
    ),
    Scale(
        "nps",
        (
            Band("promoters", 9, 10),
            Band("passives", 7, 8),
            Band("detractors", 0, 6),
        ),
    ),
    Scale(
        "csat",
        (
            Band("satisfied", 4, 5),
            Band("neutral", 3, 3),
            Band("dissatisfied", 1, 2),
        ),
    ),
    Scale(
        "ces",
        (
            Band("easy", 5, 7),
            Band("neutral", 4, 4),
            Band("hard", 1, 3),
        ),
    ),
)

SCALES: Mapping[str, Scale] = MappingProxyType({scale.key: scale for scale in _DECLARED})
