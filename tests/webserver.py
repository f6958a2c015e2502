"""The web server as `serve` starts it, on a port of its own, for requests that are real."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from insights.management.commands.serve import web
from insights.supervisor import die_with_parent
from tests.installations import BASE_DIR

HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 15


@contextmanager
def serving(
    environment: Mapping[str, str], log: Path, application: str = "", ready: str = "/healthz"
) -> Iterator[int]:
    """Yield the port of a web server with this environment; what it says goes to a file."""
    port = free_port()
    *command, usual = web(HOST, port, 1).command
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, application or usual],
            cwd=BASE_DIR,
            env={**os.environ, "PYTHONPATH": str(BASE_DIR), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (nothing is imported in the child)
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port, ready):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the web server did not start: {log.read_text()[-500:]}")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def complaints(log: Path) -> list[str]:
    """Return what a web server said that people would see."""
    noise = web(HOST, 0, 1).noise
    return [line for line in log.read_text().splitlines() if not noise.search(line)]


def free_port() -> int:
    with socket.socket() as test:
        test.bind((HOST, 0))
        return int(test.getsockname()[1])


def answers(port: int, path: str) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
