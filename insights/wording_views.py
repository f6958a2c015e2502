"""The pages of purposes: the list, one with its texts, the draft, and publishing it."""

from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import drafts, purposes
from customers.drafts import DraftChanged, NothingToAsk, Written, written_of
from customers.first_texts import first_draft
from customers.gate import LANGUAGES
from customers.models import Change, Channel, Purpose, PurposeKind, Wording, WordingDraft
from customers.publishing import NotEditorial, Promise, Unfit
from customers.purposes import PurposeError
from customers.ticks import tick
from customers.wordings import Texts
from insights.consent_words import purpose_name
from insights.guards import consent_only, reader
from insights.permission_words import (
    fault_text,
    field_of,
    language_name,
    not_editorial_text,
    promise_text,
    purpose_error_text,
)
from insights.wording_forms import DraftForm, PurposeForm


@consent_only
@require_GET
def purpose_list(request: HttpRequest) -> HttpResponse:
    """List what customers can permit."""
    rows = [
        {"purpose": one, "name": purpose_name(one), "channels": _channels(one)}
        for one in purposes.purpose_list()
    ]
    return render(request, "insights/purposes.html", {"rows": rows})


@consent_only
@require_http_methods(["GET", "POST"])
def new_purpose(request: HttpRequest) -> HttpResponse:
    """Make a purpose; its first text stands ready on the page that follows."""
    form = PurposeForm(request.POST or None)
    if form.is_valid():
        try:
            made = purposes.add_purpose(key=form.cleaned_data["key"], facts=form.facts)
        except PurposeError as error:
            form.refuse(error)
        else:
            messages.success(request, _("“%(name)s” is made.") % {"name": purpose_name(made)})
            return redirect("permission_purpose", made.key)
    return render(request, "insights/purpose_form.html", {"form": form})


@consent_only
@require_http_methods(["GET", "POST"])
def edit_purpose(request: HttpRequest, key: str) -> HttpResponse:
    """Change all of a purpose but its key."""
    found = _purpose(key)
    form = PurposeForm(request.POST or None, purpose=found)
    if form.is_valid():
        try:
            purposes.change_purpose(purpose=found, facts=form.facts)
        except PurposeError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("permission_purpose", key)
    context = {"form": form, "purpose": found, "name": purpose_name(found)}
    return render(request, "insights/purpose_form.html", context)


@consent_only
@require_http_methods(["GET", "POST"])
def purpose_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a purpose with all its texts; a POST saves the draft of the next."""
    found = _purpose(key)
    draft = WordingDraft.objects.filter(purpose=found).first()
    versions = _versions(found)
    first = not versions
    if request.method == "POST":
        form = DraftForm(request.POST, written=_begun(request, found), first=first)
        if form.is_valid() and _save(request, found, form.written):
            to_preview = "preview" in request.POST
            return redirect("permission_preview" if to_preview else "permission_purpose", key)
    elif draft:
        form = DraftForm.stored(draft, first=first)
        form.tell(drafts.judge(found, form.written))
    else:
        form = DraftForm(written=_begun(request, found), first=first)
    context = {
        "purpose": found,
        "name": purpose_name(found),
        "channels": _channels(found),
        "versions": versions,
        "draft": draft,
        "form": form,
        "languages": [(one, language_name(one)) for one in LANGUAGES],
        "asks": found.archived_at is None and PurposeKind(found.kind).needs_consent,
        "open": first or draft or form.is_bound,
        "in_force": purposes.permissions_in_force(found, timezone.now()),
        "forms": [one.name for one in purposes.forms_asking(found)],
    }
    return render(request, "insights/purpose.html", context)


def _save(request: HttpRequest, purpose: Purpose, written: Written) -> bool:
    try:
        drafts.save_draft(purpose=purpose, written=written, by=_who(request), now=timezone.now())
    except NothingToAsk:
        messages.error(request, _nothing_to_ask())
        return False
    if "preview" not in request.POST:
        messages.success(request, _("The draft is saved. Customers do not see it."))
    return True


@consent_only
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """Show the draft as customers will see it, with the verdict; a POST publishes it."""
    found = _purpose(key)
    draft = WordingDraft.objects.filter(purpose=found).first()
    if request.method == "POST" and _publish(request, found):
        return redirect("permission_purpose", key)
    if draft is None or found.archived_at:
        return redirect("permission_purpose", key)
    written = written_of(draft)
    verdict = drafts.judge(found, written)
    versions = _versions(found)
    refused = verdict.not_editorial
    context = {
        "purpose": found,
        "name": purpose_name(found),
        "draft": draft,
        "seen": draft.updated_at.isoformat(),
        "version": versions[0]["version"] + 1 if versions else 1,
        "columns": [
            {
                "language": language,
                "name": language_name(language),
                "tick": tick(texts, language=language, name="preview", id=f"preview-{language}"),
                "faults": [
                    (f"id_{language}_{field_of(fault, texts)}", fault_text(fault))
                    for fault in verdict.faults[language]
                ],
            }
            for language, texts in written.texts.items()
        ],
        "promise": promise_text(written.promise) if written.promise else "",
        "material": bool(versions) and written.change == Change.MATERIAL,
        "editorial": bool(versions) and written.change == Change.EDITORIAL,
        "not_editorial": not_editorial_text(refused) if refused else "",
        "passes": verdict.passes,
        "in_force": purposes.permissions_in_force(found, timezone.now()),
    }
    return render(request, "insights/purpose_preview.html", context)


def _publish(request: HttpRequest, purpose: Purpose) -> bool:
    """Publish the draft as it was seen; say so, or why not, and return whether it went."""
    seen = _moment(request.POST.get("seen", ""))
    try:
        rows = drafts.publish_draft(
            purpose=purpose, seen=seen, by=_who(request), now=timezone.now()
        )
    except DraftChanged:
        text = _("A colleague changed or published the draft meanwhile. Look at what stands now.")
        messages.warning(request, text)
    except NothingToAsk:
        messages.error(request, _nothing_to_ask())
    except (Unfit, NotEditorial):
        messages.error(request, _("Not published: see below what stands in the way."))
    else:
        version = {"n": rows[0].version}
        text = _("Version %(n)d is published. Forms ask with it from now on.") % version
        messages.success(request, text)
        return True
    return False


@consent_only
@require_POST
def drop_draft(request: HttpRequest, key: str) -> HttpResponse:
    if drafts.drop_draft(purpose=_purpose(key)):
        messages.success(request, _("The draft is gone. What is published stays."))
    return redirect("permission_purpose", key)


@consent_only
@require_POST
def archive_purpose(request: HttpRequest, key: str) -> HttpResponse:
    try:
        found = purposes.archive_purpose(purpose=_purpose(key), now=timezone.now())
    except PurposeError as error:
        messages.error(request, purpose_error_text(error))
    else:
        text = _("“%(name)s” is archived. Nobody is contacted for it any more.")
        messages.success(request, text % {"name": purpose_name(found)})
    return redirect("permission_purpose", key)


@consent_only
@require_POST
def unarchive_purpose(request: HttpRequest, key: str) -> HttpResponse:
    found = purposes.unarchive_purpose(purpose=_purpose(key))
    text = _("“%(name)s” is in use again. Permissions that did not end meanwhile count again.")
    messages.success(request, text % {"name": purpose_name(found)})
    return redirect("permission_purpose", key)


def _purpose(key: str) -> Purpose:
    return get_object_or_404(Purpose, key=key)


def _who(request: HttpRequest) -> str:
    """Return the e-mail address of the reader, which goes with what they publish."""
    user = reader(request)
    return user.email or user.get_username()


def _moment(text: str) -> datetime:
    """Return a moment of a form; what is none is the moment of no draft."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    return found if found and timezone.is_aware(found) else timezone.now()


