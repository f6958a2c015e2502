"""What pages say when they have nothing to show: how long it takes, whom to ask, a code."""

import logging

from django import template
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from insights.administrators import Administrators, administrators_for
from insights.dashboard.figures import Shown
from insights.dashboard.pace import pace_words
from insights.dashboard.selection import Selection
from insights.references import current_reference

logger = logging.getLogger(__name__)
register = template.Library()

# The first part of an address, and what its pages are for; only pages that a role may not see.
PURPOSES = {
    "imports": _(
        "Imports bring in customers, products, purchases and answers from files. "
        "Marketers and administrators see them."
    ),
    "touchpoints": _(
        "Touchpoints are the questions that customers see on your pages and in your mails. "
        "Marketers and administrators see them."
    ),
    "annotations": _(
        "Notes say on the charts what happened. Marketers and administrators write them."
    ),
    "settings": _(
        "The settings say how the organisation presents itself, and who your colleagues are. "
        "Administrators see them."
    ),
    "own-shop": _("Here an administrator leaves the demo shop for one of your own."),
    "admin": _("The admin shows what is stored, row by row. Administrators see it."),
}


@register.simple_tag
def reference() -> str:
    """Return the code of this request, which its log lines carry too; "" outside of a request."""
    return current_reference()


@register.simple_tag
def administrators(user: object) -> Administrators | None:
    """Return whom a colleague can ask; None for a stranger, and if the database does not answer.

    The page is about something else, so it can do without the names.
    """
    if not isinstance(user, User):
        return None
    try:
        return administrators_for(user)
    except DatabaseError:
        logger.exception("The administrators could not be read for a page without permission")
        return None


@register.simple_tag
def purpose(request: HttpRequest) -> str:
    """Say what the pages are for among which this address is; "" for one that everybody may see."""
    match = request.resolver_match
    return str(PURPOSES.get(match.route.partition("/")[0], "")) if match else ""


@register.simple_tag
def to_go(shown: Shown, selection: object) -> str:
    """Say how many answers are missing before there is a figure; how long too, on a dashboard."""
    return pace_words(shown, selection if isinstance(selection, Selection) else None)
