"""The demo shop: always the same, always fresh, with stories to find, and only where it may."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import (
    Category,
    ConsentEntry,
    Contact,
    Customer,
    CustomerType,
    Decision,
    Product,
    Purchase,
)
from customers.plans import Plan
from customers.queries import clocks, histories
from customers.reach import funnel
from customers.starting_policy import CEILINGS, TOUCHES
from feedback.models import (
    Campaign,
    Exposure,
    Invitation,
    Reason,
    Response,
    TouchedSlice,
    Touchpoint,
)
from feedback.queries import waiting_changes
from feedback.services import Answer, add_responses
from insights import queries
from insights.accounts import Role
from insights.dashboard.reasons import SHARE
from insights.dashboard.selection import preset
from insights.demo import PASSWORD, words
from insights.demo.life import Calendar, Person, people
from insights.demo.progress import Progress
from insights.demo.shop import CONTENTS, LOGINS, SEED, load_demo
from insights.demo.story import (
    ALL_PLACES,
    COURIER_DAYS,
    DAYS,
    DEPARTMENTS,
    MY_DATA,
    PRODUCT_PAGE,
    SLIDE_DAYS,
    SLIDING,
    TIPS_MAIL,
    WEEKLY_DAYS,
)
from insights.demo.talk import Talk
from insights.demo.words import ABOUT_THE_WAIT, ABOUT_THE_WAIT_AHEAD, WAITING_IN_ENGLISH, Voice
from insights.kpis import KPIS, MIN_VERDICT, Figure, Verdict, change, figure, holm
from insights.models import Annotation
from insights.periods import Period
from insights.queries import KpiRow, counted_at, kpi_rows
from tests.feedback.recount import check_folded

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, 43, tzinfo=AMSTERDAM)
# A shop with a twentieth of the customers, where the whole one would tell nothing more.
SMALL = 20


# -- Always the same ------------------------------------------------------------------------------


def tell(seed: int, today: date) -> tuple[list[Person], Talk]:
    calendar = Calendar(today, AMSTERDAM)
    persons = people(seed, calendar, SMALL)
    return persons, Talk(seed, persons, calendar)


@pytest.fixture(scope="module")
def told() -> tuple[list[Person], Talk]:
    return tell(SEED, TODAY)


def test_the_same_seed_and_day_tell_the_same_story(told):
    persons, talk = told
    again, talked_again = tell(SEED, TODAY)
    assert again == persons
    assert (talked_again.asks, talked_again.replies) == (talk.asks, talk.replies)
    assert (talked_again.mailings, talked_again.shown) == (talk.mailings, talk.shown)


def test_a_later_day_tells_the_same_story_later(told):
    """Also in another year, and when the clock changes on that day."""
    later = date(2027, 3, 28)
    _, moved = tell(SEED, later)
    days = later - TODAY
    assert [(r.value, r.comment, r.at.date() - days, r.at.time()) for r in moved.replies] == [
        (r.value, r.comment, r.at.date(), r.at.time()) for r in told[1].replies
    ]


def test_another_seed_tells_another_story(told):
    assert people(SEED + 1, Calendar(TODAY, AMSTERDAM), SMALL) != told[0]


# -- How far it is --------------------------------------------------------------------------------


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def three_steps(stream: StringIO) -> str:
    progress = Progress(OutputWrapper(stream))
    progress.step("Baking", 50)
    assert list(progress.track(range(1000))) == list(range(1000))
    progress.step("Cooling", 80)
    progress.step("Wrapping", 100)
    progress.finish()
    return stream.getvalue()


def test_a_log_gets_a_line_for_each_step():
    assert three_steps(StringIO()) == "  0 %  Baking\n 50 %  Cooling\n 80 %  Wrapping\n100 %\n"


def test_a_terminal_gets_one_line_that_moves_and_goes_away():
    drawn = three_steps(Terminal()).split("\r\033[K")
    assert [int(percent) for line in drawn for percent in re.findall(r"(\d+) %", line)] == [
        *range(51),
        80,
    ]
    assert drawn[1] == "  [........................]   0 %  Baking"
    assert drawn[-2] == "  [###################.....]  80 %  Wrapping"
    assert drawn[-1] == ""
    assert "\n" not in "".join(drawn)


# -- Only where it may, and everything or nothing -------------------------------------------------


def contents() -> dict[str, int]:
    return {name: model._default_manager.count() for name, model in CONTENTS.items()}


def hold_customers() -> None:
    Customer.objects.create(reference="C1", created_at=NOW)


def hold_answers() -> None:
    add_responses([Answer(key="a", scale="nps", value=9, answered_at=NOW)])


def hold_products() -> None:
    Product.objects.create(sku="P1")


def hold_campaigns() -> None:
    Campaign.objects.create(key="a", name="Spring", created_at=NOW)


def hold_logins() -> None:
    User.objects.create_user("noor@example.org")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hold", "name"),
    [
        (hold_customers, "customers"),
        (hold_answers, "answers"),
        (hold_products, "products"),
        (hold_campaigns, "campaigns"),
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


class Interrupted(StringIO):
    """Where nothing more can be written once the answers are stored."""

    def write(self, text: str) -> int:
        if "Counting" in text:
            assert Purchase.objects.exists()
            assert Response.objects.exists()
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.django_db
def test_an_interrupted_load_leaves_nothing():
    with pytest.raises(KeyboardInterrupt):
        load_demo(today=TODAY, progress=Progress(OutputWrapper(Interrupted())), one_in=SMALL)
    assert set(contents().values()) == {0}
    assert not Exposure.objects.exists()


@pytest.mark.django_db
def test_a_smaller_shop_has_fewer_customers_of_each_kind():
    loaded = load_demo(today=TODAY, progress=Progress(OutputWrapper(StringIO())), one_in=SMALL)
    assert loaded.customers == Customer.objects.count() == 20_000 // SMALL
    assert set(Customer.objects.values_list("customer_type", flat=True)) == {*CustomerType.values}
    check_folded()


# -- What it holds --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shop:
    today: date
    document: dict[str, int]
    progress: str

    def days_ago(self, first: int, last: int = 0) -> Period:
        """The days from so many days ago until so many days ago, the last not included."""
        return Period(self.today - timedelta(days=first), self.today - timedelta(days=last))


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker) -> Iterator[Shop]:
    """The shop as the command loads it, once for all tests below; each of them is undone."""
    output, progress = StringIO(), StringIO()
    with django_db_blocker.unblock(), transaction.atomic():
        today = timezone.localdate()
        call_command("load_demo", "--json", stdout=output, stderr=progress)
        # Now, and not again after each test: it takes PostgreSQL seconds.
        connection.check_constraints()
        yield Shop(today, json.loads(output.getvalue()), progress.getvalue())
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_command_says_what_it_does_and_prints_one_document(shop):
    assert shop.document == {
        "customers": Customer.objects.count(),
        "purchases": Purchase.objects.count(),
        "invitations": Invitation.objects.count(),
        "answers": Response.objects.count(),
        "consents": ConsentEntry.objects.count(),
        "contacts": Contact.objects.count(),
    }
    assert 40_000 <= shop.document["contacts"] <= 150_000
    assert shop.document["customers"] == 20_000
    assert 50_000 <= shop.document["consents"] <= 70_000
    assert 60_000 <= shop.document["purchases"] <= 90_000
    assert 25_000 <= shop.document["answers"] <= 40_000
    assert "Asking 20,000 customers" in shop.progress
    assert shop.progress.endswith("100 %\n")


@pytest.mark.django_db
def test_since_there_is_a_dose_nobody_gets_more_than_allowed_and_before_many_did(shop):
    dosed = Contact.objects.filter(kind__in=TOUCHES, policy__isnull=False)
    since = dosed.earliest("sent_at").sent_at
    over = {True: 0, False: 0}
    mine: dict[int, list] = {}
    for contact in Contact.objects.filter(kind__in=TOUCHES).order_by("sent_at"):
        limit, days = CEILINGS[contact.customer_type.replace("contract", "regular")][1], 7
        before = mine.setdefault(contact.customer_id, [])
        window = [at for at in before if at > contact.sent_at - timedelta(days=days)]
        asked = contact.kind.startswith("ask_")
        if len(window) >= limit and not asked:
            over[contact.sent_at >= since] += 1
        before.append(contact.sent_at)
    assert over[True] == 0
    assert over[False] > 500
    assert Decision.objects.filter(code="CAP_REACHED").count() > 1_000


@pytest.mark.django_db
def test_some_customers_are_at_their_limit_and_some_may_be_reached(shop):
    noon = timezone.make_aware(datetime.combine(shop.today, datetime.min.time())) + timedelta(
        hours=12
    )
    found = funnel(Plan(channel="email", kind="promotion"), noon)
    assert found.total == 20_000
    assert found.over_dose > 500
    assert found.now + found.quiet > 500


@pytest.mark.django_db
def test_two_years_end_yesterday(shop):
    days = [
        *(
            timezone.localdate(at, AMSTERDAM)
            for at in Purchase.objects.values_list("purchased_at", flat=True)
        ),
        *Response.objects.values_list("answered_on", flat=True),
        *Invitation.objects.values_list("invited_on", flat=True),
        *Exposure.objects.values_list("day", flat=True),
    ]
    assert max(days) == shop.today - timedelta(days=1)
    assert min(days) == shop.today - timedelta(days=DAYS)


@pytest.mark.django_db
def test_categories_are_rated_from_high_to_low(shop):
    rated = Category.objects.filter(rated_at__isnull=False).exclude(rated_how="")
    levels = Counter(rated.values_list("involvement", flat=True))
    assert levels == {"high": 4, "medium": 4, "low": 4}


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
def test_most_customers_bought_once_or_now_and_then(shop):
    bought = Counter(Purchase.objects.filter(quantity__gt=0).values_list("customer_id", "order"))
    orders = Counter(customer for customer, _ in bought)
    assert sum(n == 1 for n in orders.values()) > len(orders) / 2
    assert max(orders.values()) > 10


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
    for response in first_timers.filter(product__isnull=False)[:20]:
        first = response.customer.purchases.earliest("purchased_at")
        assert timezone.localdate(first.purchased_at, AMSTERDAM) == response.answered_on


# -- Where it asks --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_touchpoint_asks_in_two_languages_and_has_answers(shop):
    touchpoints = {one.name: one for one in Touchpoint.objects.all()}
    assert set(touchpoints) == {place.name for place in ALL_PLACES}
    assert {one.scale for one in touchpoints.values()} == {"thumb", "nps", "csat", "ces"}
    assert all(one.question_nl and one.question_en for one in touchpoints.values())
    answered = set(Response.objects.values_list("touchpoint_id", flat=True))
    assert answered == {one.pk for one in touchpoints.values()}
    tips, control = touchpoints[TIPS_MAIL.name], touchpoints[MY_DATA.name]
    assert (tips.question_nl, tips.labels) == ("Wat vond je van deze e-mail?", "good")
    assert (control.question_nl, control.labels) == (
        "Ik heb genoeg controle over mijn gegevens",
        "agree",
    )


def seen(kind: str) -> dict[tuple[int, int, date], int]:
    rows = Exposure.objects.filter(kind=kind)
    return {
        (touchpoint, campaign, day): n
        for touchpoint, campaign, day, n in rows.values_list(
            "touchpoint_id", "campaign_id", "day", "n"
        )
    }


def answers_given(**where) -> Counter:
    rows = Response.objects.filter(**where)
    return Counter(
        (touchpoint, campaign or 0, day)
        for touchpoint, campaign, day in rows.values_list(
            "touchpoint_id", "campaign_id", "answered_on"
        )
    )


@pytest.mark.django_db
def test_showings_are_counted_at_one_page_and_agree_with_its_answers(shop):
    assert seen("answered") == answers_given(touchpoint__counts_exposures=True)
    shown = seen("shown")
    assert len(shown) == DAYS
    assert all(shown[place] >= n for place, n in seen("answered").items())
    assert Touchpoint.objects.get(counts_exposures=True).name == PRODUCT_PAGE.name


@pytest.mark.django_db
def test_links_in_mails_are_counted_by_campaign_and_agree_with_the_answers(shop):
    assert seen("confirmed") == answers_given(campaign__isnull=False)
    opened = seen("opened")
    assert all(opened[place] >= n for place, n in seen("confirmed").items())
    assert {campaign for _, campaign, _ in opened} == {
        *Campaign.objects.values_list("pk", flat=True)
    }
    sent = Campaign.objects.filter(created_at__date__gte=shop.days_ago(WEEKLY_DAYS).start)
    assert sent.count() == WEEKLY_DAYS // 7
    assert not Response.objects.filter(touchpoint__name=TIPS_MAIL.name, campaign=None).exists()


# -- What people say ------------------------------------------------------------------------------


VOICES = {name: voice for name, voice in vars(words).items() if isinstance(voice, Voice)}
IN_ENGLISH = {"IN_ENGLISH": 20, "WAITING_IN_ENGLISH": 6}


@pytest.mark.parametrize("name", VOICES)
def test_a_voice_has_enough_to_say(name):
    voice = VOICES[name]
    sentences = [*voice.happy, *voice.neutral, *voice.unhappy]
    assert len(set(sentences)) == len(sentences) >= IN_ENGLISH.get(name, 25)


@pytest.mark.django_db
def test_some_say_why_and_hardly_two_say_the_same(shop):
    answers = shop.document["answers"]
    assert 0.25 < Response.objects.exclude(reason="").count() / answers < 0.35
    comments = Counter(Response.objects.exclude(comment="").values_list("comment", flat=True))
    assert 0.08 < comments.total() / answers < 0.15
    assert len(comments) > 1_000
    assert max(comments.values()) < 60
    languages = Response.objects.exclude(comment="").values_list("language", flat=True)
    assert set(languages) == {"nl", "en"}


# -- Counted --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_tallies_equal_a_count_over_the_answers(shop):
    check_folded()


@pytest.mark.django_db
def test_pages_have_nothing_to_wait_for_and_the_worker_finds_its_work(shop):
    assert counted_at() is not None
    assert waiting_changes() == 0
    assert TouchedSlice.objects.exists()


# -- The stories ----------------------------------------------------------------------------------


def rows_of(
    kpi: str, period: Period, dimension: str | None = None, where: Mapping[str, str] | None = None
) -> list[KpiRow]:
    """The rows as a page shows them: compared with the period before, with Holm's verdicts."""
    return kpi_rows(
        kpi, period.start, period.end, dimension=dimension, where=where, compare="previous"
    )


