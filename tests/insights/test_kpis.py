"""The formulas: against the published numbers, against other software, and against each other."""

import gc
import random
import re
from collections import Counter
from math import isclose
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from feedback.scales import SCALES, ScaleError
from insights import kpis
from insights.kpis import (
    KPIS,
    MIN_SHOWN,
    MIN_VERDICT,
    Change,
    CountError,
    Figure,
    Verdict,
    add,
    change,
    figure,
    holm,
    turning_point,
    verdicts,
)

NPS = KPIS["nps"]
THUMBS = KPIS["thumbs"]
SHARES = [kpi for kpi in KPIS.values() if kpi.unit == "percent"]

# What the oracles must be asked for, to use the same z as we do.
ALPHA = 2 * norm.sf(kpis.Z)

few_or_many = st.one_of(st.integers(0, 60), st.integers(0, 20_000))
nps_counts = st.builds(
    lambda d, m, p: {"detractors": d, "passives": m, "promoters": p},
    few_or_many,
    few_or_many,
    few_or_many,
).filter(lambda counts: sum(counts.values()) > 0)
thumb_counts = st.builds(
    lambda down, up: {"up": up, "down": down}, few_or_many, few_or_many
).filter(lambda counts: sum(counts.values()) > 0)
moderate = settings(max_examples=100, deadline=None)


def nps(d: int, m: int, p: int) -> Figure:
    return figure(NPS, {"detractors": d, "passives": m, "promoters": p})


def thumbs(up: int, n: int) -> Figure:
    return figure(THUMBS, {"up": up, "down": n - up})


def close(ours, theirs) -> bool:
    return isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)


