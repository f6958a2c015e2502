"""Colours people can read: contrast as WCAG 2.2 computes it, and the nearest shade that passes.

Pure: standard library only, no Django, no clock, no I/O.
Source: WCAG 2.2, "relative luminance" and "contrast ratio"; 1.4.3 asks 4.5 : 1 for text.
"""

import re

ENOUGH = 4.5
# The paper of the widget, light and dark (static/widget/widget.js).
LIGHT_PAPER = "#ffffff"
DARK_PAPER = "#171e29"

_HEX = re.compile(r"#[0-9a-f]{6}")
_STEPS = 256


class ColourError(ValueError):
    """Not a colour, or one that cannot be read: then with its contrast and a shade that can."""

    def __init__(self, message: str, contrast: float = 0.0, proposal: str = "") -> None:
        super().__init__(message)
        self.contrast = contrast
        self.proposal = proposal


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", from 0 (black) to 1 (white)."""
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, paper: str) -> str:
    """Return `colour`, or its nearest shade with contrast 4.5 : 1 to `paper`.

    Mixed with black on light paper and with white on dark paper, in steps of 1/256.
    """
    target = (0, 0, 0) if luminance(paper) > 0.18 else (255, 255, 255)
    for step in range(_STEPS):
        shade = _mixed(colour, target, step / _STEPS)
        if contrast(shade, paper) >= ENOUGH:
            return shade
    return _mixed(colour, target, 1)


def check_accent(colour: str) -> str:
    """Return an accent colour in lower case, else raise ColourError with a shade that would do."""
    accent = colour.strip().lower()
    if not _HEX.fullmatch(accent):
        raise ColourError(f"{colour[:20]!r} is not a colour; write it as #3c48b8.")
    ratio = contrast(accent, LIGHT_PAPER)
    if ratio < ENOUGH:
        # Cut off, not rounded: 4.46 must not read as the 4.5 it falls short of.
        ratio, proposal = int(ratio * 10) / 10, readable(accent, LIGHT_PAPER)
        raise ColourError(
            f"Contrast with white is {ratio} : 1. Text needs {ENOUGH} : 1; try {proposal}.",
            contrast=ratio,
            proposal=proposal,
        )
    return accent


def on_dark(accent: str) -> str:
    """Return the shade of an accent colour for dark paper."""
    return readable(accent, DARK_PAPER)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _mixed(colour: str, target: tuple[int, int, int], share: float) -> str:
    mixed = (
        round(own + (other - own) * share)
        for own, other in zip(_parts(colour), target, strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)
