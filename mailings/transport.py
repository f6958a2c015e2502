"""Handing one mail to the mail server, and knowing what became of it.

SMTP cannot say whether a mail arrived once its text is out and no answer came (RFC 1047): that is
told apart from every failure before, and nothing of it is ever sent again by itself. For providers
with an API of their own (django-anymail) the answer decides; without one it is unknown as well.
"""

import logging
import re
import smtplib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

logger = logging.getLogger(__name__)

SMTP = "django.core.mail.backends.smtp.EmailBackend"
# What is wrong with the address itself (RFC 3463): no such mailbox, no such domain, moved.
_ADDRESS = re.compile(rb"\b5\.1\.[1236]\b|\b5\.2\.1\b")


class Fate(StrEnum):
    """What became of a mail."""

    SENT = "sent"
    FAILED_TEMP = "failed_temp"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a mail, how far the conversation had come, and the server's code.

    `no_such_address` says that the address can never be reached.
    """

    fate: Fate
    phase: str = ""
    code: str = ""
    no_such_address: bool = False


class Unreachable(Exception):
    """The mail server does not answer, or not to us; no mail was begun."""


class Transport:
    """A connection to the mail server, opened again when it broke."""

    def __init__(self) -> None:
        usual = settings.EMAIL_BACKEND
        backend = f"{__name__}.PhasedBackend" if usual == SMTP else usual
        self._connection = get_connection(backend)
        self._is_open = False

    def open(self) -> None:
        """Be ready to send; Unreachable says that nothing can be sent now."""
        if self._is_open:
            return
        try:
            self._connection.open()
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            raise Unreachable(type(error).__name__) from error
        self._is_open = True

    def close(self) -> None:
        """Say goodbye, whether or not anybody listens."""
        self._is_open = False
        try:
            self._connection.close()
        except (OSError, smtplib.SMTPException):
            logger.info("The mail server was gone before goodbye")

    def send(self, message: EmailMessage) -> Handed:
        """Hand over one mail, and say what became of it."""
        try:
            self._connection.send_messages([message])
        except (OSError, smtplib.SMTPException, AnymailError, ValueError) as error:
            return self._fate_of(error)
        return _of_status(message) or Handed(Fate.SENT, self._phase)

    def _fate_of(self, error: Exception) -> Handed:
        if isinstance(error, AnymailError):
            return self._of_provider(error)
        if isinstance(error, smtplib.SMTPNotSupportedError | ValueError):
            # No mail can be made of it, or not for this server: an address that is none.
            return Handed(Fate.FAILED, code=type(error).__name__)
        reply = _reply_in(error)
        return self._answered(*reply) if reply else self._broken(error)

    @property
    def _phase(self) -> str:
        return str(getattr(getattr(self._connection, "connection", None), "phase", ""))

    def _answered(self, code: int, text: bytes) -> Handed:
        phase = self._phase
        if code == 421:
            self.close()
        fate = Fate.FAILED if code >= 500 else Fate.FAILED_TEMP
        gone = fate is Fate.FAILED and bool(_ADDRESS.search(text))
        return Handed(fate, phase, str(code), no_such_address=gone)

    def _broken(self, error: Exception) -> Handed:
        phase = self._phase
        self.close()
        fate = Fate.UNKNOWN if phase == Phased.BODY else Fate.FAILED_TEMP
        return Handed(fate, phase, type(error).__name__)

    def _of_provider(self, error: AnymailError) -> Handed:
        if isinstance(error, AnymailRecipientsRefused):
            return Handed(Fate.FAILED, no_such_address=True)
        if not isinstance(error, AnymailAPIError):
            # Nothing was asked of the provider: it cannot send such a mail.
            return Handed(Fate.FAILED, code=type(error).__name__)
        code = getattr(error, "status_code", None)
        self.close()
        if code is None or code >= 500:
            return Handed(Fate.UNKNOWN, code=str(code or type(error).__name__))
        # It refused: too fast, or the key is wrong.
        return Handed(Fate.FAILED_TEMP, code=str(code))


def _of_status(message: EmailMessage) -> Handed | None:
    """Return what a provider said of the recipient, where it did not take the mail for sure."""
    said = getattr(getattr(message, "anymail_status", None), "status", None) or set()
    if said & {"rejected", "invalid", "failed"}:
        return Handed(Fate.FAILED, code="rejected")
    return Handed(Fate.UNKNOWN, code="unknown") if "unknown" in said else None


def _reply_in(error: Exception) -> tuple[int, bytes] | None:
    """Return what the mail server answered, None where it said nothing."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return error.smtp_code, said.encode() if isinstance(said, str) else said
    return None


class Phased:
    """Remembers how far the conversation of one mail has come: the last command, then "body" while
    the text is out and not answered.
    """

    BODY = "body"
    phase = ""

    def putcmd(self, cmd: str, args: str = "") -> None:
        if cmd.lower() not in {"rset", "quit"}:
            # Those come after a failure, and say nothing about the mail.
            self.phase = cmd.lower()
        cast(Any, super()).putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        code, text = cast(Any, super()).getreply()
        if self.phase == "data":
            self.phase = self.BODY if code == 354 else "refused"
        elif self.phase == self.BODY:
            self.phase = "answered"
        return code, text


class PhasedSMTP(Phased, smtplib.SMTP):
    """SMTP that remembers how far it is."""


class PhasedSSL(Phased, smtplib.SMTP_SSL):
    """The same from the first byte under TLS."""


class PhasedBackend(EmailBackend):
    """Django's own way to send, over a connection that remembers how far it is."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return PhasedSSL if self.use_ssl else PhasedSMTP
