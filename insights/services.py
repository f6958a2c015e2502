"""Keeping KPIs per standard period, noting how jobs went, and setting up the first login."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from feedback import queries as feedback
from feedback import services as feedback_services
from insights.accounts import Role
from insights.kpis import KPIS, Kpi
from insights.models import JobRun, KpiSnapshot, PeriodKind
from insights.periods import enclosing

logger = logging.getLogger(__name__)

# Answers may be changed for 24 hours, so a period is closed one whole day after its last.
CLOSING_DAYS = 1

# Touched slices taken at a time: a fraction of a second, so that nobody waits for the database.
TOUCHED_BATCH = 500

# Any number that nothing else in this database locks.
SNAPSHOT_LOCK = 20_260_601

BY_MEASURE = {kpi.measure: kpi for kpi in KPIS.values()}

# The same days come back for every slice.
_period = lru_cache(maxsize=10_000)(enclosing)


# -- KPIs per standard period -------------------------------------------------------------------


class Slot(NamedTuple):
    """The identity of a KpiSnapshot."""

    kpi: str
    period: str
    start_on: date
    end_on: date
    dimension: str
    key: str


def compute_kpis(now: datetime) -> int:
    """Bring the KPIs of all touched slices up to date; return how many were looked at."""
    total = 0
    while looked_at := _compute_batch(now):
        total += looked_at
    return total


def _compute_batch(now: datetime) -> int:
    with transaction.atomic():
        _one_at_a_time()
        touched = feedback_services.take_touched(TOUCHED_BATCH)
        for (measure, dimension), days in _grouped(touched).items():
            _refresh(BY_MEASURE[measure], dimension, days, now)
    return len(touched)


def _one_at_a_time() -> None:
    """Wait until nobody else writes snapshots, and keep others waiting until the commit.

    A period that is frozen while a worker counts it would otherwise change silently. SQLite has
    one writer, which this transaction already is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SNAPSHOT_LOCK])


def _grouped(
    touched: Iterable[tuple[str, str, str, date]],
) -> dict[tuple[str, str], set[tuple[str, date]]]:
    """Group touched days by measure and dimension; a reason is no slice and has no KPI."""
    groups: dict[tuple[str, str], set[tuple[str, date]]] = defaultdict(set)
    for dimension, key, measure, day in touched:
        if dimension == "" or dimension in feedback.SLICES:
            groups[measure, dimension].add((key, day))
    return groups


def _refresh(kpi: Kpi, dimension: str, days: set[tuple[str, date]], now: datetime) -> None:
    slots = {
        Slot(kpi.key, kind, period.start, period.end, dimension, key)
        for key, day in days
        for kind in PeriodKind.values
        for period in [_period(day, kind)]
    }
    counts = _count(kpi, dimension, slots)
    known = _known(kpi, dimension, slots)
    rows = known | _new(kpi, slots - known.keys())
    _store([_updated(rows[slot], counts[slot], now) for slot in slots])


def _count(kpi: Kpi, dimension: str, slots: set[Slot]) -> dict[Slot, dict[str, int]]:
    """Count all slots from one read of the tallies."""
    span = feedback.Span(kpi.measure, min(s.start_on for s in slots), max(s.end_on for s in slots))
    values: dict[Slot, dict[int, int]] = {slot: defaultdict(int) for slot in slots}
    for row in feedback.counts_by_key(span, dimension, {slot.key for slot in slots}):
        assert row.day is not None  # noqa: S101  (read per day and key)
        for kind in PeriodKind.values:
            period = _period(row.day, kind)
            slot = Slot(kpi.key, kind, period.start, period.end, dimension, row.key or "")
            if slot in values:
                values[slot][row.value] += row.n
    return {slot: kpi.counts_from_values(found) for slot, found in values.items()}


def _known(kpi: Kpi, dimension: str, slots: set[Slot]) -> dict[Slot, KpiSnapshot]:
    rows = KpiSnapshot.objects.filter(
        kpi=kpi.key,
        dimension=dimension,
        key__in={slot.key for slot in slots},
        start_on__gte=min(slot.start_on for slot in slots),
        end_on__lte=max(slot.end_on for slot in slots),
    )
    return {
        Slot(row.kpi, row.period, row.start_on, row.end_on, row.dimension, row.key): row
        for row in rows
    }


def _new(kpi: Kpi, slots: set[Slot]) -> dict[Slot, KpiSnapshot]:
    """Return an empty row for each slot, live unless its period is frozen already.

    Then the slice had no answers when the period was closed, and what it has now is a correction.
    A period that had no answers at all is not frozen: history may still be imported.
    """
    if not slots:
        return {}
    frozen = KpiSnapshot.objects.filter(
        kpi=kpi.key,
        dimension="",
        frozen_at__isnull=False,
        start_on__gte=min(slot.start_on for slot in slots),
        start_on__lte=max(slot.start_on for slot in slots),
    )
    wholes = {(whole.period, whole.start_on): whole for whole in frozen}
    return {slot: _empty(kpi, slot, wholes.get((slot.period, slot.start_on))) for slot in slots}


