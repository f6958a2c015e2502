"""The ready-made drafts: fit for the gate as they are, for every kind, channel and name."""

import pytest

from customers.first_texts import first_draft
from customers.gate import Draft, Plan, faults_of_texts
from customers.models import Channel, PurposeKind, Wording
from customers.wordings import Texts

READY = ["marketing", "profiling", "survey", "tracking"]
CHANNELS = [[str(one)] for one in Channel] + [["email", "sms"]]


def codes(kind: str, channels: list[str], sender: str) -> list[str]:
    draft = first_draft(kind, channels, sender)
    drafts = [
        Draft(language, texts.label, texts.helper, texts.way_out)
        for language, texts in draft.texts.items()
    ]
    return [fault.code for fault in faults_of_texts(Plan(kind, sender, draft.messages), drafts)]


@pytest.mark.parametrize("channels", CHANNELS, ids="-".join)
@pytest.mark.parametrize("kind", READY)
def test_a_ready_made_draft_passes_the_gate(kind, channels):
    assert codes(kind, channels, "Warenhuis De Zonneschijn") == []


def test_each_kind_that_asks_is_ready_but_sharing_where_the_receiver_is_to_be_named():
    asking = {str(kind) for kind in PurposeKind if kind.needs_consent}
    assert asking - {*READY} == {"sharing"}
    assert set(codes("sharing", ["email"], "Lindehuis")) == {"empty", "no_sender"}


def test_the_sentence_names_the_organisation_and_the_channel():
    by_mail = first_draft("marketing", ["email"], "Lindehuis").texts
    assert by_mail["nl"].label == "Ja, Lindehuis mag mij tips en aanbiedingen mailen."
    assert by_mail["nl"].helper.startswith("Hooguit 2 keer per maand.")
    assert by_mail["en"].label == "Yes, Lindehuis may mail me tips and offers."
    assert "sms’en" in first_draft("marketing", ["sms"], "Lindehuis").texts["nl"].label
    assert "sturen" in first_draft("marketing", ["sms", "email"], "L").texts["nl"].label


@pytest.mark.parametrize("kind", READY)
def test_nobody_is_addressed_so_it_suits_je_and_u(kind):
    texts = first_draft(kind, ["email"], "Lindehuis").texts["nl"]
    words = " ".join(getattr(texts, name) for name in Texts.__dataclass_fields__).lower().split()
    assert not {"je", "jij", "jouw", "u", "uw"} & {word.strip(".,") for word in words}


@pytest.mark.parametrize("kind", READY)
def test_it_fits_into_the_columns(kind):
    for texts in first_draft(kind, ["email", "sms", "phone"], "L" * 80).texts.values():
        for name in Texts.__dataclass_fields__:
            longest = Wording._meta.get_field(name).max_length
            assert longest is None or len(getattr(texts, name)) <= longest
