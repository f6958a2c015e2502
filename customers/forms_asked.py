"""Opt-in forms: where permission is asked, for what, and on whose pages.

A form is in use from the moment it is stored, so a page of it that the gate refuses is not stored.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils import translation

from customers.gate import LANGUAGES, Fault, faults_of_screen
from customers.models import ConsentForm, Purpose, PurposeKind, Wording
from customers.purposes import current_texts
from customers.screens import screen_of

# What the pages of a form are made of, and what the gate judges.
FIRST_STEP = "customers/_optin_first.html"
SECOND_STEP = "customers/_optin_second.html"

# As browsers write where a page is from. Anything else could end the header it is put into.
ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+")


class FormError(ValueError):
    """Something about a form that cannot be.

    `code` says what, `field` where, and `values` what the sentence names.
    """

    def __init__(self, code: str, field: str, message: str, **values: str) -> None:
        self.code, self.field, self.values = code, field, values
        super().__init__(message)


class FormRefused(ValueError):
    """The gate refused how the form asks."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults
        super().__init__(" ".join(fault.sentence for fault in faults))


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What somebody decides about a form; `origins` are exact, as https://www.shop.example."""

    name: str
    first: Purpose
    second: Purpose | None = None
    channel: str = "email"
    origins: Sequence[str] = ()


def new_form_key() -> str:
    """Return a public key that nobody guesses."""
    return f"ask-{secrets.token_hex(6)}"


def add_form(*, asking: Asking, now: datetime) -> ConsentForm:
    """Store a new form; FormError and FormRefused say what cannot be."""
    with transaction.atomic():
        _check(asking)
        return ConsentForm.objects.create(key=new_form_key(), created_at=now, **_columns(asking))


def change_form(*, form: ConsentForm, asking: Asking) -> ConsentForm:
    """Change all of a form but its key."""
    with transaction.atomic():
        locked = ConsentForm.objects.select_for_update().get(pk=form.pk)
        _check(asking)
        for name, value in _columns(asking).items():
            setattr(locked, name, value)
        locked.save()
    return locked


def archive_form(*, form: ConsentForm, now: datetime) -> None:
    """Stop asking there; what was counted and permitted stays."""
    ConsentForm.objects.filter(pk=form.pk, archived_at=None).update(archived_at=now)


def unarchive_form(*, form: ConsentForm) -> None:
    """Ask there again; FormError if what it asks is not asked any more."""
    with transaction.atomic():
        locked = ConsentForm.objects.select_for_update().get(pk=form.pk)
        _check(asking_of(locked))
        locked.archived_at = None
        locked.save(update_fields=["archived_at"])


def asking_of(form: ConsentForm) -> Asking:
    """Return what was decided about a form."""
    return Asking(
        name=form.name,
        first=form.first,
        second=form.second,
        channel=form.channel,
        origins=form.origins,
    )


def pages(asking: Asking) -> Iterator[str]:
    """Yield the form of each step as its page has it, as HTML, in every language."""
    steps = {FIRST_STEP: asking.first, SECOND_STEP: asking.second}
    texts = {template: current_texts(one) for template, one in steps.items() if one}
    for language in LANGUAGES:
        for template, of_step in texts.items():
            with translation.override(language):
                yield render_to_string(template, {"text": of_step[language], "spoken": language})


def faults_of_pages(shown: Iterable[str]) -> list[Fault]:
    """Return all that is wrong with how pages ask, each once."""
    return list(
        dict.fromkeys(fault for page in shown for fault in faults_of_screen(screen_of(page)))
    )


def _check(asking: Asking) -> None:
    if not asking.name:
        raise FormError("no_name", "name", "The name is empty. Say how colleagues call this form.")
    wrong = [origin for origin in asking.origins if not ORIGIN.fullmatch(origin)]
    if wrong:
        message = f"{wrong[0]!r} is no origin. Write each site as https://www.shop.example."
        raise FormError("origin", "origins", message, origin=wrong[0])
    # Locked, or a purpose could be archived meanwhile.
    keys = [one.pk for one in (asking.first, asking.second) if one]
    rows = Purpose.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    locked = {row.pk: row for row in rows}
    _check_purpose(locked[asking.first.pk], asking, "first")
    if asking.second:
        _check_purpose(locked[asking.second.pk], asking, "second")
        if asking.second.kind == asking.first.kind:
            message = "Both questions are of one kind. Ask for another kind of permission second."
            raise FormError("same_kind", "second", message)
    faults = faults_of_pages(pages(asking))
    if faults:
        raise FormRefused(faults)


def _check_purpose(purpose: Purpose, asking: Asking, field: str) -> None:
    texts = current_texts(purpose)
    needless = purpose.archived_at or not PurposeKind(purpose.kind).needs_consent
    if needless or not texts.keys() >= set(LANGUAGES):
        message = (
            f"{purpose.key!r} has no published text in {LANGUAGES} in use. Publish one, or choose "
            "another purpose."
        )
        raise FormError("not_asked", field, message, purpose=purpose.key)
    if asking.channel not in purpose.channels:
        message = f"{purpose.key!r} is not asked on {asking.channel}, only on {purpose.channels}."
        raise FormError("channel", "channel", message, purpose=purpose.key)
    if field == "first" and not _says_who(texts):
        message = f"The text of {purpose.key!r} does not name who asks. Ask it second."
        raise FormError("no_sender", field, message, purpose=purpose.key)


def _says_who(texts: Mapping[str, Wording]) -> bool:
    """Say whether the first layer names who asks, which only a second question may leave out."""
    return all(
        row.controller.lower() in f"{row.label} {row.helper}".lower() for row in texts.values()
    )


def _columns(asking: Asking) -> dict[str, object]:
    return {
        "name": asking.name,
        "first": asking.first,
        "second": asking.second,
        "channel": asking.channel,
        "origins": sorted(set(asking.origins)),
    }


# -- Reads ----------------------------------------------------------------------------------------


def form_list() -> QuerySet[ConsentForm]:
    """Return all forms, those in use first, each with how often it was `shown` and `ticked`."""
    return (
        ConsentForm.objects.select_related("first", "second")
        .annotate(
            shown=Coalesce(Sum("asktally__shown"), 0), ticked=Coalesce(Sum("asktally__ticked"), 0)
        )
        .order_by(F("archived_at").desc(nulls_first=True), "pk")
    )


def askable() -> QuerySet[Purpose]:
    """Return the purposes that a form can ask for: in use, and with a published text."""
    published = Wording.objects.filter(purpose=OuterRef("pk"))
    in_use = Purpose.objects.filter(Exists(published), archived_at__isnull=True)
    return in_use.exclude(kind=PurposeKind.SERVICE).order_by("pk")
