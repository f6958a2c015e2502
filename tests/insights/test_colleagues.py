"""Colleagues are invited, join with a link that works once, and are changed or switched off."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from insights import colleagues
from insights.accounts import DEMO_DOMAIN, AuthenticationBackend, Role
from insights.colleagues import (
    AddressTaken,
    InvitationVoid,
    LastAdministrator,
    TooManyInvitations,
    accept_invitation,
    change_colleague,
    invite,
    invited_by,
    renew_invitation,
    switch_off,
    switch_on,
    withdraw_invitation,
)
from tests.insights.test_admin import PASSWORD, make_colleague

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
PAGE = "/settings/colleagues/"
NOOR = "noor@example.org"


@pytest.fixture
def kim() -> User:
    return make_colleague("kim@example.org", Role.ADMINISTRATOR)


@pytest.fixture
def browser(kim: User, client: Client) -> Client:
    """The administrator's, in English."""
    client.cookies["django_language"] = "en"
    client.force_login(kim)
    return client


def make_invitation(kim: User, email: str = NOOR, role: Role = Role.MARKETER, now=NOW) -> User:
    return invite(email=email, role=role, inviter=kim, now=now).user


def token_of(user: User) -> str:
    return colleagues.invitation_link(user).rsplit("/", 2)[-2]


def join(token: str, client: Client | None = None, **given):
    answer = {"name": "Noor Voorbeeld", "password": PASSWORD} | given
    return (client or Client()).post(f"/join/{token}/", answer)


def sign_in(client: Client, email: str = NOOR, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def may_enter(client: Client) -> bool:
    return client.get("/jobs/").status_code == 200


# -- From the form to the overview ----------------------------------------------------------------


def test_who_is_invited_joins_with_the_link_in_the_mail(browser: Client, settings) -> None:
    done = browser.post(PAGE, {"email": "Noor@Example.org", "role": "marketer"}, follow=True)
    [link] = re.findall(r"http\S+/join/\S+/", mail.outbox[0].body)
    assert done.context["link"] == link
    assert done.context["invited"].email == NOOR
    assert link.startswith(settings.BASE_URL)
    assert NOOR not in link

    theirs = Client()
    path = link.removeprefix(settings.BASE_URL)
    shown = theirs.get(path)
    assert NOOR in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    joined = theirs.post(path, {"name": "Noor Voorbeeld", "password": PASSWORD})
    assert (joined.status_code, joined.headers["location"]) == (302, "/")
    user = User.objects.get(email=NOOR)
    assert (user.get_full_name(), user.username) == ("Noor Voorbeeld", NOOR)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert [group.name for group in user.groups.all()] == ["marketer"]
    assert theirs.get("/imports/").status_code == 200
    assert theirs.get(PAGE).status_code == 403
    elsewhere = Client()
    sign_in(elsewhere)
    assert may_enter(elsewhere)


def test_an_invited_administrator_has_all_rights_after_joining(kim: User) -> None:
    user = make_invitation(kim, role=Role.ADMINISTRATOR)
    assert not user.has_perm("insights.view_jobrun")
    theirs = Client()
    accept_invitation(token=token_of(user), name="Noor", password=PASSWORD, now=NOW)
    sign_in(theirs)
    assert theirs.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Your invitation to Customer Insights of Lindehuis"),
        ("nl", "Je uitnodiging voor Customer Insights van Lindehuis"),
    ],
)
def test_the_mail_is_in_the_language_of_who_invites(browser, settings, language, subject) -> None:
    settings.ORGANISATION_NAME = "Lindehuis"
    browser.cookies["django_language"] = language
    browser.post(PAGE, {"email": NOOR, "role": "marketer"})
    [message] = mail.outbox
    assert (message.subject, message.to) == (subject, [NOOR])
    assert "kim@example.org" in message.body


def test_the_link_is_shown_once(browser: Client) -> None:
    shown = browser.post(PAGE, {"email": NOOR, "role": "marketer"}, follow=True)
    assert "/join/" in shown.content.decode()
    assert "/join/" not in browser.get(PAGE).content.decode()


