"""The hosted question in a browser: looks, keyboard, no scripts, no cookies."""

import pytest

from feedback.models import Response
from tests.browser.looks import FEW_LOOKS
from tests.makers import make_touchpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def open_visitor(open_page, theme: str, width: int, **given):
    return open_page(width=width, color_scheme=theme, **given)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_scale_is_accessible_and_keeps_the_csp(open_page, language, theme, width):
    watched = open_visitor(open_page, theme, width)
    look = f"{language}-{theme}-{width}"
    for scale, value in (("thumb", 1), ("thumb", 0), ("nps", 6), ("csat", 5), ("ces", 2)):
        touchpoint = make_touchpoint(scale=scale)
        watched.visit(f"/v/{touchpoint.key}/?lang={language}&v={value}")
        watched.check(f"hosted-{scale}-{value}-{look}")
        if scale == "thumb":
            watched.page.click(".is-chosen")
        else:
            watched.page.click(".btn-primary")
        watched.page.click(".ci-why__btn >> nth=0")
        watched.check(f"hosted-{scale}-{value}-thanks-{look}")
    watched.visit(f"/v/nope/?lang={language}")
    watched.check(f"hosted-gone-{look}")
    assert watched.problems == []
    assert watched.page.context.cookies() == []
    assert Response.objects.count() == 5


def test_answering_by_keyboard_without_scripts(open_page):
    touchpoint = make_touchpoint(scale="nps")
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto(f"{watched.base}/v/{touchpoint.key}/?lang=en")
    page.keyboard.press("Tab")  # the skip link
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert not Response.objects.exists()
    page.keyboard.press("Enter")
    page.wait_for_selector("textarea")
    assert Response.objects.get().value == 3
    page.fill("textarea", "Slow delivery.\nTwice.")
    page.click("text=Too much effort")
    page.wait_for_selector("[aria-pressed=true]")
    answer = Response.objects.get()
    assert (answer.reason, answer.comment) == ("effort", "Slow delivery.\nTwice.")
    page.click("text=Change my answer")
    page.check("input[value='9']", force=True)
    page.click(".btn-primary")
    page.wait_for_selector("textarea")
    answer.refresh_from_db()
    assert (answer.value, answer.reason) == (9, "")
    assert page.input_value("textarea") == "Slow delivery.\nTwice."
    assert watched.problems == []


def test_going_back_and_pressing_the_other_button_changes_the_answer(open_page):
    touchpoint = make_touchpoint(scale="thumb")
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto(f"{watched.base}/v/{touchpoint.key}/?lang=nl&v=1")
    page.click("text=Ja")
    page.wait_for_selector("textarea")
    page.go_back()
    page.click("text=Nee")
    page.wait_for_selector("textarea")
    assert Response.objects.get().value == 0
    assert watched.problems == []
