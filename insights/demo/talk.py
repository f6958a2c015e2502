"""Asking and answering in the demo shop: who was asked after which order, and what they said."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from customers.lifecycle import Clocks, pool_clocks
from feedback.scales import SCALES
from insights.demo.life import SHARES, Calendar, Order, Person
from insights.demo.story import (
    CHANNEL_MOOD,
    DAYS,
    DEPARTMENT_OF,
    DEPARTMENTS,
    MONTH_DAYS,
    MONTHLY_MOOD,
    MONTHLY_READERS,
    MY_DATA_MOOD,
    PAGE_LANGUAGES,
    PLACES,
    PRODUCT_PAGE,
    SLIDE,
    SLIDE_DAYS,
    SLIDE_OF_OTHERS,
    SLIDING,
    STRANGERS,
    TIPS_MAIL,
    TOPICS,
    TYPE_MOOD,
    WEEKLY_DAYS,
    WEEKLY_MOOD,
    WEEKLY_READERS,
    Place,
    Ware,
)
from insights.demo.words import (
    ABOUT_THE_SHOP,
    ABOUT_THE_WAIT,
    ABOUT_THE_WAIT_AHEAD,
    ABOUT_TOO_MUCH_MAIL,
    IN_ENGLISH,
    WAITING_IN_ENGLISH,
    Voice,
)

MAIL_TIME = time(10)
# Clocks hardly move, and measuring them takes long.
CLOCK_DAYS = 91
WEEK_DAYS = 7
# How far people in the same place differ in mood.
SPREAD = 2.0
# How a mood from 0 to 10 becomes an answer.
THUMB_UP_FROM = 6.2
FACTORS = {"nps": 1.0, "csat": 0.5, "ces": 0.7}

# Which part of the answers comes with a reason, and with some words; who is unhappy says more.
TICKS_A_REASON = 0.26
WRITES = {"thumb": 0.06, "nps": 0.14, "csat": 0.12, "ces": 0.14}
MORE_IF_UNHAPPY = 1.8
# Who writes about the shop writes so often about the thing itself; says two things; is in a hurry.
ABOUT_THE_THING, SAYS_TWO_THINGS, IN_A_HURRY = 0.3, 0.3, 0.2

# Who has to wait and is unhappy writes about that, wherever they are asked: on the day of the order
# about the date that was given, later about the date that went by.
WAITING_AT = {
    place.name: replace(
        place.voice,
        unhappy=(ABOUT_THE_WAIT if place.days else ABOUT_THE_WAIT_AHEAD).unhappy,
        unhappy_reasons=ABOUT_THE_WAIT.unhappy_reasons,
    )
    for place in PLACES
}

# A request at least 30 days after the last, NPS more rarely.
REQUEST_GAP = timedelta(days=30)
NPS_GAP = timedelta(days=180)
NPS_GAP_REGULAR = timedelta(days=90)


@dataclass(frozen=True)
class Mailing:
    """One sending of the tips, and how often a link in it was opened on each day."""

    name: str
    at: datetime
    weekly: bool
    opened: Counter[date] = field(default_factory=Counter, hash=False)


class Reply(NamedTuple):
    """One answer; `person` is None for somebody who is not signed in."""

    place: Place
    person: Person | None
    ware: Ware | None
    at: datetime
    channel: str
    customer_type: str
    language: str
    mailing: Mailing | None = None
    value: int = 0
    reason: str = ""
    comment: str = ""


class Ask(NamedTuple):
    """One question mailed to a customer, and the answer if there was one."""

    place: Place
    person: Person
    ware: Ware
    at: datetime
    customer_type: str
    reply: Reply | None


class Types:
    """Customer types as they were on any day of these years."""

    def __init__(self, people: Iterable[Person], calendar: Calendar) -> None:
        # The clocks are made of gaps, and whoever bought once has none.
        self._repeats = [p.history.days for p in people if len(p.history.days) > 1]
        self._calendar = calendar
        self._clocks: dict[date, Clocks] = {}

    def on(self, day: date, person: Person | None) -> str:
        """Return the type as of the start of the day, empty for somebody not known."""
        if person is None:
            return ""
        return person.history.label(self._clocks_on(day), day).type

    def today(self, person: Person) -> str:
        """Return the type as of the start of today, by the clocks of today."""
        return person.history.label(
            self._clocks_from(self._calendar.today), self._calendar.today
        ).type

    def _clocks_on(self, day: date) -> Clocks:
        """Return the clocks as they were at the start of a quarter of a year."""
        period = (day - self._calendar.first_day).days // CLOCK_DAYS
        return self._clocks_from(self._calendar.day(period * CLOCK_DAYS))

    def _clocks_from(self, day: date) -> Clocks:
        if day not in self._clocks:
            self._clocks[day] = pool_clocks(self._repeats, day)
        return self._clocks[day]


@dataclass
class Requests:
    """When one customer last got a request for feedback, and an NPS question."""

    last: datetime | None = None
    last_nps: datetime | None = None

    def allow(self, place: Place, at: datetime, customer_type: str) -> bool:
        """Whether the shop mails a request, so soon after the last; if so, that is noted."""
        if _within(REQUEST_GAP, self.last, at):
            return False
        if place.scale == "nps":
            gap = NPS_GAP_REGULAR if customer_type in {"regular", "contract"} else NPS_GAP
            if _within(gap, self.last_nps, at):
                return False
            self.last_nps = at
        self.last = at
        return True

    def note(self, place: Place, at: datetime) -> None:
        """Note a question on a page: nobody is mailed the same one soon after it."""
        if place.scale == "nps":
            self.last_nps = max(at, self.last_nps or at)


def _within(gap: timedelta, last: datetime | None, at: datetime) -> bool:
    return last is not None and at - last < gap


class Talk:
    """Everything that was asked and answered; `replies` came without anybody being mailed.

    `shown` says how often the page that counts it was shown on each day.
    """

    def __init__(
        self,
        seed: int,
        people: Sequence[Person],
        calendar: Calendar,
        track: Callable[[Sequence[Person]], Iterable[Person]] = iter,
    ) -> None:
        self.asks: list[Ask] = []
        self.replies: list[Reply] = []
        self.mailings: list[Mailing] = []
        self.shown: Counter[date] = Counter()
        self.types = Types(people, calendar)
        self._rng = Random(f"{seed} answers")  # noqa: S311  (a story, no secret)
        self._calendar = calendar
        self._slide_on = calendar.day(DAYS - SLIDE_DAYS)
        for person in track(people):
            requests = Requests()
            # The first order of an old customer here looks like a first one ever, and asking
            # about it would make one-time buyers look happier than they are.
            for order in person.orders[person.old :]:
                self._follow(person, order, requests)
        self._hear_strangers()
        self._send_tips()
        self._count_showings()

    # -- After an order -----------------------------------------------------------------------

    def _follow(self, person: Person, order: Order, requests: Requests) -> None:
        """Ask what is asked after this order, at every place where it is."""
        ordered_on = order.at.date()
        for place in PLACES:
            if self._rng.random() >= place.asked:
                continue
            answers = self._rng.random() < person.rhythm.answers * place.answered
            day = ordered_on + timedelta(days=place.days)
            if day >= self._calendar.today:
                continue
            if place.request:
                self._mail(place, person, order, day, requests, answers)
                continue
            at = self._calendar.moment(day, self._rng) if place.days else order.at
            requests.note(place, at)
            if answers:
                ware = order.ware if place.ordered else None
                self.replies.append(self._reply(place, person, ware, at))

    def _mail(
        self,
        place: Place,
        person: Person,
        order: Order,
        day: date,
        requests: Requests,
        answers: bool,
    ) -> None:
        at = datetime.combine(day, MAIL_TIME, tzinfo=self._calendar.zone)
        customer_type = self.types.on(day, person)
        if requests.allow(place, at, customer_type):
            reply = self._mail_back(place, person, order.ware, at) if answers else None
            self.asks.append(Ask(place, person, order.ware, at, customer_type, reply))

    def _mail_back(self, place: Place, person: Person, ware: Ware, asked: datetime) -> Reply | None:
        """Answer a mail, half of them on the same day; None while the answer is still to come."""
        at = self._later(asked)
        return self._reply(place, person, ware, at) if at.date() < self._calendar.today else None

    def _later(self, asked: datetime) -> datetime:
        day = asked.date() + timedelta(days=int(self._rng.expovariate(0.7)))
        return self._calendar.moment(day, self._rng, first_hour=11)

    # -- People who are not known -------------------------------------------------------------

    def _hear_strangers(self) -> None:
        for number in range(DAYS):
            for department in self._rng.choices(DEPARTMENTS, cum_weights=SHARES, k=STRANGERS):
                at = self._calendar.moment(self._calendar.day(number), self._rng)
                ware = self._rng.choice(department.wares)
                self.replies.append(self._reply(PRODUCT_PAGE, None, ware, at))

    def _send_tips(self) -> None:
        """Send the tips, and let some readers answer; of today's mail nothing is known yet."""
        for number, day in enumerate(_tips_days(), start=1):
            sent = datetime.combine(self._calendar.day(day), MAIL_TIME, tzinfo=self._calendar.zone)
            weekly = day >= DAYS - WEEKLY_DAYS
            mailing = Mailing(f"Tips {number}: {TOPICS[number % len(TOPICS)]}", sent, weekly)
            self.mailings.append(mailing)
            readers = WEEKLY_READERS if weekly else MONTHLY_READERS
            # Some links are opened by the scanners of mail servers.
            mailing.opened[sent.date()] += self._rng.randint(readers // 3, readers)
            for _ in range(round(readers * self._rng.uniform(0.85, 1.15))):
                at = self._later(sent)
                if at.date() < self._calendar.today:
                    mailing.opened[at.date()] += 1 + int(self._rng.expovariate(1.2))
                    self.replies.append(self._reply(TIPS_MAIL, None, None, at, mailing))

    def _count_showings(self) -> None:
        answered = Counter(reply.at.date() for reply in self.replies if reply.place.counted)
        for day in map(self._calendar.day, range(DAYS)):
            self.shown[day] = 40 + round(answered[day] * self._rng.uniform(22, 30))

    # -- What they say ------------------------------------------------------------------------

    def _reply(
        self,
        place: Place,
        person: Person | None,
        ware: Ware | None,
        at: datetime,
        mailing: Mailing | None = None,
    ) -> Reply:
        reply = Reply(
            place=place,
            person=person,
            ware=ware,
            at=at,
            channel=self._rng.choice(place.channels),
            customer_type=self.types.on(at.date(), person),
            language=person.language if person else self._rng.choice(PAGE_LANGUAGES),
            mailing=mailing,
        )
        value = value_of(place.scale, self._rng.gauss(self._mood(reply), SPREAD))
        return self._explained(reply._replace(value=value))

    def _mood(self, reply: Reply) -> float:
        if reply.mailing:
            return WEEKLY_MOOD if reply.mailing.weekly else MONTHLY_MOOD
        mood = DEPARTMENT_OF[reply.ware.sku].mood if reply.ware else MY_DATA_MOOD
        mood += reply.place.mood + CHANNEL_MOOD[reply.channel]
        mood += reply.person.rhythm.mood if reply.person else 0
        mood += TYPE_MOOD.get(reply.customer_type, 0)
        return mood - SLIDE.get(reply.customer_type, SLIDE_OF_OTHERS) * self._waits(reply)

    def _waits(self, reply: Reply) -> bool:
        """Whether this is about something that has to be waited for."""
        slides = reply.ware is not None and DEPARTMENT_OF[reply.ware.sku].name == SLIDING
        return slides and reply.at.date() >= self._slide_on

    def _explained(self, reply: Reply) -> Reply:
        """Add the reason and the comment that some people give."""
        scale, voice = SCALES[reply.place.scale], self._voice(reply)
        outcome = scale.outcome(reply.value)
        reasons = {
            scale.positive: voice.happy_reasons,
            scale.negative: voice.unhappy_reasons,
        }.get(outcome, voice.neutral_reasons)
        more = MORE_IF_UNHAPPY if outcome == scale.negative else 1
        reason = self._rng.choice(reasons) if self._rng.random() < TICKS_A_REASON * more else ""
        writes = self._rng.random() < WRITES[scale.key] * more
        comment = self._comment(reply, voice) if writes else ""
        return reply._replace(reason=reason, comment=comment)

    def _voice(self, reply: Reply) -> Voice:
        if self._waits(reply):
            return WAITING_AT[reply.place.name]
        if reply.mailing and reply.mailing.weekly:
            return ABOUT_TOO_MUCH_MAIL
        return reply.place.voice

    def _comment(self, reply: Reply, voice: Voice) -> str:
        """Return one or two sentences, empty where somebody writes in neither language."""
        if reply.language == "en":
            voice = WAITING_IN_ENGLISH if self._waits(reply) else IN_ENGLISH
        elif reply.language != "nl":
            return ""
        sentences = self._sentences(reply, voice)
        two = 2 if self._rng.random() < SAYS_TWO_THINGS else 1
        said = self._rng.sample(sentences, min(two, len(sentences)))
        text = " ".join(said)
        if self._rng.random() < IN_A_HURRY:
            text = text[:1].lower() + text[1:].rstrip(".")
        return text

    def _sentences(self, reply: Reply, voice: Voice) -> Sequence[str]:
        scale = SCALES[reply.place.scale]
        outcome = scale.outcome(reply.value)
        about = DEPARTMENT_OF[reply.ware.sku] if reply.ware and voice is ABOUT_THE_SHOP else None
        thing = about is not None and self._rng.random() < ABOUT_THE_THING
        if outcome == scale.positive:
            return about.praise if about and thing else voice.happy
        if outcome == scale.negative:
            return about.complaints if about and thing else voice.unhappy
        return voice.neutral


def _tips_days() -> Iterator[int]:
    """Yield the numbers of the days on which the tips went out."""
    weekly_from = DAYS - WEEKLY_DAYS
    yield from range(weekly_from % MONTH_DAYS, weekly_from, MONTH_DAYS)
    yield from range(weekly_from, DAYS, WEEK_DAYS)


def value_of(scale: str, mood: float) -> int:
    """Return the answer that somebody in this mood (0 to 10, or beyond) gives."""
    if scale == "thumb":
        return int(mood >= THUMB_UP_FROM)
    values = SCALES[scale].values
    return min(max(round(mood * FACTORS[scale]), values[0]), values[-1])