def test_a_mail_that_is_not_sent_is_said_and_the_link_remains(browser, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = browser.post(PAGE, {"email": NOOR, "role": "marketer"}, follow=True)
    assert "The mail server took no mail" in page.content.decode()
    assert page.context["link"] in page.content.decode()


def test_without_a_mail_server_the_page_says_where_mails_are(browser, settings, tmp_path) -> None:
    assert "EMAIL_URL" not in browser.get(PAGE).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    page = browser.post(PAGE, {"email": NOOR, "role": "marketer"}, follow=True)
    assert str(tmp_path) in page.content.decode()
    assert len(list(tmp_path.iterdir())) == 1


# -- Before somebody joins ------------------------------------------------------------------------


def test_who_is_invited_neither_signs_in_nor_gets_a_new_password(kim: User) -> None:
    user = make_invitation(kim)
    mail.outbox.clear()
    theirs = Client()
    for password in ("", user.password, "!"):
        sign_in(theirs, password=password)
        assert not may_enter(theirs)
    theirs.post("/accounts/password/reset/", {"email": NOOR})
    assert mail.outbox == []


@pytest.mark.parametrize("email", [NOOR, "kim@example.org"])
def test_an_address_is_invited_once(browser: Client, kim: User, email: str) -> None:
    make_invitation(kim)
    page = browser.post(PAGE, {"email": email.upper(), "role": "marketer"})
    assert page.context["form"].errors["email"] == [
        "There is a colleague with this address already."
    ]
    assert User.objects.count() == 2


def test_twenty_invitations_wait_at_once_and_no_more(browser: Client, kim: User) -> None:
    for number in range(20):
        make_invitation(kim, f"noor{number}@example.org")
    with pytest.raises(TooManyInvitations, match="20 invitations are open"):
        make_invitation(kim)
    page = browser.post(PAGE, {"email": NOOR, "role": "marketer"})
    assert "20 invitations are open" in page.context["form"].non_field_errors()[0]
    withdraw_invitation(pk=User.objects.get(email="noor7@example.org").pk)
    make_invitation(kim)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param({"password": "short"}, "password", id="too short"),
        pytest.param({"password": "1234567890123"}, "password", id="digits only"),
        pytest.param({"password": NOOR}, "password", id="the address"),
        pytest.param({"password": "Noor Voorbeeld"}, "password", id="the name"),
        pytest.param({"name": " "}, "name", id="no name"),
    ],
)
def test_joining_takes_a_name_and_a_good_password(kim: User, given, problem: str) -> None:
    token = token_of(make_invitation(kim, now=datetime.now(UTC)))
    refused = join(token, **given)
    assert refused.status_code == 200
    assert set(refused.context["form"].errors) == {problem}
    assert join(token).status_code == 302


def test_the_address_of_an_invitation_is_not_chosen_by_who_joins(kim: User) -> None:
    join(token_of(make_invitation(kim, now=datetime.now(UTC))), email="eve@example.org")
    assert set(User.objects.values_list("email", flat=True)) == {NOOR, "kim@example.org"}


# -- Links that are void --------------------------------------------------------------------------


def used(user: User) -> None:
    accept_invitation(token=token_of(user), name="Noor", password=PASSWORD, now=user.date_joined)


def expired(user: User) -> None:
    User.objects.filter(pk=user.pk).update(date_joined=user.date_joined - WEEK)


def withdrawn(user: User) -> None:
    withdraw_invitation(pk=user.pk)


def replaced(user: User) -> None:
    renew_invitation(pk=user.pk, inviter=User.objects.get(is_superuser=True), now=user.date_joined)


def switched_off_after_joining(user: User) -> None:
    used(user)
    switch_off(pk=user.pk)


def key_dropped(user: User) -> None:
    from django.conf import settings

    settings.LINK_KEYS = ["another key"]


