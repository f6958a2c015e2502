"""Rows of a CSV file that somebody else made, read in constant memory.

Pure: standard library only. Nothing about the file is trusted: its size, its lines, its encoding
and its compression are bounded before they are believed. What is wrong with one row is reported as
a BadRow and reading goes on; what makes the rest of the file unreadable raises UnreadableFile.

The bytes pass through a chain, each link reading only what the next one asks for:
file → counted → unpacked (.gz, known by its first bytes) → bounded → text → lines → records.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Self, TextIO

from customers.cells import shown

DELIMITERS = ",;\t|"

# Bytes fetched at a time.
BLOCK = 64 * 1024

# A record, quoted line breaks included, has at most 1,048,576 characters.
RECORD_CHARS = 1024 * 1024

# A cell has at most 65,536 characters: ten pages of text.
CELL_CHARS = 64 * 1024

# A file has at most 500 columns.
COLUMNS = 500

# At most 10,000 blank lines stand together: a file of nothing but them would be read for hours.
BLANK_LINES = 10_000

# A file has at most 2 GiB of uncompressed content.
TOTAL_BYTES = 2 * 1024**3

# A .gz file may unpack to 16 MiB whatever its size; what comes after may be 200 times as large as
# the compressed file. Text packs 3 to 20 times; only a file made to do harm reaches 1,000.
FREE_BYTES = 16 * 1024**2
RATIO = 200

_SAVE_AS_UTF8 = "save the file as UTF-8 (in Excel: Save As, CSV UTF-8) and import it again"
_NUL = f"the row holds a NUL byte, which text never has; {_SAVE_AS_UTF8}"
_NOT_UTF8 = f"the row holds bytes that are not UTF-8; {_SAVE_AS_UTF8}"
_TEXT_AFTER_QUOTE = (
    "text follows a closing quote; write every quote inside a quoted cell twice, and a separator "
    "after its last quote"
)
REJECT_COLUMNS = ("line", "field", "reason")

# What makes a spreadsheet run a cell, the full-width forms of = + - @ included (ASVS 1.2.10), also
# behind blanks, control characters and marks that nobody sees: some programs drop those first.
FORMULA_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_FORMULA = re.compile(f"[\\t\\r\\n\\0]|[{UNSEEN}]*[{FORMULA_SIGNS}]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_UNREADABLE_CHARS = re.compile("[\0\ud800-\udfff]")


class UnreadableFile(ValueError):
    """The file cannot be read (further) from this line on; rows before it were good."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line:,}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """How much of a file is believed; see the constant of the same name for each."""

    record_chars: int = RECORD_CHARS
    cell_chars: int = CELL_CHARS
    columns: int = COLUMNS
    total_bytes: int = TOTAL_BYTES
    free_bytes: int = FREE_BYTES
    ratio: int = RATIO


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the physical line it starts on (the header is line 1) and header → cell."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be used, why, and its cells as far as they could be read.

    Characters that could not be read are shown as U+FFFD. There may be more or fewer cells than
    headers; a record that could not be split into cells is one cell.
    """

    line: int
    reason: str
    cells: tuple[str, ...]


