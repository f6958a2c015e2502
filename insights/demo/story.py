"""The story of Lindehuis: what it sells, where it asks, and who its customers are.

Everything is invented; the figures are chosen so that the pages have something to find. Mood is
how happy people are on average, from 0 to 10: 8.8 gives an NPS in the forties. What happens with
these is told in life.py and talk.py; what people write is in words.py.

What there is to find:
- since SLIDE_DAYS ago buyers of SLIDING have to wait, regular customers most of all;
- who buys once answers less often, and is less happy, than who comes back;
- mail is answered more happily than a web page;
- the tips come every week since WEEKLY_DAYS ago, and more readers say "too often";
- what somebody noted (NOTES) goes together with two of these, and once with nothing.
"""

from dataclasses import dataclass

from feedback.questions import READY_MADE, Question
from insights.demo.words import (
    ABOUT_MY_DATA,
    ABOUT_THE_DELIVERY,
    ABOUT_THE_HELP,
    ABOUT_THE_PAGE,
    ABOUT_THE_SHOP,
    ABOUT_THE_TIPS,
    Voice,
)

DAYS = 730
# Phones run out of stock: for that many days, buyers of SLIDING are so much less happy, by type.
SLIDING = "Smartphones"
SLIDE_DAYS = 70
SLIDE = {"regular": 5.0}
SLIDE_OF_OTHERS = 0.2


# -- What it sells ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Ware:
    """A product with its price in euros."""

    sku: str
    name: str
    price: str


@dataclass(frozen=True)
class Department:
    """A category: involvement as rated by its manager, share of the orders, mood of buyers.

    `praise` and `complaints` are about its wares alone.
    """

    name: str
    involvement: str
    share: float
    mood: float
    wares: tuple[Ware, ...]
    praise: tuple[str, ...]
    complaints: tuple[str, ...]