def size(n: int) -> Figure:
    return thumbs(n // 2, n)


def z_of(moved: Change) -> float:
    return NormalDist().inv_cdf(1 - moved.p / 2)


# What is declared


@pytest.mark.parametrize(
    ("key", "measure", "outcomes", "unit"),
    [
        ("nps", "nps", ("promoters", "passives", "detractors"), "points"),
        ("csat", "csat", ("satisfied", "neutral", "dissatisfied"), "percent"),
        ("ces", "ces", ("easy", "neutral", "hard"), "percent"),
        ("thumbs", "thumb", ("up", "down"), "percent"),
        ("response_rate", "invited", ("answered", "silent"), "percent"),
    ],
)
def test_each_kpi_declares_what_it_counts(key, measure, outcomes, unit):
    kpi = KPIS[key]

    assert (kpi.key, kpi.measure, kpi.outcomes, kpi.unit) == (key, measure, outcomes, unit)
    assert (kpi.positive, kpi.negative) == (outcomes[0], outcomes[-1])


def test_there_are_five_kpis():
    assert sorted(KPIS) == ["ces", "csat", "nps", "response_rate", "thumbs"]


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_a_definition_starts_with_name_and_version_and_is_one_sentence(kpi):
    name, _, rest = kpi.definition.partition(": ")

    assert name.casefold() == f"{kpi.key.replace('_', ' ')} v{kpi.version}"
    assert rest.endswith("unweighted.")
    assert ". " not in rest


@pytest.mark.parametrize("key", ["nps", "csat", "ces"])
def test_a_definition_names_the_range_of_its_scale(key):
    scale = SCALES[key]

    assert f"from {scale.lowest} to {scale.highest}" in KPIS[key].definition


# From answers to counts


@pytest.mark.parametrize(
    ("key", "tally", "counts"),
    [
        ("nps", {10: 1, 9: 2, 8: 4, 0: 8}, {"promoters": 3, "passives": 4, "detractors": 8}),
        ("csat", {5: 1, 4: 1, 2: 7}, {"satisfied": 2, "neutral": 0, "dissatisfied": 7}),
        ("ces", {5: 1, 4: 2, 3: 4}, {"easy": 1, "neutral": 2, "hard": 4}),
        ("thumbs", {1: 6}, {"up": 6, "down": 0}),
        ("response_rate", {1: 40, 0: 160}, {"answered": 40, "silent": 160}),
        ("nps", {}, {"promoters": 0, "passives": 0, "detractors": 0}),
    ],
)
def test_values_become_counts_with_every_outcome_present(key, tally, counts):
    made = KPIS[key].counts_from_values(tally)

    assert made == counts
    assert tuple(made) == KPIS[key].outcomes


def test_changes_not_yet_folded_may_be_negative_until_they_are_added():
    folded = NPS.counts_from_values({9: 4, 3: 1})
    not_yet = NPS.counts_from_values({9: -1, 3: 1})

    assert add(folded, not_yet) == {"promoters": 3, "passives": 0, "detractors": 2}


@pytest.mark.parametrize("value", [6.5, 11, -1, "7", True], ids=repr)
def test_mistake_13_odd_values_are_refused_and_never_dropped(value):
    with pytest.raises(ScaleError):
        NPS.counts_from_values({9: 10, value: 1})


def test_a_response_is_there_or_not():
    with pytest.raises(ScaleError):
        KPIS["response_rate"].counts_from_values({2: 1})


@given(st.dictionaries(st.integers(0, 10), st.integers(0, 1000)))
def test_counting_by_outcome_loses_nobody(tally):
    assert sum(NPS.counts_from_values(tally).values()) == sum(tally.values())


# NPS


@pytest.mark.parametrize(
    ("counts", "value", "low", "high"),
    [
        pytest.param((15, 25, 60), 45.0, 29.3, 58.0, id="15/25/60"),
        pytest.param((1, 1, 3), 40.0, -29.8, 79.8, id="1/1/3"),
        pytest.param((0, 2, 18), 90.0, 58.4, 98.1, id="0/2/18"),
        pytest.param((0, 0, 5), 100.0, 17.5, 100.0, id="0/0/5 clipped"),
        pytest.param((5, 0, 0), -100.0, -100.0, -17.5, id="5/0/0 clipped"),
    ],
)
def test_nps_has_the_published_adjusted_wald_interval(counts, value, low, high):
    made = nps(*counts)

    assert made.value == value
    assert round(made.low, 1) == low
    assert round(made.high, 1) == high


def test_an_interval_that_is_clipped_ends_exactly_at_100():
    assert nps(0, 0, 5).high == 100
    assert nps(5, 0, 0).low == -100


@pytest.mark.parametrize(
    ("n", "half_width"), [(20, 32), (50, 21), (100, 15), (200, 11), (400, 8), (1000, 5)]
)
def test_the_half_width_of_nps_shrinks_with_the_root_of_n(n, half_width):
    made = nps(n // 5, n - n // 2 - n // 5, n // 2)

    assert round((made.high - made.low) / 2) == half_width


def test_the_published_variance_gives_4_1_points():
    # Shares 1/2, 1/3, 1/6: NPS 1/3, variance 5/9, n = 324 (Cross Validated 18603).
    made = nps(54, 108, 162)

    assert close(made.value, 100 / 3)
    assert round((made.high - made.low) / 2 / kpis.Z, 1) == 4.1


@moderate
@given(nps_counts)
def test_nps_agrees_with_a_weighted_mean_of_the_answers(counts):
    answers = np.array([-1.0, 0.0, 1.0])
    weights = np.array(list(counts.values())) + np.array([0.75, 1.5, 0.75])
    mean = np.average(answers, weights=weights)
    variance = np.average((answers - mean) ** 2, weights=weights)
    low, high = norm.interval(1 - ALPHA, loc=mean, scale=np.sqrt(variance / weights.sum()))

    made = figure(NPS, counts)

    assert close(made.low, max(-100.0, 100 * low))
    assert close(made.high, min(100.0, 100 * high))


@moderate
@given(nps_counts)
def test_nps_is_the_mean_of_minus_one_zero_and_one(counts):
    made = figure(NPS, counts)

    assert close(made.value, 100 * np.average([-1, 0, 1], weights=list(counts.values())))
    assert made.n == sum(counts.values())


@moderate
@given(nps_counts)
def test_the_nps_interval_stays_in_range_and_holds_the_value(counts):
    made = figure(NPS, counts)

    assert -100 <= made.low < made.high <= 100
    # One answer alone, all or nothing, is pulled further to the middle than its interval reaches.
    assume(made.n > 1)
    assert made.low <= made.value <= made.high


@moderate
@given(nps_counts)
def test_nps_is_mirrored_when_promoters_and_detractors_swap(counts):
    swapped = nps(counts["promoters"], counts["passives"], counts["detractors"])
    made = figure(NPS, counts)

    assert close(made.value, -swapped.value)
    assert close(made.low, -swapped.high)


# Shares


@pytest.mark.parametrize("kpi", SHARES, ids=lambda kpi: kpi.key)
@pytest.mark.parametrize(
    ("positive", "n", "value", "low", "high"),
    [
        pytest.param(45, 50, 90, 78.6, 95.7, id="45 of 50"),
        pytest.param(5, 5, 100, 56.6, 100, id="5 of 5"),
        pytest.param(18, 20, 90, 69.9, 97.2, id="18 of 20"),
        pytest.param(0, 5, 0, 0, 43.4, id="0 of 5"),
    ],
)
def test_a_share_has_the_published_wilson_interval(kpi, positive, n, value, low, high):
    made = figure(kpi, {kpi.positive: positive, kpi.negative: n - positive})

    assert (made.n, made.value) == (n, value)
    assert (round(made.low, 1), round(made.high, 1)) == (low, high)


@pytest.mark.parametrize("key", ["csat", "ces"])
def test_neutral_answers_are_in_the_denominator_of_a_share(key):
    kpi = KPIS[key]
    made = figure(kpi, {kpi.positive: 45, "neutral": 5})

    assert (made.n, made.value, round(made.low, 1)) == (50, 90, 78.6)


@moderate
@given(thumb_counts)
def test_a_share_agrees_with_wilson_in_statsmodels(counts):
    made = figure(THUMBS, counts)
    low, high = proportion_confint(counts["up"], made.n, alpha=ALPHA, method="wilson")

    assert close(made.low, 100 * low)
    assert close(made.high, 100 * high)
    assert close(made.value, 100 * counts["up"] / made.n)


@moderate
@given(thumb_counts)
def test_the_interval_of_a_share_stays_in_range_and_holds_the_value(counts):
    made = figure(THUMBS, counts)

    assert 0 <= made.low <= made.value <= made.high <= 100


def test_all_or_none_end_exactly_at_the_edge():
    for n in range(1, 2000):
        assert thumbs(0, n).low == 0
        assert thumbs(n, n).high == 100


def test_a_share_is_not_blurred_by_rounding():
    assert thumbs(29, 100).value == 29
    assert thumbs(57, 100).value == 57


# Counts


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_mistake_4_no_answers_give_no_figure(kpi):
    none = dict.fromkeys(kpi.outcomes, 0)

    assert figure(kpi, none) == Figure(n=0, value=None, low=None, high=None, counts=none)
    assert figure(kpi, {}) == figure(kpi, none)


def test_mistake_4_an_nps_of_zero_is_a_real_value():
    made = nps(5, 10, 5)

    assert (made.n, made.value) == (20, 0)
    assert made.low < 0 < made.high


def test_an_outcome_not_mentioned_counts_zero():
    assert figure(NPS, {"promoters": 3}) == nps(0, 0, 3)
    assert figure(NPS, {"promoters": 3}).counts == {"promoters": 3, "passives": 0, "detractors": 0}


def test_a_figure_keeps_its_own_counts():
    counts = {"up": 3, "down": 2}
    made = figure(THUMBS, counts)
    counts["up"] = 99

    assert made.counts == {"up": 3, "down": 2}


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_a_negative_count_is_refused_with_a_way_out(kpi):
    with pytest.raises(CountError, match="cannot be below 0"):
        figure(kpi, {kpi.outcomes[0]: 100, kpi.outcomes[-1]: -1})


def test_a_count_error_is_a_value_error():
    assert issubclass(CountError, ValueError)


@moderate
@given(st.lists(nps_counts, min_size=1, max_size=5))
def test_adding_counts_is_counting_all_answers_at_once(parts):
    everybody = Counter({outcome: sum(part[outcome] for part in parts) for outcome in NPS.outcomes})

    assert figure(NPS, add(*parts)) == figure(NPS, everybody)


def test_adding_keeps_outcomes_without_answers():
    assert add({"up": 2, "down": 0}, {"up": 1, "down": 0}) == {"up": 3, "down": 0}
    assert add() == {}


# The known mistakes, in numbers


@pytest.mark.parametrize("skips", [25, 50, 100])
def test_mistake_1_skips_have_no_place_in_the_denominator(skips):
    assert nps(10, 30, 60).value == 50
    with pytest.raises(CountError, match="Use promoters, passives, detractors"):
        figure(NPS, {"promoters": 60, "passives": 30, "detractors": 10, "skipped": skips})


def test_mistake_1_one_promoter_alone_is_100():
    assert nps(0, 0, 1).value == 100


def test_mistake_3_no_other_module_has_a_formula_of_its_own():
    formula = re.compile(r"1\.96\b|1\.9599|\bstatsmodels\b|\bscipy\b|NormalDist")
    root = Path(kpis.__file__).parents[1]
    sources = [
        path
        for app in ("customers", "feedback", "mailings", "insights")
        for path in (root / app).rglob("*.py")
    ]

    assert [path.name for path in sources if formula.search(path.read_text("utf-8"))] == ["kpis.py"]


def test_mistake_5_a_filter_applies_to_invitations_too():
    segment = {"answered": 40, "silent": 160}

    assert figure(KPIS["response_rate"], segment).value == 20


def test_mistake_6_answers_belong_to_the_cohort_of_their_invitation():
    january = KPIS["response_rate"].counts_from_values({1: 140 + 60, 0: 800})
    february = KPIS["response_rate"].counts_from_values({1: 20, 0: 80})

    assert figure(KPIS["response_rate"], january).value == 20
    assert figure(KPIS["response_rate"], february).value == 20


def test_mistake_9_scores_do_not_add_up_but_counts_do():
    day_a = {"promoters": 2, "passives": 0, "detractors": 0}
    day_b = {"promoters": 39, "passives": 20, "detractors": 39}

    assert (figure(NPS, day_a).value, figure(NPS, day_b).value) == (100, 0)
    assert figure(NPS, add(day_a, day_b)).value == 2


def test_mistake_9_scales_are_not_mixed():
    csat = KPIS["csat"].counts_from_values({5: 10, 3: 5})

    with pytest.raises(CountError):
        figure(KPIS["ces"], csat)
    with pytest.raises(CountError):
        figure(KPIS["ces"], add(csat, KPIS["ces"].counts_from_values({7: 10})))


def test_mistake_10_precision_is_not_pretended():
    made = nps(8, 12, 20)

    assert (made.value, round(made.low), round(made.high)) == (30, 5, 51)


def test_mistake_11_a_number_comes_with_its_interval_and_n():
    made = nps(10, 30, 60)

    assert (made.value, round(made.low), round(made.high), made.n) == (50, 35, 62, 100)


# Change


def test_the_nps_example_is_demonstrable():
    moved = change(NPS, nps(80, 120, 200), nps(100, 130, 170))

    assert moved.change == -12.5
    assert (round(moved.low, 1), round(moved.high, 1)) == (-23.3, -1.5)
    assert (round(z_of(moved), 2), round(moved.p, 3)) == (2.22, 0.026)


def test_the_nps_example_overlaps_and_yet_is_demonstrable():
    before, after = nps(80, 120, 200), nps(100, 130, 170)
    moved = change(NPS, before, after)

    assert (round(before.low), round(before.high)) == (22, 37)
    assert (round(after.low), round(after.high)) == (10, 25)
    assert verdicts([(before, after, moved)]) == [Verdict.DOWN]


def test_the_nps_example_with_half_the_answers_is_not_demonstrable():
    before, after = nps(40, 60, 100), nps(50, 65, 85)
    moved = change(NPS, before, after)

    assert moved.change == -12.5
    assert (round(moved.low, 1), round(moved.high, 1), round(moved.p, 2)) == (-27.7, 3.1, 0.12)
    assert verdicts([(before, after, moved)]) == [Verdict.NO_CHANGE]


@pytest.mark.parametrize("kpi", SHARES, ids=lambda kpi: kpi.key)
def test_the_share_example_is_demonstrable(kpi):
    before = figure(kpi, {kpi.positive: 160, kpi.negative: 40})
    after = figure(kpi, {kpi.positive: 140, kpi.negative: 60})
    moved = change(kpi, before, after)

    assert moved.change == -10
    assert (round(moved.low, 1), round(moved.high, 1)) == (-18.3, -1.5)
    assert (round(z_of(moved), 2), round(moved.p, 3)) == (2.31, 0.021)
    assert verdicts([(before, after, moved)]) == [Verdict.DOWN]


@moderate
@given(nps_counts, nps_counts)
def test_an_nps_change_agrees_with_weighted_means_of_the_answers(before, after):
    means, variances = [], []
    for counts in (before, after):
        answers = np.array([-1.0, 0.0, 1.0])
        weights = np.array(list(counts.values())) + np.array([0.75, 1.5, 0.75])
        mean = np.average(answers, weights=weights)
        means.append(mean)
        variances.append(np.average((answers - mean) ** 2, weights=weights) / weights.sum())
    difference, error = means[1] - means[0], np.sqrt(sum(variances))
    low, high = norm.interval(1 - ALPHA, loc=difference, scale=error)

    moved = change(NPS, figure(NPS, before), figure(NPS, after))

    assert close(moved.low, max(-200.0, 100 * low))
    assert close(moved.high, min(200.0, 100 * high))
    assert close(moved.p, 2 * norm.sf(abs(difference / error)))


def test_the_interval_of_an_nps_change_is_clipped_to_what_is_possible():
    up = change(NPS, nps(2, 0, 0), nps(0, 0, 1000))
    down = change(NPS, nps(0, 0, 1000), nps(2, 0, 0))

    assert (up.change, up.high) == (200, 200)
    assert (down.change, down.low) == (-200, -200)


@moderate
@given(thumb_counts, thumb_counts)
def test_a_share_change_agrees_with_the_pooled_test_in_statsmodels(before, after):
    ups = [after["up"], before["up"]]
    sizes = [sum(after.values()), sum(before.values())]
    assume(0 < sum(ups) < sum(sizes))

    moved = change(THUMBS, figure(THUMBS, before), figure(THUMBS, after))

    _, p = proportions_ztest(ups, sizes)
    assert close(moved.p, p)


@moderate
@given(thumb_counts, thumb_counts)
def test_a_share_change_agrees_with_newcombe_in_statsmodels(before, after):
    moved = change(THUMBS, figure(THUMBS, before), figure(THUMBS, after))

    low, high = confint_proportions_2indep(
        after["up"],
        sum(after.values()),
        before["up"],
        sum(before.values()),
        method="newcomb",
        compare="diff",
        alpha=ALPHA,
    )
    assert close(moved.low, 100 * low)
    assert close(moved.high, 100 * high)


@moderate
@given(thumb_counts, thumb_counts)
def test_the_interval_of_a_share_change_stays_in_range_and_holds_the_change(before, after):
    moved = change(THUMBS, figure(THUMBS, before), figure(THUMBS, after))

    assert -100 <= moved.low <= moved.change + 1e-9
    assert moved.change - 1e-9 <= moved.high <= 100


@moderate
@given(nps_counts, nps_counts)
def test_a_change_is_the_plain_difference_of_the_two_values(before, after):
    first, second = figure(NPS, before), figure(NPS, after)

    assert change(NPS, first, second).change == second.value - first.value


@moderate
@given(st.data())
def test_going_back_is_the_same_change_the_other_way_round(data):
    kpi, counts = data.draw(st.sampled_from([(NPS, nps_counts), (THUMBS, thumb_counts)]))
    one, other = figure(kpi, data.draw(counts)), figure(kpi, data.draw(counts))
    there, back = change(kpi, one, other), change(kpi, other, one)

    assert close(there.change, -back.change)
    assert close(there.low, -back.high)
    assert close(there.p, back.p)


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_there_is_no_change_from_or_to_nothing(kpi):
    nobody, somebody = figure(kpi, {}), figure(kpi, {kpi.positive: 100})

    assert change(kpi, nobody, somebody) is None
    assert change(kpi, somebody, nobody) is None
    assert change(kpi, nobody, nobody) is None


@pytest.mark.parametrize("share", [0, 1], ids=["all down", "all up"])
def test_a_share_without_any_spread_has_not_changed(share):
    before, after = thumbs(40 * share, 40), thumbs(70 * share, 70)
    moved = change(THUMBS, before, after)

    assert (moved.change, moved.p) == (0, 1)
    assert moved.low < 0 < moved.high
    assert verdicts([(before, after, moved)]) == [Verdict.NO_CHANGE]


def test_the_same_answers_twice_have_not_changed():
    assert change(NPS, nps(10, 30, 60), nps(10, 30, 60)).p == 1
    assert change(THUMBS, thumbs(40, 60), thumbs(40, 60)).p == 1


# Many comparisons


def test_the_holm_example_leaves_one_of_three():
    assert holm([0.004, 0.020, 0.030, 0.20]) == [True, False, False, False]


@pytest.mark.parametrize(
    ("ps", "stands"),
    [
        pytest.param([], [], id="none"),
        pytest.param([0.05], [True], id="one at the border"),
        pytest.param([0.0500001], [False], id="one beyond the border"),
        pytest.param([0.20, 0.030, 0.004, 0.020], [False, False, True, False], id="any order"),
        pytest.param([0.025, 0.025], [True, True], id="a tie that passes"),
        pytest.param([0.026, 0.026], [False, False], id="a tie that fails"),
        pytest.param([0.04, 0.01], [True, True], id="the second has an easier limit"),
        pytest.param([0.03, 0.03, 0.001], [False, False, True], id="a tie after a pass"),
        pytest.param([0.02, 0.024, 0.04], [False, False, False], id="a failure ends it"),
    ],
)
def test_holm_steps_down(ps, stands):
    assert holm(ps) == stands


@moderate
@given(
    st.lists(
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.0125, 0.02, 0.025, 0.05])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([0.01, 0.05, 0.10]),
)
def test_holm_agrees_with_statsmodels(ps, alpha):
    # statsmodels collects garbage on every call: slow in a large process, unless it is set aside.
    gc.freeze()
    try:
        rejected = multipletests(ps, alpha=alpha, method="holm")[0]
    finally:
        gc.unfreeze()

    assert holm(ps, alpha) == rejected.tolist()


# Verdicts


def test_the_thresholds_are_five_and_thirty():
    assert (MIN_SHOWN, MIN_VERDICT) == (5, 30)


def test_the_verdict_words_are_those_of_the_document():
    assert [str(verdict) for verdict in Verdict] == ["up", "down", "no_change", "too_few"]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param(30, 30, "up", id="30 and 30"),
        pytest.param(29, 30, "too_few", id="29 and 30"),
        pytest.param(30, 29, "too_few", id="30 and 29"),
        pytest.param(29, 29, "too_few", id="29 and 29"),
        pytest.param(5, 1000, "too_few", id="5 and 1000"),
    ],
)
def test_a_verdict_needs_thirty_answers_on_both_sides(before, after, verdict):
    moved = Change(change=40, low=20, high=60, p=0.0001)

    assert verdicts([(size(before), size(after), moved)]) == [verdict]


