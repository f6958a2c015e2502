"""What the pages say of a refusal: the same codes and values as the rules give, in words."""

import re
from pathlib import Path

import pytest
from django.utils import translation

from customers import forms_asked, gate, purposes
from customers.gate import Fault
from customers.publishing import DEEDS, NotEditorial, Promise
from customers.wordings import Texts
from insights.consent_words import purpose_name
from insights.permission_words import (
    FAULTS,
    FIELDS,
    FORM_ERRORS,
    PURPOSE_ERRORS,
    fault_text,
    field_of,
    not_editorial_text,
)
from tests.customers.test_publishing import DUTCH
from tests.makers import a_purpose

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def test_every_fault_of_the_gate_has_its_sentence_with_the_same_values():
    assert FAULTS.keys() == gate.FAULTS.keys()
    with translation.override("en"):
        for code, sentence in gate.FAULTS.items():
            said = str(FAULTS[code])
            assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(sentence)), code


def test_every_field_of_a_text_has_a_name():
    assert FIELDS.keys() == {*Texts.__dataclass_fields__, "sender", "refuse"}
    assert FIELDS.keys() >= {*DEEDS}


@pytest.mark.parametrize(
    ("module", "said", "error"),
    [(purposes, PURPOSE_ERRORS, "PurposeError"), (forms_asked, FORM_ERRORS, "FormError")],
)
def test_every_refusal_of_a_service_has_its_sentence(module, said, error):
    """The codes are the first words of each `Error("code", …)` and `_refuse(…, "code", …)`."""
    source = Path(module.__file__).read_text()
    codes = set(re.findall(rf'{error}\(\s*"(\w+)"', source))
    codes |= set(re.findall(r'_refuse_in_use\(form, "(\w+)"', source))
    assert said.keys() == codes


def test_fields_and_languages_are_named_in_the_language_of_the_reader():
    empty = Fault("empty", (("field", "way_out"), ("language", "nl")))
    with translation.override("en"):
        assert fault_text(empty) == (
            "“how to take it back” is empty in Dutch. Fill it in: it is read before the tick."
        )
    with translation.override("nl"):
        assert "Nederlands" in fault_text(empty)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (Fault("empty", (("field", "sender"), ("language", "nl"))), "controller"),
        (Fault("empty", (("field", "way_out"), ("language", "nl"))), "way_out"),
        (Fault("pressure", (("field", "helper"), ("word", "snel"))), "helper"),
        (Fault("bundled", (("word", "tips"),)), "label"),
        (Fault("bundled", (("word", "maand"),)), "helper"),
        (Fault("no_frequency", (("promised", 2), ("text", "Ja"))), "helper"),
        (Fault("no_yes", (("text", "Ja"), ("yes", "Ja"))), "label"),
    ],
)
def test_a_fault_stands_beside_its_field(fault, field):
    assert field_of(fault, DUTCH) == field


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (
            NotEditorial("promise", Promise(1, 30), Promise(2, 30)),
            "Customers agreed to at most 1 message in 30 days, and at most 2 messages in 30 days "
            "is more.",
        ),
        (
            NotEditorial("promise", Promise(2, 1), None),
            "Customers agreed to at most 2 messages in 1 day, and now nothing is promised.",
        ),
        (
            NotEditorial("recipients", "nobody", "Post BV", "en"),
            "Customers agreed to “nobody” (who receives them), and it would be “Post BV”.",
        ),
    ],
)
def test_a_change_of_deeds_is_told_with_both_values_and_the_way_out(refused, words):
    with translation.override("en"):
        way_out = "Choose “What is done”, or leave it as it was."
        assert not_editorial_text(refused) == f"{words} {way_out}"


def test_a_purpose_is_called_as_the_reader_calls_it():
    purpose = a_purpose(name_nl="Tips en aanbiedingen", name_en="Tips and offers")
    with translation.override("en"):
        assert purpose_name(purpose) == "Tips and offers"
    with translation.override("nl"):
        assert purpose_name(purpose) == "Tips en aanbiedingen"
