"""Whom a mailing is for: each wish narrows, what is empty is not asked."""

from datetime import timedelta

import pytest

from mailings.audience import members
from mailings.segments import Segment
from tests.makers import (
    NOW,
    a_purchase,
    a_response,
    make_category,
    make_customer,
    make_product,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def chosen(**given) -> set[str]:
    return set(members(Segment(**given), NOW).values_list("reference", flat=True))


def test_a_segment_is_stored_and_read_as_it_was():
    segment = Segment(("regular", "lapsed"), bought=3, language="nl", last_answer="thumb_down")
    assert Segment.of(segment.document()) == segment
    assert Segment.of({}).is_everybody
    assert not segment.is_everybody


def test_everybody_is_who_was_not_erased_nor_merged():
    make_customer(reference="K1")
    make_customer(reference="gone", email="", name="", erased_at=NOW)
    assert chosen() == {"K1"}


def test_by_type_and_by_language():
    make_customer(reference="K1", customer_type="regular", language="nl-BE")
    make_customer(reference="K2", customer_type="lapsed", language="nl")
    make_customer(reference="K3", customer_type="regular", language="en")
    assert chosen(customer_types=("regular",)) == {"K1", "K3"}
    assert chosen(language="nl") == {"K1", "K2"}
    assert chosen(customer_types=("regular",), language="nl") == {"K1"}


def test_who_bought_in_a_category_or_in_what_is_part_of_it_within_a_year():
    electronics = make_category(name="Electronics")
    phones = make_category(name="Phones", parent=electronics)
    phone = make_product(category=phones)
    other = make_product(category=make_category(name="Doormats"))
    for reference, product, at in (
        ("K1", phone, NOW - 10 * DAY),
        ("K2", phone, NOW - 366 * DAY),
        ("K3", other, NOW - 10 * DAY),
    ):
        person = make_customer(reference=reference)
        stored(a_purchase(customer=person, product=product, purchased_at=at))
    assert chosen(bought=electronics.pk) == chosen(bought=phones.pk) == {"K1"}


@pytest.mark.parametrize(
    ("scale", "value", "wanted"),
    [
        ("thumb", 0, "thumb_down"),
        ("thumb", 1, "thumb_up"),
        ("nps", 6, "detractor"),
        ("nps", 9, "promoter"),
    ],
)
def test_by_the_last_answer_on_a_scale(scale, value, wanted):
    other = {"thumb": 1 - value if scale == "thumb" else 0, "nps": 8}[scale]
    for reference, answers in {
        "K1": [(other, 20), (value, 10)],
        "K2": [(value, 20), (other, 10)],
        "K3": [(value, 91)],
        "K4": [],
    }.items():
        person = make_customer(reference=reference)
        for answer, days in answers:
            at = NOW - days * DAY
            stored(
                a_response(
                    customer=person,
                    scale=scale,
                    value=answer,
                    answered_at=at,
                    answered_on=at.date(),
                )
            )
    assert chosen(last_answer=wanted) == {"K1"}
