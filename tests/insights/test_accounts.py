"""Who may sign in, what each role may do, and how a password and a second step are changed."""

import time
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from insights import services
from insights.accounts import DEMO_DOMAIN, AuthenticationBackend, Role

PASSWORD, NEW = "a long enough password", "another long enough password"

ANONYMOUS, INACTIVE, FIRST = "anonymous", "inactive", "first administrator"


def make_user(email: str = "noor@example.org", role: str = Role.MARKETER, **given) -> User:
    user = User.objects.create_user(username=email, email=email, password=PASSWORD, **given)
    user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(who: str) -> Client:
    """A browser in which somebody of a role is signed in."""
    client = Client()
    if who == FIRST:
        client.force_login(
            services.create_first_administrator(
                email="kim@example.org", password=PASSWORD, name="Kim"
            )
        )
    elif who == INACTIVE:
        user = make_user()
        client.force_login(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
    elif who != ANONYMOUS:
        client.force_login(make_user(role=who))
    return client


def sign_in(client: Client, password: str = PASSWORD, email: str = "noor@example.org"):
    return client.post(reverse("account_login"), {"login": email, "password": password})


# -- Role × address ----------------------------------------------------------------------------

LOGIN = "to the login"
COLUMNS = (ANONYMOUS, INACTIVE, Role.MARKETER, Role.CONSENT_ADMIN, Role.ADMINISTRATOR, FIRST)
# A group alone opens no admin: that takes the mark of staff, which the first administrator has.
TABLE = {
    "/": (LOGIN, LOGIN, 200, 200, 200, 200),
    "/jobs/": (LOGIN, LOGIN, 200, 200, 200, 200),
    "/accounts/2fa/": (LOGIN, LOGIN, 200, 200, 200, 200),
    "/accounts/password/change/": (LOGIN, LOGIN, 200, 200, 200, 200),
    "/admin/": (LOGIN, LOGIN, 403, 403, 403, 200),
    "/admin/customers/customer/": (LOGIN, LOGIN, 403, 403, 403, 200),
    "/settings/colleagues/": (LOGIN, LOGIN, 403, 403, 200, 200),
    "/healthz": (200, 200, 200, 200, 200, 200),
    "/nope/": (404, 404, 404, 404, 404, 404),
}


def outcome(client: Client, path: str) -> int | str:
    response = client.get(path)
    for _ in range(3):
        if response.status_code == 302 and response.url.startswith(reverse("admin:login")):
            response = client.get(response.url)
    if response.status_code == 302 and response.url.startswith(reverse("account_login")):
        return LOGIN
    return response.status_code


@pytest.mark.django_db
@pytest.mark.parametrize("who", COLUMNS, ids=str)
def test_each_role_may_do_this(who):
    client = signed_in(who)
    column = COLUMNS.index(who)
    assert {path: outcome(client, path) for path in TABLE} == {
        path: row[column] for path, row in TABLE.items()
    }


@pytest.mark.django_db
def test_there_are_three_roles():
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


# -- Signing in --------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("production", "email", "may"),
    [
        (False, f"noor{DEMO_DOMAIN}", True),
        (True, f"noor{DEMO_DOMAIN}", False),
        (True, "noor@example.org", True),
    ],
)
def test_a_demo_login_works_outside_production_only(settings, client, production, email, may):
    settings.PRODUCTION = production
    user = make_user(email)
    assert AuthenticationBackend().user_can_authenticate(user) is may
    sign_in(client, email=email)
    assert (outcome(client, "/") == 200) is may


@pytest.mark.django_db
def test_an_account_that_is_switched_off_does_not_sign_in(client):
    make_user(is_active=False)
    sign_in(client)
    assert outcome(client, "/") == LOGIN


# -- The password ------------------------------------------------------------------------------


def change_password(client: Client, old: str = PASSWORD, new: str = NEW):
    answer = {"oldpassword": old, "password1": new, "password2": new}
    return client.post(reverse("account_change_password"), answer)


@pytest.mark.django_db
def test_a_password_is_changed_and_other_browsers_are_signed_out(client):
    make_user()
    elsewhere = Client()
    for browser in (client, elsewhere):
        sign_in(browser)
        assert outcome(browser, "/") == 200
    assert change_password(client).status_code == 302
    assert outcome(client, "/") == 200
    assert outcome(elsewhere, "/") == LOGIN
    assert sign_in(Client()).status_code == 200
    assert sign_in(Client(), NEW).url == "/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("a wrong password", NEW, id="a wrong old one"),
        pytest.param(PASSWORD, "short", id="too short"),
        pytest.param(PASSWORD, "1234567890123", id="digits only"),
        pytest.param(PASSWORD, "noor@example.org", id="the address"),
    ],
)
def test_a_password_stays_as_it_was(client, old, new):
    user = make_user()
    sign_in(client)
    assert change_password(client, old, new).status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


# -- The second step ---------------------------------------------------------------------------


def code(secret: str) -> str:
    """What an app on a phone shows now, and for another second at least."""
    if time.time() % totp.app_settings.TOTP_PERIOD > totp.app_settings.TOTP_PERIOD - 2:
        time.sleep(2)
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def offered_secret(client: Client) -> str:
    """Sign in, say the password once more, as the page asks, and read what it offers."""
    sign_in(client)
    page = reverse("mfa_activate_totp")
    assert client.get(page).url == f"{reverse('account_reauthenticate')}?next={quote(page, '')}"
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.get(page).context["form"].secret


def activate(client: Client, typed: str):
    return client.post(reverse("mfa_activate_totp"), {"code": typed})


@pytest.mark.django_db
def test_a_right_code_switches_the_second_step_on(client):
    user = make_user()
    secret = offered_secret(client)
    assert activate(client, code(secret)).status_code == 302
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}


@pytest.mark.django_db
def test_a_wrong_code_switches_nothing_on(client):
    make_user()
    wrong = f"{(int(code(offered_secret(client))) + 1) % 1_000_000:06d}"
    assert activate(client, wrong).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.fixture
def secret(client) -> str:
    """Noor has the second step."""
    make_user()
    secret = offered_secret(client)
    activate(client, code(secret))
    return secret


def second_step(typed: str) -> Client:
    """Sign in elsewhere with the right password and what was typed next."""
    browser = Client()
    assert sign_in(browser).url == reverse("mfa_authenticate")
    assert outcome(browser, "/") == LOGIN
    browser.post(reverse("mfa_authenticate"), {"code": typed})
    return browser


@pytest.mark.django_db
def test_a_code_signs_in_once(secret):
    typed = code(secret)
    assert outcome(second_step(typed), "/") == 200
    assert outcome(second_step(typed), "/") == LOGIN


@pytest.mark.django_db
def test_a_wrong_code_opens_nothing(secret):
    assert outcome(second_step(f"{(int(code(secret)) + 1) % 1_000_000:06d}"), "/") == LOGIN


@pytest.mark.django_db
@pytest.mark.usefixtures("secret")
def test_a_recovery_code_signs_in_once():
    spare = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    assert outcome(second_step(spare), "/") == 200
    assert outcome(second_step(spare), "/") == LOGIN
