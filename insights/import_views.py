"""The import pages: upload, choose columns, look, run, and what came of it."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import PurePath
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import queries
from customers.models import AccessKind
from customers.views_of_data import record_views
from insights import import_preview, import_queries, importing
from insights.accounts import roles_of
from insights.context import widest
from insights.import_forms import MappingForm, UploadForm
from insights.importing import NotADraft, NotMapped, NotYours, Plan
from insights.models import ImportJob
from insights.templatetags.imports import rows_so_far
from insights.templatetags.numbers import headline
from insights.uploads import too_large

View = Callable[..., HttpResponseBase]
Status = ImportJob.Status


def importers_only(view: View) -> View:
    """Refuse colleagues whose role does not import this; what they may is in accounts.py.

    A file that is gone, because a disk was cleared or is another machine's, is asked for again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        kinds = import_queries.kinds_for(roles_of(request.user))
        job = ImportJob.objects.filter(pk=kwargs["pk"]).first() if "pk" in kwargs else None
        if not kinds or (job and job.kind not in kinds):
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except FileNotFoundError:
            messages.error(request, _("The uploaded file is not there any more. Upload it again."))
            return redirect("imports")

    # What is shown here may hold personal data: no copy of it stays in a browser or proxy.
    return never_cache(guarded)


@importers_only
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """List the imports, and take in a new file."""
    sent = [request.POST, request.FILES] if request.method == "POST" else []
    kinds = import_queries.kinds_for(roles_of(request.user))
    form = UploadForm(*sent, kinds=kinds, too_large=too_large(request))
    if sent and form.is_valid():
        job = importing.create_import(
            kind=form.cleaned_data["kind"],
            upload=form.cleaned_data["file"],
            user=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
        return redirect("import", job.pk)
    page = import_queries.import_page(request.GET.get("before", ""), kinds)
    return render(request, "insights/imports.html", {"form": form, "page": page})


@importers_only
@require_http_methods(["GET", "POST"])
def import_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Show where an import stands: its columns, its progress, or what came of it."""
    job = get_object_or_404(ImportJob.objects.select_related("created_by"), pk=pk)
    if job.status == Status.DRAFT:
        return _choose_columns(request, job)
    if job.status == Status.APPROVAL:
        return _show_approval(request, job)
    if job.status in {Status.QUEUED, Status.RUNNING}:
        return render(request, "insights/import_progress.html", {"job": job})
    return render(request, "insights/import_result.html", {"job": job})


def _show_approval(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Show what waits for a second pair of eyes, as it would go in now."""
    now, user = timezone.now(), cast(User, request.user)
    found = import_preview.preview(job, now)
    _note_views(user, found, now)
    alone_from = importing.alone_from(job) if job.started_by_id == user.pk else None
    return render(
        request,
        "insights/import_approval.html",
        {
            "job": job,
            "preview": found,
            "may_approve": importing.may_approve(job, user, now),
            "alone_from": alone_from,
        },
    )


def _choose_columns(request: HttpRequest, job: ImportJob) -> HttpResponse:
    sample = import_preview.sample(job)
    form = MappingForm(
        request.POST or None,
        kind=job.kind,
        headers=sample.headers,
        plan=Plan.of(job) if job.options else None,
        touchpoints=import_queries.touchpoint_names(),
    )
    if request.method == "POST" and form.is_valid():
        try:
            importing.save_plan(job.pk, form.plan)
        except NotADraft:
            # Somebody started it meanwhile: the page says how far it is.
            return redirect("import", job.pk)
        return redirect("import_preview", job.pk)
    return render(
        request, "insights/import_columns.html", {"job": job, "form": form, "sample": sample}
    )


@importers_only
@require_http_methods(["GET", "POST"])
def import_preview_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the first rows would become; a POST starts the import."""
    job = get_object_or_404(ImportJob, pk=pk)
    try:
        if request.method == "POST":
            _start(job, cast(User, request.user), timezone.now())
        if request.method == "POST" or job.status != Status.DRAFT:
            return redirect("import", job.pk)
        found = import_preview.preview(job, timezone.now())
        if job.kind == ImportJob.Kind.CONSENTS:
            _note_views(cast(User, request.user), found, timezone.now())
    except (NotMapped, NotADraft):
        return redirect("import", job.pk)
    return render(request, "insights/import_preview.html", {"job": job, "preview": found})


def _note_views(user: User, found: import_preview.Preview, now: datetime) -> None:
    """Write down whose permissions were seen: beside their row stands what they said before."""
    references = {str(row.values["customer"]) for row in found.rows if row.values.get("customer")}
    record_views(
        customers=queries.customers_by_reference(references).values(),
        kind=AccessKind.SEARCH,
        viewer=str(user.pk),
        role=widest(roles_of(user)),
        now=now,
    )


def _start(job: ImportJob, user: User, now: datetime) -> None:
    """Start an import, or ask a second person first where somebody could be mailed after it."""
    permissions = job.kind == ImportJob.Kind.CONSENTS and job.status == Status.DRAFT
    if permissions and import_preview.preview(job, now).raises_anybody:
        importing.ask_approval(job.pk, user=user, now=now)
    else:
        importing.queue_import(job.pk)


@importers_only
@require_POST
def import_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let in the permissions that somebody else started."""
    job = get_object_or_404(ImportJob, pk=pk)
    try:
        importing.approve_import(job.pk, user=cast(User, request.user), now=timezone.now())
    except NotYours:
        messages.error(request, _("You started this import. Somebody else has to approve it."))
    except NotADraft:
        pass
    return redirect("import", job.pk)


@importers_only
@require_GET
def import_progress(_request: HttpRequest, pk: int) -> HttpResponse:
    """Say how far an import is, for the page that shows it."""
    job = get_object_or_404(ImportJob, pk=pk)
    return JsonResponse(
        {
            "status": job.status,
            "percent": job.percent,
            "percent_text": headline(job.percent, "share"),
            "text": rows_so_far(job.result),
        }
    )


@importers_only
@require_GET
def import_rejects(_request: HttpRequest, pk: int) -> FileResponse:
    """Hand out the rows that were rejected, each with its line and reason."""
    job = get_object_or_404(ImportJob, pk=pk)
    if not job.rejects:
        raise Http404
    return FileResponse(
        job.rejects.open("rb"),
        as_attachment=True,
        filename=f"{PurePath(job.file_name).stem}-rejects.csv",
        content_type="text/csv; charset=utf-8",
    )


@importers_only
@require_POST
def import_stop(_request: HttpRequest, pk: int) -> HttpResponse:
    """End an import that waits or runs."""
    job = get_object_or_404(ImportJob, pk=pk)
    importing.stop_import(job.pk, timezone.now())
    return redirect("import", job.pk)


@importers_only
@require_POST
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away with its file."""
    job = get_object_or_404(ImportJob, pk=pk)
    if not importing.discard_import(job.pk):
        return redirect("import", job.pk)
    messages.success(request, _("“%(file)s” was thrown away.") % {"file": job.file_name})
    return redirect("imports")
