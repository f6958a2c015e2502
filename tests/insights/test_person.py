"""All that is known of one person, and of nobody else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from customers.consent import Actor, Grade, State
from customers.holds import hold_contacts
from customers.models import AccessKind, Change, Suppression, SuppressionReason
from customers.publishing import Edition, Promise, publish
from customers.views_of_data import record_views
from customers.wordings import Texts, text_hash
from feedback.services import submit_response
from insights.person import as_json, person_document
from tests.makers import (
    NOW,
    a_purchase,
    an_answer,
    make_category,
    make_contact,
    make_customer,
    make_invitation,
    make_permitted,
    make_product,
    make_purpose,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

SHOWN = {
    "label": "Ja, Lindehuis mag mij “tips” mailen – é.",
    "helper": "Hooguit 2 keer per maand.\u00a0Stoppen kan altijd.",
    "details": "Regel één.\r\n  Regel twee.",
    "controller": "Lindehuis B.V.",
    "data_types": "e-mailadres, aankopen",
    "recipients": "Mailhuis B.V.",
    "retention": "2 jaar na je laatste klik",
    "way_out": "Onder elke mail staat Afmelden.",
}
# Texts that the gate lets through.
DUTCH = SHOWN | {"label": "Ja, Lindehuis B.V. mag mij tips en aanbiedingen mailen."}
ENGLISH = {
    "label": "Yes, Lindehuis B.V. may mail me tips and offers.",
    "helper": "At most 2 times a month. You can stop at any time.",
    "way_out": "Every mail has a link to unsubscribe.",
}


def everything_of(name: str):
    """A customer with a row in every part of the document."""
    person = make_customer(
        reference=f"{name}-ref", email=f"{name}@example.org", name=name.title(), language="nl"
    )
    purpose = make_purpose(key=f"tips_{name}", name_en="Tips", name_nl="Tips en aanbiedingen")
    make_wording(purpose=purpose, **SHOWN)
    record(person, purpose=purpose, address=person.email, place=f"form {name}")
    stored(a_purchase(customer=person, order=f"{name}-order"))
    make_invitation(customer=person)
    submit_response(an_answer(customer=person, comment=f"{name} says", product=make_product()))
    record_views(
        customers=[person], kind=AccessKind.PAGE, viewer="7", role="Administrator", now=NOW,
        reason=f"{name} called",
    )  # fmt: skip
    return person


def test_case_24_an_access_request_holds_every_entry_with_its_wording_and_viewers_and_nobody_else():
    noor, other = everything_of("noor"), everything_of("bram")
    purpose = noor.consents.get().purpose
    record(noor, purpose=purpose, state=State.WITHDRAWN, address=noor.email)
    document = person_document(noor, NOW)
    given, withdrawn = document["consents"]
    assert [given["state"], withdrawn["state"]] == ["given", "withdrawn"]
    assert {name: given["wording"][name] for name in SHOWN} == SHOWN
    assert given["basis"].startswith("consent: GDPR art. 6(1)(a)")
    assert document["recipients"] == ["Mailhuis B.V."]
    assert [one["how_long"] for one in document["retention"]] != []
    assert document["viewed_by"] == [
        {
            "viewed_at": NOW.isoformat(),
            "what": "page",
            "role": "Administrator",
            "why": "noor called",
        }
    ]
    assert [one["comment"] for one in document["answers"]] == ["noor says"]
    assert [one["order"] for one in document["purchases"]] == ["noor-order"]
    assert len(document["invitations"]) == 1
    text = as_json(document)
    assert "noor" in text
    for trace in (other.reference, other.email, other.name, "bram"):
        assert trace not in text


def test_case_03_the_proof_is_what_was_shown_byte_for_byte_after_ten_later_edits():
    noor = make_customer(email="noor@example.org")
    purpose = make_purpose(valid_days=365)
    first = edition(purpose, DUTCH, NOW - timedelta(days=1))
    acted = datetime(2026, 11, 24, 11, 30, 15, 123456, tzinfo=UTC)
    record(
        noor, purpose=purpose, wording=first, address=noor.email, place="checkout",
        method="checkbox", occurred_at=acted,
    )  # fmt: skip
    for number in range(1, 11):
        later = DUTCH | {"details": f"Regel {number}.", "way_out": f"Afmelden, {number}."}
        edition(purpose, later, NOW + timedelta(days=number))
    assert purpose.wordings.count() == 22
    (proof,) = person_document(noor, NOW + timedelta(days=60))["consents"]
    told = json.loads(as_json(proof))
    shown = {name: told["wording"][name].encode() for name in DUTCH}
    assert shown == {name: text.encode() for name, text in DUTCH.items()}
    assert (told["wording"]["language"], told["wording"]["version"]) == ("nl", 1)
    assert told["wording"]["text_hash"] == text_hash(first.facts)
    assert (told["method"], told["place"]) == ("checkbox", "checkout")
    assert told["occurred_at"] == "2026-11-24T11:30:15.123456+00:00"
    notice = told["receipt"]["pii_processing"]["privacy_notice"]
    assert (notice["label"], notice["helper"]) == (DUTCH["label"], DUTCH["helper"])


def edition(purpose, dutch, now):
    texts = {"nl": Texts(**dutch), "en": Texts(**dutch | ENGLISH)}
    plan = Edition(
        texts=texts, promise=Promise(2, 30), change=Change.EDITORIAL, approved_by="noor@x.example"
    )
    return next(
        one for one in publish(purpose=purpose, edition=plan, now=now) if one.language == "nl"
    )


def test_the_portable_part_is_what_the_person_gave():
    noor = everything_of("noor")
    portable = person_document(noor, NOW)["portable"]
    assert set(portable) == {"who", "consents", "answers"}
    assert portable["who"]["email"] == "noor@example.org"
    assert [one["value"] for one in portable["answers"]] == [9]
    assert [one["state"] for one in portable["consents"]] == ["given"]


def test_suppressions_of_the_address_are_told():
    noor = make_customer(email="noor@example.org")
    Suppression.objects.create(
        address_hash=noor.address_hash, reason=SuppressionReason.COMPLAINT, created_at=NOW
    )
    (told,) = person_document(noor, NOW)["suppressions"]
    assert told["reason"] == "complaint"


def test_what_a_file_brought_is_told_with_the_file():
    noor = make_customer(email="noor@example.org")
    make_wording(purpose=(purpose := make_purpose()))
    record(
        noor, purpose=purpose, address=noor.email, actor=Actor.IMPORT, grade=Grade.C,
        evidence="line 7", method="import", place="old-list.csv",
    )  # fmt: skip
    document = person_document(noor, NOW)
    assert document["source"] == [
        {"data": "record", "source": "shop"},
        {"data": "consents", "source": "import", "place": "old-list.csv"},
    ]
    assert document["consents"][0]["evidence"] == "line 7"


@pytest.mark.parametrize("times", [1, 3])
def test_a_document_takes_as_many_queries_for_three_acts_as_for_one(
    times, django_assert_num_queries
):
    noor = make_customer(email="noor@example.org")
    for _ in range(times):
        record(noor, purpose=make_purpose(), address=noor.email)
        stored(a_purchase(customer=noor))
        make_invitation(customer=noor)
        submit_response(an_answer(customer=noor, product=make_product()))
    with django_assert_num_queries(16):
        person_document(noor, NOW)


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_page_says_all_of_it_in_both_languages(language):
    noor = everything_of("noor")
    with translation.override(language):
        page = render_to_string(
            "insights/_person_document.html", {"document": person_document(noor, NOW)}
        )
    for text in (SHOWN["label"], SHOWN["recipients"], "noor says", "noor-order", "noor called"):
        assert text in page


def test_how_often_somebody_was_contacted_is_told_and_why_they_are_left_alone():
    noor, other = make_permitted(), make_permitted()
    make_contact(noor, NOW, category=make_category(name="Phones"), source="mailing:7")
    make_contact(other, NOW)
    hold_contacts(customer=noor, reason="complaint", until=None, source="colleague:7", now=NOW)
    document = person_document(noor, NOW)
    [contact] = document["contacts"]
    assert (contact["kind"], contact["category"], contact["state"]) == (
        "promotion",
        "Phones",
        "sent",
    )
    assert contact["sent_at"] == "2026-11-24T12:00:00+00:00"
    assert [one["reason"] for one in document["holds"]] == ["complaint"]
    with translation.override("en"):
        page = render_to_string("insights/_person_document.html", {"document": document})
    assert "Promotion, E-mail, Phones (Sent)" in page
    assert "Complaint" in page
