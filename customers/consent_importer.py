"""Rows of permissions that somebody else collected: what counts of them, and what never does.

A no in a file counts at once, whatever else is missing. A yes counts only from nothing: with its
date, method, source and exact text it is a permission of grade C, and a sale with its five facts
stands in for one by e-mail. Every other row leaves its customer unasked. No row undoes a refusal, a
withdrawal or an objection (Telecommunicatiewet 11.7; docs/decisions/0014).
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from functools import partial
from itertools import chain

from django.conf import settings
from django.utils import timezone

from customers import cells, permission_facts
from customers.addresses import address_hash, address_hashes
from customers.consent import (
    ALLOWING,
    Actor,
    Forbidden,
    Grade,
    Sale,
    State,
    soft_opt_in,
    strictest,
)
from customers.importers import erased, known_customers, unknown
from customers.imports import Fields, Importer, Noted, Options, Outcome, Refused
from customers.ledger import Act, Unproven, record_consent
from customers.mapping import Mapping as FieldMapping
from customers.models import Channel, Customer, PurposeKind, Wording
from customers.permission_facts import Ground, Key, Known, Standing
from customers.publishing import Unfit, record_imported_text

logger = logging.getLogger(__name__)

# What ConsentEntry holds of how and where.
METHOD_CHARS = 40
PLACE_CHARS = 100

# "Newsletter" names a list; a sentence somebody could have read has more words than this.
FEWEST_WORDS = 3

# The words that files have for a state. A bare yes or no is not among them: whether a 0 means that
# somebody said no, or was never asked, only the owner of the file knows.
WORDS: Mapping[State, tuple[str, ...]] = {
    State.GIVEN: (
        *("given", "granted", "subscribed", "opt-in", "confirmed"),
        *("gegeven", "aangemeld", "toestemming"),
    ),
    State.SOFT: ("soft", "soft opt-in"),
    State.REFUSED: ("refused", "declined", "geweigerd"),
    State.WITHDRAWN: (
        *("withdrawn", "unsubscribed", "opt-out", "revoked"),
        *("ingetrokken", "afgemeld", "uitgeschreven"),
    ),
    State.OBJECTED: ("objected", "objection", "complained", "bezwaar", "bezwaar gemaakt"),
}
STATES = {re.sub(r"[\W_]+", "", word): state for state, words in WORDS.items() for word in words}
LOWERING = frozenset({State.REFUSED, State.WITHDRAWN, State.OBJECTED})
YES = frozenset({"yes", "y", "true", "1", "ja", "j", "waar"})
NO = frozenset({"no", "n", "false", "0", "nee", "onwaar"})

# Who did nothing said nothing (Planet49, C-673/17).
NO_ACT = (
    *("preticked", "prechecked", "bydefault", "implied", "implicit", "assumed"),
    *("vooraangevinkt", "voorafaangevinkt", "vooringevuld", "voorafingevuld"),
    *("standaardaan", "stilzwijgend", "optout"),
)

# A no that stands; a yes in a file does nothing against it.
NOES = frozenset({State.REFUSED, State.INVALIDATED, State.WITHDRAWN, State.OBJECTED})
# A refusal of what was permitted, or was going to be, takes it back.
REFUSAL_TAKES_BACK = frozenset(State) - NOES - {State.NONE, State.SHOWN, State.SOFT}

CONFLICTS: Mapping[State, str] = {
    State.SHOWN: "the customer was asked on {on} and has not said yes",
    State.PENDING: "the customer was asked on {on} and has not confirmed yet",
    State.REFUSED: "the customer said no on {on}",
    State.EXPIRED: "the permission ran out on {on}",
    State.STALE: "what is done changed on {on}, and the permission was for what was done before",
    State.WITHDRAWN: "the customer took this back on {on}",
    State.INVALIDATED: "the permission was declared invalid on {on}",
    State.OBJECTED: "the customer objected on {on}",
}
ONLY_THE_CUSTOMER = (
    "a file cannot undo that. Only the customer can, with a form or a link of their own; "
    "leave the row out"
)

SALE_FACTS: Mapping[str, str] = {
    "paid": "paid",
    "same_entity": "to the same legal entity",
    "similar_products": "for similar products of its own",
    "informed": "informed when the address was asked",
    "way_out_offered": "offered a way out then",
}


def state(cell: str) -> State:
    """What a row says happened: given, soft, refused, withdrawn or objected."""
    found = STATES.get(re.sub(r"[\W_]+", "", cell.casefold()))
    if found is None:
        allowed = ", ".join(chain.from_iterable(WORDS.values()))
        raise cells.CellError(
            f"{cells.shown(cell)} is not one of {allowed}; correct it or give --recode, such as "
            "--recode state:1=given"
        )
    return found


def yes_or_no(cell: str) -> bool:
    """Yes or no, in English or Dutch."""
    if cell.casefold() not in YES | NO:
        raise cells.CellError(f"{cells.shown(cell)} is neither yes nor no; correct it")
    return cell.casefold() in YES


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """What one row says; `at` is None and texts are empty where it does not say it."""

    customer: str
    purpose: str
    channel: str
    state: State
    at: datetime | None
    method: str
    source: str
    text: str
    sale: Sale

    @property
    def lowers(self) -> bool:
        return self.state in LOWERING

    @property
    def evidence(self) -> str:
        """The facts of the row in words, to be kept apart from the ledger."""
        facts = {
            "state": str(self.state),
            "on": self.at.isoformat() if self.at else "",
            "method": self.method,
            "source": self.source,
            "text": self.text,
            "sale": ", ".join(SALE_FACTS[name] for name, stands in _facts(self.sale) if stands),
        }
        told = "; ".join(f"{name}: {fact}" for name, fact in facts.items() if fact)
        return f"A row of a file. {told}"


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
        self._would: dict[Key, Standing] = {}
        self._would_stop: set[str] = set()
        self._would_object: set[int] = set()

    def parse(self, fields: Fields) -> ConsentRow:
        said = fields.get("state", state) or State.GIVEN
        return ConsentRow(
            customer=fields.need("customer", partial(cells.text, max_length=100)),
            purpose=fields.need("purpose", str),
            channel=fields.need("channel", partial(cells.choice, allowed=Channel.values)),
            state=said,
            at=self._moment(fields, said),
            method=_short(fields, "method", METHOD_CHARS, said),
            source=_short(fields, "source", PLACE_CHARS, said),
            text=fields.get("wording", str) or "",
            sale=Sale(
                *(said is State.SOFT and bool(fields.get(name, yes_or_no)) for name in SALE_FACTS)
            ),
        )

    def _moment(self, fields: Fields, said: State) -> datetime | None:
        """Return when it was said; a no without a readable date is a no all the same."""
        try:
            return fields.get("given_at", partial(cells.moment, zone=self.options.zone))
        except Refused:
            if said in LOWERING:
                return None
            raise

    def store(self, records: Sequence[ConsentRow]) -> list[Outcome | Noted | Refused]:
        batch = Batch(self.options, records)
        batch.pretend(self._would, self._would_stop, self._would_object)
        # Of two rows that contradict each other the more restrictive one wins: it comes first.
        order = sorted(range(len(records)), key=lambda place: not records[place].lowers)
        outcomes = {place: batch.settled(records[place]) for place in order}
        if self.options.dry_run:
            self._would.update(batch.changed)
            self._would_stop |= batch.known.stopped
            self._would_object |= batch.known.objected
        return [outcomes[place] for place in range(len(records))]


class Batch:
    """Rows stored together, in one transaction, with all that is known of whom they are about."""

    def __init__(self, options: Options, rows: Sequence[ConsentRow]) -> None:
        self.options = options
        self.now = options.present()
        self.customers = known_customers(((row.customer, self.now) for row in rows), options)
        self.grounds = permission_facts.grounds(self.now)
        self.known: Known = permission_facts.known(
            self.customers.values(), lock=not options.dry_run
        )
        self.changed: dict[Key, Standing] = {}

    def pretend(
        self, states: Mapping[Key, Standing], stopped: set[str], objected: set[int]
    ) -> None:
        """Take what a dry run would have written before as written."""
        self.known.states.update(states)
        self.known.stopped |= stopped
        self.known.objected |= objected

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
        before = self.known.state(key).state
        after = lowered(before, row.state)
        if after is None or self._was_told(key, row, after):
            return Outcome.UNCHANGED
        self._write(customer, ground, row, after)
        for twin in self.known.twins[customer.pk]:
            other = key._replace(customer_id=twin.pk)
            if self.known.state(other).state in ALLOWING | {State.PENDING}:
                self._write(twin, ground, row, State.WITHDRAWN)
        return Noted(
            Outcome.CREATED if before is State.NONE else Outcome.UPDATED,
            "lowered",
        )

    def _was_told(self, key: Key, row: ConsentRow, after: State) -> bool:
        """Say whether an earlier import wrote this very no, which a yes may have followed."""
        return row.at is not None and (key, str(after), row.at) in self.known.told

    # -- A yes -----------------------------------------------------------------------------------

    def _raise(self, row: ConsentRow, customer: Customer, ground: Ground) -> Outcome | Noted:
        key = Key(customer.pk, ground.purpose.pk, row.channel)
        before = self.known.state(key)
        if before.state in ALLOWING:
            return Outcome.UNCHANGED
        in_the_way = self._conflict(key, customer, ground)
        if in_the_way:
            raise self._refused(key, row, in_the_way)
        _check_terms(row, ground, self.now)
        missing = _missing(row, customer, ground, self.now)
        if missing:
            return Noted(Outcome.UNCHANGED, "without_proof", missing)
        wording = self._wording(row, ground) if row.state is State.GIVEN else None
        self._write(customer, ground, row, row.state, wording)
        return Noted(Outcome.CREATED, "soft" if row.state is State.SOFT else "mailable")

    def _conflict(self, key: Key, customer: Customer, ground: Ground) -> str:
        """Return which no stands in the way of a yes, "" for none."""
        standing = self.known.state(key)
        if standing.state is not State.NONE:
            return CONFLICTS[standing.state].format(on=standing.on)
        marketing = PurposeKind(ground.purpose.kind).is_marketing
        if customer.restricted_at is not None:
            return "nothing may be done with the data of this customer, at their own request"
        if address_hashes(customer.email) & self.known.stopped:
            return "the address must not be written to: somebody objected, complained or was erased"
        twins = self.known.twins[customer.pk]
        if marketing and self.known.objected & {customer.pk, *(twin.pk for twin in twins)}:
            return "the customer objected to marketing"
        for twin in twins:
            of_twin = self.known.state(key._replace(customer_id=twin.pk))
            if of_twin.state in NOES:
                told = CONFLICTS[of_twin.state].format(on=of_twin.on)
                return f"another record has this address, and there {told}"
        return ""

    def _refused(self, key: Key, row: ConsentRow, why: str) -> Refused:
        if not self.options.dry_run:
            # As in the ledger: an attempt to turn a no into a yes is worth knowing of.
            logger.warning(
                "Refused in an import: customer %d, purpose %d, %s to %s",
                key.customer_id, key.purpose_id, self.known.state(key).state, row.state,
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
        act = Act(
            purpose=ground.purpose,
            channel=row.channel,
            state=after,
            actor=Actor.IMPORT,
            actor_id=self.options.by,
            method=row.method[:METHOD_CHARS] or ("sale" if after is State.SOFT else "import"),
            place=row.source[:PLACE_CHARS],
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
        self.known.states[key] = self.changed[key] = standing
        if after is State.OBJECTED:
            self._remember_objection(customer, ground, standing)

    def _remember_objection(self, customer: Customer, ground: Ground, standing: Standing) -> None:
        """Know what the ledger makes of an objection: all marketing stops, and the address."""
        self.known.stopped |= {address_hash(customer.email)} - {""}
        marketing = {
            one.purpose.pk
            for one in self.grounds.values()
            if PurposeKind(one.purpose.kind).is_marketing
        }
        if ground.purpose.pk not in marketing:
            return
        self.known.objected.add(customer.pk)
        for key in [*self.known.states]:
            if key.customer_id == customer.pk and key.purpose_id in marketing:
                self.known.states[key] = self.changed[key] = standing


def lowered(before: State, asked: State) -> State | None:
    """Return what a no of a file makes of a state; None where as strict a no stands already."""
    after = asked
    if asked is State.REFUSED and before in REFUSAL_TAKES_BACK:
        after = State.WITHDRAWN
    if before in NOES and strictest([before, after]) is before:
        return None
    return after


def _check_terms(row: ConsentRow, ground: Ground, now: datetime) -> None:
    """Refuse a yes to what is not asked, or not so; each is a mistake of the row or the file."""
    purpose = ground.purpose
    kind = PurposeKind(purpose.kind)
    if purpose.archived_at is not None:
        raise Refused("purpose", f"{purpose.key} is archived; name a purpose that is in use")
    if not kind.needs_consent:
        raise Refused(
            "purpose", f"{purpose.key} belongs to orders and needs no permission; leave the row out"
        )
    if row.at is not None and row.at > now:
        raise Refused(
            "given_at",
            f"{timezone.localdate(row.at)} is in the future; correct it, or check the time zone",
        )
    if row.state is State.SOFT:
        _check_sale(row, kind, now)
    if row.channel not in purpose.channels:
        raise Refused(
            "channel",
            f"{purpose.key} is not asked by {row.channel}, only by {', '.join(purpose.channels)}; "
            "correct it",
        )


def _check_sale(row: ConsentRow, kind: PurposeKind, now: datetime) -> None:
    if kind is not PurposeKind.MARKETING:
        raise Refused(
            "purpose",
            "having bought something stands in for a yes to marketing messages only; everything "
            "else is asked with a tick of its own",
        )
    if not soft_opt_in(row.channel, settings.ORGANISATION_KIND, timezone.localdate(now)):
        raise Refused(
            "channel",
            f"having bought something is no permission to be reached by {row.channel}. It is one "
            "by e-mail; by phone it ended on 1 July 2026, but for charities, charity lotteries and "
            "publishers",
        )


def _missing(row: ConsentRow, customer: Customer, ground: Ground, now: datetime) -> str:
    """Return why a row proves no yes that counts today, "" where it does.

    The reasons hold no values of the row, so that rows are counted by them.
    """
    needed = _needed(row)
    lacking = [name for name, there in needed.items() if not there]
    if lacking:
        return f"without {', '.join(lacking)}"
    if not customer.email:
        return "without an e-mail address to which the permission could belong: import it first"
    lasts = timedelta(days=ground.purpose.valid_days)
    if row.at and row.at + lasts <= now:
        return f"older than {ground.purpose.valid_days} days, after which it runs out"
    return "" if row.state is State.SOFT else _not_counting(row, ground)


def _needed(row: ConsentRow) -> dict[str, object]:
    if row.state is State.SOFT:
        sale = {SALE_FACTS[name]: stands for name, stands in _facts(row.sale)}
        return {"date": row.at, **sale}
    return {"date": row.at, "method": row.method, "source": row.source, "exact text": row.text}


def _not_counting(row: ConsentRow, ground: Ground) -> str:
    if len(row.text.split()) < FEWEST_WORDS:
        return "without exact text: a word or two is no sentence that somebody said yes to"
    method = re.sub(r"[\W_]+", "", row.method.casefold())
    if any(word in method for word in NO_ACT):
        return "the method says that the customer did nothing, and that is no yes"
    if ground.purpose.minimum_grade < Grade.C:
        return f"{ground.purpose.key} asks for better proof than a file can give"
    if not ground.scope:
        return f"{ground.purpose.key} has no text of its own yet; publish one, then import again"
    if ground.changed_at and row.at and row.at < ground.changed_at:
        return f"older than the last change of what {ground.purpose.key} does"
    return ""


def _facts(sale: Sale) -> Iterable[tuple[str, bool]]:
    names = {"same_entity": "same_legal_entity"}
    stored = asdict(sale)
    return [(name, stored[names.get(name, name)]) for name in SALE_FACTS]


def _short(fields: Fields, name: str, most: int, said: State) -> str:
    """Return a text that fits; of a no it is cut, because a no always goes in."""
    return (fields.get(name, str) or "") if said in LOWERING else fields.text(name, most)
