"""The collector and its description (docs/collector.openapi.json) say the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from customers.limits import Limiter
from customers.subjects import SubjectState
from feedback import collect, public
from feedback.models import Reason, Response, Touchpoint
from feedback.scales import SCALES
from insights.wsgi import application as product
from tests.feedback.posts import SITE, an_answer_body, make_asking, send
from tests.feedback.recount import check_counts
from tests.feedback.test_public import REFUSALS

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs/collector.openapi.json").read_text())
SCHEMAS = DESCRIPTION["components"]["schemas"]
COLLECT = DESCRIPTION["paths"]["/collect/{key}/"]["post"]


def application(environ, start_response):
    """The product, and beside it the description of what it does."""
    if environ["PATH_INFO"] == "/description":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(DESCRIPTION).encode()]
    return product(environ, start_response)


described = schemathesis.openapi.from_wsgi("/description", application)
AS_DESCRIBED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Always the same examples: a surprise belongs to the change that makes it.
often = settings(
    max_examples=50,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture
def touchpoint(db, monkeypatch, settings) -> Iterator[Touchpoint]:
    settings.ALLOWED_HOSTS = ["*"]
    for limit in ("per_address", "per_touchpoint"):
        monkeypatch.setattr(public, limit, Limiter(1_000_000))
    # The connection belongs to the test; Django's own client does the same.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield make_asking(counts_exposures=True)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@described.parametrize()
@often
def test_whatever_a_stranger_sends_is_answered_as_described(case, touchpoint):
    case.call_and_validate(checks=AS_DESCRIBED)
    assert not Response.objects.exists()


@described.parametrize()
@often
def test_whatever_a_page_of_the_shop_sends_is_answered_as_described(case, touchpoint):
    case.path_parameters["key"] = touchpoint.key
    case.headers = {**(case.headers or {}), "Origin": SITE}
    response = case.call_and_validate(checks=AS_DESCRIBED)
    assert response.status_code not in (403, 429)
    check_counts()


# -- Bytes ----------------------------------------------------------------------------------------

whole = json.dumps(an_answer_body(comment="é☃😀", reason="fun", product="B-12")).encode()
cut_or_changed = st.builds(
    lambda start, end, middle: whole[:start] + middle + whole[end:],
    st.integers(0, len(whole)),
    st.integers(0, len(whole)),
    st.binary(max_size=9),
)
bodies = st.binary(max_size=400) | cut_or_changed | st.binary(min_size=8_100, max_size=8_300)
types = st.sampled_from([*public.CONTENT_TYPES, "text/plain;charset=utf-16", "text/html", "", "/"])
methods = st.sampled_from(["POST", "POST", "POST", "OPTIONS", "GET", "PUT", "HEAD", "BREW"])
# As they travel: every byte that is not plain is written with a percent sign. A slash makes it
# another address.
keys = st.none() | st.binary(min_size=1, max_size=60).map(
    lambda raw: quote(raw.replace(b"/", b""), safe="") or "0"
)


@given(bodies, types, methods, keys, st.sampled_from(["", "shown/"]))
@settings(often, max_examples=250)
def test_any_bytes_are_answered_in_the_same_form(touchpoint, body, content_type, method, key, to):
    response = send(key or touchpoint, body, method=method, to=to, content_type=content_type or "x")
    documented = {int(status) for status in COLLECT["responses"]} | {204, 405}
    assert response.status_code in documented - {429, 503}
    if response.status_code == 204 or method == "HEAD":
        assert response.content == b""
    elif response.status_code >= 400:
        said = response.json()
        assert list(said) == ["error", "field", "message"]
        assert said["error"] in SCHEMAS["Error"]["properties"]["error"]["enum"]
        assert said["message"].isprintable()
    else:
        assert response.json().keys() <= SCHEMAS["Taken"]["properties"].keys()


# -- What the description says, word by word ------------------------------------------------------


def test_the_fields_and_their_order_are_those_of_the_code():
    assert tuple(SCHEMAS["Answer"]["properties"]) == collect.ANSWER_FIELDS
    assert tuple(SCHEMAS["Edit"]["properties"]) == collect.EDIT_FIELDS


def test_the_words_are_those_of_the_code():
    assert set(SCHEMAS["Reason"]["enum"]) == {"", *Reason.values}
    assert set(SCHEMAS["Taken"]["properties"]["subject"]["enum"]) == set(SubjectState)
    assert tuple(COLLECT["requestBody"]["content"]) == tuple(reversed(public.CONTENT_TYPES))


@pytest.mark.parametrize("field", ["product", "lang", "comment", "subject"])
def test_a_text_may_be_as_long_as_described_and_no_longer(field):
    told = SCHEMAS["Answer"]["properties"][field]
    longest = (SCHEMAS["Comment"] if "$ref" in told else told)["maxLength"]
    answer = an_answer_body() | {field: "nl-" + "a" * (longest - 3)}
    if field == "lang":
        answer |= {field: "nl-" + "a" * (longest - 5) + "-a"}
    read(answer)
    with pytest.raises(collect.RuleBroken):
        read(answer | {field: answer[field] + "a"})


def read(fields: dict) -> object:
    return collect.read(fields, scale="nps", reasons=public.REASONS)


def test_the_values_are_those_of_all_scales_together():
    lowest = min(scale.lowest for scale in SCALES.values())
    highest = max(scale.highest for scale in SCALES.values())
    value = SCHEMAS["Value"]
    assert (value["minimum"], value["maximum"]) == (lowest, highest)
    for key, scale in SCALES.items():
        span = f"{scale.lowest} or {scale.highest}" if key == "thumb" else None
        assert f"{key} {span or f'{scale.lowest} to {scale.highest}'}" in value["description"]


def test_every_refusal_is_described():
    told = {(status, error) for _, status, error, _ in REFUSALS.values()}
    # And those that need a clock, a crowd or a busy database.
    told |= {(409, "too_late"), (429, "limit"), (503, "busy")}
    assert {error for _, error in told} == set(SCHEMAS["Error"]["properties"]["error"]["enum"])
    assert {str(status) for status, _ in told} | {"200", "201"} == {*COLLECT["responses"], "405"}
