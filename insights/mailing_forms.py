"""A send list: what it is, for whom, when, and what is asked under it."""

from datetime import datetime, timedelta
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Layout, Submit
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Category, ContactKind, CustomerType, Purpose, PurposeKind
from customers.plans import ABOUT
from feedback.models import Campaign, Touchpoint
from insights.consent_words import purpose_name
from mailings.models import Mailing, Means
from mailings.segments import LastAnswer, Segment

KINDS = (
    *(ContactKind.PROMOTION, ContactKind.INFORMATION),
    *(ContactKind.ASK_THUMB, ContactKind.ASK_NPS, ContactKind.ASK_SURVEY),
)
LAST_ANSWERS = [
    ("", _("Any answer, or none")),
    (LastAnswer.THUMB_UP, _("Thumb up")),
    (LastAnswer.THUMB_DOWN, _("Thumb down")),
    (LastAnswer.PROMOTER, _("Score of 9 or 10")),
    (LastAnswer.DETRACTOR, _("Score of 0 to 6")),
]
FURTHEST = timedelta(days=60)


class PurposeField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A permission by its name, in the reader's language."""

    def label_from_instance(self, obj: Purpose) -> str:
        return purpose_name(obj)


class MailingForm(forms.Form):
    """A draft: nothing is reserved by saving it."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("For colleagues, such as “Winter check of phones”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    means = forms.ChoiceField(
        label=_("How will it be sent?"),
        choices=[(Means.HERE.value, _("From here")), (Means.LIST.value, Means.LIST.label)],
        initial=Means.HERE.value,
        widget=forms.RadioSelect,
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=[(one.value, one.label) for one in KINDS])
    purpose = PurposeField(
        label=_("Which permission?"), queryset=Purpose.objects.none(), empty_label=None
    )
    category = forms.ModelChoiceField(
        label=_("About which category?"),
        queryset=Category.objects.select_related("parent__parent__parent").order_by("name"),
        required=False,
        empty_label=_("None: about the whole shop"),
    )
    planned_at = forms.DateTimeField(
        label=_("When is it to go?"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        help_text=_(
            "Of a list you have 24 hours from then on; what is not sent by then is given back."
        ),
    )
    touchpoint = forms.ModelChoiceField(
        label=_("What do you ask under it?"),
        queryset=Touchpoint.objects.order_by("name"),
        required=False,
        empty_label=_("Nothing"),
    )
    customer_types = forms.MultipleChoiceField(
        label=_("Type of customer"),
        choices=CustomerType.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all of them."),
    )
    bought = forms.ModelChoiceField(
        label=_("Bought in this category in a year"),
        queryset=Category.objects.order_by("name"),
        required=False,
        empty_label=_("Any, or nothing"),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("Any")), *settings.LANGUAGES], required=False
    )
    last_answer = forms.ChoiceField(
        label=_("Last answer in 90 days"), choices=LAST_ANSWERS, required=False
    )

    whom = _("For whom, of those who may be reached")

    def __init__(self, *args: Any, mailing: Mailing | None = None, **given: Any) -> None:
        super().__init__(*args, **given)
        self.mailing = mailing
        self.helper = _helper()
        self.fields["purpose"].queryset = Purpose.objects.filter(  # type: ignore[attr-defined]
            archived_at=None,
            kind__in=[PurposeKind.MARKETING, PurposeKind.SURVEY],
            key__in=_by_mail(),
        ).order_by("pk")
        self.initial.update(_initial(mailing) if mailing else {"planned_at": _tomorrow()})

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Mailing.objects.all()
        if self.mailing:
            others = others.exclude(pk=self.mailing.pk)
        if others.filter(name=name).exists() or Campaign.objects.filter(name=name).exists():
            raise ValidationError(
                _("There is one called “%(name)s”. Choose another name.") % {"name": name}
            )
        return name

    def clean_planned_at(self) -> Any:
        at = self.cleaned_data["planned_at"]
        now = timezone.now()
        if at <= now:
            raise ValidationError(_("That is over. Choose a moment to come."))
        if at > now + FURTHEST:
            raise ValidationError(_("That is more than 60 days ahead. Choose an earlier day."))
        return at

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        kind, purpose = given.get("kind"), given.get("purpose")
        if kind and purpose and not _fits(kind, purpose):
            text = _("That permission is about something else. Choose one for this kind.")
            self.add_error("purpose", text)
        return given

    def save(self, *, by: User) -> Mailing:
        """Store the draft, once the form is valid."""
        given = self.cleaned_data
        mailing = self.mailing or Mailing(created_by=by, created_at=timezone.now())
        for name in ("name", "means", "kind", "purpose", "category", "planned_at", "touchpoint"):
            setattr(mailing, name, given[name])
        mailing.segment = Segment(
            customer_types=tuple(given["customer_types"]),
            bought=given["bought"].pk if given["bought"] else 0,
            language=given["language"],
            last_answer=given["last_answer"],
        ).document()
        mailing.save()
        return mailing


def _helper() -> FormHelper:
    """Lay the form out. Made anew for each: a button keeps the words it was first drawn with."""
    helper = FormHelper()
    helper.form_class = "ci-form"
    helper.attrs = {"novalidate": True}
    helper.layout = Layout(
        "name",
        "means",
        Div("kind", "purpose", css_class="ci-form__row"),
        Div("category", "touchpoint", css_class="ci-form__row"),
        "planned_at",
        HTML("<h2 class='ci-panel__title'>{{ form.whom }}</h2>"),
        "customer_types",
        Div("bought", "last_answer", css_class="ci-form__row"),
        "language",
        Div(Submit("save", _("Save the draft"))),
    )
    return helper


def _fits(kind: str, purpose: Purpose) -> bool:
    """Say whether a permission is about this kind of contact."""
    return purpose.kind in ABOUT[kind]


def _tomorrow() -> datetime:
    day = timezone.localtime() + timedelta(days=1)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


def _by_mail() -> list[str]:
    rows = Purpose.objects.values_list("key", "channels")
    return [key for key, channels in rows if "email" in channels]


def _initial(mailing: Mailing) -> dict[str, Any]:
    segment = mailing.audience
    facts = ("name", "means", "kind", "purpose", "category", "planned_at", "touchpoint")
    return {
        **{name: getattr(mailing, name) for name in facts},
        "customer_types": list(segment.customer_types),
        "bought": segment.bought or None,
        "language": segment.language,
        "last_answer": segment.last_answer,
    }
