"""Words about permission in templates."""

from django import template

from customers.models import Wording
from insights.customer_forms import named

register = template.Library()


@register.filter
def named_wording(wording: Wording) -> str:
    return named(wording)
