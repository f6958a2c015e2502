"""The policy in force, its versions, and publishing the next one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from customers.dose_documents import Document, PolicyRefused, digest_of, document_of, policy_of
from customers.dose_policy import Policy
from customers.models import DosePolicy, DoseRule, PolicyDraft
from customers.wall_clocks import countries_with_holidays


class StaleDraft(ValueError):
    """The draft is not the one that was looked at."""


def current_version() -> DosePolicy | None:
    """Return the newest version, None in a database without any."""
    return DosePolicy.objects.order_by("-version").first()


def current_policy() -> Policy | None:
    """Return the policy in force, None without one: then nothing but service is allowed."""
    version = current_version()
    return policy_with(version.pk, version.digest) if version else None


@lru_cache(maxsize=8)
def policy_with(pk: int, digest: str) -> Policy:
    """Return a published version; the digest is what makes it safe to keep in memory."""
    version = DosePolicy.objects.get(pk=pk, digest=digest)
    return policy_of(stored_document(version), version.version)


def stored_document(version: DosePolicy) -> Document:
    """Return a published version as a document."""
    rules = list(version.rules.order_by("pk"))
    return {
        **version.settings,
        "cells": [_cell(one) for one in rules if not one.is_ceiling],
        "ceilings": [_ceiling(one) for one in rules if one.is_ceiling],
    }


def sound_policy(document: Any, version: int) -> Policy:
    """Return the policy of a document; PolicyRefused for one that cannot be kept.

    What the rules look back at has to be there still: nothing is counted that was deleted.
    """
    policy = policy_of(document, version)
    if policy.country and policy.country not in countries_with_holidays():
        raise PolicyRefused(
            [
                f"country {policy.country!r} has no holidays that are known; give the two letters "
                'of a country, such as "NL", or "" for none'
            ]
        )
    kept = timedelta(days=settings.RETENTION_CONTACTS_DAYS)
    if policy.longest_window * 2 > kept:
        raise PolicyRefused(
            [
                _(
                    "a window of %(days)s days, twice as long after an unhappy answer, looks back "
                    "further than contacts are kept (%(kept)s days); give a shorter window, or "
                    "raise RETENTION_CONTACTS_DAYS"
                )
                % {"days": policy.longest_window.days, "kept": kept.days}
            ]
        )
    return policy


def publish_policy(
    *, document: Any, author: str, note: str, now: datetime, after: int
) -> DosePolicy:
    """Publish the next version and drop the draft; `after` is the version that was compared with.

    PolicyRefused for a document that is not sound, or that changes nothing; StaleDraft if another
    version came in between.
    """
    with transaction.atomic():
        newest = DosePolicy.objects.select_for_update().order_by("-version").first()
        number = newest.version if newest else 0
        if number != after:
            raise StaleDraft(f"Version {number} was published meanwhile. Compare with it again.")
        policy = sound_policy(document, number + 1)
        if newest and newest.digest == digest_of(policy):
            text = _("it says the same as version %(version)s; change something")
            raise PolicyRefused([text % {"version": number}])
        PolicyDraft.objects.all().delete()
        return store_policy(policy, author=author, note=note, now=now)


def store_policy(policy: Policy, *, author: str, note: str, now: datetime) -> DosePolicy:
    """Write a sound policy as a version, with its rules."""
    document = document_of(policy)
    cells, ceilings = document.pop("cells"), document.pop("ceilings")
    version = DosePolicy.objects.create(
        version=policy.version,
        published_at=now,
        author=author,
        note=note,
        settings=document,
        digest=digest_of(policy),
    )
    DoseRule.objects.bulk_create(
        [
            *(_rule(version, one, is_ceiling=False, kinds=one["kind"]) for one in cells),
            *(
                _rule(version, one, is_ceiling=True, kinds=",".join(one["kinds"]))
                for one in ceilings
            ),
        ]
    )
    return version


def save_draft(*, document: Any, note: str, editor: str, now: datetime) -> PolicyDraft:
    """Keep a draft; PolicyRefused for a document that is not sound."""
    policy = sound_policy(document, (newest.version if (newest := current_version()) else 0) + 1)
    draft, _new = PolicyDraft.objects.update_or_create(
        pk=PolicyDraft.ONE,
        defaults={
            "document": document_of(policy),
            "note": note,
            "edited_by": editor,
            "edited_at": now,
        },
    )
    return draft


def drop_draft() -> None:
    """Forget the draft; without one nothing happens."""
    PolicyDraft.objects.all().delete()


def versions() -> Sequence[DosePolicy]:
    """Return all versions, the newest first."""
    return list(DosePolicy.objects.order_by("-version"))


def _rule(version: DosePolicy, row: Document, *, is_ceiling: bool, kinds: str) -> DoseRule:
    return DoseRule(
        policy=version,
        is_ceiling=is_ceiling,
        involvement=row.get("involvement", ""),
        customer_type=row["customer_type"],
        channel=row["channel"],
        kinds=kinds,
        limits=row["limits"],
        gap_hours=row["gap_hours"],
        per=row.get("per", ""),
    )


def _cell(rule: DoseRule) -> Document:
    return {
        "involvement": rule.involvement,
        "customer_type": rule.customer_type,
        "channel": rule.channel,
        "kind": rule.kinds,
        "per": rule.per,
        "limits": rule.limits,
        "gap_hours": rule.gap_hours,
    }


def _ceiling(rule: DoseRule) -> Document:
    return {
        "customer_type": rule.customer_type,
        "channel": rule.channel,
        "kinds": rule.kinds.split(",") if rule.kinds else [],
        "limits": rule.limits,
        "gap_hours": rule.gap_hours,
    }
