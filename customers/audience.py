"""Who may be reached, for everybody at once: the same rules as consent.may_process, in one query.

For audiences and counts. Before anything is sent each customer is asked about again, inside the
claim: between the two somebody may have said no.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import NullIf
from django.utils import timezone

from customers.consent import ALLOWING, State, soft_opt_in
from customers.models import (
    Channel,
    ConsentState,
    Purpose,
    PurposeKind,
    Suppression,
    Wording,
    current_scope,
)

MARKETING = [kind.value for kind in PurposeKind if kind.is_marketing]
NEEDS_CONSENT = [kind.value for kind in PurposeKind if kind.needs_consent]


def permitted(
    now: datetime, *, heed_pauses: bool = True, purpose: Purpose | None = None
) -> QuerySet[ConsentState]:
    """Return where customers stand that may be used now: one row for each purpose and channel.

    Without `heed_pauses` also where somebody paused, for who tells that apart. Of one purpose it is
    quicker: what it asks is then looked up once. Purposes that need no consent have no rows here.
    Equal to asking `may_process` for each; a test holds the two together.
    """
    of_purpose = Q(purpose=purpose) if purpose else Q()
    return ConsentState.objects.filter(
        of_purpose,
        # The last entry allows it, and has not run out.
        state__in=ALLOWING,
        valid_until__gt=now,
        # Who it is about did not ask to be left alone.
        customer__erased_at__isnull=True,
        customer__restricted_at__isnull=True,
        # The purpose is in use, and asks for a yes.
        purpose__archived_at__isnull=True,
        purpose__kind__in=NEEDS_CONSENT,
    ).filter(
        # It was given on the address the customer has now.
        ~Q(entry__address_hash=""),
        _is_so(
            Q(entry__address_hash=F("customer__address_hash"))
            | Q(entry__address_hash=F("customer__older_hash"))
        ),
        # Nobody stopped that address.
        ~Exists(_suppressed(OuterRef("customer__address_hash"))),
        # Mostly there is no older hash. Said so, because the planner of PostgreSQL takes a column
        # that is the same everywhere to be found everywhere, and then expects nobody to be left.
        ~Exists(_suppressed(NullIf(OuterRef("customer__older_hash"), Value("")))),
        # The customer did not pause marketing.
        _not_paused(now) if heed_pauses else Q(),
        _is_so(_sale(now) | _yes(now, purpose)),
    )


def _is_so(condition: Q) -> Case:
    """Say a condition as a case, of which the planner of PostgreSQL expects half to be so.

    Of equal hashes, which nearly all are, it expects one in a million, and would then look up a
    million customers one by one.
    """
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


def _not_paused(now: datetime) -> Q:
    return (
        ~Q(purpose__kind__in=MARKETING)
        | Q(customer__paused_until__isnull=True)
        | Q(customer__paused_until__lte=now)
    )


def _suppressed(address: OuterRef | NullIf) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address_hash=address)


def _scope_of(purpose: Purpose, now: datetime) -> Subquery:
    texts = Wording.objects.published(now).filter(purpose=purpose)
    return Subquery(texts.values("scope_hash")[:1])


def _sale(now: datetime) -> Q:
    """A sale stands in for a yes on these channels today."""
    today = timezone.localdate(now)
    channels = [
        channel.value
        for channel in Channel
        if soft_opt_in(channel.value, settings.ORGANISATION_KIND, today)
    ]
    return Q(state=State.SOFT, channel__in=channels)


def _yes(now: datetime, purpose: Purpose | None) -> Q:
    """What is done is what they read, it is proven well enough, and they are not too young."""
    scope = current_scope("purpose", now) if purpose is None else _scope_of(purpose, now)
    return (
        ~Q(state=State.SOFT)
        & Q(entry__wording__scope_hash=scope)
        & Q(entry__grade__lte=F("purpose__minimum_grade"))
        & (Q(entry__old_enough__isnull=True) | Q(entry__old_enough=True))
    )
