"""No personal data in logs: a failing job and a failing page name the error and not its text."""

import io
import logging

import pytest
from celery import shared_task
from django.test import RequestFactory
from django.utils.log import log_response

from insights.logs import PrivateFormatter

ADDRESS = "jo@example.org"


@shared_task(name="fails_for_the_test")
def fails() -> None:
    raise ValueError(f"Key (email)=({ADDRESS}) already exists.")


@pytest.fixture
def log() -> io.StringIO:
    """What the console handler of the product prints."""
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, PrivateFormatter)
    )
    text = io.StringIO()
    stream = console.setStream(text)
    yield text
    console.setStream(stream)


@pytest.mark.django_db
def test_a_failing_job_is_logged_without_what_the_exception_says(log: io.StringIO) -> None:
    assert fails.apply().failed()
    assert "fails_for_the_test" in log.getvalue()
    assert "in fails" in log.getvalue()
    assert "ValueError" in log.getvalue()
    assert ADDRESS not in log.getvalue()


def test_a_failing_page_is_logged_without_what_the_exception_says(log: io.StringIO) -> None:
    try:
        raise ValueError(ADDRESS)
    except ValueError as error:
        log_response(
            "Internal Server Error",
            response=type("Response", (), {"status_code": 500})(),
            request=RequestFactory().get("/"),
            exception=error,
        )
    assert "ValueError" in log.getvalue()
    assert ADDRESS not in log.getvalue()
