"""Picks beside plain popularity, on real purchases: who gets the last invoice right more often?

    python -m bench.picks [--file ../shared/data/online_retail.csv.gz]

Of each customer with two invoices or more the last one is left out. What is picked from all the
others is a hit where one of ten products is on it. No database is needed.
"""

import argparse
from collections import Counter

import pandas

from bench.timing import print_table, seconds
from insights.kpis import KPIS, figure
from mailings.picks import bought_again, neighbours, picks

MOST = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", default="../shared/data/online_retail.csv.gz")
    before, last = read(parser.parse_args().file)
    days = {
        customer: dict(theirs.groupby("product")["invoice"].nunique())
        for customer, theirs in before.groupby("customer")
    }
    bought = list(before[["customer", "product"]].drop_duplicates().itertuples(index=False))
    made: list = []
    spent = seconds(lambda: made.append(neighbours((int(a), int(b)) for a, b in bought)))
    goes_with, again = made[0], bought_again(days)
    buyers = Counter(product for _, product in bought)
    popular = [product for product, _ in buyers.most_common()]
    people = [customer for customer in last if customer in days]

    def hits(of) -> int:
        return sum(bool(last[one] & set(of(days[one]))) for one in people)

    def picked(history) -> list[int]:
        found = picks(history, goes_with, again=again, popular=popular, most=MOST)
        return [one.product for one in found]

    def new_only(history) -> list[int]:
        found = picks(history, goes_with, again=frozenset(), popular=popular, most=MOST * 50)
        return [one.product for one in found if one.product not in history][:MOST]

    rows = {
        "the ten most popular": hits(lambda _: popular[:MOST]),
        "picks": hits(picked),
        "the ten most popular of what they never bought": hits(
            lambda history: [one for one in popular if one not in history][:MOST]
        ),
        "picks of what they never bought": hits(new_only),
    }
    tell(rows, len(people))
    print(
        f"\n{len(bought):,} pairs of a customer and a product, {len(goes_with):,} products; "
        f"what goes with each counted in {spent:.1f} s."
    )


def read(path: str) -> tuple[pandas.DataFrame, dict[int, set[int]]]:
    """Return the lines of all invoices but the last, and what is on each last one."""
    rows = pandas.read_csv(path, dtype={"InvoiceNo": str, "StockCode": str})
    rows = rows.dropna(subset=["CustomerID"])
    rows = rows[rows["Quantity"] > 0]
    rows = pandas.DataFrame(
        {
            "customer": rows["CustomerID"].astype(int),
            "product": pandas.factorize(rows["StockCode"])[0],
            "invoice": rows["InvoiceNo"],
            "at": pandas.to_datetime(rows["InvoiceDate"], format="mixed"),
        }
    ).sort_values(["at", "invoice"])
    newest = rows.groupby("customer")["invoice"].transform("last")
    is_last = rows["invoice"] == newest
    last = rows[is_last].groupby("customer")["product"].agg(set).to_dict()
    return rows[~is_last], last


def tell(rows: dict[str, int], n: int) -> None:
    names = list(rows)
    table = []
    for name, hit in rows.items():
        share = figure(KPIS["response_rate"], {"answered": hit, "silent": n - hit})
        beside = rows[names[0] if names.index(name) < 2 else names[2]]
        table.append(
            [
                name,
                f"{share.value:.1f} %",
                f"{share.low:.1f} to {share.high:.1f}",
                f"{hit / beside:.2f}×",
            ]
        )
    print(f"\nHit rate at {MOST}, n = {n:,} customers\n")
    print_table(["shown", "hit rate", "95 % interval", "÷ popular"], table)


if __name__ == "__main__":
    main()
