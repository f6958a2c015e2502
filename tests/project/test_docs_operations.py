"""docs/operations.md and deploy/ speak of commands, settings, files and programs that exist."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from insights.management.commands import serve
from insights.supervisor import Program
from tests.project.test_docs_settings import documented

BASE_DIR = Path(__file__).resolve().parents[2]
DEPLOY = BASE_DIR / "deploy"
TEXT = (BASE_DIR / "docs" / "operations.md").read_text()
UNITS = {
    "insights-web.service": serve.web("127.0.0.1", 8000, 1),
    "insights-worker.service": serve.worker(1),
    "insights-beat.service": serve.beat(1),
}
# A line of an environment file: the name, and what a shell and systemd make of the value.
LINE = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)
# Where a file is on this machine.
OF_THE_MACHINE = {"--schedule"}
# More than `serve` has, on purpose.
MORE = {"insights-web.service": {"--workers"}}


def fields(unit: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / unit).read_text(), re.MULTILINE))


def options(command: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words of a command line, and its options with their values."""
    words = [word for word in command if not word.startswith("--")]
    pairs = (word.partition("=") for word in command if word.startswith("--"))
    return words, {name: value for name, _, value in pairs}


def as_served(program: Program) -> list[str]:
    """Return the command after the Python, without the filter of a warning for root."""
    _python, *rest = program.command
    return rest[2:] if rest[0] == "-W" else rest


def test_every_command_that_is_named_exists():
    named = set(re.findall(r"manage\.py (\w+)", TEXT))
    assert {"setup_link", "kpi", "serve", "rebuild_tallies"} <= named
    assert named - set(get_commands()) == set()


def test_every_setting_that_is_named_exists():
    names = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT))
    assert {"DATABASE_URL", "VAR_DIR", "LINK_KEYS"} <= names
    assert names - documented() == set()


def test_the_settings_file_holds_settings_and_switches_production_on():
    values = dict(LINE.findall((DEPLOY / "insights.env.example").read_text()))
    assert set(values) - documented() == set()
    assert (values["PRODUCTION"], values["TRUSTED_PROXY_HOPS"]) == ("1", "1")
    # A shell and systemd read the same: one word, quoted where it has to be.
    assert [value for value in values.values() if len(shlex.split(value)) != 1] == []


def test_every_file_of_deploy_is_named_and_the_other_way_round():
    named = set(re.findall(r"deploy/([\w.-]+\.\w+)", TEXT))
    assert named == {path.name for path in DEPLOY.iterdir()}


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_starts_what_serve_starts(unit):
    python, *given = shlex.split(fields(unit)["ExecStart"])
    assert python == f"{fields(unit)['WorkingDirectory']}/.venv/bin/python"
    words, chosen = options(given)
    usual_words, usual = options(as_served(UNITS[unit]))
    assert words == usual_words
    assert set(chosen) == set(usual) | MORE.get(unit, set())
    same = set(usual) - OF_THE_MACHINE
    assert {name: chosen[name] for name in same} == {name: usual[name] for name in same}


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_leaves_time_to_stop_in_order(unit):
    assert int(fields(unit)["TimeoutStopSec"]) > UNITS[unit].grace
    assert fields(unit)["KillMode"] == "mixed"


@pytest.mark.parametrize("unit", UNITS)
def test_units_settings_and_text_agree_on_places(unit):
    of_unit = fields(unit)
    values = dict(LINE.findall((DEPLOY / "insights.env.example").read_text()))
    assert values["VAR_DIR"] == f"/var/lib/{of_unit['StateDirectory']}"
    for place in (of_unit["WorkingDirectory"], of_unit["EnvironmentFile"], values["VAR_DIR"]):
        assert f"`{place}`" in TEXT
    assert (
        f"useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin {of_unit['User']}"
        in (TEXT)
    )


def test_nginx_passes_on_to_where_the_web_server_listens():
    site = (DEPLOY / "nginx.conf").read_text()
    _, chosen = options(shlex.split(fields("insights-web.service")["ExecStart"]))
    web = f"http://{chosen['--host']}:{chosen['--port']}"
    assert set(re.findall(r"proxy_pass (\S+);", site)) == {web}
    assert "proxy_request_buffering on;" in site
    assert re.search(r"X-Forwarded-Proto\s+\$scheme;", site)
    assert re.search(r"X-Forwarded-For\s+\$proxy_add_x_forwarded_for;", site)


def test_every_command_line_is_one_that_a_shell_reads():
    blocks = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) > 8
    for block in blocks:
        done = subprocess.run(
            ["sh", "-n"], input=block, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block
