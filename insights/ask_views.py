"""The pages of opt-in forms: the list, a new one, one with its address and snippet, changing it."""

from html import escape

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import forms_asked
from customers.forms_asked import FormError, FormRefused
from customers.gate import LANGUAGES
from customers.models import ConsentForm, Purpose
from customers.purposes import current_texts
from customers.ticks import tick
from insights.ask_forms import AskForm
from insights.consent_words import purpose_name
from insights.guards import consent_only
from insights.permission_words import fault_text, form_error_text


@consent_only
@require_GET
def ask_list(request: HttpRequest) -> HttpResponse:
    """List the forms on which permission is asked."""
    rows = [{"form": one, "questions": _questions(one)} for one in forms_asked.form_list()]
    context = {"rows": rows, "askable": forms_asked.askable().exists()}
    return render(request, "insights/consent_forms.html", context)


@consent_only
@require_http_methods(["GET", "POST"])
def new_ask(request: HttpRequest) -> HttpResponse:
    """Make a form."""
    form = AskForm(request.POST or None)
    if form.is_valid():
        try:
            made = forms_asked.add_form(asking=form.asking, now=timezone.now())
        except (FormError, FormRefused) as error:
            form.refuse(error)
        else:
            text = _("“%(name)s” is made. Copy its address or its snippet below.")
            messages.success(request, text % {"name": made.name})
            return redirect("permission_form", made.key)
    context = {"form": form, "askable": forms_asked.askable().exists()}
    return render(request, "insights/consent_form_edit.html", context)


@consent_only
@require_http_methods(["GET", "POST"])
def edit_ask(request: HttpRequest, key: str) -> HttpResponse:
    """Change all of a form but its key."""
    found = _form(key)
    form = AskForm(request.POST or None, form=found)
    if form.is_valid():
        try:
            forms_asked.change_form(form=found, asking=form.asking)
        except (FormError, FormRefused) as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved. Address and snippet stay the same."))
            return redirect("permission_form", key)
    context = {"form": form, "asked": found, "askable": True}
    return render(request, "insights/consent_form_edit.html", context)


@consent_only
@require_GET
def ask_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a form: what it asks, its public address, and what to paste into a page."""
    found = _form(key)
    asked = request.GET.get("lang") or (get_language() or "")[:2]
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    address = f"{settings.BASE_URL}/opt-in/{found.key}/"
    organisation: str = request.organisation.name  # type: ignore[attr-defined]
    context = {
        "asked": found,
        "questions": _questions(found),
        "steps": _steps(found, language),
        "languages": LANGUAGES,
        "language": language,
        "address": f"{address}?lang={language}",
        "snippet": _snippet(address, language, organisation),
    }
    return render(request, "insights/consent_form.html", context)


@consent_only
@require_POST
def archive_ask(request: HttpRequest, key: str) -> HttpResponse:
    found = _form(key)
    forms_asked.archive_form(form=found, now=timezone.now())
    text = _("“%(name)s” is archived. It asks nothing any more; what was permitted stays.")
    messages.success(request, text % {"name": found.name})
    return redirect("permission_form", key)


@consent_only
@require_POST
def unarchive_ask(request: HttpRequest, key: str) -> HttpResponse:
    found = _form(key)
    try:
        forms_asked.unarchive_form(form=found)
    except FormError as error:
        messages.error(request, form_error_text(error))
    except FormRefused as error:
        messages.error(request, " ".join(fault_text(fault) for fault in error.faults))
    else:
        messages.success(request, _("“%(name)s” asks again.") % {"name": found.name})
    return redirect("permission_form", key)


def _form(key: str) -> ConsentForm:
    return get_object_or_404(ConsentForm.objects.select_related("first", "second"), key=key)


def _questions(form: ConsentForm) -> list[str]:
    return [purpose_name(purpose) for purpose in (form.first, form.second) if purpose]


def _steps(form: ConsentForm, language: str) -> list[tuple[Purpose, SafeString | None]]:
    """Return each question with its tick as customers see it, None where its text is missing."""
    steps: list[tuple[Purpose, SafeString | None]] = []
    for purpose in (form.first, form.second):
        if purpose:
            text = current_texts(purpose).get(language)
            at = f"step-{purpose.key}"
            drawn = tick(text, language=language, name=purpose.key, id=at) if text else None
            steps.append((purpose, drawn))
    return steps


def _snippet(address: str, language: str, organisation: str) -> str:
    """Return what to paste into a page; the title is what a screen reader says of the frame."""
    with override(language):
        title = _("Permission for %(organisation)s") % {"organisation": organisation}
    return (
        f'<iframe src="{address}?lang={language}" title="{escape(title)}" width="100%" '
        'height="560" loading="lazy" referrerpolicy="origin"></iframe>'
    )


PATHS = [
    path("", ask_list, name="permission_forms"),
    path("new/", new_ask, name="permission_form_new"),
    path("<slug:key>/", ask_page, name="permission_form"),
    path("<slug:key>/edit/", edit_ask, name="permission_form_edit"),
    path("<slug:key>/archive/", archive_ask, name="permission_form_archive"),
    path("<slug:key>/unarchive/", unarchive_ask, name="permission_form_unarchive"),
]