@pytest.mark.parametrize(
    ("low", "high", "p", "verdict"),
    [
        pytest.param(1, 9, 0.01, "up", id="up"),
        pytest.param(-9, -1, 0.01, "down", id="down"),
        pytest.param(-1, 9, 0.30, "no_change", id="neither the test nor the interval"),
        pytest.param(-0.1, 9, 0.04, "no_change", id="the test without the interval"),
        pytest.param(-9, 0.1, 0.04, "no_change", id="the test without the interval, down"),
        pytest.param(0.1, 9, 0.06, "no_change", id="the interval without the test"),
        pytest.param(-9, -0.1, 0.06, "no_change", id="the interval without the test, down"),
        pytest.param(0, 9, 0.04, "no_change", id="an interval that touches zero"),
        pytest.param(-9, 0, 0.04, "no_change", id="an interval that touches zero from below"),
    ],
)
def test_a_verdict_needs_the_test_and_the_interval(low, high, p, verdict):
    moved = Change(change=(low + high) / 2, low=low, high=high, p=p)

    assert verdicts([(size(100), size(100), moved)]) == [verdict]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(thumbs(0, 30), thumbs(4, 30), id="p 0.038 but from -0.6"),
        pytest.param(thumbs(6, 30), thumbs(17, 200), id="to -0.005 but p 0.0502"),
    ],
)
def test_near_the_border_test_and_interval_disagree_and_nothing_is_claimed(before, after):
    moved = change(THUMBS, before, after)

    assert (moved.p <= 0.05) == (moved.low <= 0 <= moved.high)
    assert verdicts([(before, after, moved)]) == [Verdict.NO_CHANGE]


