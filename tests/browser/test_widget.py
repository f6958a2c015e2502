"""The widget in a real browser, in somebody else's pages, before the real collector."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.conf import settings

from feedback.models import Exposure, Response, Touchpoint
from feedback.places import Place, create_touchpoint
from tests.browser.conftest import AXE, RULES, SHOTS, WATCH
from tests.browser.hosts import Site, site

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SCRIPT = (settings.BASE_DIR / "static/widget/widget.js").read_bytes()
INTEGRITY = "sha256-" + base64.b64encode(hashlib.sha256(SCRIPT).digest()).decode()
LINK = "Was dit duidelijk?"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(23, 30, 41)"
FREEZE = """for (const one of [Object, Array, Function, String, Promise, Element, HTMLElement, Node,
  EventTarget, Event, Document]) Object.freeze(one.prototype);
window.before = Object.getOwnPropertyNames(window);"""
KEPT = """async () => [document.cookie, localStorage.length, sessionStorage.length,
  (await indexedDB.databases()).length, (await caches.keys()).length]"""


@dataclass
class Host:
    """A page of the other site, and what was seen while it was open."""

    page: object
    site: Site
    server: str
    sent: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def script(self, more: str = "") -> str:
        return f'<script src="{self.server}/widget.js" defer {more}></script>'

    def open(self, *widgets: str, head: str | None = None, **given) -> None:
        head = self.script() if head is None else head
        self.page.goto(self.site.put("/page", "<p>Tekst</p>".join(widgets), head=head, **given))

    def widget(self, touchpoint: Touchpoint):
        return self.page.locator(f"customer-feedback[touchpoint={touchpoint.key}]")

    def answer(self, touchpoint: Touchpoint, value: int) -> None:
        self.widget(touchpoint).locator(f"input[value='{value}']").click()

    def says(self, touchpoint: Touchpoint, words: str) -> None:
        self.widget(touchpoint).get_by_role("status").get_by_text(words).wait_for()

    def press(self, touchpoint: Touchpoint, name: str) -> None:
        self.widget(touchpoint).get_by_role("button", name=name, exact=True).click()

    def background(self, touchpoint: Touchpoint) -> str:
        card = self.widget(touchpoint).locator(".card")
        return card.evaluate("card => getComputedStyle(card).backgroundColor")

    def faults(self) -> list[str]:
        self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [f"{one['id']} {one['nodes'][0]['target']}" for one in found["violations"]]


@pytest.fixture
def other() -> Iterator[Site]:
    with site() as other:
        yield other


@pytest.fixture
def host(browser, live_server, other) -> Iterator[Callable[..., Host]]:
    contexts = []

    def open_it(**given) -> Host:
        context = browser.new_context(**given)
        contexts.append(context)
        context.add_init_script(WATCH)
        host = Host(context.new_page(), other, live_server.url)
        page = host.page
        page.on("request", lambda request: _note_request(host, request))
        page.on("console", lambda message: _note_message(host, message))
        page.on("pageerror", lambda error: host.problems.append(str(error)))
        return host

    yield open_it
    for context in contexts:
        context.close()


def _note_request(host: Host, request) -> None:
    if "/collect/" in request.url:
        host.sent.append(request.url.removeprefix(host.server))


def _note_message(host: Host, message) -> None:
    if message.text.startswith("customer-feedback: "):
        host.warnings.append(message.text)
    elif message.type in {"error", "warning"}:
        host.problems.append(message.text)


@pytest.fixture
def ask(other) -> Callable[..., Touchpoint]:
    """Return a function that makes a touchpoint for the other site."""

    def make(scale: str, **given) -> Touchpoint:
        name = f"{scale} {Touchpoint.objects.count()}"
        place = Place(name=name, **({"origins": [other.url]} | given))
        return create_touchpoint(scale=scale, place=place, now=NOW)

    return make


def element(touchpoint: Touchpoint, more: str = "", link: str = LINK) -> str:
    inside = f'<a href="/v/{touchpoint.key}/">{link}</a>' if link else ""
    return f'<customer-feedback touchpoint="{touchpoint.key}" {more}>{inside}</customer-feedback>'


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_strict_page_with_frozen_prototypes_sends_one_request_and_only_after_the_answer(
    host, ask, other, live_server
):
    touchpoint = ask("thumb")
    page = host()
    other.file("/freeze.js", FREEZE, "text/javascript")
    page.open(
        element(touchpoint),
        head='<script src="/freeze.js"></script>'
        + page.script(f'integrity="{INTEGRITY}" crossorigin="anonymous"'),
        headers={
            "Content-Security-Policy": f"default-src 'none'; script-src 'self' {live_server.url}; "
            f"connect-src {live_server.url}; require-trusted-types-for 'script'"
        },
    )
    page.widget(touchpoint).get_by_role("radio").first.wait_for()
    # What a browser would say of a visitor who looks and leaves.
    assert page.sent == []
    assert page.page.evaluate(KEPT) == ["", 0, 0, 0, 0]
    added = "Object.getOwnPropertyNames(window).filter((name) => !before.includes(name))"
    # Ours, and the list that this test keeps.
    assert sorted(page.page.evaluate(added)) == ["CustomerFeedback", "before"]

    page.answer(touchpoint, 1)
    page.says(touchpoint, "Genoteerd, dank je.")

    assert page.sent == [f"/collect/{touchpoint.key}/"]
    assert page.page.evaluate(KEPT) == ["", 0, 0, 0, 0]
    assert page.page.context.cookies() == []
    assert page.page.evaluate("violations") == []
    assert page.problems == page.warnings == []
    response = Response.objects.get()
    assert (response.value, response.language, response.channel) == (1, "nl", "web")


WORDS = {
    "nl": ("Genoteerd, dank je.", "Wat vond je goed?", "Wat kan beter?", "Verstuur", "Wijzig"),
    "en": ("Noted, thank you.", "What did you like?", "What could be better?", "Send", "Change"),
}
REASONS = {
    "nl": {"useful": "Nuttig", "too_often": "Te vaak"},
    "en": {"useful": "Useful", "too_often": "Too often"},
}


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_every_scale_stores_the_answer_the_reason_the_comment_and_the_change(host, ask, lang):
    thanks, liked, better, send, change = WORDS[lang]
    asked = {
        # happy, unhappy
        ask("thumb"): (1, 0),
        ask("nps"): (9, 8),
        ask("csat"): (4, 3),
        ask("ces", thanks_nl="Fijn dat je het zegt.", thanks_en="Good of you."): (5, 4),
    }
    page = host()
    page.open(*(element(one, link="") for one in asked), lang=f"{lang}-BE")
    for touchpoint, (happy, unhappy) in asked.items():
        widget = page.widget(touchpoint)
        own = touchpoint.thanks(lang)
        page.answer(touchpoint, unhappy)
        page.says(touchpoint, own or thanks)
        page.press(touchpoint, REASONS[lang]["too_often"])
        assert widget.locator("[aria-pressed=true]").inner_text() == REASONS[lang]["too_often"]
        widget.get_by_role("textbox", name=better).fill("Te druk")
        page.press(touchpoint, send)
        widget.get_by_role("textbox").wait_for(state="detached")
        response = Response.objects.get(touchpoint=touchpoint)
        assert (response.value, response.reason, response.comment) == (
            unhappy,
            "too_often",
            "Te druk",
        )

        page.press(touchpoint, change)
        assert widget.locator(":checked").input_value() == str(unhappy)
        page.answer(touchpoint, happy)
        widget.get_by_role("group", name=liked).wait_for()
        page.press(touchpoint, REASONS[lang]["useful"])
        until(lambda one=touchpoint: Response.objects.get(touchpoint=one).reason == "useful")
        page.press(touchpoint, REASONS[lang]["useful"])
        until(lambda one=touchpoint: Response.objects.get(touchpoint=one).reason == "")
        response.refresh_from_db()
        assert (response.value, response.comment) == (happy, "Te druk")
    assert Response.objects.count() == len(asked)
    assert page.problems == page.warnings == []


def test_with_the_keyboard_arrows_choose_and_only_the_button_or_enter_answers(host, ask):
    nps, thumb = ask("nps"), ask("thumb")
    page = host()
    page.open(element(nps), element(thumb))
    keys = page.page.keyboard
    keys.press("Tab")
    for key in ["Space", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"]:
        keys.press(key)
    assert page.widget(nps).locator(":checked").input_value() == "2"
    time.sleep(0.3)
    assert page.sent == []

    keys.press("Tab")
    keys.press("Enter")
    page.says(nps, "Genoteerd")
    assert Response.objects.get(touchpoint=nps).value == 2
    focused = "document.activeElement.shadowRoot.activeElement.textContent"
    assert page.page.evaluate(focused) == "Past niet bij mij"

    page.widget(thumb).get_by_role("radio").first.focus()
    for key in ["Space", "ArrowDown", "Enter"]:
        keys.press(key)
    page.says(thumb, "Genoteerd")
    assert Response.objects.get(touchpoint=thumb).value == 0
    page.press(thumb, "Wijzig")
    assert page.page.evaluate("document.activeElement.shadowRoot.activeElement.value") == "0"


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 320, "height": 900}, "color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 900}, "forced_colors": "active"},
    ],
    ids=["wide", "narrow-dark", "narrow-forced"],
)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_every_look_is_accessible_and_fits(host, ask, look, direction):
    asked = [ask("thumb"), ask("nps"), ask("csat"), ask("ces")]
    page = host(**look)
    page.open(*(element(one) for one in asked), lang="en")
    page.page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    radios = page.page.get_by_role("radio")
    radios.first.wait_for()
    if "forced_colors" not in look:
        assert page.background(asked[0]) == (DARK if "color_scheme" in look else LIGHT)
    sizes = radios.evaluate_all("all => all.map((one) => [one.offsetWidth, one.offsetHeight])")
    assert min(width for width, _ in sizes) >= 24
    assert min(height for _, height in sizes) >= 44
    name = (
        f"widget-{direction}-{'-'.join(str(one) for one in look.values() if isinstance(one, str))}"
    )
    states = [lambda: None, lambda: [page.answer(one, 1) for one in asked]]
    for number, act in enumerate(states):
        act()
        page.page.wait_for_timeout(300)
        assert page.faults() == []
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.page.evaluate(wide)
        SHOTS.mkdir(exist_ok=True)
        width = look["viewport"]["width"]
        page.page.screenshot(path=SHOTS / f"{name}-{width}-{number}.png", full_page=True)
    assert page.problems == []


def test_names_for_screen_readers(host, ask):
    thumb, ces = ask("thumb"), ask("ces")
    page = host()
    page.open(element(thumb, 'labels="good"'), element(ces, 'question="Hoe ging het?"'))
    group = page.widget(thumb).get_by_role("group", name=LINK)
    assert group.get_by_role("radio", name="Niet goed").count() == 1
    ends = page.widget(ces).get_by_role("group", name="Hoe ging het?").get_by_role("radio")
    assert ends.first.get_attribute("aria-label") == "1 heel moeilijk"
    assert page.widget(ces).get_by_role("status").inner_text() == ""


@pytest.mark.parametrize("labels", ["yes", "send", "constructor"])
def test_labels_nobody_knows_are_as_good_as_none(host, ask, labels):
    thumb, nps = ask("thumb"), ask("nps")
    page = host()
    page.open(element(thumb, f'labels="{labels}"'), element(nps, 'labels="good"'))
    names = (
        page.widget(thumb).get_by_role("radio").evaluate_all("all => all.map((a) => a.ariaLabel)")
    )
    assert names == ["Ja", "Nee"]
    assert page.widget(nps).get_by_role("radio", name="0 zeker niet").count() == 1
    assert page.problems == []


def test_the_small_line_is_the_same_whoever_is_signed_in(host, ask):
    anonymous, known = ask("thumb"), ask("nps")
    page = host()
    page.open(element(anonymous), element(known, 'subject="SzEyMw.1795523100.8c1f"'))
    lines = page.page.locator("customer-feedback small").all_inner_texts()
    assert lines == ["Anoniem. We bewaren je antwoord, de tijd, de taal en waar het over gaat."] * 2


def test_an_answer_given_offline_is_stored_once_when_the_connection_is_back(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.open(element(touchpoint))
    page.page.context.set_offline(True)
    page.answer(touchpoint, 0)
    page.says(touchpoint, "Je bent offline.")
    page.says(touchpoint, "gaat mee zodra er weer verbinding is.")
    assert page.page.get_by_text("dank").count() == 0
    assert page.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.page.context.set_offline(False)
    page.says(touchpoint, "Genoteerd")
    assert Response.objects.get().value == 0


def test_a_server_that_is_away_is_tried_again_with_the_same_key(host, ask):
    touchpoint = ask("thumb")
    page = host()
    bodies = []

    def away(route) -> None:
        bodies.append(route.request.post_data)
        # The first one was stored, but the answer got lost: the worst case.
        if len(bodies) == 1:
            route.fetch()
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"}, body="")
        else:
            route.continue_()

    page.page.route("**/collect/**", away)
    page.open(element(touchpoint))
    page.answer(touchpoint, 1)
    page.says(touchpoint, "Versturen…")
    assert page.page.get_by_text("dank").count() == 0
    page.says(touchpoint, "Genoteerd")
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert Response.objects.count() == 1


def test_a_network_that_fails_is_tried_three_times_and_then_again_on_request(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.page.clock.install()
    page.page.route("**/collect/**", lambda route: route.abort())
    page.open(element(touchpoint))
    page.answer(touchpoint, 1)
    for _ in range(60):
        page.page.clock.run_for(1000)
    page.says(touchpoint, "Dit is niet bewaard. Het ligt aan ons.")
    assert len(page.sent) == 3
    assert page.warnings == [
        f"customer-feedback: no reply. Does {touchpoint.key} allow {page.site.url}?"
    ]
    page.page.unroute("**/collect/**")
    page.press(touchpoint, "Probeer opnieuw")
    page.says(touchpoint, "Genoteerd")
    assert Response.objects.count() == 1


def test_a_reason_that_failed_while_the_question_stood_open_is_sent_again_on_request(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.page.clock.install()
    page.open(element(touchpoint))
    page.answer(touchpoint, 1)
    page.says(touchpoint, "Genoteerd")
    bodies = []

    def busy(route) -> None:
        bodies.append(route.request.post_data)
        route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"}, body="")

    page.page.route("**/collect/**", busy)
    page.press(touchpoint, "Nuttig")
    page.press(touchpoint, "Wijzig")
    page.widget(touchpoint).get_by_role("radio").first.wait_for()
    for _ in range(90):
        page.page.clock.run_for(1000)
    page.says(touchpoint, "Dit is niet bewaard. Het ligt aan ons.")
    assert len(bodies) == 5
    assert len(set(bodies)) == 1
    assert page.widget(touchpoint).get_by_role("radio").count() == 0

    page.page.unroute("**/collect/**")
    page.press(touchpoint, "Probeer opnieuw")
    page.says(touchpoint, "Genoteerd")
    pressed = page.widget(touchpoint).locator("[aria-pressed=true]")
    assert pressed.inner_text() == "Nuttig"
    assert Response.objects.get().reason == "useful"
    # The browser itself notes each 503.
    assert [one for one in page.problems if "503" not in one] == []


def test_too_many_waits_as_long_as_it_is_told(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.page.clock.install()
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "40",
    }
    page.page.route("**/collect/**", lambda route: route.fulfill(status=429, headers=headers))
    page.open(element(touchpoint))
    with page.page.expect_response("**/collect/**"):
        page.answer(touchpoint, 1)
    page.page.wait_for_timeout(500)
    page.page.clock.run_for(40_000)
    assert len(page.sent) == 1
    page.page.unroute("**/collect/**")
    page.page.clock.run_for(10_000)
    page.says(touchpoint, "Genoteerd")


def test_a_refusal_is_not_tried_again_and_a_late_change_leaves_the_answer(host, ask):
    refused, late = ask("thumb"), ask("nps")
    page = host()
    page.open(element(refused), element(late))
    page.answer(late, 9)
    page.says(late, "Genoteerd")
    Response.objects.update(answered_at=NOW.replace(year=2025))
    page.press(late, "Wijzig")
    page.answer(late, 2)
    page.says(late, "Na 24 uur kun je niet meer wijzigen.")
    assert Response.objects.get().value == 9
    page.press(late, "Nuttig")
    page.says(late, "Genoteerd")
    assert Response.objects.get().reason == "useful"

    page.sent.clear()
    # Deleted while the page was open.
    refused.delete()
    page.page.route(
        "**/collect/**",
        lambda route: route.fulfill(
            status=404,
            headers={"Access-Control-Allow-Origin": "*"},
            body=json.dumps({"message": "There is no touchpoint with this key."}),
        ),
    )
    page.answer(refused, 1)
    page.says(refused, "We kunnen dit niet bewaren.")
    page.page.wait_for_timeout(4500)
    assert len(page.sent) == 1
    assert "There is no touchpoint with this key." in page.warnings[-1]


def test_leaving_at_once_stores_the_answer_once(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.open(element(touchpoint))
    page.answer(touchpoint, 1)
    page.page.goto("about:blank")
    until(Response.objects.exists)

    offline = ask("nps")
    page.page.route("**/collect/**", lambda route: route.abort())
    page.open(element(offline))
    page.answer(offline, 7)
    page.page.wait_for_timeout(200)
    page.page.unroute("**/collect/**")
    page.page.goto("about:blank")
    until(lambda: Response.objects.filter(touchpoint=offline, value=7).exists())
    time.sleep(0.3)
    assert Response.objects.count() == 2


# Keeps what listens to the window for a widget that sends.
LISTENING = """window.listening = new Map([["online", new Set()], ["pagehide", new Set()]]);
for (const [name, method] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
  const native = window[name];
  window[name] = (kind, ...given) => {
    listening.get(kind)?.[method](given[0]);
    native(kind, ...given);
  };
}"""
LISTENERS = "[...listening.values()].map((those) => those.size)"


def test_a_single_page_application_mounts_again_and_again_and_nothing_stays_behind(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.page.add_init_script(LISTENING)
    # Loaded twice.
    page.open('<div id="place"></div>', head=page.script() + page.script())
    run = page.page.evaluate
    run(
        """key => {
          for (let i = 0; i < 100; i++) {
            CustomerFeedback.mount(place, {touchpoint: key, product: "sku-1"});
            CustomerFeedback.mount(place, {touchpoint: key});
            if (i < 99) CustomerFeedback.unmount(place);
          }
        }""",
        touchpoint.key,
    )
    assert run("place.childElementCount") == page.widget(touchpoint).count() == 1
    page.answer(touchpoint, 1)
    page.says(touchpoint, "Genoteerd")
    assert Response.objects.get().value == 1

    # Other options ask anew.
    run("CustomerFeedback.mount(place, {question: 'Nog eens?'})")
    page.widget(touchpoint).get_by_role("group", name="Nog eens?").wait_for()
    run("CustomerFeedback.unmount(place); CustomerFeedback.unmount(place)")
    assert run("place.childElementCount") == 0
    assert run(LISTENERS) == [0, 0]
    assert page.problems == page.warnings == []


def test_a_widget_listens_only_while_it_sends_and_goes_on_where_it_was_when_moved(host, ask):
    touchpoint = ask("nps")
    page = host()
    page.page.add_init_script(LISTENING)
    page.open(element(touchpoint), '<div id="place"></div>')
    page.widget(touchpoint).get_by_role("radio").first.wait_for()
    run = page.page.evaluate
    assert run(LISTENERS) == [0, 0]
    page.page.context.set_offline(True)
    page.answer(touchpoint, 3)
    assert run(LISTENERS) == [1, 1]
    page.page.context.set_offline(False)
    page.says(touchpoint, "Genoteerd")
    assert run(LISTENERS) == [0, 0]

    run("place.append(document.querySelector('customer-feedback'))")
    page.says(touchpoint, "Genoteerd")
    assert page.problems == page.warnings == []


def test_a_sender_of_the_page_replaces_the_network(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.open('<div id="place"></div>')
    run = page.page.evaluate
    run(
        """key => {
          window.given = [];
          CustomerFeedback.mount(place, {touchpoint: key, theme: "dark", accentDark: "#ffffff",
            accent: "#000000", send: async (url, body) => {
              given.push(JSON.parse(body).value);
              return {ok: true, status: 201, json: async () => ({thanks: "Alleen bekeken"})};
            }});
        }""",
        touchpoint.key,
    )
    page.answer(touchpoint, 0)
    page.says(touchpoint, "Alleen bekeken")
    assert run("given") == [0]
    assert page.sent == []
    assert page.background(touchpoint) == DARK
    accent = "getComputedStyle(document.querySelector('customer-feedback')).getPropertyValue"
    assert "#ffffff" in run(f"{accent}('--ciw-accent')")
    assert Response.objects.count() == 0
    assert page.problems == page.warnings == []


def test_a_tag_manager_places_it_once_and_a_view_counts_when_half_is_seen(host, ask):
    above, below = (ask(scale, counts_exposures=True) for scale in ("thumb", "nps"))
    page = host()
    tag = f'data-touchpoint="{above.key}" data-after="h1" data-question="Alles gevonden?"'
    page.open(
        '<div id="tall"></div>',
        element(below, "exposures"),
        head="<style>#tall { height: 3000px }</style>"
        + page.script(f"{tag} data-exposures")
        + page.script(tag),
    )
    page.page.get_by_role("group", name="Alles gevonden?").wait_for()
    assert page.page.locator("h1 + customer-feedback").count() == 1
    assert page.widget(above).count() == 1
    until(Exposure.objects.filter(touchpoint=above, kind="shown", n=1).exists)
    assert page.sent == [f"/collect/{above.key}/shown/"]

    for _ in range(2):
        page.widget(below).scroll_into_view_if_needed()
        until(Exposure.objects.filter(touchpoint=below, kind="shown", n=1).exists)
        page.page.evaluate("scrollTo(0, 0)")
    assert len(page.sent) == 2
    assert Response.objects.count() == 0


def test_where_it_cannot_work_the_link_stays(host, ask, browser, live_server, tmp_path):
    touchpoint = ask("thumb")
    page = host()
    link = page.page.get_by_role("link", name=LINK)
    radio = page.page.get_by_role("radio")

    page.open(element(touchpoint), lang="fr")
    assert (link.count(), radio.count()) == (1, 0)
    wrong = "sha256-" + base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    page.open(element(touchpoint), head=page.script(f'integrity="{wrong}" crossorigin="anonymous"'))
    assert (link.count(), radio.count()) == (1, 0)

    scriptless = host(java_script_enabled=False)
    scriptless.open(element(touchpoint))
    assert scriptless.page.get_by_role("link", name=LINK).is_visible()

    file = tmp_path / "page.html"
    twice = element(touchpoint) * 2
    file.write_text(f'<html lang="nl"><body>{twice}{page.script()}</body></html>')
    page.page.goto(file.as_uri())
    assert (link.count(), radio.count()) == (2, 0)
    assert page.warnings == ["customer-feedback: needs http, not file:// or a sandbox"]


def test_a_click_that_a_script_makes_up_is_no_answer(host, ask):
    """Scanners run scripts and click on everything they find."""
    touchpoint = ask("nps")
    page = host()
    page.open(element(touchpoint))
    page.widget(touchpoint).locator("input").first.wait_for(state="attached")
    page.page.evaluate(
        """() => {
          const root = document.querySelector("customer-feedback").shadowRoot;
          const click = (node) => node.dispatchEvent(
            new MouseEvent("click", { bubbles: true, cancelable: true, detail: 1 }));
          for (const node of root.querySelectorAll("input, label, button")) click(node);
          root.querySelector("input").click();
          root.querySelector(".send")?.click();
          const enter = new KeyboardEvent("keydown", { key: "Enter" });
          root.querySelector("fieldset").dispatchEvent(enter);
        }"""
    )
    page.page.wait_for_timeout(300)
    assert page.sent == []
    page.answer(touchpoint, 7)
    page.says(touchpoint, "Genoteerd")
    assert Response.objects.get().value == 7


def test_a_new_view_starts_anew_and_keeps_nothing_of_the_last_one(host, ask):
    touchpoint = ask("thumb")
    page = host()
    page.open("<div id=place></div>")
    mount = "options => CustomerFeedback.mount(document.querySelector('#place'), options)"
    facts = {"touchpoint": touchpoint.key, "lang": "nl", "question": "Goed zo?"}
    page.page.evaluate(mount, facts | {"product": "B", "subject": "somebody"})
    page.page.evaluate(mount, facts)
    widget = page.widget(touchpoint)
    assert widget.get_attribute("product") is None
    assert widget.get_attribute("subject") is None
    page.page.evaluate(mount, {"touchpoint": "pigeon-1"})
    assert page.page.locator("customer-feedback input").count() == 0
