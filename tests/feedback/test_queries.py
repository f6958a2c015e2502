"""Reading counts: the same before and after folding, by day, by key and through filters."""

from datetime import timedelta
from itertools import combinations

import pytest
from django.utils import translation

from customers.models import Channel, CustomerType
from feedback import queries, tallies
from feedback.models import Reason, TouchedSlice
from feedback.queries import Count, Label, Span, UnknownKey
from feedback.services import add_responses, edit_response, submit_response
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

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
WEEK = Span("nps", TODAY - timedelta(days=6), TOMORROW)


@pytest.fixture(params=["nothing is folded", "half is folded", "all is folded"])
def fold(request):
    """Call it when the answers are in: they read the same, wherever they are counted."""

    def leave() -> None:
        waiting = queries.waiting_changes()
        if request.param == "half is folded":
            tallies.fold(waiting // 2)
        elif request.param == "all is folded":
            tallies.fold_all()

    return leave


def give(*values: int, days_ago: int = 0, **given) -> None:
    at = NOW - timedelta(days=days_ago)
    add_responses([an_answer(value=value, answered_at=at, **given) for value in values])


def ordered(counts: list[Count]) -> list[tuple]:
    return sorted(tuple(count) for count in counts)


# -- Counts ---------------------------------------------------------------------------------------


def test_counts_per_value(fold):
    give(9, 9, 3)
    give(9, days_ago=2)
    give(1, scale="thumb")
    fold()
    assert ordered(queries.counts(WEEK)) == [(None, None, 3, 1), (None, None, 9, 3)]


def test_counts_per_day(fold):
    give(9, 9, 3)
    give(9, days_ago=1)
    fold()
    assert ordered(queries.counts(WEEK, by_day=True)) == [
        (YESTERDAY, None, 9, 1),
        (TODAY, None, 3, 1),
        (TODAY, None, 9, 2),
    ]


def test_counts_per_key_and_for_answers_without_one(fold):
    give(9, 9, channel="web")
    give(9, channel="email")
    give(3)
    fold()
    assert ordered(queries.counts(WEEK, dimension="channel")) == [
        (None, "", 3, 1),
        (None, "email", 9, 1),
        (None, "web", 9, 2),
    ]


def test_counts_per_day_and_key(fold):
    product = make_product()
    give(9, product=product)
    give(9, days_ago=1, product=product)
    give(3, days_ago=1)
    fold()
    assert ordered(queries.counts(WEEK, dimension="product", by_day=True)) == [
        (YESTERDAY, "", 3, 1),
        (YESTERDAY, str(product.pk), 9, 1),
        (TODAY, str(product.pk), 9, 1),
    ]


def test_the_end_of_a_span_is_not_in_it(fold):
    give(9, days_ago=1)
    give(3)
    fold()
    assert ordered(queries.counts(Span("nps", YESTERDAY, TODAY))) == [(None, None, 9, 1)]
    assert queries.counts(Span("nps", TODAY, TODAY)) == []
    assert queries.counts(Span("nps", TOMORROW, TOMORROW + timedelta(days=9))) == []


def test_what_went_back_to_nothing_is_not_listed(fold):
    response, _ = submit_response(an_answer(value=3, channel="web"))
    tallies.fold_all()
    edit_response(response_id=response.pk, value=9, now=NOW)
    fold()
    assert ordered(queries.counts(WEEK)) == [(None, None, 9, 1)]
    assert ordered(queries.counts(WEEK, dimension="channel")) == [(None, "web", 9, 1)]


def test_invitations_are_counted_as_silent_and_answered(fold):
    asked = [make_invitation(channel="email") for _ in range(3)]
    submit_response(an_answer(invitation=asked[0]))
    fold()
    span = Span("invited", TODAY, TOMORROW)
    assert ordered(queries.counts(span, dimension="channel")) == [
        (None, "email", 0, 2),
        (None, "email", 1, 1),
    ]


# -- Filters --------------------------------------------------------------------------------------


def one_of_everything() -> dict[str, str]:
    """Store answers with and without each dimension; return the internal keys of those with."""
    place = {
        "touchpoint": make_touchpoint(),
        "product": make_product(),
        "category": make_category(),
        "channel": "web",
        "customer_type": "regular",
    }
    give(9, **place)
    for left_out in place:
        give(8, **{name: value for name, value in place.items() if name != left_out})
    give(7)
    return {name: str(getattr(value, "pk", value)) for name, value in place.items()}


@pytest.mark.parametrize("dimension", queries.SLICES)
def test_a_filter_keeps_one_key(fold, dimension):
    keys = one_of_everything()
    fold()
    with_it = Span("nps", TODAY, TOMORROW, {dimension: keys[dimension]})
    assert ordered(queries.counts(with_it)) == [(None, None, 8, 4), (None, None, 9, 1)]
    without = Span("nps", TODAY, TOMORROW, {dimension: ""})
    assert ordered(queries.counts(without)) == [(None, None, 7, 1), (None, None, 8, 1)]


@pytest.mark.parametrize("dimension", queries.SLICES)
def test_a_filter_on_the_dimension_that_is_listed_lists_one_key(fold, dimension):
    keys = one_of_everything()
    fold()
    span = Span("nps", TODAY, TOMORROW, {dimension: keys[dimension]})
    assert ordered(queries.counts(span, dimension=dimension, by_day=True)) == [
        (TODAY, keys[dimension], 8, 4),
        (TODAY, keys[dimension], 9, 1),
    ]


@pytest.mark.parametrize(("one", "other"), list(combinations(queries.SLICES, 2)))
def test_filters_combine(fold, one, other):
    keys = one_of_everything()
    fold()
    both = Span("nps", TODAY, TOMORROW, {one: keys[one], other: keys[other]})
    assert ordered(queries.counts(both)) == [(None, None, 8, 3), (None, None, 9, 1)]
    but_not = Span("nps", TODAY, TOMORROW, {one: keys[one], other: ""})
    assert ordered(queries.counts(but_not)) == [(None, None, 8, 1)]
    assert ordered(queries.counts(but_not, dimension=other)) == [(None, "", 8, 1)]
    listed = Span("nps", TODAY, TOMORROW, {one: keys[one]})
    assert ordered(queries.counts(listed, dimension=other)) == [
        (None, "", 8, 1),
        (None, keys[other], 8, 3),
        (None, keys[other], 9, 1),
    ]


def test_all_filters_at_once(fold):
    keys = one_of_everything()
    fold()
    assert ordered(queries.counts(Span("nps", TODAY, TOMORROW, keys))) == [(None, None, 9, 1)]


def test_reasons_are_counted_and_combine_with_filters(fold):
    give(9, reason="fun", channel="web")
    give(9, reason="fun")
    give(2, channel="web")
    fold()
    assert ordered(queries.counts(WEEK, dimension="reason")) == [
        (None, "", 2, 1),
        (None, "fun", 9, 2),
    ]
    on_the_web = Span("nps", WEEK.start, WEEK.end, {"channel": "web"})
    assert ordered(queries.counts(on_the_web, dimension="reason")) == [
        (None, "", 2, 1),
        (None, "fun", 9, 1),
    ]


@pytest.mark.parametrize(
    ("where", "dimension"),
    [({}, None), ({}, "category"), ({"channel": "web"}, "category")],
    ids=["the whole", "a dimension", "a filtered dimension"],
)
def test_counts_are_one_statement_with_one_item_and_with_three(
    fold, where, dimension, django_assert_num_queries
):
    span = Span("nps", TODAY, TOMORROW, where)
    give(9, category=make_category(), channel="web")
    fold()
    with django_assert_num_queries(1):
        assert len(queries.counts(span, dimension=dimension, by_day=True)) == 1
    for value in (8, 7):
        give(value, category=make_category(), channel="web")
    fold()
    with django_assert_num_queries(1):
        assert len(queries.counts(span, dimension=dimension, by_day=True)) == 3


# -- For who follows folds ------------------------------------------------------------------------


def test_counts_by_key_leave_what_is_not_folded_to_the_next_fold(django_assert_num_queries):
    give(9, channel="web")
    give(9, 3, channel="email", days_ago=1)
    tallies.fold_all()
    give(1, channel="web")
    with django_assert_num_queries(1):
        found = queries.counts_by_key(WEEK, "channel", ["web", "email", "sms"])
    assert ordered(found) == [
        (YESTERDAY, "email", 3, 1),
        (YESTERDAY, "email", 9, 1),
        (TODAY, "web", 9, 1),
    ]
    assert ordered(queries.counts_by_key(WEEK, "channel", ["web"])) == [(TODAY, "web", 9, 1)]
    assert ordered(queries.counts_by_key(WEEK, "", [""])) == [
        (YESTERDAY, "", 3, 1),
        (YESTERDAY, "", 9, 1),
        (TODAY, "", 9, 1),
    ]


def test_counts_by_key_leave_out_what_went_back_to_nothing():
    response, _ = submit_response(an_answer(value=3))
    tallies.fold_all()
    edit_response(response_id=response.pk, value=9, now=NOW)
    tallies.fold_all()
    assert ordered(queries.counts_by_key(WEEK, "", [""])) == [(TODAY, "", 9, 1)]


# -- How things stand -----------------------------------------------------------------------------


def test_the_first_and_the_last_day_with_answers(fold):
    assert (queries.first_day("nps"), queries.last_day("nps")) == (None, None)
    give(9, days_ago=400)
    give(9, days_ago=3)
    give(1, scale="thumb")
    fold()
    assert queries.first_day("nps") == TODAY - timedelta(days=400)
    assert queries.last_day("nps") == TODAY - timedelta(days=3)
    assert (queries.first_day("thumb"), queries.last_day("thumb")) == (TODAY, TODAY)
    assert queries.first_day("csat") is None


def test_what_waits_and_when_it_was_folded():
    assert queries.waiting_changes() == 0
    assert queries.folded_at() is None
    give(9, 9)
    assert queries.waiting_changes() == 2
    assert queries.folded_at() is None
    tallies.fold_all()
    assert queries.waiting_changes() == 0
    assert queries.folded_at() is not None


def test_the_version_is_new_after_whatever_changes_a_count(django_assert_num_queries):
    asked = make_invitation()
    seen = [queries.version()]

    def is_new() -> bool:
        seen.append(queries.version())
        return seen[-1] not in seen[:-1]

    response, _ = submit_response(an_answer(value=2))
    assert is_new()
    edit_response(response_id=response.pk, value=9, now=NOW)
    assert is_new()
    submit_response(an_answer(invitation=asked))
    assert is_new()
    tallies.fold(1)
    assert is_new()
    tallies.fold_all()
    assert is_new()
    give(9)
    assert is_new()
    with django_assert_num_queries(1):
        assert not is_new()


def test_the_version_stays_where_no_count_changes():
    response, _ = submit_response(an_answer())
    before = queries.version()
    edit_response(response_id=response.pk, comment="Fine.", now=NOW)
    make_customer()
    TouchedSlice.objects.all().delete()
    assert queries.version() == before


# -- Keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", ["product", "category", "touchpoint", *queries.VOCABULARY])
def test_the_empty_key_is_for_answers_without_one(dimension):
    assert queries.internal_key(dimension, "") == ""


@pytest.mark.parametrize(
    ("sku", "asked"),
    [
        ("85123A", "85123a"),
        ("85123a", "85123A"),
        ("85123A", "85123A"),
        ("Crème-Brûlée", "CRÈME-BRÛLÉE"),
        ("ÉCLAIR", "éclair"),
        ("ŽLUŤOUČKÝ", "žluťoučký"),
        ("ΚΑΛΗΜΕΡΑ", "καλημερα"),
        ("Ünder", "ünder"),
    ],
)
def test_a_product_and_a_category_are_found_in_either_case(sku, asked):
    make_product(sku="another")
    make_category(name="another")
    product, category = make_product(sku=sku), make_category(name=sku)
    assert queries.internal_key("product", asked) == str(product.pk)
    assert queries.internal_key("category", asked) == str(category.pk)


def test_accents_are_another_letter():
    make_product(sku="creme")
    with pytest.raises(UnknownKey):
        queries.internal_key("product", "crème")


def test_a_touchpoint_is_found_by_its_name_and_by_its_key():
    touchpoint = make_touchpoint(name="Checkout")
    assert queries.internal_key("touchpoint", "Checkout") == str(touchpoint.pk)
    assert queries.internal_key("touchpoint", touchpoint.key) == str(touchpoint.pk)


def test_the_name_of_one_touchpoint_goes_before_the_key_of_another():
    other = make_touchpoint()
    named_so = make_touchpoint(name=other.key)
    assert queries.internal_key("touchpoint", other.key) == str(named_so.pk)


@pytest.mark.parametrize(
    ("dimension", "vocabulary"),
    [("channel", Channel), ("customer_type", CustomerType), ("reason", Reason)],
)
def test_the_words_of_a_vocabulary_are_their_own_keys(dimension, vocabulary):
    for word in vocabulary.values:
        assert queries.internal_key(dimension, word) == word
    assert queries.known_keys(dimension, 2) == vocabulary.values


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ("channel", "'nope' is not a known channel. Use one of: email, web, phone, sms, ad."),
        (
            "customer_type",
            "'nope' is not a known customer type. "
            "Use one of: contract, regular, occasional, one_time, prospect, lapsed.",
        ),
        ("product", "'nope' is not a known product. Use one of: A, B."),
        ("category", "'nope' is not a known category. Use one of: Doormats, Phones."),
        ("touchpoint", "'nope' is not a known touchpoint. Use one of: none yet."),
    ],
)
def test_an_unknown_key_is_named_with_the_way_out(dimension, message):
    for sku in "BA":
        make_product(sku=sku)
    for name in ("Phones", "Doormats"):
        make_category(name=name)
    with pytest.raises(UnknownKey) as unknown:
        queries.internal_key(dimension, "nope")
    assert str(unknown.value) == message


