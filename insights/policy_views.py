"""The pages of the dose policy: a version, the next one as a draft, comparing and publishing it."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.dose_documents import PolicyRefused, digest_of, policy_of
from customers.dose_policy import Policy, never_holds
from customers.models import Contact, DosePolicy, PolicyDraft
from customers.policies import (
    StaleDraft,
    current_version,
    drop_draft,
    publish_policy,
    save_draft,
    stored_document,
    versions,
)
from customers.policy_changes import changes
from customers.starting_policy import starting_policy
from feedback.tallies import local_day
from insights.accounts import may_change_policy, roles_of
from insights.backtest import backtest
from insights.guards import only, reader
from insights.periods import Period
from insights.policy_forms import PolicyForm
from insights.policy_page import page_of, policy_of_version
from insights.policy_words import EFFECTS, change_words, limits_words, rule_words

policy_only = only(may_change_policy)

# A replay takes about a quarter of a millisecond for each contact.
MOST_REPLAYED = 20_000
LONG, SHORT = timedelta(days=30), timedelta(days=7)


@require_GET
def policy(request: HttpRequest, version: int | None = None) -> HttpResponse:
    """Show a version, without a number the one in force."""
    newest = current_version()
    found = newest if version is None else get_object_or_404(DosePolicy, version=version)
    context = {
        "version": found,
        "in_force": found is not None and found == newest,
        "page": page_of(policy_of_version(found)) if found else None,
        "versions": versions(),
        "draft": PolicyDraft.objects.first(),
        "may_change": may_change_policy(roles_of(request.user)),
    }
    return render(request, "insights/policy.html", context)


@require_GET
def policy_file(_request: HttpRequest, version: int) -> HttpResponse:
    """Hand out a version as the document that backtest_policy reads."""
    found = get_object_or_404(DosePolicy, version=version)
    response = JsonResponse(stored_document(found), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="policy-{version}.json"'
    return response


@policy_only
@require_http_methods(["GET", "HEAD", "POST"])
def policy_edit(request: HttpRequest) -> HttpResponse:
    """Change the draft of the next version; without one it begins as the version in force."""
    draft = PolicyDraft.objects.first()
    start, note = _start(draft), draft.note if draft else ""
    form = PolicyForm(request.POST or None, policy=start, note=note)
    if form.is_valid():
        editor = reader(request)
        try:
            save_draft(
                document=form.document(),
                note=form.cleaned_data["note"],
                editor=editor.get_full_name() or editor.get_username(),
                now=timezone.now(),
            )
        except PolicyRefused as error:
            form.refuse(error)
        else:
            _tell_whose(request, draft)
            return redirect("dose_policy_compare")
    number = _number()
    return render(request, "insights/policy_edit.html", {"form": form, "number": number})


def _tell_whose(request: HttpRequest, before: PolicyDraft | None) -> None:
    """Say whose draft was replaced, where it was somebody else's."""
    editor = reader(request)
    mine = {editor.get_full_name(), editor.get_username()}
    if before and before.edited_by not in mine:
        text = _("The draft is kept. It replaces the one of %(who)s.")
        messages.success(request, text % {"who": before.edited_by})
    else:
        messages.success(request, _("The draft is kept. Nothing changes until it is published."))


def _start(draft: PolicyDraft | None) -> Policy:
    newest = current_version()
    if draft:
        return policy_of(draft.document, _number())
    return policy_of_version(newest) if newest else starting_policy()


def _number() -> int:
    newest = current_version()
    return newest.version + 1 if newest else 1


@require_GET
def policy_compare(request: HttpRequest) -> HttpResponse:
    """Show what the draft says differently from the version in force."""
    return _compare(request)


