"""The clock on the wall of a customer: their time zone, and the holidays of a country."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.conf import settings

from customers.models import Customer


def zone_of(customer: Customer) -> ZoneInfo | None:
    """Return a customer's zone, that of the shop without one, None for one that does not exist."""
    return zone_named(customer.time_zone)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of this name, that of the shop for "", None for one that does not exist."""
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return None


@lru_cache(maxsize=32)
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country around a year; none without a country."""
    if not country:
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=[year - 1, year, year + 1]))


def countries_with_holidays() -> list[str]:
    """Return the codes of the countries whose holidays are known."""
    return sorted(holidays.list_supported_countries())
