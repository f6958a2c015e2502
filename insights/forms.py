"""Forms: the filters of a dashboard, signing in, and the first administrator."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from allauth.account import forms as allauth
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from feedback.queries import UnknownKey, internal_key
from insights.dashboard.selection import (
    AGAINST,
    DEFAULT_AGAINST,
    DEFAULT_PRESET,
    OWN_DATES,
    PRESETS,
    SAID,
    SLICES,
    Selection,
    preset,
)
from insights.kpis import KPIS
from insights.periods import Period

# A longer list is quicker to type in than to scroll through.
LONGEST_SELECT = 40

# Beyond these a date is a typing error, and longer ranges are nobody's question.
FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST = timedelta(days=10 * 366)

Choices = Mapping[str, Sequence[tuple[str, str]]]

PASSWORD_HELP = _("At least 10 characters, not only digits, and not one that many people use.")

LABELS = {
    "category": _("Category"),
    "channel": _("Channel"),
    "customer_type": _("Customer type"),
    "touchpoint": _("Touchpoint"),
    "product": _("Product"),
}


class FilterForm(forms.Form):
    """What the address of a dashboard says: period, slices, KPI. What makes no sense is left out.

    The dates are both included, as people say them; inside, periods are half-open.
    """

    template_name = "insights/_filters.html"

    period = forms.ChoiceField(label=_("Period"), required=False)
    against = forms.ChoiceField(label=_("Against"), choices=[*AGAINST.items()], required=False)
    kpi = forms.ChoiceField(choices=[(key, key) for key in KPIS], required=False)
    said = forms.ChoiceField(choices=[*SAID.items()], required=False)
    slice = forms.ChoiceField(choices=[(key, key) for key in SLICES], required=False)

    def __init__(self, data: Any, *, choices: Choices, today: date) -> None:
        super().__init__(data)
        self.today = today
        self.fields["period"].choices = [  # type: ignore[attr-defined]
            *((key, label) for key, label in PRESETS.items()),
            (OWN_DATES, _("Own dates")),
        ]
        # "from" is a word of Python, so it cannot be declared above.
        self.fields["from"] = forms.DateField(label=_("From"), required=False)
        self.fields["to"] = forms.DateField(label=_("Up to and including"), required=False)
        for name, label in LABELS.items():
            if choices.get(name):
                self.fields[name] = self._slice_field(name, label, choices[name])
        self.full_clean()

    def _slice_field(self, name: str, label: Any, known: Sequence[tuple[str, str]]) -> forms.Field:
        if len(known) <= LONGEST_SELECT:
            return forms.ChoiceField(label=label, required=False, choices=[("", _("All")), *known])
        field = forms.CharField(label=label, required=False, max_length=100)
        field.widget.attrs |= {"list": f"known-{name}", "placeholder": _("All"), "size": 12}
        field.suggestions = known  # type: ignore[attr-defined]
        return field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._check_dates(cleaned.get("from"), cleaned.get("to"))
        for name in LABELS:
            if cleaned.get(name) and not getattr(self.fields[name], "choices", ()):
                self._check_key(name, cleaned[name])
        return cleaned

    def _check_dates(self, first: date | None, last: date | None) -> None:
        for name, day in (("from", first), ("to", last)):
            if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
                self.add_error(name, _("Check the year."))
        if first and last and first > last:
            message = _("%(last)s is before %(first)s. Choose a later day.")
            params = {"first": date_format(first), "last": date_format(last)}
            self.add_error("to", ValidationError(message, params=params))
        if self.own_dates and (first is None) != (last is None) and not self.errors:
            missing = "to" if last is None else "from"
            message = _("Own dates need a first and a last day. Fill in both.")
            self.add_error(missing, message)
        if first and last and last - first > LONGEST:
            self.add_error("to", _("That is too long. Choose at most ten years."))

    def _check_key(self, name: str, key: str) -> None:
        """Refuse what was typed and does not exist; a list of choices does that by itself."""
        try:
            internal_key(name, key)
        except UnknownKey:
            message = _("“%(key)s” is not known here. Choose one from the list.")
            self.add_error(name, ValidationError(message, params={"key": key}))

    def selection(self) -> Selection:
        """Return what to show: what was asked for where it is valid, else the usual."""
        chosen = self.cleaned_data
        key = OWN_DATES if self.own_dates else chosen.get("period") or DEFAULT_PRESET
        period = preset(key, self.today)
        if key == OWN_DATES and chosen.get("from") and chosen.get("to"):
            period = Period(chosen["from"], chosen["to"] + timedelta(days=1))
        where = {name: chosen[name] for name in LABELS if chosen.get(name)}
        return Selection(
            period=period,
            preset=key,
            where=where,
            names={name: self._name(name, key) for name, key in where.items()},
            kpi=chosen.get("kpi") or "",
            slice=chosen.get("slice") or SLICES[0],
            today=self.today,
            against=chosen.get("against") or DEFAULT_AGAINST,
            said=chosen.get("said") or "",
        )

    def _name(self, field: str, key: str) -> str:
        choices = getattr(self.fields[field], "choices", ())
        return str(dict(choices).get(key, key))

    @property
    def own_dates(self) -> bool:
        """Dates without a word about the period count too: somebody wrote the address by hand."""
        period = self.data.get("period") or ""
        return period == OWN_DATES or (not period and bool(self.data.get("from")))

    def slices(self) -> list[forms.BoundField]:
        return [self[name] for name in LABELS if name in self.fields]


def _plain(form: forms.Form) -> None:
    """Drop the placeholders that repeat the labels, and say in one sentence what a password is."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        if name == "password1":
            field.help_text = PASSWORD_HELP


class ChangePasswordForm(allauth.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class ResetPasswordForm(allauth.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class ResetPasswordKeyForm(allauth.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class LoginForm(allauth.LoginForm):
    """The login of allauth in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["remember"].label = _("Keep me signed in on this computer for 14 days")
        self.fields["password"].help_text = ""
        _plain(self)

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()  # type: ignore[no-any-return]
        except ValidationError as error:
            if error.code != "email_password_mismatch":
                raise
            raise ValidationError(_("E-mail and password do not match."), code=error.code) from None


class FirstAdministratorForm(forms.Form):
    """Who may do everything, to begin with."""

    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), max_length=150)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )

    helper = FormHelper()
    helper.form_class = "ci-form ci-form--login"
    helper.add_input(Submit("save", _("Create and sign in")))

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password
