"""Rows of permissions that somebody else collected: what counts of them, and what never does.

A no in a file counts at once, whatever else is missing. A yes counts only from nothing: with its
date, method, source and exact text it is a permission of grade C, and a sale with its five facts
stands in for one by e-mail. Every other row leaves its customer unasked. No row undoes a refusal, a
withdrawal or an objection (Telecommunicatiewet 11.7; docs/decisions/0014).
"""

import logging
from collections import ChainMap, Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import product

from django.utils import timezone

from customers import cells, permission_facts
from customers.addresses import address_hash
from customers.consent import ALLOWING, Actor, Forbidden, Grade, Method, State, strictest
from customers.consent_rows import (
    METHOD_CHARS,
    PLACE_CHARS,
    ConsentRow,
    check_terms,
    missing_proof,
    read_row,
)
from customers.importers import erased, known_customers, merged, unknown
from customers.imports import Fields, Importer, Noted, Options, Outcome, Refused
from customers.ledger import Act, Unproven, record_consent
from customers.mapping import Mapping as FieldMapping
from customers.models import Channel, Customer, PurposeKind, Wording
from customers.permission_facts import NOES, NOTHING, Ground, Key, Standing, plain
from customers.publishing import Unfit, record_imported_text

logger = logging.getLogger(__name__)

# A file in which nearly each row has a text of its own has something else in that column.
MOST_TEXTS = 50

# A refusal of what was permitted, or was going to be, takes it back.
REFUSAL_TAKES_BACK = frozenset(State) - NOES - {State.NONE, State.SHOWN, State.SOFT}

ONLY_THE_CUSTOMER = (
    "a file cannot undo that. Only the customer can, with a form or a link of their own; "
    "leave the row out"
)


class ConsentImporter(Importer):
    """Permissions, refusals, withdrawals and objections."""

    kind = "consents"
    fields = (
        *("customer", "purpose", "channel", "given_at", "method", "source", "wording", "state"),
        *("paid", "same_entity", "similar_products", "informed", "way_out_offered"),
    )
    required = ("customer", "purpose", "channel")
    # A line of the ledger takes some milliseconds, and others wait meanwhile.
    batch = 50
    notes = ("mailable", "soft", "without_proof", "lowered", "conflicts")

    def __init__(self, options: Options, mapping: FieldMapping) -> None:
        super().__init__(options, mapping)
        # A dry run writes nothing into the ledger and remembers what it would have written.
        self._would = Written()
        # How many rows said yes to which text: (purpose, text).
        self.texts: Counter[tuple[str, str]] = Counter()

    def parse(self, fields: Fields) -> ConsentRow:
        return read_row(fields, self.options)

    def store(self, records: Sequence[ConsentRow]) -> list[Outcome | Noted | Refused]:
        written = self._would if self.options.dry_run else Written()
        batch = Batch(self.options, records, written, self.texts)
        # Of two rows that contradict each other the more restrictive one wins: it comes first.
        order = sorted(range(len(records)), key=lambda place: not records[place].lowers)
        outcomes = {place: batch.settled(records[place]) for place in order}
        # Only now, because a batch that fails is stored again.
        self.texts += batch.texts
        return [outcomes[place] for place in range(len(records))]


@dataclass
class Written:
    """What rows before this one changed, on top of what was known when the batch began."""

    states: dict[Key, Standing] = field(default_factory=dict)
    # Keyed hashes of addresses, and ids of customers who objected to marketing.
    stopped: set[str] = field(default_factory=set)
    objected: set[int] = field(default_factory=set)


