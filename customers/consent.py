"""What the consent ledger says at a moment, and what may be written into it.

The ledger is a list of entries per customer, oldest first, that only grows. For a purpose and a
channel the last entry counts. Nothing in it means no: only a customer turns a no into a yes, and
everybody who is asked to may turn a yes into a no.

Pure: standard library only, entries in and an answer out; `now` is an argument.
Sources: GDPR art. 4(11), 7, 8, 18, 21; Telecommunicatiewet art. 11.7; EDPB Guidelines 05/2020;
CJEU C-654/23 (soft opt-in).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """What an entry makes of a purpose on a channel."""

    NONE = "none"
    SHOWN = "shown"
    PENDING = "pending"
    GIVEN = "given"
    RENEWED = "renewed"
    SOFT = "soft"
    REFUSED = "refused"
    EXPIRED = "expired"
    STALE = "stale"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    OBJECTED = "objected"


class Actor(StrEnum):
    """Who causes an entry; an admin only relays what a customer asked for."""

    CUSTOMER = "customer"
    ADMIN = "admin"
    SYSTEM = "system"
    IMPORT = "import"


class Method(StrEnum):
    """How an entry came about; what an import tells may name a way of its own."""

    CHECKBOX = "checkbox"
    CONFIRM_LINK = "confirm_link"
    NOT_CONFIRMED = "not_confirmed"
    ONE_CLICK_POST = "one_click_post"
    UNSUBSCRIBE_PAGE = "unsubscribe_page"
    PREFERENCE_PAGE = "preference_page"
    WIDGET_OFFER = "widget_offer"
    REQUEST = "request"
    PHONE_NOTE = "phone_note"
    PAPER = "paper"
    MAIL = "mail"
    TILL = "till"
    API = "api"
    IMPORT = "import"
    SALE = "sale"
    RAN_OUT = "ran_out"
    NEW_TEXT = "new_text"
    INVALIDATION = "invalidation"
    MERGE = "merge"
    ERASURE = "erasure"
    REPLAY = "replay"


class Grade(StrEnum):
    """How well a consent is proven, the best first."""

    A = "A"  # own double opt-in
    B = "B"  # own single opt-in on a verified address
    C = "C"  # documented import
    D = "D"  # merely asserted


# Only these allow anything. Unknown is no.
ALLOWING = frozenset({State.GIVEN, State.RENEWED, State.SOFT})

# From the freest to the most restrictive. Of two entries of the same moment, and of two customers
# who turn out to be one, the later in this list wins.
STRICTNESS = (
    State.RENEWED,
    State.GIVEN,
    State.SOFT,
    State.SHOWN,
    State.NONE,
    State.PENDING,
    State.EXPIRED,
    State.STALE,
    State.REFUSED,
    State.INVALIDATED,
    State.WITHDRAWN,
    State.OBJECTED,
)

# What says that somebody was asked, and when.
_ASKS = frozenset({State.SHOWN, State.PENDING, State.REFUSED})

_EVERY = frozenset(State)
_BEFORE_A_YES = _EVERY - ALLOWING
_BELOW_OBJECTION = _EVERY - {State.OBJECTED}

# Who may write which state over which; what is not here is refused. Repeating a state that
# allows nothing changes nothing and is left out by `is_repetition`.
TRANSITIONS: Mapping[tuple[Actor, State], frozenset[State]] = {
    (Actor.CUSTOMER, State.SHOWN): frozenset({State.NONE, State.SHOWN}),
    (Actor.CUSTOMER, State.PENDING): _BEFORE_A_YES - {State.OBJECTED},
    (Actor.CUSTOMER, State.GIVEN): _BEFORE_A_YES | {State.SOFT},
    (Actor.CUSTOMER, State.RENEWED): frozenset({State.GIVEN, State.RENEWED}),
    (Actor.CUSTOMER, State.REFUSED): _BEFORE_A_YES
    - {State.WITHDRAWN, State.OBJECTED, State.INVALIDATED},
    (Actor.CUSTOMER, State.WITHDRAWN): _BELOW_OBJECTION,
    (Actor.CUSTOMER, State.OBJECTED): _EVERY,
    (Actor.ADMIN, State.WITHDRAWN): _BELOW_OBJECTION,
    (Actor.ADMIN, State.OBJECTED): _EVERY,
    (Actor.ADMIN, State.INVALIDATED): _EVERY - {State.OBJECTED, State.WITHDRAWN},
    (Actor.SYSTEM, State.EXPIRED): ALLOWING | {State.PENDING},
    (Actor.SYSTEM, State.STALE): ALLOWING - {State.SOFT},
    # Complaints that a mail provider hands on, bounces, and the merging of two customers.
    (Actor.SYSTEM, State.WITHDRAWN): _BELOW_OBJECTION,
    (Actor.SYSTEM, State.OBJECTED): _EVERY,
    (Actor.IMPORT, State.GIVEN): frozenset({State.NONE}),
    (Actor.IMPORT, State.SOFT): frozenset({State.NONE}),
    (Actor.IMPORT, State.REFUSED): frozenset({State.NONE, State.SHOWN, State.SOFT}),
    (Actor.IMPORT, State.WITHDRAWN): _BELOW_OBJECTION,
    (Actor.IMPORT, State.OBJECTED): _EVERY,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What the rules need of one line of the ledger.

    `seq` is the order in which the server wrote the lines; `address` and `scope` are the keyed
    hash of the address it was given on, and the hash of what the wording then shown said is done.
    """

    seq: int
    occurred_at: datetime
    purpose: str
    channel: str
    state: State
    address: str = ""
    scope: str = ""
    grade: Grade = Grade.D
    valid_until: datetime | None = None
    old_enough: bool | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a purpose asks for today."""

    key: str
    scope: str
    minimum_grade: Grade = Grade.C
    minimum_age: int = 16
    archived: bool = False
    # An invoice needs no yes: it is part of the order (GDPR art. 6(1)(b)).
    needs_consent: bool = True
    # A pause stops marketing only.
    is_marketing: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the customer apart from the ledger.

    `suppressed` for the address in use: for what needs a yes, and `unreachable` for everything.
    """

    restricted: bool = False
    erased: bool = False
    suppressed: bool = False
    unreachable: bool = False
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What is to be done now: on which channel, to which address, at which moment.

    `addresses` holds the keyed hashes of the customer's one present address, one for each key;
    `soft_allowed` says whether a sale can stand in for a yes (see `soft_opt_in`).
    """

    channel: str
    addresses: frozenset[str]
    now: datetime
    soft_allowed: bool = True


# Every code an Answer can carry, with the sentence it stands for.
REASONS = {
    "given": "gave permission on %(on)s",
    "soft": "bought on %(on)s and was offered the way out",
    "erased": "the customer was erased",
    "restricted": "processing is restricted at the customer's request",
    "suppressed": "this address must not be written to",
    "paused": "paused until %(on)s at the customer's request",
    "service": "part of an order: needs no permission",
    "none": "never gave permission",
    "shown": "was asked and has not answered",
    "pending": "has not confirmed yet, asked on %(on)s",
    "refused": "said no on %(on)s",
    "expired": "the permission expired on %(on)s",
    "stale": "the permission was for something else; what is done changed on %(on)s",
    "withdrawn": "took the permission back on %(on)s",
    "invalidated": "the permission was declared invalid on %(on)s",
    "objected": "objected on %(on)s",
    "archived": "this purpose is no longer in use",
    "other_address": "the permission was given on another address",
    "weak_proof": "the proof (%(grade)s) is weaker than this purpose asks (%(minimum)s)",
    "too_young": "said to be younger than %(age)d",
    "no_soft": "having bought something is no permission for this channel",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether we may, and why (not): a key of REASONS with the plain values of its sentence."""

    allowed: bool
    reason: str
    values: Mapping[str, str | int | date] = field(default_factory=dict, hash=False)
    entry: Entry | None = None

    @property
    def sentence(self) -> str:
        return REASONS[self.reason] % self.values


