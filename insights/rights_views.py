"""The pages about rights: requests about data, one request, the data of a person, the register."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import AccessKind, Customer, DataRequest, RequestKind
from customers.views_of_data import record_views
from insights import requests as domain
from insights.accounts import may_read_register, roles_of
from insights.context import widest
from insights.erasure import plan
from insights.guards import consent_only, only
from insights.person import as_json, person_document
from insights.register import activities, others
from insights.retention import rules
from insights.rights_forms import RefusalForm, RequestForm


@consent_only
@require_http_methods(["GET", "POST"])
def requests(request: HttpRequest) -> HttpResponse:
    """List what is open and what was answered, without a name; a POST takes one in."""
    form = RequestForm(request.POST or None, initial={"reference": request.GET.get("customer")})
    if form.is_valid() and (taken := _take_in(request, form)):
        messages.success(request, _("Taken in. It is due in a month."))
        return redirect("request", taken.pk)
    context = {
        "form": form,
        "waiting": domain.inbox(timezone.localdate()),
        "finished": domain.finished(),
    }
    return render(request, "insights/requests.html", context)


def _take_in(request: HttpRequest, form: RequestForm) -> DataRequest | None:
    """Take a request in, or write into the form why not."""
    asked = form.asked(by=_reader(request))
    try:
        return domain.take_in(
            reference=form.cleaned_data["reference"], asked=asked, now=timezone.now()
        )
    except domain.NoCustomer:
        form.add_error("reference", _("There is no customer with this reference."))
        return None


@consent_only
@require_safe
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was asked and by whom, with what would be done."""
    return _show(request, _found(pk), RefusalForm())


@consent_only
@require_POST
def request_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what is asked."""
    asked = _found(pk)
    erases = asked.kind == RequestKind.ERASURE
    done = domain.carry_out(request=asked, by=_reader(request), now=timezone.now())
    if done and not erases:
        _note_view(request, asked.customer, AccessKind.CHANGE, asked)
    _say(request, done, _("Done. The customer gets an e-mail about it."))
    return redirect("request", pk)


@consent_only
@require_POST
def request_refused(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse it, with a reason."""
    asked, form = _found(pk), RefusalForm(request.POST)
    if not form.is_valid():
        return _show(request, asked, form)
    reason = form.cleaned_data["reason"]
    done = domain.refuse(request=asked, reason=reason, by=_reader(request), now=timezone.now())
    _say(request, done, _("Refused. The customer gets your reason by e-mail."))
    return redirect("request", pk)


@consent_only
@require_safe
def request_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Show all that is known of the one who asked, to read and to print."""
    asked = _found(pk)
    _note_view(request, asked.customer, AccessKind.EXPORT, asked)
    document = person_document(asked.customer, timezone.now())
    return render(request, "insights/person_document.html", {"document": document})


@consent_only
@require_safe
def request_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand over the same as a file; its name says no more than the number of the request."""
    asked = _found(pk)
    _note_view(request, asked.customer, AccessKind.EXPORT, asked)
    text = as_json(person_document(asked.customer, timezone.now()))
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="data-{pk}.json"'
    return response


@only(may_read_register)
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """Print what is done with personal data (GDPR art. 30)."""
    organisation = request.organisation  # type: ignore[attr-defined]
    now = timezone.now()
    context = {
        "organisation": organisation,
        "activities": activities(get_language() or "", now),
        "others": others(),
        "rules": rules(),
        "now": now,
    }
    return render(request, "insights/register.html", context)


# -- Helpers --------------------------------------------------------------------------------------


def _found(pk: int) -> DataRequest:
    return get_object_or_404(DataRequest.objects.select_related("customer"), pk=pk)


def _show(request: HttpRequest, asked: DataRequest, form: RefusalForm) -> HttpResponse:
    customer, today = asked.customer, timezone.localdate()
    _note_view(request, customer, AccessKind.PAGE, asked)
    erases = asked.kind == RequestKind.ERASURE
    context = {
        "asked": asked,
        "customer": customer,
        "form": form,
        "lifts": domain.lifts(asked),
        "days_left": (asked.due_on - today).days,
        "days_late": (today - asked.due_on).days,
        "corrections": domain.corrections(asked),
        "plan": plan(customer) if erases and customer.erased_at is None else {},
        "erasure": customer.erasures.order_by("pk").last() if erases else None,
    }
    return render(request, "insights/request.html", context)


def _note_view(
    request: HttpRequest, customer: Customer, kind: AccessKind, asked: DataRequest
) -> None:
    """Write down who looked; of somebody who was erased there is nothing to see."""
    if customer.erased_at is None:
        record_views(
            customers=[customer],
            kind=kind,
            viewer=_reader(request),
            role=widest(roles_of(request.user)),
            now=timezone.now(),
            reason=f"request {asked.pk}",
        )


def _say(request: HttpRequest, done: bool, text: str) -> None:
    if done:
        messages.success(request, text)
    else:
        messages.warning(request, _("Somebody answered this request already."))


def _reader(request: HttpRequest) -> str:
    return str(request.user.pk)
