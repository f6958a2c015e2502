"""Who may sign in, and how: no sign-up, and no demo logins in production."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from insights.organisation import profile

# Addresses that cannot exist: whoever has one is a demo login.
DEMO_DOMAIN = "@demo.example"


class Role(models.TextChoices):
    """The groups that staff belong to; what each may do is in docs/architecture.md."""

    MARKETER = "marketer", _("Marketer")
    CONSENT_ADMIN = "consent_admin", _("Consent admin")
    ADMINISTRATOR = "administrator", _("Administrator")


# An import changes facts about many customers at once.
MAY_IMPORT = frozenset({Role.MARKETER, Role.ADMINISTRATOR})

# Who asks decides where and how; a touchpoint is part of the work with answers, not with consent.
MAY_SET_UP_TOUCHPOINTS = frozenset({Role.MARKETER, Role.ADMINISTRATOR})

# How the organisation presents itself is everybody's face, so few may change it.
MAY_CHANGE_SETTINGS = frozenset({Role.ADMINISTRATOR})

# Who invites decides who reads what customers say.
MAY_INVITE = frozenset({Role.ADMINISTRATOR})

# What happened is noted by who works with the answers, and read by everybody.
MAY_ANNOTATE = frozenset({Role.MARKETER, Role.ADMINISTRATOR})

# How often customers are contacted is for who contacts them, and for who answers for it.
MAY_CHANGE_POLICY = frozenset({Role.MARKETER, Role.ADMINISTRATOR})

# Who sends gets the addresses of who may be sent this mail, and of nobody else.
MAY_MAIL = frozenset({Role.MARKETER, Role.ADMINISTRATOR})

# What is done with data, in general, is for everybody who works with it.
MAY_READ_REGISTER = frozenset({Role.MARKETER, Role.CONSENT_ADMIN, Role.ADMINISTRATOR})

# What customers permit, read before they say yes and ask about their data is looked after by few,
# and who sends is not among them: marketers see counts, and whose they are in a send list alone.
MAY_MANAGE_CONSENT = frozenset({Role.CONSENT_ADMIN, Role.ADMINISTRATOR})


def roles_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """Return the roles of a colleague; a superuser is an administrator too."""
    if not isinstance(user, User):
        return frozenset()
    names = frozenset(user.groups.values_list("name", flat=True))
    return names | {Role.ADMINISTRATOR} if user.is_superuser else names


def may_import(roles: Iterable[str]) -> bool:
    """Say whether somebody may upload, start and look at imports of all but permissions."""
    return not MAY_IMPORT.isdisjoint(roles)


def may_set_up_touchpoints(roles: Iterable[str]) -> bool:
    """Say whether somebody with these roles may look at, create and change touchpoints."""
    return not MAY_SET_UP_TOUCHPOINTS.isdisjoint(roles)


def may_change_settings(roles: Iterable[str]) -> bool:
    """Say whether somebody with these roles may change how the organisation presents itself."""
    return not MAY_CHANGE_SETTINGS.isdisjoint(roles)


def may_invite(roles: Iterable[str]) -> bool:
    """Say whether somebody with these roles may invite colleagues, and change what they may."""
    return not MAY_INVITE.isdisjoint(roles)


def may_annotate(roles: Iterable[str]) -> bool:
    """Say whether somebody with these roles may note what happened, on every chart."""
    return not MAY_ANNOTATE.isdisjoint(roles)


def may_change_policy(roles: Iterable[str]) -> bool:
    """Say whether somebody may change how often customers are contacted."""
    return not MAY_CHANGE_POLICY.isdisjoint(roles)


def may_mail(roles: Iterable[str]) -> bool:
    """Say whether somebody may make send lists, and fetch them."""
    return not MAY_MAIL.isdisjoint(roles)


def may_read_register(roles: Iterable[str]) -> bool:
    """Say whether somebody with these roles may read the register of processing."""
    return not MAY_READ_REGISTER.isdisjoint(roles)


def may_manage_consent(roles: Iterable[str]) -> bool:
    """Say whether somebody may see and lower what customers permit, import it, write the texts for
    it, and answer what people ask about their data."""
    return not MAY_MANAGE_CONSENT.isdisjoint(roles)


def is_alone(user: User) -> bool:
    """Say whether nobody else who can sign in looks after consent: no second pair of eyes."""
    may = Q(is_superuser=True) | Q(groups__name__in=MAY_MANAGE_CONSENT)
    others = User.objects.filter(may, is_active=True).exclude(pk=user.pk)
    if settings.PRODUCTION:
        # A demo login opens nothing there.
        others = others.exclude(Q(email__endswith=DEMO_DOMAIN) | Q(username__endswith=DEMO_DOMAIN))
    return not others.exists()


class AccountAdapter(DefaultAccountAdapter):
    """Colleagues are invited; nobody signs up."""

    def get_from_email(self) -> str:
        """Send as the organisation does."""
        return profile().sender

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  (allauth's)
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Link to our own address, whatever host the request named."""
        path = urlsplit(super().get_reset_password_from_key_url(key)).path
        return f"{settings.BASE_URL}{path}"


class AuthenticationBackend(AllauthBackend):
    """The login of allauth, closed for demo accounts in production."""

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        # The user name keeps the address that a login began with.
        names = (str(getattr(user, "email", "")), str(getattr(user, "username", "")))
        if settings.PRODUCTION and any(name.endswith(DEMO_DOMAIN) for name in names):
            return False
        return bool(super().user_can_authenticate(user))
