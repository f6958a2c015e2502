"""A real browser before a real server, with a watch on everything that leaves the page."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from customers.models import Category, Product
from feedback.services import Answer, add_responses
from insights import services
from insights.accounts import Role
from tests.makers import make_touchpoint

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "shots"
AXE = (ROOT / "tests/vendor/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


@dataclass
class Watched:
    """A page, and what it did that it must not do."""

    page: object
    base: str
    problems: list[str] = field(default_factory=list)

    def visit(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.settle()

    def settle(self) -> None:
        """Wait for the page and its fonts."""
        self.page.wait_for_load_state("load")
        self.page.evaluate("document.fonts.ready.then(() => null)")

    def explore(self, panel: str = "#trend") -> None:
        """Go to a chart, and wait until Plotly has drawn it in the place of its picture."""
        self.page.hover(f"{panel} .ci-plot")
        self.page.wait_for_selector(f"{panel} .main-svg")

    def note(self, problem: str) -> None:
        self.problems.append(f"{self.page.url}: {problem}")

    def check(self, shot: str = "") -> None:
        """Note what axe, the CSP and the width of the page say."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        for rule in found["violations"]:
            targets = [node["target"] for node in rule["nodes"]][:3]
            self.note(f"axe {rule['id']} ({rule['impact']}): {rule['help']} {targets}")
        for violation in self.page.evaluate("window.violations"):
            self.note(f"CSP {violation}")
        wide, room = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if wide > room:
            self.note(f"{wide} px wide in {room} px")
        if shot:
            SHOTS.mkdir(exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{shot}.png", full_page=True)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, and Django refuses the database beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            headless=True,
            args=ARGUMENTS,
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser, live_server) -> Iterator[object]:
    """Return a function that opens a watched page in a context of its own."""
    contexts = []

    def open_it(*, width: int = 1440, cookies: dict[str, str] | None = None, **given) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": 900}, **given)
        contexts.append(context)
        context.add_cookies(
            [
                {"name": name, "value": value, "url": live_server.url}
                for name, value in (cookies or {}).items()
            ]
        )
        context.add_init_script(WATCH)
        watched = Watched(context.new_page(), live_server.url)
        page = watched.page
        page.on("request", lambda request: _watch_request(watched, request.url))
        page.on("console", lambda message: _watch_console(watched, message))
        page.on("pageerror", lambda error: watched.note(f"script error {error}"))
        return watched

    yield open_it
    for context in contexts:
        context.close()


def _watch_request(watched: Watched, url: str) -> None:
    if not url.startswith((watched.base, "blob:", "about:")):
        watched.note(f"request to {url}")


def _watch_console(watched: Watched, message) -> None:
    # Chromium reports a page that says 404 as an error, and the page is one of ours.
    if message.type in {"error", "warning"} and "404" not in message.text:
        watched.note(f"console {message.type}: {message.text}")


@pytest.fixture
def staff() -> User:
    user = User.objects.create_superuser(
        username="kim@example.org",
        email="kim@example.org",
        password="a long enough password",
        first_name="Kim Voorbeeld",
    )
    user.groups.add(Group.objects.get_or_create(name=Role.ADMINISTRATOR)[0])
    return user


@pytest.fixture
def session(staff) -> dict[str, str]:
    """Return the cookie of somebody who is signed in."""
    client = Client()
    client.force_login(staff)
    return {"sessionid": client.cookies["sessionid"].value}


# name, answers per week, share of happy answers now and before
CATEGORIES = [
    ("Smartphones", 34, 0.62, 0.82),
    ("Laptops", 16, 0.85, 0.86),
    ("Beddengoed", 12, 0.88, 0.9),
    ("Deurmatten", 8, 0.84, 0.84),
    ("Cadeaukaarten", 1, 0.8, 0.8),
    ("Onderdelen", 0.25, 0.8, 0.8),
]


@pytest.fixture
def answers() -> None:
    """Half a year of answers: enough for every state of the overview."""
    rnd = random.Random(5)
    touchpoints = {
        scale: make_touchpoint(name=name, scale=scale, created_at=timezone.now())
        for scale, name in (("nps", "E-mail na aankoop"), ("thumb", "Duim onder nieuwsbrief"))
    }
    today = timezone.localdate()
    given: list[Answer] = []
    for name, weekly, now, before in CATEGORIES:
        category = Category.objects.create(name=name)
        product = Product.objects.create(sku=name.upper(), name=name, category=category)
        for number in range(int(weekly * 26)):
            days_ago = 1 + number * 181 // max(int(weekly * 26), 1)
            at = datetime.combine(
                today - timedelta(days=days_ago), time(12), tzinfo=ZoneInfo("Europe/Amsterdam")
            )
            happy = rnd.random() < (now if days_ago < 91 else before)
            scale = rnd.choice(["nps", "thumb"])
            value = {"nps": 9 if happy else 5, "thumb": int(happy)}[scale]
            given.append(
                Answer(
                    key=f"{name}{number}",
                    scale=scale,
                    value=value,
                    answered_at=at,
                    touchpoint=touchpoints[scale],
                    product=product,
                    channel=rnd.choice(["email", "web"]),
                    customer_type=rnd.choice(["regular", "occasional", "one_time"]),
                )
            )
    add_responses(given)
    services.record_job(name="fold", seconds=0.2, error="")
    services.record_job(name="compute_kpis", seconds=4, error="OperationalError")
