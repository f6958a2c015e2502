"""Proving that nobody changed the ledger: walk all of it, and sign what it stands at."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from django.conf import settings
from django.db import connection

from customers import chain, triggers
from customers.chain import START, Heads, heads_of, link
from customers.consent import takes_over
from customers.ledger import facts_of, shown
from customers.models import (
    ConsentEntry,
    ConsentState,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Wording,
)
from customers.wordings import text_hash

logger = logging.getLogger(__name__)

# What a checkpoint leaves out: lines that a slow transaction may still be writing.
STILL_WRITING = timedelta(minutes=15)

FINDINGS = {
    "trigger": "A trigger that protects the ledger is missing or was changed",
    "wording": "A published text was changed",
    "entry": "An entry was changed",
    "gap": "An entry does not follow the one before it: one was removed or put in",
    "state": "What a customer permits is not what the ledger says",
    "evidence": "The evidence of an entry was changed",
    "checkpoint": "A checkpoint was changed",
    "tail": "Entries that a checkpoint saw are gone, or new ones pretend to be old",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, a key of FINDINGS, and the id of the first row that shows it."""

    kind: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """The ledger as it was walked: how many entries, what is wrong first, and where it stands."""

    entries: int
    finding: Finding | None
    until: datetime
    heads: Heads


def verify_ledger(now: datetime) -> Verified:
    """Walk the whole ledger, keep the result, and return it."""
    checkpoint = LedgerCheckpoint.objects.order_by("-made_at").first()
    until = now - STILL_WRITING
    walk = Walk([until, checkpoint.until if checkpoint else until])
    finding = (
        _of_triggers()
        or _of_wordings()
        or walk.finding()
        or _of_evidence()
        or (_of_checkpoint(checkpoint, walk.heads[1]) if checkpoint else None)
    )
    LedgerCheck.objects.create(
        checked_at=now,
        entries=walk.entries,
        finding=finding.kind if finding else "",
        row=finding.row if finding else None,
    )
    return Verified(walk.entries, finding, until, walk.heads[0])


class LedgerChanged(Exception):
    """Somebody changed the ledger; the text names the first row that shows it."""

    def __init__(self, finding: Finding) -> None:
        row = f", row {finding.row}" if finding.row else ""
        super().__init__(f"{FINDINGS[finding.kind]}{row}. Run verify_ledger for what it means.")


def make_checkpoint(now: datetime) -> LedgerCheckpoint:
    """Verify the ledger against the last checkpoint and sign a new one; LedgerChanged if it fails.

    Signing what was not verified first would make good whatever happened since. The checkpoint is
    logged too: who empties the table with it does not reach the logs.
    """
    found = verify_ledger(now)
    if found.finding:
        raise LedgerChanged(found.finding)
    made = LedgerCheckpoint.objects.create(
        made_at=now,
        until=found.until,
        entries=found.heads.entries,
        customers=found.heads.customers,
        root=found.heads.root,
        signature=chain.sign(found.heads, found.until, settings.LEDGER_KEYS[0]),
    )
    logger.info(
        "ledger_checkpoint until=%s entries=%d customers=%d root=%s signature=%s",
        made.until.isoformat(), made.entries, made.customers, made.root, made.signature,
    )  # fmt: skip
    return made


