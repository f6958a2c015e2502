"""Tables as files for a spreadsheet, in which no text of a customer is ever run as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from io import BytesIO
from itertools import chain, islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.csv_rows import FORMULA_SIGNS, UNSEEN, without_formula
from feedback.models import Response
from insights.templatetags.numbers import number

Cell = str | int | float
Row = Sequence[Cell]

# 20 MB as CSV, which is sent line by line.
MAX_ROWS = 100_000
# A workbook is made before the first byte goes out: 20,000 rows take seconds, not minutes.
MAX_WORKBOOK_ROWS = 20_000

# Rows fetched from the database at a time.
FETCH = 2_000

COMMENT_COLUMNS = {
    "answered_on": "answered_on",
    "scale": "scale",
    "value": "value",
    "reason": "reason",
    "comment": "comment",
    "touchpoint": "touchpoint__name",
    "product": "product__sku",
    "category": "category__name",
    "channel": "channel",
    "language": "language",
}

# Quotes protect what is inside a cell as long as a program splits at commas. A Dutch Excel splits
# at semicolons: to it a quote after the first one is a letter, and what follows a semicolon, tab,
# bar or line break inside a comment becomes a cell of its own. So a formula is disarmed there too.
_CELL_INSIDE = re.compile(f"([;\\t|\\r\\n])(?=(?:(?![\\t\\r\\n])[{UNSEEN}\"'])*[{FORMULA_SIGNS}])")

# What XML cannot hold.
_NOT_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")


def comments(answers: QuerySet[Response], limit: int) -> Iterator[Row]:
    """Return a header and the answers; reasons and products as keys.

    Without who gave them, what type of customer that was and at what time: the three together
    with a product would tell somebody apart whom a table of figures would hide.

    Where there are more than `limit`, the last row says that they are not all here.
    """
    rows = answers.values_list(*COMMENT_COLUMNS.values())[: limit + 1].iterator(FETCH)
    # Said now, in the language of the reader: the rows are read when the page is long done.
    more = _("Only the newest %(n)s rows are here. Choose a shorter period for the others.")
    note = more % {"n": number(limit)}
    return chain([list(COMMENT_COLUMNS)], _capped(map(_cells, rows), limit, note))


def _cells(row: Sequence[Any]) -> Row:
    """Return a row as text and numbers: a day as 2026-11-24, nothing for what is not known."""
    return [
        value.isoformat() if isinstance(value, date) else "" if value is None else value
        for value in row
    ]


def _capped(rows: Iterator[Row], limit: int, note: str) -> Iterator[Row]:
    yield from islice(rows, limit)
    if next(rows, None) is not None:
        yield [note]


class _Line:
    """A file for the csv module that hands back each line."""

    def write(self, line: str) -> str:
        return line


def csv_file(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a CSV file line by line: commas, every text in quotes, numbers bare.

    It begins with a byte order mark, without which Excel takes the é of Dutch for something else.
    """
    writer = csv.writer(_Line(), quoting=csv.QUOTE_NONNUMERIC)
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([_csv_cell(cell) for cell in row])


def _csv_cell(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    return without_formula(_CELL_INSIDE.sub(r"\1'", cell))


def xlsx_file(rows: Iterable[Row], title: str) -> bytes:
    """Return a workbook of one sheet, in which text is text and numbers are numbers."""
    # Takes a third of a second, which no other page needs.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)

    def text(cell: str) -> Any:
        written = WriteOnlyCell(sheet, without_formula(_NOT_XML.sub("", cell)))
        # Whatever it looks like: openpyxl would make a formula of = and an error of #N/A.
        written.data_type = "s"
        return written

    for row in rows:
        sheet.append([text(cell) if isinstance(cell, str) else cell for cell in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()
