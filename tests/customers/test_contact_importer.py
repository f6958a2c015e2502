"""What other systems sent goes in once, and weighs in the dose like whatever else was sent."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from customers.contact_queries import may_contact
from customers.models import Contact
from customers.plans import Plan
from tests.makers import (
    NOW,
    a_purchase,
    make_category,
    make_customer,
    make_permitted,
    make_product,
    stored,
)

pytestmark = pytest.mark.django_db

HEADER = "customer,channel,kind,sent_at,category\n"


@pytest.fixture
def imported(tmp_path):
    def run(rows: str, *options: str) -> dict:
        file, out = tmp_path / "contacts.csv", StringIO()
        file.write_text(HEADER + rows)
        rejects = f"--rejects={tmp_path / 'rejects.csv'}"
        call_command("import_contacts", str(file), rejects, "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    return run


def rejected(tmp_path) -> str:
    return (tmp_path / "rejects.csv").read_text()


def test_a_file_goes_in_once_and_equal_rows_are_contacts(imported):
    make_customer(reference="K-7")
    rows = "K-7,email,promotion,2026-11-20 10:00,\n" * 2
    assert imported(rows)["created"] == 2
    assert imported(rows) == {
        "read": 2, "created": 0, "updated": 0, "unchanged": 2, "rejected": 0
    }  # fmt: skip
    assert Contact.objects.count() == 2


def test_a_reference_comes_back_as_the_file_of_an_audience_has_it(imported):
    for reference in ("=7", "-100", "'8"):
        make_customer(reference=reference)
    rows = "".join(f"{one},email,promotion,2026-11-20 10:00,\n" for one in ("'=7", "-100", "'8"))
    assert imported(rows)["created"] == 3


def test_what_is_imported_weighs_in_the_dose(imported):
    noor = make_permitted(reference="K-7")
    plan = Plan(channel="email", kind="promotion")
    assert may_contact(noor, plan, NOW).verdict.allows
    imported("K-7,email,promotion,2026-11-24T08:00:00Z,\n")
    [reason] = may_contact(noor, plan, NOW).verdict.reasons
    assert (reason.code, reason.used) == ("CAP_REACHED", 1)


def test_a_contact_carries_what_its_customer_and_category_were_on_the_day(imported):
    noor = make_customer(reference="K-7", customer_type="regular")
    stored(a_purchase(customer=noor, product=make_product(), purchased_at=NOW))
    parent = make_category(name="Electronics", involvement="high", rated_at=NOW)
    make_category(name="Phones", parent=parent)
    imported("K-7,sms,ask_nps,2026-11-20 10:00,phones\n")
    contact = Contact.objects.get()
    assert (contact.customer_type, contact.involvement) == ("prospect", "high")
    assert (contact.category.name, contact.points, contact.source) == ("Phones", 2, "import")
    assert contact.sent_at == contact.from_at == NOW.replace(day=20, hour=9)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("K-8,email,promotion,2026-11-20,", "'K-8' is not a known customer"),
        ("K-7,pigeon,promotion,2026-11-20,", "'pigeon'"),
        ("K-7,email,spam,2026-11-20,", "'spam'"),
        ("K-7,email,promotion,2126-11-20,", "is still to come"),
        ("K-7,email,promotion,,", "sent_at is empty"),
        ("K-7,email,promotion,2026-11-20,Boats", "'Boats' is not a known category"),
        ("erased,email,promotion,2026-11-20,", "was erased"),
    ],
)
def test_a_bad_row_is_refused_with_the_way_out_and_good_rows_go_in(imported, tmp_path, row, reason):
    make_customer(reference="K-7")
    make_customer(reference="erased", erased_at=NOW)
    found = imported(f"{row}\nK-7,email,promotion,2026-11-20 10:00,\n")
    assert (found["created"], found["rejected"]) == (1, 1)
    assert reason in rejected(tmp_path)


def test_what_is_missing_is_made_when_asked(imported):
    imported("K-9,email,promotion,2026-11-20 10:00,Boats\n", "--create-missing")
    contact = Contact.objects.get()
    assert (contact.customer.reference, contact.involvement) == ("K-9", "low")


def test_a_row_costs_as_many_queries_as_three(imported, django_assert_num_queries):
    # The policy is read once, and then kept.
    may_contact(make_permitted(), Plan(channel="email", kind="promotion"), NOW)
    for n in (1, 3):
        rows = "".join(
            f"{make_customer().reference},email,promotion,2026-11-20 10:00,\n" for _ in range(n)
        )
        with django_assert_num_queries(13):
            imported(rows)


def test_nobody_is_asked_too_soon_after_an_imported_question(imported):
    noor = make_permitted(reference="K-7")
    imported("K-7,email,ask_nps,2026-11-10 10:00,\n")
    verdict = may_contact(noor, Plan(channel="email", kind="ask_survey"), NOW).verdict
    assert [one.code for one in verdict.reasons] == ["GAP"]
    assert verdict.next_allowed_at == NOW.replace(day=10, hour=9) + timedelta(days=30)
