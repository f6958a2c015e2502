"""The register of processing (GDPR art. 30), made from the purposes and their current texts."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customers.models import Channel, Purpose, PurposeKind, Wording


@dataclass(frozen=True, slots=True)
class Activity:
    """One purpose as it is today; `wording` is None while no text was published for it."""

    name: str
    kind: str
    # Whether customers are asked: an invoice needs no text.
    asked: bool
    basis: str
    channels: list[str]
    minimum_age: int
    valid_days: int
    archived_at: datetime | None
    since: datetime | None
    wording: Wording | None


@dataclass(frozen=True, slots=True)
class Other:
    """What is done with personal data without a purpose of its own."""

    name: str
    basis: str
    data: str
    people: str


def activities(language: str, now: datetime) -> list[Activity]:
    """Return all purposes, those in use first, with the text that holds now in a language."""
    texts: dict[int, list[Wording]] = {}
    for wording in Wording.objects.filter(published_at__lte=now).order_by("version", "pk"):
        texts.setdefault(wording.purpose_id, []).append(wording)
    found = [
        _activity(one, texts.get(one.pk, []), language) for one in Purpose.objects.order_by("pk")
    ]
    return sorted(found, key=lambda one: one.archived_at is not None)


def _activity(purpose: Purpose, texts: list[Wording], language: str) -> Activity:
    channels = dict(Channel.choices)
    kind = PurposeKind(purpose.kind)
    newest = [one for one in texts if one.version == texts[-1].version]
    spoken = [one for one in newest if one.language == language[:2]] or newest
    return Activity(
        name=purpose.name_in(language),
        kind=str(kind.label),
        asked=kind.needs_consent,
        basis=_("Consent, GDPR art. 6(1)(a); for mail and text messages also the ePrivacy rules")
        if kind.needs_consent
        else _("Part of an order, GDPR art. 6(1)(b)"),
        channels=[str(channels.get(one, one)) for one in purpose.channels],
        minimum_age=purpose.minimum_age,
        valid_days=purpose.valid_days,
        archived_at=purpose.archived_at,
        since=texts[0].published_at if texts else None,
        wording=spoken[0] if spoken else None,
    )


def others() -> list[Other]:
    """Return what is done besides, in the reader's language."""
    buyers = _("Customers")
    return [
        Other(
            _("Knowing customers and how they buy, to contact nobody too often"),
            _("Legitimate interest, GDPR art. 6(1)(f)"),
            _("Reference, name, e-mail, language, purchases, type of buyer"),
            buyers,
        ),
        Other(
            _("Measuring satisfaction"),
            _("Legitimate interest, GDPR art. 6(1)(f); answers of visitors have no name"),
            _("Answers, reasons, comments"),
            _("Customers and visitors"),
        ),
        Other(
            _("Proof of permission, and requests about data"),
            _("Legal obligation, GDPR art. 6(1)(c) and 7(1)"),
            _("The ledger, letters, requests, who looked at the data, stopped addresses in hashes"),
            buyers,
        ),
    ]
