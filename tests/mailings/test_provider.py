"""A mail provider with an API of its own: what it answers, and what it tells afterwards."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import ConsentState, Customer, Suppression
from mailings.models import Delivery, DeliveryStatus
from tests.customers.test_contacts_api import awake_all_night
from tests.mailings.test_sending import planned, send, states
from tests.makers import make_permitted

pytestmark = pytest.mark.django_db

SECRET = "provider:secret"
INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to a recipient that has been marked as inactive.\nFound inactive "
    "addresses: k1@example.org.\nInactive recipients are ones that have generated a hard bounce.",
}
# What its library cannot read.
STRANGE = {"ErrorCode": 406, "Message": "No."}


class Provider:
    """Postmark's API as far as it is needed: `answer` gives (status, document) for an address."""

    def __init__(self) -> None:
        self.took: list[dict] = []
        self.answer: Callable[[str], tuple[int, dict]] = lambda address: (200, {})

    def serve(self) -> ThreadingHTTPServer:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                [sent] = _messages(self.rfile.read(int(self.headers["Content-Length"])))
                status, document = provider.answer(sent["To"])
                if status == 0:
                    time.sleep(1.5)
                    return
                if status == 200:
                    provider.took.append(sent)
                    document = {
                        "To": sent["To"], "SubmittedAt": "2026-11-27T10:00:00Z",
                        "MessageID": "m-1", "ErrorCode": 0, "Message": "OK", **document,
                    }  # fmt: skip
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _messages(body: bytes) -> list[dict]:
    found = json.loads(body)
    return found if isinstance(found, list) else [found]


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    awake_all_night()
    made = Provider()
    server = made.serve()
    Thread(target=server.serve_forever, daemon=True).start()
    settings.MAIL_PROVIDER = "postmark"
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://127.0.0.1:{server.server_port}/",
        "WEBHOOK_SECRET": SECRET,
        "REQUESTS_TIMEOUT": 0.5,
    }
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def people() -> list[Customer]:
    return [make_permitted(reference=f"K{n}", email=f"k{n}@example.org") for n in range(3)]


def told(record: dict, secret: str = SECRET, client: Client | None = None):
    headers = {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    client = client or Client(enforce_csrf_checks=True)
    return client.post(
        "/mail-events/", json.dumps(record), content_type="application/json", headers=headers
    )


def about(customer: Customer, kind: str, **more) -> dict:
    key = str(Delivery.objects.get(customer=customer).key)
    return {
        "RecordType": kind, "ID": 1, "MessageID": "m-1", "Email": customer.email,
        "Recipient": customer.email, "Metadata": {"delivery": key},
        "BouncedAt": "2026-11-27T10:00:00Z", "DeliveredAt": "2026-11-27T10:00:00Z", **more,
    }  # fmt: skip


def test_a_mail_goes_over_the_api_of_the_provider_and_counts_nothing(provider, people):
    send(planned())
    assert states() == ["sent"] * 3
    sent = provider.took[0]
    assert sent["Metadata"] == {
        "delivery": str(Delivery.objects.get(customer__email=sent["To"]).key)
    }
    assert sent["TrackOpens"] is False
    assert sent["TrackLinks"] == "None"
    headers = {one["Name"]: one["Value"] for one in sent["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((422, INACTIVE), "failed"),
        ((422, STRANGE), "unknown"),
        ((401, {"ErrorCode": 10, "Message": "Bad token"}), "failed_temp"),
        ((429, {"ErrorCode": 429, "Message": "Too fast"}), "failed_temp"),
        ((500, {"ErrorCode": 500, "Message": "Sorry"}), "unknown"),
        ((0, {}), "unknown"),
    ],
    ids=["no such mailbox", "no clear answer", "wrong key", "too fast", "broken", "no answer"],
)
def test_each_answer_of_a_provider_is_told_as_it_was(provider, people, answer, state):
    provider.answer = lambda address: answer if "k1@" in address else (200, {})
    send(planned())
    assert Delivery.objects.get(customer=people[1]).status == state
    assert len(provider.took) == 2


def test_a_bounce_for_good_stops_the_address_and_a_delay_does_not(provider, people):
    send(planned())
    full = about(people[0], "Bounce", Type="Transient", TypeCode=2)
    hard = about(people[1], "Bounce", Type="HardBounce", TypeCode=1)
    for record in (full, hard, hard):
        assert told(record).status_code == 200
    assert {one.reason for one in Suppression.objects.all()} == {"bounce"}
    assert states() == ["sent", "failed", "sent"]
    assert Delivery.objects.get(customer=people[1]).contact.status == "sent"


def test_a_complaint_takes_the_permission_back_and_stops_the_address(provider, people):
    send(planned())
    for _ in range(2):
        assert told(about(people[0], "SpamComplaint", Type="SpamComplaint")).status_code == 200
    assert Suppression.objects.filter(reason="complaint").exists()
    mine = ConsentState.objects.get(customer=people[0], purpose__key="email_marketing")
    assert mine.state == "withdrawn"


def test_who_unsubscribes_at_the_provider_is_unsubscribed_here(provider, people):
    send(planned())
    change = about(
        people[0], "SubscriptionChange", SuppressSending=True,
        SuppressionReason="ManualSuppression", ChangedAt="2026-11-27T10:00:00Z",
    )  # fmt: skip
    assert told(change).status_code == 200
    mine = ConsentState.objects.get(customer=people[0], purpose__key="email_marketing")
    assert mine.state == "withdrawn"


def test_a_mail_that_arrived_is_no_longer_unknown(provider, people):
    provider.answer = lambda address: (500, {})
    send(planned())
    assert states() == ["unknown"] * 3
    assert told(about(people[0], "Delivery")).status_code == 200
    assert states() == ["sent", "unknown", "unknown"]


def test_without_the_secret_nobody_is_heard(provider, people, settings):
    send(planned())
    hard = about(people[1], "Bounce", Type="HardBounce", TypeCode=1)
    for secret in ("provider:wrong", ""):
        assert told(hard, secret).status_code == 400
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": ""}
    assert told(hard).status_code == 404
    settings.MAIL_PROVIDER = ""
    assert told(hard).status_code == 404
    assert not Suppression.objects.exists()
    assert Delivery.objects.filter(status=DeliveryStatus.FAILED).count() == 0


def test_what_is_told_of_a_mail_of_somebody_else_stops_the_address_alone(provider, people):
    letter = about_nothing(people[0].email)
    assert told(letter).status_code == 200
    assert Suppression.objects.count() == 1
    for key in ("no key", "00000000-0000-0000-0000-000000000000"):
        assert (
            told(about_nothing("x@example.org") | {"Metadata": {"delivery": key}}).status_code
            == 200
        )


def about_nothing(address: str) -> dict:
    now = timezone.now().isoformat()
    return {
        "RecordType": "Bounce", "ID": 2, "Type": "HardBounce", "TypeCode": 1, "MessageID": "x",
        "Email": address, "BouncedAt": now,
    }  # fmt: skip
