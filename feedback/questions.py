"""Questions that are ready to use, in Dutch and English.

One question, one idea; no answer is the nicer one. The Dutch says "je", and "u" for a shop that
addresses its customers so.

Pure: standard library only, no Django, no clock, no I/O.
Sources: Reichheld 2003 (NPS); Dixon et al. 2010 (CES 2.0); the control question asks the
customers themselves whether personal content went too far.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question on one scale; `labels` are the words on the thumbs.

    `nl_formal` is the Dutch with "u", empty where nobody is addressed.
    """

    key: str
    scale: str
    nl: str
    en: str
    labels: str = ""
    nl_formal: str = ""

    def said(self, language: str, *, formal: bool = False) -> str:
        """Return the question in "nl" or "en"; formal Dutch says "u"."""
        if language == "en":
            return self.en
        return (self.nl_formal if formal else "") or self.nl


READY_MADE = (
    Question(
        "page",
        "thumb",
        "Heeft deze pagina je geholpen?",
        "Did this page help you?",
        nl_formal="Heeft deze pagina u geholpen?",
    ),
    Question(
        "email",
        "thumb",
        "Wat vond je van deze e-mail?",
        "What did you think of this e-mail?",
        labels="good",
        nl_formal="Wat vond u van deze e-mail?",
    ),
    Question(
        "content",
        "thumb",
        "Past wat je hier ziet bij jou?",
        "Does what you see here suit you?",
        nl_formal="Past wat u hier ziet bij u?",
    ),
    Question(
        "control",
        "thumb",
        "Ik heb genoeg controle over mijn gegevens",
        "I have enough control over my data",
        labels="agree",
    ),
    Question(
        "recommend",
        "nps",
        "Hoe waarschijnlijk is het dat je ons aanraadt aan een vriend of collega?",
        "How likely are you to recommend us to a friend or colleague?",
        nl_formal="Hoe waarschijnlijk is het dat u ons aanraadt aan een vriend of collega?",
    ),
    Question(
        "satisfied",
        "csat",
        "Hoe tevreden ben je over je bestelling?",
        "How satisfied are you with your order?",
        nl_formal="Hoe tevreden bent u over uw bestelling?",
    ),
    Question(
        "control_satisfied",
        "csat",
        "Hoe tevreden ben je over de controle die je hebt over je gegevens?",
        "How satisfied are you with the control you have over your data?",
        nl_formal="Hoe tevreden bent u over de controle die u hebt over uw gegevens?",
    ),
    Question(
        "easy",
        "ces",
        "Hoe makkelijk was het om te vinden wat je zocht?",
        "How easy was it to find what you were looking for?",
        nl_formal="Hoe makkelijk was het om te vinden wat u zocht?",
    ),
)

# The page about permission shows how many think so, whichever of the two was asked.
CONTROL = tuple(one for one in READY_MADE if one.key in {"control", "control_satisfied"})


def ready_made(text: str) -> Question | None:
    """Return the ready-made question with this text, in whichever form of address."""
    return next(
        (
            question
            for question in READY_MADE
            if text in (question.nl, question.en, question.nl_formal)
        ),
        None,
    )


def default_question(scale: str) -> Question:
    """Return the question a touchpoint on this scale asks if nobody wrote another."""
    return next(question for question in READY_MADE if question.scale == scale)