class CsvReader:
    """Iterate over the records of a CSV file, once: Row or BadRow, in the order of the file.

    Reads UTF-8 with or without BOM and UTF-16 with BOM; comma, semicolon, tab or bar, whichever
    the header line holds most; CRLF, LF or CR; quoted line breaks; gzip. Blank lines are skipped.
    A corrected file of rejects is read as the rows it holds, without what RejectsWriter added.

    headers     names of the columns, stripped; a column without a name is called "column 3"
    delimiter   the character between cells
    size        bytes in the (compressed) file, None for a pipe
    bytes_read  how many of these have been fetched so far

    Raises UnreadableFile, when opened and while iterating.
    """

    def __init__(self, source: Path | str | BinaryIO, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._owned = isinstance(source, Path | str)
        self._file = open(source, "rb") if isinstance(source, Path | str) else source  # noqa: SIM115
        self.size = _size(self._file)
        self._fetched = _Counted(self._file.read)
        self.headers: tuple[str, ...] = ()
        self._columns = 0
        self._rejects = False
        self._ended = False
        # The record being read: its first line, length, lines, and what is wrong with its text.
        self._line = 1
        self._record_chars = 0
        self._raw: list[str] = []
        self._trouble = ""
        # The module's own limit (131,072) would end a record halfway; ours is checked by line.
        # It is one limit for the whole process, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), limits.record_chars))
        try:
            self._read_header()
        except UnreadableFile:
            self.close()
            raise

    @property
    def bytes_read(self) -> int:
        return self._fetched.count

    def close(self) -> None:
        """Close the file if it was given as a path; a file object belongs to the caller."""
        if self._owned:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Row | BadRow]:
        headers = self.headers
        blank = 0
        while (cells := self._next_record()) is not None:
            if self._is_blank(cells):
                blank += 1
                if blank > BLANK_LINES:
                    raise UnreadableFile(
                        self._line,
                        f"more than {BLANK_LINES:,} blank lines stand together; remove them",
                    )
                continue
            blank = 0
            trouble = self._trouble or self._wrong_shape(cells)
            if trouble:
                yield self._bad_row(trouble, cells)
            elif self._rejects:
                yield Row(self._line, dict(zip(headers, _without_additions(cells), strict=True)))
            else:
                yield Row(self._line, dict(zip(headers, cells, strict=True)))

    def _read_header(self) -> None:
        lines = self._lines()
        head = _header_lines(lines)
        if not "".join(head).strip():
            raise UnreadableFile(1, "the file is empty; it needs a line with column names")
        self.delimiter = _delimiter("".join(head))
        # `strict` refuses what other readers repair by guessing, such as "5" disk".
        again = chain(map(self._tracked, head), lines)
        self._records = csv.reader(again, delimiter=self.delimiter, strict=True)
        cells = self._next_record()
        while cells is not None and self._is_blank(cells):
            cells = self._next_record()
        names = [cell.strip() for cell in cells or []]
        self._columns = len(names)
        self._rejects = tuple(names[: len(REJECT_COLUMNS)]) == REJECT_COLUMNS
        self.headers = self._checked(names[len(REJECT_COLUMNS) :] if self._rejects else names)

    def _checked(self, names: Sequence[str]) -> tuple[str, ...]:
        if self._trouble:
            raise UnreadableFile(self._line, f"the header cannot be read: {self._trouble}")
        if not any(names):
            raise UnreadableFile(self._line, "no column has a name; write names in the first line")
        if len(names) > self._limits.columns:
            raise UnreadableFile(
                self._line,
                f"the header has {len(names):,} columns, at most {self._limits.columns:,} are "
                "read; leave out the columns you do not import",
            )
        # A column without a name is common (an index written by a spreadsheet) and harmless.
        named = tuple(name or f"column {place}" for place, name in enumerate(names, start=1))
        double = [name for name, times in Counter(named).items() if times > 1]
        if double:
            raise UnreadableFile(
                self._line,
                f"more than one column is named {shown(double[0])}; give every column its own name",
            )
        return named

    def _next_record(self) -> list[str] | None:
        """The cells of the next record, [] for a blank line, None at the end of the file."""
        self._line = self._records.line_num + 1
        self._record_chars, self._raw, self._trouble = 0, [], ""
        try:
            return next(self._records)
        except StopIteration:
            return None
        except csv.Error as error:
            if self._ended:
                raise UnreadableFile(
                    self._line,
                    "a quote opens a cell in this row and none closes it before the end of the "
                    "file; close it, or write a quote inside a quoted cell twice",
                ) from error
            self._trouble = self._trouble or _TEXT_AFTER_QUOTE
            return ["".join(self._raw).rstrip("\r\n")]

    def _is_blank(self, cells: Sequence[str]) -> bool:
        # In a file of one column, a line of spaces may be a value.
        return not cells or (len(cells) == 1 != self._columns and not cells[0].strip())

    def _wrong_shape(self, cells: Sequence[str]) -> str:
        if len(cells) != self._columns:
            return (
                f"the row has {len(cells):,} cells and the header has {self._columns:,} "
                f"columns; a cell that holds {shown(self.delimiter)} must stand in quotes"
            )
        # A cell can only be too long in a record longer than that.
        if self._record_chars > self._limits.cell_chars:
            for place, cell in enumerate(cells, start=1):
                if len(cell) > self._limits.cell_chars:
                    return (
                        f"cell {place:,} of the row has {len(cell):,} characters, "
                        f"at most {self._limits.cell_chars:,} are read; shorten it"
                    )
        return ""

    def _bad_row(self, reason: str, cells: list[str]) -> BadRow:
        last = self._records.line_num
        if last > self._line:
            # A quote in the wrong place joins lines; this says where to look.
            reason += f" (lines {self._line:,} to {last:,} were read as one row)"
        # A record that was not split into cells has no additions to leave out.
        if self._rejects and len(cells) > len(REJECT_COLUMNS):
            cells = _without_additions(cells)
        readable = tuple(_UNREADABLE_CHARS.sub("\ufffd", cell) for cell in cells)
        return BadRow(self._line, reason, readable)

    def _lines(self) -> Iterator[str]:
        """Physical lines with their line ends; never more than one record in memory."""
        try:
            readline = self._open_text().readline
            while line := readline(self._limits.record_chars + 1):
                yield self._tracked(line)
        except _BROKEN as error:
            raise UnreadableFile(self._line, _why_broken(error)) from error
        self._ended = True

    def _tracked(self, line: str) -> str:
        """The line, added to what is known of the record being read."""
        self._record_chars += len(line)
        if self._record_chars > self._limits.record_chars:
            raise UnreadableFile(
                self._line,
                f"the row is longer than {self._limits.record_chars:,} characters; look for a "
                "quote that is opened and not closed, or shorten the row",
            )
        self._raw.append(line)
        self._trouble = self._trouble or _wrong_text(line)
        return line

    def _open_text(self) -> TextIO:
        """The text at the end of the chain of bytes; line ends are kept as they are."""
        packed = io.BufferedReader(self._fetched, BLOCK)
        read = packed.read1
        if packed.peek(2)[:2] == b"\x1f\x8b":
            # read1, because read would lose the good rows before a damaged place.
            read = gzip.GzipFile(fileobj=packed).read1
        data = io.BufferedReader(_Bounded(read, self._fetched, self._limits), BLOCK)
        if data.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return io.TextIOWrapper(data, "utf-16", errors="surrogatepass", newline="")
        return io.TextIOWrapper(data, "utf-8-sig", errors="surrogateescape", newline="")


