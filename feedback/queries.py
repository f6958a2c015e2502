"""Reading counts: folded tallies plus the changes that are not folded yet, in one statement.

One statement sees one moment, so a fold that commits meanwhile can neither hide a count nor
show it twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count as Counted
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from customers.cells import folded
from customers.models import Category, Channel, CustomerType, Product
from feedback.models import (
    NOT_ANONYMOUS,
    Campaign,
    CountingState,
    DayCube,
    Invitation,
    Reason,
    Response,
    ResponseChange,
    ResponseEdit,
    Tally,
    Touchpoint,
)
from feedback.tallies import DIMENSIONS, as_date, key_sql

# What people may slice and filter by; reasons are a distribution, never a slice.
SLICES = ("product", "category", "channel", "customer_type", "touchpoint")


# What a raw statement takes in place of its %s.
Parameter = str | int | date


class Count(NamedTuple):
    """How many answers of a value; `day` and `key` are None where they were not asked for."""

    day: date | None
    key: str | None
    value: int
    n: int


class ReasonCount(NamedTuple):
    """How many answers gave a reason; `key` is the internal key of their slice."""

    key: str
    reason: str
    n: int


class UnknownKey(ValueError):
    """A filter names something that does not exist."""

    def __init__(self, dimension: str, key: str) -> None:
        super().__init__(
            f"{key!r} is not a known {dimension.replace('_', ' ')}. "
            f"Use one of: {', '.join(_examples(dimension)) or 'none yet'}."
        )


@dataclass(frozen=True)
class Span:
    """What to count: one measure over half-open local days, filtered by internal keys."""

    measure: str
    start: date
    end: date
    where: Mapping[str, str] = field(default_factory=dict)


def counts(
    span: Span,
    *,
    dimension: str | None = None,
    by_day: bool = False,
    cuts: Sequence[date] = (),
) -> list[Count]:
    """Return counts of a span per value, and per day and key of a dimension if asked for.

    With `cuts`, days in ascending order, the counts of all days from one cut up to the next are
    added up under the first of them; the first cut is the start of the span.
    """
    used = {*span.where, *([dimension] if dimension else [])}
    if len(used) <= 1:
        sources, parameters = _marginal_read(span, next(iter(used), ""))
    else:
        sources, parameters = _cube_read(span, dimension)
    since, cut_parameters = _since(cuts) if cuts else ("day", [])
    groups = [
        *(["since"] if by_day or cuts else []),
        *(["key"] if dimension else []),
        "value",
    ]
    sql = (
        f"SELECT {', '.join(groups)}, SUM(n) FROM (SELECT {since} AS since, key, value, n "  # noqa: S608
        f"FROM ({' UNION ALL '.join(sources)}) AS counted) AS dated "
        f"GROUP BY {', '.join(groups)} HAVING SUM(n) <> 0"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, cut_parameters + parameters)
        rows = cursor.fetchall()
    return [_count(row, by_day or bool(cuts), dimension is not None) for row in rows]


def _count(row: tuple[Any, ...], by_day: bool, by_key: bool) -> Count:
    cells = list(row)
    day = as_date(cells.pop(0)) if by_day else None
    key = cells.pop(0) if by_key else None
    return Count(day, key, cells[0], int(cells[1]))


def _since(cuts: Sequence[date]) -> tuple[str, list[Parameter]]:
    """Return the SQL for the last cut that is not after the day."""
    branches = "".join(" WHEN day < %s THEN %s" for _ in cuts[1:])
    parameters: list[Parameter] = [day for pair in pairwise(cuts) for day in pair[::-1]]
    if not branches:
        return "CAST(%s AS date)" if connection.vendor == "postgresql" else "%s", [cuts[0]]
    return f"CASE{branches} ELSE %s END", [*parameters, cuts[-1]]


def counts_by_key(span: Span, dimension: str, keys: Iterable[str]) -> list[Count]:
    """Return daily counts of some keys of a dimension ("" is the whole), from the tallies alone.

    For who follows folds and leaves the changes not folded yet to the next one.
    """
    rows = Tally.objects.filter(
        dimension=dimension,
        key__in=list(keys),
        measure=span.measure,
        day__gte=span.start,
        day__lt=span.end,
    ).exclude(n=0)
    return [Count(*row) for row in rows.values_list("day", "key", "value", "n")]


def _marginal_read(span: Span, dimension: str) -> tuple[list[str], list[Parameter]]:
    """Read one dimension alone, or the whole: neighbouring rows of the tallies."""
    tally = (
        f"SELECT day, key, value, n FROM {Tally._meta.db_table} "  # noqa: S608
        "WHERE dimension = %s AND measure = %s AND day >= %s AND day < %s"
    )
    parameters: list[Parameter] = [dimension, span.measure, span.start, span.end]
    for key in [""] if not dimension else span.where.values():
        tally += " AND key = %s"
        parameters.append(key)
    change, more = _cube_select(ResponseChange._meta.db_table, span, dimension)
    return [tally, change], parameters + more


def _cube_read(span: Span, dimension: str | None) -> tuple[list[str], list[Parameter]]:
    """Read several dimensions together from the day cube."""
    cube, parameters = _cube_select(DayCube._meta.db_table, span, dimension)
    change, more = _cube_select(ResponseChange._meta.db_table, span, dimension)
    return [cube, change], parameters + more


def _cube_select(table: str, span: Span, dimension: str | None) -> tuple[str, list[Parameter]]:
    condition, parameters = _cube_condition(span)
    sql = (
        f"SELECT day, {key_sql(dimension or '')} AS key, value, n FROM {table} "  # noqa: S608
        f"WHERE {condition}"
    )
    return sql, parameters


def _cube_condition(span: Span) -> tuple[str, list[Parameter]]:
    sql = "measure = %s AND day >= %s AND day < %s"
    parameters: list[Parameter] = [span.measure, span.start, span.end]
    for name, key in span.where.items():
        column = str(DIMENSIONS[name])
        sql += f" AND {column} = %s"
        parameters.append(int(key or 0) if column.endswith("_id") else key)
    return sql, parameters


def reason_counts(span: Span, dimension: str) -> list[ReasonCount]:
    """Return how often each reason was given in each slice of a dimension, in one statement."""
    condition, parameters = _cube_condition(span)
    column = str(DIMENSIONS[dimension])
    sources = " UNION ALL ".join(
        f"SELECT {column} AS key, reason, n FROM {table} WHERE {condition} AND reason <> ''"  # noqa: S608
        for table in (DayCube._meta.db_table, ResponseChange._meta.db_table)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, reason, SUM(n) FROM ({sources}) AS counted "  # noqa: S608
            "GROUP BY key, reason HAVING SUM(n) <> 0",
            parameters * 2,
        )
        return [ReasonCount(str(key or ""), reason, int(n)) for key, reason, n in cursor.fetchall()]


def first_day(measure: str) -> date | None:
    """Return the first local day with anything of this measure, or None."""
    return min(_outer_days(measure, Min("day")), default=None)


def measured(measures: Iterable[str]) -> set[str]:
    """Return those of the measures that anything was ever counted of, in one statement."""
    exists = (
        f"SELECT %s WHERE EXISTS (SELECT 1 FROM {Tally._meta.db_table} WHERE dimension = '' "  # noqa: S608
        "AND measure = %s AND n > 0) "
        f"OR EXISTS (SELECT 1 FROM {ResponseChange._meta.db_table} WHERE measure = %s)"
    )
    wanted = list(measures)
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join([exists] * len(wanted)),
            [measure for measure in wanted for _ in range(3)],
        )
        return {measure for (measure,) in cursor.fetchall()}


def last_day(measure: str) -> date | None:
    """Return the last local day with anything of this measure, or None."""
    return max(_outer_days(measure, Max("day")), default=None)


def _outer_days(measure: str, outermost: Min | Max) -> list[date]:
    counted = Tally.objects.filter(dimension="", key="", measure=measure, n__gt=0)
    waiting = ResponseChange.objects.filter(measure=measure)
    days = [rows.aggregate(day=outermost)["day"] for rows in (counted, waiting)]
    return [day for day in days if day]


class Version(NamedTuple):
    """Changes whenever any count does, and as a rule when a comment does.

    The fold, and how many changes wait for the next. Not the newest change: of two writers the one
    with the higher id may commit first, and then the other would change the counts and not the
    version. For comments, which are counted nowhere, the newest edit will do.
    """

    fold: int
    waiting: int
    edit: int


def version() -> Version:
    """Return the version of all answers, for caches and ETags; one statement, so one moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COALESCE((SELECT version FROM {CountingState._meta.db_table}), 0), "  # noqa: S608
            f"(SELECT COUNT(*) FROM {ResponseChange._meta.db_table}), "
            f"COALESCE((SELECT MAX(id) FROM {ResponseEdit._meta.db_table}), 0)"
        )
        return Version(*cursor.fetchone())


