"""The settings of the organisation, the first-run checklist, and the logo for everybody."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from insights import organisation
from insights.accounts import may_change_settings
from insights.checklist import checklist
from insights.guards import only
from insights.organisation import MailNotSent, Profile
from insights.settings_forms import OrganisationForm
from insights.uploads import too_large

administrators_only = only(may_change_settings)


@administrators_only
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show how the organisation presents itself, and change it."""
    profile: Profile = request.organisation  # type: ignore[attr-defined]
    sent = [request.POST, request.FILES] if request.method == "POST" else []
    form = OrganisationForm(*sent, profile=profile, usual=Profile(), too_large=too_large(request))
    if sent and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        if "test_mail" in request.POST:
            _send_test_mail(request)
        return redirect("settings")
    context = {
        "form": form,
        "profile": profile,
        "checklist": checklist(profile),
        "base_url": settings.BASE_URL,
        "is_https": settings.BASE_URL.startswith("https://"),
        "mail_folder": organisation.mail_folder(),
        "now": timezone.localtime(),
    }
    return render(request, "insights/settings.html", context)


def _send_test_mail(request: HttpRequest) -> None:
    """Send the reader a mail, and say where it is."""
    to = getattr(request.user, "email", "")
    folder = organisation.mail_folder()
    if not to:
        messages.error(
            request, _("There is no test mail: your login has no e-mail address to send it to.")
        )
        return
    try:
        organisation.send_test_mail(to=to)
    except MailNotSent as error:
        messages.error(
            request,
            _("The test mail was not sent. The mail server said: %(said)s. Check EMAIL_URL.")
            % {"said": str(error)[:300]},
        )
        return
    if folder:
        messages.success(
            request,
            _("The test mail to %(to)s is a file in %(folder)s, because EMAIL_URL is not set.")
            % {"to": to, "folder": folder},
        )
    else:
        messages.success(
            request,
            _("The test mail went to %(to)s. Look there too among unwanted mail.") % {"to": to},
        )


@administrators_only
@require_POST
def settings_time_zone(request: HttpRequest) -> HttpResponse:
    """Note that the time zone is right."""
    organisation.confirm_time_zone(now=timezone.now())
    messages.success(request, _("Noted: %(zone)s is right.") % {"zone": settings.TIME_ZONE})
    return redirect("settings")


@administrators_only
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Show what a new organisation sets up, ticked off by what is there."""
    steps = checklist(request.organisation)  # type: ignore[attr-defined]
    return render(request, "insights/start.html", {"checklist": steps})


@login_not_required
@require_safe
def logo(_request: HttpRequest, hash: str) -> HttpResponse:
    """Hand out the logo; its address changes with it, so everybody may keep it for good."""
    stored = organisation.stored_logo()
    if stored is None or stored.hash != hash:
        raise Http404
    response = HttpResponse(stored.data, content_type=stored.content_type)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
