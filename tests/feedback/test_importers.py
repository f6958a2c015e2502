"""Answers given elsewhere: what goes in, what is refused, and that they are counted."""

import io
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from customers.csv_rows import CsvReader
from customers.imports import Options, Result, run_import
from customers.mapping import parse_mapping
from customers.models import Category, Customer, Product
from customers.services import NewPurchase, add_purchases
from feedback import queries, tallies
from feedback.importers import ResponseImporter
from feedback.models import Response, Touchpoint
from tests import makers

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Refusals(list):
    """Rejects in memory: (line, field, reason)."""

    def write(self, line: int, field: str, reason: str, _cells: Any) -> None:
        self.append((line, field, reason))


def import_text(
    text: str, *, maps=(), sets=("scale=nps",), recodes=(), **options: Any
) -> tuple[Result, Refusals]:
    refusals = Refusals()
    reader = CsvReader(io.BytesIO(text.encode()))
    mapping = parse_mapping(
        maps, sets, recodes, ResponseImporter.fields, ResponseImporter.required, reader.headers
    )
    chosen = Options(**{"zone": ZoneInfo("Europe/Amsterdam"), "now": NOW, **options})
    return run_import(reader, ResponseImporter(chosen, mapping), refusals), refusals


def numbers(result: Result) -> tuple[int, int, int, int, int]:
    return (result.read, result.created, result.updated, result.unchanged, result.rejected)


def make_touchpoint(name: str = "After delivery", scale: str = "nps") -> Touchpoint:
    return makers.make_touchpoint(name=name, scale=scale)


def counted(measure: str) -> dict[int, int]:
    span = queries.Span(measure, date(2020, 1, 1), date(2027, 1, 1))
    return {row.value: row.n for row in queries.counts(span)}


def test_an_answer_goes_in_with_all_that_the_row_says_and_is_counted() -> None:
    touchpoint = make_touchpoint()
    category = Category.objects.create(name="Phones")
    product = Product.objects.create(sku="P1", category=category)
    customer = Customer.objects.create(reference="C1", created_at=NOW)
    result, refusals = import_text(
        "value,answered_at,touchpoint,customer,product,channel,reason,comment,key\n"
        '9,2026-07-01 00:30,After delivery,C1,p1,EMAIL,useful,"Fine, thanks",k1\n'
    )
    assert numbers(result) == (1, 1, 0, 0, 0)
    assert refusals == []
    response = Response.objects.get()
    assert (response.scale, response.value, response.key) == ("nps", 9, "k1")
    assert response.answered_at == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert response.answered_on == date(2026, 7, 1)
    assert (response.touchpoint, response.customer) == (touchpoint, customer)
    assert (response.product, response.category) == (product, category)
    assert (response.channel, response.reason) == ("email", "useful")
    assert (response.comment, response.imported) == ("Fine, thanks", True)
    assert counted("nps") == {9: 1}


def test_a_second_run_changes_nothing_and_counts_nothing_twice() -> None:
    text = "value,answered_at\n9,2026-07-01\n9,2026-07-01\n3,2026-07-02\n"
    assert numbers(import_text(text)[0]) == (3, 3, 0, 0, 0)
    assert numbers(import_text(text)[0]) == (3, 0, 0, 3, 0)
    assert counted("nps") == {9: 2, 3: 1}
    tallies.fold_all()
    assert counted("nps") == {9: 2, 3: 1}


def test_minus_one_means_thumb_down_when_the_command_says_so() -> None:
    text = "created_at,user,reply_id,score\n2019-04-13T23:38:42.593Z,u1,r1,-1\n"
    result, _ = import_text(
        text,
        maps=("value=score", "answered_at=created_at", "customer=user", "product=reply_id"),
        sets=("scale=thumb", "touchpoint=Cofacts"),
        recodes=("value:-1=0",),
        create_missing=True,
    )
    assert numbers(result) == (1, 1, 0, 0, 0)
    response = Response.objects.select_related("touchpoint").get()
    assert (response.value, response.touchpoint.name) == (0, "Cofacts")
    assert response.answered_on == date(2019, 4, 14)


def test_imported_answers_never_replace_each_other() -> None:
    result, refusals = import_text(
        "value,answered_at,key\n9,2026-07-01,k1\n9,2026-07-01,k1\n2,2026-07-01,k1\n"
    )
    assert numbers(result) == (3, 1, 0, 1, 1)
    assert refusals[0][:2] == (4, "key")
    assert "never replace each other" in refusals[0][2]
    again, _ = import_text("value,answered_at,key\n2,2026-07-01,k1\n")
    assert numbers(again) == (1, 0, 0, 0, 1)
    assert Response.objects.get().value == 9


def test_a_touchpoint_is_made_once_and_only_the_one_named_for_the_file() -> None:
    text = "value,answered_at\n9,2026-07-01\n8,2026-07-02\n"
    import_text(text, sets=("scale=nps", "touchpoint=Shop"), create_missing=True)
    assert Touchpoint.objects.get().scale == "nps"
    assert Response.objects.filter(touchpoint__name="Shop").count() == 2

    result, refusals = import_text(
        "value,answered_at,touchpoint\n9,2026-07-01,Other\n", create_missing=True
    )
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert "'Other' is not a known touchpoint" in refusals[0][2]


