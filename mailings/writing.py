"""What a draft says, stored: its texts by language, and its pictures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db import transaction

from mailings.lists import locked_draft
from mailings.message import check_subject, parts_of
from mailings.models import Mailing, MailPicture, MailText, Means


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was uploaded; width and height in pixels."""

    name: str
    data: bytes
    content_type: str
    width: int
    height: int


def write_message(
    *, mailing_id: int, texts: Mapping[str, tuple[str, str]], picture: Picture | None = None
) -> Mailing:
    """Store subject and text by language, and perhaps a picture; a language left out goes.

    MessageRefused for what cannot be sent, lists.NotNow for a mailing that was started.
    """
    with transaction.atomic():
        mailing = locked_draft(mailing_id, Means.HERE)
        if picture:
            facts = {name: value for name, value in asdict(picture).items() if name != "name"}
            MailPicture.objects.update_or_create(mailing=mailing, name=picture.name, defaults=facts)
        pictures = list(mailing.pictures.values_list("name", flat=True))
        for language, (subject, body) in texts.items():
            parts_of(body, pictures)
            MailText.objects.update_or_create(
                mailing=mailing,
                language=language,
                defaults={"subject": check_subject(subject), "body": body},
            )
        mailing.texts.exclude(language__in=texts).delete()
    return mailing


def drop_picture(*, mailing_id: int, picture_id: int) -> None:
    """Take a picture out of a draft; lists.NotNow for a mailing that was started."""
    with transaction.atomic():
        mailing = locked_draft(mailing_id, Means.HERE)
        mailing.pictures.filter(pk=picture_id).delete()
