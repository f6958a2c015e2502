"""A stranger's client before a real server: RFC 8058 by the book."""

import urllib.request

import pytest

from customers.consent import State
from customers.models import ConsentEntry, ConsentState
from customers.unsubscribe import list_unsubscribe_headers
from tests.customers.test_ledger_together import _emptied_afterwards  # noqa: F401
from tests.makers import make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def test_case_08_a_strangers_client_unsubscribes_without_cookie_token_or_login(
    live_server, settings
):
    settings.BASE_URL = live_server.url
    noor, purpose = make_customer(email="noor@example.org"), make_purpose()
    make_wording(purpose=purpose)
    record(noor, purpose=purpose)
    headers = list_unsubscribe_headers(noor, purpose, "email")
    name, _, value = headers["List-Unsubscribe-Post"].partition("=")
    client = urllib.request.build_opener(NoRedirects)
    for _ in range(3):
        request = urllib.request.Request(
            headers["List-Unsubscribe"].strip("<>"),
            data=f"{name}={value}".encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            method="POST",
        )
        with client.open(request) as answer:
            assert answer.status == 200
            assert "Set-Cookie" not in answer.headers
    assert ConsentState.objects.get().state == State.WITHDRAWN
    assert ConsentEntry.objects.filter(state="withdrawn").count() == 1
