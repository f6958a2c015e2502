"""Counting: exact now, cheap later (docs/decisions/0001).

Every answer writes signed changes in its own transaction; `fold` moves changes into tallies,
deleting the one and adding the other in a single transaction. Readers add tallies and changes
up, so they are exact before, during and after a fold, and folding is only about speed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from customers.services import insert_rows
from feedback.models import (
    CUBE_KEY,
    INVITED,
    CountingState,
    DayCube,
    Invitation,
    Response,
    ResponseChange,
    Tally,
    TouchedSlice,
)

Row = TypeVar("Row", bound=Model)

# The dimensions a tally is kept for, and the column of the cube each one reads. The first is
# the whole: no dimension, one key.
DIMENSIONS = {
    "": None,
    "touchpoint": "touchpoint_id",
    "product": "product_id",
    "category": "category_id",
    "channel": "channel",
    "customer_type": "customer_type",
    "reason": "reason",
}

# 10,000 changes take well under a second, so a reader or writer never waits long for a fold.
FOLD_BATCH = 10_000
ROWS_PER_INSERT = 1_000
MOVE_BATCH = 5_000


class CubeKey(NamedTuple):
    """A place in the day cube; the fields are those of models.CUBE_KEY, in order."""

    measure: str
    day: date
    value: int
    touchpoint_id: int
    product_id: int
    category_id: int
    channel: str
    customer_type: str
    reason: str


class SliceKey(NamedTuple):
    """A place in the marginal tallies, in the order of their index."""

    dimension: str
    key: str
    measure: str
    day: date
    value: int


# -- Writing changes -------------------------------------------------------------------------


def response_key(response: Response) -> CubeKey:
    """Return where an answer counts."""
    return CubeKey(
        response.scale,
        response.answered_on,
        response.value,
        response.touchpoint_id or 0,
        response.product_id or 0,
        response.category_id or 0,
        response.channel,
        response.customer_type,
        response.reason,
    )


def invitation_key(invitation: Invitation, *, answered: bool) -> CubeKey:
    """Return where an invitation counts: on the day of the ask, whenever the answer came."""
    return CubeKey(
        INVITED,
        invitation.invited_on,
        int(answered),
        invitation.touchpoint_id or 0,
        invitation.product_id or 0,
        invitation.category_id or 0,
        invitation.channel,
        invitation.customer_type,
        "",
    )


def write_changes(steps: Iterable[tuple[CubeKey, int]]) -> None:
    """Write signed changes; the caller's transaction holds the answers they count."""
    rows = [(*key, sign) for key, sign in steps]
    insert_rows(ResponseChange._meta.db_table, [*CUBE_KEY, "n"], rows)


# -- Folding ---------------------------------------------------------------------------------


def marginal_key(dimension: str, key: CubeKey) -> SliceKey:
    """Return the tally that a place in the cube belongs to, seen along one dimension."""
    column = DIMENSIONS[dimension]
    own = getattr(key, column) if column else ""
    return SliceKey(dimension, str(own or ""), key.measure, key.day, key.value)


def fold(limit: int = FOLD_BATCH) -> int:
    """Fold the oldest changes, at most `limit`, and return how many were folded."""
    with transaction.atomic():
        state = _locked_state()
        cube, taken = _take_changes(limit)
        if not taken:
            return 0
        marginals = _marginals(cube)
        _add(DayCube, CUBE_KEY, cube)
        _add(Tally, list(SliceKey._fields), marginals)
        _note_touched(marginals)
        _advance(state)
    return taken


def fold_all() -> int:
    """Fold until nothing waits and return how many changes were folded."""
    total = 0
    while folded := fold():
        total += folded
    return total


def _locked_state() -> CountingState:
    """Return the one state row, locked: one fold or rebuild at a time.

    A migration makes it. If it is missing, nobody knows in which time zone was counted.
    """
    CountingState.objects.get_or_create(id=1, defaults={"time_zone": ""})
    return CountingState.objects.select_for_update().get(id=1)


