"""Dutch for customers says "je", and "u" where the organisation chose so."""

import re
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from customers.models import AccessKind, RequestKind
from feedback.models import Reason, Response
from feedback.questions import READY_MADE
from feedback.snippets import (
    ENDS,
    FORMAL_SMALL_PRINT,
    LANGUAGES,
    SMALL_PRINT,
    THUMBS,
    Asked,
    newsletter_html,
    newsletter_text,
)
from insights import organisation
from insights.accounts import Role
from insights.touchpoint_forms import TouchpointForm
from tests.insights.test_import_views import signed_in
from tests.makers import a_touchpoint, make_touchpoint

ROOT = settings.BASE_DIR
# For one person; "jullie" is the shop, in the mouth of a customer.
INFORMAL = re.compile(r"\b(je|jij|jou|jouw|jezelf|jouwe)\b", re.IGNORECASE)
FORMAL = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)

# Where texts are that customers read: pages, letters, and the code that makes sentences of them.
TEMPLATES = ROOT / "templates"
PAGES = [
    *sorted((TEMPLATES / "feedback").rglob("*.*")),
    *sorted((TEMPLATES / "customers").rglob("*.*")),
    *sorted((TEMPLATES / "insights").glob("*own_page*.html")),
    *sorted((TEMPLATES / "insights").glob("*person_document.html")),
    TEMPLATES / "visitor.html",
    *sorted((TEMPLATES / "mailings").glob("*.*")),
]
CODE = [
    ROOT / "feedback/hosted.py",
    ROOT / "feedback/rated.py",
    ROOT / "feedback/public.py",
    ROOT / "mailings/compose.py",
    *sorted((ROOT / "customers").glob("public_*.py")),
    *sorted((ROOT / "customers").glob("own_*.py")),
    *sorted((ROOT / "insights").glob("own_page*.py")),
    # What was asked, and who looked: staff read the same words.
    ROOT / "customers/models/rights.py",
    ROOT / "insights/consent_words.py",
    ROOT / "insights/templatetags/person.py",
    *(ROOT / f"customers/{name}.py" for name in ("preference_rows", "lowering", "asking")),
]
CALLS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2)}


def public_texts() -> set[str]:
    """Return the messages that customers read, as they stand in the code."""
    sources = [
        *(templatize(page.read_text(), origin=str(page)) for page in PAGES),
        *(code.read_text() for code in CODE),
    ]
    found = set()
    for source in sources:
        for _line, texts, _notes, _context in extract(
            "python", BytesIO(source.encode()), keywords=CALLS
        ):
            found |= {texts} if isinstance(texts, str) else {text for text in texts if text}
    with translation.override("en"):
        # What was asked, and who looked: staff read the same words.
        return found | {str(one.label) for kind in (RequestKind, AccessKind) for one in kind}


def catalogue(name: str) -> dict[str, str]:
    path = ROOT / "locale" / name / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def said(text: str, language: str) -> str:
    with translation.override(language):
        return translation.gettext(text)


def choose(formal: bool | None) -> None:
    organisation.change_organisation(
        name="", accent="", formal=formal, sender_name="", sender_email=""
    )


# -- The words ------------------------------------------------------------------------------------


def test_the_walk_finds_the_texts():
    texts = public_texts()
    assert {"You need not sign in", "Choose an answer first.", "What did you like?"} <= texts
    assert len(texts) > 20


def test_every_text_for_customers_has_a_form_with_u_and_no_other_text_has_one():
    informal = {text for text in public_texts() if INFORMAL.search(said(text, "nl"))}
    assert with_u().keys() == informal


def test_what_django_would_say_otherwise_is_said_as_in_the_dutch_catalogue():
    """In a language that is more than its base, Django's own Dutch comes before ours."""
    dutch = catalogue("nl")
    others = catalogue("nl_Formal").keys() - with_u().keys()
    assert others == {"Continue", "Confirm", "Save", "Order"}
    assert others <= public_texts()
    assert {catalogue("nl_Formal")[text] == dutch[text] for text in others} == {True}


def with_u() -> dict[str, str]:
    """Return the formal texts that differ from those of the Dutch catalogue."""
    dutch = catalogue("nl")
    return {text: said for text, said in catalogue("nl_Formal").items() if said != dutch[text]}


