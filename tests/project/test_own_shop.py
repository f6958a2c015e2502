"""Leaving the demo for a shop of one's own, as somebody does it in a browser and by hand."""

import hashlib
import os
import re
import shutil
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.installations import install, manage, run
from tests.project.test_serve import ON_POSTGRES, processes, serving

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
    pytest.mark.skipif(ON_POSTGRES, reason="the embedded set-up: in the SQLite pass"),
]
DEMO_LOGIN = "admin@demo.example"
PASSWORD = "a long enough password"
SECONDS = 60

# A demo shop is known by its logins; one will do, and a customer to lose.
MAKE_DEMO = f"""
from django.contrib.auth.models import Group, User
from customers.models import Customer
from django.utils import timezone
user = User.objects.create_superuser("{DEMO_LOGIN}", "{DEMO_LOGIN}", "{PASSWORD}")
user.groups.add(Group.objects.get(name="administrator"))
Customer.objects.create(reference="K1", created_at=timezone.now())
"""
ADD_CUSTOMERS = """
from customers.models import Customer
from django.utils import timezone
for reference in ("1", "2"):
    Customer.objects.create(reference=reference, created_at=timezone.now())
"""
COUNT = """
from django.contrib.auth.models import User
from customers.models import Customer
print(User.objects.count(), Customer.objects.count())
"""


@pytest.fixture(scope="module")
def prepared_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var_dir = tmp_path_factory.mktemp("prepared") / "var"
    run(install(var_dir, "unused"), MAKE_DEMO)
    return var_dir


@pytest.fixture
def demo(prepared_demo: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a small demo shop, in a directory with signs that addresses escape."""
    var_dir = tmp_path / "50% of a #shop?" / "var"
    shutil.copytree(prepared_demo, var_dir)
    given = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**given, "VAR_DIR": str(var_dir)}


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Visitor:
    """A browser without scripts."""

    def __init__(self, port: int) -> None:
        self.base = f"http://localhost:{port}"
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.page = ""
        self.path = ""

    def get(self, path: str) -> int:
        return self._open(urllib.request.Request(self.base + path))

    def post(self, path: str, **fields: str) -> int:
        """Send the form of the page before us."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page)[1]
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self._open(urllib.request.Request(self.base + path, body))

    def _open(self, request: urllib.request.Request) -> int:
        try:
            answer = self._opener.open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.page = answer.read().decode()
            self.path = urllib.parse.urlsplit(answer.url).path
            return answer.status

    def sign_in(self, email: str) -> None:
        self.get("/accounts/login/")
        self.post("/accounts/login/", login=email, password=PASSWORD)
        assert self.path == "/", self.page

    def leave_the_demo(self) -> str:
        """Press the button and return where the page goes on."""
        assert self.get("/own-shop/") == 200
        assert self.post("/own-shop/") == 200
        return re.search(r'data-next="([^"]+)"', self.page)[1]


def wait_for(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def own_shop_answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/own-shop/open/", timeout=5) as answer:
            return answer.read() == b'{"open": true}'
    except OSError:
        return False


def digest(environment: dict[str, str], name: str = "db.sqlite3") -> str:
    return hashlib.sha256((Path(environment["VAR_DIR"]) / name).read_bytes()).hexdigest()


def programs(environment: dict[str, str]) -> dict[str, int]:
    """The pid of the first process of each part."""
    found = processes(environment)
    return {
        part: min(pid for pid, command in found.items() if part in command)
        for part in ("valkey-server", " worker ", " beat ", "granian")
    }


def test_the_button_opens_an_empty_shop_and_keeps_the_demo(demo, port):
    with serving(demo, port) as server:
        before = programs(demo)
        visitor = Visitor(port)
        visitor.sign_in(DEMO_LOGIN)
        assert not own_shop_answers(port)

        link = visitor.leave_the_demo()
        assert re.fullmatch(r"/setup/[^/]+/", link)
        # The page that waits still gets what it needs.
        script = re.search(r'src="([^"]+own_shop[^"]*\.js)"', visitor.page)[1]
        assert visitor.get(script) == 200
        wait_for(lambda: own_shop_answers(port))
        after = programs(demo)
        assert after["valkey-server"] == before["valkey-server"]
        assert not set(after.values()) & set(before.values()) - {before["valkey-server"]}

        # The session of the demo is nobody's here, though the browser still sends its cookie.
        assert "sessionid" in {cookie.name for cookie in visitor.cookies}
        visitor.get("/")
        assert visitor.path == "/accounts/login/"
        assert "demo.example" not in visitor.page
        assert "Lindehuis" not in visitor.page

        assert visitor.get(link) == 200
        visitor.post(
            link,
            name="Kim",
            email="kim@example.org",
            password=PASSWORD,
            password1=PASSWORD,
            password2=PASSWORD,
        )
        assert visitor.path not in {link, "/accounts/login/"}, visitor.page
        assert visitor.get(link) == 404
        another = Visitor(port)
        another.sign_in("kim@example.org")
        another.get("/own-shop/")
        assert 'method="post">' not in another.page.partition("<main")[2]
        # The demo's own login does not work here.
        stranger = Visitor(port)
        stranger.get("/accounts/login/")
        stranger.post("/accounts/login/", login=DEMO_LOGIN, password=PASSWORD)
        assert stranger.path == "/accounts/login/"

        server.terminate()
        said = server.stdout.read()
        assert server.wait(30) == 0
    assert processes(demo) == {}
    assert f"Make the first administrator here: http://localhost:{port}/setup/" in said
    assert said.endswith("Stopped.\n")

    assert run(demo, COUNT) == "1 0\n"
    (Path(demo["VAR_DIR"]) / "database").unlink()
    assert run(demo, COUNT) == "1 1\n"


def test_the_own_shop_is_opened_until_somebody_goes_back_and_kept_then(demo):
    untouched = digest(demo)
    left = manage(demo, "prepare", "--no-demo")
    assert left.returncode == 0, left.stderr
    assert "The demo shop stays in" in left.stdout
    assert "/setup/" in left.stdout
    assert digest(demo) == untouched

    # The next start opens it too; it gets no demo, and says the link while there is no login.
    again = manage(demo, "prepare")
    assert (again.returncode, again.stderr) == (0, "")
    assert "/setup/" in again.stdout
    assert "demo" not in again.stdout.casefold()
    assert digest(demo) == untouched
    run(demo, ADD_CUSTOMERS)
    assert run(demo, COUNT) == "0 2\n"

    # As --demo leaves it, and as a crash does between the new name and the pointer.
    (Path(demo["VAR_DIR"]) / "database").unlink()
    assert run(demo, COUNT) == "1 1\n"
    manage(demo, "prepare", "--no-demo")
    assert run(demo, COUNT) == "0 2\n"


# -- Where it is not offered ---------------------------------------------------------------------


def test_a_shop_that_cannot_be_made_changes_nothing(demo):
    var_dir = Path(demo["VAR_DIR"])
    # A directory of that name cannot be removed as a file is.
    (var_dir / "shop.draft").mkdir()
    failed = manage(demo, "prepare", "--no-demo")
    assert failed.returncode == 1
    assert "Your own shop could not be made" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (var_dir / "database").exists()
    assert run(demo, COUNT) == "1 1\n"


def test_a_bad_pointer_is_one_sentence(demo):
    (Path(demo["VAR_DIR"]) / "database").write_text("../elsewhere.sqlite3")
    done = manage(demo, "prepare")
    assert done.returncode != 0
    assert "must be the plain name of a file" in done.stderr