def verdicts_of(kpi: str, period: Period, dimension: str, **where: str) -> dict[str, Verdict]:
    return {row.slice: row.verdict for row in rows_of(kpi, period, dimension, where)}


def figures_of(kpi: str, period: Period, dimension: str) -> dict[str, Figure]:
    return {row.slice: row.figure for row in rows_of(kpi, period, dimension)}


def proven_less(kpi: str, pairs: list[tuple[Figure, Figure]]) -> bool:
    """Whether the first of each pair is lower than the second, tested together."""
    moves = [change(KPIS[kpi], less, more) for less, more in pairs]
    return all(move.low > 0 for move in moves) and all(holm([move.p for move in moves]))


HELD = {Verdict.NO_CHANGE, Verdict.TOO_FEW}


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["nps", "thumbs"])
def test_smartphones_went_down_and_the_other_categories_held(shop, kpi):
    found = verdicts_of(kpi, preset("13w", shop.today), "category")
    # Some thumbs are about no category: those under a mail, and about what we do with data.
    assert set(found) - {""} == {department.name for department in DEPARTMENTS}
    assert found.pop(SLIDING) == Verdict.DOWN
    assert set(found.values()) <= HELD
    assert Counter(found.values())[Verdict.NO_CHANGE] >= 10


@pytest.mark.django_db
def test_the_whole_went_down_with_it_and_as_many_answered(shop):
    period = preset("13w", shop.today)
    verdicts = {kpi: rows_of(kpi, period)[0].verdict for kpi in KPIS}
    assert verdicts["nps"] == Verdict.DOWN
    assert verdicts["response_rate"] == Verdict.NO_CHANGE
    assert Verdict.UP not in verdicts.values()


