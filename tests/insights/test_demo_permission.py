"""What the demo shop may do: every yes on a text that was out that day, and no promise broken."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management.base import OutputWrapper
from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from customers.consent import ALLOWING, State
from customers.models import AskTally, ConsentEntry, ConsentForm, ConsentState, Customer, Wording
from customers.queries import may_process
from customers.verification import verify_ledger
from feedback.models import Campaign, Invitation
from insights.demo.progress import Progress
from insights.demo.shop import load_demo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A tenth of the shop, once for all tests below; each of them is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        progress = Progress(OutputWrapper(StringIO()))
        load_demo(today=timezone.localdate(), progress=progress, one_in=10)
        connection.check_constraints()
        yield
        transaction.set_rollback(True)


def test_no_consent_cites_a_text_that_was_not_published_that_day():
    cited = ConsentEntry.objects.filter(wording__isnull=False)
    assert cited.count() > 1_000
    assert not cited.filter(occurred_at__lt=F("wording__published_at")).exists()
    assert not cited.exclude(wording__purpose=F("purpose")).exists()


def test_nobody_cites_a_text_after_the_next_one_was_out():
    """But for a link that confirms: it confirms the text that was ticked."""
    texts = Wording.objects.filter(language="nl").order_by("purpose_id", "version")
    followed = 0
    for before, after in pairwise(texts):
        if before.purpose_id == after.purpose_id:
            later = ConsentEntry.objects.filter(
                wording__purpose=before.purpose,
                wording__version=before.version,
                occurred_at__gte=after.published_at,
            )
            assert not later.exclude(method="confirm_link").exists()
            followed += 1
    assert followed == 2


def test_no_promised_frequency_is_exceeded_by_the_tips():
    """Every text that anybody said yes to promised at most one in seven days."""
    [promised] = (
        Wording.objects.filter(purpose__key="email_marketing")
        .values_list("promised_messages", "promised_days")
        .distinct()
    )
    assert promised == (1, 7)
    sent = sorted(
        timezone.localdate(at) for at in Campaign.objects.values_list("created_at", flat=True)
    )
    assert len(sent) > 20
    assert all(later - earlier >= timedelta(days=7) for earlier, later in pairwise(sent))


def test_no_promised_frequency_is_exceeded_by_requests_for_an_opinion():
    [promised] = (
        Wording.objects.filter(purpose__key="satisfaction_survey")
        .values_list("promised_messages", "promised_days")
        .distinct()
    )
    assert promised == (1, 30)
    asked: dict[int, list[datetime]] = defaultdict(list)
    for customer, at in Invitation.objects.order_by("invited_at").values_list(
        "customer_id", "invited_at"
    ):
        asked[customer].append(at)
    gaps = [later - earlier for times in asked.values() for earlier, later in pairwise(times)]
    assert len(gaps) > 50
    assert min(gaps) >= timedelta(days=30)


def test_nobody_was_asked_for_an_opinion_who_did_not_permit_it_then():
    states = defaultdict(list)
    for customer, at, state in (
        ConsentEntry.objects.filter(purpose__key="satisfaction_survey")
        .order_by("pk")
        .values_list("customer_id", "occurred_at", "state")
    ):
        states[customer].append((at, state))
    invitations = Invitation.objects.values_list("customer_id", "invited_at")
    assert len(invitations) > 500
    for customer, at in invitations:
        before = [state for moment, state in states[customer] if moment <= at]
        assert before[-1:] == [State.GIVEN]


def test_the_ledger_of_the_demo_verifies():
    assert verify_ledger(timezone.now()).finding is None


def test_every_way_a_permission_can_end_is_there_to_see():
    states = set(ConsentState.objects.values_list("state", flat=True))
    assert states >= {
        State.GIVEN, State.SOFT, State.REFUSED, State.EXPIRED, State.STALE, State.WITHDRAWN,
        State.OBJECTED,
    }  # fmt: skip


def test_what_stands_may_be_used_and_what_does_not_may_not():
    now = timezone.now()
    states = list(ConsentState.objects.select_related("customer", "purpose").order_by("pk")[:300])
    used = {
        state.state: may_process(state.customer, state.purpose.key, state.channel, now).allowed
        for state in states
    }
    assert used[State.GIVEN]
    assert not any(allowed for state, allowed in used.items() if state not in ALLOWING)


def test_the_counts_of_a_form_add_up():
    totals = AskTally.objects.values("form__key").annotate(
        shown=Sum("shown"),
        ticked=Sum("ticked"),
        empty=Sum("left_empty"),
        confirmed=Sum("confirmed"),
    )
    assert {row["form__key"] for row in totals} == set(
        ConsentForm.objects.values_list("key", flat=True)
    )
    for row in totals:
        assert row["shown"] >= row["ticked"] + row["empty"]
        assert row["ticked"] >= row["confirmed"] > 0


def test_each_yes_on_a_form_was_counted_as_confirmed():
    given = (
        ConsentEntry.objects.filter(state=State.GIVEN, place__startswith="form:")
        .values("place")
        .annotate(n=Count("pk"))
    )
    counted = AskTally.objects.values("form__key").annotate(n=Sum("confirmed"))
    assert {row["place"]: row["n"] for row in given} == {
        f"form:{row['form__key']}": row["n"] for row in counted
    }


def test_addresses_are_verified_where_a_link_came_back_or_somebody_was_signed_in():
    given = Customer.objects.filter(consents__state=State.GIVEN).distinct()
    assert given.count() > 100
    assert all(customer.is_verified for customer in given[:100])
