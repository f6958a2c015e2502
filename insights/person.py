"""Everything that is known of one person, as one document: access and portability (GDPR 15, 20).

    {"schema", "made_at", "organisation", "who", "source", "purchases", "consents", "answers",
     "invitations", "requests", "letters", "suppressions", "contacts", "holds", "decisions",
     "viewed_by", "recipients",
     "retention", "portable"}

Plain JSON values throughout; moments are in UTC as ISO 8601 writes them, days are YYYY-MM-DD.
Words for states and methods are keys; templates/insights/person_document.html says them in words.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import get_language

from customers.addresses import address_hashes
from customers.consent import Actor, State
from customers.models import (
    AccessLog,
    ConsentEntry,
    Contact,
    ContactHold,
    Customer,
    DataRequest,
    Decision,
    Letter,
    Purchase,
    Suppression,
    Wording,
)
from customers.queries import same_person
from customers.receipts import Act, Notice, basis_of, receipt, utc
from feedback.models import Invitation, Response
from feedback.queries import answers_of, invitations_of
from insights.consent_words import purpose_name
from insights.customer_records import place_names
from insights.organisation import profile
from insights.retention import rules

SCHEMA = "customer-insights/person/1"

Json = dict[str, object]


def person_document(customer: Customer, now: datetime) -> Json:
    """Return all that is known of a customer, and of the records that were merged into theirs."""
    ids = same_person(customer)
    organisation = profile().name
    entries = _entries(ids)
    names = place_names(one.place for one in entries)
    consents = [
        _consent(one, customer, organisation, now)
        | {"place_name": str(names.get(one.place, one.place))}
        for one in entries
    ]
    purchases = [_purchase(one) for one in _purchases(ids)]
    answers = [_answer(one) for one in answers_of(ids)]
    who = _who(customer)
    return {
        "schema": SCHEMA,
        "made_at": utc(now),
        "organisation": organisation,
        "who": who,
        "source": _sources(customer, entries, bool(purchases)),
        "purchases": purchases,
        "consents": consents,
        "answers": answers,
        "invitations": [_invitation(one) for one in invitations_of(ids)],
        "requests": [_request(one) for one in _of(DataRequest, ids, "received_at")],
        "letters": [_letter(one) for one in _of(Letter, ids, "queued_at")],
        "suppressions": [_suppression(one) for one in _suppressions(ids)],
        "contacts": [_contact(one) for one in _contacts(ids)],
        "holds": [_hold(one) for one in _of(ContactHold, ids, "created_at")],
        "decisions": [_decision(one) for one in _decisions(ids)],
        "viewed_by": [_view(one) for one in _of(AccessLog, ids, "viewed_at")],
        "recipients": _recipients(entries),
        "retention": [{"what": one.what, "how_long": one.how_long} for one in rules()],
        "portable": _portable(who, entries, answers),
    }


def as_json(document: Json) -> str:
    """Return the document as the file people take along."""
    return json.dumps(document, ensure_ascii=False, indent=2)


# -- The parts ------------------------------------------------------------------------------------


def _who(customer: Customer) -> Json:
    return {
        "reference": customer.reference,
        "name": customer.name,
        "email": customer.email,
        "email_confirmed": customer.is_verified,
        "language": customer.language,
        "time_zone": customer.time_zone,
        "since": utc(customer.created_at),
        "customer_type": customer.customer_type,
        "restricted_since": _moment(customer.restricted_at),
        "erased_at": _moment(customer.erased_at),
        "wishes": {
            "paused_until": _moment(customer.paused_until),
            "monthly_limit": customer.monthly_limit,
        },
    }


def _sources(customer: Customer, entries: Iterable[ConsentEntry], bought: bool) -> list[Json]:
    """Return where the data come from: the shop, the person's own form, or a file."""
    acts = list(entries)
    own = [one for one in acts if one.actor == Actor.CUSTOMER]
    # Who came in by a form has no purchase, and acted before anything else was known.
    by_form = not bought and any(one.occurred_at <= customer.created_at for one in own)
    found: list[Json] = [{"data": "record", "source": "own_form" if by_form else "shop"}]
    if bought:
        found.append({"data": "purchases", "source": "shop"})
    if own:
        found.append({"data": "consents", "source": "own_form"})
    files = sorted({one.place for one in acts if one.actor == Actor.IMPORT})
    for place in files:
        found.append({"data": "consents", "source": "import", "place": place})
    return found