def test_formal_texts_say_u_and_differ_in_nothing_else():
    dutch = catalogue("nl")
    for text, words in with_u().items():
        assert not INFORMAL.search(words), words
        assert FORMAL.search(words), words
        assert len(words.split()) == len(dutch[text].split()), words


def test_all_other_texts_are_those_of_the_dutch_catalogue():
    formal = catalogue("nl_Formal")
    for text in public_texts():
        assert said(text, "nl-formal") == formal.get(text, said(text, "nl"))
    with translation.override("nl"):
        reasons = [str(reason.label) for reason in Reason]
    with translation.override("nl-formal"):
        assert [str(reason.label) for reason in Reason] == reasons


def test_the_compiled_catalogue_is_that_of_the_texts():
    for text, words in catalogue("nl_Formal").items():
        assert said(text, "nl-formal") == words, (
            "run: .venv/bin/pybabel compile -D django -d locale"
        )


@pytest.mark.parametrize("question", READY_MADE, ids=lambda question: question.key)
def test_a_ready_made_question_says_u_where_it_says_je(question):
    assert bool(INFORMAL.search(question.nl)) == bool(question.nl_formal)
    formal = question.said("nl", formal=True)
    assert not INFORMAL.search(formal)
    assert formal == (question.nl_formal or question.nl)
    assert question.said("en", formal=True) == question.en
    assert 0 < len(formal) <= 200


def test_words_on_buttons_and_scales_address_nobody():
    words = str(THUMBS["nl"]) + str(ENDS["nl"])
    assert not INFORMAL.search(words)


def test_reasons_address_nobody():
    with translation.override("nl"):
        assert [r.label for r in Reason if INFORMAL.search(str(r.label))] == []


def test_the_small_print_of_a_newsletter_says_u():
    assert INFORMAL.search(SMALL_PRINT["nl"])
    assert not INFORMAL.search(FORMAL_SMALL_PRINT)
    touchpoint = a_touchpoint(scale="thumb")
    for write in (newsletter_html, newsletter_text):
        formal = write(Asked.at(touchpoint, "nl", "https://a.example", formal=True))
        assert FORMAL_SMALL_PRINT in formal
        assert "Heeft deze pagina u geholpen?" in formal
        english = Asked.at(touchpoint, "en", "https://a.example", formal=True)
        assert write(english) == write(Asked.at(touchpoint, "en", "https://a.example"))


# The widget has one file for everybody and no setting for this: its questions come with the
# snippet and can say "u", these few words cannot. The settings page says so.
SAID_BY_THE_WIDGET = {
    "Heeft deze pagina je geholpen?",
    "Hoe waarschijnlijk is het dat je ons aanraadt aan een vriend of collega?",
    "Hoe tevreden ben je over je bestelling?",
    "Hoe makkelijk was het om te vinden wat je zocht?",
    "Anoniem. We bewaren je antwoord, de tijd, de taal en waar het over gaat.",
    "Genoteerd, dank je.",
    "Je bent offline.",
    "Je antwoord gaat mee zodra er weer verbinding is.",
    "Na 24 uur kun je niet meer wijzigen.",
    "Wat vond je goed? (niet verplicht)",
}


def test_what_the_widget_itself_says_is_known():
    script = Path(ROOT / "static/widget/widget.js").read_text()
    texts = {part for text in re.findall(r'"([^"\n]*)"', script) for part in text.split("|")}
    assert {text for text in texts if INFORMAL.search(text)} == SAID_BY_THE_WIDGET


# -- On pages -------------------------------------------------------------------------------------