def _take_changes(limit: int) -> tuple["Counter[CubeKey]", int]:
    """Delete the oldest changes; return their sums per place and how many they were."""
    table = ResponseChange._meta.db_table
    columns = ", ".join([*CUBE_KEY, "n"])
    sums: Counter[CubeKey] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT %s) "  # noqa: S608
            f"RETURNING {columns}",
            [limit],
        )
        rows = cursor.fetchall()
    for measure, day, *rest, n in rows:
        sums[CubeKey(measure, as_date(day), *rest)] += n
    return sums, len(rows)


def _marginals(cube: "Counter[CubeKey]") -> "Counter[SliceKey]":
    sums: Counter[SliceKey] = Counter()
    for key, n in cube.items():
        for dimension in DIMENSIONS:
            sums[marginal_key(dimension, key)] += n
    return sums


def _add(model: type[DayCube] | type[Tally], columns: Sequence[str], sums: "Counter[Any]") -> None:
    """Add sums to their rows, in the order of the key: unsorted upserts wait for each other."""
    table = model._meta.db_table
    names = ", ".join(columns)
    one = "(" + ", ".join(["%s"] * (len(columns) + 1)) + ")"
    rows = sorted((*key, n) for key, n in sums.items() if n)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_INSERT):
            chunk = rows[start : start + ROWS_PER_INSERT]
            cursor.execute(
                f"INSERT INTO {table} ({names}, n) VALUES {', '.join([one] * len(chunk))} "  # noqa: S608
                f"ON CONFLICT ({names}) DO UPDATE SET n = {table}.n + excluded.n",
                [value for row in chunk for value in row],
            )


def _note_touched(marginals: "Counter[SliceKey]") -> None:
    """Leave word for whoever keeps KPIs of these slices and days."""
    touched = sorted({key[:4] for key in marginals})
    with connection.cursor() as cursor:
        for start in range(0, len(touched), ROWS_PER_INSERT):
            chunk = touched[start : start + ROWS_PER_INSERT]
            cursor.execute(
                f"INSERT INTO {TouchedSlice._meta.db_table} (dimension, key, measure, day) "  # noqa: S608
                f"VALUES {', '.join(['(%s, %s, %s, %s)'] * len(chunk))}",
                [value for place in chunk for value in place],
            )


def _advance(state: CountingState) -> None:
    CountingState.objects.filter(pk=state.pk).update(
        version=F("version") + 1, folded_at=timezone.now()
    )


# -- Rebuilding --------------------------------------------------------------------------------


def rebuild() -> int:
    """Count everything again from the answers themselves and return how many were counted.

    Answers may keep coming in: what is not in this transaction's snapshot still has its change
    rows, which the next fold adds. In a new time zone the answers get their new local days
    first.
    """
    if not _counted_in_this_zone():
        _move_days()
    with transaction.atomic(durable=True):
        _snapshot_of_everything()
        state = _locked_state()
        # Before and after: a day of a slice may also lose its last count.
        _touch_everything()
        for model in (ResponseChange, Tally, DayCube):
            model.objects.all().delete()
        _count_from_scratch()
        _touch_everything()
        CountingState.objects.filter(pk=state.pk).update(time_zone=settings.TIME_ZONE)
        _advance(state)
    return Response.objects.count()


def follow_time_zone() -> bool:
    """Rebuild if the organisation's time zone is no longer the one that was counted in."""
    if _counted_in_this_zone():
        return False
    rebuild()
    return True


def _counted_in_this_zone() -> bool:
    return CountingState.objects.filter(pk=1, time_zone=settings.TIME_ZONE).exists()


