"""How much buyers care about each category: the map of them, and rating one."""

from operator import attrgetter

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.categories import (
    BY_PROPOSAL,
    CannotMove,
    category_map,
    place_and_rate,
    propose_levels,
    unrated,
)
from customers.dose_documents import digest_of, document_of
from customers.involvement import Rating
from customers.models import Category, Involvement, PolicyDraft
from customers.policies import current_version, save_draft
from customers.starting_involvement import COMPANIES, proposed
from customers.starting_policy import starting_policy
from insights.accounts import may_change_policy, roles_of
from insights.guards import only, reader
from insights.involvement_forms import NAMES, CompanyForm, RatingForm

rating_only = only(may_change_policy)

ORDER = {Involvement.HIGH: 0, Involvement.MEDIUM: 1, Involvement.LOW: 2}


@require_GET
def involvement(request: HttpRequest) -> HttpResponse:
    """Show every category with the level that holds for it, and where that comes from."""
    places = sorted(category_map(timezone.now()), key=attrgetter("category.name"))
    places.sort(key=lambda one: ORDER[Involvement(one.involved.level)])
    context = {
        "places": [(one, Involvement(one.involved.level).label) for one in places],
        "proposal": BY_PROPOSAL,
        "unrated": sum(one.involved.because == "unrated" for one in places),
        "form": CompanyForm(),
        "may_rate": may_change_policy(roles_of(request.user)),
    }
    return render(request, "insights/involvement.html", context)


@rating_only
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Rate one category with three questions, and say what it is part of."""
    category = get_object_or_404(Category, pk=pk)
    form = RatingForm(request.POST or None, category=category)
    if form.is_valid() and _stored(request, form, category):
        messages.success(request, _result(category, form.rating()))
        return redirect("involvement")
    return render(request, "insights/involvement_rate.html", {"form": form, "category": category})


def _result(category: Category, rating: Rating | None) -> str:
    if rating is None:
        return _("Saved.")
    values = {
        "name": category.name,
        "level": Involvement(category.involvement).label,
        "score": round(rating.score),
    }
    return _("%(name)s: %(level)s, %(score)d of 100.") % values


def _stored(request: HttpRequest, form: RatingForm, category: Category) -> bool:
    """Store what was given; say at the field where it cannot be part of that."""
    who = reader(request)
    try:
        place_and_rate(
            category=category,
            parent=form.cleaned_data["parent"],
            rating=form.rating(),
            rated_by=who.get_full_name() or who.get_username(),
            now=timezone.now(),
        )
    except CannotMove as error:
        texts = {
            "circle": _("That is part of this category itself. Choose another one, or none."),
            "deep": _("That would be more than four levels. Choose one that is less deep."),
        }
        form.add_error("parent", texts[error.code])
        return False
    return True


@rating_only
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """By the kind of company: a level for each category without one, and a policy as a draft."""
    form = CompanyForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose what you mostly sell."))
        return redirect("involvement")
    company = form.cleaned_data["company"]
    who = reader(request)
    name, now = who.get_full_name() or who.get_username(), timezone.now()
    levels = proposed(company, unrated())
    if levels:
        n = propose_levels(levels, rated_by=name, now=now)
        text = ngettext(
            "%(n)d category has a level to begin with. Look at it.",
            "%(n)d categories have a level to begin with. Look at each.",
            n,
        )
        messages.success(request, text % {"n": n})
    return _policy_proposed(request, company, name)


def _policy_proposed(request: HttpRequest, company: str, name: str) -> HttpResponse:
    """Propose the policy to begin with as a draft: nothing is replaced, and nothing in force."""
    newest = current_version()
    policy = starting_policy(newest.version + 1 if newest else 1, COMPANIES[company])
    if PolicyDraft.objects.exists():
        text = _(
            "There is a draft of the next policy, which stays as it is. Drop it to begin anew."
        )
        messages.info(request, text)
        return redirect("involvement")
    if newest and newest.digest == digest_of(policy):
        messages.info(request, _("The policy in force is the one to begin with for what you sell."))
        return redirect("involvement")
    note = _("To begin with, for a company that sells: %(what)s.") % {"what": NAMES[company]}
    save_draft(document=document_of(policy), note=note, editor=name, now=timezone.now())
    text = _("The policy to begin with for what you sell is a draft: compare it, then publish it.")
    messages.success(request, text)
    return redirect("dose_policy_compare")


PATHS = [
    path("", involvement, name="involvement"),
    path("propose/", propose, name="involvement_propose"),
    path("<int:pk>/", rate, name="involvement_rate"),
]