class Forbidden(ValueError):
    """A change the ledger does not take."""

    def __init__(self, before: State, after: State, actor: Actor) -> None:
        self.before, self.after, self.actor = before, after, actor
        way_out = (
            "Only the customer can say yes, with a form or link of their own."
            if after in ALLOWING | {State.PENDING}
            else f"From {before!s} it stays as it is."
        )
        super().__init__(f"{actor!s} cannot turn {before!s} into {after!s}. {way_out}")


def current(entries: Iterable[Entry], purpose: str, channel: str) -> Entry | None:
    """Return the entry that counts: the last that was written, whatever a client's clock says.

    One that happened at the same moment as the standing one counts only if it is at least as
    strict.
    """
    told = [one for one in entries if (one.purpose, one.channel) == (purpose, channel)]
    standing: Entry | None = None
    for one in sorted(told, key=lambda entry: entry.seq):
        if standing is None or takes_over(standing, one):
            standing = one
    return standing


class Moment(Protocol):
    """What it takes to say which of two entries counts."""

    @property
    def occurred_at(self) -> datetime: ...
    @property
    def state(self) -> str: ...


def takes_over(standing: Moment, later: Moment) -> bool:
    """Say whether an entry that was written later counts in the place of the standing one."""
    if later.occurred_at != standing.occurred_at:
        return True
    return strictest([State(standing.state), State(later.state)]) == later.state


def state_of(entry: Entry | None) -> State:
    return entry.state if entry else State.NONE


def strictest(states: Iterable[State]) -> State:
    """Return what holds for two customers who turn out to be one."""
    return max(states, key=STRICTNESS.index)


def is_repetition(before: State, after: State) -> bool:
    """Say whether a change would change nothing: taken back twice is taken back once.

    An ask and a refusal are told each time: they say when somebody was last asked.
    """
    return before == after and after not in ALLOWING | _ASKS


