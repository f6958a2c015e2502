"""Notes of what happened in a real browser: how they look, written by keyboard, read as typed."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from insights.annotations import annotate
from tests.browser.looks import FEW_LOOKS, choices
from tests.insights.test_annotations import HOSTILE

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

WORDY = "A sale of all bedding and pillows, in the shop and on the site, for one weekend."


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def note(said: str, days: int, by: User) -> int:
    return annotate(on=days_ago(days), text=said, by=by, now=timezone.now()).pk


PICTURE = ".ci-picture .t-event"
PLOTLY = "[data-chart] .annotation-text"


def in_the_chart(page, texts: str = PICTURE) -> list[str]:
    """What the chart says of events, without the day."""
    shown = page.locator(f"{texts}:visible").all_text_contents()
    return [text.partition(": ")[2] for text in shown if ": " in text]


def in_the_list(page) -> list[str]:
    return [text.partition(": ")[2] for text in page.locator(".ci-events li").all_text_contents()]


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_looks_right(open_page, session, staff, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit("/annotations/?next=/")
    watched.check(f"annotations-empty-{shot}")
    page.fill("#id_on", str(days_ago(-400)))
    page.fill("#id_text", "x" * 81)
    page.press("#id_text", "Enter")
    watched.settle()
    assert page.locator(".invalid-feedback").count() == 2
    watched.check(f"annotations-wrong-{shot}")

    for days, said in enumerate(["W" * 80, WORDY, "<b>new</b> courier"]):
        pk = note(said, 20 + 30 * days, staff)
    note("Sale", -20, staff)
    for name, path in {
        "annotations": "/annotations/",
        "annotation": f"/annotations/{pk}/",
        "annotation-drop": f"/annotations/{pk}/drop/",
        "overview-annotated": "/?kpi=nps",
        "satisfaction-annotated": "/satisfaction/?kpi=nps",
    }.items():
        watched.visit(path)
        watched.check(f"{name}-{shot}")
    assert watched.problems == []


def test_a_note_is_written_by_keyboard_and_stands_on_the_chart(open_page, session, answers):
    watched = open_page(cookies=choices("en", "light") | session, locale="en-US")
    page, keyboard = watched.page, watched.page.keyboard
    watched.visit("/?kpi=nps")
    assert (in_the_chart(page), in_the_list(page)) == ([], [])
    page.focus(".ci-happened a")
    with page.expect_navigation():
        keyboard.press("Enter")
    watched.settle()
    page.focus("#id_on")
    keyboard.type(f"{days_ago(40):%m%d%Y}")
    while page.evaluate("document.activeElement.id") != "id_text":
        keyboard.press("Tab")
    keyboard.type("<b>new</b> courier & co")
    keyboard.press("Enter")
    page.wait_for_url(watched.base + "/?kpi=nps")
    watched.settle()
    assert "Noted on " in page.inner_text(".ci-toast")
    assert in_the_list(page) == in_the_chart(page) == ["<b>new</b> courier & co"]

    watched.visit("/annotations/")
    page.click("text=Delete")
    watched.settle()
    page.click(".btn-danger")
    watched.settle()
    assert "was deleted" in page.inner_text(".ci-toast")
    watched.visit("/?kpi=nps")
    assert (in_the_chart(page), in_the_list(page)) == ([], [])
    assert watched.problems == []


def test_what_was_typed_is_what_is_read_in_chart_and_list(open_page, session, staff, answers):
    """Plotly makes bold text, links and values of these, if they are not escaped for it."""
    said = [*HOSTILE, "&lt;b&gt;", "20% off", "{{ 7 * 7 }}", "a \"quoted\" 'text'"]
    watched = open_page(width=1440, cookies=session)
    for text in said:
        pk = note(text, 40, staff)
        watched.visit("/?kpi=nps")
        assert in_the_list(watched.page) == in_the_chart(watched.page) == [text]
        watched.explore()
        assert in_the_chart(watched.page, PLOTLY) == [text]
        made = "[data-picture] a, [data-picture] b, [data-chart] .annotation a, [data-chart] b"
        assert watched.page.locator(made).count() == 0
        assert watched.page.evaluate("window.__xss") is None
        watched.visit(f"/annotations/{pk}/drop/")
        watched.page.click(".btn-danger")
    assert watched.problems == []


def test_long_words_stay_in_the_chart_and_are_whole_below_it(open_page, session, staff, answers):
    """At the left, in the middle and at the right, and in charts of several widths."""
    said = {180: WORDY, 91: "W" * 80, 2: f"Again: {WORDY}"[:80]}
    for days, text in said.items():
        note(text, days, staff)
    watched = open_page(cookies=session)
    page = watched.page
    for width in (900, 1210, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        watched.visit("/?kpi=nps")
        assert in_the_list(page) == [*said.values()]
        assert_it_is_whole_or_cut(in_the_chart(page), said)
        watched.explore()
        assert_it_is_whole_or_cut(in_the_chart(page, PLOTLY), said)
        plot = page.locator("[data-chart] .xy .gridlayer").bounding_box()
        for words in page.locator("[data-chart] .annotation-text").filter(has_text=": ").all():
            box = words.bounding_box()
            assert plot["x"] <= box["x"]
            assert box["x"] + box["width"] <= plot["x"] + plot["width"]
    assert watched.problems == []


def assert_it_is_whole_or_cut(shown: list[str], said: dict[int, str]) -> None:
    assert [text[:5] for text in shown] == ["Again", "WWWWW", "A sal"]
    assert all(text.endswith("…") or text in said.values() for text in shown)


def test_a_phone_has_the_line_in_the_chart_and_the_words_below_it(
    open_page, session, staff, answers
):
    note(WORDY, 40, staff)
    watched = open_page(width=360, cookies=session)
    watched.visit("/?kpi=nps")
    assert (in_the_chart(watched.page), in_the_list(watched.page)) == ([], [WORDY])
    assert watched.page.locator(".ci-picture:visible .s-event").count() == 1
    watched.explore()
    assert in_the_chart(watched.page, PLOTLY) == []
    assert watched.problems == []
