"""Customer type from purchase days: recency and frequency, never money.

Pure: standard library only, days in and a label out; the day `at` is an argument.
The ranking says which type counts where one is to be chosen: contract first, lapsed last.

A *purchase day* is a local calendar day on which the customer bought something; two purchases on
one day are one purchase day. A *gap* is the number of days between two consecutive purchase days
of one customer. A label for the day `at` holds as of the start of that day: only days before `at`
count. Days may come in any order and repeat.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from math import floor
from statistics import median

# The person's type for ceilings is the highest one; contract ranks highest, lapsed lowest.
RANK = {"contract": 6, "regular": 5, "occasional": 4, "one_time": 3, "prospect": 2, "lapsed": 1}

# A clock is measured from at least 50 gaps; with fewer, the fallback is used.
FEWEST_GAPS = 50
FALLBACK_INTERVAL = 90.0  # days
FALLBACK_P80 = 365.0  # days

# A customer's own rhythm counts from 4 own gaps (5 purchase days) on.
FEWEST_OWN_GAPS = 4

# A regular customer bought on at least 3 days in the last year, or in 4 usual intervals if longer.
REGULAR_DAYS = 3
REGULAR_WINDOW = 365.0  # days
REGULAR_INTERVALS = 4

# A lower type is believed after it has been computed for 7 days.
DOWNGRADE_AFTER = timedelta(days=7)

# Every code a Reason can carry, with the sentence it stands for.
REASONS = {
    "contract": "has a running contract",
    "not_bought": "has not bought yet",
    "lapsed": "last bought %(since)d days ago; 80 %% return within %(within)d",
    "lapsed_own": "last bought %(since)d days ago; usually buys every %(usual)d days, "
    "lapsed after %(within)d",
    "lapsed_assumed": "last bought %(since)d days ago; lapsed after %(within)d, "
    "assumed because too few returns are known",
    "last_bought": "last bought %(since)d days ago",
    "bought_once": "bought once, on %(on)s",
    "bought_in_year": "bought on %(days)d days in the last year",
    "bought_in_window": "bought on %(days)d days in the last %(window)d days",
    "bought_twice": "bought twice",
    "bought_on_days": "bought on %(days)d days",
}


@dataclass(frozen=True)
class Clocks:
    """How fast customers come back, in days, pooled over all customers.

    interval   I, the median of all gaps.
    p80        80 % of all gaps are at most this long.
    p80_first  the same for the gaps between first and second purchase day.

    The flags say whether a clock was measured or is the fallback, so that nobody is told
    "80 % return within 365" when nobody has measured it.
    """

    interval: float
    p80: float
    p80_first: float
    p80_measured: bool = True
    p80_first_measured: bool = True


@dataclass(frozen=True)
class Reason:
    """Why a label was given: a key of REASONS and the plain values of its sentence."""

    code: str
    values: Mapping[str, int | date] = field(default_factory=dict, hash=False)

    def sentence(self, at: date) -> str:
        """The reason in English; a day of another year than that of `at` carries its year."""
        return REASONS[self.code] % {name: _said(value, at) for name, value in self.values.items()}


@dataclass(frozen=True)
class Labelled:
    """One customer's type (a key of RANK) with the reason for it."""

    type: str
    reason: Reason


def pool_clocks(days_per_customer: Iterable[Sequence[date]], at: date) -> Clocks:
    """Measure the clocks from the purchase days before `at` of all customers, one at a time.

    Gaps are counted by length, so memory grows with the number of different lengths (days of
    history), not with the number of customers.
    """
    gaps: Counter[int] = Counter()
    first_gaps: Counter[int] = Counter()
    for days in days_per_customer:
        own = _gaps(_before(days, at))
        gaps.update(own)
        first_gaps.update(own[:1])
    measured, first_measured = gaps.total() >= FEWEST_GAPS, first_gaps.total() >= FEWEST_GAPS
    return Clocks(
        interval=percentile(gaps, 50) if measured else FALLBACK_INTERVAL,
        p80=percentile(gaps, 80) if measured else FALLBACK_P80,
        p80_first=percentile(first_gaps, 80) if first_measured else FALLBACK_P80,
        p80_measured=measured,
        p80_first_measured=first_measured,
    )


def percentile(counts: Counter[int], percent: int) -> float:
    """The linear percentile of the values counted in `counts` (value: how often, at least one).

    With n values in order x[0] … x[n-1] the percentile lies at position h = (n-1) · percent/100:
    x[⌊h⌋] + (h - ⌊h⌋) · (x[⌊h⌋+1] - x[⌊h⌋]). Source: Hyndman & Fan 1996, type 7; numpy's default.
    The position is kept in whole hundredths, because a rounding error there can decide
    whether somebody whose last purchase is exactly P80 days old has lapsed.
    """
    count = counts.total()
    position, hundredths = divmod((count - 1) * percent, 100)
    low = _nth(counts, position)
    high = _nth(counts, min(position + 1, count - 1))
    return low + (high - low) * hundredths / 100


