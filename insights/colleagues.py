"""Colleagues: who was invited, who joined, what each may do, and who is switched off.

There is no table of invitations, because a login says it all. Who is invited has a login that is
switched off, was never used, and has a random text in the place of its password: the link is
bound to that text, so it is void once the text is another one. Who joined has a password.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.template.loader import render_to_string
from django.urls import reverse

from insights.accounts import DEMO_DOMAIN, Role
from insights.administrators import administrators
from insights.organisation import profile
from insights.services import assign_role

logger = logging.getLogger(__name__)

JOIN_SALT = "insights.join.v1"
# The link opens what customers say: after a week in a mailbox it opens nothing any more.
INVITATION_LASTS = timedelta(days=7)
# At most 20 invitations wait at once, so that nobody mails strangers from here by the hundred.
MOST_INVITATIONS = 20

INVITED = Q(is_active=False, last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX)


class AddressTaken(ValueError):
    def __init__(self) -> None:
        super().__init__("This address has a login or an invitation. Choose another address.")


class TooManyInvitations(ValueError):
    def __init__(self) -> None:
        super().__init__(f"{MOST_INVITATIONS} invitations are open. Withdraw one first.")


class LastAdministrator(ValueError):
    def __init__(self) -> None:
        super().__init__("There is no other administrator. Make somebody else one first.")


class InvitationVoid(ValueError):
    """The link was used, withdrawn, replaced, never made here, or is older than a week."""

    def __init__(self) -> None:
        super().__init__("This link does not work any more. Ask an administrator for a new one.")


# -- Reads ----------------------------------------------------------------------------------------


class Invitation(NamedTuple):
    """Who is invited, and whether the mail server took the mail."""

    user: User
    mailed: bool


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who is invited, or joined."""

    user: User
    role: Role | None
    invited_until: datetime | None
    expired: bool


def colleagues(now: datetime) -> list[Colleague]:
    """Return everybody: who can sign in first, and then by address."""
    invited = ExpressionWrapper(INVITED, output_field=BooleanField())
    users = User.objects.annotate(invited=invited).prefetch_related("groups")
    return [
        Colleague(
            user=user,
            role=role_of(user),
            invited_until=_until(user) if user.invited else None,
            expired=user.invited and _until(user) <= now,
        )
        for user in users.order_by("-is_active", "email")
    ]


def colleague(pk: int) -> User:
    """Return somebody who joined; User.DoesNotExist for anybody else."""
    return User.objects.exclude(INVITED).get(pk=pk)


def role_of(user: User) -> Role | None:
    """Return the widest role, None for none; a superuser is an administrator."""
    names = {group.name for group in user.groups.all()}
    if user.is_superuser:
        return Role.ADMINISTRATOR
    widest = (Role.ADMINISTRATOR, Role.CONSENT_ADMIN, Role.MARKETER)
    return next((role for role in widest if role.value in names), None)


