"""The map of categories, and rating one with three questions."""

import pytest
from django.test import Client

from customers.dose_documents import document_of
from customers.models import Category, PolicyDraft
from customers.policies import current_version
from customers.starting_policy import starting_policy
from insights.accounts import Role
from insights.involvement_forms import NAMES
from tests.insights.readers import sign_in, text
from tests.makers import NOW, make_category

pytestmark = pytest.mark.django_db

ANSWERS = {"importance": 7, "risk": 6, "interest": 5, "parent": ""}


@pytest.fixture
def marketer(client) -> Client:
    return sign_in(client, Role.MARKETER)


def test_the_map_says_for_each_category_where_its_level_comes_from(marketer):
    parent = make_category(name="Electronics", involvement="high", rated_at=NOW, rated_by="Koen")
    make_category(name="Phones", parent=parent)
    make_category(name="Boats")
    page = text(marketer.get("/dosing/involvement/"))
    assert "Electronics High rated by Koen on" in page
    assert "Phones High follows Electronics" in page
    assert "Boats Low not rated: counts as low" in page
    assert page.index("Electronics") < page.index("Boats Low")
    # Those without a rating of their own that nothing above gives one.
    assert "1 category is not rated" in page


def test_rating_a_category_says_what_it_is_now_and_who_said_so(marketer):
    phones = make_category(name="Phones")
    page = marketer.post(f"/dosing/involvement/{phones.pk}/", ANSWERS, follow=True)
    assert "Phones: High, 83 of 100." in text(page)
    assert "High (83) rated by Noor" in text(page)
    phones.refresh_from_db()
    assert (phones.rated_how, phones.importance) == ("manager", 7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"importance": 8}, "Select a valid choice"),
        ({"risk": ""}, "Answer this one too"),
        ({"parent": 999}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(marketer, given, message):
    phones = make_category(name="Phones")
    page = text(marketer.post(f"/dosing/involvement/{phones.pk}/", ANSWERS | given))
    assert message in page
    phones.refresh_from_db()
    assert phones.involvement == ""


def test_a_circle_is_refused_and_nothing_is_stored(marketer):
    parent = make_category(name="Electronics")
    phones = make_category(name="Phones", parent=parent)
    page = marketer.post(f"/dosing/involvement/{parent.pk}/", ANSWERS | {"parent": phones.pk})
    assert "That is part of this category itself." in text(page)
    parent.refresh_from_db()
    assert (parent.parent, parent.involvement) == (None, "")


def test_a_proposal_is_marked_as_a_starting_point_and_leaves_what_is_rated(marketer):
    make_category(name="Phones")
    make_category(name="Boats", involvement="low", rated_at=NOW, rated_how="manager")
    sent = {"company": "electronics"}
    page = text(marketer.post("/dosing/involvement/propose/", sent, follow=True))
    assert "1 category has a level to begin with." in page
    assert "Phones High a starting point by Noor on" in page
    assert Category.objects.get(name="Boats").rated_how == "manager"
    wrong = marketer.post("/dosing/involvement/propose/", {"company": "bakery"}, follow=True)
    assert "Choose what you mostly sell." in text(wrong)
    assert len(NAMES) == 7


def propose(client: Client, company: str) -> str:
    sent = {"company": company}
    return text(client.post("/dosing/involvement/propose/", sent, follow=True))


def test_the_kind_of_company_proposes_the_policy_to_begin_with_as_a_draft(marketer):
    page = propose(marketer, "groceries")
    assert "The policy to begin with for what you sell is a draft" in page
    draft = PolicyDraft.objects.get()
    assert draft.document == document_of(starting_policy(level="low"))
    assert (draft.edited_by, draft.note) == (
        "Noor",
        "To begin with, for a company that sells: Groceries.",
    )
    assert current_version().version == 1
    # Nothing that somebody worked on is replaced.
    assert "There is a draft of the next policy, which stays as it is." in propose(marketer, "home")
    draft.refresh_from_db()
    assert draft.document == document_of(starting_policy(level="low"))


def test_a_company_with_the_policy_in_force_to_begin_with_gets_no_draft(marketer):
    page = propose(marketer, "travel")
    assert "The policy in force is the one to begin with for what you sell." in page
    assert not PolicyDraft.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_it_takes_as_many_queries_however_many(marketer, number, django_assert_num_queries):
    for _ in range(number):
        make_category()
    with django_assert_num_queries(9):
        assert marketer.get("/dosing/involvement/").status_code == 200


def test_a_consent_admin_reads_and_does_not_rate(client):
    admin = sign_in(client, Role.CONSENT_ADMIN)
    phones = make_category(name="Phones")
    page = text(admin.get("/dosing/involvement/"))
    assert "Phones Low" in page
    assert "Begin with this" not in page
    for path in (f"{phones.pk}/", "propose/"):
        assert admin.post(f"/dosing/involvement/{path}", ANSWERS).status_code == 403
    assert admin.get(f"/dosing/involvement/{phones.pk}/").status_code == 403
    phones.refresh_from_db()
    assert phones.involvement == ""


def test_both_need_a_login_and_looking_changes_nothing(client):
    phones = make_category(name="Phones")
    for path in ("", f"{phones.pk}/"):
        assert client.get(f"/dosing/involvement/{path}").status_code == 302
    marketer = sign_in(client, Role.MARKETER)
    assert marketer.get(f"/dosing/involvement/{phones.pk}/").status_code == 200
    assert marketer.get("/dosing/involvement/propose/").status_code == 405
    phones.refresh_from_db()
    assert phones.involvement == ""


def test_what_a_category_is_part_of_can_be_said_without_rating_it(marketer):
    parent = make_category(name="Electronics", involvement="high", rated_at=NOW)
    phones = make_category(name="Phones")
    given = {"importance": "", "risk": "", "interest": "", "parent": parent.pk}
    page = marketer.post(f"/dosing/involvement/{phones.pk}/", given, follow=True)
    assert "Phones High follows Electronics" in text(page)
    phones.refresh_from_db()
    assert (phones.parent, phones.involvement, phones.rated_how) == (parent, "", "")
