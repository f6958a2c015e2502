"""Dated notes: what fits, who may, where they stand, and that they stand there as typed."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import escape, unescape
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from insights import annotations
from insights.accounts import Role
from insights.annotations import (
    AnnotationRefused,
    annotate,
    annotation_page,
    change_annotation,
    drop_annotation,
)
from insights.charts import Trend
from insights.models import Annotation
from tests.insights.makers import give
from tests.insights.test_charts import make_trend, named
from tests.insights.test_import_views import make_colleague, signed_in, text
from tests.makers import NOW, TODAY

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PAGE = "/annotations/"

HOSTILE = [
    "<b>new</b> courier",
    "a & b &amp; c &lt;i&gt;",
    '<a href="javascript:alert(1)">prices</a>',
    "</script><script>window.__xss=1</script>",
    "%{x} off, $a$ and %{customdata[0]}",
]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def noor() -> User:
    return make_colleague(Role.MARKETER, first_name="Noor Voorbeeld")


@pytest.fixture
def marketer() -> Client:
    return signed_in(Role.MARKETER)


def note(said: str = "New courier", on: date = TODAY, by: User | None = None) -> Annotation:
    return Annotation.objects.create(on=on, text=said, created_by=by, created_at=NOW)


@pytest.fixture
def lately() -> date:
    """A day in the middle of a line on the charts."""
    today = timezone.localdate()
    for days in (10, 20, 30):
        give("nps", [9] * 40, today - days * DAY)
    return today - 20 * DAY


def facts() -> list[tuple[date, str]]:
    return [*Annotation.objects.values_list("on", "text")]


# -- What fits ------------------------------------------------------------------------------------


def test_a_note_says_what_happened_when_who_wrote_it_and_when(noor):
    made = annotate(on=TODAY - DAY, text="  New\t courier\n", by=noor, now=NOW)
    [stored] = Annotation.objects.all()
    assert stored == made
    assert (stored.on, stored.text) == (TODAY - DAY, "New courier")
    assert (stored.created_by, stored.created_at) == (noor, NOW)


def test_who_corrects_a_note_did_not_write_it(noor):
    made = note(by=noor)
    change_annotation(pk=made.pk, on=TODAY - DAY, text=" New courier, again ", now=NOW + DAY)
    made.refresh_from_db()
    assert (made.on, made.text) == (TODAY - DAY, "New courier, again")
    assert (made.created_by, made.created_at) == (noor, NOW)


def test_a_note_that_is_deleted_leaves_the_others():
    kept, gone = note("kept"), note("gone")
    for _ in range(2):
        drop_annotation(pk=gone.pk)
        change_annotation(pk=gone.pk, on=TODAY, text="back", now=NOW)
    assert [*Annotation.objects.all()] == [kept]


def test_a_note_outlives_the_login_of_who_wrote_it(noor):
    made = annotate(on=TODAY, text="New courier", by=noor, now=NOW)
    noor.delete()
    made.refresh_from_db()
    assert made.created_by is None


def test_the_day_is_one_of_the_organisation(noor):
    """At half past eleven in the evening in London it is tomorrow in Amsterdam."""
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    annotate(on=date(2027, 11, 25), text="A year ahead", by=noor, now=late)
    with pytest.raises(AnnotationRefused, match=r"^25 Nov 2027 is more than a year ahead"):
        annotate(on=date(2027, 11, 25), text="A year ahead", by=noor, now=late - timedelta(hours=1))


LAST = date(2027, 11, 24)

FITS = [
    pytest.param(TODAY, "x" * 80, id="80 characters"),
    pytest.param(LAST, "Sale", id="a year ahead"),
    pytest.param(date(2000, 1, 1), "Sale", id="the first day"),
    pytest.param(TODAY, "Überall 20 % – günstig 🎉 ‘nu’", id="signs of all kinds"),
    *(pytest.param(TODAY, hostile, id=hostile) for hostile in HOSTILE),
]

NOTHING = "Write what happened, for example “New courier”."
# day, text, field, words
REFUSED = [
    pytest.param(TODAY, "", "text", NOTHING, id="empty"),
    pytest.param(TODAY, " \t \n ", "text", NOTHING, id="blanks"),
    pytest.param(
        TODAY,
        "x" * 81,
        "text",
        "The text has 81 characters, and at most 80 fit. Shorten it.",
        id="81 characters",
    ),
    pytest.param(
        TODAY,
        "New\u202ecourier",
        "text",
        "“New�courier” holds a character that cannot be seen. Type the text again.",
        id="reads backwards",
    ),
    pytest.param(
        LAST + DAY,
        "Sale",
        "on",
        "25 Nov 2027 is more than a year ahead. Choose 24 Nov 2027 or an earlier day.",
        id="more than a year ahead",
    ),
    pytest.param(
        date(1999, 12, 31),
        "Sale",
        "on",
        "31 Dec 1999 is before 1 Jan 2000, and no chart goes back that far. Check the year.",
        id="before every chart",
    ),
    pytest.param(
        date(26, 11, 24),
        "Sale",
        "on",
        "24 Nov 0026 is before 1 Jan 2000, and no chart goes back that far. Check the year.",
        id="a year of two digits",
    ),
]


@pytest.mark.parametrize(("on", "said"), FITS)
def test_what_fits_is_stored_as_it_was_typed(noor, on, said):
    made = annotate(on=on, text=said, by=noor, now=NOW)
    change_annotation(pk=made.pk, on=on, text=said, now=NOW)
    assert facts() == [(on, said)]


@pytest.mark.parametrize(("on", "said", "_field", "words"), REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(noor, on, said, _field, words):
    with pytest.raises(AnnotationRefused) as refused:
        annotate(on=on, text=said, by=noor, now=NOW)
    assert str(refused.value).replace("\xa0", " ") == words
    assert not Annotation.objects.exists()
    made = note()
    with pytest.raises(AnnotationRefused):
        change_annotation(pk=made.pk, on=on, text=said, now=NOW)
    assert facts() == [(TODAY, "New courier")]


# -- Who may --------------------------------------------------------------------------------------

REQUESTS = [
    ("annotations", "POST", 302),
    ("annotation", "GET", 200),
    ("annotation", "POST", 302),
    ("annotation_drop", "GET", 200),
    ("annotation_drop", "POST", 302),
]
ROLES = pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.MARKETER], {}, True, id="marketer"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.CONSENT_ADMIN, Role.MARKETER], {}, True, id="both"),
        pytest.param([Role.CONSENT_ADMIN], {}, False, id="consent admin"),
        pytest.param([], {}, False, id="no role"),
        pytest.param([], {"is_staff": True}, False, id="admin site only"),
    ],
)


def ask(client: Client, name: str, method: str, pk: int):
    address = reverse(name, args=[] if name == "annotations" else [pk])
    if method == "GET":
        return client.get(address)
    return client.post(address, {"on": "2026-11-20", "text": "Changed"})


@ROLES
def test_marketers_and_administrators_write_and_everybody_reads(roles, given, may):
    made = note("A courier to leak")
    client = signed_in(*roles, **given)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "A courier to leak" in text(page)
    assert ("<form" in page.content.decode().split("<main")[1]) is may
    assert (reverse("annotation_drop", args=[made.pk]) in page.content.decode()) is may
    assert ("Marketers and administrators write these notes." in text(page)) is not may
    for name, method, status in REQUESTS:
        response = ask(client, name, method, made.pk)
        assert response.status_code == (status if may else 403), f"{method} {name}"
        if not may:
            assert facts() == [(TODAY, "A courier to leak")]
    assert may or b"A courier to leak" not in response.content
    # Added, changed, and the first one deleted.
    assert facts() == [(date(2026, 11, 20), "Changed") if may else (TODAY, "A courier to leak")]


@ROLES
@pytest.mark.parametrize("path", ["/?kpi=nps&period=12m", "/satisfaction/?kpi=nps"])
def test_the_charts_lead_who_may_to_the_form_and_back(roles, given, may, path):
    give("nps", [9] * 40, timezone.localdate() - DAY)
    note(on=timezone.localdate() - DAY)
    page = signed_in(*roles, **given).get(path).content.decode()
    assert (f'href="{PAGE}?next={quote(path)}"' in page) is may
    assert "New courier</li>" in page


def test_a_stranger_reads_and_changes_nothing(client):
    made = note()
    for name, method, _ in [("annotations", "GET", 0), *REQUESTS]:
        response = ask(client, name, method, made.pk)
        assert response.url.startswith(reverse("account_login"))
    assert facts() == [(TODAY, "New courier")]


@pytest.mark.parametrize("pk", [404, 10**30])
def test_a_note_that_is_gone_is_not_found(marketer, pk):
    for name, method, _ in REQUESTS[1:]:
        assert ask(marketer, name, method, pk).status_code == 404


def test_looking_changes_nothing(marketer):
    made = note()
    for name in ("annotation", "annotation_drop"):
        page = ask(marketer, name, "GET", made.pk)
        assert "New courier" in page.content.decode()
    assert facts() == [(TODAY, "New courier")]


# -- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def at_noon(monkeypatch) -> None:
    """The clock of the views stands at noon in London."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def errors(response) -> dict[str, list[str]]:
    return {
        name: [str(error).replace("\xa0", " ") for error in said]
        for name, said in response.context["form"].errors.items()
    }


