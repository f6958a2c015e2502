"""How much buyers probably care about a category, by what the shop mostly sells. To begin with.

Pure: standard library only. A guess by kind of company, and by words in the name of a category that
say more. Source: seeds chosen for this product (mortgage 95, smartphone 85, insurance 80, laptop
80, shoes 60, groceries 20, phone case 20, doormat 10), not science; each is to be rated by somebody
who knows.
"""

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

# Parts of names, Dutch and English, that say more than the kind of company.
WORDS: Mapping[str, tuple[str, ...]] = {
    "high": (
        *("mortgage", "hypothe", "insur", "verzeker", "smartphone", "telefoon", "phone"),
        *("laptop", "computer", "camera", "televisi", "tv", "reis", "travel", "auto", "keuken"),
    ),
    "medium": ("shoe", "schoen", "kled", "fashion", "mode", "bed", "lamp", "stoel", "sofa", "bank"),
    "low": (
        *("case", "hoes", "mat", "cadeau", "gift", "kaars", "candle", "schoonmaak", "clean"),
        *("grocer", "voeding", "food", "batter", "kabel", "cable", "papier", "paper", "accessoire"),
    ),
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
        if any(word in said for word in WORDS[level]):
            return level
    return ""
