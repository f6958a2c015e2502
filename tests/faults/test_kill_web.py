"""The web process, killed at the worst moments: what it acknowledged is there, and there once.

The product answers behind a real socket, in a process that kills itself (SIGKILL) where a header
of the request says. The next one is forked at once and takes over the socket, as a supervisor
would have it, and the client sends the same again, as the widget does.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.db import connection
from django.urls import get_resolver

from feedback import tallies
from feedback.models import Response, ResponseEdit
from insights.supervisor import die_with_parent
from tests.feedback.posts import SITE, an_answer_body, an_edit_body, make_asking
from tests.feedback.recount import check_counts, check_folded
from tests.feedback.test_counting_together import address
from tests.installations import BASE_DIR
from tests.webserver import HOST

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

TIMES = 50
SECONDS = 30
# What the client hears (nothing, if the process is gone), and what when it sends the same again.
POINTS = {
    "before the INSERT": (None, 201),
    "before COMMIT": (None, 201),
    "after COMMIT": (None, 200),
    "after the response": (201, 200),
}

# -- The process that is killed -------------------------------------------------------------------


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def commit_and_die(commit: Callable[[], None]) -> None:
    commit()
    die()


def die_before_an_insert(execute, sql, parameters, many, context):
    if sql.startswith("INSERT INTO") and "feedback_response" in sql:
        die()
    return execute(sql, parameters, many, context)


class SentBeforeDeath:
    """A response whose process dies once the server has sent it."""

    close = die

    def __init__(self, response) -> None:
        self.response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)


def mortal(product: Callable) -> Callable:
    """Return the application, in which a request can say where its process dies."""

    def application(environ, start_response):
        point = environ.get("HTTP_X_DIE", "")
        if point == "before the INSERT":
            with connection.execute_wrapper(die_before_an_insert):
                return product(environ, start_response)
        if point == "before COMMIT":
            connection.commit = die
        if point == "after COMMIT":
            commit = connection.commit
            connection.commit = lambda: commit_and_die(commit)
        response = product(environ, start_response)
        return SentBeforeDeath(response) if point == "after the response" else response

    return application


class Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: standard error is for what goes wrong."""


def serve(listener: int) -> None:
    """Answer on a listening socket, in one process after the other; tell how each of them ended."""
    from insights.wsgi import application

    assert get_resolver().url_patterns
    # A connection is never shared by two processes.
    assert connection.connection is None
    while True:
        child = os.fork()
        if not child:
            die_with_parent()
            server = WSGIServer((HOST, 0), Handler, bind_and_activate=False)
            server.socket.close()
            server.socket = socket.socket(fileno=listener)
            server.server_name, server.server_port = server.socket.getsockname()
            server.setup_environ()
            server.set_app(mortal(application))
            server.serve_forever()
        _, status = os.waitpid(child, 0)
        print("killed" if os.WTERMSIG(status) == signal.SIGKILL else status, flush=True)


SERVE = """
import django
django.setup()
from tests.faults.test_kill_web import serve
serve({listener})
"""

# -- The client -----------------------------------------------------------------------------------


@dataclass
class Web:
    """Where the web processes answer, and what is told of their ends."""

    port: int
    process: subprocess.Popen[str]

    def post(self, touchpoint, body: dict, die: str = "") -> int | None:
        """Return the status of an answer, or None if the process was gone before it came."""
        client = HTTPConnection(HOST, self.port, timeout=SECONDS)
        headers = {"Origin": SITE, "Content-Type": "text/plain", "X-Die": die}
        try:
            client.request("POST", f"/collect/{touchpoint.key}/", json.dumps(body), headers)
            response = client.getresponse()
            assert json.loads(response.read())["key"] == body["key"]
            return response.status
        except (ConnectionError, HTTPException):
            return None
        finally:
            client.close()

    def next_end(self) -> str:
        """Return how the process ended; a process that did not end fails the test at once."""
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        return self.process.stdout.readline().strip() if ready else "alive"


@pytest.fixture
def web() -> Iterator[Web]:
    with socket.create_server((HOST, 0), backlog=128) as listener:
        listener.set_inheritable(True)
        environment = {
            **os.environ,
            "DATABASE_URL": address(),
            "DJANGO_SETTINGS_MODULE": "insights.settings",
            "PYTHONPATH": str(BASE_DIR),
        }
        with subprocess.Popen(
            [sys.executable, "-c", SERVE.format(listener=listener.fileno())],
            env=environment,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (nothing is imported in the child)
        ) as process:
            yield Web(listener.getsockname()[1], process)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def die_everywhere(web: Web, touchpoint, bodies: Callable[[int], dict]) -> dict[str, dict]:
    """Send bodies while the process dies at each point many times; return them by their key."""
    acknowledged = {}
    for point, expected in POINTS.items():
        for number in range(TIMES):
            body = bodies(number)
            heard = web.post(touchpoint, body, die=point), web.post(touchpoint, body)
            assert heard == expected, f"{point}, {number}"
            assert web.next_end() == "killed", f"{point}, {number}"
            acknowledged[body["key"]] = body
    return acknowledged


def check_exact() -> None:
    check_counts()
    tallies.fold_all()
    check_folded()


def test_an_answer_that_was_acknowledged_is_there_once(web):
    touchpoint = make_asking()
    told = die_everywhere(web, touchpoint, lambda number: an_answer_body(value=number % 11))
    stored = list(Response.objects.order_by("key").values_list("key", "value"))
    assert stored == sorted((key, body["value"]) for key, body in told.items())
    assert len(stored) == len(POINTS) * TIMES
    check_exact()


def test_a_change_that_was_acknowledged_is_made_once(web):
    touchpoint = make_asking()

    def an_edit(number: int) -> dict:
        answer = an_answer_body(value=number % 7)
        assert web.post(touchpoint, answer) == 201
        return an_edit_body(answer, value=10 - number % 3, reason="useful")

    told = die_everywhere(web, touchpoint, an_edit)
    stored = Response.objects.order_by("key").values_list("key", "value", "reason")
    assert list(stored) == sorted(
        (edit["edits"], edit["value"], "useful") for edit in told.values()
    )
    made = ResponseEdit.objects.order_by("key").values_list("key", "response__key")
    assert list(made) == sorted((key, edit["edits"]) for key, edit in told.items())
    check_exact()