def test_without_leave_no_touchpoint_is_made() -> None:
    result, refusals = import_text(
        "value,answered_at\n9,2026-07-01\n", sets=("scale=nps", "touchpoint=Shop")
    )
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals[0][1] == "touchpoint"
    assert not Touchpoint.objects.exists()


def test_a_touchpoint_asks_on_one_scale() -> None:
    make_touchpoint(scale="thumb")
    result, refusals = import_text("value,answered_at,touchpoint\n9,2026-07-01,After delivery\n")
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals[0][1:] == (
        "scale",
        "the touchpoint 'After delivery' asks thumb and this answer is nps; correct one of them",
    )


def test_a_touchpoint_is_found_by_its_public_key_too() -> None:
    touchpoint = make_touchpoint()
    import_text(f"value,answered_at,touchpoint\n9,2026-07-01,{touchpoint.key}\n")
    assert Response.objects.get().touchpoint == touchpoint


def test_an_erased_customer_gets_no_answers() -> None:
    Customer.objects.create(reference="C1", created_at=NOW, erased_at=NOW)
    result, refusals = import_text("value,answered_at,customer\n9,2026-07-01,C1\n")
    assert numbers(result) == (1, 0, 0, 0, 1)
    assert refusals[0][1] == "customer"
    assert "the customer 'C1' was erased" in refusals[0][2]


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("value", "11", "11 is not an answer on the scale nps"),
        ("value", "6.5", "'6.5' is not an answer on the scale nps"),
        ("value", "", "value is empty; fill it in, or leave the row out"),
        ("scale", "stars", "'stars' is not one of thumb, nps, csat, ces"),
        ("answered_at", "2027-01-01", "an answer cannot lie in the future"),
        ("channel", "pigeon", "'pigeon' is not one of email, web, phone, sms, ad"),
        ("reason", "boring", "'boring' is not one of not_relevant"),
        ("product", "P9", "'P9' is not a known product"),
        ("category", "Nothing", "'Nothing' is not a known category"),
        ("customer", "C9", "'C9' is not a known customer"),
        ("comment", "x" * 10_001, "the text has 10,001 characters"),
        ("key", "x" * 65, "the text has 65 characters, at most 64 fit"),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused_and_its_neighbour_goes_in(
    column: str, cell: str, says: str
) -> None:
    row = {"value": "9", "answered_at": "2026-07-01", "scale": "nps", column: cell}
    other = {**row, "value": "8", "answered_at": "2026-07-02", "scale": "nps"}
    other |= {column: ""} if column not in {"value", "answered_at", "scale"} else {}
    text = "\n".join(",".join(line) for line in (row, row.values(), other.values()))
    result, refusals = import_text(text, sets=())
    assert numbers(result) == (2, 1, 0, 0, 1)
    [(line, field, reason)] = refusals
    assert (line, field) == (2, column)
    assert says in reason


def test_the_customer_type_is_that_of_the_day_of_the_answer() -> None:
    customer = Customer.objects.create(reference="C1", created_at=NOW, customer_type="regular")
    product = Product.objects.create(sku="P1")
    days = [date(2026, 1, 10), date(2026, 3, 10), date(2026, 5, 10)]
    add_purchases(
        [
            NewPurchase(
                customer.pk,
                product.pk,
                datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
                1,
                None,
                "",
                None,
                str(day),
            )
            for day in days
        ]
    )
    import_text(
        "value,answered_at,customer\n"
        "9,2026-01-05,C1\n9,2026-02-01,C1\n9,2026-04-01,C1\n9,2026-06-01,C1\n9,2026-06-01,\n"
    )
    types = Response.objects.order_by("pk").values_list("customer_type", flat=True)
    assert list(types) == ["prospect", "one_time", "occasional", "regular", ""]


def test_a_dry_run_stores_no_answer_and_counts_none() -> None:
    result, _ = import_text(
        "value,answered_at\n9,2026-07-01\n",
        sets=("scale=nps", "touchpoint=Shop"),
        create_missing=True,
        dry_run=True,
    )
    assert numbers(result) == (1, 1, 0, 0, 0)
    assert counted("nps") == {}
    assert not Touchpoint.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_the_involvement_of_nested_categories_costs_no_query_for_each_row(
    number, django_assert_num_queries
) -> None:
    top = makers.make_category(name="Top", involvement="high", rated_at=NOW)
    rows = ["value,answered_at,category,product"]
    for n in range(number):
        middle = makers.make_category(name=f"Middle {n}", parent=top)
        low = makers.make_category(name=f"Low {n}", parent=middle)
        Product.objects.create(sku=f"P{n}", category=low)
        rows += [f"9,2026-11-20T10:00Z,Low {n},", f"8,2026-11-20T10:00Z,,P{n}"]
    with django_assert_num_queries(11):
        result, _refusals = import_text("\n".join(rows))
    assert result.created == 2 * number
    assert set(Response.objects.values_list("involvement", flat=True)) == {"high"}
