"""The form of a dated note."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from insights.annotations import (
    FIRST_DAY,
    AnnotationRefused,
    checked_day,
    checked_text,
    last_day,
)


class AnnotationForm(forms.Form):
    """A day, and what happened on it; which fit is decided in annotations.py."""

    on = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("At most a year ahead. What is planned comes on the charts on its day."),
        error_messages={
            "required": _("Choose the day on which it happened."),
            "invalid": _("This is no day of the calendar. Choose one, or write it as 2026-11-24."),
        },
    )
    # No maxlength: a browser would cut what is pasted without a word. Nor is it required here: what
    # says nothing is refused with what is too long.
    text = forms.CharField(
        label=_("What happened"),
        required=False,
        widget=forms.TextInput(attrs={"required": True, "autocomplete": "off"}),
        help_text=_("For example “New courier”. At most 80 characters."),
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.attrs = {"novalidate": True}
    helper.add_input(Submit("save", _("Save")))

    def __init__(
        self, data: Any = None, *, today: date, initial: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(data, initial={"on": today} | dict(initial or {}))
        self.today = today
        limits = {"min": FIRST_DAY.isoformat(), "max": last_day(today).isoformat()}
        self.fields["on"].widget.attrs |= limits

    def clean_on(self) -> date:
        try:
            return checked_day(self.cleaned_data["on"], self.today)
        except AnnotationRefused as refused:
            raise ValidationError(str(refused)) from None

    def clean_text(self) -> str:
        try:
            return checked_text(self.cleaned_data["text"])
        except AnnotationRefused as refused:
            raise ValidationError(str(refused)) from None
