"""Dated notes of what happened, which stand on every chart through time.

Who sees a line turn sees what happened around that day. That is no proof of a cause, and nothing
is counted or decided by it.
"""

from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insights.models import Annotation

# It is read beside a line on a chart.
LONGEST = 80
# What is planned may be noted; further ahead than a year is a typing error. No chart goes back
# further than the first day.
AHEAD = timedelta(days=365)
FIRST_DAY = date(2000, 1, 1)

# As many stand on one page of the list.
PAGE = 50


class AnnotationRefused(ValueError):
    """A day or a text that does not fit; the message is for who wrote it."""


# -- Reads ----------------------------------------------------------------------------------------


def annotation_page(number: str) -> Page[Annotation]:
    """Return a page of all notes, the latest day first; the first page where there is none such."""
    latest_first = Annotation.objects.select_related("created_by").order_by("-on", "-pk")
    return Paginator(latest_first, PAGE).get_page(number)


def annotation(pk: int) -> Annotation:
    """Return one note with who wrote it; Annotation.DoesNotExist if it is gone."""
    return Annotation.objects.select_related("created_by").get(pk=pk)


def last_day(today: date) -> date:
    """Return the last day that something can be noted for."""
    return today + AHEAD


def checked_day(on: date, today: date) -> date:
    """Return the day if something can be noted for it; AnnotationRefused otherwise."""
    if on < FIRST_DAY:
        raise AnnotationRefused(
            _("%(day)s is before %(first)s, and no chart goes back that far. Check the year.")
            % {"day": _written(on), "first": _written(FIRST_DAY)}
        )
    if on > last_day(today):
        raise AnnotationRefused(
            _("%(day)s is more than a year ahead. Choose %(last)s or an earlier day.")
            % {"day": _written(on), "last": _written(last_day(today))}
        )
    return on


def checked_text(text: str) -> str:
    """Return the text on one line; AnnotationRefused if it says nothing, or too much."""
    line = " ".join(text.split())
    if not line:
        raise AnnotationRefused(_("Write what happened, for example “New courier”."))
    if not line.isprintable():
        shown = "".join(sign if sign.isprintable() else "�" for sign in line)
        raise AnnotationRefused(
            _("“%(text)s” holds a character that cannot be seen. Type the text again.")
            % {"text": shown[:LONGEST]}
        )
    if len(line) > LONGEST:
        raise AnnotationRefused(
            _("The text has %(n)d characters, and at most %(most)d fit. Shorten it.")
            % {"n": len(line), "most": LONGEST}
        )
    return line


def _written(on: date) -> str:
    return date_format(on, "SHORT_DATE_FORMAT")


# -- Writes ---------------------------------------------------------------------------------------


def annotate(*, on: date, text: str, by: User, now: datetime) -> Annotation:
    """Note what happened on a day; AnnotationRefused if day or text do not fit."""
    return Annotation.objects.create(
        on=checked_day(on, _today(now)), text=checked_text(text), created_by=by, created_at=now
    )


def change_annotation(*, pk: int, on: date, text: str, now: datetime) -> None:
    """Correct a note; who wrote it first, and when, stays. One that is gone stays gone."""
    facts = {"on": checked_day(on, _today(now)), "text": checked_text(text)}
    Annotation.objects.filter(pk=pk).update(**facts)


def drop_annotation(*, pk: int) -> None:
    """Delete a note, if it is still there."""
    Annotation.objects.filter(pk=pk).delete()


def _today(now: datetime) -> date:
    return timezone.localdate(now, timezone.get_default_timezone())
