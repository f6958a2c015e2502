"""The page about the dose, and whom a plan may reach now: aggregates, for every colleague."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_cookie

from customers.reach import NoAudience, funnel
from insights.dose_forms import AudienceForm
from insights.dose_page import dose_page, draft


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
    return render(request, "insights/dose_audience.html", {"form": form, "found": found})
