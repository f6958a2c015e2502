"""The form of the settings page: how the organisation presents itself."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from insights import logo as logos
from insights import organisation
from insights.import_forms import Problem
from insights.logo import LogoError
from insights.organisation import Profile
from insights.picture_words import TOO_LARGE, refusal
from insights.touchpoint_forms import readable_accent

WAY_OUT = _("Save the logo as PNG or JPEG of at most 100 KB, and choose that file.")


class OrganisationForm(forms.Form):
    """What an administrator decides about name, looks and words; every field may stay empty."""

    name = forms.CharField(label=_("Name"), max_length=60, required=False)
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        help_text=_(
            "PNG or JPEG, at most 100 KB. Customers see it instead of the name, 48 pixels high at "
            "most."
        ),
    )
    drop_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    accent = forms.CharField(
        label=_("Colour"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "#3c48b8", "spellcheck": "false"}),
        help_text=_("As #3c48b8. New touchpoints begin with it; those that exist keep theirs."),
    )
    formal = forms.ChoiceField(
        label=_("How to address customers in Dutch"),
        required=False,
        choices=[
            ("no", _("“Je”, as in: Wat vond je van deze e-mail?")),
            ("yes", _("“U”, as in: Wat vond u van deze e-mail?")),
        ],
        widget=forms.RadioSelect,
        help_text=_(
            "On the hosted question, in the ready-made questions and in the texts for newsletters. "
            "What you wrote yourself stays as it is, and the few fixed words of the widget on "
            "your own site say “je”."
        ),
    )
    sender_name = forms.CharField(label=_("Name of the sender"), max_length=60, required=False)
    sender_email = forms.EmailField(
        label=_("Address of the sender"),
        max_length=254,
        required=False,
        error_messages={
            "invalid": _("“%(value)s” is not an e-mail address. Write it as shop@example.org.")
        },
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        profile: Profile,
        usual: Profile,
        too_large: bool = False,
    ) -> None:
        """`profile` is what was chosen, `usual` what stands there if nobody chose."""
        super().__init__(data, files, initial=_initial(profile))
        self.too_large = too_large
        if not profile.has_logo:
            del self.fields["drop_logo"]
        self.fields["name"].help_text = _usual(usual.name)
        self.fields["sender_email"].help_text = _usual(usual.sender)

    def problems(self) -> list[Problem]:
        """Return every error with where it is, in the order of the page."""
        return [
            # A choice of two has no control of its own: the first of them.
            Problem(bound.id_for_label or f"{bound.auto_id}_0", str(bound.label), str(error))
            for bound in self
            for error in bound.errors
        ]

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])

    def clean_sender_name(self) -> str:
        return _one_line(self.cleaned_data["sender_name"])

    def clean_accent(self) -> str:
        return readable_accent(self.cleaned_data["accent"])

    def clean_formal(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["formal"])

    def clean_logo(self) -> bytes:
        """Return the file if it is a logo, nothing if none was chosen."""
        upload: UploadedFile[bytes] | None = self.cleaned_data["logo"]
        if self.too_large:
            raise ValidationError(f"{TOO_LARGE} {WAY_OUT}")
        if upload is None:
            return b""
        # One byte more than fits is enough to know.
        data: bytes = upload.read(logos.MAX_BYTES + 1)
        try:
            logos.read_logo(data)
        except LogoError as error:
            raise refusal(upload, error, WAY_OUT) from None
        return data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("logo") and cleaned.get("drop_logo"):
            self.add_error(
                "drop_logo", _("You chose a new logo too. Untick this, or choose no file.")
            )
        return cleaned

    def save(self) -> None:
        """Store all of it, or nothing."""
        chosen = self.cleaned_data
        names = ("name", "accent", "formal", "sender_name", "sender_email")
        with transaction.atomic():
            organisation.change_organisation(**{name: chosen[name] for name in names})
            if chosen["logo"]:
                organisation.set_logo(data=chosen["logo"])
            elif chosen.get("drop_logo"):
                organisation.drop_logo()


def _initial(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.chosen_name,
        "accent": profile.accent,
        "formal": "" if profile.formal is None else "yes" if profile.formal else "no",
        "sender_name": profile.sender_name,
        "sender_email": profile.sender_email,
    }


def _usual(text: str) -> str:
    # Crispy takes a help text for HTML.
    return gettext("Left empty it is “%(usual)s”.") % {"usual": escape(text)}


def _one_line(text: str) -> str:
    """Return a text that goes into a heading or the head of a mail."""
    line = " ".join(text.split())
    if not line.isprintable():
        message = _("“%(text)s” holds a character that cannot be seen. Type the name again.")
        shown = "".join(sign if sign.isprintable() else "�" for sign in line)
        raise ValidationError(message, params={"text": shown})
    return line
