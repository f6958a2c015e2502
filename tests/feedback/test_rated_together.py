"""One link pressed many times at once: one answer, and one invitation."""

import pytest
from django.test import Client
from django.utils import timezone

from customers.tokens import Rating, rating_token
from feedback.models import Invitation, Response
from tests.customers.test_ledger_together import (  # noqa: F401  (a fixture for all tests here)
    _emptied_afterwards,
    together,
)
from tests.feedback.recount import check_counts
from tests.makers import make_contact, make_permitted, make_touchpoint

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_many_presses_of_one_link_at_once_are_one_answer():
    touchpoint = make_touchpoint(scale="thumb")
    contact = make_contact(customer=make_permitted(), at=timezone.now())
    where = f"/r/{rating_token(Rating(contact.pk, touchpoint.pk))}/"
    codes: list[int] = []
    together(*[lambda: codes.append(Client().post(where, {"v": "1"}).status_code)] * 12)
    assert codes == [200] * 12
    assert (Response.objects.count(), Invitation.objects.count()) == (1, 1)
    check_counts()
