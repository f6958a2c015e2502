"""The story of Lindehuis: what it sells, where it asks, who its customers are, what they write.

Everything is invented; the figures are chosen so that the overview has something to find. Mood is
how happy buyers are on average, from 0 to 10: 8.8 gives an NPS in the forties. What happens with
these is told in life.py and talk.py.
"""

from dataclasses import dataclass

DAYS = 365
# Phones run out of stock: for that many days, buyers of SLIDING are so much less happy.
SLIDING = "Smartphones"
SLIDE_DAYS = 56
SLIDE = 2.4


# -- What it sells ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Ware:
    """A product with its price in euros."""

    sku: str
    name: str
    price: str


@dataclass(frozen=True)
class Department:
    """A category: involvement as rated by its manager, share of the orders, mood of buyers."""

    name: str
    involvement: str
    share: float
    mood: float
    wares: tuple[Ware, ...]


DEPARTMENTS = (
    Department(
        name=SLIDING,
        involvement="high",
        share=30,
        mood=9.0,
        wares=(
            Ware("SM-01", "Fono 7", "349.00"),
            Ware("SM-02", "Fono 7 Plus", "479.00"),
            Ware("SM-03", "Kompas Pro", "649.00"),
        ),
    ),
    Department(
        name="Laptops",
        involvement="high",
        share=13,
        mood=8.9,
        wares=(
            Ware("LT-01", "Notitie 13", "699.00"),
            Ware("LT-02", "Werkbank 16", "1199.00"),
        ),
    ),
    Department(
        name="Koken",
        involvement="medium",
        share=18,
        mood=8.9,
        wares=(
            Ware("KO-01", "Braadpan 24 cm", "59.95"),
            Ware("KO-02", "Koffiemolen", "84.50"),
            Ware("KO-03", "Staafmixer", "49.95"),
        ),
    ),
    Department(
        name="Beddengoed",
        involvement="medium",
        share=14,
        mood=9.1,
        wares=(
            Ware("BE-01", "Dekbedovertrek linnen", "89.95"),
            Ware("BE-02", "Hoofdkussen", "54.95"),
            Ware("BE-03", "Winterdekbed", "129.00"),
        ),
    ),
    Department(
        name="Verlichting",
        involvement="medium",
        share=12,
        mood=8.7,
        wares=(
            Ware("VE-01", "Leeslamp Uil", "44.95"),
            Ware("VE-02", "Hanglamp Bol", "79.95"),
        ),
    ),
    Department(
        name="Telefoonhoesjes",
        involvement="low",
        share=10,
        mood=8.4,
        wares=(
            Ware("TH-01", "Hoesje Fono 7, leer", "24.95"),
            Ware("TH-02", "Hoesje Kompas, vilt", "19.95"),
        ),
    ),
    Department(
        name="Deurmatten",
        involvement="low",
        share=5,
        mood=8.6,
        wares=(
            Ware("DM-01", "Kokosmat 40 × 60", "17.95"),
            Ware("DM-02", "Wasbare mat 60 × 90", "34.95"),
        ),
    ),
    # Small on purpose: a quarter has too few answers on any question to say anything.
    Department(
        name="Cadeaubonnen",
        involvement="low",
        share=2,
        mood=8.8,
        wares=(
            Ware("CB-25", "Cadeaubon € 25", "25.00"),
            Ware("CB-50", "Cadeaubon € 50", "50.00"),
        ),
    ),
)

DEPARTMENT_OF = {ware.sku: part for part in DEPARTMENTS for ware in part.wares}


# -- Who buys ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """A way of buying: for how many customers, days between orders, chance to come back."""

    customers: int
    gap: float
    returns: float


RHYTHMS = (
    Rhythm(customers=400, gap=52, returns=0.99),
    Rhythm(customers=520, gap=90, returns=0.98),
    Rhythm(customers=480, gap=140, returns=0.97),
    Rhythm(customers=390, gap=1, returns=0),
)
PROSPECTS = 160
# They bought a phone with a subscription of two years.
CONTRACTS = 50
CONTRACT_RHYTHM = Rhythm(customers=CONTRACTS, gap=120, returns=0.9)
CONTRACT_DAYS = 730

FIRST_NAMES = (
    *("Anouk", "Bas", "Cato", "Daan", "Esra", "Fenna", "Gijs", "Hanna", "Ilias", "Jip", "Karim"),
    *("Lotte", "Mees", "Noor", "Otis", "Pien", "Quinten", "Roos", "Sami", "Tess", "Umut", "Veerle"),
    *("Wout", "Xandra", "Yara", "Zeno"),
)
# Names that no family has, as these customers do not exist.
LAST_NAMES = (
    *("Appeldeur", "Berkenraam", "Dakgootstra", "Drempelaar", "Gevelsma", "Haardsteen"),
    *("Kastanjehof", "Klimopstra", "Lampenkap", "Lindeblad", "Plankenga", "Regentonsma"),
    *("Schouwplank", "Tegelveld", "Tuinpadstra", "van der Drempel", "van Zolderen", "Zonnewering"),
)
LANGUAGES = ("nl",) * 17 + ("en", "en", "de")


# -- What they say ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Voice:
    """What a happy, a neutral or an unhappy customer writes, and the reasons they tick."""

    happy: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    unhappy: tuple[str, ...] = ()
    happy_reasons: tuple[str, ...] = ("useful", "useful", "easy", "easy", "fun", "other")
    unhappy_reasons: tuple[str, ...] = ("effort", "effort", "not_relevant", "other")


