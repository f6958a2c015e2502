"""What the tables of insights refuse, whoever writes to them."""

from datetime import date

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from insights.models import (
    Annotation,
    ImportJob,
    JobRun,
    KpiSnapshot,
    NightlyRun,
    Organisation,
)
from tests.insights.makers import NOW

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)

VALID = {
    KpiSnapshot: {
        "kpi": "nps",
        "period": "month",
        "start_on": JANUARY,
        "end_on": FEBRUARY,
        "counts": {"promoters": 1, "passives": 0, "detractors": 0},
        "n": 1,
        "definition_version": 1,
        "time_zone": "Europe/Amsterdam",
        "computed_at": NOW,
    },
    JobRun: {
        "name": "fold",
        "started_at": NOW,
        "finished_at": NOW,
        "milliseconds": 5,
        "succeeded": True,
    },
    NightlyRun: {"job": "freeze_periods", "on": JANUARY, "done_at": NOW},
    ImportJob: {
        "kind": "customers",
        "file": "imports/customers.csv",
        "file_name": "customers.csv",
        "options": {"fields": {}},
        "created_at": NOW,
    },
    Organisation: {"pk": 1, "name": "Lindehuis"},
    Annotation: {"on": JANUARY, "text": "New courier", "created_at": NOW},
}

# constraint → the model and what makes a valid row break it; a repeat has no other value.
REPEATED = {}
BROKEN = {
    "kpisnapshot_slice_unique": (KpiSnapshot, REPEATED),
    "kpisnapshot_starts_before_it_ends": (KpiSnapshot, {"end_on": JANUARY}),
    "kpisnapshot_only_frozen_is_corrected": (
        KpiSnapshot,
        {"corrected_at": NOW, "corrected_counts": {"promoters": 2}},
    ),
    "kpisnapshot_period_known": (KpiSnapshot, {"period": "fortnight"}),
    "nightlyrun_once_a_day": (NightlyRun, REPEATED),
    "importjob_percent_to_100": (ImportJob, {"percent": 101}),
    "importjob_kind_known": (ImportJob, {"kind": "recipes"}),
    "importjob_status_known": (ImportJob, {"status": "asleep"}),
    "organisation_one_row": (Organisation, {"pk": 2}),
    "organisation_logo_typed": (Organisation, {"logo": b"GIF89a", "logo_type": "image/gif"}),
    "annotation_says_something": (Annotation, {"text": ""}),
}

BESIDE = [
    pytest.param(KpiSnapshot, {"kpi": "csat"}, id="another kpi"),
    pytest.param(KpiSnapshot, {"period": "week"}, id="another kind of period"),
    pytest.param(KpiSnapshot, {"start_on": date(2025, 12, 1)}, id="another month"),
    pytest.param(KpiSnapshot, {"dimension": "channel"}, id="a slice without a key"),
    pytest.param(KpiSnapshot, {"dimension": "channel", "key": "web"}, id="a slice"),
    pytest.param(NightlyRun, {"on": FEBRUARY}, id="another night"),
    pytest.param(NightlyRun, {"job": "customer_types"}, id="another job"),
]

ALLOWED = [
    pytest.param(KpiSnapshot, {"frozen_at": NOW}, id="frozen"),
    pytest.param(
        KpiSnapshot,
        {"frozen_at": NOW, "corrected_at": NOW, "corrected_counts": {"promoters": 2}},
        id="frozen and corrected",
    ),
    pytest.param(ImportJob, {"percent": 100}, id="an import that is through"),
]


def facts(model: type[models.Model], given: dict[str, object]) -> dict[str, object]:
    someone = {}
    if model is ImportJob:
        someone["created_by"] = User.objects.get_or_create(username="noor@example.org")[0]
    return {**VALID[model], **someone, **given}


def valid(model: type[models.Model], **given: object) -> models.Model:
    return model(**facts(model, given))


def test_every_constraint_has_a_row_here():
    named = {
        constraint.name
        for model in apps.get_app_config("insights").get_models()
        for constraint in model._meta.constraints
    }
    assert set(BROKEN) == named


@pytest.mark.django_db
@pytest.mark.parametrize("model", VALID, ids=lambda model: model.__name__)
def test_a_valid_row_passes(model):
    row = valid(model)
    row.full_clean()
    row.save()
    assert model.objects.get().pk == row.pk


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "given"), ALLOWED)
def test_what_may_be_so(model, given):
    row = valid(model, **given)
    row.full_clean()
    row.save()


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "given"), BESIDE)
def test_what_may_stand_beside_it(model, given):
    valid(model).save()
    other = valid(model, **given)
    other.full_clean()
    other.save()
    assert model.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", BROKEN)
def test_full_clean_refuses(name):
    model, given = BROKEN[name]
    if given is REPEATED:
        valid(model).save()
    with pytest.raises(ValidationError):
        valid(model, **given).full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses(name):
    model, given = BROKEN[name]
    if given is REPEATED:
        valid(model).save()
    before = model.objects.count()
    # SQLite names the columns of a unique constraint, and only a check by its name.
    words = "(?i)unique" if given is REPEATED else name
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        model.objects.create(**facts(model, given))
    assert model.objects.count() == before


@pytest.mark.django_db
def test_a_job_has_one_row():
    valid(JobRun).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        JobRun.objects.create(**VALID[JobRun])
