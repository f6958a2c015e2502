"""Where we ask: touchpoints, and the campaigns their links can name."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Category, ConsentForm, Product
from feedback.colours import check_accent
from feedback.models import Campaign, ScaleKey, Touchpoint, new_touchpoint_key
from feedback.origins import origin_of


class PlaceError(ValueError):
    """Something about a touchpoint that cannot be; `field` is where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Place:
    """What somebody decides about a touchpoint; its scale is decided once.

    Raises PlaceError for a text that does not fit, half a question, or words on the thumbs that
    answer no question of one's own; OriginError for an address that no browser would send; and
    ColourError for an accent colour that cannot be read. A product goes before its category.
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
    offer: ConsentForm | None = None

    def __post_init__(self) -> None:
        self._check_texts()
        object.__setattr__(self, "origins", sorted({origin_of(one) for one in self.origins}))
        if self.accent:
            object.__setattr__(self, "accent", check_accent(self.accent))

    def _check_texts(self) -> None:
        if not self.name:
            raise PlaceError("name", "The name is empty. Say how colleagues call this place.")
        for name in ("name", *TEXTS):
            length, fits = len(getattr(self, name)), longest(name)
            if length > fits:
                raise PlaceError(name, f"{name} has {length} characters and {fits} fit.")
        if bool(self.question_nl) != bool(self.question_en):
            raise PlaceError(
                "question_en" if self.question_nl else "question_nl",
                "A question is needed in both languages, or the other language asks something "
                "else. Give question_nl and question_en, or neither.",
            )
        if self.labels and not self.question_nl:
            raise PlaceError(
                "labels",
                f"The labels {self.labels!r} answer a question of your own. "
                "Give question_nl and question_en with them, or leave the labels out.",
            )


TEXTS = ("question_nl", "question_en", "thanks_nl", "thanks_en")


def longest(field: str) -> int:
    """Return how many characters fit into a text of a touchpoint."""
    return getattr(Touchpoint._meta.get_field(field), "max_length", None) or 0


def create_touchpoint(*, scale: str, place: Place, now: datetime) -> Touchpoint:
    """Store a new place where we ask; its name must be new.

    Raises PlaceError for words on the thumbs, or an offer after one, where there are none.
    """
    if place.labels and scale != ScaleKey.THUMB:
        raise PlaceError(
            "labels", f"The labels are words on thumbs, and the scale is {scale}. Leave them out."
        )
    if place.offer and scale != ScaleKey.THUMB:
        raise PlaceError(
            "offer", f"A form is offered after a thumb up, and the scale is {scale}. Leave it out."
        )
    return Touchpoint.objects.create(
        key=new_touchpoint_key(scale), scale=scale, created_at=now, **vars(place)
    )


def change_touchpoint(touchpoint: Touchpoint, place: Place) -> Touchpoint:
    """Change everything about a touchpoint but its scale and key, which pages know."""
    for field, value in vars(place).items():
        setattr(touchpoint, field, value)
    touchpoint.save(update_fields=list(vars(place)))
    return touchpoint


def name_campaign(*, name: str, now: datetime) -> tuple[Campaign, bool]:
    """Return the campaign with this name, to be named in the links of one sending; new or not."""
    return Campaign.objects.get_or_create(
        name=name, defaults={"key": secrets.token_hex(4), "created_at": now}
    )
