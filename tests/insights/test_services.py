"""KPIs kept per period, the record of jobs, and the first login."""

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection, connections, transaction

from feedback import queries as feedback
from feedback import tallies
from feedback.models import TouchedSlice
from feedback.services import edit_response
from insights import services
from insights.kpis import KPIS, figure
from insights.models import JobRun, KpiSnapshot
from insights.queries import kpi_rows
from insights.services import compute_kpis, freeze_periods
from tests.insights.makers import (
    NOW,
    TODAY,
    answer,
    ask,
    give,
    local,
    make_category,
    make_product,
    make_touchpoint,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Everything above is closed by then.
LATER = local(date(2027, 3, 1))


def count(at=NOW) -> int:
    """Fold and compute, as the sweep does."""
    tallies.fold_all()
    return compute_kpis(at)


def snapshot(period: str, start: date, dimension: str = "", key: str = "", kpi: str = "nps"):
    return KpiSnapshot.objects.get(
        kpi=kpi, period=period, start_on=start, dimension=dimension, key=key
    )


def everything() -> list[dict]:
    """All snapshots, without their ids and the moment they were looked at."""
    rows = KpiSnapshot.objects.order_by("kpi", "period", "start_on", "dimension", "key").values()
    return [
        {name: value for name, value in row.items() if name not in {"id", "computed_at"}}
        for row in rows
    ]


def refreshed(at) -> set[tuple[str, str, str, str, str]]:
    """The snapshots that were looked at at a moment."""
    rows = KpiSnapshot.objects.filter(computed_at=at)
    return {(row.kpi, row.period, str(row.start_on), row.dimension, row.key) for row in rows}


# -- Computing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_day_week_and_month_of_an_answer_are_kept_with_their_counts():
    give("nps", [9, 9, 3], on=date(2026, 6, 30))
    count()
    wholes = KpiSnapshot.objects.filter(dimension="").order_by("start_on", "period")
    assert [
        (row.period, str(row.start_on), str(row.end_on), row.n, row.counts) for row in wholes
    ] == [
        ("month", "2026-06-01", "2026-07-01", 3, {"promoters": 2, "passives": 0, "detractors": 1}),
        ("week", "2026-06-29", "2026-07-06", 3, {"promoters": 2, "passives": 0, "detractors": 1}),
        ("day", "2026-06-30", "2026-07-01", 3, {"promoters": 2, "passives": 0, "detractors": 1}),
    ]
    assert {(row.time_zone, row.definition_version, row.frozen_at) for row in wholes} == {
        ("Europe/Amsterdam", KPIS["nps"].version, None)
    }


@pytest.mark.django_db
def test_only_touched_slices_are_refreshed():
    phones, mats = make_category(), make_category()
    give("nps", [9], on=date(2026, 6, 29), category=phones, channel="web")
    give("nps", [9], on=date(2026, 6, 30), category=mats, channel="web")
    give("thumb", [1], on=date(2026, 6, 30), category=phones, channel="web")
    count()
    give("nps", [3], on=date(2026, 6, 30), category=phones, channel="email", reason="fun")
    later = NOW + HOUR
    count(later)
    periods = [("day", "2026-06-30"), ("week", "2026-06-29"), ("month", "2026-06-01")]
    slices = [
        ("", ""),
        ("category", str(phones.pk)),
        ("channel", "email"),
        # An answer without a product counts among those without one.
        ("product", ""),
        ("touchpoint", ""),
        ("customer_type", ""),
    ]
    assert refreshed(later) == {("nps", *period, *place) for period in periods for place in slices}


@pytest.mark.django_db
def test_a_reason_is_a_distribution_and_no_kpi_is_kept_of_it():
    give("thumb", [0], reason="too_often")
    count()
    assert not KpiSnapshot.objects.filter(dimension="reason").exists()
    assert not TouchedSlice.objects.exists()


@pytest.fixture
def busy() -> None:
    """Answers of all kinds over a month, invitations, and some edits."""
    rnd = random.Random(11)
    categories = [make_category() for _ in range(3)]
    products = [make_product(category=category) for category in categories]
    touchpoint = make_touchpoint()
    for _ in range(15):
        given = give(
            *rnd.choice([("nps", [9, 5]), ("thumb", [1, 0]), ("csat", [5, 3]), ("ces", [7, 1])]),
            on=TODAY - timedelta(days=rnd.randrange(30)),
            category=rnd.choice([None, *categories]),
            product=rnd.choice([None, *products]),
            touchpoint=rnd.choice([None, touchpoint]),
            channel=rnd.choice(["", "web", "email"]),
            customer_type=rnd.choice(["", "regular"]),
        )
        if given[0].scale == "nps" and rnd.random() < 0.5:
            edit_response(response_id=given[0].pk, value=2, now=NOW)
    for days_ago in (0, 20):
        answer(ask(5, on=TODAY - timedelta(days=days_ago), category=categories[0])[:2])


def read_again(row: KpiSnapshot) -> dict[str, int]:
    """The same counts by the way of the pages."""
    name = feedback.labels(row.dimension, [row.key])[row.key].key if row.dimension else ""
    where = {row.dimension: name} if row.dimension else {}
    [found] = kpi_rows(row.kpi, row.start_on, row.end_on, where=where)
    return dict(found.figure.counts)


@pytest.mark.django_db
@pytest.mark.usefixtures("busy")
def test_what_is_kept_equals_what_pages_read():
    count()
    rows = list(KpiSnapshot.objects.all())
    assert {row.kpi for row in rows} == set(KPIS)
    assert {row.dimension for row in rows} == {"", *feedback.SLICES}
    for row in rows:
        assert row.counts == read_again(row), row
        assert row.n == sum(row.counts.values())


@pytest.mark.django_db
@pytest.mark.usefixtures("busy")
def test_a_second_time_there_is_nothing_to_do():
    assert count() > 0
    before = everything()
    assert count(NOW + HOUR) == 0
    assert everything() == before
    assert refreshed(NOW + HOUR) == set()


@pytest.mark.django_db
@pytest.mark.usefixtures("busy")
def test_looking_again_at_everything_changes_nothing():
    tallies.fold_all()
    touched = list(TouchedSlice.objects.values("dimension", "key", "measure", "day"))
    compute_kpis(NOW)
    before = everything()
    TouchedSlice.objects.bulk_create(TouchedSlice(**row) for row in [*touched, *touched[::2]])
    compute_kpis(NOW + HOUR)
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("busy")
def test_small_batches_give_what_a_large_one_gives(monkeypatch):
    tallies.fold_all()
    touched = list(TouchedSlice.objects.values("dimension", "key", "measure", "day"))
    compute_kpis(NOW)
    before = everything()
    KpiSnapshot.objects.all().delete()
    random.Random(5).shuffle(touched)
    TouchedSlice.objects.bulk_create(TouchedSlice(**row) for row in touched)
    monkeypatch.setattr(services, "TOUCHED_BATCH", 37)
    assert compute_kpis(NOW) == len(touched)
    assert everything() == before


@pytest.mark.django_db
def test_answers_not_folded_yet_are_left_to_the_next_fold():
    give("nps", [9])
    tallies.fold_all()
    give("nps", [9, 9])
    compute_kpis(NOW)
    assert snapshot("day", TODAY).n == 1
    count()
    assert snapshot("day", TODAY).n == 3


@pytest.mark.django_db
def test_a_batch_that_fails_midway_loses_nothing():
    give("nps", [9], channel="web")
    tallies.fold_all()
    waiting = TouchedSlice.objects.count()
    # Of a measure that nobody knows: what comes before it in the batch is computed first.
    poison = TouchedSlice.objects.create(dimension="", key="", measure="mood", day=TODAY)
    with pytest.raises(KeyError):
        compute_kpis(NOW)
    assert not KpiSnapshot.objects.exists()
    assert TouchedSlice.objects.count() == waiting + 1
    poison.delete()
    assert compute_kpis(NOW) == waiting
    assert snapshot("month", date(2026, 11, 1), "channel", "web").n == 1


@pytest.mark.django_db
def test_refreshing_takes_the_same_queries_however_much_was_touched(django_assert_num_queries):
    """Per dimension: read the tallies, read what is known, write it anew."""
    for products in ([make_product()], [make_product() for _ in range(3)]):
        for product in products:
            give("nps", [9], product=product)
        count()
        for product in products:
            give("nps", [9] * 10, product=product)
        tallies.fold_all()
        with django_assert_num_queries(COMPUTE_QUERIES[connection.vendor]):
            compute_kpis(NOW)


# PostgreSQL takes a lock in each of the two transactions, the second of which finds nothing.
COMPUTE_QUERIES = {"sqlite": 24, "postgresql": 26}


# -- Freezing ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "kind", "frozen"),
    [
        pytest.param(date(2026, 11, 24), "day", False, id="today"),
        pytest.param(date(2026, 11, 23), "day", False, id="yesterday may still be changed"),
        pytest.param(date(2026, 11, 22), "day", True, id="the day before is closed"),
        pytest.param(date(2026, 11, 23), "week", False, id="this week"),
        pytest.param(date(2026, 11, 16), "week", True, id="last week, closed since Monday"),
        pytest.param(date(2026, 11, 1), "month", False, id="this month"),
        pytest.param(date(2026, 10, 1), "month", True, id="last month"),
    ],
)
def test_only_closed_periods_are_frozen(start, kind, frozen):
    """On Tuesday the 24th."""
    give("nps", [9], on=start)
    tallies.fold_all()
    freeze_periods(NOW)
    assert snapshot(kind, start).frozen_at == (NOW if frozen else None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "frozen"),
    [
        pytest.param(local(date(2026, 11, 23), 23, 59), False, id="before midnight"),
        pytest.param(local(date(2026, 11, 24), 0, 0), True, id="after midnight in Amsterdam"),
    ],
)
def test_the_day_of_the_freeze_is_that_of_the_shop(now, frozen):
    give("nps", [9], on=date(2026, 11, 22))
    tallies.fold_all()
    freeze_periods(now)
    assert bool(snapshot("day", date(2026, 11, 22)).frozen_at) is frozen


