"""What the import commands share: options, progress, the result, and the exit code."""

import json
import os
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from customers.cells import CellError, time_zone
from customers.csv_rows import CsvReader, RejectsWriter, UnreadableFile
from customers.imports import Importer, Options, Result, run_import
from customers.mapping import Mapping, MappingError, parse_mapping

WRONG_USE = 2


class ImportCommand(BaseCommand):
    """Reads a CSV file of one kind of rows; subclasses name the importer."""

    importer: ClassVar[type[Importer]]

    def add_arguments(self, parser: ArgumentParser) -> None:
        own = self.importer
        fields = ", ".join(f"{name}*" if name in own.required else name for name in own.fields)
        parser.description = f"{self.help} Fields (* needed): {fields}."
        parser.add_argument("file", type=Path, help="CSV, also .gz; any delimiter")
        for option, shape, says in (
            ("--map", "FIELD=HEADER", "the column that fills a field"),
            ("--set", "FIELD=VALUE", "the same value for every row"),
            ("--recode", "FIELD:OLD=NEW", "read the cell OLD as NEW"),
        ):
            parser.add_argument(option, action="append", default=[], metavar=shape, help=says)
        parser.add_argument(
            "--time-zone", default=settings.TIME_ZONE, help="of times that name no zone"
        )
        parser.add_argument(
            "--create-missing", action="store_true", help="make what rows point to and is not there"
        )
        parser.add_argument("--rejects", type=Path, help="where refused rows go, with the reasons")
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, store nothing"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        rejects_file = options["rejects"] or default_rejects(self.importer.kind, now)
        chosen = Options(
            zone=zone(options["time_zone"]),
            now=now,
            create_missing=options["create_missing"],
            dry_run=options["dry_run"],
            clock=timezone.now,
        )
        result = self.read(options, chosen, rejects_file)
        self.report(result, rejects_file, options)
        if result.stopped_at_line is not None:
            raise CommandError(
                f"Stopped at line {result.stopped_at_line:,}: {result.stopped_because}. "
                "The rows before it are stored."
            )

    def read(self, options: dict[str, Any], chosen: Options, rejects_file: Path) -> Result:
        path = options["file"]
        if path.resolve() == rejects_file.resolve():
            raise CommandError(
                f"--rejects {path} is the file to read; name another one.", returncode=WRONG_USE
            )
        try:
            with CsvReader(path) as reader, RejectsWriter(rejects_file, reader.headers) as rejects:
                importer = self.importer(chosen, self.mapping(options, reader))
                return run_import(reader, importer, rejects, progress=self.show_progress)
        except UnreadableFile as error:
            return Result(stopped_at_line=error.line, stopped_because=error.reason)
        except OSError as error:
            raise CommandError(f"{error.filename or path}: {error.strerror}") from None
        except DatabaseError as error:
            raise CommandError(
                f"The database refused ({' '.join(str(error).split())}). What was stored stays; "
                "running the import again goes on from there."
            ) from None

    def mapping(self, options: dict[str, Any], reader: CsvReader) -> Mapping:
        own = self.importer
        try:
            return parse_mapping(
                options["map"],
                options["set"],
                options["recode"],
                own.fields,
                own.required,
                reader.headers,
            )
        except MappingError as error:
            raise CommandError(f"{error}.", returncode=WRONG_USE) from None

    def show_progress(self, result: Result) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{result.read:,} rows", ending="")

    def report(self, result: Result, rejects_file: Path, options: dict[str, Any]) -> None:
        if sys.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")
        document = result.document()
        if result.rejected:
            document["rejects"] = os.fspath(rejects_file)
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{result.read:,} rows read: {result.created:,} {would}created, "
            f"{result.updated:,} {would}updated, {result.unchanged:,} unchanged, "
            f"{result.rejected:,} rejected"
        )
        for note, rows in result.notes.items():
            self.stdout.write(f"  {note.replace('_', ' ')}: {rows:,}")
        for why, rows in sorted(result.because.items(), key=lambda pair: -pair[1]):
            self.stdout.write(f"    {rows:,} {why}")
        if result.rejected:
            self.stdout.write(f"Why rows were rejected is in {rejects_file}")


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(time_zone(name))
    except CellError as error:
        raise CommandError(f"--time-zone {error}.", returncode=WRONG_USE) from None


def default_rejects(kind: str, now: datetime) -> Path:
    """Return a new place for rejects: two imports never write into one file."""
    return Path(settings.VAR_DIR) / "rejects" / f"{kind}-{now:%Y%m%d-%H%M%S-%f}.csv"
