"""Why an uploaded file is no picture that may be shown, in words."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from insights import logo
from insights.logo import Flaw, LogoError
from insights.templatetags.numbers import number

LONGEST_FILE_NAME = 60

TOO_LARGE = _("The file is too large.")
FLAWS: Mapping[Flaw, Any] = {
    Flaw.EMPTY: _("“%(file)s” is empty."),
    Flaw.HEAVY: _("“%(file)s” is %(size)s, and customers on a phone wait for it."),
    Flaw.SVG: _(
        "“%(file)s” is an SVG. Such a file can hold a script, which would run in the browsers of "
        "your customers."
    ),
    Flaw.OTHER_TYPE: _("“%(file)s” is no PNG or JPEG, whatever its name says."),
    Flaw.BROKEN: _("“%(file)s” begins as a picture, and how large it is cannot be read."),
    Flaw.LARGE: _(
        "“%(file)s” is %(width)s by %(height)s pixels; at most %(side)s fit on each side."
    ),
}


def refusal(upload: "UploadedFile[bytes]", error: LogoError, way_out: Any) -> ValidationError:
    """Return what a form says of a file; `way_out` is the sentence that says what to do."""
    facts = {
        "file": (upload.name or "")[:LONGEST_FILE_NAME],
        "size": filesizeformat(upload.size or 0),
        "width": number(error.width),
        "height": number(error.height),
        "side": number(logo.LONGEST_SIDE),
    }
    return ValidationError(f"{FLAWS[error.flaw] % facts} {way_out}")