def _entries(ids: Iterable[int]) -> list[ConsentEntry]:
    found = ConsentEntry.objects.filter(customer__in=list(ids)).order_by("pk")
    return list(found.select_related("purpose", "wording", "evidence"))


def _purchases(ids: Iterable[int]) -> list[Purchase]:
    found = Purchase.objects.filter(customer__in=list(ids)).select_related("product__category")
    return list(found.order_by("purchased_at", "pk"))


def _decisions(ids: Iterable[int]) -> Iterable[Decision]:
    found = Decision.objects.filter(customer__in=list(ids)).select_related("purpose")
    return found.order_by("decided_at", "pk")


def _contacts(ids: Iterable[int]) -> Iterable[Contact]:
    found = Contact.objects.filter(customer__in=list(ids)).select_related("category", "purpose")
    return found.order_by("from_at", "pk")


def _of(
    model: type[DataRequest | Letter | AccessLog | ContactHold], ids: Iterable[int], moment: str
) -> Iterable:  # type: ignore[type-arg]
    return model.objects.filter(customer__in=list(ids)).order_by(moment, "pk")


def _suppressions(ids: Iterable[int]) -> Iterable[Suppression]:
    addresses = Customer.objects.filter(pk__in=list(ids)).values_list("email", flat=True)
    hashes = {one for address in addresses for one in address_hashes(address)}
    return Suppression.objects.filter(address_hash__in=hashes).order_by("created_at", "pk")


def _consent(entry: ConsentEntry, customer: Customer, organisation: str, now: datetime) -> Json:
    """Return one line of the ledger with the text that was shown, word for word, and a receipt."""
    wording = entry.wording
    state = State(entry.state)
    given = receipt(
        Act(
            record=entry.hash,
            principal=customer.reference,
            purpose=purpose_name(entry.purpose),
            purpose_kind=entry.purpose.kind,
            channel=entry.channel,
            state=state,
            actor=Actor(entry.actor),
            method=entry.method,
            place=entry.place,
            grade=entry.grade,
            occurred_at=entry.occurred_at,
            recorded_at=entry.recorded_at,
            valid_until=entry.valid_until,
        ),
        _notice(wording) if wording else None,
        controller=organisation,
        now=now,
    )
    evidence = getattr(entry, "evidence", None)
    return {
        "number": entry.pk,
        "purpose": entry.purpose.key,
        "purpose_name": purpose_name(entry.purpose),
        "channel": entry.channel,
        "state": entry.state,
        "occurred_at": utc(entry.occurred_at),
        "recorded_at": utc(entry.recorded_at),
        "caused_by": entry.actor,
        "method": entry.method,
        "place": entry.place,
        "basis": basis_of(state),
        "proof": entry.grade,
        "valid_until": _moment(entry.valid_until),
        "old_enough": entry.old_enough,
        "evidence": evidence.text if evidence else "",
        "wording": _wording(wording) if wording else None,
        "receipt": given,
    }


def _notice(wording: Wording) -> Notice:
    return Notice(
        version=wording.version,
        language=wording.language,
        label=wording.label,
        helper=wording.helper,
        details=wording.details,
        controller=wording.controller,
        data_types=wording.data_types,
        recipients=wording.recipients,
        retention=wording.retention,
        way_out=wording.way_out,
        published_at=wording.published_at,
        text_hash=wording.text_hash,
    )


def _wording(wording: Wording) -> Json:
    names = ("version", "language", "label", "helper", "details", "controller", "data_types")
    more = ("recipients", "retention", "way_out", "promised_messages", "promised_days")
    texts = {name: getattr(wording, name) for name in (*names, *more)}
    return {
        **texts,
        "published_at": utc(wording.published_at),
        "text_hash": wording.text_hash,
        "scope_hash": wording.scope_hash,
    }


def _in_dutch() -> bool:
    return (get_language() or "").startswith("nl")


def _purchase(one: Purchase) -> Json:
    category = one.product.category
    return {
        "purchased_at": utc(one.purchased_at),
        "product": one.product.sku,
        "product_name": one.product.name,
        "category": category.name if category else "",
        "quantity": one.quantity,
        "price": str(one.price) if one.price is not None else None,
        "order": one.order,
        "contract_until": one.contract_until.isoformat() if one.contract_until else None,
    }


