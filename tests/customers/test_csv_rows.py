"""Files made by others: what is read, what is refused, and that no file eats the machine."""

import csv
import gzip
import io
import os
import tracemalloc
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.csv_rows import (
    BadRow,
    CsvReader,
    Limits,
    RejectsWriter,
    Row,
    UnreadableFile,
    without_formula,
)

MIB = 1024**2


def read(content: bytes, limits: Limits | None = None) -> list[Row | BadRow]:
    return list(CsvReader(io.BytesIO(content), limits or Limits()))


def cells(content: bytes) -> list[list[str]]:
    """The cells of every row; all rows must be good."""
    found = []
    for row in read(content):
        assert isinstance(row, Row)
        found.append(list(row.cells.values()))
    return found


def stopped(content: bytes, limits: Limits | None = None) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refusal:
        read(content, limits)
    assert ";" in refusal.value.reason, "the way out follows a semicolon"
    return refusal.value


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a,b\n1,2\n", id="comma"),
        pytest.param(b"a;b\n1;2\n", id="semicolon"),
        pytest.param(b"a\tb\n1\t2\n", id="tab"),
        pytest.param(b"a|b\n1|2\n", id="bar"),
        pytest.param(b'a;"b"\n1;2\n', id="quoted name"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", id="UTF-8 with BOM"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), id="UTF-16 little end first"),
        pytest.param(b"\xfe\xff" + "a,b\n1,2\n".encode("utf-16-be"), id="UTF-16 big end first"),
        pytest.param(b"a,b\r\n1,2\r\n", id="CRLF"),
        pytest.param(b"a,b\r1,2\r", id="CR"),
        pytest.param(b"a,b\n1,2", id="no last line end"),
        pytest.param(b"\n\n a , b \n\n1,2\n  \n\n", id="blank lines, spaces around names"),
        pytest.param(gzip.compress(b"a,b\n1,2\n"), id="gzip"),
        pytest.param(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"), id="gzip in two parts"),
        pytest.param(gzip.compress("a,b\n1,2\n".encode("utf-16")), id="gzip of UTF-16"),
    ],
)
def test_one_table_in_many_dresses(content: bytes) -> None:
    rows = read(content)
    assert [row.cells for row in rows] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        pytest.param(b'"a,b";c\n1;2\n', ("a,b", "c"), ["1", "2"], id="comma in a quoted name"),
        pytest.param(b'"a\nb";"c"\n1;2\n', ("a\nb", "c"), ["1", "2"], id="line break in a name"),
        pytest.param(
            b'"a ""x"", y"|b\n1|2\n', ('a "x", y', "b"), ["1", "2"], id="quotes in a name"
        ),
        pytest.param(b",b,\n1,2,\n", ("column 1", "b", "column 3"), ["1", "2", ""], id="no name"),
        pytest.param(b"a\n1,5\n", ("a",), None, id="one column is taken for commas"),
        pytest.param(b'a\n""\n', ("a",), [""], id="a quoted nothing is a row"),
        pytest.param(b'a,b\n5" disk,2\n', ("a", "b"), ['5" disk', "2"], id="quote inside a cell"),
        pytest.param(b'a,b\n"x\r\ny",2\n', ("a", "b"), ["x\r\ny", "2"], id="line break kept"),
        pytest.param(
            "a,b\nx\u2028y,é\n".encode(), ("a", "b"), ["x\u2028y", "é"], id="no other ends"
        ),
    ],
)
def test_header_and_cells(
    content: bytes, headers: tuple[str, ...], expected: list[str] | None
) -> None:
    reader = CsvReader(io.BytesIO(content))
    assert reader.headers == headers
    good = [list(row.cells.values()) for row in reader if isinstance(row, Row)]
    assert good == ([] if expected is None else [expected])