WAYS = [used, expired, withdrawn, replaced, switched_off_after_joining, key_dropped]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_void_link_says_so_in_one_way(kim: User, settings, way) -> None:
    settings.LINK_KEYS = list(settings.LINK_KEYS)
    user = make_invitation(kim, now=datetime.now(UTC))
    token = token_of(user)
    assert Client().get(f"/join/{token}/").status_code == 200
    way(user)
    before = list(User.objects.values())
    for shown in (Client().get(f"/join/{token}/"), join(token)):
        assert shown.status_code == 404
        assert shown.templates[0].name == "insights/join_void.html"
        assert NOOR not in shown.content.decode()
    assert list(User.objects.values()) == before


@pytest.mark.parametrize("token", ["1-2:3", "x", "1:1", "é", "first-administrator:a:b"])
def test_a_made_up_link_is_void(kim: User, token: str) -> None:
    make_invitation(kim)
    assert Client().get(f"/join/{token}/").status_code == 404
    with pytest.raises(InvitationVoid):
        invited_by(token, NOW)


def test_a_link_lasts_seven_days_to_the_second(kim: User) -> None:
    token = token_of(make_invitation(kim))
    assert invited_by(token, NOW + WEEK - timedelta(seconds=1)).email == NOOR
    with pytest.raises(InvitationVoid):
        invited_by(token, NOW + WEEK)


def test_a_link_survives_a_new_key(kim: User, settings) -> None:
    token = token_of(make_invitation(kim))
    settings.LINK_KEYS = ["new", *settings.LINK_KEYS]
    assert invited_by(token, NOW).email == NOOR


def test_looking_at_a_link_does_not_use_it(kim: User) -> None:
    token = token_of(make_invitation(kim, now=datetime.now(UTC)))
    for look in ("get", "head"):
        assert getattr(Client(), look)(f"/join/{token}/").status_code == 200
    assert join(token).status_code == 302


# -- Invitations in the list ----------------------------------------------------------------------


def test_an_invitation_is_sent_again_with_another_link(browser: Client, kim: User) -> None:
    user = make_invitation(kim)
    old = token_of(user)
    page = browser.post(reverse("invitation_renew", args=[user.pk]), follow=True)
    assert len(mail.outbox) == 2
    assert page.context["link"] in mail.outbox[1].body
    assert old not in page.context["link"]
    assert Client().get(f"/join/{old}/").status_code == 404
    user.refresh_from_db()
    assert join(token_of(user)).status_code == 302


def test_a_withdrawn_invitation_leaves_nothing(browser: Client, kim: User) -> None:
    user = make_invitation(kim)
    browser.post(reverse("invitation_withdraw", args=[user.pk]))
    assert not User.objects.filter(email=NOOR).exists()
    make_invitation(kim)


@pytest.mark.parametrize("action", ["invitation_renew", "invitation_withdraw"])
def test_who_joined_is_no_invitation_any_more(browser: Client, kim: User, action: str) -> None:
    user = make_invitation(kim)
    used(user)
    for _ in range(2):
        assert browser.post(reverse(action, args=[user.pk])).status_code == 404
        # Nor is who joined and was switched off since.
        switch_off(pk=user.pk)
    assert User.objects.get(pk=user.pk).has_usable_password()


@pytest.mark.parametrize("action", ["colleague", "colleague_off", "colleague_on"])
def test_who_is_invited_is_not_switched_on_or_changed(browser, kim: User, action: str) -> None:
    user = make_invitation(kim)
    answer = {"email": NOOR, "role": "administrator"}
    assert browser.post(reverse(action, args=[user.pk]), answer).status_code == 404
    user.refresh_from_db()
    assert (user.is_active, user.is_superuser) == (False, False)


# -- The list -------------------------------------------------------------------------------------


