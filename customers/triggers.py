"""Triggers that keep the ledger and the wordings insert-only, whoever asks.

A rebuild of a table on SQLite drops its triggers silently. So a migration that touches one of
these tables ends with `install`, a system check looks whether all of them stand, and so does a
test after all migrations.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# In the order of installation, which is that of the rows in the check.
TABLES = ("customers_consententry", "customers_wording")

MESSAGE = "rows of {table} are never changed or removed"

# An INSERT OR REPLACE removes a row without any DELETE trigger, so a second row of the same id or
# the same unique values is refused before it can.
SQLITE = {
    "{table}_no_update": """
        CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
        BEGIN SELECT RAISE(ABORT, '{message}'); END
    """,
    "{table}_no_delete": """
        CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
        BEGIN SELECT RAISE(ABORT, '{message}'); END
    """,
    "{table}_no_replace": """
        CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
        WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
        BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: {table} has a row with {columns}'); END
    """,
}
UNIQUE = {
    "customers_consententry": [("id",), ("hash",), ("customer_id", "previous_hash")],
    "customers_wording": [("id",), ("purpose_id", "version", "language")],
}

FUNCTION = """
    CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger AS $$
    BEGIN
        -- Emptying a table that is empty harms nobody, and is what a fresh database begins with.
        -- An older snapshot would not see what others wrote since.
        IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') = 'read committed'
            AND NOT EXISTS (SELECT 1 FROM {table}) THEN RETURN NULL; END IF;
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END $$ LANGUAGE plpgsql
"""
POSTGRESQL = {
    "{table}_no_change": """
        CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_refuse()
    """,
    "{table}_no_truncate": """
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()
    """,
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Put all triggers in place, also where some stand already."""
    remove(connection)
    with connection.cursor() as cursor:
        for table in TABLES:
            if connection.vendor == "postgresql":
                cursor.execute(FUNCTION.format(**_words(table)))
            for statement in _expected(connection, table).values():
                cursor.execute(statement)


def _expected(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """Return the statement of each trigger of a table, by its name."""
    words = _words(table)
    statements = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    return {name.format(**words): text.format(**words) for name, text in statements.items()}


def _words(table: str) -> dict[str, str]:
    return {
        "table": table,
        "message": MESSAGE.format(table=table),
        "same": " OR ".join(_equal(columns) for columns in UNIQUE[table]),
        "columns": " or ".join(" and ".join(columns) for columns in UNIQUE[table]),
    }


def _equal(columns: Sequence[str]) -> str:
    return "(" + " AND ".join(f"{name} = NEW.{name}" for name in columns) + ")"


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take all triggers away, as a migration that rebuilds a table has to."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for name in _expected(connection, table):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that do not stand as they were made, or are switched off."""
    standing = _standing(connection)
    return [
        name
        for table in TABLES
        for name, statement in _expected(connection, table).items()
        if standing.get(name) != (table, *_told(connection, table, statement))
    ]


def _told(connection: BaseDatabaseWrapper, table: str, statement: str) -> tuple[str, ...]:
    """Return what the catalogue says of a trigger that stands as it was made."""
    if connection.vendor == "postgresql":
        return (_body(FUNCTION.format(**_words(table))),)
    return (_squeezed(statement),)


def _standing(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, ...]]:
    """Return the triggers that are there and switched on: table, and what they do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text, prosrc FROM pg_trigger "
                "JOIN pg_proc ON pg_proc.oid = tgfoid "
                "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
            )
        else:
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: (table, _squeezed(what)) for name, table, what in cursor.fetchall()}


def _body(function: str) -> str:
    """Return what stands between the two $$ of a function."""
    return _squeezed(function.split("$$")[1])


def _squeezed(text: str) -> str:
    return " ".join(text.split())


@register(Tags.database)
def check_triggers(
    app_configs: object = None,  # noqa: ARG001  (Django's)
    databases: Sequence[str] | None = None,
    **_: Any,
) -> list[CheckMessage]:
    """Say which triggers are missing where the tables are there."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    if not {*TABLES} <= {*connection.introspection.table_names()}:
        return []
    return [
        Error(
            f"The trigger {name} is missing or was changed: the ledger is not protected.",
            hint="Find out who removed it. `manage.py verify_ledger --install` puts it back and "
            "says whether anything was changed meanwhile.",
            id="customers.E001",
        )
        for name in missing(connection)
    ]
