"""How fine a line of time is: days, weeks or months, and how many are taken together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insights.kpis import Figure, Kpi, add, figure
from insights.periods import Period, enclosing, is_complete
from insights.templatetags.numbers import day, long_day


@dataclass(frozen=True)
class Grain:
    """How fine the trend is: what one point is, and how many are taken together."""

    kind: str
    together: int
    title: str
    deck: str
    dots: str
    last: str
    columns: tuple[str, str]
    label: Callable[[Period], str]
    inside: Callable[[Period], str]

    def when(self, first: Period, last: Period) -> str:
        """Say when something happened: in this unit, or in one of those between two."""
        if first == last:
            return self.inside(first)
        return _("between %(first)s and %(last)s") % {
            "first": long_day(first.start),
            "last": long_day(last.end - timedelta(days=1)),
        }


def grain(drawn: Period) -> Grain:
    """Return days for up to ten weeks to draw, weeks for up to 16 months, else months."""
    length = (drawn.end - drawn.start).days
    if length <= 70:
        return Grain(
            "day",
            7,
            _("%(kpi)s per day"),
            _("Line: seven days together. Band: its interval (95 %)."),
            _("Dots: single days."),
            _("last 7 days"),
            (_("Day"), _("Seven days together")),
            lambda p: date_format(p.start, "SHORT_DATE_FORMAT"),
            lambda p: _("on %(day)s") % {"day": long_day(p.start)},
        )
    if length <= 500:
        return Grain(
            "week",
            4,
            _("%(kpi)s per week"),
            _("Line: four weeks together. Band: its interval (95 %)."),
            _("Dots: single weeks."),
            _("last 4 weeks"),
            (_("Week"), _("Four weeks together")),
            lambda p: f"{day(p.start)} – {date_format(p.end - timedelta(1), 'SHORT_DATE_FORMAT')}",
            lambda p: _("in the week of %(day)s") % {"day": long_day(p.start)},
        )
    return Grain(
        "month",
        3,
        _("%(kpi)s per month"),
        _("Line: three months together. Band: its interval (95 %)."),
        _("Dots: single months."),
        _("last 3 months"),
        (_("Month"), _("Three months together")),
        lambda p: date_format(p.start, "YEAR_MONTH_FORMAT"),
        lambda p: _("in %(month)s") % {"month": date_format(p.start, "YEAR_MONTH_FORMAT")},
    )


def is_whole(period: Period, size: Grain, today: date) -> bool:
    """Say whether a day, week or month is neither cut off nor still running."""
    return period == enclosing(period.start, size.kind) and is_complete(period, today)


def rolling(kpi: Kpi, counts: Sequence[Mapping[str, int]], size: Grain) -> list[Figure | None]:
    """Return each unit together with those before it: counts are added, scores never averaged."""
    return [
        figure(kpi, add(*counts[end - size.together : end])) if end >= size.together else None
        for end in range(1, len(counts) + 1)
    ]
