"""Reading a page as a browser gets it: boxes, what is wrong with them, and its buttons."""

import pytest

from customers.gate import Screen, faults_of_screen
from customers.screens import screen_of

BOX = '<label><input type="checkbox" name="permit" value="yes">Ja</label>'


def test_an_honest_page_has_no_fault():
    page = f'<form>{BOX}<button class="btn btn-primary">Verder</button></form>'
    assert screen_of(page) == Screen(1, yes_style="btn btn-primary", no_style="btn btn-primary")
    assert faults_of_screen(screen_of(page)) == []


@pytest.mark.parametrize(
    "box",
    [
        '<input type="checkbox" checked>',
        '<INPUT TYPE="CHECKBOX" CHECKED="">',
        "<input type=checkbox checked=false>",
        '<input type="checkbox" aria-checked="true">',
        '<input type="radio" checked/>',
    ],
)
def test_a_box_that_is_ticked_beforehand_is_found(box):
    assert screen_of(BOX + box) == Screen(2, ticked=True)


@pytest.mark.parametrize(
    "box", ['<input type="checkbox" required>', '<input type="checkbox" aria-required="true">']
)
def test_a_required_box_is_found(box):
    assert screen_of(box) == Screen(1, required=True)


@pytest.mark.parametrize(
    "page",
    [
        '<input type="checkbox" hidden>',
        '<div hidden><p>x<br></p><span><input type="checkbox"></span></div>',
        '<input type="checkbox" class="form-check-input d-none">',
        '<div style="display : none"><input type="checkbox"></div>',
        '<div aria-hidden="true"><input type="checkbox"></div>',
        '<details><summary>More</summary><input type="checkbox"></details>',
    ],
)
def test_a_box_out_of_sight_is_found(page):
    assert screen_of(page) == Screen(1, hidden=True)


def test_what_is_hidden_elsewhere_hides_no_box():
    page = f'<p hidden>x<img></p><input type="hidden" name="t"><details open>{BOX}</details>{BOX}'
    assert screen_of(page) == Screen(2)


def test_buttons_that_send_are_compared_by_their_classes():
    same = '<button class="b a">Ja</button><input type="submit" class="a b">'
    assert faults_of_screen(screen_of(same)) == []
    louder = same + '<button class="a">Nee</button><button type="button" class="c">x</button>'
    (fault,) = faults_of_screen(screen_of(louder))
    assert (fault.code, dict(fault.values)) == ("unequal", {"yes": "a b", "no": "a"})


def test_four_boxes_are_too_many():
    assert [fault.code for fault in faults_of_screen(screen_of(BOX * 4))] == ["too_many"]
