"""Pages: who may see them, in which language, with how many queries, and how they are built."""

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from customers.models import Category
from feedback import tallies
from feedback.services import Answer, add_responses
from insights import services
from insights.accounts import Role
from insights.models import KpiSnapshot

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough password"
_keys = iter(range(10**9))


def make_user(email: str = "noor@example.org", role: str = Role.MARKETER, **given) -> User:
    user = User.objects.create_user(username=email, email=email, password=PASSWORD, **given)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user())
    return client


def give(scale: str, values: list[int], weeks_ago: int = 0, **slices) -> None:
    day = timezone.localdate() - timedelta(weeks=weeks_ago, days=1)
    at = datetime.combine(day, time(12), tzinfo=ZoneInfo("Europe/Amsterdam"))
    add_responses(
        Answer(key=f"v{next(_keys)}", scale=scale, value=value, answered_at=at, **slices)
        for value in values
    )


# -- Who may see what --------------------------------------------------------------------------

# Everything else asks for a login. Add a name here only with a reason.
PUBLIC = {
    "mail_events",  # a mail provider, with its secret
    "account_login",
    "account_signup",  # says that colleagues are invited
    "account_inactive",
    "account_logout",
    "account_email_verification_sent",
    "account_confirm_email",
    "account_confirm_login_code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",  # the second step of signing in
    "set_language",
    "set_theme",
    "set_up",  # the token is the key
    "join",  # and here, for who is invited
    # Who answers a question is no colleague.
    "widget",
    "pinned_widget",
    "collector",
    "shown",
    "hosted",
    "rated",
    "opt_in",
    "confirm",
    "unsubscribe",
    "preferences",
    "preferences_ask",
    # The link in a mail opens it for half an hour, a login does not.
    "own_page",
    "own_page_data",
    "own_page_download",
    "own_page_correct",
    "own_page_erase",
    "own_page_close",
    "logo",
    # A key decides there (tests/customers/test_api.py).
    "api:openapi-json",
    "api:purposes",
    "api:consent",
    "api:consent_of_many",
    "api:consent_withdraw",
    "api:consent_give",
    "api:contacts_check",
    "api:contacts_reserve",
    "api:contacts_confirm",
    "api:contacts_release",
    "api:contacts_fail",
    "api:contacts_links",
    "api:contacts_check_bulk",
    "api:contacts_reserve_bulk",
    "api:contacts_confirm_bulk",
    "api:contacts_release_bulk",
    "api:dose",
    "api:picks",
    "api:api-root",
    "own_shop_open",  # in the own shop nobody is signed in yet
    "healthz",
    "readyz",
    "admin:login",  # sends on to account_login
    "admin:jsi18n",
}


def every_address(patterns=None, before: str = "", space: str = "") -> list[tuple[str, str]]:
    """Return (name, path) of all URL patterns, with "1" for every argument."""
    found = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            path = re.sub(r"<[^>]+>", "1", re.sub(r"\(\?P<\w+>[^)]*\)", "1", route))
            path = re.sub(r"[\^$?\\]|\.\*", "", path)
            found.append((f"{space}{pattern.name}", "/" + path))
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            found += every_address(pattern.url_patterns, route, inner)
    return found


def test_the_walk_finds_the_pages():
    names = {name for name, _path in every_address()}
    assert {"overview", "jobs", "account_login", "mfa_index", "admin:index"} <= names
    assert len(names) > 30


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "path"),
    [pytest.param(*a, id=f"{a[0]} {a[1]}") for a in every_address() if a[0] not in PUBLIC],
)
def test_a_stranger_is_sent_to_the_login(client, name, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.split("?")[0] in {reverse("account_login"), reverse("admin:login")}


@pytest.mark.django_db
def test_the_login_of_the_admin_is_ours(client):
    response = client.get(reverse("admin:login"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_answer_without_a_login(client, path):
    response = client.get(path)
    assert (response.status_code, response.content) == (200, b"ok")


def test_the_health_probe_needs_no_database(client):
    """Without the mark of django_db any query would fail this test."""
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_only_administrators_see_the_admin(client, staff):
    assert reverse("admin:index") not in staff.get("/").content.decode()
    client.force_login(make_user("kim@example.org", Role.ADMINISTRATOR, is_staff=True))
    assert reverse("admin:index") in client.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.MARKETER, "Marketeer"),
        (Role.CONSENT_ADMIN, "Beheerder van toestemming"),
        (Role.ADMINISTRATOR, "Beheerder"),
    ],
)
def test_the_frame_says_who_is_signed_in_and_as_what(client, role, words):
    client.force_login(make_user(role=role))
    page = client.get("/").content.decode()
    assert "noor@example.org" in page
    assert f'<small class="ci-muted ci-block">{words}</small>' in page


