"""What one cell of an imported file may say: text in, a value out, or a refusal.

Pure: standard library only. Every parser takes the stripped text of one cell and raises CellError
when it breaks a rule; the message names the value, the rule and the way out. An empty cell is not
handled here: it means "leave what is there", which the importer decides.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# A value is shown in a message with at most 60 characters.
SHOWN_CHARS = 60

# A number has at most 14 digits: it then fits every column and a float without rounding.
MOST_DIGITS = 14

# A year outside 1900 to 2200 is a typing error or a placeholder such as 0001-01-01 or 9999-12-31.
FIRST_YEAR, LAST_YEAR = 1900, 2200

# The longest address that fits in an SMTP path (RFC 5321, 4.5.3.1.3, without the brackets).
EMAIL_CHARS = 254

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)")
# 1,000 is a thousand in English and one in Dutch.
_THOUSANDS = re.compile(r"[+-]?[0-9]+,[0-9]{3}")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DUTCH_MOMENT = re.compile(
    r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})(?: ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
_SLASHED = re.compile(r"[0-9]{1,4}/[0-9]{1,2}/[0-9]{1,4}.*", re.DOTALL)


class CellError(ValueError):
    """A cell breaks a rule; the message names the value, the rule and the way out."""


def shown(value: str) -> str:
    """The value in quotes for a message: control characters escaped, at most 60 characters."""
    return repr(value if len(value) <= SHOWN_CHARS else value[: SHOWN_CHARS - 1] + "…")


def folded(value: str) -> str:
    """The text in lower case, for what may be written in either: 85123A and 85123a are one code.

    At most twice as long as the text: İ becomes two characters.
    """
    return value.lower()


def integer(value: str) -> int:
    """A whole number such as 12 or -1."""
    if not _INTEGER.fullmatch(value):
        raise CellError(f"{shown(value)} is not a whole number; write it in digits, such as 12")
    _check_digits(value)
    return int(value)


def decimal(value: str) -> Decimal:
    """A number with a point or a comma before the decimals: 2.55, 2,55 or -1."""
    if _THOUSANDS.fullmatch(value):
        raise CellError(
            f"{shown(value)} can be read in two ways, because three digits follow the comma; "
            "write 1000 for a thousand or 1,00 for one"
        )
    if not _DECIMAL.fullmatch(value):
        raise CellError(
            f"{shown(value)} is not a number; write digits with at most one point or comma, "
            "such as 2.55"
        )
    _check_digits(value)
    return Decimal(value.replace(",", "."))


def day(value: str) -> date:
    """A calendar day: 2011-12-09 or 09-12-2011."""
    try:
        found = date.fromisoformat(value) if _ISO_DAY.fullmatch(value) else _dutch(value).date()
    except ValueError as error:
        _refuse_slashes(value)
        raise CellError(f"{shown(value)} is not a day; write 2011-12-09 or 09-12-2011") from error
    _check_year(value, found.year)
    return found


def moment(value: str, zone: ZoneInfo) -> datetime:
    """A moment as an aware UTC datetime; a time without a zone of its own is local to `zone`.

    ISO 8601 with T or a space between day and time, or 09-12-2011 12:50[:00]; a day alone is the
    start of that local day. A local time that does not exist (the clock went forward) is read
    with the offset before the change; one that exists twice is the first of the two.
    """
    try:
        # Two separators in place rule out the other ISO forms (20111209, 2011-W49-5).
        if value[4:5] == "-" == value[7:8] and value[10:11] in ("", "T", " "):
            found = datetime.fromisoformat(value)
        else:
            found = _dutch(value)
    except ValueError as error:
        _refuse_slashes(value)
        raise CellError(
            f"{shown(value)} is not a moment; write 2011-12-09 12:50, 2011-12-09T12:50:00Z or "
            "09-12-2011 12:50"
        ) from error
    _check_year(value, found.year)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def text(value: str, max_length: int) -> str:
    """Text of at most `max_length` characters."""
    if len(value) > max_length:
        raise CellError(
            f"{shown(value)} has {len(value):,} characters, at most {max_length:,} fit; shorten it"
        )
    return value


def email(value: str) -> str:
    """An e-mail address with its domain in lower case.

    The part before the @ keeps its case: only the receiving server knows whether it matters
    (RFC 5321, 2.4). The check is simple on purpose; only a delivered mail proves an address.
    """
    local, at, domain = value.rpartition("@")
    labels = domain.split(".")
    if not at or "@" in local or not local or len(labels) < 2 or not all(labels):
        raise CellError(f"{shown(value)} is not an e-mail address; write name@example.org")
    if not value.isprintable() or " " in value:
        raise CellError(f"{shown(value)} holds a space or control character; remove it")
    if len(value) > EMAIL_CHARS:
        raise CellError(
            f"{shown(value)} has {len(value):,} characters, an e-mail address at most "
            f"{EMAIL_CHARS}; correct it"
        )
    return f"{local}@{domain.lower()}"


def choice(value: str, allowed: Iterable[str]) -> str:
    """One of the allowed keys; upper and lower case are the same."""
    allowed = list(allowed)
    for key in allowed:
        if key.casefold() == value.casefold():
            return key
    raise CellError(
        f"{shown(value)} is not one of {', '.join(allowed)}; correct it or give --recode"
    )


def time_zone(value: str) -> str:
    """The name of a time zone in the IANA database, such as Europe/Amsterdam."""
    if value not in _zone_nameds():
        raise CellError(f"{shown(value)} is not a time zone; write a name as Europe/Amsterdam")
    return value


@cache
def _zone_nameds() -> frozenset[str]:
    # A set of names and never a look-up by name: ZoneInfo opens the path it is given.
    return frozenset(available_timezones())


def _check_digits(value: str) -> None:
    digits = sum(char.isdigit() for char in value)
    if digits > MOST_DIGITS:
        raise CellError(
            f"{shown(value)} has {digits:,} digits, at most {MOST_DIGITS} fit; correct it"
        )


def _check_year(value: str, year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CellError(
            f"{shown(value)} lies outside the years {FIRST_YEAR} to {LAST_YEAR}; "
            "correct it or leave the cell empty"
        )


def _refuse_slashes(value: str) -> None:
    if _SLASHED.fullmatch(value):
        raise CellError(
            f"{shown(value)} can be read as day/month and as month/day; "
            "write 2011-12-09 or 09-12-2011"
        )


def _dutch(value: str) -> datetime:
    """09-12-2011 with an optional time; ValueError when it is something else."""
    match = _DUTCH_MOMENT.fullmatch(value)
    if not match:
        raise ValueError("not dd-mm-yyyy")
    day_of_month, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
    return datetime.combine(date(year, month, day_of_month), time(hour, minute, second))
