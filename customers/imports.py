"""Importing rows that somebody else made: read, check, store, and say what happened.

The loop is the same for every kind of row; an Importer knows one kind. Rows are stored in batches,
each in a transaction of its own, so that good rows stay when the file turns out to be broken.
Running the same file again changes nothing.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Protocol, TypeVar
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from customers.csv_rows import BadRow, CsvReader, Row, UnreadableFile
from customers.mapping import Mapping as FieldMapping
from customers.mapping import row_key

# A batch takes some 50 ms to store, so that nobody waits long for the database.
BATCH = 1_000

# A batch ends early when its rows are long: a thousand of a megabyte would not fit in memory.
BATCH_CHARS = 4_000_000

Value = TypeVar("Value")


class Refused(ValueError):
    """A row that does not go in: the field it is about, "" for the row as a whole, and why.

    `note` counts it apart, see Noted.
    """

    def __init__(self, field: str, reason: str, note: str = "") -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.note = note


class Outcome(StrEnum):
    """What happened to a row that went in."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Noted:
    """An outcome that its kind counts apart, under one of Importer.notes, and why it is so."""

    outcome: Outcome
    note: str
    why: str = ""


@dataclass(frozen=True)
class Options:
    """What an import may do, and how it reads: times without a zone are local to `zone`.

    `by` is the id of the colleague who imports, "" for somebody on the machine. `clock` is read
    where a row says when it was written down: a large file takes longer than a moment.
    """

    zone: ZoneInfo
    now: datetime
    create_missing: bool = False
    dry_run: bool = False
    by: str = ""
    clock: Callable[[], datetime] | None = None

    def present(self) -> datetime:
        """Return the moment, or the one the import began at where nobody gave a clock."""
        return self.clock() if self.clock else self.now


@dataclass
class Result:
    """What an import did; `stopped_at_line` is None when the file was read to its end."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    stopped_at_line: int | None = None
    stopped_because: str = ""
    # What the kind counts apart: {note: rows}, and {why: rows}.
    notes: dict[str, int] = field(default_factory=dict)
    because: dict[str, int] = field(default_factory=dict)

    def note(self, outcome: "Outcome | Noted") -> None:
        if isinstance(outcome, Noted):
            self.count(outcome.note, outcome.why)
            outcome = outcome.outcome
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)

    def count(self, note: str, why: str = "") -> None:
        """Count a row apart; without a note it is not."""
        if note:
            self.notes[note] = self.notes.get(note, 0) + 1
        if why:
            self.because[why] = self.because.get(why, 0) + 1

    def document(self) -> dict[str, Any]:
        """Return the result as it is printed; what stopped it is only there when it was stopped."""
        document = {**vars(self), **self.notes}
        del document["notes"]
        if not self.notes:
            del document["because"]
        if self.stopped_at_line is None:
            del document["stopped_at_line"], document["stopped_because"]
        return document


class Rejects(Protocol):
    """Where rows that were refused go, such as csv_rows.RejectsWriter."""

    def write(self, line: int, field: str, reason: str, cells: Iterable[str]) -> None: ...


class Fields:
    """The mapped cells of one row, parsed on request."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def get(self, name: str, parse: Callable[[str], Value]) -> Value | None:
        """Return the value of a field, None where its cell is empty or not mapped."""
        cell = self._cells.get(name, "")
        if not cell:
            return None
        try:
            return parse(cell)
        except ValueError as error:
            raise Refused(name, str(error)) from None

    def need(self, name: str, parse: Callable[[str], Value]) -> Value:
        """Return the value of a field that no row can do without."""
        value = self.get(name, parse)
        if value is None:
            raise Refused(name, f"{name} is empty; fill it in, or leave the row out")
        return value

    def text(self, name: str, length: int) -> str:
        """Return a text of at most so many characters, "" where there is none."""
        cell = self._cells.get(name, "")
        if len(cell) > length:
            raise Refused(
                name, f"the text has {len(cell):,} characters, at most {length:,} fit; shorten it"
            )
        return cell


