"""The gate while many workers use it at once, on both databases.

A round has one moment. In it workers claim, confirm and give back contacts of the same few
customers under request ids that they share, run out leases, take permission back and publish
another policy. After each round what counts is held against the rules, by another formula than the
one that decided: of N + 1 contacts in order the last begins one window after the first ended.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from customers.contacts import (
    RequestConflict,
    claim_contact,
    claim_contacts,
)
from customers.dose_documents import document_of
from customers.erasure import erase_customer
from customers.merging import Decision as MergeDecision
from customers.merging import merge_customers, preview
from customers.models import (
    ConsentState,
    Contact,
    ContactStatus,
    Customer,
    CustomerMerge,
    Decision,
    DosePolicy,
    DoseRule,
    LedgerCheckpoint,
    Suppression,
)
from customers.outcomes import confirm_contacts, expire_contacts, release_contacts
from customers.policies import publish_policy
from customers.reach import claim_audience, funnel
from customers.starting_policy import CEILINGS, TOUCHES, starting_policy
from customers.withdrawals import Means, withdraw
from insights.merges import ABOVE
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
    together,
)
from tests.makers import NOW, a_request, known_policy, known_purpose, make_contact, make_permitted

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEANS = Means(method="one_click_post")
SOURCE = "mailing:7"
WORKERS = 4
MONTHLY, WEEKLY = CEILINGS["regular"]
LIMITS = [(1, DAY), (WEEKLY, 7 * DAY), (MONTHLY, 30 * DAY)]


@pytest.fixture(autouse=True)
def _nothing_left(_emptied_afterwards):  # noqa: F811
    """Goes before the ledger does: what points into it, and every policy but the first."""
    known_policy()
    yield
    Decision.objects.all().delete()
    Contact.objects.all().delete()
    CustomerMerge.objects.all().delete()
    Suppression.objects.all().delete()
    LedgerCheckpoint.objects.all().delete()
    DoseRule.objects.filter(policy__version__gt=1).delete()
    DosePolicy.objects.filter(version__gt=1).delete()


class Shop:
    """A few customers, whom some workers try to contact too often."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.people = [make_permitted() for _ in range(3)]
        self.now = NOW
        self.withdrawn: set[int] = set()
        self.claimed: dict[str, set[int]] = defaultdict(set)

    def round(self) -> None:
        self.now += self.random.choice([1, 2, 7, 24, 24, 48]) * HOUR
        gone = set(self.withdrawn)
        before = set(Contact.objects.values_list("pk", flat=True))
        scripts = [self._script() for _ in range(WORKERS)]
        together(*scripts)
        fresh = Contact.objects.exclude(pk__in=before)
        assert not fresh.filter(customer__in=gone).exists()
        assert all(len(contacts) == 1 for contacts in self.claimed.values())
        for person in self.people:
            self.check(person)

    def _script(self) -> Callable[[], None]:
        """Return what one worker does in a round, chosen beforehand: threads draw no lots."""
        steps = [self._step() for _ in range(5)]

        def run() -> None:
            for step in steps:
                step()

        return run

    def _step(self) -> Callable[[], object]:
        person = self.random.choice(self.people)
        # Few ids, so that workers meet under the same one.
        request = f"{person.pk}:{self.random.randint(1, 2)}:{self.now:%d%H}"
        now = self.now
        return self.random.choice(
            [
                *[lambda: self._claim(person, request, now)] * 6,
                *[lambda: confirm_contacts(requests=[request], source=SOURCE, now=now)] * 3,
                lambda: release_contacts(requests=[request], source=SOURCE, now=now),
                lambda: expire_contacts(now),
            ]
        )

    def _claim(self, person: Customer, request: str, now) -> None:
        asked = a_request(person, request_id=request, source=SOURCE, kind="information")
        contact = claim_contact(request=asked, now=now).contact
        if contact:
            self.claimed[request].add(contact.pk)

    def take_back(self) -> None:
        person = self.people[-1]
        purpose = known_purpose("email_marketing")
        withdraw(customer=person, purpose=purpose, channel="email", means=MEANS, now=self.now)
        self.withdrawn.add(person.pk)

    def check(self, person: Customer) -> None:
        """What counts keeps every limit of the person, in each window."""
        rows = Contact.objects.counting(self.now).filter(customer=person, kind__in=TOUCHES)
        touches = sorted(rows.values_list("from_at", "to_at"))
        for most, window in LIMITS:
            for (_, end), (start, _) in zip(touches, touches[most:], strict=False):
                assert start - end >= window, (most, window, touches)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_workers_do_at_once_nobody_gets_more_than_the_rules_allow(seed):
    shop = Shop(seed)
    for number in range(12):
        if number == 8:
            shop.take_back()
        shop.round()
    assert Contact.objects.filter(status=ContactStatus.SENT).exists()
    assert Decision.objects.filter(code="CAP_REACHED").exists()
    assert Decision.objects.filter(code="NO_PERMISSION").exists()
    # Every contact that was reserved has its decision.
    assert Decision.objects.filter(allowed=True).count() == Contact.objects.count()


def test_one_request_that_everybody_makes_at_once_is_claimed_once():
    noor = make_permitted()
    found: list[int] = []

    def claiming() -> None:
        asked = a_request(noor, request_id="once", source=SOURCE)
        found.append(claim_contact(request=asked, now=NOW).contact.pk)

    together(*[claiming] * 6)
    assert len(found) == 6
    assert len(set(found)) == Contact.objects.count() == 1


