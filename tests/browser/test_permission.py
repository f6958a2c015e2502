"""The page about permission in a real browser: its looks, its filters, its files, its warning."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from customers import triggers
from customers.models import (
    AskTally,
    ConsentEntry,
    ConsentForm,
    ConsentState,
    LedgerCheck,
    Wording,
)
from tests.browser.looks import FEW_LOOKS, choices
from tests.insights.permission_history import half_a_year

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def history(transactional_db) -> Iterator[None]:
    """Half a year of two purposes. It goes before the tables are emptied: the triggers would
    refuse that."""
    half_a_year(timezone.localdate(), purposes=2, people=45)
    yield
    triggers.remove(connection)
    for model in (AskTally, ConsentForm, ConsentState):
        model.objects.all().delete()
    ConsentEntry.objects.all()._raw_delete("default")
    Wording.objects.all()._raw_delete("default")
    triggers.install(connection)


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_the_page_is_accessible_and_keeps_the_csp(
    open_page, session, history, language, theme, width
):
    LedgerCheck.objects.create(checked_at=timezone.now(), entries=90)
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    watched.visit("/permission/")
    for summary in watched.page.query_selector_all("details.ci-details > summary"):
        summary.click()
    watched.check(f"permission-{language}-{theme}-{width}")
    watched.visit("/permission/?purpose=tips1&period=12m")
    watched.check()
    LedgerCheck.objects.create(checked_at=timezone.now(), entries=90, finding="gap", row=3)
    watched.visit("/permission/")
    assert watched.page.is_visible("[data-ledger-warning]")
    watched.check(f"permission-warning-{language}-{theme}-{width}")
    assert watched.problems == []


def test_an_empty_installation_says_what_to_do(open_page, session):
    watched = open_page(cookies=choices("en", "light") | session)
    watched.visit("/permission/")
    assert watched.page.is_visible("text=First say what you want to ask")
    watched.check()
    assert watched.problems == []


def test_a_filter_is_in_the_address_and_in_the_file(open_page, session, history):
    watched = open_page(cookies=choices("en", "light") | session)
    watched.visit("/permission/")
    with watched.page.expect_navigation():
        watched.page.select_option("select[name=purpose]", "tips1")
    assert "purpose=tips1" in watched.page.url
    assert watched.page.inner_text("h1").startswith("Tips 1:")
    with watched.page.expect_download() as download:
        watched.page.click("#texts .ci-tablefiles a >> nth=0")
    assert download.value.suggested_filename.startswith("permission-texts-")
    assert watched.problems == []