def _answer(one: Response) -> Json:
    return {
        "answered_at": utc(one.answered_at),
        "scale": one.scale,
        "value": one.value,
        "reason": one.reason,
        "comment": one.comment,
        "language": one.language,
        "touchpoint": one.touchpoint.name if one.touchpoint else "",
        "question": _question(one),
        "product": str(one.product or ""),
        "category": str(one.category or ""),
        "channel": one.channel,
        "customer_type": one.customer_type,
        "involvement": one.involvement,
        "imported": one.imported,
        "changed": [
            {
                "at": utc(edit.edited_at),
                "value_before": edit.value_before,
                "reason_before": edit.reason_before,
            }
            for edit in one.edits.all()
        ],
    }


def _question(one: Response) -> str:
    if one.touchpoint is None:
        return ""
    return one.touchpoint.question_nl if _in_dutch() else one.touchpoint.question_en


def _invitation(one: Invitation) -> Json:
    return {
        "invited_at": utc(one.invited_at),
        "channel": one.channel,
        "touchpoint": one.touchpoint.name if one.touchpoint else "",
        "product": str(one.product or ""),
    }


def _request(one: DataRequest) -> Json:
    return {
        "request": one.kind,
        "came_in": one.source,
        "state": one.state,
        "received_at": utc(one.received_at),
        "due_on": one.due_on.isoformat(),
        "text": one.text,
        "corrections": one.corrections,
        "answer": one.answer,
        "finished_at": _moment(one.finished_at),
    }


def _letter(one: Letter) -> Json:
    return {
        "letter": one.kind,
        "state": one.state,
        "language": one.language,
        "queued_at": utc(one.queued_at),
        "finished_at": _moment(one.finished_at),
    }


def _decision(one: Decision) -> Json:
    return {
        "decided_at": utc(one.decided_at),
        "purpose": one.purpose.key,
        "purpose_name": purpose_name(one.purpose),
        "channel": one.channel,
        "allowed": one.allowed,
        "reason": one.reason,
        "kind": one.kind,
        "outcome": one.outcome,
        "stopped_by": one.code,
        "rule": one.rule,
        "possible_from": _moment(one.next_allowed_at),
        "rests_on": one.entry_id,
    }


def _contact(one: Contact) -> Json:
    return {
        "reserved_at": utc(one.reserved_at),
        "sent_at": _moment(one.sent_at),
        "state": one.status,
        "channel": one.channel,
        "kind": one.kind,
        "category": str(one.category or ""),
        "purpose": one.purpose.key if one.purpose else "",
        "points": one.points,
        "customer_type": one.customer_type,
        "involvement": one.involvement,
        "source": one.source,
    }


def _hold(one: ContactHold) -> Json:
    return {
        "reason": one.reason,
        "since": utc(one.created_at),
        "until": _moment(one.until),
        "lifted_at": _moment(one.released_at),
    }


def _suppression(one: Suppression) -> Json:
    return {
        "reason": one.reason,
        "since": utc(one.created_at),
        "stops_service_mail": one.everything,
        "look_again_at": _moment(one.review_at),
    }


def _view(one: AccessLog) -> Json:
    """Return who looked, by role: the person may know that, and not which colleague it was."""
    return {"viewed_at": utc(one.viewed_at), "what": one.kind, "role": one.role, "why": one.reason}


def _recipients(entries: Iterable[ConsentEntry]) -> list[str]:
    """Return who receives data, as the texts said that the person read."""
    return sorted({one.wording.recipients for one in entries if one.wording} - {""})


def _portable(who: Json, entries: Iterable[ConsentEntry], answers: Iterable[Json]) -> Json:
    """Return what the person gave (GDPR art. 20): no figure of ours, nobody else's word."""
    given = ("answered_at", "scale", "value", "reason", "comment", "language", "product")
    return {
        "who": {name: who[name] for name in ("name", "email", "language", "time_zone", "wishes")},
        "consents": [
            {
                "purpose": one.purpose.key,
                "channel": one.channel,
                "state": one.state,
                "occurred_at": utc(one.occurred_at),
            }
            for one in entries
            if one.actor == Actor.CUSTOMER
        ],
        "answers": [{name: one[name] for name in given} for one in answers],
    }


def _moment(at: datetime | None) -> str | None:
    return utc(at) if at else None
