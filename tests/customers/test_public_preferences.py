"""The preference page: the link of a mail lowers, a fresh link is mailed for everything else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import public_preferences
from customers.addresses import address_hashes
from customers.consent import Actor, State
from customers.letters import Sender, send_due
from customers.limits import Limiter
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Letter,
    LinkAction,
    MailedLink,
    Suppression,
)
from customers.own_links import mail_asked_links
from customers.services import change_address
from customers.subjects import sign_subject
from customers.tokens import own_page_pass, preferences_token, secret_digest, unsubscribe_token
from tests.makers import NOW, make_customer, make_purpose, make_wording, record

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-forty-three-characters-as-mailed"


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(public_preferences, "per_place", Limiter(100_000))


@pytest.fixture
def stranger() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def noor() -> Customer:
    return make_customer(email="noor@example.org", name="Noor Voorbeeld", language="nl")


@pytest.fixture
def tips(noor):
    purpose = make_purpose(name_nl="Tips en aanbiedingen", name_en="Tips and offers")
    make_wording(purpose=purpose, promised_messages=2, promised_days=30)
    make_wording(purpose=purpose, language="en", promised_messages=2, promised_days=30)
    record(noor, purpose=purpose)
    return purpose


def address(customer) -> str:
    return f"/preferences/{preferences_token(customer.pk)}/"


def off(purpose, channel="email") -> dict[str, object]:
    return {"do": "off", "purpose": purpose.pk, "channel": channel}


def states() -> dict[str, str]:
    return {state.purpose.key: state.state for state in ConsentState.objects.all()}


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def mailed_link(customer, **given) -> MailedLink:
    now = timezone.now()
    facts = {
        "action": LinkAction.OPEN,
        "customer": customer,
        "address_hash": customer.address_hash,
        "digest": secret_digest(TOKEN),
        "asked_at": now,
        "expires_at": now + timedelta(hours=24),
    }
    return MailedLink.objects.create(**facts | given)


# -- What it shows ---------------------------------------------------------------------------------


def test_it_shows_what_is_on_since_when_and_by_which_text(stranger, noor, tips):
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert "Tips and offers by e-mail" in text
    assert "At most 2 times a month." in text
    assert "Yes since 24 November 2026" in text
    assert "Ja, Lindehuis mag mij tips en aanbiedingen mailen." in text
    assert "Hooguit 2 keer per maand. Stoppen kan altijd." in text
    assert "Onder elke mail staat Afmelden." in text
    assert 'aria-checked="true"' in text


def test_it_shows_who_it_is_for_masked_and_nothing_else_of_them(stranger, noor, tips):
    text = text_of(stranger.get(address(noor)))
    assert "n…r@example.org" in text
    assert "noor@example.org" not in text
    assert "Voorbeeld" not in text
    assert noor.reference not in text


def test_what_is_off_is_shown_as_off_with_the_way_to_a_fresh_link(stranger, noor):
    never, told = make_purpose(name_en="Never asked"), make_purpose(name_en="Taken back")
    for purpose in (never, told):
        make_wording(purpose=purpose, language="en")
    record(noor, purpose=told)
    record(noor, purpose=told, state=State.WITHDRAWN, occurred_at=NOW + timedelta(seconds=1))
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert "Never switched on" in text
    assert "Off since 24 November 2026" in text
    assert 'aria-checked="true"' not in text
    assert "Mail me a link" in text
    assert "Everything is off." in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": State.REFUSED}, "You said no on 24 November 2026"),
        ({"state": State.PENDING}, "Asked on 24 November 2026, and not confirmed by you yet"),
        ({"state": State.OBJECTED}, "Off since 24 November 2026"),
        ({"address": "noor@example.org", "state": State.SHOWN}, "Never switched on"),
    ],
    ids=lambda one: one.get("state") if isinstance(one, dict) else "",
)
def test_every_state_is_told_in_words(stranger, noor, given, said):
    purpose = make_purpose(name_en="Tips")
    make_wording(purpose=purpose)
    record(noor, purpose=purpose, **given)
    assert said in text_of(stranger.get(address(noor) + "?lang=en"))


def test_a_yes_that_does_not_hold_any_more_is_off_and_says_why(stranger, noor):
    old, other, moved = (make_purpose(name_en=name) for name in ("Old", "Other", "Moved"))
    long_ago = datetime(2024, 1, 1, 12, tzinfo=UTC)
    record(
        noor,
        purpose=old,
        wording=make_wording(purpose=old, published_at=long_ago),
        occurred_at=long_ago,
    )
    record(noor, purpose=other)
    make_wording(purpose=other, version=2, published_at=NOW + timedelta(seconds=1))
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert "Off: your yes was valid until 31 December 2025" in text
    assert "Off: we now do something else than you said yes to" in text
    record(noor, purpose=moved)
    noor.email = "noor@example.net"
    noor.save()
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert "Off: you said yes with another address" in text
    assert 'aria-checked="true"' not in text


def test_the_page_speaks_the_customers_language_and_the_links_before_it(stranger, noor, tips):
    assert "Mail me a link" in text_of(stranger.get(address(noor) + "?lang=en"))
    Customer.objects.filter(pk=noor.pk).update(language="en")
    answer = stranger.get(address(noor))
    assert answer["Content-Language"] == "en"
    assert stranger.get(address(noor) + "?lang=nl")["Content-Language"] == "nl"


@pytest.mark.parametrize("purposes", [1, 3])
def test_the_page_takes_as_many_queries_for_three_switches_as_for_one(
    stranger, noor, purposes, django_assert_num_queries
):
    for _ in range(purposes):
        purpose = make_purpose()
        make_wording(purpose=purpose)
        record(noor, purpose=purpose)
    with django_assert_num_queries(8):
        assert stranger.get(address(noor)).status_code == 200


# -- What it lowers --------------------------------------------------------------------------------


def test_one_press_takes_one_purpose_back_and_says_so_with_the_time(stranger, noor, tips):
    other = make_purpose()
    record(noor, purpose=other)
    answer = stranger.post(address(noor), off(tips) | {"lang": "en"})
    text = text_of(answer)
    assert answer.status_code == 200
    assert states() == {tips.key: "withdrawn", other.key: "given"}
    assert f"Off since today {timezone.localtime():%H}:" in text
    assert text.count("ci-saved") == 1
    entry = ConsentEntry.objects.last()
    assert (entry.method, entry.place) == ("preference_page", "preferences")


def test_one_press_stops_everything_on_every_channel(stranger, noor, tips):
    other = make_purpose(channels=["email", "sms"])
    record(noor, purpose=other)
    record(noor, purpose=other, channel="sms")
    record(noor, purpose=make_purpose(), state=State.PENDING)
    answer = stranger.post(address(noor), {"do": "stop", "lang": "en"})
    assert set(ConsentState.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert "Everything is off since" in text_of(answer)


def test_less_often_and_a_pause_hold_at_once_and_are_shown(stranger, noor, tips):
    text = text_of(stranger.post(address(noor), {"do": "less", "lang": "en"}))
    noor.refresh_from_db()
    assert noor.monthly_limit == 1
    assert 'value="less" aria-pressed="true"' in text
    text = text_of(stranger.post(address(noor), {"do": "pause", "lang": "en"}))
    noor.refresh_from_db()
    assert noor.paused_until > timezone.now() + timedelta(days=90)
    assert noor.monthly_limit == 1
    assert "Paused until" in text
    # What is on stays on.
    assert states() == {tips.key: "given"}
    assert 'aria-checked="true"' in text


def test_the_promise_of_the_text_is_the_first_choice(stranger, noor, tips):
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert text.index("At most 2 times a month</button>") < text.index("At most once a month")


def test_who_was_promised_one_a_month_is_not_offered_it_again(stranger, noor):
    purpose = make_purpose()
    make_wording(purpose=purpose, promised_messages=1, promised_days=30)
    record(noor, purpose=purpose)
    assert 'value="less"' not in text_of(stranger.get(address(noor)))


@pytest.mark.parametrize("method", ["get", "head"])
def test_case_09_a_scanner_that_opens_the_preference_link_changes_nothing(
    stranger, noor, tips, method
):
    link = mailed_link(noor)
    people, entries = list(Customer.objects.values()), list(ConsentEntry.objects.values())
    for path in (address(noor), f"/preferences/{TOKEN}/", "/preferences/"):
        for query in ("", "?do=stop", "?do=pause", "?email=noor@example.org"):
            assert getattr(stranger, method)(path + query).status_code == 200
    assert list(Customer.objects.values()) == people
    assert list(ConsentEntry.objects.values()) == entries
    assert not Letter.objects.exists()
    link.refresh_from_db()
    assert (link.spent_at, link.closed_at) == (None, None)


# -- What it refuses -------------------------------------------------------------------------------


RAISING = [
    {"do": "on"},
    {"do": "on", "state": "given"},
    {"do": "usual"},
    {"do": "give"},
    {"do": "restrict"},
    {"do": "object"},
    {"do": "erase_answer", "answer": "1"},
    {"do": "off", "purpose": "999999999999999999999999", "channel": "email"},
    {"do": "off", "purpose": "abc", "channel": "email"},
    {"do": "off", "channel": "pigeon"},
    {"do": ""},
    {},
    {"monthly_limit": "99", "paused_until": ""},
]


@pytest.mark.parametrize("body", RAISING, ids=str)
def test_case_11_a_stranger_with_the_link_can_only_lower(stranger, noor, tips, body):
    """Every press that any page knows, and some that none knows."""
    taken_back = make_purpose()
    wording = make_wording(purpose=taken_back)
    record(noor, purpose=taken_back)
    record(noor, purpose=taken_back, state=State.WITHDRAWN)
    until = timezone.now() + timedelta(days=200)
    Customer.objects.filter(pk=noor.pk).update(monthly_limit=1, paused_until=until)
    people, entries = list(Customer.objects.values()), list(ConsentEntry.objects.values())
    text = {"purpose": taken_back.pk, "channel": "email", "yes": wording.pk, "wording": wording.pk}
    answer = stranger.post(address(noor), text | body | {"lang": "en"})
    assert answer.status_code == 200
    assert "Nothing is changed. That needs a fresh link" in text_of(answer)
    assert list(Customer.objects.values()) == people
    assert list(ConsentEntry.objects.values()) == entries


@pytest.mark.parametrize(
    "path",
    ["", "data/", "download/", "correct/", "erase/", "close/"],
    ids=lambda one: one or "page",
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_case_11_a_stranger_with_the_link_sees_and_erases_nothing(
    stranger, noor, tips, path, method
):
    stranger.get(address(noor))
    for token in ("", own_page_pass(1), preferences_token(noor.pk), "1:forged"):
        stranger.cookies["own_page"] = token
        answer = getattr(stranger, method)(f"/preferences/mine/{path}")
        assert answer.status_code in {403, 404}
        assert "noor" not in text_of(answer)


def test_case_11_a_pause_or_limit_that_stands_is_never_shortened(stranger, noor, tips):
    until = timezone.now() + timedelta(days=300)
    Customer.objects.filter(pk=noor.pk).update(monthly_limit=1, paused_until=until)
    for wanted in ("less", "pause", "usual", "stop", "off"):
        stranger.post(address(noor), {"do": wanted})
    noor.refresh_from_db()
    assert (noor.monthly_limit, noor.paused_until) == (1, until)


def test_an_objection_stays_stronger_than_taking_back(stranger, noor, tips):
    record(noor, purpose=tips, state=State.OBJECTED)
    stranger.post(address(noor), off(tips))
    assert states() == {tips.key: "objected"}
    assert Suppression.objects.exists()


@pytest.mark.parametrize(
    "token",
    [
        lambda noor, tips: unsubscribe_token(noor.pk, tips.pk, "email"),
        lambda noor, tips: own_page_pass(noor.pk),
        lambda noor, tips: sign_subject("K1", key="k", expires_at=NOW),
        lambda noor, tips: preferences_token(noor.pk)[:-1],
        lambda noor, tips: preferences_token(noor.pk).replace(str(noor.pk), "1", 1) + "x",
        lambda noor, tips: f"{noor.pk}:",
        lambda noor, tips: preferences_token(987_654),
        lambda noor, tips: "rating:" + "x" * 27,
    ],
    ids=["unsubscribe", "pass", "subject", "truncated", "forged", "bare", "unknown", "rating"],
)
def test_another_token_opens_and_lowers_nothing(stranger, noor, tips, token):
    path = f"/preferences/{token(noor, tips)}/"
    for answer in (stranger.get(path), stranger.post(path, {"do": "stop"})):
        page = "Open" in text_of(answer)
        assert answer.status_code == 404 or (page and ":" not in path)
        assert "n…r" not in text_of(answer)
    assert states() == {tips.key: "given"}


def test_the_link_of_an_erased_customer_opens_nothing(stranger):
    erased = make_customer(erased_at=NOW)
    assert stranger.get(address(erased)).status_code == 404


# -- A fresh link ----------------------------------------------------------------------------------


def test_the_page_mails_a_link_to_the_address_on_file_without_typing(
    stranger, noor, tips, mailoutbox
):
    answer = stranger.post(address(noor), {"do": "mail", "lang": "en"})
    assert "We are mailing a link to n…r@example.org" in text_of(answer)
    link = MailedLink.objects.get()
    assert link.expires_at - link.asked_at == timedelta(hours=24)
    assert send_due(Sender("Lindehuis", "shop@example.org"), timezone.now()) == 1
    (letter,) = mailoutbox
    assert letter.to == ["noor@example.org"]
    assert letter.subject == "Your link to the page of Lindehuis" or "Lindehuis" in letter.subject
    path = letter.body.split("/preferences/")[1].split("/")[0]
    assert ":" not in path
    assert stranger.get(f"/preferences/{path}/").status_code == 200
    opened = stranger.post(f"/preferences/{path}/")
    assert opened.status_code == 302
    link.refresh_from_db()
    assert link.spent_at is not None


def test_an_address_we_know_and_one_we_do_not_get_the_same_answer(stranger, noor):
    known = stranger.post("/preferences/", {"email": "Noor@Example.org", "lang": "en"})
    unknown = stranger.post("/preferences/", {"email": "sam@example.org", "lang": "en"})
    assert known.status_code == unknown.status_code == 200
    assert known.content == unknown.content
    assert mail_asked_links(timezone.now()) == 1
    assert Letter.objects.get().address == "noor@example.org"


def test_an_address_we_know_takes_as_much_work_as_one_we_do_not(stranger, noor):
    told = []
    for email in ("noor@example.org", "sam@example.org") * 2:
        with CaptureQueriesContext(connection) as queries:
            stranger.post("/preferences/", {"email": email})
        told.append([query["sql"].split(" VALUES")[0] for query in queries])
    assert told[0] == told[1] == told[2] == told[3]
    assert mail_asked_links(timezone.now()) == 1
    assert not Letter.objects.filter(customer=None).exists()


def test_what_somebody_typed_is_not_sent_as_a_letter(stranger, mailoutbox):
    stranger.post("/preferences/", {"email": "sam@example.org"})
    assert send_due(Sender("Lindehuis", "shop@example.org"), timezone.now()) == 0
    assert mailoutbox == []


def test_an_address_that_is_too_long_is_none(stranger):
    long = "a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".example"
    assert len(long) > 254
    assert stranger.post("/preferences/", {"email": long}).status_code == 422


def test_nobodys_mailbox_is_filled(stranger, noor):
    for _ in range(4):
        stranger.post("/preferences/", {"email": "noor@example.org"})
        mail_asked_links(timezone.now())
        stranger.post(address(noor), {"do": "mail"})
    assert Letter.objects.count() == 1


def test_an_address_that_bounced_gets_no_letter(stranger, noor):
    Suppression.objects.create(
        address_hash=noor.address_hash, reason="bounce", everything=True, created_at=NOW
    )
    stranger.post("/preferences/", {"email": "noor@example.org"})
    mail_asked_links(timezone.now())
    assert not Letter.objects.exists()


def test_who_objected_to_marketing_still_gets_the_link(stranger, noor, tips):
    record(noor, purpose=tips, state=State.OBJECTED)
    stranger.post("/preferences/", {"email": "noor@example.org"})
    mail_asked_links(timezone.now())
    assert Letter.objects.count() == 1


def test_many_addresses_from_one_place_are_too_many(stranger, noor, monkeypatch):
    monkeypatch.setattr(public_preferences, "per_place", Limiter(2))
    codes = [
        stranger.post("/preferences/", {"email": f"a{n}@example.org"}).status_code for n in range(3)
    ]
    assert codes == [200, 200, 429]


@pytest.mark.parametrize("given", ["", "noor", "noor@", "a b@example.org", "noor\n@example.org"])
def test_what_is_no_address_is_said_to_be_none(stranger, given):
    answer = stranger.post("/preferences/", {"email": given, "lang": "en"})
    assert answer.status_code == 422
    assert "This is no e-mail address" in text_of(answer)


# -- Using it --------------------------------------------------------------------------------------


def test_the_link_shows_one_button_and_is_used_up_by_the_press(stranger, noor):
    link = mailed_link(noor)
    page = stranger.get(f"/preferences/{TOKEN}/")
    assert text_of(page).count("<button") == 1
    answer = stranger.post(f"/preferences/{TOKEN}/", {"lang": "en"})
    assert (answer.status_code, answer["Location"]) == (302, "/preferences/mine/?lang=en")
    cookie = answer.cookies["own_page"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        "/preferences/",
        True,
        "Strict",
    )
    assert cookie["max-age"] == 30 * 60
    noor.refresh_from_db()
    assert noor.is_verified
    link.refresh_from_db()
    assert link.spent_at is not None


def test_the_cookie_goes_over_https_alone_in_production(stranger, noor, settings):
    settings.PRODUCTION = True
    mailed_link(noor)
    assert stranger.post(f"/preferences/{TOKEN}/").cookies["own_page"]["secure"]


@pytest.mark.parametrize(
    "given",
    [
        {"spent_at": NOW},
        {"expires_at": NOW - timedelta(days=30)},
        {"address_hash": "b" * 64},
        {"action": LinkAction.CONFIRM},
        {"digest": "c" * 64},
    ],
    ids=["used", "old", "another address", "for something else", "unknown"],
)
def test_a_link_that_is_no_good_opens_nothing_and_offers_a_new_one(stranger, noor, given):
    link = mailed_link(noor, **given)
    before = MailedLink.objects.values().get()
    answer = stranger.post(f"/preferences/{TOKEN}/", {"lang": "en"})
    assert answer.status_code == 404
    assert "This link does not work any more" in text_of(answer)
    assert 'name="email"' in text_of(answer)
    assert answer.cookies == {}
    assert MailedLink.objects.values().get(pk=link.pk) == before
    noor.refresh_from_db()
    assert not noor.is_verified


def test_a_link_works_once(stranger, noor):
    mailed_link(noor)
    assert stranger.post(f"/preferences/{TOKEN}/").status_code == 302
    assert Client().post(f"/preferences/{TOKEN}/").status_code == 404


def test_a_link_to_an_erased_customer_opens_nothing(stranger, noor):
    mailed_link(noor)
    Customer.objects.filter(pk=noor.pk).update(erased_at=NOW, email="", name="", address_hash="")
    assert stranger.post(f"/preferences/{TOKEN}/").status_code == 404


def test_no_page_reads_or_sets_a_cookie_before_that(stranger, noor, tips):
    for path in (address(noor), f"/preferences/{TOKEN}/", "/preferences/"):
        answer = stranger.get(path)
        assert answer.cookies == {}
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "Cookie" not in answer.get("Vary", "")


def test_a_busy_database_is_said_to_be_busy(stranger, noor, monkeypatch):
    from django.db import OperationalError

    def busy(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(public_preferences, "lower", busy)
    answer = stranger.post(address(noor), {"do": "stop"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_relayed_entry_is_not_told_as_the_customers_own(stranger, noor, tips):
    record(
        noor,
        purpose=tips,
        state=State.WITHDRAWN,
        actor=Actor.ADMIN,
        actor_id="7",
        evidence="She called.",
    )
    text = text_of(stranger.get(address(noor) + "?lang=en"))
    assert "Off since 24 November 2026" in text
    assert "She called" not in text


def test_a_page_whose_address_was_changed_does_not_tell_whether_that_one_is_stopped(
    stranger, noor, tips
):
    change_address(customer=noor, email="free@example.org", now=NOW)
    free = text_of(stranger.get(address(noor) + "?lang=en"))
    victim = make_customer(email="stop@example.org")
    record(victim, purpose=tips, address=victim.email, state=State.OBJECTED)
    change_address(customer=noor, email="stop@example.org", now=NOW)
    stopped = text_of(stranger.get(address(noor) + "?lang=en"))
    assert stopped.replace("s…p@", "f…e@") == free
    stranger.post(address(noor), {"do": "off", "purpose": tips.pk, "channel": "email"})
    assert ConsentState.objects.get(customer=noor, purpose=tips).state == State.WITHDRAWN


def test_the_stop_of_an_erased_address_does_not_move_to_another_one(noor):
    for reason in ("erasure", "bounce", "complaint"):
        Suppression.objects.create(address_hash=noor.address_hash, reason=reason, created_at=NOW)
    change_address(customer=noor, email="new@example.org", now=NOW)
    moved = Suppression.objects.filter(address_hash__in=address_hashes("new@example.org"))
    assert [one.reason for one in moved] == ["complaint"]
