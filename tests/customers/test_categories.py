"""Categories: rated by somebody, part of something, never in the way."""

import pytest

from customers.categories import (
    CannotMove,
    category_map,
    move_category,
    place_and_rate,
    propose_levels,
    rate_category,
    set_level,
    unrated,
)
from customers.involvement import Rating, involvement_of
from customers.models import Category
from customers.starting_involvement import COMPANIES, proposed
from tests.makers import NOW, a_purchase, make_category, make_product, stored

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("answers", "score", "level"),
    [
        ((1, 1, 1), 0, "low"),
        ((3, 3, 3), 33.3, "low"),
        ((3, 3, 4), 38.9, "medium"),
        ((5, 5, 4), 61.1, "medium"),
        ((5, 5, 5), 66.7, "high"),
        ((7, 7, 7), 100, "high"),
    ],
)
def test_three_answers_make_a_score_and_a_level(answers, score, level):
    rating = Rating(*answers)
    assert (round(rating.score, 1), rating.level) == (score, level)


@pytest.mark.parametrize("answers", [(0, 4, 4), (4, 8, 4), (4, 4, -1)])
def test_an_answer_off_the_scale_is_refused(answers):
    with pytest.raises(ValueError, match="rate from 1 to 7"):
        Rating(*answers)


def test_a_rating_says_who_and_when_and_a_file_takes_its_place_with_all_of_it():
    phones = make_category(name="Phones")
    rate_category(category=phones, rating=Rating(7, 6, 5), rated_by="Noor", now=NOW)
    phones.refresh_from_db()
    assert (phones.involvement, phones.rated_by, phones.rated_at) == ("high", "Noor", NOW)
    assert (phones.importance, phones.risk, phones.interest) == (7, 6, 5)
    set_level(category=phones, level="low", how="import", now=NOW)
    phones.refresh_from_db()
    assert (phones.involvement, phones.rated_how, phones.rated_by) == ("low", "import", "")
    assert phones.importance is None


def test_what_nobody_rated_follows_what_it_is_part_of_and_else_counts_as_low():
    line = [("Cases", ""), ("Phones", ""), ("Electronics", "high")]
    assert (involvement_of(line).level, involvement_of(line).source) == ("high", "Electronics")
    assert involvement_of(line[:2]).because == "unrated"
    assert involvement_of(line[:2]).level == "low"
    assert involvement_of([]).level == "medium"
    assert involvement_of([("Cases", "low"), *line[1:]]).because == "rated"


def test_a_category_cannot_be_part_of_itself_or_too_deep():
    names = ["A", "B", "C", "D", "E"]
    rows = [make_category(name=name) for name in names]
    for child, parent in zip(rows[1:4], rows[:3], strict=True):
        move_category(category=child, parent=parent)
    for parent in (rows[0], rows[3]):
        with pytest.raises(CannotMove, match="Choose another one, or none"):
            move_category(category=rows[0], parent=parent)
    with pytest.raises(CannotMove, match="more than 4 levels"):
        move_category(category=rows[4], parent=rows[3])
    with pytest.raises(CannotMove, match="more than 4 levels"):
        move_category(category=rows[0], parent=rows[4])
    move_category(category=rows[1], parent=None)
    assert Category.objects.get(name="B").parent is None


@pytest.mark.parametrize("number", [1, 3])
def test_the_map_takes_three_queries_however_many_there_are(number, django_assert_num_queries):
    parent = make_category(name="Electronics", involvement="high", rated_at=NOW)
    for n in range(number):
        category = make_category(name=f"Phones {n}", parent=parent)
        stored(a_purchase(product=make_product(category=category), purchased_at=NOW))
    with django_assert_num_queries(3):
        places = category_map(NOW)
    assert len(places) == number + 1
    phones = places[1]
    assert (phones.involved.level, phones.involved.because) == ("high", "parent")
    assert (phones.products, phones.purchases, phones.score) == (1, 1, None)


def test_a_proposal_rates_only_what_nobody_rated():
    make_category(name="Boeken")
    make_category(name="Hoesjes")
    rated = make_category(name="Laptops", involvement="low", rated_at=NOW, rated_how="manager")
    levels = proposed("electronics", unrated())
    assert levels == {"Boeken": "high", "Hoesjes": "low"}
    assert propose_levels(levels, rated_by="Noor", now=NOW) == 2
    assert unrated() == []
    assert Category.objects.get(name="Hoesjes").rated_how == "proposal"
    rated.refresh_from_db()
    assert (rated.involvement, rated.rated_how) == ("low", "manager")


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("Phone cases", "low"),
        ("Cases for phones", "low"),
        ("Laptophoezen", "low"),
        ("Telefoons", "high"),
        ("Bedrijfsverzekeringen", "high"),
        ("Auto's", "high"),
        ("Koptelefoons", "medium"),
        # Only part of a word, which says nothing: then the kind of company does.
        ("Matrassen", "medium"),
        ("Automaten", "medium"),
        ("Suitcases", "medium"),
        ("Headphones", "medium"),
    ],
)
def test_a_name_says_what_a_thing_is_by_whole_words_or_by_its_end(name, level):
    assert proposed("home", [name]) == {name: level}


def test_a_category_that_cannot_be_moved_is_not_rated_either():
    phones = make_category(name="Phones")
    given = {"rating": Rating(7, 7, 7), "rated_by": "Noor", "now": NOW}
    with pytest.raises(CannotMove):
        place_and_rate(category=phones, parent=phones, **given)
    phones.refresh_from_db()
    assert (phones.parent, phones.involvement) == (None, "")
    electronics = make_category(name="Electronics")
    place_and_rate(category=phones, parent=electronics, **given)
    phones.refresh_from_db()
    assert (phones.parent, phones.involvement) == (electronics, "high")


def test_every_kind_of_company_proposes_and_an_unknown_one_is_refused():
    for company in COMPANIES:
        assert set(proposed(company, ["Iets", "Hypotheken"]).values()) <= {"low", "medium", "high"}
        assert proposed(company, ["Hypotheken"]) == {"Hypotheken": "high"}
    with pytest.raises(ValueError, match=r"'bakery' is not known\. Use one of: electronics"):
        proposed("bakery", [])
