"""The hosted question: one page that asks, for newsletters and for pages without scripts.

A link opens it and nothing counts until somebody presses a button: mail programs and scanners
open links by themselves. The page has one form, and every press says what the answer under its
key is now. No cookie, no script, no login.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.consent import Method
from customers.lowering import Wanted, lower
from customers.models import Contact, Customer
from customers.public_pages import (
    busy,
    discreet,
    is_formal,
    is_prefetched,
    pressed,
    say,
    show,
    spoken,
)
from customers.withdrawals import Means
from feedback import collect, intake, queries
from feedback.collect import NewAnswer, RuleBroken
from feedback.intake import TooLate, Visit
from feedback.models import (
    HAPPY_REASONS,
    UNHAPPY_REASONS,
    Campaign,
    ExposureKind,
    Reason,
    Response,
    Touchpoint,
)
from feedback.public import (
    REASONS,
    seconds_to_wait,
    seconds_to_wait_to_be_seen,
)
from feedback.scales import SCALES, ScaleError
from feedback.services import KeyReused
from feedback.snippets import ENDS, THUMBS


@dataclass(frozen=True)
class Choice:
    """One possible answer on the page."""

    value: int
    label: str
    chosen: bool


@dataclass(frozen=True)
class Asked:
    """The question a page asks. Under a mail of ours the link says whom, and there is one answer.

    Without a `contact` the form holds the key of the answer, and the link may name a campaign.
    """

    touchpoint: Touchpoint
    contact: Contact | None = None
    key: str = ""
    campaign: Campaign | None = None

    @property
    def scale(self) -> str:
        return self.touchpoint.scale

    def question(self) -> str:
        """Return what is asked, in the language of the page."""
        own = self.touchpoint.question_nl or self.touchpoint.question_en
        if self.contact and self.scale == "thumb" and not own:
            # The usual one is about a page.
            return _("Was this e-mail of use to you?")
        return self.touchpoint.question(spoken(), formal=is_formal())

    def key_in(self, request: HttpRequest) -> str:
        return self.key or request.POST.get("key", "")

    def new_key(self) -> str:
        return self.key or str(uuid4())


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def hosted(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the question of a touchpoint, and take the answer when a button is pressed."""
    touchpoint = queries.touchpoint_by_key(key)
    if touchpoint is None:
        return say(
            request,
            _("This question is no longer here"),
            _("You need not do anything."),
            status=404,
        )
    return answer_page(request, Asked(touchpoint))


