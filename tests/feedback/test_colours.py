"""Contrast as WCAG computes it, and shades that can be read."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.colours import (
    DARK_PAPER,
    ENOUGH,
    LIGHT_PAPER,
    ColourError,
    check_accent,
    contrast,
    luminance,
    on_dark,
    readable,
)

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")

# As published with WCAG and by the checkers that people use.
KNOWN = [
    ("#000000", "#ffffff", 21.0),
    ("#ffffff", "#ffffff", 1.0),
    ("#767676", "#ffffff", 4.54),
    ("#777777", "#ffffff", 4.48),
    ("#ff0000", "#ffffff", 4.00),
    ("#008000", "#ffffff", 5.14),
    ("#0000ff", "#ffffff", 8.59),
    ("#ffff00", "#ffffff", 1.07),
    ("#00ffff", "#000000", 16.75),
    ("#808080", "#000000", 5.32),
    ("#949494", "#ffffff", 3.03),
    ("#595959", "#ffffff", 7.00),
]


@pytest.mark.parametrize(("one", "other", "ratio"), KNOWN)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


def test_luminance_goes_from_black_to_white():
    assert (luminance("#000000"), luminance("#ffffff")) == (0, pytest.approx(1))
    assert luminance("#808080") == pytest.approx(0.21586, abs=1e-5)


@given(colours, colours)
def test_contrast_looks_the_same_from_both_sides(one, other):
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.0000001


@given(colours, colours)
def test_a_shade_can_always_be_read(colour, paper):
    shade = readable(colour, paper)
    assert contrast(shade, paper) >= ENOUGH
    assert readable(shade, paper) == shade


@given(colours)
def test_what_can_be_read_stays_as_it_is(colour):
    for paper in (LIGHT_PAPER, DARK_PAPER):
        assert (readable(colour, paper) == colour) == (contrast(colour, paper) >= ENOUGH)


@pytest.mark.parametrize(
    ("colour", "light", "dark"),
    [
        ("#ffff00", "#7a7a00", "#ffff00"),
        ("#000000", "#000000", "#858585"),
        ("#777777", "#767676", "#858585"),
    ],
)
def test_a_shade_is_the_nearest(colour, light, dark):
    assert (readable(colour, LIGHT_PAPER), on_dark(colour)) == (light, dark)


@pytest.mark.parametrize(
    ("given", "accent"),
    [("#3c48b8", "#3c48b8"), (" #3C48B8\n", "#3c48b8"), ("#000000", "#000000")],
)
def test_an_accent_is_taken(given, accent):
    assert check_accent(given) == accent


@pytest.mark.parametrize(
    "text",
    [
        *["", "#", "red", "3c48b8", "#3c48b", "#3c48b88", "#3c48bg", "#abc", "rgb(0,0,0)"],
        *["#3c48b8;color:red", "url(x)", "#３c48b8", "var(--x)", "#3c 48b8", "x" * 9_999],
    ],
)
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ColourError, match=r"is not a colour; write it as #3c48b8\.$") as refused:
        check_accent(text)
    assert len(str(refused.value)) < 100


def test_an_accent_that_cannot_be_read_is_refused_with_one_that_can():
    with pytest.raises(ColourError) as refused:
        check_accent("#777777")
    assert str(refused.value) == (
        "Contrast with white is 4.4 : 1. Text needs 4.5 : 1; try #767676."
    )


@given(colours)
def test_the_proposed_accent_is_taken(colour):
    try:
        assert check_accent(colour) == colour
    except ColourError as error:
        proposed = str(error)[-8:-1]
        assert check_accent(proposed) == proposed


def test_the_paper_is_that_of_the_widget():
    widget = (Path(__file__).parents[2] / "static/widget/widget.js").read_text()
    light, dark = re.search(r"--ciw-bg:\s*light-dark\((#\w+),\s*(#\w+)\)", widget).groups()
    assert (light, dark) == ("#fff", DARK_PAPER)
    assert contrast(LIGHT_PAPER, "#ffffff") == 1
