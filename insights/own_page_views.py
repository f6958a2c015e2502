"""Somebody's own page: opened for a while by a link mailed to the address on file, no login.

Everything that raises, shows or erases is here; the row of the link is the judge of every request.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import own_choices, withdrawals
from customers.addresses import masked
from customers.consent import Forbidden, Method
from customers.data_requests import LIFT, Asked, receive_request
from customers.ledger import Unproven
from customers.lowering import LESS, Press, is_paused, lower, wishes_less
from customers.models import (
    Customer,
    MailedLink,
    RequestKind,
    RequestSource,
    Wording,
)
from customers.own_choices import PLACE, OtherText
from customers.own_links import PASS_COOKIE, PASS_PATH, close_own_page, opened
from customers.preference_rows import preference_rows, wishes
from customers.public_pages import discreet, number, pressed, show, speak, spoken
from customers.queries import same_person
from customers.tokens import read_own_page_pass
from customers.withdrawals import Means
from feedback.services import erase_answer
from insights import own_page as reads
from insights.own_page_forms import CorrectionForm
from insights.person import as_json, person_document

View = Callable[[HttpRequest, MailedLink, datetime], HttpResponse]

MEANS = Means(method=Method.PREFERENCE_PAGE, place=PLACE)


def with_pass(view: View) -> Callable[..., HttpResponse]:
    """Let in who holds the pass of a link that is open; others may ask for a new link."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        pk = read_own_page_pass(request.COOKIES.get(PASS_COOKIE, ""))
        link = opened(pk, now) if pk is not None else None
        if link is None:
            return _closed(request)
        speak(request, link.customer.language)
        response = view(request, link, now)
        # There is no token in these addresses, and under no-referrer a browser would not say
        # where a form comes from, which is what keeps forged requests out.
        response["Referrer-Policy"] = "same-origin"
        return response

    return login_not_required(discreet(guarded))


def _closed(request: HttpRequest) -> HttpResponse:
    return show(request, "customers/preferences_ask.html", {"closed": True}, status=404)


# -- The page --------------------------------------------------------------------------------------


