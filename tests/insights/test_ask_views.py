"""The pages of opt-in forms: who may, what can be asked, address and snippet."""

import html
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.first_texts import first_draft
from customers.models import AskTally, ConsentForm, Purpose
from customers.publishing import publish
from customers.screens import screen_of
from insights.accounts import Role
from tests.customers.test_publishing import an_edition
from tests.insights.test_import_views import signed_in, text
from tests.makers import NOW, make_purpose

pytestmark = pytest.mark.django_db
LIST_QUERIES = 8


@pytest.fixture
def staff() -> Client:
    return signed_in(Role.CONSENT_ADMIN)


@pytest.fixture
def tips() -> Purpose:
    purpose = Purpose.objects.get(key="email_marketing")
    publish(purpose=purpose, edition=an_edition(), now=NOW)
    return purpose


@pytest.fixture
def personal() -> Purpose:
    purpose = Purpose.objects.get(key="personalisation")
    texts = first_draft("profiling", ["email"], "Lindehuis").texts
    publish(purpose=purpose, edition=an_edition(texts=texts, promise=None), now=NOW)
    return purpose


def address(form: ConsentForm, name: str = "permission_form") -> str:
    return reverse(name, args=[form.key])


def sent(asked: Purpose, **given) -> dict[str, object]:
    return {"name": "After an order", "first": asked.pk, "channel": "email"} | given


def make(staff: Client, first: Purpose, **given) -> ConsentForm:
    staff.post(reverse("permission_form_new"), sent(first, **given))
    return ConsentForm.objects.latest("pk")


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.CONSENT_ADMIN, True), (Role.ADMINISTRATOR, True), (Role.MARKETER, False), (None, False)],
)
def test_who_looks_after_consent_makes_forms(role, may, tips):
    form = ConsentForm.objects.create(key="ask-1", name="Order", first=tips, created_at=NOW)
    client = signed_in(*([role] if role else []))
    for path, method in (
        (reverse("permission_forms"), "GET"),
        (reverse("permission_form_new"), "GET"),
        (address(form), "GET"),
        (address(form, "permission_form_edit"), "GET"),
        (address(form, "permission_form_archive"), "POST"),
        (address(form, "permission_form_unarchive"), "POST"),
    ):
        response = client.generic(method, path)
        assert response.status_code in ((200, 302) if may else (403,)), path
    assert client.get(address(form, "permission_form_archive")).status_code == (405 if may else 403)


def test_a_form_is_made_with_an_address_and_a_snippet(staff, tips, personal, settings):
    settings.BASE_URL = "https://insights.example"
    given = {"second": personal.pk, "origins": "https://www.Shop.example/path\nhttp://localhost:80"}
    response = staff.post(reverse("permission_form_new"), sent(tips, **given), follow=True)
    made = ConsentForm.objects.get()
    assert (made.first, made.second, made.channel) == (tips, personal, "email")
    assert made.origins == ["http://localhost", "https://www.shop.example"]
    shown = html.unescape(response.content.decode())
    public = f"https://insights.example/opt-in/{made.key}/?lang=en"
    assert f'<pre class="ci-code" id="form-address" tabindex="0">{public}</pre>' in shown
    assert f'<iframe src="{public}" title="Permission for Customer Insights"' in shown
    # The snippet is shown, not run.
    assert "<iframe" not in response.content.decode()
    in_dutch = html.unescape(staff.get(address(made), {"lang": "nl"}).content.decode())
    assert f"/opt-in/{made.key}/?lang=nl" in in_dutch
    assert "Ja, Lindehuis mag mij tips en aanbiedingen mailen." in in_dutch


def test_the_ticks_on_the_page_are_empty(staff, tips, personal):
    made = make(staff, tips, second=personal.pk)
    for language in ("nl", "en", "xx"):
        screen = screen_of(staff.get(address(made), {"lang": language}).content.decode())
        assert (screen.purposes, screen.ticked, screen.required, screen.hidden) == (
            2,
            False,
            False,
            False,
        )


def test_without_origins_there_is_no_snippet_yet(staff, tips):
    shown = staff.get(address(make(staff, tips)))
    assert "Add the address of your site first" in text(shown)
    assert "form-snippet" not in shown.content.decode()


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"origins": "https://*.shop.example"}, "origins", "without a star"),
        ({"channel": "sms"}, "channel", "not asked on this channel"),
        ({"second": "same"}, "second", "of one kind"),
        ({"first": "personal", "second": ""}, "first", "can only be the second question"),
        ({"first": "service"}, "first", "not one of the available choices"),
        ({"first": "unpublished"}, "first", "not one of the available choices"),
    ],
)
def test_what_no_form_can_be_is_said_beside_its_field(staff, tips, personal, given, field, words):
    people = {
        "same": tips,
        "personal": personal,
        "service": Purpose.objects.get(key="service"),
        "unpublished": make_purpose(),
    }
    chosen = {name: getattr(people.get(value), "pk", value) for name, value in given.items()}
    response = staff.post(reverse("permission_form_new"), sent(tips, **chosen))
    with translation.override("en"):
        assert words in str(response.context["form"].errors[field])
    assert not ConsentForm.objects.exists()


def test_a_form_is_changed_archived_and_used_again(staff, tips, personal):
    made = make(staff, tips)
    changed = sent(tips, name="Bottom", second=personal.pk)
    shown = text(staff.post(address(made, "permission_form_edit"), changed, follow=True))
    assert "Saved. Address and snippet stay the same." in shown
    made.refresh_from_db()
    assert (made.name, made.second) == ("Bottom", personal)
    shown = text(staff.post(address(made, "permission_form_archive"), follow=True))
    assert "It asks nothing any more" in shown
    assert "Copy address" not in shown
    Purpose.objects.filter(pk=tips.pk).update(archived_at=NOW)
    refused = staff.post(address(made, "permission_form_unarchive"), follow=True)
    assert "has no published text in both languages, or is archived" in text(refused)
    Purpose.objects.filter(pk=tips.pk).update(archived_at=None)
    staff.post(address(made, "permission_form_unarchive"))
    made.refresh_from_db()
    assert made.archived_at is None


@pytest.mark.parametrize("n", [1, 3])
def test_the_list_counts_in_the_same_number_of_queries(n, staff, tips, django_assert_num_queries):
    wording = tips.wordings.first()
    for _ in range(n):
        form = make(staff, tips)
        AskTally.objects.create(
            form=form, wording=wording, on=date(2026, 11, 3), shown=4812, ticked=3214
        )
    staff.get(reverse("permission_forms"))
    with django_assert_num_queries(LIST_QUERIES):
        response = staff.get(reverse("permission_forms"))
    assert text(response).count("Tips and offers E-mail 4 812 3 214") == n


def test_before_anything_is_published_there_is_nothing_to_ask(staff):
    assert "There is nothing to ask yet" in text(staff.get(reverse("permission_forms")))
    assert "Publish one first." in text(staff.get(reverse("permission_form_new")))