def test_the_rows_of_one_screen_are_corrected_together():
    many = size(100)
    rows = [
        (many, many, Change(change=-5, low=-9, high=-1, p=p)) for p in (0.030, 0.004, 0.20, 0.020)
    ]

    assert verdicts(rows) == ["no_change", "down", "no_change", "no_change"]
    assert verdicts(rows[:1]) == ["down"]


def test_rows_with_too_few_answers_do_not_weigh_on_the_others():
    few, many = size(29), size(100)
    rows = [
        (few, many, Change(change=50, low=40, high=60, p=0.0001)),
        (many, many, Change(change=5, low=1, high=9, p=0.04)),
        (many, few, Change(change=5, low=1, high=9, p=0.9)),
        (figure(THUMBS, {}), many, None),
    ]

    assert verdicts(rows) == ["too_few", "up", "too_few", "too_few"]


def test_no_rows_get_no_verdicts():
    assert verdicts([]) == []


@moderate
@given(st.data())
def test_a_verdict_never_contradicts_the_printed_change(data):
    kpi, counts = data.draw(st.sampled_from([(NPS, nps_counts), (THUMBS, thumb_counts)]))
    before, after = figure(kpi, data.draw(counts)), figure(kpi, data.draw(counts))
    moved = change(kpi, before, after)
    [verdict] = verdicts([(before, after, moved)])

    if verdict is Verdict.UP:
        assert moved.change > 0
    if verdict is Verdict.DOWN:
        assert moved.change < 0


