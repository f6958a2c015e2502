"""What was stopped is told outside the database, and told again to a database that forgot it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from customers import stop_log
from customers.addresses import address_hash, erased_references
from customers.consent import State
from customers.data_requests import lift_restriction, restrict
from customers.ledger import record_consent
from customers.models import (
    ConsentState,
    Customer,
    Suppression,
    SuppressionReason,
)
from customers.suppressions import Stop, lift, suppress
from insights.replay import replay_stops
from tests.makers import NOW, an_act, make_customer, make_purpose, record

pytestmark = pytest.mark.django_db

ADDRESS = "noor@example.org"
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def log(settings, tmp_path):
    settings.STOP_LOG = tmp_path / "stops.jsonl"
    return settings.STOP_LOG


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Do what happens after a commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def stop(customer, purpose, state=State.WITHDRAWN, now=NOW):
    act = an_act(purpose=purpose, state=state, address=customer.email, occurred_at=now)
    return record_consent(customer=customer, act=act, now=now)


def told(log) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]


# -- Writing --------------------------------------------------------------------------------------


def test_a_stop_is_told_in_hashes_and_a_yes_is_not(log, committed):
    noor, purpose = make_customer(reference="noor-1", email=ADDRESS), make_purpose(key="tips")
    with committed():
        record(noor, purpose=purpose, address=ADDRESS)
        entry = stop(noor, purpose)
    assert told(log) == [
        {
            "kind": "stop",
            "at": NOW.isoformat(),
            "entry": entry.hash,
            "customer": noor.pk,
            "reference": erased_references("noor-1")[0],
            "purpose": "tips",
            "channel": "email",
            "state": "withdrawn",
            "occurred_at": NOW.isoformat(),
        }
    ]
    assert "noor" not in log.read_text()


def test_an_objection_tells_of_the_address_and_a_fresh_yes_lifts_it(log, committed):
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    with committed():
        stop(noor, purpose, State.OBJECTED)
        record(noor, purpose=purpose, address=ADDRESS, occurred_at=LATER)
    assert [line["kind"] for line in told(log)] == ["suppressed", "stop", "lifted"]
    assert told(log)[2]["address"] == address_hash(ADDRESS)


def test_nothing_is_told_of_what_was_rolled_back(log, committed):
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    with committed():
        with transaction.atomic():
            stop(noor, purpose)
            transaction.set_rollback(True)
        assert not log.exists()


def test_lines_of_many_writers_stay_whole(log):
    def write(writer):
        for number in range(50):
            stop_log.append([{"kind": "lifted", "at": f"{writer}", "reason": "x" * number}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = stop_log.read()
    assert (len(found.lines), found.damaged) == (200, [])


def test_the_log_is_for_its_owner_alone(log):
    stop_log.append([{"kind": "lifted", "at": "x"}])
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_stop_does_not_fail_when_the_log_cannot_be_written(settings, tmp_path, caplog, committed):
    settings.STOP_LOG = tmp_path / "not" / "there.jsonl"
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    with committed():
        stop(noor, purpose)
    assert ConsentState.objects.get().state == State.WITHDRAWN
    assert "The log of stops (STOP_LOG) could not be written" in caplog.text


# -- Reading --------------------------------------------------------------------------------------


def test_a_half_line_is_named_and_the_rest_is_read(log):
    stop_log.append([{"kind": "lifted", "at": "1"}])
    with log.open("a") as file:
        file.write('{"kind": "lif')
    found = stop_log.read()
    assert ([line["at"] for line in found.lines], found.damaged) == (["1"], [2])
    # Whoever writes next does not lengthen the half line.
    stop_log.append([{"kind": "lifted", "at": "3"}])
    found = stop_log.read()
    assert ([line["at"] for line in found.lines], found.damaged) == (["1", "3"], [2])


def test_without_a_log_there_is_nothing_to_do():
    assert replay_stops(NOW).document() == {
        "erased": 0, "stopped": 0, "suppressed": 0, "restricted": 0, "known": 0, "damaged": [],
    }  # fmt: skip


# -- Doing it again -------------------------------------------------------------------------------


def lost_stop(customer, purpose, state="withdrawn", **given) -> dict:
    """A stop that the database does not know."""
    usual = {
        "kind": "stop",
        "at": LATER.isoformat(),
        "entry": "f" * 64,
        "customer": customer.pk,
        "reference": erased_references(customer.reference)[0],
        "purpose": purpose.key,
        "channel": "email",
        "state": state,
        "occurred_at": LATER.isoformat(),
    }
    return usual | given


def standing(customer) -> str:
    return ConsentState.objects.get(customer=customer).state


@pytest.mark.parametrize(
    ("state", "becomes"),
    [("withdrawn", "withdrawn"), ("objected", "objected"), ("invalidated", "withdrawn")],
)
def test_a_lost_stop_holds_again_and_once(state, becomes):
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    record(noor, purpose=purpose, address=ADDRESS)
    stop_log.append([lost_stop(noor, purpose, state)])
    now = LATER + timedelta(days=1)
    assert replay_stops(now).stopped == 1
    assert standing(noor) == becomes
    assert noor.consents.last().method == "replay"
    assert replay_stops(now).stopped == 0
    assert noor.consents.count() == 2


def test_a_later_yes_is_not_taken_back_by_an_older_line():
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    stop_log.append([lost_stop(noor, purpose)])
    record(noor, purpose=purpose, address=ADDRESS, occurred_at=LATER + timedelta(hours=1))
    assert replay_stops(LATER + timedelta(days=1)).stopped == 0
    assert standing(noor) == State.GIVEN


def test_the_number_of_a_customer_is_not_believed_without_the_reference():
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    record(noor, purpose=purpose, address=ADDRESS)
    other = erased_references("somebody else")[0]
    stop_log.append([lost_stop(noor, purpose, reference=other)])
    assert replay_stops(LATER).stopped == 0
    assert standing(noor) == State.GIVEN


def test_an_erasure_of_somebody_the_database_never_had_keeps_an_import_from_bringing_them():
    line = {"kind": "erased", "at": NOW.isoformat(), "customer": 99}
    stop_log.append([{**line, "reference": erased_references("gone-1")[0]}])
    assert replay_stops(LATER).erased == 1
    assert replay_stops(LATER).erased == 0
    assert Customer.objects.get().erased_at == NOW


def test_an_erasure_finds_its_customer_under_another_number_too():
    noor = make_customer(reference="noor-1", email=ADDRESS)
    line = {"kind": "erased", "at": NOW.isoformat(), "customer": noor.pk + 100}
    stop_log.append([{**line, "reference": erased_references("noor-1")[0]}])
    assert replay_stops(LATER).erased == 1
    noor.refresh_from_db()
    assert (noor.email, noor.erased_at) == ("", LATER)


def test_stopped_addresses_are_stopped_again_unless_lifted_since(committed):
    stops = {"a" * 64: SuppressionReason.COMPLAINT, "b" * 64: SuppressionReason.BOUNCE}
    with committed():
        for address, reason in stops.items():
            given = Stop(reason=reason, everything=reason == SuppressionReason.BOUNCE)
            suppress(hashes=[address], stop=given, now=NOW)
        lift(hashes=["a" * 64], reasons=[SuppressionReason.COMPLAINT], now=NOW)
    Suppression.objects.all().delete()
    assert replay_stops(LATER).suppressed == 1
    again = Suppression.objects.get()
    assert (again.address_hash, again.everything, again.created_at) == ("b" * 64, True, NOW)
    assert replay_stops(LATER).suppressed == 0


def test_the_command_says_what_it_did_and_what_was_damaged(log):
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    record(noor, purpose=purpose, address=ADDRESS)
    stop_log.append([lost_stop(noor, purpose)])
    with log.open("a") as file:
        file.write("{")
    out, errors = StringIO(), StringIO()
    call_command("replay_erasures", "--json", stdout=out, stderr=errors)
    assert json.loads(out.getvalue()) == {
        "erased": 0, "stopped": 1, "suppressed": 0, "restricted": 0, "known": 0, "damaged": [2],
    }  # fmt: skip
    assert "Line 2 of the log of stops (STOP_LOG) is damaged" in errors.getvalue()


def test_a_restriction_is_told_and_stands_again_after_a_backup_unless_it_was_lifted(committed):
    noor, bram = make_customer(reference="noor"), make_customer(reference="bram")
    with committed():
        restrict(customer=noor, now=NOW)
        restrict(customer=bram, now=NOW)
        lift_restriction(customer=bram, now=LATER)
    Customer.objects.update(restricted_at=None)  # the backup of the day before
    assert replay_stops(LATER).restricted == 1
    noor.refresh_from_db()
    bram.refresh_from_db()
    assert (noor.restricted_at, bram.restricted_at) == (NOW, None)
    assert replay_stops(LATER).changed == 0


@pytest.mark.parametrize("times", [1, 3])
def test_lines_that_are_known_cost_the_same_however_many(
    times, committed, django_assert_num_queries
):
    with committed():
        for _ in range(times):
            noor = make_customer(email=ADDRESS)
            stop(noor, make_purpose(), State.OBJECTED)
    with django_assert_num_queries(2):
        assert replay_stops(LATER).changed == 0


def test_a_start_does_it_before_anything_else_runs():
    noor, purpose = make_customer(email=ADDRESS), make_purpose()
    User.objects.create(username="kim")
    record(noor, purpose=purpose, address=ADDRESS)
    stop_log.append([lost_stop(noor, purpose)])
    out = StringIO()
    call_command("prepare", stdout=out)
    assert "0 erased, 1 taken back, 0 addresses stopped" in out.getvalue()
    assert standing(noor) == State.WITHDRAWN
