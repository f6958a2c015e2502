"""Send lists, for who mails with a tool of their own: made, fetched, and what came of them."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import AccessKind, Customer
from customers.views_of_data import record_views
from insights import exports
from insights.accounts import may_mail
from insights.colleagues import role_of
from insights.guards import only, reader
from insights.mailing_forms import MailingForm
from insights.mailing_page import mailing_page, mailing_rows
from mailings import lists
from mailings.lists import NotNow
from mailings.models import Mailing, MailingStatus

mailers_only = only(may_mail, Mailing.DoesNotExist)


@mailers_only
@require_GET
def mailings(request: HttpRequest) -> HttpResponse:
    """List what is planned and what was sent."""
    return render(request, "insights/mailings.html", {"rows": mailing_rows(timezone.now())})


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_new(request: HttpRequest) -> HttpResponse:
    """Begin a send list."""
    return _edit(request, None)


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft; what was started stays as it is."""
    found = get_object_or_404(Mailing, pk=pk)
    if found.status != MailingStatus.DRAFT:
        messages.error(request, _("It was started, so it stays as it is. Make a new list."))
        return redirect("mailing", pk)
    return _edit(request, found)


def _edit(request: HttpRequest, found: Mailing | None) -> HttpResponse:
    form = MailingForm(request.POST or None, mailing=found)
    if form.is_valid():
        saved = form.save(by=reader(request))
        return redirect("mailing", saved.pk)
    return render(request, "insights/mailing_edit.html", {"form": form, "mailing": found})


@mailers_only
@require_GET
def mailing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whom a list may reach, how far it is, and what came of it."""
    found = get_object_or_404(
        Mailing.objects.select_related("purpose", "category", "touchpoint", "campaign"), pk=pk
    )
    page = mailing_page(found, timezone.now())
    return render(request, "insights/mailing.html", {"page": page, "mailing": found})


@mailers_only
@require_POST
def mailing_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Reserve a contact with everybody a draft may reach."""
    try:
        lists.start_list(mailing_id=pk, now=timezone.now())
    except NotNow as error:
        return _not_now(request, pk, error)
    return redirect("mailing", pk)


@mailers_only
@require_POST
def mailing_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back what was reserved and not sent."""
    try:
        lists.cancel(mailing_id=pk, now=timezone.now())
    except NotNow as error:
        return _not_now(request, pk, error)
    messages.success(request, _("Cancelled. What was reserved is given back."))
    return redirect("mailing", pk)


def _not_now(request: HttpRequest, pk: int, error: NotNow) -> HttpResponseRedirect:
    texts = {
        "started": _("It was started before."),
        "planned": _("The moment you planned is over. Choose another one first."),
        "over": _("It is over already."),
    }
    messages.error(request, texts[error.code])
    return redirect("mailing", pk)


@mailers_only
@require_POST
def mailing_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out a list as a CSV file with merge fields, and write down whose addresses are in it.

    By POST: it leaves a trace, which each of these customers can read.
    """
    found = get_object_or_404(Mailing.objects.select_related("purpose", "touchpoint"), pk=pk)
    if found.status != MailingStatus.READY:
        messages.error(request, _("There is no list to fetch now."))
        return redirect("mailing", pk)
    now, names = timezone.now(), lists.columns(found)
    recipients = list(lists.recipients(found, now))
    _write_down(request, (one.customer for one in recipients), found)
    rows: list[exports.Row] = [names]
    for one in recipients:
        fields = lists.merge_fields(found, one)
        rows.append([fields[name] for name in names])
    response = HttpResponse("".join(exports.csv_file(rows)), content_type="text/csv; charset=utf-8")
    file_name = slugify(found.name) or f"mailing-{found.pk}"
    response["Content-Disposition"] = f'attachment; filename="{file_name}.csv"'
    return response


def _write_down(request: HttpRequest, people: Iterable[Customer], found: Mailing) -> None:
    user = reader(request)
    role = role_of(user)
    record_views(
        customers=people,
        kind=AccessKind.EXPORT,
        viewer=str(user.pk),
        role=role.value if role else "",
        reason=found.source,
        now=timezone.now(),
    )


PATHS = [
    path("", mailings, name="mailings"),
    path("new/", mailing_new, name="mailing_new"),
    path("<int:pk>/", mailing, name="mailing"),
    path("<int:pk>/edit/", mailing_edit, name="mailing_edit"),
    path("<int:pk>/start/", mailing_start, name="mailing_start"),
    path("<int:pk>/cancel/", mailing_cancel, name="mailing_cancel"),
    path("<int:pk>/list.csv", mailing_file, name="mailing_file"),
]
