"""The form and the link while many press at once, on both databases."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail

from customers import asking, confirming, withdrawals
from customers.models import (
    AskTally,
    ConsentForm,
    ConsentState,
    Customer,
    Letter,
)
from customers.verification import verify_ledger
from tests.customers.opt_in import ADDRESS, a_tick, empty, send, states, text_of, token_in
from tests.customers.test_ledger_together import together
from tests.makers import NOW, make_consent_form, make_customer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _emptied_afterwards(transactional_db) -> Iterator[None]:
    """What a test committed has to go before the next one, and the triggers would refuse that."""
    yield
    empty()


@pytest.fixture
def form() -> ConsentForm:
    return make_consent_form()


def ask(form: ConsentForm):
    tick = a_tick(form, NOW)
    return lambda: asking.ask_to_confirm(tick=tick, address=ADDRESS)


@pytest.fixture
def token(form) -> str:
    ask(form)()
    assert send(NOW) == 1
    return token_in(mail.outbox[-1])


def test_eight_ticks_for_a_new_address_at_once_are_one_customer_and_one_letter(form):
    together(*[ask(form)] * 8)
    assert Customer.objects.count() == 1
    assert Letter.objects.count() == 1
    assert states() == ["pending"]
    assert AskTally.objects.get().ticked == 8


def test_eight_ticks_for_an_address_we_have_are_one_letter(form):
    make_customer(email=ADDRESS)
    together(*[ask(form)] * 8)
    assert Customer.objects.count() == 1
    assert Letter.objects.count() == 1
    assert states() == ["pending"]


def test_five_presses_of_one_link_at_once_are_one_yes(form, token):
    together(*[lambda: confirming.confirm(token=token, now=NOW + HOUR)] * 5)
    assert states() == ["pending", "given"]
    assert AskTally.objects.get().confirmed == 1
    assert verify_ledger(NOW + HOUR).finding is None


def test_a_press_and_withdrawals_at_once_end_with_no(form, token):
    noor = Customer.objects.get()
    means = withdrawals.Means(method="one_click_post")

    def withdraw():
        return withdrawals.withdraw(
            customer=noor,
            purpose=form.first,
            channel=form.channel,
            means=means,
            now=NOW + HOUR,
        )

    press = lambda: confirming.confirm(token=token, now=NOW + HOUR)  # noqa: E731
    together(press, withdraw, press, withdraw, press)
    assert ConsentState.objects.get().state == "withdrawn"
    assert not confirming.confirm(token=token, now=NOW + 2 * HOUR).texts


def test_counts_of_many_at_once_are_complete(form):
    count = lambda: asking.count(form, text_of(form), NOW, "shown")  # noqa: E731
    together(*[count] * 10)
    assert AskTally.objects.get().shown == 10
