"""Writing the permission of the demo shop: texts, forms, counts, and the ledger of two years."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time

from customers.consent import Actor, Sale, State
from customers.history import Done, record_history
from customers.ledger import Act
from customers.models import AskTally, ConsentForm, Customer, Purpose, Wording
from customers.publishing import Edition, publish
from customers.services import ROWS_PER_UPDATE
from insights.demo.asked import ASKING, FITTING, ORDER_FORM, PAGE_FORM, TIPS, Asked, Deed, spoken
from insights.demo.life import Calendar
from insights.demo.story import SITE
from insights.demo.texts import VERSIONS

CHANNEL = "email"
# Who approved the texts, and who relays what is said on the phone.
EDITOR, HELP_DESK = "consent@demo.example", "help desk"
SURVEY_FORM = f"{ORDER_FORM}-survey"
# Key and name of each form, its first question and the one a step later.
FORMS = (
    (ORDER_FORM, "Na een bestelling", TIPS, FITTING),
    (PAGE_FORM, "Onderaan elke pagina", TIPS, FITTING),
    (SURVEY_FORM, "Na een bestelling: mening", ASKING, None),
)

Texts = Mapping[tuple[str, int, str], Wording]


def write_permission(asked: Asked, customers: Mapping[str, Customer], calendar: Calendar) -> int:
    """Store all of it and return how many lines the ledger has."""
    purposes = {purpose.key: purpose for purpose in Purpose.objects.all()}
    texts = _publish(purposes, calendar)
    forms = _write_forms(purposes, calendar)
    _count(asked, forms, texts, calendar)
    written = record_history(
        Done(customers[deed.person.reference], _act(deed, customers, purposes, texts))
        for deed in asked.deeds
    )
    _verify(asked.deeds, customers)
    return written


def _opened(calendar: Calendar, day: int) -> datetime:
    return datetime.combine(calendar.day(day), time(), tzinfo=calendar.zone)


def _publish(purposes: Mapping[str, Purpose], calendar: Calendar) -> Texts:
    texts: dict[tuple[str, int, str], Wording] = {}
    for version in VERSIONS:
        edition = Edition(
            texts={"nl": version.dutch, "en": version.english},
            promise=version.promise,
            change=version.change,
            approved_by=EDITOR,
        )
        now = _opened(calendar, version.from_day)
        for row in publish(purpose=purposes[version.purpose], edition=edition, now=now):
            texts[version.purpose, row.version, row.language] = row
    return texts


def _write_forms(purposes: Mapping[str, Purpose], calendar: Calendar) -> dict[str, ConsentForm]:
    return {
        key: ConsentForm.objects.create(
            key=key,
            name=name,
            channel=CHANNEL,
            first=purposes[first],
            second=purposes[second] if second else None,
            origins=[SITE],
            created_at=_opened(calendar, 0),
        )
        for key, name, first, second in FORMS
    }


def _count(
    asked: Asked, forms: Mapping[str, ConsentForm], texts: Texts, calendar: Calendar
) -> None:
    AskTally.objects.bulk_create(
        (
            AskTally(
                form=forms[form],
                wording=texts[purpose, version, language],
                on=calendar.day(day),
                **counted,
            )
            for (form, purpose, version, language, day), counted in sorted(asked.counts.items())
        ),
        batch_size=ROWS_PER_UPDATE,
    )


def _act(
    deed: Deed, customers: Mapping[str, Customer], purposes: Mapping[str, Purpose], texts: Texts
) -> Act:
    text = texts.get((deed.purpose, deed.version, spoken(deed.person)))
    return Act(
        purpose=purposes[deed.purpose],
        channel=CHANNEL,
        state=deed.state,
        actor=deed.actor,
        actor_id=HELP_DESK if deed.actor is Actor.ADMIN else "",
        method=deed.method,
        place=deed.place,
        occurred_at=deed.at,
        address=customers[deed.person.reference].email,
        wording=text,
        grade=deed.grade,
        evidence=deed.evidence,
        sale=Sale(True, True, True, True, True) if deed.state is State.SOFT else None,
    )


def _verify(deeds: Sequence[Deed], customers: Mapping[str, Customer]) -> None:
    """Note whose address was shown to be theirs: a link came back, or they were signed in."""
    proven = {deed.person.reference for deed in deeds if deed.state is State.GIVEN}
    verified = [customers[reference] for reference in sorted(proven)]
    for customer in verified:
        customer.verified_hash = customer.address_hash
    Customer.objects.bulk_update(verified, ["verified_hash"], batch_size=ROWS_PER_UPDATE)
