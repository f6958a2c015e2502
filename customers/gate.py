"""The gate before a consent text is published: it refuses dark patterns, and says which and why.

A text passes if somebody could say yes to it knowingly and no to it without a second thought. The
word lists are short on purpose; they stop the usual tricks, and a person approves each text too.

Pure: standard library only, no Django, no clock, no I/O.
Sources: EDPB Guidelines 03/2022 on deceptive design patterns; EDPB 05/2020; GDPR art. 7.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

LANGUAGES = ("nl", "en")

# A sentence somebody would say: longer ones are not read before the box is ticked.
LONGEST_LABEL = 14  # words
# More than these on one screen, and people tick all or none.
MOST_PURPOSES = 3

YES = {"nl": ("ja",), "en": ("yes",)}

# A label that says no makes an empty box a yes.
NEGATIONS = {
    "nl": ("niet", "geen", "nooit", "nergens", "zonder", "behalve", "tenzij"),
    "en": ("not", "no", "never", "without", "except", "unless", "don't", "won't", "can't"),
}

# Guilt, urgency and loss: they push, and a pushed yes is none.
PRESSURE = {
    "nl": (
        "mis niets", "mis niet", "misloop", "misloopt", "laatste kans", "nog maar", "op is op",
        "alleen vandaag", "snel", "jammer", "spijt", "weet je zeker", "weet u zeker",
        "ik hou niet van", "ik wil geen korting", "liever duurder",
    ),
    "en": (
        "miss out", "don't miss", "last chance", "hurry", "only today", "today only", "sorry",
        "regret", "are you sure", "i don't like", "i hate saving", "rather pay more",
    ),
}  # fmt: skip

# What a text of one kind must leave to a tick of its own.
OTHER_PURPOSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "profiling": {
        "nl": (
            "afstemmen",
            "afgestemd",
            "persoonlijk",
            "persoonlijke",
            "op maat",
            "profiel",
            "bekijk",
        ),
        "en": ("tailor", "tailored", "personal", "personalised", "profile", "what i look at"),
    },
    "sharing": {
        "nl": ("partners", "derden", "adverteerders", "delen met", "gedeeld met"),
        "en": ("partners", "third parties", "advertisers", "share with", "shared with"),
    },
    "survey": {
        "nl": ("mening", "enquête", "vragenlijst"),
        "en": ("opinion", "survey", "questionnaire"),
    },
}

# Without one of these a text says nothing of a purpose of this kind. Marketing goes by many names.
OWN_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **OTHER_PURPOSES,
    "tracking": {
        "nl": ("volgen", "volgt", "bijhouden", "bijhoudt", "opent", "klik", "klikt"),
        "en": ("track", "tracks", "tracking", "follow", "open", "opens", "click", "clicks"),
    },
}

# Every code a Fault can carry, with the sentence it stands for: the value, the rule, the way out.
FAULTS = {
    "unknown_language": "There is no gate for texts in %(language)s. Publish them in Dutch and "
    "English.",
    "missing_language": "There is no text in %(language)s. Every text is published in both "
    "languages, so that nobody agrees to what they cannot read.",
    "empty": "The %(field)s is empty in %(language)s. Fill it in: it is read before the tick.",
    "too_long": "“%(text)s” has %(words)d words. At most %(most)d are read before ticking: say who "
    "sends what, by which channel, and move the rest to the line below.",
    "no_yes": "“%(text)s” does not begin with %(yes)s. Begin with it: a tick then says what it "
    "means.",
    "no_sender": "Neither “%(text)s” nor the line below it names %(sender)s. Name who asks.",
    "negation": "“%(text)s” says “%(word)s”. A box that says no gets ticked by mistake: say what "
    "happens instead.",
    "pressure": "“%(word)s” pushes (%(field)s). A permission given under pressure is none: leave "
    "it out.",
    "bundled": "“%(word)s” belongs to another purpose. One tick, one purpose: ask for it with a "
    "tick of its own, one step later.",
    "silent": "“%(text)s” says nothing of what this purpose does (%(kind)s). A text counts for "
    "what it says: name the purpose that it asks for.",
    "no_frequency": "Neither “%(text)s” nor the line below it says how often. Name the "
    "%(promised)d messages that are promised: that is what is kept.",
    "pre_ticked": "The box is ticked beforehand. A permission is an act: leave it empty.",
    "required": "The box is required. Nobody may have to agree to go on: let both go on.",
    "hidden": "The box is hidden. Nobody agrees to what they do not see: show it.",
    "unequal": "The buttons are not equal (%(yes)s and %(no)s). Yes and no have the same size, "
    "colour and place.",
    "too_many": "%(purposes)d purposes on one screen. At most %(most)d: ask for the others later.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What stands in the way of publishing: a key of FAULTS and the values of its sentence."""

    code: str
    values: tuple[tuple[str, str | int], ...] = ()

    @property
    def sentence(self) -> str:
        return FAULTS[self.code] % dict(self.values)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that somebody wants to publish, in one language."""

    language: str
    label: str
    helper: str
    way_out: str
    refuse: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the texts are for: the kind of the purpose, who asks, and how many messages at most."""

    kind: str
    sender: str
    promised: int | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """How a form shows its ticks."""

    purposes: int
    ticked: bool = False
    required: bool = False
    hidden: bool = False
    yes_style: str = ""
    no_style: str = ""