def folded_at() -> datetime | None:
    """Return when changes were last folded into the tallies."""
    state = CountingState.objects.filter(pk=1).first()
    return state.folded_at if state else None


def waiting_changes() -> int:
    """Return how many changes are not folded yet."""
    return ResponseChange.objects.count()


def known_keys(dimension: str, limit: int) -> list[str]:
    """Return up to `limit` internal keys of a dimension, whether or not there are answers."""
    if dimension in VOCABULARY:
        return list(VOCABULARY[dimension].values)
    models: dict[str, type[Category] | type[Product] | type[Touchpoint]] = {
        "category": Category,
        "product": Product,
        "touchpoint": Touchpoint,
    }
    rows = models[dimension].objects.order_by("pk").values_list("pk", flat=True)[:limit]
    return [str(pk) for pk in rows]


def comments(span: Span) -> QuerySet[Response]:
    """Return the answers of a span with a comment, newest first, with what they point to."""
    return _answers(span).exclude(comment="").select_related("touchpoint", "product")


def latest_at(touchpoint: Touchpoint, limit: int) -> list[Response]:
    """Return the newest answers given at a touchpoint by people nobody knows, the newest first."""
    given = Response.objects.filter(touchpoint=touchpoint, customer=None, imported=False)
    return list(given.select_related("touchpoint", "product").order_by("-pk")[:limit])


