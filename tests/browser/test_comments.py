"""What customers say, on the page: how it looks, and that none of it ever runs as a script."""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from customers.models import Product
from feedback.models import Touchpoint
from feedback.services import Answer, add_responses
from tests.browser.looks import FEW_LOOKS, choices
from tests.insights.payloads import PAYLOADS, RUN
from tests.makers import make_category, make_product, make_touchpoint

pytestmark = [
    pytest.mark.browser,
    # The server runs in a thread of its own and sees only what is committed.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

# Where a text of a customer or a name from a file comes up. Add each new page that shows one;
# {day} visits it once for every day with texts.
SINKS = [
    "/satisfaction/?kpi=nps&period=own&from={day}&to={day}&slice=category",
    "/satisfaction/?kpi=nps&period=own&from={day}&to={day}&slice=product",
    "/satisfaction/?kpi=nps&period=own&from={day}&to={day}&slice=touchpoint",
    "/?kpi=nps&period=own&from={day}&to={day}",
    "/?kpi=nps&period=own&from={first}&to={last}",
    "/touchpoints/",
]

# As many as one page shows.
A_DAY = 10
DAYS = [date(2026, 6, 1) + timedelta(days=n) for n in range(len(PAYLOADS) // A_DAY)]


def moment(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=AMSTERDAM)


def squeezed(text: str) -> str:
    """A browser shows some blanks as others, or not at all."""
    return "".join(text.split())


def name_of(number: int) -> str:
    """A payload as a name; the number keeps names apart that differ in case only."""
    return f"{PAYLOADS[number]} {number}"


@pytest.fixture
def stored_payloads() -> None:
    """Each payload as a comment, and as the name of a touchpoint, a product and a category."""
    add_responses(
        Answer(
            key=f"payload {number}",
            scale="nps",
            value=number % 11,
            answered_at=moment(DAYS[number // A_DAY], hour=8 + number % A_DAY),
            comment=payload,
            reason="too_often",
            language=PAYLOADS[-number][:10],
            touchpoint=make_touchpoint(name=name_of(number)),
            product=make_product(sku=f"{payload} {number}", name=name_of(number)),
            category=make_category(name=name_of(number)),
        )
        for number, payload in enumerate(PAYLOADS)
    )


@pytest.fixture
def watched_for_scripts(open_page, session):
    """A page that notes every dialog as well."""
    watched = open_page(cookies=session)

    def note(dialog) -> None:
        watched.note(f"dialog {dialog.message}")
        dialog.dismiss()

    watched.page.on("dialog", note)
    return watched


def ran(page) -> object:
    return page.evaluate("window.__xss")


def test_the_watch_would_see_a_script_run(watched_for_scripts):
    page = watched_for_scripts.page
    page.set_content(f"<img src=data:, onerror={RUN}>")
    page.wait_for_function("window.__xss")
    assert ran(page) == 1


def test_no_text_of_a_customer_and_no_name_runs_as_a_script(watched_for_scripts, stored_payloads):
    watched = watched_for_scripts
    seen = set()
    for sink in SINKS:
        for day in DAYS if "{day}" in sink else DAYS[:1]:
            watched.visit(sink.format(day=day, first=DAYS[0], last=DAYS[-1]))
            assert ran(watched.page) is None
            for violation in watched.page.evaluate("window.violations"):
                watched.note(f"CSP {violation}")
            seen |= {squeezed(text) for text in watched.page.locator("main").all_inner_texts()}
    assert watched.problems == []
    text = "".join(seen)
    assert [payload for payload in PAYLOADS if squeezed(payload) not in text] == []


def test_comments_and_names_are_there_as_text(watched_for_scripts, stored_payloads):
    watched = watched_for_scripts
    for index, day in enumerate(DAYS):
        numbers = range(index * A_DAY, (index + 1) * A_DAY)
        watched.visit(SINKS[0].format(day=day))
        comments = watched.page.locator("#comments blockquote")
        newest_first = [squeezed(PAYLOADS[number]) for number in reversed(numbers)]
        assert [squeezed(text) for text in comments.all_inner_texts()] == newest_first
        names = watched.page.locator("#breakdown tbody th").all_inner_texts()
        # Those of the day before stand there too, to compare with.
        assert {squeezed(name) for name in names} >= {squeezed(name_of(n)) for n in numbers}
    assert watched.problems == []


def test_no_question_runs_where_it_is_set_up_asked_and_answered(watched_for_scripts):
    """Names, questions and thanks of colleagues too, in the previews and on the hosted page."""
    watched = watched_for_scripts
    for number in range(0, len(PAYLOADS), 15):
        text = PAYLOADS[number][:200]
        touchpoint = make_touchpoint(
            scale="thumb",
            name=name_of(number)[:100],
            question_nl=text,
            question_en=text,
            thanks_nl=text,
            thanks_en=text,
        )
        add_responses(
            Answer(
                key=f"{number} {index}",
                scale="thumb",
                value=index % 2,
                answered_at=moment(DAYS[0]),
                comment=comment,
                touchpoint=touchpoint,
            )
            for index, comment in enumerate(PAYLOADS[number : number + 5])
        )
        for page in ("touchpoints/{}/", "touchpoints/{}/edit/", "v/{}/?v=1"):
            watched.visit("/" + page.format(touchpoint.key))
            assert ran(watched.page) is None
            assert watched.page.evaluate("window.violations") == []
        watched.page.click(".is-chosen")
        watched.page.wait_for_selector("textarea")
        assert ran(watched.page) is None
    assert watched.problems == []


# -- How it looks ----------------------------------------------------------------------------------

HAPPY = [
    ("useful", "Deurmat ligt er al, precies de goede maat."),
    ("easy", "Prima geregeld."),
    ("fun", "Leuke tips!\nVooral die over koffie.\n\nGroet, een vaste klant"),
    ("", "Altijd duidelijk wat ik krijg en hoe vaak jullie mailen. Fijn."),
    ("useful", ""),
]
UNHAPPY = [
    ("too_often", "Laptop goed, maar jullie mailen te vaak."),
    ("too_often", ""),
    ("too_often", ""),
    ("not_relevant", "Ik heb al een telefoon."),
    ("effort", "Drie keer gebeld over mijn retour, niemand wist iets. " * 3),
    ("", "Pakket lag in de regen voor de deur."),
]
ODD = [
    (
        "too_personal",
        "De hele geschiedenis: " + "en toen belde ik weer, en toen kwam er niets. " * 40,
    ),
    ("other", "x" * 300),
    ("", "شكرا جزيلا، كل شيء ممتاز"),
]


@pytest.fixture
def voices(answers) -> None:
    """Half a year of answers of which some say why."""
    rnd = random.Random(7)
    touchpoints = {point.scale: point for point in Touchpoint.objects.all()}
    products = list(Product.objects.select_related("category"))
    weights = [12, 6, 4, 3, 1, 1]
    given = []
    for number in range(420):
        scale = rnd.choice(["nps", "thumb"])
        [product] = rnd.choices(products, weights)
        happy = rnd.random() < 0.6
        reason, comment = rnd.choice(HAPPY if happy else UNHAPPY)
        if number < len(ODD):
            scale, happy, (reason, comment) = "nps", False, ODD[number]
        given.append(
            Answer(
                key=f"voice {number}",
                scale=scale,
                value={"nps": 9 if happy else 3, "thumb": int(happy)}[scale],
                answered_at=moment(timezone.localdate() - timedelta(days=1 + number // 6)),
                touchpoint=touchpoints[scale],
                product=product,
                category=product.category,
                channel=rnd.choice(["email", "web"]),
                customer_type=rnd.choice(["regular", "occasional", "one_time"]),
                reason=reason,
                comment=comment,
                language="" if comment.startswith("ش") else "nl",
            )
        )
    add_responses(given)


PAGES = {
    "voices": "/?kpi=nps&slice=category",
    "voices-thumbs": "/?kpi=thumbs&slice=product",
    "voices-few": "/?kpi=nps&category=Beddengoed&period=4w",
    "voices-hidden": "/?kpi=nps&category=Onderdelen&channel=web&period=4w",
    "voices-none": "/?kpi=nps&channel=phone",
    "voices-nobody-asked": "/?kpi=response_rate",
}


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_reasons_and_comments_are_accessible_and_keep_the_csp(
    open_page, session, voices, language, theme, width
):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    for name, path in PAGES.items():
        watched.visit(path)
        watched.check(f"{name}-{language}-{theme}-{width}")
    assert watched.problems == []


def test_the_files_are_one_click_away(open_page, session, voices):
    watched = open_page(cookies=session, accept_downloads=True)
    watched.visit("/?kpi=nps&category=Laptops")
    for kind in ("csv", "xlsx"):
        with watched.page.expect_download() as download:
            watched.page.click(f"#comments a[href*='.{kind}']")
        name = download.value.suggested_filename
        assert name.startswith("comments-")
        assert name.endswith(kind)
    assert watched.problems == []


def test_the_widest_table_fits_beside_the_rail(open_page, session, voices):
    watched = open_page(width=920, cookies=session)
    watched.visit("/?kpi=thumbs&slice=product")
    watched.check("voices-thumbs-nl-light-920")
    assert watched.problems == []
