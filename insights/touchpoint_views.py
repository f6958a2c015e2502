"""The touchpoint pages: the list, a new one, one with its snippets and figures, and changing it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from feedback import places, scripts, snippets
from feedback.colours import on_dark
from feedback.models import Campaign, Touchpoint
from feedback.queries import campaign_by_key
from feedback.questions import READY_MADE, Question, default_question
from feedback.scales import SCALES
from feedback.snippets import LANGUAGES, Asked
from insights import touchpoint_figures
from insights.accounts import may_set_up_touchpoints
from insights.guards import only
from insights.touchpoint_forms import CampaignForm, TouchpointForm

askers_only = only(may_set_up_touchpoints)


@askers_only
@require_GET
def touchpoints(request: HttpRequest) -> HttpResponse:
    """List the places where we ask."""
    rows = touchpoint_figures.touchpoint_list(timezone.localdate())
    return render(request, "insights/touchpoints.html", {"rows": rows})


@askers_only
@require_http_methods(["GET", "POST"])
def new_touchpoint(request: HttpRequest) -> HttpResponse:
    """Make a place where we ask."""
    accent = request.organisation.accent  # type: ignore[attr-defined]
    form = TouchpointForm(request.POST or None, accent=accent, formal=_formal(request))
    if form.is_valid() and (made := form.save(timezone.now())):
        messages.success(
            request, _("“%(name)s” is made. Copy a snippet below.") % {"name": made.name}
        )
        return redirect("touchpoint", made.key)
    return _form_page(request, form)


@askers_only
@require_http_methods(["GET", "POST"])
def edit_touchpoint(request: HttpRequest, key: str) -> HttpResponse:
    """Change everything about a touchpoint but its scale and key."""
    found = _touchpoint(key)
    formal = _formal(request)
    before = _page_snippets(found, formal)
    form = TouchpointForm(request.POST or None, touchpoint=found, formal=formal)
    if form.is_valid() and (changed := form.save(timezone.now())):
        if _page_snippets(changed, formal) == before:
            messages.success(request, _("Saved. The snippet stays the same."))
        else:
            messages.warning(
                request, _("Saved. The snippet changed: paste it again where you use it.")
            )
        return redirect("touchpoint", changed.key)
    return _form_page(request, form)


def _form_page(request: HttpRequest, form: TouchpointForm) -> HttpResponse:
    found = form.touchpoint
    preview = {
        "scale": found.scale if found else "",
        "ready": {
            one.key: {"scale": one.scale, **_both(one, form.formal), "labels": one.labels}
            for one in READY_MADE
        },
        "usual": {scale: _both(default_question(scale), form.formal) for scale in SCALES},
    }
    context = {
        "form": form,
        "touchpoint": found,
        "preview": preview,
        "language": _language(request),
    }
    return render(request, "insights/touchpoint_form.html", context)


def _both(question: Question, formal: bool) -> dict[str, str]:
    return {language: question.said(language, formal=formal) for language in LANGUAGES}


@askers_only
@require_http_methods(["GET", "POST"])
def touchpoint(request: HttpRequest, key: str) -> HttpResponse:
    """Show a touchpoint: its preview, snippets and figures; a POST names a sending."""
    found = _touchpoint(key)
    form = CampaignForm(request.POST or None)
    if form.is_valid():
        return _name_sending(request, found, form.cleaned_data["name"])
    language, formal = _language(request), _formal(request)
    campaign = campaign_by_key(request.GET.get("c", ""))
    context = {
        "touchpoint": found,
        "languages": LANGUAGES,
        "language": language,
        "preview": _preview(found, language, formal),
        "question": found.question(language, formal=formal),
        "snippets": _snippets(
            Asked.at(found, language, settings.BASE_URL, formal=formal), campaign
        ),
        "campaign": campaign,
        "campaign_form": form,
        "figures": touchpoint_figures.figures(found, timezone.localdate()),
        "latest": touchpoint_figures.latest_answers(found),
    }
    return render(request, "insights/touchpoint.html", context)


def _name_sending(request: HttpRequest, found: Touchpoint, name: str) -> HttpResponse:
    """Go to the links of a sending; a name that is known leads to the links it had."""
    campaign, new = places.name_campaign(name=name, now=timezone.now())
    if new:
        messages.success(request, _("The links now carry “%(name)s”.") % {"name": name})
    else:
        day = date_format(timezone.localtime(campaign.created_at), "SHORT_DATE_FORMAT")
        messages.success(
            request,
            _("“%(name)s” was named on %(day)s; these are its links again.")
            % {"name": name, "day": day},
        )
    query = urlencode({"lang": _language(request), "c": campaign.key})
    return redirect(f"{reverse('touchpoint', args=[found.key])}?{query}#newsletter")


def _touchpoint(key: str) -> Touchpoint:
    rows = Touchpoint.objects.select_related("product", "category", "offer")
    return get_object_or_404(rows, key=key)


def _language(request: HttpRequest) -> str:
    """Return the language of the question: the one asked for, else that of the reader."""
    asked = request.GET.get("lang") or (get_language() or "")[:2]
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _formal(request: HttpRequest) -> bool:
    """Return whether the organisation says "u" to its customers."""
    return bool(request.formal)  # type: ignore[attr-defined]


def _page_snippets(found: Touchpoint, formal: bool) -> list[str]:
    return [
        snippets.page_snippet(Asked.at(found, language, settings.BASE_URL, formal=formal))
        for language in LANGUAGES
    ]


def _snippets(asked: Asked, campaign: Campaign | None) -> dict[str, object]:
    script = scripts.current()
    key = campaign.key if campaign else ""
    return {
        "page": snippets.page_snippet(asked),
        "tag_manager": snippets.tag_manager_snippet(asked),
        "pinned": snippets.pinned_snippet(asked, version=script.hash, integrity=script.integrity),
        "app": snippets.app_snippet(asked),
        "hosted": snippets.hosted_url(asked),
        "html": snippets.newsletter_html(asked, key),
        "text": snippets.newsletter_text(asked, key),
        "links": snippets.newsletter_links(asked, key),
        "ends": snippets.newsletter_ends(asked),
        "small": snippets.small_print(asked),
    }


def _preview(found: Touchpoint, language: str, formal: bool) -> dict[str, object]:
    """Return what static/js/preview.js draws, in the chosen language and in the other one."""
    return {
        "options": {
            "touchpoint": found.key,
            "labels": found.labels,
            "theme": found.theme,
            "accent": found.accent,
            "accentDark": on_dark(found.accent) if found.accent else "",
        },
        "language": language,
        "texts": {
            one: {"question": found.question(one, formal=formal), "thanks": found.thanks(one)}
            for one in LANGUAGES
        },
    }
