"""Why somebody is of a type, said with their own purchases."""

from datetime import date

import pytest

from customers import lifecycle
from customers.decision_words import INVOLVED, TYPE_REASONS
from customers.involvement import BECAUSE
from customers.type_facts import type_because

TODAY = date(2026, 11, 24)
MAY = date(2026, 5, 3)


@pytest.mark.parametrize(
    ("stored", "days", "sentence"),
    [
        ("prospect", [], "has not bought yet"),
        ("one_time", [MAY, MAY], "bought once, on 3 May"),
        ("lapsed", [date(2024, 1, 1), MAY], "last bought 205 days ago"),
        ("occasional", [date(2024, 1, 1), MAY], "bought twice"),
        ("occasional", [date(2023, 1, 1), date(2024, 1, 1), MAY], "bought on 3 days"),
        ("regular", [date(2026, 1, 1), date(2026, 3, 1), MAY], "bought on 3 days in the last year"),
        # A lower type is believed after a week; what is said is true meanwhile.
        ("regular", [date(2024, 1, 1), MAY], "bought twice"),
        ("regular", [], "has not bought yet"),
        # What is bought today counts from tomorrow on.
        ("prospect", [TODAY], "has not bought yet"),
    ],
)
def test_what_is_said_is_true_of_the_purchases(stored, days, sentence):
    assert type_because(stored, days, None, TODAY).sentence(TODAY) == sentence


def test_a_contract_says_until_when():
    reason = type_because("contract", [MAY], date(2027, 1, 1), TODAY)
    assert (reason.code, reason.values) == ("contract", {"until": date(2027, 1, 1)})


def test_every_code_has_its_words():
    assert set(TYPE_REASONS) == set(lifecycle.REASONS)
    assert set(INVOLVED) == set(BECAUSE)
