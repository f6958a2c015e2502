"""Mailings: for whom, how many may get it, and lists for who mails with a tool of their own."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import AccessKind, Customer
from customers.queries import people_by_reference
from customers.views_of_data import record_views
from insights import exports
from insights.accounts import may_mail, may_manage_consent, roles_of
from insights.colleagues import role_of
from insights.guards import only, reader
from insights.mailing_forms import MailingForm
from insights.mailing_page import Look, look_at, mailing_page, mailing_rows
from insights.message_views import refused
from insights.organisation import mail_sender
from insights.sending_page import missing, progress, sample
from mailings import lists, sending
from mailings.compose import Composer
from mailings.lists import NotNow
from mailings.models import Mailing, MailingStatus, Means

mailers_only = only(may_mail, Mailing.DoesNotExist)


@mailers_only
@require_GET
def mailings(request: HttpRequest) -> HttpResponse:
    """List what is planned and what was sent."""
    return render(request, "insights/mailings.html", {"rows": mailing_rows(timezone.now())})


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_new(request: HttpRequest) -> HttpResponse:
    """Begin a mailing."""
    return _edit(request, None)


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft; what was started stays as it is."""
    found = get_object_or_404(Mailing, pk=pk)
    if found.status != MailingStatus.DRAFT:
        messages.error(request, _("It was started, so it stays as it is. Make a new mailing."))
        return redirect("mailing", pk)
    return _edit(request, found)


def _edit(request: HttpRequest, found: Mailing | None) -> HttpResponse:
    form = MailingForm(request.POST or None, mailing=found)
    if form.is_valid():
        saved = form.save(by=reader(request))
        is_new = found is None and saved.means == Means.HERE
        return redirect("mailing_text" if is_new else "mailing", saved.pk)
    return render(request, "insights/mailing_edit.html", {"form": form, "mailing": found})


@mailers_only
@require_GET
@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]
def mailing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whom a mailing may reach, what it says, how far it is, and what came of it."""
    found = get_object_or_404(
        Mailing.objects.select_related("purpose", "category", "touchpoint", "campaign"), pk=pk
    )
    now = timezone.now()
    context = {
        "page": mailing_page(found, now),
        "mailing": found,
        "look": _look(request, found),
        **(_message(request, found, now) if found.means == Means.HERE else {}),
    }
    return render(request, "insights/mailing.html", context)


def _message(request: HttpRequest, found: Mailing, now: datetime) -> dict[str, Any]:
    """Return what the page shows of a message that is sent from here."""
    composer = Composer(found, mail_sender())
    known = composer.languages
    wanted = (request.GET.get("in", ""), get_language() or settings.LANGUAGE_CODE)
    chosen = next((one for one in wanted if one in known), known[0] if known else "")
    width = request.GET.get("as", "")
    return {
        "progress": progress(found, now),
        "missing": missing(found, composer, now) if found.status == MailingStatus.DRAFT else [],
        "languages": [(code, name) for code, name in settings.LANGUAGES if code in known],
        "shown_in": chosen,
        "shown_as": width if width in {"desktop", "text"} else "phone",
        "sample": sample(composer, chosen),
    }


def _look(request: HttpRequest, found: Mailing) -> Look | None:
    """Look at one customer, for who may see whose permissions there are; they can read that."""
    reference = request.GET.get("customer", "").strip()
    asked = reference and found.status == MailingStatus.DRAFT
    if not asked or not may_manage_consent(roles_of(request.user)):
        return None
    customer = None if "\0" in reference else people_by_reference([reference]).get(reference)
    if customer is None or customer.erased_at:
        return Look(reference)
    _write_down(request, [customer], found, AccessKind.PAGE)
    return look_at(found, customer, timezone.now())


@mailers_only
@require_POST
def mailing_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Reserve a contact with everybody a draft may reach."""
    try:
        lists.start_list(mailing_id=pk, now=timezone.now())
    except NotNow as error:
        return refused(request, pk, error)
    return redirect("mailing", pk)


@mailers_only
@require_POST
def mailing_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back what was reserved and not sent."""
    try:
        sending.cancel(mailing_id=pk, now=timezone.now())
    except NotNow as error:
        return refused(request, pk, error)
    messages.success(request, _("Cancelled. What was reserved is given back."))
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
    _write_down(request, (one.customer for one in recipients), found, AccessKind.EXPORT)
    rows: list[exports.Row] = [names]
    for one in recipients:
        fields = lists.merge_fields(found, one)
        rows.append([fields[name] for name in names])
    response = HttpResponse("".join(exports.csv_file(rows)), content_type="text/csv; charset=utf-8")
    file_name = slugify(found.name) or f"mailing-{found.pk}"
    response["Content-Disposition"] = f'attachment; filename="{file_name}.csv"'
    return response


def _write_down(
    request: HttpRequest, people: Iterable[Customer], found: Mailing, kind: AccessKind
) -> None:
    user = reader(request)
    role = role_of(user)
    record_views(
        customers=people,
        kind=kind,
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
