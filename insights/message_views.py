"""A mailing that is sent from here: written, looked at, tried on oneself, planned, and stopped."""

import base64
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.starting_policy import ASKING
from insights.accounts import may_mail
from insights.guards import only, reader
from insights.mailing_page import mailing_page
from insights.message_forms import MessageForm, SendForm
from insights.organisation import mail_folder, mail_sender
from insights.sending_page import missing, precision, precisions, progress, sample, sender_alignment
from insights.templatetags.numbers import headline
from insights.uploads import too_large
from mailings import sending, writing
from mailings.compose import Composer
from mailings.lists import NotNow
from mailings.models import Mailing, MailingStatus, Means

mailers_only = only(may_mail, Mailing.DoesNotExist)

NOW, PLANNED = "now", "planned"


def _found(pk: int) -> Mailing:
    known = Mailing.objects.select_related("purpose", "category", "touchpoint", "campaign")
    return get_object_or_404(known, pk=pk, means=Means.HERE)


def refused(request: HttpRequest, pk: int, error: NotNow) -> HttpResponse:
    """Go back to a mailing, and say why it was not done."""
    texts = {
        "started": _("It was started before."),
        "over": _("It is over already."),
        "planned": _("The moment you planned is over. Choose another one first."),
        "not_sending": _("It is not being sent now."),
        "not_paused": _("It is not paused."),
        "unwritten": _("Write the message first."),
    }
    messages.error(request, texts[error.code])
    return redirect("mailing", pk)


