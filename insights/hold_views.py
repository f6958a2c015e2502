"""Leaving a customer alone for a while, and lifting that, on the customer's page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.holds import hold_contacts, release_hold
from customers.models import AccessKind, ContactHold
from customers.queries import merge_of
from insights.customer_records import customer_of
from insights.customer_views import write_down
from insights.guards import consent_only, reader
from insights.hold_forms import HoldForm


@consent_only
@require_POST
def hold(request: HttpRequest, reference: str) -> HttpResponse:
    """Leave a customer alone."""
    customer = customer_of(reference)
    if merge := merge_of(customer):
        text = _("This record became %(reference)s: write it down there.")
        messages.error(request, text % {"reference": merge.survivor.reference})
        return redirect("customer", merge.survivor.reference)
    if customer.erased_at:
        messages.error(request, _("This customer was erased. There is nobody to leave alone."))
        return redirect("customer", reference)
    form = HoldForm(request.POST, today=timezone.localdate())
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(str(one) for one in errors))
        return redirect("customer", reference)
    now = timezone.now()
    hold_contacts(
        customer=customer,
        reason=form.cleaned_data["reason"],
        until=form.ends_at(),
        source=f"colleague:{reader(request).pk}",
        now=now,
    )
    write_down(request, [customer], AccessKind.CHANGE)
    messages.success(request, _("Left alone from now on. Service messages still go."))
    return redirect("customer", reference)


@consent_only
@require_POST
def lift(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Contact a customer again as before."""
    customer = customer_of(reference)
    found = get_object_or_404(ContactHold, pk=pk, customer=customer)
    release_hold(hold=found, released_by=f"colleague:{reader(request).pk}", now=timezone.now())
    write_down(request, [customer], AccessKind.CHANGE)
    messages.success(request, _("Lifted. The dose is what it was."))
    return redirect("customer", reference)
