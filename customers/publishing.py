"""Publishing the texts that customers say yes to: through the gate, in all languages at once.

Texts that others once asked, and that come in with an import, are kept here too, as proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from customers.gate import Draft, Fault, Plan, faults_of_imported, faults_of_texts
from customers.models import Change, Purpose, PurposeKind, Wording
from customers.wordings import Texts, scope_hash, text_hash


class Unfit(ValueError):
    """Texts the gate refused; `faults` says what is wrong with each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        super().__init__(" ".join(fault.sentence for fault in faults))


# What a text says of what is done; a change of these is one of deeds.
DEEDS = ("controller", "data_types", "recipients", "retention")


@dataclass(frozen=True, slots=True)
class Promise:
    """At most so many messages in so many days."""

    messages: int
    days: int

    def __str__(self) -> str:
        return f"{self.messages} messages in {self.days} days"

    def exceeds(self, other: "Promise") -> bool:
        """Say whether it is more at once, or more in the long run."""
        more_often = self.messages * other.days > other.messages * self.days
        return more_often or self.messages > other.messages


class NotEditorial(ValueError):
    """A change that would hold for people who agreed to something else.

    `field` is one of DEEDS, or "promise": what was promised before, and what now, or None.
    """

    def __init__(
        self, field: str, before: "str | Promise", after: "str | Promise | None", language: str = ""
    ) -> None:
        self.field, self.before, self.after, self.language = field, before, after, language
        what = f"{field} was “{before}” and would be “{after}”"
        if field == "promise":
            what = f"{after or 'No promise'} is more than {before}, which customers agreed to"
        super().__init__(
            f"{what}. That is a material change: publish it as one, and earlier permissions no "
            "longer count."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Edition:
    """A new version: a text for each language, what is promised, and what it changes."""

    texts: Mapping[str, Texts]
    promise: Promise | None
    change: Change
    approved_by: str


def publish(*, purpose: Purpose, edition: Edition, now: datetime) -> list[Wording]:
    """Publish the next version of a purpose's text and return it, one row for each language.

    Unfit for what the gate refuses, NotEditorial for a change that is more than one of words. A
    first version is a material one, whatever it calls itself: before it nothing was permitted.
    """
    faults = faults_of_texts(plan_of(purpose, edition), drafts_of(edition))
    if faults:
        raise Unfit(faults)
    with transaction.atomic():
        locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
        last = check_change(locked, edition)
        change = edition.change if last else Change.MATERIAL
        generation = _generations(locked) + (change == Change.MATERIAL)
        rows = [
            Wording(
                purpose=locked,
                version=last.version + 1 if last else 1,
                language=language,
                promised_messages=edition.promise.messages if edition.promise else None,
                promised_days=edition.promise.days if edition.promise else None,
                change=str(change),
                scope_hash=scope_hash(locked.key, locked.kind, generation),
                approved_by=edition.approved_by,
                published_at=now,
                **asdict(texts),
            )
            for language, texts in edition.texts.items()
        ]
        for row in rows:
            row.text_hash = text_hash(row.facts)
            row.save(force_insert=True)
        return rows


# Of a text that was shown elsewhere nothing else is known, its language included (ISO 639-2).
NOT_KNOWN = "–"
NO_LANGUAGE = "und"
LABEL_CHARS = 200


def record_imported_text(
    *, purpose: Purpose, text: str, first_given_at: datetime, approved_by: str
) -> Wording:
    """Keep the exact text that was shown elsewhere as proof, and return it; it is asked nowhere.

    It counts for what the purpose does now. Whether a permission is of a time when something else
    was done, only who knows its date can say. Unfit for a text that is no yes to this purpose;
    Wording.DoesNotExist for a purpose without a text of its own, which says what is done.
    """
    faults = faults_of_imported(PurposeKind(purpose.kind).value, text)
    if faults:
        raise Unfit(faults)
    with transaction.atomic():
        locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
        own = locked.wordings.filter(version__gte=1).latest("version")
        lowest = locked.wordings.earliest("version").version
        row = Wording(
            purpose=locked,
            version=min(lowest, 0) - 1,
            language=NO_LANGUAGE,
            label=text if len(text) <= LABEL_CHARS else f"{text[: LABEL_CHARS - 1]}…",
            helper=NOT_KNOWN,
            details=text,
            controller=own.controller,
            way_out=NOT_KNOWN,
            change=Change.EDITORIAL,
            scope_hash=own.scope_hash,
            approved_by=approved_by,
            published_at=first_given_at,
        )
        row.text_hash = text_hash(row.facts)
        row.save(force_insert=True)
        return row


def _generations(purpose: Purpose) -> int:
    """Count the material versions there were."""
    material = purpose.wordings.filter(change=Change.MATERIAL)
    return material.values("version").distinct().count()


def check_change(purpose: Purpose, edition: Edition) -> Wording | None:
    """Raise NotEditorial for a change of deeds that calls itself one of words.

    Return a wording of the version before, None if there is none.
    """
    last = purpose.wordings.order_by("-version").first()
    if last and edition.change == Change.EDITORIAL:
        _check_editorial(purpose, last, edition)
    return last


def _check_editorial(purpose: Purpose, last: Wording, edition: Edition) -> None:
    if last.promised_messages is not None and last.promised_days is not None:
        before = Promise(last.promised_messages, last.promised_days)
        if edition.promise is None or edition.promise.exceeds(before):
            raise NotEditorial("promise", before, edition.promise)
    for row in purpose.wordings.filter(version=last.version, language__in=edition.texts):
        for name in DEEDS:
            was, is_now = getattr(row, name), getattr(edition.texts[row.language], name)
            if was != is_now:
                raise NotEditorial(name, was, is_now, row.language)


def plan_of(purpose: Purpose, edition: Edition) -> Plan:
    """Return what the gate has to know of a purpose."""
    sender = next((texts.controller for texts in edition.texts.values()), "")
    promised = edition.promise.messages if edition.promise else None
    return Plan(PurposeKind(purpose.kind).value, sender, promised)


def drafts_of(edition: Edition) -> list[Draft]:
    """Return what the gate reads, one text for each language."""
    return [
        Draft(language, texts.label, texts.helper, texts.way_out)
        for language, texts in edition.texts.items()
    ]
