"""Reasons: counted as brute force counts them, and nobody can be recognised by them."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import translation

from feedback import tallies
from feedback.models import HAPPY_REASONS, UNHAPPY_REASONS, Reason, Response
from feedback.services import add_responses
from insights.dashboard import overview, satisfaction
from insights.dashboard.reasons import SHARE
from insights.dashboard.selection import Selection, preset
from insights.kpis import KPIS, figure
from tests.insights.makers import TODAY, ask, give, local
from tests.makers import an_answer, make_category, make_product, make_touchpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def choose(**given) -> Selection:
    facts = {"period": preset("13w", TODAY), "preset": "13w", "where": {}, "names": {}}
    return Selection(**facts | {"kpi": "nps", "slice": "category", "today": TODAY} | given)


def say(reasons: dict[str, int], silent: int = 0, **given) -> None:
    """Store answers: so many for each reason, and some that gave none."""
    for reason, n in reasons.items():
        give("nps", [9] * n, reason=reason, **given)
    give("nps", [9] * silent, **given)


def rows_of(panel) -> dict[str, object]:
    return {row.label: row for _group, rows in panel.groups for row in rows}


def shown(panel) -> dict[str, int]:
    return {label: row.n for label, row in rows_of(panel).items() if not row.hidden}


# -- What is counted -----------------------------------------------------------------------------


def test_every_reason_is_a_happy_or_an_unhappy_one():
    assert sorted([*HAPPY_REASONS, *UNHAPPY_REASONS]) == sorted(Reason)


def test_the_documentation_carries_the_definition_word_for_word():
    assert SHARE.definition in (ROOT / "docs/kpis.md").read_text()


@pytest.mark.django_db
@pytest.mark.parametrize("folded", [False, True], ids=["waiting", "folded"])
@pytest.mark.parametrize("name", ["category", "product", "channel", "customer_type", "touchpoint"])
@pytest.mark.parametrize("filtered", [{}, {"channel": "web"}], ids=["all", "one channel"])
def test_the_panel_counts_as_brute_force_does(name, filtered, folded):
    rnd = random.Random(3)
    categories = [make_category(name=f"C{n}") for n in range(3)]
    products = [make_product(sku=f"P{n}") for n in range(3)]
    touchpoints = [make_touchpoint(name=f"T{n}") for n in range(2)]
    add_responses(
        an_answer(
            scale=rnd.choice(["nps", "thumb"]),
            value=rnd.choice([0, 1]),
            answered_at=local(TODAY - timedelta(days=number // 10)),
            reason=rnd.choice(["", *Reason.values]),
            category=rnd.choice([None, *categories]),
            product=rnd.choice([None, *products]),
            touchpoint=rnd.choice([None, *touchpoints]),
            channel=rnd.choice(["", "email", "web"]),
            customer_type=rnd.choice(["", "regular"]),
        )
        for number in range(1_200)
    )
    if folded:
        tallies.fold_all()
    chosen = choose(slice=name, where=filtered)
    page = overview(chosen)
    rows = [
        response
        for response in Response.objects.all()
        if response.scale == "nps"
        and chosen.period.start <= response.answered_on < chosen.period.end
        and response.channel == filtered.get("channel", response.channel)
    ]
    said = Counter(response.reason for response in rows if response.reason)
    assert page.reasons.n == said.total() > 50
    assert page.reasons.deck == f"{said.total()} of {len(rows)} answers gave a reason."
    assert shown(page.reasons) == {Reason(reason).label: n for reason, n in said.items()}
    for row in rows_of(page.reasons).values():
        expected = figure(KPIS["thumbs"], {"up": row.n, "down": said.total() - row.n})
        assert (row.figure.value, row.figure.low) == (expected.value, expected.low)


@pytest.mark.django_db
def test_a_changed_reason_counts_once():
    say({"fun": 40})
    tallies.fold_all()
    [first] = Response.objects.order_by("pk")[:1]
    key = tallies.response_key(first)
    tallies.write_changes([(key, -1), (key._replace(reason="easy"), +1)])
    panel = overview(choose()).reasons
    assert panel.n == 40
    assert not shown(panel).get("Easy")


@pytest.mark.django_db
def test_a_response_rate_has_no_reasons():
    ask(40)
    say({"fun": 40})
    page = satisfaction(choose(kpi="response_rate"))
    assert page.breakdown.rows
    assert (page.reasons, page.comments, page.why) == (None, None, None)


# -- What may be shown ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "counts"),
    [
        pytest.param({"fun": 40, "easy": 30}, {"Fun": 40, "Easy": 30}, id="nothing small"),
        pytest.param({"fun": 40, "easy": 30, "useful": 4}, {"Fun": 40}, id="one and another"),
        pytest.param({"fun": 40, "easy": 3, "useful": 4}, {"Fun": 40}, id="two small ones"),
        pytest.param({"fun": 40, "easy": 1, "useful": 1}, {}, id="two tiny ones take all"),
    ],
)
def test_a_small_reason_is_hidden_and_does_not_follow_by_subtraction(given, counts):
    say(given)
    panel = overview(choose()).reasons
    assert {label: n for label, n in shown(panel).items() if n} == counts


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reasons", "hidden", "few", "deck"),
    [
        (0, False, True, "0 of 100 answers gave a reason."),
        (1, True, True, "Fewer than 5 of 100 answers gave a reason."),
        (4, True, True, "Fewer than 5 of 100 answers gave a reason."),
        (5, False, True, "5 of 100 answers gave a reason."),
        (29, False, True, "29 of 100 answers gave a reason."),
        (30, False, False, "30 of 100 answers gave a reason."),
    ],
)
def test_what_is_shown_depends_on_how_many_gave_a_reason(reasons, hidden, few, deck):
    say({"fun": reasons}, silent=100 - reasons)
    panel = overview(choose()).reasons
    assert (panel.hidden, panel.few, panel.deck) == (hidden, few, deck)
    assert rows_of(panel)["Fun"].shown is (reasons >= 30)


@pytest.mark.django_db
def test_under_five_answers_the_panel_says_nothing():
    say({"fun": 3})
    panel = overview(choose()).reasons
    assert (panel.hidden, panel.deck, panel.title) == (True, "", "Why")


@pytest.mark.django_db
def test_the_order_of_hidden_reasons_tells_nothing():
    say({"not_relevant": 1, "too_often": 4, "too_personal": 30, "effort": 2})
    [(_group, rows), _happy] = overview(choose()).reasons.groups
    assert [row.label for row in rows if row.hidden] == [
        "Not relevant",
        "Too often",
        "Too much effort",
    ]
    assert [row.label for row in rows][:2] == ["Too personal", "Something else"]


# -- The title -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "title"),
    [
        pytest.param({"too_often": 60, "fun": 30}, "Most said: too often", id="clearly first"),
        pytest.param({"too_often": 55, "fun": 45}, "Why", id="may be chance"),
        pytest.param({"too_often": 60, "fun": 41}, "Why", id="z = 1.89"),
        pytest.param({"too_often": 61, "fun": 41}, "Most said: too often", id="z = 1.98"),
        pytest.param({"too_often": 29}, "Why", id="under 30 gave a reason"),
        pytest.param({"too_often": 30}, "Most said: too often", id="all 30 say the same"),
        pytest.param({}, "Why", id="nobody gave one"),
    ],
)
def test_the_title_names_the_first_reason_only_if_it_is_no_chance(given, title):
    say(given, silent=10)
    assert overview(choose()).reasons.title == title


def test_the_test_of_the_title_is_the_two_sided_one():
    """The interval of the share leaves 50 % exactly when (a - b) / sqrt(a + b) passes z."""
    for first in range(30, 200, 7):
        for second in range(first):
            low = figure(SHARE, {"this": first, "another": second}).low
            assert (low > 50) is ((first - second) / (first + second) ** 0.5 > 1.959964)


@pytest.mark.django_db
@pytest.mark.parametrize("slices", [1, 3])
def test_the_number_of_queries_does_not_grow_with_slices(slices, django_assert_num_queries):
    for _ in range(slices):
        say({"too_often": 24, "fun": 16}, category=make_category(), product=make_product())
    with django_assert_num_queries(SATISFACTION_QUERIES):
        satisfaction(choose())


SATISFACTION_QUERIES = 14
