"""The words of the import pages about fields, and which fields may be the same for every row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.consent_rows import SALE_FACTS
from customers.models import Channel, ContactKind, Involvement
from feedback.models import ScaleKey
from insights.import_queries import purpose_choices
from insights.models import ImportJob

Choices = Sequence[tuple[str, Any]]

_MOMENT = _("Such as 2011-12-09 12:50 or 09-12-2011 12:50.")
_SALE = _("Only for the state soft: yes or no.")
_OUTCOMES = _("sent, bounced, unsubscribed, complained or not_sent.")
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
    ImportJob.Kind.CONSENTS: {
        "customer": (_("Customer number"), _("Your own number or code for a customer.")),
        "purpose": (_("Purpose"), _("The key of what is permitted, such as email_marketing.")),
        "channel": (_("Channel"), _("email, web, phone, sms or ad.")),
        "given_at": (_("When"), _MOMENT),
        "method": (_("How"), _("What the customer did, such as: ticked a box.")),
        "source": (_("Where"), _("The form, till or page where it happened.")),
        "wording": (
            _("Exact text"),
            _("The sentence beside the box, word for word. Without it a permission is not proven."),
        ),
        "state": (
            _("What was said"),
            _("given, soft, refused, withdrawn or objected. Without a column it is given."),
        ),
        "paid": (_("Sale: paid"), _SALE),
        "same_entity": (_("Sale: to your own company"), _SALE),
        "similar_products": (_("Sale: of products like those you mail about"), _SALE),
        "informed": (_("Sale: told about the mails when asked for the address"), _SALE),
        "way_out_offered": (_("Sale: could say no then and there"), _SALE),
    },
    ImportJob.Kind.CONTACTS: {
        "customer": (_("Customer number"), _("Your own number or code for a customer.")),
        "channel": (_("Channel"), _("email, web, phone, sms or ad.")),
        "kind": (
            _("Kind"),
            _("promotion, information, service, ask_thumb, ask_nps, ask_survey or ad."),
        ),
        "sent_at": (_("Sent at"), _MOMENT),
        "category": (_("Category"), _("What it was about. Empty for the whole shop.")),
    },
    ImportJob.Kind.REPORTS: {
        "contact": (_("Contact"), _("The column “contact” of the send list, as it was.")),
        "outcome": (_("What became of it"), _OUTCOMES),
        "at": (_("When"), _("Empty: the moment that was planned.")),
    },
}

_REPORTED = (
    ("sent", _("Sent")),
    ("bounced", _("The address does not exist")),
    ("unsubscribed", _("Unsubscribed in the mail tool")),
    ("complained", _("Marked as unwanted")),
    ("not_sent", _("Not sent")),
)
_YES_OR_NO = (("yes", _("Yes")), ("no", _("No")))

# Fields that may be the same for every row; an empty list is typed, not chosen. The day of a
# permission is not among them: each has its own.
CONSTANTS: Mapping[str, Mapping[str, Choices | Callable[[], Choices]]] = {
    ImportJob.Kind.CUSTOMERS: {"language": ()},
    ImportJob.Kind.PRODUCTS: {"category": (), "involvement": Involvement.choices},
    ImportJob.Kind.PURCHASES: {},
    ImportJob.Kind.RESPONSES: {
        "scale": ScaleKey.choices,
        "touchpoint": (),
        "channel": Channel.choices,
    },
    ImportJob.Kind.CONSENTS: {
        "purpose": purpose_choices,
        "channel": Channel.choices,
        "method": (),
        "source": (),
        "wording": (),
        "state": (
            ("given", _("Permission given")),
            ("soft", _("Bought something (soft opt-in)")),
            ("refused", _("Said no")),
            ("withdrawn", _("Took it back")),
            ("objected", _("Objected to marketing")),
        ),
        **dict.fromkeys(SALE_FACTS, _YES_OR_NO),
    },
    ImportJob.Kind.CONTACTS: {
        "channel": Channel.choices,
        "kind": ContactKind.choices,
        "category": (),
    },
    ImportJob.Kind.REPORTS: {"outcome": _REPORTED},
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
    ImportJob.Kind.CONSENTS: _(
        "Customers that are not known yet. Otherwise their rows are rejected. Without an address "
        "nobody can be mailed."
    ),
    ImportJob.Kind.CONTACTS: _(
        "Customers and categories that are not known yet. Otherwise their rows are rejected."
    ),
}
