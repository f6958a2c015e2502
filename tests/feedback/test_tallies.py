"""Folding and rebuilding, one rule at a time; test_counting_machine.py mixes them at random."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from feedback import queries, tallies, tasks
from feedback.models import (
    CUBE_KEY,
    CountingState,
    DayCube,
    Invitation,
    Response,
    ResponseChange,
    Tally,
    TouchedSlice,
)
from feedback.services import add_responses, edit_response, submit_response, take_touched
from tests.feedback.recount import (
    check_counts,
    check_folded,
    folded_slices,
    touched_slices,
)
from tests.makers import (
    NOW,
    TODAY,
    an_answer,
    make_category,
    make_customer,
    make_invitation,
    make_product,
    make_touchpoint,
)

# A rebuild on PostgreSQL sets the isolation of its own transaction, so it needs to begin one.
rebuilding = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def give_a_few() -> None:
    """Store answers and invitations that differ in every dimension."""
    invitation = make_invitation(channel="email", customer_type="regular")
    make_invitation(product=make_product())
    add_responses(
        [
            an_answer(touchpoint=make_touchpoint(), channel="email", invitation=invitation),
            an_answer(product=make_product(category=make_category()), value=3, reason="effort"),
            an_answer(customer=make_customer(customer_type="lapsed"), value=3),
            an_answer(scale="thumb", value=1, answered_at=NOW - timedelta(days=1)),
            an_answer(),
            an_answer(),
        ]
    )


def the_version() -> int:
    return CountingState.objects.get().version


# -- Keys ---------------------------------------------------------------------------------------


def test_a_cube_key_has_the_fields_of_its_columns_in_their_order():
    assert list(tallies.CubeKey._fields) == CUBE_KEY


def test_a_tally_is_kept_under_its_dimension_first():
    """The order of the unique key is that of its index: a trend reads neighbouring rows."""
    (unique,) = Tally._meta.constraints
    assert list(unique.fields) == ["dimension", "key", "measure", "day", "value"]


@pytest.mark.parametrize(
    ("dimension", "key"),
    [
        ("", ""),
        ("touchpoint", "7"),
        ("product", ""),
        ("category", "3"),
        ("channel", "web"),
        ("customer_type", ""),
        ("reason", "fun"),
    ],
)
def test_a_place_in_the_cube_belongs_to_one_tally_of_each_dimension(dimension, key):
    place = tallies.CubeKey("nps", TODAY, 9, 7, 0, 3, "web", "", "fun")
    assert tallies.marginal_key(dimension, place) == (dimension, key, "nps", TODAY, 9)


# -- Folding --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_folding_moves_every_change_and_no_count():
    give_a_few()
    before = check_counts()
    assert tallies.fold_all() == 6 + 2 + 2  # answers, invitations, one silent and then answered
    check_folded()
    assert check_counts() == before


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 11])
def test_a_fold_takes_at_most_its_limit(limit):
    give_a_few()
    folded = []
    while n := tallies.fold(limit):
        folded.append(n)
        check_counts()
    assert sum(folded) == 10
    assert max(folded) <= limit
    check_folded()


@pytest.mark.django_db
def test_a_fold_of_nothing_changes_nothing():
    give_a_few()
    tallies.fold_all()
    before = queries.version()
    assert tallies.fold() == 0
    assert tallies.fold_all() == 0
    assert queries.version() == before


@pytest.mark.django_db
def test_the_oldest_changes_are_folded_first():
    add_responses([an_answer(value=1), an_answer(value=2), an_answer(value=3)])
    tallies.fold(2)
    assert list(ResponseChange.objects.values_list("value", flat=True)) == [3]


@pytest.mark.django_db
def test_what_cancels_out_leaves_no_row():
    response, _ = submit_response(an_answer(value=3))
    edit_response(response_id=response.pk, value=9, now=NOW)
    tallies.fold_all()
    assert list(DayCube.objects.values_list("value", "n")) == [(9, 1)]


@pytest.mark.django_db
def test_an_edit_that_is_folded_later_moves_the_count():
    response, _ = submit_response(an_answer(value=3))
    tallies.fold_all()
    edit_response(response_id=response.pk, value=9, now=NOW)
    tallies.fold_all()
    check_folded()
    assert dict(DayCube.objects.values_list("value", "n")) == {3: 0, 9: 1}


@pytest.mark.django_db
def test_more_rows_than_fit_one_statement_are_folded(monkeypatch):
    monkeypatch.setattr(tallies, "ROWS_PER_INSERT", 3)
    give_a_few()
    tallies.fold_all()
    check_folded()


@pytest.mark.django_db
def test_the_number_of_statements_of_a_fold_does_not_grow(django_assert_num_queries):
    add_responses([an_answer()])
    tallies.fold_all()
    add_responses([an_answer()])
    with django_assert_num_queries(FOLD_QUERIES):
        tallies.fold()
    add_responses([an_answer(value=value) for value in (1, 2, 3)])
    with django_assert_num_queries(FOLD_QUERIES):
        tallies.fold()


FOLD_QUERIES = 9  # with a savepoint in the place of the transaction


@pytest.mark.django_db
def test_a_fold_says_which_slices_of_which_days_it_touched():
    give_a_few()
    tallies.fold_all()
    assert set(touched_slices()) == set(folded_slices())


@pytest.mark.django_db
def test_each_touched_slice_is_taken_once():
    give_a_few()
    tallies.fold_all()
    waiting = list(touched_slices())
    taken = []
    while batch := take_touched(5):
        assert len(batch) <= 5
        taken += batch
    assert sorted(taken) == sorted(waiting)
    assert not TouchedSlice.objects.exists()


# -- Rebuilding -----------------------------------------------------------------------------------


@rebuilding
def test_a_rebuild_changes_nothing():
    give_a_few()
    tallies.fold(4)
    before = check_counts()
    assert tallies.rebuild() == 6
    check_folded()
    assert check_counts() == before
    assert tallies.rebuild() == 6
    assert check_counts() == before


@rebuilding
def test_a_rebuild_mends_what_is_wrong():
    give_a_few()
    tallies.fold_all()
    DayCube.objects.filter(measure="nps").delete()
    Tally.objects.filter(dimension="channel").update(n=100)
    ResponseChange.objects.create(measure="nps", day=TODAY, value=9, n=1)
    with pytest.raises(AssertionError):
        check_counts()
    tallies.rebuild()
    check_folded()


@rebuilding
def test_a_rebuild_of_nothing_leaves_nothing():
    DayCube.objects.create(measure="nps", day=TODAY, value=9, n=4)
    assert tallies.rebuild() == 0
    check_folded()


@rebuilding
def test_a_rebuild_touches_what_is_counted_and_what_no_longer_is():
    give_a_few()
    tallies.fold_all()
    Tally.objects.create(
        dimension="channel", key="sms", measure="nps", day=date(2026, 1, 1), value=9, n=4
    )
    was = set(folded_slices())
    TouchedSlice.objects.all().delete()
    tallies.rebuild()
    assert set(touched_slices()) == was
    assert set(folded_slices()) < was


@rebuilding
def test_a_rebuild_is_a_new_version():
    give_a_few()
    before = queries.version()
    tallies.rebuild()
    assert queries.version() != before


@rebuilding
def test_the_command_rebuilds_and_says_how_many_answers(capsys):
    give_a_few()
    call_command("rebuild_tallies", json=True)
    assert capsys.readouterr().out == '{"answers": 6}\n'
    check_folded()


# -- Time zones -----------------------------------------------------------------------------------

# A moment that is on another day in Amsterdam than in Auckland.
EVENING = datetime(2026, 6, 30, 20, tzinfo=UTC)


def ask_and_answer() -> None:
    """Leave a silent invitation, an answered one and a folded and an unfolded answer."""
    make_invitation(invited_at=EVENING)
    answered = make_invitation(invited_at=EVENING)
    add_responses([an_answer(answered_at=EVENING)])
    tallies.fold_all()
    add_responses([an_answer(answered_at=EVENING, invitation=answered)])


def all_days() -> set[date]:
    return {
        *Response.objects.values_list("answered_on", flat=True),
        *Invitation.objects.values_list("invited_on", flat=True),
        *Tally.objects.exclude(n=0).values_list("day", flat=True),
    }


@rebuilding
def test_another_time_zone_moves_answers_and_invitations_to_its_days(settings):
    ask_and_answer()
    settings.TIME_ZONE = "Pacific/Auckland"
    assert tallies.follow_time_zone() is True
    assert all_days() == {date(2026, 7, 1)}
    check_folded()
    assert CountingState.objects.get().time_zone == "Pacific/Auckland"


@rebuilding
def test_the_same_time_zone_moves_nothing(settings):
    CountingState.objects.update_or_create(id=1, defaults={"time_zone": settings.TIME_ZONE})
    ask_and_answer()
    before = the_version()
    assert tallies.follow_time_zone() is False
    assert the_version() == before


@rebuilding
@pytest.mark.parametrize("state", ["as migrated", "missing"])
def test_answers_of_before_the_first_fold_move_as_well(settings, state):
    """Nothing was ever folded: an import, and then a first start in another time zone."""
    if state == "missing":
        CountingState.objects.all().delete()
    add_responses([an_answer(answered_at=EVENING)])
    settings.TIME_ZONE = "Pacific/Auckland"
    tasks.fold()
    assert all_days() == {date(2026, 7, 1)}
    check_folded()


@pytest.mark.django_db
def test_a_new_database_knows_its_time_zone():
    assert CountingState.objects.get().time_zone == "Europe/Amsterdam"


@rebuilding
def test_the_fold_job_follows_the_time_zone_first(settings):
    ask_and_answer()
    settings.TIME_ZONE = "Pacific/Auckland"
    tasks.fold()
    assert all_days() == {date(2026, 7, 1)}
    check_folded()


@rebuilding
def test_a_move_that_is_cut_off_is_exact_and_ends_in_either_zone(settings, monkeypatch):
    """Going back to the old zone half way brings the moved answers back."""
    monkeypatch.setattr(tallies, "MOVE_BATCH", 1)
    ask_and_answer()

    class CutOff(Exception):
        pass

    def cut(execute, sql, parameters, many, context):
        if sql.startswith("UPDATE") and Invitation._meta.db_table in sql:
            raise CutOff
        return execute(sql, parameters, many, context)

    settings.TIME_ZONE = "Pacific/Auckland"
    with connection.execute_wrapper(cut), pytest.raises(CutOff):
        tallies.follow_time_zone()
    assert all_days() == {date(2026, 6, 30), date(2026, 7, 1)}
    check_counts()

    settings.TIME_ZONE = "Europe/Amsterdam"
    assert tallies.follow_time_zone() is True
    assert all_days() == {date(2026, 6, 30)}
    check_folded()


@rebuilding
def test_who_keeps_kpis_is_told_of_the_days_that_answers_left(settings):
    add_responses([an_answer(answered_at=EVENING)])
    tallies.fold_all()
    TouchedSlice.objects.all().delete()
    settings.TIME_ZONE = "Pacific/Auckland"
    tallies.follow_time_zone()
    assert {day for *_, day in touched_slices()} == {date(2026, 6, 30), date(2026, 7, 1)}
