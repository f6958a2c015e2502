"""The link in the mail: once, for a week, and not after a change of mind or of address."""

from datetime import timedelta

import pytest

from customers import asking, publishing, withdrawals
from customers.asking import CONFIRM_WITHIN
from customers.confirming import confirm, expire_unconfirmed, look_at_link
from customers.consent import State
from customers.models import AskTally, Customer, Letter, MailedLink, Suppression
from customers.queries import may_process
from customers.services import update_customers
from customers.tokens import (
    Asked,
    asked_token,
    new_secret,
    preferences_token,
    read_asked,
    read_preferences,
    unsubscribe_token,
)
from tests.customers.opt_in import ADDRESS, a_tick, mailed_token, states, text_of
from tests.makers import (
    NOW,
    a_purchase,
    make_asked_purpose,
    make_consent_form,
    make_customer,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def form():
    return make_consent_form()


@pytest.fixture
def token(form) -> str:
    """A link in a mail that somebody asked for and got."""
    asking.ask_to_confirm(tick=a_tick(form, NOW), address=ADDRESS)
    return mailed_token(NOW)


def allowed(form, now) -> bool:
    return may_process(Customer.objects.get(), form.first.key, "email", now).allowed


def works(token: str, now) -> bool:
    """Looking and pressing agree, and what does not work changes nothing."""
    before = states()
    looked = look_at_link(token, now)
    assert states() == before
    pressed = confirm(token=token, now=now)
    assert bool(looked.texts) is bool(pressed.texts)
    assert pressed.texts or states() == before
    return bool(pressed.texts)


def test_pressing_the_button_permits_and_shows_whose_address_it_is(form, token):
    found = confirm(token=token, now=NOW + HOUR)
    assert found.texts == [text_of(form)]
    assert allowed(form, NOW + HOUR)
    entry = Customer.objects.get().consents.get(state="given")
    assert (entry.grade, entry.method, entry.place) == ("A", "confirm_link", f"form:{form.key}")
    assert (entry.occurred_at, entry.old_enough) == (NOW + HOUR, True)
    assert Customer.objects.get().is_verified
    assert MailedLink.objects.get().spent_at == NOW + HOUR


def test_looking_at_a_link_changes_nothing(form, token):
    for _ in range(3):
        assert look_at_link(token, NOW + HOUR).texts == [text_of(form)]
    assert states() == ["pending"]
    assert MailedLink.objects.get().spent_at is None


def test_case_12_a_link_of_8_days_ago_permits_nothing(form, token):
    assert not works(token, NOW + 8 * DAY)
    assert look_at_link(token, NOW + 8 * DAY).form == form


def test_case_12_the_last_moment_of_the_week_is_in_time(form, token):
    assert not works(token, NOW + CONFIRM_WITHIN)
    assert works(token, NOW + CONFIRM_WITHIN - MINUTE)


def test_case_12_a_used_link_permits_nothing_a_second_time(form, token):
    assert works(token, NOW + HOUR)
    customer = Customer.objects.get()
    record(customer, purpose=form.first, state=State.WITHDRAWN, occurred_at=NOW + 2 * HOUR)
    assert not works(token, NOW + 3 * HOUR)
    assert look_at_link(token, NOW + 3 * HOUR).form == form


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.OBJECTED, State.REFUSED])
def test_case_12_who_said_no_meanwhile_permits_nothing(form, token, state):
    record(Customer.objects.get(), purpose=form.first, state=state, occurred_at=NOW + HOUR)
    assert not works(token, NOW + 2 * HOUR)


def test_a_no_of_the_same_moment_counts(form, token):
    record(Customer.objects.get(), purpose=form.first, state=State.WITHDRAWN, occurred_at=NOW)
    assert not works(token, NOW + HOUR)