class Importer(ABC):
    """What a kind of row holds, and how it is stored."""

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    required: ClassVar[tuple[str, ...]]
    # Rows stored in one transaction.
    batch: ClassVar[int] = BATCH
    # What is counted apart, besides what happened to the rows.
    notes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Options, mapping: FieldMapping) -> None:
        self.options = options
        self.mapping = mapping
        self._seen: Counter[bytes] = Counter()

    @abstractmethod
    def parse(self, fields: Fields) -> Any:
        """Return the record of a row; raises Refused."""

    @abstractmethod
    def store(self, records: Sequence[Any]) -> Sequence[Outcome | Noted | Refused]:
        """Store records in the running transaction and say of each what happened to it."""

    def own_key(self, values: Sequence[str]) -> str:
        """Return the key of a row that has none: its facts, and how often they came before."""
        first = row_key(values, 0)
        # The bytes, because a dictionary of texts takes twice the memory.
        facts = bytes.fromhex(first)
        occurrence = self._seen[facts]
        self._seen[facts] += 1
        return first if occurrence == 0 else row_key(values, occurrence)


def run_import(
    reader: CsvReader,
    importer: Importer,
    rejects: Rejects,
    *,
    progress: Callable[[Result], None] = lambda _: None,
    most: int | None = None,
    told: Callable[[int, Noted], None] = lambda _line, _noted: None,
) -> Result:
    """Import the rows of a file, or the first `most`; a dry run stores nothing.

    `told` hears of each row that is counted apart, by its line.

    A dry run sees its own rows, as the real one would, so it is one transaction that is undone;
    on SQLite it keeps other writers waiting.
    """
    result = Result(notes=dict.fromkeys(importer.notes, 0))
    rows = _until_broken(islice(reader, most) if most else iter(reader), result)
    with transaction.atomic() if importer.options.dry_run else nullcontext():
        for batch in _batches(rows, importer.batch):
            _import_batch(batch, importer, rejects, result, told)
            progress(result)
        if importer.options.dry_run:
            transaction.set_rollback(True)
    return result


def _batches(rows: Iterable[Row | BadRow], most: int) -> Iterator[list[Row | BadRow]]:
    batch: list[Row | BadRow] = []
    chars = 0
    for row in rows:
        batch.append(row)
        chars += sum(map(len, _cells(row)))
        if len(batch) == most or chars > BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _cells(row: Row | BadRow) -> Iterable[str]:
    return row.cells.values() if isinstance(row, Row) else row.cells


def _until_broken(rows: Iterator[Row | BadRow], result: Result) -> Iterator[Row | BadRow]:
    """Yield the rows up to where the file cannot be read any further, and note where that is."""
    try:
        yield from rows
    except UnreadableFile as error:
        result.stopped_at_line, result.stopped_because = error.line, error.reason


def _import_batch(
    batch: Sequence[Row | BadRow],
    importer: Importer,
    rejects: Rejects,
    result: Result,
    told: Callable[[int, Noted], None],
) -> None:
    outcomes = _stored(batch, importer)
    for row, outcome in zip(batch, outcomes, strict=True):
        result.read += 1
        if isinstance(outcome, Refused):
            result.rejected += 1
            result.count(outcome.note)
            rejects.write(row.line, outcome.field, outcome.reason, _cells(row))
            continue
        result.note(outcome)
        if isinstance(outcome, Noted):
            told(row.line, outcome)


def _stored(batch: Sequence[Row | BadRow], importer: Importer) -> list[Outcome | Noted | Refused]:
    """Say of each row of a batch what happened to it."""
    checked = [_checked(row, importer) for row in batch]
    good = [record for record in checked if not isinstance(record, Refused)]
    outcomes = iter(_store(good, importer))
    return [record if isinstance(record, Refused) else next(outcomes) for record in checked]


def _checked(row: Row | BadRow, importer: Importer) -> Any:
    if isinstance(row, BadRow):
        return Refused("", row.reason)
    try:
        return importer.parse(Fields(importer.mapping.apply(row)))
    except Refused as refused:
        return refused


def _store(records: Sequence[Any], importer: Importer) -> Sequence[Outcome | Noted | Refused]:
    if not records:
        return []
    try:
        with transaction.atomic():
            return importer.store(records)
    except IntegrityError:
        # Somebody else stored one of these meanwhile; the second look sees it.
        with transaction.atomic():
            return importer.store(records)