def words_of(response) -> str:
    body = re.sub(r"<(title|head).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def visit(formal: bool | None, language: str = "nl") -> tuple[list, str]:
    """Open the question, answer, comment, and change one's mind; return pages and their words."""
    choose(formal)
    address = reverse("hosted", args=[make_touchpoint(scale="thumb", thanks_nl="").key])
    client, press = Client(), {"key": str(uuid4()), "v": "1", "lang": language}
    pages = [
        client.get(address, {"lang": language, "v": "1"}),
        client.post(address, press),
        client.post(address, press | {"comment": "Goed."}),
        client.post(address, press | {"change": "1"}),
        client.post(address, press | {"v": ""}),
        client.get(f"/v/nope/?lang={language}"),
    ]
    return pages, " ".join(map(words_of, pages))


@pytest.mark.django_db
def test_a_formal_organisation_says_u_on_every_page_for_customers():
    pages, words = visit(formal=True)
    assert not INFORMAL.search(words), words
    for text in ("Heeft deze pagina u geholpen?", "Genoteerd, dank u.", "U hoeft niets te doen."):
        assert text in words
    for page in pages:
        assert '<html lang="nl">' in page.content.decode()
        assert page.headers["Content-Language"] == "nl"
    # The form carries the language of the link on, and that is what is stored.
    assert 'name="lang" value="nl"' in pages[0].content.decode()
    assert 'hreflang="en"' in pages[0].content.decode()
    assert Response.objects.get().language == "nl"


@pytest.mark.django_db
@pytest.mark.parametrize("formal", [False, None])
def test_every_other_organisation_says_je(formal):
    pages, words = visit(formal)
    assert INFORMAL.search(words)
    assert not FORMAL.search(words), words
    assert all('<html lang="nl">' in page.content.decode() for page in pages)


@pytest.mark.django_db
def test_english_is_the_same_for_both():
    (formal, _), (informal, _) = visit(True, "en"), visit(False, "en")
    for one, other in zip(formal[:1], informal[:1], strict=True):
        assert words_of(one) == words_of(other)
        assert '<html lang="en">' in one.content.decode()


@pytest.mark.django_db
def test_a_question_that_somebody_wrote_stays_as_it_is(client):
    choose(formal=True)
    own = make_touchpoint(question_nl="Vond je het wat?", question_en="Well?")
    assert "Vond je het wat?" in client.get(reverse("hosted", args=[own.key])).content.decode()


@pytest.mark.django_db
def test_a_colleague_is_addressed_as_before():
    choose(formal=True)
    client = signed_in(Role.ADMINISTRATOR)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "nl"
    assert '<html lang="nl"' in client.get("/").content.decode()


@pytest.mark.django_db
def test_ready_made_questions_are_offered_and_stored_with_u():
    choose(formal=True)
    client = signed_in(Role.MARKETER)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "nl"
    page = client.get(reverse("new_touchpoint"))
    assert "Wat vond u van deze e-mail?" in page.content.decode()
    assert page.context["preview"]["usual"]["thumb"]["nl"] == "Heeft deze pagina u geholpen?"
    assert page.context["preview"]["ready"]["email"]["nl"] == "Wat vond u van deze e-mail?"
    form = TouchpointForm({"name": "Mail", "ready": "email"}, formal=True)
    assert form.is_valid()
    assert form.place.question_nl == "Wat vond u van deze e-mail?"


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_touchpoint_shows_and_copies_what_customers_get(language):
    choose(formal=True)
    touchpoint = make_touchpoint(scale="ces")
    page = signed_in(Role.MARKETER).get(
        reverse("touchpoint", args=[touchpoint.key]), {"lang": language}
    )
    question = {"nl": "te vinden wat u zocht?", "en": "find what you were looking for?"}[language]
    assert page.context["preview"]["texts"][language]["question"].endswith(question)
    snippets = page.context["snippets"]
    assert question in snippets["page"]
    assert question in snippets["html"]
    assert (snippets["small"] == FORMAL_SMALL_PRINT) is (language == "nl")


def test_a_ready_made_question_follows_the_organisation_and_a_written_one_stays():
    taken = a_touchpoint(scale="nps", question_nl=READY_MADE[4].nl)
    once_formal = a_touchpoint(scale="nps", question_nl=READY_MADE[4].nl_formal)
    own = a_touchpoint(scale="nps", question_nl="Hoe vind je ons?")
    for touchpoint in (taken, once_formal):
        assert touchpoint.question("nl", formal=True) == READY_MADE[4].nl_formal
        assert touchpoint.question("nl") == READY_MADE[4].nl
    assert own.question("nl", formal=True) == own.question("nl") == "Hoe vind je ons?"
