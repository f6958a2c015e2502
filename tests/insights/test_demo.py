"""The demo shop: always the same, always fresh, with a story to find, and only where it may."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import Category, Customer, CustomerType, Product, Purchase
from customers.queries import clocks, histories
from feedback.models import Invitation, Response, Tally, TouchedSlice, Touchpoint
from feedback.queries import waiting_changes
from feedback.services import Answer, add_responses
from insights.accounts import Role
from insights.dashboard.selection import preset
from insights.demo import PASSWORD
from insights.demo.life import Calendar, Person, people
from insights.demo.shop import CONTENTS, LOGINS, SEED, load_demo
from insights.demo.story import DEPARTMENTS, SLIDING
from insights.demo.talk import Talk
from insights.kpis import MIN_VERDICT, Verdict
from insights.queries import KpiRow, counted_at, kpi_rows

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, 43, tzinfo=AMSTERDAM)


# -- Always the same ------------------------------------------------------------------------------


def tell(seed: int, today: date) -> tuple[list[Person], Talk]:
    calendar = Calendar(today, AMSTERDAM)
    persons = people(seed, calendar)
    return persons, Talk(seed, persons, calendar)


@pytest.fixture(scope="module")
def told() -> tuple[list[Person], Talk]:
    return tell(SEED, TODAY)


def test_the_same_seed_and_day_tell_the_same_story(told):
    persons, talk = told
    again, talked_again = tell(SEED, TODAY)
    assert again == persons
    assert (talked_again.asks, talked_again.replies) == (talk.asks, talk.replies)


def test_a_later_day_tells_the_same_story_later(told):
    """Also in another year, and when the clock changes on that day."""
    later = date(2027, 3, 28)
    _, moved = tell(SEED, later)
    days = later - TODAY
    assert [(r.value, r.comment, r.at.date() - days, r.at.time()) for r in moved.replies] == [
        (r.value, r.comment, r.at.date(), r.at.time()) for r in told[1].replies
    ]


def test_another_seed_tells_another_story(told):
    assert people(SEED + 1, Calendar(TODAY, AMSTERDAM)) != told[0]


# -- Only where it may, and everything or nothing -------------------------------------------------


def contents() -> dict[str, int]:
    return {name: model._default_manager.count() for name, model in CONTENTS.items()}


def hold_customers() -> None:
    Customer.objects.create(reference="C1", created_at=NOW)


def hold_answers() -> None:
    add_responses([Answer(key="a", scale="nps", value=9, answered_at=NOW)])


def hold_products() -> None:
    Product.objects.create(sku="P1")


def hold_logins() -> None:
    User.objects.create_user("noor@example.org")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hold", "name"),
    [
        (hold_customers, "customers"),
        (hold_answers, "answers"),
        (hold_products, "products"),
        (hold_logins, "logins"),
    ],
)
def test_a_database_that_holds_something_is_refused_and_stays_as_it_is(hold, name):
    hold()
    before = contents()
    with pytest.raises(CommandError, match=rf"already holds {name}.* VAR_DIR=") as refusal:
        call_command("load_demo")
    assert refusal.value.returncode == 1
    assert contents() == before


@pytest.mark.django_db
def test_production_is_refused(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match=r"PRODUCTION is set.* VAR_DIR=") as refusal:
        call_command("load_demo")
    assert refusal.value.returncode == 1
    assert set(contents().values()) == {0}


@pytest.mark.django_db
def test_an_interrupted_load_leaves_nothing():
    def interrupt(progress: str) -> None:
        if "answers" in progress:
            assert Purchase.objects.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_demo(today=TODAY, say=interrupt)
    assert set(contents().values()) == {0}


# -- What it holds --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shop:
    today: date
    document: dict[str, int]
    progress: str


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker) -> Iterator[Shop]:
    """The shop as the command loads it, once for all tests below; each of them is undone."""
    output, progress = StringIO(), StringIO()
    with django_db_blocker.unblock(), transaction.atomic():
        today = timezone.localdate()
        call_command("load_demo", "--json", stdout=output, stderr=progress)
        yield Shop(today, json.loads(output.getvalue()), progress.getvalue())
        transaction.set_rollback(True)


def in_the_last_13_weeks(shop: Shop, kpi: str, dimension: str | None = None) -> list[KpiRow]:
    period = preset("13w", shop.today)
    return kpi_rows(kpi, period.start, period.end, dimension=dimension, compare=True)


@pytest.mark.django_db
def test_the_command_says_what_it_does_and_prints_one_document(shop):
    assert shop.document == {
        "customers": Customer.objects.count(),
        "purchases": Purchase.objects.count(),
        "invitations": Invitation.objects.count(),
        "answers": Response.objects.count(),
    }
    assert shop.document["customers"] == 2000
    assert 9_000 <= shop.document["invitations"] + shop.document["answers"] <= 12_000
    assert "Writing 2,000 customers" in shop.progress
    assert "Counting" in shop.progress


@pytest.mark.django_db
def test_a_year_ends_yesterday(shop):
    days = [
        *(
            timezone.localdate(at, AMSTERDAM)
            for at in Purchase.objects.values_list("purchased_at", flat=True)
        ),
        *(
            timezone.localdate(at, AMSTERDAM)
            for at in Customer.objects.values_list("created_at", flat=True)
        ),
        *Response.objects.values_list("answered_on", flat=True),
        *Invitation.objects.values_list("invited_on", flat=True),
    ]
    assert max(days) == shop.today - timedelta(days=1)
    assert min(days) == shop.today - timedelta(days=365)


@pytest.mark.django_db
def test_categories_are_rated_from_high_to_low(shop):
    rated = Category.objects.filter(rated_at__isnull=False).exclude(rated_how="")
    levels = Counter(rated.values_list("involvement", flat=True))
    assert levels == {"high": 2, "medium": 3, "low": 3}
    assert set(Touchpoint.objects.values_list("scale", flat=True)) == {
        "thumb",
        "nps",
        "csat",
        "ces",
    }


@pytest.mark.django_db
def test_everybody_in_it_is_obviously_made_up(shop):
    assert not Customer.objects.exclude(email__endswith="@demo.example").exists()
    assert not Customer.objects.exclude(reference__regex=r"^D\d{5}$").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Customer, Response, Invitation])
def test_all_customer_types_occur(shop, model):
    """Prospects and lapsed customers bought nothing lately, so they are not asked by mail."""
    types = set(model.objects.values_list("customer_type", flat=True)) - {""}
    unasked = {"prospect", "lapsed"} if model is Invitation else set()
    assert types == set(CustomerType.values) - unasked


@pytest.mark.django_db
def test_the_stored_type_is_the_one_of_today(shop):
    pooled = clocks(shop.today)
    known = histories(shop.today, Customer.objects.values_list("pk", flat=True))
    stored = dict(Customer.objects.values_list("pk", "customer_type"))
    assert stored == {pk: known[pk].label(pooled, shop.today).type for pk in stored}


@pytest.mark.django_db
def test_an_answer_has_the_type_of_its_own_day(shop):
    """Whoever bought for the first time that day was still a prospect, and is no longer."""
    first_timers = Response.objects.filter(customer_type="prospect").exclude(
        customer__customer_type="prospect"
    )
    assert first_timers.exists()
    for response in first_timers[:20]:
        first = response.customer.purchases.earliest("purchased_at")
        assert timezone.localdate(first.purchased_at, AMSTERDAM) == response.answered_on


# -- Counted --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("dimension", ["category", "product", "channel", "customer_type"])
def test_the_tallies_equal_a_count_over_the_answers(shop, dimension):
    column = dimension if dimension in {"channel", "customer_type"} else f"{dimension}_id"
    counted = Response.objects.values_list(column, "scale", "answered_on", "value")
    raw = {(str(key), *rest): n for key, *rest, n in counted.annotate(n=Count("pk")).order_by()}
    tallies = Tally.objects.filter(dimension=dimension).exclude(measure="invited").exclude(n=0)
    assert {
        (*key,): n for *key, n in tallies.values_list("key", "measure", "day", "value", "n")
    } == raw


@pytest.mark.django_db
def test_the_tallies_know_who_was_asked_and_who_answered(shop):
    tallies = Tally.objects.filter(dimension="", measure="invited")
    asked = Counter()
    for value, n in tallies.values_list("value", "n"):
        asked[value] += n
    answered = Response.objects.filter(invitation__isnull=False).count()
    assert asked == {1: answered, 0: Invitation.objects.count() - answered}


@pytest.mark.django_db
def test_pages_have_nothing_to_wait_for_and_the_worker_finds_its_work(shop):
    assert counted_at() is not None
    assert waiting_changes() == 0
    assert TouchedSlice.objects.exists()


# -- The story ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["nps", "thumbs"])
def test_smartphones_went_down_and_the_other_categories_held(shop, kpi):
    rows = in_the_last_13_weeks(shop, kpi, "category")
    found = {row.label: row.verdict for row in rows}
    assert set(found) == {department.name for department in DEPARTMENTS}
    assert found.pop(SLIDING) == Verdict.DOWN
    assert set(found.values()) == {Verdict.NO_CHANGE, Verdict.TOO_FEW}
    assert Counter(found.values())[Verdict.NO_CHANGE] >= 5


@pytest.mark.django_db
def test_the_whole_went_down_with_it(shop):
    verdicts = {
        kpi: in_the_last_13_weeks(shop, kpi)[0].verdict
        for kpi in ("nps", "thumbs", "csat", "ces", "response_rate")
    }
    assert verdicts == {
        "nps": Verdict.DOWN,
        "thumbs": Verdict.DOWN,
        "csat": Verdict.NO_CHANGE,
        "ces": Verdict.NO_CHANGE,
        "response_rate": Verdict.NO_CHANGE,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["nps", "thumbs", "response_rate"])
def test_one_category_is_too_small_for_a_verdict_and_large_enough_to_show(shop, kpi):
    rows = in_the_last_13_weeks(shop, kpi, "category")
    small = next(row for row in rows if row.label == "Cadeaubonnen")
    assert 5 <= small.figure.n < MIN_VERDICT


@pytest.mark.django_db
def test_one_time_buyers_answer_less(shop):
    rows = in_the_last_13_weeks(shop, "response_rate", "customer_type")
    rates = {row.slice: row.figure for row in rows}
    assert rates["one_time"].high < rates["regular"].low


@pytest.mark.django_db
def test_mail_is_answered_a_little_more_happily_than_the_web(shop):
    rates = {row.slice: row.figure.value for row in in_the_last_13_weeks(shop, "nps", "channel")}
    assert 0 < rates["email"] - rates["web"] < 20


# -- Looking around -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("account", "name", "role"), LOGINS, ids=[role for *_, role in LOGINS])
def test_the_printed_login_opens_the_overview(shop, account, name, role):
    client, email = Client(), f"{account}@demo.example"
    shown = client.get(reverse("account_login")).content.decode()
    assert email in shown
    assert PASSWORD in shown
    response = client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    assert (response.status_code, response.url) == (302, reverse("overview"))
    page = client.get(reverse("overview")).content.decode()
    assert name in page
    assert SLIDING in page
    user = User.objects.get(email=email)
    assert [group.name for group in user.groups.all()] == [role]
    assert user.is_staff is user.is_superuser is (role == Role.ADMINISTRATOR)


@pytest.mark.django_db
def test_a_second_load_is_refused_and_changes_nothing(shop):
    before = contents()
    with pytest.raises(CommandError, match="already holds customers, categories, products"):
        call_command("load_demo")
    assert contents() == before
