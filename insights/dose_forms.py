"""The form that asks whom a plan may reach now."""

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Channel, ContactKind
from customers.plans import Plan


class AudienceForm(forms.Form):
    """What one wants to send. Service goes to one customer at a time, so it is not among it."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[one for one in ContactKind.choices if one[0] != ContactKind.SERVICE],
        initial=ContactKind.PROMOTION,
    )
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)
    category = forms.ModelChoiceField(
        label=_("Category"),
        queryset=Category.objects.select_related("parent__parent__parent").order_by("name"),
        required=False,
        empty_label=_("None: about the whole shop"),
    )

    def plan(self) -> Plan:
        """Return what was asked about, once the form is valid."""
        given = self.cleaned_data
        return Plan(channel=given["channel"], kind=given["kind"], category=given["category"])