@pytest.mark.django_db
def test_it_has_gone_down_since_a_day(shop):
    """The ten weeks since that day against those before it; and these against those before."""
    since, before = shop.days_ago(SLIDE_DAYS), shop.days_ago(2 * SLIDE_DAYS, SLIDE_DAYS)
    assert verdicts_of("nps", since, "category")[SLIDING] == Verdict.DOWN
    assert verdicts_of("nps", before, "category")[SLIDING] == Verdict.NO_CHANGE


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["nps", "thumbs"])
def test_it_went_down_among_regular_customers(shop, kpi):
    period = preset("13w", shop.today)
    found = verdicts_of(kpi, period, "customer_type", category=SLIDING)
    assert found.pop("regular") == Verdict.DOWN
    assert set(found.values()) <= HELD


@pytest.mark.django_db
def test_they_say_that_it_takes_too_much_effort_and_that_they_wait(shop):
    where = {"category": SLIDING, "customer_type": "regular"}
    since, before = shop.days_ago(SLIDE_DAYS), shop.days_ago(2 * SLIDE_DAYS, SLIDE_DAYS)
    given = [effort_in(period, where) for period in (before, since)]
    move = change(SHARE, *given)
    assert move.low > 0
    assert move.p < 0.01
    comments = [answer.comment for answer in queries.comments("nps", since, where)[:10]]
    waiting = [*ABOUT_THE_WAIT.unhappy, *ABOUT_THE_WAIT_AHEAD.unhappy, *WAITING_IN_ENGLISH.unhappy]
    assert len(comments) == 10
    assert sum(says_one_of(waiting, comment) for comment in comments) >= 5


