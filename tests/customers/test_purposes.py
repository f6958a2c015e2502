"""Purposes: made, changed within bounds, archived and never deleted."""

from datetime import timedelta

import pytest

from customers.models import ConsentForm, Purpose, PurposeKind
from customers.publishing import publish
from customers.purposes import (
    PurposeError,
    PurposeFacts,
    add_purpose,
    archive_purpose,
    change_purpose,
    current_texts,
    permissions_in_force,
    purpose_list,
    unarchive_purpose,
)
from customers.queries import may_process
from tests.customers.test_publishing import an_edition
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def facts(**given) -> PurposeFacts:
    usual = {"name_nl": "Tips", "name_en": "Tips", "kind": "marketing", "channels": ["email"]}
    return PurposeFacts(**usual | given)


def asked_by_a_form(purpose: Purpose) -> ConsentForm:
    return ConsentForm.objects.create(key="ask-1", name="Order", first=purpose, created_at=NOW)


def test_a_purpose_is_made_with_its_channels_in_a_fixed_order():
    made = add_purpose(key="tips", facts=facts(channels=["sms", "email"], valid_days=365))
    made.full_clean()
    assert (made.channels, made.valid_days, made.minimum_grade) == (["email", "sms"], 365, "C")


def test_a_key_is_used_once():
    add_purpose(key="tips", facts=facts())
    with pytest.raises(PurposeError, match="'tips' already") as refused:
        add_purpose(key="tips", facts=facts())
    assert (refused.value.code, refused.value.field) == ("key_taken", "key")
    assert Purpose.objects.filter(key="tips").count() == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name_nl": ""}, "no_name", "name_nl"),
        ({"name_en": ""}, "no_name", "name_en"),
        ({"channels": []}, "channels", "channels"),
        ({"channels": ["pigeon"]}, "channels", "channels"),
        ({"minimum_grade": "D"}, "grade", "minimum_grade"),
    ],
)
def test_what_no_purpose_can_be_is_refused(given, code, field):
    with pytest.raises(PurposeError) as refused:
        facts(**given)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_the_kind_is_fixed_once_a_text_is_published():
    tips = make_purpose()
    assert change_purpose(purpose=tips, facts=facts(kind="survey")).kind == PurposeKind.SURVEY
    make_wording(purpose=tips)
    with pytest.raises(PurposeError, match="make another purpose"):
        change_purpose(purpose=tips, facts=facts(kind="marketing"))
    changed = change_purpose(purpose=tips, facts=facts(kind="survey", minimum_age=18))
    assert changed.minimum_age == 18


def test_a_channel_on_which_a_form_asks_stays():
    tips = make_purpose()
    asked_by_a_form(tips)
    with pytest.raises(PurposeError, match="'Order' asks it on email"):
        change_purpose(purpose=tips, facts=facts(channels=["sms"]))
    assert change_purpose(purpose=tips, facts=facts(channels=["sms", "email"]))


def test_archiving_ends_processing_and_coming_back_resumes_it():
    tips, noor = make_purpose(key="tips"), make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    archive_purpose(purpose=tips, now=LATER)
    assert may_process(noor, "tips", "email", LATER).reason == "archived"
    assert archive_purpose(purpose=tips, now=LATER + timedelta(days=1)).archived_at == LATER
    unarchive_purpose(purpose=tips)
    assert may_process(noor, "tips", "email", LATER).allowed


def test_a_purpose_that_a_form_asks_is_not_archived():
    tips = make_purpose()
    form = asked_by_a_form(tips)
    with pytest.raises(PurposeError, match="Change or archive that form"):
        archive_purpose(purpose=tips, now=NOW)
    assert Purpose.objects.get(pk=tips.pk).archived_at is None
    ConsentForm.objects.filter(pk=form.pk).update(archived_at=NOW)
    assert archive_purpose(purpose=tips, now=NOW).archived_at == NOW


def test_the_list_knows_versions_and_puts_archived_ones_last():
    Purpose.objects.all().delete()
    gone, tips = make_purpose(archived_at=NOW), make_purpose()
    publish(purpose=tips, edition=an_edition(), now=NOW)
    publish(purpose=tips, edition=an_edition(change="editorial"), now=LATER)
    rows = [(row.key, row.version, row.has_draft) for row in purpose_list()]
    assert rows == [(tips.key, 2, False), (gone.key, None, False)]
    assert {row.version for row in current_texts(tips).values()} == {2}


def test_only_permissions_that_count_now_would_end():
    tips, others = make_purpose(), make_purpose()
    publish(purpose=tips, edition=an_edition(), now=NOW)
    assert permissions_in_force(others, NOW) == 0
    noor, kim, bo = (make_customer(email=f"{name}@example.org") for name in ("noor", "kim", "bo"))
    for who in (noor, kim, bo):
        record(who, purpose=tips, address=who.email)
    record(kim, purpose=tips, address=kim.email, state="withdrawn", occurred_at=LATER)
    assert permissions_in_force(tips, LATER) == 2
    assert permissions_in_force(tips, NOW + timedelta(days=tips.valid_days + 1)) == 0
    publish(purpose=tips, edition=an_edition(), now=LATER)
    assert permissions_in_force(tips, LATER) == 0
