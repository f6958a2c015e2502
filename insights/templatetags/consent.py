"""Words about permission in templates."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template

from customers.models import Wording
from insights.customer_forms import named

register = template.Library()


@register.filter
def named_place(names: Mapping[str, str], place: str) -> str:
    """Return the name of a place, or the place itself if it has none."""
    return str(names.get(place, place))


@register.filter
def day_before(end: datetime) -> datetime:
    """Return the last day of a stretch that ends at midnight."""
    return end - timedelta(microseconds=1)


@register.filter
def named_wording(wording: Wording) -> str:
    return named(wording)
