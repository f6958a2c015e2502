"""What a body may hold: every field, every wrong type, and bytes that mean harm."""

import json
from contextlib import suppress
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.collect import (
    ANSWER_FIELDS,
    EDIT_FIELDS,
    Edit,
    Malformed,
    NewAnswer,
    RuleBroken,
    parse,
    read,
)
from feedback.scales import SCALES

KEY = "0192f0c1-6a3e-7c55-9b1d-5d1f6a0f1c2e"
FIRST = "0192f0c1-0000-7000-8000-000000000000"
REASONS = frozenset({"fun", "easy", "too_often"})
ANSWER = {"key": KEY, "value": 9}
FULL = ANSWER | {
    "product": "B-12",
    "lang": "nl",
    "comment": "Prima.",
    "reason": "fun",
    "subject": "a.1.b",
}
EDIT = {"key": KEY, "edits": FIRST, "value": 3}
FULL_EDIT = EDIT | {"reason": "easy", "comment": "Toch niet."}


def reading(fields: dict, scale: str = "nps") -> NewAnswer | Edit:
    return read(fields, scale=scale, reasons=REASONS)


def said(message: NewAnswer | Edit) -> dict:
    return {name: value for name, value in asdict(message).items() if name != "body_hash"}


def refusal(fields: dict, scale: str = "nps") -> RuleBroken:
    with pytest.raises(RuleBroken) as refused:
        reading(fields, scale)
    return refused.value


