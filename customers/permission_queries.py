"""Reading what was asked and permitted as counts: aggregates for the page about permission.

Every read takes a fixed number of queries, whatever the number of customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)

from customers.audience import permitted
from customers.consent import ALLOWING, Actor, State
from customers.models import (
    AskTally,
    Channel,
    ConsentEntry,
    ConsentForm,
    ConsentState,
    Customer,
    LedgerCheck,
    Purpose,
    PurposeKind,
    Wording,
)

YES = (State.GIVEN, State.RENEWED)
NO = (State.WITHDRAWN, State.OBJECTED)

# A form writes itself into the ledger as the place where it happened.
FORM = "form:"


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a text was shown on a day on the forms of a channel, and what came of it."""

    on: date
    wording: int
    channel: str
    shown: int
    ticked: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A permission that was taken back.

    `given_at` and `wording` are of the yes that the customer gave; None if an import or a sale did.
    """

    at: datetime
    purpose: int
    channel: str
    given_at: datetime | None
    wording: int | None


@dataclass(frozen=True, slots=True)
class Yes:
    """How often was said yes to a text in a stretch of time.

    `own` is what customers gave themselves; the others were renewed, or came with an import.
    """

    stretch: int
    wording: int
    own: bool
    n: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How many permissions of one proof are in force, for a purpose on a channel.

    `ends` is the number of the stretch of days they end in, None for later than all of them;
    `on_form` whether they were given on a form in the stretch of time that was asked for.
    """

    purpose: int
    channel: str
    grade: str
    ends: int | None
    on_form: bool
    n: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of all customers may be mailed, and how many have an address and no permission."""

    mailable: int
    customers: int
    unproven: int


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """The last verification of the ledger, and since when it has been unbroken."""

    checked_at: datetime
    entries: int
    finding: str
    unbroken_since: datetime | None


# -- What was asked -------------------------------------------------------------------------------


def purposes() -> list[Purpose]:
    """Return every purpose that needs a yes, the archived ones last."""
    found = Purpose.objects.exclude(kind=PurposeKind.SERVICE)
    return sorted(found, key=lambda one: (one.archived_at is not None, one.pk))


def wordings() -> list[Wording]:
    """Return every text that was published, the newest version of a purpose first."""
    return list(Wording.objects.order_by("purpose_id", "-version", "-language"))


def asked(start: date, end: date, purpose: int | None = None) -> list[Asked]:
    """Return the counts of the forms on the half-open local days [start, end)."""
    rows = (
        AskTally.objects.filter(_of("wording__purpose", purpose), on__gte=start, on__lt=end)
        .values("on", "wording_id", "form__channel")
        .annotate(shown=Sum("shown"), ticked=Sum("ticked"), confirmed=Sum("confirmed"))
        .order_by("on")
    )
    return [
        Asked(
            row["on"],
            row["wording_id"],
            row["form__channel"],
            row["shown"],
            row["ticked"],
            row["confirmed"],
        )
        for row in rows
    ]


def any_permission() -> tuple[bool, bool]:
    """Say whether there is any form, and whether the ledger has any entry; two queries."""
    return ConsentForm.objects.exists(), ConsentEntry.objects.exists()


# -- What was given and taken back ----------------------------------------------------------------


def yeses(cuts: Sequence[datetime], purpose: int | None = None) -> list[Yes]:
    """Return how often was said yes between two cuts, by the number of the first."""
    rows = (
        ConsentEntry.objects.filter(
            _of("purpose", purpose),
            state__in=YES,
            occurred_at__gte=cuts[0],
            occurred_at__lt=cuts[-1],
        )
        .annotate(stretch=_stretch("occurred_at", cuts[1:]))
        .values_list("stretch", "wording_id", "state", "actor")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [
        Yes(stretch, wording, state == State.GIVEN and actor == Actor.CUSTOMER, n)
        for stretch, wording, state, actor, n in rows
        if wording
    ]


def withdrawals(start: datetime, end: datetime, purpose: int | None = None) -> list[Withdrawal]:
    """Return what was taken back in a half-open stretch of time, the first first.

    An entry counts if it ended a permission: what was said again, or of nothing, does not.
    """
    earlier = ConsentEntry.objects.filter(
        customer=OuterRef("customer"),
        purpose=OuterRef("purpose"),
        channel=OuterRef("channel"),
        pk__lt=OuterRef("pk"),
    ).order_by("-pk")
    # An import gives only where there is no entry before it: what customers said is later.
    yes = earlier.filter(state=State.GIVEN, actor=Actor.CUSTOMER)
    rows = (
        ConsentEntry.objects.filter(
            _of("purpose", purpose), state__in=NO, occurred_at__gte=start, occurred_at__lt=end
        )
        .annotate(
            before=Subquery(earlier.values("state")[:1]),
            yes_at=Subquery(yes.values("occurred_at")[:1]),
            yes_to=Subquery(yes.values("wording_id")[:1]),
        )
        .order_by("occurred_at", "pk")
        .values_list("occurred_at", "purpose_id", "channel", "before", "yes_at", "yes_to")
    )
    return [
        Withdrawal(at, of, channel, yes_at, yes_to)
        for at, of, channel, before, yes_at, yes_to in rows
        if before in ALLOWING
    ]


# -- What is in force -----------------------------------------------------------------------------


def standing(
    now: datetime,
    days: Sequence[int],
    given: tuple[datetime, datetime],
    purpose: int | None = None,
) -> list[Standing]:
    """Return how many permissions are in force: given, not run out, of a purpose in use.

    Told apart by what ends within each of these days from now, each after the one before it, and
    by what was given on a form in a half-open stretch of time. One look at each permission.
    """
    ends = [now + timedelta(days=number) for number in days]
    on_form = Q(
        entry__place__startswith=FORM,
        entry__occurred_at__gte=given[0],
        entry__occurred_at__lt=given[1],
    )
    rows = (
        ConsentState.objects.filter(
            _of("purpose", purpose), state__in=ALLOWING, valid_until__gt=now
        )
        # A list of few, where a join would look at every customer.
        .exclude(customer__in=Customer.objects.filter(erased_at__isnull=False).values("pk"))
        .annotate(
            ends=_stretch("valid_until", ends, beyond=None),
            on_form=Case(When(on_form, then=Value(1)), default=Value(0)),
        )
        .values_list("purpose_id", "channel", "entry__grade", "ends", "on_form")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [
        Standing(of, channel, grade, ends, bool(form), n)
        for of, channel, grade, ends, form, n in rows
    ]


def reach(now: datetime, purpose: int | None = None) -> Reach:
    """Return how many customers may be mailed marketing now; two queries.

    `unproven` have an address and no line in the ledger:
    nobody knows whether they said yes, so they are never mailed.
    """
    everybody = Customer.objects.filter(erased_at__isnull=True)
    counted = everybody.aggregate(
        customers=Count("pk"),
        unproven=Count(
            "pk",
            filter=Q(~Exists(ConsentState.objects.filter(customer=OuterRef("pk"))), ~Q(email="")),
        ),
    )
    mailable = permitted(now).filter(
        _of("purpose", purpose), channel=Channel.EMAIL, purpose__kind=PurposeKind.MARKETING
    )
    people = mailable.aggregate(people=Count("customer_id", distinct=True))["people"]
    return Reach(people, counted["customers"], counted["unproven"])


# -- The ledger itself ----------------------------------------------------------------------------


def latest_entries(number: int, purpose: int | None = None) -> list[ConsentEntry]:
    """Return the last lines of the ledger, the newest first."""
    rows = ConsentEntry.objects.filter(_of("purpose", purpose))
    return list(rows.select_related("customer", "purpose", "wording").order_by("-pk")[:number])


def ledger_health() -> LedgerHealth | None:
    """Return how the ledger stands; None before it was ever verified. Two queries."""
    newest = LedgerCheck.objects.order_by("-pk").first()
    if newest is None:
        return None
    broken = LedgerCheck.objects.exclude(finding="").order_by("-pk").values("pk")[:1]
    since = LedgerCheck.objects.alias(broken=Subquery(broken)).filter(
        Q(broken__isnull=True) | Q(pk__gt=F("broken"))
    )
    first = since.aggregate(first=Min("checked_at"))["first"]
    return LedgerHealth(newest.checked_at, newest.entries, newest.finding, first)


def version() -> tuple[object, ...]:
    """Return what changes whenever something was asked, permitted, published or verified."""
    counted = AskTally.objects.aggregate(
        Sum("shown"), Sum("ticked"), Sum("left_empty"), Sum("confirmed")
    )
    newest = [
        model.objects.aggregate(newest=Max("pk"))["newest"]
        for model in (ConsentEntry, Wording, LedgerCheck)
    ]
    return (*counted.values(), *newest)


def _of(field: str, purpose: int | None) -> Q:
    return Q(**{field: purpose}) if purpose else Q()


def _stretch(field: str, ends: Sequence[datetime], beyond: int | None = -1) -> Case | Value:
    """Number the stretches that end, excluded, at these moments; `beyond` is what is later.

    Halved and halved again: a database asks each row five questions for half a year of weeks, not
    twenty-six.
    """

    def among(first: int, last: int) -> Case | Value:
        if first == last:
            return Value(first if first < len(ends) else beyond, output_field=IntegerField())
        middle = (first + last) // 2
        return Case(
            When(**{f"{field}__lt": ends[middle]}, then=among(first, middle)),
            default=among(middle + 1, last),
            output_field=IntegerField(),
        )

    return among(0, len(ends))
