"""The words of the import pages about fields, and which fields may be the same for every row."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Involvement
from feedback.models import ScaleKey
from insights.models import ImportJob

_MOMENT = _("Such as 2011-12-09 12:50 or 09-12-2011 12:50.")
_DAY = _("Such as 2011-12-09 or 09-12-2011.")

# Per kind and field: its name and what belongs in it.
TEXTS: Mapping[str, Mapping[str, tuple[Any, Any]]] = {
    ImportJob.Kind.CUSTOMERS: {
        "reference": (_("Customer number"), _("Your own number or code for a customer.")),
        "email": (_("E-mail"), ""),
        "name": (_("Name"), ""),
        "language": (_("Language"), _("A code: nl, en or en-GB.")),
        "time_zone": (_("Time zone"), _("A name such as Europe/Amsterdam.")),
        "created_at": (_("Customer since"), _MOMENT),
    },
    ImportJob.Kind.PRODUCTS: {
        "sku": (_("Product code"), _("85123A and 85123a are one product.")),
        "name": (_("Name"), ""),
        "category": (_("Category"), ""),
        "involvement": (
            _("Involvement"),
            _("How much a purchase in the category matters: low, medium or high."),
        ),
    },
    ImportJob.Kind.PURCHASES: {
        "customer": (_("Customer number"), _("Rows without a customer are rejected.")),
        "product": (_("Product code"), _("85123A and 85123a are one product.")),
        "purchased_at": (_("Bought at"), _MOMENT),
        "quantity": (_("Quantity"), _("Below 0 is a return. Without a column it is 1.")),
        "price": (_("Price of one"), _("2.55 or 2,55.")),
        "order": (_("Order number"), ""),
        "name": (_("Product name"), _("Used for products that are new.")),
        "category": (_("Category"), _("Used for products that are new.")),
        "contract_until": (_("Contract until"), _DAY),
    },
    ImportJob.Kind.RESPONSES: {
        "value": (
            _("Answer"),
            _("Thumb: 1 up, 0 down. NPS: 0 to 10. Satisfaction: 1 to 5. Ease: 1 to 7."),
        ),
        "answered_at": (_("Answered at"), _MOMENT),
        "scale": (_("Scale"), _("thumb, nps, csat or ces.")),
        "touchpoint": (_("Touchpoint"), _("Where you asked.")),
        "customer": (_("Customer number"), ""),
        "product": (_("Product code"), ""),
        "category": (_("Category"), ""),
        "channel": (_("Channel"), _("email, web, phone, sms or ad.")),
        "reason": (
            _("Reason"),
            _("not_relevant, too_often, too_personal, effort, other, useful, fun or easy."),
        ),
        "comment": (_("Comment"), ""),
        "key": (
            _("Key of the answer"),
            _("If the file has one. Without it, rows are recognised by what they say."),
        ),
    },
}

# Fields that may be the same for every row; an empty list is typed, not chosen.
CONSTANTS: Mapping[str, Mapping[str, Sequence[tuple[str, Any]]]] = {
    ImportJob.Kind.CUSTOMERS: {"language": ()},
    ImportJob.Kind.PRODUCTS: {"category": (), "involvement": Involvement.choices},
    ImportJob.Kind.PURCHASES: {},
    ImportJob.Kind.RESPONSES: {
        "scale": ScaleKey.choices,
        "touchpoint": (),
        "channel": Channel.choices,
    },
}

# What "create what is missing" makes, per kind.
CREATES: Mapping[str, Any] = {
    ImportJob.Kind.PRODUCTS: _(
        "Categories that are not known yet. Otherwise their rows are rejected."
    ),
    ImportJob.Kind.PURCHASES: _(
        "Customers, products and categories that are not known yet. Otherwise their rows are "
        "rejected."
    ),
    ImportJob.Kind.RESPONSES: _(
        "Customers, products and categories that are not known yet, and the touchpoint chosen for "
        "every row. Otherwise their rows are rejected."
    ),
}
