"""Whom a colleague can ask for another role."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from insights.accounts import DEMO_DOMAIN

# Enough to reach somebody, and no list of who works here.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Administrators:
    """At most three who can sign in, and whether there are others."""

    named: list[User]
    others: bool


def administrators(*, but: User) -> QuerySet[User]:
    """Return who else can sign in and do everything."""
    found = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=but.pk)
    if not settings.PRODUCTION:
        return found
    # A demo login opens nothing there, under whatever address it has by now.
    return found.exclude(Q(email__endswith=DEMO_DOMAIN) | Q(username__endswith=DEMO_DOMAIN))


def administrators_for(colleague: User) -> Administrators:
    """Return whom to ask, in one query: who was here last answers soonest."""
    latest = administrators(but=colleague).order_by(F("last_login").desc(nulls_last=True), "pk")
    users = list(latest[: MOST_NAMED + 1])
    return Administrators(users[:MOST_NAMED], others=len(users) > MOST_NAMED)
