"""Who was contacted in the demo shop, how often, and what the dose refused.

Twelve weeks of it. At first another mailer sent, everything to everybody who permits it, and its
list was imported. Since DOSED_DAYS ago each contact goes through the policy: of the weekly tips a
regular customer gets four in thirty days, somebody who bought once two, and who lapsed one. What
there is to find: nobody gets more than allowed any more, and many are at their limit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from customers.consent import ALLOWING
from customers.dose_policy import POINTS, Limit, Policy
from customers.dosing import PastContact, Profile, Verdict, Wanted, decide
from customers.models import (
    Category,
    ConsentState,
    Contact,
    ContactStatus,
    Customer,
    Decision,
    DosePolicy,
    Purpose,
)
from customers.plans import PURPOSES
from customers.policies import current_policy, current_version
from customers.services import insert_new
from customers.wall_clocks import holidays_of
from insights.demo.asked import TIPS, Asked
from insights.demo.life import Calendar, Person
from insights.demo.story import DAYS, DEPARTMENTS
from insights.demo.talk import Talk

HISTORY_DAYS = 84
DOSED_DAYS = 45
# Now and then an offer for who bought in a department before.
OFFER_EVERY_DAYS, OFFER_TIME = 12, time(11)
# The tips are about the shop and not about a category.
NO_CATEGORY = "medium"
WEEKLY = Limit(1, timedelta(days=7))


@dataclass(frozen=True, slots=True)
class Send:
    """A contact that the shop wants to have with one customer."""

    person: Person
    at: datetime
    kind: str
    source: str
    category: str = ""
    # A question that was answered or not: it happened, whatever the dose says.
    happened: bool = False


@dataclass(frozen=True, slots=True)
class Shop:
    """What is stored already, by the keys of the story."""

    customers: Mapping[str, Customer]
    categories: Mapping[str, Category]
    purposes: Mapping[str, Purpose]
    policy: Policy
    version: DosePolicy
    # The line of the ledger on which the tips rest, and since when.
    entries: Mapping[int, tuple[int, datetime]]


def write_contacts(
    asked: Asked, talk: Talk, customers: Mapping[str, Customer], calendar: Calendar
) -> int:
    """Store the contacts and what was refused; return how many contacts there are."""
    policy, version = current_policy(), current_version()
    if policy is None or version is None:
        raise RuntimeError("A new database has a dose policy; run the migrations first.")
    shop = Shop(
        customers,
        {one.name: one for one in Category.objects.all()},
        {one.key: one for one in Purpose.objects.all()},
        policy,
        version,
        {
            one.customer_id: (one.entry_id, one.entry.occurred_at)
            for one in ConsentState.objects.filter(purpose__key=TIPS).select_related("entry")
        },
    )
    by_person: dict[str, list[Send]] = {}
    for send in [*_tips(asked, talk, calendar), *_offers(asked, calendar), *_questions(talk)]:
        if send.at.date() >= calendar.day(DAYS - HISTORY_DAYS):
            by_person.setdefault(send.person.reference, []).append(send)
    since = datetime.combine(calendar.day(DAYS - DOSED_DAYS), time(), tzinfo=calendar.zone)
    contacts: list[Contact] = []
    refused: list[Decision] = []
    for sends in by_person.values():
        _live(sends, shop, talk, since, (contacts, refused))
    contacts.sort(key=lambda one: (one.from_at, one.request_id))
    insert_new(contacts)
    insert_new(refused)
    return len(contacts)


# -- What the shop wants to send -------------------------------------------------------------------


def _tips(asked: Asked, talk: Talk, calendar: Calendar) -> Iterator[Send]:
    first = calendar.day(DAYS - HISTORY_DAYS)
    mailings = [one for one in talk.mailings if one.at.date() >= first]
    permitted = _permitted(asked)
    for person, spans in permitted:
        for number, mailing in enumerate(mailings, start=1):
            if any(start <= mailing.at < end for start, end in spans):
                yield Send(person, mailing.at, "promotion", f"mailing:tips-{number}")


def _offers(asked: Asked, calendar: Calendar) -> Iterator[Send]:
    permitted = _permitted(asked)
    rng = Random("offers")  # noqa: S311  (a story, no secret)
    for number, day in enumerate(range(DAYS - HISTORY_DAYS, DAYS, OFFER_EVERY_DAYS), start=1):
        department = rng.choice(DEPARTMENTS)
        wares = {ware.sku for ware in department.wares}
        at = datetime.combine(calendar.day(day), OFFER_TIME, tzinfo=calendar.zone)
        for person, spans in permitted:
            bought = any(order.ware.sku in wares and order.at < at for order in person.orders)
            if bought and any(start <= at < end for start, end in spans):
                yield Send(person, at, "promotion", f"mailing:offer-{number}", department.name)


def _questions(talk: Talk) -> Iterator[Send]:
    for ask in talk.asks:
        kind = "ask_nps" if ask.place.scale == "nps" else "ask_survey"
        yield Send(ask.person, ask.at, kind, f"touchpoint:{kind}", happened=True)


Span = tuple[datetime, datetime]


def _permitted(asked: Asked) -> list[tuple[Person, list[Span]]]:
    """Return from when until when each customer permits the tips."""
    persons: dict[str, tuple[Person, list[Span]]] = {}
    deeds = [one for one in asked.deeds if one.purpose == TIPS]
    for deed in sorted(deeds, key=lambda one: one.at):
        _, mine = persons.setdefault(deed.person.reference, (deed.person, []))
        stands = bool(mine) and mine[-1][1] == asked.ends
        if deed.state in ALLOWING and not stands:
            mine.append((deed.at, asked.ends))
        elif deed.state not in ALLOWING and stands:
            mine[-1] = (mine[-1][0], deed.at)
    return [(person, mine) for person, mine in persons.values() if mine]


# -- What came of it -------------------------------------------------------------------------------


def _live(
    sends: Iterable[Send],
    shop: Shop,
    talk: Talk,
    since: datetime,
    told: tuple[list[Contact], list[Decision]],
) -> None:
    """Tell the contacts of one customer. The questions are known beforehand: they were asked."""
    in_order = sorted(sends, key=lambda one: one.at)
    past = [_past(send, shop, -n) for n, send in enumerate(in_order) if send.happened]
    for number, send in enumerate(in_order):
        customer_type = talk.types.on(send.at.date(), send.person)
        verdict = None
        if send.at >= since and not send.happened:
            verdict = _decide(send, customer_type, past, shop)
            told[1].append(_decision(send, verdict, shop))
        if verdict is None or verdict.allows:
            contact = _contact(send, customer_type, number, shop)
            if send.at >= since:
                contact.policy, contact.source = shop.version, send.source
                contact.purpose = shop.purposes[PURPOSES[send.kind]]
            told[0].append(contact)
            if not send.happened:
                past.append(_past(send, shop, number))


def _decide(send: Send, customer_type: str, past: Sequence[PastContact], shop: Shop) -> Verdict:
    category = shop.categories.get(send.category)
    wanted = Wanted(
        channel="email",
        kind=send.kind,
        purpose=TIPS,
        category=category.pk if category else None,
        involvement=category.involvement if category else NO_CATEGORY,
        points=POINTS[send.kind],
        at=send.at,
    )
    zone = send.at.tzinfo
    profile = Profile(customer_type, zone, promise=WEEKLY)  # type: ignore[arg-type]
    days = holidays_of(shop.policy.country, send.at.year)
    return decide(wanted, profile, past, shop.policy, days)


def _past(send: Send, shop: Shop, number: int) -> PastContact:
    category = shop.categories.get(send.category)
    return PastContact(
        id=number,
        channel="email",
        kind=send.kind,
        category=category.pk if category else None,
        purpose=PURPOSES[send.kind],
        points=POINTS[send.kind],
        from_at=send.at,
        to_at=send.at,
    )


def _contact(send: Send, customer_type: str, number: int, shop: Shop) -> Contact:
    """Return a contact as the list of the other mailer has it."""
    category = shop.categories.get(send.category)
    customer = shop.customers[send.person.reference]
    return Contact(
        request_id=f"{send.source}:{customer.pk}:{number}",
        digest="0" * 64,
        customer_id=customer.pk,
        channel="email",
        kind=send.kind,
        category=category,
        points=POINTS[send.kind],
        from_at=send.at,
        to_at=send.at,
        sent_at=send.at,
        reserved_at=send.at,
        status=ContactStatus.SENT,
        customer_type=customer_type,
        involvement=category.involvement if category else NO_CATEGORY,
        source="import",
    )


def _decision(send: Send, verdict: Verdict, shop: Shop) -> Decision:
    first = next(iter(verdict.reasons), None)
    customer = shop.customers[send.person.reference].pk
    entry, since = shop.entries.get(customer, (None, send.at))
    return Decision(
        customer_id=customer,
        entry_id=entry if since <= send.at else None,
        purpose=shop.purposes[TIPS],
        channel="email",
        allowed=verdict.allows,
        reason="given",
        kind=send.kind,
        outcome=verdict.outcome,
        code=first.code if first else "",
        rule=first.rule if first else "",
        next_allowed_at=verdict.next_allowed_at,
        asker=send.source,
        decided_at=send.at,
    )