# -- Language and theme --------------------------------------------------------------------------


@pytest.mark.django_db
def test_dutch_is_the_default_even_in_an_english_browser(client):
    page = client.get(reverse("account_login"), headers={"accept-language": "en-GB,en"})
    assert '<html lang="nl"' in page.content.decode()
    assert "Inloggen bij" in page.content.decode()


@pytest.mark.django_db
def test_english_is_one_click_away_and_back_where_the_reader_was(staff):
    response = staff.post(reverse("set_language"), {"language": "en", "next": "/?kpi=thumbs"})
    assert response.url == "/?kpi=thumbs"
    assert '<html lang="en"' in staff.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "\\\\evil"]
)
@pytest.mark.parametrize("name", ["set_language", "set_theme"])
def test_a_switch_never_leads_to_another_site(client, name, target):
    assert client.post(reverse(name), {"language": "en", "next": target}).url == "/"


@pytest.mark.django_db
def test_an_unknown_language_changes_nothing(client):
    response = client.post(reverse("set_language"), {"language": "tlh"})
    assert settings.LANGUAGE_COOKIE_NAME not in response.cookies


@pytest.mark.django_db
def test_the_theme_is_remembered_and_forgotten(staff):
    staff.post(reverse("set_theme"), {"theme": "dark"})
    assert 'data-bs-theme="dark"' in staff.get("/").content.decode()
    staff.post(reverse("set_theme"), {"theme": "auto"})
    assert "data-bs-theme" not in staff.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["set_language", "set_theme"])
def test_looking_changes_no_choice(client, name):
    assert client.get(reverse(name)).status_code == 405


# -- The overview ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_empty_product_says_what_to_do(staff):
    page = staff.get("/").content.decode()
    assert "Nog geen antwoorden" in page
    assert "start.py --demo" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("n", "words", "figure"),
    [
        (0, "Geen antwoorden", False),
        (4, "Niet getoond, zo is niemand te herkennen", False),
        (5, "5 antwoorden: te weinig om iets te zeggen", False),
        (29, "29 antwoorden: te weinig om iets te zeggen", False),
        (30, "Ervoor te weinig antwoorden om te vergelijken", True),
    ],
)
def test_the_page_shows_as_much_as_the_count_allows(staff, n, words, figure):
    give("thumb", [1])
    give("nps", [9] * n)
    page = staff.get("/?kpi=nps").content.decode()
    assert words in page
    assert ('<span class="ci-fig">100</span>' in page) is figure


@pytest.mark.django_db
def test_the_page_keeps_a_count_under_five_to_itself(staff):
    give("nps", [9] * 3)
    page = staff.get("/?kpi=nps").content.decode()
    assert "3 antwoorden" not in page
    assert "100,0" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "period=12m&kpi=thumbs&slice=product",
        "period=own&from=2026-01-01&to=2026-01-31",
        "from=2026-01-31&to=2026-01-01",
        "period=own",
        "kpi=nope&slice=nope&channel=nope&category=nope",
        "product=nope&touchpoint=%00",
        "kpi=response_rate&slice=touchpoint&customer_type=regular&channel=web",
    ],
)
def test_any_address_gives_a_page(staff, query):
    give("nps", [9] * 40)
    assert staff.get(f"/?{query}").status_code == 200


