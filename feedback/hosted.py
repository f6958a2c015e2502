"""The hosted question: one page that asks, for newsletters and for pages without scripts.

A link opens it and nothing counts until somebody presses a button: mail programs and scanners
open links by themselves. The page has one form, and every press says what the answer under its
key is now. No cookie, no script, no login.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.public_pages import FORMAL, language_of
from feedback import collect, intake, queries
from feedback.collect import NewAnswer, RuleBroken
from feedback.intake import TooLate, Visit
from feedback.models import (
    HAPPY_REASONS,
    UNHAPPY_REASONS,
    ExposureKind,
    Reason,
    Response,
    Touchpoint,
)
from feedback.public import (
    REASONS,
    RETRY_BUSY,
    seconds_to_wait,
    seconds_to_wait_to_be_seen,
)
from feedback.scales import SCALES, ScaleError
from feedback.services import KeyReused
from feedback.snippets import ENDS, THUMBS

View = Callable[[HttpRequest, str], HttpResponse]


@dataclass(frozen=True)
class Choice:
    """One possible answer on the page."""

    value: int
    label: str
    chosen: bool


def discreet(view: View) -> View:
    """Keep the page out of caches, search engines and the logs of other sites."""

    @wraps(view)
    def wrapped(request: HttpRequest, key: str) -> HttpResponse:
        with translation.override(language_of(request)):
            try:
                response = view(request, key)
            except (OperationalError, InterfaceError):
                response = _busy(request, 503, RETRY_BUSY)
            response["Content-Language"] = _spoken()[0]
        # Who goes back has to find the same form with the same key, or a change of mind would
        # count as a second answer. After a press there is an answer on the page: not kept.
        kept = "private, no-cache" if request.method == "GET" else "no-store"
        response["Cache-Control"] = kept
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def hosted(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the question of a touchpoint, and take the answer when a button is pressed."""
    touchpoint = queries.touchpoint_by_key(key)
    if touchpoint is None:
        return _say(
            request, _("This question is no longer here"), _("You need not do anything."), 404
        )
    if request.method != "POST":
        _count_opened(request, touchpoint)
        return _ask(request, touchpoint, key=str(uuid4()), chosen=_value(touchpoint, request.GET))
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return _say(
            request,
            _("Your answer is not stored"),
            _("It was sent by another website. Answer on this page instead."),
            403,
        )
    if "change" in request.POST:
        chosen = _value(touchpoint, request.POST)
        return _ask(request, touchpoint, key=request.POST.get("key", ""), chosen=chosen)
    if wait := seconds_to_wait(request, touchpoint):
        return _busy(request, 429, wait)
    return _put(request, touchpoint)


# -- Opening ---------------------------------------------------------------------------------------


