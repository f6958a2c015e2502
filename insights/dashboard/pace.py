"""How many answers are still to come before there is a figure, and how long that takes."""

from datetime import date, timedelta
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from insights.dashboard.figures import Shown
from insights.dashboard.selection import Selection
from insights.kpis import MIN_VERDICT
from insights.periods import Period
from insights.templatetags.numbers import day

# From two weeks on in weeks; beyond a year nobody waits.
IN_WEEKS = 14
LONGEST = 365


def days_to_go(n: int, before: int, period: Period, today: date) -> int | None:
    """Return in how many days `n` answers are the 30 of a figure, at the pace of the period.

    Rounded up: missing answers · days of the period so far / n. It can be said of a period that
    runs up to today, and with answers in the one before it: without those they began somewhere in
    this one, and the pace since is not known. None where it cannot be said.
    """
    runs = period.start <= today < period.end <= today + timedelta(days=1)
    if not runs or not before or not 0 < n < MIN_VERDICT:
        return None
    return ceil((MIN_VERDICT - n) * (period.end - period.start).days / n)


def pace_words(shown: Shown, selection: Selection | None) -> str:
    """Say what is missing, and by when it is there if the period keeps its first day.

    A period that moves along with today loses old answers as new ones come in; hence the day.
    """
    if not shown.few:
        return ""
    missing = _missing(shown.kpi, MIN_VERDICT - shown.figure.n)
    before = shown.before.n if shown.before else 0
    days = selection and days_to_go(shown.figure.n, before, selection.period, selection.today)
    if not selection or not days:
        return f"{missing}."
    return _("%(missing)s, at this pace %(duration)s (counted from %(day)s).") % {
        "missing": missing,
        "duration": _duration(days),
        "day": day(selection.period.start),
    }


def _missing(kpi: str, more: int) -> str:
    if kpi == "response_rate":
        sentence = ngettext(
            "%(n)s more invitation to go", "About %(n)s more invitations to go", more
        )
    else:
        sentence = ngettext("%(n)s more answer to go", "About %(n)s more answers to go", more)
    return sentence % {"n": more}


def _duration(days: int) -> str:
    if days > LONGEST:
        return _("in more than a year")
    if days < IN_WEEKS:
        return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days}
    weeks = ceil(days / 7)
    return ngettext("in %(n)s week", "in %(n)s weeks", weeks) % {"n": weeks}