# Where a line turned


def weeks(*shares, n=200):
    return [{"up": round(n * share), "down": n - round(n * share)} for share in shares]


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        pytest.param(weeks(0.9, 0.9, 0.9, 0.7, 0.7), 3, id="a fall"),
        pytest.param(weeks(0.7, 0.9, 0.9, 0.9), 1, id="a rise"),
        pytest.param(weeks(0.8, 0.8, 0.8, 0.8), None, id="no step"),
        pytest.param(weeks(0.9, 0.9, 0.7, n=20), None, id="too few on a side"),
        pytest.param(weeks(0.9, 0.9, 0.9, 0.5, n=0), None, id="nobody"),
        pytest.param(weeks(0.9), None, id="one part has no cut"),
        pytest.param([], None, id="no parts"),
        pytest.param(weeks(0.9, 0.9, 0.9, 0.9, 0.6, 0.6, 0.6, 0.6, 0.9), 4, id="the larger of two"),
    ],
)
def test_the_turning_point_is_the_first_part_after_the_largest_step(parts, at):
    turn = turning_point(KPIS["thumbs"], parts)
    assert (turn.at if turn else None) == at


def test_a_turn_carries_the_figures_on_both_sides():
    turn = turning_point(KPIS["thumbs"], weeks(0.9, 0.9, 0.7))
    assert (turn.before.n, turn.before.value) == (400, 90)
    assert (turn.after.n, turn.after.value) == (200, 70)
    assert turn.change == change(KPIS["thumbs"], turn.before, turn.after)