@pytest.mark.django_db
def test_freezing_counts_first_what_was_folded_in_time():
    give("nps", [9], on=date(2026, 6, 1))
    tallies.fold_all()
    assert freeze_periods(NOW) > 0
    row = snapshot("month", date(2026, 6, 1))
    assert (row.n, row.frozen_at, row.corrected_at) == (1, NOW, None)


@pytest.mark.django_db
def test_freezing_twice_changes_nothing():
    give("nps", [9], on=date(2026, 6, 1))
    tallies.fold_all()
    assert freeze_periods(NOW) == 18  # three periods of the whole and five dimensions
    before = everything()
    assert freeze_periods(NOW + DAY) == 0
    assert everything() == before


@pytest.fixture
def frozen_june() -> Iterator[list]:
    """Three answers on 10 June, and June is closed."""
    responses = give("nps", [9, 9, 3], on=date(2026, 6, 10), channel="web")
    tallies.fold_all()
    freeze_periods(NOW)
    return responses


JUNE = date(2026, 6, 1)
THREE = {"promoters": 2, "passives": 0, "detractors": 1}


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
@pytest.mark.parametrize(("dimension", "key"), [("", ""), ("channel", "web")])
def test_a_late_answer_is_a_marked_correction(dimension, key):
    give("nps", [8], on=date(2026, 6, 11), channel="web")
    count(LATER)
    row = snapshot("month", JUNE, dimension, key)
    assert (row.counts, row.n, row.frozen_at) == (THREE, 3, NOW)
    assert row.corrected_counts == {"promoters": 2, "passives": 1, "detractors": 1}
    assert row.corrected_at == LATER
    untouched = snapshot("day", date(2026, 6, 10), dimension, key)
    assert (untouched.corrected_counts, untouched.corrected_at) == (None, None)


