"""From the opt-in form to the permission in a browser: by keyboard, without scripts, in a frame."""

import re
from collections.abc import Iterator

import pytest
from django.core import mail

from customers import public_optin
from customers.consent import State
from customers.limits import Limiter
from customers.models import ConsentForm, ConsentState, Customer, PurposeKind
from insights.tasks import send_letters
from tests.browser.hosts import site
from tests.customers.opt_in import ADDRESS, empty, second_text, text_of, token_in
from tests.makers import make_asked_purpose, make_consent_form

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db, monkeypatch) -> Iterator[None]:
    for name in ("per_address", "per_form"):
        monkeypatch.setattr(public_optin, name, Limiter(1_000))
    yield
    empty()


@pytest.fixture
def form() -> ConsentForm:
    return make_consent_form(second=make_asked_purpose(kind=PurposeKind.PROFILING))


def unexpected(watched) -> list[str]:
    """Leave out what Chromium says of pages of ours that answer with 410 or 422."""
    return [one for one in watched.problems if not re.search(r"status of (410|422)", one)]


def link_in_the_mail() -> str:
    send_letters.apply()
    return f"/confirm/{token_in(mail.outbox[-1])}/"


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("nl", "dark", 360), ("en", "light", 1440)]
)
def test_from_the_form_to_the_permission_by_keyboard(open_page, form, language, theme, width):
    watched = open_page(width=width, color_scheme=theme)
    page, press = watched.page, watched.page.keyboard.press
    look = f"{language}-{theme}-{width}"
    watched.visit(f"/opt-in/{form.key}/?lang={language}")
    watched.check(f"opt-in-{look}")
    assert page.locator("[type=checkbox]").is_checked() is False
    press("Tab")  # the skip link
    press("Tab")
    press("Space")
    press("Tab")  # who asks, and what is kept
    press("Tab")
    page.keyboard.type("noor")
    press("Enter")
    page.wait_for_selector("#email-problem")
    watched.settle()
    watched.check(f"opt-in-problem-{look}")
    assert page.locator("#tick").is_checked()
    page.focus("#email")
    press("ControlOrMeta+A")
    page.keyboard.type(ADDRESS)
    press("Enter")
    page.wait_for_selector("[name=step][value=second]", state="attached")
    watched.settle()
    watched.check(f"opt-in-second-{look}")
    assert page.locator("[type=checkbox]").is_checked() is False
    # The skip link, the box; then what unfolds who asks, the button.
    for key in ("Tab", "Tab", "Space", "Tab", "Tab", "Enter"):
        press(key)
    page.wait_for_selector("section h1")
    watched.settle()
    watched.check(f"opt-in-done-{look}")
    assert ADDRESS not in page.content()

    link = link_in_the_mail()
    watched.visit(link)
    watched.check(f"confirm-{look}")
    for text in (text_of(form, language), second_text(form, language)):
        assert text.label in mail.outbox[-1].body
        assert text.label in page.content()
    assert page.locator("html").get_attribute("lang") == language
    press("Tab")
    press("Tab")
    press("Enter")
    page.wait_for_selector("section h1")
    watched.settle()
    watched.check(f"confirmed-{look}")
    assert {state.state for state in ConsentState.objects.all()} == {State.GIVEN}
    assert Customer.objects.get().is_verified
    assert page.context.cookies() == []
    assert unexpected(watched) == []


def test_a_link_that_was_used_and_a_form_that_is_gone_are_pages_too(open_page):
    watched = open_page(width=360)
    for path in ("/confirm/nope/", "/opt-in/nope/?lang=nl"):
        watched.visit(path)
        watched.check()
    assert unexpected(watched) == []


def test_without_scripts_in_a_frame_of_the_shop_and_of_no_other(browser, live_server, form):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    frame = f'<iframe width="360" height="800" src="{live_server.url}/opt-in/{form.key}/"></iframe>'
    try:
        with site() as shop, site() as stranger:
            ConsentForm.objects.update(origins=[shop.url])
            page = context.new_page()
            page.goto(stranger.put("/thanks", frame))
            page.frames[1].wait_for_url("chrome-error://chromewebdata/")

            page.goto(shop.put("/thanks", frame))
            inside = page.frames[1]
            inside.check("#tick")
            inside.fill("#email", ADDRESS)
            inside.click(".btn-primary")
            inside.wait_for_selector("[name=step][value=second]", state="attached")
            inside.click(".btn-primary")
            inside.wait_for_selector("section h1")
            assert context.cookies() == []
    finally:
        context.close()
    link_in_the_mail()
    assert text_of(form).label in mail.outbox[-1].body
    assert second_text(form).label not in mail.outbox[-1].body
    assert ConsentState.objects.get().state == State.PENDING
