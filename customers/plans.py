"""A contact somebody wants to have: what it is, about what, and when; checked at the door."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from customers.cells import folded
from customers.involvement import Involved, involvement_of
from customers.models import Category, Channel, ContactKind, PurposeKind

# Without another purpose the kind decides what has to be permitted.
PURPOSES: Mapping[str, str] = {
    ContactKind.PROMOTION: "email_marketing",
    ContactKind.INFORMATION: "email_marketing",
    ContactKind.AD: "email_marketing",
    ContactKind.ASK_THUMB: "satisfaction_survey",
    ContactKind.ASK_NPS: "satisfaction_survey",
    ContactKind.ASK_SURVEY: "satisfaction_survey",
    ContactKind.SERVICE: "service",
}

# What a purpose has to be about for a contact of a kind: who permits a question has not permitted
# an offer, and what belongs to an order is no way around.
ABOUT: Mapping[str, frozenset[str]] = {
    ContactKind.PROMOTION: frozenset({PurposeKind.MARKETING}),
    ContactKind.INFORMATION: frozenset({PurposeKind.MARKETING}),
    ContactKind.AD: frozenset({PurposeKind.MARKETING, PurposeKind.SHARING}),
    ContactKind.ASK_THUMB: frozenset({PurposeKind.SURVEY}),
    ContactKind.ASK_NPS: frozenset({PurposeKind.SURVEY}),
    ContactKind.ASK_SURVEY: frozenset({PurposeKind.SURVEY}),
    ContactKind.SERVICE: frozenset({PurposeKind.SERVICE}),
}

# How long a reservation holds, by how the contact travels.
LEASES: Mapping[str, timedelta] = {
    Channel.EMAIL: timedelta(hours=6),
    Channel.SMS: timedelta(hours=6),
    Channel.WEB: timedelta(minutes=10),
    Channel.PHONE: timedelta(days=1),
    Channel.AD: timedelta(days=1),
}
LONGEST_LEASE = timedelta(days=7)
MOST_POINTS = 100


class UnknownWord(ValueError):
    """A channel, kind, purpose or category that is not known; `field` says which of them."""

    def __init__(self, field: str, value: str, known: Iterable[str]) -> None:
        self.field = field
        words = ", ".join(sorted(known)) or "none yet"
        super().__init__(f"{field} {value!r} is not known. Use one of: {words}.")


class OutOfRange(ValueError):
    """A number or a moment that cannot be; `field` says which."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A contact somebody wants to have; UnknownWord or OutOfRange for what cannot be.

    purpose   a key; "" for that of the kind
    points    what it weighs; None for what the policy says of its kind
    at        from when on; None for now
    lease     how long it may take from then; None for what is usual on the channel
    """

    channel: str
    kind: str
    category: Category | None = None
    purpose: str = ""
    points: int | None = None
    at: datetime | None = None
    lease: timedelta | None = None

    def __post_init__(self) -> None:
        if self.channel not in Channel.values:
            raise UnknownWord("channel", self.channel, Channel.values)
        if self.kind not in ContactKind.values:
            raise UnknownWord("kind", self.kind, ContactKind.values)
        if self.points is not None and not 0 <= self.points <= MOST_POINTS:
            raise OutOfRange("points", f"points is {self.points}. Give 0 to {MOST_POINTS}.")
        if self.lease is not None and not timedelta(0) < self.lease <= LONGEST_LEASE:
            raise OutOfRange(
                "lease", f"The lease is {self.lease}. Give more than 0, at most {LONGEST_LEASE}."
            )

    @property
    def purpose_key(self) -> str:
        return self.purpose or PURPOSES[self.kind]

    @property
    def for_as_long(self) -> timedelta:
        return self.lease or LEASES[self.channel]

    @property
    def involved(self) -> Involved:
        return involvement_of(line_of(self.category))


def check_purpose(plan: Plan, kinds: Mapping[str, str]) -> None:
    """Refuse a purpose that is not about this kind of contact; `kinds` are those of all purposes.

    UnknownWord for one that nobody set up, OutOfRange for one about something else.
    """
    key = plan.purpose_key
    if key not in kinds:
        raise UnknownWord("purpose", key, kinds)
    if kinds[key] not in ABOUT[plan.kind]:
        fitting = ", ".join(sorted(one for one in kinds if kinds[one] in ABOUT[plan.kind]))
        raise OutOfRange(
            "purpose",
            f"purpose {key!r} is about {kinds[key]}, which does not permit {plan.kind}. "
            f"Use one of: {fitting or 'none yet'}; or leave it out.",
        )


def line_of(category: Category | None) -> list[tuple[str, str]]:
    """Return a category and what it is part of, each with its own level."""
    line: list[tuple[str, str]] = []
    seen = set()
    while category and category.pk not in seen:
        seen.add(category.pk)
        line.append((category.name, category.involvement))
        category = category.parent
    return line


def category_named(name: str) -> Category | None:
    """Return the category of this name in whatever case, None for ""; UnknownWord otherwise."""
    if not name:
        return None
    found = categories_named([name]).get(folded(name))
    if found is None:
        raise UnknownWord("category", name, some_categories())
    return found


def categories_named(names: Iterable[str]) -> dict[str, Category]:
    """Return the categories of these names, by their folded names."""
    wanted = {folded(one) for one in names}
    rows = Category.objects.select_related("parent__parent__parent")
    return {one.name_folded: one for one in rows.filter(name_folded__in=wanted)}


def some_categories() -> list[str]:
    """Return names of categories, for who gave one that is not known."""
    return list(Category.objects.order_by("name").values_list("name", flat=True)[:20])
