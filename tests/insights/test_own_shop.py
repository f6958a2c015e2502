"""The page that leaves the demo: who sees it, where it is offered, and what it says without a
supervisor. What it does is in tests/project/test_own_shop.py, with a server of its own."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import OutputWrapper
from django.template import Context, Template
from django.urls import reverse

from insights import own_shop
from insights.accounts import Role
from insights.database_file import FIRST, OWN, chosen
from insights.demo.progress import Progress
from insights.demo.shop import load_demo
from tests.insights.test_views import make_user
from tests.makers import TODAY

pytestmark = pytest.mark.django_db
BUTTON = 'method="post">'
SECTION = Template('{% include "insights/_own_shop.html" %}')


@pytest.fixture
def demo(settings, tmp_path: Path) -> User:
    """The administrator of a demo shop on a file of its own."""
    settings.VAR_DIR = tmp_path
    settings.DATABASE_FILE = tmp_path / FIRST
    return make_user("admin@demo.example", Role.ADMINISTRATOR, is_staff=True)


def main_of(response) -> str:
    return response.content.decode().partition("<main")[2].partition("</main>")[0]


def test_an_administrator_of_the_demo_is_told_what_happens_and_may_press(client, demo):
    client.force_login(demo)
    response = client.get(reverse("own_shop"))
    assert response.status_code == 200
    assert BUTTON in main_of(response)
    assert "start.py --demo" in main_of(response)
    assert "no-store" in response["Cache-Control"]
    assert reverse("own_shop") in SECTION.render(Context({"user": demo}))


@pytest.mark.parametrize("role", [Role.MARKETER, Role.CONSENT_ADMIN])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_may(client, demo, role, method):
    user = make_user("kim@demo.example", role)
    client.force_login(user)
    assert getattr(client, method)(reverse("own_shop")).status_code == 403
    assert SECTION.render(Context({"user": user})).strip() == ""
    assert not own_shop.is_open()


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param({"PRODUCTION": True}, id="in production"),
        pytest.param({"DATABASE_FILE": None}, id="with DATABASE_URL"),
        pytest.param({"DATABASE_FILE": Path("/var") / OWN}, id="in the own shop"),
    ],
)
def test_elsewhere_it_says_two_commands_and_changes_nothing(client, demo, settings, elsewhere):
    for name, value in elsewhere.items():
        setattr(settings, name, value)
    # Beside the demo logins, which do not work in production anyway.
    user = make_user("kim@example.org", Role.ADMINISTRATOR, is_staff=True)
    client.force_login(user)
    for response in (client.get(reverse("own_shop")), client.post(reverse("own_shop"))):
        assert response.status_code == 200
        assert BUTTON not in main_of(response)
        assert main_of(response).count("python3 start.py --no-demo") == 2
    assert SECTION.render(Context({"user": user})).strip() == ""
    assert list(settings.VAR_DIR.iterdir()) == []


def test_without_demo_logins_there_is_no_demo_to_leave(client, demo):
    demo.delete()
    client.force_login(make_user("kim@example.org", Role.ADMINISTRATOR, is_staff=True))
    assert BUTTON not in main_of(client.get(reverse("own_shop")))


def test_a_form_without_its_token_opens_nothing(demo, settings):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(demo)
    assert strict.post(reverse("own_shop")).status_code == 403
    assert list(settings.VAR_DIR.iterdir()) == []


def test_without_a_supervisor_it_asks_for_a_restart(client, demo, settings, monkeypatch):
    monkeypatch.delenv(own_shop.SUPERVISED, raising=False)
    client.force_login(demo)
    client.cookies["django_language"] = "en"
    page = main_of(client.post(reverse("own_shop")))
    assert "restart the server" in page
    assert "is being opened" not in page
    assert re.search(r'href="/setup/[^/"]+/"', page)
    assert chosen(settings.VAR_DIR) == settings.VAR_DIR / OWN
    assert sorted(path.name for path in settings.VAR_DIR.iterdir()) == [
        "database",
        "own_shop.lock",
        OWN,
    ]
    # What runs goes on with the demo until then.
    assert client.get(reverse("own_shop_open")).json() == {"open": False}


def test_a_shop_that_cannot_be_made_is_said_with_the_reason(client, demo, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "gone"
    client.force_login(demo)
    response = client.post(reverse("own_shop"), follow=True)
    assert response.redirect_chain == [(reverse("own_shop"), 302)]
    assert "No such file or directory" in response.content.decode()


@pytest.mark.parametrize(
    ("name", "answer"), [(FIRST, False), (OWN, True), ("another.sqlite3", True), (None, False)]
)
def test_anybody_may_ask_whether_the_own_shop_is_there(client, settings, tmp_path, name, answer):
    settings.DATABASE_FILE = name and tmp_path / name
    assert client.get(reverse("own_shop_open")).json() == {"open": answer}


def test_the_name_of_the_demo_shop_is_in_its_database_alone(client):
    login = reverse("account_login")
    assert "Inloggen bij Customer Insights" in client.get(login).content.decode()
    load_demo(today=TODAY, progress=Progress(OutputWrapper(StringIO())), one_in=400)
    assert "Inloggen bij Lindehuis" in client.get(login).content.decode()