def test_a_file_with_only_a_header_has_no_rows() -> None:
    assert read(b"a,b\n") == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_are_those_of_an_editor(end: str) -> None:
    lines = ["a,b", "1,2", '"x', 'y",3', "", '4,"p', "", 'q"', "5,6", "7", "8,9"]
    rows = read(end.join(lines).encode())
    assert [row.line for row in rows] == [2, 3, 6, 9, 10, 11]
    assert [type(row) for row in rows] == [Row, Row, Row, Row, BadRow, Row]


def test_a_stray_quote_in_the_header_does_not_hide_what_follows() -> None:
    good, bad, last = read(b'5" size,b\n1,2\n"x"y,3\n4,6"\n')
    assert good == Row(2, {'5" size': "1", "b": "2"})
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.cells) == (3, ('"x"y,3',))
    assert last == Row(4, {'5" size': "4", "b": '6"'})


def test_line_numbers_after_a_header_of_two_lines() -> None:
    assert [row.line for row in read(b'\n"a\nb",c\n1,2\n\n3,4\n')] == [4, 6]


@pytest.mark.parametrize(
    ("line", "says", "shown"),
    [
        pytest.param(b"1,2,3", "has 3 cells and the header has 2", ("1", "2", "3"), id="more"),
        pytest.param(b"1", "has 1 cells and the header has 2", ("1",), id="fewer"),
        pytest.param(b"1\0,2", "NUL byte", ("1\ufffd", "2"), id="NUL"),
        pytest.param(b"caf\xe9,2", "not UTF-8; save the file", ("caf\ufffd", "2"), id="latin-1"),
        pytest.param(b'"5" disk",2', "closing quote", ('"5" disk",2',), id="text after a quote"),
        pytest.param(b"x" * 65537 + b",2", "65,537 characters", ("x" * 65537, "2"), id="long cell"),
    ],
)
def test_a_bad_row_is_reported_and_reading_goes_on(
    line: bytes, says: str, shown: tuple[str, ...]
) -> None:
    before, bad, after = read(b"a,b\n0,0\n" + line + b"\n9,9\n")
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert says in bad.reason
    assert bad.cells == shown
    assert (before, after) == (Row(2, {"a": "0", "b": "0"}), Row(4, {"a": "9", "b": "9"}))


def test_a_bad_row_over_several_lines_says_which() -> None:
    bad, good = read(b'a,b\n1,"x\n2,"y"\n3,z\n')
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert bad.reason.endswith("(lines 2 to 3 were read as one row)")
    assert good == Row(4, {"a": "3", "b": "z"})


def test_a_lone_surrogate_in_utf16_is_a_bad_row() -> None:
    bad, good = read(b"\xff\xfe" + "a\nx\ud800\ny\n".encode("utf-16-le", "surrogatepass"))
    assert isinstance(bad, BadRow)
    assert bad.cells == ("x\ufffd",)
    assert good == Row(3, {"a": "y"})