# -- Bytes ----------------------------------------------------------------------------------------

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n",
    "a word": b"hello",
    "a form": b"key=1&value=9",
    "half an object": b'{"key": "a"',
    "two objects": b"{}{}",
    "a comma too many": b'{"value": 9,}',
    "single quotes": b"{'value': 9}",
    "no quotes": b"{value: 9}",
    "a comment in it": b'{"value": 9} // fine',
    "NaN": b'{"value": NaN}',
    "Infinity": b'{"value": Infinity}',
    "minus Infinity": b'{"value": -Infinity}',
    "NaN where nobody reads it": b'{"value": 9, "more": [NaN]}',
    "a leading zero": b'{"value": 09}',
    "a plus": b'{"value": +9}',
    "hexadecimal": b'{"value": 0x9}',
    "Latin-1": '{"comment": "één"}'.encode("latin-1"),
    "UTF-16": '{"value": 9}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"value": 9}',
    "half a surrogate in bytes": b'{"comment": "\xed\xa0\x80"}',
    "an overlong slash": b'{"comment": "\xc0\xaf"}',
    "a raw line break in a text": b'{"comment": "a\nb"}',
    "a raw NUL": b'{"comment": "a\x00"}',
    "a NUL behind it": b"{}\x00",
    "zipped": b"\x1f\x8b\x08\x00",
    "a number too long to read": b'{"value": ' + b"9" * 5_000 + b"}",
    "8 KiB of brackets": b"[" * 8_192,
    "8 KiB of closed brackets": b"[" * 4_096 + b"]" * 4_096,
    "8 KiB of nested objects": b'{"a":' * 1_600 + b"1" + b"}" * 1_600,
}
NO_OBJECT = {
    "null": b"null",
    "true": b"true",
    "a number": b"9",
    "a text": b'"9"',
    "a list": b"[]",
    "a list of one": b'[{"value": 9}]',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_is_malformed(name):
    with pytest.raises(Malformed, match=r"^The body is (not JSON in UTF-8|JSON but not an object)"):
        parse(NOT_JSON[name])


@pytest.mark.parametrize("name", NO_OBJECT)
def test_what_is_no_object_is_malformed(name):
    with pytest.raises(Malformed, match=r"^The body is JSON but not an object"):
        parse(NO_OBJECT[name])


def test_an_object_is_read_as_it_is():
    body = ' {"comment": "\\u00e9\\u00e9n ☃ \\ud83d\\ude00", "value": 9} '.encode()
    assert parse(body) == {"comment": "één ☃ 😀", "value": 9}


def test_of_a_field_that_comes_twice_the_last_is_meant_as_browsers_read_it():
    assert reading(parse(b'{"key": "%s", "value": 1, "value": 9}' % KEY.encode())).value == 9


@given(st.binary(max_size=300))
def test_any_bytes_are_an_object_or_malformed(body):
    with suppress(Malformed):
        assert isinstance(parse(body), dict)


# -- What is right --------------------------------------------------------------------------------


def test_an_answer_needs_a_key_and_a_value_and_no_more():
    empty = dict.fromkeys(("product", "lang", "comment", "reason", "subject"), "")
    assert said(reading(ANSWER)) == ANSWER | empty


def test_an_answer_can_say_everything():
    assert said(reading(FULL)) == FULL
    assert set(FULL) == set(ANSWER_FIELDS)


def test_an_edit_can_say_everything():
    assert said(reading(FULL_EDIT)) == FULL_EDIT
    assert set(FULL_EDIT) == set(EDIT_FIELDS)


@pytest.mark.parametrize("name", ["value", "reason", "comment"])
def test_an_edit_leaves_alone_what_it_does_not_name(name):
    one = {"key": KEY, "edits": FIRST, name: FULL_EDIT[name]}
    assert said(reading(one)) == {"value": None, "reason": None, "comment": None} | one


@pytest.mark.parametrize("name", ["reason", "comment"])
def test_an_edit_takes_back_what_it_names_as_empty(name):
    assert said(reading({"key": KEY, "edits": FIRST, name: ""}))[name] == ""


@pytest.mark.parametrize(
    ("scale", "value"),
    [(key, value) for key, scale in SCALES.items() for value in scale.values],
)
def test_every_value_of_every_scale_is_taken(scale, value):
    assert reading(ANSWER | {"value": value}, scale).value == value
    assert reading(EDIT | {"value": value}, scale).value == value


SAME_UUID = [
    KEY.upper(),
    KEY.replace("-", ""),
    "{" + KEY + "}",
    "urn:uuid:" + KEY,
]


@pytest.mark.parametrize("written", SAME_UUID)
def test_a_uuid_is_the_same_however_it_is_written(written):
    assert reading(ANSWER | {"key": written}) == reading(ANSWER)
    assert reading(EDIT | {"edits": written}) == reading(EDIT | {"edits": KEY})


TAKEN_TEXTS = {
    "trimmed": ("comment", " Prima.\n", "Prima."),
    "only blanks": ("comment", " \t\n", ""),
    "lines": ("comment", "een\ntwee\r\ndrie", "een\ntwee\r\ndrie"),
    "markup": ("comment", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    "2,000 characters": ("comment", "é" * 2_000, "é" * 2_000),
    "2,000 faces": ("comment", "😀" * 2_000, "😀" * 2_000),
    "direction marks": ("comment", "\u202eabc", "\u202eabc"),
    "a product": ("product", " B-12 ", "B-12"),
    "a long product": ("product", "x" * 100, "x" * 100),
    "a long subject": ("subject", "x" * 1_000, "x" * 1_000),
    "a language": ("lang", "NL", "nl"),
    "a language with its country": ("lang", "nl-BE", "nl-be"),
    "a language with its script": ("lang", "zh-Hant-TW", "zh-hant-tw"),
    "three letters": ("lang", "fry", "fry"),
    "no language": ("lang", "", ""),
    "no reason": ("reason", "", ""),
}


@pytest.mark.parametrize("name", TAKEN_TEXTS)
def test_a_text_is_taken_as_it_was_said(name):
    field, text, stored = TAKEN_TEXTS[name]
    assert said(reading(ANSWER | {field: text}))[field] == stored


# -- What is wrong --------------------------------------------------------------------------------

NO_TEXT = [None, True, False, 0, 9, 9.5, 1e400, [], ["a"], {}, {"a": 1}]
NO_NUMBER = [None, True, False, 9.0, 9.5, 1e400, "9", "", "nine", [], [9], {}, -1, 11, 10**30]
NO_UUID = [
    *[None, True, 0, 1.5, [], {}, "", " ", "1", "abc", "not-a-uuid", KEY[:-1], KEY + "0"],
    *["g" * 32, KEY + "\n" * 33, "\0" * 36, "\ud800" * 36],
]
WRONG = [
    *[(field, value) for field in ("key", "edits") for value in NO_UUID],
    *[("value", value) for value in NO_NUMBER],
    *[(field, value) for field in ("comment", "product", "subject", "lang") for value in NO_TEXT],
    *[("reason", value) for value in [*NO_TEXT, "bored", "FUN", " fun", "fun,easy"]],
    *[("lang", value) for value in ("dutch", "n", "nl_NL", "nl-", "n1", "nl BE", "nl-x-private")],
    *[("lang", "nl\0"), ("lang", "ñl")],
    *[(field, "a\0b") for field in ("comment", "product", "subject")],
    *[(field, "a\ud800") for field in ("comment", "product", "subject")],
    *[(field, "\udfff😀") for field in ("comment", "product", "subject")],
    *[("comment", "x" * 2_001), ("product", "x" * 101), ("subject", "x" * 1_001)],
    # Counted before it is trimmed: 8 KiB of blanks are no comment either.
    ("comment", " " * 2_001),
]


@pytest.mark.parametrize(
    ("field", "value"), [pytest.param(*row, id=f"{row[0]} {str(row[1])[:20]!a}") for row in WRONG]
)
def test_a_field_that_breaks_its_rule_is_named_with_the_way_out(field, value):
    for good in (FULL, FULL_EDIT):
        if field in good:
            refused = refusal(good | {field: value})
            assert refused.field == field
            assert str(refused).endswith(".")
            assert len(str(refused)) < 300
            # It goes out as JSON and into nobody's terminal: printable, whatever was sent.
            assert str(refused).isprintable()


@pytest.mark.parametrize("name", ["key", "value"])
def test_what_an_answer_needs_is_asked_for(name):
    without = {field: value for field, value in FULL.items() if field != name}
    refused = refusal(without)
    assert (refused.field, str(refused)) == (name, f"{name} is missing, and it is needed.")


def test_an_edit_needs_a_key_of_its_own():
    assert refusal({"edits": FIRST, "value": 3}).field == "key"


def test_an_edit_that_changes_nothing_is_refused():
    refused = refusal({"key": KEY, "edits": FIRST})
    assert refused.field == "edits"
    assert str(refused) == "Nothing changes: send a value, a reason or a comment with it."


def test_nothing_at_all_is_asked_for_a_key():
    assert refusal({}).field == "key"


@pytest.mark.parametrize("name", ["coment", "Value", "customer", "", "__class__", "body_hash"])
def test_a_field_that_is_not_on_the_list_is_refused_so_that_nothing_is_lost(name):
    refused = refusal(FULL | {name: "x"})
    assert str(refused) == (
        f'"{name}" is not a field here. '
        "The fields are key, value, product, lang, comment, reason, subject."
    )


@pytest.mark.parametrize("name", ["product", "lang", "subject"])
def test_an_edit_cannot_move_an_answer_elsewhere(name):
    assert str(refusal(FULL_EDIT | {name: "x"})).startswith(f'"{name}" is not a field here.')


def test_a_long_and_strange_name_is_quoted_short():
    refused = refusal({"\ud800" + "x" * 5_000: 1})
    assert len(str(refused)) < 200
    assert str(refused).isprintable()


def test_values_are_those_of_the_scale():
    assert refusal(ANSWER | {"value": 2}, "thumb").field == "value"
    assert refusal(ANSWER | {"value": 0}, "csat").field == "value"
    assert refusal(EDIT | {"value": 8}, "ces").field == "value"


@pytest.mark.parametrize("field", ["key", "value", "comment", "reason", "other"])
def test_no_depth_of_brackets_comes_through(field):
    """However deep the reader gets, writing it back in a message may not fail."""
    for depth in range(10, 1_200):
        body = json.dumps(FULL | {field: 0}).replace(
            f'"{field}": 0', f'"{field}": ' + "[" * depth + "]" * depth
        )
        with pytest.raises((Malformed, RuleBroken)):
            reading(parse(body.encode()))


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
names = st.sampled_from([*ANSWER_FIELDS, "edits", "other"]) | st.text(max_size=5)


@given(
    st.dictionaries(names, anything | st.sampled_from([KEY, FIRST, 9, "nl", "fun"])),
    st.sampled_from(sorted(SCALES)),
)
def test_any_object_is_an_answer_an_edit_or_refused(fields, scale):
    try:
        message = reading(fields, scale)
    except RuleBroken:
        return
    assert message.value is None or message.value in SCALES[scale].values
    for text in said(message).values():
        assert not isinstance(text, str) or text.encode() is not None


# -- The same again -------------------------------------------------------------------------------


def hash_of(fields: dict) -> str:
    return reading(fields).body_hash


def test_the_same_in_another_order_and_spelling_is_the_same():
    other = dict(reversed(FULL.items())) | {"comment": " Prima. ", "lang": "NL"}
    assert hash_of(other) == hash_of(FULL)
    assert len(hash_of(FULL)) == 16


def test_a_renewed_subject_is_the_same_answer():
    assert hash_of(FULL | {"subject": "a.2.c"}) == hash_of(FULL)
    assert hash_of({name: FULL[name] for name in FULL if name != "subject"}) == hash_of(FULL)


OTHER = {"value": 8, "product": "B-13", "lang": "en", "comment": "Fijn.", "reason": "too_often"}


@pytest.mark.parametrize("name", OTHER)
def test_what_says_something_else_is_another(name):
    assert hash_of(FULL | {name: OTHER[name]}) != hash_of(FULL)


@pytest.mark.parametrize("name", ["value", "reason", "comment"])
def test_an_edit_that_changes_something_else_is_another(name):
    assert hash_of(FULL_EDIT | {name: OTHER[name]}) != hash_of(FULL_EDIT)
    assert hash_of({field: FULL_EDIT[field] for field in FULL_EDIT if field != name}) != hash_of(
        FULL_EDIT
    )


def test_the_hash_stays_what_it_is():
    """It is stored: with another one, a retry across an upgrade would be refused."""
    assert (hash_of(ANSWER), hash_of(FULL_EDIT)) == (
        "8bff7e8d38cfc9d4",
        "4559d8367f5c9534",
    )
