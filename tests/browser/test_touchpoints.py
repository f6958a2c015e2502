"""A touchpoint in a real browser: made by somebody new, seen in every state, copied and pasted."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from feedback import places
from feedback.models import Exposure, Response, Touchpoint
from feedback.places import Place
from feedback.services import Answer, add_responses
from tests.browser.looks import FEW_LOOKS, choices

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

# Reads of the widget in a [data-state]: its words, without what cannot be seen.
WORDS = """state => {
  const place = document.querySelector(`[data-state=${state}]`);
  return place.firstElementChild.shadowRoot.querySelector(".card").innerText;
}"""


def make(scale: str = "thumb", **given) -> Touchpoint:
    facts = {"name": "Retourpagina", "origins": ["https://www.lindehuis.example"]}
    return places.create_touchpoint(scale=scale, place=Place(**facts | given), now=timezone.now())


def answered(touchpoint: Touchpoint, up: int, down: int, days_ago: int = 3) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    add_responses(
        Answer(
            key=f"{touchpoint.key} {days_ago} {number}",
            scale=touchpoint.scale,
            value=int(number < up),
            answered_at=at,
            touchpoint=touchpoint,
        )
        for number in range(up + down)
    )


def seen(touchpoint: Touchpoint, **counts: int) -> None:
    campaign = counts.pop("campaign", 0)
    for kind, n in counts.items():
        Exposure.objects.create(
            touchpoint=touchpoint, day=timezone.localdate(), kind=kind, campaign_id=campaign, n=n
        )


def open_touchpoint(watched, touchpoint: Touchpoint, language: str = "nl") -> None:
    watched.visit(f"/touchpoints/{touchpoint.key}/?lang={language}")
    watched.page.wait_for_selector("[data-gallery][data-drawn]")


def copied(page, button: str) -> list[str]:
    """Press a button and return what a paste then brings: the text, and the formatted text."""
    page.click(button)
    page.locator(f"{button} + [role=status]").get_by_text(
        re.compile("Gekopieerd|Copied")
    ).wait_for()
    page.evaluate(
        """document.addEventListener("paste", ({ clipboardData }) => {
          window.pasted = ["text/plain", "text/html"].map((type) => clipboardData.getData(type));
        }, { once: true })"""
    )
    page.keyboard.press("Control+V")
    return page.evaluate("window.pasted")


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_looks_right(open_page, session, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    page, shot = watched.page, f"{language}-{theme}-{width}"
    watched.visit("/touchpoints/")
    watched.check(f"touchpoints-empty-{shot}")

    busy = make(counts_exposures=True)
    answered(busy, up=61, down=23)
    answered(busy, up=30, down=25, days_ago=40)
    sending = places.name_campaign(name="Nieuwsbrief mei", now=timezone.now())[0]
    seen(busy, shown=412, answered=70)
    seen(busy, campaign=sending.pk, opened=40, confirmed=14)
    score = make("nps", name="E-mail na aankoop", origins=[], accent="#8f6400")
    seen(score, opened=3, confirmed=2)
    watched.visit("/touchpoints/")
    watched.check(f"touchpoints-{shot}")
    open_touchpoint(watched, busy, language)
    watched.check(f"touchpoint-thumb-{shot}")
    open_touchpoint(watched, score, language)
    for summary in page.query_selector_all("summary"):
        if summary.is_visible() and not summary.evaluate("one => one.closest('header')"):
            summary.click()
    watched.check(f"touchpoint-nps-{shot}")

    watched.visit("/touchpoints/new/")
    watched.check(f"touchpoint-new-{shot}")
    page.fill("#id_name", "Retourpagina")
    page.fill("#id_question_nl", "Was dit duidelijk?")
    page.click("main .ci-more-choices summary")
    page.fill("#id_accent", "#f2b705")
    page.fill("#id_origins", "www.lindehuis.example")
    page.click("main .btn-primary")
    watched.settle()
    watched.check(f"touchpoint-wrong-{shot}")
    watched.visit(f"/touchpoints/{busy.key}/edit/")
    watched.check(f"touchpoint-edit-{shot}")
    assert watched.problems == []


def test_somebody_new_makes_one_and_copies_its_snippets(open_page, session, live_server):
    watched = open_page(
        cookies=choices("nl", "light") | session,
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = watched.page
    watched.visit("/touchpoints/")
    page.click("main .btn-primary")
    page.wait_for_url("**/new/")
    page.select_option("#id_ready", "control")
    assert page.input_value("#id_scale") == "thumb"
    assert page.input_value("#id_question_nl") == "Ik heb genoeg controle over mijn gegevens"
    assert page.input_value("#id_labels") == "agree"
    assert page.locator("customer-feedback").get_by_text("Oneens").first.is_visible()
    page.fill("#id_question_nl", "Heb je genoeg controle over je gegevens?")
    assert page.locator("customer-feedback legend").inner_text().startswith("Heb je genoeg")
    page.fill("#id_name", "Controle in je account")
    page.fill("#id_origins", live_server.url)
    page.click("main .btn-primary")
    page.wait_for_url("**/touchpoints/thumb-*/")
    watched.settle()

    touchpoint = Touchpoint.objects.get()
    assert touchpoint.origins == [live_server.url]
    plain, _ = copied(page, "[data-copy='#snippet-page']")
    assert plain == page.locator("#snippet-page").inner_text()
    assert f'<customer-feedback touchpoint="{touchpoint.key}" lang="nl" labels="agree">' in plain

    page.fill("#newsletter #id_name", "Nieuwsbrief mei")
    page.click("#newsletter form .btn")
    page.wait_for_url("**c=*")
    plain, formatted = copied(page, "[data-rich]")
    assert formatted.count("&amp;c=") == formatted.count('style="display:inline-block') == 2
    assert plain == page.locator("#newsletter-text").inner_text()
    assert watched.problems == []


SAID = {
    "thumb": {
        "ask": ["Heeft deze pagina je geholpen?", "Ja", "Nee", "Anoniem."],
        "low": ["Genoteerd, dank je.", "Te persoonlijk", "Wat kan beter?"],
        "high": ["Genoteerd, dank je.", "Nuttig", "Wat vond je goed?"],
        "done": ["Genoteerd, dank je.", "Wijzig"],
        "sending": ["Versturen…"],
        "offline": ["Je bent offline.", "zodra er weer verbinding is"],
        "error": ["Dat lukte niet.", "Probeer opnieuw"],
        "other": ["Did this page help you?", "Yes", "No"],
    },
    "nps": {
        "ask": ["0 zeker niet", "zeker wel 10"],
        "low": ["4", "Wat kan beter?"],
        "high": ["10", "Wat vond je goed?"],
        "done": ["10", "Wijzig"],
        "sending": ["Versturen…"],
        "offline": ["Je bent offline."],
        "error": ["Dat lukte niet.", "Probeer opnieuw"],
        "other": ["0 certainly not"],
    },
}


@pytest.mark.parametrize("scale", SAID)
def test_the_preview_shows_every_state_and_sends_nothing(open_page, session, scale):
    touchpoint = make(scale, counts_exposures=True)
    watched = open_page(cookies=choices("nl", "light") | session)
    page = watched.page
    sent = []
    page.on("request", lambda request: sent.append((request.method, request.url)))
    open_touchpoint(watched, touchpoint)
    for state, words in SAID[scale].items():
        page.wait_for_function(
            f"([state, word]) => ({WORDS})(state).includes(word)", arg=[state, words[0]]
        )
        shown = page.evaluate(WORDS, state)
        assert [word for word in words if word not in shown] == [], (state, shown)

    live = page.locator("[data-widget] customer-feedback")
    live.locator("input").first.click()
    live.locator("textarea").fill("Dit is maar een proef")
    live.locator(".send").click()
    live.get_by_text("Wijzig").wait_for()
    assert [url for method, url in sent if method != "GET" or "/collect/" in url] == []
    assert (Response.objects.count(), Exposure.objects.count()) == (0, 0)
    assert watched.problems == []


def test_without_scripts_a_ready_made_question_is_enough(open_page, session):
    watched = open_page(cookies=choices("en", "light") | session, java_script_enabled=False)
    page = watched.page
    watched.page.goto(watched.base + "/touchpoints/new/")
    page.select_option("#id_ready", "email")
    page.fill("#id_name", "Newsletter")
    page.click("main .btn-primary")
    page.wait_for_url("**/touchpoints/thumb-*/")
    made = Touchpoint.objects.get()
    assert (made.question_en, made.labels) == ("What did you think of this e-mail?", "good")
    assert page.locator("[data-copy]:visible").count() == 0
    assert "v=1&amp;c=" not in page.locator("#newsletter-html").inner_text()
    assert watched.problems == []


def test_a_pasted_snippet_asks_and_its_answer_arrives(open_page, session, live_server, settings):
    settings.BASE_URL = live_server.url
    touchpoint = make(origins=[live_server.url])
    watched = open_page(cookies=choices("nl", "light") | session)
    page = watched.page
    open_touchpoint(watched, touchpoint)
    snippet = page.locator("#snippet-page").inner_text()
    page.route(
        f"{live_server.url}/shop",
        lambda route: route.fulfill(content_type="text/html", body=f"<html><body>{snippet}"),
    )
    page.goto(f"{live_server.url}/shop")
    page.locator("customer-feedback input[value='0']").click()
    with page.expect_response(lambda one: "reason" in (one.request.post_data or "")) as edited:
        page.locator("customer-feedback .reason[value=too_often]").click()
    assert edited.value.status == 201
    answer = Response.objects.get()
    assert (answer.touchpoint, answer.value, answer.reason) == (touchpoint, 0, "too_often")
    assert watched.problems == []