@pytest.mark.django_db
def test_a_correction_of_a_closed_week_is_marked(staff):
    give("nps", [9] * 40, weeks_ago=4)
    monday = timezone.localdate() - timedelta(weeks=4, days=1)
    monday -= timedelta(days=monday.weekday())
    KpiSnapshot.objects.create(
        kpi="nps",
        period="week",
        start_on=monday,
        end_on=monday + timedelta(weeks=1),
        counts={"promoters": 20, "passives": 10, "detractors": 10},
        n=40,
        definition_version=1,
        time_zone="Europe/Amsterdam",
        computed_at=timezone.now(),
        frozen_at=timezone.now(),
        corrected_counts={"promoters": 40},
        corrected_at=timezone.now(),
    )
    page = staff.get("/?kpi=nps&period=13w").content.decode()
    assert "bij het sluiten van de periode was het 25 met 40 antwoorden" in page


@pytest.mark.django_db
def test_the_page_says_when_it_was_calculated(staff):
    give("nps", [9] * 40)
    assert "berekend" not in staff.get("/").content.decode()
    tallies.fold_all()
    assert f"berekend {timezone.localtime():%H:}" in staff.get("/").content.decode()


def fill(categories: int, answers: int) -> None:
    for number in range(categories):
        category = Category.objects.create(name=f"C{Category.objects.count()}-{number}")
        said = {"reason": "useful", "comment": "Goed", "category": category, "channel": "web"}
        for weeks_ago in (0, 3, 14):
            give("nps", [9] * answers, weeks_ago, **said)
            give("thumb", [1] * answers, weeks_ago, **said)


# From 30 answers on everything is worked out.
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        pytest.param("/", 34, id="overview"),
        pytest.param("/satisfaction/", 25, id="satisfaction"),
        pytest.param("/?category=C0-0&channel=web", 43, id="overview with filters"),
        pytest.param("/satisfaction/?category=C0-0&channel=web", 33, id="satisfaction, filtered"),
    ],
)
def test_the_number_of_queries_does_not_grow(staff, django_assert_num_queries, path, queries):
    """The same with one and three categories, and with ten times the answers."""
    fill(categories=1, answers=40)
    with django_assert_num_queries(queries):
        staff.get(path)
    fill(categories=2, answers=400)
    with django_assert_num_queries(queries):
        staff.get(path)


@pytest.mark.django_db
def test_the_jobs_page_lists_jobs_with_the_same_queries(staff, django_assert_num_queries):
    services.record_job(name="fold", seconds=0.25, error="")
    with django_assert_num_queries(JOBS_QUERIES):
        page = staff.get(reverse("jobs")).content.decode()
    assert "250 ms" in page
    services.record_job(name="sweep", seconds=2, error="")
    services.record_job(name="types", seconds=2, error="ValueError")
    with django_assert_num_queries(JOBS_QUERIES):
        page = staff.get(reverse("jobs")).content.decode()
    assert "1 taak mislukte de laatste keer" in page
    assert "ValueError" in page


JOBS_QUERIES = 8


# -- Signing in and setting up -------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "E-mail en wachtwoord horen niet bij elkaar."),
        ("en", "E-mail and password do not match."),
    ],
)
def test_a_wrong_password_is_said_in_words(client, language, words):
    make_user()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = client.post(reverse("account_login"), {"login": "noor@example.org", "password": "wrong"})
    assert words in page.content.decode()


@pytest.mark.django_db
def test_the_right_password_leads_to_the_overview(client):
    make_user()
    response = client.post(
        reverse("account_login"), {"login": "noor@example.org", "password": PASSWORD}
    )
    assert response.url == "/"


@pytest.mark.django_db
def test_nobody_signs_up(client):
    assert reverse("account_signup") not in client.get(reverse("account_login")).content.decode()
    answer = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    page = client.post(reverse("account_signup"), answer)
    assert "Collega's worden uitgenodigd" in page.content.decode().replace("&#x27;", "'")
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("production", "shown"), [(False, True), (True, False)])
def test_demo_logins_are_shown_outside_production_only(client, settings, production, shown):
    make_user("noor@demo.example")
    settings.PRODUCTION = production
    page = client.get(reverse("account_login")).content.decode()
    assert ("noor@demo.example" in page) is shown


