"""What a first draft says, ready-made in both languages: honest, short, and fit for the gate.

The sentences avoid "je" and "u", so that they suit every organisation.

Pure: standard library only, no Django, no clock, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from customers.wordings import Texts

# What "may mail me tips and offers" is on each channel; with several, something is sent.
BY_CHANNEL = {
    "email": ("mij tips en aanbiedingen mailen", "mail me tips and offers"),
    "sms": ("mij tips en aanbiedingen sms’en", "text me tips and offers"),
    "phone": ("mij bellen met tips en aanbiedingen", "call me with tips and offers"),
}
SENDING = ("mij tips en aanbiedingen sturen", "send me tips and offers")

WAY_OUT = {
    "email": ("Onder elke mail staat Afmelden.", "Every mail has a link to stop."),
    "sms": ("In elk bericht staat hoe dat gaat.", "Every message says how to stop."),
    "phone": ("In elk gesprek kan dat ook.", "It can be said in every call, too."),
}
ANY_WAY_OUT = ("In elk bericht staat hoe dat gaat.", "Every message says how to stop.")

STOPPING = ("Stoppen kan altijd.", "You can stop at any time.")


@dataclass(frozen=True, slots=True)
class FirstDraft:
    """Texts by language, and at most so many messages in so many days, if any are sent."""

    texts: Mapping[str, Texts]
    messages: int | None = None
    days: int | None = None


def first_draft(kind: str, channels: list[str], sender: str) -> FirstDraft:
    """Return a first draft for a kind of purpose; for sharing, who receives is left to fill in."""
    lines, data, messages, days = _said(kind, channels, sender)
    channel = channels[0] if len(channels) == 1 else ""
    way_out = WAY_OUT.get(channel, ANY_WAY_OUT)
    nobody_else = (f"niemand buiten {sender}", f"nobody outside {sender}")
    if kind == "sharing":
        nobody_else = ("", "")
    kept = ("zolang de toestemming geldt", "as long as the permission holds")
    texts = {
        language: Texts(
            label=lines[at][0],
            helper=lines[at][1],
            details="",
            controller=sender,
            data_types=data[at],
            recipients=nobody_else[at],
            retention=kept[at],
            way_out=way_out[at],
        )
        for at, language in enumerate(("nl", "en"))
    }
    return FirstDraft(texts, messages, days)


Lines = tuple[tuple[str, str], tuple[str, str]]


def _said(
    kind: str, channels: list[str], sender: str
) -> tuple[Lines, tuple[str, str], int | None, int | None]:
    """Return label and helper in Dutch and English, the data used, and what is promised."""
    nl, en = STOPPING
    if kind == "marketing":
        sending = BY_CHANNEL.get(channels[0], SENDING) if len(channels) == 1 else SENDING
        lines = (
            (f"Ja, {sender} mag {sending[0]}.", f"Hooguit 2 keer per maand. {nl}"),
            (f"Yes, {sender} may {sending[1]}.", f"At most 2 times a month. {en}"),
        )
        return lines, (_contact(channels, 0), _contact(channels, 1)), 2, 30
    if kind == "profiling":
        lines = (
            ("Ja, kies tips die passen bij wat ik koop.", f"Alleen bestellingen tellen mee. {nl}"),
            ("Yes, pick tips that fit what I buy.", f"Only orders are used. {en}"),
        )
        return lines, ("bestellingen", "orders"), None, None
    if kind == "survey":
        lines = (
            (f"Ja, {sender} mag mij vragen wat ik ervan vond.", f"Hooguit 1 keer per maand. {nl}"),
            (f"Yes, {sender} may ask me what I thought of it.", f"At most 1 time a month. {en}"),
        )
        return lines, (_contact(channels, 0), _contact(channels, 1)), 1, 30
    if kind == "tracking":
        lines = (
            (f"Ja, {sender} mag zien welke mails ik open.", f"Zo worden de mails beter. {nl}"),
            (f"Yes, {sender} may see which mails I open.", f"This makes the mails better. {en}"),
        )
        data = ("welke mails zijn geopend, en wanneer", "which mails were opened, and when")
        return lines, data, None, None
    return (("", ""), ("", "")), ("", ""), None, None


def _contact(channels: list[str], at: int) -> str:
    words = {
        "email": ("e-mailadres", "e-mail address"),
        "sms": ("mobiel nummer", "mobile number"),
        "phone": ("telefoonnummer", "phone number"),
    }
    return ", ".join([("naam", "name")[at], *(words[one][at] for one in channels if one in words)])
