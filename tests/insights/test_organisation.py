"""How the organisation presents itself: what stands in for nothing, and what is stored."""

import logging
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from django.core import mail
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from feedback.colours import ColourError
from insights import organisation
from insights.accounts import Role
from insights.logo import LogoError
from insights.models import Organisation
from insights.organisation import MailNotSent, Profile, profile
from tests.insights.test_accounts import make_user
from tests.makers import NOW
from tests.pictures import jpeg, png

CHOSEN = {
    "name": "Café Zon",
    "accent": "#8F6400",
    "formal": True,
    "sender_name": "Klantenservice",
    "sender_email": "hallo@zon.example",
}
NOTHING = {"name": "", "accent": "", "formal": None, "sender_name": "", "sender_email": ""}


@pytest.fixture(autouse=True)
def usual(settings):
    settings.ORGANISATION_NAME = "Lindehuis"
    settings.DEFAULT_FROM_EMAIL = "Customer Insights <no-reply@localhost>"


# -- Reading --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_before_anybody_chose_the_settings_stand_in(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert profile() == Profile()
    assert (profile().name, profile().accent, profile().formal) == ("Lindehuis", "", None)
    assert organisation.stored_logo() is None


@pytest.mark.django_db
def test_what_was_chosen_is_read_back_in_one_query(django_assert_num_queries):
    organisation.change_organisation(**CHOSEN)
    organisation.set_logo(data=png())
    with django_assert_num_queries(1):
        found = profile()
        assert found.name == "Café Zon"
        assert (found.accent, found.formal, found.has_logo) == ("#8f6400", True, True)


SENDERS = [
    pytest.param({}, ("Customer Insights", "no-reply@localhost"), False, id="nothing"),
    pytest.param(
        {"chosen_name": "Zon"}, ("Customer Insights", "no-reply@localhost"), False, id="a name"
    ),
    pytest.param(
        {"sender_name": "Wij"}, ("Wij", "no-reply@localhost"), False, id="a sender's name"
    ),
    pytest.param(
        {"sender_email": "a@zon.example"}, ("Lindehuis", "a@zon.example"), True, id="an address"
    ),
    pytest.param(
        {"sender_name": 'Wij, "hier"', "sender_email": "a@zon.example"},
        ('Wij, "hier"', "a@zon.example"),
        True,
        id="both",
    ),
]


@pytest.mark.parametrize(("chosen", "sender", "has_sender"), SENDERS)
def test_a_name_goes_with_the_address_it_belongs_to(chosen, sender, has_sender):
    found = Profile(**chosen)
    assert parseaddr(found.sender) == sender
    assert found.has_sender is has_sender


def test_an_address_from_the_environment_is_a_sender_too(settings):
    settings.DEFAULT_FROM_EMAIL = "Zon <hallo@zon.example>"
    assert Profile().has_sender is True


@pytest.mark.django_db
def test_a_database_that_does_not_answer_leaves_the_settings(monkeypatch, caplog):
    organisation.change_organisation(**CHOSEN)

    def broken(self):
        raise OperationalError("locked")

    monkeypatch.setattr(QuerySet, "first", broken)
    with caplog.at_level(logging.ERROR):
        assert profile() == Profile()
    assert "could not be read" in caplog.text


# -- Writing --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_change_leaves_what_belongs_to_others_and_there_stays_one_row():
    organisation.set_logo(data=png())
    organisation.confirm_time_zone(now=NOW)
    organisation.change_organisation(**CHOSEN)
    organisation.change_organisation(**NOTHING)
    row = Organisation.objects.get()
    assert (row.pk, row.name, row.formal) == (1, "", None)
    assert (bytes(row.logo), row.logo_type, row.time_zone_checked_at) == (png(), "image/png", NOW)


@pytest.mark.django_db
def test_a_colour_that_cannot_be_read_is_not_stored():
    with pytest.raises(ColourError, match="try #957103"):
        organisation.change_organisation(**CHOSEN | {"accent": "#f2b705"})
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_a_logo_is_replaced_and_dropped():
    organisation.set_logo(data=png())
    organisation.set_logo(data=jpeg(300, 90))
    stored = organisation.stored_logo()
    assert (stored.content_type, stored.data) == ("image/jpeg", jpeg(300, 90))
    assert organisation.shown_logo(profile()) == organisation.ShownLogo(stored.hash, 300, 90)
    with pytest.raises(LogoError):
        organisation.set_logo(data=b"<svg/>")
    assert organisation.stored_logo() == stored
    organisation.drop_logo()
    assert organisation.stored_logo() is None
    assert organisation.shown_logo(profile()) is None


# -- Mail -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_mails_of_the_login_come_from_the_organisation():
    organisation.change_organisation(**CHOSEN)
    make_user()
    Client().post(reverse("account_reset_password"), {"email": "noor@example.org"})
    [message] = mail.outbox
    assert parseaddr(message.from_email) == ("Klantenservice", "hallo@zon.example")


@pytest.mark.django_db
def test_a_test_mail_comes_from_the_organisation_and_names_it():
    organisation.change_organisation(**CHOSEN | {"sender_name": "Zón"})
    organisation.send_test_mail(to="noor@example.org")
    [message] = mail.outbox
    assert message.to == ["noor@example.org"]
    assert "Café Zon" in message.subject
    sender = make_header(decode_header(message.message()["From"]))
    assert str(sender) == "Zón <hallo@zon.example>"


@pytest.mark.django_db
def test_a_mail_server_that_is_not_there_is_said(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(MailNotSent, match="refused"):
        organisation.send_test_mail(to="noor@example.org")


def test_mail_without_a_server_is_a_file(settings, tmp_path):
    assert organisation.mail_folder() == ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    assert organisation.mail_folder() == str(tmp_path)


# -- On pages -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_page_asks_at_most_once_and_only_if_it_shows_the_name(client, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(reverse("account_reset_password"))
    with django_assert_num_queries(0):
        client.get(reverse("widget"))


@pytest.mark.django_db
def test_staff_read_the_chosen_name(client):
    organisation.change_organisation(**CHOSEN)
    client.force_login(make_user(role=Role.MARKETER))
    assert "<small>Café Zon</small>" in client.get("/").content.decode()


@pytest.mark.django_db
def test_a_hostile_name_is_text(client):
    organisation.change_organisation(**CHOSEN | {"name": "<script>alert(1)</script>"})
    page = client.get(reverse("account_login")).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
