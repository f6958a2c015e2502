"""A tick as customers see it: one box, one sentence, what it means and how to take it back.

The template has no parameter for a box that is ticked, required or hidden.
"""

from typing import Protocol

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString


class Shown(Protocol):
    """What a tick needs of a wording, published or not."""

    @property
    def label(self) -> str: ...
    @property
    def helper(self) -> str: ...
    @property
    def details(self) -> str: ...
    @property
    def controller(self) -> str: ...
    @property
    def data_types(self) -> str: ...
    @property
    def recipients(self) -> str: ...
    @property
    def retention(self) -> str: ...
    @property
    def way_out(self) -> str: ...


def tick(wording: Shown, *, language: str, name: str, id: str) -> SafeString:
    """Return the HTML of a tick in a language, whatever the reader's own is."""
    with translation.override(language):
        context = {"wording": wording, "name": name, "id": id, "language": language[:2]}
        return render_to_string("customers/_tick.html", context)