@pytest.mark.django_db
def test_a_correction_that_is_taken_back_is_cleared(frozen_june):
    edit_response(response_id=frozen_june[0].pk, value=2, now=NOW)
    count(LATER)
    row = snapshot("month", JUNE)
    assert row.counts == THREE
    assert row.corrected_counts == {"promoters": 1, "passives": 0, "detractors": 2}
    edit_response(response_id=frozen_june[0].pk, value=10, now=NOW)
    count(LATER + HOUR)
    row = snapshot("month", JUNE)
    assert (row.counts, row.corrected_counts, row.corrected_at) == (THREE, None, None)
    assert not KpiSnapshot.objects.exclude(corrected_counts__isnull=True).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_a_correction_keeps_its_moment_until_the_counts_change_again():
    give("nps", [8], on=date(2026, 6, 11), channel="web")
    count(LATER)
    # The same slices once more: a rebuild touches everything.
    TouchedSlice.objects.create(dimension="", key="", measure="nps", day=date(2026, 6, 11))
    compute_kpis(LATER + HOUR)
    assert snapshot("month", JUNE).corrected_at == LATER
    give("nps", [8], on=date(2026, 6, 12))
    count(LATER + DAY)
    assert snapshot("month", JUNE).corrected_at == LATER + DAY


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_a_slice_that_had_no_answers_when_its_period_closed_is_corrected_too():
    give("nps", [9], on=date(2026, 6, 10), channel="phone")
    count(LATER)
    for kind, start in (("day", date(2026, 6, 10)), ("month", JUNE)):
        row = snapshot(kind, start, "channel", "phone")
        assert (row.n, set(row.counts.values()), row.frozen_at) == (0, {0}, NOW)
        assert row.corrected_counts == {"promoters": 1, "passives": 0, "detractors": 0}
        assert (row.corrected_at, row.time_zone) == (LATER, "Europe/Amsterdam")


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_a_new_slice_of_an_open_period_is_an_ordinary_one():
    give("nps", [9], on=TODAY, channel="phone")
    count(LATER)
    row = snapshot("month", date(2026, 11, 1), "channel", "phone")
    assert (row.n, row.frozen_at, row.corrected_at) == (1, None, None)


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_history_that_comes_in_later_is_no_correction_of_a_period_nobody_saw():
    """May had no answers at all, so nothing about it was frozen."""
    give("nps", [9], on=date(2026, 5, 10), channel="web")
    count(LATER)
    row = snapshot("month", date(2026, 5, 1), "channel", "web")
    assert (row.n, row.frozen_at, row.corrected_at) == (1, None, None)


