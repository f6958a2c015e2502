"""The API for the shop's own pages: what to show a customer, and why."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from ninja import Query, Router, Schema
from pydantic import Field

from customers.api_base import Key, customer_of, key_of, note_views, refusals
from customers.api_keys import Scope
from customers.letters import spoken
from customers.models import Customer, Product
from customers.unsubscribe import preferences_url
from mailings.picking import Shown, permits_personal, personal_picks, popular_picks

MOST = 50
router = Router(tags=["picks"])


class PickedProduct(Schema):
    sku: str
    name: str


class Pick(PickedProduct):
    because: PickedProduct | None = Field(description="What they bought that it goes with.")
    sentence: str = Field(description="The reason in the customer's language, or empty.")


class CustomerPicks(Schema):
    customer: str
    personal: bool = Field(description="Whether they were chosen by what the customer bought.")
    picks: list[Pick]
    turn_off: str | None = Field(
        description="Where that is turned off: put it behind the sentence. Null where nothing was "
        "chosen for them."
    )


@router.get(
    "/customers/{path:reference}/picks",
    auth=Key(Scope.PICKS),
    response={200: CustomerPicks, **refusals(404)},
    url_name="picks",
    summary="What to show a customer, and why",
)
def customer_picks(
    request: HttpRequest,
    reference: str,
    channel: Annotated[Literal["web", "email"], Query()] = "web",
    most: Annotated[int, Query(ge=1, le=MOST)] = 10,
) -> dict[str, Any]:
    now, customer = timezone.now(), customer_of(reference)
    permitted = permits_personal(customer, channel, now)
    found = personal_picks(customer, now, most) if permitted else popular_picks(most)
    note_views(key_of(request), [customer], Scope.PICKS, now)
    return {
        "customer": reference,
        "personal": found.is_personal,
        "picks": [_pick(one, customer) for one in found.shown],
        "turn_off": preferences_url(customer) if found.is_personal else None,
    }


def _pick(one: Shown, customer: Customer) -> dict[str, Any]:
    sentence = ""
    if one.because:
        with override(spoken(customer.language)):
            sentence = _("because you bought %(product)s") % {"product": one.because}
    because = _product(one.because) if one.because else None
    return {**_product(one.product), "because": because, "sentence": sentence}


def _product(product: Product) -> dict[str, str]:
    return {"sku": product.sku, "name": product.name}
