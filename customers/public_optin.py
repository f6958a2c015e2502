"""The opt-in form and the page behind the link in the mail that confirms it.

Made to be shown in a frame on the shop's pages: no cookie is read or set, so a form needs no token
against forged requests. What another site could post here is what anybody can: at most one mail to
an address, never a yes. A yes comes from the button behind the link in that mail, or from somebody
whom the shop's server vouches for.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers import askable, asking, confirming
from customers.addresses import masked
from customers.asking import PATIENCE, Outcome, Tick
from customers.cells import EMAIL_CHARS, CellError
from customers.limits import Limiter
from customers.models import ConsentForm, Customer, Wording
from customers.public_pages import (
    busy,
    catalogue,
    discreet,
    framed_by,
    is_prefetched,
    other_language,
    say,
    seconds_to_wait,
    show,
    spoken,
)
from customers.subjects import SubjectState, read_subject
from customers.tokens import Asked, asked_token, preferences_token, read_asked

per_address = Limiter(settings.OPT_IN_PER_ADDRESS)
per_form = Limiter(settings.OPT_IN_PER_FORM)
# Of what is only counted: showing the form must not keep answers out.
seen_per_address = Limiter(settings.OPT_IN_PER_ADDRESS)
seen_per_form = Limiter(settings.OPT_IN_PER_FORM)

# What a ticked box sends; whatever else somebody sends in its place is no yes.
TICKED = "yes"


class BadTick(ValueError):
    """Something was sent in the place of a tick that no box of ours sends."""


@dataclass(frozen=True)
class Visit:
    """One request for a form, with the text of its first question in the page's language."""

    request: HttpRequest
    form: ConsentForm
    text: Wording
    now: datetime

    def tick(self, text: Wording, *, followed: bool = False) -> Tick:
        return Tick(form=self.form, wording=text, now=self.now, followed=followed)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def opt_in(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for a permission, and take the answer."""
    form = askable.form_by_key(key)
    if form is None or not askable.may_be_asked(form.first, form.channel):
        title = _("This question is no longer here")
        return say(request, title, _("You need not do anything."), status=404)
    now = timezone.now()
    texts = askable.current_texts(form.first, now)
    if spoken() in texts:
        response = _answer(Visit(request, form, texts[spoken()], now))
    else:
        response = _not_in_this_language(request, others=texts)
    return framed_by(response, form.origins)


def _answer(visit: Visit) -> HttpResponse:
    request = visit.request
    if request.method != "POST":
        return _open(visit)
    step = request.POST.get("step", "")
    if step == "begin":
        return _begin(visit)
    if wait := seconds_to_wait(
        request, per_place=per_address, per_thing=per_form, thing=visit.form.pk
    ):
        return busy(request, 429, wait)
    try:
        ticked = _ticked(request)
    except BadTick:
        return _ask_again(visit, _("That did not work. Answer once more."))
    return _take_second(visit, ticked) if step == "second" else _take_first(visit, ticked)


def _open(visit: Visit) -> HttpResponse:
    if visit.request.GET.get("age") == "younger":
        return _too_young(visit)
    _count_shown(visit)
    response = _ask(visit)
    # Who goes back finds the same form, and it is not counted as shown again.
    response["Cache-Control"] = "private, no-cache"
    return response


def _ticked(request: HttpRequest) -> bool:
    """Say whether the box was ticked; BadTick for what is neither a tick nor an empty box."""
    sent = request.POST.getlist("tick")
    if sent not in ([], [TICKED]):
        raise BadTick
    return bool(sent)


# -- The first question ----------------------------------------------------------------------------


def _begin(visit: Visit) -> HttpResponse:
    """Ask somebody whom the shop's server vouches for; without that, as anybody is asked."""
    subject = read_subject(
        visit.request.POST.get("subject", ""), keys=settings.SUBJECT_KEYS, now=visit.now
    )
    known = subject.state is SubjectState.VALID
    customer = asking.known_customer(subject.reference) if known else None
    if customer is not None and not asking.offer(customer=customer, tick=visit.tick(visit.text)):
        return _nothing_to_ask(visit, customer)
    _count_shown(visit)
    return _ask(visit, customer)


def _take_first(visit: Visit, ticked: bool) -> HttpResponse:
    asked = None
    if "state" in visit.request.POST:
        asked = _where(visit, "first")
        if asked is None:
            return _open_too_long(visit)
    if visit.request.POST.get("wording") != str(visit.text.pk):
        problem = _("The text has changed since you opened this page. Read it again.")
        return _ask_again(visit, problem)
    if asked is not None:
        return _take_from_known(visit, asked, ticked)
    if not ticked:
        asking.leave_empty(tick=visit.tick(visit.text))
        return _left_empty(visit)
    typed = visit.request.POST.get("email", "")
    try:
        address = asking.typed_address(typed)
    except CellError:
        return _ask_again(visit, _problem_with(typed), kept=True)
    second = _second_text(visit)
    tick = visit.tick(visit.text, followed=second is not None)
    asking.ask_to_confirm(tick=tick, address=address)
    return _ask_second(visit, second, address=address) if second else _on_its_way(visit)


def _take_from_known(visit: Visit, asked: Asked, ticked: bool) -> HttpResponse:
    customer = Customer.objects.get(pk=asked.customer)
    if not ticked:
        tick = visit.tick(visit.text)
        asking.leave_known(customer=customer, tick=tick, asked_at=asked.moment)
        return _left_empty(visit, customer)
    second = _second_text(visit)
    if second and not asking.offer(customer=customer, tick=visit.tick(second)):
        second = None
    tick = visit.tick(visit.text, followed=second is not None)
    outcome = asking.take_tick(customer=customer, tick=tick, asked_at=asked.moment)
    if second and outcome is not Outcome.NOTHING:
        return _ask_second(visit, second, customer=customer.pk)
    return _outcome(visit, outcome, customer, [visit.text])


def _problem_with(typed: str) -> str:
    if not typed.strip():
        return _("Fill in your e-mail address, or leave the box empty.")
    if len(typed.strip()) > EMAIL_CHARS:
        return _("This e-mail address is too long: at most 254 characters.")
    return _("This is no e-mail address that we can write to. Write it as name@example.org.")


# -- The second question, one step later -----------------------------------------------------------


def _second_text(visit: Visit) -> Wording | None:
    """Return the text of the second question, if there is one in this language."""
    second = visit.form.second
    if second is None or not askable.may_be_asked(second, visit.form.channel):
        return None
    return askable.current_texts(second, visit.now).get(spoken())


def _take_second(visit: Visit, ticked: bool) -> HttpResponse:
    asked, text = _where(visit, "second"), _second_text(visit)
    if asked is None or text is None or visit.request.POST.get("wording") != str(text.pk):
        return _open_too_long(visit)
    tick = visit.tick(text)
    customer = Customer.objects.filter(pk=asked.customer).first()
    if ticked and visit.now - asked.moment >= PATIENCE and not (customer and customer.is_verified):
        # The mail with the first answer has gone.
        return _open_too_long(visit)
    if customer is not None:
        return _take_second_from_known(visit, asked, customer, tick if ticked else None, text)
    if ticked:
        asking.ask_to_confirm_too(tick=tick, address=asked.address, asked_at=asked.moment)
    else:
        asking.leave_empty(tick=tick, address=asked.address, asked_at=asked.moment)
    return _on_its_way(visit)


def _take_second_from_known(
    visit: Visit, asked: Asked, customer: Customer, tick: Tick | None, text: Wording
) -> HttpResponse:
    first = Wording.objects.get(pk=asked.first)
    if tick is None:
        tick = visit.tick(text)
        asking.leave_known(customer=customer, tick=tick, asked_at=asked.moment)
        outcome = Outcome.GIVEN if customer.is_verified else Outcome.PENDING
        return _outcome(visit, outcome, customer, [first])
    outcome = asking.take_tick(customer=customer, tick=tick, asked_at=asked.moment)
    return _outcome(visit, outcome, customer, [first, text])


def _where(visit: Visit, step: str) -> Asked | None:
    """Return what a form carries along, if it is for this form and step."""
    asked = read_asked(visit.request.POST.get("state", ""), visit.now)
    return asked if asked and (asked.form, asked.step) == (visit.form.pk, step) else None


# -- Pages -----------------------------------------------------------------------------------------


def _count_shown(visit: Visit) -> None:
    """Count that the question was shown, unless perhaps nobody saw it."""
    request = visit.request
    if request.method == "HEAD" or is_prefetched(request):
        return
    if seconds_to_wait(
        request, per_place=seen_per_address, per_thing=seen_per_form, thing=visit.form.pk
    ):
        return
    # A count that is missed is no reason to keep the question from somebody.
    with suppress(OperationalError, InterfaceError):
        asking.count(visit.form, visit.text, visit.now, "shown")


def _ask(visit: Visit, customer: Customer | None = None, **given: object) -> HttpResponse:
    context: dict[str, object] = {
        "text": visit.text,
        "address": masked(customer.email) if customer else "",
        "state": "",
        "subject": "",
    }
    if customer:
        at = visit.now.isoformat()
        context["state"] = asked_token(Asked("first", visit.form.pk, at, customer.pk))
        context["subject"] = visit.request.POST.get("subject", "")
    status = 422 if "problem" in given else 200
    return show(visit.request, "customers/optin.html", context | given, status=status)


def _ask_again(visit: Visit, problem: str, *, kept: bool = False) -> HttpResponse:
    """Show the form again with what is wrong; what was typed stays, and with `kept` the tick."""
    post = visit.request.POST
    asked = _where(visit, "first")
    customer = Customer.objects.filter(pk=asked.customer).first() if asked else None
    return _ask(visit, customer, problem=problem, kept=kept, typed=post.get("email", ""))


def _ask_second(
    visit: Visit, text: Wording, *, address: str = "", customer: int = 0
) -> HttpResponse:
    asking.count(visit.form, text, visit.now, "shown")
    asked = Asked("second", visit.form.pk, visit.now.isoformat(), customer, address, visit.text.pk)
    context = {"text": text, "state": asked_token(asked)}
    return show(visit.request, "customers/optin_second.html", context)


def _outcome(
    visit: Visit, outcome: Outcome, customer: Customer, texts: Sequence[Wording]
) -> HttpResponse:
    if outcome is Outcome.GIVEN:
        return _given(visit.request, customer, texts, framed=bool(visit.form.origins))
    if outcome is Outcome.NOTHING:
        return _nothing_to_ask(visit, customer)
    return _on_its_way(visit)


def _on_its_way(visit: Visit) -> HttpResponse:
    return say(
        visit.request,
        _("Look in your mailbox"),
        _("If this address can be mailed, a message is on its way."),
        _("Your permission counts only after you press the button in it. You have 7 days."),
        _("Nothing there? Look among the unwanted mail. We send one message a day at most."),
    )


def _given(
    request: HttpRequest, customer: Customer, texts: Sequence[Wording], *, framed: bool = False
) -> HttpResponse:
    context = {
        "framed": framed,
        "title": _("Noted, thank you"),
        "given": texts,
        "preferences": f"/preferences/{preferences_token(customer.pk)}/",
        "done": True,
    }
    return show(request, "customers/optin_done.html", context)


def _left_empty(visit: Visit, customer: Customer | None = None) -> HttpResponse:
    if customer is None:
        text = _("You left the box empty. Nothing is stored about you.")
    else:
        text = _("You left the box empty. We will not ask you again for 90 days.")
    return say(visit.request, _("We send you nothing"), text)


def _nothing_to_ask(visit: Visit, customer: Customer) -> HttpResponse:
    context = {
        "framed": bool(visit.form.origins),
        "title": _("We have nothing to ask you"),
        "preferences": f"/preferences/{preferences_token(customer.pk)}/",
    }
    return show(visit.request, "customers/optin_done.html", context)


def _too_young(visit: Visit) -> HttpResponse:
    return say(
        visit.request,
        _("Nothing is recorded"),
        _("We may only write to you with the permission of a parent. That is not asked here."),
    )


def _open_too_long(visit: Visit) -> HttpResponse:
    return say(
        visit.request,
        _("This page was open too long"),
        _("This last answer is not recorded. What you answered before stands."),
    )


def _not_in_this_language(request: HttpRequest, others: dict[str, Wording]) -> HttpResponse:
    context = {
        "title": _("This question is not there in English")
        if spoken() == "en"
        else _("This question is not there in Dutch"),
        "texts": [_("Nobody is asked to agree to a text in another language.")],
        "elsewhere": other_language() if other_language() in others else "",
    }
    return show(request, "customers/optin_done.html", context, status=404)


# -- The link in the mail --------------------------------------------------------------------------


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button behind a mailed link; pressing it confirms, opening it changes nothing."""
    now = timezone.now()
    if request.method == "POST":
        found = confirming.confirm(token=token, now=now)
    else:
        found = confirming.look_at_link(token, now)
    if not found.texts or found.customer is None:
        return _void(request, found.form)
    # Nobody is asked to agree to a text in another language than that of the page.
    translation.activate(catalogue(request, found.texts[0].language))
    if request.method == "POST":
        return _given(request, found.customer, found.texts)
    return show(request, "customers/confirm.html", {"texts": found.texts})


def _void(request: HttpRequest, form: ConsentForm | None) -> HttpResponse:
    """Say the same of every link that does not work: used, old, taken back, or never ours."""
    context = {
        "title": _("This link does not work any more"),
        "texts": [
            _("A link works once, for 7 days, and not after you took your permission back."),
            _("Nothing was changed now."),
        ],
        "again": f"{reverse('opt_in', args=[form.key])}?lang={spoken()}"
        if form and form.archived_at is None
        else "",
        # A link that is not known has no form to go back to, and must not be a dead end.
        "preferences": f"{reverse('preferences_ask')}?lang={spoken()}",
    }
    return show(request, "customers/optin_done.html", context, status=410)
