"""A send list in a real browser, the whole way: made, fetched, voted on, reported back."""

import csv
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from customers.models import ConsentState, Contact, Decision, Suppression
from feedback.models import Response
from insights.tasks import failed_jobs
from mailings.models import Mailing
from tests.browser.looks import FEW_LOOKS, choices
from tests.customers.test_contacts_api import awake_all_night
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
)
from tests.makers import make_category, make_permitted, make_touchpoint

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def shop(_emptied_afterwards):  # noqa: F811
    """Eight customers who permit it, and a thumb to put under mails."""
    awake_all_night()
    for number in range(8):
        make_permitted(reference=f"K-{number}", email=f"k{number}@example.org")
    make_category(name="Telefoons", involvement="high", rated_at=timezone.now())
    make_touchpoint(scale="thumb", name="Onder mails", labels="good")
    yield
    # They go before the ledger does: what points into it.
    Mailing.objects.all().delete()
    Contact.objects.all().delete()
    Decision.objects.all().delete()
    Suppression.objects.all().delete()


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_a_send_list_the_whole_way(  # noqa: PLR0915, PLR0917
    open_page, session, shop, tmp_path, language, theme, width
):
    shot = f"{language}-{theme}-{width}"
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    watched.visit("/mailings/")
    watched.check(f"mailings-empty-{shot}")
    page.click(".ci-empty a")
    watched.settle()
    watched.check(f"mailing-new-{shot}")
    page.click("[name=save]")
    watched.settle()
    watched.check(f"mailing-new-wrong-{shot}")
    page.fill("#id_name", "Wintercheck")
    page.check("[name=means][value=list]")
    page.select_option("#id_category", label="Telefoons")
    page.select_option("#id_touchpoint", label="Onder mails")
    at = timezone.localtime() + timedelta(hours=1)
    page.fill("#id_planned_at", at.strftime("%Y-%m-%dT%H:%M"))
    page.click("[name=save]")
    watched.settle()
    page.fill("#customer", "K-1")
    page.click("#look button")
    watched.settle()
    watched.check(f"mailing-draft-{shot}")
    page.click("form[action$='/start/'] button")
    watched.settle()
    watched.check(f"mailing-reserving-{shot}")
    assert failed_jobs("mailings", timezone.now()) == []
    page.reload()
    watched.settle()
    watched.check(f"mailing-ready-{shot}")
    rows = fetched(page)
    assert len(rows) == 8

    # Somebody opens the link of the mail, and presses.
    link = urlsplit(rows[0]["thumb_up"])
    watched.visit(f"{link.path}?{link.query}&lang={language}")
    watched.check(f"rated-{shot}")
    page.click("button.is-chosen")
    watched.settle()
    watched.check(f"rated-thanks-{shot}")
    assert Response.objects.get().value == 1

    path = tmp_path / "verslag.csv"
    outcomes = ["sent"] * 5 + ["bounced", "unsubscribed", "not_sent"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("contact", "outcome"))
        writer.writerows(zip((row["contact"] for row in rows), outcomes, strict=True))
    watched.visit("/imports/")
    page.select_option("#id_kind", "reports")
    page.set_input_files("#id_file", path)
    page.click("#submit-id-upload")
    watched.settle()
    watched.check(f"report-columns-{shot}")
    page.click("main .btn-primary")
    watched.settle()
    page.click("main form .btn-primary")
    page.wait_for_selector("progress")
    assert failed_jobs("imports", timezone.now()) == []
    status = sorted(Contact.objects.values_list("status", flat=True))
    assert status == ["failed", "released"] + ["sent"] * 6
    assert ConsentState.objects.filter(state="withdrawn").count() == 1
    watched.visit(f"/mailings/{Mailing.objects.get().pk}/")
    watched.check(f"mailing-done-{shot}")
    assert watched.problems == []


def fetched(page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.click("form[action$='/list.csv'] button")
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
