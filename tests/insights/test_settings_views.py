"""The settings page and the checklist: who may, what is refused, what ticks itself off."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from insights import organisation
from insights.accounts import Role
from insights.checklist import STEPS, checklist
from insights.logo import MAX_BYTES
from insights.models import ImportJob, Organisation
from insights.organisation import profile
from tests.insights.test_import_views import make_colleague, signed_in, text
from tests.makers import NOW, a_purchase, a_response, make_customer, make_touchpoint, stored
from tests.pictures import jpeg, png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def usual(settings):
    settings.ORGANISATION_NAME = "Lindehuis"
    settings.DEFAULT_FROM_EMAIL = "Customer Insights <no-reply@localhost>"
    settings.BASE_URL = "http://localhost:8000"


@pytest.fixture
def admin() -> Client:
    return signed_in(Role.ADMINISTRATOR)


def save(client: Client, **given):
    return client.post(reverse("settings"), given)


def a_file(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def errors(response) -> dict[str, list[str]]:
    with translation.override("en"):
        found = response.context["form"].errors.items()
        return {name: [str(error).replace("\xa0", " ") for error in said] for name, said in found}


# -- Who may --------------------------------------------------------------------------------------

REQUESTS = [
    ("settings", "GET", 200),
    ("settings", "POST", 302),
    ("settings_time_zone", "POST", 302),
    ("start", "GET", 200),
]


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.MARKETER], {}, False, id="marketer"),
        pytest.param([Role.CONSENT_ADMIN], {}, False, id="consent admin"),
        pytest.param([], {}, False, id="no role"),
    ],
)
def test_only_administrators_change_settings(roles, given, may):
    organisation.change_organisation(
        name="Zon", accent="", formal=None, sender_name="", sender_email=""
    )
    client = signed_in(*roles, **given)
    for name, method, status in REQUESTS:
        response = client.generic(method, reverse(name))
        assert response.status_code == (status if may else 403), f"{method} {name}"
        assert not may or "no-store" in response["Cache-Control"]
    assert (reverse("settings") in client.get("/").content.decode()) is may
    # An empty form empties, and looking at the time zone is noted, for who may.
    row = Organisation.objects.get()
    assert (row.name, row.time_zone_checked_at is None) == (("", False) if may else ("Zon", True))


@pytest.mark.parametrize(("name", "status"), [("settings_time_zone", 405), ("start", 200)])
def test_looking_changes_nothing(admin, name, status):
    assert admin.get(reverse(name)).status_code == status
    assert not Organisation.objects.exists()


def test_a_stranger_sees_and_changes_nothing(client):
    for name, method, _ in REQUESTS:
        response = client.generic(method, reverse(name))
        assert response.url.startswith(reverse("account_login"))
    assert not Organisation.objects.exists()


# -- The form -------------------------------------------------------------------------------------


def test_everything_that_was_chosen_is_stored_and_shown_again(admin):
    response = save(
        admin,
        name="  Café   Zon ",
        accent="#8F6400",
        formal="yes",
        sender_name="Klantenservice",
        sender_email="hallo@zon.example",
        logo=a_file(jpeg(), "zon.jpeg"),
    )
    assert response.url == reverse("settings")
    found = profile()
    assert (found.name, found.accent, found.formal) == ("Café Zon", "#8f6400", True)
    assert (found.sender_name, found.sender_email) == ("Klantenservice", "hallo@zon.example")
    assert organisation.stored_logo().content_type == "image/jpeg"
    page = admin.get(reverse("settings"))
    assert "Saved." in text(page)
    form = page.context["form"]
    assert {name: form[name].value() for name in ("name", "accent", "formal")} == {
        "name": "Café Zon",
        "accent": "#8f6400",
        "formal": "yes",
    }
    assert 'alt="Café Zon" width="120" height="40"' in page.content.decode()


def test_an_empty_form_says_what_stands_in_and_keeps_the_logo(admin):
    organisation.set_logo(data=png())
    save(admin, name="", formal="", accent="", sender_name="", sender_email="")
    assert profile() == organisation.Profile(has_logo=True)
    page = admin.get(reverse("settings")).content.decode()
    assert "Left empty it is “Lindehuis”." in page
    assert "Left empty it is “Customer Insights &lt;no-reply@localhost&gt;”." in page


@pytest.mark.parametrize(("sent", "stored"), [("yes", True), ("no", False), ("", None)])
def test_the_form_of_address_may_stay_open(admin, sent, stored):
    save(admin, formal=sent)
    assert Organisation.objects.get().formal is stored


def test_a_logo_is_removed_with_one_tick(admin):
    assert "drop_logo" not in admin.get(reverse("settings")).context["form"].fields
    organisation.set_logo(data=png())
    save(admin, drop_logo="on")
    assert organisation.stored_logo() is None


WAY_OUT = "Save the logo as PNG or JPEG of at most 100 KB, and choose that file."

REFUSED = [
    pytest.param(
        {"name": "x" * 61},
        "name",
        "Ensure this value has at most 60 characters (it has 61).",
        id="long name",
    ),
    pytest.param(
        {"name": "Zon\u202eevil"},
        "name",
        "“Zon�evil” holds a character that cannot be seen. Type the name again.",
        id="name that reads backwards",
    ),
    pytest.param(
        {"sender_name": "Zon\x07"},
        "sender_name",
        "“Zon�” holds a character that cannot be seen. Type the name again.",
        id="sender with a bell",
    ),
    pytest.param(
        {"accent": "#f2b705"},
        "accent",
        "Contrast with white is 1.8 : 1. Text needs 4.5 : 1; try #957103.",
        id="pale colour",
    ),
    pytest.param(
        {"accent": "blue"},
        "accent",
        "“blue” is not a colour. Write a # and six signs, as #3c48b8.",
        id="no colour",
    ),
    pytest.param(
        {"formal": "gij"},
        "formal",
        "Select a valid choice. gij is not one of the available choices.",
        id="no form of address",
    ),
    pytest.param(
        {"sender_email": "zon"},
        "sender_email",
        "“zon” is not an e-mail address. Write it as shop@example.org.",
        id="no address",
    ),
    pytest.param(
        {"sender_email": "a@zon.example\nBcc: b@evil.example"},
        "sender_email",
        "“a@zon.example\nBcc: b@evil.example” is not an e-mail address. "
        "Write it as shop@example.org.",
        id="another head in the address",
    ),
    pytest.param({"logo": a_file(b"")}, "logo", f"“logo.png” is empty. {WAY_OUT}", id="empty file"),
    pytest.param(
        {"logo": a_file(png().ljust(MAX_BYTES + 1024, b"\0"))},
        "logo",
        f"“logo.png” is 101.0 KB, and customers on a phone wait for it. {WAY_OUT}",
        id="heavy file",
    ),
    pytest.param(
        {"logo": a_file(b"<svg onload='alert(1)'/>")},
        "logo",
        "“logo.png” is an SVG. Such a file can hold a script, which would run in the browsers of "
        f"your customers. {WAY_OUT}",
        id="SVG that says it is a PNG",
    ),
    pytest.param(
        {"logo": a_file(b"<script>alert(1)</script>", "<b>.png")},
        "logo",
        f"“<b>.png” is no PNG or JPEG, whatever its name says. {WAY_OUT}",
        id="script",
    ),
    pytest.param(
        {"logo": a_file(png()[:30])},
        "logo",
        f"“logo.png” begins as a picture, and how large it is cannot be read. {WAY_OUT}",
        id="cut off",
    ),
    pytest.param(
        {"logo": a_file(jpeg(5_000, 200), "l" * 200 + ".jpg")},
        "logo",
        f"“{'l' * 60}” is 5 000 by 200 pixels; at most 2 000 fit on each side. {WAY_OUT}",
        id="photograph",
    ),
]


@pytest.mark.parametrize(("given", "field", "words"), REFUSED)
def test_what_is_refused_is_said_at_its_field_and_stores_nothing(admin, given, field, words):
    if "logo" in given:
        given["logo"].seek(0)
    response = save(admin, **{"name": "Zon"} | given)
    assert response.status_code == 200
    assert errors(response) == {field: [words]}
    control = "id_formal_0" if field == "formal" else f"id_{field}"
    assert f'href="#{control}"' in response.content.decode()
    assert f'id="{control}"' in response.content.decode()
    assert not Organisation.objects.exists()


def test_a_name_on_two_lines_becomes_one(admin):
    save(admin, sender_name="Zon\r\nBcc: evil@example.org")
    assert profile().sender_name == "Zon Bcc: evil@example.org"


def test_a_new_logo_and_its_removal_do_not_go_together(admin):
    organisation.set_logo(data=png())
    response = save(admin, drop_logo="on", logo=a_file(jpeg()))
    assert errors(response) == {
        "drop_logo": ["You chose a new logo too. Untick this, or choose no file."]
    }
    assert organisation.stored_logo().content_type == "image/png"


def test_a_file_of_any_size_is_refused_in_words(admin, settings):
    settings.IMPORT_UPLOAD_MAX_BYTES = 1_000
    response = save(admin, name="Zon", logo=a_file(bytes(200_000)))
    assert errors(response) == {"logo": [f"The file is too large. {WAY_OUT}"]}
    assert not Organisation.objects.exists()


QUERIES = 11


def test_the_pages_take_the_same_queries_empty_and_full(admin, django_assert_num_queries):
    for name in ("settings", "start"):
        with django_assert_num_queries(QUERIES):
            admin.get(reverse(name))
    make_colleague(Role.MARKETER)
    make_colleague(Role.CONSENT_ADMIN)
    save(admin, name="Zon", accent="#8f6400", formal="no")
    for _ in range(3):
        stored(a_purchase())
        stored(a_response())
    admin.get(reverse("settings"))  # its message is read
    for name in ("settings", "start"):
        with django_assert_num_queries(QUERIES):
            admin.get(reverse(name))


# -- Facts of the installation --------------------------------------------------------------------


def test_the_time_zone_is_confirmed_once(admin, settings):
    assert "This is right" in text(admin.get(reverse("settings")))
    page = admin.post(reverse("settings_time_zone"), follow=True)
    assert f"Noted: {settings.TIME_ZONE} is right." in text(page)
    assert "This is right" not in text(page)
    assert profile().time_zone_checked_at is not None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://localhost:8000", "Without https: good for a trial on this machine"),
        ("https://insights.example", "With https: sites and mails can use it."),
    ],
)
def test_the_page_says_whether_the_address_is_https(admin, settings, address, words):
    settings.BASE_URL = address
    page = text(admin.get(reverse("settings")))
    assert address in page
    assert words in page


def test_a_test_mail_comes_from_the_sender_that_was_just_saved(admin):
    page = admin.post(
        reverse("settings"), {"sender_email": "hallo@zon.example", "test_mail": "1"}, follow=True
    )
    [message] = mail.outbox
    assert (message.from_email, message.to) == (
        "Lindehuis <hallo@zon.example>",
        ["administrator@example.org"],
    )
    assert "The test mail went to administrator@example.org." in text(page)


def test_a_trial_says_in_which_folder_its_mails_are(admin, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "outbox"
    page = text(admin.post(reverse("settings"), {"test_mail": "1"}, follow=True))
    assert f"is a file in {settings.EMAIL_FILE_PATH}, because EMAIL_URL is not set." in page
    assert f"each is written to a file in {settings.EMAIL_FILE_PATH}." in page
    [file] = Path(settings.EMAIL_FILE_PATH).iterdir()
    assert "This is how mails of Customer Insights arrive." in file.read_text()


def test_a_mail_server_that_refuses_is_quoted_and_the_rest_is_saved(admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = admin.post(reverse("settings"), {"name": "Zon", "test_mail": "1"}, follow=True)
    assert "The test mail was not sent. The mail server said: " in text(page)
    assert profile().name == "Zon"


def test_a_login_without_an_address_gets_no_mail(admin):
    User.objects.update(email="")
    page = admin.post(reverse("settings"), {"test_mail": "1"}, follow=True)
    assert "your login has no e-mail address" in text(page)
    assert mail.outbox == []


# -- The logo -------------------------------------------------------------------------------------


def logo_address() -> str:
    return reverse("logo", args=[organisation.stored_logo().hash])


def test_everybody_may_see_the_logo_and_keep_it(client):
    organisation.set_logo(data=png())
    response = client.get(logo_address())
    assert (response.status_code, response.content) == (200, png())
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies
    assert client.post(logo_address()).status_code == 405


def test_another_logo_has_another_address(client):
    organisation.set_logo(data=png())
    before = logo_address()
    organisation.set_logo(data=jpeg())
    assert logo_address() != before
    assert client.get(logo_address())["Content-Type"] == "image/jpeg"
    for address in (before, "/logo/0000000000000000", "/logo/", "/logo/../settings"):
        assert client.get(address).status_code == 404
    organisation.drop_logo()
    assert client.get(before).status_code == 404


@pytest.mark.parametrize("page", ["hosted", "account_login"])
def test_the_logo_stands_in_for_the_name_where_customers_and_guests_look(client, page):
    path = reverse(page, args=[make_touchpoint().key] if page == "hosted" else [])
    assert "<img" not in client.get(path).content.decode()
    organisation.set_logo(data=png(1_200, 400))
    shown = client.get(path).content.decode()
    size = 'alt="Lindehuis" width="1200" height="400"'
    assert f'<img class="ci-logo" src="{logo_address()}" {size}>' in shown


# -- The checklist --------------------------------------------------------------------------------


def chosen(**given) -> None:
    facts = {"name": "", "accent": "", "formal": None, "sender_name": "", "sender_email": ""}
    organisation.change_organisation(**facts | given)


def an_import(status: str) -> None:
    ImportJob.objects.create(kind="products", status=status, file_name="p.csv", created_at=NOW)


def demote() -> None:
    User.objects.get().groups.set([Group.objects.get(name=Role.MARKETER)])


# What somebody does, and what it ticks off; the first of each key is the plain case.
TICKS = [
    pytest.param("colleagues", lambda _: make_colleague(Role.MARKETER), True, id="a colleague"),
    pytest.param(
        "colleagues",
        lambda _: make_colleague(Role.MARKETER, is_active=False),
        False,
        id="a colleague who left",
    ),
    pytest.param("administrator", lambda _: demote(), False, id="nobody is administrator"),
    pytest.param(
        "administrator", lambda _: User.objects.update(is_active=False), False, id="who left"
    ),
    pytest.param("name", lambda _: chosen(name="Zon"), True, id="a name"),
    pytest.param("logo", lambda _: organisation.set_logo(data=png()), True, id="a logo"),
    pytest.param("accent", lambda _: chosen(accent="#8f6400"), True, id="a colour"),
    pytest.param("formal", lambda _: chosen(formal=True), True, id="u"),
    pytest.param("formal", lambda _: chosen(formal=False), True, id="je"),
    pytest.param(
        "time_zone", lambda _: organisation.confirm_time_zone(now=NOW), True, id="a time zone"
    ),
    pytest.param("sender", lambda _: chosen(sender_email="a@zon.example"), True, id="a sender"),
    pytest.param("sender", lambda _: chosen(sender_name="Zon"), False, id="a sender's name only"),
    pytest.param(
        "sender",
        lambda settings: setattr(settings, "DEFAULT_FROM_EMAIL", "a@zon.example"),
        True,
        id="a sender in the environment",
    ),
    pytest.param(
        "https",
        lambda settings: setattr(settings, "BASE_URL", "https://insights.example"),
        True,
        id="https",
    ),
    pytest.param("imports", lambda _: an_import("done"), True, id="an import"),
    pytest.param("imports", lambda _: an_import("draft"), False, id="an import not started"),
    pytest.param("imports", lambda _: make_customer(), True, id="a customer"),
    pytest.param("thumb", lambda _: stored(a_response()), True, id="an answer"),
    pytest.param(
        "thumb", lambda _: stored(a_response(imported=True)), False, id="an imported answer"
    ),
]


def ticks() -> dict[str, bool]:
    return {one.step.key: one.done for one in checklist(profile()).steps}


@pytest.mark.parametrize(("key", "act", "done"), TICKS)
def test_a_step_ticks_itself_off_and_no_other(settings, key, act, done):
    make_colleague(Role.ADMINISTRATOR)
    before = ticks()
    assert [name for name, ticked in before.items() if ticked] == ["administrator"]
    act(settings)
    assert ticks() == before | {key: done}


def test_the_steps_are_those_of_a_new_shop_in_order():
    assert [step.key for step in STEPS] == [
        "administrator",
        "colleagues",
        "name",
        "logo",
        "accent",
        "formal",
        "time_zone",
        "sender",
        "https",
        "imports",
        "thumb",
    ]


def test_a_purchase_ticks_off_what_an_import_would():
    stored(a_purchase())
    assert ticks()["imports"] is True


def test_the_page_says_how_far_it_is_in_words(admin):
    page = admin.get(reverse("start"))
    assert "Done: 1 of 11" in text(page)
    marks = re.findall(r"</svg>(Done|To do)</span>", page.content.decode())
    assert marks == ["Done"] + ["To do"] * 10
    assert f'href="{reverse("settings")}#id_logo"' in page.content.decode()
    assert f'href="{reverse("imports")}"' in page.content.decode()


def test_every_place_a_step_points_at_is_on_its_page(admin):
    page = admin.get(reverse("settings")).content.decode()
    places = [step.place for step in STEPS if step.page == "settings"]
    assert len(places) == 7
    assert [place for place in places if f'id="{place[1:]}"' not in page] == []


def test_when_all_is_done_the_page_says_so(admin, settings):
    settings.BASE_URL = "https://insights.example"
    make_colleague(Role.MARKETER)
    chosen(name="Zon", accent="#8f6400", formal=True, sender_email="a@zon.example")
    organisation.set_logo(data=png())
    organisation.confirm_time_zone(now=NOW)
    make_customer()
    stored(a_response())
    page = text(admin.get(reverse("start")))
    assert "Everything is set up" in page
    assert "Done: 11 of 11" in page
    assert "To do" not in page
    assert "Checklist: all of it done" in text(admin.get(reverse("settings")))


def test_an_empty_overview_leads_administrators_to_the_checklist(admin):
    assert reverse("start") in admin.get("/").content.decode()
    assert reverse("start") not in signed_in(Role.MARKETER).get("/").content.decode()


# -- Used elsewhere -------------------------------------------------------------------------------


def test_a_new_touchpoint_begins_in_the_colour_of_the_organisation(admin):
    chosen(accent="#8f6400")
    form = admin.get(reverse("new_touchpoint")).context["form"]
    assert form["accent"].value() == "#8f6400"
    # Nothing there that somebody would overlook.
    assert form.more_open is False
    existing = make_touchpoint()
    form = admin.get(reverse("edit_touchpoint", args=[existing.key])).context["form"]
    assert form["accent"].value() == ""