def _nothing_to_ask() -> str:
    return _("Nothing is asked for this purpose: it is archived, or needs no permission.")


def _channels(purpose: Purpose) -> list[str]:
    return [str(Channel(one).label) for one in purpose.channels if one in Channel.values]


def _begun(request: HttpRequest, purpose: Purpose) -> Written:
    """Return what a new draft begins with: the texts of now, or the ready-made first ones."""
    current = purposes.current_texts(purpose)
    if current:
        names = Texts.__dataclass_fields__
        empty = Texts(**dict.fromkeys(names, ""))
        texts = {
            language: Texts(**{name: getattr(current.get(language, empty), name) for name in names})
            for language in LANGUAGES
        }
        return Written(texts=texts, promise=_promise(current), change=Change.EDITORIAL)
    sender: str = request.organisation.name  # type: ignore[attr-defined]
    ready = first_draft(purpose.kind, purpose.channels, sender)
    promise = Promise(ready.messages, ready.days) if ready.messages and ready.days else None
    return Written(texts=ready.texts, promise=promise, change=Change.MATERIAL)


def _promise(texts: dict[str, Wording]) -> Promise | None:
    row = next(iter(texts.values()))
    if row.promised_messages and row.promised_days:
        return Promise(row.promised_messages, row.promised_days)
    return None


def _versions(purpose: Purpose) -> list[dict[str, Any]]:
    """Return the published versions, the newest first, each with its texts side by side."""
    rows = purpose.wordings.order_by("-version")
    found = []
    for version, group in groupby(rows, key=lambda row: row.version):
        texts = {row.language: row for row in group}
        one = next(iter(texts.values()))
        promise = _promise(texts)
        found.append(
            {
                "version": version,
                "one": one,
                "promise": promise_text(promise) if promise else "",
                "texts": [(language, texts.get(language)) for language in LANGUAGES],
            }
        )
    return found


PATHS = [
    path("", purpose_list, name="permission_purposes"),
    path("new/", new_purpose, name="permission_purpose_new"),
    path("<slug:key>/", purpose_page, name="permission_purpose"),
    path("<slug:key>/edit/", edit_purpose, name="permission_purpose_edit"),
    path("<slug:key>/preview/", preview, name="permission_preview"),
    path("<slug:key>/drop-draft/", drop_draft, name="permission_drop_draft"),
    path("<slug:key>/archive/", archive_purpose, name="permission_purpose_archive"),
    path("<slug:key>/unarchive/", unarchive_purpose, name="permission_purpose_unarchive"),
]
