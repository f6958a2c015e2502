"""The Dutch catalogue is complete: each text of the code is in it, translated and compiled."""

import gettext
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

BASE_DIR = Path(__file__).resolve().parents[2]
CATALOGUE = Path("locale") / "nl" / "LC_MESSAGES" / "django.po"
WITH_TEXTS = ("customers", "feedback", "mailings", "insights", "templates", "locale")
WAY_OUT = "run: .venv/bin/python manage.py makemessages -l nl --no-obsolete --no-location"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="nl")


def keys(catalog: Catalog) -> set[tuple[str | None, str | tuple[str, ...]]]:
    """(context, text) of each message; the text is a tuple where there is a plural."""
    return {(message.context, message.id) for message in catalog if message.id}


@pytest.fixture(scope="module")
def committed() -> Catalog:
    return read(BASE_DIR / CATALOGUE)


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext is not installed")
def test_the_catalogue_has_the_texts_of_the_code_and_no_other(
    committed: Catalog, tmp_path: Path
) -> None:
    for name in WITH_TEXTS:
        shutil.copytree(BASE_DIR / name, tmp_path / name)
    command = ["makemessages", "--locale=nl", "--no-obsolete", "--no-location"]
    subprocess.run(
        [sys.executable, "-m", "django", *command], cwd=tmp_path, check=True, capture_output=True
    )
    collected = read(tmp_path / CATALOGUE)
    assert keys(collected) - keys(committed) == set(), WAY_OUT
    assert keys(committed) - keys(collected) == set(), WAY_OUT


def test_every_text_is_translated(committed: Catalog) -> None:
    def translated(string: str | tuple[str, ...]) -> bool:
        return all(string) if isinstance(string, tuple) else bool(string)

    open_texts = [message.id for message in committed if not translated(message.string)]
    assert open_texts == []


def test_no_translation_is_a_guess(committed: Catalog) -> None:
    # The header is message "" and counts as fuzzy in a new file.
    assert [message.id for message in committed if message.fuzzy and message.id] == []


def test_translations_keep_the_placeholders(committed: Catalog) -> None:
    errors = [(message.id, str(error)) for message, errors in committed.check() for error in errors]
    assert errors == []


def test_the_compiled_catalogue_is_that_of_the_texts(committed: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, committed)
    compiled.seek(0)
    with (BASE_DIR / CATALOGUE).with_suffix(".mo").open("rb") as file:
        on_disk = gettext.GNUTranslations(file)
    assert texts(on_disk) == texts(gettext.GNUTranslations(compiled)), (
        "run: .venv/bin/pybabel compile -D django -d locale"
    )


def texts(translations: gettext.GNUTranslations) -> dict[object, str]:
    """All but the header, which carries dates."""
    return {key: text for key, text in translations._catalog.items() if key != ""}
