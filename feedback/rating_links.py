"""The link under one mail, at which its question is answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from customers.tokens import Rating, rating_key, rating_token
from feedback.models import Touchpoint


@dataclass(frozen=True, slots=True)
class Link:
    """Where the question is answered; `key` is that of the answer."""

    token: str

    @property
    def url(self) -> str:
        return f"{settings.BASE_URL}/r/{self.token}/"

    @property
    def key(self) -> str:
        return rating_key(self.token)


def link_of(contact_id: int, touchpoint_id: int, campaign_id: int = 0) -> Link:
    """Return the link under the mail of one contact."""
    return Link(rating_token(Rating(contact_id, touchpoint_id, campaign_id)))


def merge_fields(link: Link, touchpoint: Touchpoint) -> Mapping[str, str]:
    """Return what belongs in a mail: both thumbs, or the way to a score."""
    if touchpoint.scale == "thumb":
        return {"thumb_up": f"{link.url}?v=1", "thumb_down": f"{link.url}?v=0"}
    return {"question": link.url}
