"""Reading what was asked and permitted as counts: aggregates for the page about permission.

Every read takes a fixed number of queries, whatever the number of customers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
    QuerySet,
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
class Standing:
    """How many permissions of one proof are in force, for a purpose on a channel."""

    purpose: int
    channel: str
    grade: str
    n: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """How many permissions end in a stretch of days, counted from now: its number in `cuts`."""

    purpose: int
    channel: str
    stretch: int
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


def given(cuts: Sequence[datetime], purpose: int | None = None) -> Counter[int]:
    """Return how many permissions were given or renewed between two cuts, by the first's number."""
    rows = (
        ConsentEntry.objects.filter(
            _of("purpose", purpose),
            state__in=YES,
            occurred_at__gte=cuts[0],
            occurred_at__lt=cuts[-1],
        )
        .annotate(stretch=_stretch("occurred_at", cuts[1:]))
        .values_list("stretch")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return Counter(dict(rows))


def cohort(
    spans: Mapping[str, tuple[datetime, datetime]], purpose: int | None = None
) -> dict[str, Counter[int]]:
    """Return, for each half-open span, how often customers said yes to a wording: {id: how often}.

    Only what they said themselves: an import knows nothing of second thoughts.
    """
    rows = (
        ConsentEntry.objects.filter(
            _of("purpose", purpose), state=State.GIVEN, actor=Actor.CUSTOMER
        )
        .values_list("wording_id")
        .annotate(
            **{
                f"in_{name}": Count("pk", filter=Q(occurred_at__gte=start, occurred_at__lt=end))
                for name, (start, end) in spans.items()
            }
        )
        .order_by()
    )
    found = list(rows)
    return {
        name: Counter({row[0]: row[at] for row in found if row[0]})
        for at, name in enumerate(spans, start=1)
    }


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
    yes = earlier.filter(state=State.GIVEN)
    rows = (
        ConsentEntry.objects.filter(
            _of("purpose", purpose), state__in=NO, occurred_at__gte=start, occurred_at__lt=end
        )
        .annotate(
            before=Subquery(earlier.values("state")[:1]),
            yes_by=Subquery(yes.values("actor")[:1]),
            yes_at=Subquery(yes.values("occurred_at")[:1]),
            yes_to=Subquery(yes.values("wording_id")[:1]),
        )
        .filter(before__in=ALLOWING)
        .order_by("occurred_at", "pk")
        .values_list("occurred_at", "purpose_id", "channel", "yes_by", "yes_at", "yes_to")
    )
    return [
        Withdrawal(
            at,
            of,
            channel,
            yes_at if by == Actor.CUSTOMER else None,
            yes_to if by == Actor.CUSTOMER else None,
        )
        for at, of, channel, by, yes_at, yes_to in rows
    ]


# -- What is in force -----------------------------------------------------------------------------


def standing(now: datetime, purpose: int | None = None) -> list[Standing]:
    """Return how many permissions are in force, by purpose, channel and grade of proof."""
    rows = (
        _in_force(now, purpose)
        .values_list("purpose_id", "channel", "entry__grade")
        .annotate(n=Count("pk"))
        .order_by("purpose_id", "channel", "entry__grade")
    )
    return [Standing(*row) for row in rows]


def standing_from_forms(
    start: datetime, end: datetime, now: datetime, purpose: int | None = None
) -> int:
    """Return how many permissions in force were given on a form in a half-open stretch of time."""
    return (
        _in_force(now, purpose)
        .filter(
            entry__place__startswith=FORM,
            entry__occurred_at__gte=start,
            entry__occurred_at__lt=end,
        )
        .count()
    )


def expiring(now: datetime, cuts: Sequence[int], purpose: int | None = None) -> list[Expiring]:
    """Return how many permissions end within each of these days from now, each after the one
    before it."""
    ends = [now + timedelta(days=days) for days in cuts]
    rows = (
        _in_force(now, purpose)
        .filter(valid_until__lte=ends[-1])
        .annotate(stretch=_stretch("valid_until", ends))
        .values_list("purpose_id", "channel", "stretch")
        .annotate(n=Count("pk"))
        .order_by("purpose_id", "channel", "stretch")
    )
    return [Expiring(*row) for row in rows]


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
    people = mailable.values("customer_id").distinct().count()
    return Reach(people, counted["customers"], counted["unproven"])


def _in_force(now: datetime, purpose: int | None) -> QuerySet[ConsentState]:
    """Return the permissions that stand: given, not run out, of a purpose in use."""
    return ConsentState.objects.filter(
        _of("purpose", purpose),
        state__in=ALLOWING,
        valid_until__gt=now,
        purpose__archived_at__isnull=True,
        customer__erased_at__isnull=True,
    )


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


def _stretch(field: str, ends: Sequence[datetime]) -> Case:
    """Number the stretches that end, excluded, at these moments."""
    return Case(
        *(When(**{f"{field}__lt": end}, then=Value(number)) for number, end in enumerate(ends)),
        default=Value(len(ends) - 1),
        output_field=IntegerField(),
    )
