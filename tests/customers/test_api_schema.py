"""The API answers as its own description says, whatever is sent; docs/api.md tells all of it."""

import json
import re
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from customers import api
from customers.api_keys import Scope, issue_key
from customers.consent import State
from customers.limits import Limiter
from insights import urls  # noqa: F401  (every app adds its calls, before they are described)
from insights.wsgi import application as product
from tests.customers.test_api import days_ago
from tests.makers import make_customer, make_purpose, make_wording, record

DESCRIPTION = json.loads(json.dumps(api.api.get_openapi_schema(path_prefix="/api/v1/")))
TEXT = (Path(__file__).parents[2] / "docs/api.md").read_text()


def application(environ, start_response):
    """The product, and beside it what it says of itself, without a database."""
    if environ["PATH_INFO"] == "/description":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(DESCRIPTION).encode()]
    return product(environ, start_response)


described = schemathesis.openapi.from_wsgi("/description", application)
AS_DESCRIBED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
often = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture
def secret(db, monkeypatch, settings):
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(api, "per_key", Limiter(1_000_000))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose, published_at=days_ago(900))
    noor = make_customer(reference="K1", email="noor@example.org")
    record(noor, purpose=purpose, state=State.WITHDRAWN, occurred_at=days_ago(9))
    issued = issue_key(name="App", scopes=Scope, days=9, made_by="1", now=timezone.now())
    yield issued.secret
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def headers(case, secret: str) -> dict:
    # Not compressed: this client would read it as it is.
    sent = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
    return {**(case.headers or {}), **sent}


@described.parametrize()
@often
def test_whatever_a_key_sends_is_answered_as_described(case, secret):
    case.headers = headers(case, secret)
    if "reference" in (case.path_parameters or {}):
        case.path_parameters["reference"] = "K1"
    if isinstance(case.body, dict) and isinstance(case.body.get("purpose"), str):
        case.body["purpose"] = "tips"
    if isinstance(case.body, dict) and isinstance(case.body.get("customer"), str):
        case.body["customer"] = "K1"
    response = case.call_and_validate(checks=AS_DESCRIBED)
    assert response.status_code not in (401, 403, 429, 503)
    # What was sent is told back where it is wrong, so only of her it may hold nothing.
    assert "noor@" not in response.text


@described.parametrize()
@settings(often, max_examples=10)
def test_whatever_a_stranger_sends_is_refused_as_described(case, secret):
    case.headers = headers(case, "ci_" + "x" * 43)
    # Another method is refused before anybody looks at the key.
    assert case.call_and_validate(checks=AS_DESCRIBED).status_code in (401, 405)


@pytest.mark.django_db
def test_the_description_is_there_for_everybody(client):
    response = client.get("/api/v1/openapi.json")
    assert response.json() == DESCRIPTION
    assert not response.cookies


def test_every_call_is_in_the_docs_with_an_example():
    for path, methods in DESCRIPTION["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}`" in TEXT
    examples = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    called = {re.search(r"/api/v1/\S+", one)[0].rstrip('"\\') for one in examples}
    assert {one.replace("K123", "{reference}") for one in called} == {*DESCRIPTION["paths"]}


def test_every_field_is_in_the_docs():
    names = ["Withdrawal", "GivenYes", "Asked", "Permission"]
    names += ["ContactRequest", "Decision", "Why", "Reservation", "ContactCounting", "Held", "Dose"]
    for name in names:
        for field in DESCRIPTION["components"]["schemas"][name]["properties"]:
            assert f"`{field}`" in TEXT, f"{name}.{field}"


# Those about contacts need somebody to contact: test_contacts_api.py sends them.
ABOUT_PERMISSION = TEXT.split("## Contacts")[0]


@pytest.mark.parametrize("example", re.findall(r"-d '(.*?)'", ABOUT_PERMISSION, re.DOTALL))
def test_the_bodies_of_the_examples_are_taken(client, secret, example):
    body = json.loads(example)
    if "evidence" in body and "method" in body:
        make_customer(reference="K2", email="b@example.org")
        path, body = "customers/K2/consent/give", body | {"purpose": "tips"}
    elif "purpose" in body:
        path, body = "customers/K1/consent/withdraw", body | {"purpose": "tips"}
    else:
        path = "consent"
    response = client.post(
        f"/api/v1/{path}",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert response.status_code in (200, 201), response.text
