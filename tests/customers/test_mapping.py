"""Options against a file: what fills which field, and what is wrong with the options."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.csv_rows import Row
from customers.mapping import Mapping, MappingError, parse_mapping, row_key

FIELDS = ("customer", "product", "purchased_at", "quantity", "scale")
HEADERS = ("CustomerID", "StockCode", "Purchased At", "QUANTITY", "Country")


def mapping(
    *,
    maps: tuple[str, ...] = ("customer=CustomerID", "product=StockCode"),
    sets: tuple[str, ...] = (),
    recodes: tuple[str, ...] = (),
    required: tuple[str, ...] = ("customer", "product", "purchased_at"),
    headers: tuple[str, ...] = HEADERS,
) -> Mapping:
    return parse_mapping(maps, sets, recodes, FIELDS, required, headers)


def test_a_column_named_after_a_field_fills_it_by_itself() -> None:
    assert mapping().fields == {
        "customer": "CustomerID",
        "product": "StockCode",
        "purchased_at": "Purchased At",
        "quantity": "QUANTITY",
    }


def test_an_option_wins_over_the_name_of_a_column() -> None:
    chosen = mapping(maps=("customer=CustomerID", "product=StockCode", "quantity=Country"))
    assert chosen.fields["quantity"] == "Country"
    constant = mapping(sets=("quantity=1",))
    assert constant.constants == {"quantity": "1"}
    assert "quantity" not in constant.fields


def test_one_column_may_fill_two_fields() -> None:
    both = mapping(maps=("customer=CustomerID", "product=CustomerID"))
    assert both.fields["customer"] == both.fields["product"] == "CustomerID"


def test_a_header_may_hold_the_equals_sign() -> None:
    headers = (*HEADERS, "a=b")
    chosen = mapping(maps=("customer=a=b", "product=StockCode"), headers=headers)
    assert chosen.fields["customer"] == "a=b"


def test_apply_strips_recodes_and_adds_constants() -> None:
    whole = Mapping(
        {"customer": "CustomerID", "quantity": "QUANTITY"},
        {"scale": "thumb"},
        {"quantity": {"-1": "0", "": "1"}},
    )
    row = Row(2, {"CustomerID": " 17850 ", "QUANTITY": " -1", "Country": "UK"})
    assert whole.apply(row) == {"customer": "17850", "quantity": "0", "scale": "thumb"}
    assert whole.apply(Row(3, {"CustomerID": "", "QUANTITY": "-10"}))["quantity"] == "-10"
    assert whole.apply(Row(4, {"CustomerID": "", "QUANTITY": " "}))["quantity"] == "1"


def test_recodes_of_one_field_are_gathered() -> None:
    recodes = mapping(recodes=("quantity:-1=0", "quantity:a:b=c=d", "customer:=nobody")).recodes
    assert recodes == {"quantity": {"-1": "0", "a:b": "c=d"}, "customer": {"": "nobody"}}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(
            {"maps": ("colour=Country",)},
            "'colour' is not a field here; the fields are customer, product, purchased_at",
            id="unknown field",
        ),
        pytest.param(
            {"maps": ("customer=Klant",)},
            "'Klant', which is not a column of this file; the columns are 'CustomerID'",
            id="unknown header",
        ),
        pytest.param(
            {"maps": ("customer=CustomerID",), "sets": ("customer=1",)},
            "customer is both mapped and set",
            id="mapped and set",
        ),
        pytest.param(
            {"maps": ("customer=CustomerID",)},
            "product is required and no column fills it; give --set product=constant or --map",
            id="required field missing",
        ),
        pytest.param(
            {"maps": ("customer=CustomerID", "customer=Country")},
            "--map names customer twice",
            id="mapped twice",
        ),
        pytest.param({"maps": ("customer",)}, "write field=value", id="no equals sign"),
        pytest.param({"sets": ("scale=",)}, "write field=value", id="empty constant"),
        pytest.param({"recodes": ("scale",)}, "write field:old=new", id="incomplete recode"),
        pytest.param({"recodes": ("colour:a=b",)}, "'colour' is not a field", id="recode nothing"),
        pytest.param(
            {"sets": ("scale=1",), "recodes": ("scale:1=2",)},
            "changes scale, which no column fills",
            id="recode a constant",
        ),
        pytest.param(
            {"recodes": ("quantity:1=2", "quantity: 1 =3")},
            "names '1' of quantity twice",
            id="recode twice",
        ),
        pytest.param(
            {"headers": (*HEADERS, "quantity")},
            "the columns 'QUANTITY' and 'quantity' are both named quantity",
            id="two columns of one name",
        ),
        pytest.param(
            {"maps": (), "headers": tuple(f"c{n}" for n in range(500))},
            "'c29' and 470 more",
            id="many columns are not all listed",
        ),
    ],
)
def test_wrong_options_are_named_with_the_way_out(
    options: dict[str, tuple[str, ...]], says: str
) -> None:
    with pytest.raises(MappingError) as refusal:
        mapping(**options)
    assert says in str(refusal.value)


def test_row_key_tells_real_duplicates_apart() -> None:
    first, second = row_key(["a", "b"], 0), row_key(["a", "b"], 1)
    assert len(first) == 32
    assert first != second
    assert first == row_key(["a", "b"], 0)


rows = st.tuples(st.lists(st.text("ab1:#,", max_size=4), max_size=4), st.integers(0, 12))


@given(rows, rows)
def test_row_keys_are_equal_only_for_equal_rows(
    one: tuple[list[str], int], other: tuple[list[str], int]
) -> None:
    assert (row_key(*one) == row_key(*other)) == (one == other)
