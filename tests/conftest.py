"""Shared by all tests: a var/ of their own, a quick password hasher, and what can run here."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Before Django reads its settings: tests never touch the developer's own var/.
if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="insights-tests-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

# marker → the variable that says where the thing is, how its value begins, and what is missing.
# `python3 start.py test` looks for all three and sets the variables.
NEEDS = {
    "browser": ("CHROMIUM", "", "no Chromium"),
    "broker": ("REDIS_URL", "", "no Valkey or Redis server"),
    "postgres": ("DATABASE_URL", "postgres", "not the PostgreSQL pass"),
}


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that look at no rows."""
    kept = [
        item
        for item in items
        if item.get_closest_marker("django_db") or OF_ROWS & set(getattr(item, "fixturenames", ()))
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def pytest_configure() -> None:
    from django.conf import settings
    from hypothesis import settings as hypothesis

    # How long an example takes says something about the machine, not about the code.
    hypothesis.register_profile("unhurried", deadline=None)
    hypothesis.load_profile("unhurried")

    # The real one takes a quarter of a second for every login.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        # A file as in production: in memory all threads share one connection and none ever waits.
        database.setdefault("TEST", {})["NAME"] = Path(os.environ["VAR_DIR"]) / "test.sqlite3"


# What a test asks for that looks at rows.
OF_ROWS = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("TESTS_WITHOUT_ROWS") == "elsewhere":
        # They say the same beside every database: the pass on the other one has them.
        leave_out(config, items)
    for marker, (variable, beginning, missing) in NEEDS.items():
        value = os.environ.get(variable, "")
        if value and value.startswith(beginning):
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=missing))
