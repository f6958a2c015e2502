#!/usr/bin/env python3
"""Start Customer Insights on a machine that has Python and nothing else.

    python3 start.py [--port N] [--no-demo]     install what is missing, then run everything
    python3 start.py setup [--no-demo] [--dev]  the same without running; --dev adds the tools
    python3 start.py --demo                     from your own shop back to the demo shop
    python3 start.py test [pytest arguments]    run the tests

Standard library only, and parsed by old Pythons too: they get a sentence, not a SyntaxError.
"""

import argparse
import errno
import hashlib
import importlib.util
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def too_old(version):
    """Return what to do about this version of Python, or nothing if it will do."""
    if tuple(version[:2]) >= (3, 11):
        return ""
    return (
        "Customer Insights needs Python 3.11 or newer; this is {}.{}. Install a newer one beside "
        "it (python.org, or your system's packages) and start with that: python3.11 start.py"
    ).format(*version)


if too_old(sys.version_info):
    raise SystemExit(too_old(sys.version_info))

BASE_DIR = Path(__file__).resolve().parent
if os.environ.get("VAR_DIR"):
    # Seen from where the reader is, as the programs run in the project's folder.
    os.environ["VAR_DIR"] = os.path.abspath(os.environ["VAR_DIR"])
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
# Written when an installation is complete, and removed before anything is changed: without it
# the environment is half-made, whatever it looks like.
STAMP = VENV / "installed"
RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
ROOM_NEEDED_MB = {RUNTIME: 700, DEVELOPMENT: 1300}


class Trouble(Exception):
    """Something the reader can mend: the message says what it is and the way out."""


def main(arguments: list[str]) -> None:
    try:
        refuse_windows(os.name)
        if arguments[:1] == ["test"]:
            test(arguments[1:])
        options = parsed(arguments)
        if options.command == "setup":
            set_up(no_demo=options.no_demo, dev=options.dev)
            say("Ready. Start with: python3 start.py")
        else:
            start(port=options.port, no_demo=options.no_demo, demo=options.demo)
    except Trouble as trouble:
        raise SystemExit(str(trouble)) from None
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted. Run the same command again to finish.") from None


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000, help="of the web server (8000)")
    shop = parser.add_mutually_exclusive_group()
    shop.add_argument("--no-demo", action="store_true", help="start with an empty shop")
    shop.add_argument("--demo", action="store_true", help="go back to the demo shop")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("test", help="run the tests")
    setup = commands.add_parser("setup", help="install and prepare, and run nothing")
    setup.add_argument("--no-demo", action="store_true", default=argparse.SUPPRESS)
    setup.add_argument("--dev", action="store_true", help="with the tools for development")
    return parser.parse_args(arguments)


# -- The three commands -----------------------------------------------------------------------


def start(port: int, no_demo: bool, demo: bool) -> None:
    check_port(port)
    if demo:
        forget_own_shop()
    # The links that are printed and mailed lead to the port that is used.
    os.environ.setdefault("BASE_URL", f"http://localhost:{port}")
    set_up(no_demo=no_demo, dev=False)
    say("Starting …")
    replace_by("manage.py", "serve", "--port", str(port))


def set_up(no_demo: bool, dev: bool) -> None:
    check_writable(var_dir())
    with only_one() as lock:
        install([RUNTIME, DEVELOPMENT] if dev else [RUNTIME], lock)
        prepare(no_demo, lock)


def test(arguments: list[str]) -> None:
    with only_one() as lock:
        install([RUNTIME, DEVELOPMENT], lock)
    replace_by("tests/run.py", *arguments)


def var_dir() -> Path:
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var")


def forget_own_shop() -> None:
    """Open the demo shop's file again; the own shop stays in its file, for --no-demo."""
    import fcntl  # noqa: PLC0415  (not on Windows, where a sentence has been printed by now)

    check_writable(var_dir())
    with (var_dir() / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"Customer Insights runs on {var_dir()}. Stop it there with Ctrl-C first, as it "
                "would change shops under everybody who works in it."
            ) from None
        (var_dir() / "database").unlink(missing_ok=True)


def prepare(no_demo: bool, lock: int) -> None:
    say("Preparing the database …")
    command = [str(PYTHON), "manage.py", "prepare", *(["--no-demo"] if no_demo else [])]
    if run(command, lock) != 0:
        raise Trouble("The database could not be prepared: the reason is above.")


