"""The page of API keys: made by an administrator, shown once, and ended at once."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers import api_keys as domain
from customers.api_keys import Issued, Scope
from customers.models import ApiKey
from insights.api_key_forms import SCOPE_LABELS, ApiKeyForm
from insights.settings_views import administrators_only


@administrators_only
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest) -> HttpResponse:
    """List the keys; a POST makes one, and its secret is on that page alone."""
    issued: Issued | None = None
    form = ApiKeyForm(request.POST or None)
    now = timezone.now()
    if form.is_valid():
        issued = domain.issue_key(**form.cleaned_data, made_by=f"{request.user.pk}", now=now)
        form = ApiKeyForm()
    rows = [
        (key, works, [SCOPE_LABELS[Scope(one)] for one in key.scopes])
        for key, works in domain.api_keys(now)
    ]
    context = {
        "form": form,
        "issued": issued,
        "rows": rows,
        "working": sum(works for _key, works, _scopes in rows),
    }
    return render(request, "insights/api_keys.html", context)


@administrators_only
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        key = domain.revoke_key(pk=pk, now=timezone.now())
    except ApiKey.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The key “%(name)s” works no more.") % {"name": key.name})
    return redirect("api_keys")
