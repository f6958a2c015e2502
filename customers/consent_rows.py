"""One row of a file of permissions: what it says, and whether that proves anything."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from customers import cells
from customers.consent import Grade, Sale, State, soft_opt_in
from customers.imports import Fields, Options, Refused
from customers.models import Channel, Customer, PurposeKind
from customers.permission_facts import Ground, says_nothing_was_done

# What ConsentEntry holds of how and where.
METHOD_CHARS = 40
PLACE_CHARS = 100
# A text on a form, with all that stands below it.
TEXT_CHARS = 5_000

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
        allowed = ", ".join(WORDS)
        raise cells.CellError(
            f"{cells.shown(cell)} is not one of {allowed}, and no common word for one such as "
            "subscribed or afgemeld; correct it or give --recode, such as --recode state:1=given"
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


def read_row(fields: Fields, options: Options) -> ConsentRow:
    """Return what a row says; raises Refused."""
    said = fields.get("state", state) or State.GIVEN
    return ConsentRow(
        customer=fields.need("customer", partial(cells.text, max_length=100)),
        purpose=fields.need("purpose", str),
        channel=fields.need("channel", partial(cells.choice, allowed=Channel.values)),
        state=said,
        at=_moment(fields, said, options),
        method=_short(fields, "method", METHOD_CHARS, said),
        source=_short(fields, "source", PLACE_CHARS, said),
        text=_short(fields, "wording", TEXT_CHARS, said),
        sale=Sale(
            *(said is State.SOFT and bool(fields.get(name, yes_or_no)) for name in SALE_FACTS)
        ),
    )


def _moment(fields: Fields, said: State, options: Options) -> datetime | None:
    """Return when it was said; a no without a readable date is a no all the same."""
    try:
        return fields.get("given_at", partial(cells.moment, zone=options.zone))
    except Refused:
        if said in LOWERING:
            return None
        raise


def _short(fields: Fields, name: str, most: int, said: State) -> str:
    """Return a text that fits; of a no it is cut, because a no always goes in."""
    return (fields.get(name, str) or "") if said in LOWERING else fields.text(name, most)


def check_terms(row: ConsentRow, ground: Ground, now: datetime) -> None:
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


def missing_proof(row: ConsentRow, customer: Customer, ground: Ground, now: datetime) -> str:
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
    if says_nothing_was_done(row.method):
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
