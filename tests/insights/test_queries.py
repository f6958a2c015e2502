"""KPIs from the database: which answers are in a row, and what stands in the document."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product as combinations

import pytest
from django.utils import translation

from customers.models import Category, CustomerType
from feedback import tallies
from feedback.models import Response
from feedback.queries import UnknownKey
from feedback.services import Answer, add_responses, edit_response, submit_response
from insights import queries, services
from insights.kpis import KPIS, change, figure, verdicts
from insights.periods import Period, previous, split
from insights.queries import UnknownSlice, kpi_document, kpi_rows
from tests.insights.makers import (
    NOW,
    TODAY,
    TOMORROW,
    answer,
    ask,
    give,
    local,
    make_category,
    make_customer,
    make_product,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db

JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 3, 1))


def document(kpi: str, **given) -> dict:
    """The document as a reader gets it: through JSON."""
    given = {"start": None, "end": None, "today": TODAY} | given
    return json.loads(json.dumps(kpi_document(kpi, **given)))


def one(kpi: str, period: Period, **given) -> queries.KpiRow:
    """The only row of a KPI over a period."""
    [row] = kpi_rows(kpi, period.start, period.end, **given)
    return row


def counts_by_slice(kpi: str, dimension: str, **given) -> dict[str, int]:
    rows = kpi_rows(kpi, TODAY, TOMORROW, dimension=dimension, **given)
    return {row.slice: row.figure.n for row in rows}


# -- The document ------------------------------------------------------------------------------


def test_a_document_has_the_keys_of_the_contract():
    give("nps", [10, 9, 9, 8, 0])
    made = document("nps")
    [row] = made["rows"]
    assert list(made) == ["kpi", "definition", "time_zone", "rows"]
    assert made["kpi"] == "nps"
    assert made["definition"] == KPIS["nps"].definition
    assert made["time_zone"] == "Europe/Amsterdam"
    assert list(row) == ["start", "end", "slice", "n", "value", "low", "high", "counts"]
    assert row["counts"] == {"promoters": 3, "passives": 1, "detractors": 1}
    assert (row["n"], row["value"], row["slice"]) == (5, 40.0, None)


@pytest.mark.parametrize(
    ("kpi", "scale", "values", "counts", "value"),
    [
        ("nps", "nps", [9, 8, 0], {"promoters": 1, "passives": 1, "detractors": 1}, 0),
        ("nps", "nps", [9, 9, 0], {"promoters": 2, "passives": 0, "detractors": 1}, 100 / 3),
        (
            "csat",
            "csat",
            [5, 4, 3, 1],
            {"satisfied": 2, "neutral": 1, "dissatisfied": 1},
            50,
        ),
        ("ces", "ces", [7, 5, 4, 3], {"easy": 2, "neutral": 1, "hard": 1}, 50),
        ("thumbs", "thumb", [1, 1, 0], {"up": 2, "down": 1}, 200 / 3),
    ],
)
def test_counts_have_every_outcome_and_values_are_not_rounded(kpi, scale, values, counts, value):
    give(scale, values)
    [row] = document(kpi)["rows"]
    assert row["counts"] == counts
    assert row["value"] == value
    made = figure(KPIS[kpi], counts)
    assert (row["low"], row["high"]) == (made.low, made.high)


def test_a_response_rate_counts_answered_and_silent():
    answer(ask(3)[:1])
    [row] = document("response_rate")["rows"]
    assert row["counts"] == {"answered": 1, "silent": 2}
    assert row["value"] == 100 / 3


def test_a_range_left_open_runs_from_the_first_answer_to_the_end_of_today():
    give("nps", [9], on=date(2026, 3, 5))
    give("thumb", [1], on=date(2020, 1, 1))
    give("nps", [9], on=TODAY)
    [row] = document("nps")["rows"]
    assert (row["start"], row["end"], row["n"]) == ("2026-03-05", "2026-11-25", 2)


def test_the_first_day_of_a_response_rate_is_that_of_the_first_invitation():
    ask(1, on=date(2026, 2, 3))
    give("nps", [9], on=date(2026, 1, 1))
    [row] = document("response_rate")["rows"]
    assert row["start"] == "2026-02-03"


def test_the_first_day_is_known_before_and_after_the_answers_are_folded():
    give("nps", [9], on=date(2026, 3, 5))
    tallies.fold_all()
    give("nps", [9], on=date(2026, 3, 4))
    assert document("nps")["rows"][0]["start"] == "2026-03-04"
    tallies.fold_all()
    assert document("nps")["rows"][0]["start"] == "2026-03-04"


EMPTY = {"n": 0, "value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("first", "end", "start_of_row"),
    [
        pytest.param(None, None, TODAY, id="no answers ever"),
        pytest.param(TODAY, date(2026, 3, 1), date(2026, 2, 28), id="an end before the first"),
        pytest.param(date(2027, 1, 1), None, TODAY, id="only answers from the future"),
    ],
)
def test_a_range_before_any_answer_is_one_empty_row(first, end, start_of_row):
    if first:
        give("nps", [9], on=first)
    [row] = document("nps", end=end)["rows"]
    assert row["start"] == start_of_row.isoformat()
    assert row["end"] == (end or TOMORROW).isoformat()
    assert {name: row[name] for name in EMPTY} == EMPTY
    assert row["counts"] == {"promoters": 0, "passives": 0, "detractors": 0}


@pytest.mark.parametrize(
    ("by", "days"),
    [
        pytest.param(
            "day",
            ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"],
            id="days",
        ),
        pytest.param("week", ["2026-01-30", "2026-02-02"], id="weeks start on Monday"),
        pytest.param("month", ["2026-01-30", "2026-02-01"], id="months"),
        pytest.param("quarter", ["2026-01-30"], id="a clipped quarter"),
        pytest.param("year", ["2026-01-30"], id="a clipped year"),
    ],
)
def test_periods_are_clipped_to_the_range(by, days):
    first, end = date(2026, 1, 30), date(2026, 2, 3)
    rows = document("nps", start=first, end=end, by=by)["rows"]
    assert [row["start"] for row in rows] == days
    assert [row["end"] for row in rows] == [*days[1:], end.isoformat()]


def test_mistake_4_a_week_without_answers_is_listed_and_is_no_nps_of_0():
    give("nps", [9] * 50 + [3] * 20, on=date(2026, 6, 1))
    give("nps", [9, 3], on=date(2026, 6, 15))
    rows = document("nps", start=date(2026, 6, 1), end=date(2026, 6, 22), by="week")["rows"]
    assert [(row["n"], row["value"]) for row in rows] == [(70, 300 / 7), (0, None), (2, 0)]
    assert rows[1]["low"] is None


def test_the_end_is_not_in_the_range():
    give("nps", [9], on=TODAY)
    assert one("nps", Period(TODAY - timedelta(days=1), TODAY)).figure.n == 0
    assert one("nps", Period(TODAY, TOMORROW)).figure.n == 1


# -- Slices ------------------------------------------------------------------------------------


def test_a_slice_is_named_by_its_public_key_and_empty_for_answers_without_one():
    phones = make_category("Telefoons")
    phone = make_product("85123A", name="Toestel", category=phones)
    shop = make_touchpoint("In de winkel")
    give("nps", [9] * 3, product=phone, touchpoint=shop, channel="web", customer_type="regular")
    give("nps", [9] * 2)
    assert counts_by_slice("nps", "product") == {"85123A": 3, "": 2}
    assert counts_by_slice("nps", "category") == {"Telefoons": 3, "": 2}
    assert counts_by_slice("nps", "touchpoint") == {"In de winkel": 3, "": 2}
    assert counts_by_slice("nps", "channel") == {"web": 3, "": 2}
    assert counts_by_slice("nps", "customer_type") == {"regular": 3, "": 2}


def test_every_slice_is_listed_in_every_period():
    give("nps", [9] * 2, on=date(2026, 1, 5), channel="web")
    give("nps", [9], on=date(2026, 2, 5), channel="email")
    rows = document("nps", start=JANUARY.start, end=FEBRUARY.end, by="month", dimension="channel")[
        "rows"
    ]
    assert [(row["start"], row["slice"], row["n"], row["value"]) for row in rows] == [
        ("2026-01-01", "web", 2, 100),
        ("2026-01-01", "email", 0, None),
        ("2026-02-01", "web", 0, None),
        ("2026-02-01", "email", 1, 100),
    ]


def test_keys_do_not_depend_on_the_language():
    give("nps", [9], channel="web")
    with translation.override("nl"):
        [row] = document("nps", dimension="channel")["rows"]
    assert row["slice"] == "web"


def test_a_reason_is_no_slice():
    with pytest.raises(UnknownSlice, match="'reason' is not something to slice by"):
        kpi_rows("nps", TODAY, TOMORROW, dimension="reason")
    with pytest.raises(UnknownSlice):
        kpi_rows("nps", TODAY, TOMORROW, where={"reason": "fun"})


@pytest.mark.parametrize(
    ("dimension", "words"),
    [
        ("product", "'nope' is not a known product. Use one of: 85123A."),
        ("category", "'nope' is not a known category. Use one of: Telefoons."),
        ("touchpoint", "'nope' is not a known touchpoint. Use one of: none yet."),
        ("channel", "'nope' is not a known channel. Use one of: email, web, phone, sms, ad."),
        ("customer_type", "'nope' is not a known customer type. Use one of: contract, "),
    ],
)
def test_a_filter_on_something_unknown_is_refused_with_a_way_out(dimension, words):
    make_product("85123A", category=make_category("Telefoons"))
    with pytest.raises(UnknownKey) as refused:
        kpi_rows("nps", TODAY, TOMORROW, where={dimension: "nope"})
    assert str(refused.value).startswith(words)


def test_codes_and_names_are_found_in_any_case():
    give("nps", [9], product=make_product("85123A", category=make_category("Éclairs")))
    for where in ({"product": "85123a"}, {"category": "éCLAIRS"}):
        assert one("nps", Period(TODAY, TOMORROW), where=where).figure.n == 1


# -- Every reading against a count of the raw answers ---------------------------------------------


@pytest.fixture
def shop() -> None:
    """A hundred random answers over six weeks, some edited, in all combinations of dimensions."""
    rnd = random.Random(7)
    categories = [make_category("A"), make_category("B")]
    touchpoints = [make_touchpoint("T1"), make_touchpoint("T2")]
    products = [make_product(category=rnd.choice([None, *categories])) for _ in range(5)]
    given = add_responses(
        Answer(
            key=str(number),
            scale="nps",
            value=rnd.randint(0, 10),
            answered_at=local(date(2026, 10, 12)) + timedelta(days=rnd.randrange(42)),
            product=rnd.choice([None, *products]),
            category=rnd.choice([None, *categories]),
            touchpoint=rnd.choice([None, *touchpoints]),
            channel=rnd.choice(["", "web", "email"]),
            customer_type=rnd.choice(["", "regular"]),
            reason=rnd.choice(["", "fun"]),
        )
        for number in range(100)
    )
    for response in rnd.sample(given, 20):
        edit_response(response_id=response.pk, value=rnd.randint(0, 10), now=NOW)


PUBLIC: dict[str, Callable[[Response], str]] = {
    "product": lambda response: response.product.sku if response.product else "",
    "category": lambda response: response.category.name if response.category else "",
    "touchpoint": lambda response: response.touchpoint.name if response.touchpoint else "",
    "channel": lambda response: response.channel,
    "customer_type": lambda response: response.customer_type,
}

FILTERS = [
    pytest.param({}, id="no filter"),
    pytest.param({"channel": "web"}, id="one filter"),
    pytest.param({"channel": ""}, id="answers without one"),
    pytest.param({"category": "A", "channel": "web"}, id="two filters"),
    pytest.param(
        {"category": "", "touchpoint": "T1", "customer_type": "regular"}, id="three filters"
    ),
]


def counted_by_hand(
    answers: list[Response], periods: list[Period], dimension: str | None
) -> dict[tuple[date, str | None], Counter]:
    """Count the answers themselves; only what was found."""
    found: dict[tuple[date, str | None], Counter] = defaultdict(Counter)
    for response in answers:
        [start] = [p.start for p in periods if p.start <= response.answered_on < p.end]
        key = PUBLIC[dimension](response) if dimension else None
        found[start, key][KPIS["nps"].scale.outcome(response.value)] += 1
    return found


@pytest.mark.parametrize("folded", ["not folded", "half folded", "folded"])
@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.usefixtures("shop")
def test_every_reading_equals_a_count_of_the_answers(where, folded):
    if folded == "half folded":
        tallies.fold(limit=70)
    elif folded == "folded":
        tallies.fold_all()
    start, end = date(2026, 10, 15), date(2026, 11, 20)
    answers = [
        response
        for response in Response.objects.select_related("product", "category", "touchpoint")
        if start <= response.answered_on < end
        and all(PUBLIC[name](response) == key for name, key in where.items())
    ]
    assert answers
    for dimension, by in combinations([None, *PUBLIC], ["day", "week", "year"]):
        rows = kpi_rows("nps", start, end, by=by, dimension=dimension, where=where)
        found = {(row.period.start, row.slice): +Counter(row.figure.counts) for row in rows}
        expected = counted_by_hand(answers, split(start, end, by), dimension)
        assert {place: counts for place, counts in found.items() if counts} == expected


# -- Change and verdict -----------------------------------------------------------------------


def test_a_comparison_adds_the_change_its_interval_p_and_verdict():
    give("nps", [9] * 200 + [8] * 120 + [3] * 80, on=date(2026, 1, 5))
    give("nps", [9] * 170 + [8] * 130 + [3] * 100, on=date(2026, 2, 5))
    [row] = document("nps", start=FEBRUARY.start, end=FEBRUARY.end, compare="previous")["rows"]
    assert list(row)[-5:] == ["change", "change_low", "change_high", "p", "verdict"]
    assert row["change"] == -12.5
    assert (round(row["change_low"], 1), round(row["change_high"], 1)) == (-23.3, -1.5)
    assert (round(row["p"], 3), row["verdict"]) == (0.026, "down")


def test_without_a_comparison_nothing_is_said_about_change():
    give("nps", [9] * 50)
    assert "verdict" not in document("nps")["rows"][0]


@pytest.mark.parametrize(
    ("period", "before"),
    [
        pytest.param(FEBRUARY, JANUARY, id="a month with the month before it"),
        pytest.param(
            Period(date(2026, 2, 10), date(2026, 2, 20)),
            Period(date(2026, 1, 31), date(2026, 2, 10)),
            id="any range with as many days",
        ),
        pytest.param(
            Period(date(2026, 2, 2), date(2026, 2, 9)),
            Period(date(2026, 1, 26), date(2026, 2, 2)),
            id="a week with the week before it",
        ),
    ],
)
def test_the_period_before_is_the_equal_calendar_period(period, before):
    give("thumb", [1] * 40, on=period.start)
    give("thumb", [0] * 5, on=before.start)
    give("thumb", [0] * 6, on=before.end - timedelta(days=1))
    give("thumb", [0] * 100, on=before.start - timedelta(days=1))
    row = one("thumbs", period, compare="previous")
    assert (row.figure.n, row.before.n) == (40, 11)


@pytest.mark.parametrize(
    ("before", "verdict", "change"),
    [
        pytest.param(0, "too_few", None, id="nothing before"),
        pytest.param(29, "too_few", 0, id="29 before"),
        pytest.param(30, "no_change", 0, id="30 before"),
    ],
)
def test_too_few_is_said_and_nothing_is_no_change(before, verdict, change):
    give("nps", [9] * before, on=date(2026, 1, 5))
    give("nps", [9] * 30, on=date(2026, 2, 5))
    [row] = document("nps", start=FEBRUARY.start, end=FEBRUARY.end, compare="previous")["rows"]
    assert (row["verdict"], row["change"]) == (verdict, change)
    assert (row["p"] is None) == (change is None)


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        pytest.param([], "down", id="alone 0.021 passes"),
        pytest.param([200], "down", id="of two it passes 0.025"),
        pytest.param([200, 200], "no_change", id="of three it fails 0.0167"),
        pytest.param([200, 29, 29, 29], "down", id="rows under thirty do not weigh"),
    ],
)
def test_verdicts_are_corrected_for_the_rows_of_the_document(others, verdict):
    moved = make_category("Moved")
    give("thumb", [1] * 160 + [0] * 40, on=date(2026, 1, 5), category=moved)
    give("thumb", [1] * 140 + [0] * 60, on=date(2026, 2, 5), category=moved)
    for number in others:
        still = make_category()
        for period in (JANUARY, FEBRUARY):
            give("thumb", [1] * number, on=period.start, category=still)
    rows = kpi_rows(
        "thumbs", *(FEBRUARY.start, FEBRUARY.end), dimension="category", compare="previous"
    )
    row = next(row for row in rows if row.slice == "Moved")
    assert round(row.change.p, 3) == 0.021
    assert row.verdict == verdict


def test_periods_and_slices_are_corrected_together():
    rnd = random.Random(3)
    for channel, month in combinations(["web", "email"], range(1, 7)):
        share = 0.6 + 0.06 * (month % 3)
        values = [int(rnd.random() < share) for _ in range(150)]
        give("thumb", values, on=date(2026, month, 10), channel=channel)
    rows = kpi_rows(
        "thumbs",
        date(2026, 2, 1),
        date(2026, 7, 1),
        by="month",
        dimension="channel",
        compare="previous",
    )
    assert len(rows) == 10
    triples = [(row.before, row.figure, row.change) for row in rows]
    assert [row.verdict for row in rows] == verdicts(triples)
    assert triples == [
        (before, after, change(KPIS["thumbs"], before, after)) for before, after, _ in triples
    ]


def test_a_row_is_compared_with_the_row_before_it():
    for month, ups in ((1, 10), (2, 20), (3, 30)):
        give("thumb", [1] * ups, on=date(2026, month, 5))
    rows = kpi_rows("thumbs", JANUARY.start, date(2026, 4, 1), by="month", compare="previous")
    assert [(row.before.n, row.figure.n) for row in rows] == [(0, 10), (10, 20), (20, 30)]
    assert [row.before for row in rows[1:]] == [row.figure for row in rows[:-1]]


def test_a_slice_that_fell_silent_is_still_compared():
    give("thumb", [1] * 40, on=date(2026, 1, 5), channel="web")
    [row] = kpi_rows(
        "thumbs", FEBRUARY.start, FEBRUARY.end, dimension="channel", compare="previous"
    )
    assert (row.slice, row.figure.n, row.before.n, row.verdict) == ("web", 0, 40, "too_few")


# -- The response rate: cohorts -------------------------------------------------------------------


def test_mistake_6_an_answer_counts_in_the_month_of_its_invitation():
    january = ask(1_000, on=date(2026, 1, 10))
    answer(january[:140], on=date(2026, 1, 12))
    february = ask(100, on=date(2026, 2, 10))
    answer(january[140:200], on=date(2026, 2, 12))
    answer(february[:20], on=date(2026, 2, 12))
    rows = document("response_rate", start=JANUARY.start, end=FEBRUARY.end, by="month")["rows"]
    assert [(row["n"], row["value"]) for row in rows] == [(1_000, 20), (100, 20)]
    assert rows[0]["counts"] == {"answered": 200, "silent": 800}


@pytest.mark.parametrize("folded", [False, True], ids=["not folded", "folded"])
def test_mistake_5_a_filter_applies_to_the_invitations_and_the_answers_follow(folded):
    segment = make_category("Segment")
    answer(ask(200, category=segment, channel="email")[:40])
    answer(ask(800, category=make_category("Rest"), channel="email")[:200])
    if folded:
        tallies.fold_all()
    for where in ({"category": "Segment"}, {"category": "Segment", "channel": "email"}):
        row = one("response_rate", Period(TODAY, TOMORROW), where=where)
        assert (row.figure.n, row.figure.value) == (200, 20)
    assert one("response_rate", Period(TODAY, TOMORROW)).figure.value == 24


def test_the_segment_of_an_invitation_is_that_of_the_ask():
    """The answer came from the web; the invitation went by mail."""
    [invitation] = ask(1, channel="email")
    submit_response(
        Answer(
            key="a",
            scale="nps",
            value=9,
            answered_at=NOW,
            invitation=invitation,
            channel="web",
        )
    )
    assert counts_by_slice("response_rate", "channel") == {"email": 1}
    assert counts_by_slice("nps", "channel") == {"web": 1}


def test_where_nobody_was_invited_the_response_rate_is_not_measured():
    give("nps", [9] * 50)
    [row] = document("response_rate")["rows"]
    assert (row["n"], row["value"]) == (0, None)


# -- More of the known mistakes --------------------------------------


def test_mistake_2_a_changed_answer_counts_once_with_its_latest_value():
    for response in give("nps", [3] * 10 + [9] * 60 + [8] * 30)[:10]:
        edit_response(response_id=response.pk, reason="other", comment="…", now=NOW)
        edit_response(response_id=response.pk, value=4, now=NOW)
    row = one("nps", Period(TODAY, TOMORROW))
    assert (row.figure.n, row.figure.value) == (100, 50)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        pytest.param(local(date(2026, 7, 1), 0, 30), date(2026, 7, 1), id="00:30 on 1 July"),
        pytest.param(local(date(2026, 6, 30), 23, 59), date(2026, 6, 30), id="23:59 on 30 June"),
        pytest.param(local(date(2026, 3, 29), 0, 0), date(2026, 3, 29), id="the 23-hour day"),
        pytest.param(
            local(date(2026, 3, 29), 23, 59), date(2026, 3, 29), id="the end of the 23-hour day"
        ),
        pytest.param(local(date(2026, 3, 30), 0, 0), date(2026, 3, 30), id="the day after it"),
        pytest.param(
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25), id="02:30 for once"
        ),
        pytest.param(
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25), id="02:30 once more"
        ),
        pytest.param(
            datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
            date(2026, 10, 25),
            id="the end of the 25-hour day",
        ),
        pytest.param(
            datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26), id="midnight after it"
        ),
    ],
)
@pytest.mark.parametrize("folded", [False, True], ids=["not folded", "folded"])
def test_mistake_8_an_answer_counts_on_the_day_of_the_shop(moment, day, folded):
    [response] = give("nps", [9], at=moment)
    if folded:
        tallies.fold_all()
    assert response.answered_on == day
    rows = kpi_rows("nps", day - timedelta(days=2), day + timedelta(days=3), by="day")
    assert [row.period.start for row in rows if row.figure.n] == [day]
    months = kpi_rows("nps", date(2026, 1, 1), date(2027, 1, 1), by="month")
    assert [row.period.start.month for row in months if row.figure.n] == [day.month]


def test_mistake_8_both_days_that_change_the_clock_hold_all_their_hours():
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        midnight = local(day, 0).astimezone(UTC)
        for hour in range(-1, hours + 1):
            give("nps", [9], at=midnight + timedelta(hours=hour))
        rows = kpi_rows("nps", day - timedelta(days=1), day + timedelta(days=2), by="day")
        assert [row.figure.n for row in rows] == [1, hours, 1]


def test_another_organisation_has_other_days(settings):
    settings.TIME_ZONE = "America/New_York"
    [response] = give("nps", [9], at=local(date(2026, 7, 1), 0, 30))
    assert response.answered_on == date(2026, 6, 30)
    assert document("nps")["time_zone"] == "America/New_York"


def test_mistake_9_days_are_added_and_never_averaged():
    give("nps", [9] * 2, on=date(2026, 6, 1))
    give("nps", [9] * 39 + [8] * 20 + [3] * 39, on=date(2026, 6, 2))
    start, end = date(2026, 6, 1), date(2026, 6, 3)
    assert [row.figure.value for row in kpi_rows("nps", start, end, by="day")] == [100, 0]
    assert one("nps", Period(start, end)).figure.value == 2
    assert one("nps", Period(start, end), compare="previous").figure.value == 2


def test_mistake_9_scales_are_not_mixed():
    give("csat", [5, 4])
    give("ces", [7, 1])
    assert one("csat", Period(TODAY, TOMORROW)).figure.n == 2
    assert one("ces", Period(TODAY, TOMORROW)).figure.value == 50


def test_mistake_11_a_number_comes_with_its_interval_and_its_n():
    give("nps", [9] * 60 + [8] * 30 + [3] * 10)
    [row] = document("nps")["rows"]
    assert (row["value"], round(row["low"]), round(row["high"]), row["n"]) == (50, 35, 62, 100)


def test_mistake_15_an_answer_stays_in_the_segment_of_its_moment():
    customer = make_customer(customer_type=CustomerType.OCCASIONAL)
    give("nps", [9], customer=customer)
    customer.customer_type = CustomerType.REGULAR
    customer.save()
    give("nps", [9, 9], customer=customer)
    tallies.fold_all()
    assert counts_by_slice("nps", "customer_type") == {"regular": 2, "occasional": 1}


def test_mistake_15_a_product_that_moves_takes_no_old_answers_along():
    old, new = make_category("Old"), make_category("New")
    product = make_product(category=old)
    give("nps", [9], product=product)
    product.category = new
    product.save()
    give("nps", [9, 9], product=product)
    assert counts_by_slice("nps", "category") == {"New": 2, "Old": 1}


# -- What closed periods said -------------------------------------------------------------------


@pytest.fixture
def corrected() -> Category:
    """February was closed with 40 promoters; 10 detractors came in later."""
    category = make_category("A")
    given = {"category": category, "channel": "web"}
    give("nps", [9] * 40, on=date(2026, 2, 10), **given)
    give("nps", [9] * 40, on=date(2026, 3, 10), **given)
    tallies.fold_all()
    services.freeze_periods(local(date(2026, 6, 1)))
    give("nps", [3] * 10, on=date(2026, 2, 11), **given)
    tallies.fold_all()
    services.compute_kpis(NOW)
    return category


WAYS_TO_LOOK = [
    pytest.param({}, True, id="the whole"),
    pytest.param({"dimension": "category"}, True, id="a slice"),
    pytest.param({"where": {"category": "A"}}, True, id="a filter"),
    pytest.param({"dimension": "category", "where": {"category": "A"}}, True, id="both"),
    pytest.param({"where": {"channel": "web"}}, True, id="another filter"),
    pytest.param(
        {"dimension": "category", "where": {"channel": "web"}}, False, id="two dimensions"
    ),
    pytest.param({"where": {"category": "A", "channel": "web"}}, False, id="two filters"),
    pytest.param({"where": {"channel": "email"}}, False, id="a filter without answers"),
]


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize(("given", "noted"), WAYS_TO_LOOK)
def test_mistake_12_a_closed_period_does_not_change_silently(given, noted):
    rows = kpi_rows("nps", JANUARY.start, date(2026, 4, 1), by="month", **given)
    notes = {row.period.start.month: row.frozen for row in rows if row.frozen}
    assert set(notes) == ({2} if noted else set())
    if noted:
        row = next(row for row in rows if row.period == FEBRUARY)
        assert (row.figure.n, row.figure.value) == (50, 60)
        assert (row.frozen.figure.n, row.frozen.figure.value) == (40, 100)
        assert row.frozen.corrected_at == NOW


@pytest.mark.usefixtures("corrected")
def test_a_range_that_is_no_standard_period_has_no_note():
    assert one("nps", Period(date(2026, 2, 1), date(2026, 2, 15))).frozen is None
    assert one("nps", FEBRUARY).frozen is not None
    assert one("nps", previous(FEBRUARY)).frozen is None


# -- How many queries -----------------------------------------------------------------------------

READINGS = [
    pytest.param({}, 2, id="the whole"),
    pytest.param({"by": "day"}, 2, id="by day"),
    pytest.param({"compare": "previous"}, 2, id="with the period before"),
    pytest.param({"by": "day", "compare": "previous"}, 2, id="by day with the day before"),
    pytest.param({"dimension": "category"}, 3, id="by slice"),
    pytest.param(
        {"by": "day", "dimension": "category", "compare": "previous"}, 3, id="by day and slice"
    ),
    pytest.param({"dimension": "category", "where": {"channel": "web"}}, 2, id="from the cube"),
]


@pytest.mark.parametrize(("given", "number"), READINGS)
def test_a_reading_takes_the_same_queries_with_one_and_three_slices(
    given, number, django_assert_num_queries
):
    """The counts, the notes of closed periods, and the names of slices."""
    start, end = TODAY - timedelta(days=9), TOMORROW
    give("nps", [9], category=make_category(), channel="web")
    with django_assert_num_queries(number):
        kpi_rows("nps", start, end, **given)
    for _ in range(2):
        for days_ago in (0, 3, 8):
            day = TODAY - timedelta(days=days_ago)
            give("nps", [9] * 10, on=day, category=make_category(), channel="web")
    tallies.fold_all()
    with django_assert_num_queries(number):
        kpi_rows("nps", start, end, **given)


# -- What pages need beside the figures -----------------------------------------------------------


def test_only_kpis_with_answers_are_measured():
    assert queries.measured_kpis() == []
    give("thumb", [1])
    ask(1)
    assert queries.measured_kpis() == ["thumbs", "response_rate"]


def test_the_first_day_is_that_of_any_answer_or_invitation():
    assert queries.first_day() is None
    give("thumb", [1], on=date(2026, 5, 5))
    ask(1, on=date(2026, 4, 4))
    assert queries.first_day() == date(2026, 4, 4)


def test_the_choices_of_a_filter_are_sorted_by_name_and_carry_public_keys():
    for name in ("bank", "Auto", "auto's"):
        make_category(name)
    make_product("85123A", name="Toestel")
    make_product("9", name="")
    found = queries.filter_choices()
    assert found["category"] == [("Auto", "Auto"), ("auto's", "auto's"), ("bank", "bank")]
    assert found["product"] == [("9", "9"), ("85123A", "Toestel")]
    assert ("web", "Webpagina") in found["channel"]
    assert found["touchpoint"] == []


def test_the_choices_of_a_filter_take_the_same_queries_however_many(django_assert_num_queries):
    for _ in range(2):
        make_product(category=make_category())
        make_touchpoint()
        with django_assert_num_queries(6):
            queries.filter_choices()


def test_the_jobs_page_counts_what_waits():
    give("nps", [9, 9, 9])
    assert queries.job_overview().waiting_changes == 3
    tallies.fold_all()
    assert queries.job_overview().waiting_changes == 0
    services.record_job(name="sweep", seconds=1, error="")
    services.record_job(name="fold", seconds=1, error="")
    assert [run.name for run in queries.job_overview().runs] == ["fold", "sweep"]


def test_the_moment_of_the_count_is_that_of_the_last_fold():
    give("nps", [9])
    assert queries.counted_at() is None
    tallies.fold_all()
    first = queries.counted_at()
    tallies.fold_all()
    assert queries.counted_at() == first