@pytest.mark.django_db
def test_the_set_up_link_makes_one_administrator(client):
    address = services.set_up_link().removeprefix(settings.BASE_URL)
    assert client.get(address).status_code == 200
    answer = {"name": "Kim", "email": "kim@example.org", "password": PASSWORD}
    assert client.post(address, answer).url == reverse("start")
    assert client.get(reverse("start")).status_code == 200
    assert User.objects.get().is_superuser
    assert Client().get(address).status_code == 404


@pytest.mark.django_db
def test_a_weak_password_is_refused_and_nobody_is_made(client):
    address = services.set_up_link().removeprefix(settings.BASE_URL)
    answer = {"name": "Kim", "email": "kim@example.org", "password": "12345678901"}
    assert client.post(address, answer).status_code == 200
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_made_up_token_opens_nothing(client):
    assert client.get(reverse("set_up", args=["made-up"])).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["account_change_password", "mfa_index", "account_email", "mfa_activate_totp"]
)
def test_account_pages_have_our_frame(staff, name):
    page = staff.get(reverse(name), follow=True).content.decode()
    assert 'class="ci-rail"' in page
    assert "data:" not in page


@pytest.mark.django_db
def test_two_step_login_shows_its_square_in_the_page_itself(client):
    make_user()
    answer = {"login": "noor@example.org", "password": PASSWORD}
    client.post(reverse("account_login"), answer)
    client.post(reverse("account_reauthenticate"), answer)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert '<svg role="img" aria-label="Vierkante code' in page
    assert "data:" not in page


# -- Errors ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_address_without_a_page(client, staff):
    assert "Op dit adres staat geen pagina" in Client().get("/nope/").content.decode()
    assert 'class="ci-rail"' in staff.get("/nope/").content.decode()


def test_the_error_page_needs_no_database_and_no_context():
    from django.template.loader import get_template

    assert "Dat lukte niet" in get_template("500.html").render()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words():
    page = Client(enforce_csrf_checks=True).post(reverse("set_language"), {"language": "en"})
    assert page.status_code == 403
    assert "Dit formulier stond te lang open" in page.content.decode()


# -- How pages are built -----------------------------------------------------------------------

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

FORBIDDEN = {
    "an inline style": r"\sstyle\s*=|<style",
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an inline handler": r"\son[a-z]+\s*=\s*[\"']",
    "a data: address": r"[\"'(]data:",
    "a script address": r"javascript:",
    "another site": r"(?:src|href|action)=[\"'](?:https?:)?//",
    "an unsafe mark": r"\|safe\b|autoescape off",
}


@pytest.mark.parametrize("rule", FORBIDDEN)
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_nothing_the_csp_forbids(path, rule):
    if path.parent.name == "mailings" and rule == "an inline style":
        pytest.skip("a mail, of which mail programs drop every style sheet")
    assert not re.search(FORBIDDEN[rule], path.read_text()), rule


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static").rglob("*.css")), ids=lambda path: path.name
)
def test_style_sheets_fetch_nothing_from_elsewhere(path):
    text = path.read_text()
    assert "sourceMappingURL" not in text
    if "vendor" not in path.parts:
        assert not re.search(r"url\(\s*[\"']?(?:data:|https?:|//)|@import", text)


def test_every_vendored_file_has_its_licence_beside_it():
    vendor = ROOT / "static/vendor"
    assert {path.name for path in vendor.rglob("*.LICENSE")} == {
        "bootstrap.LICENSE",
        "instrument-sans.LICENSE",
        "plotly.LICENSE",
    }
    assert (ROOT / "static/icons/lucide.LICENSE").exists()


def test_every_icon_that_is_named_exists_and_every_icon_is_used():
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r"{% icon \"([a-z0-9-]+)\" %}", path.read_text())
    }
    assert named == {path.stem for path in (ROOT / "static/icons").glob("*.svg")}
