"""Who was asked for permission in the demo shop, what they said, and what became of it.

Told from a seed, like the rest. What there is to find: the text that says how often is ticked a
little more often and regretted less; since the tips come every week, more people take it back.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from customers.consent import Actor, Grade, Method, State
from insights.demo.life import Calendar, Person
from insights.demo.story import WEEKLY_DAYS
from insights.demo.talk import Ask
from insights.demo.texts import VERSIONS

TIPS, FITTING, ASKING = "email_marketing", "personalisation", "satisfaction_survey"
ORDER_FORM, PAGE_FORM, SHOP = "order", "page", "old-shop"

# Which part of those asked ticks, by purpose and version; who has an account and never ordered
# comes for the tips.
TICKS = {(TIPS, 1): 0.60, (TIPS, 2): 0.645, (FITTING, 1): 0.52, (FITTING, 2): 0.55}
TICKS_ON_PAGE = 0.82
ASKS_TO_ASK = 0.7
# Confirmed within a week; signed in with an address that was confirmed before.
CONFIRMS, KNOWN = 0.94, 0.24
# Takes it back: a week's chance by text, how much more often since it is every week, and for a
# while after somebody said yes.
REGRET = {1: 0.003, 2: 0.0018}
WEEKLY_REGRET, FRESH_REGRET, FRESH_DAYS = 2.4, 3.0, 30
OBJECTS, RELAYED = 0.05, 0.06
WEEK = timedelta(days=7)
# Buyers of the time before, of whom the sale has the five facts.
SOFT = 0.35
# Looked at a form on a page and went on, for each who answered it.
PASSED_BY = 0.25


@dataclass(frozen=True)
class Deed:
    """What one customer did about one purpose; `version` 0 is without a text."""

    person: Person
    at: datetime
    purpose: str
    state: State
    method: str
    place: str
    version: int = 0
    actor: Actor = Actor.CUSTOMER
    grade: Grade = Grade.D
    evidence: str = ""


class Asked:
    """All deeds, unsorted, and how often each text was shown on each form on each day.

    `counts` has (form, purpose, version, language, day number) -> Counter of shown, ticked,
    left_empty, confirmed.
    """

    def __init__(
        self, seed: int, persons: Sequence[Person], asks: Sequence[Ask], calendar: Calendar
    ) -> None:
        self._rng = Random(f"{seed} permission")  # noqa: S311  (a story, no secret)
        self._calendar = calendar
        self._end = datetime.combine(calendar.today, datetime.min.time(), tzinfo=calendar.zone)
        self.deeds: list[Deed] = []
        self.ends = self._end
        self.counts: dict[tuple[str, str, int, str, int], Counter[str]] = {}
        asked_of: dict[str, list[datetime]] = {}
        for ask in asks:
            asked_of.setdefault(ask.person.reference, []).append(ask.at)
        for person in persons:
            self._live(person, asked_of.get(person.reference, []))

    def _live(self, person: Person, asked: Sequence[datetime]) -> None:
        """Tell one customer's permission: asked when they first order, or make an account."""
        at = person.orders[0].at + timedelta(minutes=2) if person.orders else person.since
        if person.old and self._rng.random() < SOFT:
            self._note(
                Deed(
                    person,
                    at,
                    TIPS,
                    State.SOFT,
                    "import",
                    SHOP,
                    actor=Actor.IMPORT,
                    grade=Grade.C,
                    evidence="Betaalde bestelling bij Lindehuis; tips over "
                    "soortgelijke producten; bij de bestelling verteld en met een vinkje te "
                    "weigeren.",
                )
            )
            self._regret(person, TIPS, at, 1)
        else:
            self._ask_for_tips(person, at)
        # Nobody is asked what they thought who did not permit it.
        if asked or (person.orders and self._rng.random() < ASKS_TO_ASK / 2):
            self._allow_asking(person, at, max(asked, default=at))

    # -- Tips, and tips that fit ---------------------------------------------------------------

    def _ask_for_tips(self, person: Person, at: datetime) -> None:
        form = ORDER_FORM if person.orders else PAGE_FORM
        version = self._version(TIPS, at)
        ticks = TICKS[TIPS, version] if person.orders else TICKS_ON_PAGE
        if not self._answers(form, TIPS, person, at, ticks):
            self._note(Deed(person, at, TIPS, State.REFUSED, "checkbox", f"form:{form}", version))
            return
        fits = self._version(FITTING, at)
        wants = self._answers(form, FITTING, person, at, TICKS[FITTING, fits])
        since = self._says_yes(person, at, form, [TIPS, FITTING] if wants else [TIPS])
        if since is None:
            return
        ended = self._regret(person, TIPS, since, version)
        if wants:
            self._outlive(person, since, fits, ended)

    def _answers(self, form: str, purpose: str, person: Person, at: datetime, part: float) -> bool:
        """Count that a tick was shown, by some to no avail, and say whether it was ticked."""
        ticked = self._rng.random() < part
        passed_by = self._rng.random() < PASSED_BY
        counted = self._counted(form, purpose, person, at)
        counted["shown"] += 1 + passed_by
        counted["ticked" if ticked else "left_empty"] += 1
        return ticked

    def _says_yes(
        self, person: Person, at: datetime, form: str, purposes: Sequence[str]
    ) -> datetime | None:
        """Tell the tick, and the link in the mail where the address was not known to be theirs.

        Returns since when it holds, None if it was never confirmed.
        """
        versions = {purpose: self._version(purpose, at) for purpose in purposes}
        ticked = {
            purpose: Deed(person, at, purpose, State.PENDING, "checkbox", f"form:{form}", version)
            for purpose, version in versions.items()
        }
        if form == ORDER_FORM and self._rng.random() < KNOWN:
            for deed in ticked.values():
                self._gives(form, replace(deed, state=State.GIVEN, grade=Grade.B), at)
            return at
        for deed in ticked.values():
            self._note(deed)
        if self._rng.random() >= CONFIRMS:
            for deed in ticked.values():
                self._note(
                    replace(
                        deed,
                        at=at + timedelta(days=7),
                        state=State.EXPIRED,
                        method=Method.NOT_CONFIRMED,
                        actor=Actor.SYSTEM,
                        version=0,
                    )
                )
            return None
        confirmed = at + timedelta(minutes=1 + int(self._rng.expovariate(1 / 90)))
        for purpose, deed in ticked.items():
            # What was changed meanwhile is not what was ticked.
            if purpose == TIPS or self._version(purpose, confirmed) == versions[purpose]:
                yes = replace(deed, at=confirmed, state=State.GIVEN, grade=Grade.A)
                self._gives(form, replace(yes, method=Method.CONFIRM_LINK), at)
        return confirmed if confirmed < self._end else None

    def _gives(self, form: str, deed: Deed, asked: datetime) -> None:
        """Note a yes, and count it on the day it was asked for."""
        self._note(deed)
        if deed.at < self._end:
            self._counted(form, deed.purpose, deed.person, asked)["confirmed"] += 1

    def _regret(self, person: Person, purpose: str, since: datetime, version: int) -> datetime:
        """Tell whether it is taken back some day; return when it ended, or the end of the story."""
        week = since
        while (week := week + WEEK) < self._end:
            chance = REGRET[version]
            if (self._end - week).days < WEEKLY_DAYS:
                chance *= WEEKLY_REGRET
            if (week - since).days <= FRESH_DAYS:
                chance *= FRESH_REGRET
            if self._rng.random() < chance:
                return self._take_back(person, purpose, week - timedelta(self._rng.randrange(7)))
        return self._end

    def _take_back(self, person: Person, purpose: str, day: datetime) -> datetime:
        # After the yes, though perhaps on the same day.
        at = max(self._calendar.moment(day.date(), self._rng), day)
        if at >= self._end:
            return self._end
        drawn = self._rng.random()
        if drawn < OBJECTS:
            self._note(Deed(person, at, purpose, State.OBJECTED, "preference_page", "preferences"))
        elif drawn < OBJECTS + RELAYED:
            self._note(
                Deed(
                    person,
                    at,
                    purpose,
                    State.WITHDRAWN,
                    "phone_note",
                    "help desk",
                    actor=Actor.ADMIN,
                    evidence="Belde: wil geen tips meer.",
                )
            )
        elif drawn < 0.7:
            self._note(Deed(person, at, purpose, State.WITHDRAWN, "one_click_post", "mail"))
        else:
            self._note(Deed(person, at, purpose, State.WITHDRAWN, "preference_page", "preferences"))
        return at

    def _outlive(self, person: Person, since: datetime, version: int, ended: datetime) -> None:
        """Let tips that fit end with the tips, at their own time, or with a new text."""
        changed = self._published(FITTING, version + 1)
        if changed and since < changed < ended:
            self._note(
                Deed(
                    person,
                    changed + timedelta(minutes=5),
                    FITTING,
                    State.STALE,
                    "new_text",
                    "",
                    actor=Actor.SYSTEM,
                )
            )
        elif ended < self._end:
            self._note(
                Deed(
                    person,
                    ended + timedelta(seconds=20),
                    FITTING,
                    State.WITHDRAWN,
                    "preference_page",
                    "preferences",
                )
            )

    # -- Asking what people thought --------------------------------------------------------------

    def _allow_asking(self, person: Person, at: datetime, last: datetime) -> None:
        """Tell that we may ask; who takes it back was asked for the last time before."""
        version = self._version(ASKING, at)
        self._note(
            Deed(
                person,
                at + timedelta(minutes=1),
                ASKING,
                State.GIVEN,
                "checkbox",
                f"form:{ORDER_FORM}-survey",
                version,
                grade=Grade.B,
            )
        )
        counted = self._counted(f"{ORDER_FORM}-survey", ASKING, person, at)
        counted["ticked"] += 1
        counted["confirmed"] += 1
        # For each who said yes, somebody did not, of whom nothing is known.
        did_not = self._rng.random() < 1 / ASKS_TO_ASK - 1
        counted["shown"] += 1 + did_not
        counted["left_empty"] += did_not
        until = last + timedelta(days=3 + int(self._rng.expovariate(1 / 60)))
        if self._rng.random() < 0.06 and until < self._end:
            self._note(Deed(person, until, ASKING, State.WITHDRAWN, "one_click_post", "mail"))

    # -- For all of them ---------------------------------------------------------------------------

    def _note(self, deed: Deed) -> None:
        """Take a deed down; what would happen from today on has not happened."""
        if deed.at < self._end:
            self.deeds.append(deed)

    def _counted(self, form: str, purpose: str, person: Person, at: datetime) -> Counter[str]:
        day = (at.date() - self._calendar.first_day).days
        key = (form, purpose, self._version(purpose, at), spoken(person), day)
        return self.counts.setdefault(key, Counter())

    def _version(self, purpose: str, at: datetime) -> int:
        """Return the number of the text that was published by then."""
        days = (at.date() - self._calendar.first_day).days
        return sum(v.purpose == purpose and v.from_day <= days for v in VERSIONS)

    def _published(self, purpose: str, version: int) -> datetime | None:
        found = [v for v in VERSIONS if v.purpose == purpose]
        if version > len(found):
            return None
        day = self._calendar.day(found[version - 1].from_day)
        return datetime.combine(day, datetime.min.time(), tzinfo=self._calendar.zone)


def spoken(person: Person) -> str:
    """Return the language a customer was asked in."""
    return "nl" if person.language == "nl" else "en"
