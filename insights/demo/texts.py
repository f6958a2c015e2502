"""The texts with which the demo shop asks for permission, and when each was published.

They pass the gate like anybody's. The tips go out every week at most, and that was promised from
the first day on; the second text says so beside the box. What is chosen by returns too came later,
which is a material change: who had said yes before has to be asked again.
"""

from dataclasses import dataclass, replace

from customers.models import Change
from customers.publishing import Promise
from customers.wordings import Texts

WEEKLY = Promise(messages=1, days=7)
MONTHLY = Promise(messages=1, days=30)


@dataclass(frozen=True)
class Version:
    """The texts of a purpose from so many days after the first day on."""

    purpose: str
    from_day: int
    change: Change
    dutch: Texts
    english: Texts
    promise: Promise | None = None


_TIPS_NL = Texts(
    label="Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
    helper="Hooguit 1 keer per week.",
    details="Tips over wat je in huis hebt, en aanbiedingen van Lindehuis zelf.",
    controller="Lindehuis",
    data_types="E-mailadres",
    recipients="Alleen Lindehuis",
    retention="Tot je stopt, en hooguit twee jaar",
    way_out="Stoppen kan altijd, met de link onder elke mail.",
)
_TIPS_EN = Texts(
    label="Yes, Lindehuis may e-mail me tips and offers.",
    helper="At most 1 time a week.",
    details="Tips about what you have at home, and offers of Lindehuis itself.",
    controller="Lindehuis",
    data_types="E-mail address",
    recipients="Lindehuis only",
    retention="Until you stop, and at most two years",
    way_out="You can stop at any time, with the link under every e-mail.",
)
_FITTING_NL = Texts(
    label="Ja, kies tips die passen bij wat ik koop.",
    helper="We kijken naar je bestellingen, niet naar wat je op de website doet.",
    details="We kiezen de tips die bij je laatste bestellingen horen.",
    controller="Lindehuis",
    data_types="Bestellingen",
    recipients="Alleen Lindehuis",
    retention="Tot je stopt, en hooguit twee jaar",
    way_out="Uitzetten kan altijd, met de link onder elke mail.",
)
_FITTING_EN = Texts(
    label="Yes, choose tips that fit what I buy.",
    helper="We look at your orders, not at what you do on the website.",
    details="We choose the tips that belong to your latest orders.",
    controller="Lindehuis",
    data_types="Orders",
    recipients="Lindehuis only",
    retention="Until you stop, and at most two years",
    way_out="You can switch it off at any time, with the link under every e-mail.",
)
_ASKING_NL = Texts(
    label="Ja, Lindehuis mag mij vragen wat ik ervan vond.",
    helper="Per e-mail, na een bestelling, hooguit 1 keer per 30 dagen.",
    details="Eén vraag per keer. Je antwoord staat bij je bestelling.",
    controller="Lindehuis",
    data_types="E-mailadres en bestellingen",
    recipients="Alleen Lindehuis",
    retention="Tot je stopt, en hooguit twee jaar",
    way_out="Stoppen kan altijd, met de link onder elke vraag.",
)
_ASKING_EN = Texts(
    label="Yes, Lindehuis may ask me what I thought of it.",
    helper="By e-mail, after an order, at most 1 time in 30 days.",
    details="One question at a time. Your answer is kept with your order.",
    controller="Lindehuis",
    data_types="E-mail address and orders",
    recipients="Lindehuis only",
    retention="Until you stop, and at most two years",
    way_out="You can stop at any time, with the link under every question.",
)

VERSIONS = (
    Version("email_marketing", 0, Change.MATERIAL, _TIPS_NL, _TIPS_EN, WEEKLY),
    Version("personalisation", 0, Change.MATERIAL, _FITTING_NL, _FITTING_EN),
    Version("satisfaction_survey", 0, Change.MATERIAL, _ASKING_NL, _ASKING_EN, MONTHLY),
    Version(
        "personalisation",
        310,
        Change.MATERIAL,
        replace(
            _FITTING_NL,
            helper="We kijken naar je bestellingen en retouren, niet naar wat je op de website "
            "doet.",
            data_types="Bestellingen en retouren",
        ),
        replace(
            _FITTING_EN,
            helper="We look at your orders and returns, not at what you do on the website.",
            data_types="Orders and returns",
        ),
    ),
    Version(
        "email_marketing",
        470,
        Change.EDITORIAL,
        replace(
            _TIPS_NL,
            label="Ja, mail mij tips en aanbiedingen, hooguit 1 keer per week.",
            helper="Van Lindehuis.",
        ),
        replace(
            _TIPS_EN,
            label="Yes, e-mail me tips and offers, at most 1 time a week.",
            helper="From Lindehuis.",
        ),
        WEEKLY,
    ),
)
