"""Plain makers: a valid row with what the test says of it, and something harmless for the rest.

`a_…` gives a row that is not stored yet, `make_…` stores it.
"""

from datetime import UTC, date, datetime
from itertools import count

from customers.consent import Actor, Grade, State
from customers.contacts import Request
from customers.ledger import Act, record_consent
from customers.models import (
    Category,
    ConsentEntry,
    ConsentForm,
    Contact,
    ContactStatus,
    Customer,
    DosePolicy,
    Product,
    Purchase,
    Purpose,
    PurposeKind,
    Wording,
)
from customers.plans import Plan
from customers.policies import store_policy
from customers.starting_policy import starting_policy
from customers.wordings import scope_hash, text_hash
from feedback.models import Invitation, Response, Touchpoint, new_touchpoint_key
from feedback.services import Answer, record_invitations

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
TODAY = date(2026, 11, 24)
# Before anything that happens in a test, whatever its clock says.
LONG_AGO = datetime(2025, 1, 1, 12, tzinfo=UTC)

_numbers = count(1)


def a_customer(**given) -> Customer:
    return Customer(**{"reference": f"K{next(_numbers)}", "created_at": NOW} | given)


def make_customer(**given) -> Customer:
    return stored(a_customer(**given))


def a_category(**given) -> Category:
    return Category(**{"name": f"Category {next(_numbers)}"} | given)


def make_category(**given) -> Category:
    return stored(a_category(**given))


def a_product(**given) -> Product:
    return Product(**{"sku": f"P{next(_numbers)}"} | given)


def make_product(**given) -> Product:
    return stored(a_product(**given))


def a_purchase(**given) -> Purchase:
    if "customer" not in given:
        given["customer"] = make_customer()
    if "product" not in given:
        given["product"] = make_product()
    return Purchase(**{"purchased_at": NOW, "key": f"purchase {next(_numbers)}"} | given)


def a_purpose(**given) -> Purpose:
    name = f"purpose_{next(_numbers)}"
    usual = {"key": name, "name_nl": name, "name_en": name, "kind": PurposeKind.MARKETING}
    return Purpose(**usual | {"channels": ["email"]} | given)


def make_purpose(**given) -> Purpose:
    return stored(a_purpose(**given))


def known_purpose(key: str, **given) -> Purpose:
    """The purpose that the migrations put there, or a new one where a test emptied the database."""
    kinds = {"satisfaction_survey": "survey", "personalisation": "profiling", "service": "service"}
    usual = {"kind": kinds.get(key, "marketing")}
    return Purpose.objects.filter(key=key).first() or make_purpose(key=key, **usual | given)


def known_policy() -> DosePolicy:
    """The dose policy that the migrations put there, or it again where a test emptied the
    database."""
    return DosePolicy.objects.order_by("-version").first() or store_policy(
        starting_policy(1), author="", note="", now=LONG_AGO
    )


def a_wording(**given) -> Wording:
    if "purpose" not in given:
        given["purpose"] = make_purpose()
    usual = {
        "version": 1,
        "language": "nl",
        "label": "Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
        "helper": "Hooguit 2 keer per maand. Stoppen kan altijd.",
        "controller": "Lindehuis",
        "way_out": "Onder elke mail staat Afmelden.",
        "change": "material",
        "approved_by": "noor@example.org",
        "published_at": NOW,
    }
    row = Wording(**usual | given)
    row.scope_hash = row.scope_hash or scope_hash(row.purpose.key, row.purpose.kind, row.version)
    row.text_hash = row.text_hash or text_hash(row.facts)
    return row


def make_wording(**given) -> Wording:
    return stored(a_wording(**given))


def make_asked_purpose(**given) -> Purpose:
    """Store a purpose with its text published in Dutch and English, long ago."""
    purpose = make_purpose(**given)
    profiling = purpose.kind == PurposeKind.PROFILING
    make_wording(
        purpose=purpose,
        published_at=LONG_AGO,
        promised_messages=None if profiling else 2,
        promised_days=None if profiling else 30,
        data_types="E-mailadres",
        retention="Tot je het intrekt",
        **({"label": "Ja, kies tips die passen bij wat ik koop."} if profiling else {}),
    )
    make_wording(
        purpose=purpose,
        published_at=LONG_AGO,
        language="en",
        label="Yes, choose tips that go with what I buy."
        if profiling
        else "Yes, Lindehuis may mail me tips and offers.",
        helper="At most 2 times a month. Stop at any time.",
        way_out="Under each mail there is Unsubscribe.",
        data_types="E-mail address",
        retention="Until you take it back",
    )
    return purpose