def test_the_list_says_who_may_what(kim: User) -> None:
    make_invitation(kim, "a@example.org", Role.CONSENT_ADMIN, NOW - timedelta(days=8))
    make_invitation(kim, "b@example.org")
    switch_off(pk=make_colleague("c@example.org", Role.MARKETER).pk)
    found = [
        (row.user.email, row.role, row.invited_until, row.expired)
        for row in colleagues.colleagues(NOW)
    ]
    assert found == [
        ("kim@example.org", Role.ADMINISTRATOR, None, False),
        ("a@example.org", Role.CONSENT_ADMIN, NOW - timedelta(days=1), True),
        ("b@example.org", Role.MARKETER, NOW + WEEK, False),
        ("c@example.org", Role.MARKETER, None, False),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_takes_the_same_queries_for_one_and_for_three(
    browser: Client, number: int, django_assert_num_queries
) -> None:
    for name in range(number - 1):
        make_colleague(f"noor{name}@example.org", Role.MARKETER)
    browser.get(PAGE)
    # The session, the reader, their roles for the page and for its frame, the organisation, and
    # everybody with their roles.
    with django_assert_num_queries(8):
        assert browser.get(PAGE).status_code == 200


# -- Who joined -----------------------------------------------------------------------------------


def change(client: Client, user: User, **given):
    answer = {"name": user.first_name, "email": user.email, "role": "marketer"} | given
    return client.post(reverse("colleague", args=[user.pk]), answer)


def test_a_colleague_who_becomes_administrator_may_do_everything(browser: Client) -> None:
    user = make_colleague(NOOR, Role.MARKETER)
    page = browser.get(reverse("colleague", args=[user.pk]))
    assert page.context["form"].initial["role"] == "marketer"
    assert change(browser, user, role="administrator").status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert list(user.groups.all()) == [Group.objects.get(name="administrator")]


def test_a_changed_address_signs_in_and_the_old_one_does_not(browser: Client) -> None:
    user = make_colleague(NOOR, Role.MARKETER)
    theirs = Client()
    sign_in(theirs)
    theirs.get("/accounts/email/")
    assert EmailAddress.objects.filter(email=NOOR).exists()
    change(browser, user, name="Noor Nieuw", email="New@Example.org")
    old, new = Client(), Client()
    sign_in(old)
    sign_in(new, "new@example.org")
    assert (may_enter(old), may_enter(new)) == (False, True)
    user.refresh_from_db()
    assert user.get_full_name() == "Noor Nieuw"


def test_an_address_belongs_to_one_colleague(browser: Client) -> None:
    user = make_colleague(NOOR, Role.MARKETER)
    refused = change(browser, user, email="KIM@example.org")
    assert refused.context["form"].errors["email"] == [
        "There is a colleague with this address already."
    ]
    with pytest.raises(AddressTaken):
        change_colleague(pk=user.pk, name="", email="kim@example.org", role=Role.MARKETER)
    assert change(browser, user).status_code == 302


def test_a_demo_login_stays_one_under_another_address(settings) -> None:
    user = make_colleague(f"marketer{DEMO_DOMAIN}", Role.MARKETER)
    user = change_colleague(pk=user.pk, name="", email=NOOR, role=Role.MARKETER)
    settings.PRODUCTION = True
    assert AuthenticationBackend().user_can_authenticate(user) is False


def test_who_is_switched_off_is_out_with_the_next_request(browser: Client) -> None:
    user = make_colleague(NOOR, Role.MARKETER)
    theirs, elsewhere = Client(), Client()
    sign_in(theirs)
    sign_in(elsewhere)
    assert may_enter(theirs)
    assert may_enter(elsewhere)
    browser.post(reverse("colleague_off", args=[user.pk]))
    assert not may_enter(theirs)
    sign_in(theirs)
    assert not may_enter(theirs)

    browser.post(reverse("colleague_on", args=[user.pk]))
    assert not may_enter(elsewhere)
    sign_in(elsewhere)
    assert may_enter(elsewhere)
    assert may_enter(browser)


def test_a_lost_second_step_is_dropped(browser: Client) -> None:
    user = make_colleague(NOOR, Role.MARKETER)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    before, after = Client(), Client()
    sign_in(before)
    assert not may_enter(before)
    page = browser.get(reverse("colleague", args=[user.pk]))
    assert reverse("colleague_one_step", args=[user.pk]) in page.content.decode()
    browser.post(reverse("colleague_one_step", args=[user.pk]))
    sign_in(after)
    assert may_enter(after)


# -- Somebody stays administrator -----------------------------------------------------------------


def test_the_last_administrator_stays_one(browser: Client, kim: User) -> None:
    off = reverse("colleague_off", args=[kim.pk])
    # Neither a colleague who is switched off nor one who is invited can take over.
    other = make_colleague("other@example.org", Role.ADMINISTRATOR)
    switch_off(pk=other.pk)
    make_invitation(kim, role=Role.ADMINISTRATOR)
    assert change(browser, kim).context["form"].errors["role"] == [
        "Make somebody else administrator first: there is no other."
    ]
    assert "there is no other" in browser.post(off, follow=True).content.decode()
    kim.refresh_from_db()
    assert (kim.is_active, kim.is_superuser) == (True, True)

    switch_on(pk=other.pk)
    done = change(browser, kim)
    assert (done.status_code, done.headers["location"]) == (302, "/")
    kim.refresh_from_db()
    assert kim.is_superuser is False


def test_the_last_administrator_is_not_switched_off_before_the_other_is_back(kim: User) -> None:
    other = make_colleague("other@example.org", Role.ADMINISTRATOR)
    switch_off(pk=kim.pk)
    with pytest.raises(LastAdministrator):
        switch_off(pk=other.pk)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_administrators_who_demote_each_other_at_once_leave_one(kim: User) -> None:
    other = make_colleague("other@example.org", Role.ADMINISTRATOR)
    together = Barrier(2)

    def demote(user: User) -> bool:
        together.wait()
        try:
            change_colleague(pk=user.pk, name="", email=user.email, role=Role.MARKETER)
        except LastAdministrator:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, [kim, other]))
    assert sorted(done) == [False, True]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_who_use_a_link_at_once_get_one_login(kim: User) -> None:
    token = token_of(make_invitation(kim))
    together = Barrier(2)

    def accept(name: str) -> str:
        together.wait()
        try:
            accept_invitation(token=token, name=name, password=PASSWORD, now=NOW)
        except InvitationVoid:
            return ""
        finally:
            connection.close()
        return name

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(accept, ["Noor", "Eve"]))
    [name] = filter(None, done)
    assert User.objects.get(email=NOOR).first_name == name


