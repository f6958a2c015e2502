"""A touchpoint from the command line: what it prints, what it refuses, and with which code."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from feedback.models import Touchpoint
from feedback.snippets import Asked, newsletter_html, page_snippet
from tests.makers import make_category, make_product, make_touchpoint

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("create_touchpoint", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_one_document_with_the_snippets_of_the_page(settings):
    settings.BASE_URL = "https://insights.example"
    out, err = run("Returns", "--scale", "thumb", "--origin", "https://Shop.example/x", "--json")
    place = Touchpoint.objects.get()
    asked = Asked.at(place, "nl", "https://insights.example")
    assert json.loads(out) == {
        "key": place.key,
        "name": "Returns",
        "scale": "thumb",
        "url": f"https://insights.example/v/{place.key}/?lang=nl",
        "snippet": page_snippet(asked),
        "newsletter": newsletter_html(asked),
    }
    assert err == ""
    assert place.origins == ["https://shop.example"]


def test_every_option_is_stored():
    product, category = make_product(sku="PH-1"), make_category(name="Phones")
    run(
        "Returns",
        *("--scale", "thumb", "--origin", "https://a.example", "--origin", "http://b.example:81"),
        *("--question-nl", "Duidelijk?", "--question-en", "Clear?"),
        *("--thanks-nl", "Dank.", "--thanks-en", "Thanks.", "--labels", "good"),
        *("--product", "ph-1", "--category", "phones"),
        *("--theme", "dark", "--accent", "#3C48B8", "--exposures"),
    )
    place = Touchpoint.objects.get()
    assert (place.question_nl, place.question_en) == ("Duidelijk?", "Clear?")
    assert (place.thanks_nl, place.thanks_en, place.labels) == ("Dank.", "Thanks.", "good")
    assert (place.product, place.category) == (product, category)
    assert place.origins == ["http://b.example:81", "https://a.example"]
    assert (place.theme, place.accent, place.counts_exposures) == ("dark", "#3c48b8", True)


def test_without_json_it_is_for_people():
    out, err = run("Returns", "--scale", "nps")
    assert Touchpoint.objects.get().key in out
    assert "For a newsletter:" in out
    assert "only the hosted question takes answers" in err


REFUSED = [
    pytest.param(["Taken", "--scale", "nps"], 1, "named 'Taken' already", id="name taken"),
    pytest.param(
        ["New", "--scale", "nps", "--origin", "shop.example"],
        1,
        "does not begin with https://",
        id="origin",
    ),
    pytest.param(["New", "--scale", "nps", "--accent", "#f2b705"], 1, "try #", id="accent"),
    pytest.param(["New", "--scale", "nps", "--product", "X9"], 1, "no product 'X9'", id="product"),
    pytest.param(["New", "--scale", "nps", "--category", "X"], 1, "no category", id="category"),
    pytest.param(["  ", "--scale", "nps"], 2, "The name is empty", id="no name"),
    pytest.param(
        ["x" * 101, "--scale", "nps"], 2, "name has 101 characters and 100 fit", id="long name"
    ),
    pytest.param(
        ["New", "--scale", "nps", "--thanks-nl", "x" * 201], 2, "200 fit", id="long thanks"
    ),
    pytest.param(
        ["New", "--scale", "nps", "--question-nl", "Duidelijk?"],
        2,
        "in both languages",
        id="one language",
    ),
    pytest.param(
        ["New", "--scale", "nps", "--labels", "good"], 2, "a question of your own", id="labels"
    ),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED)
def test_what_is_refused_says_why_and_stores_nothing(arguments, code, words):
    make_touchpoint(name="Taken")
    with pytest.raises(CommandError, match=words) as error:
        run(*arguments)
    assert error.value.returncode == code
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize("arguments", [["New"], ["New", "--scale", "stars"], []])
def test_a_command_line_that_makes_no_sense_is_wrong_use(arguments):
    with pytest.raises(CommandError):
        run(*arguments)
    assert Touchpoint.objects.count() == 0
