"""The pages of figures with the demo shop: server time, weight of the first view, Lighthouse.

    python -m bench.demo_pages [--rounds N] [--lighthouse PATH]

An installation of its own is filled with the demo shop and served by granian, as `serve` does it.
Times are those of the whole answer over one kept connection; the anchor is /healthz, which asks
nothing of the database. The weight is that of everything a browser loads, each file after
`gzip -9`, fonts and Plotly apart. PATH is a Lighthouse of your own, as in bench.host_page.
"""

import argparse
import gzip
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import Response, sync_playwright

from bench.host_page import CATEGORIES, METRICS, free_port, measure, wait_for
from bench.timing import Times, in_turn, milliseconds, print_table, ratio, seconds
from tests.installations import BASE_DIR, install, manage, run

PAGES = {
    "healthz": "/healthz",
    "login": "/accounts/login/",
    "overview": "/",
    "overview, 12 months": "/?period=12m",
    "overview, one category": "/?category=Smartphones",
    "satisfaction": "/satisfaction/",
    "satisfaction, by product": "/satisfaction/?slice=product",
}
WEIGHED = ("login", "overview", "satisfaction")
APART = {"font": "fonts", "plotly": "Plotly"}
SIGN_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
user = User.objects.get(email="admin@demo.example")
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "insights.accounts.AuthenticationBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--lighthouse")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, served(Path(place)) as (port, session):
        report_times(in_turn(options.rounds, partial(visit, port, session))[0])
        report_weights(port, session)
        if options.lighthouse:
            report_lighthouse(options.lighthouse, port, session)


@contextmanager
def served(place: Path) -> Iterator[tuple[int, str]]:
    """Serve the demo shop; yield the port and the session of its administrator."""
    port = free_port()
    environment = install(place / "var", "bench_demo_pages")
    environment["BASE_URL"] = f"http://127.0.0.1:{port}"
    loaded = manage(environment, "load_demo", seconds=600)
    assert loaded.returncode == 0, loaded.stderr
    session = run(environment, SIGN_IN).strip()
    web = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface=wsgi", f"--port={port}"),
            *("--blocking-threads=8", "--no-ws", "--log-level=warning"),
            "insights.wsgi:application",
        ],
        cwd=BASE_DIR,
        env=environment,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port, session
    finally:
        web.terminate()
        web.wait()


def visit(port: int, session: str) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def get(name: str) -> None:
        headers = {} if name == "login" else {"Cookie": f"sessionid={session}"}
        connection.request("GET", PAGES[name], headers=headers)
        response = connection.getresponse()
        response.read()
        assert response.status == 200, f"{PAGES[name]}: {response.status}"

    return {name: seconds(partial(get, name)) for name in PAGES}


def report_times(times: Times) -> None:
    rows = [
        [name, milliseconds(spent), ratio(spent, times["healthz"])] for name, spent in times.items()
    ]
    print_table(["page", "ms: median (quickest–slowest)", "÷ healthz"], rows)


def report_weights(port: int, session: str) -> None:
    names = ["first view", *APART.values()]
    rows = [
        [name, *(f"{part / 1024:.1f}" for part in weigh(port, session, name))] for name in WEIGHED
    ]
    print()
    print_table(["KB after gzip -9", *names], rows)


def weigh(port: int, session: str, name: str) -> list[float]:
    """Return the bytes of a first view, of its fonts, and of Plotly."""
    parts = dict.fromkeys(["first view", *APART], 0)
    responses: list[Response] = []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        context = browser.new_context()
        origin = f"http://127.0.0.1:{port}"
        if name != "login":
            context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
        page = context.new_page()
        page.on("response", lambda response: responses.append(response))  # noqa: PLW0108
        page.goto(origin + PAGES[name], wait_until="networkidle")
        for response in responses:
            kind = next((kind for kind in APART if kind in response.url), "first view")
            parts[kind] += len(gzip.compress(response.body(), 9))
        browser.close()
    return list(parts.values())


def report_lighthouse(lighthouse: str, port: int, session: str) -> None:
    scores = {}
    for name in WEIGHED:
        cookie = "" if name == "login" else f"sessionid={session}"
        url = f"http://127.0.0.1:{port}{PAGES[name]}"
        scores[name] = [measure(lighthouse, url, cookie=cookie) for _ in range(3)]
    rows = [
        [what, *(f"{median(one[what] for one in scores[name]):.0f}" for name in WEIGHED)]
        for what in (*CATEGORIES, *METRICS)
    ]
    print()
    print_table(["median of 3 (scores of 100, metrics in ms)", *WEIGHED], rows)


if __name__ == "__main__":
    main()
