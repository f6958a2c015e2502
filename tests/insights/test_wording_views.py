"""The pages of purposes: who may, what the editor refuses, and publishing in two presses."""

import html
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import ConsentForm, Purpose, Wording, WordingDraft
from customers.publishing import publish
from customers.queries import may_process
from customers.screens import screen_of
from insights.accounts import Role
from tests.customers.test_publishing import DUTCH, an_edition
from tests.insights.test_import_views import signed_in, text
from tests.makers import NOW, make_customer, make_purpose, record

pytestmark = pytest.mark.django_db
FACTS = {
    "key": "news",
    "name_nl": "Nieuws",
    "name_en": "News",
    "kind": "marketing",
    "channels": ["email"],
    "valid_days": "365",
    "minimum_age": "16",
    "minimum_grade": "C",
}
LIST_QUERIES = 7
PAGE_QUERIES = 13


@pytest.fixture
def staff() -> Client:
    return signed_in(Role.CONSENT_ADMIN)


@pytest.fixture
def tips() -> Purpose:
    return Purpose.objects.get(key="email_marketing")


def address(purpose: Purpose, name: str = "permission_purpose") -> str:
    return reverse(name, args=[purpose.key])


def fields(response) -> dict[str, str]:
    """What the browser sends of the editor of a page if nobody touches it."""
    form = response.context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}


def preview(staff: Client, purpose: Purpose, **changed: str):
    """Press "Save and preview" with these texts changed."""
    sent = fields(staff.get(address(purpose))) | changed
    return staff.post(address(purpose), sent | {"preview": "1"}, follow=True)


def press_publish(staff: Client, purpose: Purpose, seen: str):
    return staff.post(address(purpose, "permission_preview"), {"seen": seen}, follow=True)


def publish_through_the_editor(staff: Client, purpose: Purpose, **changed: str):
    return press_publish(staff, purpose, preview(staff, purpose, **changed).context["seen"])


# -- Who may --------------------------------------------------------------------------------------

NAMES = [
    ("permission_purposes", "GET"),
    ("permission_purpose_new", "GET"),
    ("permission_purpose", "GET"),
    ("permission_purpose_edit", "GET"),
    ("permission_preview", "GET"),
    ("permission_drop_draft", "POST"),
    ("permission_purpose_archive", "POST"),
    ("permission_purpose_unarchive", "POST"),
]


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.CONSENT_ADMIN], {}, True, id="consent admin"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.MARKETER], {}, False, id="marketer"),
        pytest.param([], {}, False, id="no role"),
    ],
)
def test_who_looks_after_consent_edits_its_texts(roles, given, may, tips):
    client = signed_in(*roles, **given)
    for name, method in NAMES:
        many = name in ("permission_purposes", "permission_purpose_new")
        response = client.generic(method, reverse(name) if many else address(tips, name))
        assert response.status_code in ((200, 302) if may else (403,)), name
        assert not may or "no-store" in response["Cache-Control"]
    assert Purpose.objects.get(key=tips.key).archived_at is None


def test_nothing_is_changed_by_looking(staff, tips):
    for name in ("permission_drop_draft", "permission_purpose_archive"):
        assert staff.get(address(tips, name)).status_code == 405
    for name in ("permission_purpose", "permission_preview", "permission_purpose_edit"):
        staff.get(address(tips, name), {"preview": "1", "seen": NOW.isoformat()})
    assert not WordingDraft.objects.exists()


def test_an_unknown_purpose_is_not_found(staff):
    assert staff.get("/permission/purposes/unknown/").status_code == 404


# -- The list and the facts -----------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3])
def test_the_list_asks_the_same_number_of_queries(n, staff, django_assert_num_queries):
    Purpose.objects.all().delete()
    for _ in range(n):
        publish(purpose=make_purpose(), edition=an_edition(), now=NOW)
    staff.get(reverse("permission_purposes"))
    with django_assert_num_queries(LIST_QUERIES):
        response = staff.get(reverse("permission_purposes"))
    assert text(response).count("v1") == n