def test_the_way_out_lists_ten_of_many():
    for number in range(12):
        make_product(sku=f"P{number:02}")
    with pytest.raises(UnknownKey, match=r"Use one of: P00, (P0\d, ){8}P09\.$"):
        queries.internal_key("product", "nope")


@pytest.mark.parametrize(
    ("dimension", "make"),
    [("product", make_product), ("category", make_category), ("touchpoint", make_touchpoint)],
)
def test_known_keys_are_those_of_all_rows_up_to_a_limit(dimension, make, django_assert_num_queries):
    rows = [make() for _ in range(3)]
    with django_assert_num_queries(1):
        assert queries.known_keys(dimension, 10) == [str(row.pk) for row in rows]
    assert queries.known_keys(dimension, 2) == [str(row.pk) for row in rows[:2]]


# -- Labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dimension", "make", "label"),
    [
        ("product", lambda: make_product(sku="K1", name="Kettle"), Label("K1", "Kettle")),
        ("product", lambda: make_product(sku="K1"), Label("K1", "K1")),
        ("category", lambda: make_category(name="Phones"), Label("Phones", "Phones")),
        ("touchpoint", lambda: make_touchpoint(name="Till"), Label("Till", "Till")),
    ],
    ids=["a product", "a product without a name", "a category", "a touchpoint"],
)
def test_a_label_has_the_key_and_the_name_that_people_use(dimension, make, label):
    key = str(make().pk)
    assert queries.labels(dimension, [key, ""]) == {key: label, "": Label("", "")}
    assert queries.internal_key(dimension, label.key) == key