@pytest.mark.django_db
def test_a_frozen_period_keeps_its_definition():
    give("nps", [9], on=date(2026, 6, 10))
    tallies.fold_all()
    compute_kpis(NOW)
    KpiSnapshot.objects.update(definition_version=7)
    freeze_periods(NOW)
    give("nps", [9], on=date(2026, 6, 10))
    count(LATER)
    assert snapshot("month", JUNE).definition_version == 7


@pytest.mark.django_db
def test_an_open_period_follows_the_definition():
    give("nps", [9])
    count()
    KpiSnapshot.objects.update(definition_version=7)
    give("nps", [9])
    count()
    assert snapshot("day", TODAY).definition_version == KPIS["nps"].version


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_a_period_frozen_in_another_time_zone_is_not_compared(settings):
    settings.TIME_ZONE = "America/New_York"
    give("nps", [8], on=date(2026, 6, 11), channel="web")
    give("nps", [8], on=TODAY)
    count(LATER)
    row = snapshot("month", JUNE)
    assert (row.counts, row.corrected_at, row.time_zone) == (THREE, None, "Europe/Amsterdam")
    assert snapshot("day", TODAY).time_zone == "America/New_York"


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_june")
def test_a_kept_kpi_is_read_through_the_one_formula():
    give("nps", [9] * 30, on=date(2026, 6, 11), channel="web")
    count(LATER)
    [row] = kpi_rows("nps", JUNE, date(2026, 7, 1))
    assert row.frozen.figure == figure(KPIS["nps"], THREE)
    assert row.figure.n == 33