def _spoken() -> tuple[str, bool]:
    """Return the language of this page, "nl" or "en", and whether it is formal."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return language[:2], language in FORMAL.values()


def _value(touchpoint: Touchpoint, fields: QueryDict) -> int | None:
    """Return the answer that a link or form names, None if it names none."""
    try:
        return SCALES[touchpoint.scale].parse(fields.get("v", ""))
    except ScaleError:
        return None


def _count_opened(request: HttpRequest, touchpoint: Touchpoint) -> None:
    """Count, without identity, that a link of a mail was opened; a reload here is not one."""
    prefetched = "prefetch" in (
        request.headers.get("Sec-Purpose", "")
        + request.headers.get("Purpose", "")
        + request.headers.get("X-Moz", "")
    )
    inside = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if request.method != "GET" or prefetched or inside or _value(touchpoint, request.GET) is None:
        return
    if seconds_to_wait_to_be_seen(request, touchpoint):
        return
    campaign = queries.campaign_by_key(request.GET.get("c", ""))
    # A count that is missed is no reason to keep the question from somebody.
    with suppress(OperationalError, InterfaceError):
        intake.count_exposure(touchpoint, ExposureKind.OPENED, timezone.now(), campaign)


# -- Answering -------------------------------------------------------------------------------------


def _put(request: HttpRequest, touchpoint: Touchpoint) -> HttpResponse:
    fields = _fields(request.POST, touchpoint)
    try:
        message = collect.read(fields, scale=touchpoint.scale, reasons=REASONS)
    except RuleBroken as error:
        return _refused(request, touchpoint, error)
    assert isinstance(message, NewAnswer)  # noqa: S101  (a form has no field "edits")
    visit = Visit(
        language=_spoken()[0],
        from_mail="mail" in request.POST,
        campaign=queries.campaign_by_key(request.POST.get("c", "")),
    )
    try:
        response = intake.put_answer(
            touchpoint=touchpoint,
            message=message,
            said=fields.keys(),
            visit=visit,
            now=timezone.now(),
        )
    except KeyReused:
        problem = _("That did not work. Answer once more.")
        chosen = message.value
        return _ask(
            request, touchpoint, key=str(uuid4()), chosen=chosen, problem=problem, status=422
        )
    except TooLate:
        return _say(
            request,
            _("Your answer stands"),
            _("It is more than 24 hours old and can no longer be changed."),
            409,
        )
    return _thank(request, touchpoint, response)


def _fields(form: QueryDict, touchpoint: Touchpoint) -> dict[str, Any]:
    """Return a form as the collector would get it; texts that are not in it are left out."""
    fields: dict[str, Any] = {"key": form.get("key", ""), "value": _value(touchpoint, form)}
    if fields["value"] is None:
        del fields["value"]
    if "reason" in form:
        # The button that was pressed comes after the reason that was stored before.
        fields["reason"] = form.getlist("reason")[-1]
    if "comment" in form:
        fields["comment"] = form.get("comment", "").replace("\r\n", "\n")
    return fields


def _refused(request: HttpRequest, touchpoint: Touchpoint, error: RuleBroken) -> HttpResponse:
    problem = {
        "value": _("Choose an answer first."),
        "comment": _("Your comment is too long or holds a character that cannot be stored."),
    }.get(error.field, _("That did not work. Answer once more."))
    key = request.POST.get("key", "") if error.field != "key" else str(uuid4())
    chosen = _value(touchpoint, request.POST)
    return _ask(request, touchpoint, key=key, chosen=chosen, problem=problem, status=422)


# -- Pages -----------------------------------------------------------------------------------------


def _ask(
    request: HttpRequest,
    touchpoint: Touchpoint,
    *,
    key: str,
    chosen: int | None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    language, formal = _spoken()
    context = {
        "question": touchpoint.question(language, formal=formal),
        "scale": touchpoint.scale,
        "choices": choices(touchpoint, language, chosen),
        "ends": ends(touchpoint.scale, language),
        "chosen": chosen,
        "key": key,
        "problem": problem,
        **_visit(request),
    }
    return render(request, "feedback/question.html", context, status=status)


def _thank(request: HttpRequest, touchpoint: Touchpoint, response: Response) -> HttpResponse:
    happy = is_happy(response)
    reasons = HAPPY_REASONS if happy else UNHAPPY_REASONS
    context = {
        "thanks": touchpoint.thanks(_spoken()[0]),
        "answer": response,
        "happy": happy,
        "reasons": [(key, Reason(key).label, key == response.reason) for key in reasons],
        **_visit(request),
    }
    return render(request, "feedback/thanks.html", context)


def _say(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    context = {"title": title, "text": text, **_visit(request)}
    return render(request, "feedback/message.html", context, status=status)


def _busy(request: HttpRequest, status: int, wait: int) -> HttpResponse:
    response = _say(
        request, _("Your answer is not stored yet"), _("It is busy here. Try again later."), status
    )
    response["Retry-After"] = str(wait)
    return response


def _visit(request: HttpRequest) -> Mapping[str, object]:
    """Return what the form carries along: how the visitor came here."""
    form = request.POST if request.method == "POST" else request.GET
    language = _spoken()[0]
    return {
        "spoken": language,
        "from_mail": "mail" in form if request.method == "POST" else "v" in form,
        "campaign_key": form.get("c", ""),
        "other_language": "en" if language == "nl" else "nl",
    }


def is_happy(response: Response) -> bool:
    """Say whether an answer counts as a happy one on its scale."""
    scale = SCALES[response.scale]
    return scale.outcome(response.value) == scale.positive


def choices(touchpoint: Touchpoint, language: str, chosen: int | None) -> list[Choice]:
    """Return the possible answers, a thumb up first and scores from low to high."""
    values = SCALES[touchpoint.scale].values
    if touchpoint.scale == "thumb":
        up, down = THUMBS[language][touchpoint.labels]
        return [Choice(1, up, chosen == 1), Choice(0, down, chosen == 0)]
    return [Choice(value, str(value), chosen == value) for value in values]


def ends(scale: str, language: str) -> list[str]:
    """Return what the lowest and the highest score mean; thumbs say it themselves."""
    if scale == "thumb":
        return []
    values = SCALES[scale].values
    return [
        f"{value} {words}"
        for value, words in zip((values[0], values[-1]), ENDS[language][scale], strict=True)
    ]
