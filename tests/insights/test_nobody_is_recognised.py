"""Nobody is recognised: from all counts of one selection together no group of 1 to 4 follows.

The reader here is one who notes every count on the Overview, on Satisfaction and in their files,
who knows that a row of 0 is empty, and who adds and subtracts all of it. Random little shops, in
which most groups are small.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, combinations_with_replacement, pairwise, product

import numpy as np
import pytest
from django.conf import settings as conf
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils import timezone, translation
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customers.models import Category
from feedback.models import Reason
from feedback.services import add_responses
from insights.accounts import Role
from insights.dashboard import Overview, Satisfaction, overview, satisfaction
from insights.dashboard.grain import grain
from insights.dashboard.selection import Selection, preset
from insights.dashboard.tables import TABLES, table_rows
from insights.disclosure import shown_spans
from insights.exports import csv_file
from insights.kpis import KPIS
from insights.models import KpiSnapshot
from insights.periods import Period, enclosing
from tests.insights.makers import NOW, TODAY, TOMORROW, give, local
from tests.makers import an_answer, make_category

# -- What follows from what ------------------------------------------------------------------------

# Ranks are taken modulo a prime: exact for sums of zeros and ones as small as these.
PRIME = 2_147_483_647

Inside = Callable[..., bool]


class Reader:
    """Somebody who knows sums of cells. A cell is one value per axis: (days, slice, score)."""

    def __init__(self, axes: Sequence[Sequence[object]], counts: Mapping[tuple, int]) -> None:
        self.cells = [*product(*axes)]
        self.counts = np.array([counts.get(cell, 0) for cell in self.cells], dtype=np.int64)
        assert self.counts.sum() == sum(counts.values())
        self.empty = np.zeros(len(self.cells), dtype=bool)
        self.sums: list[np.ndarray] = []
        self.basis: list[tuple[int, np.ndarray]] = []

    def cells_of(self, inside: Inside) -> np.ndarray:
        return np.array([inside(*cell) for cell in self.cells], dtype=np.int64)

    def n(self, inside: Inside) -> int:
        return int(self.counts @ self.cells_of(inside))

    def learn(self, inside: Inside, n: int | None = None) -> None:
        """Note a sum; `n` is what was printed. A sum of 0 says that every cell of it is empty."""
        cells = self.cells_of(inside)
        found = int(self.counts @ cells)
        assert n in {None, found}
        if found:
            self.sums.append(cells)
        else:
            self.empty |= cells.astype(bool)

    def conclude(self) -> None:
        """Bring what is known into a form in which each sum has a cell of its own."""
        for cells in self.sums:
            rest = self._rest(cells)
            if rest.any():
                at = int(np.flatnonzero(rest)[0])
                self.basis.append((at, rest * pow(int(rest[at]), -1, PRIME) % PRIME))

    def knows(self, inside: Inside) -> bool:
        """Say whether the sum of these cells can be worked out."""
        return not self._rest(self.cells_of(inside)).any()

    def recognises(self, inside: Inside) -> bool:
        """Say whether these are 1 to 4 people, and the reader can tell."""
        return 0 < self.n(inside) < 5 and self.knows(inside)

    def _rest(self, cells: np.ndarray) -> np.ndarray:
        rest = np.where(self.empty, 0, cells)
        for at, known in self.basis:
            if rest[at]:
                rest = (rest - rest[at] * known) % PRIME
        return rest


def test_what_is_left_of_a_total_is_known_and_what_is_not_is_not():
    reader = Reader(["ab", "xyz"], {("a", "x"): 6, ("b", "x"): 1, ("b", "y"): 2})
    reader.learn(lambda _row, _column: True, 9)
    reader.learn(lambda row, _column: row == "a", 6)
    reader.learn(lambda _row, column: column == "z", 0)
    reader.conclude()
    assert reader.recognises(lambda row, _column: row == "b")
    assert reader.recognises(lambda row, column: row == "b" and column != "z")
    assert reader.knows(lambda _row, column: column == "z")
    assert not reader.knows(lambda row, column: (row, column) == ("b", "x"))


# -- A little shop, and what is asked of it --------------------------------------------------

CATEGORIES = ("A", "B", "C", "")
FEW, MANY = st.one_of(st.integers(1, 4), st.integers(1, 12)), st.sampled_from([20, 31, 40])
SCORES = {"nps": range(11), "csat": range(1, 6)}


@dataclass(frozen=True)
class Alike:
    """Answers that are alike; `days` ago they were given."""

    n: int
    days: int
    category: str
    score: int
    reason: str
    channel: str


@st.composite
def shops(draw) -> tuple[list[Alike], Selection]:
    kpi = draw(st.sampled_from([*SCORES]))
    key, most = draw(st.sampled_from([("own", 15), ("own", 15), ("4w", 57), ("13w", 184)]))
    length = draw(st.integers(1, 7))
    own = Period(TOMORROW - timedelta(days=length), TOMORROW)
    days = draw(st.lists(st.integers(0, most), min_size=1, max_size=6, unique=True))
    facts = {
        "days": st.sampled_from(days),
        "category": st.sampled_from(CATEGORIES[: draw(st.integers(2, 4))]),
        "score": st.sampled_from(SCORES[kpi]),
        "reason": st.sampled_from(["", *Reason.values[:3]]),
        "channel": st.sampled_from(["web", "email", ""]),
    }
    groups = draw(st.lists(st.builds(Alike, n=FEW, **facts), min_size=1, max_size=10))
    groups += draw(st.lists(st.builds(Alike, n=MANY, **facts), max_size=6))
    where = draw(st.sampled_from([{}, {}, {"channel": "web"}, {"category": "A"}]))
    return groups, Selection(
        period=own if key == "own" else preset(key, TODAY),
        preset=key,
        where=where,
        names=where,
        kpi=kpi,
        slice="channel" if "category" in where else "category",
        today=TODAY,
    )


def fill(groups: Sequence[Alike], scale: str) -> None:
    for name in CATEGORIES[:3]:
        make_category(name=name)
    categories = {category.name: category for category in Category.objects.all()}
    add_responses(
        an_answer(
            scale=scale,
            value=group.score,
            answered_at=local(TODAY - timedelta(days=group.days)),
            category=categories.get(group.category),
            reason=group.reason,
            channel=group.channel,
        )
        for group in groups
        for _ in range(group.n)
    )


# -- What the pages and the files show --------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One selection as a reader has it before them: both pages and all files."""

    selection: Selection
    overview: Overview
    satisfaction: Satisfaction
    files: Mapping[str, list[dict[str, str]]]

    @property
    def pages(self) -> tuple[Overview, Satisfaction]:
        return self.overview, self.satisfaction


