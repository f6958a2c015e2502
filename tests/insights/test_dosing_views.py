"""The page about the dose, and whom a plan may reach now: aggregates, for every colleague."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from customers.dose_documents import document_of
from customers.dosing import Code, Outcome
from customers.models import AccessLog, Decision, DosePolicy
from customers.policies import publish_policy
from customers.starting_policy import starting_policy
from insights.accounts import Role
from insights.dose_page import dose_page
from insights.dose_words import FOR_GOOD, OUTCOMES, outcome_words
from tests.insights.readers import text
from tests.makers import NOW, known_purpose, make_category, make_contact, make_permitted

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def colleague(client: Client) -> Client:
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def noon():
    """No quiet hours, whenever the test runs."""
    document = document_of(starting_policy()) | {"quiet": {}, "country": ""}
    publish_policy(document=document, author="N", note="x", now=NOW, after=1)
    return timezone.now()


def refuse(customer, at=NOW, **given) -> Decision:
    usual = {"channel": "email", "kind": "promotion", "reason": "given", "asker": "mailing:7"}
    usual |= {"outcome": Outcome.DEFER, "code": Code.CAP_REACHED, "allowed": False}
    purpose = known_purpose("email_marketing")
    return Decision.objects.create(
        **usual | {"customer": customer, "purpose": purpose, "decided_at": at} | given
    )


# -- What is counted -------------------------------------------------------------------------------


def test_a_new_shop_says_that_nobody_was_contacted(colleague):
    page = text(colleague.get("/dosing/"))
    assert "Nobody was contacted in the last 30 days" in page
    assert "A starting point, not science" in page
    assert "Nobody asked yet." in page


def test_used_and_at_the_limit_are_counted_of_those_who_may_be_mailed():
    cases = make_category(involvement="low", rated_at=NOW)
    other = make_category(involvement="low", rated_at=NOW)
    policy = DosePolicy.objects.get()
    people = [make_permitted() for _ in range(5)]
    for days in (9, 17):
        for person in people[:2]:
            make_contact(person, NOW - days * DAY, category=cases, involvement="low", policy=policy)
    # Another category, another channel, too long ago: each alone fills nothing.
    make_contact(people[2], NOW - 9 * DAY, category=other, involvement="low")
    make_contact(people[2], NOW - 8 * DAY, category=cases, involvement="low", channel="sms")
    make_contact(people[2], NOW - 31 * DAY, category=cases, involvement="low")
    page = dose_page(NOW)
    [regular] = [one for one in page.columns if one.customer_type == "regular"]
    cell = dict(page.rows)["low"][page.columns.index(regular)]
    assert (cell.most, cell.n, cell.full, cell.mean) == (2, 5, 2, 1.0)
    assert (page.contacts, page.contacted, page.unasked) == (6, 3, 2)
    assert (page.mailable, page.at_limit, page.over) == (5, 0, 0)


def test_who_is_at_a_ceiling_in_any_window_is_at_their_limit():
    people = [make_permitted() for _ in range(6)]
    make_contact(people[0], NOW - HOUR)
    for days in (2, 4, 6):
        make_contact(people[1], NOW - days * DAY)
    assert dose_page(NOW).at_limit == 2


def test_under_five_customers_nothing_is_said_about_them():
    for _ in range(4):
        make_contact(make_permitted(), NOW - HOUR)
    page = dose_page(NOW)
    ceiling = page.ceilings[0]
    assert (ceiling.n, ceiling.mean, ceiling.full, ceiling.share_full) == (4, None, None, None)


@pytest.mark.parametrize(("apart", "over"), [(23, 1), (24, 0)])
def test_one_too_many_is_found_where_it_went_through_the_policy(apart, over):
    noor, policy = make_permitted(), DosePolicy.objects.get()
    make_contact(noor, NOW - 40 * HOUR)
    make_contact(noor, NOW - (40 - apart) * HOUR, policy=policy)
    assert dose_page(NOW).over == over


def test_what_came_in_with_a_file_is_nobodys_decision():
    noor = make_permitted()
    for hours in (1, 2, 3):
        make_contact(noor, NOW - hours * HOUR)
    page = dose_page(NOW)
    assert (page.over, page.unasked) == (0, 3)


def test_the_page_is_kept_for_five_minutes_and_a_new_policy_is_seen_at_once(
    django_assert_num_queries,
):
    noor = make_permitted()
    make_contact(noor, NOW - HOUR)
    assert dose_page(NOW).contacts == 1
    make_contact(noor, NOW - 2 * HOUR)
    # The policy in force, and the page as it is kept.
    with django_assert_num_queries(2):
        kept = dose_page(NOW + HOUR / 60)
    assert (kept.contacts, kept.counted_at) == (1, NOW)
    document = document_of(starting_policy()) | {"country": ""}
    publish_policy(document=document, author="N", note="x", now=NOW, after=1)
    assert dose_page(NOW + HOUR / 30).contacts == 2


@pytest.mark.parametrize("number", [1, 3])
def test_it_takes_as_many_queries_however_many_customers(number, django_assert_num_queries):
    dose_page(NOW - DAY)
    for _ in range(number):
        noor = make_permitted()
        make_contact(noor, NOW - HOUR)
        refuse(noor)
    with django_assert_num_queries(16):
        dose_page(NOW)


# -- What is shown ---------------------------------------------------------------------------------


def test_the_page_says_what_was_refused_and_why(colleague):
    now = timezone.now()
    for n in range(7):
        person = make_permitted()
        refuse(person, now - n * HOUR)
        refuse(person, now - n * HOUR, outcome=Outcome.ALLOW, code="", allowed=True)
    refuse(person, now - 31 * DAY)
    page = text(colleague.get("/dosing/"))
    assert "What came of 14 requests to contact somebody" in page
    assert "Allowed 7 50.0 %" in page
    assert "Later: dose reached 7 50.0 %" in page


def test_more_than_allowed_is_the_headline(colleague):
    now, policy = timezone.now(), DosePolicy.objects.get()
    for _ in range(5):
        noor = make_permitted()
        for hours in (5, 6):
            make_contact(noor, now - hours * HOUR, policy=policy)
    page = text(colleague.get("/dosing/"))
    assert "5 customers were contacted more than allowed" in page


def test_unused_room_is_never_good_news(colleague):
    now = timezone.now()
    for _ in range(6):
        make_contact(make_permitted(), now - 40 * HOUR)
    page = text(colleague.get("/dosing/"))
    assert "Nobody was contacted more than allowed" in page
    assert "What is not used is not a target." in page
    assert not re.search(r"\b(room left|left over|still available|can still)\b", page)


def test_nobody_is_named(colleague):
    now = timezone.now()
    noor = make_permitted(name="Noor Voorbeeld", reference="K-777")
    make_contact(noor, now - HOUR)
    page = text(colleague.get("/dosing/"))
    assert "Voorbeeld" not in page
    assert "K-777" not in page


def test_both_pages_need_a_login(client):
    for path in ("/dosing/", "/dosing/audience/"):
        assert client.get(path).status_code == 302
        assert client.post(path).status_code in {302, 405}


def test_a_page_without_a_policy_says_that_nothing_may_be_sent(colleague):
    DosePolicy.objects.get().rules.all().delete()
    DosePolicy.objects.all().delete()
    assert "No policy is published" in text(colleague.get("/dosing/"))


# -- Whom may we reach now? ------------------------------------------------------------------------


def test_the_audience_adds_up_step_by_step(colleague):
    for _ in range(5):
        make_permitted(paused_until=timezone.now() + DAY)
    page = text(colleague.get("/dosing/audience/?kind=promotion&channel=email&category="))
    assert "All customers 5" in page
    assert "Left alone or paused 5" in page
    assert "May be reached now 0" in page
    assert "Nothing is sent and nothing is reserved." in page


def test_the_audience_hides_few(colleague):
    make_permitted(paused_until=timezone.now() + DAY)
    page = text(colleague.get("/dosing/audience/?kind=promotion&channel=email&category="))
    assert "Left alone or paused fewer than 5" in page


@pytest.mark.parametrize(
    "query", ["kind=spam&channel=email", "kind=service&channel=email", "kind=ad&channel=fax"]
)
def test_an_unknown_word_is_refused_at_its_field(colleague, query):
    page = text(colleague.get(f"/dosing/audience/?{query}&category="))
    assert "Select a valid choice." in page
    assert "All customers" not in page


def test_a_consent_admin_takes_the_list_along_and_each_on_it_can_see_that(client, noon):
    user = User.objects.create_user("kim", "kim@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.CONSENT_ADMIN))
    client.force_login(user)
    noor = make_permitted(reference="K-777")
    make_permitted(reference="K-778", paused_until=noon + DAY)
    phones = make_category(name="Phones", involvement="high", rated_at=NOW)
    sent = {"kind": "promotion", "channel": "email", "category": phones.pk}
    page = client.get("/dosing/audience/", sent).content.decode()
    assert 'action="/dosing/audience.csv"' in page
    response = client.post("/dosing/audience.csv", sent)
    assert response["Content-Type"].startswith("text/csv")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines == [
        '"customer","channel","kind","category"',
        '"K-777","email","promotion","Phones"',
    ]
    [view] = AccessLog.objects.all()
    assert (view.customer, view.kind, view.viewer) == (noor, "export", str(user.pk))
    assert client.get("/dosing/audience.csv").status_code == 405
    assert client.post("/dosing/audience.csv", sent | {"kind": "spam"}).status_code == 400


def test_a_marketer_sees_how_many_and_never_who(colleague, noon):
    make_permitted(reference="K-777")
    sent = {"kind": "promotion", "channel": "email", "category": ""}
    assert "audience.csv" not in colleague.get("/dosing/audience/", sent).content.decode()
    assert colleague.post("/dosing/audience.csv", sent).status_code == 403
    assert not AccessLog.objects.exists()


def test_every_code_has_its_words():
    assert set(OUTCOMES) == {"", *Code}
    for code in FOR_GOOD:
        assert outcome_words(Outcome.DENY, code) != outcome_words(Outcome.DEFER, code)
    assert outcome_words(Outcome.EXEMPT, "") != outcome_words(Outcome.ALLOW, "")
