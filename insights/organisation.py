"""How the organisation calls itself and looks: read as a profile, changed by services.

The settings of the environment stand in for what nobody chose.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from email.utils import formataddr, parseaddr
from hashlib import sha256
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from customers.letters import Sender
from feedback.colours import check_accent
from insights.logo import read_logo
from insights.models import Organisation

logger = logging.getLogger(__name__)

ONLY = 1
TO_FILES = "django.core.mail.backends.filebased.EmailBackend"


@dataclass(frozen=True, slots=True)
class Profile:
    """What was chosen; empty, or None, is what nobody chose."""

    chosen_name: str = ""
    accent: str = ""
    formal: bool | None = None
    sender_name: str = ""
    sender_email: str = ""
    has_logo: bool = False
    time_zone_checked_at: datetime | None = None

    @property
    def name(self) -> str:
        """What customers and colleagues read."""
        return self.chosen_name or str(settings.ORGANISATION_NAME)

    @property
    def sender(self) -> str:
        """Who mails come from, as `Name <address>`; a name goes with the address it belongs to."""
        usual_name, usual_email = parseaddr(settings.DEFAULT_FROM_EMAIL)
        name = self.sender_name or (self.name if self.sender_email else usual_name)
        return formataddr((name, self.sender_email or usual_email))

    @property
    def has_sender(self) -> bool:
        """Whether mails come from an address that somebody chose, here or in the environment."""
        return not parseaddr(self.sender)[1].endswith("@localhost")


@dataclass(frozen=True, slots=True)
class StoredLogo:
    """The logo as a file."""

    data: bytes
    content_type: str

    @property
    def hash(self) -> str:
        """Its name in the address: another picture has another address, so caches keep both."""
        return sha256(self.data).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ShownLogo:
    """What a page says of the logo; width and height in pixels, as the file has them."""

    hash: str
    width: int
    height: int


# -- Reads ----------------------------------------------------------------------------------------


def profile() -> Profile:
    """Return what was chosen, in one query.

    While the database does not answer the settings stand in: a page that says so, or asks
    somebody to try again, needs a name above it too.
    """
    try:
        row = Organisation.objects.defer("logo").filter(pk=ONLY).first()
    except (OperationalError, InterfaceError):
        logger.exception("The profile of the organisation could not be read")
        row = None
    if row is None:
        return Profile()
    return Profile(
        chosen_name=row.name,
        accent=row.accent,
        formal=row.formal,
        sender_name=row.sender_name,
        sender_email=row.sender_email,
        has_logo=bool(row.logo_type),
        time_zone_checked_at=row.time_zone_checked_at,
    )


def mail_sender() -> Sender:
    """Return who mails come from, in one query."""
    organisation = profile()
    return Sender(organisation.name, organisation.sender, bool(organisation.formal))


def stored_logo() -> StoredLogo | None:
    """Return the logo, in one query."""
    rows = Organisation.objects.filter(pk=ONLY, logo__isnull=False)
    found = rows.values_list("logo", "logo_type").first()
    return StoredLogo(bytes(found[0] or b""), found[1]) if found else None


def shown_logo(organisation: Profile) -> ShownLogo | None:
    """Return what a page needs of the logo; no query if there is none."""
    stored = stored_logo() if organisation.has_logo else None
    if stored is None:
        return None
    size = read_logo(stored.data)
    return ShownLogo(stored.hash, size.width, size.height)


def mail_folder() -> str:
    """Return where mails are written instead of being sent, empty if they are sent."""
    return str(settings.EMAIL_FILE_PATH) if settings.EMAIL_BACKEND == TO_FILES else ""


# -- Writes ---------------------------------------------------------------------------------------


def change_organisation(
    *, name: str, accent: str, formal: bool | None, sender_name: str, sender_email: str
) -> None:
    """Store how the organisation presents itself; ColourError for a colour nobody can read."""
    _change(
        name=name,
        accent=check_accent(accent) if accent else "",
        formal=formal,
        sender_name=sender_name,
        sender_email=sender_email,
    )


def set_logo(*, data: bytes) -> None:
    """Store a logo in the place of the one before; LogoError for a file that is none."""
    _change(logo=data, logo_type=read_logo(data).content_type)


def drop_logo() -> None:
    """Forget the logo: pages show the name again."""
    _change(logo=None, logo_type="")


def confirm_time_zone(*, now: datetime) -> None:
    """Note that somebody looked at the time zone and found it right."""
    _change(time_zone_checked_at=now)


def _change(**facts: object) -> None:
    # Locks the row, or makes it: one transaction.
    Organisation.objects.update_or_create(pk=ONLY, defaults=facts)


# -- Mail -----------------------------------------------------------------------------------------


class MailNotSent(Exception):
    """The mail server took no mail; the text is what it said."""


def send_test_mail(*, to: str) -> None:
    """Send a mail as all others are sent; MailNotSent if the mail server took none."""
    organisation = profile()
    message = EmailMessage(
        subject=_("Test mail of %(organisation)s") % {"organisation": organisation.name},
        body=_(
            "This is how mails of Customer Insights arrive.\n\n"
            "Sender: %(sender)s\n"
            "Public address: %(address)s\n"
        )
        % {"sender": organisation.sender, "address": settings.BASE_URL},
        from_email=organisation.sender,
        to=[to],
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        raise MailNotSent(str(error)) from error