def show(selection: Selection) -> Shown:
    files = {name: file_of(name, selection) for name in TABLES}
    return Shown(selection, overview(selection), satisfaction(selection), files)


def file_of(name: str, selection: Selection) -> list[dict[str, str]]:
    """Return the rows of a file above its definition."""
    text = "".join(csv_file(table_rows(name, selection))).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text.split("\r\n\r\n", maxsplit=1)[0])))


@dataclass(frozen=True)
class Part:
    """Some of the answers: those of these days, of one slice or any, with these scores or any."""

    days: Period
    key: str | None = None
    scores: range | None = None

    def __call__(self, piece: Period, key: str, score: int) -> bool:
        return (
            self.days.start <= piece.start
            and piece.end <= self.days.end
            and self.key in {None, key}
            and (self.scores is None or score in self.scores)
        )


# A part, and its count as it was shown; None where the count follows from what was shown.
Facts = Iterator[tuple[Part, int | None]]


def all_facts(shown: Shown) -> Facts:
    yield from of_the_whole(shown)
    yield from of_the_trend(shown)
    yield from of_the_slices(shown)
    yield from of_the_scores(shown)


def of_the_whole(shown: Shown) -> Facts:
    whole = Part(shown.selection.period)
    for page in shown.pages:
        if not page.block.hidden:
            yield whole, page.block.figure.n
    for line in shown.files["kpis"]:
        if line["kpi"] == shown.selection.kpi and line["n"]:
            yield whole, int(line["n"])


def of_the_trend(shown: Shown) -> Facts:
    """Single units, and several together where a line or an interval of them is shown."""
    size = grain(Period(shown.selection.compared.start, shown.selection.period.end)).together
    for page in shown.pages:
        rows = page.trend.rows
        for at, (row, line) in enumerate(zip(rows, shown.files["trend"], strict=True)):
            together = Part(Period(rows[max(0, at - size + 1)].period.start, row.period.end))
            if not row.hidden:
                yield Part(row.period), row.n
            if line["n"]:
                yield Part(row.period), int(line["n"])
            if row.rolling:
                yield together, row.rolling.n
            if line["together_low"]:
                yield together, None


def of_the_slices(shown: Shown) -> Facts:
    """The breakdown, and what moved among the same slices."""
    period, kind = shown.selection.period, shown.selection.slice
    rows = shown.satisfaction.breakdown.rows
    for row, line in zip(rows, shown.files["breakdown"], strict=True):
        if not row.hidden:
            yield Part(period, row.key), row.figure.n
        if line["n"]:
            yield Part(period, row.key), int(line["n"])
    for finding in shown.overview.moved.findings:
        if f"{kind}=" in finding.link:
            yield Part(period, finding.row.key), finding.row.figure.n