def effort_in(period: Period, where: Mapping[str, str]) -> Figure:
    return share_of(Reason.EFFORT, "nps", period, where)


def share_of(reason: str, kpi: str, period: Period, where: Mapping[str, str]) -> Figure:
    """How many of the answers with a reason gave this one."""
    given: Counter[str] = Counter()
    for reasons in queries.reasons(kpi, period, "touchpoint", where).values():
        given.update(reasons)
    return figure(SHARE, {"this": given[reason], "another": given.total() - given[reason]})


def says_one_of(sentences: list[str], comment: str) -> bool:
    """Whether it is in the comment, which may have been written in a hurry."""
    return any(sentence.lower().rstrip(".") in comment.lower() for sentence in sentences)


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["nps", "thumbs", "response_rate"])
def test_one_category_is_too_small_for_a_verdict_and_large_enough_to_show(shop, kpi):
    found = figures_of(kpi, preset("13w", shop.today), "category")
    assert 5 <= found["Cadeaubonnen"].n < MIN_VERDICT


@pytest.mark.django_db
@pytest.mark.parametrize("kpi", ["response_rate", "nps"])
@pytest.mark.parametrize("period", ["13w", "12m"])
def test_one_time_buyers_answer_less_and_are_less_happy(shop, kpi, period):
    """Than regular customers, also while those have to wait for their phones."""
    found = figures_of(kpi, preset(period, shop.today), "customer_type")
    assert proven_less(
        kpi, [(found["one_time"], found[other]) for other in ("regular", "occasional")]
    )


