"""Rows of customers, products and purchases: what goes in, what is refused, and why."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from customers.csv_rows import CsvReader
from customers.importers import CustomerImporter, ProductImporter, PurchaseImporter
from customers.imports import Importer, Options, Result, run_import
from customers.mapping import parse_mapping
from customers.models import Category, Customer, Product, Purchase

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Refusals(list):
    """Rejects in memory: (line, field, reason)."""

    def write(self, line: int, field: str, reason: str, _cells: Any) -> None:
        self.append((line, field, reason))


def import_text(importer: type[Importer], text: str, **options: Any) -> tuple[Result, Refusals]:
    """Import a file with this text; its columns are named after the fields."""
    refusals = Refusals()
    reader = CsvReader(io.BytesIO(text.encode()))
    mapping = parse_mapping((), (), (), importer.fields, importer.required, reader.headers)
    chosen = Options(**{"zone": AMSTERDAM, "now": NOW, **options})
    return run_import(reader, importer(chosen, mapping), refusals), refusals


def numbers(result: Result) -> tuple[int, int, int, int, int]:
    return (result.read, result.created, result.updated, result.unchanged, result.rejected)


def make_customer(reference: str = "C1", **given: Any) -> Customer:
    return Customer.objects.create(**{"reference": reference, "created_at": NOW, **given})


def make_product(sku: str = "P1", **given: Any) -> Product:
    return Product.objects.create(sku=sku, **given)


# -- Customers ------------------------------------------------------------------------------------


def test_a_customer_is_created_with_all_that_the_row_says() -> None:
    result, refusals = import_text(
        CustomerImporter,
        "reference,email,name,language,time_zone,created_at\n"
        "C1,Jo.Bos@Example.ORG,Jo Bos,NL,Europe/Brussels,2024-03-01\n",
    )
    assert numbers(result) == (1, 1, 0, 0, 0)
    assert refusals == []
    customer = Customer.objects.get()
    assert (customer.reference, customer.email) == ("C1", "Jo.Bos@example.org")
    assert (customer.name, customer.language) == ("Jo Bos", "nl")
    assert customer.time_zone == "Europe/Brussels"
    assert customer.created_at == datetime(2024, 2, 29, 23, 0, tzinfo=UTC)


def test_an_empty_cell_leaves_what_is_there() -> None:
    make_customer(email="jo@example.org", name="Jo Bos")
    result, _ = import_text(CustomerImporter, "reference,email,name\nC1,,Jo de Bos\n")
    assert numbers(result) == (1, 0, 1, 0, 0)
    customer = Customer.objects.get()
    assert (customer.email, customer.name) == ("jo@example.org", "Jo de Bos")


def test_a_second_run_of_customers_changes_nothing() -> None:
    text = "reference,email,name\nC1,jo@example.org,Jo\nC2,,\n"
    import_text(CustomerImporter, text)
    before = list(Customer.objects.order_by("pk").values())
    result, _ = import_text(CustomerImporter, text)
    assert numbers(result) == (2, 0, 0, 2, 0)
    assert list(Customer.objects.order_by("pk").values()) == before


def test_of_two_rows_about_one_customer_the_later_stands() -> None:
    result, _ = import_text(CustomerImporter, "reference,name\nC1,Jo\nC1,Joanna\n")
    assert numbers(result) == (2, 1, 1, 0, 0)
    assert Customer.objects.get().name == "Joanna"


def test_an_erased_customer_stays_erased() -> None:
    make_customer(erased_at=NOW)
    result, refusals = import_text(CustomerImporter, "reference,name\nC1,Jo\n")
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals == [
        (
            2,
            "reference",
            "the customer 'C1' was erased, and an import does not bring anybody back; "
            "leave the row out",
        )
    ]
    assert Customer.objects.get().name == ""


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("email", "jo.example.org", "'jo.example.org' is not an e-mail address"),
        ("language", "Dutch!", "'Dutch!' is not a language code; write nl"),
        ("time_zone", "Amsterdam", "'Amsterdam' is not a time zone"),
        ("created_at", "01/02/2024", "can be read as day/month and as month/day"),
        ("name", "x" * 201, "the text has 201 characters, at most 200 fit"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_refused_with_its_field(
    column: str, cell: str, says: str
) -> None:
    result, refusals = import_text(CustomerImporter, f"reference,{column}\nC1,{cell}\nC2,\n")
    assert numbers(result) == (2, 1, 0, 0, 1)
    [(line, field, reason)] = refusals
    assert (line, field) == (2, column)
    assert says in reason


# -- Products -------------------------------------------------------------------------------------


def test_a_product_brings_its_category_and_how_involved_buyers_are() -> None:
    result, _ = import_text(
        ProductImporter,
        "sku,name,category,involvement\nS1,Phone,Smartphones,HIGH\nS2,Case,Smartphones,\n",
        create_missing=True,
    )
    assert numbers(result) == (2, 2, 0, 0, 0)
    category = Category.objects.get()
    assert (category.involvement, category.rated_how, category.rated_at) == ("high", "import", NOW)
    assert set(category.products.values_list("sku", flat=True)) == {"S1", "S2"}


def test_codes_that_differ_only_in_case_are_one_product() -> None:
    text = "sku,name\n85123A,Heart\n85123a,Heart holder\n"
    assert numbers(import_text(ProductImporter, text)[0]) == (2, 1, 1, 0, 0)
    assert Product.objects.get().name == "Heart holder"


def test_a_second_run_of_products_changes_nothing() -> None:
    text = "sku,name,category,involvement\nS1,Phone,Smartphones,high\n"
    import_text(ProductImporter, text, create_missing=True)
    result, _ = import_text(ProductImporter, text, create_missing=True)
    assert numbers(result) == (1, 0, 0, 1, 0)


def test_a_category_is_only_made_when_it_may_be() -> None:
    result, refusals = import_text(ProductImporter, "sku,category\nS1,Smartphones\n")
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals[0][1:] == (
        "category",
        "'Smartphones' is not a known category; correct it, or import with --create-missing",
    )
    assert not Category.objects.exists()


def test_involvement_without_a_category_is_refused() -> None:
    result, refusals = import_text(ProductImporter, "sku,involvement\nS1,low\n")
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals[0][1:] == (
        "involvement",
        "low belongs to a category, and this product has none; fill in category",
    )


def test_two_ratings_of_one_category_contradict_each_other() -> None:
    result, refusals = import_text(
        ProductImporter,
        "sku,category,involvement\nS1,Phones,high\nS2,phones,low\n",
        create_missing=True,
    )
    assert numbers(result) == (2, 1, 0, 0, 1)
    assert (
        "contradicts a row before it, which rated the category 'Phones' as high" in (refusals[0][2])
    )
    assert Category.objects.get().involvement == "high"


def test_a_new_rating_of_a_known_category_is_an_update() -> None:
    text = "sku,category,involvement\nS1,Phones,{}\n"
    import_text(ProductImporter, text.format("high"), create_missing=True)
    result, _ = import_text(ProductImporter, text.format("low"))
    assert numbers(result) == (1, 0, 1, 0, 0)
    assert Category.objects.get().involvement == "low"


# -- Purchases ------------------------------------------------------------------------------------

HEADER = "customer,product,purchased_at,quantity,price,order\n"
LINE = "C1,P1,2026-05-03 10:00,2,4.95,1001\n"


def test_a_purchase_goes_in_with_its_local_time() -> None:
    make_customer()
    make_product()
    result, _ = import_text(PurchaseImporter, HEADER + LINE)
    assert numbers(result) == (1, 1, 0, 0, 0)
    purchase = Purchase.objects.select_related("customer", "product").get()
    assert (purchase.customer.reference, purchase.product.sku) == ("C1", "P1")
    assert purchase.purchased_at == datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
    assert (purchase.quantity, purchase.price) == (2, Decimal("4.95"))
    assert purchase.order == "1001"


def test_quantity_is_one_and_price_unknown_where_the_file_does_not_say() -> None:
    make_customer()
    make_product()
    import_text(PurchaseImporter, "customer,product,purchased_at\nC1,P1,2026-05-03\n")
    purchase = Purchase.objects.get()
    assert (purchase.quantity, purchase.price) == (1, None)


def test_identical_lines_are_lines_and_a_second_run_adds_none() -> None:
    make_customer()
    make_product()
    assert numbers(import_text(PurchaseImporter, HEADER + LINE * 3)[0]) == (3, 3, 0, 0, 0)
    assert numbers(import_text(PurchaseImporter, HEADER + LINE * 3)[0]) == (3, 0, 0, 3, 0)
    assert numbers(import_text(PurchaseImporter, HEADER + LINE * 4)[0]) == (4, 1, 0, 3, 0)
    assert Purchase.objects.count() == 4


def test_the_same_purchase_written_differently_is_the_same() -> None:
    make_customer()
    make_product()
    import_text(PurchaseImporter, HEADER + LINE)
    result, _ = import_text(
        PurchaseImporter,
        'product,customer,order,price,quantity,purchased_at\np1,C1,1001,"4,950",2,'
        "03-05-2026 10:00:00\n",
    )
    assert numbers(result) == (1, 0, 0, 0, 1), "4,950 can be read in two ways"
    result, _ = import_text(
        PurchaseImporter,
        'product,customer,order,price,quantity,purchased_at\np1,C1,1001,"4,95",2,'
        "03-05-2026 10:00:00\n",
    )
    assert numbers(result) == (1, 0, 0, 1, 0)


def test_a_negative_quantity_is_a_return_and_zero_is_nothing() -> None:
    make_customer()
    make_product()
    text = "customer,product,purchased_at,quantity\nC1,P1,2026-05-03,-1\nC1,P1,2026-05-03,0\n"
    result, refusals = import_text(PurchaseImporter, text)
    assert numbers(result) == (2, 1, 0, 0, 1)
    assert refusals[0][:2] == (3, "quantity")
    assert Purchase.objects.get().quantity == -1


def test_a_row_without_a_customer_is_refused_with_that_reason() -> None:
    make_product()
    result, refusals = import_text(
        PurchaseImporter, "customer,product,purchased_at\n,P1,2026-05-03\n", create_missing=True
    )
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals == [
        (
            2,
            "customer",
            "the row has no customer, and a purchase belongs to one; fill in the customer, or "
            "leave the row out",
        )
    ]
    assert not Customer.objects.exists()


def test_what_is_missing_is_made_only_when_it_may_be() -> None:
    text = (
        "customer,product,purchased_at,name,category\n"
        "C1,P1,2026-05-03,Phone,Phones\nC1,p1,2025-01-02,Telephone,Other\n"
    )
    result, refusals = import_text(PurchaseImporter, text)
    assert numbers(result) == (2, 0, 0, 0, 2)
    assert refusals[0][1:] == (
        "customer",
        "'C1' is not a known customer; correct it, or import with --create-missing",
    )
    result, _ = import_text(PurchaseImporter, text, create_missing=True)
    assert numbers(result) == (2, 2, 0, 0, 0)
    product = Product.objects.select_related("category").get()
    assert (product.sku, product.name, product.category.name) == ("P1", "Phone", "Phones")
    assert Customer.objects.get().created_at == datetime(2025, 1, 1, 23, 0, tzinfo=UTC)


def test_a_known_product_keeps_its_name() -> None:
    make_customer()
    make_product(name="Heart")
    text = "customer,product,purchased_at,name\nC1,P1,2026-05-03,wrongly marked\n"
    result, _ = import_text(PurchaseImporter, text, create_missing=True)
    assert numbers(result) == (1, 1, 0, 0, 0)
    assert Product.objects.get().name == "Heart"


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("quantity", "1.5", "'1.5' is not a whole number"),
        ("quantity", "3000000000", "at most 2,147,483,647 fit"),
        ("price", "10000000000", "it must stay below 10,000,000,000"),
        ("price", "0.00001", "has more than four decimals; round it"),
        ("price", "twelve", "'twelve' is not a number"),
        ("purchased_at", "yesterday", "'yesterday' is not a moment"),
        ("purchased_at", "", "purchased_at is empty; fill it in, or leave the row out"),
        ("product", "", "product is empty; fill it in, or leave the row out"),
        ("contract_until", "soon", "'soon' is not a day"),
        ("order", "x" * 101, "the text has 101 characters, at most 100 fit"),
    ],
)
def test_a_purchase_that_breaks_a_rule_is_refused_and_its_neighbours_go_in(
    column: str, cell: str, says: str
) -> None:
    make_customer()
    make_product()
    good = {"customer": "C1", "product": "P1", "purchased_at": "2026-05-03", column: ""}
    rows = [
        {**good, column: cell},
        {"customer": "C1", "product": "P1", "purchased_at": "2026-01-01"},
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(good))
    writer.writeheader()
    writer.writerows(rows)
    result, refusals = import_text(PurchaseImporter, file.getvalue())
    assert numbers(result) == (2, 1, 0, 0, 1)
    [(line, field, reason)] = refusals
    assert (line, field) == (2, column)
    assert says in reason


def test_a_contract_is_kept_with_its_last_day() -> None:
    make_customer()
    make_product()
    text = "customer,product,purchased_at,contract_until\nC1,P1,2026-05-03,2027-05-02\n"
    import_text(PurchaseImporter, text)
    assert Purchase.objects.get().contract_until == date(2027, 5, 2)


def test_a_dry_run_says_the_same_and_stores_nothing() -> None:
    text = HEADER + LINE * 2 + ",P1,2026-05-03,1,1,1\n"
    dry, dry_refusals = import_text(PurchaseImporter, text, create_missing=True, dry_run=True)
    assert not Customer.objects.exists()
    assert not Purchase.objects.exists()
    real, refusals = import_text(PurchaseImporter, text, create_missing=True)
    assert numbers(dry) == numbers(real) == (3, 2, 0, 0, 1)
    assert dry_refusals == refusals


def test_good_rows_before_a_broken_place_are_kept() -> None:
    make_customer()
    make_product()
    text = HEADER + LINE + 'C1,P1,"2026-05-04,1,1,1\n'
    result, _ = import_text(PurchaseImporter, text)
    assert numbers(result) == (1, 1, 0, 0, 0)
    assert result.stopped_at_line == 3
    assert "a quote opens a cell in this row and none closes it" in result.stopped_because
    assert Purchase.objects.count() == 1


# -- The commands ---------------------------------------------------------------------------------


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(
        "Invoice;Code;When;Who;Qty\n1;P1;2011-12-09 12:50:00;C1;2\n2;P1;2011-12-09 12:50:00;;1\n"
    )
    return path


MAPS = ["customer=Who", "product=Code", "purchased_at=When", "quantity=Qty"]


def run(name: str, file: Path, **options: Any) -> dict[str, Any]:
    """Run an import command with --json; return its document."""
    out = io.StringIO()
    call_command(name, str(file), json=True, stdout=out, **options)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def test_the_command_prints_one_document_and_writes_the_rejects(sales: Path, tmp_path) -> None:
    rejects = tmp_path / "out" / "rejects.csv"
    document = run(
        "import_purchases",
        sales,
        map=MAPS,
        create_missing=True,
        time_zone="Europe/London",
        rejects=rejects,
    )
    assert document == {
        "read": 2,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "rejects": str(rejects),
    }
    assert Purchase.objects.get().purchased_at == datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
    [row] = csv.DictReader(io.StringIO(rejects.read_text()))
    assert (row["line"], row["field"], row["Invoice"]) == ("3", "customer", "2")


def test_corrected_rejects_are_imported_like_the_file_they_came_from(sales, tmp_path) -> None:
    rejects = tmp_path / "rejects.csv"
    run("import_purchases", sales, map=MAPS, create_missing=True, rejects=rejects)
    rejects.write_text(rejects.read_text().replace(",,1", ",C2,1"))
    document = run(
        "import_purchases", rejects, map=MAPS, create_missing=True, rejects=tmp_path / "again.csv"
    )
    assert (document["created"], document["rejected"]) == (1, 0)
    assert set(Customer.objects.values_list("reference", flat=True)) == {"C1", "C2"}


def test_constants_and_recodes_fill_fields(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text("sku;level\nS1;hoog\n")
    document = run(
        "import_products",
        file,
        map=["involvement=level"],
        set=["category=Phones"],
        recode=["involvement:hoog=high"],
        create_missing=True,
    )
    assert document["created"] == 1
    assert Category.objects.get().involvement == "high"


def test_wrong_use_says_the_way_out_and_has_its_own_exit_code(sales: Path) -> None:
    with pytest.raises(CommandError, match="customer is required and no column fills it") as error:
        run("import_purchases", sales)
    assert error.value.returncode == 2
    with pytest.raises(CommandError, match="'Mars' is not a time zone") as error:
        run("import_purchases", sales, map=MAPS, time_zone="Mars")
    assert error.value.returncode == 2
    with pytest.raises(CommandError, match="is the file to read; name another one") as error:
        run("import_purchases", sales, map=MAPS, rejects=sales)
    assert error.value.returncode == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.csv: No such file") as error:
        run("import_customers", tmp_path / "nothing.csv")
    assert error.value.returncode == 1


def test_a_stopped_import_prints_its_document_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text('reference,name\nC1,Jo\nC2,"open\n')
    out = io.StringIO()
    with pytest.raises(CommandError, match="Stopped at line 3"):
        call_command("import_customers", str(file), json=True, stdout=out)
    document = json.loads(out.getvalue())
    assert (document["read"], document["created"], document["stopped_at_line"]) == (1, 1, 3)
    assert Customer.objects.get().reference == "C1"


def test_an_empty_file_is_a_stop_at_its_first_line(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("")
    out = io.StringIO()
    with pytest.raises(CommandError, match="Stopped at line 1: the file is empty"):
        call_command("import_customers", str(file), json=True, stdout=out)
    assert json.loads(out.getvalue())["read"] == 0


# -- Several batches ------------------------------------------------------------------------------


def test_batches_are_counted_together_and_progress_is_told(monkeypatch) -> None:
    make_customer()
    make_product()
    lines = [f"C1,P1,2026-05-03 10:00,1,1,{number % 700}\n" for number in range(2_100)]
    reader = CsvReader(io.BytesIO((HEADER + "".join(lines)).encode()))
    mapping = parse_mapping(
        (), (), (), PurchaseImporter.fields, PurchaseImporter.required, reader.headers
    )
    importer = PurchaseImporter(Options(zone=AMSTERDAM, now=NOW), mapping)
    told: list[int] = []
    result = run_import(reader, importer, Refusals(), progress=lambda r: told.append(r.read))
    assert told == [1_000, 2_000, 2_100]
    assert numbers(result) == (2_100, 2_100, 0, 0, 0)
    assert Purchase.objects.count() == 2_100


def test_only_the_first_rows_are_read_when_asked() -> None:
    make_customer()
    make_product()
    reader = CsvReader(io.BytesIO((HEADER + LINE * 20).encode()))
    mapping = parse_mapping(
        (), (), (), PurchaseImporter.fields, PurchaseImporter.required, reader.headers
    )
    importer = PurchaseImporter(Options(zone=AMSTERDAM, now=NOW, dry_run=True), mapping)
    assert run_import(reader, importer, Refusals(), most=5).read == 5
