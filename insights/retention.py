"""How long what is kept: in one list for the register, for people who ask, and for the night."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept and how long, in words."""

    what: str
    how_long: str


def rules() -> list[Rule]:
    """Return what is kept how long, in the reader's language."""
    return [
        Rule(_("Name, address, language and wishes"), _("until erased on request")),
        Rule(_("Purchases"), _("until erased on request")),
        Rule(
            _("Permissions given, refused and taken back"),
            _("as proof, also after an erasure, then without name or address"),
        ),
        Rule(_("Answers to questions"), _("until erased on request; then without a name")),
        Rule(_("Comments under answers"), days(settings.RETENTION_COMMENTS_DAYS)),
        Rule(_("Who looked at the data"), days(settings.RETENTION_ACCESS_LOG_DAYS)),
        Rule(_("Why a message was sent or not"), days(settings.RETENTION_DECISIONS_DAYS)),
        Rule(_("How often somebody was contacted"), days(settings.RETENTION_CONTACTS_DAYS)),
        Rule(_("That letters were sent"), days(settings.RETENTION_LETTERS_DAYS)),
        Rule(_("Requests about data, once answered"), days(settings.RETENTION_REQUESTS_DAYS)),
        Rule(_("Rows that an import refused"), days(settings.RETENTION_REJECTS_DAYS)),
        Rule(
            _("The hash of an erased address, so that it is not written to"),
            days(settings.RETENTION_STOPS_DAYS),
        ),
    ]


def days(n: int) -> str:
    """Return a number of days as people say it: in whole years where it is that."""
    if n % 365 == 0:
        years = n // 365
        return _("1 year") if years == 1 else _("%(n)d years") % {"n": years}
    return _("%(n)d days") % {"n": n}
