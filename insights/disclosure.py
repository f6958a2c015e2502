"""Which numbers may stand on a page, so that nobody can be recognised by a small one.

A count of 1 to 4 people is never shown, and never follows by adding and subtracting the counts
that are. Three shapes of tables need three rules: rows that add up to a known total, a table with
both margins known, and stretches of time that overlap.

What is guarded against is arithmetic on what one page shows. An empty cell is shown: it holds
nobody. A number that is hidden says that there are few, or that it protects another one.

Pure: standard library only, no Django, no clock, no I/O.
Sources: Cox 1980, Suppression methodology and statistical disclosure control, JASA 75 (the table
as a graph of its hidden cells); a stretch of time as the difference of two running totals.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from insights.kpis import MIN_SHOWN

Cell = tuple[int, int]


def is_small(n: int) -> bool:
    """Say whether a count would point at somebody."""
    return 0 < n < MIN_SHOWN


def hidden_rows(sizes: Sequence[int], also: Collection[int] = ()) -> set[int]:
    """Return which of the rows that add up to a known total must not be shown.

    Rows under 5 are hidden, and those of `also`. One hidden row would follow by subtracting the
    others from the total, and so would the sum of two tiny ones; so the next smallest row goes
    along until at least two rows and five answers are out of sight.
    """
    by_size = sorted((n, index) for index, n in enumerate(sizes) if n)
    hidden = {index for n, index in by_size if is_small(n)} | {i for i in also if sizes[i]}
    for _n, index in by_size:
        if not hidden or (len(hidden) > 1 and sum(sizes[i] for i in hidden) >= MIN_SHOWN):
            break
        hidden.add(index)
    return hidden


def hidden_cells(table: Sequence[Sequence[int]]) -> set[Cell]:
    """Return the (row, column) of the cells not to be shown where all totals are known.

    Each row and each column has no hidden cell, or at least two that hold five answers or more.
    That alone is not enough: the hidden cells are the edges of a graph between rows and columns,
    and a cell follows from the totals exactly if it is a bridge of it. So a bridge gets company.
    """
    hidden = {(r, c) for r, row in enumerate(table) for c, size in enumerate(row) if is_small(size)}
    while company := _company(table, hidden):
        hidden |= company
    return hidden


def _company(table: Sequence[Sequence[int]], hidden: set[Cell]) -> set[Cell]:
    """Return the cell that has to be hidden next; none once all hidden ones are safe."""
    for line in _lines(table):
        out = [cell for cell in line if cell in hidden]
        weak = out and (len(out) < 2 or sum(table[r][c] for r, c in out) < MIN_SHOWN)
        if weak and len(out) < len(line):
            return _smallest(table, set(line) - hidden)
    for r, c in sorted(hidden):
        here, there = (_reached(hidden - {(r, c)}, end) for end in (r, ~c))
        closing = set(_between(table, here, there)) - hidden
        if ~c not in here and closing:
            return _smallest(table, closing)
    return set()


def _between(table: Sequence[Sequence[int]], here: set[int], there: set[int]) -> Iterator[Cell]:
    """Return the cells between two parts of the graph: one of them closes a circle."""
    for r, row in enumerate(table):
        for c in range(len(row)):
            if (r in here and ~c in there) or (r in there and ~c in here):
                yield r, c


def _lines(table: Sequence[Sequence[int]]) -> Iterator[list[Cell]]:
    rows, columns = range(len(table)), range(len(table[0]) if table else 0)
    yield from ([(r, c) for c in columns] for r in rows)
    yield from ([(r, c) for r in rows] for c in columns)


def _smallest(table: Sequence[Sequence[int]], cells: Iterable[Cell]) -> set[Cell]:
    """Return the cell that is missed least; one that holds nobody only if there is no other."""
    ranked = sorted((not table[r][c], table[r][c], r, c) for r, c in cells)
    return {(r, c) for _empty, _size, r, c in ranked[:1]}


def _reached(edges: set[Cell], start: int) -> set[int]:
    """Return the rows (r) and columns (~c) that hang together with one of them."""
    beside: dict[int, list[int]] = defaultdict(list)
    for r, c in edges:
        beside[r].append(~c)
        beside[~c].append(r)
    reached, waiting = {start}, [start]
    while waiting:
        for node in beside[waiting.pop()]:
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached


def shown_spans(sizes: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[bool]:
    """Say for each half-open stretch [start, end) of the units `sizes` whether it may be shown.

    With the running totals T, a stretch is T(end) - T(start), and each one that is shown ties two
    totals together. Exactly the stretches between tied totals can be worked out, so a stretch is
    shown if among all totals that it would tie no two differ by 1 to 4. Equal totals are one: who
    reads that a stretch is empty knows that every part of it is. The first in the list are the
    first to be shown.
    """
    totals = [0, *accumulate(sizes)]
    tied = {total: {total} for total in totals}
    shown = []
    for start, end in spans:
        together = tied[totals[start]] | tied[totals[end]]
        allowed = all(high - low >= MIN_SHOWN for low, high in pairwise(sorted(together)))
        shown.append(allowed)
        if allowed:
            tied |= dict.fromkeys(together, together)
    return shown
