"""What somebody wrote becomes a mail; nothing that is typed becomes more than text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailings.message import (
    PLACEHOLDERS,
    Flaw,
    MessageRefused,
    check_subject,
    fill_html,
    fill_subject,
    fill_text,
    parts_of,
)

VALUES = {"greeting": "Dag Noor,", "name": "Noor", "shop": "Lindehuis"}
BODY = """{{ greeting }}

Cold *slows* a battery. [Read **this**](https://a.example/x?a=1&b=2) now.

[See them](https://a.example/all)

- one
- two
  1. three
  2. four

![A phone in the snow](phone.png)

## More

> said so
"""


def refused(body: str, pictures: tuple[str, ...] = ()) -> MessageRefused:
    with pytest.raises(MessageRefused) as error:
        parts_of(body, pictures)
    return error.value


def test_a_text_becomes_html_and_plain_text():
    parts = parts_of(BODY, ["phone.png", "other.png"])
    html = fill_html(parts.html, VALUES)
    assert "Dag Noor,</p>" in html
    assert '<a href="https://a.example/x?a=1&amp;b=2">Read <strong>this</strong></a>' in html
    assert '<img src="cid:phone.png" alt="A phone in the snow"' in html
    assert parts.pictures == ("phone.png",)
    assert fill_text(parts.text, VALUES) == (
        "Dag Noor,\n\n"
        "Cold slows a battery. Read this (https://a.example/x?a=1&b=2) now.\n\n"
        "See them (https://a.example/all)\n\n"
        "- one\n- two\n  1. three\n  2. four\n\n"
        "A phone in the snow\n\nMore\n\nsaid so"
    )


def test_a_link_alone_is_a_button_and_one_in_a_sentence_is_not():
    html = parts_of(BODY, ["phone.png"]).html
    assert re.findall(r'<a [^>]*style="display:inline-block[^>]*>([^<]*)', html) == ["See them"]


def test_every_block_has_its_style_inside_for_mail_programs_that_drop_style_sheets():
    html = parts_of(BODY, ["phone.png"]).html
    for tag in ("p", "ul", "ol", "h2", "blockquote", "img"):
        assert re.search(rf'<{tag}\b[^>]* style="', html), tag
    # A mail program that turns the page dark must be able to turn the words light.
    assert not re.search(r"(?<!-)color:#(?!ffffff)", html)


@pytest.mark.parametrize(
    ("body", "flaw", "value"),
    [
        ("  \n ", Flaw.EMPTY, ""),
        ("a" * 20_001, Flaw.LONG, "20000"),
        ("{{ settings }}", Flaw.UNKNOWN_PLACE, "settings"),
        ("{{ settings.SECRET_KEY }}", Flaw.BROKEN_PLACE, "{{ settings.SECRET_KEY }}"),
        ("{{ name|safe }}", Flaw.BROKEN_PLACE, "{{ name|safe }}"),
        ("Dear {{ name", Flaw.BROKEN_PLACE, "{{ name"),
        ("Dear name }}", Flaw.BROKEN_PLACE, "}}"),
        ("{% load x %}", Flaw.BROKEN_PLACE, "{% load x %}"),
        ("`{{ name.x }}`", Flaw.BROKEN_PLACE, "{{ name.x }}"),
        ("    {{ code }}", Flaw.UNKNOWN_PLACE, "code"),
        ("[a](https://a.example/{{name}})", Flaw.PLACE_IN_LINK, "https://a.example/{{name}}"),
        ("[a](https://a.example/{{ name }})", Flaw.PLACE_IN_LINK, "https://a.example/{{ name }}"),
        ("[a](/basket)", Flaw.LINK, "/basket"),
        ("[a](javascript:alert(1))", Flaw.LINK, "javascript:alert(1"),
        ("[a](data:text/html,x)", Flaw.LINK, "data:text/html,x"),
        (
            "![x](https://elsewhere.example/p.png)",
            Flaw.NO_PICTURE,
            "https://elsewhere.example/p.png",
        ),
        ("![x](gone.png)", Flaw.NO_PICTURE, "gone.png"),
        ("![](phone.png)", Flaw.NO_ALT, "phone.png"),
        ("![{{ secret }}](phone.png)", Flaw.UNKNOWN_PLACE, "secret"),
        ('[x](https://a.example "{{ nope }}")', Flaw.UNKNOWN_PLACE, "nope"),
        ("{*{ nope }*}", Flaw.UNKNOWN_PLACE, "nope"),
        ("#### Small", Flaw.HEADING, "####"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_what_is_meant(body, flaw, value):
    error = refused(body, ("phone.png",))
    assert (error.flaw, error.value) == (flaw, value)


@pytest.mark.parametrize(
    ("subject", "flaw"),
    [
        ("", Flaw.EMPTY),
        ("a" * 151, Flaw.LONG),
        ("Winter\nBcc: all@example.org", Flaw.CONTROL),
        ("Winter\r\nX: y", Flaw.CONTROL),
        ("{{ greeting }}", Flaw.UNKNOWN_PLACE),
        ("{{ name", Flaw.BROKEN_PLACE),
    ],
)
def test_a_subject_is_one_line_with_places_that_are_known(subject, flaw):
    with pytest.raises(MessageRefused) as error:
        check_subject(subject)
    assert error.value.flaw == flaw


def test_what_was_typed_as_html_is_shown_as_it_was_typed():
    html = parts_of("<script>alert(1)</script> <b onclick=x>bold</b>").html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


class Tags(HTMLParser):
    """The tags of a text, with their attributes, but for what values may change."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def tags(html: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


@given(name=st.text(max_size=60), shop=st.sampled_from(["L & Co", "{{ name }}", '"><img src=x>']))
def test_no_name_ever_becomes_a_tag_a_place_or_a_header(name, shop):
    parts = parts_of("{{ greeting }} **{{ name }}** at {{ shop }}: [go](https://a.example/)")
    values = {"greeting": name, "name": name, "shop": shop}
    plain = dict.fromkeys(PLACEHOLDERS, "x")
    assert tags(fill_html(parts.html, values)) == tags(fill_html(parts.html, plain))
    assert shop in fill_text(parts.text, values)
    subject = fill_subject("For {{ name }} of {{ shop }}", values)
    assert not re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", subject)


@given(body=st.text(max_size=200))
def test_whatever_is_typed_is_refused_or_has_no_script_and_no_foreign_picture(body):
    try:
        parts = parts_of(body)
    except MessageRefused:
        return
    for tag, attributes in tags(parts.html):
        assert tag not in {"script", "style", "iframe", "form", "img", "object"}
        assert not any(name.startswith("on") for name in attributes)
    fill_html(parts.html, dict.fromkeys(PLACEHOLDERS, ""))