ABOUT_THE_SHOP = Voice(
    happy=(
        "Snel in huis en netjes verpakt.",
        "Precies zoals op de foto.",
        "Bestellen ging vlot.",
        "Mooie kwaliteit voor dit geld.",
        "Ik kom hier graag terug.",
        "Eindelijk een winkel waar ik meteen vind wat ik zoek.",
    ),
    neutral=(
        "Prima, maar de handleiding is wat kort.",
        "Op zich tevreden. De doos was wel erg groot.",
        "Doet wat het moet doen.",
    ),
    unhappy=(
        "De kleur is anders dan op de site.",
        "Ik kon mijn kortingscode nergens kwijt.",
        "Te veel stappen bij het betalen.",
        "Voor deze prijs had ik meer verwacht.",
    ),
)
# What unhappy buyers of SLIDING write from the slide on, wherever they are asked.
ABOUT_WAITING = (
    "Besteld als 'morgen in huis', nu ineens drie weken wachten.",
    "De levertijd veranderde na het betalen.",
    "Er staat op voorraad, maar dat klopt niet.",
    "Al twee keer een nieuwe leverdatum gekregen.",
    "Jammer van het wachten, de telefoon zelf lijkt me goed.",
)
ABOUT_THE_PAGE = Voice(
    happy=("Duidelijke foto's.", "Fijn dat de maten erbij staan.", "Goed te vergelijken."),
    unhappy=("Ik mis de afmetingen.", "Ik zie nergens wat erbij zit.", "Te weinig foto's."),
)
ABOUT_THE_TIPS = Voice(
    happy=("Goede tip, meteen gedaan.", "Leuk om te lezen."),
    unhappy=("Dit wist ik al.", "Van mij mag het minder vaak.", "Ik heb dit al gekocht."),
    happy_reasons=("useful", "useful", "fun"),
    unhappy_reasons=("too_often", "too_often", "not_relevant", "too_personal"),
)
ABOUT_THE_DELIVERY = Voice(
    happy=("Keurig op tijd.", "De bezorger dacht goed mee.", "Ik wist steeds waar het was."),
    neutral=("Een dag later dan gezegd, verder prima.",),
    unhappy=("Twee dagen te laat.", "Bij de buren bezorgd zonder briefje.", "De doos was gedeukt."),
)
ABOUT_THE_HELP = Voice(
    happy=("In één keer geholpen.", "Vriendelijk en snel.", "Ik kreeg meteen een nieuw onderdeel."),
    neutral=("Goed geholpen, wel lang in de wacht.",),
    unhappy=("Ik moest drie keer bellen.", "Retourneren was een hele zoektocht."),
)


# -- Where and when it asks -------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A touchpoint, and when it asks.

    days      how long after the order, 0 on the day itself
    asked     after which part of the orders it asks
    answered  how its answers compare with those to an ordinary mail (ANSWERS)
    request   a request that people get only so often; a question that stands on a page, a thumb
              under a mail and a question about a call are none
    """

    name: str
    scale: str
    voice: Voice
    channels: tuple[str, ...]
    days: int
    asked: float
    answered: float
    request: bool

    @property
    def mailed(self) -> bool:
        """Whether it is mailed to a known customer, so that silence can be counted."""
        return self.channels == EMAIL


EMAIL = ("email",)
PRODUCT_PAGE = Place(
    name="Productpagina",
    scale="thumb",
    voice=ABOUT_THE_PAGE,
    channels=("web",),
    days=0,
    asked=0.55,
    answered=1,
    request=False,
)
THANK_YOU_PAGE = Place(
    name="Bedankpagina",
    scale="nps",
    voice=ABOUT_THE_SHOP,
    channels=("web",),
    days=0,
    asked=0.5,
    answered=1.7,
    request=False,
)
DELIVERY_MAIL = Place(
    name="Bezorging",
    scale="csat",
    voice=ABOUT_THE_DELIVERY,
    channels=EMAIL,
    days=4,
    asked=0.25,
    answered=0.9,
    request=True,
)
HELP_DESK = Place(
    name="Klantenservice",
    scale="ces",
    voice=ABOUT_THE_HELP,
    channels=("web", "web", "phone"),
    days=5,
    asked=0.12,
    answered=1.5,
    request=False,
)
TIPS_MAIL = Place(
    name="Tips bij je aankoop",
    scale="thumb",
    voice=ABOUT_THE_TIPS,
    channels=EMAIL,
    days=7,
    asked=0.3,
    answered=0.4,
    request=False,
)
ORDER_MAIL = Place(
    name="Na je bestelling",
    scale="nps",
    voice=ABOUT_THE_SHOP,
    channels=EMAIL,
    days=12,
    asked=1,
    answered=1,
    request=True,
)
# In the order in which they come by after an order.
PLACES = (PRODUCT_PAGE, THANK_YOU_PAGE, DELIVERY_MAIL, HELP_DESK, TIPS_MAIL, ORDER_MAIL)
# Thumbs a day on product pages of people who are not signed in.
STRANGERS = 3

# Which part of those who get an ordinary mail answers it.
ANSWERS = {
    "contract": 0.46,
    "regular": 0.50,
    "occasional": 0.42,
    "one_time": 0.24,
    "lapsed": 0.18,
    "prospect": 0.24,
}
# What being such a customer, or answering in such a place, adds to the mood.
TYPE_MOOD = {"regular": 0.2, "one_time": -0.3, "lapsed": -0.4}
CHANNEL_MOOD = {"email": 0.15, "web": -0.15, "phone": -0.3}