@pytest.mark.django_db
@pytest.mark.parametrize("period", ["13w", "12m"])
def test_mail_is_answered_more_happily_than_the_web(shop, period):
    found = figures_of("nps", preset(period, shop.today), "channel")
    assert set(found) == {"email", "web"}
    assert proven_less("nps", [(found["web"], found["email"])])


@pytest.mark.django_db
def test_too_often_grows_where_the_mail_grew(shop):
    """The share of the reasons, before and after the tips began to come every week."""
    before, since = shop.days_ago(2 * WEEKLY_DAYS, WEEKLY_DAYS), shop.days_ago(WEEKLY_DAYS)
    moves = {
        place.name: change(
            SHARE,
            *(
                share_of(Reason.TOO_OFTEN, "thumbs", period, {"touchpoint": place.name})
                for period in (before, since)
            ),
        )
        for place in ALL_PLACES
        if place.scale == "thumb"
    }
    grew = moves.pop(TIPS_MAIL.name)
    assert grew.change > 10
    assert grew.low > 0
    assert grew.p < 0.001
    assert all(move.change == 0 for move in moves.values())
    sent = [
        Campaign.objects.filter(
            created_at__date__gte=period.start, created_at__date__lt=period.end
        ).count()
        for period in (before, since)
    ]
    assert sent == [5, 20]


@pytest.mark.django_db
def test_the_marketer_noted_what_the_shop_did_on_the_day_itself(shop):
    notes = [*Annotation.objects.select_related("created_by")]
    assert [(note.on, note.text) for note in notes] == [
        (shop.days_ago(COURIER_DAYS).start, "Nieuwe bezorgdienst"),
        (shop.days_ago(WEEKLY_DAYS).start, "Tips per mail: voortaan elke week"),
        (shop.days_ago(SLIDE_DAYS).start, "Smartphones: nieuwe leverancier"),
    ]
    assert {note.created_by.email for note in notes} == {"marketer@demo.example"}
    assert all(timezone.localdate(note.created_at, AMSTERDAM) == note.on for note in notes)
    # The first of the weekly mails went out on that day, the one before four weeks earlier.
    sent = [
        at.date() for at in Campaign.objects.order_by("pk").values_list("created_at", flat=True)
    ]
    at = sent.index(notes[1].on)
    assert [(later - sooner).days for sooner, later in pairwise(sent[at - 1 : at + 3])] == [
        28,
        7,
        7,
    ]


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
