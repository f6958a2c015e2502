"""Drafts: saved, judged, published and gone; what was published stays as it was."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.drafts import (
    DraftChanged,
    NothingToAsk,
    Written,
    drop_draft,
    judge,
    publish_draft,
    save_draft,
    written_of,
)
from customers.models import Change, Purpose, Wording, WordingDraft
from customers.publishing import NotEditorial, Promise, Unfit
from customers.queries import may_process
from customers.verification import verify_ledger
from tests.customers.test_publishing import DUTCH, ENGLISH
from tests.makers import NOW, make_customer, make_purpose, record

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)
KIM = "kim@example.org"


TWICE_A_MONTH = Promise(2, 30)


def written(change: Change = Change.EDITORIAL, promise=TWICE_A_MONTH, **dutch) -> Written:
    texts = {"nl": replace(DUTCH, **dutch), "en": ENGLISH}
    return Written(texts=texts, promise=promise, change=change)


def published(purpose: Purpose, what: Written | None = None, now=NOW) -> list[Wording]:
    draft = save_draft(purpose=purpose, written=what or written(), by=KIM, now=now)
    return publish_draft(purpose=purpose, seen=draft.updated_at, by=KIM, now=now)


@pytest.fixture
def tips() -> Purpose:
    return make_purpose(key="tips")


def test_a_draft_may_be_unfinished_and_comes_back_as_it_was_written(tips):
    half = written(label="", promise=None)
    draft = save_draft(purpose=tips, written=half, by=KIM, now=NOW)
    draft.full_clean()
    assert written_of(WordingDraft.objects.get(purpose=tips)) == half
    save_draft(purpose=tips, written=written(), by="bo@example.org", now=LATER)
    stored = WordingDraft.objects.get(purpose=tips)
    assert written_of(stored) == written()
    assert (stored.updated_by, stored.updated_at) == ("bo@example.org", LATER)
    assert not Wording.objects.exists()


def test_a_published_draft_is_gone_and_names_who_published(tips):
    rows = published(tips)
    assert [(row.version, row.language, row.approved_by) for row in rows] == [
        (1, "nl", KIM),
        (1, "en", KIM),
    ]
    assert not WordingDraft.objects.exists()
    assert drop_draft(purpose=tips) is False


def test_a_dropped_draft_leaves_what_is_published(tips):
    published(tips)
    save_draft(purpose=tips, written=written(), by=KIM, now=LATER)
    assert drop_draft(purpose=tips) is True
    assert Wording.objects.count() == 2


def test_what_was_not_seen_is_not_published(tips):
    seen = save_draft(purpose=tips, written=written(), by=KIM, now=NOW).updated_at
    save_draft(purpose=tips, written=written(helper="Hooguit 2 keer."), by=KIM, now=LATER)
    with pytest.raises(DraftChanged, match="Look at it again"):
        publish_draft(purpose=tips, seen=seen, by=KIM, now=LATER)
    assert not Wording.objects.exists()
    assert publish_draft(purpose=tips, seen=LATER, by=KIM, now=LATER)
    with pytest.raises(DraftChanged):
        publish_draft(purpose=tips, seen=LATER, by=KIM, now=LATER)


def test_what_the_gate_refuses_stays_a_draft(tips):
    draft = save_draft(purpose=tips, written=written(label="Mis niets"), by=KIM, now=NOW)
    with pytest.raises(Unfit):
        publish_draft(purpose=tips, seen=draft.updated_at, by=KIM, now=NOW)
    assert WordingDraft.objects.exists()
    assert not Wording.objects.exists()


@pytest.mark.parametrize("given", [{"kind": "service"}, {"archived_at": NOW}])
def test_nothing_is_written_where_nothing_is_asked(given):
    purpose = make_purpose(**given)
    with pytest.raises(NothingToAsk, match=purpose.key):
        save_draft(purpose=purpose, written=written(), by=KIM, now=NOW)
    with pytest.raises(NothingToAsk):
        publish_draft(purpose=purpose, seen=NOW, by=KIM, now=NOW)


def test_the_verdict_tells_the_languages_apart(tips):
    verdict = judge(tips, written(label="Mis niets van Lindehuis"))
    found = {language: [one.code for one in faults] for language, faults in verdict.faults.items()}
    assert found == {"nl": ["no_yes", "pressure"], "en": []}
    assert not verdict.passes
    assert judge(tips, written()).passes


def test_the_verdict_tells_a_change_of_deeds(tips):
    published(tips)
    refused = judge(tips, written(data_types="alles")).not_editorial
    assert (refused.field, refused.before, refused.after, refused.language) == (
        "data_types",
        "e-mailadres",
        "alles",
        "nl",
    )
    assert judge(tips, written(Change.MATERIAL, data_types="alles")).passes
    more = judge(tips, written(promise=Promise(2, 7))).not_editorial
    assert (more.field, more.before, more.after) == ("promise", Promise(2, 30), Promise(2, 7))


def test_case_20_a_material_change_ends_earlier_permissions_and_an_editorial_one_none(tips):
    noor, kim = make_customer(email="noor@example.org"), make_customer(email=KIM)
    (shown, _) = published(tips)
    record(noor, purpose=tips, wording=shown, address=noor.email)

    published(tips, written(details="Tips over wonen."), now=LATER)
    assert may_process(noor, "tips", "email", LATER).allowed

    # What is done cannot hide behind words.
    draft = save_draft(purpose=tips, written=written(recipients="Post BV"), by=KIM, now=LATER)
    with pytest.raises(NotEditorial):
        publish_draft(purpose=tips, seen=draft.updated_at, by=KIM, now=LATER)
    assert may_process(noor, "tips", "email", LATER).allowed

    (now_shown, _) = published(tips, written(Change.MATERIAL, recipients="Post BV"), now=LATER)
    answer = may_process(noor, "tips", "email", LATER)
    assert (answer.allowed, answer.reason) == (False, "stale")
    # Whoever says yes to what is done now may be reached, and so may Noor after an act of her own.
    for who, state in ((kim, "given"), (noor, "renewed")):
        act = {"state": state, "wording": now_shown, "address": who.email, "occurred_at": LATER}
        record(who, purpose=tips, **act)
        assert may_process(who, "tips", "email", LATER).allowed


def test_no_number_of_drafts_changes_a_word_of_what_was_published(tips):
    """What a customer saw can be shown again after ten later edits."""
    first = [row.facts for row in published(tips)]
    for at in range(1, 11):
        later = NOW + timedelta(days=at)
        published(tips, written(details=f"Edit {at}"), now=later)
    stored = [row.facts for row in Wording.objects.filter(version=1).order_by("pk")]
    assert stored == first
    assert verify_ledger(NOW + timedelta(days=11)).finding is None
