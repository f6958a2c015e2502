"""What came of a mailing: answers, opt-outs, complaints, purchases; and whether personal pays.

Shares are of the mails that were sent, or of the answers where it says so, each with Wilson's
interval. The two groups were drawn by chance among those who permit personal content, so what is
different between them is the effect of it, as far as the interval shows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from customers.consent import Actor, State
from customers.models import ConsentEntry, Contact, Purchase, Suppression, SuppressionReason
from customers.outcomes import SENT
from feedback.models import Reason, Response
from insights.disclosure import is_small
from insights.dose_outcomes import CAME, Share, share
from insights.kpis import Figure, Verdict, change, figure, verdicts
from mailings.lists import link_of
from mailings.models import Delivery, Group, Mailing

WEEK = timedelta(days=7)
MONTH = timedelta(days=30)

UPS, PERSONAL, LEFT, COMPLAINED, BOUGHT = OUTCOMES = (
    "ups", "too_personal", "left", "complained", "bought",
)  # fmt: skip
LABELS: Mapping[str, Any] = {
    UPS: _("Thumbs up, of the answers"),
    PERSONAL: _("“Too personal”, of the answers"),
    LEFT: _("Took the permission back within 7 days, of the mails"),
    COMPLAINED: _("Complained, of the mails"),
    BOUGHT: _("Bought something within 30 days, of the mails"),
}
COMPARED = (UPS, PERSONAL, LEFT, BOUGHT)
WORDS: Mapping[Verdict, Any] = {
    Verdict.UP: _("higher with personal content"),
    Verdict.DOWN: _("lower with personal content"),
    Verdict.NO_CHANGE: _("no difference that can be shown"),
    Verdict.TOO_FEW: _("too few to say"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One outcome: of how many, and its share."""

    label: str
    share: Share