ROWS = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000))
PACKED = gzip.compress(ROWS)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        pytest.param(b"", 1, "the file is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf", 1, "the file is empty", id="only a BOM"),
        pytest.param(b"\n \n\r\n", 1, "the file is empty", id="only blank lines"),
        pytest.param(b"\n,,\n1,2,3\n", 2, "no column has a name", id="no names"),
        pytest.param(b"a,b,a\n", 1, "more than one column is named 'a'", id="duplicate names"),
        pytest.param(b",".join(b"c%d" % n for n in range(10_000)), 1, "10,000 columns", id="wide"),
        pytest.param(
            b"PK\x03\x04\x14\0\x06\0\n", 1, "header cannot be read: the row holds a NUL", id="zip"
        ),
        pytest.param("a,b\n".encode("utf-16-le"), 1, "NUL", id="UTF-16 without BOM"),
        pytest.param(b"caf\xe9,b\n", 1, "not UTF-8", id="latin-1 header"),
        pytest.param(b'"a"b,c\n', 1, "closing quote", id="broken header"),
        pytest.param(b"a,b\n1,2\n" + b"x" * 10 * MIB, 3, "longer than", id="cell of 10 MB"),
        pytest.param(b"x" * 10 * MIB, 1, "longer than", id="header of 10 MB"),
        pytest.param(b'a,b\n1,2\n3,"' + b"4,5\n" * MIB, 3, "a quote", id="quote swallows much"),
        pytest.param(b'a,b\n1,2\n3,"4\n5,6\n', 3, "a quote opens", id="quote swallows the rest"),
        pytest.param(b"\xff\xfe" + "a\nb\n".encode("utf-16-le") + b"x", 3, "UTF-16", id="half"),
        pytest.param(b"\x1f\x8b", 1, ".gz file is damaged", id="two bytes of gzip"),
        pytest.param(PACKED[:20], 1, ".gz file is damaged", id="gzip without rows"),
        pytest.param(PACKED[:-4], 50_002, ".gz file is damaged", id="gzip without its end"),
        pytest.param(PACKED + b"rest", 50_002, ".gz file is damaged", id="gzip and more"),
    ],
)
def test_an_unreadable_file_stops_with_line_and_way_out(
    content: bytes, line: int, says: str
) -> None:
    error = stopped(content)
    assert error.line == line
    assert says in error.reason
    assert str(error) == f"line {line:,}: {error.reason}"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(PACKED[: len(PACKED) // 2], id="cut off"),
        pytest.param(PACKED[: len(PACKED) // 2] + bytes(100) + PACKED[-1000:], id="overwritten"),
    ],
)
def test_good_rows_before_the_damage_are_kept(damage: bytes) -> None:
    reader = iter(CsvReader(io.BytesIO(damage)))
    rows = [next(reader) for _ in range(20_000)]
    assert rows[-1] == Row(20_001, {"a": "19999", "b": "399960001"})
    with pytest.raises(UnreadableFile, match="gz file is damaged"):
        list(reader)


def test_limits_can_be_set() -> None:
    limits = Limits(record_chars=20, cell_chars=5, columns=2)
    assert "at most 2" in stopped(b"a,b,c\n", limits).reason
    assert "longer than 20" in stopped(b"a,b\n" + b"x" * 21, limits).reason
    assert [type(row) for row in read(b"a,b\n12345,1\n123456,1\n", limits)] == [Row, BadRow]
    small = stopped(ROWS, Limits(total_bytes=1000))
    assert "more than 1,000 bytes; split it" in small.reason


def test_a_row_as_long_as_allowed_is_read() -> None:
    limits = Limits(record_chars=10, cell_chars=10)
    assert cells(b"a,b\n1234567,9\n") == [["1234567", "9"]]
    assert len(read(b"a,b\n1234567,9\n", limits)) == 1
    assert stopped(b"a,b\n12345678,9\n", limits).line == 2


def bomb(block: bytes, times: int) -> bytes:
    """A .gz that unpacks to `times` blocks, made from one compressed block."""
    return gzip.compress(b"a,b\n") + gzip.compress(block, 6) * times


ZEROS = bomb(bytes(64 * MIB), 160)
LONG_ROWS = bomb((b"x" * 60_000 + b",1\n") * 500, 400)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        pytest.param(ZEROS, 2, "longer than", id="10 GB of zeros"),
        pytest.param(LONG_ROWS, None, "200 times its size", id="12 GB of rows"),
    ],
)
def test_a_bomb_is_defused_in_little_memory(content: bytes, line: int | None, says: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile) as refusal:
            deque(CsvReader(io.BytesIO(content)), maxlen=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert says in refusal.value.reason
    assert line in (None, refusal.value.line)
    assert peak < 50 * MIB


def test_an_ordinary_file_that_packs_well_is_no_bomb() -> None:
    content = gzip.compress(b"a,b\n" + b"same,row\n" * 30_000)
    assert len(read(content)) == 30_000


def test_a_file_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" + b"0123456789,0123456789\n" * 500_000)
    tracemalloc.start()
    try:
        with CsvReader(path) as reader:
            for _, _row in zip(range(20_000), reader, strict=False):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MIB


def test_progress_is_told_in_bytes_of_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"  # compressed, whatever its name
    path.write_bytes(PACKED)
    with CsvReader(path) as reader:
        assert reader.size == len(PACKED)
        assert reader.bytes_read < len(PACKED)
        assert sum(isinstance(row, Row) for row in reader) == 50_000
        assert reader.bytes_read == len(PACKED)


def test_a_pipe_has_no_size_and_is_read() -> None:
    out, into = os.pipe()
    os.write(into, b"a,b\n1,2\n")
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        reader = CsvReader(pipe)
        assert reader.size is None
        assert list(reader) == [Row(2, {"a": "1", "b": "2"})]


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(b"a\n1\n")
    with CsvReader(file) as reader:
        assert len(list(reader)) == 1
    del reader
    assert not file.closed


def test_a_refused_path_is_closed(tmp_path: Path) -> None:
    """An open file would give a ResourceWarning, which is an error here."""
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(UnreadableFile):
        CsvReader(path)


text_cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["a\r\nb", '"', '""', ",;\t|", "'=x", "\ufeff", " ", "\r", "\n"])


