"""What a page says when it has little or nothing to show, or when something went wrong."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from django.views.defaults import permission_denied
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Category
from insights import services
from insights.accounts import DEMO_DOMAIN, Role
from insights.dashboard.figures import Shown
from insights.dashboard.pace import days_to_go, pace_words
from insights.dashboard.selection import Selection, preset
from insights.kpis import KPIS, figure
from insights.logs import PrivateFormatter
from insights.periods import Period
from insights.references import current_reference, new_reference, referred_to_as
from insights.templatetags.numbers import day
from tests.insights.test_views import give, make_user

TODAY = date(2026, 11, 24)  # a Tuesday
CODE = r"[0-9A-F]{4}-[0-9A-F]{4}"
ERROR = "the text of the error"

both_languages = pytest.mark.parametrize("language", ["nl", "en"])


def speaking(language: str, **given) -> Client:
    browser = Client(**given)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return browser


def signed_in(language: str = "nl", role: str = Role.MARKETER, **given) -> Client:
    browser = speaking(language, **given)
    browser.force_login(make_user(role=role))
    return browser


def text_of(response) -> str:
    """What a reader reads in the main part, in one line."""
    main = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def make_administrator(name: str, **given) -> User:
    email = given.pop("email", f"{name.lower()}@example.org")
    user = User.objects.create_user(username=email, email=email, first_name=name, **given)
    services.assign_role(user, Role.ADMINISTRATOR)
    return user


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the console handler of the product prints."""
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, PrivateFormatter)
    )
    text = io.StringIO()
    stream = console.setStream(text)
    yield text
    console.setStream(stream)


@contextmanager
def no_answer_from(table: str = "") -> Iterator[None]:
    """Let the database fail whenever this is asked for; anything without a name."""

    def fail(execute, sql, params, many, context):
        if table in sql:
            raise OperationalError(ERROR)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


# -- How long until there is a figure --------------------------------------------------------------

FOUR_WEEKS = preset("4w", TODAY)


@pytest.mark.parametrize(
    ("n", "before", "period", "days"),
    [
        pytest.param(11, 9, FOUR_WEEKS, 49, id="19 more, 28 days for 11"),
        pytest.param(29, 1, FOUR_WEEKS, 1, id="the last one"),
        pytest.param(5, 7, preset("13w", TODAY), 455, id="slowly"),
        pytest.param(10, 5, preset("month", TODAY), 48, id="a month of 24 days so far"),
        pytest.param(30, 9, FOUR_WEEKS, None, id="enough"),
        pytest.param(0, 9, FOUR_WEEKS, None, id="none"),
        pytest.param(11, 0, FOUR_WEEKS, None, id="nothing before, so they began in between"),
        pytest.param(11, 9, preset("last_month", TODAY), None, id="a period that is over"),
        pytest.param(
            11, 9, Period(TODAY, TODAY + timedelta(days=7)), None, id="one that runs on after today"
        ),
    ],
)
def test_the_pace_is_that_of_a_period_up_to_today(n, before, period, days):
    assert days_to_go(n, before, period, TODAY) == days


@given(n=st.integers(1, 29), so_far=st.integers(1, 3_650))
def test_after_those_days_and_no_sooner_there_are_thirty(n, so_far):
    period = Period(TODAY - timedelta(days=so_far - 1), TODAY + timedelta(days=1))
    days = days_to_go(n, 1, period, TODAY)
    assert n * (so_far + days) >= 30 * so_far
    assert n * (so_far + days - 1) < 30 * so_far


def few(n: int, before: int = 9, kpi: str = "thumbs") -> Shown:
    counts = dict.fromkeys(KPIS[kpi].outcomes, 0)
    now, then = (figure(KPIS[kpi], counts | {KPIS[kpi].positive: size}) for size in (n, before))
    return Shown(kpi, now, then, None, None, None, hidden=False)


def chosen(period: Period) -> Selection:
    return Selection(period, "own", {}, {}, "thumbs", "category", TODAY)


