"""What moved: which slices are named, in which order, since when, and where their link leads."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from insights.dashboard import overview
from insights.dashboard.moved import LOOKED_AT, MOST, MovedPanel
from insights.dashboard.selection import SLICES, Selection, preset
from insights.forms import FilterForm
from insights.periods import previous, year_before
from insights.queries import filter_choices
from tests.insights.makers import TODAY, answer, ask, give
from tests.makers import make_category, make_product, make_touchpoint

BEFORE = TODAY - timedelta(weeks=14)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def choose(**given) -> Selection:
    facts = {"period": preset("13w", TODAY), "preset": "13w", "where": {}, "names": {}}
    return Selection(**facts | {"kpi": "thumbs", "slice": "category", "today": TODAY} | given)


def panel_of(**given) -> MovedPanel:
    return overview(choose(**given)).moved


def thumbs(up: int, down: int, on: date = TODAY, **given) -> None:
    give("thumb", [1] * up + [0] * down, on, **given)


def names(panel: MovedPanel) -> list[str]:
    return [finding.row.label for finding in panel.findings]


def printed(panel: MovedPanel) -> str:
    return " ".join(render_to_string("insights/_moved.html", {"moved": panel}).split())


# -- Which are named ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_moved_for_sure_is_named_and_the_surest_comes_first():
    for name, now, before in (
        ("Phones", (50, 50), (80, 20)),
        ("Mats", (80, 20), (80, 20)),
        ("Laptops", (95, 5), (50, 50)),
    ):
        category = make_category(name=name)
        thumbs(*now, category=category)
        thumbs(*before, on=BEFORE, category=category)
    panel = panel_of()
    assert names(panel) == ["Laptops", "Phones"]
    assert [finding.title.replace("\N{NO-BREAK SPACE}", " ") for finding in panel.findings] == [
        "Laptops: Thumbs up 95 %, was 50 %",
        "Phones: Thumbs up 50 %, was 80 %",
    ]
    assert [finding.row.mood for finding in panel.findings] == ["good", "bad"]
    assert panel.findings[0].text.endswith("100 of 300 answers.")
    assert (panel.compared, panel.more) == (3, 0)


@pytest.mark.django_db
def test_a_finding_in_dutch():
    phones, mats = make_category(name="Telefoons"), make_category(name="Matten")
    for monday in range(26):
        day = date(2026, 6, 1) + timedelta(weeks=monday)
        happy = 8 if day < date(2026, 9, 7) else 4
        thumbs(happy, 10 - happy, on=min(day, TODAY), category=phones)
        thumbs(8, 2, on=min(day, TODAY), category=mats)
    with translation.override("nl"):
        [finding] = panel_of().findings
        assert finding.title == "Telefoons: Duimen omhoog 43%, was 80%"
        assert finding.text.startswith("Gedaald tussen ")
        assert finding.text.endswith(" 130 van de 260 antwoorden.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("channels", "found", "compared"),
    [
        pytest.param(("", ""), ["Phones"], 1, id="alone"),
        pytest.param(("web", "email"), [], 3, id="with two channels"),
    ],
)
def test_all_slices_of_all_kinds_are_judged_together(channels, found, compared):
    """Alone, p = 0.03 is enough; as one of three comparisons it is not (Holm)."""
    category = make_category(name="Phones")
    for channel, up in zip(channels, (35, 34), strict=True):
        thumbs(41, 9, category=category, channel=channel)
        thumbs(up, 50 - up, on=BEFORE, category=category, channel=channel)
    panel = panel_of()
    assert (names(panel), panel.compared) == (found, compared)


@pytest.mark.django_db
def test_each_kind_is_looked_at_but_products():
    slices = {
        "category": make_category(name="Phones"),
        "product": make_product(sku="P1"),
        "touchpoint": make_touchpoint(name="Mail", scale="thumb"),
        "channel": "email",
        "customer_type": "regular",
    }
    thumbs(20, 80, **slices)
    thumbs(90, 10, on=BEFORE, **slices)
    panel = panel_of()
    assert {finding.kind for finding in panel.findings} == {
        "Category",
        "Channel",
        "Customer type",
        "Touchpoint",
    }
    assert panel.compared == len(LOOKED_AT)
    chosen = {"category": "Phones", "channel": "email"}
    kinds = [one.kind for one in panel_of(where=chosen, names=chosen).findings]
    assert sorted(kinds) == ["Customer type", "Touchpoint"]


@pytest.mark.django_db
def test_answers_without_a_category_are_no_finding():
    thumbs(20, 80)
    thumbs(90, 10, on=BEFORE)
    panel = panel_of()
    assert (panel.findings, panel.compared) == ([], 0)
    thumbs(20, 80, category=make_category(name="Phones"))
    thumbs(90, 10, on=BEFORE, category=make_category(name="Mats"))
    assert panel_of().compared == 0


@pytest.mark.django_db
def test_a_list_ends_after_five_and_says_how_many_more_moved():
    for number in range(MOST + 2):
        category = make_category(name=f"C{number}")
        thumbs(10 + number, 90, category=category)
        thumbs(90, 10, on=BEFORE, category=category)
    panel = panel_of()
    assert (len(panel.findings), panel.more, panel.compared) == (MOST, 2, MOST + 2)
    assert names(panel) == ["C0", "C1", "C2", "C3", "C4"]
    assert "2 more moved; the surest are listed. Judged as one of 7 comparisons" in printed(panel)
    with translation.override("nl"):
        words = printed(panel)
    assert "Nog 2 veranderden; de zekerste staan hier." in words
    assert "Beoordeeld als een van 7 vergelijkingen" in words


# -- Small counts, few answers, none ------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "before", "compared"),
    [
        pytest.param(30, 30, 1, id="30 and 30"),
        pytest.param(29, 30, 0, id="29 now"),
        pytest.param(30, 29, 0, id="29 before"),
        pytest.param(30, 0, 0, id="none before"),
        pytest.param(0, 30, 0, id="none now"),
    ],
)
def test_a_slice_is_compared_from_thirty_answers_on_both_sides(now, before, compared):
    category = make_category(name="Phones")
    thumbs(0, now, category=category)
    thumbs(before, 0, on=BEFORE, category=category)
    thumbs(50, 50)
    thumbs(50, 50, on=BEFORE)
    panel = panel_of()
    assert (panel.compared, names(panel)) == (compared, ["Phones"] * compared)


@pytest.mark.django_db
def test_a_slice_that_is_hidden_for_another_one_is_no_finding():
    """Else it would stand here with how many answered, and the other would follow."""
    laptops, phones, parts = (make_category(name=name) for name in ("Laptops", "Phones", "Parts"))
    for category, fell in ((laptops, 60), (phones, 50)):
        thumbs(0, fell, category=category)
        thumbs(fell, 0, on=BEFORE, category=category)
    thumbs(65, 0, category=parts)
    assert names(panel_of()) == ["Laptops", "Phones"]
    thumbs(0, 3, category=make_category(name="Cards"))
    panel = panel_of()
    assert (names(panel), panel.compared) == (["Laptops"], 1)


@pytest.mark.django_db
@pytest.mark.parametrize("n", [0, 4, 29])
def test_under_thirty_answers_nothing_is_looked_at(n):
    category = make_category(name="Phones")
    thumbs(0, n, category=category)
    thumbs(90, 10, on=BEFORE, category=category)
    panel = panel_of()
    assert (panel.findings, panel.more, panel.compared) == ([], 0, 0)
    words = printed(panel)
    assert "Too few answers to compare" in words
    with translation.override("nl"):
        assert "Te weinig antwoorden om te vergelijken" in printed(panel)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("categories", "english"),
    [(1, "1 comparison was made"), (2, "2 comparisons were made")],
)
def test_where_nothing_moved_it_says_what_was_compared(categories, english):
    for _ in range(categories):
        category = make_category()
        thumbs(40, 40, category=category)
        thumbs(40, 40, on=BEFORE, category=category)
    panel = panel_of()
    assert (panel.findings, panel.compared) == ([], categories)
    assert "Nothing moved more than chance allows" in printed(panel)
    assert english in printed(panel)
    with translation.override("nl"):
        assert "Niets veranderde, behalve door toeval" in printed(panel)


# -- Against what, and since when ---------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("against", "before"), [("previous", previous), ("year", year_before)], ids=str
)
def test_it_compares_with_the_period_that_was_chosen(against, before):
    category = make_category(name="Phones")
    thumbs(20, 80, category=category)
    thumbs(90, 10, on=before(preset("13w", TODAY)).start, category=category)
    assert names(panel_of(against=against)) == ["Phones"]
    assert panel_of(against={"previous": "year", "year": "previous"}[against]).compared == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        pytest.param((2, 38), (38, 2), "Fell in the week of 7 September.", id="fell"),
        pytest.param((38, 2), (2, 38), "Rose in the week of 7 September.", id="rose"),
    ],
)
def test_a_category_says_in_which_week_it_took_its_step(now, before, words):
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    for week in range(26):
        day = min(date(2026, 6, 1) + timedelta(weeks=week), TODAY)
        thumbs(*(before if day < date(2026, 9, 7) else now), on=day, category=phones)
        thumbs(30, 10, on=day, category=mats)
    [finding] = panel_of().findings
    assert finding.text == f"{words} 520 of 1\N{NO-BREAK SPACE}040 answers."


@pytest.mark.django_db
def test_a_slice_without_a_line_says_only_how_many_answered():
    """Beside categories, touchpoints have no line: not even one with the number of a category."""
    for name, low in (("Phones", 2), ("Mats", 30)):
        category = make_category(name=name)
        touchpoint = make_touchpoint(name=f"{name} mail", scale="thumb", pk=category.pk)
        for week in range(26):
            day = min(date(2026, 6, 1) + timedelta(weeks=week), TODAY)
            up = low if day >= date(2026, 9, 7) else 30
            thumbs(up, 40 - up, on=day, category=category, touchpoint=touchpoint)
    texts = {one.kind: one.text for one in panel_of().findings}
    assert texts["Category"].startswith("Fell in the week of 7 September. ")
    assert texts["Touchpoint"] == "520 of 1\N{NO-BREAK SPACE}040 answers."


@pytest.mark.django_db
def test_a_response_rate_moves_too():
    phones = make_category(name="Phones")
    for on, answered in ((TODAY, 10), (BEFORE, 60)):
        answer(ask(100, on=on, category=phones, channel="email")[:answered], on=on)
    assert sorted(names(panel_of(kpi="response_rate"))) == ["E-mail", "Phones"]


# -- Where the link leads -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_link_leads_into_the_slice_cut_by_something_that_is_not_chosen_yet():
    slices = {
        "category": make_category(name="Phones & more"),
        "product": make_product(sku="P1"),
        "touchpoint": make_touchpoint(name="Mail", scale="thumb"),
        "channel": "email",
        "customer_type": "regular",
    }
    thumbs(20, 80, **slices)
    thumbs(90, 10, on=BEFORE, **slices)
    keys = {
        "category": "Phones & more",
        "product": "P1",
        "touchpoint": "Mail",
        "channel": "email",
        "customer_type": "regular",
    }
    looked_at = 0
    for chosen in ([], ["category"], ["customer_type"], ["category", "customer_type"], SLICES[:4]):
        where = {name: keys[name] for name in chosen}
        for finding in panel_of(where=where, names=where, against="previous").findings:
            address = urlsplit(finding.link)
            form = FilterForm(
                {name: value for name, [value] in parse_qs(address.query).items()},
                choices=filter_choices(),
                today=TODAY,
            )
            selection = form.selection()
            kind = next(name for name in selection.where if name not in where)
            assert (address.path, form.errors) == ("/satisfaction/", {})
            assert selection.where == where | {kind: keys[kind]}
            assert selection.kpi == "thumbs"
            assert (selection.slice in selection.where) is (len(selection.where) == len(SLICES))
            looked_at += 1
    assert looked_at == 4 + 3 + 3 + 2 + 1
