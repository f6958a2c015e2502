"""A mailing in a real browser, the whole way: written, sent, voted on, and what came of it.

The mails go to a real mail server. One script plays the mail program of somebody who reads and
presses, another a scanner that fetches every link.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Contact, Decision, Suppression
from feedback.models import Response
from insights.tasks import failed_jobs
from mailings.audience import choose
from mailings.models import Delivery, GoesWith, Mailing
from mailings.picking import count_picks
from tests.browser.looks import FEW_LOOKS, choices
from tests.customers.test_contacts_api import awake_all_night
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
)
from tests.mailings.smtp import MailServer, started
from tests.mailings.test_picking import bought, permitting
from tests.mailings.test_sending import make_message
from tests.makers import make_category, make_customer, make_permitted, make_product, make_touchpoint

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def shop(_emptied_afterwards, settings):  # noqa: F811
    """A vacuum cleaner goes with its bags; six may be mailed, for three of them may be picked."""
    settings.DEFAULT_FROM_EMAIL = "Lindehuis <post@lindehuis.example>"
    awake_all_night()
    vacuum, bags = make_product(name="Stofzuiger"), make_product(name="Stofzuigerzakken")
    for _ in range(10):
        bought(make_customer(), vacuum, bags)
    for _ in range(10):
        bought(make_customer(), make_product())
    count_picks(timezone.now())
    for number in range(6):
        make = permitting if number < 3 else make_permitted
        bought(make(reference=f"K-{number}", email=f"k{number}@example.org", language="nl"), vacuum)
    make_category(name="Huishouden", involvement="medium", rated_at=timezone.now())
    make_touchpoint(scale="thumb", name="Onder mails", labels="good")
    yield
    # They go before the ledger does: what points into it.
    Delivery.objects.all().delete()
    Mailing.objects.all().delete()
    GoesWith.objects.all().delete()
    Contact.objects.all().delete()
    Decision.objects.all().delete()
    Suppression.objects.all().delete()


@pytest.fixture
def server(settings):
    server = MailServer()
    controller = started(server)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    yield server
    controller.stop()


def links(message) -> list[str]:
    html = message.get_body(("html",)).get_content()
    return [one.replace("&amp;", "&") for one in re.findall(r'href="(http[^"]*)"', html)]


def local(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def scan(message) -> None:
    """What a scanner does: fetch every link in a mail, twice, and look at the heads too."""
    visitor = Client()
    for link in links(message):
        if "localhost" in link:
            for fetch in (visitor.head, visitor.get, visitor.get):
                assert fetch(local(link)).status_code == 200


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_a_mailing_the_whole_way(  # noqa: PLR0915, PLR0917
    open_page, session, shop, server, language, theme, width
):
    shot = f"{language}-{theme}-{width}"
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page = watched.page
    watched.visit("/mailings/new/")
    page.fill("#id_name", "Schoon de winter door")
    page.select_option("#id_touchpoint", label="Onder mails")
    at = timezone.localtime() + timedelta(hours=1)
    page.fill("#id_planned_at", at.strftime("%Y-%m-%dT%H:%M"))
    page.click("[name=save]")
    watched.settle()
    watched.check(f"message-new-{shot}")
    page.fill("#id_subject_nl", "Schoon de winter door")
    page.fill("#id_body_nl", "{{ greeting }}\n\nDit past bij je:\n\n{{ pics }}")
    page.click("main form .btn-primary")
    watched.settle()
    watched.check(f"message-wrong-{shot}")
    page.fill("#id_body_nl", "{{ greeting }}\n\nDit past bij je:\n\n{{ picks }}")
    page.click("main form .btn-primary")
    watched.settle()
    watched.check(f"message-draft-{shot}")
    page.click("a[href$='/send/']")
    watched.settle()
    watched.check(f"message-send-{shot}")
    page.fill("#id_guess", "70")
    page.fill("#id_generic_percent", "0")
    page.click("button[value=now]")
    watched.settle()
    watched.check(f"message-planned-{shot}")
    assert failed_jobs("mailings", timezone.now()) == []
    assert len(server.took) == 6
    mails = dict(server.took)
    assert "omdat je Stofzuiger kocht" in mails["k0@example.org"].get_body(("html",)).get_content()
    assert "omdat je Stofzuiger" not in mails["k5@example.org"].get_body(("html",)).get_content()

    # The scanner changes nothing; the reader's press counts.
    for message in mails.values():
        scan(message)
    assert not Response.objects.exists()
    for number in range(5):
        [up] = [one for one in links(mails[f"k{number}@example.org"]) if one.endswith("?v=1")]
        assert Client().post(urlsplit(up).path, {"v": int(number > 0)}).status_code == 200
    assert Response.objects.count() == 5

    # One press stops it, and the next mailing knows.
    stop = [one for one in links(mails["k1@example.org"]) if "/u/" in one][-1]
    assert Client().post(urlsplit(stop).path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert choose(make_message(name="De volgende"), timezone.now()).no_permission == 21
    found = Mailing.objects.get(name="Schoon de winter door")
    watched.visit(f"/mailings/{found.pk}/?in=nl&as=desktop")
    watched.check(f"message-done-{shot}")
    said = page.inner_text("main")
    assert "6" in said
    assert "70" in page.inner_text("#answers")
    watched.visit(f"/mailings/{found.pk}/?in=nl&as=text")
    watched.check(f"message-text-{shot}")
    assert failed_jobs("", timezone.now()) == []
    watched.visit("/satisfaction/?kpi=thumbs")
    assert "80" in page.inner_text("main")
    assert watched.problems == []
    assert list(Delivery.objects.values_list("status", flat=True)) == ["sent"] * 6