A_DAY = Period(TODAY, TODAY + timedelta(days=1))
WORDS = [
    (
        few(11),
        FOUR_WEEKS,
        "About 19 more answers to go, at this pace in 7 weeks (counted from {day}).",
        "Nog ongeveer 19 antwoorden te gaan, in dit tempo over 7 weken (geteld vanaf {day}).",
    ),
    (
        few(29),
        A_DAY,
        "1 more answer to go, at this pace in 1 day (counted from {day}).",
        "Nog 1 antwoord te gaan, in dit tempo over 1 dag (geteld vanaf {day}).",
    ),
    (
        few(5),
        preset("12m", TODAY),
        "About 25 more answers to go, at this pace in more than a year (counted from {day}).",
        "Nog ongeveer 25 antwoorden te gaan, in dit tempo over meer dan een jaar "
        "(geteld vanaf {day}).",
    ),
    (
        few(11, before=0),
        FOUR_WEEKS,
        "About 19 more answers to go.",
        "Nog ongeveer 19 antwoorden te gaan.",
    ),
    (
        few(11, kpi="response_rate"),
        FOUR_WEEKS,
        "About 19 more invitations to go, at this pace in 7 weeks (counted from {day}).",
        "Nog ongeveer 19 uitnodigingen te gaan, in dit tempo over 7 weken (geteld vanaf {day}).",
    ),
    (few(30), FOUR_WEEKS, "", ""),
]


@both_languages
@pytest.mark.parametrize(("shown", "period", "english", "dutch"), WORDS)
def test_what_is_missing_is_said_in_words(language, shown, period, english, dutch):
    with translation.override(language):
        expected = {"en": english, "nl": dutch}[language].format(day=day(period.start))
        assert pace_words(shown, chosen(period)) == expected


def test_without_a_period_only_the_number_is_said():
    with translation.override("en"):
        assert pace_words(few(11), None) == "About 19 more answers to go."


# -- Too few ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "between", "missing"),
    [
        ("en", "Somewhere between 74 and 100 %", "About 19 more answers to go, at this pace"),
        ("nl", "Ergens tussen 74 en 100%", "Nog ongeveer 19 antwoorden te gaan, in dit tempo"),
    ],
)
@pytest.mark.parametrize(("path", "times"), [("/", 2), ("/satisfaction/", 1)])
def test_a_figure_and_its_trend_say_between_what_it_lies(language, between, missing, path, times):
    staff = signed_in(language)
    give("thumb", [1] * 11)
    give("thumb", [1] * 6, weeks_ago=6)
    page = text_of(staff.get(f"{path}?kpi=thumbs&period=4w")).replace("\xa0", " ")
    assert page.count(between) == times
    assert page.count(missing) == times


@pytest.mark.django_db
def test_too_few_for_a_chart_draw_the_interval_in_its_place():
    staff = signed_in("en")
    give("thumb", [1] * 11)
    # Of today alone no day is over, so there is nothing to draw through time.
    today = timezone.localdate()
    give("nps", [9] * 12)
    moved = f"period=own&from={today - timedelta(days=1)}&to={today - timedelta(days=1)}"
    page = staff.get(f"/?kpi=nps&{moved}").content.decode()
    box = page.partition('<div class="ci-fewbox">')[2].partition("</section>")[0]
    assert 'class="iv-few"' in box
    assert "12 answers: too few to say" in box
    assert 'class="ci-fig">' not in page


@pytest.mark.django_db
@pytest.mark.parametrize(("n", "hidden"), [(4, True), (5, False)])
def test_under_five_no_interval_is_said(n, hidden):
    staff = signed_in("en")
    give("nps", [9] * n)
    page = staff.get("/?kpi=nps").content.decode()
    assert ("Somewhere between" not in page) is hidden
    assert ("more answers to go" not in page) is hidden


# -- Empty -----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "links"),
    [
        (Role.ADMINISTRATOR, {"/settings/start/", "/touchpoints/new/", "/imports/"}),
        (Role.MARKETER, {"/touchpoints/new/", "/imports/"}),
        (Role.CONSENT_ADMIN, set()),
    ],
)
def test_on_the_first_day_each_role_is_shown_what_it_can_do(role, links):
    page = signed_in("en", role).get("/").content.decode()
    panel = page.partition('<div class="ci-empty">')[2].partition("</section>")[0]
    assert set(re.findall(r'class="btn[^"]*" href="([^"]*)"', panel)) == links
    assert panel.count("btn-primary") == bool(links)
    assert "The first number appears at 5 answers" in panel


@both_languages
@pytest.mark.django_db
def test_filters_that_leave_nothing_are_named_with_a_way_out(language):
    staff = signed_in(language)
    mats = Category.objects.create(name="Doormats")
    give("nps", [9] * 18, category=mats, channel="email")
    give("nps", [9] * 6, channel="web")
    page = text_of(staff.get("/?kpi=nps&category=Doormats&channel=web"))
    assert {"en": "No answers for these filters", "nl": "Geen antwoorden bij deze filters"}[
        language
    ] in page
    assert re.search(r"Doormats, Webp?[^,]+, \d", page)
    assert {"en": "leaves 18 answers", "nl": "dan zijn er 18 antwoorden"}[language] in page


