"""The pages of consent records: finding a customer, the record, relaying a no, and merging.

Whoever opens one is written down, for the customer to read.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.consent import State
from customers.merging import Decision, MergeRefused
from customers.models import AccessKind, ContactHold, Customer, Purpose
from customers.plans import OutOfRange, UnknownWord
from customers.queries import merge_of
from customers.relaying import Relayed
from customers.relaying import relay as relay_it
from customers.views_of_data import record_views
from insights import customer_records as records
from insights import merges
from insights.colleagues import role_of
from insights.customer_dose import Dose, dose_of
from insights.customer_forms import MergeForm, OtherForm, RelayForm, SearchForm
from insights.guards import consent_only, reader
from insights.hold_forms import HoldForm
from insights.hold_words import with_sources
from insights.merge_words import REFUSALS, merge_rows


@consent_only
@require_http_methods(["GET", "HEAD", "POST"])
def customers(request: HttpRequest) -> HttpResponse:
    """Search customers; by POST, because a name or an address has no place in a URL."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    found = records.search(form.cleaned_data["term"]) if form.is_valid() else None
    write_down(request, found or [], AccessKind.SEARCH)
    context = {"form": form, "found": found, "most": records.MOST_FOUND}
    return render(request, "insights/customers.html", context)


@consent_only
@require_http_methods(["GET", "HEAD"])
def customer(request: HttpRequest, reference: str) -> HttpResponse:
    """Show one record."""
    found = records.customer_of(reference)
    return _page(request, found, None)


def _page(request: HttpRequest, found: Customer, form: RelayForm | None) -> HttpResponse:
    write_down(request, [found], AccessKind.PAGE)
    now = timezone.now()
    record = records.record_of(found, now)
    context = {
        "record": record,
        "dose": _dose(found, record, now),
        "holds": with_sources(
            ContactHold.objects.in_force(now).filter(customer=found).order_by("pk")
        ),
        "hold_form": HoldForm(today=timezone.localdate(now)),
        "form": form or _relay_form(found, None),
    }
    return render(request, "insights/customer.html", context)


def _dose(found: Customer, record: records.Record, now: datetime) -> Dose | None:
    """Return what to say about contacting a customer; nothing about who was erased or merged, nor
    in a shop without the purposes that it is about.
    """
    if found.erased_at or record.merged_into:
        return None
    try:
        return dose_of(found, now)
    except (UnknownWord, OutOfRange):
        return None


def _relay_form(found: Customer, data: Any) -> RelayForm:
    return RelayForm(
        data,
        choices=records.lowerable(),
        today=timezone.localdate(),
        customer=found.pk,
    )


@consent_only
@require_POST
def relay(request: HttpRequest, reference: str) -> HttpResponse:
    """Write down a withdrawal or an objection that a customer asked for."""
    found = records.customer_of(reference)
    if merge := merge_of(found):
        text = _("This record became %(reference)s: write it down there.")
        messages.error(request, text % {"reference": merge.survivor.reference})
        return redirect("customer", merge.survivor.reference)
    form = _relay_form(found, request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    given = form.cleaned_data
    key, _colon, channel = given["what"].rpartition(":")
    relayed = Relayed(
        purpose=Purpose.objects.get(key=key),
        channel=channel,
        state=State(given["state"]),
        method=given["method"],
        colleague=str(reader(request).pk),
        evidence=form.told,
    )
    relay_it(customer=found, relayed=relayed, now=timezone.now())
    write_down(request, [found], AccessKind.CHANGE)
    messages.success(request, _("Written down. It counts from now on."))
    return redirect("customer", reference)


@consent_only
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, reference: str) -> HttpResponse:
    """Merge another record into this one: choose it, see what each side loses, and decide."""
    survivor = records.customer_of(reference)
    sent = request.POST if request.method == "POST" else None
    decision = MergeForm(sent) if sent and "seal" in sent else None
    if decision and decision.is_valid():
        return _decide(request, survivor, decision)
    form = OtherForm(sent if sent and not decision else None)
    other = decision.data.get("other", "") if decision else ""
    if form.is_valid():
        other = form.cleaned_data["other"]
    return _merge_page(request, survivor, other, decision=decision, form=form)


def _decide(request: HttpRequest, survivor: Customer, form: MergeForm) -> HttpResponse:
    given = form.cleaned_data
    decision = Decision(
        reason=given["reason"], colleague=str(reader(request).pk), seal=given["seal"]
    )
    absorbed = records.customer_of(given["other"])
    try:
        merges.merge(survivor=survivor, absorbed=absorbed, decision=decision, now=timezone.now())
    except MergeRefused as refused:
        messages.error(request, str(REFUSALS[refused.code]))
        return redirect("customer_merge", survivor.reference)
    write_down(request, [survivor, absorbed], AccessKind.CHANGE)
    text = _("%(other)s is now part of this record. What was stopped on either stays stopped.")
    messages.success(request, text % {"other": absorbed.reference})
    return redirect("customer", survivor.reference)


def _merge_page(
    request: HttpRequest,
    survivor: Customer,
    other: str,
    *,
    decision: MergeForm | None,
    form: OtherForm,
) -> HttpResponse:
    """Show the form, and for a record that was chosen the preview or why there is none."""
    write_down(request, [survivor], AccessKind.PAGE)
    context: dict[str, Any] = {"customer": survivor, "form": form}
    if other:
        try:
            absorbed = records.customer_of(other)
            shown = merges.preview(survivor, absorbed)
        except Customer.DoesNotExist:
            form.add_error("other", _("No record has this number. Look it up under Customers."))
        except MergeRefused as refused:
            form.add_error("other", str(REFUSALS[refused.code]))
        else:
            write_down(request, [absorbed], AccessKind.PAGE)
            known = {"other": absorbed.reference, "seal": shown.plan.seal}
            context |= {
                "preview": shown,
                "rows": merge_rows(shown.plan),
                "decision": decision or MergeForm(initial=known),
            }
    return render(request, "insights/customer_merge.html", context)


def write_down(request: HttpRequest, people: Iterable[Customer], kind: AccessKind) -> None:
    """Note that the colleague who asks sees these customers, and in which role."""
    role = role_of(reader(request))
    record_views(
        customers=people,
        kind=kind,
        viewer=str(reader(request).pk),
        role=role.value if role else "",
        now=timezone.now(),
    )