DEPARTMENTS = (
    Department(
        name=SLIDING,
        involvement="high",
        share=27,
        mood=9.2,
        wares=(
            Ware("SM-01", "Fono 7", "349.00"),
            Ware("SM-02", "Fono 7 Plus", "479.00"),
            Ware("SM-03", "Kompas Pro", "649.00"),
        ),
        praise=("Overzetten van mijn oude telefoon ging vanzelf.", "Scherpe camera."),
        complaints=("Er zat geen lader bij.", "Accu is snel leeg."),
    ),
    Department(
        name="Laptops",
        involvement="high",
        share=9,
        mood=8.9,
        wares=(
            Ware("LT-01", "Notitie 13", "699.00"),
            Ware("LT-02", "Werkbank 16", "1199.00"),
        ),
        praise=("Stil en snel.", "Accu gaat een hele werkdag mee."),
        complaints=("Er stond van alles op dat ik niet wil.", "Wordt nogal warm."),
    ),
    Department(
        name="Matrassen",
        involvement="high",
        share=6,
        mood=8.8,
        wares=(
            Ware("MA-01", "Matras Wolk 90 × 200", "399.00"),
            Ware("MA-02", "Matras Wolk 160 × 200", "749.00"),
        ),
        praise=("Eindelijk weer doorgeslapen.", "Fijn dat je hem eerst mag proberen."),
        complaints=("Harder dan beschreven.", "Het ruikt na twee weken nog steeds."),
    ),
    Department(
        name="Wasmachines",
        involvement="high",
        share=5,
        mood=8.9,
        wares=(
            Ware("WM-01", "Spoel 7 kg", "449.00"),
            Ware("WM-02", "Spoel 9 kg stil", "629.00"),
        ),
        praise=("Oude machine meteen meegenomen.", "Hoor je bijna niet."),
        complaints=("Programma duurt drie uur.", "Aansluiten moest ik zelf doen."),
    ),
    Department(
        name="Koken",
        involvement="medium",
        share=14,
        mood=8.9,
        wares=(
            Ware("KO-01", "Braadpan 24 cm", "59.95"),
            Ware("KO-02", "Koffiemolen", "84.50"),
            Ware("KO-03", "Staafmixer", "49.95"),
        ),
        praise=("Pan bakt heel gelijkmatig.", "Elke ochtend verse koffie, heerlijk."),
        complaints=("Kan niet in de vaatwasser.", "Maakt veel lawaai."),
    ),
    Department(
        name="Beddengoed",
        involvement="medium",
        share=11,
        mood=9.0,
        wares=(
            Ware("BE-01", "Dekbedovertrek linnen", "89.95"),
            Ware("BE-02", "Hoofdkussen", "54.95"),
            Ware("BE-03", "Winterdekbed", "129.00"),
        ),
        praise=("Zacht en blijft mooi na het wassen.", "Slaapt heerlijk."),
        complaints=("Gekrompen in de was.", "Knopen zitten los."),
    ),
    Department(
        name="Verlichting",
        involvement="medium",
        share=9,
        mood=8.7,
        wares=(
            Ware("VE-01", "Leeslamp Uil", "44.95"),
            Ware("VE-02", "Hanglamp Bol", "79.95"),
        ),
        praise=("Warm licht, precies goed boven de tafel.", "Zo opgehangen."),
        complaints=("Geen lampje erbij.", "Snoer is te kort."),
    ),
    Department(
        name="Stofzuigers",
        involvement="medium",
        share=7,
        mood=8.7,
        wares=(
            Ware("ST-01", "Stofzuiger Das", "149.00"),
            Ware("ST-02", "Steelzuiger Ree", "229.00"),
        ),
        praise=("Pakt alle hondenharen mee.", "Lekker licht."),
        complaints=("Bak zit zo vol.", "Accu houdt het maar een kwartier vol."),
    ),
    Department(
        name="Telefoonhoesjes",
        involvement="low",
        share=7,
        mood=8.5,
        wares=(
            Ware("TH-01", "Hoesje Fono 7, leer", "24.95"),
            Ware("TH-02", "Hoesje Kompas, vilt", "19.95"),
        ),
        praise=("Zit als gegoten.", "Mooi leer."),
        complaints=("Knopjes gaan zwaar.", "Magneet is te zwak."),
    ),
    Department(
        name="Kaarsen",
        involvement="low",
        share=6,
        mood=8.8,
        wares=(
            Ware("KA-01", "Dinerkaarsen, 12 stuks", "14.95"),
            Ware("KA-02", "Geurkaars vijg", "22.50"),
        ),
        praise=("Ruikt lekker en niet te sterk.", "Branden mooi rustig op."),
        complaints=("Twee waren gebroken.", "Ik ruik er niets van."),
    ),
    Department(
        name="Deurmatten",
        involvement="low",
        share=4,
        mood=8.6,
        wares=(
            Ware("DM-01", "Kokosmat 40 × 60", "17.95"),
            Ware("DM-02", "Wasbare mat 60 × 90", "34.95"),
        ),
        praise=("Blijft goed liggen.", "Modder blijft nu buiten."),
        complaints=("Laat veel haren los.", "Deur gaat er niet overheen."),
    ),
    # Small on purpose: a quarter has too few answers on any question to say anything.
    Department(
        name="Cadeaubonnen",
        involvement="low",
        share=0.7,
        mood=8.8,
        wares=(
            Ware("CB-25", "Cadeaubon € 25", "25.00"),
            Ware("CB-50", "Cadeaubon € 50", "50.00"),
        ),
        praise=("Zat mooi ingepakt.",),
        complaints=("Bon is maar een jaar geldig.",),
    ),
)

DEPARTMENT_OF = {ware.sku: part for part in DEPARTMENTS for ware in part.wares}


# -- Who buys ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """A way of buying: how many do, days between orders, chance to come back.

    `answers` is the part of them that answers an ordinary mail, `mood` what they add to it.
    """

    customers: int
    gap: float
    returns: float
    answers: float
    mood: float


RHYTHMS = (
    Rhythm(customers=1_300, gap=52, returns=0.99, answers=0.46, mood=0.25),
    Rhythm(customers=1_700, gap=95, returns=0.97, answers=0.46, mood=0.2),
    Rhythm(customers=4_600, gap=230, returns=0.85, answers=0.43, mood=0),
    Rhythm(customers=10_600, gap=1, returns=0, answers=0.19, mood=-0.9),
)
# They bought a phone with a subscription of two years.
CONTRACT_RHYTHM = Rhythm(customers=400, gap=130, returns=0.9, answers=0.46, mood=0)
CONTRACT_DAYS = 730
# They have an account and have never bought anything.
PROSPECT_RHYTHM = Rhythm(customers=1_400, gap=1, returns=0, answers=0, mood=0)
CUSTOMERS = sum(rhythm.customers for rhythm in (*RHYTHMS, CONTRACT_RHYTHM, PROSPECT_RHYTHM))

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
# Of a page or a mail, for somebody not known.
PAGE_LANGUAGES = ("nl",) * 11 + ("en",)


# -- Where and when it asks -------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A touchpoint, and when it asks.

    days      how long after the order, 0 on the day itself
    asked     after which part of the orders it asks
    answered  how its answers compare with those to an ordinary mail (Rhythm.answers)
    request   whether it is mailed to a known customer, who gets a request only so often and whose
              silence can be counted; other questions stand on a page or follow a call
    mood      how much happier people are about it than about what they ordered
    ordered   whether the question is about what was ordered
    counted   whether it counts how often it is shown
    """

    name: str
    question: Question
    voice: Voice
    channels: tuple[str, ...]
    days: int
    asked: float
    answered: float
    mood: float = 0
    request: bool = False
    ordered: bool = True
    counted: bool = False

    @property
    def scale(self) -> str:
        return self.question.scale


