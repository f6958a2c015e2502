"""The page of API keys: for administrators, a secret shown once, and a key ended at once."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.api_keys import Scope, issue_key, working_key
from customers.models import ApiKey
from insights.accounts import Role
from insights.api_key_forms import SCOPE_LABELS
from tests.insights.test_import_views import signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "/settings/api-keys/"
SECRET = re.compile(r"ci_[A-Za-z0-9_-]{43}")


@pytest.fixture
def kim() -> Client:
    return signed_in(Role.ADMINISTRATOR)


def make(client: Client, **given):
    form = {"name": "Shop app", "scopes": ["consent:read"], "days": "90"} | given
    return client.post(PAGE, form)


def make_key(name="Shop app", days=90):
    return issue_key(name=name, scopes=[Scope.READ], days=days, made_by="1", now=timezone.now())


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ([Role.ADMINISTRATOR], True),
        ([Role.MARKETER], False),
        ([Role.CONSENT_ADMIN], False),
        ([], False),
    ],
)
def test_only_administrators_see_make_and_revoke_keys(roles, may):
    key = make_key().key
    client = signed_in(*roles)
    page = client.get(PAGE)
    assert page.status_code == (200 if may else 403)
    assert (key.hint in page.content.decode()) is may
    assert make(client).status_code == (200 if may else 403)
    assert ApiKey.objects.count() == 1 + may
    revoked = client.post(reverse("api_key_revoke", args=[key.pk]))
    assert revoked.status_code == (302 if may else 403)
    key.refresh_from_db()
    assert (key.revoked_at is not None) is may


def test_a_stranger_is_asked_to_sign_in():
    assert Client().get(PAGE).status_code == 302
    assert make(Client()).status_code == 302
    assert not ApiKey.objects.exists()


def test_the_secret_is_shown_once_and_works(kim):
    page = make(kim, scopes=["consent:read", "consent:give"], days="365")
    [secret] = set(SECRET.findall(page.content.decode()))
    assert "no-store" in page["Cache-Control"]
    key = working_key(secret, timezone.now())
    assert key.scopes == ["consent:give", "consent:read"]
    assert key.created_by == str(kim.session["_auth_user_id"])
    assert key.expires_at.date() == (timezone.now() + timedelta(days=365)).date()
    assert SECRET.search(kim.get(PAGE).content.decode()) is None
    assert secret not in repr(dict(kim.session))


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 41}, {"scopes": []}, {"scopes": ["all"]}, {"days": "9999"}],
)
def test_a_key_without_a_name_a_scope_or_an_end_is_refused(kim, wrong):
    page = make(kim, **wrong)
    assert page.status_code == 200
    assert page.context["form"].errors.keys() == wrong.keys()
    assert SECRET.search(page.content.decode()) is None
    assert not ApiKey.objects.exists()


def test_a_revoked_key_works_no_more_and_stays_in_the_list(kim):
    issued = make_key()
    kim.post(reverse("api_key_revoke", args=[issued.key.pk]))
    assert working_key(issued.secret, timezone.now()) is None
    page = text(kim.get(PAGE))
    assert "No API key works" in page
    assert "Revoked on" in page
    first = ApiKey.objects.get().revoked_at
    kim.post(reverse("api_key_revoke", args=[issued.key.pk]))
    assert ApiKey.objects.get().revoked_at == first


def test_an_expired_key_says_so(kim):
    key = make_key().key
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired on" in text(kim.get(PAGE))
    assert reverse("api_key_revoke", args=[key.pk]) not in kim.get(PAGE).content.decode()


def test_a_key_that_is_not_there(kim):
    assert kim.post(reverse("api_key_revoke", args=[4711])).status_code == 404


def test_revoking_needs_a_press_on_the_button(kim):
    key = make_key().key
    assert kim.get(reverse("api_key_revoke", args=[key.pk])).status_code == 405
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_page_takes_the_same_queries_with_one_and_three(kim, django_assert_num_queries):
    make_key()
    kim.get(PAGE)
    with django_assert_num_queries(7):
        kim.get(PAGE)
    make_key("Till")
    make_key("Call centre")
    with django_assert_num_queries(7):
        kim.get(PAGE)


def test_the_page_is_linked_from_the_settings(kim):
    assert f'href="{PAGE}"' in kim.get("/settings/").content.decode()


def test_each_thing_a_key_may_do_can_be_chosen_and_is_told_in_words(kim):
    assert list(SCOPE_LABELS) == list(Scope)
    make(kim, scopes=list(Scope))
    [row] = kim.get(PAGE).context["rows"]
    assert len({str(words) for words in row[2]}) == len(Scope)
