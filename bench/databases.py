"""Empty databases to measure in: several at a time, and any of them can be the current one."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from tests import servers

OWN_SERVER = "fsync=off, full_page_writes=off, everything else PostgreSQL's default"
GIVEN_SERVER = "with the settings of the server in DATABASE_URL"


@contextmanager
def postgres(*names: str) -> Iterator[list[BaseDatabaseWrapper]]:
    """Yield an empty, migrated database for each name, in one server; drop them at the end."""
    with servers.postgres() as url, ExitStack() as stack:
        given = url == os.environ.get("DATABASE_URL")
        yield [stack.enter_context(_in_server(url, name)) for name in names]
        print(f"\nPostgreSQL {_version(url)}, {GIVEN_SERVER if given else OWN_SERVER}.")


@contextmanager
def sqlite(*names: str) -> Iterator[list[BaseDatabaseWrapper]]:
    """Yield an empty, migrated SQLite database for each name, with the settings of the product."""
    default = connections.settings["default"]
    made = [
        _migrated({**default, "NAME": Path(os.environ["VAR_DIR"]) / f"{name}.sqlite3"})
        for name in names
    ]
    yield made
    for database in made:
        database.close()
    print("\nSQLite, with the settings of the product (WAL, synchronous=FULL).")


@contextmanager
def using(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Make this the database that the project's code works on."""
    before = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        connections["default"] = before


def vacuum() -> None:
    """Clear away dead rows and give the planner its statistics, as autovacuum would in time."""
    current = connections["default"]
    with current.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if current.vendor == "postgresql" else "ANALYZE")


@contextmanager
def _in_server(url: str, name: str) -> Iterator[BaseDatabaseWrapper]:
    _administer(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    given = {"default": {**dj_database_url.parse(url), "NAME": name}}
    database = _migrated(connections.configure_settings(given)["default"])
    try:
        yield database
    finally:
        database.close()
        _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrated(options: dict[str, Any]) -> BaseDatabaseWrapper:
    database = load_backend(options["ENGINE"]).DatabaseWrapper(options, "default")
    with using(database):
        call_command("migrate", verbosity=0)
    return database


def _administer(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def _version(url: str) -> str:
    with psycopg.connect(url) as server:
        row = server.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "?"
