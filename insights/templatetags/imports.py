"""What an import says on a page: counts, values as they are read, and why it stopped."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from insights import importing
from insights.models import ImportJob
from insights.templatetags.numbers import count

register = template.Library()

# A value in a table is shown with at most 40 characters.
VALUE_CHARS = 40


@register.filter
def as_read(value: object) -> str:
    """Return a value as it was read from a cell; a moment in the organisation's time zone."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, int | Decimal):
        return number_format(value, use_l10n=True, force_grouping=True)
    return cut(str(value))


@register.filter
def cut(text: str) -> str:
    """Return a text that fits in a table."""
    return text if len(text) <= VALUE_CHARS else f"{text[: VALUE_CHARS - 1]}…"


@register.filter
def value_of(values: Mapping[str, object], name: str) -> object:
    return values.get(name)


@register.filter
def rows_so_far(result: Mapping[str, int] | None) -> str:
    """Return how many rows a running import has read, and how many it rejected."""
    if not result:
        return _("No rows read yet")
    read, rejected = result["read"], result["rejected"]
    text = ngettext("%(rows)s row read", "%(rows)s rows read", read) % {"rows": count(read)}
    return _("%(read)s, %(rejected)s rejected") % {"read": text, "rejected": count(rejected)}


@register.filter
def went_in(result: Mapping[str, int]) -> int:
    """Return how many rows of a result are in now, whether they were before or not."""
    return result["read"] - result["rejected"]


@register.filter
def permitted(notes: Mapping[str, int]) -> int:
    """Return how many rows of an import of permissions make somebody reachable."""
    return notes.get("mailable", 0) + notes.get("soft", 0)


@register.filter
def why_stopped(job: ImportJob) -> str:
    """Return why an import ended before its file did, where no line of the file is to blame."""
    tries = {"n": importing.MOST_ATTEMPTS}
    if job.error == importing.BY_HAND:
        return _("Somebody stopped it.")
    if job.error == importing.SILENT:
        return _("The worker that read it disappeared %(n)s times.") % tries
    if job.error == FileNotFoundError.__name__:
        return _(
            "The worker did not find the uploaded file. Web server and workers need the same "
            "VAR_DIR."
        )
    return _("It failed %(n)s times with %(error)s; the log of the worker says more.") % {
        **tries,
        "error": job.error,
    }
