"""Who stands before the widget: only what the shop's own server signed, and not for long."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.subjects import LONGEST_LIFE, Subject, SubjectState, read_subject, sign_subject
from tests.makers import NOW

KEY = "the key of the shop"
IN_AN_HOUR = NOW + timedelta(hours=1)


def signed(reference: str = "K1001", **given) -> str:
    return sign_subject(reference, **{"key": KEY, "expires_at": IN_AN_HOUR} | given)


def state(token: str, now: datetime = NOW, keys: tuple[str, ...] = (KEY,)) -> SubjectState:
    found = read_subject(token, keys=keys, now=now)
    # Whatever is not valid says nothing about anybody.
    assert bool(found.reference) == (found.state == SubjectState.VALID)
    return found.state


def by_hand(encoded: str, expires: str, key: str = KEY, purpose: str = "subject.v1") -> str:
    message = f"{purpose}.{encoded}.{expires}".encode()
    return f"{encoded}.{expires}." + hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def encoded(reference: bytes) -> str:
    return base64.urlsafe_b64encode(reference).decode().rstrip("=")


LATER = str(int(IN_AN_HOUR.timestamp()))


def test_a_subject_says_who_it_is():
    found = read_subject(signed("K1001"), keys=[KEY], now=NOW)
    assert found == Subject(SubjectState.VALID, "K1001")


def test_a_shop_makes_it_as_described_without_our_code():
    assert signed("K1001") == by_hand(encoded(b"K1001"), LATER)
    assert signed("K1001") == (
        "SzEwMDE.1795525200.360ad01da5de14c4cfcfa073a1e4e1362e34d58b651e23bba7be1c5ebf05e390"
    )


@given(st.text(st.characters(exclude_characters="@", codec="utf-8"), min_size=1, max_size=70))
def test_any_reference_but_an_address_comes_back_as_it_was(reference):
    assert read_subject(signed(reference), keys=[KEY], now=NOW).reference == reference


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), "valid"),
        (timedelta(hours=1) - timedelta(microseconds=1), "valid"),
        (timedelta(hours=1), "expired"),
        (timedelta(days=400), "expired"),
    ],
    ids=str,
)
def test_it_lives_until_the_second_it_names(after, expected):
    assert state(signed(), NOW + after) == expected


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        (timedelta(seconds=1), "valid"),
        (LONGEST_LIFE, "valid"),
        (LONGEST_LIFE + timedelta(seconds=1), "invalid"),
        (timedelta(days=3_650), "invalid"),
    ],
    ids=str,
)
def test_one_that_would_live_for_longer_than_a_day_is_refused(life, expected):
    assert state(signed(expires_at=NOW + life)) == expected


@pytest.mark.parametrize("reference", ["jan@example.org", "@", "K1@", "", "@K1"])
def test_an_address_is_no_reference(reference):
    assert state(by_hand(encoded(reference.encode()), LATER)) == "invalid"
    assert state(by_hand(encoded(b"K1001"), LATER)) == "valid"


def test_after_a_new_key_the_old_one_still_counts_until_it_is_dropped():
    old, new = signed(), signed(key="the next key")
    assert [state(token, keys=(KEY,)) for token in (old, new)] == ["valid", "invalid"]
    assert [state(token, keys=("the next key", KEY)) for token in (old, new)] == ["valid", "valid"]
    assert [state(token, keys=("the next key",)) for token in (old, new)] == ["invalid", "valid"]
    assert state(old, keys=()) == "invalid"


WRONG = {
    "nothing": "",
    "dots": "..",
    "a word": "K1001",
    "without a signature": f"{encoded(b'K1001')}.{LATER}.",
    "another purpose": by_hand(encoded(b"K1001"), LATER, purpose="rating.v1"),
    "another version": by_hand(encoded(b"K1001"), LATER, purpose="subject.v2"),
    "another key": by_hand(encoded(b"K1001"), LATER, key="guess"),
    "an empty key": by_hand(encoded(b"K1001"), LATER, key=""),
    "with padding": by_hand(encoded(b"K1001") + "=", LATER),
    "no base64": by_hand("A", LATER),
    "no UTF-8": by_hand(encoded(b"\xff\xfe"), LATER),
    "no number": by_hand(encoded(b"K1001"), "soon"),
    "a negative time": by_hand(encoded(b"K1001"), "-1"),
    "an endless time": by_hand(encoded(b"K1001"), "9" * 12),
    "a time too long to read": by_hand(encoded(b"K1001"), "9" * 5_000),
    "digits of another script": by_hand(encoded(b"K1001"), "١٧٩٥٥٢٨٨٠٠"),
    "in capitals": signed().upper(),
    "a line break behind it": signed() + "\n",
    "a blank before it": " " + signed(),
    "twice": signed() + signed(),
    "a NUL": signed() + "\0",
    "very long": "A" * 100_000,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_was_not_signed_like_this_is_invalid(name):
    assert state(WRONG[name]) == "invalid"


def mutations(number: int) -> set[str]:
    """Return that many subjects that somebody made of two real ones."""
    random = Random(20261124)
    real = [signed("K1001"), signed("K2002", expires_at=NOW + timedelta(hours=2))]
    alphabet = "ABCXYZabcxyz0123456789-_.=+/ \n\0é"
    made: set[str] = set()
    while len(made) < number:
        text = list(random.choice(real))
        for _ in range(random.choice([1, 1, 1, 2, 5])):
            at = random.randrange(len(text))
            does = random.randrange(4)
            if does == 0:
                text[at] = random.choice(alphabet)
            elif does == 1:
                text.insert(at, random.choice(alphabet))
            elif does == 2:
                del text[at]
            else:
                text[at] = chr(ord(text[at]) ^ 1 << random.randrange(7))
        made.add("".join(text))
    parts = [token.split(".") for token in real]
    made |= {".".join([a[0], b[1], c[2]]) for a in parts for b in parts for c in parts}
    return made - set(real)


def test_of_ten_thousand_forgeries_none_is_taken():
    forged = mutations(10_000)
    assert len(forged) > 10_000
    assert {state(token) for token in forged} == {"invalid"}
    # Nor does any of them tell by another word that its signature was right.
    late = datetime(2030, 1, 1, tzinfo=UTC)
    assert {state(token, late) for token in forged} == {"invalid"}
