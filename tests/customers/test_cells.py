"""One cell: what is accepted, what it becomes, and that a refusal says what to do."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.cells import (
    CellError,
    choice,
    day,
    decimal,
    email,
    integer,
    moment,
    shown,
    text,
    time_zone,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("value", "expected"), [("12", 12), ("-1", -1), ("+3", 3), ("007", 7), ("9" * 14, 10**14 - 1)]
)
def test_integer(value: str, expected: int) -> None:
    assert integer(value) == expected


@pytest.mark.parametrize("value", ["", "1.0", "1,000", "1_000", "٣", "1e3", "0x1", "9" * 15, "- 1"])
def test_integer_refuses(value: str) -> None:
    with pytest.raises(CellError):
        integer(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.55", "2.55"),
        ("2,55", "2.55"),
        ("-1", "-1"),
        ("+1.5", "1.5"),
        (".5", "0.5"),
        ("0.001", "0.001"),
        ("1,0000", "1"),
        ("12345678901.234", "12345678901.234"),
    ],
)
def test_decimal(value: str, expected: str) -> None:
    assert decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1,000", "write 1000 for a thousand or 1,00 for one"),
        ("-1,234", "two ways"),
        ("1.234,56", "at most one point or comma"),
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("1e5", "not a number"),
        ("€ 2,55", "not a number"),
        ("5.", "not a number"),
        ("", "not a number"),
        ("12345678901.2345", "15 digits"),
    ],
)
def test_decimal_refuses(value: str, says: str) -> None:
    with pytest.raises(CellError, match=says):
        decimal(value)


@pytest.mark.parametrize("value", ["2011-12-09", "09-12-2011", "9-12-2011"])
def test_day(value: str) -> None:
    assert day(value) == date(2011, 12, 9)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("09/12/2011", "day/month and as month/day"),
        ("2011-02-30", "not a day"),
        ("31-02-2011", "not a day"),
        ("20111209", "not a day"),
        ("2011-W49-5", "not a day"),
        ("soon", "not a day"),
        ("0001-01-01", "outside the years 1900 to 2200"),
        ("31-12-9999", "outside the years 1900 to 2200"),
    ],
)
def test_day_refuses(value: str, says: str) -> None:
    with pytest.raises(CellError, match=says):
        day(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2011-12-09 12:50:00", "2011-12-09T11:50:00", id="winter, local"),
        pytest.param("2011-07-09T12:50", "2011-07-09T10:50:00", id="summer, local"),
        pytest.param("2017-12-23T18:53:35.962Z", "2017-12-23T18:53:35.962", id="Z, fraction"),
        pytest.param("2011-12-09T12:50:00-05:00", "2011-12-09T17:50:00", id="offset"),
        pytest.param("2011-12-09", "2011-12-08T23:00:00", id="start of local day"),
        pytest.param("09-12-2011", "2011-12-08T23:00:00", id="Dutch day"),
        pytest.param("9-12-2011 8:05", "2011-12-09T07:05:00", id="Dutch minutes"),
        pytest.param("09-12-2011 12:50:30", "2011-12-09T11:50:30", id="Dutch seconds"),
        pytest.param("2026-03-29 02:30", "2026-03-29T01:30:00", id="does not exist: 03:30"),
        pytest.param("2026-10-25 02:30", "2026-10-25T00:30:00", id="exists twice: the first"),
    ],
)
def test_moment(value: str, expected: str) -> None:
    found = moment(value, AMSTERDAM)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_day_that_starts_at_one_oclock_starts_there() -> None:
    """In Beirut the clock goes from 00:00 to 01:00 on 29 March 2026."""
    assert moment("2026-03-29", ZoneInfo("Asia/Beirut")) == datetime(2026, 3, 28, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("12/09/2011 12:50", "day/month and as month/day"),
        ("2011/12/09", "day/month and as month/day"),
        ("2011-12-09 25:00", "not a moment"),
        ("09-12-2011 24:00", "not a moment"),
        ("2011-12-09x12:50", "not a moment"),
        ("20111209", "not a moment"),
        ("2011-W49-5", "not a moment"),
        ("1323388800", "not a moment"),
        ("", "not a moment"),
        ("0001-01-01T00:00:00+14:00", "outside the years 1900 to 2200"),
        ("9999-12-31 23:59:59", "outside the years 1900 to 2200"),
    ],
)
def test_moment_refuses(value: str, says: str) -> None:
    with pytest.raises(CellError, match=says):
        moment(value, AMSTERDAM)


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 12, 30)),
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Asia/Taipei", "UTC"]),
)
def test_every_moment_written_with_its_offset_is_read_back(at: datetime, zone: str) -> None:
    local = at.replace(tzinfo=ZoneInfo(zone))
    assert moment(local.isoformat(), AMSTERDAM) == local.astimezone(UTC)


@given(st.text())
def test_whatever_is_in_a_cell_it_is_read_or_refused(value: str) -> None:
    refusals = []
    for parse in (integer, decimal, day, email, time_zone, lambda cell: moment(cell, AMSTERDAM)):
        try:
            parse(value)
        except CellError as error:
            refusals.append(str(error))
    assert all(shown(value) in refusal for refusal in refusals)


def test_text_keeps_what_fits() -> None:
    assert text("abc", 3) == "abc"
    with pytest.raises(CellError, match="4 characters, at most 3 fit; shorten it"):
        text("abcd", 3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Jan.Jansen@Example.ORG", "Jan.Jansen@example.org"),
        ("a+b@x.co.uk", "a+b@x.co.uk"),
        ("é@münchen.de", "é@münchen.de"),
        ("a" * 248 + "@xy.nl", "a" * 248 + "@xy.nl"),
    ],
)
def test_email(value: str, expected: str) -> None:
    assert email(value) == expected


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("jan", "not an e-mail address"),
        ("@example.org", "not an e-mail address"),
        ("a@b@c.nl", "not an e-mail address"),
        ("jan@localhost", "not an e-mail address"),
        ("jan@example.", "not an e-mail address"),
        ("jan@.org", "not an e-mail address"),
        ("jan jansen@example.org", "space or control character"),
        ("jan@example.org\nBcc: x", "space or control character"),
        ("a" * 249 + "@xy.nl", "255 characters, an e-mail address at most 254"),
    ],
)
def test_email_refuses(value: str, says: str) -> None:
    with pytest.raises(CellError, match=says):
        email(value)


def test_choice() -> None:
    assert choice("High", ["low", "high"]) == "high"
    with pytest.raises(CellError, match="'huge' is not one of low, high; correct it"):
        choice("huge", ["low", "high"])


def test_time_zone() -> None:
    assert time_zone("Europe/Amsterdam") == "Europe/Amsterdam"


@pytest.mark.parametrize("value", ["", "Europe", "../../etc/passwd", "/etc/passwd", "Mars/Olympus"])
def test_time_zone_refuses(value: str) -> None:
    with pytest.raises(CellError, match="not a time zone"):
        time_zone(value)


def test_a_long_value_is_shown_short_and_escaped() -> None:
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 59 + "…")
    assert shown("a\nb\0") == "'a\\nb\\x00'"
