"""Forms of the pages about rights: taking in a request, and refusing one."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.data_requests import CORRECTABLE, LIFT, Asked
from customers.models import RequestKind, RequestSource

LIFTING = "lift"


class RequestForm(forms.Form):
    """What a customer asks at a colleague's desk."""

    reference = forms.CharField(
        label=_("Customer"), max_length=100, help_text=_("The shop’s own reference.")
    )
    kind = forms.ChoiceField(
        label=_("What is asked"),
        choices=[*RequestKind.choices, (LIFTING, _("Use my data again: lift the restriction"))],
    )
    text = forms.CharField(
        label=_("In the customer’s words"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Also how they asked, and how you know that it was them."),
    )
    name = forms.CharField(
        label=_("New name"), max_length=200, required=False, help_text=_("Only to correct it.")
    )
    email = forms.EmailField(
        label=_("New e-mail"),
        required=False,
        help_text=_("Permission stays with the old address, and is asked anew on this one."),
    )
    language = forms.ChoiceField(
        label=_("New language"), choices=[("", "–"), *settings.LANGUAGES], required=False
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.add_input(Submit("take_in", _("Take in")))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        corrects = cleaned.get("kind") == RequestKind.RECTIFICATION
        given = [name for name in CORRECTABLE if cleaned.get(name)]
        if corrects and not given and not self.errors:
            raise ValidationError(_("Fill in what is to be corrected: name, e-mail or language."))
        if given and not corrects:
            raise ValidationError(
                _(
                    "A new name, e-mail or language goes with “Correct my data”. Choose that, or "
                    "empty them."
                )
            )
        return cleaned

    def asked(self, *, by: str) -> Asked:
        """Return what is asked, as the service takes it in."""
        cleaned = self.cleaned_data
        lifting = cleaned["kind"] == LIFTING
        corrections = {name: cleaned[name] for name in CORRECTABLE if cleaned[name]}
        return Asked(
            kind=RequestKind.RESTRICTION if lifting else RequestKind(cleaned["kind"]),
            source=RequestSource.STAFF,
            text=cleaned["text"],
            corrections=LIFT if lifting else corrections,
            handled_by=by,
        )


class RefusalForm(forms.Form):
    """Why a request is not done; the customer reads it."""

    reason = forms.CharField(
        label=_("Why not"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The customer gets this text by e-mail."),
    )

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.form_tag = False
