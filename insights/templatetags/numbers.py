"""How numbers look, in both languages: 12 430 and 63.2 % in English, 12.430 and 63,2% in Dutch.

NPS is printed in whole points and carries a sign only where it is a change; shares are whole in
headlines and have one decimal in tables. The minus is a minus (−), not a hyphen.
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.formats import date_format, get_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from insights.periods import Period

register = template.Library()

MINUS = "−"


def number(value: float, digits: int = 0) -> str:
    """Return a number rounded half away from zero; what rounds to zero has no sign."""
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = number_format(abs(rounded), digits, use_l10n=True, force_grouping=True)
    return f"{MINUS}{text}" if rounded < 0 else text


@register.filter
def count(n: int) -> str:
    """Return a count with its thousands apart."""
    return number(n)


@register.filter
def whole(value: float) -> str:
    return number(value)


@register.filter
def tenth(value: float) -> str:
    return number(value, 1)


def percent(text: str) -> str:
    """Put the percent sign where the language wants it."""
    # Translators: a number, a no-break space, and the percent sign; Dutch has no space there.
    return pgettext("percentage", "%(number)s %%") % {"number": text}


@register.filter
def headline(value: float, unit: str) -> str:
    """Return a value for a sentence or title: 31, or 84 %."""
    return number(value) if unit == "points" else percent(number(value))


@register.filter
def exact(value: float, unit: str) -> str:
    """Return a value for a table: 31, or 84.2 %."""
    return number(value) if unit == "points" else percent(number(value, 1))


@register.filter
def signed(value: float, unit: str) -> str:
    """Return a change: +9 or −9 for points, +2.5 or −2.5 for percentage points."""
    text = number(value, 0 if unit == "points" else 1)
    positive = not text.startswith(MINUS) and any(digit in text for digit in "123456789")
    return f"+{text}" if positive else text


def interval(low: float, high: float, digits: int = 0) -> str:
    return _("%(low)s to %(high)s") % {"low": number(low, digits), "high": number(high, digits)}


@register.filter
def span(figure: object) -> str:
    """Return the interval of a figure for headlines: 27 to 35."""
    return interval(figure.low, figure.high)  # type: ignore[attr-defined]


@register.filter
def exact_span(figure: object, unit: str) -> str:
    """Return the interval of a figure for tables: 27 to 35, or 83.3 to 85.1."""
    digits = 0 if unit == "points" else 1
    return interval(figure.low, figure.high, digits)  # type: ignore[attr-defined]


def day(value: date) -> str:
    return date_format(value, "MONTH_DAY_FORMAT")


def long_day(value: date) -> str:
    """Return a day inside a sentence: 5 October; the year stands elsewhere on the page."""
    return date_format(value, "j F")


def month(value: date) -> str:
    """Return the short name of a month, as the language writes it inside a date."""
    return date_format(value, get_format("MONTH_DAY_FORMAT").replace("j", "").strip())


@register.filter
def days(period: Period) -> str:
    """Return a period with its last day included: 24 Aug – 22 Nov 2026."""
    first, last = period.start, period.end - timedelta(days=1)
    if first == last:
        return date_format(last, "SHORT_DATE_FORMAT")
    start = day(first) if first.year == last.year else date_format(first, "SHORT_DATE_FORMAT")
    return f"{start} – {date_format(last, 'SHORT_DATE_FORMAT')}"


@register.filter
def duration(milliseconds: int) -> str:
    """Return how long a job took: 850 ms, or 12.4 s."""
    if milliseconds < 1000:
        return f"{number(milliseconds)} ms"
    return f"{number(milliseconds / 1000, 1)} s"
