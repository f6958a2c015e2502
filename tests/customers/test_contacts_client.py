"""The sender of docs/api.md, in a process of its own before a real server: it keeps to the policy.

It is told to send five mails; what it prints is what it sent and what it was answered.
"""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from django.utils import timezone

from customers.api_keys import Scope
from customers.models import ConsentState, Contact, Decision, Evidence
from customers.outcomes import confirm_contacts, release_contacts
from customers.plans import Plan
from customers.reach import claim_audience, funnel
from tests.customers.test_contacts_api import TEXT, awake_all_night, make_key, permitting
from tests.customers.test_ledger_together import _emptied_afterwards  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _what_rests_on_it_emptied(_emptied_afterwards):  # noqa: F811
    """Decisions and evidence point at lines of the ledger, so they go first."""
    yield
    Decision.objects.all().delete()
    Evidence.objects.all().delete()


[CLIENT] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

# Runs after the code of the docs, with the server's address and a key as arguments.
DRIVER = """
import sys

sender, sent, told = Sender(*sys.argv[1:]), [], {}


def take_back():
    request = urllib.request.Request(
        f"{sender.site}/api/v1/customers/K3/consent/withdraw",
        json.dumps({"purpose": "email_marketing", "channel": "email"}).encode(),
        {"Authorization": f"Bearer {sender.key}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def prepare(contact):
    if contact["request_id"] == "torn":
        raise ValueError("no template")
    if contact["request_id"] == "regretted":
        take_back()
    return lambda: sent.append(contact["request_id"])


for request_id, customer in [
    ("first", "K1"), ("second", "K1"), ("first", "K1"), ("torn", "K2"), ("regretted", "K3"),
    ("stranger", "K4"),
]:
    contact = {"request_id": request_id, "customer": customer, "channel": "email"}
    try:
        answer = sender.deliver(contact | {"kind": "promotion"}, prepare)
    except ValueError as error:
        answer = [str(error)]
    told.setdefault(request_id, []).append(answer)
print(json.dumps([sent, told]))
"""


def test_the_client_of_the_docs_sends_what_it_may_and_nothing_else(live_server, tmp_path):
    awake_all_night()
    for reference in ("K1", "K2", "K3"):
        permitting(reference)
    script = tmp_path / "sender.py"
    script.write_text(CLIENT + DRIVER)
    key = make_key(Scope.SEND, Scope.WITHDRAW)
    done = subprocess.run(
        [sys.executable, str(script), live_server.url, key],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sent, told = json.loads(done.stdout)
    assert sent == ["first"]
    (was_sent, answer), (again, replay) = told["first"]
    assert (was_sent, answer["answer"]) == (True, "sent")
    assert (again, replay["reservation"]["status"]) == (False, "sent")
    [(_, later)] = told["second"]
    assert (later["outcome"], later["reservation"]) == ("DEFER", None)
    assert told["torn"] == [["no template"]]
    [(_, refusal)] = told["regretted"]
    assert refusal["error"] == "not_permitted"
    [(_, unknown)] = told["stranger"]
    assert unknown["error"] == "customer"
    assert dict(Contact.objects.values_list("request_id", "status")) == {
        "first": "sent", "torn": "released", "regretted": "released",
    }  # fmt: skip
    withdrawn = ConsentState.objects.get(customer__reference="K3", state="withdrawn")
    assert withdrawn.purpose.key == "email_marketing"


ROUND = """
import sys

sender, sent = Sender(*sys.argv[1:3]), []
for number in (1, 2):
    for customer in reversed(sys.argv[3].split(",")):
        contact = {"request_id": f"shop:{customer}:{number}", "customer": customer}
        contact |= {"channel": "email", "kind": "promotion"}
        sender.deliver(contact, lambda contact: lambda: sent.append(contact["customer"]))
print(json.dumps(sent))
"""


def test_beside_a_bulk_claim_over_the_same_customers_nobody_gets_more_than_one(
    live_server, tmp_path
):
    awake_all_night()
    references = [f"K{number}" for number in range(24)]
    for reference in references:
        permitting(reference)
    script = tmp_path / "sender.py"
    script.write_text(CLIENT + ROUND)
    arguments = [live_server.url, make_key(Scope.SEND), ",".join(references)]
    sender = subprocess.Popen(
        [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True
    )
    mine: list[str] = []
    plan, number = Plan(channel="email", kind="promotion"), 0
    # Until the other one is done: a few customers for each, whoever comes first.
    while sender.poll() is None:
        number += 1
        campaign = f"spring-{number}"
        now = timezone.now()
        for claims in claim_audience(
            plan=plan,
            ids=funnel(plan, now).ids,
            campaign=campaign,
            source="mailing:1",
            now=now,
        ):
            mine += [one.contact.request_id for one in claims[:2] if one.contact]
            extra = [one.contact.request_id for one in claims[2:] if one.contact]
            release_contacts(requests=extra, source="mailing:1", now=now)
            confirm_contacts(requests=mine, source="mailing:1", now=now)
    sent = json.loads(sender.communicate(timeout=60)[0])
    assert sender.returncode == 0
    assert sent
    counting = Contact.objects.counting(timezone.now())
    by_customer = Counter(counting.values_list("customer__reference", flat=True))
    assert max(by_customer.values()) == 1
    assert sum(by_customer.values()) == len(sent) + len(set(mine))


def test_it_is_thirty_lines_of_the_standard_library():
    assert len([line for line in CLIENT.splitlines() if line.strip()]) <= 36
    imported = re.findall(r"^import (\w+)", CLIENT, re.MULTILINE)
    assert set(imported) <= set(sys.stdlib_module_names)
