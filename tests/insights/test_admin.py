"""An administrator adds colleagues: an e-mail address, a role, and they sign in."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from insights.accounts import Role
from insights.services import assign_role

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"
NEW = {
    "email": "Noor@Example.org",
    "first_name": "Noor Voorbeeld",
    "role": "marketer",
    "usable_password": "true",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


def make_colleague(email: str, role: Role) -> User:
    user = User.objects.create_user(username=email, email=email, password=PASSWORD)
    assign_role(user, role)
    return user


@pytest.fixture
def administrator() -> User:
    return make_colleague("kim@example.org", Role.ADMINISTRATOR)


@pytest.fixture
def browser(administrator: User, client: Client) -> Client:
    client.force_login(administrator)
    return client


def test_a_new_colleague_signs_in_with_the_address_and_has_the_role(browser: Client) -> None:
    done = browser.post("/admin/auth/user/add/", NEW)
    assert done.status_code == 302, done.context["errors"]
    user = User.objects.get(email="noor@example.org")
    assert [group.name for group in user.groups.all()] == ["marketer"]
    assert (user.is_staff, user.is_superuser) == (False, False)

    theirs = Client()
    theirs.post("/accounts/login/", {"login": "noor@example.org", "password": PASSWORD})
    assert theirs.get("/").status_code == 200
    assert theirs.get("/imports/").status_code == 200
    assert theirs.get("/admin/").status_code != 200


def test_an_address_belongs_to_one_colleague(browser: Client) -> None:
    refused = browser.post("/admin/auth/user/add/", NEW | {"email": "KIM@example.org"})
    assert refused.status_code == 200
    assert refused.context["adminform"].form.errors["email"] == [
        "Er is al een collega met dit adres."
    ]
    assert User.objects.count() == 1


def test_a_colleague_who_becomes_administrator_may_do_everything(browser: Client) -> None:
    user = make_colleague("noor@example.org", Role.MARKETER)
    page = f"/admin/auth/user/{user.pk}/change/"
    assert browser.get(page).context["adminform"].form.initial["role"] == "marketer"
    given = {"email": user.email, "first_name": "", "role": "administrator", "is_active": "on"}
    assert browser.post(page, given).status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert list(user.groups.all()) == [Group.objects.get(name="administrator")]


@pytest.mark.parametrize(
    "given", [{"role": "marketer", "is_active": "on"}, {"role": "administrator"}]
)
def test_somebody_stays_administrator(browser: Client, administrator: User, given) -> None:
    page = f"/admin/auth/user/{administrator.pk}/change/"
    refused = browser.post(page, {"email": administrator.email, "first_name": "Kim", **given})
    assert refused.status_code == 200
    assert refused.context["adminform"].form.non_field_errors()
    make_colleague("noor@example.org", Role.ADMINISTRATOR)
    done = browser.post(page, {"email": administrator.email, "first_name": "Kim", **given})
    assert done.status_code == 302


@pytest.mark.parametrize("colleagues", [1, 3])
def test_the_list_takes_the_same_queries_for_one_and_for_three(
    browser: Client, colleagues: int, django_assert_num_queries
) -> None:
    for number in range(colleagues - 1):
        make_colleague(f"noor{number}@example.org", Role.MARKETER)
    browser.get("/admin/auth/user/")
    # The session, the reader, the filter, two counts, and the list with its roles.
    with django_assert_num_queries(7):
        assert browser.get("/admin/auth/user/").status_code == 200