def test_the_list_tells_versions_drafts_and_what_is_archived(staff, tips):
    shown = text(staff.get(reverse("permission_purposes")))
    assert "Tips and offers email_marketing Marketing messages E-mail 730 days" in shown
    assert "Needs no permission" in shown
    preview(staff, tips)
    make_purpose(name_en="Old", archived_at=NOW)
    shown = text(staff.get(reverse("permission_purposes")))
    assert "draft" in shown
    assert "archived" in shown


def test_without_purposes_the_list_says_where_to_begin(staff):
    Purpose.objects.all().delete()
    assert "Customers cannot permit anything yet" in text(staff.get(reverse("permission_purposes")))


def test_a_purpose_is_made_and_its_first_text_stands_ready(staff):
    response = staff.post(reverse("permission_purpose_new"), FACTS, follow=True)
    made = Purpose.objects.get(key="news")
    assert (made.kind, made.channels, made.valid_days) == ("marketing", ["email"], 365)
    assert response.redirect_chain == [(address(made), 302)]
    assert response.context["form"]["nl_label"].value().startswith("Ja, Customer Insights mag")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"key": "email_marketing"}, "key", "already"),
        ({"key": "new"}, "key", "is an address of this product"),
        ({"key": "with space"}, "key", "without spaces"),
        ({"kind": ""}, "kind", "required"),
        ({"channels": []}, "channels", "required"),
        ({"valid_days": "0"}, "valid_days", "greater than or equal to 1"),
        ({"valid_days": "4000"}, "valid_days", "less than or equal to 3650"),
        ({"minimum_grade": "D"}, "minimum_grade", "D is not one of"),
        ({"name_nl": " "}, "name_nl", "required"),
    ],
)
def test_what_no_purpose_can_be_is_said_beside_its_field(staff, given, field, words):
    before = Purpose.objects.count()
    response = staff.post(reverse("permission_purpose_new"), FACTS | given)
    with translation.override("en"):
        assert words in str(response.context["form"].errors[field])
    assert Purpose.objects.count() == before


def test_the_kind_and_the_key_stay_once_a_text_is_published(staff, tips):
    publish_through_the_editor(staff, tips)
    sent = FACTS | {"key": "other", "kind": "survey", "name_en": "Other"}
    staff.post(address(tips, "permission_purpose_edit"), sent)
    tips.refresh_from_db()
    assert (tips.key, tips.kind, tips.name_en) == ("email_marketing", "marketing", "Other")


def test_a_channel_in_use_is_kept(staff, tips):
    publish_through_the_editor(staff, tips)
    ConsentForm.objects.create(key="ask-1", name="Order", first=tips, created_at=NOW)
    sent = FACTS | {"channels": ["sms"]}
    response = staff.post(address(tips, "permission_purpose_edit"), sent)
    assert "“Order” asks it on a channel" in text(response)
    response = staff.post(address(tips, "permission_purpose_archive"), follow=True)
    assert "“Order” asks it. Change or archive" in html.unescape(text(response))


def test_a_purpose_is_archived_and_used_again(staff, tips):
    shown = text(staff.post(address(tips, "permission_purpose_archive"), follow=True))
    assert "is archived. Nobody is contacted for it any more." in shown
    assert "Save and preview" not in shown
    tips.refresh_from_db()
    assert tips.archived_at is not None
    refused = staff.post(address(tips), fields(staff.get(address(tips))) | {"save": "1"})
    assert "Nothing is asked for this purpose" in text(refused)
    staff.post(address(tips, "permission_purpose_unarchive"))
    tips.refresh_from_db()
    assert tips.archived_at is None


def test_messages_of_an_order_have_no_editor(staff):
    shown = text(staff.get("/permission/purposes/service/"))
    assert "need no permission" in shown
    assert "Save and preview" not in shown


# -- The editor and the gate ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["email_marketing", "personalisation", "satisfaction_survey"])
def test_the_first_text_is_published_with_two_presses(staff, key):
    purpose = Purpose.objects.get(key=key)
    looked = preview(staff, purpose)
    assert f"Version 1 of “{purpose.name_en}” can be published" in text(looked)
    assert not Wording.objects.exists()
    published = press_publish(staff, purpose, looked.context["seen"])
    assert "Version 1 is published." in text(published)
    rows = Wording.objects.filter(purpose=purpose)
    assert sorted(row.language for row in rows) == ["en", "nl"]
    assert {row.approved_by for row in rows} == {published.wsgi_request.user.email}
    assert not WordingDraft.objects.exists()