def _empty(kpi: Kpi, slot: Slot, whole: KpiSnapshot | None) -> KpiSnapshot:
    row = KpiSnapshot(
        kpi=slot.kpi,
        period=slot.period,
        start_on=slot.start_on,
        end_on=slot.end_on,
        dimension=slot.dimension,
        key=slot.key,
        counts=kpi.counts_from_values({}),
        n=0,
    )
    if whole is not None:
        row.frozen_at = whole.frozen_at
        row.definition_version = whole.definition_version
        row.time_zone = whole.time_zone
    return row


def _updated(row: KpiSnapshot, counts: dict[str, int], now: datetime) -> KpiSnapshot:
    """Return the row as it should be: live rows follow the counts, frozen ones note a correction.

    A period frozen in another time zone has other days, so nothing is compared with it.
    """
    if row.frozen_at is None:
        row.counts, row.n = counts, sum(counts.values())
        row.definition_version = KPIS[row.kpi].version
        row.time_zone = settings.TIME_ZONE
    elif row.time_zone == settings.TIME_ZONE:
        correction = counts if counts != row.counts else None
        if correction != row.corrected_counts:
            row.corrected_counts = correction
            row.corrected_at = now if correction else None
    row.computed_at = now
    return row


def _store(rows: list[KpiSnapshot]) -> None:
    """Insert the new rows and overwrite the known ones, by what they are about and not by id."""
    for row in rows:
        row.pk = None
    KpiSnapshot.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["kpi", "period", "dimension", "key", "start_on"],
        update_fields=[
            "counts",
            "n",
            "definition_version",
            "time_zone",
            "computed_at",
            "corrected_counts",
            "corrected_at",
        ],
    )


def freeze_periods(now: datetime) -> int:
    """Freeze the KPIs of all closed periods; return how many rows that were.

    What was folded before is counted first, so that a frozen row holds all that came in time.
    """
    compute_kpis(now)
    today = timezone.localdate(now, timezone.get_default_timezone())
    with transaction.atomic():
        _one_at_a_time()
        return KpiSnapshot.objects.filter(
            frozen_at__isnull=True, end_on__lte=today - timedelta(days=CLOSING_DAYS)
        ).update(frozen_at=now)


# -- Jobs -----------------------------------------------------------------------------------------


def record_job(*, name: str, seconds: float, error: str) -> None:
    """Note how a job went, for the jobs page; `error` is the name of what went wrong, or empty."""
    finished = timezone.now()
    facts = {
        "started_at": finished - timedelta(seconds=seconds),
        "finished_at": finished,
        "milliseconds": round(seconds * 1000),
        "succeeded": not error,
        "error": error,
    }
    JobRun.objects.get_or_create(name=name, defaults=facts)
    JobRun.objects.filter(name=name).update(
        runs=F("runs") + 1, failures=F("failures") + int(bool(error)), **facts
    )


# -- The first administrator ----------------------------------------------------------------------

SET_UP_SALT = "insights.setup.v1"
SET_UP_DAYS = 7


class AlreadySetUp(ValueError):
    """Somebody can sign in already, so the set-up link is void."""

    def __init__(self) -> None:
        super().__init__(
            "This installation already has a login. Sign in, or ask a colleague who can."
        )


def set_up_link() -> str | None:
    """Return the link that makes the first administrator, or None once anybody can sign in."""
    if User.objects.exists():
        return None
    token = _set_up_signer().sign("first-administrator")
    return settings.BASE_URL + reverse("set_up", args=[token])


def check_set_up_token(token: str) -> bool:
    """Return whether the link was made here, is younger than a week, and is not used up."""
    try:
        _set_up_signer().unsign(token, max_age=timedelta(days=SET_UP_DAYS))
    except signing.BadSignature:
        return False
    return not User.objects.exists()


def create_first_administrator(*, email: str, password: str, name: str) -> User:
    """Create the first login, with all rights; raises AlreadySetUp if there is one."""
    with transaction.atomic():
        # The group rows serve as the lock: two people with the link get one administrator.
        administrators = Group.objects.select_for_update().get(name=Role.ADMINISTRATOR)
        if User.objects.exists():
            raise AlreadySetUp
        user = User.objects.create_superuser(
            username=email.lower(), email=email.lower(), password=password, first_name=name
        )
        user.groups.add(administrators)
    return user


def assign_role(user: User, role: Role) -> None:
    """Give a login this role and no other; administrators, and they alone, may do everything."""
    with transaction.atomic():
        user.groups.set([Group.objects.get(name=role)])
        user.is_staff = user.is_superuser = role is Role.ADMINISTRATOR
        user.save(update_fields=["is_staff", "is_superuser"])


def _set_up_signer() -> signing.TimestampSigner:
    current, *older = settings.LINK_KEYS
    return signing.TimestampSigner(key=current, fallback_keys=[*older], salt=SET_UP_SALT)
