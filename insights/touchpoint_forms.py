"""Forms of the touchpoint pages: a place where we ask, and a name for one sending."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Category, ConsentForm, Product
from customers.queries import products_by_code
from feedback import places
from feedback.colours import ENOUGH, ColourError, check_accent
from feedback.models import Labels, ScaleKey, Theme, Touchpoint
from feedback.origins import OriginError, origin_of
from feedback.places import Place
from feedback.questions import READY_MADE, Question
from insights.import_forms import Problem
from insights.templatetags.numbers import number

READY = {question.key: question for question in READY_MADE}
LONGEST_QUOTE = 60


class TouchpointForm(forms.Form):
    """What somebody decides about a touchpoint. After is_valid(), `place` is what was chosen."""

    place: Place

    ready = forms.ChoiceField(
        label=_("Ready-made question"),
        required=False,
        help_text=_("Fills in the scale, the question and the words. You can change them after."),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_(
            "How you call this place, for example “Returns page”. Customers do not see it."
        ),
    )
    scale = forms.ChoiceField(
        label=_("Scale"),
        required=False,
        choices=[("", _("Choose")), *ScaleKey.choices],
        help_text=_("What people answer with. It cannot be changed later."),
    )
    question_nl = forms.CharField(label=_("Question in Dutch"), max_length=200, required=False)
    question_en = forms.CharField(
        label=_("Question in English"),
        max_length=200,
        required=False,
        help_text=_("Leave both empty to ask the usual question of the scale."),
    )
    labels = forms.ChoiceField(
        label=_("Words on the thumbs"),
        required=False,
        choices=Labels.choices,
        help_text=_("Choose the pair that answers the question."),
    )
    origins = forms.CharField(
        label=_("Allowed addresses"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.shop.example"}),
        help_text=_("The sites that may show the question, one a line. A newsletter needs none."),
    )
    thanks_nl = forms.CharField(label=_("Thanks in Dutch"), max_length=200, required=False)
    thanks_en = forms.CharField(
        label=_("Thanks in English"),
        max_length=200,
        required=False,
        help_text=_("Shown after the answer. Empty: the words of the widget."),
    )
    product = forms.CharField(
        label=_("Product"),
        max_length=100,
        required=False,
        help_text=_("Its code (SKU), if every answer here is about one product."),
    )
    category = forms.ModelChoiceField(
        label=_("Category"),
        queryset=Category.objects.order_by("name"),
        required=False,
        empty_label=_("None"),
        help_text=_("If the answers are about one category. A product brings its own."),
    )
    theme = forms.ChoiceField(
        label=_("Theme"),
        required=False,
        choices=Theme.choices,
        help_text=_("Automatic is light or dark as the visitor's system is."),
    )
    accent = forms.CharField(
        label=_("Accent colour"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "#3c48b8", "spellcheck": "false"}),
        help_text=_("Of buttons and links, as #3c48b8. Empty: the usual blue."),
    )
    counts_exposures = forms.BooleanField(
        label=_("Count how often the question is shown"),
        required=False,
        help_text=_(
            "Gives a response rate. Counted per day and without anything about the visitor."
        ),
    )

    offer = forms.ModelChoiceField(
        label=_("Opt-in form to offer"),
        queryset=ConsentForm.objects.filter(archived_at=None).order_by("name"),
        required=False,
        empty_label=_("None"),
        help_text=_(
            "Thumbs only. Offered under the thanks, after a thumb up of a customer who is signed "
            "in, and no more often than every 90 days."
        ),
    )

    # What stands behind "More choices".
    MORE = (
        "thanks_nl",
        "thanks_en",
        "product",
        "category",
        "theme",
        "accent",
        "counts_exposures",
        "offer",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        touchpoint: Touchpoint | None = None,
        accent: str = "",
        formal: bool = False,
    ) -> None:
        """Begin a new touchpoint in the colour of the organisation, and say "u" if it does."""
        super().__init__(data, initial=_initial(touchpoint) if touchpoint else {"accent": accent})
        self.touchpoint = touchpoint
        self.formal = formal
        ready = [q for q in READY_MADE if touchpoint is None or q.scale == touchpoint.scale]
        self.fields["ready"].choices = _ready_choices(ready, formal)  # type: ignore[attr-defined]
        if touchpoint:
            del self.fields["scale"]
            if touchpoint.scale != ScaleKey.THUMB:
                del self.fields["labels"], self.fields["offer"]

    @property
    def more_open(self) -> bool:
        """Whether there is something behind "More choices" that must not be overlooked."""
        usual = {} if self.touchpoint else self.initial
        return any(
            name in self.errors or (self[name].value() or "") not in ("", usual.get(name, ""))
            for name in self.MORE
            if name in self.fields
        )

    def problems(self) -> list[Problem]:
        """Return every error with where it is, in the order of the page."""
        return [
            Problem(bound.id_for_label, str(bound.label), str(error))
            for bound in self
            for error in bound.errors
        ]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Touchpoint.objects.filter(name=name)
        if self.touchpoint:
            others = others.exclude(pk=self.touchpoint.pk)
        if others.exists():
            raise self._taken(name)
        return name

    def _taken(self, name: str) -> ValidationError:
        message = _("There is a touchpoint named “%(name)s” already. Choose another name.")
        return ValidationError(message, params={"name": name})

    def clean_origins(self) -> list[str]:
        found = []
        for address in self.cleaned_data["origins"].replace(",", " ").split():
            try:
                found.append(origin_of(address))
            except OriginError:
                message = _(
                    "“%(address)s” is not the address of a site. Write each one in full, as "
                    "https://www.shop.example, without a star, name or password."
                )
                raise ValidationError(message, params={"address": _cut(address)}) from None
        return found

    def clean_product(self) -> Product | None:
        code = self.cleaned_data["product"]
        found = next(iter(products_by_code([code]).values()), None) if code else None
        if code and found is None:
            message = _(
                "There is no product with the code “%(code)s”. Check it, or leave it empty."
            )
            raise ValidationError(message, params={"code": code})
        return found

    def clean_accent(self) -> str:
        return readable_accent(self.cleaned_data["accent"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        ready = READY.get(cleaned.get("ready", ""))
        self._settle_scale(cleaned, ready)
        self._settle_question(cleaned, ready)
        self._settle_labels(cleaned)
        if not self.errors:
            self.place = Place(
                **{name: cleaned[name] for name in self.fields if name not in ("ready", "scale")}
            )
        return cleaned

    def _settle_scale(self, cleaned: dict[str, Any], ready: Question | None) -> None:
        self._scale = self.touchpoint.scale if self.touchpoint else cleaned.get("scale", "")
        if not self._scale and ready:
            self._scale = ready.scale
        if not self._scale:
            self.add_error("scale", _("Choose a scale, or a ready-made question above."))

    def _settle_question(self, cleaned: dict[str, Any], ready: Question | None) -> None:
        """Take a ready-made question where none was written; half a question is none."""
        written = [name for name in ("question_nl", "question_en") if cleaned.get(name)]
        if not written and ready:
            if self._scale != ready.scale:
                message = _("The question you chose has another scale: %(scale)s.")
                params = {"scale": ScaleKey(ready.scale).label}
                self.add_error("scale", ValidationError(message, params=params))
            cleaned |= {
                "question_nl": ready.said("nl", formal=self.formal),
                "question_en": ready.en,
                "labels": ready.labels,
            }
        elif len(written) == 1:
            other = "question_en" if written == ["question_nl"] else "question_nl"
            if other not in self.errors:
                self.add_error(
                    other,
                    _("Write it in this language too, or visitors get a different question."),
                )

    def _settle_labels(self, cleaned: dict[str, Any]) -> None:
        """Keep what belongs to thumbs; their words have to answer a question written here."""
        if self._scale != ScaleKey.THUMB:
            cleaned |= {"labels": "", "offer": None}
        elif cleaned.get("labels") and not cleaned.get("question_nl") and not self.errors:
            self.add_error(
                "labels", _("Write the question that these words answer, or choose Yes / No.")
            )

    def save(self, now: datetime) -> Touchpoint | None:
        """Store what was chosen; None if at this moment a colleague took the name."""
        try:
            with transaction.atomic():
                if self.touchpoint:
                    return places.change_touchpoint(self.touchpoint, self.place)
                return places.create_touchpoint(scale=self._scale, place=self.place, now=now)
        except IntegrityError:
            self.add_error("name", self._taken(self.place.name))
            return None


def _initial(touchpoint: Touchpoint) -> dict[str, Any]:
    every = {name: getattr(touchpoint, name, None) for name in TouchpointForm.base_fields}
    return every | {
        "origins": "\n".join(touchpoint.origins),
        "product": touchpoint.product.sku if touchpoint.product else "",
    }


def readable_accent(accent: str) -> str:
    """Return an accent colour, or nothing; refuse what check_accent refuses, in our words."""
    try:
        return check_accent(accent) if accent else ""
    except ColourError as error:
        message = _("“%(colour)s” is not a colour. Write a # and six signs, as #3c48b8.")
        facts = {"colour": accent}
        if error.proposal:
            message = _(
                "Contrast with white is %(ratio)s : 1. Text needs %(enough)s : 1; try %(colour)s."
            )
            facts = {
                "ratio": number(error.contrast, 1),
                "enough": number(ENOUGH, 1),
                "colour": error.proposal,
            }
        raise ValidationError(message, params=facts) from None


def _ready_choices(questions: Sequence[Question], formal: bool) -> list[tuple[str, Any]]:
    """Group the questions by scale, in the language of the reader."""
    language = "en" if (get_language() or "").startswith("en") else "nl"
    groups: dict[str, list[tuple[str, str]]] = {}
    for question in questions:
        label = str(ScaleKey(question.scale).label)
        groups.setdefault(label, []).append((question.key, question.said(language, formal=formal)))
    return [("", gettext("I write my own")), *groups.items()]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


class CampaignForm(forms.Form):
    """What one sending of a newsletter is called."""

    name = forms.CharField(
        label=_("Name of the sending"),
        max_length=100,
        help_text=_("For example “Newsletter May”. Its answers then stand apart."),
    )
