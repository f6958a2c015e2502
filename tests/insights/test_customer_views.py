"""The pages of consent records: who may, what is found and shown, and what is written down."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import invalidations
from customers.consent import Actor, State
from customers.merging import Decision
from customers.models import (
    AccessLog,
    ConsentEntry,
    ConsentForm,
    ConsentState,
    Customer,
    CustomerMerge,
    DataRequest,
    Invalidation,
)
from customers.policies import current_policy
from customers.queries import may_process
from feedback.models import Invitation, Response
from insights import merges
from insights.accounts import Role, is_alone
from insights.customer_records import MOST_FOUND, search
from tests.insights.test_import_views import make_colleague, signed_in, text
from tests.makers import (
    NOW,
    an_answer,
    make_customer,
    make_invitation,
    make_purpose,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIND = "/customers/"
BATCHES = "/permission/invalidations/"


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips", name_nl="Tips", name_en="Tips and offers")
    make_wording(purpose=purpose, published_at=NOW - 99 * DAY)
    return purpose


@pytest.fixture
def noor():
    return make_customer(reference="C-1", email="noor@example.org", name="Noor Voorbeeld")


@pytest.fixture
def staff() -> Client:
    return signed_in(Role.CONSENT_ADMIN, first_name="Kim Voorbeeld")


def kim() -> User:
    return User.objects.get(first_name="Kim Voorbeeld")


def find(client: Client, term: str):
    return client.post(FIND, {"term": term})


# -- Who may --------------------------------------------------------------------------------------

REQUESTS = [
    ("get", "/customers/", None),
    ("post", "/customers/", {"term": "C-1"}),
    ("get", "/customers/C-1/", None),
    ("post", "/customers/C-1/relay/", {}),
    ("get", "/customers/C-1/merge/", None),
    ("post", "/customers/C-1/merge/", {"other": "C-2"}),
    ("get", "/permission/invalidations/", None),
    ("post", "/permission/invalidations/", {}),
    ("get", "/permission/invalidations/{pk}/", None),
    ("post", "/permission/invalidations/{pk}/approve/", {}),
    ("post", "/permission/invalidations/{pk}/drop/", {}),
]


def a_proposal(**given) -> Invalidation:
    facts = {"place": "till", "reason": "Ticked.", "proposed_by": "0", "proposed_at": NOW}
    return Invalidation.objects.create(**facts | given)


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.CONSENT_ADMIN], {}, True, id="consent admin"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.CONSENT_ADMIN, Role.MARKETER], {}, True, id="both"),
        pytest.param([Role.MARKETER], {}, False, id="marketer"),
        pytest.param([], {}, False, id="no role"),
        pytest.param([], {"is_staff": True}, False, id="admin site only"),
    ],
)
def test_who_looks_after_consent_may_and_nobody_else(noor, roles, given, may):
    pk = a_proposal().pk
    client = signed_in(*roles, **given)
    for method, path, data in REQUESTS:
        response = getattr(client, method)(path.format(pk=pk), data)
        assert response.status_code in ({200, 302} if may else {403}), f"{method} {path}"
        if may and method == "get":
            assert "no-store" in response["Cache-Control"]
    # Who is refused has seen nobody.
    assert AccessLog.objects.exists() is may


def test_who_is_not_signed_in_is_asked_to(noor):
    for method, path, data in REQUESTS:
        response = getattr(Client(), method)(path.format(pk=1), data)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize(("role", "shown"), [(Role.CONSENT_ADMIN, True), (Role.MARKETER, False)])
def test_the_way_there_is_shown_to_those_who_may_go_it(role, shown):
    page = signed_in(role).get("/").content.decode()
    assert ('href="/customers/"' in page) is shown


def test_what_is_not_there_is_not_found(staff):
    for method, path, data in REQUESTS:
        if path not in {FIND, BATCHES}:
            response = getattr(staff, method)(path.format(pk=4711), data)
            assert response.status_code == 404, f"{method} {path}"


# -- Finding --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("C-1", True),
        (" C-1 ", True),
        ("c-1", False),
        ("C-", False),
        ("noor@example.org", True),
        ("NOOR@Example.ORG", True),
        ("oor@example.org", False),
        ("voorb", True),
        ("Noor Voorbeeld", True),
        ("v", False),
        ("%", False),
        ("__", False),
    ],
)
def test_a_customer_is_found_by_number_address_or_part_of_the_name(noor, term, found):
    make_customer(reference="C-10", email="koen@example.org", name="Koen Staal")
    assert search(term) == ([noor] if found else [])


def test_at_most_fifty_are_found_and_the_page_says_so(staff):
    for number in range(MOST_FOUND + 5):
        make_customer(name=f"Noor {number}")
    page = text(find(staff, "noor"))
    assert "50 customers found" in page
    assert "At most 50 are shown." in page
    assert AccessLog.objects.count() == 50


def test_whom_a_search_shows_is_written_down(staff, noor):
    make_customer(name="Koen Staal")
    assert "Noor Voorbeeld" in text(find(staff, "noor@example.org"))
    view = AccessLog.objects.get()
    assert (view.customer, view.kind, view.viewer) == (noor, "search", str(kim().pk))
    # The role as it was: customers read it, in their language.
    assert view.role == Role.CONSENT_ADMIN


def test_what_is_typed_never_stands_in_an_address(staff, noor):
    page = staff.get(FIND).content.decode()
    form = re.search(r'<form[^>]*class="[^"]*ci-search[^"]*"[^>]*>', page)[0]
    assert 'method="post"' in form
    # And what somebody puts there by hand finds nobody.
    assert "Noor" not in text(staff.get(FIND, {"term": "noor@example.org"}))
    assert not AccessLog.objects.exists()
    assert find(staff, "noor@example.org").status_code == 200


def test_looking_for_nobody_finds_nobody(staff):
    assert "Nobody found" in text(find(staff, "nobody@example.org"))
    assert "This field is required." in text(find(staff, "   "))


def test_a_reference_may_hold_anything(staff):
    for reference in ("a/b", "C 1?", "é#", "../x"):
        customer = make_customer(reference=reference, name="Odd")
        address = re.search(r'href="(/customers/[^"]+)"', find(staff, reference).content.decode())
        assert staff.get(address[1]).status_code == 200, reference
        customer.delete()


# -- The record -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_case_24_a_colleague_who_looks_is_written_down(staff, noor, method):
    """The half of the case that is about staff; the export is another one's."""
    assert getattr(staff, method)("/customers/C-1/").status_code == 200
    view = AccessLog.objects.get()
    assert (view.customer, view.kind, view.viewer) == (noor, "page", str(kim().pk))


