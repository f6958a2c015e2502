"""What goes with what somebody bought, and why: co-purchase lift, shrunk where few bought both.

Pure: numbers in, numbers out. Products and customers are ids. The weight of b for who bought a is
how often buyers of a also bought b, times the logarithm of how much more often than by chance:

    n_ab / (n_a + k) · ln((n_ab + k) / (n_a · n_b / N + k)),   never below 0

with k = 5, so that a pair that two customers share weighs little. Source: item-based collaborative
filtering with lift (Brin, Motwani, Ullman and Tsur, 1997) and additive shrinkage; `bench/picks.py`
compares it with plain popularity on real purchases.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SHRINK = 5.0
# More of them than this add nothing to ten picks.
KEPT = 50
# From one in five of its buyers on a product is one that people buy again.
AGAIN = 0.2

# For each product what goes with it, best first: (product, weight).
Neighbours = Mapping[int, Sequence[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Pick:
    """A product for somebody, and the one of theirs that it goes with; None for a popular one."""

    product: int
    because: int | None


def neighbours(
    bought: Iterable[tuple[int, int]], *, kept: int = KEPT, shrink: float = SHRINK
) -> Neighbours:
    """Return what goes with each product, from (customer, product) pairs, each counted once.

    Takes memory for one product at a time: the pairs themselves, and a number for each product.
    """
    pairs = np.array(sorted(set(bought)), dtype=np.int64).reshape(-1, 2)
    customers, at_customer = np.unique(pairs[:, 0], return_inverse=True)
    products, at_product = np.unique(pairs[:, 1], return_inverse=True)
    # The pairs are sorted by customer; here is where each one's begin, and the same by product.
    of_customer = np.searchsorted(at_customer, np.arange(len(customers) + 1))
    by_product = np.argsort(at_product, kind="stable")
    of_product = np.searchsorted(at_product[by_product], np.arange(len(products) + 1))
    buyers = np.diff(of_product).astype(float)
    found: dict[int, Sequence[tuple[int, float]]] = {}
    for place, product in enumerate(products):
        who = at_customer[by_product[of_product[place] : of_product[place + 1]]]
        theirs = [at_product[of_customer[one] : of_customer[one + 1]] for one in who]
        both = np.bincount(np.concatenate(theirs), minlength=len(products)).astype(float)
        both[place] = 0
        by_chance = buyers[place] * buyers / len(customers)
        lift = np.log((both + shrink) / (by_chance + shrink))
        weights = both / (buyers[place] + shrink) * np.maximum(lift, 0)
        best = np.argsort(-weights, kind="stable")[:kept]
        found[int(product)] = [
            (int(products[one]), float(weights[one])) for one in best if weights[one] > 0
        ]
    return found


def bought_again(days: Mapping[int, Mapping[int, int]], *, share: float = AGAIN) -> frozenset[int]:
    """Return the products that people buy again, from on how many days each customer bought each.

    `days` is {customer: {product: days}}. What few people bought twice is needed once.
    """
    buyers: Counter[int] = Counter()
    again: Counter[int] = Counter()
    for theirs in days.values():
        buyers.update(theirs.keys())
        again.update(product for product, n in theirs.items() if n > 1)
    return frozenset(one for one, n in buyers.items() if again[one] >= share * n)


def picks(
    history: Mapping[int, int],
    goes_with: Neighbours,
    *,
    again: frozenset[int],
    popular: Sequence[int],
    most: int = 10,
) -> list[Pick]:
    """Return what to show somebody, best first, filled up with what is popular.

    `history` is on how many days they bought each product. What they bought once is not shown
    again, unless it is a product that people buy again.
    """
    weights: dict[int, float] = defaultdict(float)
    strongest: dict[int, tuple[float, int]] = {}
    for mine in sorted(history):
        for product, weight in goes_with.get(mine, ()):
            weights[product] += weight
            strongest[product] = max(strongest.get(product, (0.0, mine)), (weight, mine))
    ranked = sorted(weights, key=lambda one: (-weights[one], one))
    personal = [Pick(one, strongest[one][1]) for one in ranked if _is_wanted(one, history, again)]
    shown = {one.product for one in personal[:most]}
    others = [Pick(one, None) for one in popular if one not in shown and one not in history]
    return [*personal[:most], *others][:most]


def _is_wanted(product: int, history: Mapping[int, int], again: frozenset[int]) -> bool:
    return history.get(product, 0) != 1 or product in again
