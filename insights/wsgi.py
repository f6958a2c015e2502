"""The web application, for granian and any other WSGI server."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "insights.settings")
django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer in UTF-8 whatever charset a request claims.

    Django reads addresses and forms in that charset, before any middleware, and fails on the
    names of codecs that are none, such as "hex".
    """
    media_type, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    kept = [one for one in parameters.split(";") if not one.strip().lower().startswith("charset")]
    environ["CONTENT_TYPE"] = ";".join([media_type, *kept]) if parameters else media_type
    return django(environ, start_response)
