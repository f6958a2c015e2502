"""docs/settings.md names every variable that is read, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
READERS = [
    BASE_DIR / "insights" / "settings.py",
    BASE_DIR / "insights" / "management" / "commands" / "serve.py",
    BASE_DIR / "start.py",
    BASE_DIR / "tests" / "run.py",
    BASE_DIR / "tests" / "servers.py",
]


def variables(path: Path) -> Iterator[str]:
    """The names in env.str("NAME", …), os.environ.get("NAME") and os.environ["NAME"]."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("env")), args=[ast.Constant(name), *_]):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="environ")),
                args=[ast.Constant(name), *_],
            ):
                yield name
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(name)):
                yield name


def documented() -> set[str]:
    page = (BASE_DIR / "docs" / "settings.md").read_text()
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    read = {name for path in READERS for name in variables(path)}
    assert {"PRODUCTION", "VAR_DIR", "REQUIRE"} < read
    assert documented() == read
