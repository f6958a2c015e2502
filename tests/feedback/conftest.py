"""Shared by the tests of answers that come in from elsewhere."""

import pytest
from django.conf import settings

from customers.limits import Limiter
from feedback import public


@pytest.fixture(autouse=True)
def _nobody_has_posted_yet(monkeypatch):
    """The limits live in the memory of the process: what one test posts must not stop another."""
    for one in ("per_address", "seen_per_address"):
        monkeypatch.setattr(public, one, Limiter(settings.COLLECT_PER_ADDRESS))
    for one in ("per_touchpoint", "seen_per_touchpoint"):
        monkeypatch.setattr(public, one, Limiter(settings.COLLECT_PER_TOUCHPOINT))