def classify(
    days: Sequence[date], contract_until: date | None, clocks: Clocks, at: date
) -> Labelled:
    """The customer's type as of the start of day `at`; the first rule that matches wins.

    1 contract    a contract runs on `at` (its last day included)
    2 prospect    0 purchase days
    3 lapsed      days since the last purchase day > lapse_after
    4 one_time    exactly 1 purchase day
    5 regular     at least 3 purchase days in [at - W, at), W = max(365 days, 4 × I)
    6 occasional  the rest
    Contract comes first because lapse rules are for customers who must come back to stay:
    a mortgage buyer of two years ago has not lapsed.
    """
    if contract_until is not None and contract_until >= at:
        return Labelled("contract", Reason("contract", {"until": contract_until}))
    bought = _before(days, at)
    if not bought:
        return Labelled("prospect", Reason("not_bought"))
    if lapse := _lapse(bought, clocks, at):
        return Labelled("lapsed", lapse)
    if len(bought) == 1:
        return Labelled("one_time", Reason("bought_once", {"on": bought[0]}))
    if regularity := _regularity(bought, clocks, at):
        return Labelled("regular", regularity)
    twice, on_days = Reason("bought_twice"), Reason("bought_on_days", {"days": len(bought)})
    return Labelled("occasional", twice if len(bought) == 2 else on_days)


def settle(
    stored: str, computed: str, lower_since: date | None, today: date
) -> tuple[str, date | None]:
    """The label to store, and since when a lower one has been computed (None: not lower).

    Upgrades at once; a downgrade after the computed type has been lower for 7 days, whichever
    lower type it was; the newest one is then taken. A stored prospect moves at once, because
    "has not bought yet" is untrue from the first purchase on.
    """
    if stored == "prospect" or RANK[computed] >= RANK[stored]:
        return computed, None
    since = lower_since or today
    if today - since >= DOWNGRADE_AFTER:
        return computed, None
    return stored, since


def _said(value: int | date, at: date) -> int | str:
    if isinstance(value, int):
        return value
    return f"{value.day} {value:%B}" if value.year == at.year else f"{value.day} {value:%B %Y}"


def _before(days: Sequence[date], at: date) -> list[date]:
    """Distinct purchase days before `at`, in order."""
    return sorted({day for day in days if day < at})


def _gaps(days: Sequence[date]) -> list[int]:
    """Days between consecutive purchase days; n days have n - 1 gaps."""
    return [(later - earlier).days for earlier, later in pairwise(days)]


def _nth(counts: Counter[int], position: int) -> int:
    """The value at `position` (from 0) when all counted values stand in order."""
    for value in sorted(counts):
        position -= counts[value]
        if position < 0:
            return value
    raise IndexError("percentile of no values: count the gaps before asking")


def _lapse(days: Sequence[date], clocks: Clocks, at: date) -> Reason | None:
    """Why the customer has lapsed, or None while the last purchase is recent enough.

    lapse_after is P80 (one-time buyers: P80 of first-to-second gaps), or with 4 or more own gaps
    2 × own median, kept between 0.5 and 2 × P80. Exactly lapse_after is not yet lapsed.
    """
    own, since = _gaps(days), (at - days[-1]).days
    if len(own) >= FEWEST_OWN_GAPS:
        usual = median(own)
        lapse_after = min(max(2 * usual, 0.5 * clocks.p80), 2 * clocks.p80)
        reason = _lapse_reason("lapsed_own", since, lapse_after, usual=round(usual))
    else:
        lapse_after = clocks.p80 if own else clocks.p80_first
        measured = clocks.p80_measured if own else clocks.p80_first_measured
        reason = _lapse_reason("lapsed" if measured else "lapsed_assumed", since, lapse_after)
    return reason if since > lapse_after else None


def _lapse_reason(code: str, since: int, lapse_after: float, **more: int) -> Reason:
    # Rounded down, so that the sentence never says "95 days ago; 80 % return within 95".
    return Reason(code, {"since": since, "within": floor(lapse_after), **more})


def _regularity(days: Sequence[date], clocks: Clocks, at: date) -> Reason | None:
    """On how many days of the window the customer bought, or None when that is not regular."""
    window = max(REGULAR_WINDOW, REGULAR_INTERVALS * clocks.interval)
    recent = sum((at - day).days <= window for day in days)
    if recent < REGULAR_DAYS:
        return None
    if window == REGULAR_WINDOW:
        return Reason("bought_in_year", {"days": recent})
    return Reason("bought_in_window", {"days": recent, "window": floor(window)})