def test_one_request_for_two_customers_at_once_is_one_contact_and_a_conflict():
    people = [make_permitted(), make_permitted()]
    refused: list[str] = []

    def claiming(person):
        def run() -> None:
            try:
                claim_contact(request=a_request(person, request_id="same", source=SOURCE), now=NOW)
            except RequestConflict as error:
                refused.append(str(error))

        return run

    together(*map(claiming, people))
    assert len(refused) == Contact.objects.count() == 1


def test_batches_in_whatever_order_do_not_wait_for_each_other_for_ever():
    people = [make_permitted() for _ in range(6)]

    def claiming(several, sender: str):
        requests = [a_request(one, request_id=f"{sender}:{one.pk}") for one in several]
        return lambda: claim_contacts(requests=requests, now=NOW)

    together(claiming(people, "a"), claiming(people[::-1], "b"), claiming(people[1::2], "c"))
    assert Contact.objects.count() == 6
    assert Contact.objects.values("customer").distinct().count() == 6


def test_a_withdrawal_during_claims_leaves_nothing_that_may_be_sent():
    noor = make_permitted()
    purpose = known_purpose("email_marketing")
    asked = a_request(noor, request_id="r:1", source=SOURCE)
    together(
        lambda: claim_contact(request=asked, now=NOW),
        lambda: withdraw(customer=noor, purpose=purpose, channel="email", means=MEANS, now=NOW),
    )
    confirm_contacts(requests=["r:1"], source=SOURCE, now=NOW)
    assert not Contact.objects.filter(status=ContactStatus.SENT).exists()
    assert ConsentState.objects.get(purpose=purpose).state == "withdrawn"


def test_a_policy_that_changes_on_the_way_holds_from_its_publication_on():
    people = [make_permitted() for _ in range(8)]
    document = document_of(starting_policy())
    for row in document["ceilings"]:
        row["limits"] = [{**one, "most": 0} for one in row["limits"] if one["hours"] == 24]
    together(
        lambda: publish_policy(document=document, author="N", note="none", now=NOW, after=1),
        *[
            lambda one=one: claim_contact(request=a_request(one, source=SOURCE), now=NOW)
            for one in people[:4]
        ],
    )
    assert set(Contact.objects.values_list("policy__version", flat=True)) <= {1}
    for one in people[4:]:
        assert claim_contact(request=a_request(one, source=SOURCE), now=NOW).contact is None
    assert set(Decision.objects.filter(customer__in=people[4:]).values_list("code", flat=True)) == {
        "NEVER"
    }


def test_an_erasure_during_claims_leaves_no_contact_and_no_claim_after_it():
    noor = make_permitted()

    def claiming(number: int):
        asked = a_request(noor, request_id=f"r:{number}", source=SOURCE)
        return lambda: claim_contact(request=asked, now=NOW + number * 25 * HOUR)

    together(
        *map(claiming, range(3)),
        lambda: erase_customer(ids=[noor.pk], told=False, handled_by="7", now=NOW),
    )
    left = Contact.objects.count() + Decision.objects.filter(allowed=True).count()
    assert left == 0
    again = claim_contact(request=a_request(noor, source=SOURCE), now=NOW + 9 * DAY)
    assert again.contact is None


def test_what_two_records_got_weighs_on_the_person_they_become():
    noor, same = make_permitted(), make_permitted()
    seal = preview(noor, same, above=ABOVE).seal
    decision = MergeDecision(reason="Same.", colleague="7", seal=seal)

    def merging() -> None:
        merge_customers(survivor=noor, absorbed=same, decision=decision, above=ABOVE, now=NOW)

    together(
        merging,
        *[
            lambda one=one: claim_contact(request=a_request(one, source=SOURCE), now=NOW)
            for one in (noor, same)
        ],
    )
    assert not Contact.objects.filter(customer=same).exists()
    found = claim_contact(request=a_request(noor, source=SOURCE), now=NOW + HOUR)
    assert found.contact is None


def test_a_bulk_claim_beside_another_sender_gives_each_customer_one():
    people = [make_permitted() for _ in range(30)]
    plan = a_request(people[0]).plan

    def audience() -> None:
        for _ in claim_audience(
            plan=plan, ids=funnel(plan, NOW).ids, campaign="spring", source=SOURCE, now=NOW
        ):
            pass

    def another() -> None:
        for one in reversed(people):
            asked = a_request(one, request_id=f"shop:{one.pk}", source="key:3")
            claim_contact(request=asked, now=NOW)

    together(audience, another, audience)
    counts = [one.contacts.count() for one in people]
    assert counts == [1] * 30


def test_the_formula_of_these_tests_finds_what_is_too_much():
    shop = Shop(1)
    noor, koen = shop.people[:2]
    shop.now = NOW + 2 * DAY
    for person, hours in ((noor, 23), (koen, 24)):
        for at in (NOW, NOW + hours * HOUR):
            make_contact(person, at)
    shop.check(koen)
    with pytest.raises(AssertionError):
        shop.check(noor)


def test_leases_that_run_out_free_their_place_without_anybody_cleaning_up():
    noor = make_permitted()
    for hours in (0, 7, 24):
        asked = a_request(noor, request_id=f"r:{hours}", source=SOURCE)
        assert claim_contact(request=asked, now=NOW + hours * HOUR).contact
    assert Contact.objects.filter(status="reserved").count() == 3
