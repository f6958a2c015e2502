"""A page of a shop that sends answers to the collector, as the widget does."""

import json
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from feedback.models import Touchpoint
from tests.makers import make_touchpoint

SITE = "https://www.shop.example"


def make_asking(**given) -> Touchpoint:
    """Store a touchpoint that takes answers from SITE."""
    return make_touchpoint(**{"origins": [SITE]} | given)


def new_key() -> str:
    return str(uuid4())


def an_answer_body(**given) -> dict:
    return {"key": new_key(), "value": 9} | given


def an_edit_body(first: dict, **given) -> dict:
    return {"key": new_key(), "edits": first["key"]} | given


def send(
    touchpoint: Touchpoint | str,
    body: object,
    *,
    method: str = "POST",
    to: str = "",
    origin: str | None = SITE,
    content_type: str = "text/plain",
    client: Client | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Send a body, text and bytes as they are, and return what the collector says."""
    key = touchpoint if isinstance(touchpoint, str) else touchpoint.key
    sent = body if isinstance(body, str | bytes) else json.dumps(body)
    response = (client or Client(enforce_csrf_checks=True)).generic(
        method,
        f"/collect/{key}/{to}",
        sent,
        content_type=content_type,
        headers={**({} if origin is None else {"origin": origin}), **(headers or {})},
    )
    # Whatever it says, it keeps no cookie and depends on none.
    assert not response.cookies
    assert response["Vary"] == "Origin"
    assert response["Cache-Control"] == "no-store"
    return response