def test_the_page_says_who_looked_also_this_time(staff, noor):
    page = text(staff.get("/customers/C-1/"))
    assert "Kim Voorbeeld (Consent admin): looked at the record" in page


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_takes_as_many_queries_however_long_the_history(
    staff, noor, tips, number, django_assert_num_queries
):
    ConsentForm.objects.create(key="order", name="Order page", first=tips, created_at=NOW)
    for step in range(number):
        moment = NOW + timedelta(hours=step)
        yes = {"state": State.GIVEN} if step % 2 == 0 else {"state": State.WITHDRAWN}
        record(noor, purpose=tips, place="form:order", occurred_at=moment, **yes)
    for _ in range(number):
        AccessLog.objects.create(customer=noor, kind="page", viewed_at=NOW, viewer=str(kim().pk))
    current_policy()  # It is read once, and then kept.
    with django_assert_num_queries(31):
        page = text(staff.get("/customers/C-1/"))
    assert page.count("Noor Voorbeeld ticked") == (number + 1) // 2


def test_the_record_says_where_a_customer_stands_and_why(staff, noor, tips):
    make_purpose(key="survey", name_en="Your opinion", kind="survey", channels=["sms"])
    record(noor, purpose=tips, occurred_at=NOW)
    page = text(staff.get("/customers/C-1/"))
    assert "What does Noor Voorbeeld permit now?" in page
    assert "Yes Tips and offers, E-mail Said yes on 24 November 2026. Proof B" in page
    assert "valid until 23 Nov 2028" in page
    assert "No Your opinion, Text message Never said yes." in page