def check(before: State, after: State, actor: Actor) -> None:
    """Raise Forbidden unless this actor may turn one state into the other."""
    if before not in TRANSITIONS.get((actor, after), ()):
        raise Forbidden(before, after, actor)


def may_process(entries: Iterable[Entry], terms: Terms, person: Person, use: Use) -> Answer:
    """Say whether a customer may be reached for a purpose on a channel and an address.

    All has to hold: nobody stopped the address, the last entry allows it, it has not run out, it
    was given on the address the customer has now, what is done is still what they read, the proof
    is good enough, and they did not say to be too young. The first thing in the way is the reason.
    """
    entry = current(entries, terms.key, use.channel)
    obstacle = _first(_of_the_person(terms, person, use))
    if not terms.needs_consent:
        return Answer(not obstacle, obstacle or "service", _values(obstacle, None, terms, person))
    obstacle = obstacle or (_first(_of_the_entry(entry, terms, use)) if entry else "none")
    reason = obstacle or ("soft" if state_of(entry) is State.SOFT else "given")
    return Answer(not obstacle, reason, _values(reason, entry, terms, person), entry)


def _of_the_person(terms: Terms, person: Person, use: Use) -> Iterator[tuple[str, bool]]:
    yield "erased", person.erased
    yield "restricted", person.restricted
    yield "suppressed", person.unreachable or (person.suppressed and terms.needs_consent)
    yield "archived", terms.archived
    paused = person.paused_until is not None and person.paused_until > use.now
    yield "paused", paused and terms.is_marketing


def _of_the_entry(entry: Entry, terms: Terms, use: Use) -> Iterator[tuple[str, bool]]:
    yield str(entry.state), entry.state not in ALLOWING
    yield "expired", entry.valid_until is None or entry.valid_until <= use.now
    yield "other_address", not entry.address or entry.address not in use.addresses
    if entry.state is State.SOFT:
        yield "no_soft", not use.soft_allowed
        return
    yield "stale", not terms.scope or entry.scope != terms.scope
    # Grades are letters: a later one is a weaker proof.
    yield "weak_proof", entry.grade > terms.minimum_grade
    yield "too_young", entry.old_enough is False


def _first(checks: Iterable[tuple[str, bool]]) -> str:
    return next((reason for reason, stands in checks if stands), "")


def _values(
    reason: str, entry: Entry | None, terms: Terms, person: Person
) -> dict[str, str | int | date]:
    if reason == "paused" and person.paused_until:
        return {"on": person.paused_until.date()}
    if entry is None:
        return {}
    told = entry.valid_until if reason == "expired" else None
    return {
        "on": (told or entry.occurred_at).date(),
        "grade": str(entry.grade),
        "minimum": str(terms.minimum_grade),
        "age": terms.minimum_age,
    }


# Since that day selling something no longer permits calling the buyer (Telecommunicatiewet 11.7).
NO_SOFT_CALLS_SINCE = date(2026, 7, 1)
# ... but for these.
MAY_CALL_BUYERS = frozenset({"charity", "lottery", "publisher"})


def soft_opt_in(channel: str, organisation: str, on: date) -> bool:
    """Say whether on a day a sale can stand in for a yes on a channel.

    By e-mail for everybody; by phone until 1 July 2026, and after it for charities, charity
    lotteries and publishers of newspapers and magazines; by nothing else.
    """
    if channel == "email":
        return True
    return channel == "phone" and (on < NO_SOFT_CALLS_SINCE or organisation in MAY_CALL_BUYERS)


@dataclass(frozen=True, slots=True)
class Sale:
    """The five facts without which a sale is no soft opt-in."""

    paid: bool
    same_legal_entity: bool
    similar_products: bool
    informed: bool
    way_out_offered: bool

    @property
    def complete(self) -> bool:
        return all(getattr(self, name) for name in self.__slots__)


# After an ask, asked again at the earliest, and at most so often a year. Who is asked again and
# again says yes to be left alone.
DAYS_BETWEEN_ASKS = 90
ASKS_A_YEAR = 2


def may_ask(entries: Iterable[Entry], purpose: str, channel: str, now: datetime) -> bool:
    """Say whether a customer may be shown the tick of a purpose now, unasked.

    Not after a yes that stands, nor after an objection or a withdrawal: who took it back knows
    where to find it. Every time it was shown and left, or ticked and not confirmed, is an ask; what
    was shown and answered on the same day is one.
    """
    told = [one for one in entries if (one.purpose, one.channel) == (purpose, channel)]
    state = state_of(current(told, purpose, channel))
    if state in ALLOWING | {State.PENDING, State.OBJECTED, State.WITHDRAWN}:
        return False
    asks: list[datetime] = []
    for moment in sorted(one.occurred_at for one in told if one.state in _ASKS):
        if not asks or moment - asks[-1] >= timedelta(days=1):
            asks.append(moment)
    recent = [now - moment for moment in asks if now - moment < timedelta(days=365)]
    return len(recent) < ASKS_A_YEAR and all(
        ago >= timedelta(days=DAYS_BETWEEN_ASKS) for ago in recent
    )
