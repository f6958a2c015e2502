"""The questions that are ready to use."""

import pytest

from feedback.models import Labels, ScaleKey
from feedback.questions import READY_MADE, default_question


@pytest.mark.parametrize("question", READY_MADE, ids=lambda question: question.key)
def test_a_question_fits_and_is_there_in_both_languages(question):
    assert question.scale in ScaleKey.values
    assert question.labels in Labels.values
    assert question.labels == "" or question.scale == "thumb"
    assert 0 < len(question.nl) <= 200
    assert 0 < len(question.en) <= 200
    # One idea each; words for agreeing go with a statement, all others with a question.
    for text in (question.nl, question.en):
        assert text.count("?") == (question.labels != "agree")
    assert " u " not in f" {question.nl.lower()} "


def test_keys_are_their_own():
    assert len({question.key for question in READY_MADE}) == len(READY_MADE)


@pytest.mark.parametrize("scale", ScaleKey.values)
def test_every_scale_has_a_question(scale):
    assert default_question(scale).scale == scale
