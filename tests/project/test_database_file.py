"""Which SQLite file is in use: a pointer that is either the old one or the new one."""

import stat
from pathlib import Path

import pytest

from insights.database_file import FIRST, OWN, POINTER, BadPointer, choose, chosen


@pytest.fixture
def var_dir(tmp_path: Path) -> Path:
    for name in (FIRST, OWN, "other.sqlite3"):
        (tmp_path / name).touch()
    return tmp_path


def test_without_a_pointer_it_is_the_first_file(tmp_path):
    assert chosen(tmp_path) == tmp_path / "db.sqlite3"


@pytest.mark.parametrize("name", [OWN, FIRST, "other.sqlite3"])
def test_what_was_chosen_is_used(var_dir, name):
    choose(var_dir / name)
    assert chosen(var_dir) == var_dir / name
    assert stat.S_IMODE((var_dir / POINTER).stat().st_mode) == 0o600
    assert sorted(path.name for path in var_dir.iterdir()) == [
        POINTER,
        FIRST,
        "other.sqlite3",
        OWN,
    ]


def test_a_crash_while_choosing_leaves_the_old_choice(var_dir):
    choose(var_dir / OWN)
    # As far as it had come: the draft, and not yet its new name.
    (var_dir / f"{POINTER}.new").write_text("db.sqli")
    assert chosen(var_dir) == var_dir / OWN
    choose(var_dir / "other.sqlite3")
    assert chosen(var_dir) == var_dir / "other.sqlite3"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "..",
        "../db.sqlite3",
        "/etc/passwd",
        "/tmp/shop.sqlite3",
        "sub/shop.sqlite3",
        ".shop.sqlite3",
        "shop.sqlite3.bak",
        "shop.sqlite",
        "two names.sqlite3",
        "shop.sqlite3\nother.sqlite3",
        "shop.sqlite3?mode=ro",
        "\x00.sqlite3",
        "é.sqlite3",
    ],
)
def test_a_pointer_to_anything_else_is_refused_with_the_way_out(var_dir, said):
    (var_dir / POINTER).write_text(said)
    with pytest.raises(BadPointer, match="plain name of a file beside it"):
        chosen(var_dir)


def test_bytes_that_are_no_text_are_refused(var_dir):
    (var_dir / POINTER).write_bytes(b"\xff\xfe.sqlite3")
    with pytest.raises(BadPointer, match="plain name"):
        chosen(var_dir)


def test_a_shop_that_is_gone_is_not_begun_anew(var_dir):
    choose(var_dir / OWN)
    (var_dir / OWN).unlink()
    with pytest.raises(BadPointer, match=r"names shop\.sqlite3, which is not there"):
        chosen(var_dir)


def test_a_pointer_that_cannot_be_read_is_named(var_dir):
    (var_dir / POINTER).mkdir()
    with pytest.raises(BadPointer, match="cannot be read"):
        chosen(var_dir)
