"""The admin of figures, jobs and imports, and how the whole of it is called and arranged."""

from collections.abc import Iterable
from typing import Any

# Three that register what is taken out below.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.admin import ReadOnlyAdmin
from feedback.queries import SLICES
from insights.kpis import KPIS
from insights.models import Annotation, ImportJob, JobRun, KpiSnapshot, NightlyRun, Organisation

# Colleagues have a page of their own. The others are copies and secrets that allauth keeps.
admin.site.unregister([User, Group, EmailAddress, Authenticator])

admin.site.site_title = admin.site.site_header = "Customer Insights"
admin.site.index_title = _("What is stored")

apps.get_app_config("customers").verbose_name = _("Customers")
apps.get_app_config("feedback").verbose_name = _("Questions and answers")
apps.get_app_config("insights").verbose_name = _("Figures, jobs and imports")


class _KnownFilter(admin.SimpleListFilter):
    """Offers what there can be, without reading every row for what there is."""

    known: Iterable[str]

    def lookups(self, *_given: Any) -> list[tuple[str, str]]:
        return [(one, one) for one in self.known]

    def queryset(self, _request: HttpRequest, rows: Any) -> Any:
        return rows.filter(**{str(self.parameter_name): self.value()}) if self.value() else rows


class KpiFilter(_KnownFilter):
    title, parameter_name, known = _("KPI"), "kpi", tuple(KPIS)


class SliceFilter(_KnownFilter):
    title, parameter_name, known = _("slice by"), "dimension", tuple(SLICES)


@admin.register(KpiSnapshot)
class KpiSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("start_on", "period", "kpi", "dimension", "key", "n", "frozen_at")
    list_filter = (
        KpiFilter,
        "period",
        SliceFilter,
        ("frozen_at", admin.EmptyFieldListFilter),
        ("corrected_at", admin.EmptyFieldListFilter),
        "start_on",
    )
    ordering = ("-start_on", "kpi", "dimension", "key")
    sortable_by = ("start_on", "n")
    fields = (
        "kpi",
        "period",
        "start_on",
        "end_on",
        "dimension",
        "key",
        "n",
        "counts",
        "definition_version",
        "time_zone",
        "computed_at",
        "frozen_at",
        "corrected_counts",
        "corrected_at",
    )
    labels = {
        "kpi": _("KPI"),
        "period": _("period"),
        "start_on": _("first day"),
        "end_on": _("day after the last"),
        "dimension": _("slice by"),
        "key": _("slice"),
        "n": _("number"),
        "counts": _("counts"),
        "definition_version": _("version of the definition"),
        "time_zone": _("time zone"),
        "computed_at": _("counted at"),
        "frozen_at": _("closed at"),
        "corrected_counts": _("counts as they would be now"),
        "corrected_at": _("corrected at"),
    }


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("label", "finished_at", "milliseconds", "succeeded", "error", "failures")
    list_filter = ("succeeded",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = (
        "name",
        "started_at",
        "finished_at",
        "milliseconds",
        "succeeded",
        "error",
        "runs",
        "failures",
    )

    @admin.display(description=_("job"), ordering="name")
    def label(self, run: JobRun) -> str:
        return run.label


@admin.register(NightlyRun)
class NightlyRunAdmin(ReadOnlyAdmin):
    list_display = ("on", "job", "done_at")
    list_filter = ("job",)
    date_hierarchy = "on"
    ordering = ("-on", "job")
    fields = list_display
    labels = {"on": _("day"), "job": _("job"), "done_at": _("done at")}


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "kind", "status", "percent", "created_by", "created_at")
    list_filter = ("kind", "status")
    list_select_related = ("created_by",)
    search_fields = ("file_name", "created_by__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    # Not the files themselves: those are handed out by the import pages.
    fields = (
        "file_name",
        "kind",
        "status",
        "percent",
        "error",
        "options",
        "result",
        "created_by",
        "created_at",
        "attempts",
        "claimed_at",
        "heartbeat_at",
        "finished_at",
    )
    labels = {
        "options": _("choices"),
        "result": _("result"),
        "attempts": _("attempts"),
        "claimed_at": _("taken by a worker at"),
        "heartbeat_at": _("last sign of life"),
    }


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    list_display = ("on", "text", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("text",)
    date_hierarchy = "on"
    ordering = ("-on", "-pk")
    fields = list_display


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    list_display = ("pk", "name", "sender_email")
    fields = (
        "name",
        "logo_type",
        "accent",
        "formal",
        "sender_name",
        "sender_email",
        "time_zone_checked_at",
    )
    labels = {
        "logo_type": _("kind of logo"),
        "time_zone_checked_at": _("time zone looked at"),
    }
