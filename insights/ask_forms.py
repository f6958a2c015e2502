"""The form of an opt-in form: what it asks, on which channel, and on whose pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.forms_asked import Asking, FormError, FormRefused, askable, asking_of
from customers.models import Channel, ConsentForm, Purpose
from feedback.origins import OriginError, origin_of
from insights.consent_words import purpose_name
from insights.permission_words import FORM_ERRORS, fault_text, form_error_text
from insights.wording_forms import ProblemsMixin

LONGEST_QUOTE = 60


class _PurposeField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of purposes, called as the reader's language calls them."""

    def label_from_instance(self, obj: Purpose) -> str:
        return purpose_name(obj)


class AskForm(ProblemsMixin, forms.Form):
    """What somebody decides about an opt-in form. After is_valid(), `asking` is what was chosen."""

    asking: Asking

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("How colleagues call this form, for example “After an order”."),
    )
    first = _PurposeField(
        label=_("First question"),
        queryset=Purpose.objects.none(),
        empty_label=_("Choose"),
        help_text=_("Purposes with a published text. One tick with one sentence."),
    )
    second = _PurposeField(
        label=_("Question one step later"),
        queryset=Purpose.objects.none(),
        required=False,
        empty_label=_("None"),
        help_text=_("Asked after the first one is answered, and of another kind."),
    )
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=Channel.choices,
        initial=Channel.EMAIL,
        help_text=_("How customers who say yes are contacted."),
    )
    origins = forms.CharField(
        label=_("Sites that show it in a frame"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.shop.example"}),
        help_text=_("One a line. Empty: it is asked on its own address only."),
    )

    def __init__(self, data: Any = None, *, form: ConsentForm | None = None) -> None:
        super().__init__(data, initial=_initial(form) if form else None)
        for name in ("first", "second"):
            self.fields[name].queryset = askable()  # type: ignore[attr-defined]

    def clean_origins(self) -> list[str]:
        found = []
        for address in self.cleaned_data["origins"].replace(",", " ").split():
            try:
                found.append(origin_of(address))
            except OriginError:
                raise ValidationError(
                    FORM_ERRORS["origin"], params={"origin": _cut(address)}
                ) from None
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self.asking = Asking(**cleaned)
        return cleaned

    def refuse(self, error: FormError | FormRefused) -> None:
        """Write into the form why something cannot be."""
        if isinstance(error, FormRefused):
            for fault in error.faults:
                self.add_error(None, fault_text(fault))
        else:
            self.add_error(error.field, form_error_text(error))


def _initial(form: ConsentForm) -> dict[str, Any]:
    asking = asking_of(form)
    return {
        "name": asking.name,
        "first": asking.first,
        "second": asking.second,
        "channel": asking.channel,
        "origins": "\n".join(asking.origins),
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