def of_the_scores(shown: Shown) -> Facts:
    """The distribution: its outcomes, and single scores where they are shown."""
    panel, period = shown.satisfaction.distribution, shown.selection.period
    for outcome in panel.outcomes:
        yield Part(period, scores=range(outcome.band.lowest, outcome.band.highest + 1)), None
    for score, line in zip(panel.scores, shown.files["scores"], strict=True):
        one = Part(period, scores=range(score.value, score.value + 1))
        if not score.hidden:
            yield one, score.n
        if line["n"]:
            yield one, int(line["n"])


# -- Nobody follows ------------------------------------------------------------------------------


# A shop that gives somebody away is printed as it is: making it smaller would take minutes.
OF_SHOPS = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def asked_for(groups: Sequence[Alike], selection: Selection) -> list[Alike]:
    return [
        group
        for group in groups
        if all(getattr(group, name) == key for name, key in selection.where.items())
    ]


def pieces(shown: Shown) -> list[Period]:
    """Return the days, weeks or months of the trend, cut where a period begins."""
    cuts = {shown.selection.period.start, shown.selection.compared.start}
    for row in shown.satisfaction.trend.rows:
        cuts |= {row.period.start, row.period.end}
    return [Period(*pair) for pair in pairwise(sorted(cuts))]


def reader_of(groups: Sequence[Alike], shown: Shown) -> Reader:
    counts: Counter[tuple] = Counter()
    days = pieces(shown)
    for group in asked_for(groups, shown.selection):
        on = TODAY - timedelta(days=group.days)
        for piece in days:
            if piece.start <= on < piece.end:
                counts[piece, getattr(group, shown.selection.slice), group.score] += group.n
    keys = sorted({key for _piece, key, _score in counts}) or [""]
    reader = Reader([days, keys, SCORES[shown.selection.kpi]], counts)
    for part, n in all_facts(shown):
        reader.learn(part, n)
    reader.conclude()
    return reader


def small_groups(reader: Reader, shown: Shown) -> Iterator[Part]:
    """Return every stretch of time, slice, score and cell that might be found out."""
    days, period = pieces(shown), shown.selection.period
    for first, last in combinations_with_replacement(days, 2):
        yield Part(Period(first.start, last.end))
    for score in SCORES[shown.selection.kpi]:
        yield Part(period, scores=range(score, score + 1))
    for band in KPIS[shown.selection.kpi].scale.bands:
        yield Part(period, scores=range(band.lowest, band.highest + 1))
    for key in {key for _piece, key, _score in reader.cells}:
        yield Part(period, key)
    for (piece, key, score), n in zip(reader.cells, reader.counts, strict=True):
        if n:
            yield Part(piece, key, range(score, score + 1))


@pytest.mark.django_db
@OF_SHOPS
@given(shops())
def test_no_small_group_follows_from_both_pages_and_all_files(shop):
    groups, selection = shop
    with translation.override("en"), transaction.atomic():
        fill(groups, KPIS[selection.kpi].measure)
        shown = show(selection)
        reader = reader_of(groups, shown)
        found = [part for part in small_groups(reader, shown) if reader.recognises(part)]
        transaction.set_rollback(True)
    assert found == []


# -- Why they answered so ----------------------------------------------------------------------

ANY_REASON = tuple(Reason.values)


@dataclass(frozen=True)
class Said:
    """Some of the answers of the period: those of one slice or any, with one of these reasons."""

    key: str | None = None
    reasons: tuple[str, ...] = ("", *ANY_REASON)

    def __call__(self, key: str, reason: str) -> bool:
        return self.key in {None, key} and reason in self.reasons


def of_the_reasons(shown: Shown) -> Iterator[tuple[Said, int | None]]:
    """Return how many answered, how many of them gave a reason, and which."""
    for part, n in (*of_the_whole(shown), *of_the_slices(shown)):
        yield Said(part.key), n
    for page in shown.pages:
        if not page.reasons.hidden:
            yield Said(reasons=ANY_REASON), page.reasons.n
        rows = [row for _name, group in page.reasons.groups for row in group]
        for row in rows if page.reasons.drawn else []:
            if not row.hidden:
                yield Said(reasons=(row.key,)), row.n
    for line in shown.files["reasons"]:
        if line["n"]:
            yield Said(reasons=(line["reason"],)), int(line["n"])


def of_why(shown: Shown) -> Iterator[tuple[Said, int | None]]:
    """Return the reasons slice by slice: a share tells how many, as the total stands beside it."""
    table = shown.satisfaction.why
    for row in table.rows if table else []:
        if not row.hidden:
            yield Said(row.key, ANY_REASON), row.n
        for reason, cell in zip(table.reasons, row.cells, strict=False):
            if cell.share is not None:
                yield Said(row.key, (reason.key,)), round(cell.share * row.n / 100)
    for line in shown.files["why"]:
        if line["n"]:
            yield Said(line[shown.selection.slice], ANY_REASON), int(line["n"])
        for reason in ANY_REASON:
            if line.get(reason):
                n = round(float(line[reason]) * int(line["n"]) / 100)
                yield Said(line[shown.selection.slice], (reason,)), n