@pytest.mark.parametrize(("on", "said", "field", "words"), REFUSED)
@pytest.mark.parametrize("name", ["annotations", "annotation"])
@pytest.mark.usefixtures("at_noon")
def test_the_form_says_what_does_not_fit_and_keeps_it(marketer, name, on, said, field, words):
    args = [] if name == "annotations" else [note().pk]
    before = facts()
    page = marketer.post(reverse(name, args=args), {"on": on.isoformat(), "text": said})
    assert page.status_code == 200
    assert errors(page) == {field: [words]}
    assert words in text(page)
    assert f'value="{on.isoformat()}"' in page.content.decode()
    assert facts() == before


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("", "Choose the day on which it happened."),
        (
            "2026-02-31",
            "This is no day of the calendar. Choose one, or write it as 2026-11-24.",
        ),
    ],
)
def test_a_day_that_is_none_is_refused_in_words(marketer, on, words):
    page = marketer.post(PAGE, {"on": on, "text": "Sale"})
    assert errors(page) == {"on": [words]}
    assert not Annotation.objects.exists()


def test_an_empty_request_is_told_of_both_fields(marketer):
    assert set(errors(marketer.post(PAGE))) == {"on", "text"}


def test_the_form_begins_with_today_and_names_its_limits(marketer):
    page = marketer.get(PAGE).content.decode()
    today = timezone.localdate()
    limits = {"value": today, "min": date(2000, 1, 1), "max": today + 365 * DAY}
    [field] = [part for part in page.split("<input")[1:] if 'name="on"' in part]
    assert {name: f'{name}="{day}"' in field for name, day in limits.items()} == dict.fromkeys(
        limits, True
    )


