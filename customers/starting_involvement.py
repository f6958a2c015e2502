"""How much buyers probably care about a category, by what the shop mostly sells. To begin with.

Pure: standard library only. A guess by kind of company, and by words in the name of a category that
say more. Source: seeds chosen for this product (mortgage 95, smartphone 85, insurance 80, laptop
80, shoes 60, groceries 20, phone case 20, doormat 10), not science; each is to be rated by somebody
who knows.
"""

import re
from collections.abc import Iterable, Mapping

COMPANIES: Mapping[str, str] = {
    "electronics": "high",
    "finance": "high",
    "travel": "high",
    "home": "medium",
    "fashion": "medium",
    "groceries": "low",
    "other": "low",
}

# Words in names, Dutch and English, that say more than the kind of company: whole words, and what a
# longer Dutch word may end in ("laptophoezen" are hoezen, "koptelefoons" are no telefoons).
WORDS: Mapping[str, tuple[str, ...]] = {
    "high": (
        *("mortgage", "insurance", "smartphone", "phone", "telefoon", "laptop", "computer"),
        *("camera", "television", "televisie", "tv", "travel", "reis", "reizen", "car", "auto"),
        *("kitchen", "keuken"),
    ),
    "medium": ("shoe", "schoen", "fashion", "mode", "kleding", "bed", "lamp", "stoel", "sofa"),
    "low": (
        *("case", "mat", "gift", "candle", "cleaning", "grocery", "groceries", "food", "battery"),
        *("batteries", "cable", "paper", "accessory", "accessories"),
    ),
}
ENDS: Mapping[str, tuple[str, ...]] = {
    "high": ("hypotheek", "hypotheken", "verzekering", "smartphone", "laptop"),
    "medium": ("schoenen", "kleding", "lamp", "stoel", "stoelen"),
    "low": (
        *("hoes", "hoezen", "hoesje", "matje", "cadeau", "cadeautje", "kaars", "kaarsen"),
        *("boodschappen", "voeding", "batterij", "batterijen", "kabel", "papier", "accessoire"),
        *("schoonmaak", "deurmat", "badmat"),
    ),
}
_PLURAL = "(?:'s|’s|s|en)?"
_NAMES = {
    level: re.compile(
        rf"\b(?:{'|'.join(WORDS[level])}){_PLURAL}\b|(?:{'|'.join(ENDS[level])}){_PLURAL}\b"
    )
    for level in WORDS
}


def proposed(company: str, names: Iterable[str]) -> dict[str, str]:
    """Return a level for each category; ValueError for a kind of company that is not known."""
    if company not in COMPANIES:
        raise ValueError(f"{company!r} is not known. Use one of: {', '.join(COMPANIES)}.")
    return {name: _by_name(name) or COMPANIES[company] for name in names}


def _by_name(name: str) -> str:
    """Return what the words in a name say: what is small beside a thing is not the thing."""
    said = name.casefold()
    for level in ("low", "medium", "high"):
        if _NAMES[level].search(said):
            return level
    return ""