def _snapshot_of_everything() -> None:
    """See answers and their changes at one and the same moment, and keep folds away.

    SQLite has one writer, which this transaction already is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"LOCK TABLE {CountingState._meta.db_table} IN EXCLUSIVE MODE")


def _move_days() -> None:
    """Give every answer and invitation the local day of the organisation's present zone.

    A few thousand at a time, each batch with the changes that count its move: nobody waits long,
    counts are exact in between, and after an interruption it simply runs again.
    """
    # Half moved is no time zone at all, so that going back to the old one moves days as well.
    CountingState.objects.filter(pk=1).update(time_zone="")
    _in_batches(Response.objects.all(), _move_responses)
    _in_batches(Invitation.objects.all(), _move_invitations)


def _in_batches(rows: QuerySet[Row], move: Callable[[list[Row]], None]) -> None:
    last = 0
    while True:
        with transaction.atomic(durable=True):
            locked = rows.select_for_update(no_key=True).order_by("pk")
            batch = list(locked.filter(pk__gt=last)[:MOVE_BATCH])
            if not batch:
                return
            move(batch)
        last = batch[-1].pk


def _move_responses(batch: list[Response]) -> None:
    moved = [row for row in batch if row.answered_on != local_day(row.answered_at)]
    before = [response_key(row) for row in moved]
    for row in moved:
        row.answered_on = local_day(row.answered_at)
    Response.objects.bulk_update(moved, ["answered_on"], batch_size=ROWS_PER_INSERT)
    _write_moves(before, [response_key(row) for row in moved])


def _move_invitations(batch: list[Invitation]) -> None:
    moved = [row for row in batch if row.invited_on != local_day(row.invited_at)]
    # Read once the rows are locked, so that no answer can come in between.
    answered = set(
        Response.objects.filter(invitation__in=moved).values_list("invitation_id", flat=True)
    )
    before = [invitation_key(row, answered=row.pk in answered) for row in moved]
    for row in moved:
        row.invited_on = local_day(row.invited_at)
    Invitation.objects.bulk_update(moved, ["invited_on"], batch_size=ROWS_PER_INSERT)
    _write_moves(before, [invitation_key(row, answered=row.pk in answered) for row in moved])


def _write_moves(before: Iterable[CubeKey], after: Iterable[CubeKey]) -> None:
    write_changes([*((key, -1) for key in before), *((key, +1) for key in after)])


def _count_from_scratch() -> None:
    cube, columns = DayCube._meta.db_table, ", ".join(CUBE_KEY)
    places = (
        "COALESCE({0}.touchpoint_id, 0), COALESCE({0}.product_id, 0), "
        "COALESCE({0}.category_id, 0), {0}.channel, {0}.customer_type"
    )
    responses = Response._meta.db_table
    invitations = Invitation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {cube} ({columns}, n) "  # noqa: S608
            f"SELECT r.scale, r.answered_on, r.value, {places.format('r')}, r.reason, COUNT(*) "
            f"FROM {responses} r GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
        )
        cursor.execute(
            f"INSERT INTO {cube} ({columns}, n) "  # noqa: S608
            f"SELECT %s, i.invited_on, CASE WHEN r.id IS NULL THEN 0 ELSE 1 END, "
            f"{places.format('i')}, '', COUNT(*) "
            f"FROM {invitations} i LEFT JOIN {responses} r ON r.invitation_id = i.id "
            f"GROUP BY 2, 3, 4, 5, 6, 7, 8",
            [INVITED],
        )
        for dimension in DIMENSIONS:
            _sum_cube(cursor, dimension)


def key_sql(dimension: str) -> str:
    """Return the SQL of a dimension's key in the columns of the cube: text, empty for none."""
    column = DIMENSIONS[dimension]
    if column is None:
        return "''"
    if column.endswith("_id"):
        return f"CASE WHEN {column} = 0 THEN '' ELSE CAST({column} AS TEXT) END"
    return column


def _sum_cube(cursor: Any, dimension: str) -> None:
    cursor.execute(
        f"INSERT INTO {Tally._meta.db_table} (dimension, key, measure, day, value, n) "  # noqa: S608
        f"SELECT %s, {key_sql(dimension)}, measure, day, value, SUM(n) "
        f"FROM {DayCube._meta.db_table} GROUP BY 2, 3, 4, 5",
        [dimension],
    )


def _touch_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TouchedSlice._meta.db_table} (dimension, key, measure, day) "  # noqa: S608
            f"SELECT DISTINCT dimension, key, measure, day FROM {Tally._meta.db_table} "
            "ORDER BY 1, 2, 3, 4"
        )


def as_date(value: date | str) -> date:
    """Return a day from a raw row: SQLite keeps days as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def local_day(at: datetime) -> date:
    """Return the organisation's calendar day of a moment."""
    return timezone.localdate(at, timezone.get_default_timezone())
