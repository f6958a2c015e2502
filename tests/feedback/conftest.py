"""Shared by the tests of answers that come in from elsewhere."""

import pytest
from django.conf import settings

from feedback import public
from feedback.limits import Limiter


@pytest.fixture(autouse=True)
def _nobody_has_posted_yet(monkeypatch):
    """The limits live in the memory of the process: what one test posts must not stop another."""
    monkeypatch.setattr(public, "per_address", Limiter(settings.COLLECT_PER_ADDRESS))
    monkeypatch.setattr(public, "per_touchpoint", Limiter(settings.COLLECT_PER_TOUCHPOINT))