def _compare(request: HttpRequest, replayed: object = None, days: int = 0) -> HttpResponse:
    draft, newest = PolicyDraft.objects.first(), current_version()
    if draft is None:
        messages.info(request, _("There is no draft. Begin one with “Propose the next policy”."))
        return redirect("dose_policy")
    after = policy_of(draft.document, _number())
    before = policy_of_version(newest) if newest else Policy(version=0)
    context = {
        "draft": draft,
        "newest": newest,
        "number": after.version,
        "digest": digest_of(after),
        "changes": [
            (change_words(one), EFFECTS[one.effect], one.effect) for one in changes(before, after)
        ],
        "pointless": [
            (rule_words(cell), ", ".join(limits_words(cell)), rule_words(ceiling))
            for cell, _limit, ceiling in never_holds(after)
        ],
        "backtest": replayed,
        "days": days,
        "may_change": may_change_policy(roles_of(request.user)),
    }
    return render(request, "insights/policy_compare.html", context)


@policy_only
@require_POST
def policy_backtest(request: HttpRequest) -> HttpResponse:
    """Replay the draft on the last 30 days of contacts, or 7 where there are very many."""
    draft = PolicyDraft.objects.first()
    if draft is None:
        return redirect("dose_policy_compare")
    now = timezone.now()
    recent = Contact.objects.filter(sent_at__gt=now - LONG, sent_at__lte=now)
    length = SHORT if recent.count() > MOST_REPLAYED else LONG
    today = local_day(now)
    result = backtest(policy_of(draft.document, _number()), Period(today - length, today), now)
    return _compare(request, result, length.days)


@policy_only
@require_POST
def policy_publish(request: HttpRequest) -> HttpResponse:
    """Publish the draft as the next version, if it is the one that was compared."""
    draft = PolicyDraft.objects.first()
    if draft is None:
        return redirect("dose_policy_compare")
    note = request.POST.get("note", "").replace("\0", "").strip()[:300]
    if not note:
        messages.error(request, _("Say in a few words what changes, and why."))
        return redirect("dose_policy_compare")
    compared = request.POST.get("draft", "")
    if compared != digest_of(policy_of(draft.document, _number())):
        text = _("%(who)s changed the draft meanwhile. Compare it again, then publish it.")
        messages.error(request, text % {"who": draft.edited_by})
        return redirect("dose_policy_compare")
    editor = reader(request)
    after = request.POST.get("after", "")
    try:
        published = publish_policy(
            document=draft.document,
            author=editor.get_full_name() or editor.get_username(),
            note=note,
            now=timezone.now(),
            after=int(after) if after.isdecimal() and len(after) < 10 else -1,
        )
    except StaleDraft:
        text = _("Version %(version)s was published meanwhile. Compare with it again.")
        messages.error(request, text % {"version": _number() - 1})
        return redirect("dose_policy_compare")
    except PolicyRefused as error:
        messages.error(request, str(error))
        return redirect("dose_policy_compare")
    text = _("Policy %(version)s is in force from now on.")
    messages.success(request, text % {"version": published.version})
    return redirect("dose_policy")


@policy_only
@require_http_methods(["GET", "HEAD", "POST"])
def policy_drop(request: HttpRequest) -> HttpResponse:
    """Ask whether the draft may go; a POST forgets it."""
    draft = PolicyDraft.objects.first()
    if draft is None:
        return redirect("dose_policy_compare")
    if request.method != "POST":
        return render(request, "insights/policy_drop.html", {"draft": draft, "number": _number()})
    drop_draft()
    messages.success(request, _("The draft is gone. The policy in force did not change."))
    return redirect("dose_policy")


PATHS = [
    path("", policy, name="dose_policy"),
    path("edit/", policy_edit, name="dose_policy_edit"),
    path("compare/", policy_compare, name="dose_policy_compare"),
    path("backtest/", policy_backtest, name="dose_policy_backtest"),
    path("publish/", policy_publish, name="dose_policy_publish"),
    path("drop/", policy_drop, name="dose_policy_drop"),
    path("<int:version>/", policy, name="dose_policy_version"),
    path("<int:version>.json", policy_file, name="dose_policy_file"),
]
