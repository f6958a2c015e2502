"""Constraints, each tested three ways: what is valid goes in, what is not is refused twice.

By `full_clean`, which forms use, and by the database, whatever anybody forgot to clean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction


@dataclass(frozen=True)
class Case:
    """A rule, a row that keeps it and a row that breaks it; neither row is stored yet.

    The rule is the name of a constraint, or `model.field` for a field that is unique.
    """

    rule: str
    keeps: Callable[[], models.Model]
    breaks: Callable[[], models.Model]


def rules_of(app: str) -> set[str]:
    """Return the names of all constraints and unique fields of an app."""
    found = set()
    for model in apps.get_app_config(app).get_models():
        found |= {constraint.name for constraint in model._meta.constraints}
        found |= {
            f"{model._meta.model_name}.{field.name}"
            for field in model._meta.fields
            if field.unique and not field.primary_key
        }
    return found


def again(make: Callable[[], models.Model]) -> models.Model:
    """Store a row and return another one that is the same."""
    make().save(force_insert=True)
    return make()


def check_valid_goes_in(case: Case) -> None:
    row = case.keeps()
    row.full_clean()
    row.save(force_insert=True)


def check_full_clean_refuses(case: Case) -> None:
    row = case.breaks()
    with pytest.raises(ValidationError):
        row.full_clean()
    for constraint in row._meta.constraints:
        if constraint.name == case.rule:
            # A rule of a field may have spoken first.
            with pytest.raises(ValidationError):
                constraint.validate(type(row), row)


def check_the_database_refuses(case: Case) -> None:
    row = case.breaks()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        row.save(force_insert=True)
    said = str(refused.value)
    _, _, field = case.rule.partition(".")
    # Of a unique key SQLite says only which columns it has.
    assert (field or case.rule) in said or (not field and "UNIQUE constraint failed" in said)
