"""The mail that one customer gets: what was written, why they get it, and the ways out.

What is the same for all of one language is made once; the values of a customer go in last.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.mime.image import MIMEImage
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from customers.consent import State
from customers.letters import Sender, spoken
from customers.models import ConsentEntry, Customer, Purpose
from customers.unsubscribe import list_unsubscribe_headers, preferences_url, unsubscribe_url
from feedback import rating_links
from feedback.models import Touchpoint
from feedback.scales import SCALES
from feedback.snippets import ENDS, THUMBS
from mailings.lists import link_of
from mailings.message import fill_html, fill_subject, fill_text, one_line, parts_of
from mailings.models import Delivery, Mailing, MailPicture, MailText
from mailings.picking import PERSONALISATION, Picks, sample_picks

# Where the links of a mail lead that goes to nobody: a preview, or a test.
NOWHERE = "#"
# So many products in a mail.
MOST_PICKS = 3
NO_PICKS = Picks((), is_personal=False)
_PICKS = re.compile(r"\{\{ ?picks ?\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A mail in one language, with places for the values of a customer."""

    language: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to somebody, as it is read."""

    subject: str
    html: str
    text: str


class Composer:
    """Makes the mails of one mailing. Reads its texts and pictures once."""

    def __init__(self, mailing: Mailing, sender: Sender) -> None:
        self.mailing = mailing
        self.sender = sender
        pictures = list(mailing.pictures.all())
        self._pictures = {one.name: one for one in pictures}
        self._texts = {one.language: one for one in mailing.texts.all()}
        self._templates: dict[str, Template] = {}
        self._personal: Purpose | None = None

    @property
    def languages(self) -> list[str]:
        """Return the languages there is a text in."""
        return [code for code, _name in settings.LANGUAGES if code in self._texts]

    @property
    def pictures(self) -> Mapping[str, MailPicture]:
        """Return the pictures that may be in it, by name."""
        return self._pictures

    def template(self, language: str) -> Template:
        """Return the mail in a language, or in the first there is a text in."""
        known = language if language in self._texts else self.languages[0]
        if known not in self._templates:
            self._templates[known] = self._made(self._texts[known])
        return self._templates[known]

    @property
    def wants_picks(self) -> bool:
        """Return whether a text has a place for products."""
        return any(_PICKS.search(one.body) for one in self._texts.values())

    def message(
        self, delivery: Delivery, entry: ConsentEntry, picks: Picks = NO_PICKS
    ) -> EmailMultiAlternatives:
        """Return the mail of a delivery whose contact is reserved; `entry` is what permits it.

        ValueError for an address that no mail can be made for.
        """
        customer, purpose = delivery.customer, self.mailing.purpose
        if not customer.email.rpartition("@")[0].isascii():
            # Django would make another address of it.
            raise ValueError("The address has letters before the @ that mail cannot carry.")
        template = self.template(spoken(customer.language))
        values = self._values(delivery, entry, template.language)
        mail = self._filled(template, values, self._picks(picks, customer, template.language))
        message = EmailMultiAlternatives(
            subject=mail.subject,
            body=mail.text,
            from_email=self.sender.header,
            to=[customer.email],
            headers={
                "Message-ID": message_id(delivery, self.sender),
                **list_unsubscribe_headers(customer, purpose, "email"),
            },
        )
        # For a provider that tells afterwards what became of it.
        message.metadata = {"delivery": str(delivery.key)}  # type: ignore[attr-defined]
        return self._dressed(message, mail)

    def sample(self, language: str) -> Mail:
        """Return how the mail reads for a customer who does not exist; its links lead nowhere."""
        template = self.template(language)
        with _spoken_by(self.sender, template.language):
            who = _("Noor (an example)")
        links = dict.fromkeys((*_LINKS, *_question_links(self.mailing.touchpoint)), NOWHERE)
        values = {
            **self._words(who, template.language),
            **links,
            "why": self._why(timezone.now(), template.language),
        }
        picks = sample_picks(MOST_PICKS) if self.wants_picks else NO_PICKS
        return self._filled(template, values, self._picks(picks, None, template.language))

    def test_message(self, language: str, to: str) -> EmailMultiAlternatives:
        """Return the sample as a mail to a colleague."""
        mail = self.sample(language)
        with translation.override(language):
            subject = _("Test: %(subject)s") % {"subject": mail.subject}
        message = EmailMultiAlternatives(subject, mail.text, self.sender.header, [to])
        return self._dressed(message, mail)

    # -- Parts ------------------------------------------------------------------------------------

    def _made(self, text: MailText) -> Template:
        parts = parts_of(text.body, self._pictures)
        with _spoken_by(self.sender, text.language):
            given = {
                # Made by the renderer, which passes no tag that somebody typed.
                "body": SafeString(parts.html),
                "text": parts.text,
                "subject": fill_subject(text.subject, {"name": "", "shop": self.sender.name}),
                "language": text.language,
                **self._question(text.language),
            }
            html = render_to_string("mailings/mail.html", given)
            plain = render_to_string("mailings/mail.txt", given)
        return Template(text.language, text.subject, html, plain.strip() + "\n")

    def _question(self, language: str) -> dict[str, Any]:
        """Return what is asked under the mail, and its links: thumbs, or one for each score."""
        touchpoint = self.mailing.touchpoint
        if touchpoint is None:
            return {}
        question = touchpoint.question(language, formal=self.sender.formal)
        if touchpoint.scale == "thumb":
            yes, no = THUMBS[language][touchpoint.labels]
            links = [
                {"place": "{{ thumb_up }}", "label": yes, "sign": "\N{THUMBS UP SIGN}"},
                {"place": "{{ thumb_down }}", "label": no, "sign": "\N{THUMBS DOWN SIGN}"},
            ]
            return {"question": question, "asks": "thumb", "links": links}
        scale = SCALES[touchpoint.scale]
        values = range(scale.lowest, scale.highest + 1)
        links = [
            {"place": f"{{{{ question }}}}?v={n}", "label": str(n), "sign": ""} for n in values
        ]
        low, high = ENDS[language][touchpoint.scale]
        ends = f"{values[0]} = {low}, {values[-1]} = {high}"
        return {"question": question, "asks": "score", "links": links, "ends": ends}

    def _filled(
        self, template: Template, values: Mapping[str, str], picks: tuple[str, str]
    ) -> Mail:
        """Put values in; `picks` are products as HTML and as text."""
        html, text = picks
        return Mail(
            fill_subject(template.subject, values),
            fill_html(template.html, values, {"picks": html}),
            fill_text(template.text, {**values, "picks": text}),
        )

    def _picks(self, picks: Picks, customer: Customer | None, language: str) -> tuple[str, str]:
        """Return products with their reasons; behind them where that is turned off."""
        if not picks.shown:
            return "", ""
        given = {"picks": picks, "off": self._off(customer) if picks.is_personal else ""}
        with _spoken_by(self.sender, language):
            html = render_to_string("mailings/picks.html", given)
            text = render_to_string("mailings/picks.txt", given)
        return html.strip(), text.strip()

    def _off(self, customer: Customer | None) -> str:
        """Return where one press ends personal content by mail."""
        if customer is None:
            return NOWHERE
        if self._personal is None:
            self._personal = Purpose.objects.get(key=PERSONALISATION)
        return unsubscribe_url(customer, self._personal, "email")

    def _dressed(self, message: EmailMultiAlternatives, mail: Mail) -> EmailMultiAlternatives:
        """Add what is read and seen; providers are told to count neither openings nor clicks."""
        message.attach_alternative(mail.html, "text/html")
        message.mixed_subtype = "related"  # type: ignore[attr-defined]
        for name, picture in self._pictures.items():
            if f'src="cid:{name}"' in mail.html:
                part = MIMEImage(bytes(picture.data), picture.content_type.removeprefix("image/"))
                part.add_header("Content-ID", f"<{name}>")
                part.add_header("Content-Disposition", "inline", filename=name)
                message.attach(part)
        message.track_opens = message.track_clicks = False  # type: ignore[attr-defined]
        return message

    def _values(self, delivery: Delivery, entry: ConsentEntry, language: str) -> dict[str, str]:
        customer, touchpoint = delivery.customer, self.mailing.touchpoint
        links: Mapping[str, str] = {}
        if touchpoint and delivery.contact:
            links = rating_links.merge_fields(link_of(self.mailing, delivery.contact), touchpoint)
        return {
            **self._words(customer.name, language),
            **links,
            **_ways_out(customer, self.mailing.purpose),
            "why": self._why(entry.occurred_at, language, bought=entry.state == State.SOFT),
        }

    def _words(self, name: str, language: str) -> dict[str, str]:
        said = one_line(name)
        with _spoken_by(self.sender, language):
            greeting = _("Dear %(name)s,") % {"name": said} if said else _("Hello,")
        return {"greeting": greeting, "name": said, "shop": self.sender.name}

    def _why(self, since: datetime, language: str, *, bought: bool = False) -> str:
        """Say on which permission this rests, and since when; or that somebody bought something."""
        with _spoken_by(self.sender, language):
            day = date_format(timezone.localtime(since), "DATE_FORMAT")
            if bought:
                return _(
                    "You get this e-mail because you bought something from us on %(day)s and did "
                    "not say no to e-mails like this."
                ) % {"day": day}
            given = {"purpose": self.mailing.purpose.name_in(language), "day": day}
            return (
                _("You get this e-mail because you said yes to “%(purpose)s” on %(day)s.") % given
            )


_LINKS = ("preferences", "unsubscribe")


def message_id(delivery: Delivery, sender: Sender) -> str:
    """Return the Message-ID of a delivery: the same however often it is tried."""
    domain = parseaddr(sender.header)[1].rpartition("@")[2] or "localhost"
    return f"<{delivery.key}@{domain}>"


def _ways_out(customer: Customer, purpose: Purpose) -> dict[str, str]:
    return {
        "preferences": preferences_url(customer),
        "unsubscribe": unsubscribe_url(customer, purpose, "email"),
    }


def _question_links(touchpoint: Touchpoint | None) -> tuple[str, ...]:
    if touchpoint is None:
        return ()
    return ("thumb_up", "thumb_down") if touchpoint.scale == "thumb" else ("question",)


def _spoken_by(sender: Sender, language: str) -> translation.override:
    return translation.override("nl-formal" if sender.formal and language == "nl" else language)


def languages_needed(mailing: Mailing, spoken_by: Mapping[str, int]) -> list[str]:
    """Return the languages that customers read and a mailing has no text in.

    `spoken_by` is how many of its audience we write to in each.
    """
    written = set(mailing.texts.values_list("language", flat=True))
    return [one for one, _name in settings.LANGUAGES if spoken_by.get(one) and one not in written]
