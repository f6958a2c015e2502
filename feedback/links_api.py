"""The API for other mail tools: the links that belong under a mail, for contacts they reserved."""

from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from customers.api_base import NO_NUL, Key, Refusal, Sent, key_of, refusals
from customers.api_keys import Scope
from customers.contact_documents import RequestId
from customers.models import Contact
from customers.relays import viewer_of
from customers.unsubscribe import preferences_url, unsubscribe_url
from feedback.models import Campaign, Touchpoint
from feedback.places import name_campaign
from feedback.rating_links import link_of, merge_fields

MOST_AT_ONCE = 1_000
router = Router(tags=["contacts"])
send_key = Key(Scope.SEND)

WANTED: dict[str, Any] = {
    "touchpoint": "thumb-1a2b3c4d",
    "campaign": "Spring",
    "requests": ["spring:K123:1"],
}


class LinksWanted(Sent):
    """Which question under which mails; the answers of one campaign stand apart."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": WANTED})

    touchpoint: Annotated[str, Field(max_length=32, pattern=NO_NUL)] = ""
    campaign: Annotated[str, Field(max_length=100, pattern=NO_NUL)] = ""
    requests: Annotated[list[RequestId], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Links(Schema):
    """The links of one mail; those of a question are null where none is asked."""

    request_id: str
    thumb_up: str | None = None
    thumb_down: str | None = None
    question: str | None = None
    preferences: str
    unsubscribe: str | None = Field(None, description="Null where nothing was permitted for it.")


class ManyLinks(Schema):
    links: list[Links]
    unknown: list[str] = Field(description="Requests that are none of this key.")


@router.post(
    "/contacts/links",
    auth=send_key,
    response={200: ManyLinks, **refusals(404)},
    url_name="contacts_links",
    summary="The links under mails of up to 1,000 reserved contacts",
)
def links(request: HttpRequest, wanted: LinksWanted) -> Mapping[str, Any]:
    touchpoint = _touchpoint(wanted.touchpoint)
    campaign = _campaign(wanted.campaign)
    mine = Contact.objects.filter(
        request_id__in=wanted.requests, source=viewer_of(key_of(request))
    ).select_related("customer", "purpose")
    found = {one.request_id: one for one in mine}
    return {
        "links": [
            _links(found[one], touchpoint, campaign) for one in wanted.requests if one in found
        ],
        "unknown": [one for one in wanted.requests if one not in found],
    }


def _touchpoint(key: str) -> Touchpoint | None:
    if not key:
        return None
    found = Touchpoint.objects.filter(key=key).first()
    if found is None:
        raise Refusal(
            404, "touchpoint", "There is no touchpoint with this key. Copy it again.", "touchpoint"
        )
    return found


def _campaign(name: str) -> Campaign | None:
    return name_campaign(name=name, now=timezone.now())[0] if name.strip() else None


def _links(
    contact: Contact, touchpoint: Touchpoint | None, campaign: Campaign | None
) -> dict[str, str | None]:
    customer, purpose = contact.customer, contact.purpose
    asked: Mapping[str, str] = {}
    if touchpoint:
        link = link_of(contact.pk, touchpoint.pk, campaign.pk if campaign else 0)
        asked = merge_fields(link, touchpoint)
    return {
        "request_id": contact.request_id,
        **asked,
        "preferences": preferences_url(customer),
        "unsubscribe": unsubscribe_url(customer, purpose, contact.channel) if purpose else None,
    }
