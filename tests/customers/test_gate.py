"""The gate before publishing: what passes, and each trick it refuses, in both languages."""

from dataclasses import replace

import pytest

from customers.gate import (
    FAULTS,
    LANGUAGES,
    Draft,
    Plan,
    Screen,
    faults_of_imported,
    faults_of_screen,
    faults_of_texts,
)

PLAN = Plan("marketing", "Lindehuis", promised=2)
DUTCH = Draft(
    "nl",
    label="Ja, Lindehuis mag mij tips en aanbiedingen mailen.",
    helper="Hooguit 2 keer per maand. Stoppen kan altijd.",
    way_out="Onder elke mail staat Afmelden.",
    refuse="Nee",
)
ENGLISH = Draft(
    "en",
    label="Yes, Lindehuis may mail me tips and offers.",
    helper="At most 2 times a month. You can stop at any time.",
    way_out="Every mail has a link to stop.",
    refuse="No",
)
BOTH = [DUTCH, ENGLISH]


IMPORTED = {
    "marketing": "I would like to receive your newsletter, at most once every week of the year.",
    "profiling": "Stem de tips af op wat ik koop en bekijk.",
    "survey": "Vraag mij naar mijn mening.",
    "sharing": "Geef mijn adres aan partners.",
    "tracking": "You may see whether I open the mail.",
}


def codes(plan: Plan = PLAN, dutch: Draft = DUTCH, english: Draft = ENGLISH) -> list[str]:
    return [fault.code for fault in faults_of_texts(plan, [dutch, english])]


def test_an_honest_text_passes():
    assert faults_of_texts(PLAN, BOTH) == []


@pytest.mark.parametrize(
    "label",
    ["Ja, kies tips die passen bij wat ik koop.", "Ja, stem ze af op wat ik koop en bekijk."],
)
def test_personal_content_is_asked_one_step_later_and_on_its_own(label):
    plan = Plan("profiling", "Lindehuis")
    english = replace(ENGLISH, label="Yes, pick tips that fit what I buy.")
    assert codes(plan, replace(DUTCH, label=label), english) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_are_published_together(language):
    kept = [draft for draft in BOTH if draft.language != language]
    (fault,) = faults_of_texts(PLAN, kept)
    assert (fault.code, dict(fault.values)) == ("missing_language", {"language": language})


def test_a_third_language_has_no_gate_and_is_not_published():
    german = replace(DUTCH, language="de")
    (fault,) = faults_of_texts(PLAN, [*BOTH, german])
    assert fault.code == "unknown_language"


def test_nobody_asks_without_a_name():
    faults = faults_of_texts(replace(PLAN, sender=" "), BOTH)
    assert {fault.code for fault in faults} == {"empty"}


REFUSED = [
    ("empty", {"way_out": " "}, {"way_out": ""}),
    (
        "too_long",
        {"label": f"Ja, Lindehuis mag mij tips mailen over {'koken en ' * 5}slapen."},
        {"label": f"Yes, Lindehuis may mail me tips about {'food and ' * 5}sleep."},
    ),
    (
        "no_yes",
        {"label": "Lindehuis mag mij tips en aanbiedingen mailen."},
        {"label": "Lindehuis may mail me tips and offers."},
    ),
    (
        "no_sender",
        {"label": "Ja, mail mij tips en aanbiedingen."},
        {"label": "Yes, mail me tips and offers."},
    ),
    (
        "negation",
        {"label": "Ja, Lindehuis mag mij niet vergeten."},
        {"label": "Yes, Lindehuis may not forget me."},
    ),
    (
        "negation",
        {"label": "Ja, Lindehuis mag mij altijd mailen, tenzij ik bel."},
        {"label": "Yes, I don’t want Lindehuis to stop."},
    ),
    (
        "pressure",
        {"helper": "Hooguit 2 keer per maand. Mis niets!"},
        {"helper": "At most 2 times a month. Don't miss out!"},
    ),
    ("pressure", {"refuse": "Nee, ik wil geen korting"}, {"refuse": "No, I’d rather pay more"}),
    (
        "bundled",
        {"label": "Ja, Lindehuis mag mij persoonlijke aanbiedingen mailen."},
        {"label": "Yes, Lindehuis may mail me personalised offers."},
    ),
    (
        "bundled",
        {"label": "Ja, Lindehuis en partners mogen mij mailen."},
        {"label": "Yes, Lindehuis and partners may mail me."},
    ),
    (
        "bundled",
        {"helper": "Hooguit 2 keer per maand. Wij delen ook met partners. Delen met: partners."},
        {"helper": "At most 2 times a month. We also share with partners."},
    ),
    (
        "no_frequency",
        {"helper": "Af en toe. Stoppen kan altijd."},
        {"helper": "Now and then. You can stop at any time."},
    ),
]


@pytest.mark.parametrize(("code", "dutch", "english"), REFUSED)
def test_each_trick_is_refused_in_both_languages(code, dutch, english):
    assert set(codes(dutch=replace(DUTCH, **dutch))) == {code}
    assert set(codes(english=replace(ENGLISH, **english))) == {code}


def test_a_word_is_found_as_a_word_only():
    """Genieten has no "niet" in it, and a notebook is no "not"."""
    assert codes(dutch=replace(DUTCH, label="Ja, Lindehuis laat mij genieten van tips.")) == []
    english = replace(ENGLISH, label="Yes, Lindehuis may mail me notebook tips.")
    assert codes(english=english) == []


def test_a_fault_names_the_value_the_rule_and_the_way_out():
    (fault,) = faults_of_texts(PLAN, [replace(DUTCH, refuse="Nee, jammer"), ENGLISH])
    assert fault.sentence == (
        "“jammer” pushes (refuse). A permission given under pressure is none: leave it out."
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ticked": True}, "pre_ticked"),
        ({"required": True}, "required"),
        ({"hidden": True}, "hidden"),
        ({"yes_style": "btn-primary", "no_style": "btn-quiet"}, "unequal"),
        ({"purposes": 4}, "too_many"),
    ],
)
def test_a_form_that_pushes_is_refused(changes, code):
    assert faults_of_screen(Screen(purposes=3)) == []
    (fault,) = faults_of_screen(replace(Screen(purposes=3), **changes))
    assert fault.code == code
    assert "%" not in fault.sentence


def test_every_fault_has_its_case():
    told = {code for code, *_ in REFUSED} | {"missing_language", "unknown_language"}
    told |= {"pre_ticked", "required", "hidden", "unequal", "too_many", "silent"}
    assert told == {*FAULTS}


# -- Texts that others once asked -----------------------------------------------------------------


@pytest.mark.parametrize("kind", IMPORTED)
def test_a_text_from_elsewhere_counts_for_what_it_names_and_for_nothing_else(kind):
    for about, text in IMPORTED.items():
        found = [fault.code for fault in faults_of_imported(kind, text)]
        assert (found == []) is (about == kind or (about == "tracking" and kind == "marketing"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Tick if you do not want our mails.", "negation"),
        ("Vink aan als je geen mail wilt.", "negation"),
        ("Mail mij de tips. Alleen vandaag met korting!", "pressure"),
        ("Mail me offers and ask my opinion.", "bundled"),
    ],
)
def test_a_text_from_elsewhere_is_no_trick(text, code):
    assert [fault.code for fault in faults_of_imported("marketing", text)] == [code]
