"""The touchpoint pages: who may see them, what the form refuses, what is shown of the answers."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from feedback.models import Campaign, Exposure, Touchpoint
from feedback.snippets import Asked, newsletter_html, page_snippet
from insights.accounts import Role
from insights.touchpoint_forms import TouchpointForm
from tests.insights.makers import give, make_category, make_product
from tests.insights.test_import_views import signed_in, text
from tests.makers import make_customer, make_touchpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return signed_in(Role.MARKETER)


def address(touchpoint: Touchpoint, name: str = "touchpoint") -> str:
    return reverse(name, args=[touchpoint.key])


def create(staff: Client, **given):
    return staff.post(reverse("new_touchpoint"), {"name": "Returns", "scale": "thumb"} | given)


def errors(response) -> dict[str, list[str]]:
    with translation.override("en"):
        return {name: list(found) for name, found in response.context["form"].errors.items()}


def show(touchpoint: Touchpoint, campaign: int = 0, days_ago: int = 0, **counts: int) -> None:
    day = timezone.localdate() - timedelta(days=days_ago)
    for kind, n in counts.items():
        Exposure.objects.create(
            touchpoint=touchpoint, day=day, kind=kind, campaign_id=campaign, n=n
        )


def figures(response) -> str:
    """The words of the panel with the answers."""
    panel = response.content.decode().split('id="figures"', 1)[1].split("</section>", 1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", panel).replace("\xa0", " ").split())


# -- Who may --------------------------------------------------------------------------------------

REQUESTS = [
    (name, method)
    for name in ("touchpoints", "new_touchpoint", "touchpoint", "edit_touchpoint")
    for method in ("GET", "POST")
    if (name, method) != ("touchpoints", "POST")
]


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.MARKETER], {}, True, id="marketer"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.CONSENT_ADMIN], {}, False, id="consent admin"),
        pytest.param([], {}, False, id="no role"),
    ],
)
def test_marketers_and_administrators_set_up_touchpoints(roles, given, may):
    touchpoint = make_touchpoint()
    client = signed_in(*roles, **given)
    for name, method in REQUESTS:
        path = reverse(name, args=[touchpoint.key] if "new" not in name and name[-1] == "t" else [])
        response = client.generic(method, path)
        assert response.status_code == (200 if may else 403), f"{method} {name}"
        assert not may or "no-store" in response["Cache-Control"]
    assert (reverse("touchpoints") in client.get("/").content.decode()) is may


def test_a_stranger_is_asked_to_sign_in():
    assert Client().get(address(make_touchpoint())).status_code == 302


@pytest.mark.parametrize("name", ["touchpoint", "edit_touchpoint"])
def test_a_touchpoint_that_is_not_there(staff, name):
    assert staff.get(reverse(name, args=["thumb-000000000000"])).status_code == 404


# -- The form -------------------------------------------------------------------------------------


def test_a_name_and_a_scale_are_enough(staff):
    response = create(staff)
    made = Touchpoint.objects.get()
    assert response.url == address(made)
    assert (made.name, made.scale, made.origins, made.labels) == ("Returns", "thumb", [], "")
    assert made.key.startswith("thumb-")


def test_everything_that_was_chosen_is_stored(staff):
    product, category = make_product("PH-1"), make_category("Phones")
    create(
        staff,
        question_nl="Duidelijk?",
        question_en="Clear?",
        thanks_nl="Dank.",
        labels="good",
        product="ph-1",
        category=category.pk,
        origins="https://Shop.example/returns\r\n\r\nhttp://localhost:8080",
        theme="dark",
        accent="#3C48B8",
        counts_exposures="on",
    )
    made = Touchpoint.objects.get()
    assert (made.question_nl, made.question_en, made.thanks_nl) == ("Duidelijk?", "Clear?", "Dank.")
    assert (made.labels, made.product, made.category) == ("good", product, category)
    assert made.origins == ["http://localhost:8080", "https://shop.example"]
    assert (made.theme, made.accent, made.counts_exposures) == ("dark", "#3c48b8", True)


def test_a_ready_made_question_brings_its_scale_and_words(staff):
    create(staff, ready="control", scale="")
    made = Touchpoint.objects.get()
    assert (made.scale, made.labels) == ("thumb", "agree")
    assert made.question_nl == "Ik heb genoeg controle over mijn gegevens"
    assert made.question_en == "I have enough control over my data"


def test_what_was_written_beats_the_ready_made_question(staff):
    create(staff, ready="email", question_nl="Wat vond je?", question_en="Well?", labels="")
    made = Touchpoint.objects.get()
    assert (made.question_nl, made.labels) == ("Wat vond je?", "")


def test_words_on_thumbs_are_not_kept_for_a_score(staff):
    create(staff, scale="nps", labels="good")
    assert Touchpoint.objects.get().labels == ""


REFUSED = [
    pytest.param({"name": ""}, "name", "This field is required.", id="no name"),
    pytest.param(
        {"name": "Taken"},
        "name",
        "There is a touchpoint named “Taken” already. Choose another name.",
        id="name taken",
    ),
    pytest.param(
        {"scale": ""}, "scale", "Choose a scale, or a ready-made question above.", id="no scale"
    ),
    pytest.param(
        {"ready": "recommend"},
        "scale",
        "The question you chose has another scale: NPS, 0 to 10.",
        id="another scale",
    ),
    pytest.param(
        {"question_en": "Clear?"},
        "question_nl",
        "Write it in this language too, or visitors get a different question.",
        id="one language",
    ),
    pytest.param(
        {"origins": "https://a.example\nshop.example"},
        "origins",
        "“shop.example” is not the address of a site. Write each one in full, as "
        "https://www.shop.example, without a star, name or password.",
        id="half an address",
    ),
    pytest.param(
        {"accent": "#f2b705"},
        "accent",
        "Contrast with white is 1.8 : 1. Text needs 4.5 : 1; try #957103.",
        id="pale colour",
    ),
    pytest.param(
        {"accent": "red"},
        "accent",
        "“red” is not a colour. Write a # and six signs, as #3c48b8.",
        id="no colour",
    ),
    pytest.param(
        {"product": "X9"},
        "product",
        "There is no product with the code “X9”. Check it, or leave it empty.",
        id="no product",
    ),
]


@pytest.mark.parametrize(("given", "field", "words"), REFUSED)
def test_what_is_refused_is_said_at_its_field_and_stores_nothing(staff, given, field, words):
    make_touchpoint(name="Taken")
    response = create(staff, **given)
    assert response.status_code == 200
    assert errors(response) == {field: [words]}
    assert f'href="#id_{field}"' in response.content.decode()
    assert Touchpoint.objects.count() == 1


def test_a_colleague_who_took_the_name_meanwhile_is_named():
    form = TouchpointForm({"name": "Returns", "scale": "thumb"})
    assert form.is_valid()
    make_touchpoint(name="Returns")
    with translation.override("en"):
        assert form.save(timezone.now()) is None
        assert "named “Returns” already" in str(form.errors["name"][0])


def test_a_change_keeps_scale_and_key_and_says_if_the_snippet_changed(staff):
    touchpoint = make_touchpoint(name="Returns", scale="nps")
    same = {"name": "Returned goods", "thanks_nl": "Dank."}
    page = staff.post(address(touchpoint, "edit_touchpoint"), same, follow=True)
    assert "The snippet stays the same." in text(page)
    other = same | {"theme": "dark", "scale": "thumb", "labels": "good"}
    page = staff.post(address(touchpoint, "edit_touchpoint"), other, follow=True)
    assert "The snippet changed: paste it again where you use it." in text(page)
    changed = Touchpoint.objects.get()
    assert (changed.key, changed.scale, changed.labels) == (touchpoint.key, "nps", "")
    assert (changed.name, changed.theme) == ("Returned goods", "dark")


def test_the_form_shows_what_is_stored_and_only_questions_of_its_scale(staff):
    touchpoint = make_touchpoint(origins=["https://a.example", "https://b.example"])
    form = staff.get(address(touchpoint, "edit_touchpoint")).context["form"]
    assert form["origins"].value() == "https://a.example\nhttps://b.example"
    assert [key for key, _ in form.fields["ready"].choices[1][1]] == ["recommend"]


# -- The list -------------------------------------------------------------------------------------


def test_an_empty_list_says_how_to_begin(staff):
    page = staff.get(reverse("touchpoints"))
    assert "You do not ask anywhere yet" in text(page)
    assert page.content.decode().count(reverse("new_touchpoint")) == 1


def test_the_list_shows_figures_and_hides_tiny_ones(staff):
    today = timezone.localdate()
    for name, up, down in (("Many", 24, 8), ("Some", 5, 4), ("Few", 2, 1), ("None", 0, 0)):
        touchpoint = make_touchpoint(name=name, scale="thumb")
        give("thumb", [1] * up + [0] * down, today, touchpoint=touchpoint)
    give("thumb", [0] * 90, today - timedelta(days=30), touchpoint=touchpoint)
    page = text(staff.get(reverse("touchpoints")))
    assert "Many Hosted question only Thumb 32 Thumbs up 75.0 % 57.9 to 86.7" in page
    assert "Few Hosted question only Thumb Not shown" in page
    # Or Few would follow from the total on the overview.
    assert "Some Hosted question only Thumb Not shown" in page
    assert "None Hosted question only Thumb 0 – –" in page


LIST_QUERIES = 10


def test_the_list_takes_the_same_queries_with_one_and_three(staff, django_assert_num_queries):
    def one_more():
        touchpoint = make_touchpoint(scale="thumb")
        give("thumb", [1] * 9, timezone.localdate(), touchpoint=touchpoint)

    one_more()
    with django_assert_num_queries(LIST_QUERIES):
        staff.get(reverse("touchpoints"))
    one_more()
    one_more()
    with django_assert_num_queries(LIST_QUERIES):
        staff.get(reverse("touchpoints"))


# -- One touchpoint -------------------------------------------------------------------------------

PAGE_QUERIES = 17


def test_the_page_takes_the_same_queries_with_one_and_three(staff, django_assert_num_queries):
    touchpoint = make_touchpoint(scale="thumb")

    def one_more(number: int):
        campaign = Campaign.objects.create(
            key=f"c{number}", name=f"Mail {number}", created_at=timezone.now()
        )
        show(touchpoint, campaign.pk, opened=20, confirmed=10)
        give("thumb", [1] * 10, timezone.localdate(), touchpoint=touchpoint)

    one_more(1)
    with django_assert_num_queries(PAGE_QUERIES):
        staff.get(address(touchpoint))
    one_more(2)
    one_more(3)
    with django_assert_num_queries(PAGE_QUERIES):
        staff.get(address(touchpoint))


def senders(staff, touchpoint) -> str:
    """The words of the table that shows known customers apart; empty without one."""
    page = staff.get(address(touchpoint)).content.decode()
    table = page.partition('id="senders"')[2].partition("</table>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", table).split())


def test_the_answers_of_known_customers_are_shown_apart(staff):
    touchpoint, noor = make_touchpoint(scale="thumb"), make_customer()
    today = timezone.localdate()
    give("thumb", [1] * 30 + [0] * 10, today, touchpoint=touchpoint, customer=noor)
    give("thumb", [1] * 6, today, touchpoint=touchpoint)
    words = senders(staff, touchpoint).replace("\xa0", " ")
    assert "Known customers 40 75.0 % 59.8 to 85.8" in words
    assert "Anonymous 6 – 61.0 to 100.0" in words
    assert "Imported" not in words


def test_imported_answers_are_no_votes_of_known_customers(staff):
    touchpoint, noor = make_touchpoint(scale="thumb"), make_customer()
    today = timezone.localdate()
    give("thumb", [1] * 8, today, touchpoint=touchpoint, customer=noor, imported=True)
    give("thumb", [1] * 7, today, touchpoint=touchpoint)
    words = senders(staff, touchpoint)
    assert "Known customers 0 – – Anonymous 7 –" in words
    assert "Imported from a file 8 –" in words


@pytest.mark.parametrize(("known", "anonymous"), [(4, 40), (40, 1), (3, 3)])
def test_a_few_of_one_kind_are_hidden_with_what_would_tell_them(staff, known, anonymous):
    touchpoint, today = make_touchpoint(scale="thumb"), timezone.localdate()
    give("thumb", [1] * known, today, touchpoint=touchpoint, customer=make_customer())
    give("thumb", [1] * anonymous, today, touchpoint=touchpoint)
    words = senders(staff, touchpoint)
    assert words.count("Not shown, nobody can be recognised") == 2
    assert str(known) not in words


def test_under_five_answers_nothing_is_shown_apart(staff):
    touchpoint = make_touchpoint(scale="thumb")
    give("thumb", [1] * 4, timezone.localdate(), touchpoint=touchpoint, customer=make_customer())
    assert senders(staff, touchpoint) == ""


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_snippets_are_those_of_the_command_line(staff, settings, language):
    touchpoint = make_touchpoint(scale="thumb", labels="good")
    page = html.unescape(staff.get(address(touchpoint), {"lang": language}).content.decode())
    asked = Asked.at(touchpoint, language, settings.BASE_URL)
    assert page_snippet(asked) in page
    assert newsletter_html(asked) in page
    assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}"', page)


@pytest.mark.parametrize(
    "query", ["?lang=fr", "?lang=", "?c=nothing", "?c=", "?c=%00", "?lang=en&c=x&c=y"]
)
def test_any_address_of_the_page_gives_a_page(staff, query):
    assert staff.get(address(make_touchpoint()) + query).status_code == 200


def test_names_and_questions_are_text_wherever_they_stand(staff):
    evil = "</script><img src=x onerror=alert(1)>"
    touchpoint = make_touchpoint(name=evil, question_nl=evil, question_en=evil, thanks_en=evil)
    Campaign.objects.create(key="c1", name=evil, created_at=timezone.now())
    show(touchpoint, Campaign.objects.get().pk, opened=9)
    for path in (
        reverse("touchpoints"),
        address(touchpoint) + "?c=c1",
        address(touchpoint, "edit_touchpoint"),
    ):
        page = staff.get(path).content.decode()
        assert "img src=x" in page
        assert "<img" not in page, path


def test_without_addresses_the_page_says_where_answers_come_from(staff):
    words = "Answers come in from the hosted question only"
    assert words in text(staff.get(address(make_touchpoint())))
    assert words not in text(staff.get(address(make_touchpoint(origins=["https://shop.example"]))))


def test_the_figures_are_of_this_touchpoint_and_the_last_30_days(staff):
    touchpoint = make_touchpoint(name="Returns", scale="thumb")
    today = timezone.localdate()
    give("thumb", [1] * 24 + [0] * 8, today, touchpoint=touchpoint)
    give("thumb", [0] * 40, today - timedelta(days=30), touchpoint=touchpoint)
    give("thumb", [0] * 40, today, touchpoint=make_touchpoint(scale="thumb"))
    response = staff.get(address(touchpoint))
    words = figures(response)
    assert "58 to 87 · 32 answers" in words
    assert "Up, and not by chance" in words
    assert "Thumbs up 24 Thumbs down 8" in words
    link = response.context["figures"].link
    assert link.startswith("/?period=own&touchpoint=Returns&from=")
    assert "75.0 %" in text(staff.get(link))


def test_counts_by_outcome_wait_until_the_figure_may_be_shown(staff):
    touchpoint = make_touchpoint(scale="thumb")
    give("thumb", [1] * 8 + [0], timezone.localdate(), touchpoint=touchpoint)
    assert "9 answers: too few to say" in figures(staff.get(address(touchpoint)))
    assert staff.get(address(touchpoint)).context["figures"].outcomes == []


RATES = [
    pytest.param(False, {}, "Not measured This touchpoint does not count", id="off"),
    pytest.param(True, {}, "Not measured It was not shown yet", id="never shown"),
    pytest.param(
        True, {"shown": 3, "answered": 9}, "the snippet on a page is older", id="old snippet"
    ),
    pytest.param(True, {"shown": 4}, "Not shown, nobody can be recognised", id="tiny"),
    pytest.param(True, {"shown": 20, "answered": 5}, "11 to 47 · 5 of 20 times shown", id="few"),
    pytest.param(
        True, {"shown": 412, "answered": 70}, "17 % 14 to 21 · 70 of 412 times shown", id="many"
    ),
]


@pytest.mark.parametrize(("counts", "seen", "words"), RATES)
def test_the_response_rate_is_shown_where_it_is_measured(staff, counts, seen, words):
    touchpoint = make_touchpoint(scale="thumb", counts_exposures=counts)
    show(touchpoint, **seen)
    show(touchpoint, days_ago=30, shown=900)
    show(make_touchpoint(), shown=900)
    assert words in figures(staff.get(address(touchpoint))).replace("17 %", "17 %")


def test_opened_links_stand_apart_for_each_sending(staff):
    touchpoint = make_touchpoint(scale="thumb")
    made = {"created_at": timezone.now()}
    may = Campaign.objects.create(key="c1", name="May", **made)
    june = Campaign.objects.create(key="c2", name="June", **made)
    show(touchpoint, opened=30, confirmed=12)
    show(touchpoint, may.pk, opened=40, confirmed=14)
    show(touchpoint, june.pk, opened=4)
    words = figures(staff.get(address(touchpoint)))
    assert "June Not shown, nobody can be recognised" in words
    assert "May 40 14 26" in words
    assert "Links without a name 30 12 18" in words


def test_few_confirmed_answers_are_hidden_with_a_row_that_would_tell_them(staff):
    touchpoint = make_touchpoint(scale="thumb")
    may = Campaign.objects.create(key="c1", name="May", created_at=timezone.now())
    show(touchpoint, opened=30, confirmed=12)
    show(touchpoint, may.pk, opened=40, confirmed=2)
    assert figures(staff.get(address(touchpoint))).count("Not shown") == 2


def test_nothing_was_opened(staff):
    assert "No link in a mail was opened." in figures(staff.get(address(make_touchpoint())))


# -- Sendings -------------------------------------------------------------------------------------


def test_a_named_sending_is_in_the_links(staff):
    touchpoint = make_touchpoint(scale="thumb")
    response = staff.post(address(touchpoint) + "?lang=en", {"name": "Newsletter May"})
    campaign = Campaign.objects.get()
    assert response.url == f"{address(touchpoint)}?lang=en&c={campaign.key}#newsletter"
    page = html.unescape(staff.get(response.url).content.decode())
    assert page.count(f"?lang=en&v=1&c={campaign.key}") == 1
    assert page.count(f"?lang=en&amp;v=1&amp;c={campaign.key}") == 1
    assert "The links below carry “Newsletter May”." in page


def test_a_name_that_is_known_leads_to_the_links_it_had(staff):
    touchpoint = make_touchpoint()
    first = staff.post(address(touchpoint), {"name": "Newsletter May"}).url
    again = staff.post(address(touchpoint), {"name": "Newsletter May"}, follow=True)
    assert again.redirect_chain[0][0] == first
    assert "these are its links again" in text(again)
    assert Campaign.objects.count() == 1


def test_a_sending_needs_a_name(staff):
    page = staff.post(address(make_touchpoint()), {"name": " "})
    assert "This field is required." in text(page)
    assert Campaign.objects.count() == 0
