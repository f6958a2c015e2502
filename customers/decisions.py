"""A decision on a contact as one document, for the command and for other systems.

    {"customer", "channel", "kind", "category", "purpose", "points", "outcome", "reservation",
     "reasons", "passed", "next_allowed_at", "customer_type", "involvement", "permission",
     "policy_version", "evaluated_at"}

Sentences in English. It holds nothing of anybody else: what blocks are contacts of this customer.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone, translation

from customers.contact_queries import Judged
from customers.decision_words import involved_words, reason_words, type_words
from customers.dosing import Code, Outcome, Reason
from customers.models import Category, Contact, ContactStatus
from customers.policies import policy_with
from customers.queries import histories
from customers.type_facts import type_because

Json = dict[str, Any]


def decision_documents(judged: Iterable[Judged], now: datetime) -> list[Json]:
    """Return decisions as documents; one query for the purchases of however many customers."""
    decisions = list(judged)
    today = timezone.localdate(now, timezone.get_default_timezone())
    known = histories(today, {one.customer.pk for one in decisions})
    with translation.override("en"):
        documents = []
        for one in decisions:
            history = known[one.customer.pk]
            contract = max((until for _, until in history.contracts), default=None)
            reason = type_because(one.customer.customer_type, history.days, contract, today)
            documents.append(_document(one, type_words(reason), now))
        return documents


def _document(judged: Judged, type_reason: str, now: datetime) -> Json:
    plan, verdict = judged.plan, judged.verdict
    categories = {plan.category.pk: plan.category} if plan.category else {}
    return {
        "customer": judged.customer.reference,
        "channel": plan.channel,
        "kind": plan.kind,
        "category": plan.category.name if plan.category else None,
        "purpose": judged.purpose.key,
        "points": judged.points,
        "outcome": str(verdict.outcome),
        "reservation": None,
        "reasons": [_reason(one, judged, categories) for one in verdict.reasons],
        "passed": list(verdict.passed),
        "next_allowed_at": iso(verdict.next_allowed_at),
        "customer_type": {"value": judged.customer.customer_type, "because": type_reason},
        "involvement": {
            "value": judged.involved.level,
            "because": involved_words(judged.involved),
        },
        "permission": {
            "allowed": judged.answer.allowed,
            "reason": judged.answer.reason,
            "sentence": judged.answer.sentence,
        },
        "policy_version": judged.policy_version,
        "evaluated_at": iso(now),
    }


def replay_documents(contacts: Iterable[Contact], now: datetime) -> list[Json]:
    """Return what was decided when these contacts were reserved, with how they stand now.

    Permission is not told: it is asked about again when they are confirmed.
    """
    known = list(contacts)
    prefetch_related_objects(known, "customer", "category", "purpose", "policy")
    return [_replay(one, now) for one in known]


def _replay(contact: Contact, now: datetime) -> Json:
    version = contact.policy
    policy = policy_with(version.pk, version.digest) if version else None
    is_exempt = policy is not None and contact.kind in policy.exempt
    reservation = reservation_document(contact)
    if contact.status == ContactStatus.RESERVED and not contact.is_leased(now):
        # Whoever cleans up has not been there yet.
        reservation["status"] = str(ContactStatus.EXPIRED)
    as_then = f"as it was on {contact.reserved_at:%Y-%m-%d}"
    return {
        "customer": contact.customer.reference,
        "channel": contact.channel,
        "kind": contact.kind,
        "category": contact.category.name if contact.category else None,
        "purpose": contact.purpose.key if contact.purpose else None,
        "points": contact.points,
        "outcome": str(Outcome.EXEMPT if is_exempt else Outcome.ALLOW),
        "reservation": reservation,
        "reasons": [],
        "passed": [],
        "next_allowed_at": None,
        "customer_type": {"value": contact.customer_type, "because": as_then},
        "involvement": {"value": contact.involvement, "because": as_then},
        "permission": None,
        "policy_version": version.version if version else None,
        "evaluated_at": iso(contact.reserved_at),
    }


def reservation_document(contact: Contact) -> Json:
    """Return a contact that was reserved: its request, its state, and how long it holds."""
    return {
        "request_id": contact.request_id,
        "status": contact.status,
        "from_at": iso(contact.from_at),
        "to_at": iso(contact.to_at),
        "sent_at": iso(contact.sent_at),
    }


def _reason(reason: Reason, judged: Judged, categories: Mapping[int, Category]) -> Json:
    is_permission = reason.code == Code.NO_PERMISSION
    return {
        "code": str(reason.code),
        "rule": reason.rule,
        "detail": reason.detail,
        "scope": {
            "channel": reason.scope.channel or None,
            "kinds": list(reason.scope.kinds),
            "category": plan_category(judged, reason),
            "purpose": reason.scope.purpose or None,
        },
        "window": iso_duration(reason.window),
        "unit": reason.unit,
        "max": reason.most,
        "used": reason.used,
        "blocking": list(reason.blocking),
        "frees_at": iso(reason.frees_at),
        "sentence": judged.answer.sentence if is_permission else reason_words(reason, categories),
    }


def plan_category(judged: Judged, reason: Reason) -> str | None:
    """Return the category that a reason is about; it can only be that of the plan."""
    category = judged.plan.category
    return category.name if category and reason.scope.category == category.pk else None


def iso(moment: datetime | None) -> str | None:
    """Return a moment in UTC as ISO 8601 writes it, to the second or finer."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_duration(window: timedelta | None) -> str | None:
    """Return a length of time as ISO 8601 writes it: P30D, PT36H."""
    if window is None:
        return None
    days, rest = divmod(window, timedelta(days=1))
    return f"PT{window // timedelta(hours=1)}H" if rest else f"P{days}D"