def test_a_note_is_added_corrected_and_deleted(marketer):
    page = marketer.post(PAGE, {"on": "2026-11-20", "text": " New  courier "}, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "Noted on 20 Nov 2026." in text(page)
    [made] = Annotation.objects.all()
    assert made.created_by == User.objects.get()
    assert abs(made.created_at - timezone.now()) < timedelta(minutes=1)

    address = reverse("annotation", args=[made.pk])
    assert 'value="2026-11-20"' in marketer.get(address).content.decode()
    page = marketer.post(address, {"on": "2026-11-21", "text": "Other courier"}, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "21 Nov 2026 Other courier" in text(page)

    address = reverse("annotation_drop", args=[made.pk])
    assert "21 Nov 2026 : Other courier" in text(marketer.get(address))
    page = marketer.post(address, follow=True)
    assert "The note of 21 Nov 2026 was deleted." in text(page)
    assert "Nothing was noted yet" in text(page)


OURS = "/satisfaction/?kpi=thumbs&period=12m"


@pytest.mark.parametrize(
    ("target", "back"),
    [
        pytest.param(OURS, OURS, id="ours"),
        pytest.param(f"http://testserver{OURS}", PAGE, id="with a host"),
        pytest.param("https://evil.example/", PAGE, id="another host"),
        pytest.param("//evil.example/", PAGE, id="another host in short"),
        pytest.param("/\\evil.example", PAGE, id="backslash"),
        pytest.param("javascript:alert(1)", PAGE, id="script"),
        pytest.param("overview", PAGE, id="a name"),
        pytest.param("", PAGE, id="nothing"),
    ],
)
def test_after_saving_the_reader_is_back_where_they_came_from_if_that_is_ours(
    marketer, target, back
):
    address = f"{PAGE}?next={quote(target)}"
    page = marketer.get(address).content.decode()
    assert (f'href="{escape(target)}">Back</a>' in page) is (back == target)
    refused = marketer.post(address, {"on": "2026-11-20", "text": ""})
    assert refused.status_code == 200
    done = marketer.post(address, {"on": "2026-11-20", "text": "New courier"})
    assert (done.status_code, done.url) == (302, back)


def test_the_latest_day_comes_first_and_what_is_to_come_is_marked(marketer):
    today = timezone.localdate()
    note("yesterday", today - DAY)
    note("tomorrow", today + DAY)
    note("today", today)
    note("today, noted later", today)
    page = marketer.get(PAGE).content.decode()
    shown = re.findall(r'(planned</span>)?</th>\s*<td class="[^"]*ci-ink">(.*?)</td>', page)
    assert [said for _, said in shown] == ["tomorrow", "today, noted later", "today", "yesterday"]
    assert [said for planned, said in shown if planned] == ["tomorrow"]


def test_the_list_says_who_wrote_a_note_or_nobody_if_they_left(marketer, noor_of_old):
    note("by a name", TODAY, noor_of_old)
    note("by nobody", TODAY - DAY)
    page = text(marketer.get(PAGE))
    assert "by a name 24 Nov 2026 13:00 Noor van Toen" in page
    assert "by nobody 24 Nov 2026 13:00 Change" in page


@pytest.fixture
def noor_of_old() -> User:
    return User.objects.create_user("old", email="old@example.org", first_name="Noor van Toen")


def test_a_long_list_is_read_page_by_page(marketer, monkeypatch):
    monkeypatch.setattr(annotations, "PAGE", 2)
    for number in range(5):
        note(f"number {number}", TODAY - number * DAY)
    seen = []
    for page in ("", "2", "3"):
        found = marketer.get(PAGE, {"page": page})
        seen += [one.text for one in found.context["page"]]
        links = [word for word in ("Later notes", "Earlier notes") if word in text(found)]
        assert (
            links
            == {
                "": ["Earlier notes"],
                "2": ["Later notes", "Earlier notes"],
                "3": ["Later notes"],
            }[page]
        )
    assert seen == [f"number {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("number", "shown"), [("0", 3), ("-1", 3), ("99", 3), ("9" * 5_000, 1), ("two", 1), ("1.5", 1)]
)
def test_a_page_that_is_none_is_the_first_or_the_last(monkeypatch, number, shown):
    monkeypatch.setattr(annotations, "PAGE", 2)
    for _ in range(5):
        note()
    assert annotation_page(number).number == shown


QUERIES = 7


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?next=/"])
def test_the_list_takes_the_same_queries_with_1_and_with_3(
    marketer, django_assert_num_queries, path
):
    for number in range(3):
        note(by=make_colleague(f"colleague {number}"))
        if number != 1:
            with django_assert_num_queries(QUERIES):
                marketer.get(path)


# -- As typed -------------------------------------------------------------------------------------


def event_texts(page) -> list[str]:
    script = page.content.decode().split('<script id="trend-data" type="application/json">')[1]
    layout = json.loads(script.split("</script>")[0])["layout"]
    return [one["text"] for one in layout["annotations"] if one["name"] == "event"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_text_is_a_text_on_every_page_and_in_the_figure(marketer, lately, hostile):
    """Plotly takes a text for HTML with values in %{…}, so there it is escaped once more."""
    made = note(hostile, lately)
    for path in (PAGE, f"{PAGE}{made.pk}/", f"{PAGE}{made.pk}/drop/", "/", "/satisfaction/"):
        page = marketer.get(path).content.decode()
        assert escape(hostile) in page
        assert (hostile in page) is (escape(hostile) == hostile)
    for path in ("/", "/satisfaction/?kpi=nps"):
        [shown] = event_texts(marketer.get(path))
        assert "<" not in shown
        assert "%" not in shown
        assert unescape(shown).endswith(f": {hostile}")


def test_a_long_text_is_cut_in_the_figure_and_whole_below_it(marketer, lately):
    said = "A very long story " * 4 + "and more"
    assert len(said) == 80
    note(said, lately)
    page = marketer.get("/")
    [shown] = event_texts(page)
    assert shown.endswith("…")
    assert said.startswith(shown.split(": ", 1)[1].rstrip("…"))
    assert f"{said}</li>" in page.content.decode()


def test_what_is_planned_waits_for_its_day(marketer, lately):
    note("planned", timezone.localdate() + 5 * DAY)
    note("happened", lately)
    assert [one.split(": ")[1] for one in event_texts(marketer.get("/"))] == ["happened"]


# -- In the drawing -------------------------------------------------------------------------------

# make_trend() draws the ten weeks from this Monday on.
MONDAY = date(2026, 6, 1)


def drawn(*events: tuple[int, str]) -> Trend:
    """A trend with what happened so many days after its first one."""
    return make_trend(events=tuple((MONDAY + days * DAY, said) for days, said in events))


def placed(trend: Trend) -> list[tuple[str, str, int]]:
    """The words over the drawing: at which side of their line they begin, and on which row."""
    texts = named(trend, "annotations", "event")
    return [(one["text"], one["xanchor"], one["yshift"] // -16) for one in texts]


def test_each_event_has_a_line_and_words_that_stay_in_the_drawing():
    trend = drawn((7, "early"), (63, "late"))
    assert [line["x0"] for line in named(trend, "shapes", "event")] == ["2026-06-08", "2026-08-03"]
    assert placed(trend) == [("late", "left", 0), ("early", "left", 0)]


def test_words_stand_left_of_their_line_where_right_of_it_another_stands():
    trend = drawn((40, "eleven days later"), (42, "two days"))
    assert placed(trend) == [("two days", "left", 0), ("eleven days later", "right", 0)]


@pytest.mark.parametrize(
    ("days", "letter", "most", "cut"),
    [
        pytest.param(0, "x", 72, 71, id="at the left edge: the whole width"),
        pytest.param(35, "x", 36, 35, id="in the middle: half of it"),
        pytest.param(69, "x", 70, 69, id="at the right edge"),
        pytest.param(35, "W", 21, 20, id="capitals"),
        pytest.param(35, "字", 15, 14, id="Chinese"),
        pytest.param(35, "🎉", 15, 14, id="pictures"),
    ],
)
def test_words_are_cut_to_the_room_at_their_side(days, letter, most, cut):
    shown = [placed(drawn((days, letter * long)))[0][0] for long in (most, most + 1, 80)]
    assert shown == [letter * most, letter * cut + "…", letter * cut + "…"]


def test_no_blank_stands_before_the_dots_and_no_entity_is_cut():
    [(cut, *_)] = placed(drawn((35, "x" * 34 + " & more")))
    assert cut == "x" * 34 + "…"
    [(cut, *_)] = placed(drawn((35, "x" * 34 + "& more")))
    assert cut == "x" * 34 + "&amp;…"


def test_words_that_would_meet_stand_one_below_the_other_and_the_rest_is_left_to_the_list():
    near = [(60 + number, f"event {number} that says a lot") for number in range(5)]
    trend = drawn(*near)
    assert placed(trend) == [
        ("event 4 that says a lot", "right", 0),
        ("event 3 that says a lot", "right", 1),
        ("event 2 that says a lot", "right", 2),
    ]
    assert len(named(trend, "shapes", "event")) == 5


def test_two_events_of_one_day_are_both_read():
    assert placed(drawn((60, "one"), (60, "two"))) == [("two", "left", 0), ("one", "left", 1)]
