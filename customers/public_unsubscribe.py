"""One-click unsubscribe: a mail program posts, a person presses a button, and both are done.

RFC 8058: no cookie, no login, no token against forged requests, no redirect; always the same
answer, however often, also for a link that is not ours. A GET changes nothing: scanners open
every link of a mail.
"""

import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.consent import Method
from customers.limits import Limiter
from customers.models import Customer, Purpose
from customers.own_links import customer_of
from customers.public_pages import discreet, field, show, speak, spoken
from customers.tokens import Unsubscribe, preferences_token, read_unsubscribe
from customers.withdrawals import Means, stands, withdraw

# A minute and link: beyond it the ledger is only looked at, and written where it has to be.
per_link = Limiter(60)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button, or take back what the link names."""
    asked = read_unsubscribe(token)
    customer = customer_of(asked.customer_id) if asked else None
    purpose = Purpose.objects.filter(pk=asked.purpose_id).first() if asked else None
    speak(request, customer.language if customer else "")
    by_button = field(request, "by") == "page"
    if request.method == "POST" and asked and customer and purpose:
        _take_back(customer, purpose, asked, by_button=by_button)
    if request.method == "POST" and not by_button:
        return HttpResponse("OK\n", content_type="text/plain; charset=utf-8")
    context = {
        "name": purpose.name_in(spoken()) if purpose else "",
        # Of a link that is not ours there is nothing to lower; the page behind it says so.
        "lower": preferences_token(asked.customer_id) if asked else token,
    }
    done = request.method == "POST"
    page = "customers/unsubscribed.html" if done else "customers/unsubscribe.html"
    return show(request, page, context)


def _take_back(
    customer: Customer, purpose: Purpose, asked: Unsubscribe, *, by_button: bool
) -> None:
    often = per_link.wait(asked, time.monotonic())
    if often and not stands(customer=customer, purpose=purpose, channel=asked.channel):
        return
    withdraw(
        customer=customer,
        purpose=purpose,
        channel=asked.channel,
        means=Means(
            method=Method.UNSUBSCRIBE_PAGE if by_button else Method.ONE_CLICK_POST, place="mail"
        ),
        now=timezone.now(),
    )
