"""Reading imports for the pages about them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

from customers.models import Purpose, PurposeKind
from feedback.models import Touchpoint
from insights.accounts import may_import, may_manage_consent
from insights.models import ImportJob

# Imports on one page of the list.
PAGE = 25

# The largest id has 19 digits, and not every number of 19 digits is one.
ID_DIGITS = 18

# Touchpoints suggested while one is typed.
SUGGESTIONS = 200


@dataclass(frozen=True)
class ImportPage:
    """A page of imports, newest first; `before` is where the older ones begin, "" at the end."""

    jobs: tuple[ImportJob, ...]
    before: str

    @property
    def busy(self) -> int:
        """How many of these wait or run."""
        waiting = {ImportJob.Status.QUEUED, ImportJob.Status.RUNNING}
        return sum(job.status in waiting for job in self.jobs)


def kinds_for(roles: Iterable[str]) -> list[ImportJob.Kind]:
    """Return the kinds of files that somebody with these roles may import and look at."""
    known = frozenset(roles)
    return [
        kind
        for kind in ImportJob.Kind
        if (may_manage_consent if kind == ImportJob.Kind.CONSENTS else may_import)(known)
    ]


def import_page(before: str, kinds: Collection[str]) -> ImportPage:
    """Return imports of these kinds older than number `before`; the newest where that is none."""
    found = ImportJob.objects.filter(kind__in=kinds).select_related("created_by").order_by("-pk")
    # Longer numbers do not fit the column and would be an error of the database.
    if before.isdecimal() and before.isascii() and len(before) <= ID_DIGITS:
        found = found.filter(pk__lt=before)
    # One more than is shown says whether there are older ones.
    jobs = tuple(found[: PAGE + 1])
    return ImportPage(jobs[:PAGE], str(jobs[PAGE - 1].pk) if len(jobs) > PAGE else "")


def touchpoint_names() -> list[str]:
    names = Touchpoint.objects.order_by("name").values_list("name", flat=True)
    return list(names[:SUGGESTIONS])


def purpose_choices() -> list[tuple[str, str]]:
    """Return the purposes that need a permission, by key, with their names in our language."""
    purposes = Purpose.objects.filter(archived_at__isnull=True).exclude(kind=PurposeKind.SERVICE)
    name = "name_nl" if (get_language() or "").startswith("nl") else "name_en"
    return list(purposes.order_by("key").values_list("key", name))
