"""The mail that arrives: what was written, why somebody gets it, and every way out."""

import re

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from customers.letters import Sender
from customers.models import ConsentEntry, Customer
from customers.tokens import read_preferences, read_unsubscribe
from feedback.models import Response
from mailings import sending
from mailings.compose import Composer, languages_needed
from mailings.models import Delivery, Mailing, MailPicture
from tests.customers.test_contacts_api import awake_all_night
from tests.mailings.test_sending import SENDER, make_message
from tests.makers import make_permitted, make_touchpoint
from tests.pictures import png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _awake():
    awake_all_night()


@pytest.fixture
def noor() -> Customer:
    return make_permitted(email="noor@example.org", name="Noor de Wit", language="nl")


def mail_to(mailing: Mailing, sender: Sender = SENDER) -> EmailMultiAlternatives:
    """The mail of the one customer there is, whose contact is reserved."""
    now = timezone.now()
    sending.schedule(mailing_id=mailing.pk, at=now, now=now)
    sending.plan_due(timezone.now(), timezone.now)
    mailing = sending._sending().get()
    row = Delivery.objects.get()
    claimed = sending._claim(row.pk, row.customer_id, mailing, timezone.now())
    return Composer(mailing, sender).message(claimed.delivery, claimed.entry)


def html_of(message: EmailMultiAlternatives) -> str:
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    return html


def links(text: str) -> list[str]:
    return [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]*)"', text)]


def test_it_says_why_somebody_gets_it_and_how_to_stop(noor):
    message = mail_to(make_message())
    entry = ConsentEntry.objects.get(customer=noor, purpose__key="email_marketing")
    since = f"{timezone.localtime(entry.occurred_at):%Y}"
    why = f"omdat je ja zei tegen “{entry.purpose.name_nl}” op "
    for said in (message.body, html_of(message).replace("&quot;", '"')):
        assert why in said
        assert since in said
        assert "Beste Noor de Wit," in said
    stop, preferences = links(html_of(message))[-2:]
    assert read_unsubscribe(stop.split("/")[-2]).customer_id == noor.pk
    assert read_preferences(preferences.split("/")[-2]) == noor.pk
    assert stop in message.body
    assert preferences in message.body


def test_its_headers_let_a_mail_program_stop_it_and_name_its_row(noor):
    message = mail_to(make_message())
    sent = message.message()
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http[^>]*/u/[^>]*/>", sent["List-Unsubscribe"])
    assert sent["Message-ID"] == f"<{Delivery.objects.get().key}@lindehuis.example>"
    assert sent["From"] == "Lindehuis <post@lindehuis.example>"
    assert sent["To"] == "noor@example.org"
    assert sent["Subject"] == "Winter at Lindehuis"


def test_nothing_in_it_is_loaded_when_it_is_read(noor):
    mailing = make_message()
    mailing.texts.update(body="{{ greeting }}\n\n![A phone](phone.png)")
    for name in ("phone.png", "other.png"):
        MailPicture.objects.create(
            mailing=mailing, name=name, content_type="image/png", width=2, height=2, data=png(2, 2)
        )
    message = mail_to(mailing)
    assert re.findall(r'(?:src|background)="([^"]*)"', html_of(message)) == ["cid:phone.png"]
    assert not re.search(r"url\(|@import|<link|<script", html_of(message))
    [picture] = [one for one in message.message().walk() if one.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<phone.png>"
    assert message.message().get_content_type() == "multipart/related"
    # Nor does a provider count who opened or pressed.
    assert (message.track_opens, message.track_clicks) == (False, False)


def test_a_thumb_has_two_links_that_name_nobody(noor):
    message = mail_to(make_message(touchpoint=make_touchpoint(scale="thumb")))
    up, down = links(html_of(message))[:2]
    assert up.endswith("?v=1")
    assert down.endswith("?v=0")
    assert up[:-1] == down[:-1]
    for link in links(html_of(message)):
        assert "noor" not in link
    assert "👍" in html_of(message)


def test_a_score_has_a_link_for_each_answer_and_says_what_the_ends_mean(noor, client):
    message = mail_to(make_message(touchpoint=make_touchpoint(scale="nps")))
    scores = links(html_of(message))[:11]
    assert [one.rpartition("?v=")[2] for one in scores] == [str(n) for n in range(11)]
    assert "0 = zeker niet, 10 = zeker wel" in message.body
    # Whoever fetches them all counts nothing.
    for one in links(html_of(message)):
        assert client.get(one).status_code == 200
    assert not Response.objects.exists()
    assert noor.consents.filter(state="withdrawn").count() == 0


def test_who_writes_formally_says_u(noor):
    message = mail_to(make_message(), Sender("Lindehuis", SENDER.header, formal=True))
    assert "omdat u ja zei" in message.body


def test_english_is_for_who_reads_english_and_the_rest_get_what_there_is(noor):
    noor.language = "en"
    noor.save()
    mailing = make_message()
    assert "because you said yes" in mail_to(mailing).body
    mailing.texts.filter(language="en").delete()
    assert languages_needed(mailing, {"en": 3, "nl": 2}) == ["en"]
    assert languages_needed(mailing, {"en": 0, "nl": 2}) == []


def test_a_name_can_make_no_header_and_no_tag(noor):
    noor.name = "Noor\r\nBcc: all@example.org <b>"
    noor.save()
    mailing = make_message()
    mailing.texts.update(subject="For {{ name }}")
    message = mail_to(mailing)
    assert message.message()["Subject"] == "For Noor Bcc: all@example.org <b>"
    assert message.message()["Bcc"] is None
    assert "<b>" not in html_of(message)


def test_a_sample_reaches_nobody_and_its_links_lead_nowhere():
    mailing = make_message(touchpoint=make_touchpoint(scale="thumb"))
    composer = Composer(mailing, SENDER)
    message = composer.test_message("en", "marketer@example.org")
    assert message.subject == "Test: Winter at Lindehuis"
    assert set(links(html_of(message))) == {"#"}
    assert "List-Unsubscribe" not in message.extra_headers
