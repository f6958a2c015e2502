"""The chain: what it is taken over, and that nothing can be changed under it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.chain import (
    START,
    Heads,
    canonical,
    digest,
    hash_address,
    heads_of,
    is_signed,
    link,
    sign,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FACTS = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=5
)


def test_the_canonical_form_can_be_written_by_any_program():
    facts = {"b": "é\n", "a": 1, "at": NOW, "none": None, "yes": True}
    assert canonical(facts).decode() == (
        '{"a":1,"at":"2026-11-24T12:00:00.000000+00:00","b":"é\\n","none":null,"yes":true}'
    )


def test_a_moment_is_the_same_in_every_time_zone():
    amsterdam = NOW.astimezone(timezone(timedelta(hours=1)))
    assert canonical({"at": amsterdam}) == canonical({"at": NOW})


def test_a_link_can_be_calculated_by_hand():
    assert link(START, {"a": 1}) == digest(START + '\n{"a":1}')
    assert len(START) == len(link(START, {})) == 64


@given(FACTS, FACTS)
def test_other_facts_have_another_hash(one, other):
    same = canonical(one) == canonical(other)
    assert (link(START, one) == link(START, other)) is same
    assert same is (
        one == other
        and list(map(type, sorted_values(one))) == list(map(type, sorted_values(other)))
    )


def sorted_values(facts):
    return [facts[name] for name in sorted(facts)]


@given(st.lists(FACTS, min_size=2, max_size=6), st.data())
def test_a_changed_removed_or_added_entry_breaks_the_rest(entries, data):
    def chained(facts):
        hashes = [START]
        for one in facts:
            hashes.append(link(hashes[-1], one))
        return hashes[1:]

    at = data.draw(st.integers(0, len(entries) - 2))
    before = chained(entries)
    assert chained([*entries[:at], *entries[at + 1 :]])[-1] != before[-1]
    assert chained([*entries[:at], {"new": 1}, *entries[at:]])[-1] != before[-1]
    changed = [*entries[:at], entries[at] | {"new": 1}, *entries[at + 1 :]]
    assert all(one != other for one, other in zip(chained(changed)[at:], before[at:], strict=True))


def test_heads_show_a_removed_tail_and_a_removed_customer():
    whole = heads_of([(1, 2, "b"), (2, 1, "c")])
    assert (whole.entries, whole.customers) == (3, 2)
    others = [[(1, 1, "a"), (2, 1, "c")], [(1, 2, "b")], [(1, 2, "b"), (2, 1, "d")], []]
    assert whole.root not in {heads_of(lasts).root for lasts in others}
    assert heads_of([(1, 2, "b"), (2, 1, "c")]) == whole


def test_a_signature_holds_for_what_was_signed_under_any_known_key():
    heads = Heads(3, 2, "r")
    signature = sign(heads, NOW, "old")
    assert is_signed(heads, NOW, signature, ["new", "old"])
    assert not is_signed(heads, NOW, signature, ["new"])
    assert not is_signed(Heads(2, 2, "r"), NOW, signature, ["old"])
    assert not is_signed(heads, NOW + timedelta(seconds=1), signature, ["old"])


@pytest.mark.parametrize("other", [("noor@example.org", "k2"), ("mila@example.org", "k1")])
def test_the_hash_of_an_address_needs_the_key(other):
    assert hash_address("noor@example.org", "k1") != hash_address(*other)
    assert hash_address("noor@example.org", "k1") != digest("noor@example.org")