def test_an_old_link_stays_dead_when_the_person_asks_anew_after_a_withdrawal(form, token):
    customer = Customer.objects.get()
    means = withdrawals.Means(method="one_click_post")
    withdrawals.withdraw_all(customer=customer, means=means, now=NOW + HOUR)
    asking.ask_to_confirm(tick=a_tick(form, NOW + 2 * DAY), address=ADDRESS)
    new = mailed_token(NOW + 2 * DAY)
    assert not works(token, NOW + 3 * DAY)
    assert works(new, NOW + 3 * DAY)


def test_two_links_of_the_same_person_both_work_until_one_is_used(form, token):
    asking.ask_to_confirm(tick=a_tick(form, NOW + 2 * DAY), address=ADDRESS)
    new = mailed_token(NOW + 2 * DAY)
    assert works(token, NOW + 3 * DAY)
    assert not works(new, NOW + 3 * DAY)
    assert states() == ["pending", "pending", "given"]


def test_case_17_a_link_to_the_old_address_permits_nothing_on_the_new_one(form, token):
    noor = Customer.objects.get()
    noor.email = "kim@example.org"
    noor.save()
    assert not works(token, NOW + HOUR)
    noor.refresh_from_db()
    assert not noor.is_verified
    assert not allowed(form, NOW + HOUR)


def test_case_17_a_confirmed_address_that_an_import_changes_is_not_mailable(form, token):
    assert works(token, NOW + HOUR)
    noor = Customer.objects.get()
    noor.email = "kim@example.org"
    update_customers([noor])
    answer = may_process(noor, form.first.key, "email", NOW + 2 * HOUR)
    assert (answer.allowed, answer.reason) == (False, "other_address")
    noor.refresh_from_db()
    assert not noor.is_verified


def test_erased_meanwhile_permits_nothing(form, token):
    Customer.objects.update(email="", name="", address_hash="", older_hash="", erased_at=NOW)
    assert not works(token, NOW + HOUR)


def test_an_address_that_bounced_meanwhile_permits_nothing(form, token):
    noor = Customer.objects.get()
    Suppression.objects.create(address_hash=noor.address_hash, reason="bounce", created_at=NOW)
    assert not works(token, NOW + HOUR)


def test_a_material_change_meanwhile_permits_nothing(form, token):
    for language in ("nl", "en"):
        make_wording(purpose=form.first, version=2, language=language, published_at=NOW)
    assert not works(token, NOW + HOUR)


def test_an_editorial_change_meanwhile_changes_nothing(form, token):
    same = text_of(form).scope_hash
    for language in ("nl", "en"):
        make_wording(
            purpose=form.first,
            version=2,
            language=language,
            change="editorial",
            scope_hash=same,
            published_at=NOW,
        )
    assert works(token, NOW + HOUR)
    assert Customer.objects.get().consents.get(state="given").wording.version == 1


def test_a_purpose_that_was_put_away_meanwhile_permits_nothing(form, token):
    form.first.archived_at = NOW
    form.first.save()
    assert not works(token, NOW + HOUR)


def test_what_was_taken_back_of_two_stays_back(form):
    form.second = make_asked_purpose()
    form.save()
    asking.ask_to_confirm(tick=a_tick(form, NOW, followed=True), address=ADDRESS)
    second = form.second.wordings.get(language="nl")
    tick = a_tick(form, NOW + MINUTE, wording=second)
    asking.ask_to_confirm_too(tick=tick, address=ADDRESS, asked_at=NOW)
    token = mailed_token(NOW + MINUTE)
    record(Customer.objects.get(), purpose=form.first, state="withdrawn", occurred_at=NOW + HOUR)
    assert confirm(token=token, now=NOW + 2 * HOUR).texts == [second]


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1],
        lambda token: token[1:],
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: "",
        lambda token: "x" * 5000,
        lambda token: "\x00",
        lambda token: new_secret(),
        lambda token: preferences_token(Customer.objects.get().pk),
        lambda token: unsubscribe_token(Customer.objects.get().pk, 1, "email"),
        lambda token: MailedLink.objects.get().digest,
    ],
)
def test_only_the_whole_token_of_the_mail_works(form, token, forge):
    forged = forge(token)
    assert not works(forged, NOW + HOUR)
    assert look_at_link(forged, NOW + HOUR).form is None
    assert works(token, NOW + HOUR)


