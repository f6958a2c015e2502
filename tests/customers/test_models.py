"""What the database itself keeps true of customers, products and purchases."""

import pytest
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from customers.models import Category, FoldedField, Product, Purchase
from tests.constraints import (
    Case,
    again,
    check_full_clean_refuses,
    check_the_database_refuses,
    check_valid_goes_in,
    rules_of,
)
from tests.customers import asking_cases, dosing_cases, permission_cases
from tests.makers import (
    NOW,
    a_category,
    a_customer,
    a_product,
    a_purchase,
    make_category,
    make_customer,
    make_product,
)

pytestmark = pytest.mark.django_db

CASES = [
    Case(
        "customer.reference",
        a_customer,
        lambda: again(lambda: a_customer(reference="K-7")),
    ),
    Case(
        "customer_reference_not_empty",
        lambda: a_customer(reference="0"),
        lambda: a_customer(reference=""),
    ),
    Case(
        "customer_type_known",
        lambda: a_customer(customer_type="occasional"),
        lambda: a_customer(customer_type="friend"),
    ),
    Case(
        "customer_type_known",
        lambda: a_customer(customer_type="contract"),
        lambda: a_customer(customer_type=""),
    ),
    Case(
        "customer_limit_is_a_number",
        lambda: a_customer(monthly_limit=1),
        lambda: a_customer(monthly_limit=0),
    ),
    Case(
        "customer_erased_is_empty",
        lambda: a_customer(erased_at=NOW),
        lambda: a_customer(erased_at=NOW, email="noor@example.org"),
    ),
    Case(
        "customer_erased_is_empty",
        lambda: a_customer(email="noor@example.org", name="Noor"),
        lambda: a_customer(erased_at=NOW, name="Noor"),
    ),
    Case(
        "category.name_folded",
        lambda: a_category(name="Doormats, large"),
        lambda: again(lambda: a_category(name="Doormats")),
    ),
    Case(
        "category_name_not_empty",
        lambda: a_category(name="0"),
        lambda: a_category(name=""),
    ),
    Case(
        "category_involvement_known",
        lambda: a_category(involvement="medium", rated_at=NOW),
        lambda: a_category(involvement="none", rated_at=NOW),
    ),
    Case(
        "category_rating_has_a_date",
        lambda: a_category(involvement="high", rated_at=NOW),
        lambda: a_category(involvement="high"),
    ),
    Case(
        "product.sku_folded",
        lambda: a_product(sku="85123B"),
        lambda: again(lambda: a_product(sku="85123A")),
    ),
    Case("product_sku_not_empty", lambda: a_product(sku="0"), lambda: a_product(sku="")),
    Case(
        "purchase.key",
        a_purchase,
        lambda: again(lambda: a_purchase(key="the same line")),
    ),
    Case(
        "purchase_not_of_nothing",
        lambda: a_purchase(quantity=-1),
        lambda: a_purchase(quantity=0),
    ),
    Case("purchase_key_not_empty", lambda: a_purchase(key="0"), lambda: a_purchase(key="")),
    *permission_cases.CASES,
    *asking_cases.CASES,
    *dosing_cases.CASES,
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def test_every_rule_has_a_case():
    assert {case.rule for case in CASES} == rules_of("customers")


@each_case
def test_what_is_valid_goes_in(case):
    check_valid_goes_in(case)


@each_case
def test_full_clean_refuses_what_is_not(case):
    check_full_clean_refuses(case)


@each_case
def test_the_database_refuses_what_is_not(case):
    check_the_database_refuses(case)


# -- Upper and lower case -------------------------------------------------------------------------

SAME_BUT_FOR_CASE = [
    ("85123A", "85123a"),
    ("doormat", "DoorMat"),
    ("Crème-Brûlée", "CRÈME-BRÛLÉE"),
    ("ŽLUŤOUČKÝ", "žluťoučký"),
    ("ΚΑΛΗΜΕΡΑ", "καλημερα"),
]
CATEGORY_OR_PRODUCT = [
    pytest.param(a_category, "name", id="category"),
    pytest.param(a_product, "sku", id="product"),
]


@pytest.mark.parametrize(("make", "field"), CATEGORY_OR_PRODUCT)
@pytest.mark.parametrize(("one", "other"), SAME_BUT_FOR_CASE)
def test_what_differs_only_in_case_is_one(make, field, one, other):
    case = Case(
        f"{field}_folded",
        lambda: make(**{field: f"{one} 2"}),
        lambda: make(**{field: other}),
    )
    make(**{field: one}).save()
    check_valid_goes_in(case)
    check_full_clean_refuses(case)
    check_the_database_refuses(case)


@pytest.mark.parametrize(("make", "field"), CATEGORY_OR_PRODUCT)
def test_the_refusal_stands_at_the_field_that_people_fill_in(make, field):
    make(**{field: "Doormat"}).save()
    with pytest.raises(ValidationError) as refused:
        make(**{field: "DOORMAT"}).full_clean()
    assert set(refused.value.message_dict) == {field}


@pytest.mark.parametrize(
    ("model", "make", "field"), [(Category, make_category, "name"), (Product, make_product, "sku")]
)
def test_a_form_refuses_it_too_and_takes_the_same_row_in_another_case(model, make, field):
    row = make(**{field: "Doormat"})
    form = modelform_factory(model, fields=[field])
    assert set(form({field: "DOORMAT"}).errors) == {field}
    same = form({field: "DOORMAT"}, instance=row)
    assert not same.errors
    same.save()
    row.refresh_from_db()
    assert (getattr(row, field), getattr(row, f"{field}_folded")) == ("DOORMAT", "doormat")


def test_many_rows_at_once_are_folded():
    Product.objects.bulk_create([a_product(sku="ÉCLAIR"), a_product(sku="Tart")])
    assert set(Product.objects.values_list("sku_folded", flat=True)) == {"éclair", "tart"}


def test_a_new_name_is_folded_anew():
    category = make_category(name="Doormats")
    category.name = "Welcome Mats"
    category.save()
    category.refresh_from_db()
    assert category.name_folded == "welcome mats"


def test_the_longest_code_of_the_longest_letters_fits():
    """İ in lower case is two characters."""
    product = make_product(sku="İ" * 100)
    product.refresh_from_db()
    assert len(product.sku_folded) == 200


def test_a_folded_field_can_be_made_again_from_what_a_migration_says():
    field = Product._meta.get_field("sku_folded")
    _, path, args, options = field.deconstruct()
    assert (path, args) == ("customers.models.people.FoldedField", [])
    made = FoldedField(**options)
    assert (made.of, made.max_length, made.unique, made.editable) == ("sku", 200, True, False)


# -- Purchase days --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        pytest.param({"quantity": 1, "price": "2.50"}, True, id="a sale"),
        pytest.param({"quantity": 1, "price": None}, True, id="a sale of unknown price"),
        pytest.param({"quantity": -1, "price": "2.50"}, False, id="a return"),
        pytest.param({"quantity": 1, "price": "0"}, False, id="a gift"),
        pytest.param({"quantity": 1, "price": "-11062.06"}, False, id="bookkeeping"),
        pytest.param({"quantity": 1, "price": "0.0001"}, True, id="the lowest price"),
    ],
)
def test_what_counts_as_a_purchase(line, counts):
    a_purchase(customer=make_customer(), **line).save()
    assert Purchase.objects.counting().exists() is counts