@dataclass(frozen=True, slots=True)
class Compared:
    """One outcome in both groups, and what may be said about the difference."""

    label: str
    personal: Share
    generic: Share
    verdict: str

    @property
    def pair(self) -> tuple[Share, Share]:
        return self.personal, self.generic


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a mailing so far; `until` is when the last of it will have come."""

    sent: int
    lines: Sequence[Line]
    reasons: Sequence[tuple[str, int]]
    comments: int
    compared: Sequence[Compared]
    until: datetime | None


# (of how many, how often) by outcome, for everybody or for one group.
Counts = Mapping[str, tuple[int, int]]


def results(mailing: Mailing) -> Results | None:
    """Count what came of a mailing; None for one of which nothing was sent."""
    sent = Contact.objects.filter(source=mailing.source, status__in=SENT)
    by_group = _of_mails(mailing)
    everybody = _together(by_group.values())
    n = everybody[LEFT][0]
    if not n:
        return None
    answers = Response.objects.filter(campaign=mailing.campaign_id) if mailing.campaign_id else None
    facts = list(answers.values_list("value", "reason", "invitation__key")) if answers else []
    is_thumb = bool(mailing.touchpoint and mailing.touchpoint.scale == "thumb")
    everybody |= _of_answers([(value, reason) for value, reason, _key in facts], is_thumb)
    last = sent.aggregate(at=Max("sent_at"))["at"]
    return Results(
        sent=n,
        lines=[
            Line(str(LABELS[one]), share(everybody[one][1], everybody[one][0]))
            for one in OUTCOMES
            if one in everybody
        ],
        reasons=_reasons([reason for _value, reason, _key in facts]),
        comments=answers.exclude(comment="").count() if answers else 0,
        compared=_compared(mailing, by_group, facts, is_thumb),
        until=last + MONTH if last else None,
    )


def _of_mails(mailing: Mailing) -> dict[str, dict[str, tuple[int, int]]]:
    """Count by group what customers did after their mail, in one query."""
    later = {
        LEFT: ConsentEntry.objects.filter(
            ~Q(actor=Actor.SYSTEM),
            customer=OuterRef("customer"),
            purpose=mailing.purpose,
            state__in=(State.WITHDRAWN, State.OBJECTED),
            occurred_at__gt=OuterRef("sent_at"),
            occurred_at__lte=OuterRef("sent_at") + WEEK,
        ),
        COMPLAINED: Suppression.objects.filter(
            ~Q(address_hash=""),
            address_hash=OuterRef("customer__address_hash"),
            reason=SuppressionReason.COMPLAINT,
            created_at__gt=OuterRef("sent_at"),
        ),
        BOUGHT: Purchase.objects.counting().filter(
            customer=OuterRef("customer"),
            purchased_at__gt=OuterRef("sent_at"),
            purchased_at__lte=OuterRef("sent_at") + MONTH,
        ),
    }
    sent = Contact.objects.filter(source=mailing.source, status__in=SENT)
    rows = (
        sent.annotate(**{name: Exists(found) for name, found in later.items()})
        .annotate(group=F("delivery__group"))
        .values("group")
        .annotate(
            n=Count("pk"), **{f"n_{name}": Count("pk", filter=Q(**{name: True})) for name in later}
        )
        .order_by()
    )
    found: list[Any] = list(rows)
    return {
        row["group"] or "": {name: (row["n"], row[f"n_{name}"]) for name in later} for row in found
    }


def _together(groups: Iterable[Counts]) -> dict[str, tuple[int, int]]:
    total: dict[str, tuple[int, int]] = dict.fromkeys((LEFT, COMPLAINED, BOUGHT), (0, 0))
    for counts in groups:
        for name, (n, k) in counts.items():
            total[name] = (total[name][0] + n, total[name][1] + k)
    return total


def _of_answers(facts: Sequence[tuple[int, str]], is_thumb: bool) -> dict[str, tuple[int, int]]:
    n = len(facts)
    found = {PERSONAL: (n, sum(reason == Reason.TOO_PERSONAL for _, reason in facts))}
    if is_thumb:
        found[UPS] = (n, sum(value == 1 for value, _ in facts))
    return found if n else {}


def _reasons(given: Sequence[str]) -> list[tuple[str, int]]:
    """Count the reasons that were given; of a few people none, so that nobody is recognised."""
    if is_small(len(given)):
        return []
    counts = Counter(reason for reason in given if reason)
    return [(str(Reason(one).label), n) for one, n in counts.most_common()]


def _compared(
    mailing: Mailing,
    by_group: Mapping[str, Counts],
    facts: Sequence[tuple[int, str, str]],
    is_thumb: bool,
) -> list[Compared]:
    """Compare the two groups that were drawn; nothing where nobody was drawn."""
    if not {Group.PERSONAL, Group.GENERIC} <= by_group.keys():
        return []
    drawn = _drawn(mailing) if facts else {}
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for group in (Group.GENERIC, Group.PERSONAL):
        mine = [(value, reason) for value, reason, key in facts if drawn.get(key) == group]
        counts[group] = {**by_group[group], **_of_answers(mine, is_thumb)}
    names = [one for one in COMPARED if all(one in counts[group] for group in counts)]
    figures = [
        (_figure(counts[Group.GENERIC][one]), _figure(counts[Group.PERSONAL][one])) for one in names
    ]
    told = verdicts([(a, b, change(CAME, a, b)) for a, b in figures])
    return [
        Compared(
            label=str(LABELS[one]),
            personal=_share(counts[Group.PERSONAL][one]),
            generic=_share(counts[Group.GENERIC][one]),
            verdict=str(WORDS[verdict]),
        )
        for one, verdict in zip(names, told, strict=True)
    ]


def _drawn(mailing: Mailing) -> dict[str, str]:
    """Return the group behind each link under the mails of a mailing, by the key of its answer."""
    rows = Delivery.objects.filter(mailing=mailing, contact__isnull=False).exclude(group="")
    return {
        link_of(mailing, row.contact).key: row.group
        for row in rows.select_related("contact").iterator(2_000)
        if row.contact
    }


def _figure(counted: tuple[int, int]) -> Figure:
    n, k = counted
    return figure(CAME, {CAME.positive: k, CAME.negative: n - k})


def _share(counted: tuple[int, int]) -> Share:
    n, k = counted
    return share(k, n)