def faults_of_texts(plan: Plan, drafts: Sequence[Draft]) -> list[Fault]:
    """Return all that is wrong with texts to be published together; none means they may be."""
    missing = [
        _fault("missing_language", language=language)
        for language in LANGUAGES
        if language not in {draft.language for draft in drafts}
    ]
    unknown = [
        _fault("unknown_language", language=draft.language)
        for draft in drafts
        if draft.language not in LANGUAGES
    ]
    known = [draft for draft in drafts if draft.language in LANGUAGES]
    return [*missing, *unknown, *(fault for draft in known for fault in _of_draft(plan, draft))]


def faults_of_imported(kind: str, text: str) -> list[Fault]:
    """Return what keeps a text that was shown elsewhere from being a yes to a kind of purpose.

    Its length and its tone are history. But a text that says no, pushes, asks for another purpose
    too, or does not speak of this one, is no yes to it. Its language is not known, so the words of
    both languages are looked for.
    """
    faults: list[Fault] = []
    others = [words for other, words in OTHER_PURPOSES.items() if other != kind]
    for language in LANGUAGES:
        bundled = _found(text, [word for words in others for word in words[language]])
        faults += (_fault("bundled", word=word) for word in bundled)
        negated = _found(text, NEGATIONS[language])
        faults += (_fault("negation", text=text, word=word) for word in negated)
        pushing = _found(text, PRESSURE[language])
        faults += (_fault("pressure", word=word, field="label") for word in pushing)
    own = [word for words in OWN_WORDS.get(kind, {}).values() for word in words]
    if own and not _found(text, own):
        faults.append(_fault("silent", text=text, kind=kind))
    return faults


def faults_of_screen(screen: Screen) -> list[Fault]:
    """Return all that is wrong with how a form asks."""
    checks = (
        (_fault("pre_ticked"), screen.ticked),
        (_fault("required"), screen.required),
        (_fault("hidden"), screen.hidden),
        (
            _fault("unequal", yes=screen.yes_style, no=screen.no_style),
            screen.yes_style != screen.no_style,
        ),
        (
            _fault("too_many", purposes=screen.purposes, most=MOST_PURPOSES),
            screen.purposes > MOST_PURPOSES,
        ),
    )
    return [fault for fault, stands in checks if stands]


def _of_draft(plan: Plan, draft: Draft) -> Iterator[Fault]:
    texts = {"label": draft.label, "helper": draft.helper, "way_out": draft.way_out}
    for name, text in {**texts, "sender": plan.sender}.items():
        if not text.strip():
            yield _fault("empty", field=name, language=draft.language)
    if draft.label.strip():
        yield from _of_label(draft)
    first_layer = f"{draft.label} {draft.helper}"
    if plan.promised and str(plan.promised) not in _words(first_layer):
        yield _fault("no_frequency", text=draft.label, promised=plan.promised)
    others = (found for kind, found in OTHER_PURPOSES.items() if kind != plan.kind)
    for word in _found(first_layer, [word for found in others for word in found[draft.language]]):
        yield _fault("bundled", word=word)
    # A question about personal content comes one step after the one that named who asks.
    if plan.kind != "profiling" and plan.sender.lower() not in first_layer.lower():
        yield _fault("no_sender", text=draft.label, sender=plan.sender)
    for name, text in {**texts, "refuse": draft.refuse}.items():
        for word in _found(text, PRESSURE[draft.language]):
            yield _fault("pressure", word=word, field=name)


def _of_label(draft: Draft) -> Iterator[Fault]:
    words, yes = _words(draft.label), YES[draft.language]
    if len(words) > LONGEST_LABEL:
        yield _fault("too_long", text=draft.label, words=len(words), most=LONGEST_LABEL)
    if words[:1] and words[0] not in yes:
        yield _fault("no_yes", text=draft.label, yes=f"“{yes[0].capitalize()}”")
    for word in _found(draft.label, NEGATIONS[draft.language]):
        yield _fault("negation", text=draft.label, word=word)


def _found(text: str, phrases: Iterable[str]) -> list[str]:
    """Return which phrases occur in a text as whole words, whatever stands between them."""
    plain = " ".join(["", *_words(text), ""])
    return [phrase for phrase in phrases if f" {phrase} " in plain]


def _words(text: str) -> list[str]:
    return re.findall(r"[\w’']+", text.lower().replace("’", "'"))


def _fault(code: str, **values: str | int) -> Fault:
    return Fault(code, tuple(sorted(values.items())))