def test_from_a_record_a_request_is_taken_in_for_that_customer(staff, noor, tips):
    href = "/permission/requests/?customer=C-1#take-in"
    assert f'href="{href}"' in staff.get("/customers/C-1/").content.decode()
    assert 'value="C-1"' in staff.get(href).content.decode()


def test_the_history_is_told_in_sentences_with_who_relayed_it_and_the_exact_text(staff, noor, tips):
    ConsentForm.objects.create(key="order", name="Order page", first=tips, created_at=NOW)
    record(noor, purpose=tips, place="form:order", grade="A")
    relayed = {"actor": Actor.ADMIN, "actor_id": str(kim().pk), "method": "phone_note"}
    facts = {"state": State.WITHDRAWN, "evidence": "She called.", "occurred_at": NOW + DAY}
    record(noor, purpose=tips, **relayed | facts)
    page = text(staff.get("/customers/C-1/"))
    ticked = (
        "Noor Voorbeeld ticked “Ja, Lindehuis mag mij tips en aanbiedingen mailen.” on Order page."
        " Confirmed by the link in the mail."
    )
    assert ticked in page
    back = "Noor Voorbeeld took it back; Kim Voorbeeld (Consent admin) wrote it down."
    assert page.index(back) < page.index(ticked)
    assert "By telephone." in page
    # A no needs no proof, so no grade stands beside it.
    assert page.count(", proof A") == 1
    assert ", proof D" not in page
    assert "She called." in page
    assert "Onder elke mail staat Afmelden." in page


def test_wishes_requests_and_a_restriction_are_shown(staff, noor):
    Customer.objects.filter(pk=noor.pk).update(paused_until=NOW, monthly_limit=2, restricted_at=NOW)
    DataRequest.objects.create(
        customer=noor, kind="access", source="staff", received_at=NOW, due_on=NOW.date()
    )
    page = text(staff.get("/customers/C-1/"))
    for said in (
        "no marketing until 24 Nov 2026",
        "at most 2 messages a month",
        "Restricted since 24 November 2026",
        "by 24 Nov 2026 See or take along my data",
    ):
        assert said in page


def test_an_erased_customer_has_a_history_without_a_name(staff, noor, tips):
    record(noor, purpose=tips)
    Customer.objects.filter(pk=noor.pk).update(email="", name="", erased_at=NOW)
    page = text(staff.get("/customers/C-1/"))
    assert "Erased on 24 November 2026." in page
    assert "The customer ticked “Ja" in page
    assert "Noor" not in page
    assert "Merge" not in page


# -- Relaying a no --------------------------------------------------------------------------------


def relayed(**given) -> dict[str, str]:
    return {
        "what": "tips:email",
        "state": "withdrawn",
        "method": "phone_note",
        "came_on": timezone.localdate().isoformat(),
        "reason": "Too many mails.",
        "evidence": "Call 4711",
    } | given


def test_a_withdrawal_is_written_down_and_shown(staff, noor, tips):
    record(noor, purpose=tips)
    response = staff.post("/customers/C-1/relay/", relayed(), follow=True)
    assert "Written down. It counts from now on." in text(response)
    entry = ConsentEntry.objects.latest("pk")
    assert (entry.state, entry.actor, entry.actor_id) == ("withdrawn", "admin", str(kim().pk))
    today = timezone.localdate()
    assert entry.evidence.text == f"{today:%Y-%m-%d}: Too many mails. (Call 4711)"
    assert not may_process(noor, "tips", "email", timezone.now()).allowed
    assert set(AccessLog.objects.values_list("kind", flat=True)) == {"change", "page"}


