"""How many answers a wanted precision needs, and how many must be asked for that.

Pure. n = (z · sd / margin)², with 95 % certainty. The spread of a share
is at most 50 points; that of NPS is 85, the upper end of what shops see (0.78 to 0.85 on a scale
from -1 to 1), so that rather too many are asked than too few.
"""

from collections.abc import Mapping
from math import ceil

from insights.kpis import Z

# In points, by scale: of a share as wide as it can be.
SPREAD: Mapping[str, float] = {"nps": 85, "thumb": 50, "csat": 50, "ces": 50}


def answers_needed(scale: str, margin: float) -> int:
    """Return how many answers bring the interval to ± `margin` points; margin above 0."""
    if margin <= 0:
        raise ValueError(f"A margin of {margin} points is none. Give one above 0, such as 5.")
    return ceil((Z * SPREAD[scale] / margin) ** 2)


def invitations_needed(answers: int, answered: int, invited: int) -> int:
    """Return how many must be asked for so many answers, if as many answer as last time."""
    if not 0 < answered <= invited:
        raise ValueError(f"{answered} of {invited} answered: nothing follows from that.")
    return ceil(answers * invited / answered)
