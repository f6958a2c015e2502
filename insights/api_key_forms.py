"""The form for a key of another system."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.utils.translation import gettext_lazy as _

from customers.api_keys import Scope

SCOPE_LABELS = {
    Scope.READ: _("Read what customers permit"),
    Scope.WITHDRAW: _("Pass on that a customer took something back"),
    Scope.GIVE: _("Record a yes, only with its evidence"),
    Scope.CHECK: _("Ask whether and when a customer may be contacted"),
    Scope.SEND: _("Reserve contacts with customers, and say what became of them"),
    Scope.PICKS: _("Read what to show a customer: chosen for who permits that, else popular"),
}

DAYS = [("90", _("90 days")), ("365", _("365 days"))]


class ApiKeyForm(forms.Form):
    """Which system it is, what it may do, and for how long."""

    name = forms.CharField(
        label=_("Name of the system"),
        # As long as the role that customers see in the list of who viewed their data.
        max_length=40,
        help_text=_("Customers read it where they see who viewed their data."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=list(SCOPE_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(label=_("Works for"), choices=DAYS)

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.add_input(Submit("make", _("Make a key")))

    def clean_scopes(self) -> list[Scope]:
        return [Scope(one) for one in self.cleaned_data["scopes"]]

    def clean_days(self) -> int:
        return int(self.cleaned_data["days"])
