"""Timing things side by side, and printing what one costs as a ratio of the other."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

# The times of each step of an action, in seconds, one per round.
Times = dict[str, list[float]]


def seconds(action: Callable[[], Any]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(rounds: int, *actions: Callable[[], dict[str, float]]) -> list[Times]:
    """Run actions that return seconds per step, in turn; return the times of each action.

    The order changes every round and the first round is only warm-up, so that what disturbs the
    machine disturbs all of them alike.
    """
    times: list[Times] = [defaultdict(list) for _ in actions]
    for number in range(rounds + 1):
        order = list(range(len(actions)))
        for index in order if number % 2 else order[::-1]:
            for step, spent in actions[index]().items():
                if number:
                    times[index][step].append(spent)
    return times


def milliseconds(times: Sequence[float]) -> str:
    """Return "12.3 (11.9–14.0)": the median, the quickest and the slowest, in milliseconds."""
    middle, low, high = (1000 * value for value in (median(times), min(times), max(times)))
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def ratio(times: Sequence[float], anchor: Sequence[float]) -> str:
    """Return how many times the anchor's median it is."""
    times_as_much = median(times) / median(anchor)
    return f"{times_as_much:,.0f}×" if times_as_much >= 10 else f"{times_as_much:.2f}×"


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown, so that it can go into the README as it is."""
    widths = [max(len(line[column]) for line in [heads, *rows]) for column in range(len(heads))]
    rule = ["-" * width for width in widths]
    for line in [heads, rule, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
