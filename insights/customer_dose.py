"""May we contact this customer now, and if not: why, and from when on? In the reader's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.contact_queries import Judged, look
from customers.decision_words import moment_words, reason_words, type_words
from customers.dosing import Code, Outcome
from customers.models import Channel, Contact, ContactKind, Customer, CustomerType
from customers.plans import Plan
from customers.queries import histories
from customers.type_facts import type_because
from insights import consent_words

# What colleagues ask most, all by e-mail.
ASKED: Mapping[str, Any] = {
    ContactKind.PROMOTION: _("Tips and offers"),
    ContactKind.INFORMATION: _("Information"),
    ContactKind.ASK_NPS: _("A question for a score"),
    ContactKind.ASK_SURVEY: _("A survey"),
}
RECENT = timedelta(days=30)
MOST_RECENT = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a kind of contact may be now. `answer` is "yes", "later" or "no"."""

    name: str
    answer: str
    since: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Dose:
    """What a colleague sees of one customer's dose. `contacts` are those that count, newest first;
    `n` says how many there are in 30 days.
    """

    answers: Sequence[Answer]
    type_name: str
    because: str
    policy: int | None
    n: int
    contacts: Sequence[Contact]


def dose_of(customer: Customer, now: datetime) -> Dose:
    """Ask about each kind of contact; in seven queries, and nothing is reserved."""
    plans = [Plan(channel=Channel.EMAIL, kind=kind) for kind in ASKED]
    snapshot, _known = look({customer.pk: customer}, plans, now)
    judged = [snapshot.judge(customer.pk, plan) for plan in plans]
    counting = Contact.objects.counting(now).filter(customer=customer, to_at__gt=now - RECENT)
    contacts = list(counting.select_related("category").order_by("-from_at", "-pk"))
    return Dose(
        answers=[answer_words(one, ASKED[ContactKind(one.plan.kind)]) for one in judged],
        type_name=str(CustomerType(customer.customer_type).label),
        because=_because(customer, now),
        policy=judged[0].policy_version,
        n=len(contacts),
        contacts=contacts[:MOST_RECENT],
    )


def answer_words(judged: Judged, name: object) -> Answer:
    """Say a decision in the reader's words; `name` is what was asked about."""
    verdict = judged.verdict
    names = {Outcome.DEFER: "later", Outcome.DENY: "no"}
    return Answer(
        name=str(name),
        answer=names.get(verdict.outcome, "yes"),
        since=moment_words(verdict.next_allowed_at) if verdict.next_allowed_at else "",
        reasons=[
            consent_words.reason(judged.answer)
            if one.code == Code.NO_PERMISSION
            else reason_words(one, {})
            for one in verdict.reasons
        ],
    )


def _because(customer: Customer, now: datetime) -> str:
    today = timezone.localdate(now, timezone.get_default_timezone())
    history = histories(today, [customer.pk])[customer.pk]
    contract = max((until for _bought, until in history.contracts), default=None)
    return type_words(type_because(customer.customer_type, history.days, contract, today))
