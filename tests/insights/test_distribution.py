"""The distribution of scores: what its title claims, and what is drawn of few answers."""

import json
from datetime import timedelta

import pytest
from django.utils import translation

from insights.dashboard import satisfaction
from insights.dashboard.distribution import DistributionPanel
from insights.dashboard.reasons import SHARE
from insights.dashboard.selection import Selection, preset
from insights.kpis import change, figure
from insights.periods import previous, year_before
from tests.insights.makers import TODAY, ask, give
from tests.makers import make_category

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def choose(**given) -> Selection:
    facts = {"period": preset("13w", TODAY), "preset": "13w", "where": {}, "names": {}}
    return Selection(**facts | {"kpi": "nps", "slice": "category", "today": TODAY} | given)


def panel_of(**given) -> DistributionPanel:
    return satisfaction(choose(**given)).distribution


# Happy, neutral and unhappy scores; two of each where an outcome has several.
SPREAD = {
    "nps": ([9, 10], [7, 8], [5, 6]),
    "csat": ([4, 5], [3], [1, 2]),
    "ces": ([6, 7], [4], [2, 3]),
}
BEFORE = TODAY - timedelta(weeks=14)


def give_outcomes(counts: tuple[int, int, int], on=TODAY, kpi: str = "nps", **given) -> None:
    """Store so many happy, neutral and unhappy answers, shared out over the scores of each."""
    for n, scores in zip(counts, SPREAD[kpi], strict=True):
        give(kpi, [scores[at % len(scores)] for at in range(n)], on, **given)


def give_scores(counts: dict[int, int], on=TODAY) -> None:
    give("nps", [score for score, n in counts.items() for _ in range(n)], on)


def shown(panel: DistributionPanel) -> dict[int, int]:
    return {score.value: score.n for score in panel.scores if not score.hidden and score.n}


def trace(panel: DistributionPanel, role: str) -> dict[str, list]:
    [found] = [trace for trace in panel.figure["data"] if trace["meta"]["role"] == role]
    return found


def bars(panel: DistributionPanel) -> dict[str, list]:
    return trace(panel, "scores")


def printed(panel: DistributionPanel) -> dict[int, str]:
    """Return what stands above each bar."""
    numbers = trace(panel, "numbers")
    return dict(zip(numbers["x"], numbers["text"], strict=True))


# -- The title -----------------------------------------------------------------------------------

