"""The widget is one file without imports: its words and numbers are those of the product."""

import re

import pytest
from django.conf import settings
from django.utils import translation

from feedback.collect import MAX_COMMENT
from feedback.models import HAPPY_REASONS, UNHAPPY_REASONS, Labels
from feedback.questions import default_question
from feedback.scales import SCALES
from feedback.snippets import ENDS, LANGUAGES, THUMBS

WIDGET = (settings.BASE_DIR / "static/widget/widget.js").read_text()


def table(name: str, language: str) -> dict[str, str]:
    """Return a table of the widget in one language, in its order."""
    rows = re.search(rf"const {name} = {{(.*?)}};", WIDGET, re.DOTALL)[1]
    pairs = re.findall(r'(\w+): \[\s*"([^"]*)",\s*"([^"]*)",?\s*\]', rows)
    assert len(pairs) == rows.count("[")
    return {key: texts[LANGUAGES.index(language)] for key, *texts in pairs}


def test_every_scale_has_its_answers_and_its_lowest_happy_one():
    rows = re.search(r"const SCALES = {(.*)};", WIDGET)[1]
    numbers = re.findall(r"(\w+): \[(\d+), (\d+), (\d+)\]", rows)
    assert {key: tuple(map(int, given)) for key, *given in numbers} == {
        key: (scale.lowest, scale.highest, scale.bands[0].lowest) for key, scale in SCALES.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scale_asks_its_question_and_names_its_ends(language):
    words = table("WORDS", language)
    up, down = THUMBS[language][""]
    asked = {"thumb": f"{getattr(default_question('thumb'), language)}|{down}|{up}"}
    for key, (low, high) in ENDS[language].items():
        question = getattr(default_question(key), language)
        scale = SCALES[key]
        asked[key] = f"{question}|{scale.lowest} {low}|{high} {scale.highest}"
    assert {key: words[key] for key in SCALES} == asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_thumbs_have_the_labels_one_can_choose(language):
    given = {
        key.removeprefix("thumb"): tuple(text.split("|")[:0:-1])
        for key, text in table("WORDS", language).items()
        if key.startswith("thumb")
    }
    assert given == THUMBS[language]
    assert list(given) == Labels.values


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "reasons"), [("HAPPY", HAPPY_REASONS), ("UNHAPPY", UNHAPPY_REASONS)]
)
def test_the_reasons_are_offered_in_their_order(name, reasons, language):
    with translation.override(language):
        expected = [(reason.value, str(reason.label)) for reason in reasons]
    assert list(table(name, language).items()) == expected


def test_a_comment_may_be_as_long_as_the_collector_takes():
    assert re.findall(r"maxLength: (\d+)", WIDGET) == [str(MAX_COMMENT)]
