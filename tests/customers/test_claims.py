"""Between the audience and the message somebody may say no: the claim knows, and writes it down."""

import pytest

from customers.audience import permitted
from customers.claims import claim_permission
from customers.consent import State
from customers.models import Decision
from customers.withdrawals import Means, withdraw
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips")
    make_wording(purpose=purpose)
    return purpose


def claim(customer, purpose) -> Decision:
    return claim_permission(
        customer=customer, purpose=purpose, channel="email", asker="mailing:7", now=NOW
    )


def test_case_06_withdrawn_after_the_audience_was_built_is_denied_and_stored(tips):
    noor, karim = make_customer(email="noor@example.org"), make_customer(email="karim@example.org")
    for customer in (noor, karim):
        record(customer, purpose=tips, address=customer.email)
    audience = [state.customer for state in permitted(NOW).select_related("customer")]
    assert audience == [noor, karim]
    means = Means(method="one_click_post")
    [withdrawn] = withdraw(customer=noor, purpose=tips, channel="email", means=means, now=NOW)
    decided = [claim(customer, tips) for customer in audience]
    assert [decision.allowed for decision in decided] == [False, True]
    stored = Decision.objects.get(customer=noor)
    assert (stored.allowed, stored.reason, stored.entry) == (False, "withdrawn", withdrawn)
    assert stored.asker == "mailing:7"


def test_a_yes_names_the_line_it_rests_on(tips):
    noor = make_customer(email="noor@example.org")
    given = record(noor, purpose=tips)
    decision = claim(noor, tips)
    assert (decision.allowed, decision.reason, decision.entry) == (True, "given", given)
    assert given.state == State.GIVEN


def test_unknown_is_no_and_rests_on_nothing(tips):
    decision = claim(make_customer(email="noor@example.org"), tips)
    assert (decision.allowed, decision.reason, decision.entry) == (False, "none", None)


def test_what_is_stored_is_read_afresh_not_as_the_caller_has_it(tips):
    noor = make_customer(email="noor@example.org")
    record(noor, purpose=tips)
    stale = type(noor).objects.get(pk=noor.pk)
    noor.restricted_at = NOW
    noor.save()
    assert claim(stale, tips).reason == "restricted"
