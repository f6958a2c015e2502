"""The preference page: with the link of a mail things can be lowered, and nothing else.

A forwarded link cannot be told from the original, so it neither raises nor shows anything but
what is on. For more, a link is mailed to the address on file: it works once and opens the own
page (insights.own_page_views). GET and HEAD change nothing and use nothing up.
"""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.addresses import masked
from customers.cells import EMAIL_CHARS
from customers.consent import Method
from customers.limits import Limiter
from customers.lowering import Press, lower
from customers.models import Customer
from customers.own_links import (
    OPEN_FOR,
    PASS_COOKIE,
    PASS_PATH,
    ask_for_link,
    customer_of,
    mail_own_link,
    open_own_page,
)
from customers.preference_rows import preference_rows, wishes
from customers.public_pages import (
    discreet,
    field,
    pressed,
    seconds_to_wait,
    show,
    speak,
    spoken,
)
from customers.tokens import own_page_pass, read_preferences
from customers.withdrawals import Means

# Ten addresses a minute from one place: nobody tries out a list of them here.
per_place = Limiter(10)

MEANS = Means(method=Method.PREFERENCE_PAGE, place="preferences")


# -- The page behind the link of a mail ------------------------------------------------------------


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is on and let it be lowered; a token without a colon came in a mail of its own."""
    if ":" not in token:
        return _open(request, token)
    pk = read_preferences(token)
    customer = customer_of(pk) if pk is not None else None
    if customer is None or customer.erased_at:
        return _ask(request, status=404)
    speak(request, customer.language)
    now = timezone.now()
    press = _press(request, customer, now) if request.method == "POST" else Press()
    customer.refresh_from_db()
    rows = preference_rows(customer, spoken(), now, press.saved_since)
    context = {
        "address": masked(customer.email),
        "rows": rows,
        "wishes": wishes(customer, rows, now),
        "press": press,
        "now": now,
        "anything_on": any(row.can_lower for row in rows),
    }
    return show(request, "customers/preferences.html", context)


def _press(request: HttpRequest, customer: Customer, now: datetime) -> Press:
    """Do what was pressed, if it lowers; anything else is refused, or a letter."""
    if field(request, "do") == "mail":
        mail_own_link(customer=customer, now=now, most=None)
        return Press(mailed=True)
    wanted = pressed(request)
    return lower(customer=customer, wanted=wanted, means=MEANS, now=now) or Press(refused=True)


# -- A link that works once ------------------------------------------------------------------------


def _open(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button whatever the token is worth, and use it up when the button is pressed."""
    if request.method != "POST":
        return show(request, "customers/open.html", {})
    link = open_own_page(token=token, now=timezone.now())
    if link is None:
        return _ask(request, status=404)
    response = redirect(f"{reverse('own_page')}?lang={spoken()}")
    response.set_cookie(
        PASS_COOKIE,
        own_page_pass(link.pk),
        max_age=OPEN_FOR,
        path=PASS_PATH,
        secure=settings.PRODUCTION,
        httponly=True,
        samesite="Strict",
    )
    return response


# -- Asking for such a link ------------------------------------------------------------------------


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def preferences_ask(request: HttpRequest) -> HttpResponse:
    """Mail a link to an address; the answer is the same for one we know and one we do not."""
    if request.method != "POST":
        return _ask(request)
    address = field(request, "email").strip()
    try:
        validate_email(address[: EMAIL_CHARS + 1])
        if len(address) > EMAIL_CHARS:
            raise ValidationError("too long")
    except ValidationError:
        problem = _("This is no e-mail address. Write it like name@example.org.")
        return _ask(request, status=422, problem=problem, address=address)
    if wait := seconds_to_wait(request, per_place=per_place):
        problem = _("That were many requests at once. Try again in a minute.")
        response = _ask(request, status=429, problem=problem, address=address)
        response["Retry-After"] = str(wait)
        return response
    ask_for_link(address=address, now=timezone.now())
    return _ask(request, asked=True)


def _ask(
    request: HttpRequest,
    *,
    status: int = 200,
    problem: str = "",
    address: str = "",
    asked: bool = False,
) -> HttpResponse:
    context = {"lost": status == 404, "problem": problem, "email": address, "asked": asked}
    return show(request, "customers/preferences_ask.html", context, status=status)
