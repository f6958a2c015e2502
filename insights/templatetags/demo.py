"""The logins of the demo shop, for who starts the product for the first time."""

from django import template
from django.conf import settings
from django.contrib.auth.models import User

from insights.accounts import DEMO_DOMAIN, Role
from insights.demo import PASSWORD

register = template.Library()


@register.simple_tag
def demo_logins() -> list[dict[str, str]]:
    """Return the demo logins, none in production: there they do not work either."""
    if settings.PRODUCTION:
        return []
    users = User.objects.filter(email__endswith=DEMO_DOMAIN, is_active=True)
    roles = {str(role.value): str(role.label) for role in Role}
    return [
        {"email": user.email, "role": _role(user, roles), "password": PASSWORD}
        for user in users.prefetch_related("groups").order_by("pk")
    ]


def _role(user: User, roles: dict[str, str]) -> str:
    names = [group.name for group in user.groups.all()]
    return next((roles[name] for name in names if name in roles), "")
