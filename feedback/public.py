"""What strangers reach: the widget's script and the collector. No cookie is read or set here.

Who may post is decided by the page's address, and an answer by its own key; a session has no
part in it, so there is no token against forged requests and nothing such a request could use.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotFound,
    JsonResponse,
    UnreadablePostError,
)
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from customers import public_pages
from customers.limits import Limiter
from customers.public_pages import RETRY_BUSY
from customers.subjects import Subject, read_subject
from feedback import collect, intake, queries, scripts
from feedback.collect import Edit, Malformed, NewAnswer, RuleBroken
from feedback.intake import TooLate, UnknownAnswer
from feedback.models import ExposureKind, Reason, Response, Touchpoint
from feedback.services import KeyReused

REASONS = frozenset(Reason.values)
CONTENT_TYPES = ("text/plain", "application/json")

per_address = Limiter(settings.COLLECT_PER_ADDRESS)
per_touchpoint = Limiter(settings.COLLECT_PER_TOUCHPOINT)
# Of what is only counted: showing a page or a scanner opening links must not keep answers out.
seen_per_address = Limiter(settings.COLLECT_PER_ADDRESS)
seen_per_touchpoint = Limiter(settings.COLLECT_PER_TOUCHPOINT)


# -- The collector ---------------------------------------------------------------------------------


class Refusal(Exception):
    """An answer that is not taken, and the response that says so."""

    def __init__(
        self, status: int, error: str, message: str, field: str = "", **headers: str
    ) -> None:
        super().__init__(message)
        self.response = JsonResponse(
            {"error": error, "field": field, "message": message}, status=status, headers=headers
        )


@csrf_exempt
@login_not_required
def collector(request: HttpRequest, key: str) -> HttpResponse:
    """Take in one answer or one change; answered after COMMIT."""
    return _from_a_page(request, key, _take_in)


@csrf_exempt
@login_not_required
def shown(request: HttpRequest, key: str) -> HttpResponse:
    """Count that a widget was shown, if its touchpoint counts that."""
    return _from_a_page(request, key, _count_shown)


def _from_a_page(
    request: HttpRequest,
    key: str,
    act: Callable[[HttpRequest, Touchpoint], HttpResponse],
) -> HttpResponse:
    """Act for a page on an allowed address, and let that page alone read the response."""
    origin = request.headers.get("Origin", "")
    allowed = False
    try:
        if request.method not in ("POST", "OPTIONS"):
            raise Refusal(405, "method", "Send answers with POST.", Allow="POST, OPTIONS")
        touchpoint = _touchpoint(key)
        allowed = _check_origin(touchpoint, origin)
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
        else:
            response = act(request, touchpoint)
    except Refusal as refusal:
        response = refusal.response
    except (OperationalError, InterfaceError):
        # The database is busy or away. Nothing was acknowledged, and the widget tries again.
        response = Refusal(
            503, "busy", "Nothing is stored yet. Try again.", **{"Retry-After": str(RETRY_BUSY)}
        ).response
    if allowed:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After, Idempotent-Replayed"
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = "POST"
            response["Access-Control-Allow-Headers"] = "Content-Type"
            response["Access-Control-Max-Age"] = "7200"
    response["Vary"] = "Origin"
    response["Cache-Control"] = "no-store"
    # Of our own, or the language cookie of a colleague would decide it.
    response["Content-Language"] = "en"
    return response


def _touchpoint(key: str) -> Touchpoint:
    found = queries.touchpoint_by_key(key)
    if found is None:
        raise Refusal(
            404, "touchpoint", "There is no touchpoint with this key. Copy the snippet again."
        )
    return found


def _check_origin(touchpoint: Touchpoint, origin: str) -> bool:
    if origin in touchpoint.origins:
        return True
    raise Refusal(
        403,
        "origin",
        f"Answers from {collect.shown(origin or 'a page without an address')} are not taken here. "
        "Add the address of the site to the touchpoint.",
    )


def _check_limits(wait: int) -> None:
    if wait:
        raise Refusal(
            429,
            "limit",
            "Too many answers in a short time. Try again later.",
            **{"Retry-After": str(wait)},
        )


def seconds_to_wait(request: HttpRequest, touchpoint: Touchpoint) -> int:
    """Return 0 and count this answer, or after how many whole seconds another may come."""
    return public_pages.seconds_to_wait(
        request, per_place=per_address, per_thing=per_touchpoint, thing=touchpoint.pk
    )


def seconds_to_wait_to_be_seen(request: HttpRequest, touchpoint: Touchpoint) -> int:
    """Return the same for a showing or an opening, which has limits of its own."""
    return public_pages.seconds_to_wait(
        request, per_place=seen_per_address, per_thing=seen_per_touchpoint, thing=touchpoint.pk
    )


def _take_in(request: HttpRequest, touchpoint: Touchpoint) -> HttpResponse:
    _check_limits(seconds_to_wait(request, touchpoint))
    message = _message(request, touchpoint)
    now = timezone.now()
    try:
        if isinstance(message, Edit):
            response, new = intake.collect_edit(touchpoint=touchpoint, edit=message, now=now)
        else:
            response, new = intake.collect_answer(
                touchpoint=touchpoint,
                message=message,
                reference=_subject(message, now).reference,
                now=now,
            )
    except KeyReused as error:
        raise Refusal(422, "key", str(error), "key") from None
    except UnknownAnswer as error:
        raise Refusal(404, "edits", str(error), "edits") from None
    except TooLate as error:
        raise Refusal(409, "too_late", str(error), "value") from None
    body = {"key": message.key, "thanks": touchpoint.thanks(response.language[:2])}
    if isinstance(message, NewAnswer) and message.subject:
        # So that the shop sees whether it signs well. Whether the customer is known here, and
        # what they permit, is not for a page to hear.
        body["subject"] = _subject(message, now).state
    if new and isinstance(message, NewAnswer):
        body |= _offer(request, touchpoint, response)
    if new:
        return JsonResponse(body, status=201)
    return JsonResponse(body, headers={"Idempotent-Replayed": "true"})


def _offer(request: HttpRequest, touchpoint: Touchpoint, response: Response) -> dict[str, str]:
    """Return the link to an opt-in form and its words, if one is offered now."""
    try:
        form = intake.offered(touchpoint=touchpoint, response=response, now=timezone.now())
    except (OperationalError, InterfaceError):
        # The answer is stored; the offer can wait for another time.
        return {}
    if form is None:
        return {}
    language = "en" if response.language[:2] == "en" else "nl"
    with translation.override(public_pages.catalogue(request, language)):
        words = gettext("Choose what you hear from us")
    return {"offer": f"{settings.BASE_URL}/opt-in/{form.key}/", "offer_text": words}


def _subject(message: NewAnswer, now: datetime) -> Subject:
    return read_subject(message.subject, keys=settings.SUBJECT_KEYS, now=now)


def _message(request: HttpRequest, touchpoint: Touchpoint) -> NewAnswer | Edit:
    if request.content_type not in CONTENT_TYPES:
        raise Refusal(
            415,
            "content_type",
            f"{collect.shown(request.content_type)} is not read here. "
            f"Send JSON as {' or '.join(CONTENT_TYPES)}.",
        )
    body = _body(request)
    try:
        fields = collect.parse(body)
        return collect.read(fields, scale=touchpoint.scale, reasons=REASONS)
    except Malformed as error:
        raise Refusal(400, "malformed", str(error)) from None
    except RuleBroken as error:
        raise Refusal(422, "rule", str(error), error.field) from None


def _body(request: HttpRequest) -> bytes:
    """Return the body, at most one byte more than is allowed: it may pretend any length."""
    try:
        body: bytes = request.read(collect.MAX_BODY_BYTES + 1)
    except UnreadablePostError:
        raise Refusal(400, "malformed", "The body broke off. Send it again.") from None
    if len(body) > collect.MAX_BODY_BYTES:
        raise Refusal(
            413,
            "too_large",
            f"The body is larger than {collect.MAX_BODY_BYTES} bytes. Send a shorter comment.",
            "comment",
        )
    return body


def _count_shown(request: HttpRequest, touchpoint: Touchpoint) -> HttpResponse:
    _check_limits(seconds_to_wait_to_be_seen(request, touchpoint))
    if touchpoint.counts_exposures:
        intake.count_exposure(touchpoint, ExposureKind.SHOWN, timezone.now())
    return HttpResponse(status=204)


# -- The script ------------------------------------------------------------------------------------


@login_not_required
@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """Send the script; a page asks again after an hour, and mostly hears that it has the newest."""
    current = scripts.current()
    response = _send(request, current)
    response["Cache-Control"] = "public, max-age=3600"
    response["ETag"] = f'W/"{current.hash}"'
    return get_conditional_response(request, response["ETag"], response=response) or response


@login_not_required
@require_safe
def pinned_widget(request: HttpRequest, hash: str) -> HttpResponse:
    """Send exactly the script with this hash, for pages that pin it.

    Earlier ones are kept as released/<hash>.js, or pages that pinned them would lose the widget.
    """
    found = scripts.current()
    if found.hash != hash:
        path = scripts.DIRECTORY / "released" / f"{hash}.js"
        if not path.is_file():
            # Not our page for what is not there: that one sets a cookie.
            return HttpResponseNotFound(content_type="text/plain")
        found = scripts.load(path)
    response = _send(request, found)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _send(request: HttpRequest, found: scripts.Script) -> HttpResponse:
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        found.zipped if zipped else found.plain, content_type="text/javascript; charset=utf-8"
    )
    if zipped:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    # A script for any site; a pinned one is fetched with CORS.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Content-Language"] = "en"
    return response