class Batch:
    """Rows stored together, in one transaction, with all that is known of whom they are about."""

    def __init__(
        self,
        options: Options,
        rows: Sequence[ConsentRow],
        written: Written,
        texts: Collection[tuple[str, str]],
    ) -> None:
        self.options = options
        self.written = written
        self.texts: Counter[tuple[str, str]] = Counter()
        self._texts_before = texts
        self.now = options.present()
        self.customers = known_customers(((row.customer, self.now) for row in rows), options)
        self.grounds = permission_facts.grounds(self.now)
        self.known = permission_facts.known(self.customers.values(), lock=not options.dry_run)

    def state(self, key: Key) -> Standing:
        return self.written.states.get(key) or self.known.states.get(key, NOTHING)

    def settled(self, row: ConsentRow) -> Outcome | Noted | Refused:
        try:
            customer, ground = self._customer(row), self._ground(row)
            return (
                self._lower(row, customer, ground)
                if row.lowers
                else self._raise(row, customer, ground)
            )
        except Refused as refused:
            return refused

    def _customer(self, row: ConsentRow) -> Customer:
        customer = self.customers.get(row.customer)
        if customer is None:
            raise unknown("customer", row.customer, "customer")
        if customer.erased_at is not None:
            raise erased("customer", row.customer)
        return customer

    def _ground(self, row: ConsentRow) -> Ground:
        ground = self.grounds.get(cells.folded(row.purpose))
        if ground is None:
            keys = ", ".join(one.purpose.key for one in self.grounds.values())
            raise Refused(
                "purpose",
                f"{cells.shown(row.purpose)} is not a purpose here; the purposes are {keys}; "
                "correct it or give --recode",
            )
        return ground

    # -- A no ------------------------------------------------------------------------------------

    def _lower(self, row: ConsentRow, customer: Customer, ground: Ground) -> Outcome | Noted:
        key = Key(customer.pk, ground.purpose.pk, row.channel)
        before = self.state(key).state
        after = lowered(before, row.state)
        if after is None or self._was_told(key, row, after):
            return Outcome.UNCHANGED
        self._write(customer, ground, row, after)
        for twin in self.known.twins[customer.pk]:
            other = key._replace(customer_id=twin.pk)
            if self.state(other).state in ALLOWING | {State.PENDING}:
                self._write(twin, ground, row, State.WITHDRAWN)
            if after is State.OBJECTED and PurposeKind(ground.purpose.kind).is_marketing:
                self._stop_marketing(twin, row)
        return Noted(
            Outcome.CREATED if before is State.NONE else Outcome.UPDATED,
            "lowered",
        )

    def _stop_marketing(self, twin: Customer, row: ConsentRow) -> None:
        """Take back what another record with the address permits: a later yes lifts the stop."""
        for ground in list(self.grounds.values()):
            if PurposeKind(ground.purpose.kind).is_marketing:
                for channel in Channel.values:
                    key = Key(twin.pk, ground.purpose.pk, channel)
                    if self.state(key).state in ALLOWING | {State.PENDING}:
                        self._write(twin, ground, replace(row, channel=channel), State.WITHDRAWN)

    def _was_told(self, key: Key, row: ConsentRow, after: State) -> bool:
        """Say whether an earlier import wrote this very no, which a yes may have followed."""
        return row.at is not None and (key, str(after), row.at) in self.known.told

    # -- A yes -----------------------------------------------------------------------------------

    def _raise(self, row: ConsentRow, customer: Customer, ground: Ground) -> Outcome | Noted:
        if customer.reference != row.customer:
            # It was given on the address of that record, which is not this one's.
            raise merged("customer", row.customer, customer.reference)
        key = Key(customer.pk, ground.purpose.pk, row.channel)
        before = self.state(key)
        if before.state in ALLOWING:
            return Outcome.UNCHANGED
        in_the_way = self._conflict(key, customer, ground)
        if in_the_way:
            raise self._refused(key, row, in_the_way)
        check_terms(row, ground, self.now)
        missing = missing_proof(row, customer, ground, self.now)
        if missing:
            return Noted(Outcome.UNCHANGED, "without_proof", missing)
        wording = self._wording(row, ground) if row.state is State.GIVEN else None
        self._write(customer, ground, row, row.state, wording)
        if wording is not None:
            self.texts[ground.purpose.key, plain(row.text)] += 1
        return Noted(Outcome.CREATED, "soft" if row.state is State.SOFT else "mailable")

    def _conflict(self, key: Key, customer: Customer, ground: Ground) -> str:
        """Return which no stands in the way of a yes, "" for none."""
        so_far = replace(
            self.known,
            states=ChainMap(self.written.states, dict(self.known.states)),
            stopped=self.known.stopped | self.written.stopped,
            objected=self.known.objected | self.written.objected,
        )
        return so_far.in_the_way(customer, ground.purpose, key.channel)

    def _refused(self, key: Key, row: ConsentRow, why: str) -> Refused:
        if not self.options.dry_run:
            # As in the ledger: an attempt to turn a no into a yes is worth knowing of.
            logger.warning(
                "Refused in an import: customer %d, purpose %d, %s to %s",
                key.customer_id, key.purpose_id, self.state(key).state, row.state,
            )  # fmt: skip
        return Refused("state", f"{why}; {ONLY_THE_CUSTOMER}", note="conflicts")

    def _wording(self, row: ConsentRow, ground: Ground) -> Wording:
        """Return the wording with the exact text of a row, kept as proof where it is new."""
        at = row.at or self.now
        shown = ground.shown(row.text, at)
        if shown is not None:
            return shown
        # In a file that begins with its newest row each day is earlier than the one before. From
        # the beginning of the year on, that makes a few editions of a text and not hundreds.
        since = datetime.combine(at.date().replace(month=1, day=1), time.min, at.tzinfo)
        about = (ground.purpose.key, plain(row.text))
        texts = {*self._texts_before, *self.texts}
        if about not in texts and len(texts) >= MOST_TEXTS:
            raise Refused(
                "wording",
                f"the file has more than {MOST_TEXTS} different texts, and a text on a form is the "
                "same for everybody; check the column, or import form by form",
            )
        by = self.options.by
        try:
            wording = record_imported_text(
                purpose=ground.purpose,
                text=row.text,
                first_given_at=since,
                approved_by=f"import by {by}" if by else "import on the server",
            )
        except Unfit as unfit:
            raise Refused("wording", str(unfit)) from None
        self.grounds[cells.folded(ground.purpose.key)] = Ground(
            ground.purpose, [wording, *ground.wordings]
        )
        return wording

    # -- What is written -------------------------------------------------------------------------

    def _write(
        self,
        customer: Customer,
        ground: Ground,
        row: ConsentRow,
        after: State,
        wording: Wording | None = None,
    ) -> None:
        at = min(row.at or self.now, self.now)
        usual = Method.SALE if after is State.SOFT else Method.IMPORT
        act = Act(
            purpose=ground.purpose,
            channel=row.channel,
            state=after,
            actor=Actor.IMPORT,
            actor_id=self.options.by,
            method=_of_nobody(row.method[:METHOD_CHARS]) or usual,
            place=_of_nobody(row.source[:PLACE_CHARS]),
            occurred_at=at,
            address=customer.email,
            wording=wording,
            evidence=row.evidence,
            grade=Grade.D if row.lowers else Grade.C,
            sale=row.sale if after is State.SOFT else None,
        )
        if not self.options.dry_run:
            try:
                record_consent(customer=customer, act=act, now=self.now)
            except Forbidden as error:
                raise Refused("state", str(error), note="conflicts") from None
            except Unproven as error:
                raise Refused("", str(error)) from None
        key = Key(customer.pk, ground.purpose.pk, row.channel)
        standing = Standing(after, timezone.localdate(at))
        self.written.states[key] = standing
        if after is State.OBJECTED:
            self._remember_objection(customer, ground, standing)

    def _remember_objection(self, customer: Customer, ground: Ground, standing: Standing) -> None:
        """Know what the ledger makes of an objection: all marketing stops, and the address."""
        self.written.stopped |= {address_hash(customer.email)} - {""}
        marketing = [
            one.purpose.pk
            for one in self.grounds.values()
            if PurposeKind(one.purpose.kind).is_marketing
        ]
        if ground.purpose.pk not in marketing:
            return
        self.written.objected.add(customer.pk)
        for key in (Key(customer.pk, *about) for about in product(marketing, Channel.values)):
            if self.state(key) != NOTHING:
                self.written.states[key] = standing


def _of_nobody(text: str) -> str:
    """Return what the ledger may keep for ever: no address. The evidence, which can go, has it."""
    return "" if "@" in text else text


def lowered(before: State, asked: State) -> State | None:
    """Return what a no of a file makes of a state; None where as strict a no stands already."""
    after = asked
    if asked is State.REFUSED and before in REFUSAL_TAKES_BACK:
        after = State.WITHDRAWN
    if before in NOES and strictest([before, after]) is before:
        return None
    return after
