"""Taking in answers: each once, as it was at that moment, and together with its count."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from feedback import queries, tallies
from feedback.models import Invitation, Response, ResponseChange
from feedback.scales import SCALES, ScaleError
from feedback.services import (
    InvitationAnswered,
    KeyReused,
    add_responses,
    edit_response,
    erase_answer,
    erase_answers,
    is_same,
    move_answers,
    record_invitations,
    submit_response,
)
from tests.feedback.recount import check_counts
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

EVER = (date(2020, 1, 1), date(2030, 1, 1))


def total(measure: str, **where: str) -> int:
    return sum(count.n for count in queries.counts(queries.Span(measure, *EVER, where)))


def values(measure: str, *, by_day: bool = False) -> dict:
    """Return how many of each value, or of each day and value."""
    found = queries.counts(queries.Span(measure, *EVER), by_day=by_day)
    return {(count.day, count.value) if by_day else count.value: count.n for count in found}


# -- One answer -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_answer_is_stored_as_it_was_given():
    facts = {
        "key": "one",
        "scale": "csat",
        "value": 4,
        "answered_at": NOW,
        "touchpoint": make_touchpoint(scale="csat"),
        "customer": make_customer(),
        "product": make_product(),
        "category": make_category(),
        "channel": "web",
        "customer_type": "regular",
        "reason": "easy",
        "comment": "Quick.",
        "language": "nl",
        "invitation": make_invitation(),
        "imported": True,
    }
    response, created = submit_response(an_answer(**facts))
    response.refresh_from_db()
    assert created
    assert {name: getattr(response, name) for name in facts} == facts
    assert response.answered_on == TODAY
    check_counts()


@pytest.mark.django_db
@pytest.mark.parametrize("key", SCALES)
def test_every_value_of_every_scale_is_stored_and_counted(key):
    for value in SCALES[key].values:
        submit_response(an_answer(scale=key, value=value))
    assert values(key) == dict.fromkeys(SCALES[key].values, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scale", "value"), [("thumb", 2), ("nps", 11), ("csat", 0), ("ces", 8), ("nps", -1)]
)
def test_a_value_off_the_scale_is_refused_and_leaves_nothing(scale, value):
    with pytest.raises(ScaleError, match=rf"^{value} is not an answer on the scale {scale}"):
        submit_response(an_answer(scale=scale, value=value))
    with pytest.raises(ScaleError):
        add_responses([an_answer(), an_answer(scale=scale, value=value)])
    assert not Response.objects.exists()
    assert not ResponseChange.objects.exists()


@pytest.mark.django_db
def test_an_answer_costs_the_same_statements_with_one_and_three_answers(
    django_assert_num_queries,
):
    for _ in range(3):
        with django_assert_num_queries(SUBMIT_QUERIES):
            submit_response(an_answer())


SUBMIT_QUERIES = 2  # the answer and its change, in the transaction of the test


@pytest.mark.django_db
def test_many_answers_cost_the_same_statements(django_assert_num_queries):
    for number in (1, 3):
        with django_assert_num_queries(ADD_QUERIES):
            add_responses([an_answer() for _ in range(number)])


ADD_QUERIES = 4  # the answers, their changes, and a savepoint in the place of a transaction


# -- The same answer again ------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_answer_again_is_the_same_answer():
    answer = an_answer(touchpoint=make_touchpoint(), comment="Fine.")
    first, created = submit_response(answer)
    again, created_again = submit_response(answer)
    assert (created, created_again) == (True, False)
    assert again == first
    assert total("nps") == 1


@pytest.mark.django_db
def test_a_retry_comes_later_and_is_still_the_same_answer():
    """The moment is that of the server, and the label may have changed in between."""
    customer = make_customer(customer_type="one_time")
    answer = an_answer(customer=customer)
    first, _ = submit_response(answer)
    customer.customer_type = "regular"
    customer.save()
    again, created = submit_response(replace(answer, answered_at=NOW + timedelta(days=1)))
    assert (again, created) == (first, False)
    assert (again.answered_at, again.customer_type) == (NOW, "one_time")


@pytest.mark.django_db
def test_a_retry_after_an_edit_is_the_same_answer_and_does_not_undo_the_edit():
    answer = an_answer(value=2, comment="Bad.")
    first, _ = submit_response(answer)
    edit_response(response_id=first.pk, value=9, comment="Good after all.", now=NOW)
    again, created = submit_response(answer)
    assert (again, created) == (first, False)
    assert (again.value, again.comment) == (9, "Good after all.")
    assert values("nps") == {9: 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"value": 3},
        {"scale": "csat", "value": 5},
        {"reason": "fun"},
        {"comment": "Something else."},
        {"customer": make_customer},
        {"product": make_product},
        {"invitation": make_invitation},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_same_key_with_another_body_is_refused(other):
    answer = an_answer(key="one", touchpoint=make_touchpoint())
    submit_response(answer)
    other = {name: value() if callable(value) else value for name, value in other.items()}
    with pytest.raises(KeyReused) as refused:
        submit_response(replace(answer, **other))
    assert str(refused.value) == (
        "The key 'one' already belongs to another answer at this touchpoint. "
        "A retry must repeat the first answer; a new answer needs a key of its own."
    )
    assert Response.objects.get().value == 9
    assert total("nps") == 1
    check_counts()


@pytest.mark.django_db
@pytest.mark.parametrize("without", ["the first", "the second", "neither"])
def test_keys_belong_to_their_touchpoint(without):
    places = [make_touchpoint(), make_touchpoint()]
    if without != "neither":
        places[without == "the second"] = None
    for place in places:
        first, created = submit_response(an_answer(key="one", touchpoint=place))
        assert created
        assert submit_response(an_answer(key="one", touchpoint=place)) == (first, False)
    assert total("nps") == 2


@pytest.mark.django_db
def test_an_importer_asks_whether_an_answer_is_the_same():
    answer = an_answer(value=2)
    stored, _ = submit_response(answer)
    edit_response(response_id=stored.pk, value=9, now=NOW)
    stored.refresh_from_db()
    assert is_same(stored, answer)
    assert is_same(answer, answer)
    assert not is_same(stored, replace(answer, value=9))
    assert not is_same(answer, replace(answer, value=9))


@pytest.mark.django_db
def test_one_known_key_stops_all_of_many_answers():
    submit_response(an_answer(key="known"))
    with pytest.raises(IntegrityError), transaction.atomic():
        add_responses([an_answer(), an_answer(key="known")])
    assert total("nps") == 1
    check_counts()


# -- As it was at that moment ---------------------------------------------------------------------


@pytest.mark.django_db
def test_the_label_of_the_customer_is_copied_and_stays():
    customer = make_customer(customer_type="one_time")
    submit_response(an_answer(customer=customer))
    customer.customer_type = "regular"
    customer.save()
    submit_response(an_answer(customer=customer))
    labels = Response.objects.order_by("pk").values_list("customer_type", flat=True)
    assert list(labels) == ["one_time", "regular"]
    assert total("nps", customer_type="one_time") == 1
    assert total("nps", customer_type="regular") == 1


@pytest.mark.django_db
def test_a_label_that_is_given_goes_before_that_of_the_customer():
    """An import knows what the customer was on the day of the answer."""
    customer = make_customer(customer_type="regular")
    response, _ = submit_response(an_answer(customer=customer, customer_type="prospect"))
    assert response.customer_type == "prospect"


@pytest.mark.django_db
def test_without_a_customer_there_is_no_label():
    response, _ = submit_response(an_answer())
    assert response.customer_type == ""


@pytest.mark.django_db
def test_the_category_of_the_product_is_copied_and_stays():
    product = make_product(category=make_category())
    before = product.category
    response, _ = submit_response(an_answer(product=product))
    product.category = make_category()
    product.save()
    response.refresh_from_db()
    assert response.category == before
    assert total("nps", category=str(before.pk)) == 1
    assert total("nps", category=str(product.category.pk)) == 0


@pytest.mark.django_db
def test_a_category_that_is_given_goes_before_that_of_the_product():
    given = make_category()
    product = make_product(category=make_category())
    response, _ = submit_response(an_answer(product=product, category=given))
    assert response.category == given


AMSTERDAM_DAYS = [
    pytest.param("2026-06-30T22:30:00Z", date(2026, 7, 1), id="half past midnight in July"),
    pytest.param("2026-06-30T21:59:59.999999Z", date(2026, 6, 30), id="the end of June"),
    pytest.param("2026-06-30T22:00:00Z", date(2026, 7, 1), id="midnight is the new day"),
    pytest.param("2026-12-31T23:00:00Z", date(2027, 1, 1), id="New Year"),
    pytest.param("2026-12-31T22:59:59.999999Z", date(2026, 12, 31), id="New Year's Eve"),
    pytest.param("2026-03-28T22:59:59Z", date(2026, 3, 28), id="before the day of 23 hours"),
    pytest.param("2026-03-28T23:00:00Z", date(2026, 3, 29), id="its first second"),
    pytest.param("2026-03-29T01:00:00Z", date(2026, 3, 29), id="the hour that is not there"),
    pytest.param("2026-03-29T21:59:59Z", date(2026, 3, 29), id="its last second"),
    pytest.param("2026-03-29T22:00:00Z", date(2026, 3, 30), id="after the day of 23 hours"),
    pytest.param("2026-10-24T21:59:59Z", date(2026, 10, 24), id="before the day of 25 hours"),
    pytest.param("2026-10-24T22:00:00Z", date(2026, 10, 25), id="its first second, too"),
    pytest.param("2026-10-25T00:30:00Z", date(2026, 10, 25), id="half past two, once"),
    pytest.param("2026-10-25T01:30:00Z", date(2026, 10, 25), id="half past two, twice"),
    pytest.param("2026-10-25T22:59:59Z", date(2026, 10, 25), id="its last second, too"),
    pytest.param("2026-10-25T23:00:00Z", date(2026, 10, 26), id="after the day of 25 hours"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("moment", "day"), AMSTERDAM_DAYS)
def test_an_answer_and_an_invitation_count_on_the_local_day(moment, day):
    at = datetime.fromisoformat(moment)
    submit_response(an_answer(answered_at=at))
    make_invitation(invited_at=at)
    assert values("nps", by_day=True) == {(day, 9): 1}
    assert values("invited", by_day=True) == {(day, 0): 1}


@pytest.mark.django_db
def test_the_day_is_that_of_the_organisation_and_not_of_the_reader(settings):
    from django.utils import timezone

    with timezone.override("Pacific/Auckland"):
        response, _ = submit_response(an_answer(answered_at=datetime(2026, 6, 30, 20, tzinfo=UTC)))
    assert response.answered_on == date(2026, 6, 30)


# -- Changing an answer ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("folded", [False, True])
def test_an_edit_moves_the_count(folded):
    response, _ = submit_response(an_answer(value=2, reason="effort"))
    if folded:
        tallies.fold_all()
    edited = edit_response(
        response_id=response.pk, value=9, reason="easy", comment="Solved.", now=NOW
    )
    assert (edited.value, edited.reason, edited.comment) == (9, "easy", "Solved.")
    assert values("nps") == {9: 1}
    assert total("nps", reason="effort") == 0
    assert total("nps", reason="easy") == 1
    check_counts()


@pytest.mark.django_db
def test_only_what_is_given_changes():
    response, _ = submit_response(an_answer(value=2, reason="effort", comment="Slow."))
    edit_response(response_id=response.pk, comment="Very slow.", now=NOW)
    response.refresh_from_db()
    assert (response.value, response.reason, response.comment) == (2, "effort", "Very slow.")
    edit_response(response_id=response.pk, reason="", comment="", now=NOW)
    response.refresh_from_db()
    assert (response.value, response.reason, response.comment) == (2, "", "")
    check_counts()


@pytest.mark.django_db
def test_an_edit_of_words_changes_no_count():
    response, _ = submit_response(an_answer())
    tallies.fold_all()
    edit_response(response_id=response.pk, value=9, comment="Still.", now=NOW)
    assert not ResponseChange.objects.exists()


@pytest.mark.django_db
def test_an_edit_to_a_value_off_the_scale_is_refused_and_changes_nothing():
    response, _ = submit_response(an_answer(scale="csat", value=4))
    with pytest.raises(ScaleError):
        edit_response(response_id=response.pk, value=6, now=NOW)
    response.refresh_from_db()
    assert response.value == 4
    check_counts()


@pytest.mark.django_db
def test_an_edit_of_an_answer_to_an_invitation_leaves_the_response_rate():
    response, _ = submit_response(an_answer(invitation=make_invitation()))
    edit_response(response_id=response.pk, value=1, now=NOW)
    assert values("invited") == {1: 1}
    check_counts()


# -- Invitations ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_answered_invitation_counts_as_answered_on_the_day_of_the_ask():
    asked = make_invitation(invited_at=NOW - timedelta(days=3), channel="email")
    make_invitation(invited_at=NOW - timedelta(days=3), channel="email")
    assert values("invited", by_day=True) == {(date(2026, 11, 21), 0): 2}
    submit_response(an_answer(invitation=asked, channel="web"))
    assert values("invited", by_day=True) == {
        (date(2026, 11, 21), 0): 1,
        (date(2026, 11, 21), 1): 1,
    }
    # The cohort keeps the place of the ask, not that of the answer.
    assert total("invited", channel="email") == 2
    assert total("invited", channel="web") == 0


@pytest.mark.django_db
def test_a_second_answer_to_one_invitation_is_refused():
    asked = make_invitation()
    submit_response(an_answer(key="one", invitation=asked))
    with pytest.raises(InvitationAnswered) as refused:
        submit_response(an_answer(key="two", invitation=asked))
    assert str(refused.value) == (
        f"Invitation {asked.pk} has been answered already, and one invitation takes one answer. "
        "Change that answer instead, or send this one without the invitation."
    )
    assert values("invited") == {1: 1}
    assert Response.objects.get().key == "one"
    check_counts()


@pytest.mark.django_db
def test_what_counts_is_the_invitation_as_it_is_stored():
    """Its day may have moved with the time zone since it was read."""
    read_before = make_invitation()
    tallies.fold_all()
    Invitation.objects.update(invited_on=date(2026, 1, 1))
    ResponseChange.objects.create(measure="invited", day=TODAY, value=0, n=-1)
    ResponseChange.objects.create(measure="invited", day=date(2026, 1, 1), value=0, n=1)
    submit_response(an_answer(invitation=read_before))
    assert values("invited", by_day=True) == {(date(2026, 1, 1), 1): 1}
    check_counts()


@pytest.mark.django_db
def test_recording_invitations_costs_the_same_statements(django_assert_num_queries):
    customer = make_customer()
    for number in (1, 3):
        asked = [Invitation(customer=customer, invited_at=NOW) for _ in range(number)]
        with django_assert_num_queries(4):
            record_invitations(asked)
    check_counts()


# -- Erasure --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_erasing_keeps_the_count_and_drops_the_person():
    customer = make_customer(customer_type="regular")
    product = make_product(category=make_category())
    asked = make_invitation(customer=customer)
    answer = an_answer(
        key="from the browser",
        customer=customer,
        product=product,
        channel="email",
        reason="effort",
        comment="Call me on 06 12345678.",
        language="nl",
        invitation=asked,
        value=2,
    )
    response, _ = submit_response(answer)
    other, _ = submit_response(an_answer(customer=make_customer(), comment="Mine."))
    before = check_counts()

    assert erase_answers(customer) == 1
    response.refresh_from_db()
    gone = ("customer", "comment", "language", "body_hash")
    assert [getattr(response, name) or "" for name in gone] == [""] * 4
    assert response.key not in ("", "from the browser")
    kept = ("value", "reason", "product", "category", "channel", "customer_type", "answered_at")
    assert [getattr(response, name) for name in kept] == [
        *[2, "effort", product, product.category, "email", "regular", NOW]
    ]
    assert Invitation.objects.get(pk=asked.pk).customer is None
    assert check_counts() == before
    other.refresh_from_db()
    assert other.comment == "Mine."


@pytest.mark.django_db
def test_erasing_again_finds_nothing():
    customer = make_customer()
    add_responses([an_answer(customer=customer) for _ in range(3)])
    assert erase_answers(customer) == 3
    keys = set(Response.objects.values_list("key", flat=True))
    assert len(keys) == 3
    assert erase_answers(customer) == 0
    assert set(Response.objects.values_list("key", flat=True)) == keys


@pytest.mark.django_db
def test_erasing_one_answer_leaves_the_others_and_their_count():
    customer = make_customer()
    asked = make_invitation(customer=customer)
    gone, stays = add_responses(
        [
            an_answer(customer=customer, comment="This one.", invitation=asked),
            an_answer(customer=customer, comment="Not this one."),
        ]
    )
    before = check_counts()
    assert erase_answer(response_id=gone.pk, customers=[make_customer().pk]) is False
    assert erase_answer(response_id=gone.pk, customers=[customer.pk]) is True
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.customer, gone.comment) == (None, "")
    assert (stays.customer, stays.comment) == (customer, "Not this one.")
    assert Invitation.objects.get(pk=asked.pk).customer is None
    assert check_counts() == before
    assert erase_answer(response_id=gone.pk, customers=[customer.pk]) is False


@pytest.mark.django_db
def test_answers_and_invitations_move_to_another_record_of_the_same_person():
    of, to, other = make_customer(), make_customer(), make_customer()
    invitation = make_invitation(customer=of)
    add_responses(
        [
            an_answer(customer=of, invitation=invitation),
            an_answer(customer=of, key="second"),
            an_answer(customer=other),
        ]
    )
    before = values("nps")
    assert move_answers(of=of, to=to) == (2, 1)
    assert move_answers(of=of, to=to) == (0, 0)
    assert Response.objects.filter(customer=to).count() == 2
    assert Response.objects.filter(customer=other).count() == 1
    assert Invitation.objects.get().customer == to
    assert values("nps") == before
    check_counts()
