"""Forms of the permission texts: a purpose, and the draft of what customers read."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from customers.drafts import Verdict, Written, written_of
from customers.gate import LANGUAGES
from customers.models import Change, Channel, Purpose, PurposeKind, Wording, WordingDraft
from customers.publishing import Promise
from customers.purposes import PurposeError, PurposeFacts
from customers.wordings import Texts
from insights.import_forms import Problem
from insights.permission_words import (
    FIELDS,
    fault_text,
    field_of,
    language_name,
    not_editorial_text,
    purpose_error_text,
)

GRADES = [
    ("A", _("A: given here, and confirmed from the mailbox")),
    ("B", _("B: given here, on an address that was known")),
    ("C", _("C: imported with date, method, source and text")),
]

# In the order in which somebody writes them, with the longest text each takes.
TEXT_FIELDS = tuple(
    (name, getattr(Wording._meta.get_field(name), "max_length", None) or 5_000)
    for name in Texts.__dataclass_fields__
)
LONG = frozenset({"helper", "details"})
MAY_BE_EMPTY = _("May be empty.")
HELP: Mapping[str, Any] = {
    "label": _("One sentence of at most 14 words that a customer would say, beginning with yes."),
    "helper": _("Always visible: how often, and who sends it if the text does not say."),
    "details": _("Behind “Who asks, and what is kept”. May be empty."),
    "controller": _("The organisation, as the text names it."),
    "data_types": MAY_BE_EMPTY,
    "recipients": MAY_BE_EMPTY,
    "retention": MAY_BE_EMPTY,
    "way_out": _("Always visible, and read before the tick."),
}


class ProblemsMixin:
    """Errors with where they are, for the list above a form."""

    def problems(self) -> list[Problem]:
        """Return every error in the order of the page."""
        form: Any = self
        about_all = [
            Problem("main", str(_("The form")), str(one)) for one in form.non_field_errors()
        ]
        return about_all + [
            Problem(bound.id_for_label, str(bound.label), str(error))
            for bound in form
            for error in bound.errors
        ]


class PurposeForm(ProblemsMixin, forms.Form):
    """What somebody decides about a purpose. After is_valid(), `facts` is what was chosen."""

    facts: PurposeFacts

    key = forms.SlugField(
        label=_("Key"),
        max_length=40,
        help_text=_(
            "How other systems and files call it, for example email_marketing. It cannot be "
            "changed later."
        ),
        error_messages={
            "invalid": _("Use letters, digits, hyphens and underscores only, without spaces.")
        },
    )
    name_nl = forms.CharField(label=_("Name in Dutch"), max_length=80)
    name_en = forms.CharField(label=_("Name in English"), max_length=80)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("Choose")), *PurposeKind.choices],
        help_text=_(
            "One tick, one kind. It is fixed once a text is published. Messages that belong to an "
            "order need no permission."
        ),
    )
    channels = forms.MultipleChoiceField(
        label=_("Channels"), choices=Channel.choices, widget=forms.CheckboxSelectMultiple
    )
    valid_days = forms.IntegerField(
        label=_("Valid for, in days"),
        min_value=1,
        max_value=3650,
        help_text=_(
            "After that a permission ends by itself. Holds for permissions given from now on."
        ),
    )
    minimum_age = forms.IntegerField(label=_("Minimum age"), min_value=0, max_value=99)
    minimum_grade = forms.ChoiceField(
        label=_("Weakest proof"),
        choices=GRADES,
        help_text=_("Permissions with weaker proof are not used."),
    )

    def __init__(self, data: Any = None, *, purpose: Purpose | None = None) -> None:
        usual = {
            "channels": [Channel.EMAIL],
            "valid_days": 730,
            "minimum_age": 16,
            "minimum_grade": "C",
        }
        known = {name: getattr(purpose, name) for name in self.base_fields} if purpose else usual
        super().__init__(data, initial=known)
        self.purpose = purpose
        if purpose:
            del self.fields["key"]
            if purpose.wordings.exists():
                # Disabled keeps what is stored, whatever is sent.
                self.fields["kind"].disabled = True

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key == "new":
            raise ValidationError(_("“new” is an address of this product. Choose another key."))
        return key

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.facts = PurposeFacts(**{k: v for k, v in cleaned.items() if k != "key"})
            except PurposeError as error:
                self.refuse(error)
        return cleaned

    def refuse(self, error: PurposeError) -> None:
        """Write into the form why something cannot be."""
        self.add_error(error.field or None, purpose_error_text(error))


class DraftForm(ProblemsMixin, forms.Form):
    """The texts in both languages, what is promised, and what changes.

    A draft may be unfinished. After is_valid(), `written` is what stands there.
    """

    written: Written

    promised_messages = forms.IntegerField(
        label=_("Messages at most"),
        min_value=1,
        max_value=1_000,
        required=False,
        help_text=_("No more than this is ever sent for this purpose. Empty: nothing is promised."),
    )
    promised_days = forms.IntegerField(
        label=_("In so many days"), min_value=1, max_value=3_650, required=False
    )
    change = forms.ChoiceField(
        label=_("What changes"), choices=Change.choices, widget=forms.RadioSelect
    )

    def __init__(self, data: Any = None, *, written: Written, first: bool = False) -> None:
        super().__init__(data, initial=_initial(written))
        texts = {
            f"{language}_{name}": _text_field(language, name, longest)
            for name, longest in TEXT_FIELDS
            for language in LANGUAGES
        }
        self.fields = {**texts, **self.fields}
        if first:
            # Before it nothing was permitted, so there is nothing to keep or to end.
            del self.fields["change"]

    @classmethod
    def stored(cls, draft: WordingDraft, *, first: bool) -> "DraftForm":
        """Return the form of a stored draft, ready to carry what the gate says."""
        written = written_of(draft)
        form = cls(_initial(written), written=written, first=first)
        form.full_clean()
        return form

    @property
    def rows(self) -> list[tuple[forms.BoundField, ...]]:
        """The fields of each text, one for each language."""
        return [
            tuple(self[f"{language}_{name}"] for language in LANGUAGES)
            for name, _longest in TEXT_FIELDS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        messages, days = cleaned.get("promised_messages"), cleaned.get("promised_days")
        if not self.errors and bool(messages) != bool(days):
            empty = "promised_days" if messages else "promised_messages"
            self.add_error(empty, _("Fill in both numbers, or leave both empty."))
        if not self.errors:
            self.written = Written(
                texts={
                    language: Texts(
                        **{name: cleaned[f"{language}_{name}"] for name, _longest in TEXT_FIELDS}
                    )
                    for language in LANGUAGES
                },
                promise=Promise(messages, days) if messages and days else None,
                change=Change(cleaned.get("change", Change.MATERIAL)),
            )
        return cleaned

    def tell(self, verdict: Verdict) -> None:
        """Write beside each field what stands in the way of publishing."""
        for language, faults in verdict.faults.items():
            for fault in faults:
                name = field_of(fault, self.written.texts[language])
                self.add_error(f"{language}_{name}", fault_text(fault))
        refused = verdict.not_editorial
        if refused:
            at = (
                "promised_messages"
                if refused.field == "promise"
                else (f"{refused.language}_{refused.field}")
            )
            self.add_error(at, not_editorial_text(refused))


def _initial(written: Written) -> dict[str, Any]:
    texts = {
        f"{language}_{name}": getattr(found, name)
        for language, found in written.texts.items()
        for name, _longest in TEXT_FIELDS
    }
    return texts | {
        "promised_messages": written.promise.messages if written.promise else None,
        "promised_days": written.promise.days if written.promise else None,
        "change": str(written.change),
    }


def _text_field(language: str, name: str, longest: int) -> forms.CharField:
    rows = {"rows": 3} if name == "details" else {"rows": 2}
    widget = forms.Textarea(attrs=rows) if name in LONG else forms.TextInput()
    widget.attrs["lang"] = language
    return forms.CharField(
        label=f"{capfirst(str(FIELDS[name]))} ({language_name(language)})",
        max_length=longest,
        required=False,
        widget=widget,
        help_text=HELP[name] if language == LANGUAGES[0] else "",
    )