def has_second_step(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def invitation_link(user: User) -> str:
    """Return the link with which somebody who is invited joins."""
    token = _signer().sign(f"{user.pk}-{_mark(user)}")
    return settings.BASE_URL + reverse("join", args=[token])


def invited_by(token: str, now: datetime) -> User:
    """Return who may join with this link; InvitationVoid if nobody does."""
    try:
        pk, _, mark = _signer().unsign(token).partition("-")
    except signing.BadSignature:
        raise InvitationVoid from None
    user = User.objects.filter(INVITED, pk=int(pk)).first()
    if user is None or mark != _mark(user) or _until(user) <= now:
        raise InvitationVoid
    return user


# -- Inviting -------------------------------------------------------------------------------------


def invite(*, email: str, role: Role, inviter: User, now: datetime) -> Invitation:
    """Make a login that opens nothing until its link is used, and mail the link."""
    with transaction.atomic():
        _lock()
        _refuse_taken(email)
        if User.objects.filter(INVITED).count() >= MOST_INVITATIONS:
            raise TooManyInvitations
        user = User(username=email, email=email, is_active=False, date_joined=now)
        user.set_unusable_password()
        user.save()
        assign_role(user, role)
    return Invitation(user, _mailed(user, inviter))


def renew_invitation(*, pk: int, inviter: User, now: datetime) -> Invitation:
    """Let an invitation last another week and mail its new link; older links are void."""
    with transaction.atomic():
        _lock()
        user = User.objects.get(INVITED, pk=pk)
        user.set_unusable_password()
        user.date_joined = now
        user.save(update_fields=["password", "date_joined"])
    return Invitation(user, _mailed(user, inviter))


def withdraw_invitation(*, pk: int) -> User:
    """Forget somebody who did not join; User.DoesNotExist if they did meanwhile."""
    with transaction.atomic():
        _lock()
        user = User.objects.get(INVITED, pk=pk)
        User.objects.filter(pk=pk).delete()
    return user


def accept_invitation(*, token: str, name: str, password: str, now: datetime) -> User:
    """Let somebody join under this name and password; InvitationVoid if the link is void."""
    # Takes a quarter of a second, which nobody should wait for.
    hashed = make_password(password)
    with transaction.atomic():
        _lock()
        user = invited_by(token, now)
        user.first_name, user.password = name, hashed
        user.is_active, user.date_joined = True, now
        user.save(update_fields=["first_name", "password", "is_active", "date_joined"])
    return user


def _mailed(user: User, inviter: User) -> bool:
    """Mail the link, in the language of who invites; False if the mail server took no mail."""
    organisation = profile()
    given = {
        "organisation": organisation.name,
        "inviter": inviter.get_full_name() or inviter.email,
        "link": invitation_link(user),
        "until": _until(user),
    }
    message = EmailMessage(
        # A subject is one line.
        subject=" ".join(render_to_string("account/email/invitation_subject.txt", given).split()),
        body=render_to_string("account/email/invitation_message.txt", given),
        from_email=organisation.sender,
        to=[user.email],
    )
    try:
        message.send()
    except (OSError, SMTPException):
        logger.exception("The mail of invitation %d was not sent", user.pk)
        return False
    return True


def _until(user: User) -> datetime:
    return user.date_joined + INVITATION_LASTS


def _mark(user: User) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()[:16]


def _signer() -> signing.Signer:
    current, *older = settings.LINK_KEYS
    return signing.Signer(key=current, fallback_keys=[*older], salt=JOIN_SALT)


# -- Those who joined -----------------------------------------------------------------------------


def change_colleague(*, pk: int, name: str, email: str, role: Role) -> User:
    """Change the name, the address they sign in with, and the role of somebody who joined."""
    with transaction.atomic():
        _lock()
        user = colleague(pk)
        if role is not Role.ADMINISTRATOR:
            _keep_an_administrator(user)
        if email != user.email:
            _refuse_taken(email, but=pk)
            # Copies that allauth makes when somebody signs in, and would let the old address in.
            EmailAddress.objects.filter(user=user).delete()
        user.first_name, user.email = name, email
        # A demo login stays one under any address, and closed in production.
        if not user.username.endswith(DEMO_DOMAIN):
            user.username = email
        user.save(update_fields=["first_name", "email", "username"])
        assign_role(user, role)
    return user


def switch_off(*, pk: int) -> User:
    """Let nobody sign in as this colleague, and end what is open; what they did stays."""
    with transaction.atomic():
        _lock()
        user = colleague(pk)
        _keep_an_administrator(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        _end_sessions(user)
    return user


def switch_on(*, pk: int) -> User:
    """Let a colleague sign in again, with the password and the role they had."""
    with transaction.atomic():
        _lock()
        user = colleague(pk)
        user.is_active = True
        user.save(update_fields=["is_active"])
    return user


def drop_second_step(*, pk: int) -> User:
    """Let a colleague who lost phone and recovery codes sign in with the password alone."""
    with transaction.atomic():
        user = colleague(pk)
        Authenticator.objects.filter(user=user).delete()
    return user


def _end_sessions(user: User) -> None:
    """End the sessions for good: who is switched on again signs in again, on every machine."""
    ended = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=ended).delete()


def _keep_an_administrator(user: User) -> None:
    if user.is_superuser and user.is_active and not administrators(but=user).exists():
        raise LastAdministrator


def _refuse_taken(email: str, but: int = 0) -> None:
    same = User.objects.filter(Q(username__iexact=email) | Q(email__iexact=email))
    if same.exclude(pk=but).exists():
        raise AddressTaken


def _lock() -> None:
    """Let one change of colleagues wait for another, as the first administrator's does.

    Two administrators who demote each other at once would otherwise leave none.
    """
    Group.objects.select_for_update().get(name=Role.ADMINISTRATOR)
