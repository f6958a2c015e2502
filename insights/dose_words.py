"""What came of requests to contact somebody, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.dosing import Code, Outcome

# By the first reason; "" is what went.
OUTCOMES: Mapping[str, Any] = {
    "": _("Allowed"),
    Code.NO_PERMISSION: _("No: permission missing"),
    Code.INPUT_MISSING: _("No: something is not known"),
    Code.LEDGER: _("No: the ledger is damaged"),
    Code.HELD: _("Later: left alone"),
    Code.PAUSED: _("Later: paused by the customer"),
    Code.QUIET_HOURS: _("Later: quiet hours"),
    Code.HOLIDAY: _("Later: a holiday"),
    Code.GAP: _("Later: too soon after the last"),
    Code.CAP_REACHED: _("Later: dose reached"),
    Code.NEVER: _("No: never by the policy"),
}
# Without a date waiting does not help.
FOR_GOOD: Mapping[str, Any] = {
    Code.HELD: _("No: left alone until somebody lifts it"),
    Code.CAP_REACHED: _("No: dose reached"),
    Code.GAP: _("No: asked before"),
}


def outcome_words(outcome: str, code: str) -> str:
    """Return what came of a request, in the reader's language."""
    if outcome == Outcome.EXEMPT:
        return str(_("Allowed: service"))
    if outcome == Outcome.DENY and code in FOR_GOOD:
        return str(FOR_GOOD[Code(code)])
    return str(OUTCOMES[Code(code) if code else ""])
