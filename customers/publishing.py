"""Publishing the texts that customers say yes to: through the gate, in all languages at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from customers.gate import Draft, Fault, Plan, faults_of_texts
from customers.models import Change, Purpose, PurposeKind, Wording
from customers.wordings import Texts, scope_hash, text_hash


class Unfit(ValueError):
    """Texts the gate refused; `faults` says what is wrong with each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        super().__init__(" ".join(fault.sentence for fault in faults))


class NotEditorial(ValueError):
    """A new promise that would hold for people who agreed to less."""

    def __init__(self, before: "Promise", after: "Promise | None") -> None:
        super().__init__(
            f"{after or 'No promise'} is more than {before}, which customers agreed to. That is a "
            "material change: publish it as one, and earlier permissions no longer count."
        )


@dataclass(frozen=True, slots=True)
class Promise:
    """At most so many messages in so many days."""

    messages: int
    days: int

    def __str__(self) -> str:
        return f"{self.messages} messages in {self.days} days"

    def exceeds(self, other: "Promise") -> bool:
        return self.messages * other.days > other.messages * self.days


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
    faults = faults_of_texts(_plan(purpose, edition), _drafts(edition))
    if faults:
        raise Unfit(faults)
    with transaction.atomic():
        locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
        last = locked.wordings.order_by("-version").first()
        change = edition.change if last else Change.MATERIAL
        if last and change == Change.EDITORIAL:
            _check_promise(last, edition.promise)
        generation = _generations(locked) + (change == Change.MATERIAL)
        return [
            Wording.objects.create(
                purpose=locked,
                version=last.version + 1 if last else 1,
                language=language,
                promised_messages=edition.promise.messages if edition.promise else None,
                promised_days=edition.promise.days if edition.promise else None,
                change=change,
                scope_hash=scope_hash(locked.key, locked.kind, generation),
                text_hash=text_hash(language, texts),
                approved_by=edition.approved_by,
                published_at=now,
                **asdict(texts),
            )
            for language, texts in edition.texts.items()
        ]


def _generations(purpose: Purpose) -> int:
    """Count the material versions there were."""
    material = purpose.wordings.filter(change=Change.MATERIAL)
    return material.values("version").distinct().count()


def _check_promise(last: Wording, promise: Promise | None) -> None:
    if last.promised_messages is None or last.promised_days is None:
        return
    before = Promise(last.promised_messages, last.promised_days)
    if promise is None or promise.exceeds(before):
        raise NotEditorial(before, promise)


def _plan(purpose: Purpose, edition: Edition) -> Plan:
    sender = next((texts.controller for texts in edition.texts.values()), "")
    promised = edition.promise.messages if edition.promise else None
    return Plan(PurposeKind(purpose.kind).value, sender, promised)


def _drafts(edition: Edition) -> list[Draft]:
    return [
        Draft(language, texts.label, texts.helper, texts.way_out)
        for language, texts in edition.texts.items()
    ]
