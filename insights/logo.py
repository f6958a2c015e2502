"""What a logo may be: a PNG or JPEG, known by its first bytes, of a size that fits a page.

Pure: standard library only, no Django, no clock, no I/O.
Only the header is read. What comes after it is for browsers, which get it with a fixed content
type, so nothing in it can be taken for a page or a script.
Sources: PNG, third edition, 5.2 and 11.2.1 (signature, IHDR); ITU-T T.81, B.1.1 and B.2.2
(markers, frame header).
"""

from dataclasses import dataclass
from enum import StrEnum
from struct import unpack_from

# 100 KB: it is on every page for customers, also for those on a phone.
MAX_BYTES = 100 * 1024
# It is shown 48 px high at most; a picture of more is a photograph.
LONGEST_SIDE = 2_000

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = b"\x00\x00\x00\x0dIHDR"
_JPEG = b"\xff\xd8\xff"
# The frame headers of JPEG: FFC0 to FFCF without the tables that lie between them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# After these come picture data, the end, or nonsense: no frame header.
_ENDS = frozenset(range(0xD0, 0xDB)) | {0x00, 0x01}


class Flaw(StrEnum):
    """Why a file is no logo."""

    EMPTY = "empty"
    HEAVY = "heavy"
    SVG = "svg"
    OTHER_TYPE = "other type"
    BROKEN = "broken"
    LARGE = "large"


class LogoError(ValueError):
    """A file that is no logo: why, and its size in pixels where that is the reason."""

    def __init__(self, flaw: Flaw, width: int = 0, height: int = 0) -> None:
        super().__init__(
            f"The file is no logo: {flaw}. Take a PNG or JPEG of at most {MAX_BYTES} bytes and "
            f"{LONGEST_SIDE} pixels on each side."
        )
        self.flaw = flaw
        self.width, self.height = width, height


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture as its header describes it; width and height in pixels."""

    content_type: str
    width: int
    height: int


def read_logo(data: bytes, most: int = MAX_BYTES) -> Logo:
    """Return what a file holds; raise LogoError if it is no logo, or more than `most` bytes."""
    if not data:
        raise LogoError(Flaw.EMPTY)
    if len(data) > most:
        raise LogoError(Flaw.HEAVY)
    if data.startswith(_PNG):
        return _checked("image/png", _png_size(data))
    if data.startswith(_JPEG):
        return _checked("image/jpeg", _jpeg_size(data))
    raise LogoError(Flaw.SVG if _is_svg(data) else Flaw.OTHER_TYPE)


def _checked(content_type: str, size: tuple[int, int]) -> Logo:
    width, height = size
    if not width or not height:
        raise LogoError(Flaw.BROKEN)
    if max(size) > LONGEST_SIDE:
        raise LogoError(Flaw.LARGE, width, height)
    return Logo(content_type, width, height)


def _png_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, zeros if its header is not there."""
    if len(data) < 33 or data[8:16] != _PNG_HEADER:
        return 0, 0
    width, height = unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG, zeros if it has no frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = unpack_from(">HH", data, at + 5)
            return width, height
        if marker in _ENDS:
            break
        if marker == 0xFF:  # any number of these may stand before a marker
            at += 1
            continue
        # A segment says how long it is, itself included: never less than these two bytes.
        at += 2 + max(2, *unpack_from(">H", data, at + 2))
    return 0, 0


def _is_svg(data: bytes) -> bool:
    return b"<svg" in data[:4_096].lower()