# -- Writing --------------------------------------------------------------------------------------


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_text(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what a draft says."""
    found = _found(pk)
    if found.status != MailingStatus.DRAFT:
        return refused(request, pk, NotNow("started", ""))
    sent = [request.POST, request.FILES] if request.method == "POST" else []
    form = MessageForm(*sent, mailing=found, too_large=too_large(request))
    if sent and form.is_valid():
        try:
            writing.write_message(mailing_id=pk, texts=form.texts(), picture=form.read)
        except NotNow as error:
            return refused(request, pk, error)
        return redirect("mailing_text" if form.read else "mailing", pk)
    return render(request, "insights/mailing_text.html", {"form": form, "mailing": found})


@mailers_only
@require_POST
def mailing_picture_drop(request: HttpRequest, pk: int, picture: int) -> HttpResponse:
    """Take a picture out of a draft."""
    try:
        writing.drop_picture(mailing_id=_found(pk).pk, picture_id=picture)
    except NotNow as error:
        return refused(request, pk, error)
    return redirect("mailing_text", pk)


@mailers_only
@require_GET
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]
    {
        # Nothing but words, styles and the pictures that are part of the page.
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "script-src": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'"],
        "sandbox": ["allow-popups"],
    }
)
def mailing_preview(request: HttpRequest, pk: int, language: str) -> HttpResponse:
    """Show the mail as it arrives, as a page of its own; with `?as=text` its plain text."""
    composer = Composer(_found(pk), mail_sender())
    mail = sample(composer, language)
    if mail is None:
        raise Http404
    if request.GET.get("as") == "text":
        return HttpResponse(mail.text, content_type="text/plain; charset=utf-8")
    html = mail.html
    for name, picture in composer.pictures.items():
        data = base64.b64encode(bytes(picture.data)).decode()
        html = html.replace(f'"cid:{name}"', f'"data:{picture.content_type};base64,{data}"')
    return HttpResponse(html)


@mailers_only
@require_POST
def mailing_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the mail to oneself, in the language that is looked at."""
    composer = Composer(_found(pk), mail_sender())
    to = reader(request).email
    language = request.POST.get("in", "")
    if sample(composer, language) is None:
        messages.error(request, _("There is no text in that language yet."))
        return redirect("mailing", pk)
    if not to:
        messages.error(
            request, _("There is no test mail: your login has no e-mail address to send it to.")
        )
        return redirect("mailing", pk)
    try:
        composer.test_message(language, to).send()
    except (SMTPException, OSError, ValueError) as error:
        said = _("The test mail was not sent. The mail server said: %(said)s.")
        messages.error(request, said % {"said": str(error)[:300]})
    else:
        folder = mail_folder()
        where = (
            _("The test mail to %(to)s is a file in %(folder)s, because EMAIL_URL is not set.")
            if folder
            else _("The test mail went to %(to)s. Look there too among unwanted mail.")
        )
        messages.success(request, where % {"to": to, "folder": folder})
    return redirect("mailing", pk)


# -- Sending --------------------------------------------------------------------------------------


@mailers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mailing_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more, with what it comes to; a POST plans it."""
    found, now = _found(pk), timezone.now()
    if found.status != MailingStatus.DRAFT:
        return refused(request, pk, NotNow("started", ""))
    who = mail_sender()
    composer = Composer(found, who)
    lacks, page = missing(found, composer, now), mailing_page(found, now)
    form = SendForm(
        *([request.POST] if request.method == "POST" else []),
        asks=_asks(found),
        asks_thumb=bool(found.touchpoint and found.touchpoint.scale == "thumb"),
        is_personal=composer.wants_picks,
    )
    if not form.is_valid() or lacks or not page.audience.now:
        context = {
            "mailing": found,
            "page": page,
            "form": form,
            "precisions": precisions(found.touchpoint.scale, now)
            if found.touchpoint and _asks(found)
            else [],
            "missing": lacks,
            "sender": who,
            "alignment": sender_alignment(who),
            "subjects": [one.subject for one in found.texts.all()],
            "is_over": found.planned_at <= now,
            "mail_folder": mail_folder(),
        }
        status = 409 if form.is_bound and form.is_valid() else 200
        return render(request, "insights/mailing_send.html", context, status=status)
    return _planned(request, found, form, now)


def _choices(given: dict[str, Any], mailing: Mailing, now: datetime) -> sending.Choices:
    """Return what was filled in, a precision as how many answers and mails it needs."""
    margin = given.get("margin")
    needs = None
    if margin and mailing.touchpoint:
        needs = precision(mailing.touchpoint.scale, margin, now)
    return sending.Choices(
        guess=given.get("guess"),
        generic_percent=given.get("generic_percent"),
        enough=needs.answers if needs else None,
        most=needs.mails if needs else None,
    )


def _asks(mailing: Mailing) -> bool:
    """Say whether a mailing is there for its question: of an offer the thumb is the small thing."""
    return mailing.touchpoint is not None and mailing.kind in ASKING


def _planned(request: HttpRequest, found: Mailing, form: SendForm, now: datetime) -> HttpResponse:
    when = request.POST.get("when", "")
    if when not in {NOW, PLANNED}:
        return redirect("mailing_send", found.pk)
    if when == PLANNED and found.planned_at <= now:
        return refused(request, found.pk, NotNow("planned", ""))
    at = found.planned_at if when == PLANNED else now
    try:
        sending.schedule(
            mailing_id=found.pk,
            at=at,
            now=now,
            choices=_choices(form.cleaned_data, found, now),
        )
    except NotNow as error:
        return refused(request, found.pk, error)
    return redirect("mailing", found.pk)


@mailers_only
@require_POST
def mailing_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing more for the time being."""
    try:
        sending.pause(mailing_id=_found(pk).pk)
    except NotNow as error:
        return refused(request, pk, error)
    messages.success(request, _("Paused. What is on its way still arrives."))
    return redirect("mailing", pk)


@mailers_only
@require_POST
def mailing_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on."""
    try:
        sending.resume(mailing_id=_found(pk).pk)
    except NotNow as error:
        return refused(request, pk, error)
    return redirect("mailing", pk)


@mailers_only
@require_GET
def mailing_progress(_request: HttpRequest, pk: int) -> HttpResponse:
    """Say how far a mailing is, for the page that shows it."""
    found = _found(pk)
    now = progress(found, timezone.now())
    return JsonResponse(
        {
            "status": found.status,
            "percent": now.percent,
            "percent_text": headline(now.percent, "share"),
            "text": now.text,
        }
    )


PATHS = [
    path("<int:pk>/text/", mailing_text, name="mailing_text"),
    path(
        "<int:pk>/pictures/<int:picture>/drop/", mailing_picture_drop, name="mailing_picture_drop"
    ),
    path("<int:pk>/preview/<str:language>/", mailing_preview, name="mailing_preview"),
    path("<int:pk>/test/", mailing_test, name="mailing_test"),
    path("<int:pk>/send/", mailing_send, name="mailing_send"),
    path("<int:pk>/pause/", mailing_pause, name="mailing_pause"),
    path("<int:pk>/resume/", mailing_resume, name="mailing_resume"),
    path("<int:pk>/progress/", mailing_progress, name="mailing_progress"),
]