def a_consent_form(**given) -> ConsentForm:
    name = f"form-{next(_numbers)}"
    if "first" not in given:
        given["first"] = make_asked_purpose()
    return ConsentForm(**{"key": name, "name": name, "created_at": LONG_AGO} | given)


def make_consent_form(**given) -> ConsentForm:
    """Store a form; its first question is about tips by mail unless the test says otherwise."""
    return stored(a_consent_form(**given))


def an_act(**given) -> Act:
    """What a customer does who ticks a box; with another state, whatever the test says."""
    if "purpose" not in given:
        given["purpose"] = make_purpose()
    usual = {
        "channel": "email",
        "state": State.GIVEN,
        "actor": Actor.CUSTOMER,
        "method": "checkbox",
        "occurred_at": NOW,
        "address": "noor@example.org",
    }
    facts = usual | given
    if facts["state"] in {State.GIVEN, State.RENEWED}:
        facts.setdefault("grade", Grade.B)
        if "wording" not in facts:
            shown = facts["purpose"].wordings.order_by("-version").first()
            facts["wording"] = shown or make_wording(purpose=facts["purpose"])
    return Act(**facts)


def record(customer: Customer | None = None, **given) -> ConsentEntry:
    """Write a line of the ledger."""
    act = an_act(**given)
    now = max(NOW, act.occurred_at)
    return record_consent(customer=customer or make_customer(email=act.address), act=act, now=now)


def a_request(customer: Customer, **given) -> Request:
    """A promotional mail that somebody wants to send; the fields of its plan may be given too."""
    usual = {"channel": "email", "kind": "promotion"}
    own = {"request_id": f"mailing:7:{next(_numbers)}", "source": "mailing:7"}
    own |= {name: given.pop(name) for name in list(given) if name in own}
    return Request(customer=customer, plan=Plan(**usual | given), **own)


def make_contact(customer: Customer, at: datetime = NOW, **given) -> Contact:
    """Store a contact that was sent at a moment."""
    usual = {
        "request_id": f"past:{next(_numbers)}",
        "digest": "0" * 64,
        "customer": customer,
        "channel": "email",
        "kind": "promotion",
        "points": 1,
        "from_at": at,
        "to_at": at,
        "sent_at": at,
        "reserved_at": at,
        "status": ContactStatus.SENT,
        "customer_type": customer.customer_type,
        "involvement": "medium",
        "source": "mailing:6",
    }
    return stored(Contact(**usual | given))


def make_permitted(**given) -> Customer:
    """Store a regular customer who said yes to tips by mail and to questions, long ago."""
    person = make_customer(
        **{"customer_type": "regular", "email": f"k{next(_numbers)}@example.org"} | given
    )
    for key in ("email_marketing", "satisfaction_survey"):
        purpose = known_purpose(key, valid_days=3650)
        if not purpose.wordings.exists():
            make_wording(purpose=purpose, published_at=LONG_AGO)
        wording = purpose.wordings.latest("version")
        record(person, purpose=purpose, address=person.email, wording=wording)
    return person


def a_touchpoint(**given) -> Touchpoint:
    name = f"Touchpoint {next(_numbers)}"
    facts = {"name": name, "scale": "nps", "created_at": NOW} | given
    return Touchpoint(**{"key": new_touchpoint_key(facts["scale"])} | facts)


def make_touchpoint(**given) -> Touchpoint:
    return stored(a_touchpoint(**given))


def an_invitation(**given) -> Invitation:
    if "customer" not in given:
        given["customer"] = make_customer()
    return Invitation(**{"invited_at": NOW, "invited_on": TODAY} | given)


def make_invitation(**given) -> Invitation:
    """Store an invitation together with its count."""
    return record_invitations([an_invitation(**given)])[0]


def an_answer(**given) -> Answer:
    """What comes in; services store it together with its count."""
    facts = {"key": f"answer {next(_numbers)}", "scale": "nps", "value": 9, "answered_at": NOW}
    return Answer(**facts | given)


def a_response(**given) -> Response:
    """Return the bare row, without the count that services would store with it."""
    facts = {"key": f"answer {next(_numbers)}", "scale": "nps", "value": 9}
    return Response(**facts | {"answered_at": NOW, "answered_on": TODAY} | given)


def stored(row):
    row.save(force_insert=True)
    return row
