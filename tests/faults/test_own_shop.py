"""Leaving the demo, killed at the worst moments: the old shop works or the new one, whole."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.installations import run
from tests.project.test_own_shop import (
    COUNT,
    DEMO_LOGIN,
    SECONDS,
    Visitor,
    demo,
    own_shop_answers,
    port,
    prepared_demo,
    pytestmark,
    wait_for,
)
from tests.project.test_serve import left_after, processes, serving

__all__ = ["demo", "port", "prepared_demo", "pytestmark"]


def kill_everything(server: subprocess.Popen, environment: dict[str, str]) -> None:
    for pid in [server.pid, *processes(environment)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    server.wait(SECONDS)
    assert left_after(15, environment) == {}


def test_killed_while_the_shop_is_made_the_demo_goes_on(demo, port):
    var_dir = Path(demo["VAR_DIR"])
    with serving(demo, port) as server:
        visitor = Visitor(port)
        visitor.sign_in(DEMO_LOGIN)
        visitor.get("/own-shop/")
        if os.fork() == 0:
            try:
                visitor.post("/own-shop/")
            finally:
                os._exit(0)
        wait_for((var_dir / "shop.draft").exists)
        kill_everything(server, demo)
    os.wait()
    assert not (var_dir / "database").exists()
    assert not (var_dir / "shop.sqlite3").exists()
    assert (var_dir / "shop.draft").exists()

    with serving(demo, port):
        visitor = Visitor(port)
        visitor.sign_in(DEMO_LOGIN)
        assert visitor.get("/") == 200
        link = visitor.leave_the_demo()
        wait_for(lambda: own_shop_answers(port))
        assert visitor.get(link) == 200
    assert not (var_dir / "shop.draft").exists()
    assert left_after(15, demo) == {}
    assert run(demo, COUNT) == "0 0\n"


def test_killed_after_the_pointer_the_own_shop_opens(demo, port):
    with serving(demo, port) as server:
        visitor = Visitor(port)
        visitor.sign_in(DEMO_LOGIN)
        link = visitor.leave_the_demo()
        kill_everything(server, demo)
    with serving(demo, port) as server:
        assert "Demo logins" not in server.welcome
        assert f"Make the first administrator here: http://localhost:{port}/setup/" in (
            server.welcome
        )
        assert own_shop_answers(port)
        assert Visitor(port).get(link) == 200
        server.terminate()
        assert server.wait(30) == 0
    assert processes(demo) == {}


def test_a_stop_while_the_programs_start_again_leaves_nothing(demo, port):
    with serving(demo, port) as server:
        visitor = Visitor(port)
        visitor.sign_in(DEMO_LOGIN)
        visitor.leave_the_demo()
        while "Opening the shop" not in server.stdout.readline():
            pass
        time.sleep(2.2)
        server.terminate()
        assert server.wait(40) == 0
    assert processes(demo) == {}
