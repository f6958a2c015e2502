"""The filters of the page about permission: a period, what it is compared with, a purpose."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Purpose
from insights.consent_words import purpose_name
from insights.dashboard.selection import Selection
from insights.forms import FilterForm


class PermissionFilterForm(FilterForm):
    """What the address says; what makes no sense is left out, and said."""

    def __init__(self, data: Any, *, purposes: Sequence[Purpose], today: date) -> None:
        super().__init__(data, choices={}, today=today)
        self.purposes = purposes
        self.fields["purpose"] = forms.ChoiceField(
            label=_("Purpose"),
            required=False,
            choices=[("", _("All")), *((one.key, purpose_name(one)) for one in purposes)],
        )
        self.full_clean()

    def selection(self) -> Selection:
        chosen = self.cleaned_data.get("purpose")
        where = {"purpose": chosen} if chosen else {}
        names = {"purpose": self._name("purpose", chosen)} if chosen else {}
        return replace(super().selection(), where=where, names=names, slice="")

    def slices(self) -> list[forms.BoundField]:
        return [self["purpose"]]
