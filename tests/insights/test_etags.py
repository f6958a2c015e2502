"""Pages of figures are kept by the browser, and asked for again only when something changed."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from insights.models import Annotation
from tests.feedback.posts import an_answer_body, an_edit_body, make_asking, send
from tests.insights.makers import give
from tests.insights.test_views import make_user

pytestmark = pytest.mark.django_db

PAGES = ("/", "/satisfaction/")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user())
    return client


def is_kept(client: Client, path: str, change: Callable[[], object] = lambda: None) -> bool:
    """Say whether a page still holds after a change, asked within one minute of the clock."""
    client.get(path)  # which brings the cookie against forged forms
    while True:
        minute = timezone.now().minute
        first = client.get(path)
        change()
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
        if timezone.now().minute == minute:
            assert again.status_code in (200, 304)
            assert (again.content == b"") is (again.status_code == 304)
            return again.status_code == 304


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_did_not_change_is_not_sent_again(staff, path):
    give("nps", [9] * 40)
    assert is_kept(staff, path)
    page = staff.get(path)
    assert page["Cache-Control"] == "private, no-cache"
    assert "Cookie" in page["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_a_new_answer_makes_a_new_page(staff, path):
    give("nps", [9] * 40)
    assert not is_kept(staff, path, lambda: give("nps", [2]))


def test_so_does_a_comment_that_comes_after_the_answer(staff):
    touchpoint = make_asking(scale="nps")
    first = an_answer_body(value=3)
    assert send(touchpoint, first).status_code == 201

    def comment() -> None:
        send(touchpoint, an_edit_body(first, comment="The box was wet."))

    assert not is_kept(staff, "/", comment)


def test_so_does_an_annotation(staff):
    note = Annotation.objects.create(
        on=date(2026, 9, 1), text="New courier", created_at=timezone.now()
    )
    assert is_kept(staff, "/")

    def change() -> None:
        note.text += "s"
        note.save()

    assert not is_kept(staff, "/", change)


def test_so_does_the_language_of_the_reader(staff):
    staff.cookies["django_language"] = "nl"

    def switch() -> None:
        spoken = staff.cookies["django_language"].value
        staff.cookies["django_language"] = "en" if spoken == "nl" else "nl"

    assert not is_kept(staff, "/", switch)


def test_another_selection_is_another_page(staff):
    assert staff.get("/")["ETag"] != staff.get("/?period=4w")["ETag"]


def test_a_page_is_never_kept_for_somebody_who_signed_out(staff):
    seen = staff.get("/")["ETag"]
    staff.logout()
    answer = staff.get("/", headers={"If-None-Match": seen})
    assert answer.status_code == 302
    other = Client()
    other.force_login(make_user("joris@example.org"))
    assert other.get("/", headers={"If-None-Match": seen}).status_code == 200


def test_who_signs_out_leaves_no_page_behind(staff):
    staff.get("/")
    assert staff.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'