def replace_by(script: str, *arguments: str) -> None:
    """Become another program: signals and the exit code are then its own."""
    sys.stdout.flush()
    os.chdir(str(BASE_DIR))
    os.execv(str(PYTHON), [str(PYTHON), script, *arguments])  # noqa: S606


# -- Checks that cost nothing, before anything slow -------------------------------------------


def refuse_windows(system: str) -> None:
    if system == "nt":
        raise Trouble("Customer Insights runs on Linux and macOS; on Windows, start it in WSL.")


def check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise Trouble(f"{port} is no port: choose one from 1024 to 65535, like --port 8000")
    with socket.socket() as test_socket:
        # Connections of a server that has just stopped do not count.
        test_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            test_socket.bind(("127.0.0.1", port))
        except PermissionError:
            raise Trouble(f"Port {port} is for root only: choose another, --port 8000") from None
        except OSError:
            raise Trouble(
                f"Port {port} is in use. Stop the program that has it (another Customer "
                f"Insights?) or choose another: python3 start.py --port {port + 1}"
            ) from None


def check_writable(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=str(directory)).close()
    except OSError as error:
        raise Trouble(f"Cannot write in {directory}: {reason(error)}") from None


def reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full. Make room and run this again."
    return f"{error.strerror}. Make it yours (chown), or copy this folder to where you may write."


def check_venv_module() -> None:
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Trouble(
            "This Python cannot make environments (no venv or ensurepip module). On Debian and "
            "Ubuntu: apt install python3-venv; elsewhere install a complete Python. Then run "
            "this again."
        )


def check_room(locks: list[str]) -> None:
    needed = max(ROOM_NEEDED_MB[lock] for lock in locks)
    free = shutil.disk_usage(str(BASE_DIR)).free // 1_000_000
    if free < needed:
        raise Trouble(
            f"There are {free} MB free in {BASE_DIR} and the installation needs {needed}. Make "
            "room and run this again."
        )