def test_the_preview_shows_the_empty_tick_in_both_languages(staff, tips):
    page = preview(staff, tips).content.decode()
    screen = screen_of(page)
    assert (screen.purposes, screen.ticked, screen.required, screen.hidden) == (
        2,
        False,
        False,
        False,
    )
    assert "Wie het vraagt" in page or "Who asks, and what is kept" in page
    assert "Ja, Customer Insights mag mij tips en aanbiedingen mailen." in page
    assert "Yes, Customer Insights may mail me tips and offers." in page


def test_a_draft_may_be_unfinished(staff, tips):
    sent = fields(staff.get(address(tips))) | {"nl_label": "", "save": "1"}
    response = staff.post(address(tips), sent, follow=True)
    assert "The draft is saved. Customers do not see it." in text(response)
    assert WordingDraft.objects.get(purpose=tips).texts["nl"]["label"] == ""
    assert response.context["form"]["nl_label"].errors[0] == (
        "“text beside the box” is empty in Dutch. Fill it in: it is read before the tick."
    )


def test_what_the_gate_refuses_is_said_beside_the_field_and_cannot_be_published(staff, tips):
    looked = preview(staff, tips, nl_label="Mis niets", en_helper="At most 2 times. Hurry")
    shown = html.unescape(text(looked))
    assert "cannot be published yet" in shown
    assert "“Mis niets” does not begin with “Ja”." in shown
    assert "“hurry” pushes (line below it)" in shown
    assert 'href="/permission/purposes/email_marketing/#id_en_helper"' in looked.content.decode()
    assert "Publish version" not in shown
    refused = press_publish(staff, tips, looked.context["seen"])
    assert "Not published: see below" in text(refused)
    assert not Wording.objects.exists()
    editor = staff.get(address(tips)).context["form"]
    assert set(editor.errors) == {"nl_label", "en_helper"}
    assert [one.control for one in editor.problems()] == [
        *["id_nl_label"] * len(editor.errors["nl_label"]),
        "id_en_helper",
    ]


def test_half_a_promise_is_no_promise(staff, tips):
    sent = fields(staff.get(address(tips))) | {"promised_days": "", "save": "1"}
    response = staff.post(address(tips), sent)
    assert "Fill in both numbers, or leave both empty." in text(response)
    assert [*response.context["form"].errors] == ["promised_days"]
    assert not WordingDraft.objects.exists()


def test_a_text_that_does_not_fit_is_refused(staff, tips):
    sent = fields(staff.get(address(tips))) | {"nl_label": "a" * 201, "save": "1"}
    assert "nl_label" in staff.post(address(tips), sent).context["form"].errors


def test_a_draft_that_changed_meanwhile_is_not_published(staff, tips):
    seen = preview(staff, tips).context["seen"]
    preview(staff, tips, nl_helper="Hooguit 2 keer per maand. Stoppen mag.")
    refused = press_publish(staff, tips, seen)
    assert "A colleague changed or published the draft meanwhile." in text(refused)
    assert not Wording.objects.exists()
    for forged in ("", "yesterday", "2026-13-45T00:00", "2026-11-24T12:00:00"):
        press_publish(staff, tips, forged)
    assert not Wording.objects.exists()


def test_a_draft_is_dropped(staff, tips):
    preview(staff, tips)
    shown = text(staff.post(address(tips, "permission_drop_draft"), follow=True))
    assert "The draft is gone. What is published stays." in shown
    assert not WordingDraft.objects.exists()


