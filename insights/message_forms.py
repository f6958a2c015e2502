"""What a mailing says, in each language, and the pictures in it."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from insights.logo import LogoError, read_logo
from insights.picture_words import TOO_LARGE, refusal
from mailings.message import (
    IN_SUBJECT,
    LONGEST_BODY,
    LONGEST_SUBJECT,
    PLACEHOLDERS,
    Flaw,
    MessageRefused,
    check_subject,
    parts_of,
)
from mailings.models import Mailing
from mailings.writing import Picture

# 300 KB: it travels in every mail.
MOST_BYTES = 300 * 1024
MOST_PICTURES = 5
WAY_OUT = _("Save it as PNG or JPEG of at most 300 KB, and choose that file.")

FLAWS: Mapping[Flaw, Any] = {
    Flaw.EMPTY: _("Write something here, or leave this language out altogether."),
    Flaw.LONG: _("At most %(value)s characters fit."),
    Flaw.CONTROL: _("It has to be one line of letters that can be seen. Type it again."),
    Flaw.BROKEN_PLACE: _(
        "“%(value)s” is not a whole placeholder. Write one of %(known)s, or leave out the braces."
    ),
    Flaw.UNKNOWN_PLACE: _("“%(value)s” is not known. Use one of %(known)s."),
    Flaw.PLACE_IN_LINK: _(
        "“%(value)s” puts what we know of a customer into an address. Take the placeholder out."
    ),
    Flaw.LINK: _(
        "“%(value)s” leads nowhere from a mail. Write the whole address, beginning with https://."
    ),
    Flaw.NO_PICTURE: _(
        "There is no picture “%(value)s” here. Upload it below, and write its name: pictures from "
        "elsewhere would tell who opened the mail."
    ),
    Flaw.NO_ALT: _(
        "Say what can be seen on “%(value)s”, between the brackets: not everybody sees pictures."
    ),
    Flaw.HEADING: _("Three sizes of headings are enough. Use #, ## or ###."),
}


def _sentence(error: MessageRefused, known: tuple[str, ...]) -> ValidationError:
    places = ", ".join(f"{{{{ {name} }}}}" for name in known)
    return ValidationError(
        FLAWS[error.flaw], params={"value": error.value[:60], "known": places}, code=error.flaw
    )


class MessageForm(forms.Form):
    """Subject and text in each language; both or neither. A picture may come along."""

    picture = forms.FileField(
        label=_("Add a picture"),
        required=False,
        help_text=_("PNG or JPEG, at most 300 KB. It travels inside the mail."),
    )

    def __init__(self, *args: Any, mailing: Mailing, too_large: bool = False, **given: Any) -> None:
        super().__init__(*args, **given)
        self.mailing = mailing
        self.too_large = too_large
        self._pictures = [one.name for one in mailing.pictures.all()]
        self.read: Picture | None = None
        texts = {one.language: one for one in mailing.texts.all()}
        for language, name in settings.LANGUAGES:
            self.fields[f"subject_{language}"] = forms.CharField(
                label=_("Subject, %(language)s") % {"language": name},
                # A tab or a line break is told, not cut off.
                strip=False,
                required=False,
                max_length=LONGEST_SUBJECT,
                widget=forms.TextInput(attrs={"lang": language, "autocomplete": "off"}),
            )
            self.fields[f"body_{language}"] = forms.CharField(
                label=_("Text, %(language)s") % {"language": name},
                required=False,
                max_length=LONGEST_BODY,
                widget=forms.Textarea(attrs={"lang": language, "rows": 12}),
            )
            if language in texts:
                self.initial[f"subject_{language}"] = texts[language].subject
                self.initial[f"body_{language}"] = texts[language].body
        self.order_fields(
            [f"{part}_{code}" for code, _name in settings.LANGUAGES for part in ("subject", "body")]
        )

    def clean_picture(self) -> None:
        """Read a picture that came along; its name is that of the file."""
        upload: UploadedFile[bytes] | None = self.cleaned_data["picture"]
        if self.too_large:
            raise ValidationError(f"{TOO_LARGE} {WAY_OUT}")
        if upload is None:
            return
        data: bytes = upload.read(MOST_BYTES + 1)
        try:
            read = read_logo(data, MOST_BYTES)
        except LogoError as error:
            raise refusal(upload, error, WAY_OUT) from None
        name = picture_name(upload.name or "", read.content_type)
        if name not in self._pictures and len(self._pictures) >= MOST_PICTURES:
            raise ValidationError(
                _("There are %(n)s pictures already. Take one away first."),
                params={"n": MOST_PICTURES},
            )
        self.read = Picture(name, data, read.content_type, read.width, read.height)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        pictures = [*self._pictures, *([self.read.name] if self.read else [])]
        for language, _name in settings.LANGUAGES:
            subject, body = given.get(f"subject_{language}", ""), given.get(f"body_{language}", "")
            if not subject.strip() and not body.strip():
                continue
            try:
                given[f"subject_{language}"] = check_subject(subject)
            except MessageRefused as error:
                self.add_error(f"subject_{language}", _sentence(error, IN_SUBJECT))
            try:
                parts_of(body, pictures)
            except MessageRefused as error:
                self.add_error(f"body_{language}", _sentence(error, PLACEHOLDERS))
        return given

    def texts(self) -> dict[str, tuple[str, str]]:
        """Return (subject, text) by language, once the form is valid."""
        given = self.cleaned_data
        said = {
            code: (given[f"subject_{code}"], given[f"body_{code}"])
            for code, _name in settings.LANGUAGES
        }
        return {code: text for code, text in said.items() if text[1].strip()}


class SendForm(forms.Form):
    """What is asked before anything goes: a guess, and how many get it without picks."""

    guess = forms.IntegerField(
        label=_("Your guess: thumbs up, of 100"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Not required. Afterwards it stands beside what they answered."),
    )
    generic_percent = forms.IntegerField(
        label=_("Without personal content, of 100"),
        min_value=0,
        max_value=50,
        initial=10,
        help_text=_("By chance, of those who permit it: so you see afterwards whether it pays."),
    )

    margin = forms.IntegerField(
        label=_("How precise? ± so many points"),
        required=False,
        min_value=1,
        max_value=50,
        help_text=_("Not required. With it no more are asked than that needs."),
    )

    def __init__(
        self, *args: Any, asks: bool, asks_thumb: bool, is_personal: bool, **given: Any
    ) -> None:
        super().__init__(*args, **given)
        if not asks:
            del self.fields["margin"]
        if not asks_thumb:
            del self.fields["guess"]
        if not is_personal:
            del self.fields["generic_percent"]


def picture_name(file_name: str, content_type: str) -> str:
    """Return the name of a picture as a text refers to it: small letters, digits, hyphens."""
    stem = re.sub(r"\.[^.]*$", "", file_name)
    ending = "png" if content_type == "image/png" else "jpg"
    return f"{slugify(stem)[:50] or 'picture'}.{ending}"
