"""Who may sign in, and how: no sign-up, and no demo logins in production."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

# Addresses that cannot exist: whoever has one is a demo login.
DEMO_DOMAIN = "@demo.example"


class Role(models.TextChoices):
    """The groups that staff belong to; what each may do is in docs/architecture.md."""

    MARKETER = "marketer", _("Marketer")
    CONSENT_ADMIN = "consent_admin", _("Consent admin")
    ADMINISTRATOR = "administrator", _("Administrator")


class AccountAdapter(DefaultAccountAdapter):
    """Colleagues are invited; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  (allauth's)
        return False


class AuthenticationBackend(AllauthBackend):
    """The login of allauth, closed for demo accounts in production."""

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        email = str(getattr(user, "email", ""))
        if settings.PRODUCTION and email.endswith(DEMO_DOMAIN):
            return False
        return bool(super().user_can_authenticate(user))