class SenderCount(NamedTuple):
    """How many answers of a value came from known customers, or from a file."""

    imported: bool
    value: int
    n: int


def counts_of_senders(touchpoint: Touchpoint, start: date, end: date) -> list[SenderCount]:
    """Return what was answered at a touchpoint on the days [start, end), but for nobody's answers.

    From the answers themselves, as the tallies do not know who answered: by an index that holds
    only these. The rest are anonymous.
    """
    rows = Response.objects.filter(
        NOT_ANONYMOUS,
        touchpoint=touchpoint,
        answered_on__gte=start,
        answered_on__lt=end,
    )
    counted = rows.order_by().values("imported", "value").annotate(n=Counted("pk"))
    return [SenderCount(*row) for row in counted.values_list("imported", "value", "n")]


def explained(span: Span) -> QuerySet[Response]:
    """Return the answers of a span with a comment or a reason, newest first."""
    return _answers(span).exclude(comment="", reason="")


def _answers(span: Span) -> QuerySet[Response]:
    """Return the answers of a span themselves, not their counts.

    By moment and not by day: so the newest ten are the first ten of the index of comments.
    """
    where = {
        name: key if name in VOCABULARY else int(key) if key else None
        for name, key in span.where.items()
    }
    zone = timezone.get_default_timezone()
    first, last = (datetime.combine(day, time(), zone) for day in (span.start, span.end))
    return Response.objects.filter(
        scale=span.measure, answered_at__gte=first, answered_at__lt=last, **where
    ).order_by("-answered_at", "-pk")


def answers_by_key(
    places: Iterable[tuple[int | None, str]],
) -> dict[tuple[int | None, str], Response]:
    """Return the answers at these (touchpoint id, key): a query for each touchpoint."""
    keys: dict[int | None, set[str]] = defaultdict(set)
    for touchpoint_id, key in places:
        keys[touchpoint_id].add(key)
    found: dict[tuple[int | None, str], Response] = {}
    for touchpoint_id, wanted in keys.items():
        # IS NULL and not = NULL: each has its own unique index, and only these serve here.
        at = Q(touchpoint=touchpoint_id) if touchpoint_id else Q(touchpoint__isnull=True)
        for response in Response.objects.filter(at, key__in=wanted):
            found[touchpoint_id, response.key] = response
    return found


def touchpoint_by_key(key: str) -> Touchpoint | None:
    """Return the touchpoint with this public key; a key is any text."""
    # PostgreSQL refuses even to look for a NUL.
    if "\0" in key:
        return None
    # Asked for with every answer that comes in: written out, it takes a third of the time.
    table = Touchpoint._meta.db_table
    return next(iter(Touchpoint.objects.raw(f"SELECT * FROM {table} WHERE key = %s", [key])), None)  # noqa: S608


