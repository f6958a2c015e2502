"""Forms of the colleagues pages: inviting, changing, and joining."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from insights.accounts import Role
from insights.forms import PASSWORD_HELP

ROLE_HELP = _(
    "Marketers ask questions, read answers and import files. Consent admins look after "
    "permission. Administrators may do everything, and invite colleagues."
)


class RoleForm(forms.Form):
    """The address somebody signs in with, and what they may do."""

    email = forms.EmailField(label=_("E-mail"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, help_text=ROLE_HELP)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InviteForm(RoleForm):
    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.add_input(Submit("invite", _("Invite")))


class ColleagueForm(RoleForm):
    name = forms.CharField(label=_("Name"), max_length=150, required=False)

    field_order = ("name", "email", "role")

    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.add_input(Submit("save", _("Save")))


class JoinForm(forms.Form):
    """How somebody who is invited is called, and the password they choose."""

    email = forms.EmailField(
        label=_("E-mail"),
        disabled=True,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        help_text=_("You sign in with this address."),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )

    helper = FormHelper()
    helper.form_class = "ci-form ci-form--login"
    helper.add_input(Submit("join", _("Join and sign in")))

    def __init__(self, data: Any, *, invited: User) -> None:
        super().__init__(data, initial={"email": invited.email})

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is weak, or much like the name or the address."""
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            user = User(email=cleaned["email"], first_name=cleaned.get("name", ""))
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned
