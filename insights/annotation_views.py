"""The pages of dated notes: the list with a form, one note, and taking one away."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from insights import annotations as domain
from insights.accounts import may_annotate
from insights.annotation_forms import AnnotationForm
from insights.guards import only, reader
from insights.models import Annotation

annotators_only = only(may_annotate, Annotation.DoesNotExist)


@require_http_methods(["GET", "POST"])
def annotations(request: HttpRequest) -> HttpResponseBase:
    """List what was noted, for everybody; a POST notes something."""
    if request.method == "POST":
        return _note(request)
    return _list(request, AnnotationForm(today=timezone.localdate()))


@annotators_only
def _note(request: HttpRequest) -> HttpResponse:
    """Note something and go back to where the reader came from."""
    form = AnnotationForm(request.POST, today=timezone.localdate())
    if not form.is_valid():
        return _list(request, form)
    noted = domain.annotate(**form.cleaned_data, by=reader(request), now=timezone.now())
    messages.success(request, _("Noted on %(day)s.") % {"day": _day(noted)})
    return redirect(_came_from(request) or "annotations")


def _list(request: HttpRequest, form: AnnotationForm) -> HttpResponse:
    context = {
        "form": form,
        "page": domain.annotation_page(request.GET.get("page", "")),
        "today": form.today,
        "came_from": _came_from(request),
    }
    return render(request, "insights/annotations.html", context)


@annotators_only
@require_http_methods(["GET", "POST"])
def annotation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one note; a POST corrects it."""
    note = domain.annotation(pk)
    sent = request.POST if request.method == "POST" else None
    form = AnnotationForm(
        sent, today=timezone.localdate(), initial={"on": note.on, "text": note.text}
    )
    if form.is_valid():
        domain.change_annotation(pk=pk, **form.cleaned_data, now=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("annotations")
    return render(request, "insights/annotation.html", {"form": form, "note": note})


@annotators_only
@require_http_methods(["GET", "POST"])
def annotation_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether a note may go; a POST takes it away."""
    note = domain.annotation(pk)
    if request.method == "GET":
        return render(request, "insights/annotation_drop.html", {"note": note})
    domain.drop_annotation(pk=pk)
    messages.success(request, _("The note of %(day)s was deleted.") % {"day": _day(note)})
    return redirect("annotations")


def _came_from(request: HttpRequest) -> str:
    """Return the page whose link led here, if it is one of ours."""
    target = request.GET.get("next", "")
    safe = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else ""


def _day(note: Annotation) -> str:
    return date_format(note.on, "SHORT_DATE_FORMAT")
