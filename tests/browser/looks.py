"""The ways a page can look: language, theme and width."""

import pytest
from django.conf import settings

# Each pair of two occurs: half of all eight, and every page is seen both ways in all three.
LOOKS = [
    pytest.param(language, theme, width, id=f"{language}-{theme}-{width}")
    for language, theme, width in (
        ("nl", "light", 1440),
        ("nl", "dark", 360),
        ("en", "light", 360),
        ("en", "dark", 1440),
    )
]

# Each value once: for pages that are built of parts which the other pages show in every look.
FEW_LOOKS = [LOOKS[0], pytest.param("en", "dark", 360, id="en-dark-360")]


def choices(language: str, theme: str) -> dict[str, str]:
    """The cookies of a reader who chose these."""
    return {settings.LANGUAGE_COOKIE_NAME: language, "theme": theme}
