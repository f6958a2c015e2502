"""Pages for marketers: load, one call into the domain, render."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from allauth.account.views import LogoutView
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.db import DatabaseError, connection
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import condition, require_GET, require_POST
from django.views.decorators.vary import vary_on_cookie

from insights import dashboard, exports, queries, services
from insights.context import THEMES
from insights.dashboard.selection import Selection
from insights.dashboard.tables import TABLES, table_rows
from insights.forms import FilterForm, FirstAdministratorForm

FILE_KINDS = ("csv", "xlsx")
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
YEAR = 365 * 24 * 3600


def etag(request: HttpRequest) -> str:
    """Name a page of figures by all it shows, so that coming back to it costs next to nothing.

    That is the address, the answers, the day, and the cookies: who reads, in which language. Names
    (of products, of the organisation) have no version: in those a page may be a minute old.
    """
    minute = timezone.now().replace(second=0, microsecond=0)
    seen = (request.get_full_path(), request.headers.get("Cookie"), minute, *queries.version())
    return f'"{sha256(repr(seen).encode()).hexdigest()[:32]}"'


def _figures(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a browser keep the page for its reader, and ask each time whether it still holds."""
    kept = cache_control(private=True, no_cache=True)(vary_on_cookie(view))
    return require_GET(condition(etag_func=etag)(kept))


@_figures
def overview(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET, choices=queries.filter_choices(), today=timezone.localdate())
    page = dashboard.overview(form.selection())
    return render(request, "insights/overview.html", {"form": form, "page": page})


@_figures
def satisfaction(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET, choices=queries.filter_choices(), today=timezone.localdate())
    page = dashboard.satisfaction(form.selection())
    return render(request, "insights/satisfaction.html", {"form": form, "page": page})


@require_GET
def table(request: HttpRequest, name: str, kind: str) -> HttpResponseBase:
    """Hand out a table of a page as a file, with no more in it than the page shows."""
    if name not in TABLES or kind not in FILE_KINDS:
        raise Http404
    selection = dashboard.with_kpi(_asked_for(request))
    rows = table_rows(name, selection)
    if kind == "csv":
        response = HttpResponse("".join(exports.csv_file(rows)), content_type=CSV)
    else:
        response = HttpResponse(exports.xlsx_file(rows, name), content_type=XLSX)
    return as_file(response, selection, name, kind)


@require_GET
def comments_csv(request: HttpRequest) -> HttpResponseBase:
    """Hand out what people said as CSV, line by line."""
    selection = _readable(request)
    file = exports.csv_file(_comments(selection, exports.MAX_ROWS))
    return as_file(StreamingHttpResponse(file, content_type=CSV), selection, "comments", "csv")


@require_GET
def comments_xlsx(request: HttpRequest) -> HttpResponseBase:
    """Hand out what people said as a workbook."""
    selection = _readable(request)
    file = exports.xlsx_file(_comments(selection, exports.MAX_WORKBOOK_ROWS), "comments")
    return as_file(HttpResponse(file, content_type=XLSX), selection, "comments", "xlsx")


def _readable(request: HttpRequest) -> Selection:
    """Return what was asked for, if it may be read one by one."""
    selection = dashboard.readable(_asked_for(request))
    if selection is None:
        raise Http404
    return selection


def _asked_for(request: HttpRequest) -> Selection:
    """Return what a file should hold.

    A page leaves out a filter that makes no sense and says so; a file cannot, and would hold more
    than was asked for.
    """
    form = FilterForm(request.GET, choices=queries.filter_choices(), today=timezone.localdate())
    if form.errors:
        raise BadRequest
    return form.selection()


def _comments(selection: Selection, limit: int) -> Iterator[exports.Row]:
    found = queries.explained(selection.kpi, selection.period, selection.where, selection.said)
    return exports.comments(found, limit)


def as_file(
    response: HttpResponseBase, selection: Selection, what: str, kind: str
) -> HttpResponseBase:
    name = f"{what}-{selection.period.start}-{selection.last_day}.{kind}"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store"
    return response


class SignOutView(LogoutView):  # type: ignore[misc]
    """Sign out, and let the browser forget the pages it kept: Back then shows nothing."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response


@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    found = queries.job_overview()
    failing = sum(not run.succeeded for run in found.runs)
    return render(request, "insights/jobs.html", {"jobs": found, "failing": failing})


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language and go back to where the reader was."""
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(_back(request))
    if language in dict(settings.LANGUAGES):
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark; automatic needs no memory."""
    theme = request.POST.get("theme", "")
    response = HttpResponseRedirect(_back(request))
    if theme in THEMES:
        _remember(response, "theme", theme)
    else:
        response.delete_cookie("theme")
    return response


def _back(request: HttpRequest) -> str:
    """Return the page to go back to, if it is one of ours."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else "/"


def _remember(response: HttpResponse, name: str, value: str) -> None:
    # The script of the theme switch writes the same cookie, so it is not HttpOnly.
    response.set_cookie(
        name, value, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


@login_not_required
@never_cache
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Let the holder of the one-time link create the first administrator."""
    if not services.check_set_up_token(token):
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if not form.is_valid():
        return render(request, "insights/set_up.html", {"form": form})
    try:
        user = services.create_first_administrator(**form.cleaned_data)
    except services.AlreadySetUp:
        raise Http404 from None
    login(request, user)
    return redirect("start")


@login_not_required
@require_GET
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that this process answers; asks nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_GET
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether requests can be served: the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database not reachable", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