@with_pass
@require_http_methods(["GET", "HEAD", "POST"])
def own_page(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:
    """Show what holds and what is known; a POST changes one thing of it."""
    if request.method == "POST":
        return _back(_do(request, link.customer, now))
    customer = link.customer
    rows = preference_rows(customer, spoken(), now, link.spent_at)
    done = request.GET.get("done", "")
    context = {
        "address": masked(customer.email),
        "rows": rows,
        "wishes": wishes(customer, rows, now),
        "anything_on": any(row.can_lower for row in rows),
        "with_token": True,
        "now": now,
        "done": done,
        "press": Press(done if done in {"wish", "stop"} else ""),
        "told": reads.told(customer, spoken(), formal=bool(getattr(request, "formal", False))),
        "viewed": reads.viewed(customer),
        "counted": reads.counted(customer),
        "requests": reads.open_requests(customer),
        "may_object": bool(reads.what_to_object_to(customer)),
        "customer": customer,
    }
    return show(request, "insights/own_page.html", context)


def _back(done: str) -> HttpResponse:
    return redirect(f"{reverse('own_page')}?lang={spoken()}&done={done}")


def _do(request: HttpRequest, customer: Customer, now: datetime) -> str:
    """Do what was pressed and return what came of it, a word that the page knows."""
    other: dict[str, Callable[[], str]] = {
        "on": lambda: _switch_on(request, customer, now),
        "usual": lambda: _lift(customer, now, limit=True),
        "less": lambda: _lift(customer, now, limit=False),
        "erase_answer": lambda: _erase_answer(request, customer),
        "restrict": lambda: _ask_for(customer, RequestKind.RESTRICTION, now),
        "unrestrict": lambda: _lift_restriction(customer, now),
        "object": lambda: _object(customer, now),
    }
    wanted = pressed(request)
    if wanted.do in other:
        return other[wanted.do]()
    press = lower(customer=customer, wanted=wanted, means=MEANS, now=now)
    return press.saved if press else "unknown"


def _switch_on(request: HttpRequest, customer: Customer, now: datetime) -> str:
    """Record a yes; an empty box is none, and changes nothing."""
    text = Wording.objects.filter(pk=number(request, "yes"))
    wording = text.select_related("purpose").first()
    if wording is None:
        return "empty"
    try:
        own_choices.say_yes(
            customer=customer, wording=wording, channel=pressed(request).channel, now=now
        )
    except OtherText:
        return "other_text"
    except (Forbidden, Unproven):
        return "not_on"
    return "on"


def _lift(customer: Customer, now: datetime, *, limit: bool) -> str:
    """End the pause, and the limit too where the customer wants what they agreed to."""
    if limit and wishes_less(customer, now):
        own_choices.lift_wishes(customer=customer)
    elif not limit:
        messages = customer.monthly_limit or LESS
        withdrawals.limit(customer=customer, messages=messages)
        if is_paused(customer, now):
            own_choices.lift_wishes(customer=customer, limit=False)
    return "wish"


def _erase_answer(request: HttpRequest, customer: Customer) -> str:
    pk = number(request, "answer")
    erased = erase_answer(response_id=pk, customers=same_person(customer))
    return "answer_erased" if erased else "unknown"


def _object(customer: Customer, now: datetime) -> str:
    with transaction.atomic():
        for purpose, channel in reads.what_to_object_to(customer):
            withdrawals.object_to_marketing(
                customer=customer, purpose=purpose, channel=channel, means=MEANS, now=now
            )
    return "objected"


def _lift_restriction(customer: Customer, now: datetime) -> str:
    _ask_for(customer, RequestKind.RESTRICTION, now, LIFT)
    return "unrestricted"


def _ask_for(
    customer: Customer,
    kind: RequestKind,
    now: datetime,
    corrections: Mapping[str, str] | None = None,
) -> str:
    asked = Asked(kind=kind, source=RequestSource.OWN_PAGE, corrections=corrections or {})
    receive_request(customer=customer, asked=asked, now=now)
    return str(kind)


# -- One's own data --------------------------------------------------------------------------------


@with_pass
@require_safe
def own_page_data(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:
    """Show everything that is known, to read and to print."""
    context = {
        "address": masked(link.customer.email),
        "document": person_document(link.customer, now),
        "frame": "insights/own_page_frame.html",
    }
    return show(request, "insights/person_document.html", context)


@with_pass
@require_POST
def own_page_download(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:  # noqa: ARG001
    """Hand over everything that is known, as a file."""
    text = as_json(person_document(link.customer, now))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@with_pass
@require_http_methods(["GET", "HEAD", "POST"])
def own_page_correct(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:
    """Take in a correction of name, address or language."""
    form = CorrectionForm(request.POST or None, customer=link.customer)
    if form.is_valid():
        if not form.corrections:
            return _back("unchanged")
        return _back(_ask_for(link.customer, RequestKind.RECTIFICATION, now, form.corrections))
    context = {"address": masked(link.customer.email), "form": form}
    return show(request, "insights/own_page_correct.html", context)


@with_pass
@require_http_methods(["GET", "HEAD", "POST"])
def own_page_erase(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:
    """Say what goes and what stays; a POST asks for it, and the page closes."""
    if request.method != "POST":
        context = {"address": masked(link.customer.email)}
        return show(request, "insights/own_page_erase.html", context)
    _ask_for(link.customer, RequestKind.ERASURE, now)
    return _close(request, link, now, erased=True)


@with_pass
@require_POST
def own_page_close(request: HttpRequest, link: MailedLink, now: datetime) -> HttpResponse:
    """Close the page before its time is over."""
    return _close(request, link, now, erased=False)


def _close(request: HttpRequest, link: MailedLink, now: datetime, *, erased: bool) -> HttpResponse:
    close_own_page(link=link, now=now)
    response = show(request, "insights/own_page_closed.html", {"erased": erased})
    response.delete_cookie(PASS_COOKIE, path=PASS_PATH, samesite="Strict")
    return response
