"""Opt-in forms: what they may ask, where, and that the gate looks at each page before."""

import copy
from datetime import date, timedelta

import pytest

from customers.first_texts import first_draft
from customers.forms_asked import (
    Asking,
    FormError,
    FormRefused,
    add_form,
    archive_form,
    askable,
    change_form,
    faults_of_pages,
    form_list,
    pages,
    unarchive_form,
)
from customers.models import AskTally, ConsentForm, Purpose
from customers.publishing import publish
from customers.purposes import archive_purpose
from customers.screens import screen_of
from tests.customers.test_drafts import published, written
from tests.customers.test_publishing import an_edition
from tests.makers import NOW, make_purpose, make_wording

pytestmark = pytest.mark.django_db


def asked(**given) -> Purpose:
    purpose = make_purpose(**given)
    published(purpose, written())
    return purpose


@pytest.fixture
def tips() -> Purpose:
    return asked(key="tips")


@pytest.fixture
def personal() -> Purpose:
    purpose = make_purpose(kind="profiling")
    texts = first_draft("profiling", ["email"], "Lindehuis").texts
    publish(purpose=purpose, edition=an_edition(texts=texts, promise=None), now=NOW)
    return purpose


def asking(**given) -> Asking:
    return Asking(**{"name": "After an order"} | given)


def test_a_form_is_made_with_a_key_that_nobody_guesses(tips, personal):
    origins = ["https://www.shop.example", "http://localhost:8080", "https://www.shop.example"]
    made = add_form(asking=asking(first=tips, second=personal, origins=origins), now=NOW)
    made.full_clean()
    assert made.origins == ["http://localhost:8080", "https://www.shop.example"]
    other = add_form(asking=asking(first=tips), now=NOW)
    assert len({made.key, other.key}) == 2
    assert len(made.key) >= 16


def test_a_form_changes_but_its_key(tips, personal):
    made = add_form(asking=asking(first=tips), now=NOW)
    changed = change_form(form=made, asking=asking(name="Bottom", first=tips, second=personal))
    assert (changed.key, changed.name, changed.second) == (made.key, "Bottom", personal)


def refused(**given) -> tuple[str, str]:
    with pytest.raises(FormError) as error:
        add_form(asking=asking(**given), now=NOW)
    assert not ConsentForm.objects.exists()
    return error.value.code, error.value.field


def test_only_what_has_a_published_text_in_both_languages_is_asked(tips):
    assert refused(first=make_purpose()) == ("not_asked", "first")
    assert refused(first=make_purpose(kind="service")) == ("not_asked", "first")
    only_dutch = make_wording(language="nl").purpose
    assert refused(first=only_dutch) == ("not_asked", "first")
    assert refused(first=tips, second=make_purpose(kind="survey")) == ("not_asked", "second")
    archived = asked()
    archive_purpose(purpose=archived, now=NOW)
    assert refused(first=archived) == ("not_asked", "first")
    assert [*askable().exclude(pk=only_dutch.pk)] == [tips]


def test_the_second_question_is_of_another_kind(tips, personal):
    assert refused(first=tips, second=asked()) == ("same_kind", "second")
    assert refused(first=tips, second=tips) == ("same_kind", "second")
    assert add_form(asking=asking(first=tips, second=personal), now=NOW)


def test_who_asks_is_named_first(tips, personal):
    """The text of personal content leaves the name to the question before it."""
    assert refused(first=personal) == ("no_sender", "first")


def test_a_form_asks_on_a_channel_of_its_purposes(tips):
    assert refused(first=tips, channel="sms") == ("channel", "channel")


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example/",
        "https://*.shop.example",
        "shop.example",
        "'self'",
        "https://a.example; script-src *",
        "https://a.example\n",
    ],
)
def test_an_origin_is_exact_and_ends_no_header(tips, origin):
    assert refused(first=tips, origins=[origin]) == ("origin", "origins")


def test_a_form_has_a_name(tips):
    assert refused(first=tips, name="") == ("no_name", "name")


def test_each_page_has_one_tick_and_passes_the_gate(tips, personal):
    found = [*pages(asking(first=tips, second=personal))]
    assert [screen_of(page).purposes for page in found] == [1, 1, 1, 1]
    assert faults_of_pages(found) == []


BOX = '<input type="checkbox" name="{{ name }}" '


@pytest.mark.parametrize(
    ("template", "html", "code", "why"),
    [
        ("_tick.html", f"{BOX} checked>", "pre_ticked", "The box is ticked"),
        ("_tick.html", f"{BOX} required>", "required", "The box is required"),
        ("_tick.html", f"{BOX} hidden>", "hidden", "The box is hidden"),
        ("_optin_line.html", '<button class="btn-link">No</button>', "unequal", "not equal"),
    ],
)
def test_a_page_with_a_fault_keeps_the_form_from_asking(tips, settings, template, html, code, why):
    """The gate reads the page that is drawn, so a template that pushes is stopped too."""
    quiet = add_form(asking=asking(first=tips, name="Quiet"), now=NOW)
    engine = copy.deepcopy(settings.TEMPLATES[0])
    folders = engine.pop("DIRS")
    engine.pop("APP_DIRS", None)
    engine["OPTIONS"]["loaders"] = [
        ("django.template.loaders.locmem.Loader", {f"customers/{template}": html}),
        ("django.template.loaders.filesystem.Loader", folders),
    ]
    settings.TEMPLATES = [engine]
    with pytest.raises(FormRefused) as refused:
        add_form(asking=asking(first=tips), now=NOW)
    assert [fault.code for fault in refused.value.faults] == [code]
    with pytest.raises(FormRefused, match=why):
        change_form(form=quiet, asking=asking(first=tips, name="Loud"))
    assert [form.name for form in ConsentForm.objects.all()] == ["Quiet"]


def test_an_archived_form_asks_again_only_what_is_still_asked(tips):
    made = add_form(asking=asking(first=tips), now=NOW)
    archive_form(form=made, now=NOW)
    archive_form(form=made, now=NOW + timedelta(days=1))
    made.refresh_from_db()
    assert made.archived_at == NOW
    archive_purpose(purpose=tips, now=NOW)
    with pytest.raises(FormError, match="no published text"):
        unarchive_form(form=made)
    Purpose.objects.update(archived_at=None)
    unarchive_form(form=made)
    made.refresh_from_db()
    assert made.archived_at is None


def test_the_list_counts_over_days_and_texts_and_puts_archived_ones_last(tips):
    old, new = (add_form(asking=asking(first=tips, name=n), now=NOW) for n in ("old", "new"))
    archive_form(form=old, now=NOW)
    for day, shown, ticked in ((1, 10, 6), (2, 5, 1)):
        for wording in tips.wordings.all():
            AskTally.objects.create(
                form=new, wording=wording, on=date(2026, 11, day), shown=shown, ticked=ticked
            )
    rows = [(row.name, row.shown, row.ticked) for row in form_list()]
    assert rows == [("new", 30, 14), ("old", 0, 0)]
