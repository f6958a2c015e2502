"""What a file is by its first bytes, and how large a picture is by its header."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.logo import LONGEST_SIDE, MAX_BYTES, Flaw, Logo, LogoError, read_logo
from tests.pictures import jpeg, png, segment

EXIF = segment(0xE1, b"Exif\x00\x00" + bytes(40_000))
# A thumbnail inside a comment, with a size of its own.
INSIDE = segment(0xFE, jpeg(9, 9))

LOGOS = [
    pytest.param(png(120, 40), Logo("image/png", 120, 40), id="PNG"),
    pytest.param(png(1, 1), Logo("image/png", 1, 1), id="PNG of one pixel"),
    pytest.param(png(LONGEST_SIDE, 1), Logo("image/png", LONGEST_SIDE, 1), id="as long as fits"),
    pytest.param(jpeg(120, 40), Logo("image/jpeg", 120, 40), id="JPEG"),
    pytest.param(jpeg(frame=0xC2), Logo("image/jpeg", 120, 40), id="progressive JPEG"),
    pytest.param(jpeg(before=EXIF), Logo("image/jpeg", 120, 40), id="JPEG of a camera"),
    pytest.param(jpeg(before=INSIDE), Logo("image/jpeg", 120, 40), id="JPEG in a comment"),
    pytest.param(jpeg(before=b"\xff\xff"), Logo("image/jpeg", 120, 40), id="fill bytes"),
    pytest.param(
        png() + b"<script>alert(1)</script>", Logo("image/png", 120, 40), id="script behind a PNG"
    ),
    pytest.param(png(1, 1).ljust(MAX_BYTES, b"\0"), Logo("image/png", 1, 1), id="as heavy as fits"),
]

NO_LOGOS = [
    pytest.param(b"", Flaw.EMPTY, id="nothing"),
    pytest.param(png(1, 1).ljust(MAX_BYTES + 1, b"\0"), Flaw.HEAVY, id="one byte too many"),
    pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Flaw.SVG, id="SVG"),
    pytest.param(b"\xef\xbb\xbf<?xml version='1.0'?>\n<SVG onload='x()'>", Flaw.SVG, id="SVG, XML"),
    pytest.param(b"<html><script>alert(1)</script>", Flaw.OTHER_TYPE, id="HTML"),
    pytest.param(b"GIF89a\x01\x00\x01\x00", Flaw.OTHER_TYPE, id="GIF"),
    pytest.param(b"RIFF\x24\x00\x00\x00WEBPVP8 ", Flaw.OTHER_TYPE, id="WebP"),
    pytest.param(b"\x89PNG\r\n", Flaw.OTHER_TYPE, id="half a signature"),
    pytest.param(png()[:20], Flaw.BROKEN, id="PNG cut off in its header"),
    pytest.param(png().replace(b"IHDR", b"tEXt"), Flaw.BROKEN, id="PNG without a header"),
    pytest.param(b"\x89PNG\r\n\x1a\n<script>" + bytes(99), Flaw.BROKEN, id="script as a PNG"),
    pytest.param(jpeg(0, 40), Flaw.BROKEN, id="no width"),
    pytest.param(jpeg(120, 0), Flaw.BROKEN, id="no height"),
    pytest.param(jpeg()[:-15], Flaw.BROKEN, id="JPEG cut off in its header"),
    pytest.param(b"\xff\xd8\xff\xda" + bytes(99), Flaw.BROKEN, id="JPEG without a frame"),
    pytest.param(b"\xff\xd8" + segment(0xC4, b"x") + bytes(99), Flaw.BROKEN, id="a table alone"),
    pytest.param(b"\xff\xd8\xff\xe0" + bytes(99), Flaw.BROKEN, id="a segment of no length"),
    pytest.param(b"\xff\xd8" + b"\xff" * 9_000, Flaw.BROKEN, id="fill bytes without end"),
    pytest.param(png(LONGEST_SIDE + 1, 1), Flaw.LARGE, id="one pixel too wide"),
    pytest.param(
        png()[:16] + pack(">II", 2**31, 2**31) + png()[24:], Flaw.LARGE, id="decompression bomb"
    ),
    pytest.param(jpeg(65_535, 65_535), Flaw.LARGE, id="the largest JPEG"),
]


@pytest.mark.parametrize(("data", "found"), LOGOS)
def test_a_logo_is_known_by_its_first_bytes(data, found):
    assert read_logo(data) == found


@pytest.mark.parametrize(("data", "flaw"), NO_LOGOS)
def test_anything_else_is_refused_and_says_why(data, flaw):
    with pytest.raises(LogoError) as refused:
        read_logo(data)
    assert refused.value.flaw is flaw


@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", png()[:29], jpeg()]),
    st.binary(max_size=300),
)
def test_no_file_breaks_the_reader(beginning, rest):
    try:
        found = read_logo(beginning + rest)
    except LogoError:
        return
    assert 0 < found.width <= LONGEST_SIDE
    assert 0 < found.height <= LONGEST_SIDE
