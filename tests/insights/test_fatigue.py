"""What goes together with the number of contacts: which contacts count, and what is drawn."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.template import Context, Template
from django.utils import translation

from customers.consent import State
from insights.dose_outcomes import MONTH, in_a_month, share
from insights.fatigue import MOST, Curve, Row, fatigue
from insights.periods import Period
from insights.templatetags.dose_figures import HEIGHT, MARGIN, fatigue_picture
from tests.insights.makers import NOW, give, local
from tests.makers import make_contact, make_customer, record

DAY = timedelta(days=1)
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
LATER = NOW + 60 * DAY
PAGE = Template('{% include "insights/_fatigue.html" %}')


def on(day: int, month: int = 11, hour: int = 12):
    return local(date(2026, month, day), hour)


def mailed(*days: int, month: int = 11, **given):
    """A customer who was mailed at noon on these days."""
    customer = make_customer()
    for day in days:
        make_contact(customer, on(day, month), **given)
    return customer


def opts_out(customer, at):
    record(customer, occurred_at=at, state=State.WITHDRAWN)


def curves(now=LATER, exempt=("service",)) -> dict[str, Curve]:
    return {one.outcome: one for one in fatigue(NOVEMBER, exempt=exempt, now=now)}


def ns(now=LATER, **given) -> dict[int, int]:
    return {row.x: row.n for row in curves(now, **given)["opt_outs"].rows if row.n}


# -- Which contacts -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_contact_counts_as_the_so_manieth_in_thirty_days():
    mailed(1, 2, 3, 30)
    mailed(5)
    # On 30 November at noon the thirty days begin just after noon of 31 October.
    assert ns() == {1: 2, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize(("apart", "together"), [(MONTH, [1, 1]), (MONTH - DAY, [1, 2])])
def test_thirty_days_are_half_open(apart, together):
    assert in_a_month([NOW, NOW + apart]) == together


@pytest.mark.django_db
def test_what_was_sent_before_the_period_counts_in_the_thirty_days_and_is_no_row():
    customer = mailed(20, 25, month=10)
    make_contact(customer, on(2))
    assert ns() == {3: 1}


@pytest.mark.django_db
def test_eight_and_more_are_one_row_and_all_rows_are_there():
    mailed(*range(1, 11))
    rows = curves()["opt_outs"].rows
    assert [row.label for row in rows] == ["1", "2", "3", "4", "5", "6", "7", "8+"]
    assert [row.n for row in rows] == [1, 1, 1, 1, 1, 1, 1, 3]


@pytest.mark.django_db
def test_what_does_not_count_in_the_dose_is_left_out():
    customer = mailed(2, kind="service")
    make_contact(customer, on(3))
    assert ns() == {1: 1}
    assert ns(exempt=()) == {1: 1, 2: 1}


@pytest.mark.django_db
def test_only_what_was_sent_counts():
    mailed(2, status="failed", sent_at=None)
    assert ns() == {}


@pytest.mark.django_db
def test_a_contact_whose_week_is_not_over_is_left_out():
    mailed(2, 20)
    assert ns(now=on(24)) == {1: 1}


# -- What came after them -------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_opt_out_belongs_to_the_latest_contact_and_an_answer_to_its_own_curve():
    for _ in range(5):
        customer = mailed(2, 4)
        opts_out(customer, on(6))
        give("thumb", [0], at=on(3), customer=customer)
    found = curves()
    assert [(row.x, row.share.count) for row in found["opt_outs"].rows[:2]] == [(1, 0), (2, 5)]
    assert [(row.x, row.share.count) for row in found["thumbs_down"].rows[:2]] == [(1, 5), (2, 0)]
    assert found["opt_outs"].rows[1].share.share == 100


@pytest.mark.django_db
def test_below_five_contacts_nothing_is_told():
    for _ in range(4):
        opts_out(mailed(2), on(3))
    first = curves()["opt_outs"].rows[0]
    assert (first.n, first.share.count, first.share.share, first.share.low) == (4, None, None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("customers", [1, 3])
def test_the_number_of_queries_does_not_grow(customers, django_assert_num_queries):
    for _ in range(customers):
        mailed(2, 4)
    with django_assert_num_queries(4):
        assert ns() == {1: customers, 2: customers}


# -- On a page ------------------------------------------------------------------------------------


def a_curve(*counts: tuple[int, int]) -> Curve:
    """A curve of (came, contacts) for 1, 2, 3 … contacts."""
    counts += ((0, 0),) * (MOST - len(counts))
    return Curve("opt_outs", [Row(x, share(*one)) for x, one in enumerate(counts, start=1)])


def parts(curve: Curve, css: str) -> list[ET.Element]:
    with translation.override("en"):
        desk = ET.fromstring(f"<all>{fatigue_picture(curve)}</all>")[0]
    return [one for one in desk.iter() if one.get("class") == css]


def test_a_dot_needs_thirty_contacts_and_an_interval_five():
    curve = a_curve((2, 100), (2, 29), (1, 4))
    assert len(parts(curve, "d halo")) == len(parts(curve, "s-interval")) == 1
    assert len(parts(curve, "s-few")) == 1


def test_the_dot_lies_where_its_share_is():
    # Half of 1000; the interval ends below 60, so the axis does.
    [dot] = parts(a_curve((500, 1000)), "d halo")
    height = HEIGHT - MARGIN["t"] - MARGIN["b"]
    assert float(dot.get("cy")) == pytest.approx(HEIGHT - MARGIN["b"] - 50 / 60 * height, abs=0.1)
    assert dot.get("cx") == "6.25%"


def test_few_contacts_do_not_squeeze_the_others():
    [few] = parts(a_curve((3, 1000), (3, 6)), "s-few")
    assert float(few.get("y2")) == MARGIN["t"]


def printed(curve: Curve) -> str:
    with translation.override("en"):
        return " ".join(PAGE.render(Context({"curve": curve})).split())


def test_the_page_says_that_it_is_no_effect_and_has_the_table():
    page = printed(a_curve((20, 1000), (2, 20), (1, 4)))
    assert "Goes together with: contacts in 30 days and opt-outs" in page
    assert "not what one does to the other" in page
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page)
    told = [[*re.sub(r"<[^>]+>", "|", row).replace("||", "|").split("|")] for row in rows[:3]]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in told]
    assert cells == [
        ["1", "1 000", "20", "2.0 %", "1.3 to 3.1"],
        ["2", "20", "2", "–", "2.8 to 30.1"],
        ["3", "fewer than 5", "–", "–", "–"],
    ]
    assert "style=" not in page


def test_without_enough_contacts_nothing_is_drawn():
    page = printed(a_curve((1, 4)))
    assert "Too little to draw" in page
    assert '<svg class="ci-chart' not in page