@pytest.mark.parametrize(
    ("language", "name"), [("en", "Text message"), ("nl", "Sms")], ids=["English", "Dutch"]
)
def test_the_label_of_a_word_is_in_the_language_of_the_reader(
    language, name, django_assert_num_queries
):
    with translation.override(language), django_assert_num_queries(0):
        assert queries.labels("channel", ["sms"])["sms"] == Label("sms", name)


@pytest.mark.parametrize(
    ("dimension", "make"),
    [("product", make_product), ("category", make_category), ("touchpoint", make_touchpoint)],
)
def test_labels_are_one_statement_with_one_item_and_with_three(
    dimension, make, django_assert_num_queries
):
    keys = [str(make().pk) for _ in range(3)]
    with django_assert_num_queries(1):
        assert set(queries.labels(dimension, keys[:1])) == {"", keys[0]}
    with django_assert_num_queries(1):
        assert set(queries.labels(dimension, keys)) == {"", *keys}


# -- For importers --------------------------------------------------------------------------------


def test_answers_are_found_by_touchpoint_and_key(django_assert_num_queries):
    touchpoint = make_touchpoint()
    one, _ = submit_response(an_answer(key="one", touchpoint=touchpoint))
    same_key, _ = submit_response(an_answer(key="one"))
    submit_response(an_answer(key="two"))
    here, nowhere = touchpoint.pk, None
    with django_assert_num_queries(2):
        found = queries.answers_by_key([(here, "one"), (nowhere, "one"), (here, "three")])
    assert found == {(touchpoint.pk, "one"): one, (None, "one"): same_key}


def test_touchpoints_are_found_by_name_and_by_key(django_assert_num_queries):
    till, site = make_touchpoint(name="Till"), make_touchpoint(name="Site")
    with django_assert_num_queries(1):
        found = queries.touchpoints_by_name(["Till", site.key, "nope"])
    assert (found["Till"], found[site.key]) == (till, site)
    assert "nope" not in found
