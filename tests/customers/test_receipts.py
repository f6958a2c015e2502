"""A receipt says under standard names what the ledger says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from customers.consent import Actor, State
from customers.receipts import SCHEMA_VERSION, Act, Notice, receipt

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOTICE = Notice(
    version=3,
    language="nl",
    label="Ja, Lindehuis mag mij tips mailen.",
    helper="Hooguit 2 keer per maand.",
    details="",
    controller="Lindehuis",
    data_types="e-mailadres, aankopen",
    recipients="Mailhuis",
    retention="2 jaar",
    way_out="Onder elke mail staat Afmelden.",
    published_at=NOW - timedelta(days=9),
    text_hash="a" * 64,
)
ACT = Act(
    record="b" * 64,
    principal="K1",
    purpose="Tips",
    purpose_kind="marketing",
    channel="email",
    state=State.GIVEN,
    actor=Actor.CUSTOMER,
    method="checkbox",
    place="checkout",
    grade="A",
    occurred_at=NOW,
    recorded_at=NOW + timedelta(seconds=1),
    valid_until=NOW + timedelta(days=730),
)


def made(act=ACT, notice=NOTICE):
    return receipt(act, notice, controller="Shop", now=NOW)


def test_a_yes_has_every_part_under_its_name_in_the_standard():
    given = made()
    assert set(given) == {
        "schema_version", "receipt_id", "issued_at", "record_id", "pii_principal_id",
        "pii_processing", "party_identification", "event",
    }  # fmt: skip
    assert given["schema_version"] == SCHEMA_VERSION
    assert (given["record_id"], given["pii_principal_id"]) == ("b" * 64, "K1")
    processing = given["pii_processing"]
    assert set(processing) == {"privacy_notice", "language", "purposes"}
    assert processing["language"] == "nl"
    assert processing["privacy_notice"]["label"] == NOTICE.label
    (purpose,) = processing["purposes"]
    assert set(purpose) == {
        "purpose", "purpose_type", "lawful_basis", "pii_information", "pii_controllers",
        "collection_method", "processing_method", "storage_locations", "retention_period",
        "recipient_third_parties", "withdrawal_method", "jurisdiction", "privacy_rights",
    }  # fmt: skip
    assert [one["pii_type"] for one in purpose["pii_information"]] == ["e-mailadres", "aankopen"]
    assert purpose["withdrawal_method"] == NOTICE.way_out
    (party,) = given["party_identification"]
    assert party["party_id"] in purpose["pii_controllers"]
    assert party["party_name"] == "Lindehuis"
    event = given["event"]
    assert (event["event_type"], event["event_state"]) == ("explicit", "given")
    assert event["event_time"] == "2026-11-24T12:00:00+00:00"
    assert event["validity_duration"] == "P730D"
    assert event["entity_id"] == "K1"


def test_a_receipt_is_json_without_any_help():
    assert json.loads(json.dumps(made())) == made()


@pytest.mark.parametrize(
    ("state", "kind", "basis"),
    [
        (State.GIVEN, "explicit", "consent"),
        (State.RENEWED, "explicit", "consent"),
        (State.SOFT, "implied", "soft opt-in"),
        (State.WITHDRAWN, "explicit", ""),
        (State.EXPIRED, "none", ""),
    ],
)
def test_what_makes_it_lawful_follows_from_the_state(state, kind, basis):
    given = made(replace(ACT, state=state))
    assert given["event"]["event_type"] == kind
    assert given["pii_processing"]["purposes"][0]["lawful_basis"].split(":")[0] == basis


def test_without_a_text_the_organisation_stands_in():
    given = made(replace(ACT, state=State.WITHDRAWN, valid_until=None), None)
    assert given["pii_processing"]["privacy_notice"] is None
    assert given["party_identification"][0]["party_name"] == "Shop"
    assert given["event"]["validity_duration"] is None