@pytest.mark.django_db
@OF_SHOPS
@given(shops())
def test_no_small_group_follows_from_the_reasons_and_the_breakdown(shop):
    groups, selection = shop
    with translation.override("en"), transaction.atomic():
        fill(groups, KPIS[selection.kpi].measure)
        shown = show(selection)
        transaction.set_rollback(True)
    counts: Counter[tuple] = Counter()
    for group in asked_for(groups, selection):
        if TODAY - timedelta(days=group.days) >= selection.period.start:
            counts[getattr(group, selection.slice), group.reason] += group.n
    keys = sorted({key for key, _reason in counts}) or [""]
    reader = Reader([keys, ["", *ANY_REASON]], counts)
    for said, n in (*of_the_reasons(shown), *of_why(shown)):
        reader.learn(said, n)
    reader.conclude()
    wanted = [Said(key, (reason,)) for key in [None, *keys] for reason in ANY_REASON]
    wanted += [Said(key, ANY_REASON) for key in [None, *keys]]
    assert [said for said in wanted if reader.recognises(said)] == []


# -- Two that were found ---------------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 4, 9]), min_size=3, max_size=6), st.data())
def test_no_small_stretch_follows_by_who_knows_what_empty_means(sizes, data):
    every = list(combinations(range(len(sizes) + 1), 2))
    spans = data.draw(st.permutations(every))[: len(sizes) + 2]
    reader = Reader([range(len(sizes))], {(at,): n for at, n in enumerate(sizes)})

    def stretch(start: int, end: int) -> Inside:
        return lambda unit: start <= unit < end

    for span, shown in zip(spans, shown_spans(sizes, spans), strict=True):
        if shown:
            reader.learn(stretch(*span))
    reader.conclude()
    assert [span for span in every if reader.recognises(stretch(*span))] == []


@pytest.mark.django_db
def test_in_a_shop_that_has_just_begun_the_last_week_is_not_what_is_left_of_the_total():
    """The period begins within an empty week: that all of the week is empty ties both together."""
    give("nps", [9] * 40, on=TODAY - timedelta(weeks=7))
    give("nps", [9] * 2, on=TODAY)
    selection = Selection(preset("13w", TODAY), "13w", {}, {}, "nps", "category", TODAY)
    with translation.override("en"):
        page = satisfaction(selection)
    assert page.block.figure.n == 42
    assert [row.n for row in page.trend.rows if row.hidden] == [40, 2]
    assert {row.n for row in page.trend.rows if not row.hidden} == {0}


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("noor@example.org", "noor@example.org", "x")
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client.force_login(user)
    return client


def close(period: Period, kind: str, n: int, category: Category | None = None) -> None:
    """Keep what a period said when it was closed; an answer came in since."""
    KpiSnapshot.objects.create(
        kpi="nps",
        period=kind,
        start_on=period.start,
        end_on=period.end,
        dimension="category" if category else "",
        key=str(category.pk) if category else "",
        counts={"promoters": n, "passives": 0, "detractors": 0},
        n=n,
        definition_version=1,
        time_zone="Europe/Amsterdam",
        computed_at=NOW,
        frozen_at=NOW,
        corrected_counts={"promoters": n + 10},
        corrected_at=NOW,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/satisfaction/"])
@pytest.mark.parametrize(("others", "told"), [(3, False), (30, True)])
def test_a_correction_says_nothing_of_a_figure_that_is_hidden(staff, path, others, told):
    """The week of 40 is hidden for the sake of the 3 in the next one, and so is its category."""
    today = timezone.localdate()
    month = enclosing(enclosing(today, "month").start - timedelta(days=1), "month")
    week = enclosing(month.start + timedelta(days=7), "week")
    phones, mats = make_category(name="Phones"), make_category(name="Mats")
    give("nps", [9] * 40, on=week.start, category=phones)
    give("nps", [9] * others, on=week.end, category=mats)
    close(week, "week", 30)
    close(month, "month", 30, phones)
    staff.cookies[conf.LANGUAGE_COOKIE_NAME] = "en"
    closed = "100 with 30 answers when the period was closed"
    whole = staff.get(f"{path}?kpi=nps&period=13w").content.decode()
    assert (closed in whole) is told
    one = staff.get(f"{path}?kpi=nps&period=last_month&category=Phones").content.decode()
    assert (closed in one) is told