@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(text_cells, min_size=width, max_size=width), max_size=8)
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_what_csv_writer_writes_is_read_back(
    rows: list[list[str]], delimiter: str, encoding: str, end: str
) -> None:
    width = len(rows[0]) if rows else 2
    file = io.StringIO()
    # The writer leaves a line break unquoted unless it is part of its own line end.
    quoting = csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([f"h{n}" for n in range(width)])
    writer.writerows(rows)
    assert cells(file.getvalue().encode(encoding)) == rows


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for head in (b"", b"a,b\n", b"\xff\xfe", b"\x1f\x8b\x08\0\0\0\0\0\0\3"):
        try:
            rows = read(head + content)
        except UnreadableFile:
            continue
        lines = [row.line for row in rows]
        assert lines == sorted(set(lines))


FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1"]
UNSEEN_FORMULAS = [" =1", "\xa0+1", "\x01-1", "\x7f@A1", "\u200b=1", "\ufeff=1", " \t =1"]
WIDE_FORMULAS = ["\uff1d1", "\uff0b1", "\uff0d1", "\uff201"]


@pytest.mark.parametrize(
    "cell",
    [*FORMULAS, *UNSEEN_FORMULAS, *WIDE_FORMULAS, "-100-cmd", "+", "-", "-1e5", "=-1"],
)
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert without_formula(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "-100", "+3", "-2.55", "-2,55", "a=1", "1-1", "'=1", "85123A"]
)
def test_numbers_and_text_stay_as_they_are(cell: str) -> None:
    assert without_formula(cell) == cell


def test_rejects_tell_line_field_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "rejects.csv"
    with RejectsWriter(path, ("customer", "=quantity")) as rejects:
        assert not path.exists()
        rejects.write(7, "quantity", "'x' is not a number; write 1", ["=A1", "-100"])
        rejects.write(9, "", "the row has 3 cells", ("é", "2", "3"))
        assert rejects.count == 2
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "field", "reason", "customer", "'=quantity"],
            ["7", "quantity", "'x' is not a number; write 1", "'=A1", "-100"],
            ["9", "", "the row has 3 cells", "é", "2", "3"],
        ]


def test_without_rejects_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsWriter(path, ("a",)) as rejects:
        assert rejects.count == 0
    assert not path.exists()


def test_a_file_of_rejects_is_read_as_the_rows_it_holds(tmp_path: Path) -> None:
    """Also when a column of the file is called reason, as in answers, and after a second round."""
    path = tmp_path / "rejects.csv"
    rows = [{"customer": "=A1", "reason": "fun"}, {"customer": "'x", "reason": "-100"}]
    with RejectsWriter(path, ("customer", "reason")) as rejects:
        for line, row in enumerate(rows, start=2):
            rejects.write(line, "customer", "unknown", row.values())
        rejects.write(4, "", "short", ["1"])
    with CsvReader(path) as reader:
        assert reader.headers == ("customer", "reason")
        *good, bad = reader
    assert [row.cells for row in good] == rows
    assert isinstance(bad, BadRow)
    assert bad.cells == ("1",)