def test_an_objection_stops_all_marketing(staff, noor, tips):
    other = make_purpose(key="content", kind="profiling")
    for purpose in (tips, other):
        record(noor, purpose=purpose)
    staff.post("/customers/C-1/relay/", relayed(state="objected", method="paper"))
    assert set(ConsentState.objects.values_list("state", flat=True)) == {"objected"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"evidence": " "}, "This field is required."),
        ({"method": "dream"}, "is not one of the available choices"),
        ({"what": "service:email"}, "is not one of the available choices"),
        ({"what": "tips:pigeon"}, "is not one of the available choices"),
        ({"came_on": "2999-01-01"}, "That day is still to come."),
        ({"came_on": "1999-01-01"}, "That is more than a year ago."),
        ({"came_on": "soon"}, "Enter a valid date."),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_written(staff, noor, tips, given, said):
    record(noor, purpose=tips)
    page = text(staff.post("/customers/C-1/relay/", relayed(**given)))
    assert said in page
    assert ConsentEntry.objects.count() == 1


@pytest.mark.parametrize(
    "state", [str(one) for one in State if one not in {"withdrawn", "objected"}]
)
@pytest.mark.parametrize("who", ["consent admin", "superuser"])
def test_case_13_no_page_turns_a_no_into_a_yes_and_who_tries_is_logged(
    noor, tips, state, who, caplog
):
    record(noor, purpose=tips, state=State.WITHDRAWN)
    given = {"is_superuser": True, "is_staff": True} if who == "superuser" else {}
    client = signed_in(*([] if given else [Role.CONSENT_ADMIN]), **given)
    with caplog.at_level(logging.WARNING):
        response = client.post("/customers/C-1/relay/", relayed(state=state))
    assert response.status_code == 200
    assert f"Refused at the desk: customer {noor.pk} to {state}" in caplog.text
    assert "noor" not in caplog.text
    assert ConsentEntry.objects.count() == 1
    assert ConsentState.objects.get().state == "withdrawn"


def test_case_13_the_administration_has_no_way_either(noor, tips):
    entry = record(noor, purpose=tips, state=State.WITHDRAWN)
    client = signed_in(is_superuser=True, is_staff=True)
    state = ConsentState.objects.get()
    for model, pk in (("consententry", entry.pk), ("consentstate", state.pk)):
        for path in ("add/", f"{pk}/change/", f"{pk}/delete/"):
            response = client.post(f"/admin/customers/{model}/{path}", {"state": "given"})
            assert response.status_code == 403, f"{model} {path}"
    state.refresh_from_db()
    assert state.state == "withdrawn"


# -- Merging --------------------------------------------------------------------------------------


@pytest.fixture
def same():
    return make_customer(reference="C-2", email="n.oor@example.org", name="N. Voorbeeld")


def merged(survivor: Customer, absorbed: Customer) -> CustomerMerge:
    seal = merges.preview(survivor, absorbed).plan.seal
    decision = Decision(reason="Same person.", colleague="7", seal=seal)
    return merges.merge(survivor=survivor, absorbed=absorbed, decision=decision, now=NOW + DAY)


def seal_in(response) -> str:
    return re.search(r'name="seal" value="(\w+)"', response.content.decode())[1]


def test_from_the_preview_to_the_merge(staff, noor, same, tips):
    survey = make_purpose(key="survey", name_en="Your opinion", kind="survey")
    record(noor, purpose=tips)
    record(same, purpose=survey, address=same.email)
    response = staff.post("/customers/C-1/merge/", {"other": "C-2"})
    page = text(response)
    assert "C-2 becomes part of C-1" in page
    assert "The yes of C-1 is lost: C-2 does not permit it." in page
    assert "The yes of C-2 is lost: C-1 does not permit it." in page
    assert set(AccessLog.objects.values_list("customer__reference", "kind")) == {
        ("C-1", "page"),
        ("C-2", "page"),
    }
    assert not CustomerMerge.objects.exists()
    given = {"other": "C-2", "seal": seal_in(response), "reason": "She called."}
    page = text(staff.post("/customers/C-1/merge/", given, follow=True))
    assert "C-2 is now part of this record." in page
    assert "C-2 became part of this record on" in page
    assert "written at C-2" in page
    merge = CustomerMerge.objects.get()
    assert (merge.survivor, merge.absorbed, merge.merged_by) == (noor, same, str(kim().pk))
    assert not may_process(noor, "tips", "email", timezone.now()).allowed
    page = text(staff.get("/customers/C-2/"))
    assert "This record is now part of C-1 ." in page
    assert "n.oor" not in page


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("C-1", "That is this record itself."),
        ("C-9", "No record has this number."),
        ("", "This field is required."),
    ],
)
def test_what_cannot_be_merged_is_refused_in_words(staff, noor, other, said):
    assert said in text(staff.post("/customers/C-1/merge/", {"other": other}))


