"""What the ledger says: a table of states, and properties that hold for every ledger."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.consent import (
    ALLOWING,
    REASONS,
    STRICTNESS,
    TRANSITIONS,
    Actor,
    Entry,
    Forbidden,
    Grade,
    Person,
    Sale,
    State,
    Terms,
    Use,
    check,
    current,
    is_repetition,
    may_ask,
    may_process,
    soft_opt_in,
    strictest,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADDRESS, ANOTHER = "a" * 64, "b" * 64
TERMS = Terms("email_marketing", scope="tips")
PERSON = Person()
USE = Use("email", frozenset({ADDRESS}), NOW)


def an_entry(state: State = State.GIVEN, **facts) -> Entry:
    usual = {
        "seq": 1,
        "occurred_at": NOW - timedelta(days=30),
        "purpose": "email_marketing",
        "channel": "email",
        "address": ADDRESS,
        "scope": "tips",
        "grade": Grade.B,
        "valid_until": NOW + timedelta(days=335),
    }
    return Entry(state=state, **(usual | facts))


def ask(*entries: Entry, terms: Terms = TERMS, person: Person = PERSON, use: Use = USE):
    return may_process(entries, terms, person, use)


# -- May we? --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_only_given_renewed_and_soft_allow_anything(state):
    answer = ask(an_entry(state))
    assert answer.allowed is (state in {State.GIVEN, State.RENEWED, State.SOFT})
    assert answer.sentence


def test_unknown_is_no():
    answer = ask()
    assert (answer.allowed, answer.reason) == (False, "none")
    assert answer.sentence == "never gave permission"
    assert not ask(an_entry(purpose="personalisation")).allowed
    assert not ask(an_entry(channel="sms")).allowed


# What is changed about a consent that allows, and the reason it then gives.
OBSTACLES = {
    "erased": {"person": {"erased": True}},
    "restricted": {"person": {"restricted": True}},
    "suppressed": {"person": {"suppressed": True}},
    "archived": {"terms": {"archived": True}},
    "expired": {"entry": {"valid_until": NOW}},
    "other_address": {"use": {"addresses": frozenset({ANOTHER})}},
    "stale": {"terms": {"scope": "tips, and what you look at"}},
    "weak_proof": {"entry": {"grade": Grade.D}},
    "too_young": {"entry": {"old_enough": False}},
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_each_thing_in_the_way_ends_it_with_its_reason(reason):
    changes = OBSTACLES[reason]
    assert ask(an_entry()).allowed
    answer = ask(
        an_entry(**changes.get("entry", {})),
        terms=replace(TERMS, **changes.get("terms", {})),
        person=replace(PERSON, **changes.get("person", {})),
        use=replace(USE, **changes.get("use", {})),
    )
    assert (answer.allowed, answer.reason) == (False, reason)


def test_a_consent_without_an_end_is_none():
    assert ask(an_entry(valid_until=None)).reason == "expired"


def test_it_holds_until_the_moment_it_ends():
    ends = an_entry(valid_until=NOW)
    assert ask(ends, use=replace(USE, now=NOW - timedelta(microseconds=1))).allowed
    assert not ask(ends).allowed


def test_a_consent_without_scope_or_address_matches_nothing():
    assert ask(an_entry(scope=""), terms=replace(TERMS, scope="")).reason == "stale"
    nowhere = replace(USE, addresses=frozenset({""}))
    assert ask(an_entry(address=""), use=nowhere).reason == "other_address"


@pytest.mark.parametrize(
    ("grade", "minimum", "allowed"),
    [
        (have, wanted, "ABCD".index(have) <= "ABCD".index(wanted))
        for have, wanted in product("ABCD", repeat=2)
    ],
)
def test_a_proof_has_to_be_at_least_as_good_as_the_purpose_asks(grade, minimum, allowed):
    terms = replace(TERMS, minimum_grade=Grade(minimum))
    assert ask(an_entry(grade=Grade(grade)), terms=terms).allowed is allowed


def test_the_reason_is_a_sentence_with_its_day():
    assert ask(an_entry()).sentence == "gave permission on 2026-10-25"
    answer = ask(an_entry(State.WITHDRAWN))
    assert answer.sentence == "took the permission back on 2026-10-25"
    ended = ask(an_entry(valid_until=NOW - timedelta(days=2)))
    assert ended.sentence == "the permission expired on 2026-11-22"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_can_be_said(reason):
    values = {"on": NOW.date(), "grade": "D", "minimum": "C", "age": 16}
    assert "%" not in REASONS[reason] % values


# -- Which entry counts ---------------------------------------------------------------------------


def test_the_last_that_was_written_counts_whatever_a_clock_says():
    """A client whose clock runs a year ahead said yes, then took it back."""
    ahead = an_entry(seq=1, occurred_at=NOW + timedelta(days=365))
    back = an_entry(State.WITHDRAWN, seq=2, occurred_at=NOW)
    for order in ([ahead, back], [back, ahead]):
        assert current(order, "email_marketing", "email") == back
        assert not ask(*order).allowed


def test_at_the_same_moment_the_strictest_counts():
    back = an_entry(State.WITHDRAWN, seq=1, occurred_at=NOW)
    again = an_entry(State.GIVEN, seq=2, occurred_at=NOW)
    assert current([back, again], "email_marketing", "email") == back
    later = replace(again, occurred_at=NOW + timedelta(microseconds=1))
    assert current([back, later], "email_marketing", "email") == later


def test_every_state_has_its_place_among_the_strict():
    assert sorted(STRICTNESS) == sorted(State)
    assert {*STRICTNESS[:3]} == ALLOWING
    assert strictest([State.GIVEN, State.NONE]) is State.NONE
    assert strictest([State.WITHDRAWN, State.OBJECTED, State.GIVEN]) is State.OBJECTED


ENTRIES = st.lists(
    st.builds(
        lambda seq, state, day: an_entry(state, seq=seq, occurred_at=NOW + timedelta(days=day)),
        st.integers(1, 10**6),
        st.sampled_from(State),
        st.integers(-3, 3),
    ),
    unique_by=lambda one: one.seq,
    max_size=12,
)


@given(ENTRIES)
def test_what_is_allowed_was_said_last(entries):
    if ask(*entries).allowed:
        assert max(entries, key=lambda one: one.seq).state in ALLOWING


@given(ENTRIES, st.randoms())
def test_the_order_in_which_entries_are_read_does_not_matter(entries, random):
    mixed = list(entries)
    random.shuffle(mixed)
    assert ask(*mixed) == ask(*entries)


@given(ENTRIES, st.sampled_from([State.WITHDRAWN, State.OBJECTED, State.REFUSED]))
def test_a_no_at_the_end_is_a_no(entries, no):
    last = max((one.seq for one in entries), default=0) + 1
    assert not ask(*entries, an_entry(no, seq=last, occurred_at=NOW)).allowed


# -- What may be written --------------------------------------------------------------------------


def allowed(actor: Actor, after: State) -> set[State]:
    """Try all states before."""
    found = set()
    for before in State:
        try:
            check(before, after, actor)
        except Forbidden:
            continue
        found.add(before)
    return found


@pytest.mark.parametrize(("actor", "after"), list(product(Actor, State)))
def test_only_a_customer_turns_a_no_into_a_yes(actor, after):
    if after not in ALLOWING or actor is Actor.CUSTOMER:
        return
    assert allowed(actor, after) <= ({State.NONE} if actor is Actor.IMPORT else set())


def test_a_customer_may_take_back_whatever_there_is():
    assert allowed(Actor.CUSTOMER, State.WITHDRAWN) == set(State) - {State.OBJECTED}
    assert allowed(Actor.CUSTOMER, State.OBJECTED) == set(State)


def test_an_objection_is_lifted_by_the_customer_alone():
    lifting = {
        (actor, after)
        for actor, after in TRANSITIONS
        if after is not State.OBJECTED and State.OBJECTED in TRANSITIONS[actor, after]
    }
    assert lifting == {(Actor.CUSTOMER, State.GIVEN)}


def test_a_sale_is_no_yes_after_a_no():
    assert allowed(Actor.IMPORT, State.SOFT) == {State.NONE}


@pytest.mark.parametrize("after", [State.NONE, State.SHOWN, State.RENEWED, State.PENDING])
def test_an_import_only_lowers_or_documents(after):
    assert allowed(Actor.IMPORT, after) == set()


def test_a_refused_change_names_both_states_and_the_way_out():
    with pytest.raises(Forbidden) as refused:
        check(State.WITHDRAWN, State.GIVEN, Actor.ADMIN)
    assert str(refused.value) == (
        "admin cannot turn withdrawn into given. "
        "Only the customer can say yes, with a form or link of their own."
    )
    with pytest.raises(Forbidden, match="From objected it stays as it is"):
        check(State.OBJECTED, State.WITHDRAWN, Actor.ADMIN)


def test_a_no_said_twice_is_one_no():
    assert is_repetition(State.WITHDRAWN, State.WITHDRAWN)
    assert not is_repetition(State.GIVEN, State.GIVEN)
    assert not is_repetition(State.PENDING, State.PENDING)
    assert not is_repetition(State.REFUSED, State.WITHDRAWN)


def test_being_asked_twice_is_being_asked_twice():
    assert allowed(Actor.CUSTOMER, State.SHOWN) == {State.NONE, State.SHOWN}
    assert not is_repetition(State.SHOWN, State.SHOWN)
    assert not is_repetition(State.REFUSED, State.REFUSED)


# -- Sales ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "organisation", "on", "allowed"),
    [
        ("email", "company", date(2026, 11, 24), True),
        ("phone", "company", date(2026, 6, 30), True),
        ("phone", "company", date(2026, 7, 1), False),
        ("phone", "charity", date(2026, 7, 1), True),
        ("phone", "lottery", date(2027, 1, 1), True),
        ("phone", "publisher", date(2027, 1, 1), True),
        ("sms", "company", date(2026, 1, 1), False),
        ("sms", "charity", date(2026, 1, 1), False),
    ],
)
def test_where_a_sale_stands_in_for_a_yes(channel, organisation, on, allowed):
    assert soft_opt_in(channel, organisation, on) is allowed


def test_a_sale_does_not_permit_what_the_channel_forbids():
    sold = an_entry(State.SOFT, channel="phone")
    calling = replace(USE, channel="phone")
    assert ask(sold, use=calling).allowed
    answer = ask(sold, use=replace(calling, soft_allowed=False))
    assert (answer.allowed, answer.reason) == (False, "no_soft")


@pytest.mark.parametrize("missing", Sale.__slots__)
def test_a_sale_needs_all_five_facts(missing):
    facts = dict.fromkeys(Sale.__slots__, True)
    assert Sale(**facts).complete
    assert not Sale(**facts | {missing: False}).complete


# -- What needs no yes, and what a pause stops ----------------------------------------------------

SERVICE = Terms("service", scope="", needs_consent=False, is_marketing=False)


def test_what_belongs_to_an_order_needs_no_permission():
    answer = ask(terms=SERVICE)
    assert (answer.allowed, answer.reason) == (True, "service")
    assert "order" in answer.sentence


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person(suppressed=True), "service"),
        (Person(paused_until=NOW + timedelta(days=1)), "service"),
        (Person(unreachable=True), "suppressed"),
        (Person(restricted=True), "restricted"),
        (Person(erased=True), "erased"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_objection_never_stops_an_invoice_and_a_dead_address_does(person, reason):
    answer = ask(terms=SERVICE, person=person)
    assert answer.reason == reason
    assert answer.allowed is (reason == "service")


def test_a_pause_says_until_when():
    paused = Person(paused_until=NOW + timedelta(days=91))
    answer = ask(an_entry(), person=paused)
    assert (answer.allowed, answer.reason) == (False, "paused")
    assert "2027-02-23" in answer.sentence
    assert ask(an_entry(), person=Person(paused_until=NOW)).allowed
    assert ask(an_entry(), person=paused, terms=replace(TERMS, is_marketing=False)).allowed


# -- May we ask? ----------------------------------------------------------------------------------


def asked(*days: int, state: State = State.REFUSED) -> list[Entry]:
    """Say no on each of these days before now."""
    return [
        an_entry(state, seq=number, occurred_at=NOW - timedelta(days=ago))
        for number, ago in enumerate(days, start=1)
    ]


@pytest.mark.parametrize(
    ("entries", "may"),
    [
        pytest.param([], True, id="never asked"),
        pytest.param(asked(89), False, id="89 days ago"),
        pytest.param(asked(90), True, id="90 days ago"),
        pytest.param(asked(200, 100), False, id="twice this year"),
        pytest.param(asked(365, 100), True, id="once this year"),
        pytest.param(asked(10, state=State.SHOWN), False, id="shown and left"),
        pytest.param(asked(100, state=State.EXPIRED), True, id="ran out"),
        pytest.param(asked(300, state=State.WITHDRAWN), False, id="took it back"),
        pytest.param(asked(300, state=State.OBJECTED), False, id="objected"),
        pytest.param(asked(300, state=State.GIVEN), False, id="said yes"),
        pytest.param(asked(300, state=State.PENDING), False, id="still waits"),
        pytest.param(asked(300, state=State.STALE), True, id="for something else"),
    ],
)
def test_how_often_we_may_ask(entries, may):
    assert may_ask(entries, "email_marketing", "email", NOW) is may
    assert may_ask(entries, "another", "email", NOW)
    assert may_ask(entries, "email_marketing", "sms", NOW)


def test_every_refusal_is_an_ask_that_counts():
    """So a second no within the year has a line of its own."""
    assert not is_repetition(State.REFUSED, State.REFUSED)
    check(State.REFUSED, State.REFUSED, Actor.CUSTOMER)
