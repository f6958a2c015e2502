"""How many answers are enough, and how many must be asked."""

import pytest

from insights.precision import answers_needed, invitations_needed


@pytest.mark.parametrize(
    ("scale", "margin", "n"),
    [("nps", 10, 278), ("nps", 5, 1_111), ("thumb", 10, 97), ("thumb", 5, 385), ("csat", 50, 4)],
)
def test_half_the_margin_takes_four_times_the_answers(scale, margin, n):
    assert answers_needed(scale, margin) == n


@pytest.mark.parametrize("margin", [0, -5])
def test_a_margin_of_nothing_is_refused(margin):
    with pytest.raises(ValueError, match="Give one above 0"):
        answers_needed("nps", margin)


def test_as_many_are_asked_as_answered_last_time():
    assert invitations_needed(100, 80, 1_000) == 1_250
    assert invitations_needed(100, 3, 9) == 300
    assert invitations_needed(1, 5, 5) == 1
    for answered, invited in ((0, 100), (5, 4)):
        with pytest.raises(ValueError, match="nothing follows"):
            invitations_needed(100, answered, invited)
