"""No small count is shown, and none follows from what is: checked by brute force."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.disclosure import hidden_cells, hidden_rows, is_small, shown_spans
from insights.kpis import MIN_SHOWN

SIZES = st.one_of(st.integers(0, 9), st.integers(0, 60))


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        pytest.param([40, 30], set(), id="nothing small, nothing hidden"),
        pytest.param([40, 30, 0], set(), id="an empty row hides nothing and nobody"),
        pytest.param([40, 30, 3], {1, 2}, id="one small row takes the next smallest along"),
        pytest.param([40, 3, 4], {1, 2}, id="two small rows protect each other"),
        pytest.param([40, 30, 1, 1], {1, 2, 3}, id="but not if they are under five together"),
        pytest.param([40, 30, 20, 1, 2, 2], {3, 4, 5}, id="three with five together do"),
        pytest.param([3], {0}, id="alone"),
        pytest.param([], set(), id="no rows"),
    ],
)
def test_no_hidden_row_follows_by_subtraction(sizes, hidden):
    assert hidden_rows(sizes) == hidden


def test_a_row_that_is_hidden_elsewhere_takes_company_along():
    assert hidden_rows([40, 30, 20], also={0}) == {0, 2}
    assert hidden_rows([40, 30, 0], also={2}) == set()


@pytest.mark.parametrize(
    ("table", "hidden"),
    [
        pytest.param([[9, 8], [7, 6]], set(), id="nothing small, nothing hidden"),
        pytest.param([[9, 0], [0, 6]], set(), id="nobody is hidden in an empty cell"),
        pytest.param(
            [[3, 20, 30], [10, 20, 30], [10, 20, 30]],
            {(0, 0), (0, 1), (1, 0), (1, 1)},
            id="a small cell makes three others go along",
        ),
        pytest.param([[3, 9]], {(0, 0), (0, 1)}, id="one row"),
        pytest.param([], set(), id="no rows"),
    ],
)
def test_a_small_cell_takes_company_along_in_its_row_and_in_its_column(table, hidden):
    assert hidden_cells(table) == hidden


def test_a_bridge_between_two_circles_of_hidden_cells_gets_company():
    """Every line has two hidden cells, and still the one in the middle would follow."""
    table = [
        [3, 4, 30, 30],
        [4, 3, 9, 30],
        [30, 30, 4, 3],
        [30, 30, 3, 4],
    ]
    circles = {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3)}
    assert hidden_cells(table) == circles
    table[1][2] = 4
    hidden = hidden_cells(table)
    assert circles | {(1, 2)} < hidden
    assert not followers(table, hidden)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(SIZES, min_size=width, max_size=width), min_size=2, max_size=6
        )
    )
)
def test_no_hidden_cell_follows_from_a_table_and_its_totals(table):
    hidden = hidden_cells(table)
    assert {
        (r, c) for r, row in enumerate(table) for c, n in enumerate(row) if is_small(n)
    } <= hidden
    lines = [sum(row) for row in table] + [sum(column) for column in zip(*table, strict=True)]
    # A total that is small itself is hidden before, by hidden_rows.
    if not any(is_small(total) for total in lines):
        assert not followers(table, hidden)
        for line in range(len(table)):
            out = [n for c, n in enumerate(table[line]) if (line, c) in hidden]
            assert not out or sum(out) >= MIN_SHOWN


def followers(table, hidden):
    """Return the hidden cells that the totals and the shown cells determine, by elimination."""
    unknown = sorted(hidden)
    equations = [
        [Fraction(cell[axis] == line) for cell in unknown]
        for axis, count in ((0, len(table)), (1, len(table[0])))
        for line in range(count)
    ]
    rank = len(reduced(equations))
    return [
        cell
        for index, cell in enumerate(unknown)
        if len(reduced([*equations, unit(index, len(unknown))])) == rank
    ]


def unit(index, width):
    return [Fraction(i == index) for i in range(width)]


def reduced(rows):
    """Return linearly independent rows with the same span."""
    basis = {}
    for given_row in rows:
        row = list(given_row)
        for at, pivot in basis.items():
            if row[at]:
                factor = row[at] / pivot[at]
                row = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        at = next((i for i, value in enumerate(row) if value), None)
        if at is not None:
            basis[at] = row
    return basis


@pytest.mark.parametrize(
    ("sizes", "spans", "shown"),
    [
        pytest.param([5, 6], [(0, 1), (1, 2), (0, 2)], [True] * 3, id="all of it"),
        pytest.param([3, 6], [(0, 2), (0, 1), (1, 2)], [True, False, False], id="its complement"),
        pytest.param([0, 6], [(0, 2), (0, 1), (1, 2)], [True] * 3, id="nobody is nobody"),
        pytest.param(
            [9, 9, 9, 9, 3],
            [(0, 4), (1, 5), (4, 5), (0, 1), (1, 2)],
            [True, True, False, False, True],
            id="two windows and the week that they do not share give the other one away",
        ),
        pytest.param(
            [9, 9, 9, 9, 3],
            [(0, 5), (0, 4)],
            [True, False],
            id="a window that leaves a small rest",
        ),
    ],
)
def test_a_stretch_of_time_is_shown_if_no_small_one_follows(sizes, spans, shown):
    assert shown_spans(sizes, spans) == shown


@settings(max_examples=200, deadline=None)
@given(st.lists(SIZES, min_size=1, max_size=9), st.data())
def test_no_small_stretch_follows_from_those_that_are_shown(sizes, data):
    bounds = st.tuples(st.integers(0, len(sizes)), st.integers(0, len(sizes)))
    spans = data.draw(st.lists(bounds.map(sorted).filter(lambda s: s[0] < s[1]).map(tuple)))
    shown = shown_spans(sizes, spans)

    def row(span):
        return [Fraction(span[0] <= i < span[1]) for i in range(len(sizes))]

    known = [row(span) for span, visible in zip(spans, shown, strict=True) if visible]
    rank = len(reduced(known))
    for start, end in combinations(range(len(sizes) + 1), 2):
        if is_small(sum(sizes[start:end])):
            assert len(reduced([*known, row((start, end))])) > rank


def test_the_first_in_the_list_are_the_first_to_be_shown():
    assert shown_spans([3, 9], [(1, 2), (0, 2)]) == [True, False]
    assert shown_spans([3, 9], [(0, 2), (1, 2)]) == [True, False]
