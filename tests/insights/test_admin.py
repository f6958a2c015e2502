"""The admin: every row can be looked at by an administrator, and nothing is changed there."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import override

from customers.admin import PaginatorToLimit, ReadOnlyAdmin
from customers.models import (
    Category,
    ConsentEntry,
    ConsentState,
    Customer,
    Evidence,
    LedgerCheck,
    LedgerCheckpoint,
    Product,
    Purchase,
    Purpose,
    Suppression,
    Wording,
)
from customers.verification import make_checkpoint
from feedback.models import (
    Campaign,
    CountingState,
    Exposure,
    Invitation,
    Response,
    ResponseEdit,
    Touchpoint,
)
from insights.accounts import Role
from insights.models import Annotation, ImportJob, JobRun, KpiSnapshot, NightlyRun, Organisation
from insights.services import assign_role
from tests.makers import (
    NOW,
    TODAY,
    a_purchase,
    a_response,
    an_invitation,
    make_category,
    make_customer,
    make_product,
    make_purpose,
    make_touchpoint,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"


def make_colleague(email: str, role: Role) -> User:
    # The migration makes them, but what a test with a browser empties stays empty.
    for name in Role:
        Group.objects.get_or_create(name=name)
    user = User.objects.create_user(username=email, email=email, password=PASSWORD)
    assign_role(user, role)
    return user


@pytest.fixture
def administrator() -> User:
    return make_colleague("kim@example.org", Role.ADMINISTRATOR)


@pytest.fixture
def browser(administrator: User, client: Client) -> Client:
    client.cookies["django_language"] = "en"
    client.force_login(administrator)
    return client


# -- One row of everything, with all that it can point to -----------------------------------------


def somewhere() -> dict[str, object]:
    return {
        "customer": make_customer(),
        "touchpoint": make_touchpoint(),
        "product": make_product(category=make_category()),
        "category": make_category(),
    }


def make_response() -> Response:
    places = somewhere()
    asked = stored(an_invitation(**places))
    return stored(a_response(invitation=asked, reason="other", comment="No.", **places))


def make_edit() -> ResponseEdit:
    response = make_response()
    return ResponseEdit.objects.create(
        response=response,
        touchpoint=response.touchpoint,
        key=f"edit of {response.key}",
        edited_at=NOW,
        value_before=3,
    )


def make_campaign() -> Campaign:
    name = f"Campaign {Campaign.objects.count()}"
    return Campaign.objects.create(key=name, name=name, created_at=NOW)


def make_exposure() -> Exposure:
    return Exposure.objects.create(touchpoint=make_touchpoint(), day=TODAY, kind="shown", n=12)


def make_snapshot() -> KpiSnapshot:
    day = TODAY - timedelta(days=KpiSnapshot.objects.count())
    return KpiSnapshot.objects.create(
        kpi="nps",
        period="day",
        start_on=day,
        end_on=day + timedelta(days=1),
        counts={"promoters": 1},
        n=1,
        definition_version=1,
        time_zone="Europe/Amsterdam",
        computed_at=NOW,
    )


def make_job_run() -> JobRun:
    name = f"job {JobRun.objects.count()}"
    return JobRun.objects.create(
        name=name, started_at=NOW, finished_at=NOW, milliseconds=3, succeeded=True
    )


def make_nightly_run() -> NightlyRun:
    day = TODAY - timedelta(days=NightlyRun.objects.count())
    return NightlyRun.objects.create(job="freeze_periods", on=day, done_at=NOW)


def make_import() -> ImportJob:
    return ImportJob.objects.create(
        kind="customers",
        file="imports/x.csv",
        file_name="customers.csv",
        created_by=User.objects.get(),
        created_at=NOW,
        result={"read": 3},
    )


def make_annotation() -> Annotation:
    return Annotation.objects.create(
        on=TODAY, text="A new shop", created_by=User.objects.get(), created_at=NOW
    )


def make_state() -> ConsentState:
    return ConsentState.objects.get(entry=record())


MAKERS = {
    Customer: make_customer,
    Category: make_category,
    Product: lambda: make_product(category=make_category()),
    Purchase: lambda: stored(a_purchase()),
    Touchpoint: lambda: make_touchpoint(product=make_product(), category=make_category()),
    Campaign: make_campaign,
    Invitation: lambda: stored(an_invitation(**somewhere())),
    Response: make_response,
    ResponseEdit: make_edit,
    Exposure: make_exposure,
    CountingState: lambda: CountingState.objects.get_or_create(
        id=1, defaults={"time_zone": "Europe/Amsterdam"}
    )[0],
    KpiSnapshot: make_snapshot,
    JobRun: make_job_run,
    NightlyRun: make_nightly_run,
    ImportJob: make_import,
    Annotation: make_annotation,
    Purpose: make_purpose,
    Wording: make_wording,
    ConsentEntry: record,
    ConsentState: make_state,
    Evidence: lambda: record(evidence="a slip of paper").evidence,
    Suppression: lambda: Suppression.objects.create(
        address_hash=f"{Suppression.objects.count():064}", reason="complaint", created_at=NOW
    ),
    LedgerCheckpoint: lambda: make_checkpoint(NOW + timedelta(days=LedgerCheck.objects.count())),
    LedgerCheck: lambda: LedgerCheck.objects.create(checked_at=NOW, entries=0),
    Organisation: lambda: Organisation.objects.get_or_create(pk=1, name="Lindehuis")[0],
}
ONE_ROW = {CountingState, Organisation}

every_model = pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)


def address(model: type, page: str, *args: object) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=args)


def test_these_models_and_no_others_are_there() -> None:
    assert set(admin.site._registry) == set(MAKERS)


@every_model
def test_every_field_has_a_name_that_is_translated(model) -> None:
    view = admin.site._registry[model]
    assert isinstance(view, ReadOnlyAdmin)
    plain = {
        name
        for name in {*view.fields, *map(str, view.list_display)} - {"pk", "label"}
        if not isinstance(model._meta.get_field(name).verbose_name, Promise)
    }
    assert plain - set(view.labels) == set()


@every_model
def test_the_list_and_a_row_open(browser: Client, model) -> None:
    row = MAKERS[model]()
    listed = browser.get(address(model, "changelist"))
    assert listed.status_code == 200
    assert listed.context["cl"].result_count >= 1
    shown = browser.get(address(model, "change", row.pk))
    assert shown.status_code == 200
    assert shown.context["has_change_permission"] is False


@every_model
def test_nothing_is_added_changed_or_deleted(browser: Client, model) -> None:
    row = MAKERS[model]()
    before = model.objects.values().get(pk=row.pk), model.objects.count()
    for page, args in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
        assert browser.post(address(model, page, *args), {"post": "yes"}).status_code == 403
    for page, args in (("add", ()), ("delete", (row.pk,))):
        assert browser.get(address(model, page, *args)).status_code == 403
    action = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    browser.post(address(model, "changelist"), action)
    assert (model.objects.values().get(pk=row.pk), model.objects.count()) == before


@every_model
@pytest.mark.parametrize("role", [Role.MARKETER, Role.CONSENT_ADMIN])
def test_other_roles_see_nothing(administrator, client: Client, model, role: Role) -> None:
    row = MAKERS[model]()
    client.force_login(make_colleague("noor@example.org", role))
    for path in (address(model, "changelist"), address(model, "change", row.pk)):
        assert client.get(path, follow=True).status_code == 403


# The session, the reader, the count and the rows; more for dates and for the choices of a filter.
QUERIES = dict.fromkeys(MAKERS, 5) | {
    Product: 6,
    Touchpoint: 7,
    Campaign: 7,
    Invitation: 6,
    Response: 6,
    ResponseEdit: 6,
    Exposure: 6,
    NightlyRun: 8,
    ImportJob: 7,
    Annotation: 7,
    Wording: 7,
    ConsentEntry: 6,
    ConsentState: 6,
    LedgerCheck: 6,
}


@every_model
@pytest.mark.parametrize("number", [1, 3])
def test_a_list_takes_the_same_queries_for_one_and_for_three(
    browser: Client, model, number: int, django_assert_num_queries
) -> None:
    for _ in range(number):
        MAKERS[model]()
    with django_assert_num_queries(QUERIES[model]):
        assert browser.get(address(model, "changelist")).status_code == 200


# -- Finding --------------------------------------------------------------------------------------


def fenna() -> Customer:
    return make_customer(reference="K-fenna", email="fenna@example.org", name="Fenna Voorbeeld")


SEARCHES = [
    pytest.param(fenna, "fenna@example", id="a customer by address"),
    pytest.param(fenna, "k-fenna", id="a customer by reference"),
    pytest.param(fenna, "voorbeeld", id="a customer by name"),
    pytest.param(lambda: make_category(name="Doormats"), "doorm", id="a category"),
    pytest.param(lambda: make_product(sku="D-12"), "d-12", id="a product"),
    pytest.param(lambda: stored(a_purchase(order="2026-0012")), "2026-0012", id="an order"),
    pytest.param(lambda: stored(a_purchase(customer=fenna())), "K-fenna", id="her purchases"),
    pytest.param(lambda: make_touchpoint(name="Returns page"), "returns", id="a touchpoint"),
    pytest.param(lambda: stored(an_invitation(customer=fenna())), "K-fenna", id="an invitation"),
    pytest.param(lambda: stored(a_response(customer=fenna())), "K-fenna", id="her answers"),
    pytest.param(lambda: stored(a_response(key="a1b2")), "a1b2", id="an answer by key"),
]


@pytest.mark.parametrize(("make", "words"), SEARCHES)
def test_a_search_finds_the_row_and_no_other(browser: Client, make, words: str) -> None:
    row = make()
    MAKERS[type(row)]()
    found = browser.get(address(type(row), "changelist"), {"q": words}).context["cl"]
    assert list(found.result_list) == [row]


def test_answers_are_filtered_by_scale(browser: Client) -> None:
    thumb, _score = stored(a_response(scale="thumb", value=1)), stored(a_response())
    found = browser.get(address(Response, "changelist"), {"scale__exact": "thumb"}).context["cl"]
    assert list(found.result_list) == [thumb]


@pytest.mark.parametrize(
    ("wanted", "number"), [({"kpi": "nps"}, 2), ({"dimension": "channel"}, 1), ({"kpi": "csat"}, 0)]
)
def test_kpis_are_filtered_by_what_they_are_about(browser, wanted: dict, number: int) -> None:
    make_snapshot()
    KpiSnapshot.objects.filter(pk=make_snapshot().pk).update(dimension="channel", key="email")
    found = browser.get(address(KpiSnapshot, "changelist"), wanted).context["cl"]
    assert found.result_count == number


def test_a_filter_is_called_as_its_column(browser: Client) -> None:
    found = browser.get(address(KpiSnapshot, "changelist")).context["cl"]
    with override("en"):
        titles = [str(one.title) for one in found.filter_specs]
    assert titles == ["KPI", "period", "slice by", "closed at", "corrected at", "first day"]


def test_a_count_stops_at_its_limit_and_says_so(browser: Client, monkeypatch) -> None:
    monkeypatch.setattr(PaginatorToLimit, "limit", 3)
    for _ in range(3):
        make_customer()
    page = browser.get(address(Customer, "changelist"))
    assert "The first 3: search or filter for the others" in page.content.decode()
    make_customer()
    assert browser.get(address(Customer, "changelist")).context["cl"].result_count == 3


# -- What it looks like ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "apps"),
    [
        ("en", ["Customers", "Figures, jobs and imports", "Questions and answers"]),
        ("nl", ["Cijfers, taken en imports", "Klanten", "Vragen en antwoorden"]),
    ],
)
def test_the_index_is_in_the_language_of_the_reader(browser, language, apps) -> None:
    browser.cookies["django_language"] = language
    text = browser.get("/admin/").content.decode()
    assert re.findall(r'class="section"[^>]*>\s*(.+?)\s*</a>', text) == apps
    assert "Customer Insights" in text
    assert f'href="{reverse("overview")}"' in text


def test_the_files_of_an_import_are_not_linked(browser: Client) -> None:
    page = browser.get(address(ImportJob, "change", make_import().pk))
    assert "imports/x.csv" not in page.content.decode()
