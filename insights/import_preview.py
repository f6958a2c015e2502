"""Looking at an uploaded file before anything of it is stored."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from customers.consent_importer import ConsentImporter
from customers.csv_rows import BadRow, CsvReader, Row, UnreadableFile
from customers.imports import Fields, Importer, Noted, Refused, Result, run_import
from insights.importing import Plan
from insights.models import ImportJob

Value = TypeVar("Value")

# Rows tried in a preview: read, checked and stored as in the real import, and then undone.
TRIED = 1_000

# Permissions are weighed without writing anything, so more of them are tried in the same time: who
# approves them sees the whole of most files.
TRIED_PERMISSIONS = 5_000

# Rows that a preview shows as they would be read.
SHOWN = 8

# Rows and columns of the file shown beside the choice of columns.
SAMPLE_ROWS = 3
SAMPLE_COLUMNS = 30

# Reasons listed; a file that is wrong in more ways has something else wrong with it.
REASONS = 20

# Lines named for one reason.
LINES = 5

# A reason quotes the value; reasons that differ only in that are one.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9][0-9.,]*")


@dataclass(frozen=True)
class Sample:
    """The columns of a file, and its first rows as they are."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def more_columns(self) -> int:
        return max(0, len(self.headers) - SAMPLE_COLUMNS)


@dataclass(frozen=True)
class ReadRow:
    """A row as it would be read: its line, its values by field, and why it is refused, if it is.

    `kept` says why a row that is not refused changes nothing.
    """

    line: int
    values: dict[str, object]
    reason: str = ""
    kept: str = ""


@dataclass
class Reason:
    """Rows rejected for one reason: the field it is about, the first row's words, the lines."""

    about: str
    example: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Preview:
    """What an import would do with the first rows, were it started now."""

    result: Result
    fields: tuple[str, ...]
    rows: tuple[ReadRow, ...]
    reasons: tuple[Reason, ...]
    tried: int
    # What customers said yes to, in permissions: (purpose, text, rows), the most frequent first.
    texts: tuple[tuple[str, str, int], ...] = ()

    @property
    def accepted(self) -> int:
        return self.result.read - self.result.rejected

    @property
    def any_refused(self) -> bool:
        return any(row.reason or row.kept for row in self.rows)

    @property
    def is_whole_file(self) -> bool:
        return self.result.read < self.tried

    @property
    def raises_anybody(self) -> bool:
        """Whether somebody could be mailed who could not be before, or that is not known yet."""
        notes = self.result.notes
        return bool(notes) and (not self.is_whole_file or notes["mailable"] + notes["soft"] > 0)


def sample(job: ImportJob) -> Sample:
    """Return the columns of a file and its first rows; rows that cannot be read are left out."""
    with CsvReader(job.file.path) as reader:
        rows = [
            tuple(row.cells.values())[:SAMPLE_COLUMNS]
            for row in islice(_readable(reader), SAMPLE_ROWS)
            if isinstance(row, Row)
        ]
        return Sample(reader.headers, tuple(rows))


def preview(job: ImportJob, now: datetime) -> Preview:
    """Try the first rows of a file and undo it; raises NotMapped while no columns are chosen."""
    plan = Plan.of(job)
    refusals = _Refusals()
    tried = TRIED_PERMISSIONS if job.kind == ImportJob.Kind.CONSENTS else TRIED
    with CsvReader(job.file.path) as reader:
        importer = plan.importer(job.kind, now=now, dry_run=True)
        result = run_import(reader, importer, refusals, most=tried, told=refusals.keep)
    filled = plan.mapping.fields.keys() | plan.mapping.constants.keys()
    return Preview(
        result=result,
        fields=tuple(name for name in importer.fields if name in filled),
        rows=_first_rows(job, plan, now, refusals),
        reasons=refusals.reasons(),
        tried=tried,
        texts=_texts(importer),
    )


def _texts(importer: Importer) -> tuple[tuple[str, str, int], ...]:
    found = importer.texts.most_common() if isinstance(importer, ConsentImporter) else []
    return tuple((purpose, text, rows) for (purpose, text), rows in found)


class _Refusals:
    """The rejects of a dry run, counted by reason."""

    def __init__(self) -> None:
        self.by_line: dict[int, Refused] = {}
        self.kept: dict[int, str] = {}
        self._reasons: dict[tuple[str, str], Reason] = {}

    def write(self, line: int, field: str, reason: str, cells: Iterable[str]) -> None:  # noqa: ARG002
        self.by_line[line] = Refused(field, reason)
        same = (field, _QUOTED.sub("", reason))
        found = self._reasons.setdefault(same, Reason(field, reason))
        found.count += 1
        if len(found.lines) < LINES:
            found.lines.append(line)

    def keep(self, line: int, noted: Noted) -> None:
        if noted.why:
            self.kept[line] = noted.why

    def reasons(self) -> tuple[Reason, ...]:
        """Return the most frequent reasons, most rows first."""
        ordered = sorted(self._reasons.values(), key=lambda reason: -reason.count)
        return tuple(ordered[:REASONS])


def _first_rows(
    job: ImportJob, plan: Plan, now: datetime, refusals: _Refusals
) -> tuple[ReadRow, ...]:
    importer = plan.importer(job.kind, now=now, dry_run=True)
    refused = refusals.by_line
    rows: list[ReadRow] = []
    with CsvReader(job.file.path) as reader:
        for row in islice(_readable(reader), SHOWN):
            fields = _Watched(importer.mapping.apply(row) if isinstance(row, Row) else {})
            try:
                importer.parse(fields)
            except Refused as refusal:
                # What the dry run says of the line wins: it has seen more than this one row.
                refused.setdefault(row.line, refusal)
            reason = refused[row.line].reason if row.line in refused else ""
            kept = refusals.kept.get(row.line, "")
            rows.append(ReadRow(row.line, fields.values, reason, kept))
    return tuple(rows)


class _Watched(Fields):
    """Fields that remember what was read from them; what was not read is shown as it is."""

    def __init__(self, cells: dict[str, str]) -> None:
        super().__init__(cells)
        self.values: dict[str, object] = dict(cells)

    def get(self, name: str, parse: Callable[[str], Value]) -> Value | None:
        value = super().get(name, parse)
        self.values[name] = value
        return value


def _readable(reader: CsvReader) -> Iterator[Row | BadRow]:
    """Yield rows up to where the file breaks; the dry run says where and why that is."""
    try:
        yield from reader
    except UnreadableFile:
        return
