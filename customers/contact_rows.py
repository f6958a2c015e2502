"""Contacts that other systems ask for, by reference and by name: looked at, or reserved.

Of each row it is said what came of it: what is wrong with one stops no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from customers.cells import folded
from customers.contact_queries import look
from customers.contacts import Claim, Request, RequestConflict, check_time, claim_contacts
from customers.decisions import (
    Json,
    decision_documents,
    replay_documents,
    reservation_document,
)
from customers.models import Category, Contact, Customer, Purpose
from customers.plans import (
    OutOfRange,
    Plan,
    UnknownWord,
    categories_named,
    check_purpose,
    some_categories,
)
from customers.queries import people_by_reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A contact as another system asks for it: "" and None where it says nothing."""

    customer: str
    channel: str
    kind: str
    category: str = ""
    purpose: str = ""
    points: int | None = None
    at: datetime | None = None
    lease: timedelta | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row gets no decision: "customer", "rule" or "conflict", and which field it is about."""

    error: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as a document, about whom it is, and whether a contact was reserved just now."""

    customer: Customer
    document: Json
    is_new: bool = False


def check_rows(rows: Sequence[Row], now: datetime) -> list[Told | Fault]:
    """Say of each row whether it may be, as if it were the only one; nothing is stored."""
    found = [
        one if isinstance(one, Fault) else _not_then(one[1], now) or one for one in _readable(rows)
    ]
    good = {n: one for n, one in enumerate(found) if not isinstance(one, Fault)}
    answers: dict[int, Told | Fault] = {
        n: one for n, one in enumerate(found) if isinstance(one, Fault)
    }
    if good:
        customers = {customer.pk: customer for customer, _ in good.values()}
        snapshot, _ = look(customers, [plan for _, plan in good.values()], now)
        judged = [snapshot.judge(customer.pk, plan) for customer, plan in good.values()]
        for n, document in zip(good, decision_documents(judged, now), strict=True):
            answers[n] = Told(good[n][0], document | {"customer": rows[n].customer})
    return [answers[n] for n in range(len(rows))]


def reserve_rows(rows: Sequence[Row], source: str, now: datetime) -> list[Told | Fault]:
    """Decide on each row and reserve it if it may be; those before it weigh for those after it.

    A request that was made before gets the answer of then, with the reservation as it is now.
    """
    answers: dict[int, Told | Fault] = {}
    requests: dict[int, Request] = {}
    for n, one in enumerate(_readable(rows)):
        if isinstance(one, Fault):
            answers[n] = one
        else:
            requests[n] = Request(
                request_id=rows[n].request_id, customer=one[0], plan=one[1], source=source
            )
    late = {n: fault for n, one in requests.items() if (fault := _not_then(one.plan, now))}
    claims = _made_before({n: requests[n] for n in late})
    answers |= {n: fault for n, fault in late.items() if n not in claims}
    fresh = {n: one for n, one in requests.items() if n not in late}
    made = claim_contacts(requests=list(fresh.values()), now=now)
    answers |= _answers(claims | dict(zip(fresh, made, strict=True)), rows, now)
    return [answers[n] for n in range(len(rows))]


# -- What a row says ------------------------------------------------------------------------------


def _readable(rows: Sequence[Row]) -> list[tuple[Customer, Plan] | Fault]:
    """Return the customer and the plan of each row, or what is wrong with it: three queries."""
    people = people_by_reference({one.customer for one in rows})
    categories = categories_named({one.category for one in rows if one.category})
    purposes = dict(Purpose.objects.values_list("key", "kind"))
    found: list[tuple[Customer, Plan] | Fault] = []
    known: list[str] = []
    for row in rows:
        customer = people.get(row.customer)
        if customer is None or customer.erased_at:
            # The same for who never was and who was erased.
            found.append(Fault("customer", "customer", "There is no customer with this reference."))
            continue
        try:
            plan = _plan(row, categories)
            if plan.category is None and row.category:
                known = known or some_categories()
                raise UnknownWord("category", row.category, known)
            check_purpose(plan, purposes)
        except (UnknownWord, OutOfRange) as error:
            found.append(_fault(error))
        else:
            found.append((customer, plan))
    return found


def _plan(row: Row, categories: dict[str, Category]) -> Plan:
    return Plan(
        channel=row.channel,
        kind=row.kind,
        category=categories.get(folded(row.category)) if row.category else None,
        purpose=row.purpose,
        points=row.points,
        at=row.at,
        lease=row.lease,
    )


def _not_then(plan: Plan, now: datetime) -> Fault | None:
    try:
        check_time(plan, now)
    except OutOfRange as error:
        return _fault(error)
    return None


def _fault(error: UnknownWord | OutOfRange) -> Fault:
    return Fault("rule", error.field, str(error))


# -- What came of it ------------------------------------------------------------------------------


def _made_before(requests: dict[int, Request]) -> dict[int, Claim]:
    """Return what was claimed before with these requests, whose moment is over since."""
    if not requests:
        return {}
    rows = Contact.objects.filter(request_id__in={one.request_id for one in requests.values()})
    known = {one.request_id: one for one in rows}
    return {
        n: Claim(one, contact if one.is_behind(contact) else None)
        for n, one in requests.items()
        if (contact := known.get(one.request_id))
    }


def _answers(
    claims: dict[int, Claim], rows: Sequence[Row], now: datetime
) -> dict[int, Told | Fault]:
    """Return what is told of each claim, by the number of its row."""
    answers: dict[int, Told | Fault] = {
        n: Fault("conflict", "request_id", str(RequestConflict(one.request.request_id)))
        for n, one in claims.items()
        if one.is_conflict
    }
    judged = {n: one.judged for n, one in claims.items() if one.judged}
    for n, document in zip(judged, decision_documents(judged.values(), now), strict=True):
        contact = claims[n].contact
        document["reservation"] = reservation_document(contact) if contact else None
        answers[n] = Told(claims[n].request.customer, document, is_new=contact is not None)
    again = {n: one.contact for n, one in claims.items() if one.contact and not one.judged}
    for n, document in zip(again, replay_documents(again.values(), now), strict=True):
        answers[n] = Told(claims[n].request.customer, document)
    for n, told in answers.items():
        if isinstance(told, Told):
            told.document["customer"] = rows[n].customer
    return answers