@contextmanager
def only_one() -> Iterator[int]:
    """Hold this folder while installing; give the lock on to programs that do the work."""
    import fcntl  # noqa: PLC0415  (not on Windows, where a sentence has been printed by now)

    # The folder itself is the lock: no file is left behind, and the system frees it when the
    # last program that holds it ends, however it ends.
    folder = os.open(str(BASE_DIR), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Trouble(
            "Another start.py is installing in this folder. Wait until it is done (some "
            "minutes), then run this again."
        ) from None
    except OSError:
        pass  # Some network disks have no locks; then there is nothing to hold.
    try:
        yield folder
    finally:
        os.close(folder)


# -- The environment --------------------------------------------------------------------------


def install(locks: list[str], lock: int) -> None:
    """Bring .venv up to the lock files; a half-made one is made anew."""
    done = finished()
    missing = [name for name in locks if done.get(name) != digest(name)]
    if not missing:
        return
    check_writable(BASE_DIR)
    check_room(missing)
    if not done:
        make_environment(lock)
        done = {"python": python_version()}
    STAMP.unlink(missing_ok=True)
    for name in missing:
        pip_install(name, lock)
        done[name] = digest(name)
    STAMP.write_text("".join(f"{name} {value}\n" for name, value in done.items()))


def finished() -> dict[str, str]:
    """Return what is completely installed in a working .venv: {lock file: digest}."""
    try:
        done = dict(line.split() for line in STAMP.read_text().splitlines())
    except (OSError, ValueError):
        return {}
    # Also empty when the system's Python went away or became another one.
    return done if done.get("python") == python_version() else {}


def python_version() -> str:
    """Return the version of the Python in .venv; nothing if it does not run."""
    asked = [str(PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def digest(name: str) -> str:
    return hashlib.sha256((BASE_DIR / name).read_bytes()).hexdigest()


def make_environment(lock: int) -> None:
    say(f"Making {'a new' if VENV.exists() else 'the'} environment in .venv …")
    check_venv_module()
    # Not the Python of .venv itself, which is about to be replaced.
    base = getattr(sys, "_base_executable", sys.executable)
    output: list[str] = []
    if run([base, "-m", "venv", "--clear", str(VENV)], lock, output.append) != 0:
        raise failure("The environment could not be made", output)


def pip_install(name: str, lock: int) -> None:
    total = len(re.findall(r"^[\w.\[\]-]+==", (BASE_DIR / name).read_text(), re.MULTILINE))
    say(f"Installing {total} packages from {name} …")
    progress = Progress(total)
    command = [
        *(str(PYTHON), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
        *("--retries", "2", "-r", name),
    ]
    code = run(command, lock, progress.read, progress.tick)
    progress.close()
    if code != 0:
        raise failure("The packages could not be installed", progress.lines)


class Progress:
    """Turns pip's many lines into one that counts."""

    def __init__(self, total: int) -> None:
        self.lines: list[str] = []
        self._total = total
        self._looked_at = 0
        self._before = self._unpacked()
        self._live = sys.stdout.isatty()
        self._shown = 0

    def read(self, line: str) -> None:
        self.lines.append(line)
        seen = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line)
        if seen:
            self._looked_at += 1
            self._show(self._looked_at, f"fetched, now {seen.group(1)}")

    def tick(self) -> None:
        """Once a second: pip is silent while it unpacks, so count what has appeared."""
        unpacked = self._unpacked() - self._before
        if unpacked:
            self._show(unpacked, "unpacked")

    def close(self) -> None:
        if self._live:
            sys.stdout.write("\r\033[K")

    def _unpacked(self) -> int:
        return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))

    def _show(self, count: int, what: str) -> None:
        text = f"  {count}/{self._total} {what}"
        if self._live:
            sys.stdout.write(f"\r\033[K{text}")
            sys.stdout.flush()
        elif abs(count - self._shown) >= 10:  # A log gets every tenth; counting starts twice.
            say(text)
            self._shown = count


def run(
    command: list[str],
    lock: int,
    read: Callable[[str], None] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> int:
    """Run a command; give its lines to `read` (else they are shown), call `tick` each second.

    It has a session of its own, so that Ctrl-C ends it here, without its own traceback. It
    shares the lock, so that nobody else begins while it runs on after a kill -9 of ours.
    """
    process = subprocess.Popen(
        command,
        cwd=str(BASE_DIR),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if read else None,
        stderr=subprocess.STDOUT if read else None,
        start_new_session=True,
        pass_fds=[lock],
    )
    try:
        if read and process.stdout:
            follow(process.stdout.fileno(), read, tick)
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def follow(output: int, read: Callable[[str], None], tick: Callable[[], None]) -> None:
    unfinished = b""
    while True:
        if not select.select([output], [], [], 1)[0]:
            tick()
            continue
        chunk = os.read(output, 65536)
        if not chunk:
            return
        *lines, unfinished = (unfinished + chunk).split(b"\n")
        for line in lines:
            read(line.decode(errors="replace").rstrip())


# What pip and venv say when something is missing, and the way out. The first that fits counts.
WAYS_OUT = [
    (r"No space left", "The disk is full. Make room (about 1 GB) and run this again."),
    (r"Permission denied", "A file could not be written. Make this folder yours (chown)."),
    (
        r"DO NOT MATCH THE HASHES",
        "A package is not the one that was locked, so it was refused. Run this again; if it stays, "
        "something between you and the package index changes files.",
    ),
    (
        r"NewConnectionError|Name or service not known|name resolution|Timeout|timed out|"
        r"ProxyError|Max retries|Connection (refused|reset|aborted)|SSLError|unreachable",
        "The package index cannot be reached. Run this again with a connection, or set "
        "PIP_INDEX_URL to a mirror.",
    ),
    (
        r"No matching distribution",
        "A package has no ready-made version for this machine and this Python. Linux and macOS on "
        "64-bit x86 or ARM have them all; a very new Python may have to wait for some.",
    ),
]


def failure(what: str, output: list[str]) -> Trouble:
    """Show the end of what a program said, and turn it into a sentence."""
    text = "\n".join(output)
    chatter = r"Collecting|Requirement|Processing|Ignoring|  (Downloading|Using cached|Obtaining)"
    for line in [line for line in output if line and not re.match(chatter, line)][-12:]:
        say(f"  {line}")
    for pattern, way_out in WAYS_OUT:
        if re.search(pattern, text):
            return Trouble(f"{what}. {way_out}")
    return Trouble(f"{what}: the reason is above. Run this again when it is mended.")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
