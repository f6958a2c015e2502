"""The pages of a mailing that is sent from here: written, looked at, planned, sent and stopped."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from customers.models import Contact
from insights.accounts import Role
from insights.mail_alignment import Caution, alignment
from insights.message_forms import MOST_BYTES, picture_name
from insights.tasks import failed_jobs
from mailings.models import Delivery, Mailing, MailPicture
from tests.customers.test_contacts_api import awake_all_night
from tests.insights.readers import sign_in, text
from tests.insights.test_mailing_views import fields
from tests.makers import known_purpose, make_permitted, make_touchpoint
from tests.pictures import png

pytestmark = pytest.mark.django_db

WORDS = {
    "subject_nl": "Winter bij {{ shop }}",
    "body_nl": "{{ greeting }}\n\nKou maakt traag.",
    "subject_en": "Winter at {{ shop }}",
    "body_en": "{{ greeting }}\n\nCold slows.",
}


@pytest.fixture
def marketer(client, settings):
    settings.DEFAULT_FROM_EMAIL = "Lindehuis <post@lindehuis.example>"
    awake_all_night()
    return sign_in(client, Role.MARKETER)


def draft(marketer, **given) -> Mailing:
    answer = marketer.post("/mailings/new/", fields(means="here", **given))
    found = Mailing.objects.latest("pk")
    assert answer["Location"] == f"/mailings/{found.pk}/text/"
    return found


def written(marketer, **given) -> Mailing:
    found = draft(marketer, **given)
    assert marketer.post(f"/mailings/{found.pk}/text/", WORDS).status_code == 302
    return found


def page(marketer, found: Mailing, more: str = "") -> str:
    return text(marketer.get(f"/mailings/{found.pk}/{more}"))


def test_from_a_draft_to_mails_that_arrived(marketer):
    people = [make_permitted(email=f"k{n}@example.org", language="nl") for n in range(6)]
    found = draft(marketer, touchpoint=make_touchpoint(scale="thumb").pk)
    assert "Write the message first." in page(marketer, found)
    marketer.post(f"/mailings/{found.pk}/text/", WORDS)
    shown = page(marketer, found)
    assert "6 of 6 customers may get it" in shown
    assert "Winter at " in shown
    assert "Send to 6 customers…" in shown
    asked = page(marketer, found, "send/")
    assert "Send to 6 customers?" in asked
    assert "_dmarc.lindehuis.example" in asked
    assert not Contact.objects.exists()
    assert marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}).status_code == 302
    assert "It goes by itself" in page(marketer, found)
    assert failed_jobs("mailings", timezone.now()) == []
    assert sorted(one.to[0] for one in mail.outbox) == sorted(one.email for one in people)
    assert mail.outbox[0].subject.startswith("Winter bij ")
    shown = page(marketer, found)
    assert "It went to 6 of 6 customers" in shown
    assert "6 of 6 sent" in shown
    state = marketer.get(f"/mailings/{found.pk}/progress/").json()
    assert (state["status"], state["percent"]) == ("done", 100)


def test_a_moment_to_come_is_waited_for_and_can_be_cancelled(marketer):
    make_permitted()
    found = written(marketer)
    marketer.post(f"/mailings/{found.pk}/send/", {"when": "planned"})
    assert failed_jobs("mailings", timezone.now()) == []
    assert mail.outbox == []
    assert "It goes by itself" in page(marketer, found)
    assert marketer.get(f"/mailings/{found.pk}/text/").status_code == 302
    again = marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}, follow=True)
    assert "It was started before." in text(again)
    marketer.post(f"/mailings/{found.pk}/cancel/")
    found.refresh_from_db()
    assert found.status == "cancelled"


def test_it_is_paused_and_goes_on(marketer):
    make_permitted()
    found = written(marketer)
    marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"})
    early = marketer.post(f"/mailings/{found.pk}/pause/", follow=True)
    assert "It is not being sent now." in text(early)
    Mailing.objects.filter(pk=found.pk).update(status="sending")
    Delivery.objects.create(mailing=found, customer=make_permitted(), due_at=timezone.now())
    assert "Paused." in text(marketer.post(f"/mailings/{found.pk}/pause/", follow=True))
    assert "A colleague paused it." in page(marketer, found)
    assert failed_jobs("mailings", timezone.now()) == []
    assert mail.outbox == []
    marketer.post(f"/mailings/{found.pk}/resume/")
    assert failed_jobs("mailings", timezone.now()) == []
    assert len(mail.outbox) == 1
    over = marketer.post(f"/mailings/{found.pk}/resume/", follow=True)
    assert "It is not paused." in text(over)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"body_nl": "{{ settings }}"}, "“settings” is not known. Use one of {{ greeting }}"),
        ({"body_nl": "{{ name|x }}"}, "is not a whole placeholder"),
        ({"body_nl": ""}, "Write something here, or leave this language out altogether."),
        ({"subject_nl": ""}, "Write something here, or leave this language out altogether."),
        ({"subject_nl": "a\nBcc: x@example.org"}, "It has to be one line"),
        ({"subject_nl": "{{ greeting }}"}, "Use one of {{ name }}, {{ shop }}."),
        ({"body_en": "[a](/basket)"}, "“/basket” leads nowhere from a mail."),
        ({"body_en": "![a](x.png)"}, "There is no picture “x.png” here."),
        ({"body_en": "<b>x</b> [a](https://x.example/{{ name }})"}, "into an address"),
        ({"body_en": "#### small"}, "Three sizes of headings are enough."),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field_and_nothing_is_stored(marketer, given, said):
    found = draft(marketer)
    assert said in text(marketer.post(f"/mailings/{found.pk}/text/", WORDS | given))
    assert not found.texts.exists()


def test_a_picture_travels_inside_the_mail_and_can_be_taken_away(marketer):
    make_permitted(language="nl")
    found = draft(marketer)
    file = SimpleUploadedFile("My Phone!.PNG", png(3, 2), "image/png")
    sent = WORDS | {"body_nl": "{{ greeting }}\n\n![Een telefoon](my-phone.png)", "picture": file}
    marketer.post(f"/mailings/{found.pk}/text/", sent)
    picture = MailPicture.objects.get()
    assert (picture.name, picture.width, picture.height) == ("my-phone.png", 3, 2)
    shown = marketer.get(f"/mailings/{found.pk}/preview/nl/")
    assert 'src="data:image/png;base64,' in shown.content.decode()
    marketer.post(f"/mailings/{found.pk}/pictures/{picture.pk}/drop/")
    assert "a picture in it is gone" in page(marketer, found)
    assert marketer.get(f"/mailings/{found.pk}/preview/nl/").status_code == 404
    # Nothing goes with a hole in it.
    assert marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}).status_code == 409
    found.refresh_from_db()
    assert found.status == "draft"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png(3, 2) + b"\0" * MOST_BYTES, "Save it as PNG or JPEG of at most 300 KB"),
        (b"\0" * 5_000_000, "Save it as PNG or JPEG of at most 300 KB"),
        (b"<svg onload=alert(1)>", "is an SVG"),
        (b"GIF89a", "is no PNG or JPEG"),
    ],
)
def test_a_file_that_is_no_small_picture_is_refused(marketer, data, said):
    found = draft(marketer)
    file = SimpleUploadedFile("a.png", data, "image/png")
    assert said in text(marketer.post(f"/mailings/{found.pk}/text/", WORDS | {"picture": file}))
    assert not MailPicture.objects.exists()
    assert not found.texts.exists()


def test_the_name_of_a_picture_is_plain():
    assert picture_name("../../etc/pass wd.jpeg", "image/jpeg") == "etcpass-wd.jpg"
    assert picture_name("<script>.png", "image/png") == "script.png"
    assert picture_name(".png", "image/png") == "picture.png"


def test_a_language_that_customers_read_and_nobody_wrote_stops_it(marketer):
    make_permitted(language="en")
    make_permitted(language="nl")
    found = draft(marketer)
    only_dutch = WORDS | {"subject_en": "", "body_en": ""}
    marketer.post(f"/mailings/{found.pk}/text/", only_dutch)
    said = "1 of those who may get it read English, and there is no English text."
    assert said in page(marketer, found)
    assert marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}).status_code == 409
    assert not Delivery.objects.exists()


def test_an_empty_audience_and_a_missing_sender_stop_it(marketer, settings):
    found = written(marketer)
    assert "No customer is like that." in page(marketer, found)
    assert marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}).status_code == 409
    make_permitted()
    settings.DEFAULT_FROM_EMAIL = "nobody@localhost"
    assert "Nobody chose the address that mails come from." in page(marketer, found)
    assert marketer.post(f"/mailings/{found.pk}/send/", {"when": "now"}).status_code == 409


def test_a_test_goes_to_oneself_and_reserves_nothing(marketer):
    found = written(marketer)
    marketer.post(f"/mailings/{found.pk}/test/", {"in": "nl"})
    [test] = mail.outbox
    assert test.to == ["noor@example.org"]
    assert test.subject.startswith("Test: Winter bij ")
    assert "Noor (een voorbeeld)" in test.body
    assert not Contact.objects.exists()
    wrong = marketer.post(f"/mailings/{found.pk}/test/", {"in": "fr"}, follow=True)
    assert "There is no text in that language yet." in text(wrong)


def test_the_preview_is_a_page_that_can_do_nothing(marketer):
    found = written(marketer)
    shown = marketer.get(f"/mailings/{found.pk}/preview/en/")
    policy = shown["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert "Dear Noor (an example)," in shown.content.decode()
    plain = marketer.get(f"/mailings/{found.pk}/preview/en/?as=text")
    assert plain["Content-Type"].startswith("text/plain")
    host = marketer.get(f"/mailings/{found.pk}/")
    assert "frame-src 'self'" in host["Content-Security-Policy"]


def test_the_page_shows_the_mail_on_a_phone_a_desktop_and_as_text(marketer):
    found = written(marketer)
    for shown in ("phone", "desktop"):
        html = marketer.get(f"/mailings/{found.pk}/?as={shown}&in=nl").content.decode()
        assert f"ci-preview--{shown}" in html
        assert f'src="/mailings/{found.pk}/preview/nl/"' in html
    assert "Kou maakt traag." in page(marketer, found, "?as=text&in=nl")


def test_consent_admins_do_not_mail_and_lists_have_no_text(client, marketer):
    found = written(marketer)
    listed = marketer.post("/mailings/new/", fields(means="list", name="List"))
    other = Mailing.objects.latest("pk")
    assert listed["Location"] == f"/mailings/{other.pk}/"
    assert marketer.get(f"/mailings/{other.pk}/text/").status_code == 404
    client.logout()
    client.cookies.clear()
    admin = sign_in_as_admin(client)
    for path in ("", "text/", "send/", "preview/nl/", "progress/"):
        assert admin.get(f"/mailings/{found.pk}/{path}").status_code == 403
    for path in ("send/", "pause/", "resume/", "test/", "text/", "pictures/1/drop/"):
        assert admin.post(f"/mailings/{found.pk}/{path}").status_code == 403


def sign_in_as_admin(client):
    user = User.objects.create_user("ada", "ada@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.CONSENT_ADMIN))
    client.force_login(user)
    return client


def test_the_address_mails_come_from_is_looked_at():
    own = alignment("post@shop.example", "mailer@mail.shop.example")
    assert (own.domain, own.cautions) == ("shop.example", ())
    assert [kind for kind, _, _ in own.records] == ["SPF", "DKIM", "DMARC"]
    assert alignment("me@gmail.com", "").cautions == (Caution.FREE_MAIL,)
    assert alignment("post@shop.example", "x@other.example").cautions == (Caution.OTHER_LOGIN,)
    # An API key is no address.
    assert alignment("post@shop.example", "apikey").cautions == ()
    assert alignment("a@notshop.example", "a@shop.example").cautions == (Caution.OTHER_LOGIN,)
    assert alignment("no-reply@localhost", "").cautions == (Caution.NO_SENDER,)


def test_no_page_about_it_names_an_address_of_a_customer(marketer):
    make_permitted(email="secret@example.org")
    found = written(marketer)
    for more in ("", "text/", "send/", "preview/nl/"):
        html = marketer.get(f"/mailings/{found.pk}/{more}").content.decode()
        assert not re.search("secret@", html)


def test_a_question_is_planned_by_how_precise_it_should_be(marketer):
    for n in range(6):
        make_permitted(email=f"k{n}@example.org", language="nl")
    nps, survey = make_touchpoint(scale="nps"), known_purpose("satisfaction_survey")
    found = written(marketer, kind="ask_nps", purpose=survey.pk, touchpoint=nps.pk)
    asked = page(marketer, found, "send/")
    assert re.search(r"± 5 1.?111 not measured yet", asked)
    assert "Your guess" not in asked
    wrong = marketer.post(f"/mailings/{found.pk}/send/", {"when": "now", "margin": "0"})
    assert wrong.status_code == 200
    found.refresh_from_db()
    assert found.status == "draft"
    marketer.post(f"/mailings/{found.pk}/send/", {"when": "now", "margin": "50"})
    found.refresh_from_db()
    assert (found.enough, found.most) == (12, None)


def test_an_offer_is_not_planned_by_precision(marketer):
    make_permitted()
    found = written(marketer, touchpoint=make_touchpoint(scale="thumb").pk)
    asked = page(marketer, found, "send/")
    assert "How precise?" not in asked
    assert "Your guess" in asked
