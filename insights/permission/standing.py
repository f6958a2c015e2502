"""What is in force now: how well it is proven, and how much of it runs out soon."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.consent import Grade
from insights.consent_words import GRADES, channel_name, purpose_name
from insights.disclosure import hidden_rows, is_small
from insights.kpis import MIN_VERDICT
from insights.permission.facts import EXPIRY, Facts, Line
from insights.templatetags.numbers import number, percent


@dataclass(frozen=True)
class Proven:
    """How many permissions have one grade of proof; `n` is None where it may not be shown."""

    grade: str
    label: str
    n: int | None
    share: float


@dataclass(frozen=True)
class ProofPanel:
    """`n` permissions in force; `unproven` customers have an address and no line at all."""

    title: str
    n: int
    hidden: bool
    complete: int | None
    share: float | None
    grades: list[Proven]
    unproven: int | None

    @property
    def bar(self) -> list[Proven]:
        return [one for one in self.grades if one.n]


def proof_panel(facts: Facts) -> ProofPanel:
    counts: dict[str, int] = {str(grade): 0 for grade in Grade}
    for one in facts.standing:
        counts[one.grade] += one.n
    n = sum(counts.values())
    hidden = hidden_rows(list(counts.values()))
    complete = counts[Grade.A] + counts[Grade.B]
    unproven = facts.reach.unproven
    seen = not is_small(n) and not is_small(complete) and not is_small(n - complete)
    share = 100 * complete / n if seen and n >= MIN_VERDICT else None
    return ProofPanel(
        title=_proof_title(unproven, share),
        n=n,
        hidden=is_small(n),
        complete=complete if seen and n else None,
        share=share,
        grades=[
            Proven(
                grade=grade,
                label=str(GRADES[Grade(grade)]),
                n=None if at in hidden else count,
                share=100 * count / n if n and at not in hidden else 0.0,
            )
            for at, (grade, count) in enumerate(counts.items())
        ],
        unproven=None if is_small(unproven) else unproven,
    )


def _proof_title(unproven: int, share: float | None) -> str:
    if not unproven or is_small(unproven):
        if share is None:
            return _("How well permissions are proven")
        return _("%(share)s of permissions have complete proof") % {"share": percent(number(share))}
    return ngettext(
        "%(n)s customer has no proof of a yes and is never mailed",
        "%(n)s customers have no proof of a yes and are never mailed",
        unproven,
    ) % {"n": number(unproven)}


@dataclass(frozen=True)
class ExpiringRow:
    """How many permissions of a purpose and channel end in each stretch; None if not shown."""

    key: str
    label: str
    channel: str
    counts: list[int | None]


@dataclass(frozen=True)
class ExpiringPanel:
    title: str
    columns: list[str]
    rows: list[ExpiringRow]


def expiring_panel(facts: Facts) -> ExpiringPanel:
    """Return what ends in 30, 60 and 90 days, each after the one before it."""
    counts: dict[Line, list[int]] = defaultdict(lambda: [0] * len(EXPIRY))
    for one in facts.standing:
        if one.ends is not None:
            counts[Line(one.purpose, one.channel)][one.ends] += one.n
    order = list(facts.purposes)
    keys = sorted(counts, key=lambda key: (order.index(key.purpose), key.channel))
    rows = [
        ExpiringRow(
            key=facts.purposes[key.purpose].key,
            label=purpose_name(facts.purposes[key.purpose]),
            channel=channel_name(key.channel),
            counts=[None if is_small(n) else n for n in counts[key]],
        )
        for key in keys
    ]
    return ExpiringPanel(
        title=_expiring_title([counts[key] for key in keys]),
        columns=[
            _("Within 30 days"),
            _("31 to 60 days"),
            _("61 to 90 days"),
        ],
        rows=rows,
    )


def _expiring_title(counts: Sequence[Sequence[int]]) -> str:
    # The rows have no other total, so that one cannot be subtracted from it.
    soon = sum(sum(row) for row in counts)
    if not soon or any(is_small(n) for row in counts for n in row):
        return _("Permissions that run out soon") if soon else _("No permission runs out soon")
    return ngettext(
        "%(n)s permission runs out within 90 days",
        "%(n)s permissions run out within 90 days",
        soon,
    ) % {"n": number(soon)}


def complete_words(panel: ProofPanel) -> str:
    if panel.complete is None:
        return ""
    return _("%(some)s of %(all)s permissions") % {
        "some": number(panel.complete),
        "all": number(panel.n),
    }


def share_words(one: Proven) -> str:
    return f"{one.grade} {percent(number(one.share))}"
