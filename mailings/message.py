"""What somebody wrote becomes the parts of a mail: accessible HTML, plain text, one place for each
value of a reader.

Pure. Markdown without raw HTML (CommonMark, by markdown-it-py). Values go in last and in one pass,
escaped, so that neither a name nor a text can make a tag, a header or another placeholder. Pictures
travel inside the mail: nothing is loaded when it is read, so nobody can count who opened it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from itertools import pairwise
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

# What may stand in a text, as {{ name }}.
PLACEHOLDERS = ("greeting", "name", "shop", "picks")
# In a subject a greeting makes no sense.
IN_SUBJECT = ("name", "shop")
LONGEST_SUBJECT = 150
LONGEST_BODY = 20_000

_PLACE = re.compile(r"\{\{ ?([a-z_]+) ?\}\}")
# Whatever looks like a placeholder or a command of a template, and is none.
_BROKEN = re.compile(r"\{\{.{0,40}|\}\}|\{%.{0,40}|%\}|\{#.{0,40}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NO_LINK = re.compile(r"\]\(([^)]{0,100})")
_LINKS = ("https://", "http://", "mailto:")

# No colours but of what has its own ground: a mail program that turns a page dark turns the rest.
_BUTTON = (
    "display:inline-block;padding:12px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff;"
    "font-weight:600;text-decoration:none"
)
_STYLES = {
    "paragraph_open": "margin:0 0 16px;line-height:1.5",
    "bullet_list_open": "margin:0 0 16px;padding-left:24px;line-height:1.5",
    "ordered_list_open": "margin:0 0 16px;padding-left:24px;line-height:1.5",
    "blockquote_open": "margin:0 0 16px;padding-left:16px;border-left:3px solid #888888",
    "hr": "border:0;border-top:1px solid #888888;margin:24px 0",
    "image": "max-width:100%;height:auto;border:0",
}
_HEADINGS = {
    "h1": "margin:0 0 16px;font-size:24px;line-height:1.25",
    "h2": "margin:24px 0 12px;font-size:20px;line-height:1.3",
    "h3": "margin:24px 0 12px;font-size:17px;line-height:1.3",
}

_markdown = MarkdownIt("commonmark", {"html": False}).disable(["html_block", "html_inline"])


class Flaw(StrEnum):
    """Why a text cannot be sent."""

    EMPTY = "empty"
    LONG = "long"
    CONTROL = "control"
    BROKEN_PLACE = "broken_place"
    UNKNOWN_PLACE = "unknown_place"
    PLACE_IN_LINK = "place_in_link"
    LINK = "link"
    NO_PICTURE = "no_picture"
    NO_ALT = "no_alt"
    HEADING = "heading"


class MessageRefused(ValueError):
    """A text that cannot be sent: why, and what in it is meant."""

    def __init__(self, flaw: Flaw, value: str = "") -> None:
        super().__init__(f"{flaw}: {value}" if value else str(flaw))
        self.flaw = flaw
        self.value = value


@dataclass(frozen=True, slots=True)
class Parts:
    """The body of a mail with its placeholders, as HTML and as plain text, and the pictures in it.

    `pictures` are names.
    """

    html: str
    text: str
    pictures: tuple[str, ...] = ()


def check_subject(subject: str) -> str:
    """Return a subject fit to be sent; MessageRefused says what is wrong with it."""
    found = subject.strip()
    if not found:
        raise MessageRefused(Flaw.EMPTY)
    if len(found) > LONGEST_SUBJECT:
        raise MessageRefused(Flaw.LONG, str(LONGEST_SUBJECT))
    if _CONTROL.search(found):
        raise MessageRefused(Flaw.CONTROL)
    _check_places(found, IN_SUBJECT)
    return found


def parts_of(body: str, pictures: Collection[str] = ()) -> Parts:
    """Return the parts of a text in Markdown; MessageRefused says what is wrong with it.

    `pictures` are the names of what was uploaded. A link that stands alone becomes a button.
    """
    if not body.strip():
        raise MessageRefused(Flaw.EMPTY)
    if len(body) > LONGEST_BODY:
        raise MessageRefused(Flaw.LONG, str(LONGEST_BODY))
    tokens = _markdown.parse(body.replace("\x00", ""))
    used: dict[str, None] = {}
    for token in _all(tokens):
        _check(token, pictures)
        _style(token)
        if token.type == "image":
            name = str(token.attrGet("src"))
            used[name] = None
            token.attrSet("src", f"cid:{name}")
    _make_buttons(tokens)
    html = str(_markdown.renderer.render(tokens, _markdown.options, {}))
    text = _text(tokens)
    # Also where Markdown puts a word into an attribute, or takes its marks away.
    for made in (html, text):
        _check_places(made, PLACEHOLDERS)
    return Parts(html, text, tuple(used))


def fill_html(
    template: str, values: Mapping[str, str], ready: Mapping[str, str] | None = None
) -> str:
    """Put values into HTML, escaped, in one pass; KeyError for one that is missing.

    `ready` are those that are HTML already.
    """
    whole = {**{name: escape(value) for name, value in values.items()}, **(ready or {})}
    return _PLACE.sub(lambda place: whole[place[1]], template)


def fill_text(template: str, values: Mapping[str, str]) -> str:
    """Put values into plain text, in one pass."""
    return _PLACE.sub(lambda place: values[place[1]], template)


def fill_subject(template: str, values: Mapping[str, str]) -> str:
    """Put values into a subject: one line, whatever a name holds."""
    return " ".join(_CONTROL.sub(" ", fill_text(template, values)).split())


def one_line(value: str) -> str:
    """Return a value as it may stand in a header or a greeting."""
    return " ".join(_CONTROL.sub(" ", value).split())


# -- What is refused ------------------------------------------------------------------------------


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _check(token: Token, pictures: Collection[str]) -> None:
    if token.type in {"text", "code_inline", "fence", "code_block"}:
        _check_places(token.content, PLACEHOLDERS)
    if token.type == "text" and (failed := _NO_LINK.search(token.content)):
        # What Markdown takes for no address stays as it was typed, and nobody wants to send that.
        raise MessageRefused(Flaw.PLACE_IN_LINK if "{{" in failed[1] else Flaw.LINK, failed[1])
    if token.type == "link_open":
        address = str(token.attrGet("href"))
        if "%7B%7B" in address:
            raise MessageRefused(Flaw.PLACE_IN_LINK, unquote(address))
        if not address.lower().startswith(_LINKS):
            raise MessageRefused(Flaw.LINK, address)
    if token.type == "image":
        name = str(token.attrGet("src"))
        if name not in pictures:
            raise MessageRefused(Flaw.NO_PICTURE, name)
        if not token.content.strip():
            raise MessageRefused(Flaw.NO_ALT, name)
    if token.type == "heading_open" and token.tag not in _HEADINGS:
        raise MessageRefused(Flaw.HEADING, token.markup)


def _check_places(text: str, known: Collection[str]) -> None:
    for place in _PLACE.finditer(text):
        if place[1] not in known:
            raise MessageRefused(Flaw.UNKNOWN_PLACE, place[1])
    broken = _BROKEN.search(_PLACE.sub("", text))
    if broken:
        raise MessageRefused(Flaw.BROKEN_PLACE, broken[0].strip())


# -- How it looks ---------------------------------------------------------------------------------


def _style(token: Token) -> None:
    style = _HEADINGS.get(token.tag) if token.type == "heading_open" else _STYLES.get(token.type)
    if style:
        token.attrSet("style", style)


def _make_buttons(tokens: Sequence[Token]) -> None:
    """Make a button of each link that is all of its paragraph."""
    for before, token in pairwise(tokens):
        inside = token.children or []
        if before.type != "paragraph_open" or token.type != "inline" or len(inside) < 3:
            continue
        first, last = inside[0], inside[-1]
        if first.type == "link_open" and last.type == "link_close" and _is_one_link(inside):
            first.attrSet("style", _BUTTON)


def _is_one_link(tokens: Sequence[Token]) -> bool:
    kinds = [token.type for token in tokens]
    return kinds.count("link_open") == 1 and "image" not in kinds


def _text(tokens: Sequence[Token]) -> str:
    """Return the plain text: words, addresses behind their links, marks of lists."""
    said = ""
    numbers: list[int | None] = []
    mark, tight, was_tight = "", False, False
    for token in tokens:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            numbers.append(1 if token.type == "ordered_list_open" else None)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            numbers.pop()
        elif token.type == "list_item_open":
            number = numbers[-1]
            mark = "- " if number is None else f"{number}. "
            numbers[-1] = None if number is None else number + 1
        elif token.type == "paragraph_open":
            tight = token.hidden
        elif token.type in {"inline", "fence", "code_block", "hr"}:
            block = "-" * 20 if token.type == "hr" else token.content.rstrip()
            if token.type == "inline":
                block = "  " * max(len(numbers) - 1, 0) + mark + _inline(token.children or [])
            said += ("\n" if tight and was_tight else "\n\n") + block
            mark, tight, was_tight = "", False, tight
    return said.strip()


def _inline(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    address, since = "", 0
    for token in tokens:
        if token.type == "link_open":
            address, since = str(token.attrGet("href")), len(said)
        elif token.type == "link_close":
            if "".join(said[since:]) != address:
                said.append(f" ({address})")
        elif token.type in {"softbreak", "hardbreak"}:
            said.append("\n")
        else:
            said.append(token.content)
    return "".join(said)
