"""What people paste: escaped, short, and the same from page and command line."""

import json
import re
from html.parser import HTMLParser

import pytest

from feedback.snippets import (
    Asked,
    app_snippet,
    hosted_url,
    newsletter_ends,
    newsletter_html,
    newsletter_links,
    newsletter_text,
    page_snippet,
    pinned_snippet,
    tag_manager_snippet,
)
from tests.makers import a_touchpoint

HOSTILE = '</script><b onclick="x()">\'&amp;"</b>'


def asked(**given) -> Asked:
    facts = {
        "base_url": "https://insights.example",
        "key": "thumb-0123456789ab",
        "scale": "thumb",
        "language": "nl",
        "question": "Heeft deze pagina je geholpen?",
    }
    return Asked(**facts | given)


class Reader(HTMLParser):
    """What a browser makes of a snippet: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_a_plain_touchpoint_has_a_short_snippet():
    assert page_snippet(asked()) == (
        '<script src="https://insights.example/widget.js" defer></script>\n'
        '<customer-feedback touchpoint="thumb-0123456789ab" lang="nl">\n'
        '  <a href="https://insights.example/v/thumb-0123456789ab/?lang=nl">'
        "Heeft deze pagina je geholpen?</a>\n"
        "</customer-feedback>"
    )


def test_what_differs_from_the_usual_is_in_the_snippet():
    element = Reader(
        page_snippet(asked(labels="good", theme="dark", accent="#8f6400", counts_exposures=True))
    ).found[1]
    assert element == (
        "customer-feedback",
        {
            "touchpoint": "thumb-0123456789ab",
            "lang": "nl",
            "labels": "good",
            "theme": "dark",
            "accent": "#8f6400",
            "accent-dark": "#a3802e",
            "exposures": None,
        },
    )


def test_words_on_thumbs_are_left_out_of_scores():
    assert "labels" not in page_snippet(asked(key="nps-0123456789ab", scale="nps", labels="good"))


@pytest.mark.parametrize("write", [page_snippet, newsletter_html], ids=["web page", "newsletter"])
def test_html_holds_what_was_typed_as_text_alone(write):
    read = Reader(write(asked(question=HOSTILE)))
    assert {tag for tag, _ in read.found} <= {"script", "customer-feedback", "a", "p"}
    assert HOSTILE in read.text


@pytest.mark.parametrize("write", [tag_manager_snippet, app_snippet], ids=["tag manager", "app"])
def test_scripts_hold_what_was_typed_as_text_alone(write):
    text = write(asked(question=HOSTILE))
    assert "<b" not in text
    assert text.count("</script>") == 1
    quoted = re.search(r'question"?[,:] (".*")', text)[1]
    assert json.loads(quoted) == HOSTILE


def test_a_pinned_snippet_names_one_version():
    script = Reader(pinned_snippet(asked(), version="0123456789abcdef", integrity="sha384-x")).found
    assert script[0] == (
        "script",
        {
            "src": "https://insights.example/widget.0123456789abcdef.js",
            "integrity": "sha384-x",
            "crossorigin": "anonymous",
            "defer": None,
        },
    )


def test_a_tag_manager_gets_every_attribute_as_data():
    text = tag_manager_snippet(asked(accent="#8f6400", counts_exposures=True))
    names = re.findall(r'setAttribute\("data-([a-z-]+)"', text)
    assert names == [
        "after",
        "question",
        "touchpoint",
        "lang",
        "accent",
        "accent-dark",
        "exposures",
    ]


def test_an_app_gets_options_in_camel_case():
    text = app_snippet(asked(accent="#8f6400", counts_exposures=True))
    assert '  accentDark: "#a3802e",\n' in text
    assert "  exposures: true,\n" in text


VALUES = {"thumb": [1, 0], "nps": [*range(11)], "csat": [1, 2, 3, 4, 5], "ces": [*range(1, 8)]}


@pytest.mark.parametrize("scale", VALUES)
def test_a_newsletter_has_a_link_for_each_answer(scale):
    key = f"{scale}-0123456789ab"
    place = asked(key=key, scale=scale, language="en")
    urls = [link.url for link in newsletter_links(place)]
    assert urls == [
        f"https://insights.example/v/{key}/?lang=en&v={value}" for value in VALUES[scale]
    ]
    assert [
        attrs["href"] for _, attrs in Reader(newsletter_html(place)).found if "href" in attrs
    ] == urls
    assert re.findall(r"https://\S+", newsletter_text(place)) == urls


@pytest.mark.parametrize(
    ("labels", "language", "words"),
    [
        ("", "nl", ["Ja", "Nee"]),
        ("good", "nl", ["Goed", "Niet goed"]),
        ("agree", "nl", ["Eens", "Oneens"]),
        ("", "en", ["Yes", "No"]),
        ("good", "en", ["Good", "Not good"]),
        ("agree", "en", ["Agree", "Disagree"]),
    ],
)
def test_links_carry_the_words_of_the_touchpoint(labels, language, words):
    links = newsletter_links(asked(labels=labels, language=language))
    assert [link.label for link in links] == words


def test_scores_say_what_their_ends_mean_and_thumbs_need_not():
    assert newsletter_ends(asked()) == ""
    nps = asked(key="nps-0123456789ab", scale="nps")
    assert newsletter_ends(nps) == "0 = zeker niet, 10 = zeker wel"
    assert newsletter_ends(nps) in newsletter_html(nps)
    assert newsletter_ends(nps) in newsletter_text(nps)


def test_a_campaign_is_in_every_link():
    assert all(link.url.endswith("&c=ab12") for link in newsletter_links(asked(), "ab12"))
    assert newsletter_html(asked(), "ab12").count("&amp;c=ab12") == 2


def test_a_newsletter_has_nothing_that_mail_programs_drop():
    html = newsletter_html(asked())
    tags = {tag for tag, _ in Reader(html).found}
    assert tags == {"p", "a"}
    assert "class=" not in html


def test_the_hosted_question_alone_answers_nothing():
    assert hosted_url(asked()) == "https://insights.example/v/thumb-0123456789ab/?lang=nl"


def test_a_touchpoint_asks_in_the_language_of_the_snippet():
    place = a_touchpoint(
        scale="thumb", question_nl="Was dit duidelijk?", question_en="Was this clear?"
    )
    found = Asked.at(place, "en", "https://insights.example")
    assert (found.question, found.language, found.key) == ("Was this clear?", "en", place.key)