# -- At the same time --------------------------------------------------------------------------


def in_a_thread(work) -> Thread:
    """Run with a connection of its own, as another worker would."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    return thread


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def wait_until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_a_worker_counts_during_the_freeze_is_a_correction():
    """The freeze has March and waits for January; the worker saw March while it was still live."""
    january, march = date(2026, 1, 5), date(2026, 3, 5)
    for day in (march, january):
        give("nps", [9], on=day)
        count()

    with transaction.atomic():
        list(KpiSnapshot.objects.select_for_update().filter(start_on__lte=january))
        freeze = in_a_thread(lambda: freeze_periods(NOW))
        wait_until(lambda: waiting_for_a_lock() == 1)
        late = in_a_thread(lambda: [give("nps", [9], on=march), count(NOW + HOUR)])
        wait_until(lambda: not late.is_alive() or waiting_for_a_lock() == 2)
    freeze.join(10)
    late.join(10)

    row = snapshot("day", march)
    assert (row.n, row.frozen_at) == (1, NOW)
    assert row.corrected_counts == {"promoters": 2, "passives": 0, "detractors": 0}


# -- The record of jobs ------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_last_run_of_a_job_stands_in_its_one_row():
    services.record_job(name="fold", seconds=0.25, error="")
    services.record_job(name="fold", seconds=2, error="OperationalError")
    services.record_job(name="sweep", seconds=1, error="")
    run = JobRun.objects.get(name="fold")
    assert (run.milliseconds, run.succeeded, run.error) == (2_000, False, "OperationalError")
    assert (run.runs, run.failures) == (2, 1)
    assert run.finished_at - run.started_at == timedelta(seconds=2)
    assert JobRun.objects.count() == 2


# -- The first administrator -------------------------------------------------------------------

PERSON = {"email": "Kim@Example.org", "password": "a long enough password", "name": "Kim"}


def token() -> str:
    return services.set_up_link().rstrip("/").rpartition("/")[2]


@pytest.mark.django_db
def test_the_link_is_good_until_somebody_can_sign_in():
    made = token()
    assert services.check_set_up_token(made)
    user = services.create_first_administrator(**PERSON)
    assert (user.email, user.username, user.is_staff) == (
        "kim@example.org",
        "kim@example.org",
        True,
    )
    assert [group.name for group in user.groups.all()] == ["administrator"]
    assert not services.check_set_up_token(made)
    assert services.set_up_link() is None


@pytest.mark.django_db
def test_there_is_one_first_administrator():
    services.create_first_administrator(**PERSON)
    with pytest.raises(services.AlreadySetUp, match="ask a colleague"):
        services.create_first_administrator(**{**PERSON, "email": "second@example.org"})
    assert User.objects.count() == 1


class Yesterday(signing.TimestampSigner):
    """Signs as if it were some days ago."""

    days = 0

    def timestamp(self) -> str:
        now = signing.b62_decode(super().timestamp())
        return signing.b62_encode(now - self.days * 24 * 3600)


def signed(days_ago: float = 0, **given) -> str:
    given = {"key": "current", "salt": services.SET_UP_SALT} | given
    signer = Yesterday(**given)
    signer.days = days_ago
    return signer.sign("first-administrator")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("made", "good"),
    [
        pytest.param(signed, True, id="today"),
        pytest.param(lambda: signed(days_ago=6), True, id="six days old"),
        pytest.param(lambda: signed(days_ago=8), False, id="eight days old"),
        pytest.param(lambda: signed(key="older"), True, id="of the key before"),
        pytest.param(lambda: signed(key="dropped"), False, id="of a key that was dropped"),
        pytest.param(lambda: signed(salt="rating.v1"), False, id="made for something else"),
        pytest.param(lambda: signed()[:-1], False, id="cut off"),
        pytest.param(lambda: "", False, id="empty"),
    ],
)
def test_a_link_is_as_good_as_its_signature(settings, made, good):
    settings.LINK_KEYS = ["current", "older"]
    assert services.check_set_up_token(made()) is good
