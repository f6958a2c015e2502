"""The opt-in form and the page that confirms, as strangers, customers and machines meet them."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers import asking, public_optin
from customers.addresses import address_hash
from customers.limits import Limiter
from customers.models import (
    AskTally,
    ConsentEntry,
    ConsentForm,
    Customer,
    Letter,
    MailedLink,
    PurposeKind,
    Suppression,
    Wording,
)
from customers.subjects import sign_subject
from insights.models import Organisation
from tests.customers.opt_in import (
    ADDRESS,
    address_of,
    fields,
    hidden,
    mailed_token,
    second_text,
    send,
    states,
    text_of,
)
from tests.makers import (
    LONG_AGO,
    make_asked_purpose,
    make_consent_form,
    make_customer,
    make_purpose,
    make_wording,
    record,
)

pytestmark = pytest.mark.django_db

OTHERS = "https://shop.example"
LANGUAGES = ("nl", "en")


@pytest.fixture(autouse=True)
def _wide_limits(monkeypatch):
    for name in ("per_address", "per_form", "seen_per_address", "seen_per_form"):
        monkeypatch.setattr(public_optin, name, Limiter(10_000))


@pytest.fixture
def form() -> ConsentForm:
    return make_consent_form(second=make_asked_purpose(kind=PurposeKind.PROFILING))


@pytest.fixture
def short() -> ConsentForm:
    """A form with one question."""
    return make_consent_form()


@pytest.fixture
def known() -> Customer:
    """A customer of the shop whose address was confirmed before."""
    return make_customer(reference="K-71", email=ADDRESS, verified_hash=address_hash(ADDRESS))


def get(client, form, **query):
    return client.get(address_of(form), query)


def post(client, form, **given):
    return client.post(address_of(form), fields(form, **given))


def begin(client, form, reference="K-71", language="nl", **headers):
    subject = sign_subject(
        reference, key=settings.SUBJECT_KEYS[0], expires_at=timezone.now() + timedelta(hours=1)
    )
    data = {"lang": language, "step": "begin", "subject": subject}
    return client.post(address_of(form), data, headers=headers)


def body(response) -> str:
    return response.content.decode()


def tally(wording: Wording) -> tuple[int, int, int, int]:
    row = AskTally.objects.filter(wording=wording).first()
    return (row.shown, row.ticked, row.left_empty, row.confirmed) if row else (0, 0, 0, 0)


# -- Case 1 ----------------------------------------------------------------------------------------


def test_case_01_no_box_is_ticked_required_or_hidden_on_any_page_in_any_language(
    client, form, known
):
    pages = []
    for language, formal in product(LANGUAGES, (False, True)):
        Organisation.objects.update_or_create(pk=1, defaults={"formal": formal})
        pages += [get(client, form, lang=language), begin(client, form, language=language)]
        pages.append(post(client, form, language=language, email="kim@example.org"))
        wrong = fields(form, language, wording="0")
        pages.append(client.post(address_of(form), wrong))
    for page in pages:
        boxes = re.findall(r"<input[^>]*checkbox[^>]*>", body(page))
        assert len(boxes) == 1
        assert not re.search(r"checked|required|hidden|disabled", boxes[0])
        assert 'autocomplete="off"' in boxes[0]
        assert not re.search(r'type="hidden"[^>]*name="tick"|required', body(page))
        assert body(page).count("btn-primary") == 1


@pytest.mark.parametrize("tick", [None, "", "0", "false", "off", "no", "on", "1", "true", "YES"])
def test_case_01_only_the_value_of_the_box_is_a_tick(client, short, tick):
    post(client, short, tick=tick)
    assert states() == []
    assert not Customer.objects.exists()
    assert not Letter.objects.exists()
    assert tally(text_of(short))[1] == 0


@pytest.mark.parametrize("sent", [["yes", "yes"], ["yes", "0"], ["0", "yes"], ["", "yes"]])
def test_case_01_a_tick_sent_twice_is_none(client, short, sent):
    response = post(client, short, tick=sent)
    assert response.status_code == 422
    assert states() == []
    assert not Letter.objects.exists()


@pytest.mark.parametrize("tick", [None, "", "0", "false", "off", ["yes", "yes"]])
def test_case_01_nor_is_it_for_a_known_customer(client, short, known, tick):
    state = hidden(begin(client, short), "state")
    post(client, short, tick=tick, state=state, email=None)
    assert "given" not in states()


# -- Strangers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_asks_one_thing_and_one_address(client, form, language):
    page = get(client, form, lang=language)
    text = text_of(form, language)
    assert page.status_code == 200
    assert text.label in body(page)
    assert text.helper in body(page)
    assert text.way_out in body(page)
    assert second_text(form, language).label not in body(page)
    assert len(re.findall(r"<input(?![^>]*hidden)", body(page))) == 2
    assert page["Content-Language"] == language
    assert f'<html lang="{language}">' in body(page)
    assert "<script" not in body(page)
    assert "style=" not in body(page)


def test_the_second_question_comes_one_step_after_a_tick(client, form):
    page = post(client, form)
    assert second_text(form).label in body(page)
    assert ADDRESS not in body(page)
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": hidden(page, "state"),
        "tick": "yes",
    }
    done = client.post(address_of(form), data)
    assert done.status_code == 200
    assert states() == ["pending", "pending"]
    assert Letter.objects.count() == 1
    assert MailedLink.objects.get().wordings == [text_of(form).pk, second_text(form).pk]


def test_the_second_question_never_comes_after_an_empty_box(client, form):
    page = post(client, form, tick=None)
    assert second_text(form).label not in body(page)
    assert "Er is niets over je bewaard." in body(page) or "Nothing is stored" in body(page)
    assert "90" not in body(page)
    assert not Customer.objects.exists()
    assert tally(text_of(form)) == (0, 0, 1, 0)


def test_an_empty_box_beside_an_address_stores_no_address(client, short):
    post(client, short, tick=None, email=ADDRESS)
    assert not Customer.objects.exists()


def test_from_the_form_to_the_permission(client, form):
    page = post(client, form)
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": hidden(page, "state"),
    }
    client.post(address_of(form), data)
    link = reverse("confirm", args=[mailed_token()])
    asked = client.get(link)
    assert asked.status_code == 200
    assert text_of(form).label in body(asked)
    assert body(asked).count("<button") == 1
    assert states() == ["pending"]
    done = client.post(link)
    assert done.status_code == 200
    assert states() == ["pending", "given"]
    assert text_of(form).label in body(done)
    assert "/preferences/" in body(done)
    assert tally(text_of(form)) == (0, 1, 0, 1)


def test_the_answer_is_the_same_whatever_is_known_about_the_address(client, short):
    wording = text_of(short)
    people = {
        "known@example.org": lambda who: make_customer(email=who),
        "yes@example.org": lambda who: record(
            make_customer(email=who), purpose=short.first, wording=wording, address=who
        ),
        "took-back@example.org": lambda who: record(
            make_customer(email=who), purpose=short.first, state="withdrawn", address=who
        ),
        "objected@example.org": lambda who: record(
            make_customer(email=who), purpose=short.first, state="objected", address=who
        ),
        "gone@example.org": lambda who: Suppression.objects.create(
            address_hash=address_hash(who), reason="bounce", created_at=LONG_AGO
        ),
        "erased@example.org": lambda who: Suppression.objects.create(
            address_hash=address_hash(who), reason="erasure", created_at=LONG_AGO
        ),
    }
    for who, make in people.items():
        make(who)
    answers = [
        post(client, short, email=who)
        for who in ("unknown@example.org", "unknown@example.org", *people)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1


def test_a_flood_for_one_victim_is_one_letter(client, form):
    for number in range(100):
        spelled = ADDRESS.upper() if number % 2 else "noor@ｅｘａｍｐｌｅ.org"
        assert post(client, form, email=spelled.replace("NOOR", "Noor")).status_code == 200
    assert Letter.objects.count() == 1
    assert states() == ["pending"]
    assert Customer.objects.count() == 1


def test_too_many_ticks_from_one_place_are_put_off(client, short, monkeypatch):
    monkeypatch.setattr(public_optin, "per_address", Limiter(2))
    codes = [post(client, short, email=f"a{n}@example.org").status_code for n in range(4)]
    assert codes == [200, 200, 429, 429]
    assert int(post(client, short)["Retry-After"]) >= 1
    assert Letter.objects.count() == 2


def test_too_many_ticks_on_one_form_are_put_off(client, short, monkeypatch):
    monkeypatch.setattr(public_optin, "per_form", Limiter(1))
    codes = []
    for number in range(2):
        elsewhere = Client(REMOTE_ADDR=f"198.51.100.{number}")
        codes.append(post(elsewhere, short).status_code)
    assert codes == [200, 429]


@pytest.mark.parametrize(
    "typed", ["", "noor", "nöör@example.org", "a,b@example.org", "n" * 300 + "@example.org"]
)
def test_a_wrong_address_is_said_at_the_field_and_nothing_is_lost(client, form, typed):
    page = post(client, form, email=typed)
    assert page.status_code == 422
    assert 'aria-describedby="email-problem"' in body(page)
    assert f'value="{typed}"' in body(page)
    assert re.search(r'name="tick"[^>]* checked ', body(page))
    assert states() == []
    assert tally(text_of(form)) == (0, 0, 0, 0)
    assert "checked" not in body(get(client, form))


def test_what_is_typed_is_text_and_no_markup(client, short):
    page = post(client, short, email='"><script>alert(1)</script>')
    assert page.status_code == 422
    assert "<script" not in body(page)


def test_a_text_that_changed_meanwhile_is_read_again(client, short):
    before = fields(short)
    for language in LANGUAGES:
        make_wording(purpose=short.first, version=2, language=language, published_at=LONG_AGO)
    page = client.post(address_of(short), before)
    assert page.status_code == 422
    assert "checked" not in body(page)
    assert states() == []
    assert not Letter.objects.exists()


@pytest.mark.parametrize("wording", ["", "0", "x", "999999999999999999999", "-1"])
def test_a_text_that_was_not_shown_is_agreed_to_by_nobody(client, short, wording):
    assert post(client, short, wording=wording).status_code == 422
    assert states() == []


def test_a_text_of_another_purpose_cannot_be_agreed_to_here(client, form):
    assert post(client, form, wording=second_text(form).pk).status_code == 422
    assert states() == []


# -- Ages ------------------------------------------------------------------------------------------


def test_case_25_who_says_to_be_younger_permits_nothing(client, form):
    assert "?lang=nl&amp;age=younger" in body(get(client, form))
    page = get(client, form, age="younger")
    assert "Er is niets bewaard" in body(page)
    assert states() == []
    assert not Customer.objects.exists()
    assert not Letter.objects.exists()
    assert tally(text_of(form)) == (1, 0, 0, 0)


def test_case_25_nor_does_a_known_customer(client, short, known):
    begin(client, short)
    assert "Er is niets bewaard" in body(get(client, short, age="younger"))
    assert states() == ["shown"]


@pytest.mark.parametrize("age", [16, 18])
def test_the_age_is_named_and_noted(client, age):
    form = make_consent_form(first=make_asked_purpose(minimum_age=age))
    assert str(age) in body(get(client, form))
    post(client, form)
    assert ConsentEntry.objects.get().old_enough is True


def test_without_an_age_none_is_named_or_noted(client):
    form = make_consent_form(first=make_asked_purpose(minimum_age=0))
    assert "age=younger" not in body(get(client, form))
    post(client, form)
    assert ConsentEntry.objects.get().old_enough is None


# -- Known customers -------------------------------------------------------------------------------


def test_a_known_customer_sees_the_address_masked_and_no_field_for_it(client, form, known):
    page = begin(client, form)
    assert "n…r@example.org" in body(page)
    assert ADDRESS not in body(page)
    assert 'name="email"' not in body(page)
    assert states() == ["shown"]
    assert tally(text_of(form)) == (1, 0, 0, 0)


def test_a_known_customer_permits_at_once(client, form, known):
    second = post(client, form, state=hidden(begin(client, form), "state"), email=None)
    assert second_text(form).label in body(second)
    assert states() == ["shown", "shown", "given"]
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": hidden(second, "state"),
        "tick": "yes",
    }
    done = client.post(address_of(form), data)
    assert text_of(form).label in body(done)
    assert second_text(form).label in body(done)
    assert states().count("given") == 2
    assert not Letter.objects.exists()


def test_case_02_a_known_customer_ticks_the_first_of_two(client, form, known):
    second = post(client, form, state=hidden(begin(client, form), "state"), email=None)
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": hidden(second, "state"),
    }
    done = client.post(address_of(form), data)
    assert text_of(form).label in body(done)
    assert second_text(form).label not in body(done)
    given = ConsentEntry.objects.filter(state="given")
    assert [entry.purpose for entry in given] == [form.first]
    assert states()[-1] == "refused"


def test_a_known_customer_without_a_confirmed_address_gets_a_mail(client, short, known):
    Customer.objects.update(verified_hash="")
    post(client, short, state=hidden(begin(client, short), "state"), email=None)
    assert states() == ["shown", "pending"]
    assert send() == 1
    assert mail.outbox[0].to == [ADDRESS]


def test_the_field_of_a_known_customer_cannot_redirect_the_mail(client, short, known):
    Customer.objects.update(verified_hash="")
    state = hidden(begin(client, short), "state")
    post(client, short, state=state, email="thief@example.org")
    send()
    assert mail.outbox[0].to == [ADDRESS]


def test_a_known_customer_who_leaves_the_box_empty_is_left_alone(client, short, known):
    page = post(client, short, state=hidden(begin(client, short), "state"), tick=None)
    assert "90" in body(page)
    assert states() == ["shown", "refused"]
    again = begin(client, short)
    assert text_of(short).label not in body(again)
    assert "checkbox" not in body(again)
    assert "/preferences/" in body(again)


@pytest.mark.parametrize("state", ["given", "withdrawn", "objected", "pending"])
def test_who_said_something_already_is_asked_nothing(client, short, known, state):
    record(known, purpose=short.first, state=state, occurred_at=LONG_AGO)
    before = states()
    page = begin(client, short)
    assert page.status_code == 200
    assert "checkbox" not in body(page)
    assert "/preferences/" in body(page)
    assert states() == before
    assert tally(text_of(short)) == (0, 0, 0, 0)


def test_a_no_elsewhere_while_the_second_question_was_open_stands(client, form, known):
    second = post(client, form, state=hidden(begin(client, form), "state"), email=None)
    record(known, purpose=form.second, state="objected", occurred_at=timezone.now())
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": hidden(second, "state"),
        "tick": "yes",
    }
    page = client.post(address_of(form), data)
    assert page.status_code == 200
    assert second_text(form).label not in body(page)
    assert states()[-1] == "objected"


def test_a_frame_opens_the_own_page_outside_of_it(client, short, known):
    """Nobody may frame that page."""
    short.origins = [OTHERS]
    short.save()
    page = post(client, short, state=hidden(begin(client, short), "state"), email=None)
    assert re.search(r'href="/preferences/[^"]*" target="_blank" rel="noopener"', body(page))


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "x",
        "K-71",
        sign_subject("K-71", key="another key", expires_at=LONG_AGO + timedelta(days=9999)),
        sign_subject("K-71", key=settings.SUBJECT_KEYS[0], expires_at=LONG_AGO),
    ],
)
def test_without_a_good_subject_one_is_a_stranger(client, short, known, subject):
    data = {"lang": "nl", "step": "begin", "subject": subject}
    page = client.post(address_of(short), data)
    assert 'name="email"' in body(page)
    assert "n…r" not in body(page)
    assert states() == []


def test_somebody_whom_the_shop_knows_and_we_do_not_is_a_stranger(client, short):
    assert 'name="email"' in body(begin(client, short, reference="K-unknown"))


@pytest.mark.parametrize(
    "forge",
    [
        lambda state, other: "",
        lambda state, other: state[:-1],
        lambda state, other: "x" + state,
        lambda state, other: other,
    ],
)
def test_where_a_form_stands_cannot_be_forged_or_moved(client, short, form, known, forge):
    state = forge(hidden(begin(client, short), "state"), hidden(begin(client, form), "state"))
    post(client, short, state=state, email=None)
    assert "given" not in states()
    assert "pending" not in states()


def test_the_state_of_the_second_step_is_none_of_the_first(client, form, known):
    second = post(client, form, state=hidden(begin(client, form), "state"), email=None)
    before = states()
    post(client, form, state=hidden(second, "state"), email=None)
    assert states() == before


def test_a_second_answer_that_comes_too_late_for_the_mail_says_so(client, form, monkeypatch):
    state = hidden(post(client, form), "state")
    later = timezone.now() + asking.PATIENCE
    monkeypatch.setattr(timezone, "now", lambda: later)
    data = {
        "lang": "nl",
        "step": "second",
        "wording": second_text(form).pk,
        "state": state,
        "tick": "yes",
    }
    assert client.post(address_of(form), data).status_code == 200
    assert states() == ["pending"]
    assert send(later) == 1


# -- What cannot be asked --------------------------------------------------------------------------


def test_a_text_that_is_not_there_in_the_language_is_not_asked(client):
    purpose = make_purpose()
    make_wording(purpose=purpose, language="nl", published_at=LONG_AGO)
    form = make_consent_form(first=purpose)
    page = get(client, form, lang="en")
    assert page.status_code == 404
    assert "checkbox" not in body(page)
    assert text_of(form).label not in body(page)
    assert "?lang=nl" in body(page)
    assert "checkbox" in body(get(client, form, lang="nl"))
    assert client.post(address_of(form), fields(form) | {"lang": "en"}).status_code == 404
    assert states() == []


def test_a_second_question_that_is_not_there_in_the_language_is_left_out(client, form):
    form.second = make_purpose()
    form.save()
    assert "checkbox" not in body(post(client, form))
    assert send() == 1


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda form: ConsentForm.objects.update(archived_at=LONG_AGO),
        lambda form: type(form.first).objects.update(archived_at=LONG_AGO),
        lambda form: type(form.first).objects.update(kind="service"),
        lambda form: type(form.first).objects.update(channels=["sms"]),
        lambda form: ConsentForm.objects.update(key="another"),
    ],
    ids=["form put away", "purpose put away", "service", "other channel", "no such form"],
)
def test_what_is_not_asked_any_more_says_so(client, short, spoil, method):
    data = fields(short) if method == "post" else {}
    spoil(short)
    page = getattr(client, method)(address_of(short), data)
    assert page.status_code == 404
    assert "checkbox" not in body(page)
    assert states() == []


# -- Machines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_case_09_scanners_open_every_link_and_nothing_happens(client, short, method):
    post(client, short)
    link = reverse("confirm", args=[mailed_token()])
    for path in (link, link, address_of(short), f"{address_of(short)}?tick=yes&email={ADDRESS}"):
        assert getattr(client, method)(path).status_code == 200
    assert states() == ["pending"]
    assert MailedLink.objects.get().spent_at is None
    assert client.post(link).status_code == 200
    assert states() == ["pending", "given"]


def test_other_methods_are_refused(client, short):
    for method in ("put", "delete", "patch", "options"):
        assert getattr(client, method)(address_of(short)).status_code == 405
        assert getattr(client, method)(reverse("confirm", args=["x"])).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
    ids=str,
)
def test_what_perhaps_nobody_sees_is_not_counted(client, short, headers):
    client.get(address_of(short), headers=headers)
    client.head(address_of(short))
    assert tally(text_of(short)) == (0, 0, 0, 0)
    client.get(address_of(short), headers={"Sec-Fetch-Site": "cross-site"})
    assert tally(text_of(short)) == (1, 0, 0, 0)


def test_opening_the_form_costs_few_queries(client, form, django_assert_num_queries):
    get(client, form)
    with django_assert_num_queries(5):
        get(client, form)


def test_each_language_has_counts_of_its_own(client, short):
    for language in ("nl", "en", "en"):
        get(client, short, lang=language)
    assert [tally(text_of(short, one))[0] for one in LANGUAGES] == [1, 2]


def test_a_count_that_fails_keeps_the_question_from_nobody(client, short, monkeypatch):
    def fail(*_):
        raise OperationalError

    monkeypatch.setattr(asking, "count", fail)
    assert "checkbox" in body(get(client, short))
    assert post(client, short).status_code == 503
    assert states() == []


# -- Frames and cookies ----------------------------------------------------------------------------


def test_only_the_own_origins_of_a_form_may_frame_it(client, short):
    short.origins = [OTHERS, "https://www.shop.example"]
    short.save()
    for page in (get(client, short), post(client, short), post(client, short, email="x")):
        policy = page["Content-Security-Policy"]
        assert f"frame-ancestors {OTHERS} https://www.shop.example" in policy
        assert "X-Frame-Options" not in page
        assert "default-src 'none'" in policy


def test_without_origins_nobody_may_frame_it(client, short):
    for page in (get(client, short), post(client, short), client.get("/opt-in/nope/")):
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"


def test_the_button_of_the_mail_is_never_framed(client, short):
    short.origins = [OTHERS]
    short.save()
    post(client, short)
    page = client.get(reverse("confirm", args=[mailed_token()]))
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_a_cookie_changes_nothing_and_none_is_set(short):
    boss = User.objects.create_superuser("kim@example.org", "kim@example.org", "long enough")
    signed_in = Client()
    signed_in.force_login(boss)
    signed_in.cookies["django_language"] = "en"
    signed_in.cookies["theme"] = "dark"
    stranger = Client()
    for call in (
        lambda who: get(who, short),
        lambda who: get(who, short, lang="en"),
        lambda who: who.head(address_of(short)),
        lambda who: post(who, short, email="wrong"),
        lambda who: post(who, short),
        lambda who: who.get(reverse("confirm", args=["x"])),
    ):
        one, other = call(signed_in), call(stranger)
        assert one.content == other.content
        assert dict(one.headers) == dict(other.headers)
        assert not one.cookies
        assert "Vary" not in one
        assert "Content-Encoding" not in one


def test_a_post_from_another_site_needs_no_token_and_gives_nothing_but_a_mail(short):
    strict = Client(enforce_csrf_checks=True)
    page = strict.post(address_of(short), fields(short), headers={"Origin": "https://evil.example"})
    assert page.status_code == 200
    assert states() == ["pending"]
    assert "Access-Control-Allow-Origin" not in page


def test_pages_are_kept_nowhere(client, short):
    for page in (get(client, short), post(client, short)):
        assert page["Referrer-Policy"] == "no-referrer"
        assert page["X-Robots-Tag"] == "noindex"
    assert get(client, short)["Cache-Control"] == "private, no-cache"
    assert post(client, short)["Cache-Control"] == "no-store"


# -- The page of the confirmation ------------------------------------------------------------------


def test_case_12_a_link_that_does_not_work_says_so_and_offers_to_begin_again(client, short):
    post(client, short)
    link = reverse("confirm", args=[mailed_token()])
    MailedLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    for page in (client.get(link), client.post(link)):
        assert page.status_code == 410
        assert address_of(short) in body(page)
    assert states() == ["pending"]
    MailedLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert client.post(link).status_code == 200
    assert client.post(link).status_code == 410
    assert states() == ["pending", "given"]


def test_a_stranger_learns_nothing_from_a_token_that_is_none(client, short):
    pages = [
        client.post(reverse("confirm", args=[token])) for token in ("x", "y" * 300, "ü", "%00")
    ]
    assert {page.status_code for page in pages} == {410}
    assert len({page.content.split(b"<main")[1] for page in pages}) == 1
    assert b"/opt-in/" not in pages[0].content


def test_the_confirmation_speaks_the_language_of_the_form(client, short):
    post(client, short, language="en")
    link = reverse("confirm", args=[mailed_token()])
    for page in (client.get(link), client.post(link)):
        assert page["Content-Language"] == "en"
        assert text_of(short, "en").label in body(page)


def test_no_address_and_no_reference_is_in_any_link(client, form, known):
    pages = [get(client, form), begin(client, form), post(client, form)]
    for page in pages:
        for link in re.findall(r'(?:href|action)="([^"]*)"', body(page)):
            assert "@" not in link
            assert "K-71" not in link


def test_a_link_that_was_never_ours_is_no_dead_end(client):
    page = client.get("/confirm/nonsense/?lang=en")
    assert page.status_code == 410
    assert 'href="/preferences/?lang=en"' in page.content.decode()
