"""Where a hold comes from, in the reader's words."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from customers.models import ContactHold
from insights.customer_records import colleagues_by_id

_COLLEAGUE, _ANSWER = "colleague:", "answer:"


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, and where it comes from: "written down by Noor Demo (Consent admin)"."""

    hold: ContactHold
    source: str


def with_sources(holds: Iterable[ContactHold]) -> list[Held]:
    """Say of each hold where it comes from; in one query for the names of all colleagues."""
    found = list(holds)
    ids = {one.source.removeprefix(_COLLEAGUE) for one in found if _is_colleagues(one)}
    names = colleagues_by_id(ids)
    return [Held(one, _source(one, names)) for one in found]


def _is_colleagues(hold: ContactHold) -> bool:
    return hold.source.startswith(_COLLEAGUE)


def _source(hold: ContactHold, names: dict[str, str]) -> str:
    if hold.source.startswith(_ANSWER):
        return _("from an answer of theirs")
    if not _is_colleagues(hold):
        return _("from another system")
    name = names.get(hold.source.removeprefix(_COLLEAGUE))
    if name is None:
        return _("written down by a colleague who is no longer here")
    return _("written down by %(name)s") % {"name": name}
