"""A dose policy as a document of plain values: in files, in the database, and back.

Pure: standard library only. Windows and gaps are whole hours; "22:00" until "07:00" is a night.
A document that cannot be read says where, what is allowed there, and what stood there.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from customers.dose_policy import Ceiling, Cell, Limit, Policy, problems
from customers.quiet_hours import Range

HOUR = timedelta(hours=1)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")

Document = dict[str, Any]


class PolicyRefused(ValueError):
    """A policy that is not taken; `problems` are sentences with the rule and the way out."""

    def __init__(self, found: Iterable[str]) -> None:
        self.problems = list(found)
        super().__init__(" ".join(f"{one}." for one in self.problems))


def document_of(policy: Policy) -> Document:
    """Return a policy as a document; the order of its rules does not show."""
    return {
        "country": policy.country,
        "exempt": sorted(policy.exempt),
        "points": dict(sorted(policy.points.items())),
        "quiet": {
            channel: [_range(one) for one in sorted(ranges)]
            for channel, ranges in sorted(policy.quiet.items())
        },
        "cells": [_cell(one) for one in sorted(policy.cells, key=lambda one: one.key)],
        "ceilings": [_ceiling(one) for one in sorted(policy.ceilings, key=lambda one: one.key)],
    }


def policy_of(document: Any, version: int) -> Policy:
    """Return the policy that a document describes; PolicyRefused if it is not a sound one."""
    read = _Reader()
    policy = read.policy(document, version)
    if found := read.problems or problems(policy):
        raise PolicyRefused(found)
    return policy


def digest_of(policy: Policy) -> str:
    """Return the SHA-256 of what a policy says, its number left out."""
    text = json.dumps(document_of(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# -- Writing --------------------------------------------------------------------------------------


def _range(one: Range) -> Document:
    return {"weekday": one.weekday, "from": _clock(one.start), "until": _clock(one.end)}


def _clock(minute: int) -> str:
    if minute == 24 * 60:
        return "24:00"
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _limit(one: Limit) -> Document:
    return {"most": one.most, "hours": one.window // HOUR, "unit": one.unit}


def _cell(one: Cell) -> Document:
    return {
        "involvement": one.involvement,
        "customer_type": one.customer_type,
        "channel": one.channel,
        "kind": one.kind,
        "per": one.per,
        **_limits(one),
    }


def _ceiling(one: Ceiling) -> Document:
    return {
        "customer_type": one.customer_type,
        "channel": one.channel,
        "kinds": sorted(one.kinds),
        **_limits(one),
    }


def _limits(rule: Cell | Ceiling) -> Document:
    limits = sorted(rule.limits, key=lambda one: (one.unit, one.window, one.most))
    return {
        "limits": [_limit(one) for one in limits],
        "gap_hours": None if rule.gap is None else rule.gap // HOUR,
    }


# -- Reading --------------------------------------------------------------------------------------


class _Reader:
    """Reads what it can and notes each thing it cannot, with its place."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def policy(self, document: Any, version: int) -> Policy:
        top = self._object("the policy", document, _TOP)
        points = self._mapping("points", top.get("points", {}))
        quiet = self._mapping("quiet", top.get("quiet", {}))
        return Policy(
            version=version,
            cells=[self._cell(n, one) for n, one in self._list("cells", top.get("cells"))],
            ceilings=[
                self._ceiling(n, one) for n, one in self._list("ceilings", top.get("ceilings"))
            ],
            quiet={
                channel: [self._range(n, one) for n, one in self._list(f"quiet.{channel}", ranges)]
                for channel, ranges in quiet.items()
            },
            country=self._text("country", top.get("country", "")),
            exempt=self._texts("exempt", top.get("exempt", [])),
            points={
                kind: self._whole(f"points.{kind}", value) or 0 for kind, value in points.items()
            },
        )

    def _cell(self, where: str, document: Any) -> Cell:
        row = self._object(where, document, _CELL)
        return Cell(
            involvement=self._text(f"{where}.involvement", row.get("involvement", "")),
            customer_type=self._text(f"{where}.customer_type", row.get("customer_type", "")),
            channel=self._text(f"{where}.channel", row.get("channel", "")),
            kind=self._text(f"{where}.kind", row.get("kind", "")),
            limits=self._limits(where, row),
            gap=self._gap(where, row),
            per=self._text(f"{where}.per", row.get("per", "category")),
        )

    def _ceiling(self, where: str, document: Any) -> Ceiling:
        row = self._object(where, document, _CEILING)
        return Ceiling(
            customer_type=self._text(f"{where}.customer_type", row.get("customer_type", "")),
            channel=self._text(f"{where}.channel", row.get("channel", "")),
            kinds=self._texts(f"{where}.kinds", row.get("kinds", [])),
            limits=self._limits(where, row),
            gap=self._gap(where, row),
        )

    def _limits(self, where: str, row: Document) -> list[Limit]:
        return [
            self._limit(n, one) for n, one in self._list(f"{where}.limits", row.get("limits", []))
        ]

    def _limit(self, where: str, document: Any) -> Limit:
        row = self._object(where, document, _LIMIT)
        most, hours = self._whole(f"{where}.most", row.get("most")), row.get("hours")
        window = self._whole(f"{where}.hours", hours) or 0
        return Limit(
            most or 0, window * HOUR, self._text(f"{where}.unit", row.get("unit", "count"))
        )

    def _gap(self, where: str, row: Document) -> timedelta | None:
        hours = row.get("gap_hours")
        return None if hours is None else (self._whole(f"{where}.gap_hours", hours) or 0) * HOUR

    def _range(self, where: str, document: Any) -> Range:
        row = self._object(where, document, _RANGE)
        start, end = (self._minute(f"{where}.{name}", row.get(name)) for name in ("from", "until"))
        weekday = self._whole(f"{where}.weekday", row.get("weekday")) or 0
        return Range(weekday, start, end if end > start else end + 24 * 60)

    # What a place may hold.

    def _object(self, where: str, value: Any, known: Iterable[str]) -> Document:
        found = self._mapping(where, value)
        for name in sorted(set(found) - set(known)):
            self.problems.append(f"{where}: {name!r} is not known; use {', '.join(known)}")
        return found

    def _mapping(self, where: str, value: Any) -> Document:
        found: Document = self._kind(where, value, dict, "an object", {})
        return found

    def _list(self, where: str, value: Any) -> list[tuple[str, Any]]:
        rows: list[Any] = self._kind(where, value, list, "a list", [])
        return [(f"{where}[{n}]", one) for n, one in enumerate(rows)]

    def _text(self, where: str, value: Any) -> str:
        return str(self._kind(where, value, str, "a text", ""))

    def _texts(self, where: str, value: Any) -> frozenset[str]:
        return frozenset(self._text(n, one) for n, one in self._list(where, value))

    def _whole(self, where: str, value: Any) -> int | None:
        if isinstance(value, bool):
            value = str(value)
        found: int | None = self._kind(where, value, int, "a whole number", None)
        if found is not None and abs(found) > MOST_NUMBER:
            self.problems.append(f"{where}: {found} is too large; give at most {MOST_NUMBER}")
            return 0
        return found

    def _minute(self, where: str, value: Any) -> int:
        text = self._text(where, value)
        if not CLOCK.fullmatch(text):
            self.problems.append(f'{where}: {text!r} is not a time; write it as "22:00"')
            return 0
        hours, minutes = text.split(":")
        return int(hours) * 60 + int(minutes)

    def _kind(self, where: str, value: Any, kind: Callable[..., Any], name: str, empty: Any) -> Any:
        if isinstance(value, kind):  # type: ignore[arg-type]
            return value
        self.problems.append(f"{where}: {value!r} is not {name}; give one")
        return empty


MOST_NUMBER = 1_000_000

_TOP: Mapping[str, None] = dict.fromkeys(
    ("version", "note", "country", "exempt", "points", "quiet", "cells", "ceilings")
)
_CELL = ("involvement", "customer_type", "channel", "kind", "per", "limits", "gap_hours")
_CEILING = ("customer_type", "channel", "kinds", "limits", "gap_hours")
_LIMIT = ("most", "hours", "unit")
_RANGE = ("weekday", "from", "until")
