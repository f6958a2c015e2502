"""Icons and verdict glyphs as inline SVG: they take the colour of the text beside them."""

import re
from functools import cache

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Shape says the direction, so that nothing depends on colour alone.
GLYPHS = {
    "up": '<path d="M6 1.2 11.4 10.8H.6Z" fill="currentColor"/>',
    "down": '<path d="M6 10.8.6 1.2h10.8Z" fill="currentColor"/>',
    "flat": '<path d="M1 4.2h10M1 7.8h10" stroke="currentColor" stroke-width="1.8" '
    'stroke-linecap="round"/>',
    "few": '<circle cx="6" cy="6" r="4.7" fill="none" stroke="currentColor" '
    'stroke-width="1.6" stroke-dasharray="2.4 2.4"/>',
}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return a Lucide icon from static/icons; it says nothing to a screen reader."""
    source = (settings.BASE_DIR / "static" / "icons" / f"{name}.svg").read_text()
    body = re.sub(r".*?<svg[^>]*>|</svg>", "", source, flags=re.DOTALL)
    return mark_safe(  # noqa: S308  (our own files)
        '<svg class="ci-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
        f"{' '.join(body.split())}</svg>"
    )


@register.simple_tag
def glyph(shape: str) -> SafeString:
    return mark_safe(  # noqa: S308  (our own shapes)
        f'<svg class="ci-glyph" viewBox="0 0 12 12" aria-hidden="true">{GLYPHS[shape]}</svg>'
    )