TITLES = [
    pytest.param(
        "nps",
        (100, 60, 40),
        (100, 60, 40),
        "NPS: answers per score",
        "NPS: antwoorden per cijfer",
        id="no change",
    ),
    pytest.param(
        "nps",
        (60, 60, 80),
        (100, 60, 40),
        "Fewer promoters, more detractors",
        "Minder promoters, meer detractors",
        id="fewer and more",
    ),
    pytest.param(
        "nps", (126, 46, 28), (100, 60, 40), "More promoters", "Meer promoters", id="more of one"
    ),
    pytest.param(
        "nps",
        (50, 90, 60),
        (140, 30, 30),
        "Fewer promoters, more passives and detractors",
        "Minder promoters, meer passieven en detractors",
        id="more of two",
    ),
    pytest.param(
        "nps", (88, 62, 50), (120, 46, 34), "Fewer promoters", "Minder promoters", id="fewer of one"
    ),
    pytest.param(
        "csat",
        (60, 40, 100),
        (140, 40, 20),
        "Fewer satisfied answers, more dissatisfied answers",
        "Minder tevreden antwoorden, meer ontevreden antwoorden",
        id="csat",
    ),
    pytest.param(
        "ces",
        (140, 40, 20),
        (60, 40, 100),
        "Fewer “not easy” answers, more “easy” answers",
        "Minder antwoorden “niet makkelijk”, meer antwoorden “makkelijk”",
        id="ces",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("kpi", "now", "before", "english", "dutch"), TITLES)
def test_the_title_says_which_outcomes_grew_or_shrank(kpi, now, before, english, dutch):
    give_outcomes(now, kpi=kpi)
    give_outcomes(before, on=BEFORE, kpi=kpi)
    assert panel_of(kpi=kpi).title == english
    with translation.override("nl"):
        assert panel_of(kpi=kpi).title == dutch


@pytest.mark.django_db
def test_the_three_outcomes_are_judged_together():
    """Alone the promoters would pass, with p = 0.035; as one of three they do not (Holm)."""
    now, before = (121, 50, 29), (100, 60, 40)
    alone = [figure(SHARE, {"this": part[0], "another": 200 - part[0]}) for part in (before, now)]
    assert 0.05 / 3 < change(SHARE, *alone).p < 0.05
    give_outcomes(now)
    give_outcomes(before, on=BEFORE)
    panel = panel_of()
    assert panel.title == "NPS: answers per score"
    assert {str(outcome.verdict) for outcome in panel.outcomes} == {"no_change"}


@pytest.mark.django_db
def test_a_verdict_takes_thirty_answers_before():
    give_outcomes((60, 60, 80))
    give_outcomes((20, 9, 0), on=BEFORE)
    panel = panel_of()
    assert panel.title == "NPS: answers per score"
    assert [(outcome.was, str(outcome.verdict)) for outcome in panel.outcomes] == [
        (None, "too_few")
    ] * 3
    assert {score.was for score in panel.scores} == {None}


# -- What is drawn of few ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("counts", "blurred", "drawn"),
    [
        pytest.param((0, 0, 0), False, False, id="nobody"),
        pytest.param((4, 0, 0), False, False, id="four"),
        pytest.param((10, 10, 9), False, False, id="29"),
        pytest.param((10, 10, 10), False, True, id="30"),
        pytest.param((40, 30, 1), True, False, id="one detractor"),
        pytest.param((40, 30, 4), True, False, id="four detractors"),
        pytest.param((40, 30, 5), False, True, id="five detractors"),
        pytest.param((40, 30, 0), False, True, id="no detractor at all"),
        pytest.param((40, 2, 30), True, False, id="two passives"),
        pytest.param((3, 40, 30), True, False, id="three promoters"),
    ],
)
def test_it_is_drawn_from_thirty_answers_if_no_outcome_has_one_to_four(counts, blurred, drawn):
    give_outcomes(counts)
    panel = panel_of()
    assert (panel.blurred, panel.figure is not None) == (blurred, drawn)
    assert (panel.title, panel.caption != "") == ("NPS: answers per score", drawn)
    assert [len(panel.scores), len(panel.outcomes)] == ([11, 3] if drawn else [0, 0])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("detractors", "visible"),
    [
        pytest.param({4: 20, 5: 20, 6: 40}, {4, 5, 6}, id="nothing small"),
        pytest.param({4: 3, 5: 20, 6: 40}, {6}, id="a small one takes the next smallest along"),
        pytest.param({3: 3, 4: 4, 6: 40}, {6}, id="two small ones"),
        pytest.param({3: 1, 4: 1, 5: 9, 6: 40}, {6}, id="two tiny ones take one along"),
        pytest.param({3: 3, 6: 40}, set(), id="all that are left"),
    ],
)
def test_a_small_score_is_hidden_with_company_of_its_own_outcome(detractors, visible):
    """What an outcome counts is on the page, so its scores are rows under a known total."""
    others = {7: 9, 8: 9, 9: 30, 10: 30}
    give_scores(detractors | others)
    panel = panel_of()
    assert shown(panel) == others | {score: detractors[score] for score in visible}
    hidden = [score for score in panel.scores if score.hidden]
    assert {score.share for score in hidden} <= {None}
    assert {score.value for score in hidden} == {*detractors} - visible
    drawn = bars(panel)
    assert drawn["x"] == [score.value for score in panel.scores if not score.hidden]
    assert len(drawn["y"]) == len(drawn["customdata"]) == len(drawn["x"])
    assert {printed(panel)[score.value] for score in hidden} <= {"∗"}


@pytest.mark.django_db
def test_a_score_nobody_gave_is_shown_as_nobody():
    give_scores({9: 30, 7: 10, 6: 10})
    panel = panel_of()
    assert {score.value: score.share for score in panel.scores if not score.n} == dict.fromkeys(
        [0, 1, 2, 3, 4, 5, 8, 10], 0
    )


@pytest.mark.django_db
def test_of_a_filter_that_is_hidden_in_its_table_nothing_is_drawn():
    phones, mats, parts = (make_category(name=name) for name in ("Phones", "Mats", "Parts"))
    give_outcomes((40, 30, 20), category=phones)
    give_outcomes((30, 20, 10), category=mats)
    give_outcomes((3, 0, 0), category=parts)
    open_, closed = (
        panel_of(where={"category": name}, names={"category": name}, slice="channel")
        for name in ("Phones", "Mats")
    )
    assert (open_.figure is not None, len(open_.scores)) == (True, 11)
    assert (closed.figure, closed.scores, closed.outcomes) == (None, [], [])


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["thumbs", "response_rate"])
def test_two_answers_have_no_distribution(kpi):
    give("thumb", [1] * 40 + [0] * 40)
    ask(80)
    page = satisfaction(choose(kpi=kpi))
    assert page.block.shown
    assert page.distribution is None


