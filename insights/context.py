"""What every page's frame needs: the organisation, the reader's choices, and their role."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from insights.accounts import Role

THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme", "")
    return {
        "organisation_name": settings.ORGANISATION_NAME,
        "time_zone": settings.TIME_ZONE,
        "theme": theme if theme in THEMES else "",
        "LANGUAGE_CODE": get_language() or settings.LANGUAGE_CODE,
        "role": SimpleLazyObject(lambda: role_of(request)),
    }


def role_of(request: HttpRequest) -> str:
    """Return what the signed-in colleague may do, in words; the widest role counts."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    names = set(user.groups.values_list("name", flat=True))
    if user.is_superuser:
        names.add(Role.ADMINISTRATOR)
    roles = [Role.ADMINISTRATOR, Role.CONSENT_ADMIN, Role.MARKETER]
    return next((str(role.label) for role in roles if role.value in names), "")
