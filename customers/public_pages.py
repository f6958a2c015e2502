"""What pages for customers have in common: language, discretion, and where a request comes from.

No cookie has a say in any of it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from customers.limits import Limiter, client_place
from customers.lowering import Wanted

View = Callable[..., HttpResponse]

# Dutch that says "u": a catalogue of only what differs, on top of the Dutch one. It cannot be
# nl-nl, for gettext looks there for plain Dutch too.
FORMAL = {"nl": "nl-formal"}
RETRY_BUSY = 5
# More than any id has, and less than a database cannot compare.
MOST_DIGITS = 19

# Strangers may post any body at all; a press on a link of ours counts whatever came with it.
UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)


def discreet(view: View) -> View:
    """Speak the language that is asked for, keep out of caches and logs, say when it is busy."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language_of(request)):
            try:
                response = view(request, *args, **kwargs)
            except (OperationalError, InterfaceError):
                response = busy(request, 503, RETRY_BUSY)
            response["Content-Language"] = spoken()
        response["X-Robots-Tag"] = "noindex"
        response.headers.setdefault("Cache-Control", "no-store")
        # The address of a page may hold a token.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    return wrapped


# -- Language --------------------------------------------------------------------------------------


def language_of(request: HttpRequest, usual: str = "") -> str:
    """Return the catalogue a link or form asks for, else the usual one, else the organisation's."""
    known = dict(settings.LANGUAGES)
    asked = field(request, "lang") or request.GET.get("lang", "")
    wanted = (asked, usual[:2].lower(), settings.LANGUAGE_CODE)
    return catalogue(request, next(one for one in wanted if one in known))


def catalogue(request: HttpRequest, language: str) -> str:
    """Return the catalogue of a language, the one that says "u" where the organisation does.

    Whether it does stands on the request: insights.middleware knows it.
    """
    formal = language in FORMAL and getattr(request, "formal", False)
    return FORMAL[language] if formal else language


def speak(request: HttpRequest, usual: str) -> None:
    """Go on in a customer's own language, unless the link asked for one. Inside `discreet`."""
    translation.activate(language_of(request, usual))


def spoken() -> str:
    """Return the language of this page, "nl" or "en"."""
    return (translation.get_language() or settings.LANGUAGE_CODE)[:2]


def other_language() -> str:
    return "en" if spoken() == "nl" else "nl"


def is_formal() -> bool:
    return translation.get_language() in FORMAL.values()


# -- What a request says ---------------------------------------------------------------------------


def field(request: HttpRequest, name: str) -> str:
    """Return a field of a form; empty where the body is none, or cannot be read as one."""
    try:
        return str(request.POST.get(name, ""))
    except UNREADABLE:
        return ""


def number(request: HttpRequest, name: str) -> int:
    """Return a field that holds the number of a row; 0, which no row has, for anything else."""
    digits = field(request, name)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def pressed(request: HttpRequest) -> Wanted:
    """Return what a form of the preference pages asks for."""
    return Wanted(field(request, "do"), number(request, "purpose"), field(request, "channel"))


def is_prefetched(request: HttpRequest) -> bool:
    """Say whether a browser fetches a page that perhaps nobody will see."""
    names = ("Sec-Purpose", "Purpose", "X-Moz")
    return any("prefetch" in request.headers.get(name, "") for name in names)


def seconds_to_wait(
    request: HttpRequest,
    *,
    per_place: Limiter,
    per_thing: Limiter | None = None,
    thing: int = 0,
) -> int:
    """Return 0 and count one, or after how many whole seconds another may come.

    Limited by where the request comes from, which is never stored, and by what it is sent to,
    the primary key `thing`.
    """
    place = client_place(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.ALLAUTH_TRUSTED_PROXY_COUNT,
    )
    now = time.monotonic()
    wait = per_place.wait(place, now) or (per_thing.wait(thing, now) if per_thing else 0)
    return ceil(wait)


# -- Pages -----------------------------------------------------------------------------------------


def show(
    request: HttpRequest, template: str, context: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    """Render a page that knows its language, and which other one there is."""
    languages = {"spoken": spoken(), "other_language": other_language()}
    return render(request, template, {**languages, **context}, status=status)


def say(request: HttpRequest, title: str, *texts: str, status: int = 200) -> HttpResponse:
    """Return a page that says something and asks nothing."""
    return show(request, "customers/message.html", {"title": title, "texts": texts}, status=status)


def busy(request: HttpRequest, status: int, wait: int) -> HttpResponse:
    """Return a page that says to try again, and after how many seconds."""
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
