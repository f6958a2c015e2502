"""Where we ask: touchpoints, and the campaigns their links can name."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Category, Product
from feedback.colours import check_accent
from feedback.models import Campaign, Touchpoint, new_touchpoint_key
from feedback.origins import origin_of


@dataclass(frozen=True, kw_only=True)
class Place:
    """What somebody decides about a touchpoint; its scale is decided once.

    Raises OriginError for an address that no browser would send and ColourError for an accent
    colour that cannot be read. A product goes before its category.
    """

    name: str
    question_nl: str = ""
    question_en: str = ""
    thanks_nl: str = ""
    thanks_en: str = ""
    labels: str = ""
    product: Product | None = None
    category: Category | None = None
    origins: Sequence[str] = ()
    theme: str = ""
    accent: str = ""
    counts_exposures: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", sorted({origin_of(one) for one in self.origins}))
        if self.accent:
            object.__setattr__(self, "accent", check_accent(self.accent))


def create_touchpoint(*, scale: str, place: Place, now: datetime) -> Touchpoint:
    """Store a new place where we ask; its name must be new."""
    return Touchpoint.objects.create(
        key=new_touchpoint_key(scale), scale=scale, created_at=now, **vars(place)
    )


def change_touchpoint(touchpoint: Touchpoint, place: Place) -> Touchpoint:
    """Change everything about a touchpoint but its scale and key, which pages know."""
    for field, value in vars(place).items():
        setattr(touchpoint, field, value)
    touchpoint.save(update_fields=list(vars(place)))
    return touchpoint


def create_campaign(*, name: str, now: datetime) -> Campaign:
    """Store a new campaign, to be named in the links of one sending; its name must be new."""
    return Campaign.objects.create(key=secrets.token_hex(4), name=name, created_at=now)