class Walk:
    """One pass over all entries, customer by customer, in the order they were written."""

    def __init__(self, untils: Sequence[datetime]) -> None:
        self.entries = 0
        self._wordings = {row.pk: shown(row) for row in Wording.objects.all()}
        # For each moment asked for, what the ledger stood at: customer, entries, last hash.
        self._lasts: list[tuple[datetime, list[tuple[int, int, str]]]] = [
            (until, []) for until in untils
        ]

    @property
    def heads(self) -> list[Heads]:
        """The heads of what was recorded until each of the moments."""
        return [heads_of(lasts) for _until, lasts in self._lasts]

    def finding(self) -> Finding | None:
        """Return the first entry that breaks a chain."""
        rows = ConsentEntry.objects.order_by("customer_id", "pk").iterator(chunk_size=5_000)
        states = _States()
        for customer, entries in groupby(rows, key=attrgetter("customer_id")):
            found = list(entries)
            broken = self._first_broken(found) or states.finding(customer, found)
            if broken:
                return broken
            self._remember(customer, found)
        return states.left_over()

    def _first_broken(self, entries: Sequence[ConsentEntry]) -> Finding | None:
        before = START
        for entry in entries:
            self.entries += 1
            if entry.previous_hash != before:
                return Finding("gap", entry.pk)
            words = self._wordings.get(entry.wording_id or 0, ("", ""))
            if entry.hash != link(before, facts_of(entry, words)):
                return Finding("entry", entry.pk)
            before = entry.hash
        return None

    def _remember(self, customer: int, entries: Sequence[ConsentEntry]) -> None:
        for until, lasts in self._lasts:
            covered = [entry for entry in entries if entry.recorded_at <= until]
            if covered:
                lasts.append((customer, len(covered), covered[-1].hash))


class _States:
    """The states as stored, beside the walk: each has to be what the entries say."""

    def __init__(self) -> None:
        rows = ConsentState.objects.order_by("customer_id").iterator(chunk_size=5_000)
        self._groups = groupby(rows, key=attrgetter("customer_id"))
        self._next = self._take()

    def _take(self) -> tuple[int, list[ConsentState]] | None:
        group = next(self._groups, None)
        return (group[0], list(group[1])) if group else None

    def finding(self, customer: int, entries: Sequence[ConsentEntry]) -> Finding | None:
        """Compare the states of one customer; customers come in the order of their ids."""
        stored: list[ConsentState] = []
        if self._next and self._next[0] <= customer:
            stored = self._next[1]
            self._next = self._take()
        said: dict[tuple[int, str], ConsentEntry] = {}
        for entry in entries:
            key = (entry.purpose_id, entry.channel)
            if key not in said or takes_over(said[key], entry):
                said[key] = entry
        expected = {key: (entry.pk, entry.state, entry.valid_until) for key, entry in said.items()}
        found = {
            (row.purpose_id, row.channel): (row.entry_id, row.state, row.valid_until)
            for row in stored
        }
        return None if found == expected else Finding("state", entries[-1].pk)

    def left_over(self) -> Finding | None:
        """Return a state of a customer without any entry."""
        return Finding("state", self._next[1][0].entry_id) if self._next else None


def _of_triggers() -> Finding | None:
    return Finding("trigger") if triggers.missing(connection) else None


def _of_wordings() -> Finding | None:
    changed = (
        row.pk
        for row in Wording.objects.order_by("pk").iterator()
        if row.text_hash != text_hash(row.facts)
    )
    return _first("wording", changed)


def _of_evidence() -> Finding | None:
    """Compare what evidence is left; that of an erased customer is gone, and may be."""
    rows = Evidence.objects.order_by("entry_id").values_list(
        "entry_id", "text", "salt", "entry__evidence_hash"
    )
    changed = (
        entry
        for entry, text, salt, known in rows.iterator(chunk_size=5_000)
        if chain.digest(salt + text) != known
    )
    return _first("evidence", changed)


def _of_checkpoint(checkpoint: LedgerCheckpoint, found: Heads) -> Finding | None:
    signed = Heads(checkpoint.entries, checkpoint.customers, checkpoint.root)
    if not chain.is_signed(signed, checkpoint.until, checkpoint.signature, settings.LEDGER_KEYS):
        return Finding("checkpoint", checkpoint.pk)
    return None if found == signed else Finding("tail", checkpoint.pk)


def _first(kind: str, rows: Iterator[int]) -> Finding | None:
    row = next(rows, None)
    return None if row is None else Finding(kind, row)