def test_a_link_for_something_else_confirms_nothing(form, token):
    MailedLink.objects.update(action="open")
    assert not works(token, NOW + HOUR)


def test_a_confirmation_counts_on_the_day_it_was_asked(form, token):
    confirm(token=token, now=NOW + 3 * DAY)
    (row,) = AskTally.objects.all()
    assert (str(row.on), row.ticked, row.confirmed) == ("2026-11-24", 1, 1)


# -- Where somebody is in a form -------------------------------------------------------------------


def test_the_place_in_a_form_is_signed_for_that_alone():
    asked = Asked("first", 7, NOW.isoformat(), customer=3)
    token = asked_token(asked)
    assert read_asked(token, NOW + HOUR) == asked
    assert read_asked(token, NOW + 2 * DAY) is None
    assert read_asked(token, NOW - MINUTE) is None
    assert read_asked(token[:-1], NOW) is None
    assert read_asked("", NOW) is None
    assert read_asked(preferences_token(3), NOW) is None
    assert read_preferences(token) is None


# -- What nobody confirmed -------------------------------------------------------------------------


def test_what_is_not_confirmed_in_a_week_ends_and_the_address_goes(form, token):
    assert expire_unconfirmed(NOW + 7 * DAY - MINUTE) == 0
    assert Customer.objects.get().email == ADDRESS
    assert expire_unconfirmed(NOW + 7 * DAY) == 1
    noor = Customer.objects.get()
    assert (noor.email, noor.address_hash, noor.older_hash) == ("", "", "")
    assert states() == ["pending", "expired"]
    assert expire_unconfirmed(NOW + 8 * DAY) == 0
    assert states() == ["pending", "expired"]


def test_who_confirmed_stays(form, token):
    confirm(token=token, now=NOW + HOUR)
    assert expire_unconfirmed(NOW + 30 * DAY) == 0
    assert Customer.objects.get().email == ADDRESS


def test_customers_of_the_shop_keep_their_address(form):
    make_customer(email=ADDRESS)
    asking.ask_to_confirm(tick=a_tick(form, NOW), address=ADDRESS)
    assert expire_unconfirmed(NOW + 8 * DAY) == 1
    assert Customer.objects.get().email == ADDRESS


def test_who_bought_something_since_keeps_the_address(form, token):
    stored(a_purchase(customer=Customer.objects.get()))
    assert expire_unconfirmed(NOW + 8 * DAY) == 1
    assert Customer.objects.get().email == ADDRESS


def test_who_asked_again_yesterday_still_has_a_week(form, token):
    asking.ask_to_confirm(tick=a_tick(form, NOW + 6 * DAY), address=ADDRESS)
    assert expire_unconfirmed(NOW + 8 * DAY) == 0
    assert Customer.objects.get().email == ADDRESS
    assert expire_unconfirmed(NOW + 13 * DAY) == 1


def test_a_forgotten_address_can_begin_again(form, token):
    expire_unconfirmed(NOW + 8 * DAY)
    asking.ask_to_confirm(tick=a_tick(form, NOW + 9 * DAY), address=ADDRESS)
    assert Customer.objects.count() == 2
    assert Letter.objects.count() == 2
    assert works(mailed_token(NOW + 9 * DAY), NOW + 9 * DAY)


def test_texts_of_a_form_of_the_tests_pass_the_gate(form):
    """Or the tests would say something about texts that can never be published."""
    texts = {
        row.language: publishing.Texts(
            **{name: getattr(row, name) for name in publishing.Texts.__slots__}
        )
        for row in form.first.wordings.all()
    }
    edition = publishing.Edition(
        texts=texts, promise=publishing.Promise(2, 30), change="editorial", approved_by="noor"
    )
    assert len(publishing.publish(purpose=form.first, edition=edition, now=NOW)) == 2
