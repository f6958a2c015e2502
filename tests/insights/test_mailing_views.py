"""The pages of send lists: from a draft to a list, a file, and what came of it."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from customers.models import AccessLog, Contact
from insights.accounts import Role
from insights.models import ImportJob
from insights.tasks import failed_jobs
from mailings.models import Mailing
from tests.customers.test_contacts_api import awake_all_night
from tests.insights.readers import sign_in, text
from tests.makers import (
    known_purpose,
    make_category,
    make_contact,
    make_customer,
    make_permitted,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer(client) -> Client:
    awake_all_night()
    return sign_in(client, Role.MARKETER)


def fields(**given) -> dict:
    at = timezone.localtime() + timedelta(hours=2)
    return {
        "name": "Winter check",
        "means": "list",
        "kind": "promotion",
        "purpose": known_purpose("email_marketing").pk,
        "planned_at": at.strftime("%Y-%m-%dT%H:%M"),
    } | given


def saved(marketer, **given) -> Mailing:
    assert marketer.post("/mailings/new/", fields(**given)).status_code == 302
    return Mailing.objects.latest("pk")


def test_from_a_draft_to_a_list_and_its_file(marketer):
    people = [make_permitted(email=f"k{n}@example.org", name="=HYPERLINK(1)") for n in range(6)]
    phones = make_category(name="Phones")
    thumb = make_touchpoint(scale="thumb", name="Under mails")
    mailing = saved(marketer, category=phones.pk, touchpoint=thumb.pk)
    page = text(marketer.get(f"/mailings/{mailing.pk}/"))
    assert "6 of 6 customers may get it" in page
    assert not Contact.objects.exists()
    assert marketer.post(f"/mailings/{mailing.pk}/start/").status_code == 302
    assert "Being made" in text(marketer.get(f"/mailings/{mailing.pk}/"))
    assert failed_jobs("mailings", timezone.now()) == []
    page = text(marketer.get(f"/mailings/{mailing.pk}/"))
    assert "6 of 6 customers are on the list" in page
    assert "No answer yet." in page
    file = marketer.post(f"/mailings/{mailing.pk}/list.csv")
    assert 'filename="winter-check.csv"' in file["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(file.content.decode().removeprefix("\ufeff"))))
    assert sorted(row["email"] for row in rows) == sorted(one.email for one in people)
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}
    # Each of them can read that they were on it.
    log = AccessLog.objects.filter(kind="export", reason=mailing.source)
    assert sorted(log.values_list("customer", flat=True)) == sorted(one.pk for one in people)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": ""}, "This field is required"),
        ({"planned_at": "2020-01-01T10:00"}, "That is over. Choose a moment to come."),
        ({"planned_at": "2099-01-01T10:00"}, "That is more than 60 days ahead."),
        ({"planned_at": "soon"}, "Enter a valid date/time."),
        ({"kind": "service"}, "Select a valid choice"),
        ({"purpose": 999}, "Select a valid choice"),
        ({"kind": "ask_nps"}, "That permission is about something else."),
        ({"customer_types": ["king"]}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(marketer, given, said):
    assert said in text(marketer.post("/mailings/new/", fields(**given)))
    assert not Mailing.objects.exists()


def test_two_mailings_never_have_one_name(marketer):
    saved(marketer)
    assert "There is one called “Winter check”" in text(marketer.post("/mailings/new/", fields()))


def test_a_draft_is_changed_and_what_was_started_is_not(marketer):
    make_permitted()
    mailing = saved(marketer)
    where = f"/mailings/{mailing.pk}/edit/"
    marketer.post(where, fields(name="Spring", language="nl", customer_types=["regular"]))
    mailing.refresh_from_db()
    assert (mailing.name, mailing.audience.language) == ("Spring", "nl")
    form = marketer.get(where).content.decode()
    assert 'value="Spring"' in form
    marketer.post(f"/mailings/{mailing.pk}/start/")
    assert marketer.post(where, fields(name="Summer")).status_code == 302
    mailing.refresh_from_db()
    assert mailing.name == "Spring"


def test_an_audience_of_nobody_says_so_and_cannot_be_started(marketer):
    make_permitted(customer_type="regular")
    mailing = saved(marketer, customer_types=["prospect"])
    page = marketer.get(f"/mailings/{mailing.pk}/")
    assert "No customer is like that." in text(page)
    assert "/start/" not in page.content.decode()


def test_cancelling_gives_all_back(marketer):
    make_permitted()
    mailing = saved(marketer)
    marketer.post(f"/mailings/{mailing.pk}/start/")
    failed_jobs("mailings", timezone.now())
    page = marketer.post(f"/mailings/{mailing.pk}/cancel/", follow=True)
    assert "What was reserved is given back." in text(page)
    assert Contact.objects.get().status == "released"
    page = marketer.post(f"/mailings/{mailing.pk}/list.csv", follow=True)
    assert "There is no list to fetch now." in text(page)


def test_a_list_that_was_never_reported_back_is_flagged(marketer):
    make_permitted()
    mailing = saved(marketer)
    marketer.post(f"/mailings/{mailing.pk}/start/")
    failed_jobs("mailings", timezone.now())
    Mailing.objects.update(planned_at=timezone.now() - timedelta(hours=49))
    for where in ("/mailings/", f"/mailings/{mailing.pk}/"):
        assert "Not reported back" in text(marketer.get(where))


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_takes_as_many_queries_however_many_there_are(
    marketer, number, django_assert_num_queries
):
    for n in range(number):
        saved(marketer, name=f"Mailing {n}")
    with django_assert_num_queries(8):
        page = text(marketer.get("/mailings/"))
    assert page.count("Draft") == number


def test_without_any_the_page_says_how_to_begin(marketer):
    assert "Nothing was mailed from here yet" in text(marketer.get("/mailings/"))


@pytest.mark.parametrize("path", ["", "new/", "1/", "1/edit/"])
def test_who_looks_after_consent_does_not_mail(client, path):
    assert sign_in(client, Role.CONSENT_ADMIN).get(f"/mailings/{path}").status_code == 403


@pytest.mark.parametrize("path", ["start/", "cancel/", "list.csv"])
def test_looking_changes_nothing(marketer, path):
    mailing = saved(marketer)
    assert marketer.get(f"/mailings/{mailing.pk}/{path}").status_code == 405
    assert Mailing.objects.get().status == "draft"


def test_the_report_of_a_mail_tool_goes_the_way_of_every_file(marketer):
    people = [make_permitted(email=f"k{n}@example.org") for n in range(2)]
    mailing = saved(marketer, touchpoint=make_touchpoint(scale="thumb").pk)
    marketer.post(f"/mailings/{mailing.pk}/start/")
    failed_jobs("mailings", timezone.now())
    [first, second] = [f"mailing:{mailing.pk}:{one.pk}" for one in people]
    body = f"contact;status\n{first};delivered\n{second};bounced\n".encode()
    job = ImportJob.objects.get(pk=uploaded(marketer, body))
    where = f"/imports/{job.pk}/"
    assert marketer.get(where).status_code == 200
    plan = {
        "column_contact": "0", "column_outcome": "1", "time_zone": "Europe/Amsterdam",
        "recode-TOTAL_FORMS": "1", "recode-INITIAL_FORMS": "0", "recode-0-field": "outcome",
        "recode-0-old": "delivered", "recode-0-new": "sent",
    }  # fmt: skip
    assert "Mailing" in text(marketer.post(where, plan, follow=True))
    marketer.post(f"{where}preview/")
    assert failed_jobs("imports", timezone.now()) == []
    job.refresh_from_db()
    assert (job.status, job.result["updated"]) == ("done", 2)
    status = dict(Contact.objects.values_list("request_id", "status"))
    assert status == {first: "sent", second: "failed"}
    assert "What became of it" in text(marketer.get(f"/mailings/{mailing.pk}/"))


def uploaded(marketer: Client, body: bytes) -> int:
    file = SimpleUploadedFile("report.csv", body)
    sent = marketer.post("/imports/", {"kind": "reports", "file": file})
    return int(sent["Location"].split("/")[2])


@pytest.fixture
def administrator(client) -> Client:
    awake_all_night()
    return sign_in(client, Role.ADMINISTRATOR)


def test_a_look_at_one_customer_says_whether_they_get_it_and_why(administrator):
    make_permitted(reference="K1")
    make_permitted(reference="K2", customer_type="lapsed")
    make_customer(reference="K3", customer_type="regular", email="k3@example.org")
    make_contact(make_permitted(reference="K4"), timezone.now())
    mailing = saved(administrator, customer_types=["regular"])

    def look(reference: str) -> str:
        page = administrator.get(f"/mailings/{mailing.pk}/", {"customer": reference})
        return text(page).split("Will this customer get it?")[1]

    assert "Yes. They permit it, and are within their dose." in look("K1")
    assert "No. It is not meant for them" in look("K2")
    assert "No." in look("K3")
    assert "Not then. Possible from" in look("K4")
    assert "No customer has this number." in look("K9")
    assert "No customer has this number." in look("\x00")
    seen = AccessLog.objects.filter(reason=mailing.source, kind="page")
    assert sorted(seen.values_list("customer__reference", flat=True)) == ["K1", "K2", "K3", "K4"]


def test_a_marketer_sees_nobody_there(marketer):
    make_permitted(reference="K1")
    mailing = saved(marketer)
    page = marketer.get(f"/mailings/{mailing.pk}/", {"customer": "K1"})
    assert "Will this customer get it?" not in text(page)
    assert not AccessLog.objects.exists()


def test_the_form_speaks_the_language_of_each_reader(marketer):
    assert "Save the draft" in marketer.get("/mailings/new/").content.decode()
    marketer.cookies["django_language"] = "nl"
    assert "Bewaar het concept" in marketer.get("/mailings/new/").content.decode()