@pytest.mark.django_db
def test_a_period_without_answers_leads_to_where_they_are():
    staff = signed_in("en")
    give("nps", [9] * 40, weeks_ago=30)
    page = text_of(staff.get("/?kpi=nps&period=4w"))
    assert "No answers in this period" in page
    assert "Show the 13 weeks up to it" in page


# -- The place of a chart --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "failed"),
    [
        ("en", "The values under the pointer could not be loaded."),
        ("nl", "De waarden onder de muis konden niet geladen worden."),
    ],
)
def test_a_chart_is_a_picture_until_somebody_explores_it(language, failed):
    staff = signed_in(language)
    for weeks_ago in range(12):
        give("nps", [9, 9, 7, 7, 7, 2] * 5, weeks_ago=weeks_ago)
    page = staff.get("/satisfaction/?kpi=nps").content.decode()
    plots = re.findall(r'<div class="ci-plot .*?</figure>', page, re.DOTALL)
    assert [re.findall(r'data-chart="(\w+)-data"', plot) for plot in plots] == [
        ["scores"],
        ["trend"],
    ]
    for plot in plots:
        # One for a desk and one for a phone, and what draws the other one only named.
        assert plot.count('<svg class="ci-chart ci-picture"') == 2
        assert re.search(r'data-plotly="[^"]*/vendor/plotly-[^"]*\.js"[^>]* hidden></div>', plot)
        assert re.search(rf"data-failed hidden>.*?{failed}.*?<a href=\"\">", plot, re.DOTALL)
    assert not re.search(r"<script[^>]*plotly", page)


@pytest.mark.django_db
def test_the_banner_for_offline_has_the_time_of_the_page_and_is_for_colleagues():
    staff = signed_in("en")
    banner = r"<div class=\"ci-banner\" data-offline hidden>.*?of (\d\d:\d\d)\."
    for path, words in (("/", "These figures are of"), ("/jobs/", "This page is of")):
        before = timezone.localtime()
        page = staff.get(path).content.decode()
        shown = re.search(banner, page, re.DOTALL)[1]
        assert shown in {f"{moment:%H:%M}" for moment in (before, timezone.localtime())}
        assert words in page
        assert "js/offline.js" in page
    assert "offline" not in Client().get("/accounts/login/").content.decode()


# -- Something went wrong --------------------------------------------------------------------------


def test_a_code_is_short_random_and_gone_after_the_request():
    codes = {new_reference() for _ in range(100)}
    assert len(codes) == 100
    assert all(re.fullmatch(CODE, code) for code in codes)
    with referred_to_as("4F1C-90B2"):
        assert current_reference() == "4F1C-90B2"
    assert current_reference() == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "It is our fault, not yours. What was saved is safe."),
        ("nl", "Het ligt aan ons, niet aan jou. Wat bewaard was, is veilig."),
    ],
)
@pytest.mark.parametrize(
    "table", [pytest.param("insights_annotation", id="one panel"), pytest.param("", id="anything")]
)
def test_a_failed_read_gives_a_code_that_also_stands_in_the_log(log, language, words, table):
    staff = signed_in(language, raise_request_exception=False)
    give("nps", [9] * 40)
    codes = []
    for _ in range(2):
        with no_answer_from(table):
            response = staff.get("/?kpi=nps")
        page = response.content.decode()
        assert response.status_code == 500
        assert words in page
        assert f'<html lang="{language}"' in page
        assert "noor@example.org" not in page
        codes += re.findall(rf"<b>({CODE})</b>", page)
    assert len(set(codes)) == 2
    lines = log.getvalue()
    assert re.findall(rf"ERROR django\.request \[({CODE})\]", lines) == codes
    assert "OperationalError" in lines
    assert ERROR not in lines
    assert "kpi=nps" not in lines


@pytest.mark.django_db
def test_a_line_that_is_written_after_the_request_has_its_code_too(log):
    request = RequestFactory().get("/")
    request.reference = "4F1C-90B2"
    logging.getLogger("django.request").error("x", extra={"request": request})
    logging.getLogger("insights").info("job")
    assert "django.request [4F1C-90B2] x" in log.getvalue()
    assert "insights job" in log.getvalue()


