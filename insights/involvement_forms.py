"""Rating how much buyers care about a category, and a first guess for all of them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.involvement import LEAST, MOST, Rating
from customers.models import Category
from customers.starting_involvement import COMPANIES

QUESTIONS: Mapping[str, Any] = {
    "importance": _("How important is this choice to the buyer?"),
    "risk": _("How bad is a wrong choice?"),
    "interest": _("How much do buyers enjoy the product, or care about it?"),
}
# What the ends of the scale mean.
ENDS = {LEAST: _("1, hardly"), MOST: _("7, very much")}
NAMES: Mapping[str, Any] = {
    "electronics": _("Electronics"),
    "finance": _("Finance and insurance"),
    "travel": _("Travel"),
    "home": _("Home and furniture"),
    "fashion": _("Fashion"),
    "groceries": _("Groceries"),
    "other": _("Something else"),
}


class RatingForm(forms.Form):
    """Three questions from 1 to 7, and what the category is part of.

    All three or none: what a category is part of can be said of one that nobody rates.
    """

    def __init__(self, *args: Any, category: Category, **given: Any) -> None:
        super().__init__(*args, **given)
        for name, label in QUESTIONS.items():
            choices = [(n, ENDS.get(n, str(n))) for n in range(LEAST, MOST + 1)]
            self.fields[name] = forms.TypedChoiceField(
                label=label,
                choices=choices,
                coerce=int,
                widget=forms.RadioSelect,
                required=False,
                empty_value=None,
            )
            self.initial[name] = getattr(category, name)
        self.fields["parent"] = forms.ModelChoiceField(
            label=_("Part of"),
            queryset=Category.objects.exclude(pk=category.pk).order_by("name"),
            required=False,
            empty_label=_("Nothing: it stands for itself"),
        )
        self.initial["parent"] = category.parent_id

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        answered = [name for name in QUESTIONS if given.get(name) is not None]
        if answered:
            for name in QUESTIONS:
                if name not in answered and name not in self.errors:
                    self.add_error(name, _("Answer this one too: the three make one level."))
        return given

    def rating(self) -> Rating | None:
        """Return the three answers once the form is valid, None where nobody gave them."""
        importance, risk, interest = (self.cleaned_data[name] for name in QUESTIONS)
        return None if importance is None else Rating(importance, risk, interest)


class CompanyForm(forms.Form):
    """What the shop mostly sells, for a first guess about categories that nobody rated."""

    company = forms.ChoiceField(
        label=_("What do you mostly sell?"), choices=[(one, NAMES[one]) for one in COMPANIES]
    )
