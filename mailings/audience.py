"""Whom a mailing may reach: its segment, then permission, then the dose; counted and chosen."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from customers.models import Category, Customer, Purchase
from customers.plans import Plan
from customers.reach import Funnel, funnel, reachable
from feedback.models import Response
from mailings.models import Mailing
from mailings.segments import ANSWERED_DAYS, ANSWERS, BOUGHT_DAYS, LastAnswer, Segment

# The list goes into another tool, is looked at there and sent by hand: a day after it was planned.
TIME_TO_SEND = timedelta(hours=24)


def plan_of(mailing: Mailing) -> Plan:
    """Return the contact that a mailing is with each of its customers."""
    return Plan(
        channel="email",
        kind=mailing.kind,
        category=mailing.category,
        purpose=mailing.purpose.key,
        at=mailing.planned_at,
        lease=TIME_TO_SEND,
    )


def choose(mailing: Mailing, now: datetime) -> Funnel:
    """Return whom a mailing may reach and at which step the others of its segment fall out."""
    return funnel(plan_of(mailing), now, members(mailing.audience, now))


def members(segment: Segment, now: datetime) -> QuerySet[Customer]:
    """Return the customers a segment is about, whatever they permit."""
    people = reachable()
    if segment.customer_types:
        people = people.filter(customer_type__in=segment.customer_types)
    if segment.language:
        people = people.filter(language__istartswith=segment.language)
    if segment.bought:
        people = people.filter(_bought(segment.bought, now))
    if segment.last_answer:
        people = people.filter(_answered(LastAnswer(segment.last_answer), now))
    return people


def _bought(category: int, now: datetime) -> Exists:
    """Bought something in a category, or in what is part of it."""
    within = [category, *_parts(category)]
    bought = Purchase.objects.counting().filter(
        customer=OuterRef("pk"),
        product__category__in=within,
        purchased_at__gt=now - timedelta(days=BOUGHT_DAYS),
        purchased_at__lte=now,
    )
    return Exists(bought)


def _parts(category: int) -> list[int]:
    found, level = [], [category]
    while level:
        level = list(Category.objects.filter(parent__in=level).values_list("pk", flat=True))
        found += level
    return found


def _answered(answer: LastAnswer, now: datetime) -> Q:
    """Their last answer on the scale was this one. The answers are few beside the customers, so
    they are looked up first."""
    scale, values = ANSWERS[answer]
    since = now - timedelta(days=ANSWERED_DAYS)
    recent = Response.objects.filter(scale=scale, answered_at__gt=since, answered_at__lte=now)
    last = recent.filter(customer=OuterRef("customer")).order_by("-answered_at", "-pk")
    this_one = recent.filter(
        customer__isnull=False, value__in=values, pk=Subquery(last.values("pk")[:1])
    )
    return Q(pk__in=this_one.values("customer"))