QUESTIONS = {question.key: question for question in READY_MADE}
SITE = "https://www.lindehuis.example"

PRODUCT_PAGE = Place(
    name="Productpagina",
    question=QUESTIONS["page"],
    voice=ABOUT_THE_PAGE,
    channels=("web",),
    days=0,
    asked=0.45,
    answered=0.6,
    mood=-0.8,
    counted=True,
)
THANK_YOU_PAGE = Place(
    name="Bedankpagina",
    question=QUESTIONS["recommend"],
    voice=ABOUT_THE_SHOP,
    channels=("web",),
    days=0,
    asked=0.42,
    answered=0.9,
)
MY_DATA = Place(
    name="Mijn gegevens",
    question=QUESTIONS["control"],
    voice=ABOUT_MY_DATA,
    channels=("web",),
    days=2,
    asked=0.07,
    answered=1,
    ordered=False,
)
DELIVERY_MAIL = Place(
    name="Bezorging",
    question=Question(
        "delivery",
        "csat",
        "Hoe tevreden ben je over de bezorging?",
        "How satisfied are you with the delivery?",
    ),
    voice=ABOUT_THE_DELIVERY,
    channels=("email",),
    days=4,
    asked=0.25,
    answered=0.9,
    request=True,
)
HELP_DESK = Place(
    name="Klantenservice",
    question=Question(
        "help",
        "ces",
        "Hoe makkelijk was het om geholpen te worden?",
        "How easy was it to get help?",
    ),
    voice=ABOUT_THE_HELP,
    channels=("web", "web", "phone", "email"),
    days=5,
    asked=0.15,
    answered=1.1,
)
ORDER_MAIL = Place(
    name="Na je bestelling",
    question=QUESTIONS["recommend"],
    voice=ABOUT_THE_SHOP,
    channels=("email",),
    days=12,
    asked=0.55,
    answered=1,
    request=True,
)
# In the order in which they come by after an order.
PLACES = (PRODUCT_PAGE, THANK_YOU_PAGE, MY_DATA, DELIVERY_MAIL, HELP_DESK, ORDER_MAIL)
# Thumbs a day on product pages of people who are not signed in.
STRANGERS = 7

# Goes to everybody who wants tips, and follows no order. Its links know the sending and nobody.
TIPS_MAIL = Place(
    name="Tips per mail",
    question=QUESTIONS["email"],
    voice=ABOUT_THE_TIPS,
    channels=("email",),
    days=0,
    asked=0,
    answered=0,
    ordered=False,
)
ALL_PLACES = (*PLACES, TIPS_MAIL)
# Once in four weeks, and every week for the last twenty: what readers then think of it.
MONTH_DAYS, WEEKLY_DAYS = 28, 140
MONTHLY_READERS, WEEKLY_READERS = 190, 130
MONTHLY_MOOD, WEEKLY_MOOD = 8.6, 7.5
TOPICS = (
    *("je telefoon schoon", "lekker slapen", "koffie zetten", "vlekken uit linnen"),
    *("een laptop die lang meegaat", "zuinig wassen", "licht boven de tafel", "een mat die blijft"),
    *("stofzuigen met huisdieren", "kaarsen zonder roet", "pannen die niet plakken"),
    *("foto's overzetten", "een koel bed in de zomer", "cadeaus inpakken"),
)

# What being such a customer, or answering in such a way, adds to the mood.
TYPE_MOOD = {"one_time": -1.4}
CHANNEL_MOOD = {"email": 0.7, "web": -0.4, "phone": 0}
# How people feel about what we do with their data; that is about no category.
MY_DATA_MOOD = 7.2

# What the marketer noted, so many days ago: the shop knows what it did, not yet what came of it.
COURIER_DAYS = 400
NOTES = (
    (COURIER_DAYS, "Nieuwe bezorgdienst"),
    (WEEKLY_DAYS, "Tips per mail: voortaan elke week"),
    (SLIDE_DAYS, "Smartphones: nieuwe leverancier"),
)
