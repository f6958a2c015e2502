"""Why somebody is of a type, said with their own purchases alone.

Pure: standard library only. lifecycle.classify gives the whole rule, with clocks measured over all
customers; beside a single decision that is too much to measure. What is said here is true whatever
the clocks say: how often and when somebody bought.
"""

from collections.abc import Sequence
from datetime import date

from customers.lifecycle import REGULAR_WINDOW, Reason


def type_because(
    customer_type: str, days: Sequence[date], contract_until: date | None, at: date
) -> Reason:
    """Return what of a customer's purchase days goes with their stored type, as of day `at`."""
    bought = sorted({day for day in days if day < at})
    if customer_type == "contract" and contract_until:
        return Reason("contract", {"until": contract_until})
    if not bought:
        return Reason("not_bought")
    recent = sum((at - day).days <= REGULAR_WINDOW for day in bought)
    if customer_type == "lapsed":
        return Reason("last_bought", {"since": (at - bought[-1]).days})
    if customer_type == "regular" and recent > 1:
        return Reason("bought_in_year", {"days": recent})
    once, twice = Reason("bought_once", {"on": bought[0]}), Reason("bought_twice")
    return {1: once, 2: twice}.get(len(bought), Reason("bought_on_days", {"days": len(bought)}))
