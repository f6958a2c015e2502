"""The page about permission, and its tables as files: aggregates, for every colleague."""

from hashlib import sha256

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_GET
from django.views.decorators.vary import vary_on_cookie

from customers import permission_queries as queries
from customers.models import AccessKind
from customers.views_of_data import record_views
from insights import exports, views
from insights.accounts import may_manage_consent, roles_of
from insights.context import widest
from insights.permission import PermissionPage, permission
from insights.permission.tables import TABLES
from insights.permission_forms import PermissionFilterForm


def _etag(request: HttpRequest) -> str:
    """Name the page by all it shows: what was asked and permitted, and what the other pages of
    figures are named by."""
    seen = (views.etag(request), *queries.version())
    return f'"{sha256(repr(seen).encode()).hexdigest()[:32]}"'


@require_GET
@condition(etag_func=_etag)
@cache_control(private=True, no_cache=True)
@vary_on_cookie
def permission_page(request: HttpRequest) -> HttpResponse:
    form = _form(request)
    page = _page(request, form)
    sees_who = _sees_who(request, page)
    return render(
        request, "insights/permission.html", {"form": form, "page": page, "sees_who": sees_who}
    )


@require_GET
def permission_table(request: HttpRequest, name: str, kind: str) -> HttpResponseBase:
    """Hand out a table of the page as a file, with no more in it than the page shows."""
    if name not in TABLES or kind not in views.FILE_KINDS:
        raise Http404
    form = _form(request)
    # A page leaves out a filter that makes no sense and says so; a file cannot.
    if form.errors:
        raise BadRequest
    page = _page(request, form)
    rows = TABLES[name](page)
    if kind == "csv":
        response = HttpResponse("".join(exports.csv_file(rows)), content_type=views.CSV)
    else:
        response = HttpResponse(exports.xlsx_file(rows, name), content_type=views.XLSX)
    return views.as_file(response, page.selection, f"permission-{name}", kind)


def _form(request: HttpRequest) -> PermissionFilterForm:
    return PermissionFilterForm(
        request.GET, purposes=queries.purposes(), today=timezone.localdate()
    )


def _page(request: HttpRequest, form: PermissionFilterForm) -> PermissionPage:
    return permission(
        form.selection(),
        form.purposes,
        timezone.now(),
        language=(get_language() or "nl")[:2],
        formal=bool(getattr(request, "formal", False)),
    )


def _sees_who(request: HttpRequest, page: PermissionPage) -> bool:
    """Say whether this colleague sees whose the latest entries are, and write down that they do."""
    roles = roles_of(request.user)
    if not may_manage_consent(roles):
        return False
    record_views(
        customers={row.entry.customer for row in page.entries if not row.entry.customer.erased_at},
        kind=AccessKind.SEARCH,
        viewer=str(request.user.pk),
        role=widest(roles),
        now=timezone.now(),
    )
    return True