def test_a_merge_needs_a_reason_and_the_preview_of_now(staff, noor, same, tips):
    seal = seal_in(staff.post("/customers/C-1/merge/", {"other": "C-2"}))
    page = staff.post("/customers/C-1/merge/", {"other": "C-2", "seal": seal, "reason": ""})
    assert "This field is required." in text(page)
    record(noor, purpose=tips)
    given = {"other": "C-2", "seal": seal, "reason": "She called."}
    page = text(staff.post("/customers/C-1/merge/", given, follow=True))
    assert "What they permit changed meanwhile." in page
    assert not CustomerMerge.objects.exists()


def test_answers_and_invitations_go_along_and_no_count_changes(noor, same):
    from feedback.services import add_responses

    invitation = make_invitation(customer=same)
    add_responses([an_answer(customer=same, invitation=invitation)])
    merged(noor, same)
    assert Response.objects.get().customer == noor
    assert Invitation.objects.get().customer == noor


def test_a_no_for_a_merged_record_is_written_down_at_the_one_it_became(staff, noor, same, tips):
    merged(noor, same)
    page = text(staff.post("/customers/C-2/relay/", relayed(), follow=True))
    assert "This record became C-1: write it down there." in page
    assert not ConsentEntry.objects.exists()


# -- Faulty batches -------------------------------------------------------------------------------


def proposal(**given) -> dict[str, str]:
    return {
        "wording": "",
        "place": "till",
        "first": "",
        "last": "",
        "form": "",
        "reason": "Ticked.",
    } | given


def test_one_proposes_another_approves_and_the_job_carries_it_out(staff, noor, tips):
    from insights.tasks import due_jobs, invalidate

    record(noor, purpose=tips, place="till")
    page = text(staff.post(BATCHES, proposal(), follow=True))
    assert "1 permission is hit" in page
    assert "You proposed this, and nobody else can approve it." in page
    row = Invalidation.objects.get()
    other = signed_in(Role.ADMINISTRATOR, first_name="Sam")
    page = text(staff.post(f"{BATCHES}{row.pk}/approve/", follow=True))
    assert "A second person has to approve it." in page
    assert due_jobs("invalidations", NOW) == []
    page = text(other.post(f"{BATCHES}{row.pk}/approve/", follow=True))
    assert "Approved. It is carried out now" in page
    assert "Somebody approved or dropped it before you." in text(
        other.post(f"{BATCHES}{row.pk}/approve/", follow=True)
    )
    assert due_jobs("invalidations", NOW) == [invalidate]
    invalidate()
    assert due_jobs("invalidations", NOW) == []
    assert "1 permission was declared invalid" in text(other.get(f"{BATCHES}{row.pk}/"))
    assert "approved by Sam (Administrator)" in text(staff.get("/customers/C-1/"))
    assert not may_process(noor, "tips", "email", timezone.now()).allowed


def test_who_is_alone_waits_a_day(staff, noor, tips):
    record(noor, purpose=tips, place="till")
    staff.post(BATCHES, proposal())
    row = Invalidation.objects.get()
    approve = f"{BATCHES}{row.pk}/approve/"
    assert "so you can from" in text(staff.post(approve, follow=True))
    Invalidation.objects.update(proposed_at=row.proposed_at - invalidations.WAIT_ALONE)
    assert "Approve: declare them invalid" in text(staff.get(f"{BATCHES}{row.pk}/"))
    # A day later there is a colleague again, so nobody is alone.
    sam = make_colleague(Role.ADMINISTRATOR)
    assert "A second person has to approve it." in text(staff.post(approve, follow=True))
    sam.is_active = False
    sam.save()
    assert "Approved." in text(staff.post(approve, follow=True))


