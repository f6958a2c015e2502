"""What the collector costs: durable answers a second beside a view that does nothing.

    python -m bench.collecting [--seconds N] [--rounds N] [--connections N] [--only NAME]

Both views are in one web server, started as `serve` starts it, behind the same middleware, and
are asked in turn. PostgreSQL keeps its own settings here, fsync included: a 201 is on the disk.
Then the same with the broker running, stopped and frozen; and the size of the script.
"""

import argparse
import gzip
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings

from bench.timing import print_table
from tests import servers
from tests.installations import install, run
from tests.webserver import HOST, serving

SITE = "https://www.shop.example"
CREATE = f"""
from django.utils import timezone
from feedback.places import Place, create_touchpoint
place = Place(name="Bench", origins=["{SITE}"])
print(create_touchpoint(scale="nps", place=place, now=timezone.now()).key)
"""
COUNT = "from feedback.models import Response; print(Response.objects.count())"
NO_LIMITS = {"COLLECT_PER_ADDRESS": "100000000", "COLLECT_PER_TOUCHPOINT": "100000000"}
WITH_BARE = {
    "PYTHONPATH": os.pathsep.join(map(str, (settings.BASE_DIR, settings.BASE_DIR / "bench")))
}
# Bytes, from the peers' own builds (raw, gzip -9, brotli).
PEERS = {
    "Formbricks, one question": (1_001_396, 281_499, 232_142),
    "PostHog, one question": (528_052, 171_157, 145_257),
    "Umami, counts only": (4_557, 2_208, 1_938),
    "Plausible, counts only": (6_434, 2_670, None),
}


# -- Asking ----------------------------------------------------------------------------------------