def test_a_step_lies_where_it_is_said_to_lie_in_nineteen_of_twenty_lines():
    """A fall from 80 to 72 % in week 14 of 26, 150 thumbs a week, 300 times, of a fixed seed."""
    dice = random.Random(7)
    found = right = width = 0
    for _line in range(300):
        shares = [0.8] * 13 + [0.72] * 13
        ups = [sum(dice.random() < share for _ in range(150)) for share in shares]
        turn = turning_point(KPIS["thumbs"], [{"up": up, "down": 150 - up} for up in ups])
        if turn is not None:
            found += 1
            right += turn.earliest <= 13 <= turn.latest
            width += turn.latest - turn.earliest + 1
    assert found >= 290
    assert right >= 0.95 * found
    assert width / found < 7


def test_where_nothing_happens_a_turn_is_found_in_fewer_than_one_of_twenty_lines():
    """26 weeks of a hundred thumbs, 400 times, of a fixed seed: Bonferroni is on the safe side."""
    dice = random.Random(20)
    found = 0
    for _line in range(400):
        ups = [sum(dice.random() < 0.8 for _ in range(100)) for _week in range(26)]
        found += (
            turning_point(KPIS["thumbs"], [{"up": up, "down": 100 - up} for up in ups]) is not None
        )
    assert found <= 20
