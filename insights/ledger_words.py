"""What colleagues read about the consent ledger: that it was changed, and what they have to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import queries

# The codes are those of customers.verification.FINDINGS; a test keeps them equal.
FINDINGS = MappingProxyType(
    {
        "trigger": gettext_lazy("A trigger that protects the ledger is missing or was changed"),
        "wording": gettext_lazy("A published text was changed"),
        "entry": gettext_lazy("An entry was changed"),
        "gap": gettext_lazy(
            "An entry does not follow the one before it: one was removed or put in"
        ),
        "state": gettext_lazy("What a customer permits is not what the ledger says"),
        "evidence": gettext_lazy("The evidence of an entry was changed"),
        "checkpoint": gettext_lazy("A checkpoint was changed"),
        "tail": gettext_lazy(
            "Entries that a checkpoint saw are gone, or new ones pretend to be old"
        ),
    }
)

RESTORE = gettext_lazy(
    "Have an administrator restore a backup from before it, find out who could change the "
    "database, and run manage.py verify_ledger."
)
WAYS_OUT: Mapping[str, object] = MappingProxyType(
    {
        "trigger": gettext_lazy(
            "Have an administrator find out who could change the database, and run "
            "manage.py verify_ledger --install, which puts the trigger back and verifies."
        ),
    }
)


@dataclass(frozen=True)
class LedgerWarning:
    """What stands on every page: what is wrong, since when, what is blocked, what to do."""

    what: str
    found: str
    blocked: str
    way_out: str


def ledger_warning() -> LedgerWarning | None:
    """Return the warning about the ledger; None while its last verification found nothing."""
    alarm = queries.ledger_alarm()
    if alarm is None:
        return None
    since = date_format(localtime(alarm.since), "DATETIME_FORMAT")
    finding = str(FINDINGS.get(alarm.finding, alarm.finding))
    return LedgerWarning(
        what=_("The ledger of permissions does not verify."),
        found=_("%(finding)s (row %(row)s). Found on %(since)s.")
        % {"finding": finding, "row": alarm.row, "since": since}
        if alarm.row
        else _("%(finding)s. Found on %(since)s.") % {"finding": finding, "since": since},
        blocked=_(
            "New mailings are blocked until it verifies again. Mails that belong to an order or a "
            "request still go out, and everybody can still withdraw."
        ),
        way_out=str(WAYS_OUT.get(alarm.finding, RESTORE)),
    )
