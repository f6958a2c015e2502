"""The admin: what is stored, to look at. Services do the writing, here and in the apps above."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from customers.models import (
    Category,
    ConsentEntry,
    ConsentState,
    Customer,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Product,
    Purchase,
    Purpose,
    Suppression,
    Wording,
)


class PaginatorToLimit(Paginator):  # type: ignore[type-arg]
    """Counts no further than 10,000: counting millions of rows for one page takes seconds."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        # Without its order no row is sorted to be counted.
        return int(self.object_list.order_by()[: self.limit].count())  # type: ignore[attr-defined]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists and shows the rows of a model to administrators, and changes nothing."""

    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = PaginatorToLimit
    # Names for fields that have none of their own in the model.
    labels: Mapping[str, Any] = {}

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.columns = {name: self._column(name) for name in self.labels}

    def _column(self, name: str) -> Callable[[models.Model], Any]:
        field = self.model._meta.get_field(name)

        @admin.display(
            description=self.labels[name],
            ordering=name,
            boolean=isinstance(field, models.BooleanField),
        )
        def column(row: models.Model) -> Any:
            words = getattr(row, f"get_{name}_display", None)
            return words() if words else getattr(row, name)

        return column

    def get_list_display(self, request: HttpRequest) -> Any:  # noqa: ARG002  (Django's)
        return [self.columns.get(str(name), name) for name in self.list_display]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        for filtered in found.filter_specs:
            field = getattr(filtered, "field_path", "")
            filtered.title = self.labels.get(field, filtered.title)
        return found

    def get_form(self, *given: Any, **options: Any) -> Any:
        return super().get_form(*given, labels=self.labels, **options)

    def get_readonly_fields(self, *_given: Any) -> Any:
        return self.fields or ()

    def has_add_permission(self, *_given: Any) -> bool:
        return False

    def has_change_permission(self, *_given: Any) -> bool:
        return False

    def has_delete_permission(self, *_given: Any) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = ("reference", "name", "email", "customer_type", "language", "created_at")
    list_filter = ("customer_type", ("erased_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("reference", "email", "name")
    ordering = ("reference",)
    # The others have no index, and customers may be a million.
    sortable_by = ("reference",)
    fields = (
        "reference",
        "name",
        "email",
        "language",
        "time_zone",
        "customer_type",
        "lower_type_since",
        "created_at",
        "erased_at",
    )
    labels = {"lower_type_since": _("a lower type fits since")}


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    list_display = ("name", "involvement", "rated_how", "rated_at")
    list_filter = ("involvement",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = list_display


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("sku", "name", "category")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = ("sku", "name")
    ordering = ("sku",)
    fields = list_display


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    list_display = ("order", "customer", "product", "quantity", "price", "purchased_at")
    # No date hierarchy: it reads the date of every purchase there is.
    list_filter = ("purchased_at",)
    list_select_related = ("customer", "product")
    search_fields = ("order__exact", "customer__reference__exact", "product__sku__exact")
    search_help_text = _("The whole number of an order, reference of a customer or product code.")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        "order",
        "customer",
        "product",
        "quantity",
        "price",
        "purchased_at",
        "contract_until",
    )
    labels = {"customer": _("customer"), "product": _("product")}


@admin.register(Purpose)
class PurposeAdmin(ReadOnlyAdmin):
    list_display = ("key", "name_nl", "name_en", "kind", "valid_days", "archived_at")
    search_fields = ("key", "name_nl", "name_en")
    ordering = ("key",)
    fields = (
        "key",
        "name_nl",
        "name_en",
        "kind",
        "channels",
        "valid_days",
        "minimum_age",
        "minimum_grade",
        "archived_at",
    )


@admin.register(Wording)
class WordingAdmin(ReadOnlyAdmin):
    list_display = ("purpose", "version", "language", "label", "change", "published_at")
    list_filter = ("purpose", "language", "change")
    list_select_related = ("purpose",)
    ordering = ("-pk",)
    fields = (
        "purpose",
        "version",
        "language",
        "label",
        "helper",
        "details",
        "controller",
        "data_types",
        "recipients",
        "retention",
        "way_out",
        "promised_messages",
        "promised_days",
        "change",
        "approved_by",
        "published_at",
    )
    labels = {
        "purpose": _("purpose"),
        "promised_messages": _("messages promised"),
        "promised_days": _("in so many days"),
    }


@admin.register(ConsentEntry)
class ConsentEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "customer",
        "purpose",
        "channel",
        "state",
        "actor",
        "grade",
        "recorded_at",
    )
    list_filter = ("purpose", "channel", "state", "actor", "grade")
    list_select_related = ("customer", "purpose")
    search_fields = ("customer__reference__exact",)
    search_help_text = _("The whole reference of a customer.")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        "customer",
        "purpose",
        "channel",
        "state",
        "occurred_at",
        "recorded_at",
        "actor",
        "actor_id",
        "method",
        "place",
        "wording",
        "grade",
        "valid_until",
        "old_enough",
        "caused_by",
    )
    labels = {
        "id": _("number"),
        "customer": _("customer"),
        "purpose": _("purpose"),
        "actor_id": _("number of the colleague"),
        "wording": _("wording"),
        "caused_by": _("because of"),
    }


@admin.register(ConsentState)
class ConsentStateAdmin(ReadOnlyAdmin):
    list_display = ("customer", "purpose", "channel", "state", "valid_until")
    list_filter = ("purpose", "channel", "state")
    list_select_related = ("customer", "purpose")
    search_fields = ("customer__reference__exact",)
    search_help_text = _("The whole reference of a customer.")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("customer", "purpose", "channel", "state", "entry", "valid_until")
    labels = {
        "customer": _("customer"),
        "purpose": _("purpose"),
        "entry": _("consent entry"),
    }


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ("entry", "text")
    list_select_related = ("entry",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = list_display
    labels = {"entry": _("consent entry")}


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("id", "reason", "everything", "created_at", "review_at")
    list_filter = ("reason",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("reason", "everything", "created_at", "review_at")
    labels = {"id": _("number")}


@admin.register(LedgerCheckpoint)
class LedgerCheckpointAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "until", "entries", "customers")
    ordering = ("-pk",)
    fields = list_display


@admin.register(LedgerCheck)
class LedgerCheckAdmin(ReadOnlyAdmin):
    list_display = ("checked_at", "entries", "finding", "row")
    list_filter = ("finding",)
    ordering = ("-pk",)
    fields = list_display
    labels = {"row": _("number of the row")}
