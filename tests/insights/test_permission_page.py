"""The page about permission: who sees what, what it says, how many queries it takes."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.consent import State
from customers.models import AccessLog, LedgerCheck
from feedback.questions import CONTROL
from insights.accounts import Role
from insights.permission.tables import TABLES
from tests.insights.makers import give
from tests.insights.permission_history import (
    ask,
    half_a_year,
    make_customers,
    make_form,
    make_text,
    make_tips,
    say,
)
from tests.insights.test_etags import is_kept
from tests.insights.test_views import make_user
from tests.makers import make_touchpoint

pytestmark = pytest.mark.django_db

PATH = "/permission/"
QUERIES = 25


@pytest.fixture
def marketer(client: Client) -> Client:
    client.force_login(make_user())
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def consent_admin(client: Client) -> Client:
    client.force_login(make_user("kim@example.org", Role.CONSENT_ADMIN))
    client.cookies["django_language"] = "en"
    return client


def text(client: Client, path: str = PATH) -> str:
    """Return the words of a page, with plain spaces."""
    page = client.get(path).content.decode()
    main = page[page.index("<main") :]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("\xa0", " ").split())


def table(client: Client, name: str, query: str = "") -> list[list[str]]:
    """Return the rows of a file above its definition."""
    response = client.get(f"/permission/tables/{name}.csv{query}")
    assert response.status_code == 200
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    return rows[: rows.index([])]


def today():
    return timezone.localdate()


# -- Who sees what --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_every_colleague_sees_the_page(client, role):
    client.force_login(make_user("kim@example.org", role))
    assert client.get(PATH).status_code == 200
    assert 'href="/permission/"' in client.get("/").content.decode()


def test_a_marketer_reads_the_latest_entries_without_whose_they_are(marketer):
    [purpose] = half_a_year(today(), people=3)
    page = text(marketer)
    assert "Latest entries in the ledger" in page
    assert purpose.name_en in page
    assert not re.search(r"\bP\d\b", page)
    assert not AccessLog.objects.exists()


def test_who_looks_after_consent_reads_whose_they_are_and_that_is_written_down(consent_admin):
    half_a_year(today(), people=3)
    page = text(consent_admin)
    assert {"P0", "P1", "P2"} <= set(page.split())
    seen = AccessLog.objects.order_by("customer__reference")
    assert [one.customer.reference for one in seen] == ["P0", "P1", "P2"]
    assert {one.role for one in seen} == {"Consent admin"}


def test_an_erased_customer_has_no_name_there(consent_admin):
    half_a_year(today(), people=1)
    customer = make_customers(1, start=50)[0]
    say(customer, make_tips("x"), State.REFUSED, today())
    type(customer).objects.filter(pk=customer.pk).update(
        erased_at=timezone.now(), email="", name=""
    )
    page = text(consent_admin)
    assert "erased person" in page
    assert "P50" not in page
    assert AccessLog.objects.filter(customer=customer).count() == 0


# -- What it says ---------------------------------------------------------------------------------


def test_an_empty_installation_says_what_to_do_first(marketer):
    page = text(marketer)
    assert "Nobody was asked for permission yet" in page
    assert "First say what you want to ask" in page
    assert "Opt-in rate" not in page


def test_the_rate_is_ticked_of_shown_against_the_period_before(marketer):
    half_a_year(today(), people=3)
    page = text(marketer)
    assert "1 300 times asked" in page
    assert "Up, and not by chance" in page
    assert "More say yes, and not by chance." in page
    [row] = [row for row in table(marketer, "kpis") if row[0] == "opt_in"]
    assert (row[1], row[2], row[5], row[6], row[7]) == ("1300", "60.0", "40.0", "20.0", "up")


def test_the_funnel_goes_from_asked_to_what_is_in_force(marketer):
    purpose = make_tips()
    form, wording = make_form(purpose), make_text(purpose)
    ask(form, wording, today(), 100, 60, confirmed=50)
    for n, customer in enumerate(make_customers(50)):
        say(customer, purpose, State.GIVEN, today() - timedelta(days=2))
        if n < 10:
            say(customer, purpose, State.WITHDRAWN, today() - timedelta(days=1))
    page = text(marketer)
    for words in ("40 left the box empty", "10 have not confirmed", "10 no longer hold"):
        assert words in page
    assert [row[:3] for row in table(marketer, "funnel")[1:]] == [
        ["asked", "100", "100.0"],
        ["ticked", "60", "60.0"],
        ["confirmed", "50", "50.0"],
        ["in_force", "40", "40.0"],
    ]


def test_a_step_of_the_funnel_that_tells_of_a_few_is_hidden(marketer):
    purpose = make_tips()
    ask(make_form(purpose), make_text(purpose), today(), 100, 60, confirmed=57)
    rows = table(marketer, "funnel")
    assert rows[3] == ["confirmed", "", "", "hidden"]
    assert rows[4][:2] == ["in_force", "0"]


def test_withdrawn_within_30_days_is_of_permissions_that_are_30_days_old(marketer):
    purpose = make_tips()
    make_text(purpose)
    for n, customer in enumerate(make_customers(50)):
        # 10 are too young to count; of the 40 others 8 thought again after 10 days, 4 after 40.
        say(customer, purpose, State.GIVEN, today() - timedelta(days=20 if n < 10 else 60))
        if n in range(10, 18):
            say(customer, purpose, State.WITHDRAWN, today() - timedelta(days=50))
        if n in range(18, 22):
            say(customer, purpose, State.WITHDRAWN, today() - timedelta(days=20))
    [row] = [row for row in table(marketer, "kpis") if row[0] == "withdrawn_30"]
    assert row[1:3] == ["40", "20.0"]
    assert "40 permissions of 30 days and older" in text(marketer)


def test_how_soon_it_was_taken_back(marketer):
    purpose = make_tips()
    make_text(purpose)
    for n, customer in enumerate(make_customers(40)):
        say(customer, purpose, State.GIVEN, today() - timedelta(days=60))
        say(customer, purpose, State.WITHDRAWN, today() - timedelta(days=50 if n < 30 else 20))
    assert "Half of the 40 who took back what they gave did so within 10 days." in text(marketer)
    rows = {row[0]: row[1] for row in table(marketer, "regret")}
    assert (rows["8-30"], rows["31-90"], rows["median"]) == ("30", "10", "10.0")


def test_weeks_with_a_few_are_not_shown_and_do_not_follow_from_the_total(marketer):
    purpose = make_tips()
    make_text(purpose)
    weeks = {0: 20, 1: 3, 2: 9, 3: 12}
    people = iter(make_customers(sum(weeks.values())))
    for week, number in weeks.items():
        for _ in range(number):
            say(next(people), purpose, State.GIVEN, today() - timedelta(days=7 * week))
    rows = table(marketer, "weeks", "?period=4w")[-4:]
    assert [row[2] for row in rows] == ["12", "", "", "20"]
    assert "given 44" in text(marketer, f"{PATH}?period=4w")


def test_the_purposes_have_their_own_rate_and_number_in_force(marketer):
    half_a_year(today(), purposes=2, people=40)
    page = text(marketer)
    assert "More say yes to Tips 0 and Tips 1, and not by chance" in page
    rows = table(marketer, "purposes")
    assert [row[0] for row in rows[1:]] == ["tips0", "tips1"]
    assert {row[9] for row in rows[1:]} == {"up"}
    # Of 80 customers 40 said yes to each, and those who took it back are gone.
    assert "in force" in page


def test_the_filter_leaves_one_purpose(marketer):
    half_a_year(today(), purposes=2, people=10)
    assert [row[0] for row in table(marketer, "purposes", "?purpose=tips1")[1:]] == ["tips1"]
    assert "Tips 1:" in text(marketer, f"{PATH}?purpose=tips1")
    assert "1 300 times asked" in text(marketer, f"{PATH}?purpose=tips1")


@pytest.mark.parametrize("query", ["?purpose=nothing", "?from=2026-02-01&period=own"])
def test_a_filter_that_makes_no_sense_is_said_and_no_file_is_made(marketer, query):
    half_a_year(today(), people=1)
    assert "Not all filters could be used" in text(marketer, PATH + query)
    assert marketer.get(f"/permission/tables/kpis.csv{query}").status_code == 400


# -- Texts ----------------------------------------------------------------------------------------


def test_texts_of_other_days_are_not_compared(marketer):
    purpose = make_tips()
    form, old, new = make_form(purpose), make_text(purpose, 1), make_text(purpose, 2)
    for ago in range(100, 130):
        ask(form, old, today() - timedelta(days=ago), 20, 14)
    for ago in range(30):
        ask(form, new, today() - timedelta(days=ago), 20, 8)
    page = text(marketer)
    assert "No: shown in another season than version 1" in page
    assert "No: shown in another season than version 2" in page
    assert [row[-1] for row in table(marketer, "texts")[1:]] == ["", ""]


def test_texts_of_the_same_days_get_a_verdict_that_claims_no_cause(marketer):
    purpose = make_tips()
    make_text(purpose, 1)
    form, old, new = make_form(purpose), purpose.wordings.get(), make_text(purpose, 2)
    for ago in range(30):
        ask(form, old, today() - timedelta(days=ago), 20, 8)
        ask(form, new, today() - timedelta(days=ago), 20, 14)
    page = text(marketer)
    assert "Tips and offers: more yes goes together with version 2" in page
    assert "+30.0 against version 1, and not by chance" in page
    assert "See version 2" in page
    assert [row[-1] for row in table(marketer, "texts")[1:]] == ["up", ""]


def test_another_language_is_no_other_version(marketer):
    purpose = make_tips()
    form = make_form(purpose)
    for language in ("nl", "en"):
        ask(form, make_text(purpose, 1, language), today(), 40, 20)
    assert text(marketer).count("No: there is no other version in these days") == 2


def test_still_yes_is_what_was_said_and_kept(marketer):
    purpose = make_tips()
    form, wording = make_form(purpose), make_text(purpose)
    ask(form, wording, today() - timedelta(days=60), 100, 50)
    for n, customer in enumerate(make_customers(50)):
        say(customer, purpose, State.GIVEN, today() - timedelta(days=60))
        if n < 10:
            say(customer, purpose, State.WITHDRAWN, today() - timedelta(days=50))
    [row] = table(marketer, "texts")[1:]
    assert (row[7], row[11], row[14]) == ("50.0", "20.0", "40.0")


# -- What stands ----------------------------------------------------------------------------------


def test_proof_and_who_is_never_mailed(marketer):
    purpose = make_tips()
    make_text(purpose)
    for n, customer in enumerate(make_customers(40)):
        say(customer, purpose, State.GIVEN, today(), grade="A" if n < 30 else "B", hour=0)
    make_customers(7, start=100)
    page = text(marketer)
    assert "7 customers have no proof of a yes and are never mailed" in page
    assert "40 of 40 permissions" in page
    assert table(marketer, "proof")[1:] == [
        ["A", "30", ""],
        ["B", "10", ""],
        ["C", "0", ""],
        ["D", "0", ""],
        ["none", "7", ""],
    ]
    assert "40 of 47 customers may be mailed." in page


def test_few_without_proof_are_not_counted_out(marketer):
    purpose = make_tips()
    make_text(purpose)
    for customer in make_customers(40):
        say(customer, purpose, State.GIVEN, today(), hour=0)
    make_customers(3, start=100)
    assert table(marketer, "proof")[-1] == ["none", "", "hidden"]
    page = text(marketer)
    assert "40 of 43" not in page
    assert "3 customers" not in page


def test_what_runs_out_soon(marketer):
    purpose = make_tips()
    wording = make_text(purpose, published_at=timezone.now() - timedelta(days=800))
    ends = [10] * 6 + [45] * 5 + [80] * 2
    for customer, days in zip(make_customers(13), ends, strict=True):
        on = today() - timedelta(days=730 - days)
        say(customer, purpose, State.GIVEN, on, wording=wording)
    assert table(marketer, "expiring")[1] == ["tips", "E-mail", "6", "5", "", "hidden"]
    assert "Renewal may be asked only before the last day" in text(marketer)


def test_the_ledger_is_said_to_be_unbroken_late_or_broken(marketer):
    half_a_year(today(), people=1)
    assert "Not verified yet" in text(marketer)
    LedgerCheck.objects.create(checked_at=timezone.now() - timedelta(days=3), entries=4)
    assert "Not verified for more than two days" in text(marketer)
    LedgerCheck.objects.create(checked_at=timezone.now(), entries=4)
    assert "Unbroken since" in text(marketer)
    LedgerCheck.objects.create(checked_at=timezone.now(), entries=4, finding="gap", row=2)
    page = text(marketer)
    assert "Unbroken since" not in page
    assert "An entry does not follow the one before it" in page


# -- Control --------------------------------------------------------------------------------------


def test_nobody_is_asked_about_control_yet(marketer):
    half_a_year(today(), people=1)
    page = text(marketer)
    assert "“How satisfied are you with the control you have over your data?”" in page
    assert reverse("new_touchpoint") in marketer.get(PATH).content.decode()


@pytest.mark.parametrize(
    ("question", "values", "words"),
    [
        (CONTROL[0], [1] * 30 + [0] * 10, "75 % say they have enough control over their data"),
        (CONTROL[1], [5] * 30 + [1] * 10, "75 % are satisfied with the control over their data"),
    ],
    ids=["agree", "satisfied"],
)
def test_the_share_that_has_enough_control(marketer, question, values, words):
    half_a_year(today(), people=1)
    place = make_touchpoint(scale=question.scale, question_nl=question.nl, question_en=question.en)
    give(question.scale, values, today(), touchpoint=place)
    give(question.scale, [0 if question.scale == "thumb" else 1] * 40, today())
    page = text(marketer)
    assert words in page
    assert "40 answers" in page


# -- Files, queries, freshness --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_a_file_with_its_definition(marketer, name, kind):
    half_a_year(today(), people=1)
    response = marketer.get(f"/permission/tables/{name}.{kind}")
    assert response.status_code == 200
    assert f"permission-{name}-" in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store"
    if kind == "csv":
        assert '"time_zone","Europe/Amsterdam"' in response.content.decode()


@pytest.mark.parametrize("path", ["nothing.csv", "kpis.pdf"])
def test_there_is_no_other_file(marketer, path):
    assert marketer.get(f"/permission/tables/{path}").status_code == 404


@pytest.mark.parametrize("purposes", [1, 3])
def test_the_queries_do_not_grow(marketer, django_assert_num_queries, purposes):
    half_a_year(today(), purposes=purposes, people=8)
    with django_assert_num_queries(QUERIES):
        marketer.get(PATH)


def test_a_page_that_did_not_change_is_not_sent_again(marketer):
    [purpose] = half_a_year(today(), people=2)
    assert is_kept(marketer, PATH)
    [customer] = make_customers(1, start=500)
    assert not is_kept(marketer, PATH, lambda: say(customer, purpose, State.GIVEN, today(), hour=0))
    form, wording = make_form(purpose, "till"), purpose.wordings.get()
    assert not is_kept(marketer, PATH, lambda: ask(form, wording, today(), 1, 0))


def test_a_year_is_drawn_in_months_and_a_year_before_is_a_year_before(marketer):
    half_a_year(today(), people=1)
    assert "per month" in text(marketer, f"{PATH}?period=12m")
    assert marketer.get(f"{PATH}?period=4w&against=year").status_code == 200
    assert len(table(marketer, "weeks", "?period=4w")[1:]) == 8


def test_the_overview_has_the_tabs_of_its_neighbours(consent_admin):
    page = consent_admin.get(PATH).content.decode()
    for name in (
        "permission_purposes",
        "permission_forms",
        "requests",
        "invalidations",
        "register",
    ):
        assert f'href="{reverse(name)}"' in page
    neighbour = consent_admin.get(reverse("invalidations")).content.decode()
    assert f'href="{PATH}">Overview</a>' in neighbour


def test_the_bar_of_proof_names_its_grades(marketer):
    half_a_year(today(), people=45)
    page = marketer.get(PATH).content.decode()
    assert re.search(r'<text x="[0-9.]+%" y="19" dx="8" class="on-b[a-z-]*">[ABC] \d+', page)
