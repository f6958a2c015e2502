"""The pages about the dose in a real browser, in both languages, themes and widths."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.dose_documents import document_of
from customers.models import Contact
from customers.policies import save_draft
from customers.starting_policy import starting_policy
from tests.browser.looks import FEW_LOOKS, choices
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
)
from tests.makers import known_policy, make_category, make_contact, make_permitted

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PAGES = {
    "dosing": "/dosing/",
    "dosing-audience": "/dosing/audience/",
    "dosing-funnel": "/dosing/audience/?kind=promotion&channel=email&category=",
    "policy": "/dosing/policy/",
    "policy-edit": "/dosing/policy/edit/",
    "policy-compare": "/dosing/policy/compare/",
    "policy-drop": "/dosing/policy/drop/",
    "involvement": "/dosing/involvement/",
    "customer-dose": "/customers/K-3/",
}


@pytest.fixture
def contacts(_emptied_afterwards):  # noqa: F811
    """Some customers at their limit, some who may be reached."""
    now, policy = timezone.now(), known_policy()
    make_category(name="Deurmatten")
    document = document_of(starting_policy())
    document["cells"][-1]["gap_hours"] = 48
    save_draft(document=document, note="Minder.", editor="Mila", now=now)
    cases = make_category(name="Telefoonhoesjes", involvement="low", rated_at=now)
    for number in range(12):
        noor = make_permitted(reference=f"K-{number}")
        for days in range(number % 4):
            make_contact(
                noor,
                now - timedelta(days=9 * days + 1),
                category=cases,
                involvement="low",
                policy=policy,
            )
    yield
    # It goes before the ledger does: what points into it.
    Contact.objects.all().delete()


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_pages_about_the_dose_are_accessible_and_keep_the_csp(
    open_page, session, contacts, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in PAGES.items():
        watched.visit(path)
        assert watched.page.get_attribute("html", "lang") == language
        watched.check(f"{name}-{language}-{theme}-{width}")
    watched.visit("/dosing/involvement/")
    watched.page.click("main table a >> nth=0")
    watched.settle()
    watched.check(f"involvement-rate-{language}-{theme}-{width}")
    watched.visit("/dosing/policy/compare/")
    watched.page.click("form[action$='/backtest/'] button")
    watched.settle()
    watched.check(f"policy-backtest-{language}-{theme}-{width}")
    assert watched.problems == []
