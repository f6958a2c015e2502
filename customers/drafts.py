"""Drafts of the texts that customers say yes to: written, looked at, and published in one go."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from customers.gate import LANGUAGES, Fault, faults_of_texts
from customers.models import Change, Purpose, PurposeKind, Wording, WordingDraft
from customers.publishing import (
    Edition,
    NotEditorial,
    Promise,
    check_change,
    drafts_of,
    plan_of,
    publish,
)
from customers.wordings import Texts


class NothingToAsk(ValueError):
    """A purpose for which no text is written."""

    def __init__(self, purpose: Purpose) -> None:
        why = "is archived: bring it back first" if purpose.archived_at else "needs no permission"
        super().__init__(f"The purpose {purpose.key!r} {why}. Nothing is asked for it.")


class DraftChanged(ValueError):
    """Somebody changed or published the draft after it was looked at."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(
            f"The draft of {purpose.key!r} is not the one that was looked at any more. Look at it "
            "again, and publish what stands there then."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What somebody wrote so far: a text for each language, what is promised, what it changes."""

    texts: Mapping[str, Texts]
    promise: Promise | None
    change: Change


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands in the way of publishing: faults by language, and a change of more than words."""

    faults: Mapping[str, list[Fault]]
    not_editorial: NotEditorial | None = None

    @property
    def passes(self) -> bool:
        return not any(self.faults.values()) and self.not_editorial is None


def save_draft(*, purpose: Purpose, written: Written, by: str, now: datetime) -> WordingDraft:
    """Store the draft of a purpose in the place of the one before; `by` is an e-mail address."""
    with transaction.atomic():
        locked = _asked(purpose)
        draft, _ = WordingDraft.objects.update_or_create(
            purpose=locked,
            defaults={
                "texts": {language: asdict(texts) for language, texts in written.texts.items()},
                "promised_messages": written.promise.messages if written.promise else None,
                "promised_days": written.promise.days if written.promise else None,
                "change": str(written.change),
                "updated_at": now,
                "updated_by": by,
            },
        )
    return draft


def drop_draft(*, purpose: Purpose) -> bool:
    """Forget what was written; return whether there was anything."""
    dropped, _ = WordingDraft.objects.filter(purpose=purpose).delete()
    return bool(dropped)


def publish_draft(*, purpose: Purpose, seen: datetime, by: str, now: datetime) -> list[Wording]:
    """Publish the draft as it was saved at `seen`, and forget it; return the rows.

    DraftChanged if it is another one now, Unfit and NotEditorial as `publish` raises them.
    """
    with transaction.atomic():
        locked = _asked(purpose)
        draft = WordingDraft.objects.filter(purpose=locked, updated_at=seen).first()
        if draft is None:
            raise DraftChanged(locked)
        rows = publish(purpose=locked, edition=_edition(written_of(draft), by), now=now)
        draft.delete()
    return rows


def written_of(draft: WordingDraft) -> Written:
    """Return a stored draft as it was written."""
    promise = None
    if draft.promised_messages and draft.promised_days:
        promise = Promise(draft.promised_messages, draft.promised_days)
    return Written(
        # A database may keep them in another order.
        texts={
            language: Texts(**draft.texts[language])
            for language in LANGUAGES
            if language in draft.texts
        },
        promise=promise,
        change=Change(draft.change),
    )


def judge(purpose: Purpose, written: Written) -> Verdict:
    """Say what would stand in the way of publishing, language by language."""
    edition = _edition(written, "nobody yet")
    plan = plan_of(purpose, edition)
    faults = {
        draft.language: [
            # Each is looked at alone here, so the others seem to be missing.
            fault
            for fault in faults_of_texts(plan, [draft])
            if fault.code != "missing_language"
        ]
        for draft in drafts_of(edition)
    }
    try:
        check_change(purpose, edition)
    except NotEditorial as refused:
        return Verdict(faults, refused)
    return Verdict(faults)


def _edition(written: Written, by: str) -> Edition:
    return Edition(
        texts=written.texts, promise=written.promise, change=written.change, approved_by=by
    )


def _asked(purpose: Purpose) -> Purpose:
    """Lock a purpose for which something may be asked and return it, else NothingToAsk."""
    locked = Purpose.objects.select_for_update().get(pk=purpose.pk)
    if locked.archived_at or not PurposeKind(locked.kind).needs_consent:
        raise NothingToAsk(locked)
    return locked
