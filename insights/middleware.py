"""A code per request, language and login, each with one rule."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import gzip
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from insights.organisation import profile
from insights.references import new_reference, referred_to_as


class ReferenceMiddleware:
    """Give each request a code, by which its page of an error and its log lines find each other.

    The first of all, so that what goes wrong in the others carries it too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Kept on the request too: Django logs some refusals after the last middleware.
        request.reference = new_reference()  # type: ignore[attr-defined]
        with referred_to_as(request.reference):  # type: ignore[attr-defined]
            return self.get_response(request)


class GZipMiddleware(gzip.GZipMiddleware):
    """Compress the pages, style sheets and scripts of colleagues: a fifth of their size travels.

    Tokens in forms are masked anew each time, so the length of a page gives nothing away. What
    customers get, the views of `feedback` and `customers`, is small and stays as it is.
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        match = request.resolver_match
        if match and match.func.__module__.startswith(("feedback.", "customers.")):
            return response
        return super().process_response(request, response)


class LanguageMiddleware:
    """Speak the language of the cookie, else LANGUAGE_CODE.

    Django's own middleware would follow the browser, and many Dutch offices have English
    browsers. Pages for customers choose for themselves, and ask `request.formal` whether the
    organisation says "u" to them; a page that asks neither that nor for a name costs no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        organisation = SimpleLazyObject(profile)
        request.organisation = organisation  # type: ignore[attr-defined]
        request.formal = SimpleLazyObject(lambda: organisation.formal)  # type: ignore[attr-defined]
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class LoginRequiredMiddleware(auth.LoginRequiredMiddleware):
    """Ask for a login wherever a view does not say that it is public.

    Django's own looks who is there before it looks whether that matters. For a public page that
    would read the cookie of a colleague, cost two queries and make the response vary by cookie.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
