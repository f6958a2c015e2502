"""The admin of what we ask and what people say: to look at."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.admin import ReadOnlyAdmin
from feedback.models import (
    Campaign,
    CountingState,
    Exposure,
    Invitation,
    Response,
    ResponseEdit,
    Touchpoint,
)


@admin.register(Touchpoint)
class TouchpointAdmin(ReadOnlyAdmin):
    list_display = ("name", "key", "scale", "product", "category", "created_at")
    list_filter = ("scale",)
    list_select_related = ("product", "category")
    search_fields = ("name", "key")
    date_hierarchy = "created_at"
    ordering = ("name",)
    fields = (
        "name",
        "key",
        "scale",
        "question_nl",
        "question_en",
        "thanks_nl",
        "thanks_en",
        "labels",
        "product",
        "category",
        "origins",
        "theme",
        "accent",
        "counts_exposures",
        "offer",
        "created_at",
    )


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("name", "key", "created_at")
    search_fields = ("name", "key")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = list_display


DIMENSIONS = ("touchpoint", "product", "category", "channel", "customer_type")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("invited_at", "customer", "touchpoint", "product", "channel", "customer_type")
    list_filter = ("channel", "customer_type", "touchpoint", "invited_at")
    list_select_related = ("customer", "touchpoint", "product")
    search_fields = ("customer__reference__exact",)
    search_help_text = _("The whole reference of a customer.")
    ordering = ("-pk",)
    # Invitations and answers may be millions, and these columns have no index.
    sortable_by = ()
    fields = ("customer", "invited_at", "invited_on", *DIMENSIONS)
    labels = {"customer": _("customer")}


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin):
    list_display = (
        "answered_at",
        "scale",
        "value",
        "reason",
        "touchpoint",
        "product",
        "channel",
        "customer",
    )
    # No date hierarchy: it reads the date of every answer there is.
    list_filter = (
        "scale",
        "channel",
        "reason",
        "imported",
        ("comment", admin.EmptyFieldListFilter),
        "touchpoint",
        "answered_at",
    )
    list_select_related = ("touchpoint", "product", "customer")
    search_fields = ("key__exact", "customer__reference__exact")
    search_help_text = _("The whole key of an answer, or reference of a customer.")
    ordering = ("-answered_at",)
    sortable_by = ("answered_at",)
    fields = (
        "key",
        "scale",
        "value",
        "reason",
        "comment",
        "language",
        "answered_at",
        "answered_on",
        "imported",
        "customer",
        "invitation",
        "campaign",
        *DIMENSIONS,
    )
    labels = {"customer": _("customer"), "invitation": _("invitation")}


@admin.register(ResponseEdit)
class ResponseEditAdmin(ReadOnlyAdmin):
    list_display = ("edited_at", "response", "touchpoint", "value_before", "reason_before")
    list_filter = ("touchpoint",)
    list_select_related = ("response", "touchpoint")
    search_fields = ("key__exact", "response__key__exact")
    search_help_text = _("The whole key of an answer, or of its change.")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("response", "touchpoint", "key", "edited_at", "value_before", "reason_before")
    labels = {"response": _("answer"), "touchpoint": _("touchpoint")}


@admin.register(Exposure)
class ExposureAdmin(ReadOnlyAdmin):
    list_display = ("day", "touchpoint", "kind", "n", "campaign_id")
    list_filter = ("kind", "touchpoint", "day")
    list_select_related = ("touchpoint",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = list_display
    labels = {
        "day": _("day"),
        "touchpoint": _("touchpoint"),
        "kind": _("what happened"),
        "n": _("how often"),
        "campaign_id": _("number of the campaign, 0 for none"),
    }


@admin.register(CountingState)
class CountingStateAdmin(ReadOnlyAdmin):
    list_display = ("time_zone", "version", "folded_at")
    fields = list_display
    labels = {
        "time_zone": _("time zone"),
        "version": _("number of times added up"),
        "folded_at": _("added up at"),
    }
