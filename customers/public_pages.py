"""What pages for customers have in common: language, discretion, and where a request comes from.

No cookie has a say in any of it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from customers.limits import client_place
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
    """Keep a page out of caches, search engines and the logs of other sites."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language_of(request)):
            try:
                response = view(request, *args, **kwargs)
            except (OperationalError, InterfaceError):
                response = say(
                    request,
                    _("It is busy here"),
                    _("Nothing is stored yet. Try again later."),
                    status=503,
                )
                response["Retry-After"] = str(RETRY_BUSY)
            response["Content-Language"] = spoken()
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        # The address of a page may hold a token.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    return wrapped


def language_of(request: HttpRequest, usual: str = "") -> str:
    """Return the language a link or form asks for, else the usual one, else the organisation's.

    Whether the organisation is formal stands on the request: insights.middleware knows it.
    """
    known = dict(settings.LANGUAGES)
    wanted = (asked_language(request), usual[:2].lower(), settings.LANGUAGE_CODE)
    language = next(one for one in wanted if one in known)
    if language in FORMAL and getattr(request, "formal", False):
        return FORMAL[language]
    return language


def asked_language(request: HttpRequest) -> str:
    """Return the language that a form or a link names, empty if none."""
    return field(request, "lang") or request.GET.get("lang", "")


def field(request: HttpRequest, name: str) -> str:
    """Return a field of a form; empty where the body is none, or cannot be read as one."""
    try:
        return str(request.POST.get(name, ""))
    except UNREADABLE:
        return ""


def pressed(request: HttpRequest) -> Wanted:
    """Return what a form of the preference pages asks for."""
    return Wanted(field(request, "do"), number(request, "purpose"), field(request, "channel"))


def number(request: HttpRequest, name: str) -> int:
    """Return an id in a field of a form; 0, which is nobody's, for anything else."""
    text = field(request, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else 0


def speak(request: HttpRequest, usual: str) -> None:
    """Go on in a customer's own language, unless the link asked for one. Inside `discreet`."""
    translation.activate(language_of(request, usual))


def spoken() -> str:
    """Return the language of this page, "nl" or "en"."""
    return (translation.get_language() or settings.LANGUAGE_CODE)[:2]


def other_language() -> str:
    return "en" if spoken() == "nl" else "nl"


def place_of(request: HttpRequest) -> str:
    """Return where a request comes from, coarse; it is never stored."""
    return client_place(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.ALLAUTH_TRUSTED_PROXY_COUNT,
    )


def say(request: HttpRequest, title: str, text: str, *, status: int = 200) -> HttpResponse:
    """Answer with one sentence or two on a page of their own."""
    context = {"title": title, "text": text}
    return render(request, "customers/message.html", context, status=status)
