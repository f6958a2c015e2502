"""What every page's frame needs: the organisation and the reader's choices."""

from django.conf import settings
from django.http import HttpRequest

THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme", "")
    return {
        "organisation_name": settings.ORGANISATION_NAME,
        "theme": theme if theme in THEMES else "",
    }