@pytest.mark.parametrize(
    ("roles", "given", "alone"),
    [
        ([Role.MARKETER], {}, True),
        ([Role.CONSENT_ADMIN], {"is_active": False}, True),
        ([Role.CONSENT_ADMIN], {}, False),
        ([Role.ADMINISTRATOR], {}, False),
        ([], {"is_superuser": True}, False),
    ],
)
def test_who_counts_as_a_second_pair_of_eyes(roles, given, alone):
    me = make_colleague(Role.CONSENT_ADMIN, Role.ADMINISTRATOR)
    make_colleague(*roles, **given)
    assert is_alone(me) is alone


def test_a_demo_login_is_no_second_pair_of_eyes_in_production(settings):
    me = make_colleague(Role.CONSENT_ADMIN, Role.ADMINISTRATOR)
    demo = make_colleague(Role.ADMINISTRATOR)
    User.objects.filter(pk=demo.pk).update(email="admin@demo.example")
    assert not is_alone(me)
    settings.PRODUCTION = True
    assert is_alone(me)


def test_a_proposal_is_dropped(staff, noor, tips):
    record(noor, purpose=tips, place="till")
    staff.post(BATCHES, proposal())
    pk = Invalidation.objects.get().pk
    assert "Every permission stays as it is." in text(
        staff.post(f"{BATCHES}{pk}/drop/", follow=True)
    )
    assert Invalidation.objects.get().dropped_at
    assert ConsentState.objects.get().state == "given"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"place": ""}, "all of them is no batch."),
        ({"place": "desk"}, "No permission in force was given like that."),
        ({"reason": ""}, "This field is required."),
        ({"first": "2026-11-25", "last": "2026-11-24"}, "This is before the first day."),
        ({"first": "2026-11-25"}, "No permission in force was given like that."),
    ],
)
def test_a_proposal_that_says_nothing_or_hits_nothing_is_refused(staff, noor, tips, given, said):
    record(noor, purpose=tips, place="till")
    assert said in text(staff.post(BATCHES, proposal(**given)))
    assert not Invalidation.objects.exists()


def test_a_batch_can_be_of_a_form_and_then_of_no_other_place(staff, noor, tips):
    form = ConsentForm.objects.create(key="order", name="Order", first=tips, created_at=NOW)
    record(noor, purpose=tips, place="form:order")
    both = text(staff.post(BATCHES, proposal(form=form.pk)))
    assert "Choose a form or fill in a place, not both." in both
    staff.post(BATCHES, proposal(form=form.pk, place=""))
    assert Invalidation.objects.get().place == "form:order"


def test_the_last_day_is_in_it(staff, noor, tips):
    record(noor, purpose=tips, place="till", occurred_at=NOW)
    days = {"first": "2026-11-24", "last": "2026-11-24", "wording": tips.wordings.get().pk}
    staff.post(BATCHES, proposal(**days))
    assert Invalidation.objects.get().entries == 1


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_of_batches_takes_as_many_queries_for_any_number(
    staff, tips, number, django_assert_num_queries
):
    for _ in range(number):
        a_proposal(wording=tips.wordings.get())
    with django_assert_num_queries(10):
        page = text(staff.get(BATCHES))
    assert page.count("waits for a second person") == number


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_of_results_takes_as_many_queries_for_any_number(
    staff, number, django_assert_num_queries
):
    for _ in range(number):
        make_customer(name="Noor")
    with django_assert_num_queries(11):
        find(staff, "noor")


def test_every_address_has_a_name():
    assert reverse("customers") == FIND
    assert reverse("customer", args=["C-1"]) == "/customers/C-1/"
    assert reverse("invalidations") == BATCHES
