"""Which column of a file fills which field: --map, --set and --recode, checked before reading.

Pure: standard library only. A *field* is a name this product knows (customer, purchased_at);
a *header* is the name of a column in somebody's file (CustomerID, InvoiceDate).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from customers.cells import shown
from customers.csv_rows import Row

# A message names at most 30 columns.
COLUMNS_SHOWN = 30


class MappingError(ValueError):
    """The options do not fit the file; the message names the option and the way out."""


@dataclass(frozen=True)
class Mapping:
    """How one row becomes fields.

    fields     field → header of the column that fills it
    constants  field → the same value for every row
    recodes    field → {old cell text → new text}
    """

    fields: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    recodes: dict[str, dict[str, str]] = field(default_factory=dict)

    def apply(self, row: Row) -> dict[str, str]:
        """The row's fields as stripped text; a recode matches the whole stripped cell."""
        cells = row.cells
        values = {name: cells[header].strip() for name, header in self.fields.items()}
        for name, recode in self.recodes.items():
            values[name] = recode.get(values[name], values[name])
        return values | self.constants


def parse_mapping(
    map_args: Iterable[str],
    set_args: Iterable[str],
    recode_args: Iterable[str],
    known_fields: Collection[str],
    required: Collection[str],
    headers: Sequence[str],
) -> Mapping:
    """The mapping that the options ask for, on a file with these headers.

    map_args `field=Header`, set_args `field=constant`, recode_args `field:old=new`. A header equal
    to a field's name (whatever its case, spaces for underscores) fills that field by itself,
    unless an option says otherwise. Raises MappingError.
    """
    chosen = _pairs("--map", map_args, known_fields)
    constants = _pairs("--set", set_args, known_fields)
    _check_headers(chosen, headers)
    for name in chosen.keys() & constants.keys():
        raise MappingError(f"{name} is both mapped and set; leave out --map or --set for it")
    own_names = _own_names(set(known_fields) - chosen.keys() - constants.keys(), headers)
    fields = own_names | chosen
    for name in required:
        if name not in fields and name not in constants:
            raise MappingError(
                f"{name} is required and no column fills it; give --set {name}=constant or "
                f"--map {name}=Header with one of the columns {_listed(headers)}"
            )
    return Mapping(fields, constants, _recodes(recode_args, fields, known_fields))


def row_key(values: Sequence[str], occurrence: int) -> str:
    """A key for a row that has none of its own: 32 hexadecimal digits (BLAKE2b, 16 bytes).

    `values` are the normalised mapped fields in a fixed order, `occurrence` how many rows with the
    same values came before it in the file. Real duplicates thus stay two rows, and the same file
    read again gives the same keys. Each value is preceded by its length, so that ("ab", "c") and
    ("a", "bc") differ whatever characters they hold.
    """
    parts = "".join([f"{len(value)}:{value}" for value in values])
    return blake2b(f"{parts}#{occurrence}".encode(), digest_size=16).hexdigest()


def _pairs(option: str, arguments: Iterable[str], known_fields: Collection[str]) -> dict[str, str]:
    """`field=value` arguments as a dict; every field known, no field twice, no value empty."""
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = (part.strip() for part in argument.partition("="))
        if not equals or not value:
            raise MappingError(f"{option} {shown(argument)} is incomplete; write field=value")
        _check_field(name, known_fields)
        if name in pairs:
            raise MappingError(f"{option} names {name} twice; leave one out")
        pairs[name] = value
    return pairs


def _recodes(
    arguments: Iterable[str], fields: dict[str, str], known_fields: Collection[str]
) -> dict[str, dict[str, str]]:
    """`field:old=new` arguments by field; an empty old matches empty cells."""
    recodes: dict[str, dict[str, str]] = {}
    for argument in arguments:
        name, colon, change = (part.strip() for part in argument.partition(":"))
        old, equals, new = (part.strip() for part in change.partition("="))
        if not colon or not equals:
            raise MappingError(f"--recode {shown(argument)} is incomplete; write field:old=new")
        _check_field(name, known_fields)
        if name not in fields:
            raise MappingError(f"--recode changes {name}, which no column fills; map it with --map")
        if old in recodes.setdefault(name, {}):
            raise MappingError(f"--recode names {shown(old)} of {name} twice; leave one out")
        recodes[name][old] = new
    return recodes


def _own_names(free: Collection[str], headers: Sequence[str]) -> dict[str, str]:
    """The free fields that a column is named after."""
    found: dict[str, str] = {}
    for header in headers:
        name = "_".join(header.lower().split())
        if name not in free:
            continue
        if name in found:
            raise MappingError(
                f"the columns {shown(found[name])} and {shown(header)} are both named {name}; "
                f"choose one with --map {name}=Header"
            )
        found[name] = header
    return found


def _check_field(name: str, known_fields: Collection[str]) -> None:
    if name not in known_fields:
        raise MappingError(
            f"{shown(name)} is not a field here; the fields are {', '.join(known_fields)}"
        )


def _check_headers(chosen: dict[str, str], headers: Sequence[str]) -> None:
    for name, header in chosen.items():
        if header not in headers:
            raise MappingError(
                f"{name} is mapped to {shown(header)}, which is not a column of this file; "
                f"the columns are {_listed(headers)}"
            )


def _listed(headers: Sequence[str]) -> str:
    names = ", ".join(shown(header) for header in headers[:COLUMNS_SHOWN])
    more = len(headers) - COLUMNS_SHOWN
    return f"{names} and {more:,} more" if more > 0 else names
