"""The colleagues pages: the list with its invitations, one colleague, and joining."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from insights import colleagues as domain
from insights.accounts import may_invite
from insights.colleague_forms import ColleagueForm, InviteForm, JoinForm
from insights.colleagues import (
    MOST_INVITATIONS,
    AddressTaken,
    Invitation,
    InvitationVoid,
    LastAdministrator,
    TooManyInvitations,
)
from insights.guards import only, reader
from insights.organisation import mail_folder

# The session remembers for one page whose link to show.
SHOW_LINK = "show_invitation"


administrators_only = only(may_invite, User.DoesNotExist)


@administrators_only
@require_http_methods(["GET", "POST"])
def colleagues(request: HttpRequest) -> HttpResponse:
    """List everybody, show the link of an invitation once, and invite somebody."""
    form = InviteForm(request.POST or None)
    if form.is_valid() and _invite(request, form):
        return redirect("colleagues")
    rows = domain.colleagues(timezone.now())
    shown = request.session.pop(SHOW_LINK, {})
    invited = next(
        (row.user for row in rows if row.user.pk == shown.get("pk") and row.invited_until), None
    )
    context = {
        "form": form,
        "rows": rows,
        "active": sum(row.user.is_active for row in rows),
        "invited": invited,
        "link": domain.invitation_link(invited) if invited else "",
        "mailed": shown.get("mailed"),
        "outbox": mail_folder(),
    }
    return render(request, "insights/colleagues.html", context)


def _invite(request: HttpRequest, form: InviteForm) -> bool:
    """Invite who the form names, or write into the form why not."""
    try:
        sent = domain.invite(**form.cleaned_data, inviter=reader(request), now=timezone.now())
    except AddressTaken:
        form.add_error("email", _("There is a colleague with this address already."))
        return False
    except TooManyInvitations:
        message = _(
            "%(n)d invitations are open, and that is the most at once. Withdraw one, or wait "
            "until somebody joins."
        )
        form.add_error(None, message % {"n": MOST_INVITATIONS})
        return False
    _tell(request, sent)
    return True


@administrators_only
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Send an invitation again, with a new link."""
    _tell(
        request,
        domain.renew_invitation(pk=pk, inviter=reader(request), now=timezone.now()),
    )
    return redirect("colleagues")


def _tell(request: HttpRequest, sent: Invitation) -> None:
    request.session[SHOW_LINK] = {"pk": sent.user.pk, "mailed": sent.mailed}


@administrators_only
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    user = domain.withdraw_invitation(pk=pk)
    messages.success(
        request,
        _("%(email)s is not invited any more. The link opens nothing.") % {"email": user.email},
    )
    return redirect("colleagues")


@administrators_only
@require_http_methods(["GET", "POST"])
def colleague(request: HttpRequest, pk: int) -> HttpResponse:
    """Show somebody who joined; a POST changes name, address and role."""
    user = domain.colleague(pk)
    role = domain.role_of(user)
    known = {"name": user.get_full_name(), "email": user.email, "role": role}
    form = ColleagueForm(request.POST or None, initial=known)
    if form.is_valid() and _change(form, pk):
        messages.success(request, _("Saved."))
        # Who takes their own rights away may not see the list any more.
        stays = form.cleaned_data["role"] == role or pk != reader(request).pk
        return redirect("colleagues" if stays else "overview")
    context = {
        "form": form,
        "colleague": user,
        "two_steps": domain.has_second_step(user),
    }
    return render(request, "insights/colleague.html", context)


def _change(form: ColleagueForm, pk: int) -> bool:
    """Change what the form says, or write into the form why not."""
    try:
        domain.change_colleague(pk=pk, **form.cleaned_data)
    except AddressTaken:
        form.add_error("email", _("There is a colleague with this address already."))
    except LastAdministrator:
        form.add_error("role", _last_administrator())
    return form.is_valid()


@administrators_only
@require_POST
def switch_off(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        user = domain.switch_off(pk=pk)
    except LastAdministrator:
        messages.error(request, _last_administrator())
        return redirect("colleague", pk)
    messages.success(request, _("%(who)s cannot sign in any more.") % {"who": _called(user)})
    return redirect("colleagues")


@administrators_only
@require_POST
def switch_on(request: HttpRequest, pk: int) -> HttpResponse:
    user = domain.switch_on(pk=pk)
    messages.success(
        request,
        _("%(who)s can sign in again, with the password of before.") % {"who": _called(user)},
    )
    return redirect("colleagues")


@administrators_only
@require_POST
def drop_second_step(request: HttpRequest, pk: int) -> HttpResponse:
    user = domain.drop_second_step(pk=pk)
    messages.success(
        request, _("%(who)s now signs in with the password alone.") % {"who": _called(user)}
    )
    return redirect("colleague", pk)


def _called(user: User) -> str:
    return user.get_full_name() or user.email


def _last_administrator() -> str:
    return _("Make somebody else administrator first: there is no other.")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Let who holds the link of an invitation choose a name and a password, and sign in."""
    now = timezone.now()
    try:
        form = JoinForm(request.POST or None, invited=domain.invited_by(token, now))
        if not form.is_valid():
            return render(request, "insights/join.html", {"form": form})
        chosen = {key: form.cleaned_data[key] for key in ("name", "password")}
        user = domain.accept_invitation(token=token, now=now, **chosen)
    except InvitationVoid:
        return render(request, "insights/join_void.html", status=404)
    login(request, user)
    return redirect("overview")
