"""Erasing a person: nothing that names them is left, and nobody brings them back."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, models

from customers import erasure as of_customers
from customers import stop_log
from customers.addresses import address_hashes
from customers.consent import Actor, State
from customers.csv_rows import CsvReader, RejectsWriter
from customers.data_requests import Asked, receive_request
from customers.holds import hold_contacts
from customers.importers import CustomerImporter
from customers.imports import Options, run_import
from customers.ledger import Erased, record_consent
from customers.letters import Sender, queue_letter, send_due
from customers.mapping import Mapping
from customers.models import (
    AccessKind,
    ConsentEntry,
    ConsentState,
    Customer,
    CustomerMerge,
    DataRequest,
    Decision,
    Erasure,
    Letter,
    LetterKind,
    LinkAction,
    MailedLink,
    RequestKind,
    RequestSource,
    RequestState,
    Suppression,
    SuppressionReason,
)
from customers.queries import customers_by_reference, may_process
from customers.verification import verify_ledger
from customers.views_of_data import record_views
from feedback.models import Response
from feedback.services import submit_response
from insights.erasure import Order, erase, plan, without
from insights.person import as_json, person_document
from insights.replay import replay_stops
from tests.makers import (
    NOW,
    a_purchase,
    an_act,
    an_answer,
    make_contact,
    make_customer,
    make_invitation,
    make_product,
    make_purpose,
    make_touchpoint,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

CANARIES = {
    "reference": "canary-ref-71",
    "email": "canary.mail@example.org",
    "name": "Canaria Vogelzang",
}
TEXTS = ["canary comment", "canary evidence", "canary request", "canary why", "canary-order"]
SENDER = Sender(name="Lindehuis", header="Lindehuis <post@lindehuis.example>")


@pytest.fixture(autouse=True)
def log(settings, tmp_path):
    """A log of stops and refused rows of this test alone."""
    settings.STOP_LOG = tmp_path / "stops.jsonl"
    settings.VAR_DIR = tmp_path
    return settings.STOP_LOG


@pytest.fixture
def canary():
    """A customer with a row in every table that can hold something of them."""
    person = make_customer(**CANARIES, language="nl", time_zone="Europe/Paris", monthly_limit=2)
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    record(person, purpose=purpose, address=person.email, evidence="canary evidence")
    stored(a_purchase(customer=person, order="canary-order"))
    touchpoint = make_touchpoint()
    make_invitation(customer=person, touchpoint=touchpoint)
    submit_response(
        an_answer(
            customer=person, touchpoint=touchpoint, comment="canary comment", product=make_product()
        )
    )
    record_views(
        customers=[person], kind=AccessKind.PAGE, viewer="7", role="Administrator", now=NOW,
        reason="canary why",
    )  # fmt: skip
    Decision.objects.create(
        customer=person, purpose=purpose, channel="email", allowed=True, reason="given",
        outcome="ALLOW", asker="mailing 1", decided_at=NOW,
    )  # fmt: skip
    make_contact(person)
    hold_contacts(customer=person, reason="complaint", until=None, source="colleague:7", now=NOW)
    asked = Asked(
        kind=RequestKind.RECTIFICATION,
        source=RequestSource.STAFF,
        text="canary request",
        corrections={"name": "Canaria Vogel"},
    )
    receive_request(customer=person, asked=asked, now=NOW)
    link = MailedLink.objects.create(
        action=LinkAction.OPEN, customer=person, address_hash=person.address_hash,
        asked_at=NOW, expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    queue_letter(kind=LetterKind.RECEIVED, customer=person, now=NOW, link=link)
    return person


def order(**given) -> Order:
    return Order(**{"reason": "asked by phone"} | given)


def dump() -> str:
    """The whole database as text, every table of it."""
    lines = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            lines += [f"{table}: {row}" for row in cursor.fetchall()]
    return "\n".join(lines)


def traces(text: str) -> list[str]:
    wanted = [*CANARIES.values(), *TEXTS, "Canaria", "Vogelzang", "Europe/Paris"]
    return [one for one in wanted if one.casefold() in text.casefold()]


def a_file_of_refused_rows(name="customers-1.csv"):
    path = settings.VAR_DIR / "rejects" / name
    with RejectsWriter(path, ["reference", "email"]) as rejects:
        rejects.write(2, "email", "'x' is no address", [CANARIES["reference"], "x"])
        rejects.write(3, "email", "'y' is no address", ["other", "y"])
        rejects.write(4, "name", "too long", ["third", CANARIES["email"].upper()])
    return path


def test_case_18_an_erasure_leaves_no_identifier_profile_or_free_text_anywhere(
    canary, caplog, django_capture_on_commit_callbacks
):
    refused = a_file_of_refused_rows()
    assert traces(dump()) == [*CANARIES.values(), *TEXTS, "Canaria", "Vogelzang", "Europe/Paris"]
    entries = ConsentEntry.objects.filter(customer=canary).count()
    with django_capture_on_commit_callbacks(execute=True):
        done = erase(customer=canary, order=order(reason="Canaria asked"), now=NOW)
    assert send_due(SENDER, NOW) == 1
    assert [message.to for message in mail.outbox] == [[CANARIES["email"]]]
    assert all(n > 0 for table, n in done.plan.items() if table not in UNUSED)
    assert set(done.proof.values()) == {0}
    assert done.reason == "… asked"
    assert traces(dump()) == []
    assert traces(refused.read_text()) == []
    assert "'y' is no address" in refused.read_text()
    assert traces(stop_log.settings.STOP_LOG.read_text()) == []
    assert traces(caplog.text) == []
    canary.refresh_from_db()
    assert traces(as_json(person_document(canary, NOW))) == []
    # The ledger says that it ended, and still verifies.
    assert ConsentEntry.objects.filter(customer=canary).count() == entries + 1
    assert ConsentState.objects.get(customer=canary).state == State.WITHDRAWN
    assert verify_ledger(NOW).finding is None
    # Counts and answers stay, of nobody.
    assert Response.objects.get().customer is None
    assert refusals(f"reference,email\n{CANARIES['reference']},new@example.org\n") == [
        "the customer 'canary-ref-71' was erased, and an import does not bring anybody back; "
        "leave the row out"
    ]
    assert refusals(f"reference,email\nsomebody,{CANARIES['email'].upper()}\n")[0].endswith(
        "belonged to somebody who was erased, and an import does not bring anybody back; leave "
        "the row out"
    )
    assert Customer.objects.count() == 1


# What the maker of the canary has no row of: tested on their own below.
UNUSED = {
    *("customers.customermerge", "feedback.responseedit", "mailings.delivery", "admin.logentry"),
}


def refusals(text: str) -> list[str]:
    """Import a file of customers and return why rows were refused."""
    path = settings.VAR_DIR / "again.csv"
    path.write_text(text)
    importer = CustomerImporter(
        Options(zone=None, now=NOW), Mapping({"reference": "reference", "email": "email"}, {}, {})
    )
    reasons = []

    class Rejects:
        count = 0

        def write(self, line, field, reason, cells):
            reasons.append(reason)

    with CsvReader(path) as reader:
        run_import(reader, importer, Rejects())
    return reasons


def test_an_address_that_another_record_has_is_imported_as_before(canary):
    other = make_customer(reference="other", email=CANARIES["email"])
    erase(customer=canary, order=order(), now=NOW)
    assert refusals(f"reference,email\nother,{CANARIES['email']}\n") == []
    assert other.email == CANARIES["email"]


def test_erased_twice_is_erased_once(canary):
    first = erase(customer=canary, order=order(), now=NOW)
    again = erase(customer=canary, order=order(), now=NOW + timedelta(days=1))
    assert again == first
    assert Letter.objects.count() == 1
    assert Suppression.objects.count() == 1


def test_what_came_in_after_an_erasure_is_erased_too(canary):
    erase(customer=canary, order=order(), now=NOW)
    stored(a_purchase(customer=canary))
    again = erase(customer=canary, order=order(), now=NOW)
    assert again.plan["customers.purchase"] == 1
    assert again.proof["customers.purchase"] == 0
    assert Erasure.objects.count() == 2


def test_the_address_is_stopped_until_it_is_looked_at_again(canary, settings):
    settings.RETENTION_STOPS_DAYS = 100
    erase(customer=canary, order=order(), now=NOW)
    stopped = Suppression.objects.get(reason=SuppressionReason.ERASURE)
    assert stopped.address_hash in address_hashes(CANARIES["email"])
    assert stopped.review_at == NOW + timedelta(days=100)
    newcomer = make_customer(email=CANARIES["email"])
    record(newcomer, purpose=make_purpose(key="other"), address=newcomer.email)
    assert may_process(newcomer, "other", "email", NOW).reason == "suppressed"


def test_an_erased_customer_can_take_back_again_and_is_never_won_back(canary):
    erase(customer=canary, order=order(), now=NOW)
    canary.refresh_from_db()
    purpose = canary.consents.first().purpose
    for state in (State.WITHDRAWN, State.OBJECTED):
        entry = record(canary, purpose=purpose, state=state, address=CANARIES["email"])
        assert entry.state == state
    with pytest.raises(Erased):
        record_consent(customer=canary, act=an_act(purpose=purpose), now=NOW)
    assert verify_ledger(NOW).finding is None


def test_requests_that_were_open_are_done_with_it(canary):
    erase(customer=canary, order=order(by="7"), now=NOW)
    request = DataRequest.objects.get()
    assert (request.state, request.handled_by) == (RequestState.DONE, "7")
    assert (request.text, request.corrections, request.answer) == ("", {}, "erased")


def test_records_that_were_merged_into_it_are_erased_too(canary):
    absorbed = make_customer(reference="canary-second", email="canary2@example.org")
    stored(a_purchase(customer=absorbed))
    CustomerMerge.objects.create(
        survivor=canary, absorbed=absorbed, reason="Canaria twice", merged_by="7", merged_at=NOW
    )
    erase(customer=canary, order=order(), now=NOW)
    absorbed.refresh_from_db()
    assert (absorbed.email, absorbed.purchases.count()) == ("", 0)
    assert send_due(SENDER, NOW) == 2
    assert "canary" not in dump().casefold()
    assert CustomerMerge.objects.get().reason == "erased"


def test_nobody_else_loses_anything(canary):
    other = make_customer(reference="other", email="other@example.org", name="Other")
    stored(a_purchase(customer=other))
    record(other, purpose=canary.consents.get().purpose, address=other.email, evidence="theirs")
    submit_response(an_answer(customer=other, comment="theirs"))
    before = plan(other)
    erase(customer=canary, order=order(), now=NOW)
    assert plan(other) == before
    assert may_process(other, "tips", "email", NOW).allowed


def test_every_table_that_points_to_a_customer_is_in_the_plan_or_kept_for_a_reason():
    pointing = {
        relation.related_model._meta.label_lower
        for relation in Customer._meta.get_fields()
        if relation.one_to_many or relation.one_to_one
        if isinstance(relation, models.ForeignObjectRel)
    }
    planned = {name for name in plan(make_customer()) if "." in name}
    assert pointing - planned == set(of_customers.KEPT)
    assert planned - pointing == {
        "customers.customer",
        "customers.evidence",
        "feedback.responseedit",
        "admin.logentry",
    }
    names = {model._meta.label_lower for model in apps.get_models()}
    assert planned | set(of_customers.KEPT) <= names


def test_the_page_on_privacy_names_every_table_of_the_plan():
    text = (settings.BASE_DIR / "docs" / "privacy.md").read_text()
    wanted = {*plan(make_customer()), *of_customers.KEPT}
    assert [name for name in sorted(wanted) if f"| `{name}` |" not in text] == []


def test_names_are_taken_out_of_a_reason():
    assert (
        without("Noor de Vries (NOOR@x.nl) called", ["Noor de Vries", "noor@x.nl"])
        == "… (…) called"
    )
    assert without("as de rule says", ["Noor de Vries"]) == "as de rule says"


def test_a_customer_without_an_address_gets_no_letter():
    person = make_customer(reference="plain")
    erase(customer=person, order=order(), now=NOW)
    assert Letter.objects.count() == 0
    assert Suppression.objects.count() == 0


# -- A backup is put back -------------------------------------------------------------------------


def test_case_19_a_backup_from_before_an_erasure_is_erased_again_before_any_job_may_send(
    canary, django_capture_on_commit_callbacks
):
    other = make_customer(reference="taker", email="taker@example.org")
    purpose = canary.consents.get().purpose
    record(other, purpose=purpose, address=other.email)
    queue_letter(kind=LetterKind.OPEN, customer=canary, now=NOW)
    before = snapshot()
    later = NOW + timedelta(hours=1)
    with django_capture_on_commit_callbacks(execute=True):
        erase(customer=canary, order=order(), now=later)
        record_consent(
            customer=other,
            act=an_act(purpose=purpose, state=State.WITHDRAWN, address=other.email),
            now=later,
        )
    put_back(before)
    assert traces(dump()) != []
    assert may_process(Customer.objects.get(pk=other.pk), "tips", "email", later).allowed
    with django_capture_on_commit_callbacks(execute=True):
        done = replay_stops(later)
    assert (done.erased, done.stopped, done.damaged) == (1, 2, [])
    assert traces(dump()) == []
    assert send_due(SENDER, later) == 0
    assert mail.outbox == []
    assert (
        may_process(Customer.objects.get(pk=other.pk), "tips", "email", later).reason == "withdrawn"
    )
    assert Suppression.objects.get().reason == SuppressionReason.ERASURE
    assert Erasure.objects.get().replayed
    with django_capture_on_commit_callbacks(execute=True):
        again = replay_stops(later)
    assert again.changed == 0


def snapshot() -> dict:
    """All rows about customers, as a backup has them."""
    return {model: list(model.objects.order_by("pk").values()) for model in _tables()}


def _tables() -> list:
    names = ("Customer", "Purchase", "ConsentEntry", "Evidence", "ConsentState", "Suppression")
    more = (
        "MailedLink",
        "Letter",
        "DataRequest",
        "Erasure",
        "AccessLog",
        "Decision",
        "Contact",
        "ContactHold",
    )
    tables = [apps.get_model("customers", name) for name in (*names, *more)]
    return [*tables, apps.get_model("feedback", "Invitation"), Response]


def put_back(before: dict) -> None:
    """Put the rows of a backup in the place of those that are there."""
    from customers import triggers

    triggers.remove(connection)
    with connection.constraint_checks_disabled():
        for model in reversed(list(before)):
            model.objects.all()._raw_delete("default")
        for model, rows in before.items():
            model.objects.bulk_create(Raw(model, rows))
    triggers.install(connection)


def Raw(model, rows) -> list:
    """The rows as they were, past what models fill in."""
    return [model(**row) for row in rows]


# -- Commands -------------------------------------------------------------------------------------


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_the_command_prints_plan_and_proof(canary):
    document = json.loads(
        printed("erase_customer", CANARIES["reference"], "--reason", "asked", "--json")
    )
    assert document["plan"]["customers.purchase"] == 1
    assert set(document["proof"].values()) == {0}
    again = json.loads(
        printed("erase_customer", CANARIES["reference"], "--reason", "asked", "--json")
    )
    assert again == document


def test_the_command_exports_and_writes_that_down(canary):
    document = json.loads(printed("export_customer", CANARIES["reference"], "--json"))
    assert document["who"]["email"] == CANARIES["email"]
    assert canary.views.filter(kind=AccessKind.EXPORT).count() == 1
    assert "canary comment" in printed("export_customer", CANARIES["reference"])


@pytest.mark.parametrize("command", [["export_customer"], ["erase_customer", "--reason", "asked"]])
def test_a_reference_that_nobody_knows_is_refused(command):
    name, *options = command
    with pytest.raises(CommandError, match="'nobody' is not a known customer") as error:
        call_command(name, "nobody", *options)
    assert error.value.returncode == 1


def test_an_erasure_without_a_reason_is_wrong_use(canary):
    with pytest.raises(CommandError) as error:
        call_command("erase_customer", CANARIES["reference"], "--reason", " ")
    assert error.value.returncode == 2


def test_who_was_erased_is_found_by_the_reference_under_an_older_key_too(canary, settings):
    erase(customer=canary, order=order(), now=NOW)
    settings.ADDRESS_KEYS = ["newer", *settings.ADDRESS_KEYS]
    found = customers_by_reference([CANARIES["reference"], "nobody"])
    assert list(found) == [CANARIES["reference"]]
    assert found[CANARIES["reference"]].pk == canary.pk
    assert canary.consents.last().actor == Actor.SYSTEM
