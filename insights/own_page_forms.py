"""The form with which customers correct what is known of them."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from customers.letters import spoken
from customers.models import Customer


class CorrectionForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_(
            "What you said yes to does not move to another address: you are asked again there. "
            "This page then closes."
        ),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    helper = FormHelper()
    helper.form_class = "ci-form ci-form--public"
    helper.add_input(Submit("save", _("Save"), css_class="btn-lg"))

    def __init__(self, data: Any, *, customer: Customer) -> None:
        self.known = {
            "name": customer.name,
            "email": customer.email,
            "language": spoken(customer.language),
        }
        super().__init__(data, initial=self.known)

    @property
    def corrections(self) -> dict[str, str]:
        """Return what is different now, as {field: new value}."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
