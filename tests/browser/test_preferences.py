"""Unsubscribing, the preference page and the own page in a browser: looks, keyboard, presses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.consent import Actor, Grade, State
from customers.ledger import Act, record_consent
from customers.letters import Sender, send_due
from customers.models import (
    AccessKind,
    AccessLog,
    ConsentState,
    Customer,
    DataRequest,
    Purpose,
)
from customers.own_links import mail_asked_links
from customers.tokens import preferences_token, unsubscribe_token
from feedback.services import add_responses
from tests.browser.looks import FEW_LOOKS
from tests.customers.test_ledger_together import _emptied_afterwards  # noqa: F401
from tests.makers import an_answer, make_customer, make_purpose, make_touchpoint, make_wording

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

# What it takes to say yes on a form where the address is known: the tick and the button.
TO_GIVE = 2


@pytest.fixture
def noor() -> Customer:
    return make_customer(email="noor@example.org", language="nl")


@pytest.fixture
def tips(noor) -> Purpose:
    purpose = make_purpose(name_nl="Tips en aanbiedingen", name_en="Tips and offers")
    give(noor, purpose)
    return purpose


def give(customer: Customer, purpose: Purpose) -> None:
    now = timezone.now() - timedelta(days=100)
    texts = {"promised_messages": 2, "promised_days": 30, "published_at": now}
    make_wording(purpose=purpose, language="en", label="Yes, mail me tips.", **texts)
    act = Act(
        purpose=purpose,
        channel="email",
        state=State.GIVEN,
        actor=Actor.CUSTOMER,
        method="checkbox",
        occurred_at=now,
        address=customer.email,
        wording=make_wording(purpose=purpose, **texts),
        grade=Grade.B,
    )
    record_consent(customer=customer, act=act, now=now)


def unsubscribe_path(customer: Customer, purpose: Purpose) -> str:
    return f"/u/{unsubscribe_token(customer.pk, purpose.pk, 'email')}/"


def preferences_path(customer: Customer) -> str:
    return f"/preferences/{preferences_token(customer.pk)}/"


def mailed_path(mailoutbox) -> str:
    """Send what waits and return the address in the newest letter."""
    mail_asked_links(timezone.now())
    send_due(Sender("Lindehuis", "shop@example.org"), timezone.now())
    return "/preferences/" + mailoutbox[-1].body.split("/preferences/")[1].split("/")[0] + "/"


def state(purpose: Purpose) -> str:
    return ConsentState.objects.get(purpose=purpose).state


def press(watched, what: str) -> None:
    """Press once, and wait for the page that answers."""
    with watched.page.expect_navigation():
        watched.page.click(what)
    watched.settle()


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_is_accessible_and_keeps_the_csp(
    open_page, tips, mailoutbox, language, theme, width
):
    noor = Customer.objects.get()
    off = make_purpose(name_nl="Tips die passen", name_en="Tips that fit", kind="profiling")
    make_wording(purpose=off, published_at=timezone.now())
    make_wording(purpose=off, language="en", published_at=timezone.now())
    place = make_touchpoint(scale="thumb")
    add_responses(
        [an_answer(customer=noor, scale="thumb", value=1, touchpoint=place, comment="Goed.")]
    )
    AccessLog.objects.create(
        customer=noor, kind=AccessKind.PAGE, viewed_at=timezone.now(), viewer="1", role="marketer"
    )
    watched = open_page(width=width, color_scheme=theme)
    look, lang = f"{language}-{theme}-{width}", f"?lang={language}"

    watched.visit(unsubscribe_path(noor, tips) + lang)
    watched.check(f"unsubscribe-{look}")
    press(watched, ".btn-primary")
    watched.check(f"unsubscribed-{look}")
    press(watched, "[value=less]")
    watched.check(f"preferences-less-{look}")
    press(watched, "[value=usual]")
    watched.check(f"preferences-refused-{look}")
    press(watched, ".ci-answer [value=mail]")
    watched.check(f"preferences-mailed-{look}")
    watched.visit("/preferences/lost:link/" + lang)
    watched.check(f"preferences-lost-{look}")
    watched.page.fill("#email", "nobody@example.org")
    press(watched, ".btn-primary")
    watched.check(f"preferences-asked-{look}")
    assert watched.page.context.cookies() == []

    watched.visit(mailed_path(mailoutbox) + lang)
    watched.check(f"own-open-{look}")
    press(watched, ".btn-primary")
    watched.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    watched.check(f"own-page-{look}")
    for name in ("data", "correct", "erase"):
        watched.visit(f"/preferences/mine/{name}/{lang}")
        watched.check(f"own-{name}-{look}")
    watched.visit(f"/preferences/mine/{lang}")
    press(watched, "form[action*=close] button")
    watched.check(f"own-closed-{look}")
    assert watched.problems == []


def test_case_10_taking_back_takes_no_more_presses_than_giving(open_page, noor, tips):
    """Counted in a browser without scripts: opening the link of a mail, and then every press."""
    other = make_purpose(name_nl="Vragen wat je ervan vond", kind="survey")
    give(noor, other)
    watched = open_page(width=360, java_script_enabled=False)
    page = watched.page

    def presses_to_take_back(path: str, button: str, purpose: Purpose) -> int:
        assert state(purpose) == State.GIVEN
        page.goto(watched.base + path)
        # No login, nothing to type, no reason to give or choose.
        assert page.query_selector_all("input:not([type=hidden]), textarea, select") == []
        page.click(button)
        page.wait_for_selector(".ci-saved")
        assert state(purpose) == State.WITHDRAWN
        return 1

    by_mail = presses_to_take_back(unsubscribe_path(noor, tips), ".btn-primary", tips)
    by_page = presses_to_take_back(preferences_path(noor), "[role=switch]", other)
    assert by_mail <= 1 <= TO_GIVE
    assert by_page <= TO_GIVE


def test_everything_goes_off_by_keyboard_in_one_press(open_page, noor, tips):
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto(watched.base + preferences_path(noor) + "?lang=en")
    page.keyboard.press("Tab")  # the skip link
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Everything off"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Everything is off since")
    assert state(tips) == State.WITHDRAWN


def test_from_a_lowered_page_over_the_mailed_link_to_on_again_and_to_erasure(
    open_page, noor, tips, mailoutbox
):
    watched = open_page(width=360)
    page = watched.page
    watched.visit(preferences_path(noor) + "?lang=nl")
    press(watched, "[role=switch]")
    assert state(tips) == State.WITHDRAWN
    # Off is no button here.
    assert page.query_selector("[role=switch]") is None
    press(watched, "[value=mail]")
    watched.visit(mailed_path(mailoutbox) + "?lang=nl")
    press(watched, ".btn-primary")
    cookie = page.context.cookies()[0]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")

    page.click("details summary")
    box = page.locator("input[name=yes]")
    assert not box.is_checked()
    press(watched, ".ci-offer button")
    assert state(tips) == State.WITHDRAWN
    page.click("details summary")
    page.locator("input[name=yes]").check()
    press(watched, ".ci-offer button")
    assert state(tips) == State.GIVEN
    page.wait_for_selector("[role=switch][aria-checked=true]")
    noor.refresh_from_db()
    assert noor.is_verified

    with page.expect_download() as download:
        page.click("form[action*=download] button")
    assert download.value.suggested_filename == "my-data.json"
    press(watched, "a.btn-danger")
    assert page.evaluate("document.activeElement.getAttribute('href')").startswith(
        "/preferences/mine/"
    )
    press(watched, ".btn-danger")
    assert DataRequest.objects.get().kind == "erasure"
    assert page.context.cookies() == [] or "own_page" not in {
        one["name"] for one in page.context.cookies()
    }
    watched.visit("/preferences/mine/")
    page.wait_for_selector("#email")
    assert watched.problems == []
