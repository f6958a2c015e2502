"""start.py on machines where something is missing: a sentence, a way out, and repair."""

import ast
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest

START = Path(__file__).resolve().parents[2] / "start.py"

# Stands in for Django: says what it was asked, and can be told to take its time.
MANAGE = """
import os, sys, time
print("manage.py", *sys.argv[1:], flush=True)
time.sleep(float(os.environ.get("TAKE_SECONDS", "0")))
"""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_start(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, project / "start.py", *arguments],
        env={**without_settings(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def without_settings() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name not in {"VAR_DIR", "BASE_URL"}
    }


def assert_refused(done: subprocess.CompletedProcess, sentence: str) -> None:
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def start() -> ModuleType:
    return load(START)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with no dependencies, set up once, in a path with a space."""
    folder = tmp_path_factory.mktemp("a project")
    shutil.copy(START, folder)
    (folder / "manage.py").write_text(MANAGE)
    (folder / "requirements.txt").write_text("# nothing\n")
    done = run_start(folder, "setup")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Making the environment" in done.stdout
    assert "manage.py prepare\n" in done.stdout
    return folder


# -- Pythons and systems --------------------------------------------------------------------


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 14)])
def test_an_old_python_is_told_which_one_it_needs(start: ModuleType, version: tuple) -> None:
    sentence = start.too_old(version)
    assert "needs Python 3.11" in sentence
    assert f"this is {version[0]}.{version[1]}." in sentence


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_a_new_python_will_do(start: ModuleType, version: tuple) -> None:
    assert start.too_old(version) == ""


def test_an_old_python_can_read_the_file_far_enough_to_say_so() -> None:
    ast.parse(START.read_text(), feature_version=(3, 6))


def test_windows_is_told_about_wsl(start: ModuleType) -> None:
    with pytest.raises(start.Trouble, match="WSL"):
        start.refuse_windows("nt")


def test_a_python_without_venv_names_the_package(start: ModuleType, monkeypatch) -> None:
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(start.Trouble, match="apt install python3-venv"):
        start.check_venv_module()


def test_a_disk_without_room_is_noticed_beforehand(start: ModuleType, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(start.shutil, "disk_usage", lambda path: usage(0, 0, 12_000_000))
    with pytest.raises(start.Trouble, match="12 MB free in"):
        start.check_room(["requirements.txt"])


# -- Ports and places -----------------------------------------------------------------------


def test_a_port_in_use_is_refused_before_anything_else(project: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run_start(project, "--port", str(other.getsockname()[1]))
    assert_refused(done, "is in use")
    assert done.stdout == ""


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_number_that_is_no_port_is_refused(project: Path, port: str) -> None:
    assert_refused(run_start(project, "--port", port), f"{port} is no port")


def test_a_place_that_cannot_be_written_is_named(project: Path, tmp_path: Path) -> None:
    # A directory below a file cannot be made by anybody, root included.
    (tmp_path / "file").touch()
    done = run_start(project, "setup", VAR_DIR=str(tmp_path / "file" / "var"))
    assert_refused(done, f"Cannot write in {tmp_path}/file/var")


# -- Installing -----------------------------------------------------------------------------


def test_a_second_start_installs_nothing_and_serves(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    done = run_start(project, "--no-demo", "--port", port)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Preparing the database …",
        "manage.py prepare --no-demo",
        "Starting …",
        f"manage.py serve --port {port}",
    ]


def test_back_to_the_demo_forgets_which_file_was_chosen_and_keeps_both(project, tmp_path):
    for name in ("db.sqlite3", "shop.sqlite3"):
        (tmp_path / name).write_text(name)
    (tmp_path / "database").write_text("shop.sqlite3\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    with (tmp_path / "serve.lock").open("w") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        refused = run_start(project, "--demo", "--port", port, VAR_DIR=str(tmp_path))
    assert_refused(refused, "Stop it there with Ctrl-C first")
    assert (tmp_path / "database").exists()

    done = run_start(project, "--demo", "--port", port, VAR_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "manage.py prepare\n" in done.stdout
    assert not (tmp_path / "database").exists()
    assert (tmp_path / "db.sqlite3").read_text() == "db.sqlite3"
    assert (tmp_path / "shop.sqlite3").read_text() == "shop.sqlite3"


def test_with_and_without_the_demo_at_once_is_refused(project: Path) -> None:
    assert run_start(project, "--demo", "--no-demo").returncode == 2


def test_a_failed_installation_is_explained_and_made_anew_by_the_next_run(project: Path) -> None:
    lock = project / "requirements.txt"
    before = lock.read_text()
    lock.write_text("django==5.2.19\n")
    failed = run_start(project, "setup")
    assert_refused(failed, "The packages could not be installed")
    assert "Hashes are required" in failed.stdout

    lock.write_text(before)
    (project / ".venv" / "half a package").touch()
    done = run_start(project, "setup")
    assert done.returncode == 0
    assert "Making a new environment" in done.stdout
    assert not (project / ".venv" / "half a package").exists()


def test_what_is_finished_is_known_by_its_stamp(project: Path) -> None:
    start = load(project / "start.py")
    assert start.finished()["requirements.txt"] == start.digest("requirements.txt")


@pytest.mark.parametrize("stamp", ["", "python 3.2\nrequirements.txt 12\n", "requirem"])
def test_a_stamp_that_does_not_fit_counts_as_half_finished(project: Path, stamp: str) -> None:
    start = load(project / "start.py")
    finished = start.STAMP.read_text()
    start.STAMP.write_text(stamp)
    assert start.finished() == {}
    start.STAMP.write_text(finished)


def test_an_environment_whose_python_is_gone_counts_as_half_finished(project: Path) -> None:
    start = load(project / "start.py")
    aside = start.PYTHON.rename(start.PYTHON.with_name("aside"))
    assert start.finished() == {}
    aside.rename(start.PYTHON)


@pytest.mark.parametrize(
    ("said", "way_out"),
    [
        (
            "NewConnectionError('…: Name or service not known')",
            "The package index cannot be reached",
        ),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "it was refused"),
        ("No matching distribution found for granian", "no ready-made version"),
        ("something new", "the reason is above"),
    ],
)
def test_what_pip_says_becomes_a_way_out(start: ModuleType, said: str, way_out: str) -> None:
    assert way_out in str(start.failure("It did not work", [said]))


def test_two_at_once_are_refused(project: Path) -> None:
    folder = os.open(project, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    done = run_start(project, "setup")
    os.close(folder)
    assert_refused(done, "Another start.py is installing")


def test_ctrl_c_ends_with_a_sentence_and_leaves_nothing_running(project: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, project / "start.py", "setup"],
        env={**without_settings(), "TAKE_SECONDS": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while "manage.py prepare" not in running.stdout.readline():
        pass
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    # Until everybody who holds the other end is gone.
    said = running.stdout.read()
    running.stdout.close()
    assert running.wait() == 1
    assert "Run the same command again" in said
    assert "Traceback" not in said