def answer_page(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Ask a question, or take the answer of a button that was pressed."""
    if request.method != "POST":
        _count_opened(request, asked)
        chosen = _value(asked.touchpoint, request.GET)
        response = _ask(request, asked, key=asked.new_key(), chosen=chosen)
        # Who goes back has to find the same form with the same key, or a change of mind would
        # count as a second answer. After a press there is an answer on the page: not kept.
        response["Cache-Control"] = "private, no-cache"
        return response
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return say(
            request,
            _("Your answer is not stored"),
            _("It was sent by another website. Answer on this page instead."),
            status=403,
        )
    if asked.contact and (lowered := _lower(request, asked.contact.customer)):
        return lowered
    if "change" in request.POST:
        chosen = _value(asked.touchpoint, request.POST)
        return _ask(request, asked, key=asked.key_in(request), chosen=chosen)
    if wait := seconds_to_wait(request, asked.touchpoint):
        return busy(request, 429, wait)
    return _put(request, asked)


# -- Opening ---------------------------------------------------------------------------------------


def _value(touchpoint: Touchpoint, fields: QueryDict) -> int | None:
    """Return the answer that a link or form names, None if it names none."""
    try:
        return SCALES[touchpoint.scale].parse(fields.get("v", ""))
    except ScaleError:
        return None


def _count_opened(request: HttpRequest, asked: Asked) -> None:
    """Count, without identity, that a link of a mail was opened; a reload here is not one."""
    inside = request.headers.get("Sec-Fetch-Site") == "same-origin"
    touchpoint = asked.touchpoint
    named = _value(touchpoint, request.GET) is not None
    if request.method != "GET" or is_prefetched(request) or inside or not named:
        return
    if seconds_to_wait_to_be_seen(request, touchpoint):
        return
    campaign = asked.campaign or queries.campaign_by_key(request.GET.get("c", ""))
    # A count that is missed is no reason to keep the question from somebody.
    with suppress(OperationalError, InterfaceError):
        intake.count_exposure(touchpoint, ExposureKind.OPENED, timezone.now(), campaign)


# -- Answering -------------------------------------------------------------------------------------


def _put(request: HttpRequest, asked: Asked) -> HttpResponse:
    fields = _fields(request, asked)
    try:
        message = collect.read(fields, scale=asked.scale, reasons=REASONS)
    except RuleBroken as error:
        return _refused(request, asked, error)
    assert isinstance(message, NewAnswer)  # noqa: S101  (a form has no field "edits")
    visit = Visit(
        language=spoken(),
        from_mail=asked.contact is not None or "mail" in request.POST,
        campaign=asked.campaign or queries.campaign_by_key(request.POST.get("c", "")),
        contact=asked.contact,
    )
    try:
        response = intake.put_answer(
            touchpoint=asked.touchpoint,
            message=message,
            said=fields.keys(),
            visit=visit,
            now=timezone.now(),
        )
    except KeyReused:
        problem = _("That did not work. Answer once more.")
        chosen = message.value
        return _ask(request, asked, key=asked.new_key(), chosen=chosen, problem=problem, status=422)
    except TooLate:
        return say(
            request,
            _("Your answer stands"),
            _("It is more than 24 hours old and can no longer be changed."),
            status=409,
        )
    return _thank(request, asked, response)


def _fields(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """Return a form as the collector would get it; texts that are not in it are left out."""
    form = request.POST
    value = _value(asked.touchpoint, form)
    fields: dict[str, Any] = {"key": asked.key_in(request), "value": value}
    if fields["value"] is None:
        del fields["value"]
    if "reason" in form:
        # The button that was pressed comes after the reason that was stored before.
        fields["reason"] = form.getlist("reason")[-1]
    if "comment" in form:
        fields["comment"] = form.get("comment", "").replace("\r\n", "\n")
    return fields


def _refused(request: HttpRequest, asked: Asked, error: RuleBroken) -> HttpResponse:
    problem = {
        "value": _("Choose an answer first."),
        "comment": _("Your comment is too long or holds a character that cannot be stored."),
    }.get(error.field, _("That did not work. Answer once more."))
    key = asked.key_in(request) if error.field != "key" else asked.new_key()
    chosen = _value(asked.touchpoint, request.POST)
    return _ask(request, asked, key=key, chosen=chosen, problem=problem, status=422)


# What the reason of an unhappy answer offers, one press away; it only lowers.
LOWERS = {Reason.TOO_OFTEN: "less", Reason.TOO_PERSONAL: "generic"}
MEANS = Means(method=Method.PREFERENCE_PAGE, place="rating")


def _lower(request: HttpRequest, customer: Customer) -> HttpResponse | None:
    """Do what was offered, where it was pressed."""
    wanted = pressed(request).do
    if wanted not in LOWERS.values():
        return None
    lower(customer=customer, wanted=Wanted(wanted), means=MEANS, now=timezone.now())
    texts = {
        "less": _("From now on you get at most one message a month."),
        "generic": _("From now on nothing is made for you alone."),
    }
    return say(
        request,
        _("Done"),
        texts[wanted],
        _("You can change it on the page that every e-mail links."),
    )


# -- Pages -----------------------------------------------------------------------------------------


def _ask(
    request: HttpRequest,
    asked: Asked,
    *,
    key: str,
    chosen: int | None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    language, touchpoint = spoken(), asked.touchpoint
    context = {
        "question": asked.question(),
        "scale": touchpoint.scale,
        "choices": choices(touchpoint, language, chosen),
        "ends": ends(touchpoint.scale, language),
        "chosen": chosen,
        "key": key,
        "problem": problem,
        **_visit(request, asked),
    }
    return show(request, "feedback/question.html", context, status=status)


def _thank(request: HttpRequest, asked: Asked, response: Response) -> HttpResponse:
    happy = is_happy(response)
    reasons = HAPPY_REASONS if happy else UNHAPPY_REASONS
    context = {
        "thanks": asked.touchpoint.thanks(spoken()),
        "answer": response,
        "happy": happy,
        "lower": LOWERS.get(Reason(response.reason)) if asked.contact and response.reason else "",
        "reasons": [(key, Reason(key).label, key == response.reason) for key in reasons],
        **_visit(request, asked),
    }
    return show(request, "feedback/thanks.html", context)


def _visit(request: HttpRequest, asked: Asked) -> Mapping[str, object]:
    """Return what the form carries along: how the visitor came here. Our own links know that."""
    if asked.contact:
        return {"is_known": True}
    form = request.POST if request.method == "POST" else request.GET
    return {
        "from_mail": "mail" in form if request.method == "POST" else "v" in form,
        "campaign_key": form.get("c", ""),
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
