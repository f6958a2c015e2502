"""What a merge does to each permission, and why it is refused, in the words of the reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.consent import ALLOWING, State
from customers.merging import Preview, Row
from customers.models import Purpose
from insights.consent_words import STATES, channel_name, purpose_name

# Of merging.REFUSALS.
REFUSALS: Mapping[str, Any] = {
    "same": gettext_lazy("That is this record itself. Choose another one."),
    "erased": gettext_lazy("One of the two was erased. What was erased stays alone."),
    "erasing": gettext_lazy("One of the two is being erased. Wait until that is done."),
    "absorbed": gettext_lazy("One of the two was merged before. Choose the record it became."),
    "unknown_table": gettext_lazy(
        "The database has tables that a merge does not know, so nothing was merged. Tell your "
        "administrator."
    ),
    "changed": gettext_lazy(
        "What they permit changed meanwhile. Look at it again, and then merge."
    ),
}


@dataclass(frozen=True, slots=True)
class MergeRow:
    """One purpose on a channel: where both stand, where the survivor will, and what is lost."""

    name: str
    channel: str
    survivor: str
    absorbed: str
    result: str
    loss: str
    is_loss: bool


def merge_rows(plan: Preview) -> Sequence[MergeRow]:
    purposes = {purpose.key: purpose for purpose in Purpose.objects.all()}
    both = {"survivor": plan.survivor.reference, "absorbed": plan.absorbed.reference}
    return [
        MergeRow(
            name=purpose_name(purposes[row.purpose]),
            channel=channel_name(row.channel),
            survivor=str(STATES[State(row.survivor)]),
            absorbed=str(STATES[State(row.absorbed)]),
            result=str(STATES[State(row.result)]),
            loss=_loss(row) % both,
            is_loss=_loses(row),
        )
        for row in plan.rows
    ]


def _loses(row: Row) -> bool:
    """Say whether a yes of either side is lost."""
    ours = State(row.survivor) in ALLOWING and State(row.result) not in ALLOWING
    return ours or State(row.absorbed) in ALLOWING


def _loss(row: Row) -> str:
    ours, theirs = State(row.survivor) in ALLOWING, State(row.absorbed) in ALLOWING
    if State(row.result) is State.OBJECTED:
        lost = _("The objection counts for both, and the yes is lost.")
        return lost if ours or theirs else _("The objection counts for both.")
    if ours and theirs:
        return _("Both said yes. The yes of %(survivor)s stays; the other one was for its own "
                 "address and is lost.")  # fmt: skip
    if ours:
        return _("The yes of %(survivor)s is lost: %(absorbed)s does not permit it.")
    if theirs:
        return _("The yes of %(absorbed)s is lost: %(survivor)s does not permit it.")
    if row.survivor != row.result:
        return _("The no of %(absorbed)s counts from now on.")
    return _("Nothing changes.")
