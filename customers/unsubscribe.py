"""What every mailing carries so that a mail program can take a permission back (RFC 8058).

Pure but for the address of the product: who sends adds these two headers, and both have to be
covered by the DKIM signature of the mail.
"""

from django.conf import settings

from customers.models import Customer, Purpose
from customers.tokens import preferences_token, unsubscribe_token


def list_unsubscribe_headers(customer: Customer, purpose: Purpose, channel: str) -> dict[str, str]:
    """Return the headers of RFC 8058 for one mail to one customer, as {name: value}."""
    return {
        "List-Unsubscribe": f"<{unsubscribe_url(customer, purpose, channel)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def unsubscribe_url(customer: Customer, purpose: Purpose, channel: str) -> str:
    """Return where one press takes back a purpose on a channel, for the header and the mail."""
    return f"{settings.BASE_URL}/u/{unsubscribe_token(customer.pk, purpose.pk, channel)}/"


def preferences_url(customer: Customer) -> str:
    """Return where everything can be lowered; both addresses belong in the text of a mail."""
    return f"{settings.BASE_URL}/preferences/{preferences_token(customer.pk)}/"
