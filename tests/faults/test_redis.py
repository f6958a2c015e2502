"""Answers while the broker is stopped, and while it is frozen: nothing of them depends on it."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from feedback import tallies
from feedback.models import Exposure, Response, ResponseChange
from tests import servers
from tests.feedback.posts import SITE, an_answer_body, an_edit_body, make_asking
from tests.feedback.recount import check_counts, check_folded
from tests.feedback.test_counting_together import address, wait_for
from tests.webserver import HOST, complaints, serving

pytestmark = [
    pytest.mark.broker,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A short path: that of a Unix socket has to be under 108 bytes."""
    with servers.temporary_directory({}) as home:
        yield home


@pytest.fixture
def broker(home) -> Iterator[subprocess.Popen]:
    """A broker of our own, which we may stop and freeze."""
    path = home / "valkey.sock"
    command = [servers.broker_binary(), "--port", "0", "--unixsocket", str(path), "--save", ""]
    with (
        (home / "broker.log").open("wb") as log,
        subprocess.Popen([*command, "--dir", str(home)], stdout=log, stderr=log) as process,
    ):
        wait_for(lambda: servers.answers(path))
        yield process
        process.kill()


@pytest.fixture(scope="module")
def port(django_db_setup, home) -> Iterator[int]:
    """A web server that knows that broker and has the database of these tests."""
    url = f"redis+socket://{quote(str(home / 'valkey.sock'))}"
    environment = {"DATABASE_URL": address(), "REDIS_URL": url}
    with serving(environment, home / "web.log") as port:
        yield port
    # Not a word: nobody was rung, so nobody was missed.
    assert complaints(home / "web.log") == []


@contextmanager
def stopped(broker: subprocess.Popen, path: Path) -> Iterator[None]:
    broker.terminate()
    broker.wait(10)
    assert not servers.answers(path)
    yield


@contextmanager
def frozen(broker: subprocess.Popen, path: Path) -> Iterator[None]:
    """It takes connections and never answers."""
    broker.send_signal(signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.2)
        client.connect(str(path))
        client.sendall(b"PING\r\n")
        with pytest.raises(TimeoutError):
            client.recv(64)
    yield
    broker.send_signal(signal.SIGCONT)
    wait_for(lambda: servers.answers(path))


@contextmanager
def running(broker: subprocess.Popen, path: Path) -> Iterator[None]:
    assert servers.answers(path)
    yield


@pytest.mark.parametrize("how", [running, stopped, frozen], ids=lambda how: how.__name__)
def test_answers_are_taken_in_whatever_the_broker_does(port, home, broker, how):
    touchpoint = make_asking(counts_exposures=True)

    def post(body: dict | None, to: str = "") -> int:
        connection = HTTPConnection(HOST, port, timeout=30)
        headers = {"Origin": SITE, "Content-Type": "text/plain"}
        sent = b"" if body is None else json.dumps(body)
        connection.request("POST", f"/collect/{touchpoint.key}/{to}", sent, headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    answers = [an_answer_body(value=number % 11) for number in range(20)]
    edit = an_edit_body(answers[0], value=10)
    with how(broker, home / "valkey.sock"):
        assert [post(body) for body in answers] == [201] * 20
        assert [post(body) for body in answers] == [200] * 20
        assert [post(edit), post(edit), post(None, "shown/")] == [201, 200, 204]
    stored = dict(Response.objects.values_list("key", "value"))
    expected = {body["key"]: body["value"] for body in answers} | {edit["edits"]: 10}
    assert stored == expected
    assert dict(Exposure.objects.values_list("kind", "n")) == {"shown": 1, "answered": 20}
    # Everything waits for the next sweep, as rows.
    assert ResponseChange.objects.count() == 22
    check_counts()
    tallies.fold_all()
    check_folded()
