"""Writing the demo shop into an empty database, in one transaction."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
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
    label_customers,
)
from feedback import tallies
from feedback.models import Invitation, Response, Touchpoint
from feedback.places import Place, create_touchpoint
from feedback.services import Answer, add_responses, record_invitations
from insights.accounts import DEMO_DOMAIN, Role
from insights.demo import PASSWORD
from insights.demo.life import Calendar, Line, Person, people
from insights.demo.story import DEPARTMENTS, PLACES
from insights.demo.talk import Ask, Reply, Talk

SEED = 74

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


@dataclass(frozen=True)
class Shelf:
    """What is stored already, by the keys of the story."""

    products: dict[str, Product]
    places: dict[str, Touchpoint]
    customers: dict[str, Customer]


def load_demo(*, today: date, say: Callable[[str], object]) -> Loaded:
    """Fill an empty database with the year of the demo shop that ends the day before `today`.

    Everything or nothing: an interrupted load leaves the database as it was. `say` is told what
    is being done. Raises DemoRefused in production, and where there is anything already.
    """
    _refuse_production()
    with transaction.atomic():
        # The group rows serve as the lock: of two loads at once, one finds the shop of the other.
        groups = {group.name: group for group in Group.objects.select_for_update()}
        _refuse_contents()
        calendar = Calendar(today, timezone.get_default_timezone())
        persons = people(SEED, calendar)
        say(f"Writing {len(persons):,} customers and their orders …")
        shelf, purchases = _write_shop(persons, calendar)
        talk = Talk(SEED, persons, calendar)
        say(f"Writing {len(talk.asks):,} invitations and the answers …")
        answers = _write_talk(talk, shelf)
        say("Counting …")
        label_customers(today)
        # In one go, as folds of the usual size would touch the same slices several times. The KPIs
        # of all those periods are left to the worker: pages read the tallies.
        tallies.fold(limit=sys.maxsize)
        _write_logins(groups)
    return Loaded(len(persons), purchases, len(talk.asks), answers)


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


def _write_shop(persons: list[Person], calendar: Calendar) -> tuple[Shelf, int]:
    """Store categories, products, touchpoints, customers and purchases; count the purchases."""
    opened = datetime.combine(calendar.first_day, time(), tzinfo=calendar.zone)
    products = _write_products(opened)
    customers = add_customers(_customer(person) for person in persons)
    shelf = Shelf(
        products={product.sku: product for product in products},
        places={
            place.name: create_touchpoint(
                scale=place.scale, place=Place(name=place.name), now=opened
            )
            for place in PLACES
        },
        customers={customer.reference: customer for customer in customers},
    )
    return shelf, len(add_purchases(list(_purchases(persons, shelf))))


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


def _customer(person: Person) -> Customer:
    return Customer(
        reference=person.reference,
        email=f"{person.reference.lower()}{DEMO_DOMAIN}",
        name=person.name,
        language=person.language,
        created_at=person.since,
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


def _write_talk(talk: Talk, shelf: Shelf) -> int:
    """Store who was asked, and who answered; count the answers."""
    invitations = record_invitations([_invitation(ask, shelf) for ask in talk.asks])
    replies: Iterable[tuple[Reply, Invitation | None]] = chain(
        ((reply, None) for reply in talk.replies),
        (
            (ask.reply, invitation)
            for ask, invitation in zip(talk.asks, invitations, strict=True)
            if ask.reply
        ),
    )
    by_time = sorted(replies, key=lambda pair: pair[0].at)
    return len(
        add_responses(
            _answer(f"demo-{number}", reply, invitation, shelf)
            for number, (reply, invitation) in enumerate(by_time, start=1)
        )
    )


def _invitation(ask: Ask, shelf: Shelf) -> Invitation:
    product = shelf.products[ask.ware.sku]
    return Invitation(
        touchpoint=shelf.places[ask.place.name],
        product=product,
        category=product.category,
        channel="email",
        customer_type=ask.customer_type,
        customer=shelf.customers[ask.person.reference],
        invited_at=ask.at,
    )


def _answer(key: str, reply: Reply, invitation: Invitation | None, shelf: Shelf) -> Answer:
    return Answer(
        key=key,
        scale=reply.place.scale,
        value=reply.value,
        answered_at=reply.at,
        touchpoint=shelf.places[reply.place.name],
        customer=shelf.customers[reply.person.reference] if reply.person else None,
        product=shelf.products[reply.ware.sku],
        channel=reply.channel,
        customer_type=reply.customer_type,
        reason=reply.reason,
        comment=reply.comment,
        language=reply.language,
        invitation=invitation,
    )


# -- Logins -----------------------------------------------------------------------------------


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