# -- No permission ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "purpose", "who"),
    [
        ("en", "The settings say how the organisation presents itself", "Now your role is:"),
        ("nl", "Bij de instellingen staat hoe jullie je laten zien", "Je rol is nu:"),
    ],
)
def test_a_page_for_another_role_says_what_it_is_for_and_whom_to_ask(language, purpose, who):
    make_administrator("Sam")
    response = signed_in(language).get("/settings/")
    page = text_of(response)
    assert response.status_code == 403
    assert purpose in page
    assert who in page
    assert "Sam sam@example.org" in page
    assert 'href="mailto:sam@example.org"' in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/touchpoints/", "Touchpoints are the questions"),
        ("/settings/colleagues/", "The settings say"),
        ("/own-shop/", "leaves the demo shop"),
        ("/admin/customers/customer/", "The admin shows what is stored"),
    ],
)
def test_each_page_for_few_says_what_it_is_for(path, words):
    response = signed_in("en", Role.CONSENT_ADMIN).get(path, follow=True)
    assert response.status_code == 403
    assert words in text_of(response)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "named", "others"), [(0, 0, False), (1, 1, False), (3, 3, False), (4, 3, True)]
)
def test_at_most_three_are_named(number, named, others, django_assert_num_queries):
    staff = signed_in("en")
    for place in range(number):
        make_administrator(f"Boss{place}")
    with django_assert_num_queries(REFUSED_QUERIES):
        page = text_of(staff.get("/settings/"))
    assert page.count("@example.org") == named
    assert ("and others" in page) is others


# The session, the reader, the roles for the view and for the frame, the name, and whom to ask.
REFUSED_QUERIES = 7


@pytest.mark.django_db
def test_who_was_here_last_stands_first_and_nobody_who_cannot_help(settings):
    now = timezone.now()
    make_administrator("Ann", last_login=now - timedelta(days=40))
    make_administrator("Bo", last_login=now)
    make_administrator("Cas")
    make_administrator("Gone", is_active=False)
    make_administrator("Demo", email=f"demo{DEMO_DOMAIN}")
    make_user("marketer@example.org")
    staff = signed_in("en", role=Role.CONSENT_ADMIN)
    settings.PRODUCTION = True
    page = text_of(staff.get("/settings/"))
    assert re.findall(r"(\w+) \w+@", page) == ["Bo", "Ann", "Cas"]


@pytest.mark.django_db
@pytest.mark.parametrize(("signed_in", "named"), [(True, True), (False, False)])
def test_a_stranger_reads_no_names(signed_in, named):
    make_administrator("Sam")
    request = RequestFactory().get("/settings/")
    request.user = make_user() if signed_in else AnonymousUser()
    request.resolver_match = None
    response = permission_denied(request, PermissionDenied())
    assert response.status_code == 403
    assert ("sam@example.org" in response.content.decode()) is named


@pytest.mark.django_db
def test_the_page_does_without_names_when_they_cannot_be_read(log):
    make_administrator("Sam")
    staff = signed_in("en")
    with no_answer_from('"auth_user"."last_login" DESC'):
        response = staff.get("/settings/")
    assert response.status_code == 403
    assert "Ask an administrator for another role" in text_of(response)
    assert "sam@example.org" not in response.content.decode()
    assert "The administrators could not be read" in log.getvalue()


# -- The other pages without figures ---------------------------------------------------------------


def too_many(browser: Client):
    for _ in range(2):
        response = browser.post("/accounts/password/reset/", {"email": "noor@example.org"})
    return response


OTHERS = {
    "400": (
        lambda browser: browser.get("/comments.csv?period=own&from=nonsense"),
        400,
        {"en": "This request could not be read", "nl": "Dit verzoek was niet te lezen"},
    ),
    "403_csrf": (
        lambda browser: browser.post("/language/", {"language": "en"}),
        403,
        {"en": "This form was open too long", "nl": "Dit formulier stond te lang open"},
    ),
    "404": (
        lambda browser: browser.get("/nope/"),
        404,
        {"en": "There is no page at this address", "nl": "Op dit adres staat geen pagina"},
    ),
    "429": (
        too_many,
        429,
        {"en": "Too many tries in a short time", "nl": "Te veel pogingen in korte tijd"},
    ),
}


@both_languages
@pytest.mark.django_db
@pytest.mark.parametrize("name", OTHERS)
def test_the_others_have_their_status_their_words_and_a_way_on(name, language, settings):
    ask, status, words = OTHERS[name]
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    give("nps", [9] * 40, comment="What a customer wrote")
    browser = speaking(language, enforce_csrf_checks=name == "403_csrf")
    if name in {"400", "404"}:
        browser.force_login(make_user())
    response = ask(browser)
    page = response.content.decode()
    assert response.status_code == status
    assert words[language] in page
    assert f'<html lang="{language}"' in page
    assert re.search(r'<a class="btn btn-primary" href="/', page)
    assert "What a customer wrote" not in page


@both_languages
@pytest.mark.django_db
def test_a_stranger_at_no_address_is_shown_the_login(language):
    page = speaking(language).get("/nope/").content.decode()
    assert '<a class="btn btn-primary" href="/accounts/login/">' in page