def test_case_20_the_editor_says_how_many_permissions_a_material_change_ends(staff, tips):
    publish_through_the_editor(staff, tips)
    wording = tips.wordings.get(language="nl")
    people = [make_customer(email=f"c{n}@example.org") for n in range(3)]
    now = timezone.now()
    for who in people:
        record(who, purpose=tips, wording=wording, address=who.email, occurred_at=now)
    record(people[0], purpose=tips, address="c0@example.org", state="withdrawn", occurred_at=now)
    noor = people[1]

    editorial = preview(staff, tips, nl_details="Tips over wonen.", change="editorial")
    assert "Only the words change: every permission stays." in text(editorial)
    press_publish(staff, tips, editorial.context["seen"])
    assert may_process(noor, tips.key, "email", timezone.now()).allowed

    hiding = preview(staff, tips, nl_data_types="alles", change="editorial")
    assert "Customers agreed to “naam, e-mailadres” (data used)" in html.unescape(text(hiding))
    assert "Publish version" not in text(hiding)

    material = preview(staff, tips, nl_data_types="alles", change="material")
    assert "2 permissions stop counting at once. Nobody may be mailed to ask again" in text(
        material
    )
    press_publish(staff, tips, material.context["seen"])
    answer = may_process(noor, tips.key, "email", timezone.now())
    assert (answer.allowed, answer.reason) == (False, "stale")


def test_the_versions_stand_side_by_side(staff, tips, django_assert_num_queries):
    publish_through_the_editor(staff, tips)
    staff.get(address(tips))
    with django_assert_num_queries(PAGE_QUERIES):
        one = staff.get(address(tips))
    assert "v1 first text" in text(one)
    publish_through_the_editor(staff, tips, nl_details="Tips over wonen.")
    publish_through_the_editor(staff, tips, nl_recipients="Post BV", change="material")
    with django_assert_num_queries(PAGE_QUERIES):
        three = staff.get(address(tips))
    shown = text(three)
    assert shown.index("v3 what is done changed") < shown.index("v2 only the words changed")
    assert three.content.decode().count('<td class="ci-span" lang="nl">') == 3
    assert "at most 2 messages in 30 days" in shown
    # The next draft begins with the text of now.
    assert three.context["form"]["nl_recipients"].value() == "Post BV"


def test_what_a_text_says_is_shown_and_not_run(staff, tips):
    page = preview(staff, tips, nl_label="Ja, <script>alert(1)</script>").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


# -- Nobody changes what was published ------------------------------------------------------------


def test_the_editor_and_the_admin_change_nothing_that_was_published(tips):
    staff = signed_in(Role.ADMINISTRATOR, is_superuser=True, is_staff=True)
    publish_through_the_editor(staff, tips)
    before = {row.pk: row.facts for row in Wording.objects.all()}
    first = min(before)
    sent = {"label": "Ja", "helper": "x", "version": "1", "language": "nl", "id": str(first)}
    for path in (
        reverse("admin:customers_wording_change", args=[first]),
        reverse("admin:customers_wording_delete", args=[first]),
        reverse("admin:customers_wording_changelist"),
        reverse("admin:customers_wording_add"),
    ):
        action = {"action": "delete_selected", "_selected_action": [first], "post": "yes"}
        staff.post(path, sent | action)
    # An id or a version among the fields of the editor is nothing to it.
    preview(staff, tips, **sent, nl_label="Ja, Customer Insights mag mij tips mailen.")
    staff.post(address(tips, "permission_drop_draft"), sent)
    staff.post(address(tips, "permission_purpose_archive"), sent)
    assert {row.pk: row.facts for row in Wording.objects.all()} == before
    assert not Purpose.objects.filter(pk=tips.pk, archived_at=None).exists()


def test_there_is_no_address_that_deletes_a_purpose(staff, tips):
    for method in ("DELETE", "PUT", "PATCH"):
        assert staff.generic(method, address(tips)).status_code == 405
    assert staff.post(f"{address(tips)}delete/").status_code == 404


def test_a_reader_in_dutch_gets_the_names_in_dutch(tips):
    staff = signed_in(Role.CONSENT_ADMIN)
    staff.cookies["django_language"] = "nl"
    assert "Tips en aanbiedingen" in text(staff.get(address(tips)))
    assert DUTCH.label.split(",")[0] == "Ja"


def test_a_published_text_is_of_that_moment(staff, tips):
    before = timezone.now()
    publish_through_the_editor(staff, tips)
    at = tips.wordings.get(language="nl").published_at
    assert before <= at <= before + timedelta(minutes=1)