# -- The period before ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_outcome_of_one_to_four_before_takes_all_of_before_along():
    """From shares of what was before, and how many answered then, it would follow."""
    give_outcomes((60, 60, 80))
    give_outcomes((100, 60, 4), on=BEFORE)
    panel = panel_of()
    assert {outcome.was for outcome in panel.outcomes} == {None}
    assert {score.was for score in panel.scores} == {None}
    # What is judged is told all the same: it names no number.
    assert panel.title == "Fewer promoters, more detractors"


@pytest.mark.django_db
def test_a_small_score_before_is_hidden_with_company_and_the_others_are_not():
    give_scores({10: 40, 9: 40, 8: 30, 6: 20})
    give_scores({10: 2, 9: 50, 8: 30, 6: 18}, on=BEFORE)
    panel = panel_of()
    before = {score.value: score.was for score in panel.scores if score.was != 0}
    assert before == {10: None, 9: None, 8: 30.0, 6: 18.0}
    assert {score.value for score in panel.scores if score.hidden} == set()
    assert [outcome.was for outcome in panel.outcomes] == [52, 30, 18]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("against", "before"), [("previous", previous), ("year", year_before)], ids=str
)
def test_it_compares_with_the_period_that_was_chosen(against, before):
    give_outcomes((60, 60, 80))
    give_outcomes((100, 60, 40), on=before(preset("13w", TODAY)).start)
    panel = panel_of(against=against)
    assert [outcome.was for outcome in panel.outcomes] == [50, 30, 20]
    assert panel.title == "Fewer promoters, more detractors"
    other = panel_of(against={"previous": "year", "year": "previous"}[against])
    assert [outcome.was for outcome in other.outcomes] == [None] * 3
    assert other.title == "NPS: answers per score"


# -- What is drawn and said ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kpi", "roles"),
    [
        ("nps", ["bad"] * 7 + ["grey"] * 2 + ["good"] * 2),
        ("csat", ["bad"] * 2 + ["grey"] + ["good"] * 2),
        ("ces", ["bad"] * 3 + ["grey"] + ["good"] * 3),
    ],
)
def test_each_score_has_the_colour_of_what_it_counts_as(kpi, roles):
    give_outcomes((40, 30, 20), kpi=kpi)
    panel = panel_of(kpi=kpi)
    assert [score.role for score in panel.scores] == roles
    assert bars(panel)["meta"]["roles"] == roles
    assert sum(bars(panel)["y"]) == pytest.approx(100)
    assert json.loads(json.dumps(panel.figure)) == panel.figure


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words", "caption"),
    [
        (
            "en",
            ["9: 40.0 %, 80 answers, was 50.0 %", "6: 2.5 %, 5 answers, was 20.0 %"],
            "NPS: answers per score: Promoter 40 %, Passive 58 % and Detractor 3 %.",
        ),
        (
            "nl",
            ["9: 40,0%, 80 antwoorden, was 50,0%", "6: 2,5%, 5 antwoorden, was 20,0%"],
            "NPS: antwoorden per cijfer: Promoter 40%, Passief 58% en Detractor 3%.",
        ),
    ],
)
def test_numbers_follow_the_language(language, words, caption):
    give_scores({9: 80, 8: 115, 6: 5})
    give_scores({9: 100, 8: 60, 6: 40}, on=BEFORE)
    with translation.override(language):
        panel = panel_of()
        told = dict(zip(bars(panel)["x"], bars(panel)["customdata"], strict=True))
        assert [told[score].replace(NBSP, " ") for score in (9, 6)] == words
        assert panel.caption.replace(NBSP, " ") == caption


@pytest.mark.django_db
def test_a_share_under_one_is_not_printed_as_none():
    give_scores({9: 1000, 8: 500, 6: 500, 5: 6, 10: 0})
    panel = panel_of()
    assert [printed(panel)[score] for score in (5, 10, 9)] == ["<1", "0", "50"]
