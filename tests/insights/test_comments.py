"""The latest comments: which, in what words, for whom, and never whose."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone, translation

from feedback.queries import Span, comments, explained
from insights.accounts import Role
from insights.dashboard.comments import OUTCOMES, known_language, latest_comments
from insights.dashboard.selection import Selection
from insights.kpis import KPIS
from insights.periods import Period
from tests.insights.makers import TODAY, TOMORROW, ask, give, local
from tests.makers import make_category, make_customer, make_product, make_touchpoint

pytestmark = pytest.mark.django_db

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def staff(client):
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    return client


def choose(**given) -> Selection:
    facts = {"period": Period(YESTERDAY, TOMORROW), "preset": "own", "where": {}, "names": {}}
    return Selection(**facts | {"kpi": "nps", "slice": "category", "today": TODAY} | given)


def texts(**given) -> list[str]:
    return [comment.text for comment in latest_comments(choose(**given))]


# -- Which ones ----------------------------------------------------------------------------------


def test_the_newest_ten_come_first():
    for minute in range(12):
        give("nps", [9], at=local(TODAY, minute=minute), comment=f"Comment {minute}")
    assert texts() == [f"Comment {minute}" for minute in range(11, 1, -1)]


def test_a_comment_is_of_the_scale_and_the_local_days_of_the_selection():
    give("nps", [9], at=local(YESTERDAY, hour=0), comment="first minute")
    give("nps", [9], at=local(TODAY, hour=23, minute=59), comment="last minute")
    give("nps", [9], at=local(YESTERDAY) - timedelta(hours=13), comment="the day before")
    give("nps", [9], at=local(TOMORROW, hour=0), comment="the day after")
    give("thumb", [1], comment="a thumb")
    give("nps", [9], comment="")
    assert texts() == ["last minute", "first minute"]
    assert texts(kpi="thumbs") == ["a thumb"]


@pytest.mark.parametrize("name", ["category", "product", "touchpoint", "channel", "customer_type"])
def test_each_filter_holds_for_comments(name):
    made = {
        "category": make_category(name="Mats"),
        "product": make_product(sku="Mats"),
        "touchpoint": make_touchpoint(name="Mats"),
        "channel": "web",
        "customer_type": "regular",
    }
    key = {"channel": "web", "customer_type": "regular"}.get(name, "Mats")
    give("nps", [9], comment="in it", **{name: made[name]})
    give("nps", [9], comment="not in it")
    assert texts(where={name: key}) == ["in it"]
    assert texts(where={name: ""}) == ["not in it"]


def test_a_file_holds_answers_with_a_comment_or_a_reason():
    give("nps", [9], comment="words")
    give("nps", [9], reason="fun")
    give("nps", [9])
    span = Span("nps", TODAY, TOMORROW)
    assert [response.comment for response in comments(span)] == ["words"]
    assert [response.reason for response in explained(span)] == ["fun", ""]


# -- What is said of each ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kpi", "scale", "value", "score", "mood", "outcome"),
    [
        ("thumbs", "thumb", 1, "", "up", "Thumb up"),
        ("thumbs", "thumb", 0, "", "down", "Thumb down"),
        ("nps", "nps", 9, "9", "up", "Promoter"),
        ("nps", "nps", 7, "7", "", "Passive"),
        ("nps", "nps", 0, "0", "down", "Detractor"),
        ("csat", "csat", 4, "4", "up", "Satisfied"),
        ("csat", "csat", 3, "3", "", "Neutral"),
        ("csat", "csat", 1, "1", "down", "Not satisfied"),
        ("ces", "ces", 7, "7", "up", "Easy"),
        ("ces", "ces", 1, "1", "down", "Not easy"),
    ],
)
def test_a_comment_has_the_judgement_of_its_answer(kpi, scale, value, score, mood, outcome):
    give(scale, [value], comment="words")
    with translation.override("en"):
        [comment] = latest_comments(choose(kpi=kpi))
    assert (comment.score, comment.mood, comment.outcome) == (score, mood, outcome)


def test_every_outcome_of_an_answer_has_a_word():
    outcomes = {
        name for kpi in KPIS.values() if kpi.key != "response_rate" for name in kpi.outcomes
    }
    assert set(OUTCOMES) == outcomes


@pytest.mark.parametrize(
    ("code", "language"),
    [("nl", "nl"), ("nl-BE", "nl"), ("EN", "en"), ("", ""), ("klingon", ""), ('"><b>', "")],
)
def test_only_a_language_that_exists_is_named(code, language):
    assert known_language(code) == language


@pytest.mark.parametrize(
    ("text", "long"), [("x" * 700, False), ("x" * 701, True), ("x\n" * 12 + "x", True)]
)
def test_a_long_comment_keeps_to_its_place(text, long):
    give("nps", [9], comment=text)
    [comment] = latest_comments(choose())
    assert comment.long is long


# -- On the page ---------------------------------------------------------------------------------


def page_of(staff, query: str = "kpi=nps&period=13w") -> str:
    return staff.get(f"/?{query}").content.decode()


def test_the_page_shows_what_was_said_and_never_who(staff):
    customer = make_customer(reference="K-4711", name="Fenna Voorbeeld", email="fenna@example.org")
    product = make_product(sku="P1", name="Deurmat <groot>")
    said = {"customer": customer, "product": product, "channel": "web", "reason": "too_often"}
    touchpoint = make_touchpoint(name="Onder de nieuwsbrief")
    day = timezone.localdate()
    give(
        "nps",
        [2] * 5,
        on=day,
        comment="Te veel\nmail",
        touchpoint=touchpoint,
        language="nl",
        **said,
    )
    page = page_of(staff)
    assert '<blockquote dir="auto" lang="nl">Te veel\nmail</blockquote>' in page
    assert "Deurmat &lt;groot&gt;" in page
    assert "Onder de nieuwsbrief" in page
    for secret in ("K-4711", "Fenna", "fenna@"):
        assert secret not in page


@pytest.mark.parametrize(("answers", "seen"), [(4, False), (5, True)])
def test_under_five_answers_no_comment_is_shown(staff, answers, seen):
    give("nps", [9] * answers, on=timezone.localdate(), comment="Heel fijn")
    page = page_of(staff)
    assert ("Heel fijn" in page) is seen
    assert ("/comments.csv" in page) is seen


def test_the_scale_of_a_comment_is_that_of_the_kpi(staff):
    give("nps", [9] * 5, on=timezone.localdate(), comment="Bij het cijfer")
    give("thumb", [1] * 5, on=timezone.localdate(), comment="Bij de duim")
    ask(5, on=timezone.localdate())
    assert "Bij de duim" not in page_of(staff, "kpi=nps")
    assert "Bij de duim" in page_of(staff, "kpi=thumbs")
    assert 'id="comments"' not in page_of(staff, "kpi=response_rate")


@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_queries_does_not_grow_with_comments(number, django_assert_num_queries):
    for _ in range(number):
        product, touchpoint = make_product(), make_touchpoint()
        give("nps", [9], comment="words", product=product, touchpoint=touchpoint)
    with django_assert_num_queries(1):
        assert len(latest_comments(choose())) == number
