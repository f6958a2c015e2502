"""What the widget costs the page that carries it: Lighthouse with and without it, in turn.

    python -m bench.host_page --lighthouse PATH [--rounds N]

PATH is a Lighthouse of your own (`npm install lighthouse@12.8.2` gives
node_modules/.bin/lighthouse); it needs Node and drives the Chromium of CHROMIUM or PATH. Page and
widget stand on two origins, as they do in a shop.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from statistics import median
from threading import Thread

from bench.timing import print_table
from tests.installations import BASE_DIR, install, manage

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time")
CHROME_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
PAGE = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><title>Retourneren</title>
<meta name="description" content="Hoe je een aankoop terugstuurt.">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 18px/1.5 sans-serif; max-width: 40rem; margin: 2rem auto }}</style>
</head><body><main><h1>Retourneren</h1>
<p>Je hebt 30 dagen om je aankoop terug te sturen.</p>{paragraphs}{widget}</main></body></html>
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lighthouse", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, hosted(Path(place)) as pages:
        scores = {name: [] for name in pages}
        for number in range(options.rounds):
            for name in list(pages) if number % 2 else list(pages)[::-1]:
                scores[name].append(measure(options.lighthouse, pages[name]))
    rows = [
        [what, *(f"{median(one[what] for one in scores[name]):.0f}" for name in scores)]
        for what in (*CATEGORIES, *METRICS)
    ]
    print_table(["median (scores of 100, metrics in ms)", *scores], rows)


@contextmanager
def hosted(place: Path) -> Iterator[dict[str, str]]:
    """Serve a page without and one with the widget; yield their addresses."""
    port = free_port()
    environment = install(place / "var", "bench_host_page") | {
        "BASE_URL": f"http://127.0.0.1:{port}"
    }
    site = place / "site"
    site.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    origin = f"http://127.0.0.1:{server.server_port}"
    made = manage(
        environment, "create_touchpoint", "Bench", "--scale=thumb", f"--origin={origin}", "--json"
    )
    snippet = json.loads(made.stdout)["snippet"]
    paragraphs = "<p>Je geld staat binnen vijf werkdagen op je rekening.</p>" * 20
    for name, widget in (("without", ""), ("with", snippet)):
        (site / f"{name}.html").write_text(PAGE.format(paragraphs=paragraphs, widget=widget))
    Thread(target=server.serve_forever, daemon=True).start()
    web = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface=wsgi", f"--port={port}"),
            *("--no-ws", "--log-level=warning", "insights.wsgi:application"),
        ],
        cwd=BASE_DIR,
        env=environment,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/widget.js")
        yield {f"{name} the widget": f"{origin}/{name}.html" for name in ("without", "with")}
    finally:
        web.terminate()
        web.wait()
        server.shutdown()


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} did not answer.")


def measure(lighthouse: str, url: str, *, cookie: str = "") -> dict[str, float]:
    """Return the scores of 100 and the metrics in milliseconds of one run."""
    headers = [f"--extra-headers={json.dumps({'Cookie': cookie})}"] if cookie else []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                *(lighthouse, url, "--quiet", "--output=json", "--output-path=stdout"),
                f"--only-categories={','.join(CATEGORIES)}",
                f"--chrome-flags={CHROME_FLAGS} --user-data-dir={profile}",
                *headers,
            ],
            env=os.environ | {"CHROME_PATH": chromium},
            capture_output=True,
            text=True,
            check=True,
        )
    report = json.loads(done.stdout)
    scores = {name: report["categories"][name]["score"] * 100 for name in CATEGORIES}
    return scores | {name: report["audits"][name]["numericValue"] for name in METRICS}


if __name__ == "__main__":
    main()
