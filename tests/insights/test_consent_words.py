"""The words about permission: every code has its sentence, in both languages."""

import re
from datetime import timedelta

import pytest
from django.utils import translation

from customers import consent, merging
from customers.consent import TRANSITIONS, Actor, Answer, Grade, Method, State
from customers.models import AccessKind, ConsentEntry
from insights import consent_words, merge_words
from insights.consent_words import Told, method_name, reason, sentence
from tests.makers import NOW, make_customer, make_purpose, record

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def placeholders(text: object) -> set[str]:
    return set(PLACEHOLDER.findall(str(text)))


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        pytest.param(consent.REASONS, consent_words.REASONS, id="reasons"),
        pytest.param(merging.REFUSALS, merge_words.REFUSALS, id="refusals of a merge"),
        pytest.param(State, consent_words.STATES, id="states"),
        pytest.param(Method, consent_words.METHODS, id="methods"),
        pytest.param(Actor, consent_words.ACTORS, id="actors"),
        pytest.param(Grade, consent_words.GRADES, id="proofs"),
        pytest.param(AccessKind, consent_words.VIEWS, id="views"),
    ],
)
def test_each_code_has_words_of_its_own(codes, words):
    assert set(codes) == set(words)
    with translation.override("en"):
        assert len({str(text) for text in words.values()}) == len(words)


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_sentences_have_the_placeholders_of_the_rules_but_what_they_leave_out(language):
    with translation.override(language):
        for code, text in consent.REASONS.items():
            assert placeholders(consent_words.REASONS[code]) == placeholders(text), code


def test_every_change_the_ledger_takes_has_a_sentence():
    written = {(after, actor) for actor, after in TRANSITIONS}
    assert written <= set(consent_words._SENTENCES)


def test_a_reason_names_the_day_as_the_reader_writes_it():
    answer = Answer(False, "withdrawn", {"on": NOW.date()})
    with translation.override("en"):
        assert (
            reason(answer) == "Taken back on 24 November 2026. Only the customer can change this."
        )


@pytest.fixture
def tips(db):
    return make_purpose(key="tips", name_en="Tips", name_nl="Tips en aanbiedingen")


def told(before: State = State.NONE, **given) -> Told:
    facts = {"who": "Noor", "colleague": "Kim (Administrator)", "place": ""} | given
    return Told(before=before, **facts)


def entry_of(purpose, *path: dict) -> ConsentEntry:
    """The last entry of a customer who did all this."""
    customer = make_customer(email="noor@example.org")
    for hours, given in enumerate(path):
        last = record(customer, purpose=purpose, occurred_at=NOW + timedelta(hours=hours), **given)
    return last


RELAYED = {"actor": Actor.ADMIN, "actor_id": "7", "evidence": "Called.", "method": "phone_note"}


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ([{}], {}, "Noor ticked “Ja, Lindehuis mag mij tips en aanbiedingen mailen.”."),
        (
            [{"grade": "A"}],
            {"place": "Order page"},
            "Noor ticked “Ja, Lindehuis mag mij tips en aanbiedingen mailen.” on Order page. "
            "Confirmed by the link in the mail.",
        ),
        ([{}, {"state": State.WITHDRAWN}], {"before": State.GIVEN}, "Noor took it back."),
        ([{"state": State.WITHDRAWN}], {}, "Noor asked to be left alone."),
        (
            [{"state": State.WITHDRAWN, **RELAYED}],
            {"before": State.GIVEN},
            "Noor took it back; Kim (Administrator) wrote it down.",
        ),
        (
            [{"state": State.OBJECTED, **RELAYED}],
            {},
            "Noor objected; Kim (Administrator) wrote it down.",
        ),
        (
            [{"state": State.PENDING}, {"state": State.EXPIRED, "actor": Actor.SYSTEM}],
            {"before": State.PENDING},
            "Noor did not confirm in time.",
        ),
        (
            [{}, {"state": State.EXPIRED, "actor": Actor.SYSTEM}],
            {"before": State.GIVEN},
            "The permission of Noor ran out.",
        ),
        (
            [{}, {"state": State.WITHDRAWN, "actor": Actor.SYSTEM, "method": "merge"}],
            {"before": State.GIVEN},
            "No longer permitted: two records of Noor became one, and only one of them said yes.",
        ),
        (
            [{}, {"state": State.INVALIDATED, **RELAYED, "method": "invalidation"}],
            {"before": State.GIVEN},
            "Declared invalid with a faulty batch, approved by Kim (Administrator).",
        ),
    ],
)
def test_an_entry_is_told_in_one_sentence(tips, path, given, expected):
    entry = entry_of(tips, *path)
    with translation.override("en"):
        assert sentence(entry, told(**given)) == expected


def test_a_way_nobody_named_is_shown_as_it_is_stored():
    with translation.override("en"):
        assert method_name("kiosk") == "kiosk"
        assert method_name("phone_note") == "By telephone"