# -- For administrators alone ---------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.MARKETER, Role.CONSENT_ADMIN])
def test_other_roles_are_refused_and_change_nothing(kim: User, role: Role) -> None:
    invited, target = make_invitation(kim), make_colleague("t@example.org", Role.MARKETER)
    theirs = Client()
    theirs.force_login(make_colleague("me@example.org", role))
    before = list(User.objects.order_by("pk").values())
    pages = [reverse("colleagues"), reverse("colleague", args=[target.pk])]
    actions = [
        *(reverse(name, args=[target.pk]) for name in ("colleague_off", "colleague_on")),
        reverse("colleague_one_step", args=[target.pk]),
        *(reverse(f"invitation_{name}", args=[invited.pk]) for name in ("renew", "withdraw")),
    ]
    assert {theirs.get(path).status_code for path in pages} == {403}
    answer = {"email": "x@example.org", "role": "administrator"}
    assert {theirs.post(path, answer).status_code for path in pages + actions} == {403}
    assert list(User.objects.order_by("pk").values()) == before


def test_nothing_is_done_by_a_link(browser: Client, kim: User) -> None:
    invited, target = make_invitation(kim), make_colleague("t@example.org", Role.MARKETER)
    for name in ("colleague_off", "colleague_on", "colleague_one_step"):
        assert browser.get(reverse(name, args=[target.pk])).status_code == 405
    for name in ("invitation_renew", "invitation_withdraw"):
        assert browser.get(reverse(name, args=[invited.pk])).status_code == 405
