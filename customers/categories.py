"""Categories: how much buyers care about each, who said so, and what each is part of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from customers.involvement import Involved, Rating, involvement_of
from customers.models import Category, Purchase

# How a level was found.
BY_MANAGER, BY_PROPOSAL, BY_IMPORT = "manager", "proposal", "import"
# A category in a category in a category: deeper nobody looks.
MOST_LEVELS = 4
YEAR = timedelta(days=365)


class CannotMove(ValueError):
    """A category that would be part of itself, or too deep. `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Place:
    """A category with the level that holds for it, and how much of the shop it is.

    `products` are those in it, `purchases` lines of orders of them in the last year.
    """

    category: Category
    involved: Involved
    score: int | None
    products: int
    purchases: int


def rate_category(*, category: Category, rating: Rating, rated_by: str, now: datetime) -> Category:
    """Store a manager's three answers and the level they make."""
    return _store(
        category,
        involvement=rating.level,
        rated_how=BY_MANAGER,
        rated_by=rated_by,
        rated_at=now,
        importance=rating.importance,
        risk=rating.risk,
        interest=rating.interest,
    )


def set_level(
    *, category: Category, level: str, how: str, rated_by: str = "", now: datetime
) -> Category:
    """Store a level that nobody gave three answers for: from a file, or proposed to begin with."""
    return _store(
        category,
        involvement=level,
        rated_how=how,
        rated_by=rated_by,
        rated_at=now,
        importance=None,
        risk=None,
        interest=None,
    )


def _store(category: Category, **facts: object) -> Category:
    for name, value in facts.items():
        setattr(category, name, value)
    category.save(update_fields=list(facts))
    return category


def place_and_rate(
    *,
    category: Category,
    parent: Category | None,
    rating: Rating | None,
    rated_by: str,
    now: datetime,
) -> None:
    """Say what a category is part of and, where somebody rated it, how much buyers care about it.

    Both or neither: CannotMove where it cannot be part of that.
    """
    with transaction.atomic():
        move_category(category=category, parent=parent)
        if rating:
            rate_category(category=category, rating=rating, rated_by=rated_by, now=now)


def propose_levels(levels: Mapping[str, str], *, rated_by: str, now: datetime) -> int:
    """Rate what nobody rated, by name, to begin with; return how many. What is rated stays."""
    done = 0
    with transaction.atomic():
        for category in Category.objects.select_for_update().filter(involvement=""):
            level = levels.get(category.name)
            if level:
                set_level(
                    category=category, level=level, how=BY_PROPOSAL, rated_by=rated_by, now=now
                )
                done += 1
    return done


def unrated() -> list[str]:
    """Return the names of categories that have no level, nor follow one that has."""
    categories = {one.pk: one for one in Category.objects.order_by("name", "pk")}
    return [
        one.name
        for one in categories.values()
        if involvement_of(_line(categories, one)).because == "unrated"
    ]


def move_category(*, category: Category, parent: Category | None) -> None:
    """Make a category part of another one, or of none; CannotMove where that cannot be."""
    with transaction.atomic():
        parents = dict(Category.objects.select_for_update().values_list("pk", "parent_id"))
        above = _above(parents, parent.pk) if parent else []
        if category.pk in above:
            raise CannotMove(
                "circle",
                f"{parent} is part of {category}, so {category} cannot be part of it. "
                "Choose another one, or none.",
            )
        if len(above) + _height(parents, category.pk) > MOST_LEVELS:
            raise CannotMove(
                "deep",
                f"That would be more than {MOST_LEVELS} levels. Choose one that is less deep.",
            )
        category.parent = parent
        category.save(update_fields=["parent"])


def _above(parents: Mapping[int, int | None], pk: int | None) -> list[int]:
    """Return a category and all it is part of, upwards."""
    found: list[int] = []
    while pk is not None and pk not in found:
        found.append(pk)
        pk = parents.get(pk)
    return found


def _height(parents: Mapping[int, int | None], pk: int) -> int:
    """Return how many levels there are from a category down, itself included."""
    children = [child for child, parent in parents.items() if parent == pk]
    return 1 + max((_height(parents, child) for child in children), default=0)


def category_map(now: datetime) -> list[Place]:
    """Return all categories with what holds for them, in three queries, by name."""
    categories = {one.pk: one for one in Category.objects.order_by("name", "pk")}
    products = dict(
        Category.objects.annotate(n=Count("products")).values_list("pk", "n").order_by("pk")
    )
    bought = dict(
        Purchase.objects.counting()
        .filter(Q(product__category__isnull=False), purchased_at__gt=now - YEAR)
        .values_list("product__category")
        .annotate(n=Count("pk"))
        .order_by("product__category")
    )
    return [
        Place(
            category=one,
            involved=involvement_of(_line(categories, one)),
            score=_score(one),
            products=products.get(one.pk, 0),
            purchases=bought.get(one.pk, 0),
        )
        for one in categories.values()
    ]


def _line(categories: Mapping[int, Category], category: Category) -> Iterable[tuple[str, str]]:
    parents = {pk: one.parent_id for pk, one in categories.items()}
    steps = _above(parents, category.pk)
    return [(categories[pk].name, categories[pk].involvement) for pk in steps]


def _score(category: Category) -> int | None:
    """Return the score of three answers, None where nobody gave them."""
    answers = (category.importance, category.risk, category.interest)
    if None in answers:
        return None
    importance, risk, interest = (int(one or 0) for one in answers)
    return round(Rating(importance, risk, interest).score)