@dataclass
class Load:
    """How long each request took, in seconds, and how long all of them together."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def milliseconds(self, percent: int) -> float:
        return 1000 * quantiles(self.latencies, n=100)[percent - 1]


class Line:
    """One connection that asks, waits for the response, and asks again."""

    def __init__(self, port: int, request: Callable[[], bytes]) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.heard = b""
        self.asked_at = 0.0

    def ask(self) -> None:
        self.heard = b""
        self.asked_at = time.perf_counter()
        self.socket.sendall(self.request())

    def listen(self) -> bool:
        """Take in what came; say whether the response is whole. Anything but a 201 is an error."""
        self.heard += self.socket.recv(65_536)
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(f"no 201: {self.heard[:300]!r}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return len(body) >= length


def load(port: int, request: Callable[[], bytes], connections: int, seconds: float) -> Load:
    """Keep so many connections busy for so long; what is under way at the end is waited for."""
    done = Load()
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        start = time.perf_counter()
        for _ in range(connections):
            line = Line(port, request)
            stack.enter_context(line.socket)
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.ask()
        busy = connections
        while busy:
            for key, _ in selector.select():
                if key.data.listen():
                    now = time.perf_counter()
                    done.latencies.append(now - key.data.asked_at)
                    if now - start < seconds:
                        key.data.ask()
                    else:
                        busy -= 1
        done.seconds = time.perf_counter() - start
    return done


def post(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: {SITE}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def an_answer(touchpoint: str) -> bytes:
    body = f'{{"key":"{uuid4()}","value":9,"lang":"nl","reason":"useful","comment":"Prima."}}'
    return post(f"/collect/{touchpoint}/", body.encode())


def nothing() -> bytes:
    return post("/bare/", an_answer("-").partition(b"\r\n\r\n")[2])


# -- What is measured ------------------------------------------------------------------------------


@dataclass
class Shop:
    """An installation of its own, and the touchpoint that is asked."""

    environment: dict[str, str]
    touchpoint: str
    home: Path

    def stored(self) -> int:
        return int(run(self.environment, COUNT))


@contextmanager
def shop(database: str) -> Iterator[Shop]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insights-bench-")))
        os.environ.pop("DATABASE_URL", None)
        if database == "PostgreSQL":
            os.environ["DATABASE_URL"] = stack.enter_context(servers.postgres(durable=True))
        environment = {**install(home / "var", "bench_collecting"), **NO_LIMITS}
        yield Shop(environment, run(environment, CREATE).strip(), home)
        os.environ.pop("DATABASE_URL", None)


def beside_nothing(database: str, options: argparse.Namespace) -> list[list[str]]:
    """Measure both views in turn; return a row of the table for each."""
    with (
        shop(database) as made,
        serving({**made.environment, **WITH_BARE}, made.home / "log", "bare:application") as port,
    ):
        asks = {"bare view": nothing, "collector": partial(an_answer, made.touchpoint)}
        loads = in_turn(port, asks, options)
        acknowledged = sum(len(one.latencies) for one in loads["collector"]) + WARM_UP["collector"]
        assert made.stored() == acknowledged, "an acknowledged answer is not there"
    rates = {name: median(one.rate for one in measured) for name, measured in loads.items()}
    return [
        [
            database,
            name,
            f"{rates[name]:,.0f}",
            *(f"{median(one.milliseconds(p) for one in measured):,.0f}" for p in (50, 99)),
            f"{rates[name] / rates['bare view']:.2f}",
        ]
        for name, measured in loads.items()
    ]


WARM_UP: dict[str, int] = {}


def in_turn(
    port: int, asks: dict[str, Callable[[], bytes]], options: argparse.Namespace
) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {name: [] for name in asks}
    for name, ask in asks.items():
        WARM_UP[name] = len(load(port, ask, options.connections, 1).latencies)
    for _ in range(options.rounds):
        for name, ask in asks.items():
            loads[name].append(load(port, ask, options.connections, options.seconds))
    return loads


def broker_states(options: argparse.Namespace) -> list[list[str]]:
    """Measure the collector with the broker running, stopped and frozen."""
    with shop("SQLite") as made, servers.temporary_directory({}) as home:
        path = home / "valkey.sock"
        command = [servers.broker_binary(), "--port", "0", "--unixsocket", str(path), "--save", ""]
        command += ["--dir", str(home)]
        environment = {**made.environment, "REDIS_URL": f"redis+socket://{quote(str(path))}"}
        with serving(environment, made.home / "log") as port:
            ask = partial(an_answer, made.touchpoint)
            load(port, ask, options.connections, 1)
            loads: dict[str, list[Load]] = {"running": [], "frozen": [], "stopped": []}
            for _ in range(options.rounds):
                with subprocess.Popen(command, stdout=subprocess.DEVNULL) as broker:
                    while not servers.answers(path):
                        time.sleep(0.05)
                    for state, measured in loads.items():
                        if state == "frozen":
                            broker.send_signal(signal.SIGSTOP)
                        if state == "stopped":
                            broker.kill()
                            broker.wait()
                        measured.append(load(port, ask, options.connections, options.seconds))
    p99 = {state: median(one.milliseconds(99) for one in found) for state, found in loads.items()}
    return [[state, f"{p99[state]:,.0f}", f"{p99[state] - p99['running']:+,.0f}"] for state in p99]


def script_sizes() -> list[list[str]]:
    script = (settings.BASE_DIR / "static" / "widget" / "widget.js").read_bytes()
    ours = (len(script), len(gzip.compress(script, 9, mtime=0)), brotli_size(script))
    return [
        [name, *(f"{size:,}" if size else "–" for size in sizes), f"{sizes[1] / ours[1]:,.1f}×"]
        for name, sizes in {"Customer Insights, all four scales": ours, **PEERS}.items()
    ]


def brotli_size(text: bytes) -> int | None:
    """Return the size in brotli, if the machine has a program for it."""
    programs = {
        "brotli": ["-q", "11", "-c"],
        "node": [
            "-e",
            "process.stdout.write(require('zlib').brotliCompressSync(require('fs').readFileSync(0)))",
        ],
    }
    for program, arguments in programs.items():
        if shutil.which(program):
            done = subprocess.run(
                [program, *arguments], input=text, capture_output=True, check=True
            )
            return len(done.stdout)
    return None


# -- The tables ------------------------------------------------------------------------------------


def main() -> None:
    options = parse()
    for name, part in PARTS.items():
        if options.only in ("", name):
            heads, rows = part(options)
            print()
            print_table(heads, rows)
            sys.stdout.flush()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", choices=["", *PARTS], default="")
    return parser.parse_args()


def views(database: str, options: argparse.Namespace) -> tuple[list[str], list[list[str]]]:
    heads = ["database", "view", "201s a second", "p50 ms", "p99 ms", "÷ bare view (goal ≥ 0.5)"]
    return heads, beside_nothing(database, options)


PARTS = {
    "sqlite": partial(views, "SQLite"),
    "postgres": partial(views, "PostgreSQL"),
    "broker": lambda options: (
        ["broker", "p99 ms", "beside running (goal ≤ +50 ms)"],
        broker_states(options),
    ),
    "script": lambda _: (
        ["script", "raw", "gzip -9", "brotli", "gzip, beside ours"],
        script_sizes(),
    ),
}


if __name__ == "__main__":
    main()
