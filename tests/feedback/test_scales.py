"""The four scales: which answers exist, and what each counts as."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.scales import SCALES, ScaleError

OUTCOMES = {
    "thumb": {"down": [0], "up": [1]},
    "nps": {"detractors": [0, 1, 2, 3, 4, 5, 6], "passives": [7, 8], "promoters": [9, 10]},
    "csat": {"dissatisfied": [1, 2], "neutral": [3], "satisfied": [4, 5]},
    "ces": {"hard": [1, 2, 3], "neutral": [4], "easy": [5, 6, 7]},
}
EVERY_ANSWER = [
    pytest.param(key, value, outcome, id=f"{key}-{value}")
    for key, outcomes in OUTCOMES.items()
    for outcome, values in outcomes.items()
    for value in values
]
JUST_OUTSIDE = [
    *[("thumb", -1), ("thumb", 2)],
    *[("nps", -1), ("nps", 11)],
    *[("csat", 0), ("csat", 6)],
    *[("ces", 0), ("ces", 8)],
]

scale_keys = st.sampled_from(sorted(SCALES))


def test_there_are_four_scales_under_their_own_keys():
    assert {key: scale.key for key, scale in SCALES.items()} == {
        "thumb": "thumb",
        "nps": "nps",
        "csat": "csat",
        "ces": "ces",
    }


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("thumb", [0, 1]),
        ("nps", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("csat", [1, 2, 3, 4, 5]),
        ("ces", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_scale_knows_its_range(key, values):
    scale = SCALES[key]

    assert (scale.lowest, scale.highest) == (values[0], values[-1])
    assert list(scale.values) == values


@pytest.mark.parametrize(("key", "value", "outcome"), EVERY_ANSWER)
def test_every_answer_counts_as_one_outcome(key, value, outcome):
    assert SCALES[key].outcome(value) == outcome
    assert SCALES[key].check(value) == value
    assert SCALES[key].parse(str(value)) == value


@given(scale_keys)
def test_the_bands_cover_the_range_without_gap_or_overlap(key):
    scale = SCALES[key]
    covered = Counter(
        value for band in scale.bands for value in range(band.lowest, band.highest + 1)
    )

    assert covered == Counter(scale.values)


@pytest.mark.parametrize(
    ("key", "outcomes"),
    [
        ("thumb", ("up", "down")),
        ("nps", ("promoters", "passives", "detractors")),
        ("csat", ("satisfied", "neutral", "dissatisfied")),
        ("ces", ("easy", "neutral", "hard")),
    ],
)
def test_outcomes_go_from_happy_to_unhappy(key, outcomes):
    scale = SCALES[key]

    assert scale.outcomes == outcomes
    assert (scale.positive, scale.negative) == (outcomes[0], outcomes[-1])


@pytest.mark.parametrize(("key", "value"), JUST_OUTSIDE)
def test_a_value_just_outside_the_range_is_refused(key, value):
    with pytest.raises(ScaleError):
        SCALES[key].check(value)
    with pytest.raises(ScaleError):
        SCALES[key].outcome(value)
    with pytest.raises(ScaleError):
        SCALES[key].parse(str(value))


@pytest.mark.parametrize(
    "value", [6.5, 7.0, "7", "", True, False, None, [7], float("nan"), 10**30], ids=repr
)
def test_anything_but_a_whole_number_on_the_scale_is_refused(value):
    with pytest.raises(ScaleError):
        SCALES["nps"].check(value)
    with pytest.raises(ScaleError):
        SCALES["nps"].outcome(value)


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_no_thumb(value):
    with pytest.raises(ScaleError):
        SCALES["thumb"].check(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("9", 9), (" 9 ", 9), ("9\r\n", 9), ("+9", 9), ("09", 9), ("0", 0), ("-0", 0), ("10", 10)],
)
def test_an_integer_literal_is_read(text, value):
    assert SCALES["nps"].parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "nine", "True", "-"],
        *["6.5", "9.0", "9,0", "9.", "1e1", "0x9", "1_0", "--9", "- 9", "9 9", "9\x00"],
        *["٩", "９", "²"],
        *["11", "-1", "9" * 5000],
    ],
    ids=lambda text: ascii(text[:10]),
)
def test_any_other_text_is_refused(text):
    with pytest.raises(ScaleError):
        SCALES["nps"].parse(text)


@given(scale_keys, st.text(max_size=30))
def test_text_gives_an_answer_or_a_scale_error(key, text):
    scale = SCALES[key]
    try:
        value = scale.parse(text)
    except ScaleError:
        return

    assert type(value) is int
    assert value in scale.values


@given(scale_keys, st.integers())
def test_exactly_the_numbers_of_the_range_are_answers(key, value):
    scale = SCALES[key]
    try:
        accepted = scale.check(value) == value
    except ScaleError:
        accepted = False

    assert accepted == (scale.lowest <= value <= scale.highest)


def test_a_refusal_names_the_value_the_rule_and_the_way_out():
    with pytest.raises(ScaleError) as refused:
        SCALES["nps"].check(11)

    assert str(refused.value) == (
        "11 is not an answer on the scale nps: it takes whole numbers from 0 to 10. "
        "Send one of these as a number, or send no answer."
    )


def test_a_refusal_of_text_says_how_to_write_it():
    with pytest.raises(ScaleError) as refused:
        SCALES["ces"].parse("6.5")

    assert str(refused.value) == (
        "'6.5' is not an answer on the scale ces: it takes whole numbers from 1 to 7. "
        "Write one of these in digits, without decimals."
    )


def test_a_refusal_quotes_only_the_beginning_of_a_long_text():
    with pytest.raises(ScaleError) as refused:
        SCALES["nps"].parse("very happy " * 1000)

    assert "'very happy" in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_scale_error_is_a_value_error():
    assert issubclass(ScaleError, ValueError)
