"""Asking and answering in the demo shop: who was asked after which order, and what they said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from customers.lifecycle import Clocks, pool_clocks
from feedback.scales import SCALES
from insights.demo.life import SHARES, Calendar, Order, Person
from insights.demo.story import (
    ABOUT_WAITING,
    ANSWERS,
    CHANNEL_MOOD,
    DAYS,
    DEPARTMENT_OF,
    DEPARTMENTS,
    PLACES,
    PRODUCT_PAGE,
    SLIDE,
    SLIDE_DAYS,
    SLIDING,
    STRANGERS,
    TYPE_MOOD,
    Place,
    Ware,
)

MAIL_TIME = time(10)
CLOCK_DAYS = 28
# How far people in the same place differ in mood.
SPREAD = 2.0
# How a mood from 0 to 10 becomes an answer.
THUMB_UP_FROM = 6.2
FACTORS = {"nps": 1.0, "csat": 0.5, "ces": 0.7}
# Which part of the answers comes with a reason, and with some words. The words are Dutch.
TICKS_A_REASON = 0.3
WRITES = {"thumb": 0.05, "nps": 0.2, "csat": 0.2, "ces": 0.2}
DUTCH = {"nl", ""}

# A request at least 30 days after the last, NPS more rarely.
REQUEST_GAP = timedelta(days=30)
NPS_GAP = timedelta(days=180)
NPS_GAP_REGULAR = timedelta(days=90)


@dataclass(frozen=True)
class Reply:
    """One answer; `person` is None for somebody who is not signed in."""

    place: Place
    person: Person | None
    ware: Ware
    at: datetime
    channel: str
    customer_type: str
    value: int = 0
    reason: str = ""
    comment: str = ""

    @property
    def language(self) -> str:
        return self.person.language if self.person else ""


@dataclass(frozen=True)
class Ask:
    """One question mailed to a customer, and the answer if there was one."""

    place: Place
    person: Person
    ware: Ware
    at: datetime
    customer_type: str
    reply: Reply | None


class Types:
    """Customer types as they were on any day of the year."""

    def __init__(self, people: Sequence[Person], calendar: Calendar) -> None:
        # The clocks are made of gaps, and whoever bought once has none.
        self._repeats = [p.history.days for p in people if len(p.history.days) > 1]
        self._calendar = calendar
        self._clocks: dict[int, Clocks] = {}

    def on(self, day: date, person: Person | None) -> str:
        """Return the type as of the start of the day, empty for somebody not known."""
        if person is None:
            return ""
        return person.history.label(self._clocks_on(day), day).type

    def _clocks_on(self, day: date) -> Clocks:
        """Return the clocks of four weeks: they hardly move, and measuring them takes long."""
        period = (day - self._calendar.first_day).days // CLOCK_DAYS
        if period not in self._clocks:
            start = self._calendar.day(period * CLOCK_DAYS)
            self._clocks[period] = pool_clocks(self._repeats, start)
        return self._clocks[period]


@dataclass
class Requests:
    """When one customer last got a request for feedback, and an NPS question."""

    last: datetime | None = None
    last_nps: datetime | None = None

    def allow(self, place: Place, at: datetime, customer_type: str) -> bool:
        """Whether the shop asks here, so soon after the last time; if so, that is noted."""
        nps = place.scale == "nps"
        nps_gap = NPS_GAP_REGULAR if customer_type in {"regular", "contract"} else NPS_GAP
        if place.request and _within(REQUEST_GAP, self.last, at):
            return False
        if place.request and nps and _within(nps_gap, self.last_nps, at):
            return False
        if place.request:
            self.last = at
        if nps:
            self.last_nps = max(at, self.last_nps or at)
        return True


def _within(gap: timedelta, last: datetime | None, at: datetime) -> bool:
    return last is not None and at - last < gap


class Talk:
    """Everything that was asked and answered; `replies` came without anybody being mailed."""

    def __init__(self, seed: int, people: Sequence[Person], calendar: Calendar) -> None:
        self.asks: list[Ask] = []
        self.replies: list[Reply] = []
        self._rng = Random(f"{seed} answers")  # noqa: S311  (a story, no secret)
        self._calendar = calendar
        self._types = Types(people, calendar)
        self._slide_on = calendar.day(DAYS - SLIDE_DAYS)
        for person in people:
            requests = Requests()
            for order in person.orders:
                self._follow(person, order, requests)
        self._hear_strangers()

    def _follow(self, person: Person, order: Order, requests: Requests) -> None:
        """Ask what is asked after this order, at every place where it is."""
        for place in PLACES:
            day = order.at.date() + timedelta(days=place.days)
            if day >= self._calendar.today or self._rng.random() >= place.asked:
                continue
            at = self._asked_at(place, order, day)
            customer_type = self._types.on(day, person)
            if not requests.allow(place, at, customer_type):
                continue
            answers = self._rng.random() < ANSWERS[customer_type] * place.answered
            if place.mailed:
                reply = self._mail_back(place, person, order.ware, at) if answers else None
                self.asks.append(Ask(place, person, order.ware, at, customer_type, reply))
            elif answers:
                self.replies.append(self._reply(place, person, order.ware, at))

    def _asked_at(self, place: Place, order: Order, day: date) -> datetime:
        if place.mailed:
            return datetime.combine(day, MAIL_TIME, tzinfo=self._calendar.zone)
        return self._calendar.moment(day, self._rng) if place.days else order.at

    def _mail_back(self, place: Place, person: Person, ware: Ware, asked: datetime) -> Reply | None:
        """Answer a mail, half of them on the same day; None while the answer is still to come."""
        day = asked.date() + timedelta(days=int(self._rng.expovariate(0.7)))
        at = self._calendar.moment(day, self._rng, first_hour=11)
        return self._reply(place, person, ware, at) if day < self._calendar.today else None

    def _hear_strangers(self) -> None:
        for number in range(DAYS):
            for department in self._rng.choices(DEPARTMENTS, SHARES, k=STRANGERS):
                at = self._calendar.moment(self._calendar.day(number), self._rng)
                ware = self._rng.choice(department.wares)
                self.replies.append(self._reply(PRODUCT_PAGE, None, ware, at))

    def _reply(self, place: Place, person: Person | None, ware: Ware, at: datetime) -> Reply:
        channel = self._rng.choice(place.channels)
        customer_type = self._types.on(at.date(), person)
        slid = DEPARTMENT_OF[ware.sku].name == SLIDING and at.date() >= self._slide_on
        mood = DEPARTMENT_OF[ware.sku].mood - (SLIDE if slid else 0)
        mood += CHANNEL_MOOD[channel] + TYPE_MOOD.get(customer_type, 0)
        value = value_of(place.scale, self._rng.gauss(mood, SPREAD))
        reply = Reply(place, person, ware, at, channel, customer_type, value)
        return self._explained(reply, ABOUT_WAITING if slid else place.voice.unhappy)

    def _explained(self, reply: Reply, complaints: Sequence[str]) -> Reply:
        """Add the reason and the comment that some people give."""
        scale, voice = SCALES[reply.place.scale], reply.place.voice
        words, reasons = {
            scale.positive: (voice.happy, voice.happy_reasons),
            scale.negative: (complaints, voice.unhappy_reasons),
        }.get(scale.outcome(reply.value), (voice.neutral, ("other",)))
        reason = self._rng.choice(reasons) if self._rng.random() < TICKS_A_REASON else ""
        writes = self._rng.random() < WRITES[scale.key] and reply.language in DUTCH
        comment = self._rng.choice(words) if words and writes else ""
        return replace(reply, reason=reason, comment=comment)


def value_of(scale: str, mood: float) -> int:
    """Return the answer that somebody in this mood (0 to 10, or beyond) gives."""
    if scale == "thumb":
        return int(mood >= THUMB_UP_FROM)
    values = SCALES[scale].values
    return min(max(round(mood * FACTORS[scale]), values[0]), values[-1])
