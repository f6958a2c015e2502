"""Forms of the pages about consent records: finding, relaying a no, merging, a faulty batch."""

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.consent import State
from customers.invalidations import Batch
from customers.models import ConsentForm, Wording
from customers.relaying import WAYS_IN
from insights.consent_words import METHODS, purpose_name

logger = logging.getLogger(__name__)

DATE = {"type": "date"}
# Nobody relays what came in longer ago than this; a typed year that is wrong is caught by it.
LONGEST_AGO = timedelta(days=366)


class SearchForm(forms.Form):
    """What a colleague knows of a customer. Sent by POST: a name has no place in an address."""

    term = forms.CharField(
        label=_("Customer number, e-mail or name"),
        max_length=200,
        strip=True,
        help_text=_("The whole number, the whole address, or part of the name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search"}),
    )

    helper = FormHelper()
    helper.form_class = "ci-form ci-search"
    helper.add_input(Submit("search", pgettext_lazy("verb", "Search")))


class RelayForm(forms.Form):
    """What a customer asked for, how it came, and when. There is no way to write down a yes."""

    what = forms.ChoiceField(label=_("For what"))
    state = forms.ChoiceField(
        label=_("What the customer asked"),
        choices=[
            (str(State.WITHDRAWN), _("Take the permission back")),
            (str(State.OBJECTED), _("Object. If it is marketing, all of it stops")),
        ],
        widget=forms.RadioSelect,
    )
    method = forms.ChoiceField(
        label=_("How it came"), choices=[(way, METHODS[way]) for way in WAYS_IN]
    )
    came_on = forms.DateField(
        label=_("When it came"), widget=forms.DateInput(format="%Y-%m-%d", attrs=DATE)
    )
    reason = forms.CharField(
        label=_("What the customer said"),
        max_length=1000,
        help_text=_("In the customer’s own words. They can read this too."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    evidence = forms.CharField(
        label=_("Where it can be found back"),
        max_length=300,
        help_text=_("Such as the number of the call, or the folder of the letter."),
    )

    def __init__(
        self, data: Any = None, *, choices: Sequence[tuple[str, str]], today: date, customer: int
    ) -> None:
        super().__init__(data, initial={"came_on": today})
        self.today, self.customer = today, customer
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    def clean_came_on(self) -> date:
        day: date = self.cleaned_data["came_on"]
        if day > self.today:
            raise ValidationError(_("That day is still to come. Choose the day on which it came."))
        if self.today - day > LONGEST_AGO:
            raise ValidationError(_("That is more than a year ago. Check the year."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        tried = self.data.get(self.add_prefix("state"))
        if "state" in self.errors and tried in {str(state) for state in State}:
            # The page offers no yes, so somebody made this request by hand.
            logger.warning("Refused at the desk: customer %d to %s", self.customer, tried)
        return cleaned

    @property
    def told(self) -> str:
        """The evidence as it is kept: when it came, what was said, and where that is found."""
        given = self.cleaned_data
        return f"{given['came_on']:%Y-%m-%d}: {given['reason']} ({given['evidence']})"


class OtherForm(forms.Form):
    """The record to merge with."""

    other = forms.CharField(
        label=_("Number of the other record"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Its data come to this record; its e-mail and name are deleted."),
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.attrs = {"novalidate": True}
    helper.add_input(Submit("preview", _("Show what each side loses")))


class MergeForm(forms.Form):
    """The decision to merge, after the preview that `seal` stands for."""

    other = forms.CharField(max_length=100, widget=forms.HiddenInput)
    seal = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("How do you know that both are the same person?"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class InvalidationForm(forms.Form):
    """A faulty batch: the text or the place, the days, and what is wrong."""

    wording = forms.ModelChoiceField(
        label=_("Text"),
        queryset=Wording.objects.none(),
        required=False,
        empty_label=_("Any text"),
    )
    form = forms.ModelChoiceField(
        label=_("Form"),
        queryset=ConsentForm.objects.order_by("name"),
        required=False,
        empty_label=_("Any form"),
    )
    place = forms.CharField(
        label=_("Another place"),
        max_length=100,
        required=False,
        help_text=_("As it stands in the history, such as the name of a file."),
    )
    first = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs=DATE)
    )
    last = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs=DATE)
    )
    reason = forms.CharField(
        label=_("What is wrong with them"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: the box was ticked beforehand. Customers can read this."),
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.attrs = {"novalidate": True}
    helper.add_input(Submit("propose", _("Propose")))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["wording"]
        field.queryset = Wording.objects.select_related("purpose").order_by(  # type: ignore[attr-defined]
            "purpose", "-version", "language"
        )
        field.label_from_instance = named  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("This is before the first day. Choose a later one."))
        if cleaned.get("form") and cleaned.get("place"):
            self.add_error("place", _("Choose a form or fill in a place, not both."))
        named_one = cleaned.get("wording") or cleaned.get("form") or cleaned.get("place")
        if not named_one and not self.errors:
            raise ValidationError(
                _("Choose a text or a form, or fill in a place: all of them is no batch.")
            )
        return cleaned

    @property
    def batch(self) -> Batch:
        given = self.cleaned_data
        last = given["last"]
        return Batch(
            wording=given["wording"],
            place=f"form:{given['form'].key}" if given["form"] else given["place"],
            since=_midnight(given["first"]) if given["first"] else None,
            until=_midnight(last + timedelta(days=1)) if last else None,
        )


def named(wording: Wording) -> str:
    """Return a published text as it is told apart: "Tips, v3, nl: “Ja, …”"."""
    name = purpose_name(wording.purpose)
    return f"{name}, v{wording.version}, {wording.language}: “{wording.label}”"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
