"""The page that leaves the demo for a shop of one's own, and what its script asks meanwhile."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from insights import own_shop
from insights.accounts import Role, roles_of


@never_cache
@require_http_methods(["GET", "POST"])
def own_shop_page(request: HttpRequest) -> HttpResponse:
    """Say what happens, and open the own shop when an administrator presses the button."""
    if Role.ADMINISTRATOR not in roles_of(request.user):
        raise PermissionDenied
    offered = own_shop.offered()
    if request.method == "GET" or not offered:
        return render(request, "insights/own_shop.html", {"offered": offered})
    try:
        said = own_shop.open_own_shop()
    except own_shop.NotOpened as reason:
        messages.error(
            request,
            _("Your own shop could not be made, and nothing has changed. The reason: %(reason)s")
            % {"reason": reason},
        )
        return redirect("own_shop")
    page = {"link": _first_page(said), "supervised": own_shop.supervised()}
    return render(request, "insights/own_shop_opening.html", page)


def _first_page(said: str) -> str:
    """Return where the reader goes on: the set-up link, or the login once there is one."""
    # Without the host, so that the reader stays on the address that works for them.
    link = re.search(r"/setup/[^/\s]+/", said)
    return link[0] if link else reverse("account_login")


@login_not_required
@never_cache
@require_GET
def own_shop_open(_request: HttpRequest) -> HttpResponse:
    """Say whether the own shop is the one that answers; asked while the programs start again."""
    return JsonResponse({"open": own_shop.is_open()})
