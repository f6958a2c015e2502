"""Writing the demo shop into an empty database, in one transaction."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from customers.mapping import row_key
from customers.models import Category, Customer, Product
from customers.services import (
    NewPurchase,
    add_categories,
    add_customers,
    add_products,
    add_purchases,
)
from feedback import tallies
from feedback.models import Campaign, Exposure, ExposureKind, Invitation, Response, Touchpoint
from feedback.places import Place as Decided
from feedback.places import create_touchpoint, name_campaign
from feedback.services import Answer, add_exposures, add_history, hold_unhappy
from insights.accounts import DEMO_DOMAIN, Role
from insights.annotations import annotate
from insights.demo import NAME, PASSWORD
from insights.demo.asked import Asked
from insights.demo.dose import write_contacts
from insights.demo.life import Calendar, Line, Person, people
from insights.demo.permission import write_permission
from insights.demo.progress import Progress
from insights.demo.story import (
    ALL_PLACES,
    DAYS,
    DEPARTMENTS,
    NOTES,
    PRODUCT_PAGE,
    SITE,
    TIPS_MAIL,
    Place,
)
from insights.demo.talk import Ask, Reply, Talk
from insights.models import Organisation
from insights.organisation import ONLY

SEED = 4

# Who may sign in: the first part of the address, a name that nobody has, and the role.
LOGINS = (
    ("marketer", "Mila Marketeer", Role.MARKETER),
    ("consent", "Tom Toestemming", Role.CONSENT_ADMIN),
    ("admin", "Bea Beheerder", Role.ADMINISTRATOR),
)

CONTENTS: dict[str, type[Model]] = {
    "customers": Customer,
    "categories": Category,
    "products": Product,
    "touchpoints": Touchpoint,
    "campaigns": Campaign,
    "invitations": Invitation,
    "answers": Response,
    "logins": User,
}


class DemoRefused(ValueError):
    """The demo shop is not loaded here; the message says why, and where it can be."""


@dataclass(frozen=True)
class Loaded:
    """How many rows there are now; purchases count the lines of orders."""

    customers: int
    purchases: int
    invitations: int
    answers: int
    consents: int
    contacts: int


@dataclass(frozen=True)
class Shelf:
    """What is stored already, by the keys of the story."""

    products: dict[str, Product]
    places: dict[str, Touchpoint]
    customers: dict[str, Customer]
    campaigns: dict[str, Campaign]


def load_demo(*, today: date, progress: Progress, one_in: int = 1) -> Loaded:
    """Fill an empty database with the two years of the demo shop that end the day before `today`.

    Everything or nothing: an interrupted load leaves the database as it was. A smaller shop, for
    who wants one quickly, has one in so many of the customers. Raises DemoRefused in production,
    and where there is anything already.
    """
    _refuse_production()
    _refuse_contents()
    calendar = Calendar(today, timezone.get_default_timezone())
    progress.step("Making up customers and their orders", 10)
    persons = people(SEED, calendar, one_in)
    progress.step(f"Asking {len(persons):,} customers what they think", 30)
    talk = Talk(SEED, persons, calendar, progress.track)
    with transaction.atomic():
        # The group rows serve as the lock: of two loads at once, one finds the shop of the other.
        groups = {group.name: group for group in Group.objects.select_for_update()}
        _refuse_contents()
        progress.step("Writing customers and their orders", 50)
        shelf, purchases = _write_shop(persons, talk, calendar, progress)
        progress.step(f"Writing {len(talk.asks):,} invitations and the answers", 80)
        midnight = datetime.combine(today, time(), tzinfo=calendar.zone)
        answers = _write_talk(talk, shelf, midnight)
        progress.step("Writing what they permit", 90)
        asked = Asked(SEED, persons, talk.asks, calendar)
        entries = write_permission(asked, shelf.customers, calendar)
        progress.step("Writing how often they were contacted", 95)
        contacts = write_contacts(asked, talk, shelf.customers, calendar)
        progress.step("Counting", 100)
        _count()
        _write_logins(groups)
        _write_notes(calendar)
        Organisation.objects.get_or_create(pk=ONLY, defaults={"name": NAME})
    progress.finish()
    return Loaded(len(persons), purchases, len(talk.asks), answers, entries, contacts)


def _refuse_production() -> None:
    if settings.PRODUCTION:
        raise DemoRefused(
            "PRODUCTION is set, and the password of the demo logins is public, so the demo shop is "
            "not loaded. Leave PRODUCTION unset and give the demo a database of its own: "
            "VAR_DIR=/another/directory, or another DATABASE_URL."
        )


def contents() -> list[str]:
    """Return what the database already holds, in words."""
    return [name for name, model in CONTENTS.items() if model._default_manager.exists()]


def _refuse_contents() -> None:
    held = contents()
    if held:
        raise DemoRefused(
            f"This database already holds {', '.join(held)}, and the demo shop goes into an empty "
            "one, so nothing was changed. Give the demo a database of its own: "
            "VAR_DIR=/another/directory, or another DATABASE_URL."
        )


# -- Customers and what they bought -----------------------------------------------------------


def _write_shop(
    persons: list[Person], talk: Talk, calendar: Calendar, progress: Progress
) -> tuple[Shelf, int]:
    """Store all that answers point to, and the purchases; count the purchases."""
    opened = datetime.combine(calendar.first_day, time(), tzinfo=calendar.zone)
    customers = add_customers(_customer(person, talk) for person in persons)
    shelf = Shelf(
        products={product.sku: product for product in _write_products(opened)},
        places={place.name: _write_place(place, opened) for place in ALL_PLACES},
        customers={customer.reference: customer for customer in customers},
        campaigns={
            mailing.name: name_campaign(name=mailing.name, now=mailing.at)[0]
            for mailing in talk.mailings
        },
    )
    return shelf, len(add_purchases(list(_purchases(progress.track(persons), shelf))))


def _write_place(place: Place, opened: datetime) -> Touchpoint:
    decided = Decided(
        name=place.name,
        question_nl=place.question.nl,
        question_en=place.question.en,
        labels=place.question.labels,
        origins=[SITE] if "web" in place.channels else [],
        counts_exposures=place.counted,
    )
    return create_touchpoint(scale=place.scale, place=decided, now=opened)


def _write_products(opened: datetime) -> list[Product]:
    categories = add_categories(
        Category(
            name=department.name,
            involvement=department.involvement,
            rated_how="manager",
            rated_at=opened,
        )
        for department in DEPARTMENTS
    )
    return add_products(
        Product(sku=ware.sku, name=ware.name, category=category)
        for department, category in zip(DEPARTMENTS, categories, strict=True)
        for ware in department.wares
    )


def _customer(person: Person, talk: Talk) -> Customer:
    return Customer(
        reference=person.reference,
        email=f"{person.reference.lower()}{DEMO_DOMAIN}",
        name=person.name,
        language=person.language,
        created_at=person.since,
        customer_type=talk.types.today(person),
    )


def _purchases(persons: Iterable[Person], shelf: Shelf) -> Iterator[NewPurchase]:
    for person in persons:
        for number, order in enumerate(person.orders, start=1):
            for line in order.lines:
                yield _purchase(person, f"{person.reference}-{number}", line, shelf)


def _purchase(person: Person, order: str, line: Line, shelf: Shelf) -> NewPurchase:
    facts = (person.reference, order, line.ware.sku, line.at.isoformat(), str(line.quantity))
    return NewPurchase(
        customer_id=shelf.customers[person.reference].pk,
        product_id=shelf.products[line.ware.sku].pk,
        purchased_at=line.at,
        quantity=line.quantity,
        price=Decimal(line.ware.price),
        order=order,
        contract_until=line.contract_until,
        key=row_key(facts, 0),
    )


# -- Invitations and answers ------------------------------------------------------------------


def _write_talk(talk: Talk, shelf: Shelf, now: datetime) -> int:
    """Store who was asked, who answered and what was counted; return how many answered."""
    replies: list[tuple[Reply, Invitation | None]] = [(reply, None) for reply in talk.replies]
    invitations = []
    for ask in talk.asks:
        invitations.append(_invitation(ask, shelf))
        if ask.reply:
            replies.append((ask.reply, invitations[-1]))
    replies.sort(key=lambda pair: pair[0].at)
    answers = add_history(
        invitations,
        (
            _answer(f"demo-{number}", reply, invitation, shelf)
            for number, (reply, invitation) in enumerate(replies, start=1)
        ),
    )
    # Who was unhappy of late gets half the dose.
    hold_unhappy(answers, now)
    add_exposures(_exposures(talk, shelf))
    return len(answers)


def _invitation(ask: Ask, shelf: Shelf) -> Invitation:
    product = shelf.products[ask.ware.sku]
    return Invitation(
        touchpoint_id=shelf.places[ask.place.name].pk,
        product_id=product.pk,
        category_id=product.category_id,
        channel="email",
        customer_type=ask.customer_type,
        customer_id=shelf.customers[ask.person.reference].pk,
        invited_at=ask.at,
    )


def _exposures(talk: Talk, shelf: Shelf) -> Iterator[Exposure]:
    """Yield how often the question was shown on pages, and opened from mails, on each day."""
    answered = Counter(reply.at.date() for reply in talk.replies if reply.place.counted)
    confirmed = Counter((r.mailing.name, r.at.date()) for r in talk.replies if r.mailing)
    page, mail = shelf.places[PRODUCT_PAGE.name], shelf.places[TIPS_MAIL.name]
    for kind, days in ((ExposureKind.SHOWN, talk.shown), (ExposureKind.ANSWERED, answered)):
        for day, n in sorted(days.items()):
            yield Exposure(touchpoint=page, day=day, kind=kind, n=n)
    for mailing in talk.mailings:
        campaign_id = shelf.campaigns[mailing.name].pk
        for day, n in sorted(mailing.opened.items()):
            said = confirmed[mailing.name, day]
            for kind, times in ((ExposureKind.OPENED, n), (ExposureKind.CONFIRMED, said)):
                if times:
                    yield Exposure(
                        touchpoint=mail, day=day, kind=kind, campaign_id=campaign_id, n=times
                    )


def _answer(key: str, reply: Reply, invitation: Invitation | None, shelf: Shelf) -> Answer:
    return Answer(
        key=key,
        scale=reply.place.scale,
        value=reply.value,
        answered_at=reply.at,
        touchpoint=shelf.places[reply.place.name],
        customer=shelf.customers[reply.person.reference] if reply.person else None,
        product=shelf.products[reply.ware.sku] if reply.ware else None,
        channel=reply.channel,
        customer_type=reply.customer_type,
        reason=reply.reason,
        comment=reply.comment,
        language=reply.language,
        invitation=invitation,
        campaign=shelf.campaigns[reply.mailing.name] if reply.mailing else None,
    )


def _count() -> None:
    """Fold everything, with the databases' eyes open: neither looks by itself what it holds now.

    In one go, as folds of the usual size would touch the same slices several times. The KPIs of
    all those periods are left to the worker: pages read the tallies.
    """
    with connection.cursor() as cursor:
        # Without this the fold takes PostgreSQL minutes.
        cursor.execute("ANALYZE")
        tallies.fold(limit=sys.maxsize)
        # And without this a page takes SQLite twice as long.
        cursor.execute("ANALYZE")


# -- Logins, and what they noted -------------------------------------------------------------


def _write_logins(groups: dict[str, Group]) -> None:
    """Make one login per role; hashing is slow on purpose, so one hash serves them all."""
    password = make_password(PASSWORD)
    for account, name, role in LOGINS:
        user = User.objects.create(
            username=f"{account}{DEMO_DOMAIN}",
            email=f"{account}{DEMO_DOMAIN}",
            password=password,
            first_name=name,
            is_staff=role is Role.ADMINISTRATOR,
            is_superuser=role is Role.ADMINISTRATOR,
        )
        user.groups.add(groups[role])


def _write_notes(calendar: Calendar) -> None:
    """Note what happened as the marketer would, each on its own day at nine."""
    [marketer] = User.objects.filter(groups__name=Role.MARKETER)
    for days_ago, text in NOTES:
        on = calendar.day(DAYS - days_ago)
        annotate(on=on, text=text, by=marketer, now=datetime.combine(on, time(9), calendar.zone))
