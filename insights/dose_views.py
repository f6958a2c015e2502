"""The page about the dose, and whom a plan may reach now: aggregates, for every colleague.

Who these are is for who looks after consent, as a list to send to with a mailer of one's own; what
was sent then comes back with import_contacts.
"""

from collections.abc import Sequence

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_cookie

from customers.models import AccessKind, Customer
from customers.reach import NoAudience, allowed_of, funnel
from customers.views_of_data import record_views
from insights import exports
from insights.accounts import may_manage_consent, roles_of
from insights.colleagues import role_of
from insights.dose_forms import AudienceForm
from insights.dose_page import dose_page, draft
from insights.guards import consent_only, reader


@require_GET
@cache_control(private=True, no_cache=True)
@vary_on_cookie
def dosing(request: HttpRequest) -> HttpResponse:
    """Show what is allowed and used, and what was refused."""
    context = {"page": dose_page(timezone.now()), "draft": draft()}
    return render(request, "insights/dosing.html", context)


@require_GET
@cache_control(private=True, no_cache=True)
@vary_on_cookie
def audience(request: HttpRequest) -> HttpResponse:
    """Show whom a plan may reach now, and at which step the others fall out."""
    form = AudienceForm(request.GET or None)
    found = None
    if form.is_valid():
        try:
            found = funnel(form.plan(), timezone.now())
        except NoAudience as error:
            form.add_error(None, str(error))
    sees_who = may_manage_consent(roles_of(request.user))
    context = {"form": form, "found": found, "sees_who": sees_who}
    return render(request, "insights/dose_audience.html", context)


@consent_only
@require_POST
def audience_file(request: HttpRequest) -> HttpResponse:
    """Hand out who may be reached now as a CSV file, and write down whose names are in it.

    By POST: it leaves a trace. Its columns are those of import_contacts, but for the moment.
    """
    form = AudienceForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    now, plan = timezone.now(), form.plan()
    people = _people(allowed_of(plan, funnel(plan, now).ids, now))
    user = reader(request)
    role = role_of(user)
    record_views(
        customers=people,
        kind=AccessKind.EXPORT,
        viewer=str(user.pk),
        role=role.value if role else "",
        reason="audience",
        now=now,
    )
    category = plan.category.name if plan.category else ""
    rows: list[exports.Row] = [("customer", "channel", "kind", "category")]
    rows += [(one.reference, plan.channel, plan.kind, category) for one in people]
    response = HttpResponse("".join(exports.csv_file(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audience.csv"'
    return response


def _people(ids: Sequence[int]) -> list[Customer]:
    """Return customers by id, a thousand at a time: a statement takes only so many values."""
    found: list[Customer] = []
    for start in range(0, len(ids), 1_000):
        rows = Customer.objects.filter(pk__in=ids[start : start + 1_000])
        found += rows.order_by("pk")
    return found
