"""SVG from a library, put into the page itself: a data: image would break the CSP."""

import re

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def inline_svg(source: str) -> SafeString:
    """Return the QR code of allauth without its XML declaration, and with a name."""
    svg = re.sub(r"<\?xml.*?\?>", "", source)
    label = _("Square code for your authenticator app")
    return mark_safe(  # noqa: S308  (drawn by allauth's own library)
        svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    )
