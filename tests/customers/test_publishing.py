"""Publishing: versions, what makes earlier permissions stale, and what the gate stops."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.models import Wording
from customers.publishing import Edition, NotEditorial, Promise, Unfit, publish
from customers.queries import may_process
from customers.verification import verify_ledger
from customers.wordings import Texts
from tests.makers import NOW, make_customer, make_purpose, record

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)

DUTCH = Texts(
    label="Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
    helper="Hooguit 2 keer per maand. Stoppen kan altijd.",
    details="",
    controller="Lindehuis",
    data_types="e-mailadres",
    recipients="niemand",
    retention="zolang je klant bent",
    way_out="Onder elke mail staat Afmelden.",
)
ENGLISH = replace(
    DUTCH,
    label="Yes, Lindehuis may mail me tips and offers.",
    helper="At most 2 times a month. You can stop at any time.",
    way_out="Every mail has a link to stop.",
)


def an_edition(**given) -> Edition:
    usual = {
        "texts": {"nl": DUTCH, "en": ENGLISH},
        "promise": Promise(2, 30),
        "change": "material",
        "approved_by": "3",
    }
    return Edition(**usual | given)


@pytest.fixture
def tips():
    return make_purpose(key="tips")


def test_all_languages_are_published_together(tips):
    first = publish(purpose=tips, edition=an_edition(), now=NOW)
    assert [(row.version, row.language) for row in first] == [(1, "nl"), (1, "en")]
    assert first[0].label == DUTCH.label
    assert (first[0].promised_messages, first[0].promised_days) == (2, 30)
    assert first[0].scope_hash == first[1].scope_hash
    assert first[0].text_hash != first[1].text_hash
    again = publish(purpose=tips, edition=an_edition(), now=LATER)
    assert {row.version for row in again} == {2}
    assert verify_ledger(LATER).finding is None


def test_the_first_version_is_material_whatever_it_calls_itself(tips):
    first = publish(purpose=tips, edition=an_edition(change="editorial"), now=NOW)
    assert {row.change for row in first} == {"material"}


def test_other_words_keep_a_permission_and_other_deeds_end_it(tips):
    """Case 20."""
    noor = make_customer(email="noor@example.org")
    (shown, _) = publish(purpose=tips, edition=an_edition(), now=NOW)
    record(noor, purpose=tips, wording=shown)
    reworded = {"nl": replace(DUTCH, details="Wij sturen tips."), "en": ENGLISH}
    publish(purpose=tips, edition=an_edition(texts=reworded, change="editorial"), now=LATER)
    assert may_process(noor, "tips", "email", LATER).allowed
    publish(purpose=tips, edition=an_edition(), now=LATER)
    assert may_process(noor, "tips", "email", LATER).reason == "stale"


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Promise(2, 29), "2 messages in 29 days is more"),
        (Promise(24, 360), "24 messages in 360 days is more"),
        (None, "No promise"),
    ],
)
def test_a_larger_promise_is_no_change_of_words(tips, promise, words):
    publish(purpose=tips, edition=an_edition(), now=NOW)
    helper = "Hooguit 2 of 24 keer. Stoppen kan altijd."
    texts = {"nl": replace(DUTCH, helper=helper), "en": replace(ENGLISH, helper="At most 2 or 24.")}
    edition = an_edition(promise=promise, texts=texts, change="editorial")
    with pytest.raises(NotEditorial, match=words):
        publish(purpose=tips, edition=edition, now=LATER)
    assert Wording.objects.count() == 2
    publish(purpose=tips, edition=replace(edition, change="material"), now=LATER)
    assert Wording.objects.count() == 4


@pytest.mark.parametrize("name", ["controller", "data_types", "recipients", "retention"])
def test_another_deed_is_no_change_of_words(tips, name):
    """Who asks, what is used, who gets it and for how long are what people agreed to."""
    publish(purpose=tips, edition=an_edition(), now=NOW)
    changed = {
        language: replace(
            text,
            label=text.label.replace("Lindehuis", "Lindehuis Groep"),
            **{name: "Lindehuis Groep"},
        )
        for language, text in {"nl": DUTCH, "en": ENGLISH}.items()
    }
    with pytest.raises(NotEditorial, match=f"{name} was"):
        publish(purpose=tips, edition=an_edition(texts=changed, change="editorial"), now=LATER)
    publish(purpose=tips, edition=an_edition(texts=changed), now=LATER)


def test_a_smaller_promise_is_one(tips):
    publish(purpose=tips, edition=an_edition(), now=NOW)
    less = an_edition(promise=Promise(2, 60), change="editorial")
    assert len(publish(purpose=tips, edition=less, now=LATER)) == 2


def test_what_the_gate_refuses_is_not_published(tips):
    pushy = {"nl": replace(DUTCH, label="Mis niets van Lindehuis"), "en": ENGLISH}
    with pytest.raises(Unfit) as refused:
        publish(purpose=tips, edition=an_edition(texts=pushy), now=NOW)
    assert [fault.code for fault in refused.value.faults] == ["no_yes", "pressure"]
    with pytest.raises(Unfit, match="in both languages"):
        publish(purpose=tips, edition=an_edition(texts={"nl": DUTCH}), now=NOW)
    assert not Wording.objects.exists()
