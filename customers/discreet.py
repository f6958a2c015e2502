"""What pages for customers share: no cookie decides anything, and they stay out of logs and caches.

The language is that of the link or form, else the organisation's; a form carries it along.
"""

import time
from collections.abc import Callable, Iterable
from functools import wraps
from math import ceil

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from customers.limits import Limiter, client_place

View = Callable[..., HttpResponse]

# Dutch that says "u": a catalogue of only what differs, on top of the Dutch one.
FORMAL = {"nl": "nl-formal"}
RETRY_BUSY = 5


def discreet(view: View) -> View:
    """Speak the language that is asked for, keep the page private, and say when it is busy."""

    @wraps(view)
    def wrapped(request: HttpRequest, **given: str) -> HttpResponse:
        with translation.override(catalogue(request, _asked_language(request))):
            try:
                response = view(request, **given)
            except (OperationalError, InterfaceError):
                response = busy(request, 503, RETRY_BUSY)
            response.headers.setdefault("Content-Language", spoken())
        kept = "private, no-cache" if request.method in ("GET", "HEAD") else "no-store"
        response["Cache-Control"] = kept
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


def catalogue(request: HttpRequest, language: str) -> str:
    """Return the catalogue of a language, with "u" where the organisation says so."""
    formal = language in FORMAL and getattr(request, "formal", False)
    return FORMAL[language] if formal else language


def spoken() -> str:
    """Return the language of this page, "nl" or "en"."""
    return (translation.get_language() or settings.LANGUAGE_CODE)[:2]


def other_language() -> str:
    return "en" if spoken() == "nl" else "nl"


def say(request: HttpRequest, title: str, *texts: str, status: int = 200) -> HttpResponse:
    """Return a page that says something and asks nothing."""
    context = {"title": title, "texts": texts}
    return render(request, "customers/optin_done.html", context, status=status)


def busy(request: HttpRequest, status: int, wait: int) -> HttpResponse:
    """Return a page that says to try again, and when."""
    response = say(
        request, _("Nothing is stored yet"), _("It is busy here. Try again later."), status=status
    )
    response["Retry-After"] = str(wait)
    return response


def framed_by(response: HttpResponse, origins: Iterable[str]) -> HttpResponse:
    """Let pages of these origins, and of no others, show a response in a frame."""
    if allowed := list(origins):
        response._csp_replace = {"frame-ancestors": allowed}  # type: ignore[attr-defined]
        # That header knows no list, and is not asked where the policy names who may.
        response.xframe_options_exempt = True
    return response


def is_prefetched(request: HttpRequest) -> bool:
    """Say whether a browser fetches a page that perhaps nobody will see."""
    names = ("Sec-Purpose", "Purpose", "X-Moz")
    return any("prefetch" in request.headers.get(name, "") for name in names)


def seconds_to_wait(request: HttpRequest, per_place: Limiter, per_thing: Limiter, pk: int) -> int:
    """Return 0 and count one, or after how many whole seconds another may come."""
    now = time.monotonic()
    return ceil(per_place.wait(_place(request), now) or per_thing.wait(pk, now))


def _place(request: HttpRequest) -> str:
    return client_place(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.ALLAUTH_TRUSTED_PROXY_COUNT,
    )


def _asked_language(request: HttpRequest) -> str:
    asked = (request.POST if request.method == "POST" else request.GET).get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
