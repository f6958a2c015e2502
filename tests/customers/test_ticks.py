"""The tick as customers see it, in every language and theme."""

import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.template import engines
from django.template.loader import get_template, render_to_string

from customers.first_texts import first_draft
from customers.gate import Screen, faults_of_screen
from customers.models import PurposeKind
from customers.screens import screen_of
from customers.ticks import tick
from customers.wordings import Texts
from tests.customers.test_publishing import DUTCH

LOCALES = [*dict(settings.LANGUAGES), "nl-formal"]
KINDS = [kind for kind in PurposeKind if kind.needs_consent]


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_case_01_no_tick_is_checked_required_or_hidden_in_any_language(kind, language):
    """A theme is a style sheet, so the HTML is the same in all of them."""
    texts = first_draft(kind, ["email"], "Lindehuis").texts[language[:2]]
    page = tick(texts, language=language, name="permit", id="permit")
    assert screen_of(page) == Screen(purposes=1)
    assert faults_of_screen(screen_of(page)) == []
    assert re.findall(r"<input[^>]*>", page) == [
        '<input class="form-check-input" type="checkbox" name="permit" value="yes" id="permit" '
        'autocomplete="off" aria-describedby="permit-help">'
    ]


def test_case_01_whatever_the_page_around_it_says_the_box_stays_empty():
    around = ("checked", "required", "hidden", "disabled", "value", "attrs", "style", "class")
    given = {"wording": DUTCH, "name": "permit", "id": "permit"}
    plain = render_to_string("customers/_tick.html", given)
    assert (
        render_to_string("customers/_tick.html", given | dict.fromkeys(around, "checked")) == plain
    )
    source = get_template("customers/_tick.html").template.source
    (box,) = re.findall(r"<input.*?>", source)
    assert re.findall(r"{[{%](.*?)[}%]}", box) == [" name ", " id ", " id "]


def test_case_01_a_text_cannot_tick_its_own_box():
    evil = replace(DUTCH, label='"><input type="checkbox" checked>', helper="</p><b hidden>")
    page = tick(evil, language="nl", name="permit", id="permit")
    assert screen_of(page) == Screen(purposes=1)


def test_all_that_is_published_stands_beside_the_box():
    texts = Texts(**{name: f"<{name}>" for name in Texts.__dataclass_fields__})
    page = tick(texts, language="en", name="permit", id="permit")
    for name in Texts.__dataclass_fields__:
        assert f"&lt;{name}&gt;" in page
    shown = page.split("<details", 1)[0]
    assert "&lt;helper&gt; &lt;way_out&gt;" in shown
    assert 'lang="en"' in page
    assert "Who asks, and what is kept" in page


def test_it_can_be_included_in_a_page():
    page = engines["django"].from_string(
        '{% include "customers/_tick.html" with wording=one name="first" id="first" only %}'
    )
    assert screen_of(page.render({"one": DUTCH, "checked": "checked"})) == Screen(purposes=1)
