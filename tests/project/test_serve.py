"""`manage.py serve`: everything runs or nothing does, and nothing is left behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]
BASE_DIR = Path(__file__).resolve().parents[2]
ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
embedded = pytest.mark.skipif(ON_POSTGRES, reason="the embedded set-up: in the SQLite pass")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A prepared installation with nothing set but its own var/."""
    theirs = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "PRODUCTION"}
    given = {name: value for name, value in os.environ.items() if name not in theirs}
    given["VAR_DIR"] = str(tmp_path_factory.mktemp("with space") / "var")
    prepare(given)
    return given


def prepare(environment: dict[str, str]) -> None:
    done = manage(environment, "prepare", "--no-demo")
    assert done.returncode == 0, done.stderr
    assert "/setup/" in done.stdout


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen]:
    """A server that has said that it is ready."""
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = [server.stdout.readline()]
        while said[-1] and "Ctrl-C stops everything" not in said[-1]:
            said.append(server.stdout.readline())
        assert f"Customer Insights is ready: http://localhost:{port}/\n" in said
        server.welcome = "".join(said)
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(30)
        server.stdout.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def processes(environment: dict[str, str]) -> dict[int, str]:
    """The processes that belong to this var/: {pid: command line}.

    Known by their environment; Valkey writes its own title over that, with its socket in it.
    """
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (directory / "cmdline").read_bytes()
            traces = command + (directory / "environ").read_bytes()
            # One that has ended and is not yet collected has no command line.
            if command and environment["VAR_DIR"].encode() in traces:
                found[int(directory.name)] = command.replace(b"\0", b" ").decode()
    return found


def left_after(seconds: float, environment: dict[str, str]) -> dict[int, str]:
    deadline = time.monotonic() + seconds
    while processes(environment) and time.monotonic() < deadline:
        time.sleep(0.1)
    return processes(environment)


@embedded
def test_it_serves_until_sigterm_and_leaves_nothing(environment, port) -> None:
    with serving(environment, port) as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
        names = " ".join(processes(environment).values())
        for part in ("valkey-server", "celery", "beat", "granian"):
            assert part in names

        again = manage(environment, "serve", "--port", str(port + 1))
        assert again.returncode == 1
        assert "already runs on" in again.stderr

        server.send_signal(signal.SIGTERM)
        assert server.stdout.read() == "Stopped.\n"
        assert server.wait() == 0
    assert processes(environment) == {}


@embedded
def test_what_it_writes_is_for_its_owner_alone(environment) -> None:
    var_dir = Path(environment["VAR_DIR"])
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [var_dir, *var_dir.rglob("*")]}
    assert {path: mode for path, mode in modes.items() if mode & 0o077} == {}
    assert (var_dir / "appendonlydir") in modes


@embedded
def test_a_dead_worker_stops_the_rest(environment, port) -> None:
    with serving(environment, port) as server:
        commands = processes(environment)
        workers = [pid for pid, command in commands.items() if " worker " in command]
        os.kill(min(workers), signal.SIGKILL)
        assert server.wait(20) == 1
        assert "The worker was killed by signal 9, so everything was stopped" in (
            server.stdout.read()
        )
    assert processes(environment) == {}


@embedded
def test_nothing_outlives_a_supervisor_that_was_killed(environment, port) -> None:
    with serving(environment, port) as server:
        server.kill()
        assert left_after(15, environment) == {}


@embedded
def test_a_port_in_use_is_refused_before_anything_is_started(environment) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = manage(environment, "serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot be used (Address already in use)" in done.stderr
    assert done.stdout == ""


@embedded
def test_a_database_that_is_not_prepared_is_refused(environment, tmp_path, port) -> None:
    done = manage({**environment, "VAR_DIR": str(tmp_path)}, "serve", "--port", str(port))
    assert done.returncode == 1
    assert "The database is not ready" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.postgres
def test_it_serves_on_postgresql_and_a_given_broker(environment, port) -> None:
    server_url = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(server_url.geturl(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS serve_test")
        connection.execute("CREATE DATABASE serve_test")
    given = {
        **environment,
        "DATABASE_URL": server_url._replace(path="/serve_test").geturl(),
        "REDIS_URL": os.environ["REDIS_URL"],
    }
    prepare(given)
    with serving(given, port) as server:
        assert "valkey-server" not in " ".join(processes(given).values())
        server.terminate()
        assert server.wait(20) == 0
    assert processes(given) == {}
