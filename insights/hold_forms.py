"""Leaving a customer alone: why, and until when."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.holds import LONGEST_HOLD
from customers.models import HoldReason


class HoldForm(forms.Form):
    """A complaint, or a wish for quiet. Without a day it lasts until somebody lifts it."""

    reason = forms.ChoiceField(
        label=_("Why"),
        choices=[(one.value, one.label) for one in (HoldReason.COMPLAINT, HoldReason.WISH)],
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Up to this day. Empty: until somebody lifts it."),
    )

    def __init__(self, *args: Any, today: date, **given: Any) -> None:
        super().__init__(*args, **given)
        self._today = today

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day and day <= self._today:
            raise forms.ValidationError(_("That day is over. Choose one to come, or none."))
        if day and day > self._today + LONGEST_HOLD - timedelta(days=1):
            raise forms.ValidationError(
                _("That is more than ten years ahead. Leave the day empty for as long as it takes.")
            )
        return day

    def ends_at(self) -> datetime | None:
        """Return the beginning of the day on which it ends, in the shop's time zone."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())
