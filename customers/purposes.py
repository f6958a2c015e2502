"""Purposes: what customers can permit. Made, changed and archived; never deleted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from customers.consent import ALLOWING, Grade, State
from customers.models import (
    Channel,
    ConsentForm,
    ConsentState,
    Purpose,
    PurposeKind,
    Wording,
    WordingDraft,
)

# What is merely asserted never counts, so no purpose asks for that little.
GRADES = (Grade.A, Grade.B, Grade.C)


class PurposeError(ValueError):
    """Something about a purpose that cannot be.

    `code` says what, `field` where, and `values` what the sentence names.
    """

    def __init__(self, code: str, field: str, message: str, **values: str) -> None:
        self.code, self.field, self.values = code, field, values
        super().__init__(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class PurposeFacts:
    """What somebody decides about a purpose; PurposeError for what cannot be."""

    name_nl: str
    name_en: str
    kind: str
    channels: Sequence[str]
    valid_days: int = 730
    minimum_age: int = 16
    minimum_grade: str = Grade.C

    def __post_init__(self) -> None:
        if not self.name_nl or not self.name_en:
            field = "name_en" if self.name_nl else "name_nl"
            raise PurposeError("no_name", field, f"{field} is empty. Name it in both languages.")
        unknown = sorted(set(self.channels) - set(Channel.values))
        if unknown or not self.channels:
            message = f"The channels are {unknown or 'none'}. Choose from {Channel.values}."
            raise PurposeError("channels", "channels", message)
        if self.minimum_grade not in GRADES:
            message = f"{self.minimum_grade} is no proof. Choose A, B or C as the weakest."
            raise PurposeError("grade", "minimum_grade", message)


def add_purpose(*, key: str, facts: PurposeFacts) -> Purpose:
    """Store a new purpose; its key must be new, those of archived purposes included."""
    try:
        with transaction.atomic():
            return Purpose.objects.create(key=key, **_columns(facts))
    except IntegrityError:
        if not Purpose.objects.filter(key=key).exists():
            raise
        message = f"There is a purpose {key!r} already. Choose another key."
        raise PurposeError("key_taken", "key", message, key=key) from None


def change_purpose(*, purpose: Purpose, facts: PurposeFacts) -> Purpose:
    """Change all of a purpose but its key, and once something was published but its kind.

    Who agreed to one kind did not agree to another. A channel on which a form asks stays.
    """
    with transaction.atomic():
        locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
        if facts.kind != locked.kind and locked.wordings.exists():
            message = (
                f"{locked.key!r} was published as {locked.kind} and would be {facts.kind}. Nobody "
                "agreed to that: make another purpose."
            )
            raise PurposeError("kind_fixed", "kind", message)
        if facts.kind == PurposeKind.SERVICE and WordingDraft.objects.filter(purpose=locked):
            message = f"{locked.key!r} has a draft, and service asks nothing. Drop the draft first."
            raise PurposeError("has_draft", "kind", message)
        for form in forms_asking(locked):
            if form.channel not in facts.channels:
                _refuse_in_use(form, "channel_in_use", "channels")
        for name, value in _columns(facts).items():
            setattr(locked, name, value)
        locked.save()
    return locked


def archive_purpose(*, purpose: Purpose, now: datetime) -> Purpose:
    """Stop using a purpose: nothing is processed for it. Entries, texts and refusals stay."""
    with transaction.atomic():
        locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
        for form in forms_asking(locked):
            _refuse_in_use(form, "in_use", "")
        locked.archived_at = locked.archived_at or now
        locked.save(update_fields=["archived_at"])
    return locked


def unarchive_purpose(*, purpose: Purpose) -> Purpose:
    """Use a purpose again; what was permitted and is still valid counts again."""
    Purpose.objects.filter(pk=purpose.pk).update(archived_at=None)
    purpose.archived_at = None
    return purpose


def _columns(facts: PurposeFacts) -> dict[str, object]:
    return asdict(facts) | {
        # In the order of the vocabulary, whatever order they were chosen in.
        "channels": [one for one in Channel.values if one in facts.channels],
    }


def _refuse_in_use(form: ConsentForm, code: str, field: str) -> None:
    message = (
        f"The form {form.name!r} asks it on {form.channel}. Change or archive that form first."
    )
    raise PurposeError(code, field, message, form=form.name)


# -- Reads ----------------------------------------------------------------------------------------


def forms_asking(purpose: Purpose) -> QuerySet[ConsentForm]:
    """Return the forms in use that ask for a purpose."""
    asked = ConsentForm.objects.filter(Q(first=purpose) | Q(second=purpose))
    return asked.filter(archived_at__isnull=True).order_by("pk")


def purpose_list() -> QuerySet[Purpose]:
    """Return all purposes, those in use first, each with `version` and `has_draft`."""
    last = Wording.objects.filter(purpose=OuterRef("pk")).order_by("-version")
    drafts = WordingDraft.objects.filter(purpose=OuterRef("pk"))
    return Purpose.objects.annotate(
        version=Subquery(last.values("version")[:1]), has_draft=Exists(drafts)
    ).order_by(F("archived_at").asc(nulls_first=True), "pk")


def current_texts(purpose: Purpose) -> dict[str, Wording]:
    """Return the texts of the newest version by language; none before the first."""
    last = purpose.wordings.order_by("-version").values("version")[:1]
    return {row.language: row for row in purpose.wordings.filter(version=Subquery(last))}


def permissions_in_force(purpose: Purpose, now: datetime) -> int:
    """Count the permissions of customers that a material change would end.

    A sale that stands in for a yes cites no text, so no text ends it.
    """
    current = current_texts(purpose)
    if not current:
        return 0
    scope = next(iter(current.values())).scope_hash
    return ConsentState.objects.filter(
        purpose=purpose,
        state__in=ALLOWING - {State.SOFT},
        valid_until__gt=now,
        entry__wording__scope_hash=scope,
    ).count()
