"""Rows of permissions: a no always counts, a yes only from nothing and with its proof."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from customers import queries, services
from customers.addresses import address_hash
from customers.consent import Actor, Forbidden, Grade, Sale, State
from customers.consent_importer import ConsentImporter, lowered
from customers.csv_rows import CsvReader
from customers.imports import Options, Result, run_import
from customers.ledger import Unproven, record_consent
from customers.mapping import parse_mapping
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Evidence,
    Letter,
    Purpose,
    Suppression,
    SuppressionReason,
    Wording,
)
from customers.verification import verify_ledger
from tests.makers import NOW, an_act, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TEXT = "Ja, Lindehuis mag mij de nieuwsbrief mailen."
HEAD = "customer,purpose,channel,given_at,method,source,wording,state\n"
PROVEN = f'K1,tips,email,2026-03-02 10:00,checkbox,old webshop,"{TEXT}",given\n'
SALE = (
    "customer,purpose,channel,state,given_at,paid,same_entity,similar_products,informed,"
    "way_out_offered\n"
)


class Refusals(list):
    """Rejects in memory: (line, field, reason)."""

    def write(self, line: int, field: str, reason: str, _cells: Any) -> None:
        self.append((line, field, reason))


def import_text(text: str, **options: Any) -> tuple[Result, Refusals]:
    """Import a file with this text; its columns are named after the fields."""
    refusals = Refusals()
    reader = CsvReader(io.BytesIO(text.encode()))
    own = ConsentImporter
    mapping = parse_mapping((), (), (), own.fields, own.required, reader.headers)
    chosen = Options(**{"zone": AMSTERDAM, "now": NOW, **options})
    return run_import(reader, own(chosen, mapping), refusals), refusals


def counts(result: Result) -> dict[str, int]:
    """What was counted apart, without what did not happen."""
    return {note: rows for note, rows in result.notes.items() if rows}


def states() -> dict[tuple[str, str, str], str]:
    rows = ConsentState.objects.select_related("customer", "purpose")
    return {(row.customer.reference, row.purpose.key, row.channel): row.state for row in rows}


def may(customer: Customer, purpose: str = "tips", channel: str = "email") -> tuple[bool, str]:
    answer = queries.may_process(customer, purpose, channel, NOW)
    return answer.allowed, answer.reason


@pytest.fixture
def tips() -> Purpose:
    """A purpose with a text of its own, in use for a month."""
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose, published_at=NOW - timedelta(days=30))
    return purpose


@pytest.fixture
def noor() -> Customer:
    return make_customer(reference="K1", email="noor@example.org")


# -- A yes with its proof -------------------------------------------------------------------------


def test_a_row_with_date_method_source_and_text_becomes_a_permission_of_grade_c(tips, noor):
    result, refusals = import_text(HEAD + PROVEN, by="7")
    assert (refusals, counts(result)) == ([], {"mailable": 1})
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.actor, entry.actor_id, entry.grade) == ("given", "import", "7", "C")
    assert entry.occurred_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (entry.recorded_at, entry.method, entry.place) == (NOW, "checkbox", "old webshop")
    assert entry.address_hash == address_hash("noor@example.org")
    evidence = Evidence.objects.get().text
    assert evidence == (
        "A row of a file. state: given; on: 2026-03-02T09:00:00+00:00; method: checkbox; "
        f"source: old webshop; text: {TEXT}"
    )
    assert may(noor) == (True, "given")
    assert verify_ledger(NOW).finding is None


def test_the_exact_text_is_kept_as_proof_and_never_becomes_the_one_that_is_asked(tips, noor):
    ours = tips.wordings.get()
    import_text(HEAD + PROVEN, by="7")
    kept = ConsentEntry.objects.get().wording
    assert kept.is_imported
    assert (kept.version, kept.language, kept.label, kept.details) == (-1, "und", TEXT, TEXT)
    assert kept.approved_by == "import by 7"
    assert kept.published_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert kept.scope_hash == ours.scope_hash
    assert tips.wordings.order_by("-version").first() == ours


def test_a_text_longer_than_a_label_is_kept_in_full(tips, noor):
    text = TEXT + " En dat elke week." * 40
    import_text(HEAD + PROVEN.replace(TEXT, text))
    kept = ConsentEntry.objects.get().wording
    assert (kept.details, len(kept.label)) == (text, 200)


def test_one_text_is_kept_once_however_it_is_broken_and_accented(tips, noor):
    make_customer(reference="K2", email="jo@example.org")
    one = PROVEN.replace("nieuwsbrief", "cafénieuws")
    two = one.replace("K1", "K2").replace("é", "e\u0301").replace("Lindehuis mag", "Lindehuis  mag")
    result, _ = import_text(HEAD + one + two)
    assert counts(result) == {"mailable": 2}
    assert Wording.objects.filter(version__lt=0).count() == 1


def test_a_column_full_of_different_texts_holds_something_else(tips):
    rows = "".join(
        PROVEN.replace("K1", f"K{n}").replace("Lindehuis mag", f"Lindehuis mag mij, klant {n},")
        for n in range(60)
    )
    for n in range(60):
        make_customer(reference=f"K{n}", email=f"k{n}@example.org")
    result, refusals = import_text(HEAD + rows)
    assert (counts(result), result.rejected) == ({"mailable": 50}, 10)
    assert "more than 50 different texts" in refusals[0][2]
    assert Wording.objects.filter(version__lt=0).count() == 50


def test_our_own_text_is_recognised(tips, noor):
    ours = tips.wordings.get()
    at = f"{NOW - timedelta(days=10):%Y-%m-%d}"
    import_text(HEAD + f'K1,tips,email,{at},checkbox,till,"{ours.label}",\n')
    assert ConsentEntry.objects.get().wording == ours


def test_a_text_is_known_from_the_year_of_its_earliest_permission(tips):
    for number, year in enumerate((2026, 2025, 2026, 2025), 1):
        make_customer(reference=f"K{number}", email=f"k{number}@example.org")
        import_text(HEAD + PROVEN.replace("K1", f"K{number}").replace("2026", str(year)))
    since = Wording.objects.filter(version__lt=0).order_by("version").values_list("published_at")
    assert [at.year for (at,) in since] == [2025, 2026]
    assert all(
        entry.wording.published_at <= entry.occurred_at for entry in ConsentEntry.objects.all()
    )


def test_a_second_run_adds_nothing(tips, noor):
    text = HEAD + PROVEN + "K1,tips,phone,,,,,withdrawn\n"
    import_text(text)
    before = list(ConsentEntry.objects.values()), list(Wording.objects.values())
    result, refusals = import_text(text)
    assert (result.unchanged, refusals, counts(result)) == (2, [], {})
    assert (list(ConsentEntry.objects.values()), list(Wording.objects.values())) == before


def test_duplicate_rows_are_one_permission(tips, noor):
    result, _ = import_text(HEAD + PROVEN * 3)
    assert (result.created, result.unchanged, counts(result)) == (1, 2, {"mailable": 1})
    assert ConsentEntry.objects.count() == 1


# -- A yes without proof --------------------------------------------------------------------------


def test_case_14_a_file_without_proof_makes_nobody_mailable_not_even_to_confirm(tips):
    people = [make_customer(reference=f"K{n}", email=f"k{n}@example.org") for n in range(3)]
    rows = "".join(f"{one.reference},tips,email\n" for one in people)
    result, refusals = import_text("customer,purpose,channel\n" + rows)
    assert (result.unchanged, result.rejected, refusals) == (3, 0, [])
    assert counts(result) == {"without_proof": 3}
    assert result.because == {"without date, method, source, exact text": 3}
    assert not ConsentEntry.objects.exists()
    assert states() == {}
    assert not Letter.objects.exists()
    for one in people:
        assert may(one) == (False, "none")
        # A mail that asks to confirm stands on a tick of the customer's own; nobody else has one.
        for actor in (Actor.IMPORT, Actor.ADMIN, Actor.SYSTEM):
            asked = an_act(
                purpose=tips, address=one.email, state=State.PENDING, actor=actor, actor_id="7",
                evidence="a file",
            )  # fmt: skip
            with pytest.raises(Forbidden):
                record_consent(customer=one, act=asked, now=NOW)


@pytest.mark.parametrize("grade", [Grade.C, Grade.D])
def test_case_13_a_file_gives_nothing_without_evidence_and_the_attempt_is_logged(
    tips, noor, caplog, grade
):
    act = an_act(purpose=tips, actor=Actor.IMPORT, address=noor.email, grade=grade)
    with caplog.at_level(logging.WARNING), pytest.raises(Unproven, match="evidence in each row"):
        record_consent(customer=noor, act=act, now=NOW)
    assert f"customer {noor.pk}, purpose tips, given by import is not proven" in caplog.text
    assert "noor" not in caplog.text
    assert may(noor) == (False, "none")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(("2026-03-02 10:00", ""), "without date", id="no date"),
        pytest.param(("checkbox", ""), "without method", id="no method"),
        pytest.param(("old webshop", ""), "without source", id="no source"),
        pytest.param((TEXT, ""), "without exact text", id="no text"),
        pytest.param((TEXT, "nieuwsbrief v2"), "a word or two is no sentence", id="a name"),
        pytest.param(("checkbox", "pre-ticked box"), "the customer did nothing", id="pre-ticked"),
        pytest.param(("checkbox", "vooraf aangevinkt"), "did nothing", id="vooraf aangevinkt"),
        pytest.param(("2026-03-02", "2024-03-02"), "older than 730 days", id="run out"),
    ],
)
def test_what_proves_nothing_stays_nothing(tips, noor, change, why):
    result, refusals = import_text(HEAD + PROVEN.replace(*change))
    assert (refusals, counts(result)) == ([], {"without_proof": 1})
    [told] = result.because
    assert why in told
    assert not ConsentEntry.objects.exists()
    assert Wording.objects.count() == 1


def test_without_an_address_there_is_nothing_to_bind_to(tips):
    make_customer(reference="K1")
    result, _ = import_text(HEAD + PROVEN)
    assert counts(result) == {"without_proof": 1}
    assert "without an e-mail address" in next(iter(result.because))


def test_a_purpose_that_asks_for_better_proof_takes_none_from_files(tips, noor):
    Purpose.objects.filter(pk=tips.pk).update(minimum_grade="B")
    result, _ = import_text(HEAD + PROVEN)
    assert result.because == {"tips asks for better proof than a file can give": 1}


def test_a_purpose_without_a_text_of_its_own_takes_none(noor):
    make_purpose(key="tips")
    result, _ = import_text(HEAD + PROVEN)
    assert result.because == {"tips has no text of its own yet; publish one, then import again": 1}


def test_who_agreed_before_what_is_done_changed_did_not_agree_to_it(tips, noor):
    make_wording(purpose=tips, version=2, published_at=NOW - timedelta(days=5))
    result, _ = import_text(HEAD + PROVEN)
    assert result.because == {"older than the last change of what tips does": 1}
    at = f"{NOW - timedelta(days=2):%Y-%m-%d}"
    result, _ = import_text(HEAD + PROVEN.replace("2026-03-02", at))
    assert counts(result) == {"mailable": 1}
    assert may(noor) == (True, "given")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Ja, mail mij en stem af op mijn profiel.", "“profiel” belongs to another purpose"),
        ("Yes, mail me and share with your partners.", "“partners” belongs to another purpose"),
        ("Vink aan als je geen mail wilt ontvangen.", "says “geen”. A box that says no"),
        ("Do not send me the newsletter.", "says “not”. A box that says no"),
        ("Laatste kans: ja, mail mij de aanbiedingen.", "“laatste kans” pushes"),
    ],
)
def test_a_text_that_is_no_plain_yes_to_one_thing_is_refused(tips, noor, text, says):
    result, refusals = import_text(HEAD + PROVEN.replace(TEXT, text))
    assert result.rejected == 1
    [(line, field, reason)] = refusals
    assert (line, field) == (2, "wording")
    assert says in reason
    assert (ConsentEntry.objects.count(), Wording.objects.count()) == (0, 1)


def test_personal_content_does_not_ride_on_a_text_about_mail(noor):
    purpose = make_purpose(key="personal", kind="profiling")
    make_wording(purpose=purpose)
    _, refusals = import_text(HEAD + PROVEN.replace("tips", "personal"))
    assert "says nothing of what this purpose does (profiling)" in refusals[0][2]
    own = "Ja, stem de tips af op wat ik koop en bekijk."
    result, _ = import_text(HEAD + PROVEN.replace("tips", "personal").replace(TEXT, own))
    assert counts(result) == {"mailable": 1}


# -- Sales ----------------------------------------------------------------------------------------


def test_case_22_a_sale_stands_in_for_a_yes_by_mail_only_with_all_five_facts(tips, noor):
    for missing in range(5):
        facts = ["yes", "ja", "1", "true", "Y"]
        facts[missing] = "nee" if missing % 2 else ""
        result, refusals = import_text(SALE + f"K1,tips,email,soft,2026-03-02,{','.join(facts)}\n")
        assert (refusals, counts(result)) == ([], {"without_proof": 1})
        assert may(noor) == (False, "none")
    result, _ = import_text(SALE + "K1,tips,email,soft,2026-03-02,yes,ja,1,true,Y\n")
    assert counts(result) == {"soft": 1}
    assert may(noor) == (True, "soft")
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.grade, entry.wording) == ("soft", "C", None)
    assert "paid, to the same legal entity, for similar products" in Evidence.objects.get().text


@pytest.mark.parametrize(
    ("organisation", "on", "goes_in"),
    [
        ("company", datetime(2026, 6, 30, 12, tzinfo=UTC), True),
        ("company", datetime(2026, 6, 30, 22, 30, tzinfo=UTC), False),
        ("company", NOW, False),
        ("charity", NOW, True),
    ],
)
def test_case_22_a_sale_is_no_yes_by_phone_for_a_company_since_july_2026(
    settings, noor, organisation, on, goes_in
):
    settings.ORGANISATION_KIND = organisation
    purpose = make_purpose(key="tips", channels=["email", "phone", "sms"])
    row = SALE + "K1,tips,phone,soft,2026-03-02,yes,yes,yes,yes,yes\n"
    result, refusals = import_text(row, now=on)
    if goes_in:
        assert counts(result) == {"soft": 1}
        return
    assert refusals[0][:2] == (2, "channel")
    assert "by phone it ended on 1 July 2026" in refusals[0][2]
    sale = Sale(True, True, True, True, True)
    act = an_act(
        purpose=purpose, channel="phone", state=State.SOFT, actor=Actor.IMPORT, sale=sale,
        address=noor.email, evidence="a sale", grade=Grade.C, occurred_at=on,
    )  # fmt: skip
    with pytest.raises(Unproven, match="does not stand in for a yes by phone"):
        record_consent(customer=noor, act=act, now=on)
    assert not ConsentEntry.objects.exists()


def test_a_sale_by_text_message_is_refused(noor):
    make_purpose(key="tips", channels=["email", "sms"])
    _, refusals = import_text(SALE + "K1,tips,sms,soft,2026-03-02,yes,yes,yes,yes,yes\n")
    assert refusals[0][:2] == (2, "channel")


@pytest.mark.parametrize("kind", ["profiling", "survey", "sharing", "tracking"])
def test_a_sale_stands_in_for_nothing_but_marketing(noor, kind):
    make_purpose(key="tips", kind=kind)
    _, refusals = import_text(SALE + "K1,tips,email,soft,2026-03-02,yes,yes,yes,yes,yes\n")
    assert refusals[0][:2] == (2, "purpose")
    assert not ConsentEntry.objects.exists()


# -- A no that stands -----------------------------------------------------------------------------

NOES = [State.REFUSED, State.WITHDRAWN, State.OBJECTED]


@pytest.mark.parametrize("state", NOES)
@pytest.mark.parametrize("proof", ["with proof", "bare"])
def test_case_15_a_no_that_stands_is_not_undone_by_a_file(tips, noor, state, proof, caplog):
    record(noor, purpose=tips, state=state)
    if state is State.OBJECTED:
        Suppression.objects.all().delete()
    row = PROVEN.replace("given\n", "subscribed\n")
    bare = "K1,tips,email,,,,,subscribed\n"
    with caplog.at_level(logging.WARNING):
        result, refusals = import_text(HEAD + (row if proof == "with proof" else bare))
    assert (result.rejected, counts(result)) == (1, {"conflicts": 1})
    [(line, field, reason)] = refusals
    assert (line, field) == (2, "state")
    assert f"on {NOW:%Y-%m-%d}; a file cannot undo that. Only the customer can" in reason
    assert "Refused in an import" in caplog.text
    assert "noor" not in caplog.text
    assert states() == {("K1", "tips", "email"): state}
    assert may(noor)[0] is False


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ([State.SHOWN], "was asked on 2026-11-24 and has not said yes"),
        ([State.PENDING], "has not confirmed yet"),
        ([State.GIVEN, State.EXPIRED], "the permission ran out"),
        ([State.GIVEN, State.STALE], "what is done changed"),
        ([State.GIVEN, State.INVALIDATED], "was declared invalid"),
    ],
)
def test_a_file_gives_only_from_nothing(tips, noor, path, says):
    actors = {
        State.EXPIRED: Actor.SYSTEM,
        State.STALE: Actor.SYSTEM,
        State.INVALIDATED: Actor.ADMIN,
    }
    for state in path:
        actor = actors.get(state, Actor.CUSTOMER)
        record(noor, purpose=tips, state=state, actor=actor, actor_id="7", evidence="e")
    result, refusals = import_text(HEAD + PROVEN)
    assert counts(result) == {"conflicts": 1}
    assert says in refusals[0][2]
    assert states() == {("K1", "tips", "email"): path[-1]}


@pytest.mark.parametrize("reason", SuppressionReason.values)
def test_a_stopped_address_is_not_won_back(tips, noor, reason):
    Suppression.objects.create(
        address_hash=address_hash("NOOR@example.org"), reason=reason, created_at=NOW
    )
    result, refusals = import_text(HEAD + PROVEN)
    assert counts(result) == {"conflicts": 1}
    assert "the address must not be written to" in refusals[0][2]
    assert not ConsentEntry.objects.exists()


@pytest.mark.parametrize(
    ("stopped", "imported"),
    [
        pytest.param("jos\u00e9@example.org", "jose\u0301@example.org", id="é in two signs"),
        pytest.param("jose\u0301@example.org", "JOS\u00c9@Example.org", id="capitals"),
        pytest.param("jo@b\u00fccher.example", "jo@xn--bcher-kva.example", id="domain in ASCII"),
        pytest.param("jo@xn--bcher-kva.example", "jo@BU\u0308CHER.example", id="and back"),
        pytest.param("jo@example.org", "jo@\uff45xample.org", id="wide letters"),
    ],
)
def test_an_address_is_the_same_in_every_unicode_form(tips, stopped, imported):
    Suppression.objects.create(address_hash=address_hash(stopped), reason="erasure", created_at=NOW)
    make_customer(reference="K1", email=imported)
    result, _ = import_text(HEAD + PROVEN)
    assert counts(result) == {"conflicts": 1}


def test_who_comes_back_under_another_number_is_still_who_said_no(tips, noor):
    record(noor, purpose=tips, state=State.WITHDRAWN)
    make_customer(reference="K2", email="Noor@Example.org")
    result, refusals = import_text(HEAD + PROVEN.replace("K1", "K2"))
    assert counts(result) == {"conflicts": 1}
    assert "another record has this address, and there the customer took this" in refusals[0][2]


def test_who_objected_to_one_kind_of_marketing_is_not_won_for_another(tips):
    noor = make_customer(reference="K1")
    other = make_purpose(key="other")
    record(noor, purpose=other, state=State.OBJECTED, address="")
    Customer.objects.update(email="noor@example.org")
    assert not Suppression.objects.exists()
    result, refusals = import_text(HEAD + PROVEN)
    assert counts(result) == {"conflicts": 1}
    assert "objected to marketing" in refusals[0][2]


def test_nothing_is_done_with_the_data_of_who_asked_for_that(tips):
    make_customer(reference="K1", email="noor@example.org", restricted_at=NOW)
    result, _ = import_text(HEAD + PROVEN)
    assert counts(result) == {"conflicts": 1}


def test_an_erased_customer_stays_erased(tips):
    make_customer(reference="K1", erased_at=NOW)
    result, refusals = import_text(HEAD + PROVEN)
    assert (result.rejected, counts(result)) == (1, {})
    assert "was erased, and an import does not bring anybody back" in refusals[0][2]


def test_an_own_yes_is_left_as_it_is(tips, noor):
    entry = record(noor, purpose=tips)
    result, _ = import_text(HEAD + PROVEN + SALE.replace(SALE, ""))
    assert (result.unchanged, counts(result)) == (1, {})
    assert ConsentState.objects.get().entry == entry


# -- A no in a file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("refused", "refused"),
        ("Geweigerd", "refused"),
        ("withdrawn", "withdrawn"),
        ("Unsubscribed", "withdrawn"),
        ("OPT OUT", "withdrawn"),
        ("afgemeld", "withdrawn"),
        ("objected", "objected"),
        ("bezwaar gemaakt", "objected"),
    ],
)
def test_a_no_goes_in_whatever_else_is_missing(tips, noor, word, state):
    result, refusals = import_text(HEAD + f"K1,tips,email,,,,,{word}\n")
    assert (refusals, counts(result), result.created) == ([], {"lowered": 1}, 1)
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.actor, entry.occurred_at) == (state, "import", NOW)
    assert may(noor)[0] is False


def test_a_no_takes_back_a_yes_even_one_of_a_later_day(tips, noor):
    record(noor, purpose=tips)
    result, _ = import_text(HEAD + "K1,tips,email,2025-05-01,phone,desk,,withdrawn\n")
    assert (result.updated, counts(result)) == (1, {"lowered": 1})
    assert states() == {("K1", "tips", "email"): "withdrawn"}


@pytest.mark.parametrize("at", ["31-31-2026", "gisteren", "2027-01-01", "01/02/2026"])
def test_a_no_without_a_readable_past_date_is_a_no_of_now(tips, noor, at):
    long = "x" * 300
    result, _ = import_text(HEAD + f"K1,tips,email,{at},{long},{long},,withdrawn\n")
    assert counts(result) == {"lowered": 1}
    entry = ConsentEntry.objects.get()
    assert (entry.occurred_at, len(entry.method), len(entry.place)) == (NOW, 40, 100)


def test_an_objection_stops_the_address_and_all_other_marketing(tips, noor):
    other = make_purpose(key="other")
    record(noor, purpose=other)
    rows = "K1,tips,email,,,,,objected\nK1,other,email,,,,,withdrawn\n"
    result, refusals = import_text(HEAD + rows)
    assert (refusals, counts(result), result.unchanged) == ([], {"lowered": 1}, 1)
    assert set(states().values()) == {"objected"}
    assert Suppression.objects.get().address_hash == address_hash("noor@example.org")


def test_other_records_with_the_address_lose_the_same(tips, noor):
    twin = make_customer(reference="K2", email="Noor@example.org")
    record(twin, purpose=tips, address=twin.email)
    import_text(HEAD + "K1,tips,email,,,,,unsubscribed\n")
    assert states() == {("K1", "tips", "email"): "withdrawn", ("K2", "tips", "email"): "withdrawn"}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("state", ["refused", "withdrawn", "objected"])
def test_of_two_rows_that_contradict_each_other_the_no_wins(tips, noor, order, state):
    rows = [PROVEN, f"K1,tips,email,2026-01-01,,,,{state}\n"][::order]
    result, _ = import_text(HEAD + "".join(rows))
    assert counts(result) == {"lowered": 1, "conflicts": 1}
    assert states() == {("K1", "tips", "email"): state}
    assert ConsentEntry.objects.count() == 1


def test_a_no_far_below_a_yes_of_the_same_file_wins_too(tips, noor):
    others = "".join(f"X{n},tips,email,,,,,\n" for n in range(120))
    import_text(HEAD + PROVEN + others + "K1,tips,email,,,,,unsubscribed\n")
    assert states() == {("K1", "tips", "email"): "withdrawn"}


def test_an_old_no_that_was_imported_does_not_undo_a_later_yes_of_the_customer(tips, noor):
    row = HEAD + "K1,tips,email,2025-05-01,,,,withdrawn\n"
    import_text(row)
    record(noor, purpose=tips)
    result, _ = import_text(row)
    assert (result.unchanged, counts(result)) == (1, {})
    assert may(noor) == (True, "given")


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("asked", NOES)
def test_a_no_never_makes_less_of_a_no(before, asked):
    after = lowered(before, asked)
    strict = [State.REFUSED, State.INVALIDATED, State.WITHDRAWN, State.OBJECTED]
    assert after is None or after in strict
    if before in strict:
        assert after is None or strict.index(after) > strict.index(before)


# -- Rows that cannot be meant --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (("K1", ""), "customer", "customer is empty"),
        (("K1", "K9"), "customer", "'K9' is not a known customer"),
        (("tips", "tipz"), "purpose", "'tipz' is not a purpose here; the purposes are"),
        (("tips", "service"), "purpose", "service belongs to orders and needs no permission"),
        (("email", "pigeon"), "channel", "'pigeon' is not one of email"),
        (("email", "sms"), "channel", "tips is not asked by sms, only by email"),
        (("2026-03-02 10:00", "2027-01-01"), "given_at", "2027-01-01 is in the future"),
        (("2026-03-02 10:00", "03/02/2026"), "given_at", "as day/month and as month/day"),
        (("given\n", "1\n"), "state", "correct it or give --recode, such as --recode state:1="),
        (("checkbox", "x" * 41), "method", "at most 40 fit"),
        (("old webshop", "x" * 101), "source", "at most 100 fit"),
        ((TEXT, "x " * 3_000), "wording", "at most 5,000 fit"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_with_its_field(tips, noor, change, field, says):
    result, refusals = import_text(HEAD + PROVEN.replace(*change))
    assert (result.rejected, counts(result)) == (1, {})
    [(line, about, reason)] = refusals
    assert (line, about) == (2, field)
    assert says in reason
    assert not ConsentEntry.objects.exists()


def test_an_archived_purpose_takes_a_no_and_no_yes(tips, noor):
    Purpose.objects.filter(pk=tips.pk).update(archived_at=NOW)
    _, refusals = import_text(HEAD + PROVEN)
    assert "tips is archived" in refusals[0][2]
    result, _ = import_text(HEAD + "K1,tips,email,,,,,withdrawn\n")
    assert counts(result) == {"lowered": 1}


def test_a_customer_is_made_only_when_it_may_be(tips):
    row = HEAD + "K9,tips,email,,,,,withdrawn\n"
    assert import_text(row)[0].rejected == 1
    result, _ = import_text(row, create_missing=True)
    assert counts(result) == {"lowered": 1}
    assert states() == {("K9", "tips", "email"): "withdrawn"}


# -- Before anything is written -------------------------------------------------------------------


def test_a_dry_run_counts_what_the_real_one_does_and_writes_nothing(tips, noor):
    for number in range(2, 9):
        make_customer(reference=f"K{number}", email=f"k{number}@example.org")
    record(Customer.objects.get(reference="K2"), purpose=tips, state=State.WITHDRAWN)
    other = make_purpose(key="other")
    make_wording(purpose=other)
    rows = (
        PROVEN * 2
        + PROVEN.replace("K1", "K2")
        + PROVEN.replace("K1", "K3")
        + "K3,tips,email,,,,,unsubscribed\n"
        + "K4,tips,email,,,,,\n" * 60
        + "K5,tips,email,,,,,objected\n"
        + PROVEN.replace("K1", "K5").replace("tips", "other")
        + PROVEN.replace("K1", "K6")
        + "K6,tips,email,,,,,refused\n"
        + "Q1,tips,email,,,,,refused\n"
    )
    tables = (ConsentEntry, ConsentState, Suppression, Wording, Evidence, Customer)
    before = [model.objects.count() for model in tables]
    tried, would = import_text(HEAD + rows, dry_run=True, create_missing=True)
    assert [model.objects.count() for model in tables] == before
    done, refusals = import_text(HEAD + rows, create_missing=True)
    assert tried == done
    assert would == refusals
    assert done.notes == {
        "mailable": 1, "soft": 0, "without_proof": 60, "lowered": 4, "conflicts": 4,
    }  # fmt: skip
    assert verify_ledger(NOW).finding is None


def test_every_line_says_when_it_was_written_and_not_when_the_import_began(tips, noor):
    later = NOW + timedelta(hours=3)
    import_text(HEAD + PROVEN, clock=lambda: later)
    assert ConsentEntry.objects.get().recorded_at == later


def test_a_large_file_is_read_in_a_stream_of_small_batches(tips, django_assert_num_queries):
    rows = "".join(f"K{n},tips,email,2026-01-01,box,shop,,\n" for n in range(1_000))
    services.ensure_customers({f"K{n}": NOW for n in range(1_000)})
    # 20 batches of 50 rows, each a few queries whatever its rows: customers, texts, states.
    with django_assert_num_queries(20 * 9):
        result, _ = import_text(HEAD + rows)
    assert counts(result) == {"without_proof": 1_000}


# -- The command ----------------------------------------------------------------------------------


def command(tmp_path, text: str, *arguments: str) -> str:
    path, out = tmp_path / "consents.csv", io.StringIO()
    path.write_text(text)
    rejects = f"--rejects={tmp_path / 'rejects.csv'}"
    call_command(
        "import_consents", str(path), rejects, *arguments, stdout=out, stderr=io.StringIO()
    )
    return out.getvalue()


def test_the_command_counts_apart_what_became_of_the_rows(tips, noor, tmp_path):
    text = HEAD + PROVEN + "K1,tips,phone,,,,,\nK1,tips,sms,,,,,afgemeld\nK9,tips,email,,,,,\n"
    document = json.loads(command(tmp_path, text, "--json"))
    assert document.pop("rejects").endswith("rejects.csv")
    assert document == {
        "read": 4, "created": 2, "updated": 0, "unchanged": 0, "rejected": 2,
        "mailable": 1, "soft": 0, "without_proof": 0, "lowered": 1, "conflicts": 0,
        "because": {},
    }  # fmt: skip


def test_the_command_says_it_in_words_and_stores_nothing_when_dry(tips, noor, tmp_path):
    told = command(tmp_path, HEAD + PROVEN + "K1,tips,email,,,,,\n", "--dry-run")
    assert "2 rows read: 1 would be created, 0 would be updated, 1 unchanged, 0 rejected" in told
    assert "  mailable: 1\n" in told
    assert not ConsentEntry.objects.exists()
    told = command(tmp_path, "customer,purpose,channel\nK1,tips,email\n")
    assert "  without proof: 1\n" in told
    assert "    1 without date, method, source, exact text\n" in told


def test_words_of_the_file_are_recoded(tips, noor, tmp_path):
    text = HEAD.replace("state", "status") + PROVEN.replace("given\n", "1\n")
    document = json.loads(
        command(tmp_path, text, "--map=state=status", "--recode=state:1=given", "--json")
    )
    assert document["mailable"] == 1


def test_a_file_without_channels_says_what_is_missing(tmp_path):
    with pytest.raises(CommandError, match="channel is required and no column fills it"):
        command(tmp_path, "customer,purpose\nK1,tips\n")


def test_an_objection_in_a_file_takes_all_marketing_from_other_records_with_the_address(tips, noor):
    offers = make_purpose(key="offers")
    twin = make_customer(reference="K2", email=noor.email)
    record(twin, purpose=tips, address=noor.email)
    record(twin, purpose=offers, address=noor.email)
    import_text("customer,purpose,channel,state\nK1,tips,email,objected\n")
    assert {one.state for one in ConsentState.objects.filter(customer=twin)} == {"withdrawn"}


@pytest.mark.parametrize("said", ["given", "withdrawn"])
def test_the_ledger_keeps_no_address_that_a_file_has_in_its_source(tips, noor, said):
    row = (
        f'K1,tips,email,2026-03-02 10:00,noor@example.org,"mail, noor@example.org","{TEXT}",{said}'
    )
    import_text(f"{HEAD}{row}\n")
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.place, entry.method) == (said, "", "import")
    assert "noor@example.org" in Evidence.objects.get().text
