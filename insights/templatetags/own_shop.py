"""Whether the page before the reader is of a demo shop that can be left."""

from django import template

from insights.own_shop import offered

register = template.Library()
register.simple_tag(offered, name="own_shop_offered")
