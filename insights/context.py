"""What every page's frame needs: the organisation, the reader's choices, and their role."""

from collections.abc import Container
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from insights.accounts import (
    Role,
    may_annotate,
    may_change_settings,
    may_import,
    may_mail,
    may_manage_consent,
    may_read_register,
    may_set_up_touchpoints,
    roles_of,
)
from insights.ledger_words import ledger_warning
from insights.organisation import profile, shown_logo

THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme", "")
    # One query for both, and none on pages that ask for neither.
    roles = SimpleLazyObject(lambda: roles_of(getattr(request, "user", AnonymousUser())))
    # Read once, by the first who asks; who asks before the middleware has its own.
    organisation: Any = getattr(request, "organisation", SimpleLazyObject(profile))
    return {
        "organisation_name": SimpleLazyObject(lambda: organisation.name),
        "organisation_logo": SimpleLazyObject(lambda: shown_logo(organisation)),
        "time_zone": settings.TIME_ZONE,
        "theme": theme if theme in THEMES else "",
        "LANGUAGE_CODE": get_language() or settings.LANGUAGE_CODE,
        "role": SimpleLazyObject(lambda: widest(roles)),
        # One query, on every page of colleagues: whatever they do, they see it.
        "ledger_warning": SimpleLazyObject(ledger_warning),
        "may_import": SimpleLazyObject(lambda: may_import(roles)),
        "may_set_up_touchpoints": SimpleLazyObject(lambda: may_set_up_touchpoints(roles)),
        "may_change_settings": SimpleLazyObject(lambda: may_change_settings(roles)),
        "may_manage_consent": SimpleLazyObject(lambda: may_manage_consent(roles)),
        "may_mail": SimpleLazyObject(lambda: may_mail(roles)),
        "may_annotate": SimpleLazyObject(lambda: may_annotate(roles)),
        "may_read_register": SimpleLazyObject(lambda: may_read_register(roles)),
    }


def widest(names: Container[str]) -> str:
    """Return what the signed-in colleague may do, in words; the widest role counts."""
    roles = [Role.ADMINISTRATOR, Role.CONSENT_ADMIN, Role.MARKETER]
    return next((str(role.label) for role in roles if role.value in names), "")
