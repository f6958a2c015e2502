"""Whether mails may be taken for what they say they are: what can be seen from here, and what to
set in the DNS.

Pure: standard library only; nothing is looked up. Mail programs ask whether the domain behind From
is the one that signed (DKIM) or the one that sent (SPF): DMARC, RFC 7489, 3.1 (alignment).
"""

from dataclasses import dataclass
from enum import StrEnum

# Their owners publish that nobody else sends for them, so mails in their name are refused.
FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.nl", "live.nl"),
        *("live.com", "msn.com", "yahoo.com", "icloud.com", "me.com", "aol.com", "gmx.net"),
        *("ziggo.nl", "kpnmail.nl", "planet.nl", "hetnet.nl", "home.nl", "xs4all.nl"),
    }
)


class Caution(StrEnum):
    """What is wrong with the address that mails come from."""

    NO_SENDER = "no_sender"
    FREE_MAIL = "free_mail"
    OTHER_LOGIN = "other_login"


@dataclass(frozen=True, slots=True)
class Alignment:
    """The domain behind From, what is wrong with it, and the DNS records to see to.

    `records` are (kind, name, value).
    """

    domain: str
    cautions: tuple[Caution, ...]
    records: tuple[tuple[str, str, str], ...]


def alignment(sender: str, login: str) -> Alignment:
    """Return what can be said of a sender's address; `login` is who we are to the mail server."""
    domain = sender.rpartition("@")[2].lower()
    if domain in {"", "localhost"}:
        return Alignment(domain, (Caution.NO_SENDER,), ())
    found = [Caution.FREE_MAIL] if domain in FREE_MAIL else []
    other = login.rpartition("@")[2].lower() if "@" in login else ""
    if other and not _aligned(domain, other):
        found.append(Caution.OTHER_LOGIN)
    records = (
        ("SPF", domain, "v=spf1 include:… -all"),
        ("DKIM", f"…._domainkey.{domain}", "v=DKIM1; p=…"),
        ("DMARC", f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"),
    )
    return Alignment(domain, tuple(found), records)


def _aligned(one: str, other: str) -> bool:
    """Say whether two domains are the same, or one is part of the other."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
