"""What the reader chose: a period, filters, a KPI and how to slice it. It lives in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy

from insights.periods import COMPARISONS, Period, enclosing

OWN_DATES = "own"
DEFAULT_PRESET = "13w"
PRESETS = {
    "4w": gettext_lazy("Last 4 weeks"),
    "13w": gettext_lazy("Last 13 weeks"),
    "month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
    "quarter": gettext_lazy("This quarter"),
    "12m": gettext_lazy("Last 12 months"),
}

# What the period is compared with; the first is the usual.
AGAINST = {
    "previous": gettext_lazy("The period before"),
    "year": gettext_lazy("A year before"),
}
DEFAULT_AGAINST = "previous"

# Whose comments are read.
SAID = {
    "": gettext_lazy("All"),
    "unhappy": gettext_lazy("Unhappy"),
    "happy": gettext_lazy("Happy"),
}

SLICES = ("category", "product", "channel", "customer_type", "touchpoint")
SLICE_LABELS = {
    "category": gettext_lazy("Category"),
    "product": gettext_lazy("Product"),
    "channel": gettext_lazy("Channel"),
    "customer_type": gettext_lazy("Customer type"),
    "touchpoint": gettext_lazy("Touchpoint"),
}


def preset(key: str, today: date) -> Period:
    """Return the period of a preset; one that is still running goes up to and including today."""
    tomorrow = today + timedelta(days=1)
    if key == "4w":
        return Period(tomorrow - timedelta(weeks=4), tomorrow)
    if key == "month":
        return Period(enclosing(today, "month").start, tomorrow)
    if key == "last_month":
        return enclosing(enclosing(today, "month").start - timedelta(days=1), "month")
    if key == "quarter":
        return Period(enclosing(today, "quarter").start, tomorrow)
    if key == "12m":
        # This month and the eleven before it: never more than a year, so that the year before
        # ends where it begins.
        start = enclosing(today, "month").start
        year, month = divmod(12 * start.year + start.month - 1 - 11, 12)
        return Period(date(year, month + 1, 1), tomorrow)
    return Period(tomorrow - timedelta(weeks=13), tomorrow)


@dataclass(frozen=True)
class Selection:
    """The choices in the address; `where` holds public keys, `names` what people call them."""

    period: Period
    preset: str
    where: Mapping[str, str]
    names: Mapping[str, str]
    kpi: str
    slice: str
    today: date
    against: str = DEFAULT_AGAINST
    said: str = ""

    @property
    def compared(self) -> Period:
        """The period that this one is compared with."""
        return COMPARISONS[self.against](self.period)

    @property
    def last_day(self) -> date:
        return self.period.end - timedelta(days=1)

    @property
    def without_filters(self) -> str:
        return self.link(**dict.fromkeys(self.where))

    def link(self, **changes: str | None) -> str:
        """Return the address of this selection with some choices changed; None drops one."""
        choices: dict[str, str | None] = {"period": self.preset, **self.where}
        if self.preset == OWN_DATES:
            choices["from"] = self.period.start.isoformat()
            choices["to"] = self.last_day.isoformat()
        if self.against != DEFAULT_AGAINST:
            choices["against"] = self.against
        choices |= {"kpi": self.kpi, "slice": self.slice, "said": self.said, **changes}
        return "?" + urlencode({key: value for key, value in choices.items() if value})
