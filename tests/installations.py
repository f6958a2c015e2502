"""An installation of its own: a var/, a database, and commands run as people run them."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

BASE_DIR = Path(__file__).resolve().parents[1]
# What the developer, the pass or another test has set.
NOT_OURS = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "PRODUCTION", "TIME_ZONE"}


def install(var_dir: Path, database: str) -> dict[str, str]:
    """Prepare an empty shop and return its environment; on PostgreSQL in a database so called."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    environment["VAR_DIR"] = str(var_dir)
    server = os.environ.get("DATABASE_URL", "")
    if server.startswith("postgres"):
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database}")
            connection.execute(f"CREATE DATABASE {database}")
        environment["DATABASE_URL"] = urlsplit(server)._replace(path=f"/{database}").geturl()
    done = manage(environment, "prepare", "--no-demo")
    assert done.returncode == 0, done.stderr
    return environment


def manage(
    environment: dict[str, str], *arguments: str, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def run(environment: dict[str, str], code: str) -> str:
    """Run a few lines inside the installation and return what they print."""
    done = manage(environment, "shell", "--no-imports", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout
