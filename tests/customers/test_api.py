"""The API for other systems: who may, what is refused, and that nothing leaks on the way."""

import json
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers import api
from customers.api_keys import Scope, issue_key, revoke_key
from customers.consent import Actor, Grade, State
from customers.limits import Limiter
from customers.models import (
    AccessKind,
    AccessLog,
    ApiKey,
    ConsentEntry,
    ConsentState,
    Suppression,
)
from customers.queries import may_process
from customers.verification import verify_ledger
from insights.accounts import Role
from tests.customers.test_after_a_merge import merged
from tests.insights.test_admin import make_colleague
from tests.makers import make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

ALL = tuple(Scope)
SECRETS = ("noor@example.org", "Noor de Vries")


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(api, "per_key", Limiter(100_000))


def days_ago(days: float):
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def tips():
    purpose = make_purpose(key="tips", channels=["email", "phone"], valid_days=365)
    make_wording(purpose=purpose, version=2, published_at=days_ago(30))
    return purpose


@pytest.fixture
def noor(tips):
    return make_customer(reference="K1", email="noor@example.org", name="Noor de Vries")


@pytest.fixture
def permitting(noor, tips):
    """Noor, who said yes by e-mail: there is something to read, and to take back."""
    record(noor, purpose=tips, occurred_at=days_ago(9))
    return noor


def make_key(*scopes: Scope, days: int = 90) -> str:
    issued = issue_key(name="Shop app", scopes=scopes, days=days, made_by="1", now=timezone.now())
    return issued.secret


def call(path: str, body: object = None, *, key: str = "", client: Client | None = None, **headers):
    """GET without a body, else POST; text is sent as it is."""
    sent = {"headers": {**({"authorization": f"Bearer {key}"} if key else {}), **headers}}
    client = client or Client(enforce_csrf_checks=True)
    if body is None:
        response = client.get(f"/api/v1/{path}", **sent)
    else:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        response = client.post(f"/api/v1/{path}", text, content_type="application/json", **sent)
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert "Access-Control-Allow-Origin" not in response
    assert response["Cache-Control"] == "no-store"
    return response


def a_yes(purpose, **given) -> dict:
    wording = purpose.wordings.get()
    return {
        "purpose": purpose.key,
        "channel": "email",
        "occurred_at": days_ago(2).isoformat(),
        "method": "checkbox",
        "source": "app, screen after the order",
        "wording": wording.pk,
        "evidence": "log 4711",
    } | given


def a_withdrawal(**given) -> dict:
    return {"purpose": "tips", "channel": "email"} | given


def state(customer, purpose, channel="email") -> str:
    found = ConsentState.objects.filter(customer=customer, purpose=purpose, channel=channel)
    return found.values_list("state", flat=True).first() or State.NONE


# -- Who may --------------------------------------------------------------------------------------

CALLS = {
    "purposes": ("purposes", lambda tips: None, None),
    "read": ("customers/K1/consent", lambda tips: None, Scope.READ),
    "read many": ("consent", lambda tips: {"references": ["K1"]}, Scope.READ),
    "withdraw": ("customers/K1/consent/withdraw", lambda tips: a_withdrawal(), Scope.WITHDRAW),
    "give": (
        "customers/K1/consent/give", lambda tips: a_yes(tips, channel="phone"), Scope.GIVE,
    ),
}  # fmt: skip
EVERY_CALL = pytest.mark.parametrize(
    ("path", "body", "scope"), CALLS.values(), ids=lambda one: one if isinstance(one, str) else ""
)


@EVERY_CALL
def test_a_key_may_what_its_scope_says_and_nothing_else(permitting, tips, path, body, scope):
    others = [one for one in ALL if one != scope]
    if scope:
        refused = call(path, body(tips), key=make_key(*others))
        assert (refused.status_code, refused.json()["error"]) == (403, "scope")
        assert scope in refused.json()["message"]
        assert list(refused.json()) == ["error", "field", "message"]
        assert ConsentEntry.objects.count() == 1
        assert not AccessLog.objects.exists()
    assert call(path, body(tips), key=make_key(scope or Scope.GIVE)).status_code in (200, 201)


def _no_key():
    return ""


def _no_such_key():
    return "ci_" + "A" * 43


def _another_word():
    return "letmein"


def _expired():
    secret = make_key(*ALL)
    ApiKey.objects.update(expires_at=timezone.now())
    return secret


def _revoked():
    secret = make_key(*ALL)
    revoke_key(pk=ApiKey.objects.get().pk, now=timezone.now())
    return secret


def _its_digest():
    make_key(*ALL)
    return ApiKey.objects.get().digest


@EVERY_CALL
@pytest.mark.parametrize(
    "key", [_no_key, _no_such_key, _another_word, _expired, _revoked, _its_digest]
)
def test_without_a_working_key_all_calls_say_the_same(permitting, tips, path, body, scope, key):
    secret = key()
    refused = call(path, body(tips), key=secret)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == "Bearer"
    assert refused.json() == call("purposes").json()
    assert refused.json()["error"] == "key"
    assert ConsentEntry.objects.count() == 1


@EVERY_CALL
def test_a_session_is_no_key(permitting, tips, path, body, scope):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_colleague("kim@example.org", Role.ADMINISTRATOR))
    assert call(path, body(tips), client=client).status_code == 401


def test_the_secret_is_kept_nowhere(permitting):
    secret = make_key(Scope.READ)
    row = ApiKey.objects.values().get()
    assert secret[3:] not in repr(row)
    assert secret.startswith(row["hint"])
    assert len(row["hint"]) < 12


def test_a_key_has_so_many_calls_a_minute(permitting, monkeypatch):
    monkeypatch.setattr(api, "per_key", Limiter(2))
    key, other = make_key(Scope.READ), make_key(Scope.READ)
    told = [call("customers/K1/consent", key=key) for _ in range(3)]
    assert [one.status_code for one in told] == [200, 200, 429]
    assert int(told[2]["Retry-After"]) == 30
    assert told[2].json()["error"] == "limit"
    assert call("customers/K1/consent", key=other).status_code == 200


def test_the_day_of_use_is_noted(permitting):
    key = make_key(Scope.READ)
    call("purposes", key=key)
    assert ApiKey.objects.get().used_on == timezone.localdate()


# -- Reading --------------------------------------------------------------------------------------


def test_reading_says_what_is_allowed_and_why(permitting, tips):
    told = call("customers/K1/consent", key=make_key(Scope.READ)).json()
    assert told["reference"] == "K1"
    by_place = {(one["purpose"], one["channel"]): one for one in told["permissions"]}
    given_on = permitting.consents.get().occurred_at
    assert by_place["tips", "email"] == {
        "purpose": "tips",
        "channel": "email",
        "state": "given",
        "allowed": True,
        "reason": "given",
        "sentence": f"gave permission on {given_on:%Y-%m-%d}",
        "since": _written(given_on),
        "valid_until": _written(given_on + timedelta(days=365)),
        "grade": "B",
    }
    unknown = by_place["tips", "phone"]
    assert (unknown["state"], unknown["allowed"], unknown["reason"]) == ("none", False, "none")
    assert (unknown["since"], unknown["valid_until"], unknown["grade"]) == (None, None, None)
    assert by_place["service", "email"]["allowed"] is True


def _written(moment) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_it_says_the_same_as_the_gate_for_everything(permitting, tips):
    record(permitting, purpose=tips, channel="phone", occurred_at=days_ago(400), wording=_old(tips))
    record(
        permitting, purpose=make_purpose(key="gone", archived_at=days_ago(1)), channel="web",
        state=State.REFUSED, occurred_at=days_ago(3),
    )  # fmt: skip
    Suppression.objects.create(address_hash="0" * 64, reason="bounce", created_at=days_ago(1))
    told = call("customers/K1/consent", key=make_key(Scope.READ)).json()["permissions"]
    assert len(told) > 5
    assert {"expired", "given", "none", "archived", "service"} == {one["reason"] for one in told}
    for one in told:
        answer = may_process(permitting, one["purpose"], one["channel"], timezone.now())
        assert (answer.allowed, answer.reason) == (one["allowed"], one["reason"])


def _old(purpose):
    """A text that was asked elsewhere, for something else."""
    return make_wording(
        purpose=purpose,
        version=-1,
        change="editorial",
        details="Ja, mail mij.",
        published_at=days_ago(500),
        scope_hash="1" * 64,
    )


@pytest.mark.parametrize("everything", [False, True])
def test_a_stopped_address_is_not_allowed(permitting, tips, everything):
    Suppression.objects.create(
        address_hash=permitting.address_hash,
        everything=everything,
        reason="bounce" if everything else "complaint",
        created_at=days_ago(1),
    )
    told = call("customers/K1/consent", key=make_key(Scope.READ)).json()["permissions"]
    by_place = {(one["purpose"], one["channel"]): one for one in told}
    assert by_place["tips", "email"]["reason"] == "suppressed"
    assert by_place["service", "email"]["allowed"] is not everything


def test_the_customer_can_see_who_asked(permitting):
    secret = make_key(Scope.READ)
    call("customers/K1/consent", key=secret)
    seen = AccessLog.objects.get()
    assert (seen.customer, seen.kind, seen.role) == (permitting, AccessKind.API, "Shop app")
    assert (seen.viewer, seen.reason) == (f"key:{ApiKey.objects.get().pk}", "consent:read")


def test_nobody_and_who_was_erased_are_the_same_stranger(permitting, tips):
    key = make_key(*ALL)
    make_customer(reference="K2", erased_at=days_ago(1))
    for path, body in [
        ("consent", None), ("consent/withdraw", a_withdrawal()), ("consent/give", a_yes(tips)),
    ]:  # fmt: skip
        told = [
            call(f"customers/{one}/{path}", body, key=key) for one in ("K2", "K-nobody", "K1%00")
        ]
        assert [one.status_code for one in told] == [404] * 3
        assert told[0].content == told[1].content == told[2].content
        assert told[0].json()["error"] == "customer"
    assert ConsentEntry.objects.count() == 1
    assert not AccessLog.objects.exists()


def test_many_are_told_at_once_and_the_unknown_are_named(permitting):
    make_customer(reference="K2", erased_at=days_ago(1))
    asked = {"references": ["K3", "K1", "K2", "K1"]}
    told = call("consent", asked, key=make_key(Scope.READ)).json()
    one = call("customers/K1/consent", key=make_key(Scope.READ)).json()
    assert told == {"customers": [one], "unknown": ["K3", "K2"]}


def test_many_take_the_same_queries_as_one(permitting, tips, django_assert_num_queries):
    key = make_key(Scope.READ)
    references = ["K1"]
    call("consent", {"references": references}, key=key)
    # The key, the customers, purposes, states and stopped addresses, and the access log with its
    # savepoint.
    with django_assert_num_queries(9):
        call("consent", {"references": references}, key=key)
    for number in range(499):
        references.append(f"M{number}")
        make_customer(reference=f"M{number}", email=f"m{number}@example.org")
    with django_assert_num_queries(9):
        told = call("consent", {"references": references}, key=key)
    assert len(told.json()["customers"]) == 500
    too_many = call("consent", {"references": [*references, "one more"]}, key=key)
    assert (too_many.status_code, too_many.json()["field"]) == (422, "references")


def test_the_texts_of_today_are_told_with_their_ids(tips):
    _old(tips)
    make_wording(purpose=tips, version=3, published_at=days_ago(3), label="Ja, mail mij tips.")
    make_wording(purpose=tips, version=3, published_at=days_ago(3), language="en", label="Yes.")
    make_wording(purpose=tips, version=4, published_at=days_ago(-1), label="Ja, morgen.")
    told = call("purposes", key=make_key(Scope.GIVE)).json()
    [mine] = [one for one in told if one["purpose"] == "tips"]
    assert mine["channels"] == ["email", "phone"]
    assert [(one["language"], one["label"]) for one in mine["wordings"]] == [
        ("en", "Yes."), ("nl", "Ja, mail mij tips."),
    ]  # fmt: skip
    assert mine["wordings"][1]["way_out"] == "Onder elke mail staat Afmelden."


def test_the_texts_take_the_same_queries_with_one_and_three(tips, django_assert_num_queries):
    key = make_key(Scope.READ)
    call("purposes", key=key)
    with django_assert_num_queries(3):
        call("purposes", key=key)
    for _ in range(2):
        make_wording(published_at=days_ago(1))
    with django_assert_num_queries(3):
        call("purposes", key=key)


# -- Taking back ----------------------------------------------------------------------------------


def test_a_withdrawal_counts_at_once_and_says_who_relayed_it(permitting, tips):
    body = a_withdrawal(occurred_at=days_ago(1).isoformat(), evidence="Said so on the phone.")
    told = call("customers/K1/consent/withdraw", body, key=make_key(Scope.WITHDRAW))
    assert told.status_code == 200
    assert (told.json()["state"], told.json()["allowed"]) == ("withdrawn", False)
    entry = permitting.consents.latest("pk")
    key = ApiKey.objects.get()
    assert (entry.state, entry.actor, entry.actor_id) == (
        State.WITHDRAWN, Actor.ADMIN, f"key:{key.pk}",
    )  # fmt: skip
    assert (entry.method, entry.place) == ("api", "api")
    assert entry.evidence.text.splitlines() == [
        f"Told by the system “Shop app” (key:{key.pk}).",
        f"Happened: {body['occurred_at']}",
        "Said so on the phone.",
    ]
    assert verify_ledger(timezone.now()).finding is None


def test_a_withdrawal_needs_no_reason(permitting, tips):
    key = make_key(Scope.WITHDRAW)
    assert call("customers/K1/consent/withdraw", a_withdrawal(), key=key).status_code == 200
    assert state(permitting, tips) == State.WITHDRAWN


def test_taking_back_twice_is_taking_back_once(permitting, tips):
    key = make_key(Scope.WITHDRAW)
    told = [call("customers/K1/consent/withdraw", a_withdrawal(), key=key) for _ in range(3)]
    assert [one.status_code for one in told] == [200] * 3
    assert told[0].json() == told[2].json()
    assert permitting.consents.count() == 2


def test_an_objection_stays_an_objection(permitting, tips):
    record(permitting, purpose=tips, state=State.OBJECTED)
    told = call("customers/K1/consent/withdraw", a_withdrawal(), key=make_key(Scope.WITHDRAW))
    assert (told.status_code, told.json()["state"]) == (200, "objected")


def test_what_was_never_given_is_taken_back_too(noor, tips):
    told = call("customers/K1/consent/withdraw", a_withdrawal(), key=make_key(Scope.WITHDRAW))
    assert (told.status_code, told.json()["state"]) == (200, "withdrawn")


# -- Giving ---------------------------------------------------------------------------------------


def test_a_yes_with_its_evidence_is_recorded_as_an_import(noor, tips):
    body = a_yes(tips)
    told = call("customers/K1/consent/give", body, key=make_key(Scope.GIVE))
    assert told.status_code == 201
    assert (told.json()["state"], told.json()["allowed"]) == ("given", True)
    assert told.json()["grade"] == "C"
    entry = noor.consents.get()
    assert (entry.actor, entry.grade, entry.method, entry.place) == (
        Actor.IMPORT, Grade.C, "checkbox", "app, screen after the order",
    )  # fmt: skip
    assert entry.wording == tips.wordings.get()
    assert entry.occurred_at.isoformat() == body["occurred_at"]
    assert entry.evidence.text.endswith("log 4711")
    assert verify_ledger(timezone.now()).finding is None


@pytest.mark.parametrize(
    "shown",
    [
        "Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
        " Ja, Lindehuis mag mij tips\nen aanbiedingen mailen. ",
        "Ja, Lindehuis mag mij tips en aanbiedingen mailen. "
        "Hooguit 2 keer per maand. Stoppen kan altijd.",
    ],
)
def test_the_text_may_be_told_word_for_word(noor, tips, shown):
    body = a_yes(tips, wording={"text": shown, "language": "nl"})
    assert call("customers/K1/consent/give", body, key=make_key(Scope.GIVE)).status_code == 201


def test_the_same_yes_again_is_recorded_once(noor, tips):
    key, body = make_key(Scope.GIVE), a_yes(tips)
    told = [call("customers/K1/consent/give", body, key=key) for _ in range(2)]
    assert [one.status_code for one in told] == [201, 200]
    assert told[0].json() == told[1].json()
    other = call("customers/K1/consent/give", body | {"evidence": "log 4712"}, key=key)
    assert other.status_code == 409
    assert noor.consents.count() == 1


MISSING = ["occurred_at", "method", "source", "wording", "evidence"]
NOT_EVIDENCE = {
    **{f"no {name}": ({name: None}, name) for name in MISSING},
    "blank evidence": ({"evidence": " \n"}, "evidence"),
    "blank source": ({"source": " "}, "source"),
    "an address in the source": ({"source": "mail to noor@example.org"}, "source"),
    "an address in the method": ({"method": "noor@example.org"}, "method"),
    "a day without a time": ({"occurred_at": "2026-01-01"}, "occurred_at"),
    "no time zone": ({"occurred_at": "2026-01-01T12:00:00"}, "occurred_at"),
    "tomorrow": ({"occurred_at": "2999-01-01T12:00:00Z"}, "occurred_at"),
    "long ago": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
    "another text": ({"wording": {"text": "Ja, alles.", "language": "nl"}}, "wording"),
    "another language": (
        {"wording": {"text": "Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
                     "language": "en"}}, "wording",
    ),
    "no such text": ({"wording": 2**62}, "wording"),
    "before it was published": ({"occurred_at": "2001-01-01T12:00:00Z"}, "wording"),
    "a purpose that is not there": ({"purpose": "no-such"}, "purpose"),
    "a channel it is not asked on": ({"channel": "sms"}, ""),
    "no such channel": ({"channel": "fax"}, "channel"),
    "a grade of one's own": ({"grade": "A"}, "grade"),
    "a NUL": ({"evidence": "a\0b"}, "evidence"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "field"), NOT_EVIDENCE.values(), ids=NOT_EVIDENCE)
def test_case_13_the_api_gives_nothing_without_evidence(noor, tips, caplog, change, field):
    body = {name: said for name, said in (a_yes(tips) | change).items() if said is not None}
    with caplog.at_level(logging.WARNING, "customers"):
        told = call("customers/K1/consent/give", body, key=make_key(Scope.GIVE))
    assert told.status_code == 422
    assert told.json()["field"].split(".")[0] == field
    assert told.json()["message"]
    assert not ConsentEntry.objects.exists()
    assert "Refused by the API: consent_give by key" in caplog.text
    # With all facts it is taken.
    whole = call("customers/K1/consent/give", a_yes(tips), key=make_key(Scope.GIVE))
    assert whole.status_code == 201


NOT_TO_BE_RAISED = [
    State.REFUSED, State.WITHDRAWN, State.OBJECTED, State.INVALIDATED, State.EXPIRED,
    State.SHOWN, State.PENDING, State.GIVEN,
]  # fmt: skip


@pytest.mark.parametrize("before", NOT_TO_BE_RAISED)
def test_case_13_the_api_gives_nothing_over_what_was_recorded(noor, tips, caplog, before):
    _stand(noor, tips, before)
    lines = noor.consents.count()
    with caplog.at_level(logging.WARNING, "customers"):
        told = call("customers/K1/consent/give", a_yes(tips), key=make_key(Scope.GIVE))
    assert told.status_code == 409
    assert told.json()["error"] == "ledger"
    assert "Only the customer can say yes" in told.json()["message"]
    assert (noor.consents.count(), state(noor, tips)) == (lines, before)
    assert f"Refused in the ledger: customer {noor.pk}, purpose tips" in caplog.text
    assert f"{before} cannot become given" in caplog.text


def _stand(customer, purpose, wanted: State) -> None:
    """Bring a customer into a state, by the way that leads there."""
    relayed = {"actor_id": "1", "evidence": "x"}
    steps = {
        State.EXPIRED: [(State.GIVEN, Actor.CUSTOMER, {}), (State.EXPIRED, Actor.SYSTEM, {})],
        State.INVALIDATED: [
            (State.GIVEN, Actor.CUSTOMER, {}), (State.INVALIDATED, Actor.ADMIN, relayed),
        ],
    }.get(wanted, [(wanted, Actor.CUSTOMER, {})])  # fmt: skip
    for number, (reached, actor, more) in enumerate(steps):
        at = days_ago(9 - number)
        record(customer, purpose=purpose, state=reached, actor=actor, occurred_at=at, **more)


def test_a_yes_does_not_lift_a_stopped_address(noor, tips):
    other = make_purpose(key="other")
    record(noor, purpose=other, state=State.OBJECTED, occurred_at=days_ago(9))
    told = call("customers/K1/consent/give", a_yes(tips), key=make_key(Scope.GIVE))
    assert (told.status_code, told.json()["error"]) == (409, "ledger")
    assert state(noor, tips) == State.NONE


def test_a_yes_is_bound_to_an_address(tips):
    make_customer(reference="K7")
    told = call("customers/K7/consent/give", a_yes(tips), key=make_key(Scope.GIVE))
    assert (told.status_code, told.json()["error"]) == (422, "unproven")


# -- What is sent that should not be --------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, b"\xff", "[]", "null"])
def test_what_is_no_object_is_refused(permitting, body):
    told = call("customers/K1/consent/withdraw", body, key=make_key(*ALL))
    assert told.status_code in (400, 422)
    assert list(told.json()) == ["error", "field", "message"]


def test_a_very_large_body_is_refused(permitting):
    told = call("consent", "x" * 3_000_000, key=make_key(*ALL))
    assert told.status_code in (400, 413)


@pytest.mark.parametrize("path", ["", "consent/", "customers/K1/", "nothing"])
def test_other_addresses_lead_nowhere(permitting, path):
    assert Client().get(f"/api/v1/{path}").status_code in (302, 404)


def test_other_methods_are_refused(permitting):
    response = Client().put("/api/v1/customers/K1/consent")
    assert (response.status_code, response.json()["error"]) == (405, "method")


def test_a_browser_on_another_site_gets_no_permission_to_call(permitting):
    told = Client().options(
        "/api/v1/customers/K1/consent",
        headers={"origin": "https://evil.example", "access-control-request-method": "GET"},
    )
    assert told.status_code == 405
    assert not [name for name in told.headers if name.lower().startswith("access-control")]


# -- Logs -----------------------------------------------------------------------------------------


def test_no_log_holds_anything_of_a_customer_or_a_key(permitting, tips, caplog):
    secret = make_key(*ALL)
    with caplog.at_level(logging.DEBUG):
        call("customers/K1/consent", key=secret)
        call("customers/K1/consent/withdraw", a_withdrawal(evidence="canary-reason"), key=secret)
        call("customers/K1/consent/give", a_yes(tips, evidence="canary-proof"), key=secret)
        call("customers/K1/consent/give", a_yes(tips, canary="canary-field"), key=secret)
        call("customers/K1/consent", key="ci_canary-secret")
    ours = "\n".join(
        one.getMessage() for one in caplog.records if one.name.startswith(("customers", "insights"))
    )
    assert "Refused" in ours
    for trace in (*SECRETS, "canary", secret[3:], "4711"):
        assert trace not in ours


# -- A no somewhere else ---------------------------------------------------------------------------


def give(reference: str, purpose, **given):
    path = f"customers/{reference}/consent/give"
    return call(path, a_yes(purpose, **given), key=make_key(*ALL))


def test_a_no_on_another_record_with_the_address_keeps_a_yes_out(noor, tips):
    record(noor, purpose=tips, occurred_at=days_ago(9))
    record(noor, purpose=tips, state=State.WITHDRAWN, occurred_at=days_ago(8))
    again = make_customer(reference="K2", email="Noor@example.org")
    refused = give("K2", tips)
    assert refused.status_code == 409
    assert "another record has this address" in refused.json()["message"]
    assert not may_process(again, "tips", "email", timezone.now()).allowed
    assert state(again, tips) == State.NONE


def test_a_yes_for_who_is_restricted_or_stopped_is_not_recorded(noor, tips):
    noor.restricted_at = timezone.now()
    noor.save()
    assert give("K1", tips).status_code == 409
    noor.restricted_at = None
    noor.save()
    record(
        make_customer(reference="K2", email="noor@example.org"), purpose=make_purpose(),
        state=State.OBJECTED, occurred_at=days_ago(1),
    )  # fmt: skip
    assert give("K1", tips).status_code == 409
    assert state(noor, tips) == State.NONE


@pytest.mark.parametrize("method", ["pre-ticked box", "Vooraf aangevinkt", "opt-out"])
def test_a_method_by_which_nothing_was_done_gives_nothing(noor, tips, method):
    refused = give("K1", tips, method=method)
    assert (refused.status_code, refused.json()["error"]) == (422, "unproven")
    assert state(noor, tips) == State.NONE


def test_a_record_that_was_merged_answers_as_the_one_it_became(permitting, tips):
    old = make_customer(reference="K9", email="n.devries@example.org")
    record(old, purpose=tips, address=old.email, occurred_at=days_ago(9))
    merged(permitting, old)
    key = make_key(*ALL)
    both = call("consent", {"references": ["K9", "K1"]}, key=key).json()
    assert [one["reference"] for one in both["customers"]] == ["K9", "K1"]
    assert both["customers"][0]["permissions"] == both["customers"][1]["permissions"]
    assert any(one["reason"] == "given" for one in both["customers"][0]["permissions"])
    assert give("K9", tips).status_code == 409
    taken = call("customers/K9/consent/withdraw", a_withdrawal(), key=key).json()
    assert (taken["state"], taken["allowed"]) == ("withdrawn", False)
    assert state(permitting, tips) == State.WITHDRAWN
