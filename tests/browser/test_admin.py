"""The admin and the pages of colleagues in a real browser, in a few looks."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from insights import colleagues
from insights.accounts import Role
from tests.browser.looks import FEW_LOOKS, choices
from tests.insights.test_admin import make_colleague, make_import

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PASSWORD = "a long enough password"


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_the_admin_is_accessible_and_keeps_the_csp(
    open_page, session, answers, language, theme, width
):
    job = make_import()
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in {"index": "/admin/", "answers": "/admin/feedback/response/"}.items():
        watched.visit(path)
        assert watched.page.get_attribute("html", "lang") == language
        watched.check(f"admin-{name}-{language}-{theme}-{width}")
    # Without axe, which takes the @import of a form's style sheet apart and offends the CSP itself.
    watched.visit(f"/admin/insights/importjob/{job.pk}/change/")
    assert watched.page.evaluate("window.violations") == []
    assert watched.problems == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_the_pages_of_colleagues_are_accessible_and_keep_the_csp(
    open_page, session, staff, language, theme, width
):
    noor = make_colleague("noor.voorbeeld@lindehuis.example", Role.MARKETER)
    colleagues.switch_off(pk=make_colleague("sam@lindehuis.example", Role.MARKETER).pk)
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    watched.visit("/settings/colleagues/")
    watched.page.fill("#id_email", "fenna.voorbeeld@lindehuis.example")
    watched.page.click("#submit-id-invite")
    watched.settle()
    watched.check(f"colleagues-{language}-{theme}-{width}")
    watched.visit(f"/settings/colleagues/{noor.pk}/")
    watched.check(f"colleague-{language}-{theme}-{width}")
    assert watched.problems == []


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_who_is_invited_joins(open_page, language, theme, width):
    staff = make_colleague("kim@lindehuis.example", Role.ADMINISTRATOR)
    sent = colleagues.invite(
        email="fenna@lindehuis.example", role=Role.MARKETER, inviter=staff, now=timezone.now()
    )
    path = colleagues.invitation_link(sent.user).removeprefix(settings.BASE_URL)
    watched = open_page(width=width, cookies=choices(language, theme))
    watched.visit(path)
    watched.check(f"join-{language}-{theme}-{width}")
    watched.page.fill("#id_name", "Fenna Voorbeeld")
    watched.page.fill("#id_password", PASSWORD)
    watched.page.click("#submit-id-join")
    watched.page.wait_for_url(watched.base + "/")
    watched.visit(path)
    watched.check(f"join-void-{language}-{theme}-{width}")
    assert User.objects.get(email="fenna@lindehuis.example").get_full_name() == "Fenna Voorbeeld"
    assert watched.problems == []


def test_the_link_of_an_invitation_is_copied(open_page, session):
    make_colleague("noor@lindehuis.example", Role.MARKETER)
    watched = open_page(cookies=session, permissions=["clipboard-read", "clipboard-write"])
    watched.visit("/settings/colleagues/")
    watched.page.fill("#id_email", "fenna@lindehuis.example")
    watched.page.click("#submit-id-invite")
    link = watched.page.inner_text("#invitation-link")
    watched.page.click("[data-copy]")
    assert watched.page.evaluate("navigator.clipboard.readText()") == link
    assert watched.problems == []