class RejectsWriter:
    """The rows that did not go in, as a CSV file to correct and import again.

    Columns: line, field, reason, then those of the file. UTF-8, comma. The file is made at the
    first reject, so that an import without rejects leaves no empty file behind. Cells that a
    spreadsheet would run as a formula start with an apostrophe.
    """

    def __init__(self, path: Path | str, headers: Sequence[str]) -> None:
        self._path = Path(path)
        self._headers = headers
        self._file: TextIO | None = None
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def write(self, line: int, field: str, reason: str, cells: Iterable[str]) -> None:
        """One rejected row; `field` is empty when the row as a whole is refused."""
        if self._file is None:
            self._open()
        self._write([str(line), field, reason, *cells])
        self.count += 1

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._path, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._writer = csv.writer(self._file)
        self._write([*REJECT_COLUMNS, *self._headers])

    def _write(self, cells: Iterable[str]) -> None:
        self._writer.writerow([without_formula(cell) for cell in cells])


def without_formula(cell: str) -> str:
    """The cell with an apostrophe before it if a spreadsheet would run it; -100 stays a number."""
    if _FORMULA.match(cell) and not _PLAIN_NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def with_formula(cell: str) -> str:
    """The cell as it was before without_formula."""
    return cell[1:] if cell[:1] == "'" and without_formula(cell[1:]) == cell else cell


def _without_additions(cells: list[str]) -> list[str]:
    """The cells of a row of rejects as they were in the file that it came from."""
    return [with_formula(cell) for cell in cells[len(REJECT_COLUMNS) :]]


class _Counted(io.RawIOBase):
    """A stream that counts the bytes that were read through it."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._read(len(buffer))
        buffer[: len(block)] = block
        self.count += len(block)
        return len(block)


class _Bounded(_Counted):
    """Uncompressed content, refused when it grows too large for the file it came from."""

    def __init__(self, read: Callable[[int], bytes], packed: _Counted, limits: Limits) -> None:
        super().__init__(read)
        self._packed = packed
        self._limits = limits

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer)
        limits = self._limits
        if self.count > limits.total_bytes:
            raise _TooLargeError(
                f"the file holds more than {limits.total_bytes:,} bytes; split it into parts"
            )
        if self.count > limits.free_bytes + limits.ratio * self._packed.count:
            raise _TooLargeError(
                f"the .gz file unpacks to more than {limits.ratio} times its size, which no list "
                "of rows does; import the uncompressed file"
            )
        return size


class _TooLargeError(Exception):
    """The content outgrew a limit; the message is the reason to give."""


# What reading from a file that is damaged or too large raises.
_BROKEN = (_TooLargeError, EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)


def _why_broken(error: Exception) -> str:
    if isinstance(error, _TooLargeError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"the text is cut off or not the UTF-16 it starts as; {_SAVE_AS_UTF8}"
    return "the .gz file is damaged or cut off here; make or upload it again"


def _wrong_text(line: str) -> str:
    """Why a line is not text, or nothing."""
    if "\0" in line:
        return _NUL
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            return _NOT_UTF8
    return ""


def _size(file: BinaryIO) -> int | None:
    """Bytes from the current position to the end; None when the file cannot seek."""
    try:
        start = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(start)
    except OSError:
        return None
    return end - start


def _header_lines(lines: Iterator[str]) -> list[str]:
    """The first lines up to the end of the header, which may hold quoted line breaks."""
    head, quotes = [], 0
    for line in lines:
        head.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0 and line.strip():
            break
    return head


def _delimiter(header: str) -> str:
    """The candidate that occurs most outside quotes; the first one where they are equal."""
    outside = re.sub('"[^"]*"', "", header)
    return max(DELIMITERS, key=outside.count)
