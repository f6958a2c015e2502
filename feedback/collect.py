"""What a widget may say: the body of a POST to the collector, read and checked.

    {"key": uuid, "value": int, "product"?, "lang"?, "comment"?, "reason"?, "subject"?}
    {"key": new uuid, "edits": first key, and what changes: "value", "reason", "comment"}

Bytes that are no JSON object are malformed; an object whose fields break a rule is refused with
the field, the rule and the way out. A field that is not on the list is refused too: ignoring a
misspelled "coment" would lose what somebody wrote.

Pure: standard library only, no Django, no clock, no I/O.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from feedback.scales import SCALES, ScaleError

ANSWER_FIELDS = ("key", "value", "product", "lang", "comment", "reason", "subject")
EDIT_FIELDS = ("key", "edits", "value", "comment", "reason")

MAX_BODY_BYTES = 8 * 1024
MAX_COMMENT = 2_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_LONGEST_LANGUAGE = 10
_LONGEST_PRODUCT = 100
_LONGEST_SUBJECT = 1_000


class Malformed(ValueError):
    """The body is not a JSON object."""


class RuleBroken(ValueError):
    """A field of the body breaks its rule."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer as it comes in. Texts are empty where nothing was said."""

    key: str
    value: int
    body_hash: str
    product: str = ""
    lang: str = ""
    comment: str = ""
    reason: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the answer under the key `edits`; None leaves a field as it is."""

    key: str
    edits: str
    body_hash: str
    value: int | None = None
    comment: str | None = None
    reason: str | None = None


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, else raise Malformed."""
    try:
        fields = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON in UTF-8. Send one JSON object.") from None
    if not isinstance(fields, dict):
        raise Malformed("The body is JSON but not an object. Send one object: {…}.")
    return fields


def read(fields: Mapping[str, Any], *, scale: str, reasons: frozenset[str]) -> NewAnswer | Edit:
    """Return the answer or the edit that an object holds, else raise RuleBroken.

    `scale` is that of the touchpoint; `reasons` are those that exist.
    """
    kind = Edit if "edits" in fields else NewAnswer
    rules = _rules(scale, reasons)
    allowed = EDIT_FIELDS if kind is Edit else ANSWER_FIELDS
    for name, value in fields.items():
        if name not in allowed:
            raise RuleBroken(
                shown(name), f"{shown(name)} is not a field here. The fields are {listed(allowed)}."
            )
        # Before anybody quotes it in a message: it may be nested deeper than can be written.
        if isinstance(value, list | dict):
            raise RuleBroken(name, f"{name} holds a list or an object. Send one text or number.")
    for name in ("key", "edits") if kind is Edit else ("key", "value"):
        if name not in fields:
            raise RuleBroken(name, f"{name} is missing, and it is needed.")
    if kind is Edit and fields.keys() <= {"key", "edits"}:
        raise RuleBroken("edits", "Nothing changes: send a value, a reason or a comment with it.")
    said = {name: rules[name](name, value) for name, value in fields.items()}
    return kind(**said, body_hash=_hash(said))


def _rules(scale: str, reasons: frozenset[str]) -> dict[str, Callable[[str, Any], Any]]:
    def on_scale(name: str, value: Any) -> int:
        try:
            return SCALES[scale].check(value)
        except ScaleError as error:
            raise RuleBroken(name, str(error)) from None

    def known_reason(name: str, value: Any) -> str:
        if isinstance(value, str) and (value in reasons or not value):
            return value
        raise RuleBroken(
            name, f"{shown(value)} is not a reason. The reasons are {listed(sorted(reasons))}."
        )

    return {
        "key": _uuid,
        "edits": _uuid,
        "value": on_scale,
        "reason": known_reason,
        "comment": lambda name, value: _text(name, value, MAX_COMMENT),
        "product": lambda name, value: _text(name, value, _LONGEST_PRODUCT),
        "subject": lambda name, value: _text(name, value, _LONGEST_SUBJECT),
        "lang": _language,
    }


def _uuid(name: str, value: Any) -> str:
    """Return a UUID as it is usually written: the same one, however it came."""
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise RuleBroken(
            name, f"{shown(value)} is not a UUID. Make one for each answer and keep it for retries."
        ) from None


def _text(name: str, value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise RuleBroken(name, f"{shown(value)} is not text. Send a string, or leave it out.")
    if len(value) > longest:
        raise RuleBroken(
            name, f"This is {len(value)} characters long and {longest} fit. Send a shorter text."
        )
    # No database keeps a NUL, and half a surrogate pair is no character.
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise RuleBroken(name, "The text holds a character that cannot be stored. Leave it out.")
    return value.strip()


def _language(name: str, value: Any) -> str:
    text = _text(name, value, _LONGEST_LANGUAGE)
    if text and not _LANGUAGE.fullmatch(text):
        raise RuleBroken(name, f'{shown(value)} is not a language. Send a code such as "nl".')
    return text.lower()


def _hash(said: Mapping[str, Any]) -> str:
    """Return 64 bits of a hash of what is stored: a renewed subject is the same answer."""
    facts = sorted((name, value) for name, value in said.items() if name != "subject")
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _no_number(text: str) -> None:
    raise ValueError(text)


def shown(value: object) -> str:
    """Return a value for an error message, cut short and always printable."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:40] + "…"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)
