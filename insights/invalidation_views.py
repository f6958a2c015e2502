"""The pages of faulty batches: propose, look at what it hits, approve by a second person, drop."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers import invalidations as domain
from customers.invalidations import NeedsAnother, NothingInForce, TooEarly
from customers.models import Channel, Invalidation, Purpose
from insights.accounts import is_alone
from insights.consent_words import purpose_name
from insights.customer_forms import InvalidationForm
from insights.customer_records import place_names
from insights.guards import consent_only, reader

# Few are ever made; the latest are enough to look at.
SHOWN = 50


@consent_only
@require_http_methods(["GET", "HEAD", "POST"])
def invalidations(request: HttpRequest) -> HttpResponse:
    """List the faulty batches; a POST proposes one."""
    form = InvalidationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = domain.propose(
                batch=form.batch,
                reason=form.cleaned_data["reason"],
                colleague=str(reader(request).pk),
                now=timezone.now(),
            )
        except NothingInForce:
            form.add_error(None, _("No permission in force was given like that. Look at the text, "
                                   "the place and the days again."))  # fmt: skip
        else:
            return redirect("invalidation", row.pk)
    rows = list(
        Invalidation.objects.select_related("wording__purpose").order_by("-proposed_at", "-pk")[
            :SHOWN
        ]
    )
    places = place_names(row.place for row in rows)
    context = {"form": form, "rows": rows, "places": places}
    return render(request, "insights/invalidations.html", context)


@dataclass(frozen=True, slots=True)
class HitRow:
    """How many permissions for a purpose on a channel, in words."""

    name: str
    channel: str
    permissions: int


@consent_only
@require_http_methods(["GET", "HEAD"])
def invalidation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one batch: what it hits now, or what became of it."""
    row = Invalidation.objects.select_related("wording__purpose").get(pk=pk)
    purposes = {purpose.pk: purpose for purpose in Purpose.objects.all()}
    hits = [
        HitRow(
            purpose_name(purposes[hit.purpose_id]),
            str(Channel(hit.channel).label),
            hit.permissions,
        )
        for hit in domain.hits(row)
    ]
    ids = [int(one) for one in (row.proposed_by, row.approved_by) if one.isdecimal()]
    people = {str(user.pk): user for user in User.objects.filter(pk__in=ids)}
    context = {
        "row": row,
        "hits": hits,
        "places": place_names([row.place]),
        "total": sum(hit.permissions for hit in hits),
        "proposed_by": _called(people.get(row.proposed_by)),
        "approved_by": _called(people.get(row.approved_by)),
        **_may_approve(request, row, timezone.now()),
    }
    return render(request, "insights/invalidation.html", context)


def _may_approve(request: HttpRequest, row: Invalidation, now: datetime) -> dict[str, object]:
    """Say whether the reader may approve it now, and if they are alone from when."""
    own = row.proposed_by == str(reader(request).pk)
    alone = own and is_alone(reader(request))
    earliest = row.proposed_at + domain.WAIT_ALONE if alone else None
    may = not own or (earliest is not None and now >= earliest)
    return {"own": own, "earliest": earliest, "may_approve": may}


def _called(user: User | None) -> str:
    return (user.get_full_name() or user.email) if user else _("a colleague")


@consent_only
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a batch that somebody else proposed."""
    try:
        done = domain.approve(
            pk=pk,
            colleague=str(reader(request).pk),
            alone=is_alone(reader(request)),
            now=timezone.now(),
        )
    except NeedsAnother:
        messages.error(request, _("You proposed this yourself. A second person has to approve it."))
        return redirect("invalidation", pk)
    except TooEarly as early:
        text = _("You proposed this yourself. Nobody else can approve it, so you can from %(at)s.")
        local = timezone.localtime(early.earliest)
        messages.error(request, text % {"at": date_format(local, "DATETIME_FORMAT")})
        return redirect("invalidation", pk)
    if done:
        messages.success(request, _("Approved. It is carried out now, which may take a while."))
    else:
        messages.error(request, _("Somebody approved or dropped it before you."))
    return redirect("invalidation", pk)


@consent_only
@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a proposal."""
    Invalidation.objects.get(pk=pk)
    if domain.drop(pk=pk, now=timezone.now()):
        messages.success(request, _("Dropped. Every permission stays as it is."))
    else:
        messages.error(request, _("Somebody approved or dropped it before you."))
    return redirect("invalidations")