def campaign_by_key(key: str) -> Campaign | None:
    """Return the campaign that a link names; whatever else stands there is none."""
    if not key or "\0" in key:
        return None
    return Campaign.objects.filter(key=key).first()


def touchpoints_by_name(names: Iterable[str]) -> dict[str, Touchpoint]:
    """Return the touchpoints with these names or public keys."""
    wanted = set(names)
    found = Touchpoint.objects.filter(Q(name__in=wanted) | Q(key__in=wanted))
    by_key = {touchpoint.key: touchpoint for touchpoint in found}
    return by_key | {touchpoint.name: touchpoint for touchpoint in found}


# -- Keys: the public ones people use, and the internal ones counts are kept under ---------------


class Label(NamedTuple):
    """A slice as people know it: its public key and its name."""

    key: str
    name: str


VOCABULARY: dict[str, type[Channel] | type[CustomerType] | type[Reason]] = {
    "channel": Channel,
    "customer_type": CustomerType,
    "reason": Reason,
}


def internal_key(dimension: str, key: str) -> str:
    """Return the internal key of a public one; empty is for answers without one.

    Raises UnknownKey for what does not exist.
    """
    if key == "":
        return ""
    if dimension in VOCABULARY:
        if key not in VOCABULARY[dimension].values:
            raise UnknownKey(dimension, key)
        return key
    pk: int | None = None
    if dimension == "product":
        pk = Product.objects.filter(sku_folded=folded(key)).values_list("pk", flat=True).first()
    elif dimension == "category":
        pk = Category.objects.filter(name_folded=folded(key)).values_list("pk", flat=True).first()
    elif dimension == "touchpoint":
        pk = (
            Touchpoint.objects.filter(name=key).values_list("pk", flat=True).first()
            or Touchpoint.objects.filter(key=key).values_list("pk", flat=True).first()
        )
    if pk is None:
        raise UnknownKey(dimension, key)
    return str(pk)


def labels(dimension: str, keys: Iterable[str]) -> dict[str, Label]:
    """Return the public key and name of internal keys, in one query at most."""
    wanted = [key for key in keys if key]
    found = {"": Label("", "")}
    if dimension in VOCABULARY:
        names = dict(VOCABULARY[dimension].choices)
        return found | {key: Label(key, str(names.get(key, key))) for key in wanted}
    ids = [int(key) for key in wanted]
    if dimension == "product":
        rows = Product.objects.filter(pk__in=ids).values_list("pk", "sku", "name")
        return found | {str(pk): Label(sku, name or sku) for pk, sku, name in rows}
    model = Category if dimension == "category" else Touchpoint
    names_by_id = model.objects.filter(pk__in=ids).values_list("pk", "name")
    return found | {str(pk): Label(name, name) for pk, name in names_by_id}


def _examples(dimension: str) -> list[str]:
    """Return up to ten public keys of a dimension, for an error that shows the way out."""
    if dimension in VOCABULARY:
        return list(VOCABULARY[dimension].values)
    if dimension == "product":
        return list(Product.objects.order_by("sku").values_list("sku", flat=True)[:10])
    model = Category if dimension == "category" else Touchpoint
    return list(model.objects.order_by("name").values_list("name", flat=True)[:10])


# -- Of one customer ------------------------------------------------------------------------------


def answers_of(customer_ids: Iterable[int]) -> list[Response]:
    """Return the answers these customers gave, in order, with their edits."""
    given = Response.objects.filter(customer__in=list(customer_ids))
    related = ("touchpoint", "product", "category", "campaign")
    return list(
        given.select_related(*related).prefetch_related("edits").order_by("answered_at", "pk")
    )


def invitations_of(customer_ids: Iterable[int]) -> list[Invitation]:
    """Return when these customers were asked, in order."""
    asked = Invitation.objects.filter(customer__in=list(customer_ids))
    return list(asked.select_related("touchpoint", "product").order_by("invited_at", "pk"))


def held_answers(customer_ids: Iterable[int]) -> dict[str, int]:
    """Return for each table how many rows are known to be of these customers."""
    ids = list(customer_ids)
    return {
        "feedback.response": Response.objects.filter(customer__in=ids).count(),
        "feedback.responseedit": ResponseEdit.objects.filter(response__customer__in=ids).count(),
        "feedback.invitation": Invitation.objects.filter(customer__in=ids).count(),
    }
